// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Rule} from "../libraries/MarketCapRule.sol";

/// @title IMarketCap
/// @notice What a market-cap methodology tells of itself.
interface IMarketCap {
    /// @notice The rule, fixed at deployment.
    function rule() external view returns (Rule memory);
}
