// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Words} from "./Words.sol";

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
/// @dev An *entry* is where a source's four words begin in memory, 0 for none. Looking up and reading are in assembly,
/// because both are done for every token of a batch.
library Sources {
    using Words for uint256[];

    uint256 private constant WORDS = 4;

    /// @notice Most sources that fit into a contract's code.
    uint256 internal constant MOST = 191; // {sources} = 24575 {bytes} / 128 {bytes}

    /* LOOKING UP */

    /// @notice A token's entry, 0 where it has none, and where a look-up of a higher token may go on, so that ascending
    /// look-ups cost one pass. Any other goes back to the first entry.
    /// @param from 0, or a `next` that `find` gave for this list.
    function find(uint256[] memory words, address token, uint256 from)
        internal
        pure
        returns (uint256 entry, uint256 next)
    {
        assembly ("memory-safe") {
            let key := shr(96, shl(96, token))
            let first := add(words, 32)
            let end := add(first, shl(5, mload(words)))
            next := first
            // All entries before `from` must lie below `token`; what stands before the first one does not matter.
            if from { if lt(mload(sub(from, 128)), key) { next := from } }
            for {} and(lt(next, end), lt(mload(next), key)) { next := add(next, 128) } {}
            if and(lt(next, end), eq(mload(next), key)) {
                entry := next
                next := add(next, 128)
            }
        }
    }

    /// @notice The source of `token` in a packed list. An empty one where there is none.
    function get(uint256[] memory words, address token) internal pure returns (Source memory source) {
        (uint256 entry,) = find(words, token, 0);
        if (entry == 0) return source;
        return Source({
            feed: feed(entry),
            maxAge: uint32(maxAge(entry)),
            decimals: uint8(_second(entry) >> 8),
            quote: Quote(quote(entry)),
            ratio: uint128(ratio(entry)),
            lowest: uint128(lowest(entry)),
            highest: uint128(highest(entry))
        });
    }

    /// @notice Whether there is room for the source of `token`.
    function fits(uint256[] memory words, address token) internal pure returns (bool) {
        (uint256 entry,) = find(words, token, 0);
        return entry != 0 || words.length < MOST * WORDS;
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
    function reading(uint256 entry) internal pure returns (address feed_, uint256 maxAge_, uint256 scale) {
        assembly ("memory-safe") {
            feed_ := mload(add(entry, 32))
            maxAge_ := and(shr(16, feed_), 0xffffffff)
            feed_ := shr(96, feed_)
            scale := shr(128, mload(add(entry, 64)))
        }
    }

    /// @notice `value` where it lies in the entry's band, else 0.
    function banded(uint256 entry, uint256 value) internal pure returns (uint256 inside) {
        assembly ("memory-safe") {
            let band := mload(add(entry, 96))
            let outside := or(lt(value, shr(128, band)), gt(value, and(band, 0xffffffffffffffffffffffffffffffff)))
            inside := mul(value, iszero(outside))
        }
    }

    /// @notice The Chainlink proxy; of a peg the other token.
    function feed(uint256 entry) internal pure returns (address) {
        return address(uint160(_second(entry) >> 96));
    }

    /// @notice Oldest answer that counts, in seconds.
    function maxAge(uint256 entry) internal pure returns (uint256) {
        return uint32(_second(entry) >> 16);
    }

    /// @notice A `Quote` as a number.
    function quote(uint256 entry) internal pure returns (uint256) {
        return uint8(_second(entry));
    }

    /// @notice Of a peg, 18 decimals.
    function ratio(uint256 entry) internal pure returns (uint256) {
        return uint128(_third(entry));
    }

    /// @notice Least that counts: of a peg in USD, else in the quote's currency; 18 decimals.
    function lowest(uint256 entry) internal pure returns (uint256) {
        return _fourth(entry) >> 128;
    }

    /// @notice Most that counts, as `lowest`.
    function highest(uint256 entry) internal pure returns (uint256) {
        return uint128(_fourth(entry));
    }

    /// @notice Sets the band in memory. At most 128 bits each, `highest` at most the absurdity bound.
    function setBand(uint256 entry, uint128 lowest_, uint128 highest_) internal pure {
        assembly ("memory-safe") {
            mstore(add(entry, 96), or(shl(128, lowest_), highest_))
        }
    }

    function _second(uint256 entry) private pure returns (uint256 word) {
        assembly ("memory-safe") {
            word := mload(add(entry, 32))
        }
    }

    function _third(uint256 entry) private pure returns (uint256 word) {
        assembly ("memory-safe") {
            word := mload(add(entry, 64))
        }
    }

    function _fourth(uint256 entry) private pure returns (uint256 word) {
        assembly ("memory-safe") {
            word := mload(add(entry, 96))
        }
    }
}
