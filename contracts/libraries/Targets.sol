// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";

import {Constituent, Status} from "../interfaces/IMethodology.sol";
import {Side, Target} from "../interfaces/IRebalancer.sol";
import {Words} from "./Words.sol";

/// @title Targets
/// @notice Packs what a month fixes into words kept as contract code: constituents as token (160, high) and basis (96),
/// then price (128, high), weight (64), status (8) and flags (8); targets as side (8, high), unit (120), price (128).
library Targets {
    using SafeCast for uint256;

    /// @notice Writes constituents and returns where.
    function write(Constituent[] memory list) internal returns (address) {
        uint256[] memory words = new uint256[](2 * list.length);
        for (uint256 i; i < list.length; ++i) {
            Constituent memory c = list[i];
            words[2 * i] = (uint256(uint160(c.token)) << 96) | c.basis;
            words[2 * i + 1] =
                (uint256(c.price) << 128) | (uint256(c.weight) << 64) | (uint256(c.status) << 8) | c.flags;
        }
        return Words.write(words);
    }

    /// @notice Reads constituents; none for the zero address.
    function readConstituents(address pointer) internal view returns (Constituent[] memory list) {
        uint256[] memory words = Words.read(pointer);
        list = new Constituent[](words.length / 2);
        for (uint256 i; i < list.length; ++i) {
            (uint256 word, uint256 more) = (words[2 * i], words[2 * i + 1]);
            list[i] = Constituent({
                token: address(uint160(word >> 96)),
                basis: uint88(word),
                status: Status(uint8(more >> 8)),
                flags: uint8(more),
                price: uint128(more >> 128),
                weight: uint64(more >> 64)
            });
        }
    }

    /// @notice A target as a word.
    function pack(Side side_, uint120 unit_, uint128 price_) internal pure returns (uint256) {
        return (uint256(side_) << 248) | (uint256(unit_) << 128) | price_;
    }

    /// @notice Side of a target's word.
    function side(uint256 word) internal pure returns (Side) {
        return Side(uint8(word >> 248));
    }

    /// @notice As `side`, as a number: Solidity checks an enum wherever it is looked at.
    function sideNumber(uint256 word) internal pure returns (uint256) {
        return word >> 248;
    }

    /// @notice Unit of a target's word.
    function unit(uint256 word) internal pure returns (uint120) {
        return uint120(word >> 128);
    }

    /// @notice Price of a target's word.
    function price(uint256 word) internal pure returns (uint128) {
        return uint128(word);
    }

    /// @notice A target from its word.
    function unpack(uint256 word) internal pure returns (Target memory) {
        return Target(side(word), unit(word), price(word));
    }

    /// @notice Reads all targets.
    function readTargets(address pointer) internal view returns (Target[] memory list) {
        uint256[] memory words = Words.read(pointer);
        list = new Target[](words.length);
        for (uint256 i; i < words.length; ++i) {
            list[i] = unpack(words[i]);
        }
    }
}
