// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Ownable} from "@openzeppelin/contracts/access/Ownable.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";

import {IIndexToken} from "./interfaces/IIndexToken.sol";
import {Constituent, IMethodology, Status} from "./interfaces/IMethodology.sol";
import {IOpener, OpeningPlan} from "./interfaces/IOpener.sol";
import {IOracle} from "./interfaces/IOracle.sol";
import {
    Action,
    IRebalancer,
    Limits,
    Month,
    Opening,
    Order,
    Phase,
    Progress,
    Reason,
    Timetable
} from "./interfaces/IRebalancer.sol";
import {BatchCalls} from "./libraries/BatchCalls.sol";
import {Bounds} from "./libraries/Bounds.sol";
import {Bucket} from "./libraries/Bucket.sol";
import {ComponentList} from "./libraries/ComponentList.sol";
import {Constituents} from "./libraries/Constituents.sol";
import {ExecutionDay, Schedule} from "./libraries/Schedule.sol";
import {Batch, Settlement, Standing} from "./libraries/Settlement.sol";
import {Targets} from "./libraries/Targets.sol";

/// @title Rebalancer
/// @notice See `IRebalancer` for the specification. It holds no tokens: fillers are called from here.
contract Rebalancer is IRebalancer, Ownable {
    using BatchCalls for uint256;

    /* CONSTANTS AND IMMUTABLES */

    uint256 public constant MAX_PAUSE = 3 days;
    uint256 private constant MAX_CANDIDATES = 100;

    IIndexToken public immutable INDEX;
    IOracle public immutable ORACLE;
    IOpener public immutable OPENER;

    /* STORAGE */

    Month private _month;
    Opening private _opening;
    Progress private _progress;
    Bounded private _bounded;
    Rules private _rules;
    address public guardian;

    /// @dev The limits, see `Limits`, and the pause beside them: two slots, of which start reads one.
    struct Bounded {
        int64 firstTolerance;
        int64 lastTolerance;
        uint64 batchCap;
        uint64 lossBudget;
        uint64 maxStep;
        uint64 dust;
        uint32 coolOff;
        uint32 maxIdle;
        uint40 pausedUntil;
        uint24 pausePeriod;
    }

    /// @dev Methodology and timetable, in one slot.
    struct Rules {
        IMethodology methodology;
        ExecutionDay day;
        uint8 fixedDay;
        uint8 noticeDays;
        uint32 minNotice;
        uint32 minTrading;
    }

    /* MODIFIERS */

    /// @dev Runs an action that is due, under the fund's lock.
    modifier due(Action action) {
        INDEX.lock();
        (Action now_, Reason reason,) = _due();
        require(now_ == action, NotDue(action, reason));
        _;
        INDEX.unlock();
    }

    /// @dev Runs a setter under the fund's lock.
    modifier locking() {
        INDEX.lock();
        _;
        INDEX.unlock();
    }

    modifier betweenMonths() {
        require(_month.phase != Phase.Trading, TradingOpen());
        _;
    }

    /* CONSTRUCTOR */

    /// @param index The index token, deployed with this contract's address as its rebalancer.
    /// @param owner The timelock.
    constructor(
        IIndexToken index,
        IOracle oracle,
        IOpener opener,
        IMethodology methodology_,
        address owner,
        address guardian_,
        Limits memory limits_,
        Timetable memory timetable_
    ) Ownable(owner) {
        require(address(oracle).code.length != 0, NotContract(address(oracle)));
        require(address(opener).code.length != 0, NotContract(address(opener)));
        require(index.REBALANCER() == address(this), WrongRebalancer(index.REBALANCER()));
        INDEX = index;
        ORACLE = oracle;
        OPENER = opener;
        _setMethodology(methodology_);
        _setGuardian(guardian_);
        _setLimits(limits_);
        _setTimetable(timetable_);
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

    function trading() external view returns (bool) {
        return _month.phase == Phase.Trading;
    }

    function limits() external view returns (Limits memory) {
        return _limits();
    }

    function pause() external view returns (uint40 until, uint24 period) {
        return (_bounded.pausedUntil, _bounded.pausePeriod);
    }

    function methodology() external view returns (IMethodology) {
        return _rules.methodology;
    }

    function timetable() external view returns (Timetable memory) {
        Rules memory r = _rules;
        return Timetable(r.day, r.fixedDay, r.noticeDays, r.minNotice, r.minTrading);
    }

    function month() external view returns (Month memory) {
        return _month;
    }

    function opening() external view returns (Opening memory) {
        return _opening;
    }

    function progress() external view returns (Progress memory) {
        return _progress;
    }

    function currentPeriod() public view returns (uint256) {
        return _periodNow(_rules.noticeDays);
    }

    function previewDetermine() public view returns (Constituent[] memory list) {
        list = _rules.methodology.determine(ORACLE, INDEX, Constituents.read(_month.determination));
        require(list.length != 0 && list.length <= MAX_CANDIDATES, UnfitConstituents());
        address previous;
        for (uint256 i; i < list.length; ++i) {
            bool weighed = list[i].basis != 0 || list[i].status != Status.Included;
            bool fits = list[i].token > previous && list[i].price < Constituents.PRICE_LIMIT;
            require(weighed && fits, UnfitConstituents());
            previous = list[i].token;
        }
    }

    function previewStart() public view returns (OpeningPlan memory) {
        return OPENER.plan(INDEX, ORACLE, _rules.methodology, _month.determination, _bounded.maxStep);
    }

    /* ANYONE */

    function determine() external due(Action.Determine) {
        Constituent[] memory list = previewDetermine();
        uint256 period = currentPeriod();
        _month = Month({
            phase: Phase.Determined,
            period: uint24(period),
            lastVeto: _month.lastVeto,
            determinedAt: uint40(block.timestamp),
            determination: Constituents.write(list)
        });
        emit Determined(period, list);
    }

    function start() external due(Action.Start) {
        OpeningPlan memory p = previewStart();
        uint256 period = _month.period;
        address targets = Targets.write(p.targets);
        _opening = Opening({
            targets: targets,
            buyTargets: p.buyTargets,
            nav: p.nav,
            exponent: p.exponent,
            end: uint40(Schedule.periodStart(period + 1, _rules.noticeDays) - 1)
        });
        _progress = Progress({
            tat: uint64(block.timestamp * Bucket.SCALE),
            spent: 0,
            surplus: p.surplus,
            held: p.held
        });
        _month.phase = Phase.Trading;
        if (p.changed) INDEX.setComponents(ComponentList.unpack(p.list));
        emit Started(period, p.nav, targets, p.basis);
        if (_done(p.surplus, p.held, p.buyTargets, _bounded.dust)) _close();
    }

    function trade(Order calldata order) external {
        Standing memory fund = _lockForTrading();
        Batch memory b = Settlement.open(fund, address(INDEX), ORACLE, _limits(), _opening, _progress, order);
        b.sheet.settle(b.index);
        b.sheet.fill(order.filler);
        Progress memory next = Settlement.check(b, order.minValueIn);
        _progress = next;
        emit Traded(_month.period, address(order.filler), b.result);
        if (_done(next.surplus, next.held, b.buyTargets, b.limits.dust)) _close();
        INDEX.unlock();
    }

    function close() external due(Action.Close) {
        _close();
    }

    /* GUARDIAN */

    function veto() external locking {
        bool byOwner = msg.sender == owner();
        require(byOwner || msg.sender == guardian, NotGuardian(msg.sender));
        uint256 period = _month.period;
        require(_month.phase == Phase.Determined && period == currentPeriod(), NothingToVeto());
        require(byOwner || _month.lastVeto + 1 != period, VetoedBefore(_month.lastVeto));
        _month.phase = Phase.Vetoed;
        _month.lastVeto = uint24(period);
        emit Vetoed(period, msg.sender);
    }

    function pauseFor(uint256 duration) external locking {
        require(msg.sender == guardian, NotGuardian(msg.sender));
        require(duration != 0 && duration <= MAX_PAUSE, PauseOutOfBounds(duration, MAX_PAUSE));
        uint256 period = currentPeriod();
        require(block.timestamp >= _bounded.pausedUntil && _bounded.pausePeriod != period, PauseUsed(period));
        uint256 until = block.timestamp + duration;
        (_bounded.pausedUntil, _bounded.pausePeriod) = (uint40(until), uint24(period));
        _moveTat(until);
        emit PausedUntil(until);
    }

    function unpause() external locking {
        require(msg.sender == guardian || msg.sender == owner(), NotGuardian(msg.sender));
        uint256 until = _bounded.pausedUntil;
        require(block.timestamp < until, NotPaused());
        // Idle time is counted from the end of the pause (see `pauseFor`): bring that end to now.
        _progress.tat -= uint64((until - block.timestamp) * Bucket.SCALE);
        _bounded.pausedUntil = uint40(block.timestamp);
        emit PausedUntil(block.timestamp);
    }

    /* OWNER */

    function setGuardian(address guardian_) external onlyOwner locking {
        _setGuardian(guardian_);
    }

    function setLimits(Limits calldata limits_) external onlyOwner betweenMonths locking {
        _setLimits(limits_);
    }

    function setTimetable(Timetable calldata timetable_) external onlyOwner betweenMonths locking {
        _setTimetable(timetable_);
    }

    function setMethodology(IMethodology methodology_) external onlyOwner betweenMonths locking {
        _setMethodology(methodology_);
        // A basis means something else to another methodology: nothing determined by the old one may reach the new.
        _month.determination = address(0);
        if (_month.phase == Phase.Determined) (_month.phase, _month.period) = (Phase.Idle, _month.period - 1);
    }

    /* INTERNAL: MONTH */

    /// @dev Takes the fund's lock for a trade that is due, as `due` does, and what a batch has to know of the fund, in one call.
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
        Rules memory t = _rules;
        uint256 period = _periodNow(t.noticeDays);
        uint256 end = Schedule.periodStart(period + 1, t.noticeDays);
        if (m.period != period) {
            if (INDEX.componentsPointer() == address(0)) return (Action.None, Reason.NotSeeded, 0);
            return (Action.Determine, Reason.Due, end);
        }
        if (m.phase == Phase.Vetoed) return (Action.None, Reason.Vetoed, end);
        if (m.phase == Phase.Idle) return (Action.None, Reason.Done, end);
        if (block.timestamp + t.minTrading > end) return (Action.None, Reason.TooLate, end);
        uint256 earliest =
            Math.max(Schedule.executionTime(period, t.day, t.fixedDay), uint256(m.determinedAt) + t.minNotice);
        if (block.timestamp < earliest) return (Action.None, Reason.NotYet, earliest);
        return (Action.Start, Reason.Due, end - t.minTrading);
    }

    function _limits() private view returns (Limits memory) {
        Bounded memory b = _bounded;
        return Limits({
            firstTolerance: b.firstTolerance,
            lastTolerance: b.lastTolerance,
            batchCap: b.batchCap,
            lossBudget: b.lossBudget,
            maxStep: b.maxStep,
            dust: b.dust,
            coolOff: b.coolOff,
            maxIdle: b.maxIdle
        });
    }

    /// @dev The period now, for this notice. A shorter notice must not bring back a period that has been.
    function _periodNow(uint256 noticeDays) private view returns (uint256) {
        return Math.max(Schedule.periodAt(block.timestamp, noticeDays), _month.period);
    }

    /// @dev Nothing above dust is left to sell, or nothing to buy.
    function _done(uint256 surplus, uint256 held, uint256 buyTargets, uint256 dust) private pure returns (bool) {
        return surplus <= dust || held + dust >= buyTargets;
    }

    function _close() private {
        Progress memory p = _progress;
        _month.phase = Phase.Idle;
        uint256 goal = _opening.buyTargets;
        emit Closed(_month.period, p.surplus, goal > p.held ? goal - p.held : 0, p.spent);
    }

    /// @dev Keeps the idle time of now for the moment `time`, to which the bucket stands still.
    function _moveTat(uint256 time) private {
        uint256 idle = Bucket.idleX24(_progress.tat, _bounded.maxIdle);
        _progress.tat = uint64(Math.max(time * Bucket.SCALE - idle, _progress.tat));
    }

    /* INTERNAL: SETTERS */

    function _setGuardian(address guardian_) private {
        guardian = guardian_;
        emit GuardianSet(guardian_);
    }

    function _setLimits(Limits memory limits_) private {
        Bounds.check(limits_);
        Bounded storage b = _bounded;
        (b.firstTolerance, b.lastTolerance) = (limits_.firstTolerance, limits_.lastTolerance);
        (b.batchCap, b.lossBudget) = (limits_.batchCap, limits_.lossBudget);
        (b.maxStep, b.dust) = (limits_.maxStep, limits_.dust);
        (b.coolOff, b.maxIdle) = (limits_.coolOff, limits_.maxIdle);
        emit LimitsSet(limits_);
    }

    function _setTimetable(Timetable memory timetable_) private {
        Bounds.check(timetable_);
        _rules.day = timetable_.day;
        _rules.fixedDay = timetable_.fixedDay;
        _rules.noticeDays = timetable_.noticeDays;
        _rules.minNotice = timetable_.minNotice;
        _rules.minTrading = timetable_.minTrading;
        emit TimetableSet(timetable_);
    }

    function _setMethodology(IMethodology methodology_) private {
        require(address(methodology_).code.length != 0, NotContract(address(methodology_)));
        _rules.methodology = methodology_;
        emit MethodologySet(methodology_);
    }
}
