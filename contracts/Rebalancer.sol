// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";

import {Owned} from "./access/Owned.sol";
import {ICalendar, Period} from "./interfaces/ICalendar.sol";
import {IIndexToken} from "./interfaces/IIndexToken.sol";
import {Constituent, IMethodology} from "./interfaces/IMethodology.sol";
import {IOpener, OpeningPlan, Remainder} from "./interfaces/IOpener.sol";
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
import {Component, ComponentList} from "./libraries/ComponentList.sol";
import {Constituents} from "./libraries/Constituents.sol";
import {Batch, Settlement, Standing} from "./libraries/Settlement.sol";
import {Targets} from "./libraries/Targets.sol";
import {Words} from "./libraries/Words.sol";

/// @title Rebalancer
/// @notice See `IRebalancer` for the specification. It holds no tokens: fillers are called from here.
contract Rebalancer is IRebalancer, Owned {
    using BatchCalls for uint256;

    /* CONSTANTS AND IMMUTABLES */

    uint256 public constant MAX_PAUSE = 3 days;
    uint256 public constant SUSPENSION = 7 days;
    uint256 public constant WINDOW = 30 days;
    uint40 private constant UNTIL_ENDED = type(uint40).max;

    IIndexToken public immutable INDEX;
    IOracle public immutable ORACLE;
    IOpener public immutable OPENER;
    ICalendar public immutable CALENDAR;

    /* STORAGE */

    Month private _month;
    Opening private _opening;
    Progress private _progress;
    Bounded private _bounded;
    Rules private _rules;
    Timetable private _former;
    Timetable private _timetable;
    Guard private _guard;
    /// @dev When the guardian last suspended a token.
    mapping(address token => uint256 time) private _suspendedAt;

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
    }

    /// @dev The guardian, when the last pause began, and the seconds of the pauses that count against `MAX_PAUSE`, in
    /// one slot.
    struct Guard {
        address guardian;
        uint40 pausedAt;
        uint24 pauseUsed;
    }

    /// @dev Methodology and band, which a start reads, in one slot.
    struct Rules {
        IMethodology methodology;
        uint64 band;
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

    modifier onlyGuardianOrOwner() {
        require(msg.sender == _guard.guardian || msg.sender == owner(), NotGuardian(msg.sender));
        _;
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
    ) Owned(owner) {
        require(address(oracle).code.length != 0, NotContract(address(oracle)));
        require(address(opener).code.length != 0, NotContract(address(opener)));
        require(address(calendar).code.length != 0, NotContract(address(calendar)));
        require(index.REBALANCER() == address(this), WrongRebalancer(index.REBALANCER()));
        INDEX = index;
        ORACLE = oracle;
        OPENER = opener;
        CALENDAR = calendar;
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

    function trading() external view returns (bool) {
        return _month.phase == Phase.Trading;
    }

    function limits() external view returns (Limits memory) {
        return _limits();
    }

    function pause() external view returns (uint40 until, uint256 left) {
        return (_bounded.pausedUntil, MAX_PAUSE - _pauseUsed());
    }

    function guardian() external view returns (address) {
        return _guard.guardian;
    }

    function methodology() external view returns (IMethodology) {
        return _rules.methodology;
    }

    function band() external view returns (uint64) {
        return _rules.band;
    }

    function timetable() external view returns (Timetable memory) {
        return _timetable;
    }

    function formerTimetable() external view returns (Timetable memory) {
        return _former;
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
        return _period().id;
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

    function determine() external due(Action.Determine) {
        Constituent[] memory list = previewDetermine();
        uint256 period = currentPeriod();
        _month = Month({
            phase: Phase.Determined,
            period: uint24(period),
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
            targets: targets, buyTargets: p.buyTargets, nav: p.nav, exponent: p.exponent, end: uint40(_period().end - 1)
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

    /* GUARDIAN */

    function veto() external onlyGuardianOrOwner locking {
        uint256 period = _month.period;
        require(_month.phase == Phase.Determined && period == currentPeriod(), NothingToVeto());
        _countStop(period);
        _month.phase = Phase.Vetoed;
        emit Vetoed(period, msg.sender);
    }

    function endMonth() external onlyGuardianOrOwner locking {
        uint256 period = _month.period;
        require(_month.phase == Phase.Trading, NothingToEnd());
        _countStop(period);
        emit MonthEnded(period, msg.sender);
        _close();
    }

    function pauseFor(uint256 duration) external locking {
        require(msg.sender == _guard.guardian, NotGuardian(msg.sender));
        uint256 pausedUntil = _bounded.pausedUntil;
        require(block.timestamp >= pausedUntil, PausedBefore(pausedUntil));
        uint256 used = _pauseUsed();
        require(duration != 0 && duration <= MAX_PAUSE - used, PauseOutOfBounds(duration, MAX_PAUSE - used));
        uint256 until = block.timestamp + duration;
        (_guard.pausedAt, _guard.pauseUsed) = (uint40(block.timestamp), uint24(used + duration));
        _bounded.pausedUntil = uint40(until);
        _moveTat(until);
        emit PausedUntil(until);
    }

    function unpause() external onlyGuardianOrOwner locking {
        uint256 until = _bounded.pausedUntil;
        require(block.timestamp < until, NotPaused());
        uint256 rest = until - block.timestamp;
        // Idle time is counted from the end of the pause (see `pauseFor`): bring that end to now.
        _progress.tat -= uint64(rest * Bucket.SCALE);
        _guard.pauseUsed -= uint24(rest);
        _bounded.pausedUntil = uint40(block.timestamp);
        emit PausedUntil(block.timestamp);
    }

    function suspend(address token) external onlyGuardianOrOwner locking {
        uint40 until = _suspendedUntil(token);
        if (msg.sender == owner()) {
            require(until != UNTIL_ENDED, AlreadySuspended(token, until));
            until = UNTIL_ENDED;
        } else {
            require(block.timestamp >= until, AlreadySuspended(token, until));
            uint256 last = _suspendedAt[token];
            require(last == 0 || block.timestamp >= last + WINDOW, SuspendedBefore(token, last + WINDOW));
            _suspendedAt[token] = block.timestamp;
            until = uint40(block.timestamp + SUSPENSION);
        }
        INDEX.setState(token, until, false);
        if (_month.phase == Phase.Trading) _takeOut(token);
    }

    /* OWNER */

    function resume(address token) external onlyOwner locking {
        require(block.timestamp < _suspendedUntil(token), NotSuspended(token));
        INDEX.setState(token, 0, false);
    }

    function writeOff(address token) external onlyOwner locking {
        // What is suspended is not traded in an open month, so that nothing of it has to be taken out here.
        require(block.timestamp < _suspendedUntil(token), NotSuspended(token));
        INDEX.setState(token, 0, true);
    }

    function setGuardian(address guardian_) external onlyOwner locking {
        _setGuardian(guardian_);
    }

    function setLimits(Limits calldata limits_, uint64 band_) external onlyOwner betweenMonths locking {
        _setLimits(limits_, band_);
    }

    function setTimetable(Timetable calldata timetable_) external onlyOwner betweenMonths locking {
        _setTimetable(timetable_);
    }

    function setMethodology(IMethodology methodology_) external onlyOwner betweenMonths locking {
        IMethodology before = _rules.methodology;
        _setMethodology(methodology_);
        // A basis may mean something else to another methodology.
        bytes32 basis = _basisOf(methodology_);
        if (basis == 0 || basis != _basisOf(before)) _month.determination = address(0);
        if (_month.phase == Phase.Determined) _month.phase = Phase.Voided;
    }

    /* INTERNAL: MONTH */

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
        Period memory p = _period();
        uint256 end = p.end;
        if (m.period != p.id || m.phase == Phase.Voided) {
            if (INDEX.componentsPointer() == address(0)) return (Action.None, Reason.NotSeeded, 0);
            return (Action.Determine, Reason.Due, end);
        }
        if (m.phase == Phase.Vetoed) return (Action.None, Reason.Vetoed, end);
        if (m.phase == Phase.Idle) return (Action.None, Reason.Done, end);
        if (block.timestamp + p.minTrading > end) return (Action.None, Reason.TooLate, end);
        uint256 earliest = Math.max(p.execution, m.determinedAt + p.minNotice);
        if (block.timestamp < earliest) return (Action.None, Reason.NotYet, earliest);
        return (Action.Start, Reason.Due, end - p.minTrading);
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

    /// @dev The period now. The former timetable is read only while it is in effect.
    function _period() private view returns (Period memory) {
        return CALENDAR.period(_former, _timetable, block.timestamp);
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

    /// @dev Counts a veto or an end against the guardian.
    function _countStop(uint256 period) private {
        if (msg.sender == owner()) return;
        require(uint256(_month.lastStop) + 1 < period, StoppedBefore(_month.lastStop));
        _month.lastStop = uint24(period);
    }

    /// @dev Seconds of pauses that count against `MAX_PAUSE`. They are forgotten a `WINDOW` after the last pause began:
    /// of two pauses in any window only the last of the forgotten ones can be among them, and it loses on one side what
    /// the new ones gain on the other.
    function _pauseUsed() private view returns (uint256) {
        return block.timestamp >= _guard.pausedAt + WINDOW ? 0 : _guard.pauseUsed;
    }

    /// @dev Takes a component out of the open month.
    function _takeOut(address token) private {
        Remainder memory left = OPENER.without(INDEX, _opening, _progress, token);
        if (left.targets.length == 0) return;
        address targets = Targets.write(left.targets);
        (_opening.targets, _opening.buyTargets) = (targets, left.buyTargets);
        (_progress.surplus, _progress.held) = (left.surplus, left.held);
        emit TakenOut(_month.period, token, targets);
        if (_done(left.surplus, left.held, left.buyTargets, _bounded.dust)) _close();
    }

    /// @dev Time before which a component that is not written off is suspended.
    function _suspendedUntil(address token) private view returns (uint40) {
        Component[] memory list = INDEX.components();
        for (uint256 i; i < list.length; ++i) {
            if (list[i].token != token) continue;
            require(!list[i].writtenOff, IIndexToken.WrittenOff(token));
            return list[i].suspendedUntil;
        }
        revert IIndexToken.NotComponent(token);
    }

    /// @dev What a methodology says that a basis is; 0 if it does not say.
    function _basisOf(IMethodology methodology_) private view returns (bytes32 basis) {
        try methodology_.BASIS() returns (bytes32 found) {
            basis = found;
        } catch {}
    }

    /// @dev Keeps the idle time of now for the moment `time`, to which the bucket stands still.
    function _moveTat(uint256 time) private {
        uint256 idle = Bucket.idleX24(_progress.tat, _bounded.maxIdle);
        _progress.tat = uint64(Math.max(time * Bucket.SCALE - idle, _progress.tat));
    }

    /* INTERNAL: SETTERS */

    function _setGuardian(address guardian_) private {
        _guard.guardian = guardian_;
        emit GuardianSet(guardian_);
    }

    function _setLimits(Limits memory limits_, uint64 band_) private {
        CALENDAR.check(limits_, band_, _former, _timetable);
        Bounded storage b = _bounded;
        (b.firstTolerance, b.lastTolerance) = (limits_.firstTolerance, limits_.lastTolerance);
        (b.batchCap, b.lossBudget) = (limits_.batchCap, limits_.lossBudget);
        (b.maxStep, b.dust) = (limits_.maxStep, limits_.dust);
        (b.coolOff, b.maxIdle) = (limits_.coolOff, limits_.maxIdle);
        _rules.band = band_;
        emit LimitsSet(limits_, band_);
    }

    function _setTimetable(Timetable memory timetable_) private {
        (Timetable memory former, Timetable memory next) = CALENDAR.change(_former, _timetable, timetable_, _limits());
        (_former, _timetable) = (former, next);
        emit TimetableSet(next);
    }

    function _setMethodology(IMethodology methodology_) private {
        require(address(methodology_).code.length != 0, NotContract(address(methodology_)));
        _rules.methodology = methodology_;
        emit MethodologySet(methodology_);
    }
}
