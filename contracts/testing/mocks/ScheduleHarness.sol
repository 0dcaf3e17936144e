// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {ICalendar, Period} from "../../interfaces/ICalendar.sol";
import {Timetable} from "../../interfaces/IRebalancer.sol";
import {ExecutionDay, Schedule} from "../../libraries/Schedule.sol";

/// @title ScheduleHarness
/// @notice For tests: `Schedule` and the calendar for many months or times in one call.
contract ScheduleHarness {
    function monthsAt(uint256[] calldata times) external pure returns (uint256[] memory list) {
        list = new uint256[](times.length);
        for (uint256 i; i < times.length; ++i) {
            list[i] = Schedule.monthAt(times[i]);
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

    function periods(ICalendar calendar, Timetable calldata former, Timetable calldata timetable, uint256[] calldata at)
        external
        view
        returns (Period[] memory list)
    {
        list = new Period[](at.length);
        for (uint256 i; i < at.length; ++i) {
            list[i] = calendar.period(former, timetable, at[i]);
        }
    }
}
