// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Side, Target} from "../../../contracts/interfaces/IRebalancer.sol";
import {vm} from "../../../lab/fuzz/Vm.sol";
import {Test} from "../Test.sol";

interface IPacked {
    function targets(Target[] calldata before, Target[] calldata list, uint256 widest)
        external
        pure
        returns (bytes memory packed, Target[] memory found, Target[] memory unpacked, uint256 behind);
}

/// @title TargetsTest
/// @notice A month's targets as bytes: the width of the units, then for each target side (2 bits), shift (5), leading
/// bits of the price (25) and unit.
contract TargetsTest is Test {
    IPacked private _packed;

    function setUp() external {
        _packed = IPacked(deploy("PackedHarness", ""));
    }

    /// @dev Packs a list over another one: returns the bytes after what is to be checked of every list.
    function _pack(Target[] memory list, uint256 widest) private view returns (bytes memory) {
        Target[] memory before = new Target[](list.length);
        for (uint256 i; i < list.length; ++i) {
            before[i] = Target(Side.Buy, uint120(widest), type(uint128).max);
        }
        (bytes memory packed, Target[] memory found, Target[] memory unpacked, uint256 behind) =
            _packed.targets(before, list, widest);
        equal(abi.encode(found), abi.encode(unpacked), "one by one and all at once");
        equal(behind, type(uint256).max, "what stands behind the room");
        for (uint256 i; i < list.length; ++i) {
            list[i].price = uint128(_leading(list[i].price));
        }
        equal(abi.encode(unpacked), abi.encode(list), "targets");
        return packed;
    }

    /// @dev Steps of four bits that are left out of a price, so that 25 are left.
    function _shift(uint256 price) private pure returns (uint256 steps) {
        while (price / 16 ** steps >= 2 ** 25) ++steps;
    }

    function _leading(uint256 price) private pure returns (uint256) {
        uint256 step = 16 ** _shift(price);
        return price / step * step;
    }

    /// @dev A target's bytes by plain arithmetic, `width` of them for its unit.
    function _bytes(Target memory target, uint256 width) private pure returns (bytes memory all) {
        uint256 shift = _shift(target.price);
        uint256 head = uint256(target.side) * 2 ** 30 + shift * 2 ** 25 + target.price / 16 ** shift;
        all = abi.encodePacked(uint32(head));
        for (uint256 k = width; k > 0; --k) {
            all = bytes.concat(all, bytes1(uint8(target.unit / 256 ** (k - 1))));
        }
    }

    function test_a_list_without_targets_is_one_byte() external view {
        equal(_pack(new Target[](0), 0), hex"01", "of no width");
        equal(_pack(new Target[](0), type(uint120).max), hex"0f", "of the greatest width");
    }

    function test_a_target_by_hand() external view {
        Target[] memory list = new Target[](2);
        list[0] = Target(Side.Buy, 0x1234, 0x1ffffff);
        list[1] = Target(Side.Sell, 0x80, 0x1fffffff);
        // Side 2, no shift, 25 bits of price; side 1, shift 1, and the price without its last four bits.
        equal(_pack(list, 0x1234), hex"0281ffffff123443ffffff0080", "bytes");
    }

    function test_units_take_as_many_bytes_as_the_widest() external view {
        for (uint256 width = 1; width <= 15; ++width) {
            uint256[3] memory widest = [256 ** (width - 1), 256 ** width - 1, 128 * 256 ** (width - 1)];
            for (uint256 k; k < 3; ++k) {
                _checkWidth(uint120(widest[k]), width);
            }
        }
        _checkWidth(0, 1);
    }

    function _checkWidth(uint120 widest, uint256 width) private view {
        Target[] memory list = new Target[](3);
        list[0] = Target(Side.Buy, widest, 7);
        list[1] = Target(Side.Held, widest / 3, type(uint128).max);
        list[2] = Target(Side.Sell, widest, 0);
        bytes memory expected = abi.encodePacked(uint8(width));
        for (uint256 i; i < 3; ++i) {
            expected = bytes.concat(expected, _bytes(list[i], width));
        }
        equal(_pack(list, widest), expected, string.concat("bytes of width ", vm.toString(width)));
    }

    function test_a_price_keeps_its_leading_bits() external view {
        for (uint256 bits; bits <= 128; ++bits) {
            Target[] memory list = new Target[](3);
            list[0] = Target(Side.Sell, 0, uint128(2 ** bits - 1));
            list[1] = Target(Side.Held, 1, uint128(2 ** bits / 2));
            list[2] = Target(Side.Buy, 0, uint128(2 ** bits / 2 + 2 ** bits / 3));
            bytes memory expected = hex"01";
            for (uint256 i; i < 3; ++i) {
                expected = bytes.concat(expected, _bytes(list[i], 1));
            }
            equal(_pack(list, 1), expected, string.concat("bits ", vm.toString(bits)));
        }
    }

    function test_a_full_list() external view {
        Target[] memory list = new Target[](50);
        bytes memory expected = hex"0f";
        for (uint256 i; i < 50; ++i) {
            list[i] = Target(Side(i % 3), uint120(type(uint120).max - i), uint128(3 ** i));
            expected = bytes.concat(expected, _bytes(list[i], 15));
        }
        equal(_pack(list, type(uint120).max), expected, "bytes");
    }
}
