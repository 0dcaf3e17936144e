// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {ExecutionDay} from "../libraries/Schedule.sol";
import {ICalendar} from "./ICalendar.sol";
import {IFiller} from "./IFiller.sol";
import {IIndexToken} from "./IIndexToken.sol";
import {Constituent, IMethodology} from "./IMethodology.sol";
import {IOpener, OpeningPlan} from "./IOpener.sol";
import {IOracle} from "./IOracle.sol";

/// @notice Where the month stands.
/// Idle: nothing is open. Determined: constituents are known, holders may leave, the guardian may veto.
/// Vetoed: the period passes without a rebalance. Trading: targets are fixed and batches may come. Voided: what was
/// determined is void, as the methodology has been replaced; determine is due again.
enum Phase {
    Idle,
    Determined,
    Vetoed,
    Trading,
    Voided
}

/// @notice What anyone can do now.
enum Action {
    None,
    Determine,
    Start,
    Trade,
    Close
}

/// @notice Why `Action` is what it is.
enum Reason {
    Due, // the action may be called now
    Locked, // the fund's lock is held in this transaction
    Paused, // until `next`
    NotSeeded, // the index token holds nothing yet
    NotYet, // determined; start is due at `next`
    TooLate, // determined, but too little of the period is left to start
    Vetoed, // this period passes
    Done, // this period is done; the next one begins at `next`
    Refused // methodology or oracle refuses: the action would revert
}

/// @notice Side of a component during a month.
enum Side {
    Held, // not traded: at its target, suspended or written off, or without a sound price or balance
    Sell, // above its target at start
    Buy // below its target at start
}

/// @notice Bounds of what trading may do. Fractions have 18 decimals.
/// @param firstTolerance Tolerance of a batch right after the last one; negative: the fund must gain.
/// @param lastTolerance Tolerance once the bucket has been idle for `maxIdle`. At most 10 %.
/// @param batchCap Most value of one batch, as a share of NAV. At most 10 %.
/// @param lossBudget Most value lost in a month, as a share of NAV. At most 2 %, less for shorter periods.
/// @param maxStep Most that a component's weight may rise in a month; less than 100 % for shorter periods.
/// @param dust Surplus or deficit, as a share of NAV, at which a month counts as done. 0.0001 % to 0.1 %.
/// @param coolOff Seconds in which the bucket refills by `batchCap`. At least 60.
/// @param maxIdle Seconds of idle time the bucket can hold: `coolOff` to one day.
struct Limits {
    int64 firstTolerance;
    int64 lastTolerance;
    uint64 batchCap;
    uint64 lossBudget;
    uint64 maxStep;
    uint64 dust;
    uint32 coolOff;
    uint32 maxIdle;
}

/// @notice When things may happen, see `ICalendar`.
/// @dev In one slot.
/// @param length Of a period: 1 or 3 calendar months, or so many seconds, a day to 92 days; on test chains from an
/// hour.
/// @param day The execution day, for calendar months.
/// @param fixedDay Day of the month, for ExecutionDay.FixedDay.
/// @param notice Seconds before its first calendar month at which a period begins, a day to 14 days; where periods are
/// so many seconds long, those between its begin and the earliest start.
/// @param minNotice Least seconds between determination and start, at most `notice`: a day for calendar months, else an
/// hour or, if that is less, a tenth of a period. Notice, minNotice and minTrading are together shorter than a period.
/// @param minTrading Least seconds that must be left of the period at start.
/// @param begins When its first period begins. @param first Id of that period.
struct Timetable {
    uint32 length;
    ExecutionDay day;
    uint8 fixedDay;
    uint32 notice;
    uint32 minNotice;
    uint32 minTrading;
    uint40 begins;
    uint24 first;
}

/// @notice The month under way.
/// @dev In one slot.
/// @param period Id of the last determination's (see `ICalendar`); 0 before the first.
/// @param lastStop Last period that the guardian vetoed or ended.
/// @param determinedAt Time of the determination.
/// @param determination Packed constituents (see `Constituents`), once started as the start confirmed them.
struct Month {
    Phase phase;
    uint24 period;
    uint24 lastStop;
    uint40 determinedAt;
    address determination;
}

/// @notice What start fixed for the month's trading.
/// @param targets Packed targets, in the order of the index token's list (see `Targets`).
/// @param buyTargets Value of the targets of the buy side at start prices, share of NAV, 18 decimals.
/// @param nav NAV of one share (1e18) at start, USD with 18 decimals.
/// @param exponent The index token's fee exponent at start.
/// @param end Last second of the period.
struct Opening {
    address targets;
    uint64 buyTargets;
    uint128 nav;
    uint88 exponent;
    uint40 end;
}

/// @notice What trading changes, in one slot. The shares of NAV have 18 decimals and are at start prices.
/// @param tat Time up to which the bucket's capacity is used, in seconds x 2**24.
/// @param spent Losses so far; gains do not count against them.
/// @param surplus Value above target on the sell side that is not yet sold.
/// @param held Value held on the buy side, up to the targets.
struct Progress {
    uint64 tat;
    uint64 spent;
    uint64 surplus;
    uint64 held;
}

/// @notice A component's part of the month, in the order of the index token's list.
/// @param unit Target, token wei per 1e18 shares at start.
/// @param price USD for one whole token at start, 18 decimals, rounded down (see `Targets`); 0 if it had none.
struct Target {
    Side side;
    uint120 unit;
    uint128 price;
}

/// @notice A batch as its sender wants it. Indexes are positions in the index token's list.
/// @param sells Components on the sell side, ascending. One may stand in several consecutive entries, so that parts of
/// it go to different recipients.
/// @param amounts Most token wei to send out for each entry; a component's entries are clamped to its surplus in their
/// order.
/// @param recipients Who is sent each entry: a pool that the filler swaps in, or anybody; the zero address means the
/// filler.
/// @param buys Components on the buy side, strictly ascending, that may be credited.
/// @param minValueIn Least credited value in USD (18 decimals) that the sender wants for the fund.
/// @param filler Who fills the batch.
/// @param data Passed to the filler.
struct Order {
    uint256[] sells;
    uint256[] amounts;
    address[] recipients;
    uint256[] buys;
    uint256 minValueIn;
    IFiller filler;
    bytes data;
}

/// @notice What a batch did.
/// @param valueOut Value of what was sold, USD with 18 decimals at fresh prices, rounded up.
/// @param valueIn Value of what was credited, rounded down.
/// @param tolerance Tolerance it was held to, 18 decimals.
/// @param attainable Lambda: the part of its target up to which each buy was credited, 18 decimals; what came above was
/// a gift. The token amounts themselves are in the tokens' Transfer events.
struct Result {
    uint256 valueOut;
    uint256 valueIn;
    int256 tolerance;
    uint256 attainable;
}

/// @title IRebalancer
/// @notice Carries an index token through its month: determine -> start -> trade until done -> (close). Anyone may call
/// each of them; each succeeds exactly when `workable()` names it in the same block (a trade also needs a batch within
/// the bounds).
///
/// SETTLEMENT. A batch sends surplus components to a filler, or to whom its sender names for it, and then looks only at
/// balance differences: the value that came in must be at least value out x (1 - tolerance), at fresh oracle prices.
/// Sells are clamped to the surplus above target; what comes in above a component's limit is a gift and counts for
/// nothing. No inventory stays between batches.
///
/// BUCKET. Capacity refills with time as in a leaky bucket (GCRA, ITU-T I.371): idle = min(now - tat, maxIdle); a batch
/// of value share v needs v <= min(batchCap, idle x batchCap / coolOff); its tolerance opens linearly with idle; then
/// tat advances by v x coolOff / batchCap. A dust batch burns only dust of it and splitting gains nothing.
///
/// LOSS BUDGET. Losses of a month add up to at most `lossBudget`. A batch may lose as much of what is left of it as the
/// batch sells of what is left to sell, both at start prices, so that nobody can stop a month by spending it and parts
/// of a batch may together lose no more than the whole.
///
/// ATTAINABLE TARGETS. A buy is credited up to lambda x its target, lambda = (held + received + surplus left - what
/// that surplus may yet lose) / targets of the buy side, at start prices: costs are shared by all buys in proportion to
/// their targets and no filler can choose who is left short.
///
/// STATES. A component that is suspended or written off is out of trading from that block on, in an open month too:
/// what it had left to sell leaves the surplus, its target and what is held of it leave the buy side, and a month with
/// nothing else left ends. It stays out of that month even if its suspension ends.
///
/// BRAKES. Guardian and owner can let a determined month pass (`veto`), end an open one as it stands (`endMonth`), and
/// suspend a component; the guardian can stop everything for a while (`pauseFor`). All but the pause work while paused.
/// What the guardian does is bounded: a veto or an end not in two periods running, whatever their length becomes, a
/// pause of 3 days in any 30, a suspension of 7 days once a token in 30. The owner's vetoes and ends do not count, and
/// the owner's suspensions last until ended.
///
/// BAND. Where half the sum of what the weights are off their targets is below the band, and nothing held leaves the
/// index or its list, start ends the period as skipped: nothing is traded, no target written, nothing listed. It
/// confirms supplies and members as any start does, so that the index goes on.
///
/// MONTH. What one period does, whatever its length, is called its month.
///
/// PER SHARE. All limits are per share: minting, redeeming and fee accrual change none of them.
interface IRebalancer {
    /* ERRORS */

    /// @notice `action` is not due; `workable()` gives this reason.
    error NotDue(Action action, Reason reason);
    /// @notice Only the guardian (or the owner, where it says so) may call this.
    error NotGuardian(address caller);
    /// @notice An argument that must be a contract is not.
    error NotContract(address given);
    /// @notice The index token names another rebalancer.
    error WrongRebalancer(address expected);
    /// @notice Limits, timetable, methodology, feeds and anchors change only while no trading is open.
    error TradingOpen();
    /// @notice A limit is outside its hard bounds; `name` is the field.
    error LimitOutOfBounds(bytes32 name);
    /// @notice There is no determination that a veto could stop.
    error NothingToVeto();
    /// @notice There is no open month to end.
    error NothingToEnd();
    /// @notice The guardian vetoed or ended a month in this period or the one before; only the owner may again.
    error StoppedBefore(uint256 period);
    /// @notice Paused already.
    error PausedBefore(uint256 until);
    /// @notice Zero, or longer than what is left of `MAX_PAUSE` in these 30 days.
    error PauseOutOfBounds(uint256 duration, uint256 most);
    /// @notice There is no pause to end.
    error NotPaused();
    /// @notice The guardian suspended this token less than 30 days ago, and may again at `next`.
    error SuspendedBefore(address token, uint256 next);
    /// @notice The component is suspended already, by the guardian, or by the owner until ended.
    error AlreadySuspended(address token, uint256 until);
    /// @notice The component is not suspended. Only what is suspended can be resumed or written off.
    error NotSuspended(address token);
    /// @notice Arrays of a batch differ in length, or one is empty.
    error UnfitBatch();
    /// @notice Component indexes must ascend: strictly among the buys; among the sells one may be named again right
    /// after itself.
    error IndexesNotAscending(uint256 index);
    /// @notice There is no component with this index.
    error UnknownIndex(uint256 index);
    /// @notice This month the component is not on the side that the batch names.
    error WrongSide(address token, Side side);
    /// @notice A traded token has no price now, or one above all measure (2**100); zero address: the oracle did not
    /// answer for each.
    error NoPrice(address token);
    /// @notice The fund holds or aims at 2**128 token wei or more of a traded token.
    error AboveMeasure(address token);
    /// @notice Nothing left the fund.
    error NothingSold();
    /// @notice The batch's value is above what the bucket gives now. Both as shares of NAV, 18 decimals.
    error AboveCapacity(uint256 value, uint256 capacity);
    /// @notice The fund would get less than the tolerance allows. Both in USD, 18 decimals.
    error BelowTolerance(uint256 valueIn, uint256 least);
    /// @notice The fund would get less than the caller asked for. Both in USD, 18 decimals.
    error BelowMinimum(uint256 valueIn, uint256 minValueIn);
    /// @notice The month's losses would exceed the budget. Both as shares of NAV, 18 decimals.
    /// @dev A second line of defence: the tolerance is narrowed to the remaining budget, so no batch is known to get
    /// here.
    error AboveLossBudget(uint256 spent, uint256 budget);

    /* EVENTS */

    event Determined(uint256 indexed period, Constituent[] constituents);
    event Vetoed(uint256 indexed period, address by);
    event MonthEnded(uint256 indexed period, address by);
    /// @notice A component has gone out of an open month. @param targets Where the targets are packed now.
    event TakenOut(uint256 indexed period, address indexed token, address targets);
    /// @param targets Where the targets are packed (see `Targets`). @param basis What each weight came from,
    /// with its flags (see `Constituents`), in the order of the list, if any was read again at start and counts; else
    /// empty.
    event Started(uint256 indexed period, uint256 nav, address targets, uint256[] basis);
    /// @notice A start found the fund within its band. @param difference Half the sum of |target - held weight|, and
    /// `band`: shares of NAV, 18 decimals. @param basis As in `Started`.
    event Skipped(uint256 indexed period, uint256 difference, uint256 band, uint256[] basis);
    event Traded(uint256 indexed period, address indexed filler, Result result);
    event Closed(uint256 indexed period, uint256 surplus, uint256 deficit, uint256 spent);
    event PausedUntil(uint256 until);
    event LimitsSet(Limits limits, uint256 band);
    event TimetableSet(Timetable timetable);
    event MethodologySet(IMethodology methodology);
    event GuardianSet(address guardian);

    /* CONSTANTS */

    function INDEX() external view returns (IIndexToken);
    function ORACLE() external view returns (IOracle);
    function OPENER() external view returns (IOpener);
    function CALENDAR() external view returns (ICalendar);
    /// @notice Longest pause in any `WINDOW`, in seconds.
    function MAX_PAUSE() external view returns (uint256);
    /// @notice How long a guardian's suspension lasts, in seconds.
    function SUSPENSION() external view returns (uint256);
    /// @notice Seconds in which a guardian's pauses add up to at most `MAX_PAUSE`, and a token is suspended once.
    function WINDOW() external view returns (uint256);

    /* VIEWS */

    /// @notice What is due now, why, and when to look again (0: unknown). Never reverts. If it names Determine, Start
    /// or Close, that call succeeds in this block.
    function workable() external view returns (Action action, Reason reason, uint256 next);

    /// @notice True while targets are fixed and batches may come.
    function trading() external view returns (bool);

    function methodology() external view returns (IMethodology);
    function guardian() external view returns (address);
    function limits() external view returns (Limits memory);
    /// @notice Half the sum of |target - held weight| below which a period is skipped, 18 decimals; 0: none.
    function band() external view returns (uint64);
    /// @notice The last timetable set. It may begin later: see `formerTimetable`.
    function timetable() external view returns (Timetable memory);
    /// @notice The timetable before that, in effect until `timetable` begins; all zero for a fund that had no other.
    function formerTimetable() external view returns (Timetable memory);
    function month() external view returns (Month memory);
    function opening() external view returns (Opening memory);
    function progress() external view returns (Progress memory);
    /// @notice Until when the rebalancer is or was paused, and for how many seconds the guardian may pause now.
    function pause() external view returns (uint40 until, uint256 left);

    /// @notice Id of the period at this time (see `ICalendar`), never before the last one determined.
    function currentPeriod() external view returns (uint256);

    /// @notice What `determine` would take now. Reverts with the methodology's error, or the opener's, if they refuse.
    function previewDetermine() external view returns (Constituent[] memory);

    /// @notice What `start` would fix now. Reverts with the methodology's error, or the opener's, if they refuse.
    function previewStart() external view returns (OpeningPlan memory);

    /* ANYONE */

    /// @notice Takes the constituents of the period that has begun from the methodology.
    function determine() external;

    /// @notice Fixes target units at fresh prices and opens trading; within the band the period ends as skipped.
    function start() external;

    /// @notice Trades one batch.
    function trade(Order calldata order) external;

    /// @notice Ends the trading of a period that is over.
    function close() external;

    /* GUARDIAN */

    /// @notice Lets the determined period pass. Guardian or owner, see BRAKES.
    function veto() external;

    /// @notice Ends the open month as it stands: what was traded stays traded. Guardian or owner, see BRAKES.
    function endMonth() external;

    /// @notice Stops determine, start, trade and close for `duration` seconds. Guardian, for at most `MAX_PAUSE` in any
    /// `WINDOW`. The bucket stands still meanwhile; the period does not grow.
    function pauseFor(uint256 duration) external;

    /// @notice Ends a pause. Guardian or owner.
    function unpause() external;

    /// @notice Suspends a component: see STATES, and those of `IIndexToken`. By the guardian for `SUSPENSION` seconds,
    /// once a token in each `WINDOW`; by the owner until it is resumed, also where the guardian's runs.
    function suspend(address token) external;

    /* OWNER */

    /// @notice Ends a suspension.
    /// @dev Warning: mint and redeem rely again on what the token says of itself.
    function resume(address token) external;

    /// @notice Declares a suspended component worthless, for good: mint and redeem leave it out, and the next start
    /// takes it off the list. It cannot be listed again while the fund holds any.
    /// @dev Warning: what it is worth after that is nobody's. What may recover stays suspended.
    function writeOff(address token) external;

    function setGuardian(address guardian) external;
    /// @param band At most 10 %; 0: none. See BAND.
    function setLimits(Limits calldata limits, uint64 band) external;
    /// @notice Another timetable. `begins`: from the end of the current period on, at most 92 days ahead; 0: as
    /// soon as it fits, see `ICalendar.change`. `first` is not read. Limits and timetable must fit each
    /// other, see SCALE in `ICalendar`. Setting another one before it begins replaces it.
    function setTimetable(Timetable calldata timetable) external;
    /// @notice Another methodology. A determination that has not been started is void, and determine is due again. What
    /// the last started month confirmed is handed on if both say the same of what a basis is.
    function setMethodology(IMethodology methodology) external;
}
