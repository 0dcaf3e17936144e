// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IIndexToken} from "../../../interfaces/IIndexToken.sol";
import {Constituent, IMethodology} from "../../../interfaces/IMethodology.sol";
import {IOracle} from "../../../interfaces/IOracle.sol";
import {Determination} from "../../../libraries/Determination.sol";

/// @title DeterminationHarness
/// @notice For tests: the functions of `Determination`.
contract DeterminationHarness {
    function previous(address determination, bool started) external view returns (Constituent[] memory) {
        return Determination.previous(determination, started);
    }

    function make(IIndexToken index, IOracle oracle, IMethodology methodology, Constituent[] memory last)
        external
        view
        returns (Constituent[] memory)
    {
        return Determination.make(index, oracle, methodology, last);
    }

    function within(uint256 answer, uint256 more) external pure returns (uint256) {
        return Determination.within(answer, more);
    }

    function outside(uint256 answer) external pure returns (uint256) {
        return Determination.outside(answer);
    }
}
