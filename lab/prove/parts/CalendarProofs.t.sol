// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Timetable} from "../../../contracts/interfaces/IRebalancer.sol";
import {Periods} from "../../../contracts/libraries/Periods.sol";
import {ExecutionDay, Schedule} from "../../../contracts/libraries/Schedule.sol";
import {vm} from "../Vm.sol";

/// @notice Months, execution days and periods.
contract CalendarProofs {
    using Periods for Timetable;

    uint256 private constant DAYS = 84_371; // 1970-01-01 to 2200-12-31
    uint256 private constant FIRST = 1970 * 12; // January 1970
    uint256 private constant MONTHS = 231 * 12;

    // Of days and months each is looked at for itself: 84,371 and 2,772.

    function check_everyDay() external pure {
        unchecked {
            (uint256 month, uint256 left) = (FIRST, 31);
            for (uint256 day; day < DAYS; ++day) {
                if (left == 0) (month, left) = (month + 1, _daysOf((month + 1) / 12, (month + 1) % 12));
                --left;
                assert(Schedule.monthAt(day * 1 days) == month);
            }
            assert(month == FIRST + MONTHS - 1 && left == 0);
        }
    }

    function check_monthEnds() external pure {
        unchecked {
            uint256 start = Schedule.monthStart(FIRST);
            for (uint256 month = FIRST; month < FIRST + MONTHS; ++month) {
                uint256 end = Schedule.monthStart(month + 1);
                assert(Schedule.monthAt(start) == month && Schedule.monthAt(end - 1) == month);
                start = end;
            }
        }
    }

    function check_monthLengths() external pure {
        unchecked {
            uint256 start = Schedule.monthStart(FIRST);
            assert(start == 0);
            for (uint256 month = FIRST; month < FIRST + MONTHS; ++month) {
                uint256 end = Schedule.monthStart(month + 1);
                assert(end - start == _daysOf(month / 12, month % 12) * 1 days);
                start = end;
            }
        }
    }

    function check_firstBusinessDay() external pure {
        unchecked {
            for (uint256 month = FIRST; month < FIRST + MONTHS; ++month) {
                uint256 start = Schedule.monthStart(month);
                uint256 time = Schedule.executionTime(month, ExecutionDay.FirstBusinessDay, 0);
                uint256 weekday = (start / 1 days + 3) % 7; // 0: Monday; 1970-01-01 was a Thursday
                assert(time == start + (weekday == 5 ? 2 days : weekday == 6 ? 1 days : 0));
            }
        }
    }

    function check_otherDays(uint8 fixedDay) external pure {
        vm.assume(fixedDay >= 1 && fixedDay <= 28);
        unchecked {
            for (uint256 month = FIRST + 1; month < FIRST + MONTHS; month += 7) {
                uint256 start = Schedule.monthStart(month);
                assert(Schedule.executionTime(month, ExecutionDay.LastDay, 0) + 1 days == start);
                uint256 day = Schedule.executionTime(month, ExecutionDay.FixedDay, fixedDay);
                assert(day == start + (uint256(fixedDay) - 1) * 1 days && day < start + 28 days);
            }
        }
    }

    function check_periodOfTime(uint24 length, uint40 begins, uint40 time, uint24 first) external pure {
        unchecked {
            vm.assume(length > 3 && time >= begins);
            Timetable memory t = Timetable(length, ExecutionDay.FirstBusinessDay, 0, 0, 0, 0, begins, first);
            uint256 id = t.idAt(0, time);
            assert(id >= first && t.startOf(0, id) <= time && time < t.startOf(0, id + 1));
        }
    }

    function check_periodsAdjoin(uint24 length, uint40 begins, uint24 first, uint24 id) external pure {
        unchecked {
            vm.assume(length > 3 && id >= first);
            Timetable memory t = Timetable(length, ExecutionDay.FirstBusinessDay, 0, 0, 0, 0, begins, first);
            assert(t.startOf(0, uint256(id) + 1) - t.startOf(0, id) == length);
            assert(t.executionOf(0, id) == t.startOf(0, id) && t.leastLength() == length);
        }
    }

    /// @dev The Gregorian rule; 0: January.
    function _daysOf(uint256 year, uint256 month) private pure returns (uint256) {
        if (month == 1) return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28;
        return month == 3 || month == 5 || month == 8 || month == 10 ? 30 : 31;
    }
}
