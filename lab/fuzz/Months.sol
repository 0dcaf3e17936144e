// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Period} from "../../contracts/interfaces/ICalendar.sol";
import {Constituent, Status} from "../../contracts/interfaces/IMethodology.sol";
import {OpeningPlan} from "../../contracts/interfaces/IOpener.sol";
import {Action, Limits, Phase, Reason, Timetable} from "../../contracts/interfaces/IRebalancer.sol";
import {Constituents} from "../../contracts/libraries/Constituents.sol";
import {ExecutionDay} from "../../contracts/libraries/Schedule.sol";
import {Draw, Drawing} from "./Draw.sol";
import {Openings} from "./Openings.sol";
import {vm} from "./Vm.sol";

/// @title Months
/// @notice What moves months, prices and pools: time, the actions, the owner's settings, the market.
abstract contract Months is Openings {
    using Drawing for Draw;

    /* MONTH */

    /// @dev When the last determination was made, and how many seconds from it to its start there must be.
    uint256 internal determined;
    uint256 private _notice;
    /// @dev The last period seen.
    uint256 private _period;
    /// @dev Whether a timetable of calendar months was set: its first period may be short of them.
    bool private _short;

    /// @dev Makes the call that is due, which must succeed within the gas of a transaction. False where none is.
    function _act() internal returns (bool) {
        (Action action, Reason reason,) = rebalancer.workable();
        Seen memory a = _look();
        _checkPeriod();
        if (action == Action.Determine) {
            _beforeReading(true);
            _notice = _current().minNotice;
            _make(action, abi.encodeCall(rebalancer.determine, ()));
            determined = time;
            determinedPrice = price;
            _read(true);
        } else if (action == Action.Start) {
            _hold(time >= determined + _notice, "notice before start");
            _beforeReading(false);
            OpeningPlan memory p = rebalancer.previewStart();
            bytes32 was = keccak256(abi.encode(rebalancer.opening(), index.components()));
            _make(action, abi.encodeCall(rebalancer.start, ()));
            if (p.difference < rebalancer.band() && !p.leaves) {
                bool same = was == keccak256(abi.encode(rebalancer.opening(), index.components()));
                _hold(same && rebalancer.month().phase == Phase.Idle, "a skipped month changes nothing");
                delete side;
            } else {
                _opened();
            }
            _read(false);
        } else if (action == Action.Close) {
            _make(action, abi.encodeCall(rebalancer.close, ()));
            trading = false;
        } else {
            if (reason == Reason.Refused) _hold(!_mustGoOn(), "one bad token does not stop the others");
            return false;
        }
        Seen memory b = _look();
        _supplyKept(a, b);
        _unitsKept(a, b, 0);
        return true;
    }

    /// @dev At each moment one period, which has begun and not ended; ids never fall.
    function _checkPeriod() private {
        Period memory p = _current();
        _hold(p.id >= _period && p.start <= time && time < p.end, "one period at a time");
        _hold(p.id == rebalancer.currentPeriod(), "one period at a time");
        _period = p.id;
    }

    function _current() private view returns (Period memory) {
        return rebalancer.CALENDAR().period(rebalancer.formerTimetable(), rebalancer.timetable(), time);
    }

    /// @dev What the upkeep has paid for a period, {wei}.
    mapping(uint256 period => uint256) private _paid;

    /// @dev Makes the step that is due, which must succeed: by the fund's own function, or at odd times through the
    /// upkeep, which pays a holder.
    function _make(Action action, bytes memory call) private {
        address to = address(rebalancer);
        uint256 period = action == Action.Determine ? rebalancer.currentPeriod() : rebalancer.month().period;
        if (time % 2 != 0) {
            (to, call) = (address(upkeep), abi.encodeCall(upkeep.perform, (action, period, holder(1))));
        }
        vm.fee(BASE_FEE);
        (uint256 purse, uint256 had) = (index.balanceOf(address(upkeep)), index.balanceOf(holder(1)));
        (bool done,) = to.call{gas: GAS}(call);
        _hold(done, "what is due succeeds");
        purse -= index.balanceOf(address(upkeep));
        _hold(index.balanceOf(holder(1)) - had == purse, "what is paid is the payee's");
        // A close is paid at an older price.
        if (purse == 0 || action == Action.Close) return;
        (, uint256 price_,) = upkeep.purse();
        uint256 amount = purse * price_ / ONE; // {wei}
        _hold(amount <= GAS * BASE_FEE * 11 / 10, "gas is paid, and a tenth");
        _paid[period] += amount;
        _hold(_paid[period] <= MONTHLY, "a month is paid no more than stated");
    }

    /// @dev Before and after a determination, or a start, in its block: what the methodology's sources say.
    function _beforeReading(bool determining) internal virtual {}

    function _read(bool determining) internal virtual {}

    /// @dev Whether determine, or start, can be made in spite of all that misbehaves: there is something to weigh.
    function _mustGoOn() private view returns (bool) {
        if (rebalancer.month().phase != Phase.Determined) return _determinable();
        Constituent[] memory rows = Constituents.read(rebalancer.month().determination);
        uint256 supply = index.totalSupply();
        uint256 nav; // {USD} of a share, of what has a value
        bool wanted; // is included, still
        for (uint256 i; i < N; ++i) {
            if (price[i] == 0 || !_sound(i, supply) || _inactive(i)) continue;
            if (_listed(i)) nav += _said(i) * ONE / supply * price[i] / one[i];
            // What is not on the list may be unfit for it.
            if (!_listed(i) || !_active(i)) continue;
            for (uint256 k; k < rows.length; ++k) {
                if (rows[k].token == address(tokens[i]) && rows[k].status == Status.Included) wanted = true;
            }
        }
        return nav != 0 && _weighs(nav) && wanted;
    }

    /// @dev Whether the methodology weighs a share of this worth, {USD}.
    function _weighs(uint256) internal view virtual returns (bool) {
        return true;
    }

    /// @dev Whether the methodology finds somebody to include.
    function _determinable() internal view virtual returns (bool);

    /// @dev Whether the owner of the methodology has `i` in the index, now.
    function _active(uint256 i) internal view virtual returns (bool);

    /// @dev Goes to when the next action can be due.
    function _goOn() internal returns (bool) {
        (,, uint256 next) = rebalancer.workable();
        if (next <= time) return false;
        _pass(next - time);
        return true;
    }

    /// @notice From wherever the month stands into trading; one time in four only one step. Where it is open, one time
    /// in three on to its end and into the next one, whose limits and rule may be others.
    function step(uint256 seed) external {
        Draw memory d = Drawing.from(seed);
        if (trading && time <= end && d.below(3) != 0) return _discard();
        if (!trading && d.below(2) == 0) _setLimits(d);
        if (!trading && d.below(2) == 0) _changeRule(d);
        if (d.below(4) == 0) {
            if (!_act() && !_goOn()) _discard();
            return;
        }
        bool any;
        for (uint256 k; k < 8; ++k) {
            bool was = trading;
            if (!_act() && !_goOn()) break;
            any = true;
            if (trading && !was) break;
        }
        if (!any) _discard();
    }

    /// @notice What is not due is refused.
    function undue(uint256 seed) external {
        Draw memory d = Drawing.from(seed);
        (Action action,,) = rebalancer.workable();
        uint256 k = d.below(3);
        bytes memory call = [
            abi.encodeCall(rebalancer.determine, ()),
            abi.encodeCall(rebalancer.start, ()),
            abi.encodeCall(rebalancer.close, ())
        ][k];
        if (action == [Action.Determine, Action.Start, Action.Close][k]) return _discard();
        (bool succeeded,) = address(rebalancer).call(call);
        _hold(!succeeded, "what is not due is refused");
    }

    function pass(uint256 seed) external {
        Draw memory d = Drawing.from(seed);
        uint256 kind = d.below(8);
        _pass(kind < 5 ? d.between(1, 1 hours) : kind < 7 ? d.between(1, 1 days) : d.between(1, 12 days));
    }

    /* OWNER */

    function setFee(uint256 seed) external {
        Draw memory d = Drawing.from(seed);
        uint256 to = d.between(0, 0.051e18);
        Seen memory a = _look();
        try index.setStreamingFee(to) {
            _hold(to <= 0.05e18, "the fee takes no more than stated");
            fee = to;
        } catch (bytes memory reason) {
            _refused(reason);
        }
        Seen memory b = _look();
        _supplyKept(a, b);
        _unitsKept(a, b, 0);
    }

    /// @notice New limits, refused while trading is open.
    function setLimits(uint256 seed) external {
        _setLimits(Drawing.from(seed));
    }

    function _setLimits(Draw memory d) private {
        uint32 coolOff = uint32(d.between(60, 900));
        uint64 last = uint64(d.below(0.06e18));
        Limits memory l = Limits({
            firstTolerance: int64(uint64(d.below(0.04e18))) - 0.03e18,
            lastTolerance: int64(last),
            batchCap: uint64(d.between(0.02e18, 0.1e18)),
            lossBudget: uint64(d.below(3) == 0 ? d.between(0, 0.0001e18) : d.between(0, 0.02e18)),
            maxStep: uint64(d.below(2) == 0 ? d.between(0.001e18, 0.1e18) : d.between(0.1e18, 1e18)),
            dust: uint64(d.between(1e12, 1e15)),
            coolOff: coolOff,
            maxIdle: uint32(coolOff * d.between(1, 6))
        });
        if (l.firstTolerance > l.lastTolerance) l.firstTolerance = l.lastTolerance;
        uint64 band = uint64(d.below(3) == 0 ? d.below(0.1e18) : 0);
        // Of two cadences the shorter one counts while a change is ahead.
        Timetable memory t = rebalancer.timetable();
        bool fits = _fits(l, t.length) && (time >= t.begins || _fits(l, rebalancer.formerTimetable().length));
        try rebalancer.setLimits(l, band) {
            _hold(!trading, "limits do not change while trading");
            _hold(fits, "a short period gives nobody more");
            limits = l;
        } catch {
            _hold(trading || !fits || _short, "limits within bounds");
        }
    }

    /// @dev Whether limits are within those of a period of this length: a month's, or a part of them.
    function _fits(Limits memory l, uint256 length) private pure returns (bool) {
        if (length < 1 days || length >= 30 days) return true;
        return uint256(l.lossBudget) * 30 days <= 0.02e18 * length && uint256(l.maxStep) * 30 days <= 1e18 * length;
    }

    /// @notice Another timetable, one time in four: of months, quarters or so many seconds; refused while trading is
    /// open, and out of bounds: of months the notice lasts a day at least, of seconds an hour or a tenth of them.
    function setTimetable(uint256 seed) external {
        Draw memory d = Drawing.from(seed);
        if (d.below(4) != 0) return _discard();
        Timetable memory t = d.below(3) == 0 ? _seconds(d) : _months(d);
        uint256 floor = t.length <= 3 ? 1 days : _min(1 hours, t.length / 10);
        uint256 last = _current().id;
        try rebalancer.setTimetable(t) {
            _hold(!trading && t.minNotice >= floor, "notice before start");
            Limits memory l = rebalancer.limits();
            _hold(_fits(l, t.length), "a short period gives nobody more");
            if (t.length <= 3) _short = true;
        } catch (bytes memory reason) {
            // The first of calendar months may be too short, and limits too wide for what is shorter.
            bool fits = t.length > 3 && _fits(rebalancer.limits(), t.length);
            _hold(trading || t.minNotice < floor || !fits, "a timetable within bounds");
            _refused(reason);
        }
        _hold(_current().id == last, "the current period stays the current one");
    }

    function _months(Draw memory d) private pure returns (Timetable memory t) {
        uint256 noticeDays = d.between(1, 13);
        t.length = d.below(2) == 0 ? 1 : 3;
        t.day = ExecutionDay(d.below(3));
        t.fixedDay = uint8(d.between(1, 27 - noticeDays));
        t.notice = uint32(noticeDays * 1 days);
        t.minNotice = uint32(d.below(t.notice + 1));
        t.minTrading = uint32(d.below(1 days));
    }

    function _seconds(Draw memory d) private pure returns (Timetable memory t) {
        t.length = uint32(d.below(2) == 0 ? d.between(1 hours, 1 days) : d.between(1 days, 92 days));
        t.notice = uint32(d.between(t.length / 10, t.length / 3));
        t.minNotice = uint32(d.below(t.notice + 1));
        t.minTrading = uint32(d.below(t.length / 4));
    }

    /// @dev Changes what the methodology goes by.
    function _changeRule(Draw memory d) internal virtual;

    function setRule(uint256 seed) external {
        _changeRule(Drawing.from(seed));
    }

    /// @notice Another methodology, that says the same of what a basis is, takes the place of this one; refused while
    /// trading is open. A month that was determined is void.
    function replaceMethodology(uint256 seed) external {
        Draw memory d = Drawing.from(seed);
        if (d.below(8) != 0) return _discard();
        bool was = rebalancer.month().phase == Phase.Determined;
        (methodology, spare) = (spare, methodology);
        try rebalancer.setMethodology(methodology) {
            _hold(!trading, "the methodology does not change while trading");
        } catch (bytes memory reason) {
            _hold(trading, "the methodology can be replaced");
            return _refused(reason);
        }
        _hold(!was || rebalancer.month().phase == Phase.Voided, "what was determined is void");
        _changeRule(d);
    }

    /* MARKET */

    function movePrice(uint256 seed) external {
        Draw memory d = Drawing.from(seed);
        uint256 i = d.below(N);
        // Mostly a few percent, sometimes half or double; back into bounds where it has gone far.
        uint256 ratio = d.below(8) == 0 ? d.between(0.5e18, 2e18) : d.between(0.95e18, 1.05e18);
        uint256 to = lastPrice[i] * ratio / ONE;
        if (to > 1e24 || to < 1e14) to = 1e18;
        _setPrice(i, to);
        if (d.below(2) == 0) _setPool(i, ONE);
    }

    /// @notice A feed dies or stands at its floor; where one has it lives again.
    function killPrice(uint256 seed) external {
        Draw memory d = Drawing.from(seed);
        for (uint256 i; i < N; ++i) {
            if (price[i] == 0) return _setPrice(i, lastPrice[i]);
        }
        if (d.below(8) != 0) return _discard();
        if (d.below(2) == 0) _setWrong(d.below(N));
        else _setPrice(d.below(N), 0);
    }

    function movePool(uint256 seed) external {
        Draw memory d = Drawing.from(seed);
        _setPool(d.below(N), d.between(0.9e18, 1.1e18));
    }
}
