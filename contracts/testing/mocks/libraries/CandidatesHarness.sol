// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Candidate, Candidates} from "../../../libraries/Candidates.sol";
import {Words} from "../../../libraries/Words.sol";

/// @title CandidatesHarness
/// @notice For tests: the functions of `Candidates`.
contract CandidatesHarness {
    function write(Candidate[] memory list) external returns (address) {
        return Candidates.write(list);
    }

    function read(address pointer) external view returns (Candidate[] memory) {
        return Candidates.read(pointer);
    }

    function words(address pointer) external view returns (uint256[] memory) {
        return Words.read(pointer);
    }

    function count(uint256[] memory list) external pure returns (uint256) {
        return Candidates.count(list);
    }

    function token(uint256[] memory list, uint256 i) external pure returns (address) {
        return Candidates.token(list, i);
    }

    function second(uint256[] memory list, uint256 i) external pure returns (uint256) {
        return Candidates.second(list, i);
    }

    function parts(uint256 more) external pure returns (address source, uint256 state, uint88 wholeTokens) {
        return (Candidates.source(more), Candidates.state(more), Candidates.wholeTokens(more));
    }

    function known(uint256 more, uint256 confirmed) external pure returns (uint256) {
        return Candidates.known(more, confirmed);
    }

    function changed(uint256 more, uint256 determined, uint256 supply) external pure returns (bool) {
        return Candidates.changed(more, determined, supply);
    }

    function contains(uint256[] memory list, address wanted) external pure returns (bool) {
        return Candidates.contains(list, wanted);
    }
}
