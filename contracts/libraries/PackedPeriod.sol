// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";

import {Period} from "../interfaces/ICalendar.sol";

/// @title PackedPeriod
/// @notice What a rebalancer asks of a period, in one word: id (24 bits), end (40), execution (40), minNotice (32),
/// minTrading (32), the lowest first; see `Period`. 0 is none: one that is always over.
library PackedPeriod {
    using SafeCast for uint256;

    function pack(Period memory p) internal pure returns (uint256) {
        return p.id.toUint24() | uint256(p.end.toUint40()) << 24 | uint256(p.execution.toUint40()) << 64
            | uint256(p.minNotice.toUint32()) << 104 | uint256(p.minTrading.toUint32()) << 136;
    }

    function id(uint256 word) internal pure returns (uint24) {
        return uint24(word);
    }

    function end(uint256 word) internal pure returns (uint40) {
        return uint40(word >> 24);
    }

    function execution(uint256 word) internal pure returns (uint256) {
        return uint40(word >> 64);
    }

    function minNotice(uint256 word) internal pure returns (uint256) {
        return uint32(word >> 104);
    }

    function minTrading(uint256 word) internal pure returns (uint256) {
        return uint32(word >> 136);
    }
}
