// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IRebalancer, Limits, Timetable} from "../interfaces/IRebalancer.sol";
import {Periods} from "./Periods.sol";
import {ExecutionDay} from "./Schedule.sol";

/// @title Bounds
/// @notice Hard bounds of what an owner can set: not even the timelock can leave them.
library Bounds {
    int256 internal constant MAX_TOLERANCE = 0.1e18;
    uint256 internal constant MAX_BATCH_CAP = 0.1e18;
    /// @dev In a month, as the step; see SCALE in `ICalendar`.
    uint256 internal constant MAX_LOSS_BUDGET = 0.02e18;
    uint256 internal constant MAX_STEP = 1e18;
    uint256 internal constant MAX_BAND = 0.1e18;
    // Below this the roundings of a batch alone could keep a month open.
    uint256 internal constant MIN_DUST = 1e12;
    uint256 internal constant MAX_DUST = 0.001e18;

    uint256 internal constant MONTH = 30 days;
    uint256 internal constant MIN_LENGTH = 1 hours;
    uint256 internal constant MAX_LENGTH = 92 days;
    /// @dev A change cannot put off the next period for longer than the longest period lasts.
    uint256 internal constant MAX_AHEAD = 92 days;
    /// @dev How far back a fund's first timetable may begin.
    uint256 internal constant MAX_BEHIND = 92 days;
    uint256 internal constant MAX_NOTICE = 14 days;
    // Determination and start must rest on different blocks, and holders need time to leave: a day where periods are
    // months, else an hour, or a tenth of a period of less than ten hours.
    uint256 internal constant MIN_NOTICE = 1 days;
    uint256 internal constant MIN_SHORT_NOTICE = 1 hours;

    /// @notice Reverts with `LimitOutOfBounds(field)` for the first field outside its bounds.
    /// @param shortest Seconds of the shortest period that they are for, a month at most.
    function check(Limits memory l, uint256 band, uint256 shortest) internal pure {
        require_(l.lastTolerance >= 0 && l.lastTolerance <= MAX_TOLERANCE, "lastTolerance");
        require_(l.firstTolerance >= -MAX_TOLERANCE && l.firstTolerance <= l.lastTolerance, "firstTolerance");
        require_(l.batchCap != 0 && l.batchCap <= MAX_BATCH_CAP, "batchCap");
        require_(l.maxStep != 0, "maxStep");
        checkScaled(l, shortest);
        require_(l.dust >= MIN_DUST && l.dust <= MAX_DUST, "dust");
        require_(l.coolOff >= 60, "coolOff");
        require_(l.maxIdle >= l.coolOff && l.maxIdle <= 1 days, "maxIdle");
        require_(band <= MAX_BAND, "band");
    }

    /// @notice The part of `check` that depends on the length of a period.
    function checkScaled(Limits memory l, uint256 shortest) internal pure {
        // {1e18} = {1e18} * {s} / {s}, down
        require_(l.lossBudget <= MAX_LOSS_BUDGET * shortest / MONTH, "lossBudget");
        require_(l.maxStep <= MAX_STEP * shortest / MONTH, "maxStep");
    }

    /// @notice Reverts with `LimitOutOfBounds(field)` for the first field outside its bounds, but for `begins`.
    /// @param shortDays Whether periods of less than a day are allowed.
    function check(Timetable memory t, bool shortDays) internal pure {
        uint256 least = Periods.leastLength(t);
        if (Periods.isCalendar(t)) {
            // The execution day and the time to trade after it must lie inside the period, also in February.
            uint256 begin = t.day == ExecutionDay.FixedDay ? t.fixedDay : 3;
            require_(t.notice >= MIN_NOTICE && t.notice <= MAX_NOTICE, "notice");
            require_(t.minNotice >= MIN_NOTICE && t.minNotice <= t.notice, "minNotice");
            bool fits = t.fixedDay != 0 && t.fixedDay <= 28 && t.notice + begin * 1 days < least;
            require_(t.day != ExecutionDay.FixedDay || fits, "fixedDay");
            require_(t.notice + begin * 1 days + t.minTrading <= least, "minTrading");
        } else {
            uint256 shortest = shortDays ? MIN_LENGTH : 1 days;
            require_(t.length >= shortest && t.length <= MAX_LENGTH, "length");
            require_(t.day == ExecutionDay.FirstBusinessDay, "day");
            require_(t.fixedDay == 0, "fixedDay");
            uint256 floor = least / 10 < MIN_SHORT_NOTICE ? least / 10 : MIN_SHORT_NOTICE;
            require_(t.minNotice >= floor && t.minNotice <= t.notice, "minNotice");
        }
        require_(uint256(t.notice) + t.minNotice + t.minTrading < least, "minTrading");
    }

    /// @notice Reverts with `LimitOutOfBounds(name)` unless it holds.
    function require_(bool holds, bytes32 name) internal pure {
        require(holds, IRebalancer.LimitOutOfBounds(name));
    }
}
