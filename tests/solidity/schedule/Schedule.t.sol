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

    /// @dev The Gregorian calendar's lengths, counted on from 1970-01-01: 84,371 days, each at its first and last second.
    function test_every_day_until_2200_is_in_its_month() external view {
        uint256 time;
        for (uint256 month = 1970 * 12; month < 2201 * 12; ++month) {
            uint256[] memory times = new uint256[](2 * _length(month));
            for (uint256 i; i < times.length; i += 2) {
                (times[i], times[i + 1]) = (time, time + 1 days - 1);
                time += 1 days;
            }
            uint256[] memory months = _schedule.monthsAt(times);
            for (uint256 i; i < times.length; ++i) {
                equal(months[i], month, "month");
            }
        }
        equal(time, 84_371 days, "days of 231 years");
    }

    function _length(uint256 month) private pure returns (uint256) {
        (uint256 year, uint256 number) = (month / 12, month % 12 + 1);
        if (number == 2) return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28;
        return number == 4 || number == 6 || number == 9 || number == 11 ? 30 : 31;
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
