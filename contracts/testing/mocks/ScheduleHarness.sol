// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {ExecutionDay, Schedule} from "../../libraries/Schedule.sol";

/// @title ScheduleHarness
/// @notice For tests: the library `Schedule` from outside, for many periods or times in one call.
contract ScheduleHarness {
    function periodsAt(uint256[] calldata times, uint256 noticeDays) external pure returns (uint256[] memory list) {
        list = new uint256[](times.length);
        for (uint256 i; i < times.length; ++i) {
            list[i] = Schedule.periodAt(times[i], noticeDays);
        }
    }

    function periodStarts(uint256 first, uint256 n, uint256 noticeDays) external pure returns (uint256[] memory list) {
        list = new uint256[](n);
        for (uint256 i; i < n; ++i) {
            list[i] = Schedule.periodStart(first + i, noticeDays);
        }
    }

    function executionTimes(uint256 first, uint256 n, ExecutionDay day, uint256 fixedDay)
        external
        pure
        returns (uint256[] memory list)
    {
        list = new uint256[](n);
        for (uint256 i; i < n; ++i) {
            list[i] = Schedule.executionTime(first + i, day, fixedDay);
        }
    }
}
