// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {DynamicArrayLib} from "solady/src/utils/DynamicArrayLib.sol";

/// @notice What a token's source gives.
/// Usd: a TOKEN/USD feed. Eth: a TOKEN/ETH feed, times ETH/USD. Pegged: another token's price times a fixed ratio, for a
/// token that is exchanged for that one at this ratio.
enum Quote {
    Usd,
    Eth,
    Pegged
}

/// @notice Where a token's price comes from, see `Feed`. `decimals` are the feed's. `lowest` and `highest` are the least and
/// the most that counts; where no band was given, 0 and the absurdity bound.
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
/// @notice Packs price sources as contract code, ascending by token, four words each: token (160 bits); feed (160, high),
/// max age (32), decimals (8), quote (8); what one of the feed's answer is worth in 18 decimals (64, high), ratio (128);
/// lowest (128, high), highest (128). A batch reads them all for the price of one cold account.
/// @dev An *entry* is the position of a source's first word in such a list.
library Sources {
    using DynamicArrayLib for uint256[];

    uint256 private constant WORDS = 4;

    /// @notice Stands for the entry of a token that has no source.
    uint256 internal constant NONE = type(uint256).max;
    /// @notice Most sources that fit into a contract's code.
    uint256 internal constant MOST = 191; // {sources} = 24575 {bytes} / 128 {bytes}

    /* LOOKING UP */

    /// @notice A token's entry, `NONE` where it has none, and where a look-up of a higher token may go on, so that ascending
    /// look-ups cost one pass. Any other goes back to the first entry.
    /// @param from 0, or a `next` that `find` gave for this list.
    function find(uint256[] memory words, address token, uint256 from)
        internal
        pure
        returns (uint256 entry, uint256 next)
    {
        (uint256 key, uint256 end) = (uint160(token), words.length);
        unchecked {
            // Positions are at most the list's length, and `from` is a multiple of WORDS. All entries before it must lie below
            // `token`.
            if (from != 0 && words.get(from - WORDS) < key) next = from;
            while (next < end && words.get(next) < key) next += WORDS;
            if (next == end || words.get(next) != key) return (NONE, next);
            return (next, next + WORDS);
        }
    }

    /// @notice The source of `token` in a packed list. An empty one where there is none.
    function get(uint256[] memory words, address token) internal pure returns (Source memory source) {
        (uint256 entry,) = find(words, token, 0);
        if (entry == NONE) return source;
        uint256 second = words[entry + 1];
        return Source({
            feed: feed(words, entry),
            maxAge: uint32(second >> 16),
            decimals: uint8(second >> 8),
            quote: Quote(quote(words, entry)),
            ratio: uint128(ratio(words, entry)),
            lowest: uint128(words[entry + 3] >> 128),
            highest: uint128(words[entry + 3])
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
    function reading(uint256[] memory words, uint256 entry)
        internal
        pure
        returns (address feed_, uint256 maxAge, uint256 scale)
    {
        unchecked {
            uint256 second = words.get(entry + 1);
            return (address(uint160(second >> 96)), uint32(second >> 16), words.get(entry + 2) >> 128);
        }
    }

    /// @notice `value` where it lies in the entry's band, else 0.
    function banded(uint256[] memory words, uint256 entry, uint256 value) internal pure returns (uint256) {
        unchecked {
            uint256 band = words.get(entry + 3);
            return value < band >> 128 || value > uint128(band) ? 0 : value;
        }
    }

    /// @notice The Chainlink proxy; of a peg the other token.
    function feed(uint256[] memory words, uint256 entry) internal pure returns (address) {
        unchecked {
            return address(uint160(words.get(entry + 1) >> 96));
        }
    }

    /// @notice A `Quote` as a number.
    function quote(uint256[] memory words, uint256 entry) internal pure returns (uint256) {
        unchecked {
            return uint8(words.get(entry + 1));
        }
    }

    /// @notice Of a peg, 18 decimals.
    function ratio(uint256[] memory words, uint256 entry) internal pure returns (uint256) {
        unchecked {
            return uint128(words.get(entry + 2));
        }
    }

    /// @notice Sets the band in memory: the least and the most that counts, of a peg in USD, else in the quote's currency; 18
    /// decimals. `highest` is at most the absurdity bound.
    function setBand(uint256[] memory words, uint256 entry, uint128 lowest, uint128 highest) internal pure {
        words[entry + 3] = (uint256(lowest) << 128) | highest;
    }
}
