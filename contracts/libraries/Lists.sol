// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Words} from "./Words.sol";

/// @title Lists
/// @notice Calls that take lists of words and answer with one, in the ABI's own form. Solidity copies lists entry by entry
/// with a check of each (some 150 gas an entry and call); here they are copied whole.
library Lists {
    using Words for address[];

    /// @notice The answer is no list.
    error NoList(address from);

    /// @notice Asks `to` with one list.
    /// @param selector Of a view that takes a list of words or addresses and returns a list of words.
    function ask(address to, bytes4 selector, uint256[] memory list) internal view returns (uint256[] memory) {
        uint256[] memory lists = Words.room(1);
        assembly ("memory-safe") {
            mstore(add(lists, 32), list)
        }
        return _ask(to, selector, lists);
    }

    /// @notice Asks `to` with one list of addresses.
    function ask(address to, bytes4 selector, address[] memory list) internal view returns (uint256[] memory) {
        return ask(to, selector, list.asWords());
    }

    /// @notice Asks `to` with four lists.
    function ask(
        address to,
        bytes4 selector,
        uint256[] memory a,
        uint256[] memory b,
        uint256[] memory c,
        uint256[] memory d
    ) internal view returns (uint256[] memory) {
        uint256[] memory lists = Words.room(4);
        assembly ("memory-safe") {
            mstore(add(lists, 32), a)
            mstore(add(lists, 64), b)
            mstore(add(lists, 96), c)
            mstore(add(lists, 128), d)
        }
        return _ask(to, selector, lists);
    }

    /// @notice Ends the call with `list` as what it returns.
    /// @dev Warning: nothing after it runs.
    function directReturn(uint256[] memory list) internal pure {
        assembly ("memory-safe") {
            // The ABI says first where the list begins; the word that stands before it in memory is not needed any more.
            let at := sub(list, 32)
            mstore(at, 32)
            return(at, add(64, shl(5, mload(list))))
        }
    }

    /// @dev The call and its answer. `lists` are pointers. Reverts as `to` does.
    function _ask(address to, bytes4 selector, uint256[] memory lists) private view returns (uint256[] memory list) {
        bool fits;
        assembly ("memory-safe") {
            let n := shl(5, mload(lists))
            let data := mload(0x40)
            mstore(data, selector)
            let head := add(data, 4)
            let end := add(head, n)
            for { let i := 0 } lt(i, n) { i := add(i, 32) } {
                let from := mload(add(add(lists, 32), i))
                let size := add(32, shl(5, mload(from)))
                mstore(add(head, i), sub(end, head))
                mcopy(end, from, size)
                end := add(end, size)
            }
            if iszero(staticcall(gas(), to, data, sub(end, data), 0, 0)) {
                returndatacopy(data, 0, returndatasize())
                revert(data, returndatasize())
            }
            let size := returndatasize()
            returndatacopy(data, 0, size)
            list := add(data, 32)
            // {offset, length, entries}; what is shorter, or counts more than it has, is no list.
            if gt(size, 63) {
                let count := mload(list)
                fits := and(eq(mload(data), 32), iszero(gt(count, shr(5, sub(size, 64)))))
            }
            mstore(0x40, add(data, and(add(size, 63), not(31))))
        }
        require(fits, NoList(to));
    }
}
