// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/// @notice What a token's source gives.
/// Usd: a TOKEN/USD feed. Eth: a TOKEN/ETH feed, times ETH/USD. Pegged: another token's price times a fixed ratio, for a
/// token that is exchanged for that one at this ratio.
enum Quote {
    Usd,
    Eth,
    Pegged
}

/// @notice Where a token's price comes from, see `Feed`. `decimals` are the feed's.
struct Source {
    address feed;
    uint32 maxAge;
    uint8 decimals;
    Quote quote;
    uint128 ratio;
}

/// @title Sources
/// @notice Packs price sources as contract code, ascending by token, three words each: token (160 bits); feed (160, high),
/// max age (32), decimals (8), quote (8); ratio. A batch reads them all for the price of one cold account.
library Sources {
    uint256 private constant WORDS = 3;

    /// @notice The source of `token` in a packed list, and its position: the search begins at `from` and wraps around, so
    /// that ascending look-ups cost one pass. An empty source where there is none.
    function find(uint256[] memory words, address token, uint256 from)
        internal
        pure
        returns (Source memory source, uint256 at)
    {
        uint256 n = words.length / WORDS;
        at = from;
        for (uint256 k; k < n; ++k) {
            if (at >= n) at = 0;
            if (words[at * WORDS] == uint160(token)) {
                uint256 word = words[at * WORDS + 1];
                source.feed = address(uint160(word >> 96));
                source.maxAge = uint32(word >> 16);
                source.decimals = uint8(word >> 8);
                source.quote = Quote(uint8(word));
                source.ratio = uint128(words[at * WORDS + 2]);
                return (source, at);
            }
            ++at;
        }
        return (source, from);
    }

    /// @notice The list with the source of `token` put in or replaced.
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
        list[at + 2] = source.ratio;
        for (uint256 i = at + WORDS; i < list.length; ++i) {
            list[i] = words[replaces ? i : i - WORDS];
        }
    }
}
