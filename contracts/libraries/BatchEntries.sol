// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/// @notice A component of a batch as it stood before the filler was called: where its words begin in memory.
type BatchEntry is uint256;

/// @title BatchEntries
/// @notice The lines of a batch, one after the other in memory, six words each:
///
///     TOKEN, ONE, START_PRICE, BEFORE, TARGET, COUNTED
///
/// @dev A struct would be cleared anew wherever one is looked at.
library BatchEntries {
    uint256 private constant TOKEN = 0;
    uint256 private constant ONE = 32;
    uint256 private constant START_PRICE = 64;
    uint256 private constant BEFORE = 96;
    uint256 private constant TARGET = 128;
    uint256 private constant COUNTED = 160;
    uint256 private constant SIZE = 192;

    /* LISTS */

    /// @notice Room for `n` lines, not cleared: the first of them.
    function room(uint256 n) internal pure returns (BatchEntry first) {
        // Saves the clearing, some 60 gas a line.
        assembly ("memory-safe") {
            first := mload(0x40)
            mstore(0x40, add(first, mul(n, SIZE)))
        }
    }

    /// @notice The line after this one.
    function next(BatchEntry line) internal pure returns (BatchEntry) {
        unchecked {
            // A place in memory: far below 2**256.
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
            // `first` is not behind `line`.
            return (BatchEntry.unwrap(line) - BatchEntry.unwrap(first)) / SIZE;
        }
    }

    /* READING */

    function token(BatchEntry line) internal pure returns (address) {
        return address(uint160(_word(line, TOKEN)));
    }

    /// @notice Token wei of a whole token.
    function one(BatchEntry line) internal pure returns (uint256) {
        return _word(line, ONE);
    }

    /// @notice USD for one whole token at the start, 18 decimals.
    function startPrice(BatchEntry line) internal pure returns (uint256) {
        return _word(line, START_PRICE);
    }

    /// @notice Balance of the index token before the filler was called.
    function before(BatchEntry line) internal pure returns (uint256) {
        return _word(line, BEFORE);
    }

    /// @notice Balance at which it is at its target, rounded up for sells and down for buys.
    function target(BatchEntry line) internal pure returns (uint256) {
        return _word(line, TARGET);
    }

    /// @notice Of a buy: token wei that came, up to the target.
    function counted(BatchEntry line) internal pure returns (uint256) {
        return _word(line, COUNTED);
    }

    /* WRITING */

    /// @notice Writes all but what is counted.
    function put(BatchEntry line, address token_, uint256 one_, uint256 startPrice_, uint256 before_, uint256 target_)
        internal
        pure
    {
        _setWord(line, TOKEN, uint160(token_));
        _setWord(line, ONE, one_);
        _setWord(line, START_PRICE, startPrice_);
        _setWord(line, BEFORE, before_);
        _setWord(line, TARGET, target_);
    }

    function setCounted(BatchEntry line, uint256 counted_) internal pure {
        _setWord(line, COUNTED, counted_);
    }

    function _word(BatchEntry line, uint256 offset) private pure returns (uint256 word) {
        // Saves the clearing of a struct that is assigned at once, some 60 gas for each line looked at.
        assembly ("memory-safe") {
            word := mload(add(line, offset))
        }
    }

    function _setWord(BatchEntry line, uint256 offset, uint256 word) private pure {
        // Saves as `_word` does.
        assembly ("memory-safe") {
            mstore(add(line, offset), word)
        }
    }
}
