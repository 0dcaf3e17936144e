// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IRebalancer, Order} from "../../../contracts/interfaces/IRebalancer.sol";
import {vm} from "../../../lab/fuzz/Vm.sol";
import {BatchScene} from "./BatchScene.sol";
import {Outcome} from "./Model.sol";

/// @dev What a batch must bring in, what it may take out at once, and what a month may lose.
contract LossesTest is BatchScene {
    function setUp() external {
        _openUsual();
    }

    /// @dev About 4,000 dollars in three sells, for three buys of which the first two are paid `first` dollars.
    function _usual(uint256 first) private view returns (Order memory order, uint256[] memory pays) {
        order = _order(
            wordList(ETHER, GOLD, EVEN), wordList(1e18 + 1, 5_000_001, 4000e18 + 1), wordList(DOLLAR, CENTS, FINE)
        );
        pays = wordList(first * 1e6 + 1, 0, first * 1e27 / 21 + 1);
    }

    /// @dev Adds as much to the payment in cents as the batch needs to the wei.
    function _payLeast(Order memory order, uint256[] memory pays) private view {
        pays[1] = 0;
        Outcome memory o = _expected(order, pays);
        pays[1] = _worth(CENTS, o.least - o.result.valueIn);
        o = _expected(order, pays);
        equal(o.result.valueIn, o.least, "to the wei");
    }

    function _tooLittle(Order memory order, uint256[] memory pays, uint256 least) private {
        _refused(order, pays, abi.encodeWithSelector(IRebalancer.BelowTolerance.selector, least - 1, least));
    }

    /* TOLERANCE */

    /// @dev The fund gains at first; then the bucket decides, then the budget.
    function test_the_least_payment_passes_and_one_wei_less_does_not() external {
        uint256[5] memory times = [uint256(480), 491, 700, 1400, 1800];
        uint256 snapshot = vm.snapshotState();
        for (uint256 k; k < times.length; ++k) {
            _idle(times[k]);
            (Order memory order, uint256[] memory pays) = _usual(1500);
            _payLeast(order, pays);
            uint256 least = _expected(order, pays).least;
            pays[1] -= 1;
            _tooLittle(order, pays, least);
            pays[1] += 1;
            Outcome memory o = _trade(order, pays);
            equal(o.result.valueIn > o.result.valueOut, times[k] < 491, "a gain");
            equal(o.next.spent != 0, times[k] >= 491, "a loss");
            vm.revertToState(snapshot);
        }
    }

    function test_unpaid_batches_are_refused() external {
        _idle(1800);
        (Order memory order, uint256[] memory pays) = _usual(1500);
        pays = wordList(0, 0, 0);
        uint256 least = _expected(order, pays).least;
        _refused(order, pays, abi.encodeWithSelector(IRebalancer.BelowTolerance.selector, 0, least));
        order.buys = wordList(DOLLAR);
        _refused(order, wordList(0), abi.encodeWithSelector(IRebalancer.BelowTolerance.selector, 0, least));
    }

    function test_what_is_not_named_does_not_pay() external {
        _idle(1800);
        (Order memory order, uint256[] memory pays) = _usual(1500);
        _payLeast(order, pays);
        uint256 least = _expected(order, pays).least;
        order.buys = wordList(DOLLAR, FINE);
        uint256[] memory less = wordList(pays[0], pays[2]);
        uint256 found = _expected(order, less).result.valueIn;
        _pay(order, less);
        _give(CENTS, pays[1]);
        _refused(order, abi.encodeWithSelector(IRebalancer.BelowTolerance.selector, found, least));
    }

    function test_the_sender_may_ask_for_more() external {
        _idle(1800);
        (Order memory order, uint256[] memory pays) = _usual(1500);
        pays[1] = 40_000e18;
        uint256 value = _expected(order, pays).result.valueIn;
        order.minValueIn = value + 1;
        _refused(order, pays, abi.encodeWithSelector(IRebalancer.BelowMinimum.selector, value, value + 1));
        order.minValueIn = value;
        _trade(order, pays);
    }

    function test_what_the_fund_asks_for_comes_first() external {
        _idle(1800);
        (Order memory order, uint256[] memory pays) = _usual(1500);
        _payLeast(order, pays);
        uint256 least = _expected(order, pays).least;
        pays[1] -= 1;
        order.minValueIn = type(uint256).max;
        _tooLittle(order, pays, least);
    }

    /* BUDGET */

    /// @dev Losses add up, gains do not count against them.
    function test_gains_do_not_refill_the_budget() external {
        _idle(1800);
        (Order memory order, uint256[] memory pays) = _usual(1000);
        _payLeast(order, pays);
        uint256 spent = _trade(order, pays).next.spent;
        order = _order(wordList(WHOLE), wordList(2), wordList(CENTS));
        _trade(order, wordList(2080e18));
        equal(rebalancer.progress().spent, spent, "a gain of 4 dollars");
        // Even: no gain, no loss.
        _trade(order, wordList(2000e18));
        equal(rebalancer.progress().spent, spent, "no loss");
        _trade(order, wordList(2000e18 - 20));
        equal(rebalancer.progress().spent, spent + 1, "one wei of USD");
    }

    /// @dev Parts of what is left to sell may lose the same part of what is left of the budget.
    function test_a_batch_may_lose_its_part_of_the_budget() external {
        for (uint256 k; k < 5; ++k) {
            _idle(1800 * (k + 1));
            Order memory order = _order(wordList(ETHER, EVEN), wordList(0.7e18, 3000e18 + k), wordList(DOLLAR, CENTS));
            uint256[] memory pays = wordList(1000e6, 0);
            _payLeast(order, pays);
            uint256 least = _expected(order, pays).least;
            pays[1] -= 1;
            _tooLittle(order, pays, least);
            pays[1] += 1;
            _trade(order, pays);
        }
    }

    /// @dev A second line of defence: no batch is known to lead there, so the month is put there by hand.
    function test_a_spent_budget_stops_the_month() external {
        _idle(1800);
        uint256 budget = 0.005e18;
        Order memory order = _order(wordList(WHOLE), wordList(2), wordList(CENTS));
        _setSpent(budget);
        // No loss is allowed any more; without one it goes on.
        uint256 value = 100e18;
        _refused(
            order, wordList(2000e18 - 20), abi.encodeWithSelector(IRebalancer.BelowTolerance.selector, value - 1, value)
        );
        _trade(order, wordList(2000e18));
        _setSpent(budget + 1);
        _refused(
            order, wordList(2000e18), abi.encodeWithSelector(IRebalancer.AboveLossBudget.selector, budget + 1, budget)
        );
    }

    /// @dev Writes `spent`, the second of four words of 64 bits, where `progress` is kept.
    function _setSpent(uint256 spent) private {
        for (uint256 slot; slot < 32; ++slot) {
            uint256 word = uint256(vm.load(address(rebalancer), bytes32(slot)));
            if (word >> 128 != (uint256(rebalancer.progress().held) << 64 | rebalancer.progress().surplus)) continue;
            word = word & ~(uint256(type(uint64).max) << 64) | spent << 64;
            vm.store(address(rebalancer), bytes32(slot), bytes32(word));
            equal(rebalancer.progress().spent, spent, "written");
            return;
        }
        revert("no slot holds the progress");
    }

    /* BUCKET */

    function test_no_more_than_the_bucket_gives() external {
        _idle(300);
        Order memory order = _order(wordList(EVEN), wordList(10_000e18), wordList(CENTS));
        uint256[] memory pays = wordList(51_000e18);
        Outcome memory o = _expected(order, pays);
        equal(o.capacity, 0.025e18, "half of the cap");
        // {tok} worth just that: 4 of them are 1 USD.
        uint256 most = o.capacity * (NAV * SUPPLY / 1e18) / 1e18 * 4;
        order.amounts[0] = most + 1;
        o = _expected(order, pays);
        equal(o.value, o.capacity + 1, "one more");
        _refused(order, pays, abi.encodeWithSelector(IRebalancer.AboveCapacity.selector, o.value, o.capacity));
        order.amounts[0] = most;
        o = _trade(order, pays);
        equal(o.value, o.capacity, "all of it");
    }

    function test_nothing_at_once() external {
        Order memory order = _order(wordList(EVEN), wordList(1), wordList(CENTS));
        _refused(order, wordList(1e18), abi.encodeWithSelector(IRebalancer.AboveCapacity.selector, 1, 0));
    }
}
