// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {LibBit} from "solady/src/utils/LibBit.sol";
import {LibBytes} from "solady/src/utils/LibBytes.sol";
import {SSTORE2} from "solady/src/utils/SSTORE2.sol";

import {Side, Target} from "../interfaces/IRebalancer.sol";

/// @title Targets
/// @notice Packs the targets that start fixes, kept as contract code, of which every byte costs 200 gas. First one
/// byte: how many bytes the units take this month; then for each target side (2 bits, high), a shift in steps of 4 bits
/// (5), the price's leading 22 to 25 bits, and the unit.
/// @dev The price at start is what progress is measured in (and by that lambda, and a batch's part of the loss budget);
/// whether a batch pays enough is not: rounded down by less than 2**-21 of itself it serves as well, and for everybody
/// alike. What that leaves of a month's turnover is below any dust.
library Targets {
    using LibBytes for bytes;

    uint256 private constant PRICE_BITS = 25;
    /// @dev Bytes of a target without its unit.
    uint256 private constant HEAD = 4;

    /* LISTS */

    /// @notice Room for `n` targets, to be `put` in order.
    /// @param widest At least as large as every unit, of Domain.TARGET_BITS.
    function room(uint256 n, uint256 widest) internal pure returns (bytes memory list) {
        uint256 width = widest == 0 ? 1 : LibBit.fls(widest) / 8 + 1;
        uint256 length = 1 + n * (HEAD + width);
        list = new bytes(length + 32);
        // The room behind is for what `put` writes beyond the last target.
        list.truncate(length);
        list[0] = bytes1(uint8(width));
    }

    /// @notice Puts target `i`, below the number that there is room for. What stands behind it is overwritten.
    /// @param unit_ At most the widest. @param price_ USD with 18 decimals, below 2**128.
    function put(bytes memory list, uint256 i, Side side_, uint256 unit_, uint256 price_) internal pure {
        uint256 width = _width(list);
        unchecked {
            // A unit of Domain.TARGET_BITS takes at most 16 bytes, its target at most 20.
            // {4 bits}: so many that what is left has at most PRICE_BITS.
            uint256 shift = price_ >> PRICE_BITS == 0 ? 0 : (LibBit.fls(price_) + 4 - PRICE_BITS) >> 2;
            uint256 head = (uint256(side_) << 30) | (shift << PRICE_BITS) | (price_ >> (shift << 2));
            uint256 size = HEAD + width;
            uint256 word = ((head << (8 * width)) | unit_) << (256 - 8 * size);
            // Saves a loop over the target's bytes, of which each would cost as much as this write.
            assembly ("memory-safe") {
                mstore(add(add(list, 33), mul(i, size)), word)
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
        return (list.length - 1) / (HEAD + _width(list));
    }

    /// @notice Target `i`; the caller knows that it is below `count`. The side is a number, since Solidity checks an
    /// enum wherever it is looked at. The price is rounded down, see above.
    function at(bytes memory list, uint256 i) internal pure returns (uint256 side, uint256 unit, uint256 price) {
        uint256 width = _width(list);
        unchecked {
            // A position in memory; widths are at most 16 bytes.
            uint256 size = HEAD + width;
            uint256 word = uint256(list.load(1 + i * size));
            side = word >> 254;
            price = (word << 7 >> (256 - PRICE_BITS)) << (word << 2 >> 251 << 2);
            unit = word << (8 * HEAD) >> (256 - 8 * width);
        }
    }

    /// @notice All targets of a list.
    function unpack(bytes memory list) internal pure returns (Target[] memory targets) {
        uint256 n = count(list);
        targets = new Target[](n);
        for (uint256 i; i < n; ++i) {
            (uint256 side, uint256 unit, uint256 price) = at(list, i);
            targets[i] = Target(Side(side), uint120(unit), uint128(price));
        }
    }

    /// @dev Bytes that a unit takes.
    function _width(bytes memory list) private pure returns (uint256) {
        return uint8(bytes1(list.load(0)));
    }
}
