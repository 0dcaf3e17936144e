// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IRebalancer, Limits, Order, Side} from "../../../contracts/interfaces/IRebalancer.sol";
import {FuzzToken} from "../../../lab/fuzz/parts/FuzzToken.sol";
import {BatchScene} from "./BatchScene.sol";
import {Outcome} from "./Model.sol";

/// @dev Months that no fund is in, where what is small elsewhere shows: a full list, values of many times the NAV.
contract ExtremesTest is BatchScene {
    uint256 private constant MANY = 50;

    /// @dev 25 sells, each of two entries, for 25 buys, within the gas of a transaction.
    function test_a_batch_of_a_full_list() external {
        (Order memory order, uint256[] memory pays) = _full();
        _trade(order, pays);
    }

    /// @dev Refusals, too, however much there is to read and to send before them.
    function test_a_full_list_that_is_refused() external {
        (Order memory order, uint256[] memory pays) = _full();
        oracle.answer("no answer", true);
        _refused(order, "no answer");
        oracle.answer(abi.encode(32, 49), false);
        _refused(order, abi.encodeWithSelector(IRebalancer.NoPrice.selector, address(0)));
        order.sells[0] = order.sells[1] = MANY;
        _refused(order, pays, abi.encodeWithSelector(IRebalancer.UnknownIndex.selector, MANY));
    }

    function test_a_full_list_whose_calls_fail() external {
        (Order memory order, uint256[] memory pays) = _full();
        _pay(order, pays);
        filler.add(address(parts[0].token), abi.encodeCall(FuzzToken.transfer, (address(this), 1e24)));
        _refused(order, abi.encodeWithSelector(FuzzToken.TooLittle.selector));
        parts[0].token.setStuck(true);
        _refused(order, abi.encodeWithSelector(FuzzToken.Stuck.selector));
    }

    function _full() private returns (Order memory order, uint256[] memory pays) {
        _standIns(_limits());
        for (uint256 i; i < MANY; ++i) {
            if (i < MANY / 2) _part(18, Side.Sell, 0.01e18 + i, 100e18 + i, 20e18);
            else _part(6, Side.Buy, 20_000 + i, 100e18 + i, 10e6);
        }
        _open(NAV, 0.2499e18, 0.2499e18, 0.5e18);
        _idle(1800);
        (order.sells, order.amounts, order.recipients) = (new uint256[](MANY), new uint256[](MANY), new address[](MANY));
        order.buys = new uint256[](MANY / 2);
        order.filler = filler;
        pays = new uint256[](MANY / 2);
        for (uint256 k; k < MANY; ++k) {
            (order.sells[k], order.amounts[k]) = (k / 2, 0.9e18 + k);
            if (k % 2 == 0) (order.buys[k / 2], pays[k / 2]) = (MANY / 2 + k / 2, 1.9e6 + k);
        }
    }

    /// @dev Shares of NAV far above one, so that one wei more or less in 1e18 is seen in each of them.
    function test_shares_of_nav_above_one() external {
        for (uint256 k; k < 6; ++k) {
            // Much is left to sell and to lose, or hardly anything.
            if (k % 2 == 0) _openTiny(15e18, 5e18, 14e18);
            else _openTiny(9e18, 0.1e18, 5e18);
            _idle(1800 - 7 * k);
            Order memory order = _order(
                wordList(ETHER, EVEN, WHOLE), wordList(0.01e18 + 3 * k, 40e18 + k, 1), wordList(DOLLAR, CENTS, FINE)
            );
            // About half of 80 dollars, eight times the NAV.
            Outcome memory o = _trade(order, wordList(20e6 + k, 300e18 + k, 1e27 + k));
            equal(o.value > 7e18, true, "value");
            equal(o.next.spent > 3e18, true, "loss");
            equal(o.result.attainable < 1e18, true, "attainable");
        }
    }

    function _openTiny(uint256 surplus, uint256 held, uint256 buyTargets) private {
        Limits memory limits = _limits();
        (limits.firstTolerance, limits.lastTolerance) = (0, 0.9e18);
        (limits.batchCap, limits.lossBudget) = (18e18, 10e18);
        delete parts;
        _standIns(limits);
        _fund();
        _open(0.010000000000000007e18, surplus, held, buyTargets);
    }

    /// @dev All but one wei of a target can be attained.
    function test_the_last_wei_that_is_attained() external {
        uint256 held = 0.7e18;
        for (uint256 k; k < 3; ++k) {
            Limits memory limits = _limits();
            limits.lossBudget = 0;
            delete parts;
            _standIns(limits);
            _fund();
            // Of a whole fund: what is left to sell and held is the part that can be attained.
            _open(NAV, 0.29e18, held, 1e18);
            _idle(1800);
            Order memory order = _order(wordList(WHOLE), wordList(3), wordList(CENTS));
            Outcome memory o = _expected(order, wordList(3000e18));
            if (k == 0) held += 1e18 - 1 - o.result.attainable;
            else equal(o.result.attainable, 1e18 - 2 + k, "the part");
            if (k == 1) ++held;
            if (k != 0) _trade(order, wordList(3000e18));
        }
    }
}
