// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Side, Target} from "../interfaces/IRebalancer.sol";
import {Words} from "./Words.sol";

/// @title Targets
/// @notice Packs the targets that start fixes into words kept as contract code: side (8 bits, high), unit (120), price (128).
library Targets {
    /// @notice A target as a word; `unit_` is below 2**120 and `price_` below 2**128.
    function pack(Side side_, uint256 unit_, uint256 price_) internal pure returns (uint256) {
        return (uint256(side_) << 248) | (unit_ << 128) | price_;
    }

    /// @notice Side of a target's word.
    function side(uint256 word) internal pure returns (Side) {
        return Side(uint8(word >> 248));
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
