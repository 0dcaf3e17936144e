// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {ExecutionDay} from "../../../contracts/libraries/Schedule.sol";
import {CalendarTest} from "./CalendarTest.sol";

interface ISchedule {
    function monthsAt(uint256[] calldata times) external pure returns (uint256[] memory);
    function executionTimes(uint256 first, uint256 n, ExecutionDay day, uint256 fixedDay)
        external
        pure
        returns (uint256[] memory);
}

contract ScheduleTest is CalendarTest {
    ISchedule private _schedule;
    uint256[12] private _starts =
        [JANUARY, FEBRUARY, MARCH, APRIL, MAY, JUNE, JULY, AUGUST, SEPTEMBER, OCTOBER, NOVEMBER, DECEMBER];

    function setUp() public override {
        _schedule = ISchedule(deploy("ScheduleHarness", ""));
    }

    function test_a_month_lasts_from_its_first_second_to_its_last() external view {
        uint256[] memory times = new uint256[](24);
        for (uint256 i; i < 12; ++i) {
            (times[2 * i], times[2 * i + 1]) = (_starts[i] - 1, _starts[i]);
        }
        uint256[] memory months = _schedule.monthsAt(times);
        for (uint256 i; i < 12; ++i) {
            equal(months[2 * i], JANUARY_ID + i - 1, "last second of the month before");
            equal(months[2 * i + 1], JANUARY_ID + i, "first second");
        }
    }

    function test_the_29th_of_february_is_in_february() external view {
        uint256[] memory times = new uint256[](2);
        times[0] = JANUARY - 366 days + 59 days;
        times[1] = times[0] + 1 days;
        uint256[] memory months = _schedule.monthsAt(times);
        equal(months[0], 2024 * 12 + 1, "29 February 2024");
        equal(months[1], 2024 * 12 + 2, "1 March 2024");
    }

    function test_a_fixed_day_counts_from_the_first() external view {
        uint256[] memory first = _schedule.executionTimes(JANUARY_ID, 12, ExecutionDay.FixedDay, 1);
        uint256[] memory last = _schedule.executionTimes(JANUARY_ID, 12, ExecutionDay.FixedDay, 28);
        for (uint256 i; i < 12; ++i) {
            equal(first[i], _starts[i], "the first");
            equal(last[i], _starts[i] + 27 days, "the 28th");
        }
    }

    function test_the_last_day_is_the_one_before_the_month() external view {
        uint256[] memory found = _schedule.executionTimes(JANUARY_ID, 12, ExecutionDay.LastDay, 0);
        for (uint256 i; i < 12; ++i) {
            equal(found[i], _starts[i] - 1 days, "last day");
        }
    }

    /// @dev In 2025 February and March begin on a Saturday, June on a Sunday, September on a Monday, August on a
    /// Friday.
    function test_the_first_business_day_is_no_saturday_and_no_sunday() external view {
        uint256[] memory found = _schedule.executionTimes(JANUARY_ID, 12, ExecutionDay.FirstBusinessDay, 5);
        for (uint256 i; i < 12; ++i) {
            uint256 later = i == 1 || i == 2 || i == 10 ? 2 : i == 5 ? 1 : 0;
            equal(found[i], _starts[i] + later * 1 days, "first business day");
        }
    }
}
