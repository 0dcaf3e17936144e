// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {ExecutionDay} from "../libraries/Schedule.sol";
import {IFiller} from "./IFiller.sol";
import {IIndexToken} from "./IIndexToken.sol";
import {Constituent, IMethodology} from "./IMethodology.sol";
import {IOpener} from "./IOpener.sol";
import {IOracle} from "./IOracle.sol";

/// @notice Where the month stands.
/// Idle: nothing is open. Determined: constituents are known, holders may leave, the guardian may veto.
/// Vetoed: the period passes without a rebalance. Trading: targets are fixed and batches may come.
enum Phase {
    Idle,
    Determined,
    Vetoed,
    Trading
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
    Held, // not traded: at its target, retired, or without a price
    Sell, // above its target at start
    Buy // below its target at start
}

/// @notice Bounds of what trading may do. Fractions have 18 decimals.
/// @param firstTolerance Tolerance of a batch right after the last one; negative: the fund must gain.
/// @param lastTolerance Tolerance once the bucket has been idle for `maxIdle`. At most 10 %.
/// @param batchCap Most value of one batch, as a share of NAV. At most 10 %.
/// @param lossBudget Most value lost in a month, as a share of NAV. At most 2 %.
/// @param maxStep Most that a component's weight may rise in a month.
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

/// @notice When things may happen.
/// @param day The execution day.
/// @param fixedDay Day of the month, for ExecutionDay.FixedDay.
/// @param noticeDays Days before the calendar month at which its period begins, 1 to 14.
/// @param minNotice Least seconds between determination and start, at most `noticeDays`.
/// @param minTrading Least seconds that must be left of the period at start.
struct Timetable {
    ExecutionDay day;
    uint8 fixedDay;
    uint8 noticeDays;
    uint32 minNotice;
    uint32 minTrading;
}

/// @notice The month under way.
/// @param period See `Schedule`: year * 12 + month - 1 of the last determination; 0 before the first.
/// @param lastVeto Last period that was vetoed.
/// @param determinedAt Time of the determination.
/// @param determination Packed constituents (see `Targets`). `previous`: those of the determination before.
struct Month {
    Phase phase;
    uint32 period;
    uint32 lastVeto;
    uint40 determinedAt;
    address determination;
    address previous;
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
/// @param price USD for one whole token at start, 18 decimals; 0 if it had none.
struct Target {
    Side side;
    uint120 unit;
    uint128 price;
}

/// @notice A batch as its sender wants it. Indexes are positions in the index token's list.
/// @param sells Components on the sell side, ascending. One may stand in several consecutive entries, so that parts of it go
/// to different recipients.
/// @param amounts Most token wei to send out for each entry; a component's entries are clamped to its surplus in their order.
/// @param recipients Who is sent each entry: a pool that the filler swaps in, or anybody; the zero address means the filler.
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
/// @param attainable Lambda: the part of its target up to which each buy was credited, 18 decimals; what came above was a
/// gift. The token amounts themselves are in the tokens' Transfer events.
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
/// balance differences: the value that came in must be at least value out x (1 - tolerance), at fresh oracle prices. Sells
/// are clamped to the surplus above target; what comes in above a component's limit is a gift and counts for nothing. No
/// inventory stays between batches.
///
/// BUCKET. Capacity refills with time as in a leaky bucket (GCRA, ITU-T I.371): idle = min(now - tat, maxIdle); a batch
/// of value share v needs v <= min(batchCap, idle x batchCap / coolOff); its tolerance opens linearly with idle; then tat
/// advances by v x coolOff / batchCap. A dust batch burns only dust of it and splitting gains nothing.
///
/// LOSS BUDGET. Losses of a month add up to at most `lossBudget`. A batch may lose as much of what is left of it as the
/// batch sells of what is left to sell, both at start prices, so that nobody can stop a month by spending it and parts of
/// a batch may together lose no more than the whole.
///
/// ATTAINABLE TARGETS. A buy is credited up to lambda x its target, lambda = (held + received + surplus left - what that
/// surplus may yet lose) / targets of the buy side, at start prices: costs are shared by all buys in proportion to
/// their targets and no filler can choose who is left short.
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
    /// @notice Limits, timetable, oracle and methodology change only while no trading is open.
    error TradingOpen();
    /// @notice A limit is outside its hard bounds; `name` is the field.
    error LimitOutOfBounds(bytes32 name);
    /// @notice There is no determination that a veto could stop.
    error NothingToVeto();
    /// @notice The guardian vetoed the period before; only the owner may veto again.
    error VetoedBefore(uint256 period);
    /// @notice Already paused, or the guardian has used this period's pause.
    error PauseUsed(uint256 period);
    /// @notice Longer than `MAX_PAUSE`, or zero.
    error PauseOutOfBounds(uint256 duration, uint256 most);
    /// @notice There is no pause to end.
    error NotPaused();
    /// @notice The methodology returned constituents that do not ascend, are included with basis 0, or are too many (100).
    error UnfitConstituents();
    /// @notice Arrays of a batch differ in length, or one is empty.
    error UnfitBatch();
    /// @notice Component indexes must ascend: strictly among the buys; among the sells one may be named again right after itself.
    error IndexesNotAscending(uint256 index);
    /// @notice There is no component with this index.
    error UnknownIndex(uint256 index);
    /// @notice This month the component is not on the side that the batch names.
    error WrongSide(address token, Side side);
    /// @notice A traded token has no price now (zero address: the oracle did not answer for each).
    error NoPrice(address token);
    /// @notice Nothing left the fund.
    error NothingSold();
    /// @notice The batch's value is above what the bucket gives now. Both as shares of NAV, 18 decimals.
    error AboveCapacity(uint256 value, uint256 capacity);
    /// @notice The fund would get less than the tolerance allows. Both in USD, 18 decimals.
    error BelowTolerance(uint256 valueIn, uint256 least);
    /// @notice The fund would get less than the caller asked for. Both in USD, 18 decimals.
    error BelowMinimum(uint256 valueIn, uint256 minValueIn);
    /// @notice The month's losses would exceed the budget. Both as shares of NAV, 18 decimals.
    /// @dev A second line of defence: the tolerance is narrowed to the remaining budget, so no batch is known to get here.
    error AboveLossBudget(uint256 spent, uint256 budget);

    /* EVENTS */

    event Determined(uint256 indexed period, Constituent[] constituents);
    event Vetoed(uint256 indexed period, address by);
    /// @param targets Where the targets are packed (see `Targets`). @param basis What each weight came from, as
    /// confirmed at start, in the order of the list.
    event Started(uint256 indexed period, uint256 nav, address targets, uint256[] basis);
    event Traded(uint256 indexed period, address indexed filler, Result result);
    event Closed(uint256 indexed period, uint256 surplus, uint256 deficit, uint256 spent);
    event PausedUntil(uint256 until);
    event LimitsSet(Limits limits);
    event TimetableSet(Timetable timetable);
    event MethodologySet(IMethodology methodology);
    event GuardianSet(address guardian);

    /* CONSTANTS */

    function INDEX() external view returns (IIndexToken);
    function ORACLE() external view returns (IOracle);
    function OPENER() external view returns (IOpener);
    /// @notice Longest pause, in seconds.
    function MAX_PAUSE() external view returns (uint256);

    /* VIEWS */

    /// @notice What is due now, why, and when to look again (0: unknown). Never reverts. If it names Determine, Start or
    /// Close, that call succeeds in this block.
    function workable() external view returns (Action action, Reason reason, uint256 next);

    /// @notice True while targets are fixed and batches may come.
    function trading() external view returns (bool);

    function methodology() external view returns (IMethodology);
    function guardian() external view returns (address);
    function limits() external view returns (Limits memory);
    function timetable() external view returns (Timetable memory);
    function month() external view returns (Month memory);
    function opening() external view returns (Opening memory);
    function progress() external view returns (Progress memory);
    /// @notice Until when the rebalancer is paused, and the period whose pause the guardian used last.
    function pause() external view returns (uint40 until, uint32 period);

    /// @notice The period at this time (see `Schedule`), never before the last one determined.
    function currentPeriod() external view returns (uint256);

    /// @notice What `determine` would take now. Reverts with the methodology's error if it refuses.
    function previewDetermine() external view returns (Constituent[] memory);

    /* ANYONE */

    /// @notice Takes the constituents of the period that has begun from the methodology.
    function determine() external;

    /// @notice Fixes target units at fresh prices and opens trading.
    function start() external;

    /// @notice Trades one batch.
    function trade(Order calldata order) external;

    /// @notice Ends the trading of a period that is over.
    function close() external;

    /* GUARDIAN */

    /// @notice Lets the determined period pass. The guardian not twice running; the owner always.
    function veto() external;

    /// @notice Stops determine, start, trade and close for `duration` seconds; once in a period. The bucket stands still
    /// meanwhile; the period does not grow.
    function pauseFor(uint256 duration) external;

    /// @notice Ends a pause. Guardian or owner.
    function unpause() external;

    /* OWNER */

    function setGuardian(address guardian) external;
    function setLimits(Limits calldata limits) external;
    function setTimetable(Timetable calldata timetable) external;
    /// @notice Another methodology. A determination that has not been started is void, and determine is due again.
    function setMethodology(IMethodology methodology) external;
}
