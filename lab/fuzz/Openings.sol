// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {FixedPointMathLib} from "solady/src/utils/FixedPointMathLib.sol";

import {Constituent, Status} from "../../contracts/interfaces/IMethodology.sol";
import {Limits, Opening, Progress, Side, Target} from "../../contracts/interfaces/IRebalancer.sol";
import {Component} from "../../contracts/libraries/ComponentList.sol";
import {Constituents} from "../../contracts/libraries/Constituents.sol";
import {Targets} from "../../contracts/libraries/Targets.sol";
import {Conditions} from "./Conditions.sol";
import {vm} from "./Vm.sol";

/// @title Openings
/// @notice The month as start fixed it, and as it is once a component has gone out of it.
abstract contract Openings is Conditions {
    uint256 private constant YEAR = 31_557_600;

    /// @dev A batch before it is made. `goal`: balance at target, up for sells and down for buys.
    struct Before {
        Seen seen;
        uint256 shares; // {share of the start}
        uint256 nav; // {USD} of all of them at start prices
        uint256[N] goal;
    }

    uint256 internal fee = 0.0095e18;

    // The month, as fixed at start.
    bool public trading;
    Limits internal limits;
    Side[N] internal side;
    uint256[N] internal unit;
    uint256[N] internal exactPrice; // at start
    uint256[N] internal startPrice; // the same as it is kept: what trading is counted in
    uint256 internal navOfShare;
    uint256 internal startExponent;
    uint256 internal end;
    // What trading changes. `idle`: {1e-18 s} the bucket has been idle; `spent`: share of NAV lost; `misled`: the
    // fund has counted by what a token lied that nobody had suspended, `given`: somebody gave a component, in this
    // month.
    uint256 internal idle;
    uint256 internal spent;
    uint256 internal left; // share of NAV, surplus not yet sold
    // Share of NAV by which sells, and buys, were counted for less than they were worth at the exact prices of the
    // start.
    uint256 internal soldMore;
    uint256 internal boughtMore;
    // `rounded`: share of NAV by which roundings of mint and redeem have raised what the buys hold, in this month.
    bool internal misled;
    bool internal given;
    uint256 internal rounded;

    /* HELPERS */

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

    /// @dev Adds up what a mint or a redemption rounded for the holders who stay: single wei, which weigh more the
    /// smaller the supply is at that moment. Units rise by it, and progress does not count it.
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
        uint256 held = index.balanceOf(DEAD);
        _hold(index.totalSupply() >= 0.1e18 && held >= 0.1e18, "supply above the locked seed");
        held += index.balanceOf(RECIPIENT) + index.balanceOf(address(index)) + index.balanceOf(address(upkeep));
        for (uint256 k; k < HOLDERS; ++k) {
            held += index.balanceOf(holder(k));
        }
        _hold(held + index.pendingFee() == index.totalSupply(), "balances and pending fee are the supply");
    }

    /* TIME */

    /// @dev Lets time pass. Of all that a holder has, only the fee may be gone, and it is what it is said to be.
    function _pass(uint256 duration) internal {
        uint256 supply = index.totalSupply();
        uint256 from = pausedUntil > time ? _min(pausedUntil, time + duration) : time;
        time += duration;
        vm.warp(time);
        idle = _min(idle + (time - from) * ONE, uint256(limits.maxIdle) * ONE);
        if (time > from && pausedUntil > time) pausedUntil = time;

        uint256 growth = index.totalSupply() - supply;
        // The continuous rate r = -ln(1 - f) lies between f and f + f^2 / 2 (1 - f); exp(x) - 1 between x and x + x^2.
        // Four parts in 1e18 for roundings: of this quotient, of the exponents' difference, and of exp at either end.
        uint256 least = fee * duration / YEAR;
        uint256 most = (fee + fee * fee / (2 * (ONE - fee)) + 1) * duration / YEAR + 4;
        _hold(growth <= supply * (most + most * most / ONE) / ONE + 1, "the fee takes no more than stated");
        _hold(growth + supply * 2 / ONE + 2 >= supply * least / ONE, "the fee is not lost");
    }

    /* START */

    /// @dev The oracle's prices when the month was determined.
    uint256[N] internal determinedPrice;

    /// @dev Sums of a start, see `_opened`: USD of a share.
    struct Sums {
        uint256 nav;
        uint256 dropped;
        uint256 kept;
    }

    /// @dev After a start: reads what it fixed and holds it to the rules.
    function _opened() internal {
        Opening memory o = rebalancer.opening();
        Target[] memory targets = Targets.unpack(Targets.read(o.targets));
        Component[] memory list = index.components();
        Constituent[] memory rows = Constituents.read(rebalancer.month().determination);
        limits = rebalancer.limits();
        (navOfShare, startExponent, end) = (o.nav, o.exponent, o.end);
        (idle, spent, misled, given) = (0, 0, false, false);
        (soldMore, boughtMore, rounded) = (0, 0, 0);
        left = rebalancer.progress().surplus;
        trading = rebalancer.trading();
        uint256 supply = index.totalSupply();
        Sums memory sums;
        uint256 k;
        for (uint256 i; i < N; ++i) {
            bool listed = k < list.length && list[k].token == address(tokens[i]);
            if (listed || _listed(i)) sums.nav += _value(i, supply);
            if (listed) _stays(i, list[k], _isOutside(rows, i), sums, supply);
            else if (_listed(i)) _goes(i, sums, supply);
            position[i] = listed ? k : N;
            side[i] = listed ? targets[k].side : Side.Held;
            unit[i] = listed ? targets[k].unit : 0;
            startPrice[i] = listed ? targets[k].price : 0;
            exactPrice[i] = startPrice[i] == 0 ? 0 : price[i];
            if (listed) ++k;
            else (suspendedUntil[i], writtenOff[i]) = (0, false);
            if (listed) _targeted(i, supply);
        }
        _hold(k == list.length, "list ascends");
        _hold(navOfShare == sums.nav, "NAV of what is sound");
        uint256 most = navOfShare * MAX_DROP / ONE;
        _hold(sums.dropped <= most, "only dust is dropped");
        _hold(sums.kept == 0 || sums.dropped + sums.kept > most, "dust goes off the list");
        _counted(o, supply);
    }

    /// @dev What a component adds to the NAV of a share: nothing while it is suspended, or says what is not sound.
    function _value(uint256 i, uint256 supply) private view returns (uint256) {
        return _inactive(i) || !_sound(i, supply) ? 0 : _said(i) * ONE / supply * price[i] / one[i];
    }

    /// @dev It says a number, and one that no start finds too large: in a fund of next to no shares that people give
    /// to.
    function _sound(uint256 i, uint256 supply) internal view returns (bool) {
        uint256 held = _said(i) * ONE / supply;
        return _plausible(i) && held >> 119 == 0 && (held * price[i] / one[i]) >> 98 == 0;
    }

    function _isOutside(Constituent[] memory rows, uint256 i) private view returns (bool) {
        for (uint256 j; j < rows.length; ++j) {
            if (rows[j].token != address(tokens[i])) continue;
            return rows[j].status == Status.Leaving || rows[j].status == Status.Outside;
        }
        return true;
    }

    /// @dev On the list after a start.
    function _stays(uint256 i, Component memory entry, bool outside, Sums memory sums, uint256 supply) private {
        if (!_listed(i)) {
            // What it says counts: it may come back by the lie that there is none.
            bool empty = _held(i) == 0 || _lying(i);
            _hold(!everWrittenOff[i] || empty, "what is written off is not listed while any is held");
            leftOut[i] = false;
            _hold(entry.suspendedUntil == 0 && !entry.writtenOff, "a state lasts");
            return;
        }
        _hold(!writtenOff[i], "what is written off goes off the list");
        _hold(entry.suspendedUntil == suspendedUntil[i] && !entry.writtenOff, "a state lasts");
        if (outside && !_suspended(i) && !_lying(i) && _sound(i, supply) && price[i] != 0 && determinedPrice[i] != 0) {
            sums.kept += _worth(i, supply);
        }
    }

    /// @dev Off the list after a start. What a token says of itself counts for as long as nobody has suspended it.
    function _goes(uint256 i, Sums memory sums, uint256 supply) private {
        if (writtenOff[i]) return;
        _hold(!_suspended(i), "a state lasts");
        if (_lying(i)) {
            misled = true;
        } else if (_held(i) != 0) {
            _hold(price[i] != 0 && determinedPrice[i] != 0, "nothing is dropped without a price");
            sums.dropped += _worth(i, supply);
        }
    }

    /// @dev USD of a share of what is truly held, at the higher price of determination and start, up.
    function _worth(uint256 i, uint256 supply) private view returns (uint256) {
        uint256 most = price[i] > determinedPrice[i] ? price[i] : determinedPrice[i];
        return _up(_held(i) * most, ONE, one[i] * supply);
    }

    /// @dev Targets rest on fresh prices and on what tokens say now.
    function _targeted(uint256 i, uint256 supply) private {
        if (startPrice[i] == 0) {
            _hold(side[i] == Side.Held, "no trade without a price");
            return;
        }
        _hold(!_inactive(i) && _sound(i, supply), "no trade of what is not sound");
        _hold(startPrice[i] == _kept(price[i]), "targets at fresh prices");
        uint256 step = navOfShare * limits.maxStep / ONE;
        _hold(unit[i] * price[i] / one[i] <= _value(i, supply) + step + 1, "maxStep");
        if (_lying(i)) misled = true;
    }

    /// @dev What the month begins to count with is what balances, targets and exact prices give, but for roundings: a
    /// wei of USD for each component, and one of the shares of NAV.
    function _counted(Opening memory o, uint256 supply) private view {
        uint256 surplus;
        uint256 held;
        uint256 goal;
        for (uint256 i; i < N; ++i) {
            uint256 is_ = _said(i) * ONE / supply * exactPrice[i] / one[i];
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

    /* OUT OF AN OPEN MONTH */

    /// @dev After component `i` has been suspended in the open month: it is traded no more, and what is left to sell,
    /// what the buys hold and what they want is what the others' balances give at the prices of the start. Nothing else
    /// has changed.
    function _takenOut(uint256 i, Opening memory was, Progress memory p) internal {
        Opening memory o = rebalancer.opening();
        if (side[i] == Side.Held) {
            bool same = keccak256(abi.encode(o)) == keccak256(abi.encode(was));
            same = same && keccak256(abi.encode(rebalancer.progress())) == keccak256(abi.encode(p));
            return _hold(same && rebalancer.trading(), "a month without a component");
        }
        Target[] memory old = Targets.unpack(Targets.read(was.targets));
        Target[] memory now_ = Targets.unpack(Targets.read(o.targets));
        (old[position[i]].side, old[position[i]].price) = (Side.Held, 0);
        _hold(keccak256(abi.encode(old)) == keccak256(abi.encode(now_)), "a month without a component");
        side[i] = Side.Held;
        (startPrice[i], exactPrice[i]) = (0, 0);
        _isLeft(o, was, p);
        p = rebalancer.progress();
        left = p.surplus;
        bool done = left <= limits.dust || p.held + limits.dust >= o.buyTargets;
        trading = rebalancer.trading();
        _hold(trading != done, "a month with nothing else left ends");
    }

    function _isLeft(Opening memory o, Opening memory was, Progress memory p) private {
        Before memory b = _before();
        uint256 surplus;
        uint256 held;
        uint256 goal;
        for (uint256 j; j < N; ++j) {
            if (side[j] == Side.Held) continue;
            // What the others say counts, true or not, if it is a number.
            if (_lying(j)) misled = true;
            if (!_plausible(j)) continue;
            uint256 said = _said(j);
            if (side[j] == Side.Sell && said > b.goal[j]) surplus += (said - b.goal[j]) * startPrice[j] / one[j];
            if (side[j] != Side.Buy) continue;
            goal += b.goal[j] * startPrice[j] / one[j];
            held += _min(said, b.goal[j]) * startPrice[j] / one[j];
        }
        Progress memory q = rebalancer.progress();
        goal = _min(goal * ONE / b.nav, was.buyTargets);
        bool holds = q.surplus == _min(surplus * ONE / b.nav, p.surplus) && q.held == _min(held * ONE / b.nav, goal);
        holds = holds && o.buyTargets == goal && o.nav == was.nav && o.end == was.end && o.exponent == was.exponent;
        _hold(holds && q.tat == p.tat && q.spent == p.spent, "a month without a component");
    }

    function _before() internal view returns (Before memory b) {
        b.seen = _look();
        b.shares = _startShares();
        b.nav = navOfShare * b.shares / ONE;
        for (uint256 i; i < N; ++i) {
            b.goal[i] = side[i] == Side.Sell ? _up(unit[i], b.shares, ONE) : unit[i] * b.shares / ONE;
        }
    }
}
