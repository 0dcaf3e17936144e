// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Limits, Timetable} from "./IRebalancer.sol";

/// @notice A period of the index. Times are Unix seconds.
/// @param id Periods are numbered consecutively, whatever the timetable becomes.
/// @param start First second. @param end First second of the next period.
/// @param execution First second of its execution day, or the end of its notice where it is so many seconds long.
/// @param minNotice Least seconds between determination and start.
/// @param minTrading Least seconds that must be left of the period at start.
struct Period {
    uint256 id;
    uint256 start;
    uint256 end;
    uint256 execution;
    uint256 minNotice;
    uint256 minTrading;
}

/// @title ICalendar
/// @notice When a period begins and ends, and what an owner may set for it. Stateless: one deployment serves every
/// fund. A contract of its own because a rebalancer with it inside would be too large.
///
/// PERIODS. A timetable counts from `first` at `begins`. A period of so many seconds is the time t with
/// (t - begins) / length as its number; one of calendar months is the month, or the three, of t + notice, and a
/// quarter's three begin with the month that its timetable begins with. So each moment lies in exactly one period; a
/// missed one needs no catching up, and none can run twice.
///
/// CHANGES. Another timetable begins once the current period has had its length, with the next id; until then the
/// current period stays the current one, under the rules that it began with. So ids never fall, and no change cuts a
/// period short. Only the first period of calendar months may be short of them, if the change comes between two.
///
/// SCALE. A loss budget and a step are for a period. The most that they may be is that of a month for periods of a
/// month (30 days) or more; for a shorter one the same part of it as of the month, also for the first of calendar
/// months that is short of them by more than 28 days allow, and while a change is ahead for the shorter of both. So a
/// month of short periods gives nobody more than a month. Periods of less than a day are possible on test chains only,
/// and keep a month's.
interface ICalendar {
    /// @notice The period at `time`.
    /// @param former In effect before `timetable` begins; not read if `time` is not before it.
    function period(Timetable calldata former, Timetable calldata timetable, uint256 time)
        external
        pure
        returns (Period memory);

    /// @notice The period at this block's time, in one word (see `PackedPeriod`), for a fund to keep.
    /// @param former As for `period`.
    function current(Timetable calldata former, Timetable calldata timetable) external view returns (uint256);

    /// @notice What follows from setting `wish` at this block.
    /// @param former In effect before `timetable` begins. @param timetable The last one set; length 0: none yet.
    /// @param wish `begins`: 0 for the end of the current period or, where that has passed, now; for calendar months
    /// whichever is nearer to that, the begin of the month under way, then cut short, or of the next. Of a fund's first
    /// timetable it is not after now, and rounded down to where its first calendar month's period begins. `first` is
    /// not read.
    /// @param limits Those in effect, which must fit the new periods too.
    /// @return inEffect The timetable until `next` begins. @return next `wish` with `begins` and `first` filled in.
    /// Reverts with `IRebalancer.LimitOutOfBounds(field)` for the first field outside its bounds.
    function change(
        Timetable calldata former,
        Timetable calldata timetable,
        Timetable calldata wish,
        Limits calldata limits
    ) external view returns (Timetable memory inEffect, Timetable memory next);

    /// @notice Reverts with `IRebalancer.LimitOutOfBounds(field)` for the first limit outside its bounds for periods of
    /// these timetables.
    function check(Limits calldata limits, uint256 band, Timetable calldata former, Timetable calldata timetable)
        external
        view;
}
