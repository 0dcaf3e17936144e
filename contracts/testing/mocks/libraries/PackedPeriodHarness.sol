// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Period} from "../../../interfaces/ICalendar.sol";
import {PackedPeriod} from "../../../libraries/PackedPeriod.sol";

/// @title PackedPeriodHarness
/// @notice For tests: `PackedPeriod`.
contract PackedPeriodHarness {
    function pack(Period calldata period) external pure returns (uint256) {
        return PackedPeriod.pack(period);
    }

    function id(uint256 word) external pure returns (uint24) {
        return PackedPeriod.id(word);
    }

    function end(uint256 word) external pure returns (uint40) {
        return PackedPeriod.end(word);
    }

    function execution(uint256 word) external pure returns (uint256) {
        return PackedPeriod.execution(word);
    }

    function minNotice(uint256 word) external pure returns (uint256) {
        return PackedPeriod.minNotice(word);
    }

    function minTrading(uint256 word) external pure returns (uint256) {
        return PackedPeriod.minTrading(word);
    }
}
