// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Side} from "../../contracts/interfaces/IRebalancer.sol";
import {Openings} from "./Openings.sol";

/// @title Ghost
/// @notice What the harness keeps beside the fund, and the invariants of a batch, each with its name. Every figure is
/// computed here anew from balances and prices; where one has to be rounded it is rounded in the fund's disfavour, so
/// that a check has no margin but the one it states.
abstract contract Ghost is Openings {
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

    /// @dev Losses add up to at most the budget, and no batch takes more of what is left of it than it sells of what is
    /// left to sell, at start prices.
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

    /// @dev The part of its target that each buy can attain at most: what the buys hold and what is left to sell, over
    /// the buys' targets, at the exact prices of the start, 18 decimals, and what trading has counted less than that. A
    /// margin of 1e-9 is for the shares of NAV that progress is kept in. `surely`: what they can attain even if the
    /// rest loses all that it may.
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
        if (misled || wanted == 0) return (ONE, 0);
        uint256 less = (soldMore + _soldMore(b, a)) * b.nav / ONE;
        most = _min(ONE, (held + above + less) * ONE / wanted + 1e9);
        // Of what stands above the targets the fund counts no more than it began with: gifts to the sell side are not
        // in it.
        above = _min(above, (left - _sold(b, a)) * b.nav / ONE);
        uint256 lost = _min(limits.lossBudget, left * uint256(int256(limits.lastTolerance)) / ONE + 1);
        // Buys of this batch count for less by 2**-21 of themselves at most.
        lost = (lost + boughtMore) * b.nav / ONE + wanted / 2 ** 21;
        surely = held + above > lost ? _min(ONE, (held + above - lost) * ONE / wanted) : 0;
    }
}
