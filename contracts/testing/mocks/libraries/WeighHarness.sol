// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Constituent} from "../../../interfaces/IMethodology.sol";
import {Choice} from "../../../libraries/Choice.sol";
import {Holdings} from "../../../libraries/Holdings.sol";
import {Capping} from "../../../libraries/MarketCapMath.sol";

/// @title WeighHarness
/// @notice For tests: `Choice.weigh`, which does not compile for the chain in one contract with the others.
contract WeighHarness {
    function weigh(
        Constituent[] memory list,
        uint256[] memory supplies,
        Holdings.Held memory held,
        Capping memory capping
    ) external pure returns (Constituent[] memory) {
        Choice.weigh(list, supplies, held, capping);
        return list;
    }
}
