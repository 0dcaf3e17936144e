// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IIndexToken} from "../../../interfaces/IIndexToken.sol";
import {Constituent, IMethodology} from "../../../interfaces/IMethodology.sol";
import {IOracle} from "../../../interfaces/IOracle.sol";
import {Constituents} from "../../../libraries/Constituents.sol";

/// @title PreviousWitness
/// @notice For tests: a methodology whose determination tells what it was given as previous. Basis and status are its
/// own; the basis that it was given is the confirmed one, and the weight is one more than the status that it was given.
contract PreviousWitness is IMethodology {
    bytes32 public constant BASIS = "unit";

    function determine(IOracle, IIndexToken, Constituent[] calldata previous)
        external
        pure
        returns (Constituent[] memory list)
    {
        list = previous;
        for (uint256 i; i < list.length; ++i) {
            (list[i].confirmed, list[i].weight) = (list[i].basis, uint64(uint8(list[i].status)) + 1);
            list[i].basis = 1;
        }
    }

    function confirm(uint256[] calldata determined) external pure returns (uint256[] memory) {
        return Constituents.asDetermined(determined);
    }

    function targetUnits(uint256[] calldata basis, uint256[] calldata, uint256[] calldata, uint256[] calldata)
        external
        pure
        returns (uint256[] memory)
    {
        return basis;
    }
}
