// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {LibBit} from "solady/src/utils/LibBit.sol";
import {SSTORE2} from "solady/src/utils/SSTORE2.sol";

import {Side, Target} from "../interfaces/IRebalancer.sol";

/// @title Targets
/// @notice Packs the targets that start fixes into 21 bytes each, kept as contract code: side (2 bits, high), the price's shift
/// (7), the price's leading 39 bits, unit (120). Every byte costs 200 gas.
/// @dev The price at start is what progress is measured in, and nothing is paid by it: rounded down by less than 2**-38 of
/// itself it serves as well, for everybody alike.
library Targets {
    uint256 private constant SIZE = 21;
    uint256 private constant UNUSED = 88; // bits of a word
    uint256 private constant PRICE_BITS = 39;

    /* LISTS */

    /// @notice Room for `n` targets, to be `put` in order.
    function room(uint256 n) internal pure returns (bytes memory list) {
        list = new bytes(n * SIZE + 32);
        assembly ("memory-safe") {
            mstore(list, mul(n, SIZE))
        }
    }

    /// @notice Puts target `i`, below the number that there is room for. What stood behind it is overwritten.
    /// @param unit_ Below 2**120. @param price_ USD with 18 decimals, below 2**100.
    function put(bytes memory list, uint256 i, Side side_, uint256 unit_, uint256 price_) internal pure {
        unchecked {
            uint256 shift = price_ >> PRICE_BITS == 0 ? 0 : LibBit.fls(price_) + 1 - PRICE_BITS;
            uint256 word = (uint256(side_) << 166) | (shift << 159) | ((price_ >> shift) << 120) | unit_;
            assembly ("memory-safe") {
                mstore(add(add(list, 32), mul(i, SIZE)), shl(UNUSED, word))
            }
        }
    }

    /// @notice Writes the list and returns where.
    function write(bytes memory list) internal returns (address) {
        return SSTORE2.write(list);
    }

    /// @notice Reads a list.
    function read(address pointer) internal view returns (bytes memory) {
        return SSTORE2.read(pointer);
    }

    /// @notice How many targets a list has.
    function count(bytes memory list) internal pure returns (uint256) {
        return list.length / SIZE;
    }

    /// @notice Target `i` as a word; the caller knows that it is below `count`.
    function at(bytes memory list, uint256 i) internal pure returns (uint256 word) {
        assembly ("memory-safe") {
            word := shr(UNUSED, mload(add(add(list, 32), mul(i, SIZE))))
        }
    }

    /// @notice All targets of a list.
    function unpack(bytes memory list) internal pure returns (Target[] memory targets) {
        uint256 n = count(list);
        targets = new Target[](n);
        for (uint256 i; i < n; ++i) {
            uint256 word = at(list, i);
            targets[i] = Target(side(word), unit(word), price(word));
        }
    }

    /* WORDS */

    /// @notice Side of a target's word.
    function side(uint256 word) internal pure returns (Side) {
        return Side(word >> 166);
    }

    /// @notice Unit of a target's word.
    function unit(uint256 word) internal pure returns (uint120) {
        return uint120(word);
    }

    /// @notice Price of a target's word, USD with 18 decimals, rounded down to its 39 leading bits.
    function price(uint256 word) internal pure returns (uint128) {
        return uint128((word >> 120 & ((1 << PRICE_BITS) - 1)) << (word >> 159 & 127));
    }
}
