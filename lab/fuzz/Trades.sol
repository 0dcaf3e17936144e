// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IFiller} from "../../contracts/interfaces/IFiller.sol";
import {IRebalancer, Order, Side} from "../../contracts/interfaces/IRebalancer.sol";
import {Draw, Drawing} from "./Draw.sol";
import {Ghost} from "./Ghost.sol";

/// @title Trades
/// @notice Batches by honest and hostile fillers.
abstract contract Trades is Ghost {
    using Drawing for Draw;

    // What the filler does beside paying, see there.
    bytes internal constant PLAIN = "";
    bytes internal constant ATTEMPTS = "1";
    bytes internal constant BACK = "22";

    /// @dev A batch in tokens: what is sold of each, which are bought (bits), what the filler pays of each.
    struct Deal {
        uint256[N] amount;
        uint256 buys;
        uint256[N] pay;
        uint256 value; // {USD} of the sells, about
    }

    /// @dev The end of a batch that was only tried: what the filler got and gave of each component.
    error Outcome(uint256[N] got, uint256[N] gave);

    /* DEALS */

    /// @dev Value that the bucket gives now, USD, rounded down.
    function _capacity(uint256 nav) internal view returns (uint256) {
        uint256 share = idle * limits.batchCap / (uint256(limits.coolOff) * ONE);
        return _min(share, limits.batchCap) * nav / ONE;
    }

    function _fits(Before memory b, uint256 i, Side wanted) private view returns (bool) {
        if (side[i] != wanted || price[i] == 0 || stuck[i] || _lying(i)) return false;
        return wanted == Side.Sell ? b.seen.balance[i] > b.goal[i] : b.seen.balance[i] < b.goal[i];
    }

    /// @dev One or all of the components that can be sold, for a random part of what the bucket gives, and one or all
    /// that can be bought. Discards where there is nothing.
    function _propose(Draw memory d, Before memory b) internal view returns (Deal memory deal) {
        (uint256 sells, uint256 buys) = (_choose(d, b, Side.Sell), _choose(d, b, Side.Buy));
        if (sells == 0 || buys == 0) _discard();
        deal.buys = buys;
        uint256 value = _capacity(b.nav);
        if (d.below(8) != 0) value = _min(value, _lacking(b, buys) * 24 / 25);
        if (d.below(3) == 0) value = d.amount(value + 1);
        uint256 count;
        for (uint256 i; i < N; ++i) {
            if ((sells >> i) & 1 != 0) ++count;
        }
        for (uint256 i; i < N; ++i) {
            if ((sells >> i) & 1 == 0) continue;
            uint256 surplus = b.seen.balance[i] - b.goal[i];
            // Above the surplus: it has to be clamped. The bucket decides on what is left of it.
            uint256 amount = value / count * one[i] / price[i];
            if (amount >= surplus) amount = d.below(2) == 0 ? surplus : surplus + d.amount(surplus);
            if (amount == 0) amount = 1;
            deal.amount[i] = amount;
            deal.value += _min(amount, surplus) * price[i] / one[i];
        }
    }

    /// @dev Bits of one, or of all, that fit.
    function _choose(Draw memory d, Before memory b, Side wanted) private view returns (uint256 bits) {
        uint256 count;
        for (uint256 i; i < N; ++i) {
            if (!_fits(b, i, wanted)) continue;
            bits |= 1 << i;
            ++count;
        }
        if (count > 1 && d.below(2) == 0) {
            uint256 skip = d.below(count);
            for (uint256 i; i < N; ++i) {
                if ((bits >> i) & 1 == 0) continue;
                if (skip == 0) return 1 << i;
                --skip;
            }
        }
    }

    /// @dev What these buys lack, USD.
    function _lacking(Before memory b, uint256 buys) private view returns (uint256 value) {
        for (uint256 i; i < N; ++i) {
            if ((buys >> i) & 1 != 0) value += (b.goal[i] - b.seen.balance[i]) * price[i] / one[i];
        }
    }

    /// @dev Pays `value` in the buys, each in proportion to what it lacks.
    function _payFairly(Before memory b, Deal memory deal, uint256 value) internal view {
        uint256 lacking = _lacking(b, deal.buys);
        if (lacking == 0) return;
        for (uint256 i; i < N; ++i) {
            if ((deal.buys >> i) & 1 == 0) continue;
            // {tok} = {tok} * {USD} / {USD}, up
            deal.pay[i] = _up(b.goal[i] - b.seen.balance[i], value, lacking);
        }
    }

    /* ORDERS */

    function _order(Deal memory deal, IFiller by, bytes memory data) internal view returns (Order memory o) {
        (uint256 n, uint256 m) = (_count(deal, true), _count(deal, false));
        (o.sells, o.amounts, o.recipients) = (new uint256[](n), new uint256[](n), new address[](n));
        o.buys = new uint256[](m);
        (o.filler, o.data) = (by, data);
        (n, m) = (0, 0);
        for (uint256 i; i < N; ++i) {
            if (deal.amount[i] != 0) (o.sells[n], o.amounts[n++]) = (position[i], deal.amount[i]);
            if ((deal.buys >> i) & 1 != 0) o.buys[m++] = position[i];
        }
    }

    function _count(Deal memory deal, bool sells) private pure returns (uint256 n) {
        for (uint256 i; i < N; ++i) {
            if (sells ? deal.amount[i] != 0 : (deal.buys >> i) & 1 != 0) ++n;
        }
    }

    /// @dev Makes the batch. The reason where it is refused.
    function _send(Order memory o) internal returns (bool made, bytes memory reason) {
        (made, reason) = address(rebalancer).call{gas: GAS}(abi.encodeCall(IRebalancer.trade, (o)));
        if (!made) _noPanic(reason);
    }

    /// @dev Makes the batch with the harness's filler, and holds it to the rules.
    function _make(Before memory b, Deal memory deal, bytes memory data) internal returns (bool made) {
        filler.order(deal.pay);
        (made,) = _send(_order(deal, filler, data));
        if (made) _settled(b, deal.buys);
    }

    /// @dev The value that this batch must bring in, as the fund itself says when it is paid nothing. 0 where it
    /// refuses the batch for another reason.
    function _least(Deal memory deal) internal returns (uint256 least) {
        uint256[N] memory nothing;
        filler.order(nothing);
        (, bytes memory reason) = _send(_order(deal, filler, PLAIN));
        if (bytes4(reason) != IRebalancer.BelowTolerance.selector) return 0;
        assembly ("memory-safe") {
            least := mload(add(reason, 68))
        }
    }

    /// @dev As little as brings in `least`: `first` of the first buy, the rest in the last one.
    function _payLeast(Deal memory deal, uint256 least, uint256 first) internal view {
        uint256 last = N;
        for (uint256 i = N; i > 0 && last == N; --i) {
            if ((deal.buys >> (i - 1)) & 1 != 0) last = i - 1;
        }
        for (uint256 i; i < last; ++i) {
            if ((deal.buys >> i) & 1 == 0) continue;
            uint256 value = first * price[i] / one[i];
            if (value >= least) continue;
            (deal.pay[i], least, first) = (first, least - value, 0);
        }
        deal.pay[last] = _up(least, one[last], price[last]);
    }

    /* HANDLERS */

    /// @dev Opens a handler: only while trading is open, after a while.
    modifier whileTrading(uint256 seed) {
        if (!trading || time > end || pausedUntil > time) {
            _discard();
        } else {
            uint256 kind = uint256(keccak256(abi.encode(seed, "wait")));
            // Half of the time the bucket is full, else any time up to that, or none.
            uint256 wait = limits.maxIdle;
            if (kind % 8 == 0) wait = 0;
            else if (kind % 8 < 4) wait = (kind >> 8) % (wait + 1);
            _pass(wait);
            if (time > end) _discard();
            _;
        }
    }

    /// @dev One time in eight somebody gives the fund something just before the batch.
    function _giveFirst(Draw memory d, Before memory b) internal returns (Before memory) {
        if (d.below(8) != 0) return b;
        uint256 i = d.below(N);
        tokens[i].deal(address(index), d.amount(b.seen.balance[i] / 1000 + 1));
        if (side[i] == Side.Buy) given = true;
        return _before();
    }

    /// @notice Pays what it gets, at oracle prices, a little more or less.
    function tradeFairly(uint256 seed) external whileTrading(seed) {
        Draw memory d = Drawing.from(seed);
        Before memory b = _before();
        Deal memory deal = _propose(d, b);
        _payFairly(b, deal, deal.value * d.between(0.99e18, 1.035e18) / ONE + 1);
        if (!_make(_giveFirst(d, b), deal, PLAIN)) _discard();
    }

    /// @notice Pays the least that the fund takes.
    function tradeLeast(uint256 seed) external whileTrading(seed) {
        Draw memory d = Drawing.from(seed);
        Before memory b = _before();
        Deal memory deal = _propose(d, b);
        uint256 least = _least(deal);
        if (least == 0) _discard();
        _payLeast(deal, least, 0);
        if (!_make(_giveFirst(d, b), deal, PLAIN)) _discard();
    }

    /// @notice Pays anything: much too much of one buy, too little of another, also what nobody asked for. Sometimes it
    /// asks for more than the bucket gives, one time in eight also for a component that is not to be sold.
    function tradeWildly(uint256 seed) external whileTrading(seed) {
        Draw memory d = Drawing.from(seed);
        Before memory b = _before();
        Deal memory deal = _propose(d, b);
        for (uint256 i; i < N; ++i) {
            uint256 whole = deal.value * one[i] / lastPrice[i];
            if (d.below(4) != 0) deal.pay[i] = d.below(3 * whole + 2);
        }
        uint256 j = d.below(N);
        if (d.below(8) == 0 && position[j] < N && side[j] != Side.Sell) {
            deal.amount[j] = 1 + b.seen.balance[j] / 1000;
            deal.buys &= ~(1 << j);
        }
        uint256 times = d.below(4) == 0 ? d.between(2, 4) : 1;
        for (uint256 i; i < N; ++i) {
            deal.amount[i] *= times;
        }
        if (!_make(b, deal, d.below(2) == 0 ? BACK : PLAIN)) _discard();
    }

    /// @notice Pays fairly, and on its way tries what the fund's lock has to stop; also sends half of a sell back.
    function tradeHostilely(uint256 seed) external whileTrading(seed) {
        Draw memory d = Drawing.from(seed);
        Before memory b = _before();
        Deal memory deal = _propose(d, b);
        _payFairly(b, deal, deal.value + 1);
        bool made = _make(b, deal, d.below(2) == 0 ? ATTEMPTS : BACK);
        _hold(!filler.breached(), "the lock holds");
        if (!made) _discard();
    }
}
