// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Constituent, Status} from "../../../interfaces/IMethodology.sol";
import {Constituents} from "../../../libraries/Constituents.sol";
import {Words} from "../../../libraries/Words.sol";

/// @title ConstituentsHarness
/// @notice For tests: the functions of `Constituents`.
contract ConstituentsHarness {
    /// @notice Writes constituents; returns the words that stand there, and what `read` finds in them.
    function write(Constituent[] calldata list) external returns (uint256[] memory words, Constituent[] memory found) {
        address pointer = Constituents.write(list);
        return (Words.read(pointer), Constituents.read(pointer));
    }

    function read(address pointer) external view returns (Constituent[] memory) {
        return Constituents.read(pointer);
    }

    function confirm(uint256[] memory words, uint256[] calldata answers) external pure returns (uint256[] memory) {
        Constituents.confirm(words, answers);
        return words;
    }

    function asDetermined(uint256[] calldata words) external pure returns (uint256[] memory) {
        return Constituents.asDetermined(words);
    }

    function rowAt(uint256[] calldata words, uint256 i) external pure returns (uint256 word, uint256 more) {
        return Constituents.rowAt(words, i);
    }

    function tokenAt(uint256[] calldata words, uint256 i) external pure returns (address) {
        return Constituents.tokenAt(words, i);
    }

    function priceAt(uint256[] calldata words, uint256 i) external pure returns (uint128) {
        return Constituents.priceAt(words, i);
    }

    function weightAt(uint256[] calldata words, uint256 i) external pure returns (uint64) {
        return Constituents.weightAt(words, i);
    }

    function statusAt(uint256[] calldata words, uint256 i) external pure returns (Status) {
        return Constituents.statusAt(words, i);
    }

    function packBasis(uint88 basis, uint8 flags) external pure returns (uint256) {
        return Constituents.packBasis(basis, flags);
    }

    function packConfirmed(uint88 basis, uint8 flags, Status status) external pure returns (uint256) {
        return Constituents.packConfirmed(basis, flags, status);
    }

    function asConfirmed(uint256 word, uint256 more) external pure returns (uint256) {
        return Constituents.asConfirmed(word, more);
    }

    function basis(uint256 word) external pure returns (uint88) {
        return Constituents.basis(word);
    }

    function basisAndFlags(uint256 word) external pure returns (uint256) {
        return Constituents.basisAndFlags(word);
    }

    function flags(uint256 word) external pure returns (uint8) {
        return Constituents.flags(word);
    }

    function confirmed(uint256 more) external pure returns (uint88) {
        return Constituents.confirmed(more);
    }

    function member(uint256 more) external pure returns (bool) {
        return Constituents.member(more);
    }

    function confirmedStatusNumber(uint256 word) external pure returns (uint256) {
        return Constituents.confirmedStatusNumber(word);
    }

    function confirmedStatus(uint256 word) external pure returns (Status) {
        return Constituents.confirmedStatus(word);
    }
}
