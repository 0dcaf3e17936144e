// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Limits, Timetable} from "../../../contracts/interfaces/IRebalancer.sol";
import {ExecutionDay} from "../../../contracts/libraries/Schedule.sol";
import {vm} from "../../../lab/fuzz/Vm.sol";
import {CalendarTest} from "./CalendarTest.sol";

/// @notice What follows from another timetable: when it begins, and with which id.
contract ChangeTest is CalendarTest {
    /* A FUND'S FIRST */

    function test_a_first_timetable_of_seconds_begins_now_with_the_months_number() external {
        vm.warp(JANUARY + 3 days);
        Timetable memory wish = seconds_(10 days, 0);
        _gives(none, none, wish, none, JANUARY + 3 days, JANUARY_ID);
        // From a day before, its notice ends in February.
        vm.warp(FEBRUARY - 1 days);
        _gives(none, none, wish, none, FEBRUARY - 1 days, JANUARY_ID + 1);
        vm.warp(FEBRUARY - 1 days - 1);
        _gives(none, none, wish, none, FEBRUARY - 1 days - 1, JANUARY_ID);
    }

    function test_a_first_timetable_of_months_begins_where_its_months_period_does() external {
        Timetable memory wish = monthly();
        wish.begins = 0;
        vm.warp(FEBRUARY - 7 days);
        _gives(none, none, wish, none, FEBRUARY - 7 days, JANUARY_ID + 1);
        vm.warp(FEBRUARY - 7 days - 1);
        _gives(none, none, wish, none, JANUARY - 7 days, JANUARY_ID);
        wish.length = 3;
        _gives(none, none, wish, none, JANUARY - 7 days, JANUARY_ID);
    }

    function test_a_first_timetable_begins_no_later_than_now() external {
        vm.warp(JUNE);
        Timetable memory wish = seconds_(10 days, JUNE);
        _gives(none, none, wish, none, JUNE, JANUARY_ID + 5);
        wish.begins = uint40(JUNE + 1);
        _refused(none, none, wish, "begins");
    }

    function test_a_first_timetable_begins_at_most_92_days_ago() external {
        vm.warp(JUNE);
        Timetable memory wish = seconds_(10 days, JUNE - 92 days);
        _gives(none, none, wish, none, JUNE - 92 days, JANUARY_ID + 2);
        --wish.begins;
        _refused(none, none, wish, "begins");
    }

    /* ANOTHER ONE, OF SECONDS */

    function test_another_begins_with_the_next_id_at_the_periods_end() external {
        vm.warp(FEBRUARY);
        _gives(none, monthly(), seconds_(10 days, 0), monthly(), MARCH - 7 days, 9);
    }

    function test_another_may_begin_from_the_periods_end_on() external {
        vm.warp(FEBRUARY);
        _gives(none, monthly(), seconds_(10 days, MARCH - 7 days), monthly(), MARCH - 7 days, 9);
        _refused(none, monthly(), seconds_(10 days, MARCH - 7 days - 1), "begins");
        _refused(none, monthly(), seconds_(10 days, 1), "begins");
    }

    function test_another_begins_at_most_92_days_ahead() external {
        vm.warp(FEBRUARY);
        uint256 last = FEBRUARY + 92 days;
        _gives(none, monthly(), seconds_(10 days, last), monthly(), last, 9);
        _refused(none, monthly(), seconds_(10 days, last + 1), "begins");
    }

    /// @dev The change is replaced before it begins: the current period is the former timetable's, still.
    function test_another_replaces_the_one_ahead() external {
        Timetable memory ahead = seconds_(10 days, MARCH + 5 days);
        ahead.first = 9;
        vm.warp(FEBRUARY);
        _gives(monthly(), ahead, seconds_(20 days, 0), monthly(), MARCH - 7 days, 9);
        // The former's own end has passed.
        vm.warp(MARCH + 1 days);
        _gives(monthly(), ahead, seconds_(20 days, 0), monthly(), MARCH + 1 days, 9);
        _gives(monthly(), ahead, seconds_(20 days, MARCH + 1 days), monthly(), MARCH + 1 days, 9);
        _refused(monthly(), ahead, seconds_(20 days, MARCH + 1 days - 1), "begins");
        vm.warp(MARCH + 5 days - 1);
        _gives(monthly(), ahead, seconds_(20 days, 0), monthly(), MARCH + 5 days - 1, 9);
    }

    function test_another_follows_the_one_that_has_begun() external {
        Timetable memory begun = seconds_(10 days, MARCH + 5 days);
        begun.first = 9;
        vm.warp(MARCH + 5 days);
        _gives(monthly(), begun, seconds_(20 days, 0), begun, MARCH + 15 days, 10);
        vm.warp(MARCH + 15 days);
        _gives(monthly(), begun, seconds_(20 days, 0), begun, MARCH + 25 days, 11);
    }

    /* ANOTHER ONE, OF MONTHS */

    /// @dev A period of seconds ends where February's would begin, and at later times up to the begin of March's.
    function test_months_begin_with_the_nearer_begin_of_a_months_period() external {
        uint256 begin = FEBRUARY - 7 days;
        _afterSeconds(begin, begin);
        _afterSeconds(begin + 1, begin + 1);
        _afterSeconds(FEBRUARY - 1, FEBRUARY - 1);
        // The middle between the begins of February's and March's, and a second more.
        _afterSeconds(begin + 14 days, begin + 14 days);
        _afterSeconds(begin + 14 days + 1, MARCH - 7 days);
        _afterSeconds(MARCH - 7 days - 1, MARCH - 7 days);
    }

    function test_months_begin_at_any_time_that_is_wished() external {
        vm.warp(JANUARY);
        Timetable memory wish = monthly();
        wish.begins = uint40(FEBRUARY + 17 days);
        _gives(none, seconds_(20 days, JANUARY), wish, seconds_(20 days, JANUARY), FEBRUARY + 17 days, 8);
    }

    function test_quarters_begin_with_a_months_period() external {
        vm.warp(JANUARY);
        Timetable memory wish = monthly();
        (wish.begins, wish.length) = (0, 3);
        _gives(none, seconds_(50 days, JANUARY), wish, seconds_(50 days, JANUARY), MARCH - 7 days, 8);
    }

    /// @dev Notice and trading take three days: March's period ends seven before April.
    function test_the_first_period_of_months_has_room_for_a_start() external {
        vm.warp(MARCH);
        Timetable memory wish = monthly();
        wish.begins = uint40(APRIL - 10 days - 1);
        _gives(none, seconds_(20 days, MARCH), wish, seconds_(20 days, MARCH), APRIL - 10 days - 1, 8);
        ++wish.begins;
        _refused(none, seconds_(20 days, MARCH), wish, "begins");
    }

    /* WHAT IS CHECKED OF IT */

    function test_a_change_fits_the_limits_to_the_shorter_period() external {
        vm.warp(FEBRUARY);
        Limits memory limits = small();
        // 10 of 30 days of 2 %, down.
        limits.lossBudget = 6666666666666666;
        calendar.change(none, monthly(), seconds_(10 days, 0), limits);
        calendar.change(none, seconds_(10 days, FEBRUARY), seconds_(20 days, 0), limits);
        ++limits.lossBudget;
        expectRefused("lossBudget");
        calendar.change(none, monthly(), seconds_(10 days, 0), limits);
        expectRefused("lossBudget");
        calendar.change(none, seconds_(10 days, FEBRUARY), seconds_(20 days, 0), limits);
        calendar.change(none, monthly(), seconds_(20 days, 0), limits);
    }

    /// @dev The new timetable's first period is the one that counts: 15 days of March's.
    function test_a_change_fits_the_limits_to_a_short_first_month() external {
        vm.warp(MARCH);
        Limits memory limits = small();
        Timetable memory wish = monthly();
        wish.begins = uint40(APRIL - 22 days);
        limits.maxStep = 0.5e18;
        calendar.change(none, seconds_(20 days, MARCH - 16 days), wish, limits);
        ++limits.maxStep;
        expectRefused("maxStep");
        calendar.change(none, seconds_(20 days, MARCH - 16 days), wish, limits);
    }

    function test_the_wish_is_held_against_the_bounds() external {
        vm.warp(FEBRUARY);
        Timetable memory wish = seconds_(10 days, 0);
        wish.day = ExecutionDay.LastDay;
        _refused(none, monthly(), wish, "day");
        _refused(none, none, wish, "day");
    }

    /* HELPERS */

    /// @dev Months are wished for without a begin while a period of 20 days ends at `end`.
    function _afterSeconds(uint256 end, uint256 begins) private {
        Timetable memory former = seconds_(20 days, end - 20 days);
        Timetable memory wish = monthly();
        wish.begins = 0;
        vm.warp(end - 20 days);
        _gives(none, former, wish, former, begins, 8);
    }

    function _gives(
        Timetable memory former,
        Timetable memory timetable,
        Timetable memory wish,
        Timetable memory inEffect,
        uint256 begins,
        uint256 first
    ) private view {
        (Timetable memory found, Timetable memory next) = calendar.change(former, timetable, wish, small());
        equal(found, inEffect, "in effect");
        equal(next.begins, begins, "begins");
        equal(next.first, first, "first");
        (next.begins, next.first) = (wish.begins, wish.first);
        equal(next, wish, "as wished");
    }

    function _refused(Timetable memory former, Timetable memory timetable, Timetable memory wish, bytes32 field)
        private
    {
        expectRefused(field);
        calendar.change(former, timetable, wish, small());
    }
}
