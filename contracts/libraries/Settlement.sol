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
import {BatchEntry, BatchEntries} from "./BatchEntries.sol";
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
/// @param first The first of its lines (see `BatchEntries`): what is sold, each component once, then, from `middle` on, what is
/// bought, up to `end`. `prices`: USD for one whole token of each now, 18 decimals.
/// @param result What `check` finds.
struct Batch {
    address index;
    Limits limits;
    Progress was;
    uint256 buyTargets;
    uint256 nav;
    uint256 encodedCalls;
    BatchEntry first;
    BatchEntry middle;
    BatchEntry end;
    uint256[] prices;
    Result result;
}

/// @title Settlement
/// @notice The rules of one batch, see `IRebalancer`. `open` reads everything once before the filler is called; `check`
/// looks at balance differences after it.
/// @dev Arithmetic on a line is not checked: balances and targets are below 2**128 and prices at most 2**100, or the batch
/// is refused. Sums over 50 lines stay below 2**234.
library Settlement {
    using BatchCalls for uint256;
    using BatchCalls for IOracle;
    using ComponentList for uint256;
    using BatchEntries for BatchEntry;
    using DynamicArrayLib for uint256[];
    using SafeCast for uint256;
    using Words for address[];
    using Words for uint256[];

    uint256 private constant MAX_PRICE = 1 << 100;
    uint256 private constant SELL = uint256(Side.Sell);
    uint256 private constant BUY = uint256(Side.Buy);

    /* BEFORE THE FILLER */

    /// @dev What `open` works with until all lines stand: number of components, supply in shares of the start, the token
    /// of each line, `sold` of them of the sells, and the lists of the encodedCalls.
    struct BatchDraft {
        uint256[] list;
        bytes targets;
        uint256 n;
        uint256 shares;
        uint256[] tokens;
        uint256 sold;
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
        _openLines(b, d, order);
        _price(b, oracle, d.tokens, d.sold);
    }

    /// @dev One line for each component sold, then one for each bought.
    function _openLines(Batch memory b, BatchDraft memory d, Order calldata order) private view {
        (uint256[] calldata sells, uint256[] calldata buys) = (order.sells, order.buys);
        uint256 n = sells.length;
        require(n != 0 && n == order.amounts.length && n == order.recipients.length, IRebalancer.UnfitBatch());
        require(buys.length != 0, IRebalancer.UnfitBatch());
        uint256 most = n + buys.length;
        b.first = b.end = BatchEntries.room(most);
        d.tokens = BatchCalls.newTokens(most);
        (b.encodedCalls, d.sells, d.amounts, d.recipients, d.buys) =
            BatchCalls.newSheet(b.index, n, buys.length, order.data);
        _openSells(b, d, sells, order);
        b.middle = b.end;
        d.sold = d.tokens.length;
        _openBuys(b, d, buys);
    }

    /// @dev Clamps the entries of each component, in their order, to its surplus.
    function _openSells(Batch memory b, BatchDraft memory d, uint256[] calldata indexes, Order calldata order) private view {
        (uint256[] calldata wanted, address[] calldata recipients) = (order.amounts, order.recipients);
        uint256 n = indexes.length;
        uint256 next; // least index that a new component may have
        address token;
        uint256 left; // of the component's surplus, {tok}
        for (uint256 k; k < n; ++k) {
            uint256 i = indexes.given(k);
            unchecked {
                if (i + 1 != next || k == 0) {
                    require(i >= next, IRebalancer.IndexesNotAscending(i));
                    BatchEntry line = _addLine(b, d, i, SELL);
                    next = i + 1;
                    token = line.token();
                    (uint256 balance, uint256 target) = (line.before(), line.target());
                    left = balance > target ? balance - target : 0;
                }
                uint256 amount = wanted.given(k);
                if (amount > left) amount = left;
                left -= amount;
                d.amounts.set(k, amount);
            }
            d.sells.set(k, token);
            address to = recipients.given(k);
            d.recipients.set(k, to == address(0) ? address(order.filler) : to);
        }
    }

    function _openBuys(Batch memory b, BatchDraft memory d, uint256[] calldata indexes) private view {
        uint256 n = indexes.length;
        uint256 next;
        for (uint256 k; k < n; ++k) {
            uint256 i = indexes.given(k);
            require(i >= next, IRebalancer.IndexesNotAscending(i));
            d.buys.set(k, _addLine(b, d, i, BUY).token());
            unchecked {
                next = i + 1;
            }
        }
    }

    /// @dev Adds the line of component `i`.
    function _addLine(Batch memory b, BatchDraft memory d, uint256 i, uint256 side) private view returns (BatchEntry line) {
        require(i < d.n, IRebalancer.UnknownIndex(i));
        uint256 word = d.list.get(i);
        (uint256 found, uint256 unit, uint256 startPrice) = Targets.at(d.targets, i);
        address token = word.token();
        // `require` would work its error's arguments out each time.
        if (found != side) revert IRebalancer.WrongSide(token, Side(found));
        line = b.end;
        b.end = line.next();
        unchecked {
            // Below 2**120 * 2**128. {tok} = {tok / 1e18 share} * {share} / {1e18}, against the batch: no sell below
            // target, no buy above it
            uint256 scaled = unit * d.shares;
            uint256 goal = scaled / 1e18;
            if (side == SELL && goal * 1e18 != scaled) ++goal;
            uint256 balance = Balance.read(token, b.index);
            require((balance | goal) >> 128 == 0, IRebalancer.AboveMeasure(token));
            line.put(token, Value.oneOf(word.decimals()), startPrice, balance, goal);
            uint256 k = d.tokens.length;
            d.tokens.set(k, token);
            d.tokens.truncate(k + 1);
        }
    }

    /// @dev The prices of all lines, asked for once: of a second source the one that is worse for the batch.
    function _price(Batch memory b, IOracle oracle, uint256[] memory tokens, uint256 sold) private view {
        uint256[] memory prices = oracle.pricesOf(tokens, sold);
        uint256 n = prices.length;
        for (uint256 k; k < n; ++k) {
            unchecked {
                // Zero wraps around.
                if (prices.get(k) - 1 >= MAX_PRICE) revert IRebalancer.NoPrice(tokens.getAddress(k));
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
        (BatchEntry line, BatchEntry end) = (b.first, b.middle);
        (address index, uint256[] memory prices) = (b.index, b.prices);
        uint256 valueOut;
        uint256 atStart;
        for (uint256 k; line.isBefore(end); line = line.next()) {
            uint256 balance = Balance.read(line.token(), index);
            (uint256 before, uint256 price) = (line.before(), prices.get(k));
            unchecked {
                ++k;
                if (balance >= before) continue;
                uint256 sold = before - balance;
                valueOut += Value.upPer(sold, price, line.one());
                atStart += Value.downPer(sold, line.startPrice(), line.one());
            }
        }
        require(valueOut != 0, IRebalancer.NothingSold());
        b.result.valueOut = valueOut;
        return atStart * 1e18 / b.nav; // {1e18} = {USD} * {1e18} / {USD}
    }

    /// @dev Fills in `valueIn` and `attainable`; returns what was credited as a share of NAV at start prices, rounded down.
    function _creditBuys(Batch memory b, uint256 surplusLeft) private view returns (uint64) {
        (uint256 valueIn, uint256 atStart) = _countBuys(b);
        uint256 lambda = _lambda(b, surplusLeft, atStart * 1e18 / b.nav);
        (BatchEntry line, BatchEntry end) = (b.middle, b.end);
        for (; line.isBefore(end); line = line.next()) {
            (uint256 counted, uint256 before) = (line.counted(), line.before());
            unchecked {
                // {tok} = {tok} * {1e18} / {1e18}, down
                uint256 goal = line.target() * lambda / 1e18;
                if (counted == 0 || goal >= before + counted) continue;
                // It counts up to the goal only.
                uint256 credited = goal > before ? goal - before : 0;
                uint256 price = b.prices.get(line.place(b.first));
                (uint256 startPrice, uint256 one) = (line.startPrice(), line.one());
                valueIn -= Value.downPer(counted, price, one) - Value.downPer(credited, price, one);
                atStart -= Value.downPer(counted, startPrice, one) - Value.downPer(credited, startPrice, one);
            }
        }
        (b.result.valueIn, b.result.attainable) = (valueIn, lambda);
        return (atStart * 1e18 / b.nav).toUint64();
    }

    /// @dev Fills in what of each buy counts up to its full target; returns what it is worth in USD now and at the start.
    function _countBuys(Batch memory b) private view returns (uint256 valueIn, uint256 atStart) {
        (BatchEntry line, BatchEntry end) = (b.middle, b.end);
        (address index, uint256[] memory prices) = (b.index, b.prices);
        for (uint256 k = line.place(b.first); line.isBefore(end); line = line.next()) {
            uint256 balance = Balance.read(line.token(), index);
            (uint256 target, uint256 before, uint256 counted) = (line.target(), line.before(), 0);
            // What lies above the full target is worth nothing to the other buys: count up to there.
            if (balance > target) balance = target;
            unchecked {
                if (balance > before) {
                    counted = balance - before;
                    valueIn += Value.downPer(counted, prices.get(k), line.one());
                    atStart += Value.downPer(counted, line.startPrice(), line.one());
                }
                ++k;
            }
            line.setCounted(counted);
        }
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

    /// @notice Supply in shares of the start: accrued supply with the fee since the start taken out. Target unit x this / 1e18
    /// is the target balance. Rounded down.
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

    /// @dev What the idle time allows, and no more than the batch's part of the loss budget: as much of what is left of it
    /// as the batch sells of what is left to sell, both at start prices. So parts of a batch may together lose no more
    /// than the whole, wherever prices have gone since.
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
