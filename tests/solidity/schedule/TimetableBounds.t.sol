// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Timetable} from "../../../contracts/interfaces/IRebalancer.sol";
import {ExecutionDay} from "../../../contracts/libraries/Schedule.sol";
import {vm} from "../../../lab/fuzz/Vm.sol";
import {CalendarTest} from "./CalendarTest.sol";

/// @notice What an owner may set as a timetable: both sides of each bound, for a fund's first.
contract TimetableBoundsTest is CalendarTest {
    uint256 private constant MAINNET = 1;

    function setUp() public override {
        super.setUp();
        vm.warp(MARCH);
        vm.chainId(MAINNET);
    }

    /* CALENDAR MONTHS */

    function test_notice_is_a_day_to_14_days() external {
        Timetable memory t = _months(1);
        (t.notice, t.minNotice) = (1 days, 1 days);
        _fits(t);
        --t.notice;
        _refused(t, "notice");
        t.notice = 14 days;
        t.minTrading = 11 days;
        _fits(t);
        ++t.notice;
        _refused(t, "notice");
    }

    function test_the_least_notice_is_a_day_to_the_notice() external {
        Timetable memory t = _months(1);
        t.minNotice = 1 days - 1;
        _refused(t, "minNotice");
        t.minNotice = 7 days;
        _fits(t);
        ++t.minNotice;
        _refused(t, "minNotice");
    }

    function test_a_fixed_day_is_1_to_28() external {
        Timetable memory t = _months(3);
        t.day = ExecutionDay.FixedDay;
        _refused(t, "fixedDay");
        t.fixedDay = 1;
        _fits(t);
        t.fixedDay = 28;
        _fits(t);
        t.fixedDay = 29;
        _refused(t, "fixedDay");
    }

    function test_a_fixed_day_is_read_for_itself_only() external view {
        Timetable memory t = _months(1);
        t.fixedDay = 99;
        _fits(t);
        t.day = ExecutionDay.LastDay;
        _fits(t);
    }

    /// @dev A month has 28 days in February, a quarter 89 from February on.
    function test_a_fixed_day_lies_before_the_periods_end() external {
        Timetable memory t = _months(1);
        (t.day, t.fixedDay, t.notice, t.minTrading) = (ExecutionDay.FixedDay, 20, 8 days - 1, 1);
        _fits(t);
        (t.notice, t.minTrading) = (8 days, 0);
        _refused(t, "fixedDay");
        (t.fixedDay, t.notice) = (14, 14 days);
        _refused(t, "fixedDay");
        t.notice = 14 days - 1;
        _fits(t);
    }

    function test_a_fixed_day_leaves_the_time_to_trade() external {
        Timetable memory t = _months(1);
        (t.day, t.fixedDay) = (ExecutionDay.FixedDay, 10);
        t.minTrading = 28 days - 7 days - 10 days;
        _fits(t);
        ++t.minTrading;
        _refused(t, "minTrading");
        t.length = 3;
        t.minTrading = 89 days - 7 days - 10 days;
        _fits(t);
        ++t.minTrading;
        _refused(t, "minTrading");
    }

    /// @dev The first business day is the third at the latest.
    function test_a_business_day_leaves_the_time_to_trade() external {
        Timetable memory t = _months(1);
        t.minTrading = 28 days - 7 days - 3 days;
        _fits(t);
        ++t.minTrading;
        _refused(t, "minTrading");
        t.length = 3;
        t.minTrading = 89 days - 7 days - 3 days;
        _fits(t);
        ++t.minTrading;
        _refused(t, "minTrading");
    }

    function test_a_month_is_longer_than_notice_and_trading() external {
        Timetable memory t = _months(1);
        t.minNotice = 7 days;
        t.minTrading = 14 days - 1;
        _fits(t);
        ++t.minTrading;
        _refused(t, "minTrading");
    }

    /* SO MANY SECONDS */

    function test_a_period_is_a_day_to_92_days() external {
        _fits(seconds_(1 days, 0));
        _refused(seconds_(1 days - 1, 0), "length");
        _fits(seconds_(92 days, 0));
        _refused(seconds_(92 days + 1, 0), "length");
        _refused(seconds_(0, 1), "length");
        _refused(seconds_(2, 1), "length");
        _refused(seconds_(4, 1), "length");
    }

    function test_a_period_is_an_hour_or_more_on_a_test_chain() external {
        uint256[7] memory chains = [uint256(31337), 1337, 11155111, 560048, 84532, 421614, 11155420];
        for (uint256 i; i < chains.length; ++i) {
            vm.chainId(chains[i]);
            _fits(seconds_(1 hours, 0));
            _refused(seconds_(1 hours - 1, 0), "length");
        }
        vm.chainId(8453);
        _refused(seconds_(1 hours, 0), "length");
    }

    function test_a_period_of_seconds_has_no_day() external {
        Timetable memory t = seconds_(10 days, 0);
        t.day = ExecutionDay.LastDay;
        _refused(t, "day");
        t.day = ExecutionDay.FixedDay;
        _refused(t, "day");
        (t.day, t.fixedDay) = (ExecutionDay.FirstBusinessDay, 1);
        _refused(t, "fixedDay");
    }

    /// @dev Ten hours and more: an hour. Less: a tenth, down.
    function test_the_least_notice_of_seconds_is_an_hour_or_a_tenth() external {
        vm.chainId(31337);
        _leastNotice(92 days, 3600);
        _leastNotice(10.5 hours, 3600);
        _leastNotice(10 hours, 3600);
        _leastNotice(10 hours - 1, 3599);
        _leastNotice(9.2 hours, 3312);
        _leastNotice(1 hours, 360);
    }

    function test_the_least_notice_of_seconds_is_at_most_the_notice() external {
        Timetable memory t = seconds_(10 days, 0);
        t.minNotice = t.notice;
        _fits(t);
        ++t.minNotice;
        _refused(t, "minNotice");
    }

    function test_a_period_of_seconds_is_longer_than_notice_and_trading() external {
        Timetable memory t = seconds_(10 days, 0);
        (t.notice, t.minNotice) = (3 days, 2 days);
        t.minTrading = 5 days - 1;
        _fits(t);
        ++t.minTrading;
        _refused(t, "minTrading");
    }

    /* HELPERS */

    function _months(uint32 length) private pure returns (Timetable memory t) {
        t = monthly();
        (t.length, t.begins) = (length, 0);
    }

    function _leastNotice(uint256 length, uint32 least) private {
        Timetable memory t = seconds_(length, 0);
        (t.notice, t.minNotice) = (least, least);
        _fits(t);
        --t.minNotice;
        _refused(t, "minNotice");
    }

    function _fits(Timetable memory t) private view {
        calendar.change(none, none, t, small());
    }

    function _refused(Timetable memory t, bytes32 field) private {
        expectRefused(field);
        calendar.change(none, none, t, small());
    }
}
