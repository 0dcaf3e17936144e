// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {SSTORE2} from "solady/src/utils/SSTORE2.sol";

/// @title Words
/// @notice Lists of 256-bit words kept as contract code: reading a whole list costs one cold account (2,600 gas), where
/// a storage array costs 2,100 gas for each entry. And access to entries of arrays for loops over all components.
library Words {
    /* AS CODE */

    /// @notice Writes `words` as the code of a new contract and returns its address.
    function write(uint256[] memory words) internal returns (address pointer) {
        return SSTORE2.write(abi.encodePacked(words));
    }

    /// @notice The list at `pointer`; empty for the zero address.
    function read(address pointer) internal view returns (uint256[] memory words) {
        if (pointer == address(0)) return words;
        bytes memory packed = SSTORE2.read(pointer);
        assembly ("memory-safe") {
            // `bytes` counts bytes where `uint256[]` counts words; the data that follows is the same.
            mstore(packed, shr(5, mload(packed)))
            words := packed
        }
    }

    /* IN MEMORY */

    /// @notice Room for `n` words, of which each is to be set before it is read: Solidity would clear them first (some 300 gas).
    function room(uint256 n) internal pure returns (uint256[] memory words) {
        assembly ("memory-safe") {
            words := mload(0x40)
            mstore(words, n)
            mstore(0x40, add(add(words, 32), shl(5, n)))
        }
    }

    /// @notice The same list, as one of addresses.
    function asAddresses(uint256[] memory words) internal pure returns (address[] memory accounts) {
        assembly ("memory-safe") {
            accounts := words
        }
    }

    /// @notice The same list, as one of words.
    function asWords(address[] memory accounts) internal pure returns (uint256[] memory words) {
        assembly ("memory-safe") {
            words := accounts
        }
    }

    /* ENTRIES */

    // Without the check of `i` that Solidity makes (some 40 gas each time): the caller knows that it is below the length.
    // `at` and `set` are for memory, `given` is for calldata.

    /// @notice Entry `i`.
    function at(uint256[] memory words, uint256 i) internal pure returns (uint256 word) {
        assembly ("memory-safe") {
            word := mload(add(add(words, 32), shl(5, i)))
        }
    }

    /// @notice Entry `i`.
    function given(uint256[] calldata words, uint256 i) internal pure returns (uint256 word) {
        assembly ("memory-safe") {
            word := calldataload(add(words.offset, shl(5, i)))
        }
    }

    /// @notice Entry `i`; what stands above its 160 bits is ignored.
    function given(address[] calldata accounts, uint256 i) internal pure returns (address account) {
        assembly ("memory-safe") {
            account := shr(96, shl(96, calldataload(add(accounts.offset, shl(5, i)))))
        }
    }

    /// @notice Sets entry `i`.
    function set(uint256[] memory words, uint256 i, uint256 word) internal pure {
        assembly ("memory-safe") {
            mstore(add(add(words, 32), shl(5, i)), word)
        }
    }

    /// @notice Sets entry `i`.
    function set(address[] memory accounts, uint256 i, address account) internal pure {
        assembly ("memory-safe") {
            mstore(add(add(accounts, 32), shl(5, i)), shr(96, shl(96, account)))
        }
    }

    /// @notice Cuts off all entries from `length` on; it must not be above the length that it has.
    function cut(uint256[] memory words, uint256 length) internal pure {
        assembly ("memory-safe") {
            mstore(words, length)
        }
    }

    /// @notice Cuts off all entries from `length` on; it must not be above the length that it has.
    function cut(address[] memory accounts, uint256 length) internal pure {
        assembly ("memory-safe") {
            mstore(accounts, length)
        }
    }
}
