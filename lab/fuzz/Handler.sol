// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Phase, Reason, Side} from "../../contracts/interfaces/IRebalancer.sol";
import {Brakes} from "./Brakes.sol";
import {Draw, Drawing} from "./Draw.sol";
import {Holders} from "./Holders.sol";
import {Solvers} from "./Solvers.sol";
import {Lie} from "./parts/FuzzToken.sol";

/// @title Handler
/// @notice All that may happen to a fund, one function each, and what must be possible at the end of every sequence.
abstract contract Handler is Holders, Brakes, Solvers {
    using Drawing for Draw;

    /// @dev Batches within which an honest filler ends a month: the cap is at least 2 % of NAV.
    uint256 private constant BATCHES = 120;

    constructor() {
        limits = _firstLimits();
        for (uint256 i; i < N; ++i) {
            position[i] = i < NEWCOMER ? i : i == NEWCOMER ? N : i - 1;
        }
        _armFiller();
    }

    /// @dev What the filler tries in the middle of a batch, and the fund's lock has to stop.
    function _armFiller() private {
        uint256[] memory none;
        address[] memory nobody;
        filler.attempt(address(index), abi.encodeCall(index.mint, (1e18, address(filler), nobody, none)));
        filler.attempt(address(index), abi.encodeCall(index.collectFee, ()));
        filler.attempt(address(rebalancer), abi.encodeCall(rebalancer.determine, ()));
        filler.attempt(address(rebalancer), abi.encodeCall(rebalancer.start, ()));
        filler.attempt(address(rebalancer), abi.encodeCall(rebalancer.close, ()));
        filler.attempt(address(index), abi.encodeCall(index.unlock, ()));
        filler.attempt(address(index), abi.encodeCall(index.lock, ()));
    }

    /// @notice The handlers that a run draws from.
    function handlers() external pure returns (bytes4[] memory list) {
        list = new bytes4[](36);
        (list[0], list[1], list[2]) = (this.mint.selector, this.redeem.selector, this.roundTrip.selector);
        (list[3], list[4], list[5]) = (this.transfer.selector, this.donate.selector, this.collectFee.selector);
        (list[6], list[7], list[8]) = (this.step.selector, this.undue.selector, this.pass.selector);
        (list[9], list[10], list[11]) = (this.veto.selector, this.pause.selector, this.unpause.selector);
        (list[12], list[13], list[14]) = (this.suspend.selector, this.setFee.selector, this.setLimits.selector);
        (list[15], list[16], list[17]) = (this.setRule.selector, this.movePrice.selector, this.killPrice.selector);
        (list[18], list[19], list[20]) = (this.movePool.selector, this.stick.selector, this.split.selector);
        (list[21], list[22]) = (this.tradeFairly.selector, this.tradeLeast.selector);
        (list[23], list[24]) = (this.tradePools.selector, this.tradeWildly.selector);
        (list[25], list[26]) = (this.tradeHostilely.selector, this.resume.selector);
        (list[27], list[28], list[29]) = (this.writeOff.selector, this.endMonth.selector, this.tellLies.selector);
        (list[30], list[31]) = (this.vanish.selector, this.replaceMethodology.selector);
        (list[32], list[33]) = (this.setTimetable.selector, this.tradeStock.selector);
        (list[34], list[35]) = (this.lookOn.selector, this.mintShort.selector);
    }

    /// @inheritdoc Holders
    function _happen(Draw memory d) internal override {
        uint256 kind = d.below(8);
        uint256 i = d.below(N);
        if (kind < 2) return _stick(i, !stuck[i]);
        if (kind < 4) return _lie(i, _lying(i) ? Lie.None : Lie(d.between(1, uint256(type(Lie).max))));
        if (!_listed(i) || writtenOff[i]) return;
        bool last = _aside() >= 2;
        if (!_suspended(i)) {
            if (!last) _suspend(i, suspendedUntil[i] != ALWAYS);
        } else if (kind < 7 || last || d.below(2) == 0) {
            _resume(i);
        } else {
            _writeOff(i);
        }
    }

    /* THE END OF A SEQUENCE */

    /// @notice Whatever has happened: an honest filler ends the month, the next one comes, and everybody gets out.
    function finish() external {
        _repair();
        bool odd = given || misled;
        if (trading) _endMonth(odd);
        _hold(rebalancer.month().phase != Phase.Trading, "a month that can end ends");
        _empty();
        _nextMonth();
        for (uint256 k; k < HOLDERS; ++k) {
            _redeemAll(holder(k));
        }
        index.collectFee();
        _redeemAll(RECIPIENT);
        _locked();
        _empty();
    }

    /// @dev Feeds live, tokens transfer and say the truth, nothing is suspended or paused: what must end can.
    function _repair() private {
        for (uint256 i; i < N; ++i) {
            if (price[i] == 0) _setPrice(i, lastPrice[i]);
            if (stuck[i]) _stick(i, false);
            if (_lying(i)) _lie(i, Lie.None);
            if (_suspended(i)) _resume(i);
        }
        if (pausedUntil > time) _pass(pausedUntil - time);
    }

    function _redeemAll(address who) private {
        uint256 shares = index.balanceOf(who);
        if (shares != 0) _redeemFor(who, shares);
    }

    /// @dev The honest filler trades with a full bucket, sells what it can and pays the least that the fund takes,
    /// spread so that no buy is ahead of another. It must end the month before the period ends, unless gifts have come,
    /// or what is lost to roundings is worth more than the dust.
    function _endMonth(bool odd) private {
        // Where the sequence stopped so late that not even twice the batches it takes would fit in, nothing is asked.
        uint256 batches = 4 + 2 * left / limits.batchCap;
        if (time + batches * limits.maxIdle > end) odd = true;
        for (uint256 k; k < BATCHES && trading; ++k) {
            if (time + limits.maxIdle > end) break;
            _pass(limits.maxIdle);
            Before memory b = _before();
            if (!odd && _coarse()) odd = true;
            if (!_batch(b)) {
                _hold(odd, "a month that can end ends (no batch)");
                break;
            }
        }
        if (!trading) return;
        if (time <= end) _hold(odd, "a month that can end ends (too slowly)");
        if (time <= end) _pass(end + 1 - time);
        _hold(_act() && !trading, "a month that can end ends (by itself)");
    }

    /// @dev Units are whole wei for a share, rounded down where progress begins: with 8 decimals at 40,000 dollars that
    /// is 3e-6 of a share of 120 dollars, and more than the least dust.
    function _coarse() private view returns (bool) {
        uint256 wei_;
        for (uint256 i; i < N; ++i) {
            if (position[i] < N) wei_ += _up(1, startPrice[i] > price[i] ? startPrice[i] : price[i], one[i]);
        }
        // {USD / share}
        return 4 * (wei_ + rounded * navOfShare / ONE) > navOfShare * limits.dust / ONE;
    }

    /// @dev One batch of the honest filler. Where it is refused because the buys cannot take so much, a part of it.
    function _batch(Before memory b) private returns (bool) {
        uint256 value = _capacity(b.nav) * 999_999 / 1_000_000;
        uint256 room = _room(b, ONE);
        for (uint256 k; k < 8; ++k) {
            Deal memory deal = _all(b, _min(value, room));
            if (deal.value == 0 || deal.buys == 0) return false;
            uint256 least = _least(deal);
            if (least != 0) {
                _level(b, deal, least);
                if (_make(b, deal, PLAIN)) return true;
            }
            (value, room) = (value / 2, room / 2);
        }
        return false;
    }

    /// @dev All surpluses, each the same part of itself, worth `value` at most; all buys that lack something. Nine
    /// tenths of the dust stay unsold: roundings of mint and redeem give the holders single wei that progress does not
    /// count, and where the supply has been small in between they are 1e-8 of a buy, which its last batch could not be
    /// credited.
    function _all(Before memory b, uint256 value) private view returns (Deal memory deal) {
        uint256 surplus;
        uint256 atStart;
        for (uint256 i; i < N; ++i) {
            if (side[i] == Side.Sell && b.seen.balance[i] > b.goal[i]) {
                surplus += (b.seen.balance[i] - b.goal[i]) * price[i] / one[i];
                atStart += _up(b.seen.balance[i] - b.goal[i], startPrice[i], one[i]);
            }
        }
        // What progress has left to sell, USD: less than what stands above the targets where somebody gave.
        uint256 counted = (left - _min(left, limits.dust * 9 / 10)) * b.nav / ONE;
        for (uint256 i; i < N; ++i) {
            if (side[i] == Side.Sell && b.seen.balance[i] > b.goal[i] && surplus != 0) {
                uint256 over = b.seen.balance[i] - b.goal[i];
                uint256 most = atStart <= counted ? over : over * counted / atStart;
                deal.amount[i] = _min(most, surplus <= value ? over : over * value / surplus);
                deal.value += deal.amount[i] * price[i] / one[i];
            } else if (side[i] == Side.Buy && b.seen.balance[i] < b.goal[i]) {
                deal.buys |= 1 << i;
            }
        }
    }

    /// @dev What it takes to bring every buy to `part` of its target, USD.
    function _room(Before memory b, uint256 part) private view returns (uint256 value) {
        for (uint256 i; i < N; ++i) {
            uint256 goal = b.goal[i] * part / ONE;
            if (side[i] == Side.Buy && goal > b.seen.balance[i]) {
                value += (goal - b.seen.balance[i]) * price[i] / one[i];
            }
        }
    }

    /// @dev Pays at least `value`, bringing all buys to the same part of their targets.
    function _level(Before memory b, Deal memory deal, uint256 value) private view {
        (uint256 low, uint256 high) = (0, ONE);
        while (high - low > 1) {
            uint256 middle = (low + high) / 2;
            if (_room(b, middle) >= value) high = middle;
            else low = middle;
        }
        for (uint256 i; i < N; ++i) {
            uint256 goal = b.goal[i] * high / ONE;
            if ((deal.buys >> i) & 1 != 0 && goal > b.seen.balance[i]) deal.pay[i] = goal - b.seen.balance[i];
        }
    }

    /// @dev The next period's month can be determined.
    function _nextMonth() private {
        uint256 period = rebalancer.month().period;
        for (uint256 k; k < 8 && rebalancer.month().period == period; ++k) {
            if (_act()) continue;
            (, Reason reason,) = rebalancer.workable();
            // Rightly, or `_act` had found it: there is nothing to weigh.
            if (reason == Reason.Refused) return;
            _hold(_goOn(), "the next month comes");
        }
        _hold(rebalancer.month().period > period, "the next month comes");
    }
}
