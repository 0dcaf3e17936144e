// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Ownable} from "@openzeppelin/contracts/access/Ownable.sol";
import {Address} from "@openzeppelin/contracts/utils/Address.sol";
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
import {Schedule} from "./libraries/Schedule.sol";
import {Batch, Settlement, Standing} from "./libraries/Settlement.sol";
import {Targets} from "./libraries/Targets.sol";
import {Words} from "./libraries/Words.sol";

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
    Limits private _limits;
    Timetable private _timetable;

    struct Pause {
        uint40 until;
        uint32 period;
    }

    Pause public pause;
    IMethodology public methodology;
    address public guardian;

    /* MODIFIERS */

    /// @dev Runs an action that is due, under the fund's lock.
    modifier due(Action action) {
        (Action now_, Reason reason,) = _due();
        require(now_ == action, NotDue(action, reason));
        INDEX.lock();
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
        (action, reason, next) = _due();
        // Determine and start also depend on what methodology and oracle answer: try them dry.
        if (action == Action.Determine) {
            try this.previewDetermine() {}
            catch {
                (action, reason) = (Action.None, Reason.Refused);
            }
        } else if (action == Action.Start) {
            (bool answers,) = address(OPENER).staticcall(_planCall());
            if (!answers) (action, reason) = (Action.None, Reason.Refused);
        }
    }

    function trading() external view returns (bool) {
        return _month.phase == Phase.Trading;
    }

    function limits() external view returns (Limits memory) {
        return _limits;
    }

    function timetable() external view returns (Timetable memory) {
        return _timetable;
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
        // A shorter notice must not bring back a period that has been.
        return Math.max(Schedule.periodAt(block.timestamp, _timetable.noticeDays), _month.period);
    }

    function previewDetermine() public view returns (Constituent[] memory list) {
        list = methodology.determine(ORACLE, INDEX, Targets.readConstituents(_month.determination));
        require(list.length != 0 && list.length <= MAX_CANDIDATES, UnfitConstituents());
        address previous;
        for (uint256 i; i < list.length; ++i) {
            bool weighed = list[i].basis != 0 || list[i].status != Status.Included;
            require(list[i].token > previous && weighed, UnfitConstituents());
            previous = list[i].token;
        }
    }

    /* ANYONE */

    function determine() external due(Action.Determine) {
        Constituent[] memory list = previewDetermine();
        uint256 period = currentPeriod();
        _month.phase = Phase.Determined;
        _month.period = uint32(period);
        _month.determinedAt = uint40(block.timestamp);
        _month.previous = _month.determination;
        _month.determination = Targets.write(list);
        emit Determined(period, list);
    }

    function start() external due(Action.Start) {
        OpeningPlan memory p = abi.decode(Address.functionStaticCall(address(OPENER), _planCall()), (OpeningPlan));
        uint256 period = _month.period;
        _opening = Opening({
            targets: Words.write(p.targets),
            buyTargets: p.buyTargets,
            nav: p.nav,
            exponent: p.exponent,
            end: uint40(Schedule.periodStart(period + 1, _timetable.noticeDays) - 1)
        });
        _progress = Progress({
            tat: uint64(block.timestamp * Bucket.SCALE),
            spent: 0,
            surplus: p.surplus,
            held: p.held
        });
        _month.phase = Phase.Trading;
        if (p.changed) INDEX.setComponents(ComponentList.unpack(p.list));
        emit Started(period, p.nav, _opening.targets, p.basis);
        if (_finished()) _close();
    }

    function trade(Order calldata order) external {
        Standing memory fund = _lockForTrading();
        Batch memory b = Settlement.open(fund, address(INDEX), ORACLE, _limits, _opening, _progress, order);
        b.sheet.settle(b.index);
        b.sheet.fill(order.filler);
        Progress memory next = Settlement.check(b, order.minValueIn);
        _progress = next;
        emit Traded(_month.period, address(order.filler), b.result);
        if (_done(next, b.limits.dust, b.buyTargets)) _close();
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
        _month.lastVeto = uint32(period);
        emit Vetoed(period, msg.sender);
    }

    function pauseFor(uint256 duration) external locking {
        require(msg.sender == guardian, NotGuardian(msg.sender));
        require(duration != 0 && duration <= MAX_PAUSE, PauseOutOfBounds(duration, MAX_PAUSE));
        uint256 period = currentPeriod();
        require(block.timestamp >= pause.until && pause.period != period, PauseUsed(period));
        uint256 until = block.timestamp + duration;
        pause = Pause(uint40(until), uint32(period));
        _moveTat(until);
        emit PausedUntil(until);
    }

    function unpause() external locking {
        require(msg.sender == guardian || msg.sender == owner(), NotGuardian(msg.sender));
        require(block.timestamp < pause.until, NotPaused());
        // Idle time is counted from the end of the pause (see `pauseFor`): bring that end to now.
        _progress.tat -= uint64((pause.until - block.timestamp) * Bucket.SCALE);
        pause.until = uint40(block.timestamp);
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
        try INDEX.lockForTrading() returns (address list, uint256 supply, uint256 exponent) {
            fund = Standing(list, supply, exponent);
        } catch {
            revert NotDue(Action.Trade, Reason.Locked);
        }
        (Action now_, Reason reason,) = _dueUnlocked();
        require(now_ == Action.Trade, NotDue(Action.Trade, reason));
    }

    /// @dev The one place that knows what is due. Reads storage and the index token only, and does not revert.
    function _due() private view returns (Action, Reason, uint256 next) {
        if (INDEX.locked()) return (Action.None, Reason.Locked, 0);
        return _dueUnlocked();
    }

    /// @dev As `_due`, whoever holds the lock.
    function _dueUnlocked() private view returns (Action, Reason, uint256 next) {
        if (block.timestamp < pause.until) return (Action.None, Reason.Paused, pause.until);
        Month storage m = _month;
        if (m.phase == Phase.Trading) {
            return (block.timestamp > _opening.end ? Action.Close : Action.Trade, Reason.Due, _opening.end + 1);
        }
        if (INDEX.componentsPointer() == address(0)) return (Action.None, Reason.NotSeeded, 0);

        Timetable memory t = _timetable;
        uint256 period = currentPeriod();
        uint256 end = Schedule.periodStart(period + 1, t.noticeDays);
        if (m.period != period) return (Action.Determine, Reason.Due, end);
        if (m.phase == Phase.Vetoed) return (Action.None, Reason.Vetoed, end);
        if (m.phase == Phase.Idle) return (Action.None, Reason.Done, end);
        if (block.timestamp + t.minTrading > end) return (Action.None, Reason.TooLate, end);
        uint256 earliest =
            Math.max(Schedule.executionTime(period, t.day, t.fixedDay), uint256(m.determinedAt) + t.minNotice);
        if (block.timestamp < earliest) return (Action.None, Reason.NotYet, earliest);
        return (Action.Start, Reason.Due, end - t.minTrading);
    }

    /// @dev The call that asks the opener for the month's plan.
    function _planCall() private view returns (bytes memory) {
        return abi.encodeCall(
            IOpener.plan, (INDEX, ORACLE, methodology, _month.determination, _month.previous, _limits.maxStep)
        );
    }

    /// @dev Nothing above dust is left to sell, or nothing to buy.
    function _finished() private view returns (bool) {
        return _done(_progress, _limits.dust, _opening.buyTargets);
    }

    /// @dev As `_finished`, of what has been read already.
    function _done(Progress memory p, uint256 dust, uint256 buyTargets) private pure returns (bool) {
        return p.surplus <= dust || p.held + dust >= buyTargets;
    }

    function _close() private {
        Progress memory p = _progress;
        _month.phase = Phase.Idle;
        uint256 goal = _opening.buyTargets;
        emit Closed(_month.period, p.surplus, goal > p.held ? goal - p.held : 0, p.spent);
    }

    /// @dev Keeps the idle time of now for the moment `time`, to which the bucket stands still.
    function _moveTat(uint256 time) private {
        uint256 idle = Bucket.idleX24(_progress.tat, _limits.maxIdle);
        _progress.tat = uint64(Math.max(time * Bucket.SCALE - idle, _progress.tat));
    }

    /* INTERNAL: SETTERS */

    function _setGuardian(address guardian_) private {
        guardian = guardian_;
        emit GuardianSet(guardian_);
    }

    function _setLimits(Limits memory limits_) private {
        Bounds.check(limits_);
        _limits = limits_;
        emit LimitsSet(limits_);
    }

    function _setTimetable(Timetable memory timetable_) private {
        Bounds.check(timetable_);
        _timetable = timetable_;
        emit TimetableSet(timetable_);
    }

    function _setMethodology(IMethodology methodology_) private {
        require(address(methodology_).code.length != 0, NotContract(address(methodology_)));
        methodology = methodology_;
        emit MethodologySet(methodology_);
    }
}
