// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {DateTimeLib} from "solady/src/utils/DateTimeLib.sol";

/// @notice The day on which the trading of a period of calendar months may begin.
/// FirstBusinessDay: Monday to Friday, in the period's first month. LastDay: the last day of the month before it.
/// FixedDay: a stated day of the period's first month.
enum ExecutionDay {
    FirstBusinessDay,
    LastDay,
    FixedDay
}

/// @title Schedule
/// @notice Calendar months, counted as year * 12 + month - 1 (UTC), and their execution days.
/// @dev Holidays are not known on chain: a business day is any Monday to Friday.
library Schedule {
    uint256 internal constant DAY = 1 days;

    /// @notice The calendar month at `time`.
    function monthAt(uint256 time) internal pure returns (uint256) {
        (uint256 year, uint256 month,) = DateTimeLib.timestampToDate(time);
        return year * 12 + month - 1;
    }

    /// @notice First second (00:00 UTC) of a calendar month.
    function monthStart(uint256 month) internal pure returns (uint256) {
        return DateTimeLib.dateToTimestamp(month / 12, month % 12 + 1, 1);
    }

    /// @notice First second of the execution day. `fixedDay` (1 to 28) is read for FixedDay only.
    /// @param month The period's first calendar month.
    function executionTime(uint256 month, ExecutionDay kind, uint256 fixedDay) internal pure returns (uint256 time) {
        time = monthStart(month);
        if (kind == ExecutionDay.LastDay) return time - DAY;
        if (kind == ExecutionDay.FixedDay) return time + (fixedDay - 1) * DAY;
        uint256 weekday = DateTimeLib.weekday(time); // 1 Monday to 7 Sunday
        if (weekday > 5) time += (8 - weekday) * DAY;
    }
}
