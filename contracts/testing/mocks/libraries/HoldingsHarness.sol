// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IIndexToken} from "../../../interfaces/IIndexToken.sol";
import {IOracle} from "../../../interfaces/IOracle.sol";
import {Holdings} from "../../../libraries/Holdings.sol";

/// @title HoldingsHarness
/// @notice For tests: the function of `Holdings`.
contract HoldingsHarness {
    function read(IIndexToken index, IOracle oracle, uint256[] memory candidates)
        external
        view
        returns (Holdings.Held memory)
    {
        return Holdings.read(index, oracle, candidates);
    }
}
