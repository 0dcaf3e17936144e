// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {DateTimeLib} from "solady/src/utils/DateTimeLib.sol";

/// @notice The day on which a period's trading may begin.
/// FirstBusinessDay: Monday to Friday, in the period's month. LastDay: the last day of the month before it.
/// FixedDay: a stated day of the period's month.
enum ExecutionDay {
    FirstBusinessDay,
    LastDay,
    FixedDay
}

/// @title Schedule
/// @notice Periods of the index. A period is a calendar month, counted as year * 12 + month - 1 (UTC). The period at
/// time t is the month of t + notice days: each moment lies in exactly one period, so a missed month needs no catching
/// up and none can run twice.
/// @dev Holidays are not known on chain: a business day is any Monday to Friday.
library Schedule {
    uint256 internal constant DAY = 1 days;

    /// @notice Period at `time`.
    function periodAt(uint256 time, uint256 noticeDays) internal pure returns (uint256) {
        (uint256 year, uint256 month,) = DateTimeLib.timestampToDate(time + noticeDays * DAY);
        return year * 12 + month - 1;
    }

    /// @notice First second of the period.
    function periodStart(uint256 period, uint256 noticeDays) internal pure returns (uint256) {
        return monthStart(period) - noticeDays * DAY;
    }

    /// @notice First second (00:00 UTC) of the calendar month that the period is named after.
    function monthStart(uint256 period) internal pure returns (uint256) {
        return DateTimeLib.dateToTimestamp(period / 12, period % 12 + 1, 1);
    }

    /// @notice First second of the period's execution day. `fixedDay` (1 to 28) is read for FixedDay only.
    function executionTime(uint256 period, ExecutionDay kind, uint256 fixedDay) internal pure returns (uint256 time) {
        time = monthStart(period);
        if (kind == ExecutionDay.LastDay) return time - DAY;
        if (kind == ExecutionDay.FixedDay) return time + (fixedDay - 1) * DAY;
        uint256 weekday = DateTimeLib.weekday(time); // 1 Monday to 7 Sunday
        if (weekday > 5) time += (8 - weekday) * DAY;
    }
}
