// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Constituent, Status} from "../../../interfaces/IMethodology.sol";
import {Choice} from "../../../libraries/Choice.sol";
import {Holdings, Standing} from "../../../libraries/Holdings.sol";
import {Capping} from "../../../libraries/MarketCapMath.sol";

/// @title ChoiceHarness
/// @notice For tests: the functions of `Choice`. Those that change what they are given return it.
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

    function weigh(
        Constituent[] memory list,
        uint256[] memory supplies,
        Holdings.Held memory held,
        Capping memory capping
    ) external pure returns (Constituent[] memory) {
        Choice.weigh(list, supplies, held, capping);
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
