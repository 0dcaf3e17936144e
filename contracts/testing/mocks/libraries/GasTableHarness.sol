// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Action, Order} from "../../../interfaces/IRebalancer.sol";
import {GasTable} from "../../../libraries/GasTable.sol";

/// @title GasTableHarness
/// @notice For tests: the functions and figures of `GasTable`.
contract GasTableHarness {
    function overheads() external pure returns (uint256 first, uint256 further) {
        return (GasTable.OVERHEAD, GasTable.FURTHER_OVERHEAD);
    }

    function ofAction(Action action, uint256 candidates) external pure returns (uint256) {
        return GasTable.ofAction(action, candidates);
    }

    function ofTrade(Order calldata order, uint256 sold, uint256 leastSale)
        external
        pure
        returns (uint256 least, uint256 most)
    {
        return GasTable.ofTrade(order, sold, leastSale);
    }
}
