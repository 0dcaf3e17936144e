// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {FixedPointMathLib} from "solady/src/utils/FixedPointMathLib.sol";

import {Limits, Opening, Side, Target} from "../contracts/interfaces/IRebalancer.sol";
import {Component} from "../contracts/libraries/ComponentList.sol";
import {Targets} from "../contracts/libraries/Targets.sol";
import {Scene} from "./Scene.sol";
import {vm} from "./Vm.sol";

/// @title Ghost
/// @notice What the harness keeps beside the fund, and the invariants, each with its name. Every figure is computed here
/// anew from balances and prices; where one has to be rounded it is rounded in the fund's disfavour, so that a check has no
/// margin but the one it states.
abstract contract Ghost is Scene {
    uint256 internal constant ONE = 1e18;
    uint256 private constant YEAR = 31_557_600;

    /// @dev What every call is compared with.
    struct Seen {
        uint256 supply; // {share} accrued
        uint256 minted; // {share} ERC-20 total
        uint256[N] balance; // {tok} of the index token
    }

    /// @dev A batch before it is made. `goal`: balance at target, up for sells and down for buys.
    struct Before {
        Seen seen;
        uint256 shares; // {share of the start}
        uint256 nav; // {USD} of all of them at start prices
        uint256[N] goal;
    }

    /// @dev The block's time; kept here because the optimizer takes it for constant in a call.
    uint256 internal time = block.timestamp;
    uint256 internal fee = 0.0095e18;
    uint256 internal pausedUntil;
    bool[N] internal retired;
    bool[N] internal stuck;

    // The month, as fixed at start. `position`: in the index token's list, N where it is not on it.
    bool public trading;
    Limits internal limits;
    Side[N] internal side;
    uint256[N] internal unit;
    uint256[N] internal exactPrice; // at start
    uint256[N] internal startPrice; // the same as it is kept: what trading is counted in
    uint256[N] internal position;
    uint256 internal navOfShare;
    uint256 internal startExponent;
    uint256 internal end;
    // What trading changes. `idle`: {1e-18 s} the bucket has been idle; `spent`: share of NAV lost; `diluted`: somebody
    // minted while a component was retired, `given`: somebody gave a component, in this month.
    uint256 internal idle;
    uint256 internal spent;
    uint256 internal left; // share of NAV, surplus not yet sold
    // Share of NAV by which sells, and buys, were counted for less than they were worth at the exact prices of the start.
    uint256 internal soldMore;
    uint256 internal boughtMore;
    // `rounded`: share of NAV by which roundings of mint and redeem have raised what the buys hold, in this month.
    bool internal diluted;
    bool internal given;
    uint256 internal rounded;

    /* HELPERS */

    function _hold(bool holds, string memory name) internal pure {
        // forge reports the string.
        if (!holds) revert(name);
    }

    /// @dev Leaves the call: what was asked for is not possible now, or was refused rightly.
    function _discard() internal pure {
        vm.assume(false);
    }

    /// @dev As `_discard`, after a revert. No refusal may be a panic: arithmetic never ends a call.
    function _refused(bytes memory reason) internal pure {
        _hold(bytes4(reason) != bytes4(0x4e487b71), "no panic");
        _discard();
    }

    function _look() internal view returns (Seen memory seen) {
        seen.supply = index.accruedSupply();
        seen.minted = index.totalSupply();
        for (uint256 i; i < N; ++i) {
            seen.balance[i] = tokens[i].balanceOf(address(index));
        }
    }

    function _up(uint256 a, uint256 b, uint256 c) internal pure returns (uint256) {
        return (a * b + c - 1) / c;
    }

    function _min(uint256 a, uint256 b) internal pure returns (uint256) {
        return a < b ? a : b;
    }

    /// @dev Supply in shares of the start, as IRebalancer defines it.
    function _startShares() internal view returns (uint256) {
        (uint256 supply, uint256 exponent) = index.supplyAndExponent();
        int256 fees = int256(exponent / YEAR - startExponent / YEAR);
        return supply * uint256(FixedPointMathLib.expWad(-fees)) / ONE;
    }

    /* UNITS AND SUPPLY */

    /// @dev After anything but a trade, at the same time: no unit has fallen; those of `exempt` (bits) may have.
    function _unitsKept(Seen memory a, Seen memory b, uint256 exempt) internal pure {
        for (uint256 i; i < N; ++i) {
            if ((exempt >> i) & 1 != 0) continue;
            _hold(b.balance[i] * a.supply >= a.balance[i] * b.supply, "units per share never fall");
        }
    }

    /// @dev After anything that neither mints nor redeems: nobody has more or fewer shares.
    function _supplyKept(Seen memory a, Seen memory b) internal pure {
        _hold(a.supply == b.supply, "nothing minted for nothing");
    }

    /// @dev Adds up what a mint or a redemption rounded for the holders who stay: single wei, which weigh more the smaller the
    /// supply is at that moment. Units rise by it, and progress does not count it.
    function _countRounding(Seen memory a, Seen memory b) internal {
        if (!trading) return;
        for (uint256 i; i < N; ++i) {
            uint256 kept = a.balance[i] * b.supply;
            if (side[i] != Side.Buy || b.balance[i] * a.supply <= kept) continue;
            // {USD} = {tok * share} * {USD / whole tok} / ({share} * {tok / whole tok})
            uint256 value = _up(b.balance[i] * a.supply - kept, exactPrice[i], a.supply * one[i]);
            rounded += _up(value, ONE * ONE, navOfShare * b.supply);
        }
    }

    function _locked() internal view {
        _hold(index.totalSupply() >= 0.1e18 && index.balanceOf(DEAD) >= 0.1e18, "supply above the locked seed");
    }

    /* TIME */

    /// @dev Lets time pass. Of all that a holder has, only the fee may be gone, and it is what it is said to be.
    function _pass(uint256 duration) internal {
        uint256 supply = index.accruedSupply();
        uint256 from = pausedUntil > time ? _min(pausedUntil, time + duration) : time;
        time += duration;
        vm.warp(time);
        idle = _min(idle + (time - from) * ONE, uint256(limits.maxIdle) * ONE);
        if (time > from && pausedUntil > time) pausedUntil = time;

        uint256 growth = index.accruedSupply() - supply;
        // The continuous rate r = -ln(1 - f) lies between f and f + f^2 / 2 (1 - f); exp(x) - 1 between x and x + x^2. Four
        // parts in 1e18 for roundings: of this quotient, of the exponents' difference, and of exp at either end.
        uint256 least = fee * duration / YEAR;
        uint256 most = (fee + fee * fee / (2 * (ONE - fee)) + 1) * duration / YEAR + 4;
        _hold(growth <= supply * (most + most * most / ONE) / ONE + 1, "the fee takes no more than stated");
        _hold(growth + supply * 2 / ONE + 2 >= supply * least / ONE, "the fee is not lost");
    }

    /* START */

    /// @dev After a start: reads what it fixed and holds it to the rules.
    function _opened() internal {
        Opening memory o = rebalancer.opening();
        Target[] memory targets = Targets.unpack(Targets.read(o.targets));
        Component[] memory list = index.components();
        limits = rebalancer.limits();
        (navOfShare, startExponent, end) = (o.nav, o.exponent, o.end);
        (idle, spent, diluted, given) = (0, 0, false, false);
        (soldMore, boughtMore, rounded) = (0, 0, 0);
        left = rebalancer.progress().surplus;
        trading = rebalancer.trading();
        uint256 supply = index.accruedSupply();
        uint256 k;
        for (uint256 i; i < N; ++i) {
            bool listed = k < list.length && list[k].token == address(tokens[i]);
            position[i] = listed ? k : N;
            side[i] = listed ? targets[k].side : Side.Held;
            unit[i] = listed ? targets[k].unit : 0;
            startPrice[i] = listed ? targets[k].price : 0;
            exactPrice[i] = startPrice[i] == 0 ? 0 : price[i];
            if (!listed) continue;
            ++k;
            if (startPrice[i] == 0) {
                _hold(side[i] == Side.Held, "no trade without a price");
                continue;
            }
            _hold(startPrice[i] == _kept(price[i]) && !retired[i], "targets at fresh prices");
            uint256 held = tokens[i].balanceOf(address(index)) * ONE / supply * price[i] / one[i];
            uint256 step = navOfShare * limits.maxStep / ONE;
            _hold(unit[i] * price[i] / one[i] <= held + step + 1, "maxStep");
        }
        _hold(k == list.length, "list ascends");
        _counted(o, supply);
    }

    /// @dev What the month begins to count with is what balances, targets and exact prices give, but for roundings: a wei of USD
    /// for each component, and one of the shares of NAV.
    function _counted(Opening memory o, uint256 supply) private view {
        uint256 surplus;
        uint256 held;
        uint256 goal;
        for (uint256 i; i < N; ++i) {
            uint256 is_ = tokens[i].balanceOf(address(index)) * ONE / supply * exactPrice[i] / one[i];
            uint256 wanted = unit[i] * exactPrice[i] / one[i];
            if (side[i] == Side.Sell) surplus += is_ - wanted;
            if (side[i] == Side.Buy) (held, goal) = (held + is_, goal + wanted);
        }
        bool holds = _near(left, surplus) && _near(rebalancer.progress().held, held) && _near(o.buyTargets, goal);
        _hold(holds, "progress at start");
    }

    function _near(uint256 share, uint256 value) private view returns (bool) {
        uint256 counted = share * navOfShare / ONE;
        return counted <= value + N && value <= counted + navOfShare / ONE + N + 1;
    }

    /// @dev A price as it is kept: the leading 22 to 25 bits, in steps of 4, the rest rounded away.
    function _kept(uint256 value) private pure returns (uint256) {
        uint256 scale = 1;
        while (value / scale >= 33_554_432) scale *= 16;
        return value / scale * scale;
    }

    /* TRADE */

    function _before() internal view returns (Before memory b) {
        b.seen = _look();
        b.shares = _startShares();
        b.nav = navOfShare * b.shares / ONE;
        for (uint256 i; i < N; ++i) {
            b.goal[i] = side[i] == Side.Sell ? _up(unit[i], b.shares, ONE) : unit[i] * b.shares / ONE;
        }
    }

    /// @dev Holds a batch that went through to every rule. `buys`: bits of the components that it names.
    function _settled(Before memory b, uint256 buys) internal {
        uint256 valueOut; // rounded down
        uint256 valueIn; // rounded up
        Seen memory a = _look();
        _supplyKept(b.seen, a);
        (uint256 lambda, uint256 surely) = _lambda(b, a);
        for (uint256 i; i < N; ++i) {
            (uint256 old, uint256 now_, uint256 goal) = (b.seen.balance[i], a.balance[i], b.goal[i]);
            if (now_ < old) {
                _hold(side[i] == Side.Sell, "only surplus is sold");
                _hold(now_ >= goal, "no sell below target");
                valueOut += (old - now_) * price[i] / one[i];
            } else if ((buys >> i) & 1 == 0) {
                if (now_ > old && side[i] == Side.Buy) given = true;
            } else {
                // Two wei: the target and lambda's own rounding.
                uint256 most = _min(now_, goal * lambda / ONE + 2);
                // What may have come above lambda x target was not counted: a gift.
                if (now_ > old && now_ > goal * surely / ONE) given = true;
                if (most > old) {
                    valueIn += _up(most - old, price[i], one[i]);
                    boughtMore += _up(_up(most - old, exactPrice[i] - startPrice[i], one[i]), ONE, b.nav);
                }
            }
        }
        _pace(b.nav, valueOut);
        int256 tolerance = _tolerance();
        _hold((valueIn + N) * ONE >= valueOut * uint256(int256(ONE) - tolerance), "tolerance, credited up to target");
        _spend(b, a, valueOut > valueIn ? (valueOut - valueIn) * ONE / b.nav : 0);
        _use(b.nav, valueOut);
        soldMore += _soldMore(b, a);
        trading = rebalancer.trading();
    }

    /// @dev By how much less than its worth at the exact prices of the start this batch's sells count, share of NAV.
    function _soldMore(Before memory b, Seen memory a) private view returns (uint256 value) {
        for (uint256 i; i < N; ++i) {
            (uint256 old, uint256 now_) = (b.seen.balance[i], a.balance[i]);
            if (now_ < old) value += _up(old - now_, exactPrice[i] - startPrice[i], one[i]) + 1;
        }
        return _up(value, ONE, b.nav);
    }

    /// @dev Losses add up to at most the budget, and no batch takes more of what is left of it than it sells of what is left
    /// to sell, at start prices.
    function _spend(Before memory b, Seen memory a, uint256 loss) private {
        uint256 sold = _sold(b, a);
        _hold(spent + loss <= limits.lossBudget, "loss budget");
        uint256 most = left == 0 ? 0 : (limits.lossBudget - spent) * sold / left;
        _hold(loss <= most + 2, "loss budget in proportion");
        spent += loss;
        left -= sold;
    }

    /// @dev What a batch sold of what was left to sell, share of NAV at the kept prices.
    function _sold(Before memory b, Seen memory a) private view returns (uint256 sold) {
        for (uint256 i; i < N; ++i) {
            (uint256 old, uint256 now_) = (b.seen.balance[i], a.balance[i]);
            if (now_ < old) sold += _up(old - now_, startPrice[i], one[i]);
        }
        sold = _min(_up(sold, ONE, b.nav), left);
    }

    /// @dev The tolerance of this moment by idle time alone, rounded up.
    function _tolerance() private view returns (int256) {
        int256 range = int256(limits.lastTolerance) - limits.firstTolerance;
        return limits.firstTolerance + range * int256(idle) / int256(uint256(limits.maxIdle) * ONE) + 1;
    }

    /// @dev The batch's value is within what the bucket gives.
    function _pace(uint256 nav, uint256 valueOut) private view {
        uint256 share = valueOut * ONE / nav;
        _hold(share <= limits.batchCap, "bucket: cap");
        _hold(share * limits.coolOff * ONE / limits.batchCap <= idle, "bucket: idle time");
    }

    function _use(uint256 nav, uint256 valueOut) private {
        idle -= valueOut * ONE / nav * limits.coolOff * ONE / limits.batchCap;
    }

    /// @dev The part of its target that each buy can attain at most: what the buys hold and what is left to sell, over the
    /// buys' targets, at the exact prices of the start, 18 decimals, and what trading has counted less than that. A margin
    /// of 1e-9 is for the shares of NAV that progress is kept in. `surely`: what they can attain even if the rest loses all
    /// that it may.
    function _lambda(Before memory b, Seen memory a) private view returns (uint256 most, uint256 surely) {
        uint256 held;
        uint256 above;
        uint256 wanted;
        for (uint256 i; i < N; ++i) {
            (uint256 now_, uint256 goal) = (a.balance[i], b.goal[i]);
            if (side[i] == Side.Buy) {
                held += _up(_min(now_, goal + 1), exactPrice[i], one[i]);
                wanted += goal * exactPrice[i] / one[i];
            } else if (side[i] == Side.Sell && now_ > goal) {
                above += _up(now_ - goal + 1, exactPrice[i], one[i]);
            }
        }
        if (diluted || wanted == 0) return (ONE, 0);
        uint256 rounded = (soldMore + _soldMore(b, a)) * b.nav / ONE;
        most = _min(ONE, (held + above + rounded) * ONE / wanted + 1e9);
        // Of what stands above the targets the fund counts no more than it began with: gifts to the sell side are not in it.
        above = _min(above, (left - _sold(b, a)) * b.nav / ONE);
        uint256 lost = _min(limits.lossBudget, left * uint256(int256(limits.lastTolerance)) / ONE + 1);
        // Buys of this batch count for less by 2**-21 of themselves at most.
        lost = (lost + boughtMore) * b.nav / ONE + wanted / 2 ** 21;
        surely = held + above > lost ? _min(ONE, (held + above - lost) * ONE / wanted) : 0;
    }
}
