// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IOracle} from "./IOracle.sol";

/// @notice A component of next month's index.
/// @param token The ERC-20.
/// @param basis What the weight comes from: circulating supply in whole tokens (market cap), or the weight itself with
/// 18 decimals (fixed weights). Above zero.
struct Constituent {
    address token;
    uint96 basis;
}

/// @title IMethodology
/// @notice The rule of the index: which components, how much of each. It holds no state of the month: the rebalancer
/// keeps what `determine` returned and passes it back to `targetUnits`.
interface IMethodology {
    /// @notice The constituents, strictly ascending by address, as they stand now.
    function determine(IOracle oracle) external view returns (Constituent[] memory);

    /// @notice Units that give every component its weight at NAV, for components in any fixed order.
    /// @param basis Basis of each component; 0 for one that leaves the index (target 0) or has no price.
    /// @param units Units held, token wei per 1e18 shares.
    /// @param prices USD for one whole token, 18 decimals; 0 for what is left out of NAV and weights.
    /// @param decimals Decimals of each token, 0 to 27.
    /// @return targets Units, rounded down; 0 where basis or price is 0.
    function targetUnits(
        uint256[] calldata basis,
        uint256[] calldata units,
        uint256[] calldata prices,
        uint8[] calldata decimals
    ) external view returns (uint256[] memory targets);
}
