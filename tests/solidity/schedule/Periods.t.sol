// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Period} from "../../../contracts/interfaces/ICalendar.sol";
import {Timetable} from "../../../contracts/interfaces/IRebalancer.sol";
import {ExecutionDay} from "../../../contracts/libraries/Schedule.sol";
import {vm} from "../../../lab/fuzz/Vm.sol";
import {CalendarTest} from "./CalendarTest.sol";

/// @notice Which period a time lies in.
contract PeriodsTest is CalendarTest {
    /* CALENDAR MONTHS */

    function test_a_months_period_begins_its_notice_before_the_month() external view {
        Timetable memory t = monthly();
        Period memory january = Period(7, JANUARY - 7 days, FEBRUARY - 7 days, JANUARY, 1 days, 2 days); // 1 January is a Wednesday
        Period memory february = Period(8, FEBRUARY - 7 days, MARCH - 7 days, FEBRUARY + 2 days, 1 days, 2 days); // the 1st is a Saturday
        Period memory december = Period(18, DECEMBER - 7 days, DECEMBER + 24 days, DECEMBER, 1 days, 2 days);
        _holds(none, t, JANUARY - 7 days, january);
        _holds(none, t, FEBRUARY - 7 days - 1, january);
        _holds(none, t, FEBRUARY - 7 days, february);
        _holds(none, t, MARCH - 7 days - 1, february);
        _holds(none, t, DECEMBER - 7 days, december);
    }

    function test_the_first_period_of_calendar_months_may_be_short() external view {
        Timetable memory t = monthly();
        t.begins = uint40(JANUARY + 5 days);
        _holds(none, t, JANUARY + 5 days, Period(7, t.begins, FEBRUARY - 7 days, JANUARY, 1 days, 2 days));
        Period memory next = Period(8, FEBRUARY - 7 days, MARCH - 7 days, FEBRUARY + 2 days, 1 days, 2 days);
        _holds(none, t, FEBRUARY - 7 days, next);
    }

    function test_a_quarter_is_three_months_from_the_timetables_first() external view {
        Timetable memory t = monthly();
        t.length = 3;
        Period memory first = Period(7, JANUARY - 7 days, APRIL - 7 days, JANUARY, 1 days, 2 days);
        Period memory second = Period(8, APRIL - 7 days, JULY - 7 days, APRIL, 1 days, 2 days);
        Period memory third = Period(9, JULY - 7 days, OCTOBER - 7 days, JULY, 1 days, 2 days);
        _holds(none, t, JANUARY - 7 days, first);
        _holds(none, t, APRIL - 7 days - 1, first);
        _holds(none, t, APRIL - 7 days, second);
        _holds(none, t, JULY - 7 days - 1, second);
        _holds(none, t, JULY - 7 days, third);
        t.begins = uint40(FEBRUARY - 7 days);
        _holds(none, t, MARCH, Period(7, FEBRUARY - 7 days, MAY - 7 days, FEBRUARY + 2 days, 1 days, 2 days));
    }

    function test_the_execution_day_is_the_timetables() external view {
        Timetable memory t = monthly();
        t.day = ExecutionDay.LastDay;
        equal(calendar.period(none, t, FEBRUARY).execution, FEBRUARY - 1 days, "last day");
        (t.day, t.fixedDay) = (ExecutionDay.FixedDay, 15);
        equal(calendar.period(none, t, FEBRUARY).execution, FEBRUARY + 14 days, "the 15th");
    }

    /* SO MANY SECONDS */

    function test_a_period_of_seconds_follows_the_one_before() external view {
        Timetable memory t = seconds_(10 days, MARCH + 1 hours);
        uint256 begins = MARCH + 1 hours;
        for (uint256 i; i < 4; ++i) {
            uint256 start = begins + i * 10 days;
            Period memory expected = Period(7 + i, start, start + 10 days, start + 1 days, 1 days, 0.5 days);
            _holds(none, t, start, expected);
            _holds(none, t, start + 10 days - 1, expected);
        }
    }

    /// @dev Only 1 and 3 are months.
    function test_a_length_of_two_is_two_seconds() external view {
        Timetable memory t = seconds_(2, MARCH);
        _holds(none, t, MARCH + 3, Period(8, MARCH + 2, MARCH + 4, MARCH + 2, 0, 0));
    }

    function test_a_length_of_four_is_four_seconds() external view {
        Timetable memory t = seconds_(4, MARCH);
        _holds(none, t, MARCH + 7, Period(8, MARCH + 4, MARCH + 8, MARCH + 4, 0, 0));
    }

    /* A CHANGE AHEAD */

    /// @dev January's period is the last one before the change, which comes on 1 February.
    function test_the_period_before_a_change_lasts_until_it() external view {
        Timetable memory next = seconds_(10 days, FEBRUARY);
        next.first = 8;
        Period memory last = Period(7, JANUARY - 7 days, FEBRUARY, JANUARY, 1 days, 2 days);
        _holds(monthly(), next, JANUARY - 7 days, last);
        _holds(monthly(), next, FEBRUARY - 7 days - 1, last);
        // February's period would have begun by then.
        _holds(monthly(), next, FEBRUARY - 7 days, last);
        _holds(monthly(), next, FEBRUARY - 1, last);
        _holds(monthly(), next, FEBRUARY, Period(8, FEBRUARY, FEBRUARY + 10 days, FEBRUARY + 1 days, 1 days, 0.5 days));
    }

    function test_a_period_two_before_a_change_ends_as_ever() external view {
        Timetable memory next = seconds_(10 days, MARCH);
        next.first = 9;
        Period memory january = Period(7, JANUARY - 7 days, FEBRUARY - 7 days, JANUARY, 1 days, 2 days);
        Period memory february = Period(8, FEBRUARY - 7 days, MARCH, FEBRUARY + 2 days, 1 days, 2 days);
        _holds(monthly(), next, FEBRUARY - 7 days - 1, january);
        _holds(monthly(), next, FEBRUARY - 7 days, february);
        _holds(monthly(), next, MARCH - 1, february);
    }

    function test_the_ids_go_on_far_past_the_last_period() external view {
        Timetable memory former = seconds_(1 days, MARCH);
        Timetable memory next = monthly();
        (next.begins, next.first) = (uint40(APRIL - 7 days), 8);
        Period memory last = Period(7, MARCH, APRIL - 7 days, MARCH + 0.1 days, 0.1 days, 0.05 days);
        _holds(former, next, APRIL - 8 days, last);
    }

    /* EVERY TIME */

    /// @dev `draw` chooses the kind of timetable.
    function test_each_time_is_in_one_period(uint256 draw, uint32 begin, uint32 after_) external {
        Timetable memory t = seconds_(1 days + draw % 90 days, JANUARY + begin % 365 days);
        if (draw % 3 != 0) (t.length, t.notice) = (draw % 3 == 1 ? 1 : 3, uint32(1 days + draw % 13 days));
        uint256 time = t.begins + after_ % 3000 days;
        Period memory p = calendar.period(none, t, time);
        require(p.start <= time && time < p.end, "the time is in its period");
        Period memory next = calendar.period(none, t, p.end);
        equal(next.id, p.id + 1, "next id");
        equal(next.start, p.end, "next start");
        if (p.id != t.first) equal(calendar.period(none, t, p.start - 1).id, p.id - 1, "id before");
        vm.warp(time);
        equal(calendar.current(none, t), _packed(p), "packed");
    }

    function test_current_is_the_period_at_the_blocks_time() external {
        Timetable memory next = seconds_(10 days, FEBRUARY);
        next.first = 8;
        vm.warp(FEBRUARY - 1);
        equal(calendar.current(monthly(), next), _packed(calendar.period(monthly(), next, FEBRUARY - 1)), "before");
        vm.warp(FEBRUARY);
        equal(calendar.current(monthly(), next), _packed(calendar.period(monthly(), next, FEBRUARY)), "after");
    }

    function _holds(Timetable memory former, Timetable memory t, uint256 time, Period memory expected) private view {
        equal(calendar.period(former, t, time), expected, vm.toString(time));
    }

    function _packed(Period memory p) private pure returns (uint256) {
        return p.id + p.end * 2 ** 24 + p.execution * 2 ** 64 + p.minNotice * 2 ** 104 + p.minTrading * 2 ** 136;
    }
}
