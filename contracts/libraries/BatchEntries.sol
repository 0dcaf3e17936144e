// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/// @notice A component of a batch as it stood before the filler was called: where its words begin in memory.
type BatchEntry is uint256;

/// @title BatchEntries
/// @notice The lines of a batch, one after the other in memory; a struct would be cleared anew wherever one is looked at.
library BatchEntries {
    uint256 private constant SIZE = 6 * 32;

    /* LISTS */

    /// @notice Room for `n` lines, not cleared: the first of them.
    function room(uint256 n) internal pure returns (BatchEntry first) {
        assembly ("memory-safe") {
            first := mload(0x40)
            mstore(0x40, add(first, mul(n, SIZE)))
        }
    }

    /// @notice The line after this one.
    function next(BatchEntry line) internal pure returns (BatchEntry) {
        unchecked {
            return BatchEntry.wrap(BatchEntry.unwrap(line) + SIZE);
        }
    }

    /// @notice Whether this line comes before that one, of the same list.
    function isBefore(BatchEntry line, BatchEntry other) internal pure returns (bool) {
        return BatchEntry.unwrap(line) < BatchEntry.unwrap(other);
    }

    /// @notice How many lines come before this one, from `first` on.
    function place(BatchEntry line, BatchEntry first) internal pure returns (uint256) {
        unchecked {
            return (BatchEntry.unwrap(line) - BatchEntry.unwrap(first)) / SIZE;
        }
    }

    /* READING */

    function token(BatchEntry line) internal pure returns (address found) {
        assembly ("memory-safe") {
            found := mload(line)
        }
    }

    /// @notice Token wei of a whole token.
    function one(BatchEntry line) internal pure returns (uint256 found) {
        assembly ("memory-safe") {
            found := mload(add(line, 32))
        }
    }

    /// @notice USD for one whole token at the start, 18 decimals.
    function startPrice(BatchEntry line) internal pure returns (uint256 found) {
        assembly ("memory-safe") {
            found := mload(add(line, 64))
        }
    }

    /// @notice Balance of the index token before the filler was called.
    function before(BatchEntry line) internal pure returns (uint256 found) {
        assembly ("memory-safe") {
            found := mload(add(line, 96))
        }
    }

    /// @notice Balance at which it is at its target, rounded up for sells and down for buys.
    function target(BatchEntry line) internal pure returns (uint256 found) {
        assembly ("memory-safe") {
            found := mload(add(line, 128))
        }
    }

    /// @notice Of a buy: token wei that came, up to the target.
    function counted(BatchEntry line) internal pure returns (uint256 found) {
        assembly ("memory-safe") {
            found := mload(add(line, 160))
        }
    }

    /* WRITING */

    /// @notice Writes all but what is counted.
    function put(BatchEntry line, address token_, uint256 one_, uint256 startPrice_, uint256 before_, uint256 target_)
        internal
        pure
    {
        assembly ("memory-safe") {
            mstore(line, token_)
            mstore(add(line, 32), one_)
            mstore(add(line, 64), startPrice_)
            mstore(add(line, 96), before_)
            mstore(add(line, 128), target_)
        }
    }

    function setCounted(BatchEntry line, uint256 counted_) internal pure {
        assembly ("memory-safe") {
            mstore(add(line, 160), counted_)
        }
    }
}
