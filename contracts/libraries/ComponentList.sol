// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Words} from "./Words.sol";

/// @notice One line of an index token's list.
/// @param token The ERC-20.
/// @param decimals The token's decimals, 0 to 27, read once when it was listed.
/// @param retired True once the owner has taken it out of mint, NAV and trading; redeem still pays it.
struct Component {
    address token;
    uint8 decimals;
    bool retired;
}

/// @title ComponentList
/// @notice Packs components into words: token (160 bits, high), decimals (8), retired (8). The entries ascend by token
/// address, so that two lists merge in one pass and a duplicate cannot hide.
library ComponentList {
    /// @notice The tokens do not ascend strictly at position `index`.
    error NotAscending(uint256 index);

    /// @notice Writes `list` as contract code and returns its address. Reverts unless the tokens ascend strictly.
    function write(Component[] memory list) internal returns (address pointer) {
        uint256[] memory words = new uint256[](list.length);
        address previous;
        for (uint256 i; i < list.length; ++i) {
            Component memory entry = list[i];
            require(entry.token > previous, NotAscending(i));
            previous = entry.token;
            words[i] = pack(entry.token, entry.decimals, entry.retired);
        }
        return Words.write(words);
    }

    /// @notice An entry as a word.
    function pack(address token_, uint8 decimals_, bool retired_) internal pure returns (uint256) {
        return (uint256(uint160(token_)) << 96) | (uint256(decimals_) << 8) | (retired_ ? 1 : 0);
    }

    /// @notice Token of a packed entry.
    function token(uint256 word) internal pure returns (address) {
        return address(uint160(word >> 96));
    }

    /// @notice Decimals of a packed entry.
    function decimals(uint256 word) internal pure returns (uint8) {
        return uint8(word >> 8);
    }

    /// @notice Whether a packed entry is retired.
    function retired(uint256 word) internal pure returns (bool) {
        return uint8(word) != 0;
    }

    /// @notice All entries of a packed list.
    function unpack(uint256[] memory words) internal pure returns (Component[] memory list) {
        list = new Component[](words.length);
        for (uint256 i; i < words.length; ++i) {
            list[i] = Component(token(words[i]), decimals(words[i]), retired(words[i]));
        }
    }
}
