// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Component, ComponentList} from "../../../libraries/ComponentList.sol";
import {Words} from "../../../libraries/Words.sol";

/// @title ComponentListHarness
/// @notice For tests: the functions of `ComponentList`.
contract ComponentListHarness {
    /// @notice Writes a list and returns the words that stand at its address.
    function write(Component[] calldata list) external returns (uint256[] memory) {
        return Words.read(ComponentList.write(list));
    }

    function pack(Component calldata entry) external pure returns (uint256) {
        return ComponentList.pack(entry);
    }

    function unpack(uint256[] calldata words) external pure returns (Component[] memory) {
        return ComponentList.unpack(words);
    }

    function token(uint256 word) external pure returns (address) {
        return ComponentList.token(word);
    }

    function decimals(uint256 word) external pure returns (uint8) {
        return ComponentList.decimals(word);
    }

    function marked(uint256 word) external pure returns (bool) {
        return ComponentList.marked(word);
    }

    function suspended(uint256 word) external view returns (bool) {
        return ComponentList.suspended(word);
    }

    function inactive(uint256 word) external view returns (bool) {
        return ComponentList.inactive(word);
    }

    function suspendedUntil(uint256 word) external pure returns (uint40) {
        return ComponentList.suspendedUntil(word);
    }

    function writtenOff(uint256 word) external pure returns (bool) {
        return ComponentList.writtenOff(word);
    }

    function withState(uint256 word, uint40 until, bool off) external pure returns (uint256) {
        return ComponentList.withState(word, until, off);
    }
}
