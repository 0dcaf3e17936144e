// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";

import {DynamicArrayLib} from "solady/src/utils/DynamicArrayLib.sol";

import {IIndexToken} from "../interfaces/IIndexToken.sol";
import {IOracle} from "../interfaces/IOracle.sol";
import {IRebalancer, Limits, Opening, Order, Progress, Result, Side} from "../interfaces/IRebalancer.sol";
import {Balance} from "./Balance.sol";
import {BatchCalls} from "./BatchCalls.sol";
import {Bucket} from "./Bucket.sol";
import {ComponentList} from "./ComponentList.sol";
import {Domain} from "./Domain.sol";
import {StreamingFee} from "./StreamingFee.sol";
import {Targets} from "./Targets.sol";
import {Value} from "./Value.sol";
import {Words} from "./Words.sol";

/// @notice The fund as it stands when a batch begins, see `IIndexToken.lockForTrading`.
struct Standing {
    address list;
    uint256 supply;
    uint256 exponent;
}

/// @notice A batch in flight. `was` is the month's progress before it.
/// @param nav NAV at start prices per share, times the supply in shares of the start: USD with 18 decimals.
/// @param encodedCalls The calls that it makes (see `BatchCalls`).
/// @param sold How many components are sold. They are the first of the lists, each component once; what is bought
/// follows, up to `count`.
/// @param ones Token wei of one whole token. @param startPrices USD for one whole token at the start, 18 decimals.
/// @param balances Of the index token before the filler was called.
/// @param targets Balances at which each is at its target, rounded up for sells and down for buys.
/// @param counted Of a buy: token wei that came, up to the target.
/// @param prices USD for one whole token now, 18 decimals.
/// @param result What `check` finds.
struct Batch {
    address index;
    Limits limits;
    Progress was;
    uint256 buyTargets;
    uint256 nav;
    uint256 encodedCalls;
    uint256 sold;
    uint256 count;
    uint256[] tokens;
    uint256[] ones;
    uint256[] startPrices;
    uint256[] balances;
    uint256[] targets;
    uint256[] counted;
    uint256[] prices;
    Result result;
}

/// @title Settlement
/// @notice The rules of one batch, see `IRebalancer`. `open` reads everything once before the filler is called; `check`
/// looks at balance differences after it.
/// @dev Arithmetic on a component is not checked: balances and targets have Domain.TRADED_BITS and prices are at most
/// Domain.PRICE_LIMIT, or the batch is refused. Sums over 50 stay below 2**234.
library Settlement {
    using BatchCalls for uint256;
    using BatchCalls for IOracle;
    using ComponentList for uint256;
    using DynamicArrayLib for uint256[];
    using SafeCast for uint256;
    using Words for address[];
    using Words for uint256[];

    uint256 private constant SELL = uint256(Side.Sell);
    uint256 private constant BUY = uint256(Side.Buy);

    /* BEFORE THE FILLER */

    /// @dev What `open` works with until all components of the batch stand: number of components of the fund, supply in
    /// shares of the start, and the lists of the encoded calls.
    struct BatchDraft {
        uint256[] list;
        bytes targets;
        uint256 n;
        uint256 shares;
        uint256[] sells;
        uint256[] amounts;
        uint256[] recipients;
        uint256[] buys;
    }

    /// @notice Reads list, targets, prices and balances for a batch and clamps each sell to its surplus.
    function open(
        Standing memory fund,
        address index,
        IOracle oracle,
        Limits memory limits,
        Opening memory opening,
        Progress memory was,
        Order calldata order
    ) internal view returns (Batch memory b) {
        BatchDraft memory d;
        (b.index, b.limits, b.was, b.buyTargets) = (index, limits, was, opening.buyTargets);
        d.shares = _startShares(fund.supply, opening.exponent, fund.exponent);
        // {USD} = {USD / 1e18 share} * {share} / {1e18}
        b.nav = opening.nav * d.shares / 1e18;
        (d.list, d.targets) = (Words.read(fund.list), Targets.read(opening.targets));
        d.n = Math.min(d.list.length, Targets.count(d.targets));
        _readComponents(b, d, order);
        _price(b, oracle);
    }

    /// @dev Each component sold, then each bought.
    function _readComponents(Batch memory b, BatchDraft memory d, Order calldata order) private view {
        uint256 n = order.sells.length;
        require(n != 0 && n == order.amounts.length && n == order.recipients.length, IRebalancer.UnfitBatch());
        uint256 bought = order.buys.length;
        require(bought != 0, IRebalancer.UnfitBatch());
        uint256 most = n + bought;
        b.tokens = BatchCalls.newTokens(most);
        (b.ones, b.startPrices) = (DynamicArrayLib.malloc(most), DynamicArrayLib.malloc(most));
        (b.balances, b.targets) = (DynamicArrayLib.malloc(most), DynamicArrayLib.malloc(most));
        b.counted = DynamicArrayLib.malloc(most);
        // forge fmt joins it, a character too long.
        // solhint-disable-next-line max-line-length
        (b.encodedCalls, d.sells, d.amounts, d.recipients, d.buys) = BatchCalls.newCalls(b.index, n, bought, order.data);
        _openSells(b, d, order);
        b.sold = b.count;
        _openBuys(b, d, order.buys);
        // Several sells may be of one component.
        b.tokens.truncate(b.count);
    }

    /// @dev Clamps the entries of each component, in their order, to its surplus.
    function _openSells(Batch memory b, BatchDraft memory d, Order calldata order) private view {
        (uint256[] calldata indexes, uint256[] calldata wanted) = (order.sells, order.amounts);
        uint256 next; // least index that a new component may have
        address token;
        uint256 left; // of the component's surplus, {tok}
        for (uint256 k; k < indexes.length; ++k) {
            uint256 i = indexes.given(k);
            unchecked {
                // Below the number of components, or refused. `left` is never less than `amount`.
                if (i + 1 != next || k == 0) {
                    require(i >= next, IRebalancer.IndexesNotAscending(i));
                    (token, left) = _openSell(b, d, i);
                    next = i + 1;
                }
                uint256 amount = wanted.given(k);
                if (amount > left) amount = left;
                left -= amount;
                d.amounts.set(k, amount);
            }
            d.sells.set(k, token);
            address to = order.recipients.given(k);
            d.recipients.set(k, to == address(0) ? address(order.filler) : to);
        }
    }

    /// @dev Adds component `i` of the fund, and returns what of it may be sold.
    function _openSell(Batch memory b, BatchDraft memory d, uint256 i)
        private
        view
        returns (address token, uint256 surplus)
    {
        uint256 added;
        (added, token) = _add(b, d, i, SELL);
        (uint256 balance, uint256 target) = (b.balances.get(added), b.targets.get(added));
        unchecked {
            surplus = balance > target ? balance - target : 0;
        }
    }

    function _openBuys(Batch memory b, BatchDraft memory d, uint256[] calldata indexes) private view {
        uint256 n = indexes.length;
        uint256 next;
        for (uint256 k; k < n; ++k) {
            uint256 i = indexes.given(k);
            require(i >= next, IRebalancer.IndexesNotAscending(i));
            (, address token) = _add(b, d, i, BUY);
            d.buys.set(k, token);
            unchecked {
                // Below the number of components.
                next = i + 1;
            }
        }
    }

    /// @dev Adds component `i` of the fund; returns its position in the batch, and its token.
    function _add(Batch memory b, BatchDraft memory d, uint256 i, uint256 side)
        private
        view
        returns (uint256 k, address token)
    {
        require(i < d.n, IRebalancer.UnknownIndex(i));
        uint256 word = d.list.get(i);
        (uint256 found, uint256 unit, uint256 startPrice) = Targets.at(d.targets, i);
        token = word.token();
        // `require` would work its error's arguments out each time.
        if (found != side) revert IRebalancer.WrongSide(token, Side(found));
        unchecked {
            k = b.count++;
            // Domain.TARGET_BITS and 128 of shares. {tok} = {tok / 1e18 share} * {share} / {1e18}, against the batch:
            // no sell below target, no buy above it
            uint256 scaled = unit * d.shares;
            uint256 goal = scaled / 1e18;
            if (side == SELL && goal * 1e18 != scaled) ++goal;
            uint256 balance = Balance.read(token, b.index);
            require((balance | goal) >> Domain.TRADED_BITS == 0, IRebalancer.AboveMeasure(token));
            b.tokens.set(k, token);
            b.ones.set(k, Value.oneOf(word.decimals()));
            b.startPrices.set(k, startPrice);
            b.balances.set(k, balance);
            b.targets.set(k, goal);
        }
    }

    /// @dev The prices of all components, asked for once: of a second source the one that is worse for the batch.
    function _price(Batch memory b, IOracle oracle) private view {
        uint256[] memory prices = oracle.pricesOf(b.tokens, b.sold);
        uint256 n = prices.length;
        for (uint256 k; k < n; ++k) {
            unchecked {
                // Zero wraps around.
                if (prices.get(k) - 1 >= Domain.PRICE_LIMIT) revert IRebalancer.NoPrice(b.tokens.getAddress(k));
            }
        }
        b.prices = prices;
    }

    /* AFTER THE FILLER */

    /// @notice Measures what left and what came, and reverts unless every rule holds.
    /// @return next The month's progress after the batch.
    function check(Batch memory b, uint256 minValueIn) internal view returns (Progress memory next) {
        uint256 sold = _measureSells(b);
        next.surplus = (b.was.surplus > sold ? b.was.surplus - sold : 0).toUint64();
        next.held = b.was.held + _creditBuys(b, next.surplus);

        Limits memory l = b.limits;
        uint256 value = Math.ceilDiv(b.result.valueOut * 1e18, b.nav); // {1e18} = {USD} / {USD}
        uint256 idle = Bucket.idleX24(b.was.tat, l.maxIdle);
        uint256 capacity = Bucket.capacity(idle, l.batchCap, l.coolOff);
        require(value <= capacity, IRebalancer.AboveCapacity(value, capacity));
        next.tat = Bucket.consume(b.was.tat, value, l.batchCap, l.coolOff, l.maxIdle);

        b.result.tolerance = _tolerance(l, b.was, idle, sold, value);
        _requireValue(b.result, minValueIn);
        next.spent = _spend(b);
    }

    /// @dev The post-condition: what came in is worth what the tolerance and the sender ask for.
    function _requireValue(Result memory r, uint256 minValueIn) private pure {
        // {USD} = {USD} * {1e18} / {1e18}, up
        uint256 least = Math.ceilDiv(r.valueOut * uint256(1e18 - r.tolerance), 1e18);
        require(r.valueIn >= least, IRebalancer.BelowTolerance(r.valueIn, least));
        require(r.valueIn >= minValueIn, IRebalancer.BelowMinimum(r.valueIn, minValueIn));
    }

    /// @dev Losses of the month after the batch; gains do not refill the budget.
    function _spend(Batch memory b) private pure returns (uint64) {
        uint256 loss = b.result.valueOut > b.result.valueIn ? b.result.valueOut - b.result.valueIn : 0;
        uint256 spent = b.was.spent + Math.ceilDiv(loss * 1e18, b.nav);
        require(spent <= b.limits.lossBudget, IRebalancer.AboveLossBudget(spent, b.limits.lossBudget));
        return spent.toUint64();
    }

    /// @dev Fills in `valueOut`; returns what was sold as a share of NAV at start prices, rounded down.
    function _measureSells(Batch memory b) private view returns (uint256) {
        (address index, uint256 n) = (b.index, b.sold);
        uint256 valueOut;
        uint256 atStart;
        for (uint256 k; k < n; ++k) {
            uint256 balance = Balance.read(b.tokens.getAddress(k), index);
            uint256 before = b.balances.get(k);
            if (balance >= before) continue;
            unchecked {
                // Balances of Domain.TRADED_BITS before; sums as above.
                (uint256 sold, uint256 one) = (before - balance, b.ones.get(k));
                valueOut += Value.upPer(sold, b.prices.get(k), one);
                atStart += Value.downPer(sold, b.startPrices.get(k), one);
            }
        }
        require(valueOut != 0, IRebalancer.NothingSold());
        b.result.valueOut = valueOut;
        return atStart * 1e18 / b.nav; // {1e18} = {USD} * {1e18} / {USD}
    }

    /// @dev Fills in `valueIn` and `attainable`; returns what was credited as a share of NAV at start prices, rounded
    /// down.
    function _creditBuys(Batch memory b, uint256 surplusLeft) private view returns (uint64) {
        (uint256 valueIn, uint256 atStart) = _countBuys(b);
        uint256 lambda = _lambda(b, surplusLeft, atStart * 1e18 / b.nav);
        uint256 n = b.count;
        for (uint256 k = b.sold; k < n; ++k) {
            (uint256 counted, uint256 before) = (b.counted.get(k), b.balances.get(k));
            unchecked {
                // A target of Domain.TRADED_BITS; nothing is taken off that was not counted.
                // {tok} = {tok} * {1e18} / {1e18}, down
                uint256 goal = b.targets.get(k) * lambda / 1e18;
                if (counted == 0 || goal >= before + counted) continue;
                // It counts up to the goal only.
                uint256 credited = goal > before ? goal - before : 0;
                (uint256 value, uint256 valueAtStart) = _worth(b, k, counted);
                (valueIn, atStart) = (valueIn - value, atStart - valueAtStart);
                (value, valueAtStart) = _worth(b, k, credited);
                (valueIn, atStart) = (valueIn + value, atStart + valueAtStart);
            }
        }
        (b.result.valueIn, b.result.attainable) = (valueIn, lambda);
        return (atStart * 1e18 / b.nav).toUint64();
    }

    /// @dev Fills in what of each buy counts up to its full target; returns what it is worth in USD now and at the
    /// start.
    function _countBuys(Batch memory b) private view returns (uint256 valueIn, uint256 atStart) {
        (address index, uint256 n) = (b.index, b.count);
        for (uint256 k = b.sold; k < n; ++k) {
            uint256 balance = Balance.read(b.tokens.getAddress(k), index);
            (uint256 target, uint256 before, uint256 counted) = (b.targets.get(k), b.balances.get(k), 0);
            // What lies above the full target is worth nothing to the other buys: count up to there.
            if (balance > target) balance = target;
            unchecked {
                // Up to a target of Domain.TRADED_BITS; sums as above.
                if (balance > before) {
                    counted = balance - before;
                    (uint256 value, uint256 valueAtStart) = _worth(b, k, counted);
                    valueIn += value;
                    atStart += valueAtStart;
                }
            }
            b.counted.set(k, counted);
        }
    }

    /// @dev An amount of component `k` of the batch in USD with 18 decimals, now and at the start, rounded down.
    function _worth(Batch memory b, uint256 k, uint256 amount) private pure returns (uint256 value, uint256 atStart) {
        uint256 one = b.ones.get(k);
        value = Value.downPer(amount, b.prices.get(k), one);
        atStart = Value.downPer(amount, b.startPrices.get(k), one);
    }

    /// @dev Part of its target that every buy can attain, 18 decimals, rounded down: what the buy side holds and
    /// receives plus what is left to sell, less what that may yet lose, over the buy side's targets.
    function _lambda(Batch memory b, uint256 surplusLeft, uint256 received) private pure returns (uint256) {
        uint256 budget = _budget(b.limits, b.was);
        unchecked {
            // Below 2**64 * 1e17; no more than `surplusLeft`
            uint256 mayLose = surplusLeft * uint256(int256(b.limits.lastTolerance)) / 1e18;
            if (mayLose > budget) mayLose = budget;
            // What was received is at most the buy side's targets: all of them are shares of NAV, below 2**66.
            uint256 lambda = (b.was.held + received + (surplusLeft - mayLose)) * 1e18 / b.buyTargets;
            return lambda < 1e18 ? lambda : 1e18;
        }
    }

    /* SHARED */

    /// @notice Supply in shares of the start: accrued supply with the fee since the start taken out. Target unit x this
    /// / 1e18 is the target balance. Rounded down.
    function startShares(IIndexToken index, uint256 exponentAtStart) internal view returns (uint256) {
        (uint256 supply, uint256 exponent) = index.supplyAndExponent();
        return _startShares(supply, exponentAtStart, exponent);
    }

    function _startShares(uint256 supply, uint256 exponentAtStart, uint256 exponent) private pure returns (uint256) {
        // {share at start} = {share} * {1e18} / {1e18}
        return supply * StreamingFee.decay(exponentAtStart, exponent) / 1e18;
    }

    /// @notice Idle (seconds x 2**24), capacity, and tolerance of a batch at the prices of the start.
    function bucket(Limits memory l, Progress memory p)
        internal
        view
        returns (uint256 idle, uint256 capacity, int256 tolerance)
    {
        idle = Bucket.idleX24(p.tat, l.maxIdle);
        capacity = Bucket.capacity(idle, l.batchCap, l.coolOff);
        tolerance = _tolerance(l, p, idle, p.surplus, p.surplus);
    }

    /// @dev What the idle time allows, and no more than the batch's part of the loss budget: as much of what is left of
    /// it as the batch sells of what is left to sell, both at start prices. So parts of a batch may together lose no
    /// more than the whole, wherever prices have gone since.
    /// @param sold Share of NAV at start prices, rounded down. `value`: the same at fresh prices, rounded up.
    function _tolerance(Limits memory l, Progress memory p, uint256 idle, uint256 sold, uint256 value)
        private
        pure
        returns (int256 tolerance)
    {
        tolerance = Bucket.tolerance(idle, l.firstTolerance, l.lastTolerance, l.maxIdle);
        if (tolerance > 0 && value != 0 && p.surplus != 0) {
            // What was given to the sell side since is not of the surplus at start.
            uint256 part = Math.min(sold, p.surplus);
            unchecked {
                // Below 2**55 * 2**64 * 2**60, and above 2**64 * 2**57; the value is at most the cap.
                // {1e18} = {1e18} * {1e18} * {1e18} / ({1e18} * {1e18}), down
                uint256 most = _budget(l, p) * part * 1e18 / (uint256(p.surplus) * value);
                if (most < uint256(tolerance)) tolerance = int256(most);
            }
        }
    }

    /// @dev What the month may still lose, share of NAV.
    function _budget(Limits memory l, Progress memory p) private pure returns (uint256) {
        unchecked {
            return l.lossBudget > p.spent ? l.lossBudget - p.spent : 0;
        }
    }
}
