// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/// @notice What a token's source gives.
/// Usd: a TOKEN/USD feed. Eth: a TOKEN/ETH feed, times ETH/USD. Pegged: another token's price times a fixed ratio, for
/// a token that is exchanged for that one at this ratio.
enum Quote {
    Usd,
    Eth,
    Pegged
}

/// @notice Where a token's price comes from, see `Feed`. `decimals` are the feed's. `lowest` and `highest` are the
/// least and the most that counts; where no band was given, 0 and the absurdity bound.
struct Source {
    address feed;
    uint32 maxAge;
    uint8 decimals;
    Quote quote;
    uint128 ratio;
    uint128 lowest;
    uint128 highest;
}

/// @title Sources
/// @notice Packs price sources as contract code, ascending by token, four words each: token (160 bits); feed (160,
/// high), max age (32), decimals (8), quote (8); what one of the feed's answer is worth in 18 decimals (64, high),
/// ratio (128); lowest (128, high), highest (128). A batch reads them all for the price of one cold account.
/// @dev An *entry* is where a source's four words begin in memory, `NONE` for none.
library Sources {
    uint256 private constant WORDS = 4;
    /// @dev Where an entry's words stand.
    uint256 private constant SECOND = 32;
    uint256 private constant THIRD = 64;
    uint256 private constant FOURTH = 96;
    uint256 private constant SIZE = 128;

    /// @notice Stands for the entry of a token that has no source.
    uint256 internal constant NONE = 0;
    /// @notice Most sources that fit into a contract's code.
    uint256 internal constant MOST = 191; // {sources} = 24575 {bytes} / 128 {bytes}

    /* LOOKING UP */

    /// @notice A token's entry, `NONE` where it has none, and where a look-up of a higher token may go on, so that
    /// ascending look-ups cost one pass. Any other goes back to the first entry.
    /// @param from 0, or a `next` that `find` gave for this list.
    function find(uint256[] memory words, address token, uint256 from)
        internal
        pure
        returns (uint256 entry, uint256 next)
    {
        // Saves the arithmetic of positions and a loop's checks, 0.8 % of start with the reading below (measured).
        assembly ("memory-safe") {
            let key := shr(96, shl(96, token))
            let first := add(words, 32)
            let end := add(first, shl(5, mload(words)))
            next := first
            // All entries before `from` must lie below `token`; what stands before the first one does not matter.
            if from { if lt(mload(sub(from, SIZE)), key) { next := from } }
            for {} and(lt(next, end), lt(mload(next), key)) { next := add(next, SIZE) } {}
            if and(lt(next, end), eq(mload(next), key)) {
                entry := next
                next := add(next, SIZE)
            }
        }
    }

    /// @notice The source of `token` in a packed list. An empty one where there is none.
    function get(uint256[] memory words, address token) internal pure returns (Source memory source) {
        (uint256 entry,) = find(words, token, 0);
        if (entry == NONE) return source;
        (uint256 second, uint256 band) = (_word(entry, SECOND), _word(entry, FOURTH));
        return Source({
            feed: feed(entry),
            maxAge: uint32(second >> 16),
            decimals: uint8(second >> 8),
            quote: Quote(quote(entry)),
            ratio: uint128(ratio(entry)),
            lowest: uint128(band >> 128),
            highest: uint128(band)
        });
    }

    /// @notice Whether there is room for the source of `token`.
    function fits(uint256[] memory words, address token) internal pure returns (bool) {
        (uint256 entry,) = find(words, token, 0);
        return entry != NONE || words.length < MOST * WORDS;
    }

    /// @notice The list with the source of `token` put in or replaced. `source.decimals` is at most 18.
    function put(uint256[] memory words, address token, Source memory source)
        internal
        pure
        returns (uint256[] memory list)
    {
        uint256 at;
        while (at < words.length && words[at] < uint160(token)) at += WORDS;
        bool replaces = at < words.length && words[at] == uint160(token);
        list = new uint256[](words.length + (replaces ? 0 : WORDS));
        for (uint256 i; i < at; ++i) {
            list[i] = words[i];
        }
        list[at] = uint160(token);
        list[at + 1] = (uint256(uint160(source.feed)) << 96) | (uint256(source.maxAge) << 16)
            | (uint256(source.decimals) << 8) | uint8(source.quote);
        list[at + 2] = (10 ** uint256(18 - source.decimals) << 128) | source.ratio;
        list[at + 3] = (uint256(source.lowest) << 128) | source.highest;
        for (uint256 i = at + WORDS; i < list.length; ++i) {
            list[i] = words[replaces ? i : i - WORDS];
        }
    }

    /* READING AN ENTRY */

    /// @notice All that an answer is read with.
    function reading(uint256 entry) internal pure returns (address feed_, uint256 maxAge, uint256 scale) {
        uint256 second = _word(entry, SECOND);
        return (address(uint160(second >> 96)), uint32(second >> 16), _word(entry, THIRD) >> 128);
    }

    /// @notice `value` where it lies in the entry's band, else 0.
    function banded(uint256 entry, uint256 value) internal pure returns (uint256) {
        uint256 band = _word(entry, FOURTH);
        return value < band >> 128 || value > uint128(band) ? 0 : value;
    }

    /// @notice The Chainlink proxy; of a peg the other token.
    function feed(uint256 entry) internal pure returns (address) {
        return address(uint160(_word(entry, SECOND) >> 96));
    }

    /// @notice A `Quote` as a number.
    function quote(uint256 entry) internal pure returns (uint256) {
        return uint8(_word(entry, SECOND));
    }

    /// @notice Of a peg, 18 decimals.
    function ratio(uint256 entry) internal pure returns (uint256) {
        return uint128(_word(entry, THIRD));
    }

    /// @notice Sets the band of `token`, which has a source, in the list: the least and the most that counts, of a peg
    /// in USD, else in the quote's currency; 18 decimals. `highest` is at most the absurdity bound.
    function setBand(uint256[] memory words, address token, uint128 lowest, uint128 highest) internal pure {
        uint256 i;
        while (words[i] != uint160(token)) i += WORDS;
        words[i + 3] = (uint256(lowest) << 128) | highest;
    }

    function _word(uint256 entry, uint256 offset) private pure returns (uint256 word) {
        // Saves as `find` does: an entry is looked up once, and read where it stands.
        assembly ("memory-safe") {
            word := mload(add(entry, offset))
        }
    }
}
