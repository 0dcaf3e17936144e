// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";

import {ICalendar, Period} from "./interfaces/ICalendar.sol";
import {Limits, Timetable} from "./interfaces/IRebalancer.sol";
import {Bounds} from "./libraries/Bounds.sol";
import {PackedPeriod} from "./libraries/PackedPeriod.sol";
import {Periods} from "./libraries/Periods.sol";
import {Schedule} from "./libraries/Schedule.sol";
import {TestChains} from "./libraries/TestChains.sol";

/// @title Calendar
/// @notice See `ICalendar`. Stateless: one deployment serves every fund.
contract Calendar is ICalendar {
    using Periods for Timetable;
    using SafeCast for uint256;

    /// @inheritdoc ICalendar
    function period(Timetable calldata former, Timetable calldata timetable, uint256 time)
        external
        pure
        returns (Period memory)
    {
        return _period(former, timetable, time);
    }

    /// @inheritdoc ICalendar
    function current(Timetable calldata former, Timetable calldata timetable) external view returns (uint256) {
        return PackedPeriod.pack(_period(former, timetable, block.timestamp));
    }

    /// @inheritdoc ICalendar
    function change(
        Timetable calldata former,
        Timetable calldata timetable,
        Timetable calldata wish,
        Limits calldata limits
    ) external view returns (Timetable memory inEffect, Timetable memory next) {
        next = wish;
        Bounds.check(next, TestChains.has(block.chainid));
        if (timetable.length == 0) return (inEffect, _first(next));
        inEffect = block.timestamp < timetable.begins ? former : timetable;
        uint256 id = _period(former, timetable, block.timestamp).id;
        // The current period's own end, whatever change is ahead.
        uint256 earliest = Math.max(inEffect.startOf(inEffect.firstMonth(), id + 1), block.timestamp);
        if (next.begins == 0) next.begins = _begin(next, earliest).toUint40();
        Bounds.require_(next.begins >= earliest && next.begins <= block.timestamp + Bounds.MAX_AHEAD, "begins");
        next.first = (id + 1).toUint24();
        // The first period of calendar months must have room for a start too.
        Bounds.require_(uint256(next.minNotice) + next.minTrading < next.firstLength(), "begins");
        Bounds.checkScaled(limits, Math.min(_shortest(inEffect, id), _shortest(next, id)));
    }

    /// @inheritdoc ICalendar
    function check(Limits calldata limits, uint256 band, Timetable calldata former, Timetable calldata timetable)
        external
        view
    {
        uint256 id = _period(former, timetable, block.timestamp).id;
        uint256 shortest = _shortest(timetable, id);
        if (block.timestamp < timetable.begins) shortest = Math.min(shortest, _shortest(former, id));
        Bounds.check(limits, band, shortest);
    }

    function _period(Timetable calldata former, Timetable calldata timetable, uint256 time)
        private
        pure
        returns (Period memory p)
    {
        bool ahead = time < timetable.begins;
        // Copies only the one in effect.
        Timetable memory t = ahead ? former : timetable;
        uint256 base = t.firstMonth();
        p.id = t.idAt(base, time);
        // A change is ahead: the period before it lasts until then.
        bool last = ahead && p.id + 1 >= timetable.first;
        if (last) p.id = timetable.first - 1;
        p.start = t.startOf(base, p.id);
        p.end = last ? timetable.begins : t.startOf(base, p.id + 1);
        p.execution = t.executionOf(base, p.id);
        (p.minNotice, p.minTrading) = (t.minNotice, t.minTrading);
    }

    /// @dev When a timetable begins that may from `earliest` on: of calendar months where a month's period begins, if
    /// that is nearer than the begin of the month under way, which would be cut short.
    function _begin(Timetable memory t, uint256 earliest) private pure returns (uint256) {
        if (!t.isCalendar()) return earliest;
        uint256 month = Schedule.monthAt(earliest + t.notice);
        uint256 before = Schedule.monthStart(month) - t.notice;
        uint256 next = Schedule.monthStart(month + 1) - t.notice;
        return earliest - before <= next - earliest ? earliest : next;
    }

    /// @dev A fund's first timetable: its first id is the number of the calendar month in which it begins.
    function _first(Timetable memory wish) private view returns (Timetable memory) {
        uint256 begins = wish.begins == 0 ? block.timestamp : wish.begins;
        Bounds.require_(begins <= block.timestamp && begins + Bounds.MAX_BEHIND >= block.timestamp, "begins");
        uint256 month = Schedule.monthAt(begins + wish.notice);
        wish.first = month.toUint24();
        if (wish.isCalendar()) begins = Schedule.monthStart(month) - wish.notice;
        wish.begins = begins.toUint40();
        return wish;
    }

    /// @dev Seconds of the shortest period of a timetable that is not over, a month at most; a month for periods of
    /// less than a day, which exist on test chains only.
    /// @param id The period now.
    function _shortest(Timetable memory t, uint256 id) private pure returns (uint256) {
        if (!t.isCalendar()) return t.length < 1 days ? Bounds.MONTH : Math.min(t.length, Bounds.MONTH);
        if (id > t.first) return Bounds.MONTH;
        uint256 first = t.firstLength();
        return first < Periods.LEAST_MONTH ? first : Bounds.MONTH;
    }
}
