// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";

import {IIndexToken} from "../interfaces/IIndexToken.sol";
import {IOracle} from "../interfaces/IOracle.sol";
import {IRebalancer, Limits, Opening, Order, Progress, Result, Side} from "../interfaces/IRebalancer.sol";
import {Balance} from "./Balance.sol";
import {Bucket} from "./Bucket.sol";
import {ComponentList} from "./ComponentList.sol";
import {StreamingFee} from "./StreamingFee.sol";
import {Targets} from "./Targets.sol";
import {Value} from "./Value.sol";
import {Words} from "./Words.sol";

/// @notice A component of a batch as it stood before the filler was called.
/// @param one Token wei of a whole token.
/// @param price USD for one whole token now, 18 decimals. `startPrice`: at the start.
/// @param before Balance of the index token.
/// @param target Balance at which it is at its target, rounded up for sells and down for buys.
/// @param counted Buys: token wei that came, up to the target.
struct Line {
    address token;
    uint256 one;
    uint256 price;
    uint256 startPrice;
    uint256 before;
    uint256 target;
    uint256 counted;
}

/// @notice A batch in flight. `was` is the month's progress before it.
/// @param shares Supply in shares of the start (see `startShares`).
/// @param nav NAV at start prices per share, times those shares: USD with 18 decimals.
/// @param list The index token's list, and `targets` the month's, both packed.
/// @param lines What is sold, each component once, then what is bought: `count` in all, the first `sold` of them sells.
/// `tokens`: the token of each line.
/// @param sells Token of each entry of the order's sells; `amounts`: token wei sent out, after clamping; `recipients`: to whom.
/// @param buys Tokens bought.
/// @param result What `check` finds.
struct Batch {
    address index;
    Limits limits;
    Progress was;
    uint256 buyTargets;
    uint256 shares;
    uint256 nav;
    uint256[] list;
    uint256[] targets;
    Line[] lines;
    address[] tokens;
    uint256 sold;
    uint256 count;
    address[] sells;
    uint256[] amounts;
    address[] recipients;
    address[] buys;
    Result result;
}

/// @title Settlement
/// @notice The rules of one batch, see `IRebalancer`. `open` reads everything once before the filler is called; `check`
/// looks at balance differences after it.
library Settlement {
    using ComponentList for uint256;
    using SafeCast for uint256;
    using Words for address[];
    using Words for uint256[];

    /* BEFORE THE FILLER */

    /// @notice Reads list, targets, prices, balances and supply for a batch and clamps each sell to its surplus.
    function open(
        IIndexToken index,
        IOracle oracle,
        Limits memory limits,
        Opening memory opening,
        Progress memory was,
        Order calldata order
    ) internal view returns (Batch memory b) {
        (b.index, b.limits, b.was, b.buyTargets) = (address(index), limits, was, opening.buyTargets);
        b.shares = startShares(index, opening.exponent);
        // {USD} = {USD / 1e18 share} * {share} / {1e18}
        b.nav = opening.nav * b.shares / 1e18;
        b.list = Words.read(index.componentsPointer());
        b.targets = Words.read(opening.targets);
        _openSells(b, order.sells, order.amounts, order.recipients, address(order.filler));
        _openBuys(b, order.buys);
        _price(b, oracle);
    }

    /// @dev One line for each component sold; clamps its entries, in their order, to its surplus.
    function _openSells(
        Batch memory b,
        uint256[] calldata indexes,
        uint256[] calldata wanted,
        address[] calldata recipients,
        address filler
    ) private view {
        uint256 n = indexes.length;
        require(n != 0 && n == wanted.length && n == recipients.length, IRebalancer.UnfitBatch());
        (b.sells, b.amounts, b.recipients) = (new address[](n), new uint256[](n), new address[](n));
        uint256 most = n + b.list.length; // the buys ascend strictly within the list
        (b.lines, b.tokens) = (_newLines(most), new address[](most));
        uint256 previous;
        address token;
        uint256 left; // of the component's surplus, {tok}
        for (uint256 k; k < n; ++k) {
            uint256 i = indexes.given(k);
            if (k == 0 || i != previous) {
                require(k == 0 || i > previous, IRebalancer.IndexesNotAscending(i));
                previous = i;
                _addLine(b, i, Side.Sell);
                Line memory line = b.lines[b.count - 1];
                token = line.token;
                left = line.before > line.target ? line.before - line.target : 0;
            }
            uint256 amount = wanted.given(k);
            if (amount > left) amount = left;
            unchecked {
                left -= amount;
            }
            address to = recipients.given(k);
            b.sells.set(k, token);
            b.amounts.set(k, amount);
            b.recipients.set(k, to == address(0) ? filler : to);
        }
        b.sold = b.count;
    }

    function _openBuys(Batch memory b, uint256[] calldata indexes) private view {
        uint256 n = indexes.length;
        require(n != 0, IRebalancer.UnfitBatch());
        b.buys = new address[](n);
        uint256 previous;
        for (uint256 k; k < n; ++k) {
            uint256 i = indexes.given(k);
            require(k == 0 || i > previous, IRebalancer.IndexesNotAscending(i));
            previous = i;
            _addLine(b, i, Side.Buy);
            b.buys.set(k, b.lines[b.count - 1].token);
        }
    }

    /// @dev Adds the line of component `i`, still without its price.
    function _addLine(Batch memory b, uint256 i, Side side) private view {
        require(i < b.targets.length && i < b.list.length, IRebalancer.UnknownIndex(i));
        (uint256 word, uint256 target) = (b.list.at(i), b.targets.at(i));
        address token = word.token();
        require(Targets.side(target) == side, IRebalancer.WrongSide(token, Targets.side(target)));
        // {tok} = {tok / 1e18 share} * {share} / {1e18}, against the batch: no sell below target, no buy above it
        uint256 scaled = Targets.unit(target) * b.shares;
        uint256 balance = scaled / 1e18;
        uint256 k = b.count;
        unchecked {
            if (side == Side.Sell && balance * 1e18 != scaled) ++balance;
            b.count = k + 1;
        }
        b.lines[k] = Line({
            token: token,
            one: Value.oneOf(word.decimals()),
            price: 0,
            startPrice: Targets.price(target),
            before: Balance.read(token, b.index),
            target: balance,
            counted: 0
        });
        b.tokens.set(k, token);
    }

    /// @dev Fills in the prices of all lines, asked for once.
    function _price(Batch memory b, IOracle oracle) private view {
        uint256 n = b.count;
        b.tokens.cut(n);
        uint256[] memory prices = oracle.prices(b.tokens);
        require(prices.length == n, IRebalancer.NoPrice(address(0)));
        for (uint256 k; k < n; ++k) {
            Line memory line = b.lines[k];
            line.price = prices.at(k);
            require(line.price != 0, IRebalancer.NoPrice(line.token));
        }
    }

    /// @dev Room for `n` lines. Solidity would make them all here, those that stay unused too.
    function _newLines(uint256 n) private pure returns (Line[] memory lines) {
        uint256[] memory pointers = new uint256[](n);
        assembly ("memory-safe") {
            lines := pointers
        }
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
        uint256 n = b.sold;
        uint256 valueOut;
        uint256 atStart;
        for (uint256 k; k < n; ++k) {
            Line memory line = b.lines[k];
            uint256 balance = Balance.read(line.token, b.index);
            if (balance >= line.before) continue;
            uint256 sold;
            unchecked {
                sold = line.before - balance;
            }
            valueOut += Value.upPer(sold, line.price, line.one);
            atStart += Value.downPer(sold, line.startPrice, line.one);
        }
        require(valueOut != 0, IRebalancer.NothingSold());
        b.result.valueOut = valueOut;
        return atStart * 1e18 / b.nav; // {1e18} = {USD} * {1e18} / {USD}
    }

    /// @dev Fills in `valueIn` and `attainable`; returns what was credited as a share of NAV at start prices, rounded down.
    function _creditBuys(Batch memory b, uint256 surplusLeft) private view returns (uint64) {
        (uint256 first, uint256 end) = (b.sold, b.count);
        uint256 atStart;
        for (uint256 k = first; k < end; ++k) {
            Line memory line = b.lines[k];
            uint256 balance = Balance.read(line.token, b.index);
            // What lies above the full target is worth nothing to the other buys: count up to there.
            if (balance > line.target) balance = line.target;
            if (balance <= line.before) continue;
            unchecked {
                line.counted = balance - line.before;
            }
            atStart += Value.downPer(line.counted, line.startPrice, line.one);
        }

        uint256 lambda = _lambda(b, surplusLeft, atStart * 1e18 / b.nav);
        uint256 valueIn;
        atStart = 0;
        for (uint256 k = first; k < end; ++k) {
            Line memory line = b.lines[k];
            // {tok} = {tok} * {1e18} / {1e18}, down
            uint256 goal = line.target * lambda / 1e18;
            if (goal <= line.before) continue;
            uint256 credited;
            unchecked {
                credited = goal - line.before;
            }
            if (credited > line.counted) credited = line.counted;
            valueIn += Value.downPer(credited, line.price, line.one);
            atStart += Value.downPer(credited, line.startPrice, line.one);
        }
        (b.result.valueIn, b.result.attainable) = (valueIn, lambda);
        return (atStart * 1e18 / b.nav).toUint64();
    }

    /// @dev Part of its target that every buy can attain, 18 decimals, rounded down: what the buy side holds and
    /// receives plus what is left to sell, less what that may yet lose, over the buy side's targets.
    function _lambda(Batch memory b, uint256 surplusLeft, uint256 received) private pure returns (uint256) {
        uint256 mayLose = Math.min(
            _budget(b.limits, b.was), surplusLeft * uint256(int256(b.limits.lastTolerance)) / 1e18
        );
        uint256 attainable = uint256(b.was.held) + received + surplusLeft - mayLose;
        return Math.min(1e18, attainable * 1e18 / b.buyTargets);
    }

    /* SHARED */

    /// @notice Supply in shares of the start: accrued supply with the fee since the start taken out. Target unit x this / 1e18
    /// is the target balance. Rounded down.
    function startShares(IIndexToken index, uint256 exponentAtStart) internal view returns (uint256) {
        (uint256 supply, uint256 exponent) = index.supplyAndExponent();
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
            // {1e18} = {1e18} * {1e18} * {1e18} / ({1e18} * {1e18}), down
            uint256 most = _budget(l, p) * part * 1e18 / (p.surplus * value);
            tolerance = int256(Math.min(uint256(tolerance), most));
        }
    }

    /// @dev What the month may still lose, share of NAV.
    function _budget(Limits memory l, Progress memory p) private pure returns (uint256) {
        return l.lossBudget > p.spent ? l.lossBudget - p.spent : 0;
    }
}
