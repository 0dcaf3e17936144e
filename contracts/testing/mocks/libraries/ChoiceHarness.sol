// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Constituent, Status} from "../../../interfaces/IMethodology.sol";
import {Choice} from "../../../libraries/Choice.sol";
import {Standing} from "../../../libraries/Holdings.sol";

/// @title ChoiceHarness
/// @notice For tests: the functions of `Choice` but `weigh`. Those that change what they are given return it.
contract ChoiceHarness {
    function decide(Constituent memory c, uint256 state, Standing standing) external pure returns (Constituent memory) {
        Choice.decide(c, state, standing);
        return c;
    }

    function atStart(uint256 state, Status status, uint256 flags) external pure returns (uint256) {
        return Choice.atStart(state, status, flags);
    }

    function rank(Constituent[] memory list, uint256[] memory decisive, uint256 topN)
        external
        pure
        returns (Constituent[] memory)
    {
        Choice.rank(list, decisive, topN);
        return list;
    }

    function dropSmall(Constituent[] memory list, uint256 floorWeight, uint256 entryWeight)
        external
        pure
        returns (bool any, Constituent[] memory)
    {
        any = Choice.dropSmall(list, floorWeight, entryWeight);
        return (any, list);
    }
}
