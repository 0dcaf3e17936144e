// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";

import {IIndexToken} from "../interfaces/IIndexToken.sol";
import {IOracle} from "../interfaces/IOracle.sol";
import {IRebalancer, Limits, Opening, Order, Progress, Result, Side, Target} from "../interfaces/IRebalancer.sol";
import {Bucket} from "./Bucket.sol";
import {ComponentList} from "./ComponentList.sol";
import {StreamingFee} from "./StreamingFee.sol";
import {Targets} from "./Targets.sol";
import {Value} from "./Value.sol";
import {Words} from "./Words.sol";

/// @notice One leg of a batch as it stood before the filler was called.
/// @param target What the month fixed for it.
/// @param decimals Decimals of the token.
/// @param price USD for one whole token now, 18 decimals.
/// @param before Balance of the index token.
struct Leg {
    Target target;
    uint8 decimals;
    uint256 price;
    uint256 before;
}

/// @notice A batch in flight. `was` is the month's progress before it. `sellLegs` go with `sells`, `buyLegs` with `buys`.
/// @param amounts Token wei sent out of each sell, after clamping.
/// @param shares Supply in shares of the start (see `startShares`).
/// @param nav NAV at start prices per share, times those shares: USD with 18 decimals.
/// @param result What `check` finds.
struct Batch {
    IIndexToken index;
    Limits limits;
    Opening opening;
    Progress was;
    address[] sells;
    uint256[] amounts;
    Leg[] sellLegs;
    address[] buys;
    Leg[] buyLegs;
    uint256 shares;
    uint256 nav;
    Result result;
}

/// @title Settlement
/// @notice The rules of one batch, see `IRebalancer`. `open` reads everything once before the filler is called; `check`
/// looks at balance differences after it.
library Settlement {
    using ComponentList for uint256;
    using SafeCast for uint256;

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
        (b.index, b.limits, b.opening, b.was) = (index, limits, opening, was);
        uint256 n = order.sells.length;
        require(n != 0 && order.buys.length != 0 && n == order.amounts.length, IRebalancer.UnfitBatch());
        b.shares = startShares(index, opening.exponent);
        // {USD} = {USD / 1e18 share} * {share} / {1e18}
        b.nav = opening.nav * b.shares / 1e18;
        uint256[] memory list = Words.read(index.componentsPointer());
        uint256[] memory words = Words.read(opening.targets);
        (b.sells, b.sellLegs) = _legs(index, oracle, list, words, order.sells, Side.Sell);
        (b.buys, b.buyLegs) = _legs(index, oracle, list, words, order.buys, Side.Buy);
        (b.result.sells, b.result.buys) = (order.sells, order.buys);
        b.amounts = new uint256[](n);
        for (uint256 k; k < n; ++k) {
            Leg memory leg = b.sellLegs[k];
            // {tok} = {tok / 1e18 share} * {share} / {1e18}, up: never below target
            uint256 target = Math.ceilDiv(leg.target.unit * b.shares, 1e18);
            b.amounts[k] = leg.before > target ? Math.min(order.amounts[k], leg.before - target) : 0;
        }
    }

    /// @dev Tokens and legs of one side of a batch.
    function _legs(
        IIndexToken index,
        IOracle oracle,
        uint256[] memory list,
        uint256[] memory words,
        uint256[] calldata indexes,
        Side side
    ) private view returns (address[] memory tokens, Leg[] memory legs) {
        uint256 n = indexes.length;
        tokens = new address[](n);
        legs = new Leg[](n);
        for (uint256 k; k < n; ++k) {
            uint256 i = indexes[k];
            require(k == 0 || i > indexes[k - 1], IRebalancer.IndexesNotAscending(i));
            require(i < words.length, IRebalancer.UnknownIndex(i));
            Leg memory leg = legs[k];
            leg.target = Targets.unpack(words[i]);
            leg.decimals = list[i].decimals();
            address token = list[i].token();
            require(leg.target.side == side, IRebalancer.WrongSide(token, leg.target.side));
            leg.before = IERC20(token).balanceOf(address(index));
            tokens[k] = token;
        }
        uint256[] memory prices = oracle.prices(tokens);
        for (uint256 k; k < n; ++k) {
            require(prices[k] != 0, IRebalancer.NoPrice(tokens[k]));
            legs[k].price = prices[k];
        }
    }

    /* AFTER THE FILLER */

    /// @notice Measures what left and what came, and reverts unless every rule holds.
    /// @return next The month's progress after the batch.
    function check(Batch memory b, uint256 minValueIn) internal view returns (Progress memory next) {
        uint256 soldAtStart = _measureSells(b);
        next.surplus = _left(b.was.surplus, soldAtStart, b.nav);
        next.held = b.was.held + _creditBuys(b, next.surplus);

        Limits memory l = b.limits;
        uint256 value = Math.ceilDiv(b.result.valueOut * 1e18, b.nav); // {1e18} = {USD} / {USD}
        (, uint256 capacity, int256 tolerance) = _bucket(l, b.was, value);
        require(value <= capacity, IRebalancer.AboveCapacity(value, capacity));
        next.tat = Bucket.consume(b.was.tat, value, l.batchCap, l.coolOff, l.maxIdle);

        b.result.tolerance = tolerance;
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

    /// @dev Fills `sold` and `valueOut`; returns what was sold in USD at start prices, rounded down.
    function _measureSells(Batch memory b) private view returns (uint256 soldAtStart) {
        uint256 n = b.sells.length;
        b.result.sold = new uint256[](n);
        for (uint256 k; k < n; ++k) {
            Leg memory leg = b.sellLegs[k];
            uint256 balance = IERC20(b.sells[k]).balanceOf(address(b.index));
            uint256 sold = leg.before > balance ? leg.before - balance : 0;
            b.result.sold[k] = sold;
            b.result.valueOut += Value.up(sold, leg.price, leg.decimals);
            soldAtStart += Value.down(sold, leg.target.price, leg.decimals);
        }
        require(b.result.valueOut != 0, IRebalancer.NothingSold());
    }

    /// @dev Fills `credited` and `valueIn`; returns what was credited as a share of NAV at start prices, rounded down.
    function _creditBuys(Batch memory b, uint256 surplusLeft) private view returns (uint64) {
        uint256 n = b.buys.length;
        b.result.credited = new uint256[](n);
        uint256 receivedAtStart;
        for (uint256 k; k < n; ++k) {
            // What lies above the full target is worth nothing to the other buys: count up to there.
            uint256 received = _upTo(b.buyLegs[k], _goal(b, k, 1e18), IERC20(b.buys[k]).balanceOf(address(b.index)));
            b.result.credited[k] = received;
            receivedAtStart += _atStart(b, k, received);
        }

        uint256 lambda = _lambda(b, surplusLeft, receivedAtStart * 1e18 / b.nav);
        uint256 creditedAtStart;
        for (uint256 k; k < n; ++k) {
            Leg memory leg = b.buyLegs[k];
            uint256 credited = _upTo(leg, _goal(b, k, lambda), leg.before + b.result.credited[k]);
            b.result.credited[k] = credited;
            b.result.valueIn += Value.down(credited, leg.price, leg.decimals);
            creditedAtStart += _atStart(b, k, credited);
        }
        return (creditedAtStart * 1e18 / b.nav).toUint64();
    }

    /// @dev Balance at which buy `k` has the part `lambda` (18 decimals) of its target, rounded down.
    function _goal(Batch memory b, uint256 k, uint256 lambda) private pure returns (uint256) {
        // {tok} = {tok / 1e18 share} * {share} / {1e18} * {1e18} / {1e18}
        return b.buyLegs[k].target.unit * b.shares / 1e18 * lambda / 1e18;
    }

    /// @dev Rise from the balance before to `balance`, counted up to `goal`.
    function _upTo(Leg memory leg, uint256 goal, uint256 balance) private pure returns (uint256) {
        uint256 counted = Math.min(goal, balance);
        return counted > leg.before ? counted - leg.before : 0;
    }

    /// @dev USD of `amount` of buy `k` at its price at start, rounded down.
    function _atStart(Batch memory b, uint256 k, uint256 amount) private pure returns (uint256) {
        return Value.down(amount, b.buyLegs[k].target.price, b.buyLegs[k].decimals);
    }

    /// @dev Part of its target that every buy can attain, 18 decimals, rounded down: what the buy side holds and
    /// receives plus what is left to sell, less what that may yet lose, over the buy side's targets.
    function _lambda(Batch memory b, uint256 surplusLeft, uint256 received) private pure returns (uint256) {
        (uint256 budget, uint256 spent) = (b.limits.lossBudget, b.was.spent);
        uint256 mayLose = Math.min(
            budget > spent ? budget - spent : 0,
            surplusLeft * uint256(int256(b.limits.lastTolerance)) / 1e18
        );
        uint256 attainable = uint256(b.was.held) + received + surplusLeft - mayLose;
        return Math.min(1e18, attainable * 1e18 / b.opening.buyTargets);
    }

    /* SHARED */

    /// @notice Supply in shares of the start: accrued supply with the fee since the start taken out. Target unit x this / 1e18
    /// is the target balance. Rounded down.
    function startShares(IIndexToken index, uint256 exponentAtStart) internal view returns (uint256) {
        (uint256 supply, uint256 exponent) = index.supplyAndExponent();
        // {share at start} = {share} * {1e18} / {1e18}
        return supply * StreamingFee.decay(exponentAtStart, exponent) / 1e18;
    }

    /// @notice Idle (seconds x 2**24), capacity and tolerance for a batch up to the remaining turnover.
    function bucket(Limits memory l, Progress memory p)
        internal
        view
        returns (uint256 idle, uint256 capacity, int256 tolerance)
    {
        return _bucket(l, p, 0);
    }

    /// @dev `bucket` for a batch of `value`, which fresh prices may put above the remaining turnover at start prices.
    function _bucket(Limits memory l, Progress memory p, uint256 value)
        private
        view
        returns (uint256 idle, uint256 capacity, int256 tolerance)
    {
        idle = Bucket.idleX24(p.tat, l.maxIdle);
        capacity = Bucket.capacity(idle, l.batchCap, l.coolOff);
        tolerance = Bucket.tolerance(idle, l.firstTolerance, l.lastTolerance, l.maxIdle);
        uint256 turnover = Math.max(p.surplus, value);
        if (tolerance > 0 && turnover != 0) {
            uint256 budget = l.lossBudget > p.spent ? l.lossBudget - p.spent : 0;
            // {1e18} = {1e18} * {1e18} / {1e18}, down
            tolerance = int256(Math.min(uint256(tolerance), budget * 1e18 / turnover));
        }
    }

    /// @dev What is left of `share` (of NAV, 18 decimals) once USD `value` is taken out; rounded up, at least 0.
    function _left(uint256 share, uint256 value, uint256 nav) private pure returns (uint64) {
        uint256 part = value * 1e18 / nav;
        return (share > part ? share - part : 0).toUint64();
    }
}
