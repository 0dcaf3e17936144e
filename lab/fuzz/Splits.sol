// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IFiller} from "../../contracts/interfaces/IFiller.sol";
import {Order} from "../../contracts/interfaces/IRebalancer.sol";
import {Draw, Drawing} from "./Draw.sol";
import {vm} from "./Vm.sol";
import {Trades} from "./Trades.sol";

/// @title Splits
/// @notice The same batch whole and in two parts, and batches over pools.
abstract contract Splits is Trades {
    using Drawing for Draw;

    /// @dev A batch that was only tried is refused.
    error Refused();

    /// @notice Tries the same batch whole and in two parts, paying the least each time: the parts are never cheaper.
    /// One time in three, because it takes as long as five batches.
    function split(uint256 seed) external {
        if (seed % 3 != 0) return _discard();
        _split(seed);
    }

    function _split(uint256 seed) private whileTrading(seed) {
        Draw memory d = Drawing.from(seed);
        Before memory b = _before();
        Deal memory whole = _propose(d, b);
        (Deal memory one_, Deal memory two) = (_copy(whole), _copy(whole));
        uint256 cut = d.below(4) == 0 ? d.below(1000) : d.below(ONE);
        for (uint256 i; i < N; ++i) {
            if (whole.amount[i] == 0) continue;
            whole.amount[i] = _min(whole.amount[i], b.seen.balance[i] - b.goal[i]);
            one_.amount[i] = whole.amount[i] * cut / ONE;
            two.amount[i] = whole.amount[i] - one_.amount[i];
        }
        uint256 margin = _margin(b.nav, whole);
        // With several buys each is paid this much in all but the last one.
        uint256 first;
        for (uint256 i; i < N && first == 0; ++i) {
            if ((whole.buys >> i) & 1 != 0) first = whole.value / 4 * one[i] / price[i] * d.below(ONE) / ONE;
        }
        (bool made, uint256[N] memory got, uint256[N] memory gave) = _try(whole, whole, first, 0, false);
        if (!made) _discard();
        uint256 part = first * cut / ONE;
        (bool split_, uint256[N] memory gotSplit, uint256[N] memory gaveSplit) =
            _try(one_, two, part, first - part, true);
        if (!split_) _discard();
        for (uint256 i; i < N; ++i) {
            if (gotSplit[i] != got[i]) _discard();
        }
        for (uint256 i; i < N; ++i) {
            uint256 most = 1 + (price[i] == 0 ? 0 : _up(margin, one[i], price[i]));
            if (gaveSplit[i] + most < gave[i]) revert(_found(i, gave[i], gaveSplit[i]));
        }
    }

    /// @dev What the whole batch may lose less than its part of the budget by its own rounding, USD. The budget is kept
    /// in 1e-18 of NAV. Where it binds, the tolerance (at most 0.1) is floored to 1e-18 of the value, itself at most
    /// 0.1 of NAV, and the value's share of NAV is raised by up to 1e-18: at most 0.1e-18 of NAV each. The share sold
    /// is floored by up to 1e-18, which costs (budget / surplus) x 1e-18, and where the budget binds budget / surplus
    /// is below 0.1 x value / sold. The rest are single wei of USD.
    function _margin(uint256 nav, Deal memory whole) private view returns (uint256) {
        uint256 value;
        uint256 atStart;
        for (uint256 i; i < N; ++i) {
            value += whole.amount[i] * price[i] / one[i];
            atStart += whole.amount[i] * startPrice[i] / one[i];
        }
        if (atStart == 0) return nav;
        return _up(_up(nav, 2 * atStart + value, 10 * atStart), 1, ONE) + 2 * N;
    }

    function _found(uint256 i, uint256 whole, uint256 parts) private pure returns (string memory) {
        return string.concat(
            "splitting gains nothing (component ",
            vm.toString(i),
            ": whole ",
            vm.toString(whole),
            ", parts ",
            vm.toString(parts),
            ")"
        );
    }

    function _copy(Deal memory from) internal pure returns (Deal memory to) {
        to.buys = from.buys;
        to.value = from.value;
    }

    /// @dev Makes one batch or two, notes what the filler got and gave, and takes it all back.
    function _try(Deal memory one_, Deal memory two, uint256 firstOne, uint256 firstTwo, bool both)
        private
        returns (bool made, uint256[N] memory got, uint256[N] memory gave)
    {
        try this.attempt(one_, two, firstOne, firstTwo, both) {}
        catch (bytes memory reason) {
            made = bytes4(reason) == Outcome.selector;
            if (!made) {
                // What the harness itself found is passed on.
                if (bytes4(reason) == bytes4(0x08c379a0)) {
                    assembly ("memory-safe") {
                        revert(add(reason, 32), mload(reason))
                    }
                }
                return (false, got, gave);
            }
            assembly ("memory-safe") {
                reason := add(reason, 4)
            }
            (got, gave) = abi.decode(_tail(reason), (uint256[5], uint256[5]));
        }
    }

    /// @dev The words behind a selector.
    function _tail(bytes memory shifted) private pure returns (bytes memory words) {
        words = new bytes(2 * N * 32);
        assembly ("memory-safe") {
            mcopy(add(words, 32), add(shifted, 32), mload(words))
        }
    }

    /// @notice Called by this contract alone; always reverts.
    function attempt(Deal memory one_, Deal memory two, uint256 firstOne, uint256 firstTwo, bool both) external {
        require(msg.sender == address(this), "harness: attempt");
        uint256[N] memory got;
        uint256[N] memory gave;
        _payAndNote(one_, firstOne, got, gave);
        if (both) _payAndNote(two, firstTwo, got, gave);
        revert Outcome(got, gave);
    }

    function _payAndNote(Deal memory deal, uint256 first, uint256[N] memory got, uint256[N] memory gave) private {
        uint256 least = _least(deal);
        require(least != 0, Refused());
        _payLeast(deal, least, first);
        Before memory b = _before();
        for (uint256 i; i < N; ++i) {
            got[i] += b.seen.balance[i];
        }
        // A part so small that its first buy would pay for all of it compares with nothing.
        bool several = deal.buys & (deal.buys - 1) != 0;
        for (uint256 i; i < N && several && first != 0; ++i) {
            if ((deal.buys >> i) & 1 == 0) continue;
            require(deal.pay[i] == first, Refused());
            break;
        }
        require(_make(b, deal, PLAIN), Refused());
        for (uint256 i; i < N; ++i) {
            gave[i] += deal.pay[i];
            got[i] = got[i] + deal.pay[i] - _held(i);
        }
    }

    /// @notice Over pools, with the project's own filler: nothing stays in it.
    function tradePools(uint256 seed) external whileTrading(seed) {
        Draw memory d = Drawing.from(seed);
        Before memory b = _before();
        Deal memory deal = _propose(d, b);
        Order memory o = _order(deal, IFiller(uniswap), PLAIN);
        bytes memory data;
        uint256 to;
        while ((deal.buys >> to) & 1 == 0) ++to;
        _setPool(to, d.between(0.98e18, 1.01e18));
        uint256 leg;
        for (uint256 i; i < N; ++i) {
            if (deal.amount[i] == 0) continue;
            bool straight = d.below(2) == 0;
            _setPool(i, d.between(0.99e18, 1.03e18));
            if (straight) o.recipients[leg] = address(pools[i]);
            // Flags, see `Hop`: 1 token0 goes in, 2 paid already, 8 chained, 16 home.
            uint256 flags = (address(tokens[i]) < address(weth) ? 1 : 0) | (straight ? 2 : 0);
            data = abi.encodePacked(data, _hop(i, flags, leg++));
            data = abi.encodePacked(data, _hop(to, (address(weth) < address(tokens[to]) ? 1 : 0) | 24, 0));
        }
        o.data = data;
        (bool made,) = _send(o);
        if (!made) _discard();
        _settled(b, deal.buys);
        _empty();
    }

    function _hop(uint256 i, uint256 flags, uint256 leg) private view returns (uint256) {
        return (uint256(uint160(address(pools[i]))) << 96) | (flags << 80) | (leg << 72);
    }

    /// @dev Nothing lies in the project's filler, nor in the rebalancer.
    function _empty() internal view {
        _hold(weth.balanceOf(uniswap) == 0, "no token stays in fillers");
        for (uint256 i; i < N; ++i) {
            _hold(tokens[i].balanceOf(uniswap) == 0, "no token stays in fillers");
            _hold(tokens[i].balanceOf(address(rebalancer)) == 0, "no token stays in fillers");
        }
    }
}
