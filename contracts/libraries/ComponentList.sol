// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Words} from "./Words.sol";

/// @notice One line of an index token's list.
/// @param token The ERC-20.
/// @param decimals The token's decimals, 0 to 27, read once when it was listed.
/// @param suspendedUntil It is suspended before this time: held, paid by redeem, neither traded nor weighed, and nobody
/// mints.
/// 0: it never was; the largest number: until the owner ends it.
/// @param writtenOff Declared worthless for good: mint and redeem leave it out, and the next start takes it off the
/// list.
struct Component {
    address token;
    uint8 decimals;
    uint40 suspendedUntil;
    bool writtenOff;
}

/// @title ComponentList
/// @notice Packs components into words: token (160 bits, high), suspended until (40, from bit 16), decimals (8),
/// written off (8). The entries ascend by token address, so that two lists merge in one pass and a duplicate cannot
/// hide.
library ComponentList {
    /// @notice The tokens do not ascend strictly at position `index`.
    error NotAscending(uint256 index);

    /// @dev The bits that are zero in every component that was never suspended and is not written off.
    uint256 private constant STATE = (uint256(type(uint40).max) << 16) | type(uint8).max;

    /// @notice Writes `list` as contract code and returns its address. Reverts unless the tokens ascend strictly.
    function write(Component[] memory list) internal returns (address pointer) {
        uint256[] memory words = new uint256[](list.length);
        address previous;
        for (uint256 i; i < list.length; ++i) {
            Component memory entry = list[i];
            require(entry.token > previous, NotAscending(i));
            previous = entry.token;
            words[i] = pack(entry);
        }
        return Words.write(words);
    }

    /// @notice An entry as a word.
    function pack(Component memory entry) internal pure returns (uint256) {
        return (uint256(uint160(entry.token)) << 96) | (uint256(entry.suspendedUntil) << 16)
            | (uint256(entry.decimals) << 8) | (entry.writtenOff ? 1 : 0);
    }

    /// @notice Token of a packed entry.
    function token(uint256 word) internal pure returns (address) {
        return address(uint160(word >> 96));
    }

    /// @notice Decimals of a packed entry.
    function decimals(uint256 word) internal pure returns (uint8) {
        return uint8(word >> 8);
    }

    /// @notice False where an entry was never suspended and is not written off: the cheap question before the next two.
    function marked(uint256 word) internal pure returns (bool) {
        return word & STATE != 0;
    }

    /// @notice Whether a packed entry is suspended now.
    function suspended(uint256 word) internal view returns (bool) {
        return block.timestamp < suspendedUntil(word) && !writtenOff(word);
    }

    /// @notice Whether a packed entry is suspended now or written off.
    function inactive(uint256 word) internal view returns (bool) {
        return block.timestamp < suspendedUntil(word) || writtenOff(word);
    }

    /// @notice Time before which a packed entry is suspended, unless it is written off.
    function suspendedUntil(uint256 word) internal pure returns (uint40) {
        return uint40(word >> 16);
    }

    /// @notice Whether a packed entry is written off.
    function writtenOff(uint256 word) internal pure returns (bool) {
        return uint8(word) != 0;
    }

    /// @notice A packed entry with another state.
    function withState(uint256 word, uint40 suspendedUntil_, bool writtenOff_) internal pure returns (uint256) {
        return (word & ~STATE) | (uint256(suspendedUntil_) << 16) | (writtenOff_ ? 1 : 0);
    }

    /// @notice All entries of a packed list.
    function unpack(uint256[] memory words) internal pure returns (Component[] memory list) {
        list = new Component[](words.length);
        for (uint256 i; i < words.length; ++i) {
            uint256 word = words[i];
            list[i] = Component(token(word), decimals(word), suspendedUntil(word), writtenOff(word));
        }
    }
}
