// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {ICalendar, Period} from "../../../contracts/interfaces/ICalendar.sol";
import {IRebalancer, Limits, Timetable} from "../../../contracts/interfaces/IRebalancer.sol";
import {ExecutionDay} from "../../../contracts/libraries/Schedule.sol";
import {vm} from "../../../lab/fuzz/Vm.sol";
import {Test} from "../Test.sol";

/// @title CalendarTest
/// @notice A calendar, the months of 2025, and timetables and limits to ask it about.
abstract contract CalendarTest is Test {
    uint256 internal constant JANUARY = 1735689600; // 2025-01-01, a Wednesday
    uint256 internal constant FEBRUARY = JANUARY + 31 days;
    uint256 internal constant MARCH = FEBRUARY + 28 days;
    uint256 internal constant APRIL = MARCH + 31 days;
    uint256 internal constant MAY = APRIL + 30 days;
    uint256 internal constant JUNE = MAY + 31 days;
    uint256 internal constant JULY = JUNE + 30 days;
    uint256 internal constant AUGUST = JULY + 31 days;
    uint256 internal constant SEPTEMBER = AUGUST + 31 days;
    uint256 internal constant OCTOBER = SEPTEMBER + 30 days;
    uint256 internal constant NOVEMBER = OCTOBER + 31 days;
    uint256 internal constant DECEMBER = NOVEMBER + 30 days;
    /// @dev Number of January 2025 as a calendar month.
    uint256 internal constant JANUARY_ID = 2025 * 12;

    ICalendar internal calendar;
    Timetable internal none;

    function setUp() public virtual {
        calendar = ICalendar(deploy("Calendar", ""));
    }

    /// @dev Periods of a month, with seven days' notice; the first is January's, and has the id 7.
    function monthly() internal pure returns (Timetable memory) {
        return Timetable({
            length: 1,
            day: ExecutionDay.FirstBusinessDay,
            fixedDay: 0,
            notice: 7 days,
            minNotice: 1 days,
            minTrading: 2 days,
            begins: uint40(JANUARY - 7 days),
            first: 7
        });
    }

    /// @dev Periods of so many seconds, each started a tenth of it after its begin; the first has the id 7.
    function seconds_(uint256 length, uint256 begins) internal pure returns (Timetable memory) {
        return Timetable({
            length: uint32(length),
            day: ExecutionDay.FirstBusinessDay,
            fixedDay: 0,
            notice: uint32(length / 10),
            minNotice: uint32(length / 10),
            minTrading: uint32(length / 20),
            begins: uint40(begins),
            first: 7
        });
    }

    /// @dev Limits at which nothing is scaled down too far.
    function small() internal pure returns (Limits memory) {
        return Limits({
            firstTolerance: -0.015e18,
            lastTolerance: 0.04e18,
            batchCap: 0.05e18,
            lossBudget: 1,
            maxStep: 1,
            dust: 1e14,
            coolOff: 600,
            maxIdle: 1800
        });
    }

    /// @dev The next call is refused for this field.
    function expectRefused(bytes32 field) internal {
        vm.expectRevert(abi.encodeWithSelector(IRebalancer.LimitOutOfBounds.selector, field));
    }

    function equal(Period memory found, Period memory expected, string memory what) internal pure {
        equal(found.id, expected.id, string.concat(what, ": id"));
        equal(found.start, expected.start, string.concat(what, ": start"));
        equal(found.end, expected.end, string.concat(what, ": end"));
        equal(found.execution, expected.execution, string.concat(what, ": execution"));
        equal(found.minNotice, expected.minNotice, string.concat(what, ": minNotice"));
        equal(found.minTrading, expected.minTrading, string.concat(what, ": minTrading"));
    }

    function equal(Timetable memory found, Timetable memory expected, string memory what) internal pure {
        equal(abi.encode(found), abi.encode(expected), what);
    }
}
