// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Limits, Timetable} from "../../../contracts/interfaces/IRebalancer.sol";
import {vm} from "../../../lab/fuzz/Vm.sol";
import {CalendarTest} from "./CalendarTest.sol";

/// @notice What an owner may set as limits: both sides of each bound.
contract LimitBoundsTest is CalendarTest {
    function setUp() public override {
        super.setUp();
        vm.warp(MARCH);
    }

    function test_the_last_tolerance_is_0_to_10_percent() external {
        Limits memory l = small();
        l.firstTolerance = -1;
        l.lastTolerance = 0;
        _fits(l, 0);
        l.lastTolerance = -1;
        _refused(l, 0, "lastTolerance");
        l.lastTolerance = 0.1e18;
        _fits(l, 0);
        ++l.lastTolerance;
        _refused(l, 0, "lastTolerance");
    }

    function test_the_first_tolerance_is_minus_10_percent_to_the_last() external {
        Limits memory l = small();
        l.firstTolerance = -0.1e18;
        _fits(l, 0);
        --l.firstTolerance;
        _refused(l, 0, "firstTolerance");
        l.firstTolerance = l.lastTolerance;
        _fits(l, 0);
        ++l.firstTolerance;
        _refused(l, 0, "firstTolerance");
    }

    function test_a_batch_is_more_than_0_and_at_most_10_percent() external {
        Limits memory l = small();
        l.batchCap = 1;
        _fits(l, 0);
        l.batchCap = 0;
        _refused(l, 0, "batchCap");
        l.batchCap = 0.1e18;
        _fits(l, 0);
        ++l.batchCap;
        _refused(l, 0, "batchCap");
    }

    function test_a_months_loss_is_at_most_2_percent() external {
        Limits memory l = small();
        l.lossBudget = 0;
        _fits(l, 0);
        l.lossBudget = 0.02e18;
        _fits(l, 0);
        ++l.lossBudget;
        _refused(l, 0, "lossBudget");
    }

    function test_a_months_step_is_more_than_0_and_at_most_all() external {
        Limits memory l = small();
        l.maxStep = 1;
        _fits(l, 0);
        l.maxStep = 0;
        _refused(l, 0, "maxStep");
        l.maxStep = 1e18;
        _fits(l, 0);
        ++l.maxStep;
        _refused(l, 0, "maxStep");
    }

    function test_dust_is_a_millionth_to_a_thousandth() external {
        Limits memory l = small();
        l.dust = 1e12;
        _fits(l, 0);
        --l.dust;
        _refused(l, 0, "dust");
        l.dust = 1e15;
        _fits(l, 0);
        ++l.dust;
        _refused(l, 0, "dust");
    }

    function test_the_bucket_cools_off_for_a_minute_or_more() external {
        Limits memory l = small();
        l.coolOff = 60;
        _fits(l, 0);
        l.coolOff = 59;
        _refused(l, 0, "coolOff");
    }

    function test_the_bucket_idles_from_cool_off_to_a_day() external {
        Limits memory l = small();
        l.maxIdle = l.coolOff;
        _fits(l, 0);
        --l.maxIdle;
        _refused(l, 0, "maxIdle");
        l.maxIdle = 1 days;
        _fits(l, 0);
        ++l.maxIdle;
        _refused(l, 0, "maxIdle");
    }

    function test_the_band_is_at_most_10_percent() external {
        _fits(small(), 0.1e18);
        _refused(small(), 0.1e18 + 1, "band");
    }

    /* SCALE */

    function test_a_shorter_period_has_its_part_of_a_month() external {
        _scaled(none, seconds_(15 days, MARCH), 15 days);
        _scaled(none, seconds_(7 days, MARCH), 7 days);
        _scaled(none, seconds_(30 days - 1, MARCH), 30 days - 1);
    }

    function test_a_longer_period_has_no_more_than_a_month() external {
        _scaled(none, seconds_(30 days, MARCH), 30 days);
        _scaled(none, seconds_(92 days, MARCH), 30 days);
    }

    function test_a_period_of_less_than_a_day_has_a_months() external {
        _scaled(none, seconds_(1 days - 1, MARCH), 30 days);
        _scaled(none, seconds_(1 hours, MARCH), 30 days);
        _scaled(none, seconds_(1 days, MARCH), 1 days);
        _scaled(none, seconds_(1.5 days, MARCH), 1.5 days);
    }

    /// @dev 28 days are a month, as February's are.
    function test_a_first_month_has_its_part_if_it_is_short_of_28_days() external {
        Timetable memory t = monthly();
        t.begins = uint40(MARCH - 7 days); // to APRIL - 7 days: 31
        _scaled(none, t, 30 days);
        t.begins += 3 days; // 28
        _scaled(none, t, 30 days);
        ++t.begins;
        _scaled(none, t, 28 days - 1);
        t.begins = uint40(MARCH); // 24
        _scaled(none, t, 24 days);
        // It is over.
        vm.warp(APRIL - 7 days);
        _scaled(none, t, 30 days);
    }

    function test_while_a_change_is_ahead_the_shorter_of_both_counts() external {
        Timetable memory next = seconds_(15 days, MARCH + 1);
        next.first = 8;
        _scaled(seconds_(10 days, MARCH), next, 10 days);
        _scaled(seconds_(20 days, MARCH), next, 15 days);
        vm.warp(MARCH + 1);
        _scaled(seconds_(10 days, MARCH), next, 15 days);
    }

    /* HELPERS */

    function _fits(Limits memory limits, uint256 band) private view {
        calendar.check(limits, band, none, monthly());
    }

    function _refused(Limits memory limits, uint256 band, bytes32 field) private {
        expectRefused(field);
        calendar.check(limits, band, none, monthly());
    }

    /// @dev The most that loss budget and step may be are those of a month x `length` / 30 days, rounded down.
    function _scaled(Timetable memory former, Timetable memory timetable, uint256 length) private {
        Limits memory l = small();
        l.lossBudget = uint64(0.02e18 * length / 30 days);
        l.maxStep = uint64(1e18 * length / 30 days);
        calendar.check(l, 0, former, timetable);
        ++l.lossBudget;
        expectRefused("lossBudget");
        calendar.check(l, 0, former, timetable);
        --l.lossBudget;
        ++l.maxStep;
        expectRefused("maxStep");
        calendar.check(l, 0, former, timetable);
    }
}
