// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Timetable} from "../interfaces/IRebalancer.sol";
import {Schedule} from "./Schedule.sol";

/// @title Periods
/// @notice Periods of one timetable, see PERIODS in `ICalendar`. Times are not before it begins.
library Periods {
    uint256 internal constant LEAST_MONTH = 28 days;
    uint256 private constant LEAST_QUARTER = 89 days; // February to April

    /// @notice Whether the periods are calendar months: 1 or 3 of them.
    function isCalendar(Timetable memory t) internal pure returns (bool) {
        return t.length == 1 || t.length == 3;
    }

    /// @notice The calendar month (see `Schedule`) that its first period of calendar months begins with; 0 if they are
    /// none. The figures below take it as `base`, so that whoever needs several finds it once.
    function firstMonth(Timetable memory t) internal pure returns (uint256) {
        return isCalendar(t) ? Schedule.monthAt(uint256(t.begins) + t.notice) : 0;
    }

    /// @notice Id of the period at `time`.
    function idAt(Timetable memory t, uint256 base, uint256 time) internal pure returns (uint256) {
        if (base == 0) return t.first + (time - t.begins) / t.length;
        return t.first + (Schedule.monthAt(time + t.notice) - base) / t.length;
    }

    /// @notice First second of a period.
    function startOf(Timetable memory t, uint256 base, uint256 id) internal pure returns (uint256) {
        if (id == t.first) return t.begins;
        if (base == 0) return t.begins + (id - t.first) * t.length;
        return Schedule.monthStart(_monthOf(t, base, id)) - t.notice;
    }

    /// @notice First second at which a period may be started, but for `minNotice`.
    function executionOf(Timetable memory t, uint256 base, uint256 id) internal pure returns (uint256) {
        if (base == 0) return startOf(t, base, id) + t.notice;
        return Schedule.executionTime(_monthOf(t, base, id), t.day, t.fixedDay);
    }

    /// @notice Seconds that each period lasts at least, but for the first of calendar months.
    function leastLength(Timetable memory t) internal pure returns (uint256) {
        if (!isCalendar(t)) return t.length;
        return t.length == 1 ? LEAST_MONTH : LEAST_QUARTER;
    }

    /// @notice Seconds of the first period.
    function firstLength(Timetable memory t) internal pure returns (uint256) {
        return startOf(t, firstMonth(t), uint256(t.first) + 1) - t.begins;
    }

    /// @dev First calendar month of a period of calendar months.
    function _monthOf(Timetable memory t, uint256 base, uint256 id) private pure returns (uint256) {
        return base + (id - t.first) * t.length;
    }
}
