// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";

import {ICalendar} from "./interfaces/ICalendar.sol";
import {IIndexToken} from "./interfaces/IIndexToken.sol";
import {Constituent, IMethodology} from "./interfaces/IMethodology.sol";
import {IOpener, OpeningPlan} from "./interfaces/IOpener.sol";
import {IOracle} from "./interfaces/IOracle.sol";
import {Action, Limits, Month, Opening, Order, Phase, Progress, Reason, Timetable} from "./interfaces/IRebalancer.sol";
import {BatchCalls} from "./libraries/BatchCalls.sol";
import {Bounds} from "./libraries/Bounds.sol";
import {Bucket} from "./libraries/Bucket.sol";
import {ComponentList} from "./libraries/ComponentList.sol";
import {Constituents} from "./libraries/Constituents.sol";
import {PackedPeriod} from "./libraries/PackedPeriod.sol";
import {Batch, Settlement, Standing} from "./libraries/Settlement.sol";
import {Targets} from "./libraries/Targets.sol";
import {Words} from "./libraries/Words.sol";
import {RebalancerBrakes} from "./rebalancer/RebalancerBrakes.sol";
import {RebalancerSetters} from "./rebalancer/RebalancerSetters.sol";
import {RebalancerState} from "./rebalancer/RebalancerState.sol";

/// @title Rebalancer
/// @notice See `IRebalancer` for the specification. It holds no tokens: fillers are called from here. The month is
/// here; storage and plain views, brakes, and setters have a file each in `rebalancer/`.
contract Rebalancer is RebalancerBrakes, RebalancerSetters {
    using BatchCalls for uint256;
    using PackedPeriod for uint256;

    /* MODIFIERS */

    /// @dev Keeps the period under way. So what asks for it before its end, as start does, reads one slot and calls
    /// nobody.
    modifier keepingPeriod() {
        _latest = _period();
        _;
    }

    /// @dev Runs an action that is due, under the fund's lock.
    modifier due(Action action) {
        INDEX.lock();
        (Action now_, Reason reason,) = _due();
        require(now_ == action, NotDue(action, reason));
        _;
        INDEX.unlock();
    }

    /* CONSTRUCTOR */

    /// @param index The index token, deployed with this contract's address as its rebalancer.
    /// @param owner The timelock.
    constructor(
        IIndexToken index,
        IOracle oracle,
        IOpener opener,
        ICalendar calendar,
        IMethodology methodology_,
        address owner,
        address guardian_,
        Limits memory limits_,
        uint64 band_,
        Timetable memory timetable_
    ) RebalancerState(index, oracle, opener, calendar, owner) {
        _setMethodology(methodology_);
        _setGuardian(guardian_);
        // Limits are held against the timetable.
        _setTimetable(timetable_);
        _setLimits(limits_, band_);
    }

    /* VIEWS */

    function workable() external view returns (Action action, Reason reason, uint256 next) {
        if (INDEX.locked()) return (Action.None, Reason.Locked, 0);
        (action, reason, next) = _due();
        // Determine and start also depend on what methodology and oracle answer: try them dry.
        if (action == Action.Determine) {
            try this.previewDetermine() {}
            catch {
                (action, reason) = (Action.None, Reason.Refused);
            }
        } else if (action == Action.Start) {
            try this.previewStart() {}
            catch {
                (action, reason) = (Action.None, Reason.Refused);
            }
        }
    }

    function previewDetermine() public view returns (Constituent[] memory) {
        // An idle month was started: what its start confirmed counts. Any other never was.
        bool started = _month.phase == Phase.Idle;
        return OPENER.constituents(INDEX, ORACLE, _rules.methodology, _month.determination, started);
    }

    function previewStart() public view returns (OpeningPlan memory) {
        // What is dropped is lost to the holders: no more than the least dust that a month may end with.
        uint256 maxDrop = Bounds.MIN_DUST;
        return OPENER.plan(INDEX, ORACLE, _rules.methodology, _month.determination, _bounded.maxStep, maxDrop);
    }

    /* ANYONE */

    function determine() external keepingPeriod due(Action.Determine) {
        Constituent[] memory list = previewDetermine();
        uint24 period = _latest.id();
        _month = Month({
            phase: Phase.Determined,
            period: period,
            lastStop: _month.lastStop,
            determinedAt: uint40(block.timestamp),
            determination: Constituents.write(list)
        });
        emit Determined(period, list);
    }

    function start() external due(Action.Start) {
        OpeningPlan memory p = previewStart();
        uint256 period = _month.period;
        if (p.confirmed.length != 0) _month.determination = Words.write(p.confirmed);
        uint256 band_ = _rules.band;
        if (p.difference < band_ && !p.leaves) {
            _month.phase = Phase.Idle;
            emit Skipped(period, p.difference, band_, p.basis);
            return;
        }
        address targets = Targets.write(p.targets);
        _opening = Opening({
            targets: targets, buyTargets: p.buyTargets, nav: p.nav, exponent: p.exponent, end: _period().end() - 1
        });
        _progress = Progress({tat: uint64(block.timestamp * Bucket.SCALE), spent: 0, surplus: p.surplus, held: p.held});
        _month.phase = Phase.Trading;
        if (p.changed) INDEX.setComponents(ComponentList.unpack(p.list));
        emit Started(period, p.nav, targets, p.basis);
        if (_done(p.surplus, p.held, p.buyTargets, _bounded.dust)) _close();
    }

    function trade(Order calldata order) external {
        Standing memory fund = _lockForTrading();
        Batch memory b = Settlement.open(fund, address(INDEX), ORACLE, _limits(), _opening, _progress, order);
        b.encodedCalls.settle(b.index);
        b.encodedCalls.fill(order.filler);
        Progress memory next = Settlement.check(b, order.minValueIn);
        _progress = next;
        emit Traded(_month.period, address(order.filler), b.result);
        if (_done(next.surplus, next.held, b.buyTargets, b.limits.dust)) _close();
        INDEX.unlock();
    }

    function close() external due(Action.Close) {
        _close();
    }

    /* INTERNAL */

    /// @dev Takes the fund's lock for a trade that is due, as `due` does, and what a batch has to know of the fund, in
    /// one call.
    function _lockForTrading() private returns (Standing memory fund) {
        (fund.list, fund.supply, fund.exponent) = INDEX.lockForTrading();
        (Action now_, Reason reason,) = _due();
        require(now_ == Action.Trade, NotDue(Action.Trade, reason));
    }

    /// @dev The one place that knows what is due. Reads storage and the index token only, and does not revert.
    function _due() private view returns (Action, Reason, uint256 next) {
        uint256 pausedUntil = _bounded.pausedUntil;
        if (block.timestamp < pausedUntil) return (Action.None, Reason.Paused, pausedUntil);
        Month storage m = _month;
        if (m.phase == Phase.Trading) {
            return (block.timestamp > _opening.end ? Action.Close : Action.Trade, Reason.Due, _opening.end + 1);
        }
        uint256 p = _period();
        uint256 end = p.end();
        if (m.period != p.id() || m.phase == Phase.Voided) {
            if (INDEX.componentsPointer() == address(0)) return (Action.None, Reason.NotSeeded, 0);
            return (Action.Determine, Reason.Due, end);
        }
        if (m.phase == Phase.Vetoed) return (Action.None, Reason.Vetoed, end);
        if (m.phase == Phase.Idle) return (Action.None, Reason.Done, end);
        if (block.timestamp + p.minTrading() > end) return (Action.None, Reason.TooLate, end);
        uint256 earliest = Math.max(p.execution(), uint256(m.determinedAt) + p.minNotice());
        if (block.timestamp < earliest) return (Action.None, Reason.NotYet, earliest);
        return (Action.Start, Reason.Due, end - p.minTrading());
    }
}
