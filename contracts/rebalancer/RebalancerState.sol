// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Owned} from "../access/Owned.sol";
import {ICalendar} from "../interfaces/ICalendar.sol";
import {IIndexToken} from "../interfaces/IIndexToken.sol";
import {IMethodology} from "../interfaces/IMethodology.sol";
import {IOpener} from "../interfaces/IOpener.sol";
import {IOracle} from "../interfaces/IOracle.sol";
import {IRebalancer, Limits, Month, Opening, Phase, Progress, Timetable} from "../interfaces/IRebalancer.sol";
import {PackedPeriod} from "../libraries/PackedPeriod.sol";

/// @title RebalancerState
/// @notice What a rebalancer stores and shows, and what both its month and its brakes use. See `IRebalancer`.
abstract contract RebalancerState is IRebalancer, Owned {
    using PackedPeriod for uint256;

    /* CONSTANTS AND IMMUTABLES */

    uint256 public constant MAX_PAUSE = 3 days;
    uint256 public constant SUSPENSION = 7 days;
    uint256 public constant WINDOW = 30 days;

    IIndexToken public immutable INDEX;
    IOracle public immutable ORACLE;
    IOpener public immutable OPENER;
    ICalendar public immutable CALENDAR;

    /* STORAGE */

    Month internal _month;
    Opening internal _opening;
    Progress internal _progress;
    Bounded internal _bounded;
    Rules internal _rules;
    Timetable internal _former;
    Timetable internal _timetable;
    /// @dev The period that was looked up last, packed (see `PackedPeriod`): the one under way until its end.
    uint256 internal _latest;
    Guard internal _guard;

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

    /// @param owner The timelock.
    constructor(IIndexToken index, IOracle oracle, IOpener opener, ICalendar calendar, address owner) Owned(owner) {
        require(address(oracle).code.length != 0, NotContract(address(oracle)));
        require(address(opener).code.length != 0, NotContract(address(opener)));
        require(address(calendar).code.length != 0, NotContract(address(calendar)));
        require(index.REBALANCER() == address(this), WrongRebalancer(index.REBALANCER()));
        INDEX = index;
        ORACLE = oracle;
        OPENER = opener;
        CALENDAR = calendar;
    }

    /* VIEWS */

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
        return _period().id();
    }

    /* INTERNAL */

    function _limits() internal view returns (Limits memory) {
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

    /// @dev The period now, packed.
    function _period() internal view returns (uint256 latest) {
        latest = _latest;
        if (block.timestamp >= latest.end()) latest = _lookUpPeriod();
    }

    /// @dev Asks the calendar. The former timetable is read only while it is in effect.
    function _lookUpPeriod() internal view returns (uint256) {
        Timetable storage former = block.timestamp < _timetable.begins ? _former : _timetable;
        return CALENDAR.current(former, _timetable);
    }

    /// @dev Seconds of pauses that count against `MAX_PAUSE`. They are forgotten a `WINDOW` after the last pause began:
    /// of two pauses in any window only the last of the forgotten ones can be among them, and it loses on one side what
    /// the new ones gain on the other.
    function _pauseUsed() internal view returns (uint256) {
        return block.timestamp >= _guard.pausedAt + WINDOW ? 0 : _guard.pauseUsed;
    }

    /// @dev Nothing above dust is left to sell, or nothing to buy.
    function _done(uint256 surplus, uint256 held, uint256 buyTargets, uint256 dust) internal pure returns (bool) {
        return surplus <= dust || held + dust >= buyTargets;
    }

    function _close() internal {
        Progress memory p = _progress;
        _month.phase = Phase.Idle;
        uint256 goal = _opening.buyTargets;
        emit Closed(_month.period, p.surplus, goal > p.held ? goal - p.held : 0, p.spent);
    }
}
