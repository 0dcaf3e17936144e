// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IRebalancer, Order, Side} from "../../../contracts/interfaces/IRebalancer.sol";
import {vm} from "../../../lab/fuzz/Vm.sol";
import {Lie} from "../../../lab/fuzz/parts/FuzzToken.sol";
import {BatchScene} from "./BatchScene.sol";
import {Moved, Outcome} from "./Model.sol";

/// @dev What an order may say, and what is made of it.
contract OrdersTest is BatchScene {
    function setUp() external {
        _openUsual();
        _idle(1800);
    }

    function _wrongSide(uint256 i) private view returns (bytes memory) {
        return abi.encodeWithSelector(IRebalancer.WrongSide.selector, parts[i].token, parts[i].side);
    }

    function _unfit(Order memory order) private {
        _refused(order, abi.encodeWithSelector(IRebalancer.UnfitBatch.selector));
    }

    function _notAscending(Order memory order, uint256 i) private {
        _refused(order, abi.encodeWithSelector(IRebalancer.IndexesNotAscending.selector, i));
    }

    function _unknown(Order memory order, uint256 i) private {
        _refused(order, abi.encodeWithSelector(IRebalancer.UnknownIndex.selector, i));
    }

    /// @dev 100 dollars of gold, for dollars.
    function _small() private view returns (Order memory) {
        return _order(wordList(GOLD), wordList(500_000), wordList(DOLLAR));
    }

    /* LISTS */

    function test_something_is_sold_and_something_bought() external {
        Order memory order = _small();
        order.sells = order.amounts = new uint256[](0);
        order.recipients = new address[](0);
        _unfit(order);
        order = _small();
        order.buys = new uint256[](0);
        _unfit(order);
    }

    function test_each_sell_has_an_amount_and_a_recipient() external {
        Order memory order = _small();
        order.amounts = new uint256[](0);
        _unfit(order);
        order.amounts = wordList(1, 1);
        _unfit(order);
        order = _small();
        order.recipients = new address[](0);
        _unfit(order);
        order.recipients = new address[](2);
        _unfit(order);
    }

    function test_indexes_of_sells_ascend_but_one_may_stand_again() external {
        _notAscending(_order(wordList(GOLD, ETHER), wordList(1, 1), wordList(DOLLAR)), ETHER);
        _notAscending(_order(wordList(ETHER, GOLD, ETHER), wordList(1, 1, 1), wordList(DOLLAR)), ETHER);
        _notAscending(_order(wordList(EVEN, EVEN, GOLD), wordList(1, 1, 1), wordList(DOLLAR)), GOLD);
        Order memory order = _order(wordList(GOLD, GOLD, EVEN), wordList(100_000, 150_000, 3e18), wordList(DOLLAR));
        Outcome memory o = _trade(order, wordList(60e6));
        equal(o.result.valueOut, 50.75e18, "all three");
    }

    function test_indexes_of_buys_ascend() external {
        _notAscending(_order(wordList(GOLD), wordList(1), wordList(CENTS, DOLLAR)), DOLLAR);
        _notAscending(_order(wordList(GOLD), wordList(1), wordList(DOLLAR, DOLLAR)), DOLLAR);
        _trade(_order(wordList(GOLD), wordList(500_000), wordList(DOLLAR, FINE)), wordList(60e6, 10e27));
    }

    function test_there_are_as_many_components_as_parts() external {
        _unknown(_order(wordList(8), wordList(1), wordList(DOLLAR)), 8);
        _unknown(_order(wordList(type(uint256).max), wordList(1), wordList(DOLLAR)), type(uint256).max);
        _unknown(_order(wordList(GOLD), wordList(1), wordList(DOLLAR, 8)), 8);
        _unknown(_order(wordList(GOLD), wordList(1), wordList(type(uint256).max)), type(uint256).max);
        _trade(_order(wordList(WHOLE), wordList(1), wordList(FINE)), wordList(8e27));
    }

    /// @dev Whichever is the shorter, nothing beyond is read.
    function test_list_and_targets_differ_in_length() external {
        fund.setList(_list(FINE));
        _unknown(_order(wordList(GOLD), wordList(1), wordList(FINE)), FINE);
        _trade(_order(wordList(EVEN), wordList(4e18), wordList(CENTS)), wordList(30e18));
        _part(18, Side.Sell, 0, 1e18, 1e18);
        fund.setList(_list(9));
        _unknown(_order(wordList(8), wordList(1), wordList(FINE)), 8);
    }

    function test_each_is_on_its_side() external {
        _refused(_order(wordList(DOLLAR), wordList(1), wordList(CENTS)), _wrongSide(DOLLAR));
        _refused(_order(wordList(STILL), wordList(1), wordList(DOLLAR)), _wrongSide(STILL));
        _refused(_order(wordList(GOLD), wordList(1), wordList(GOLD)), _wrongSide(GOLD));
        _refused(_order(wordList(GOLD), wordList(1), wordList(STILL)), _wrongSide(STILL));
    }

    /* MEASURE */

    function test_balances_of_128_bits_are_traded() external {
        parts[GOLD].token.setBalance(address(fund), type(uint128).max);
        _trade(_small(), wordList(150e6));
        parts[GOLD].token.setBalance(address(fund), 1 << 128);
        _refused(_small(), abi.encodeWithSelector(IRebalancer.AboveMeasure.selector, parts[GOLD].token));
        parts[DOLLAR].token.setBalance(address(fund), 1 << 128);
        Order memory order = _order(wordList(EVEN), wordList(4e18), wordList(DOLLAR));
        _refused(order, abi.encodeWithSelector(IRebalancer.AboveMeasure.selector, parts[DOLLAR].token));
    }

    /// @dev A target of 2**128 and more, as the supply has grown.
    function test_targets_of_128_bits_are_traded() external {
        // {share}: 1e27 + 1 token wei for each whole one.
        uint256 most = uint256(type(uint128).max) * 1e18 / (1e27 + 1);
        fund.setSupply(most, EXPONENT);
        // All that was sold before is below its target now, `WHOLE` excepted, whose target is none.
        Order memory order = _order(wordList(WHOLE), wordList(1), wordList(FINE));
        _trade(order, wordList(8e27));
        fund.setSupply(most + 1e18, EXPONENT);
        _refused(order, abi.encodeWithSelector(IRebalancer.AboveMeasure.selector, parts[FINE].token));
    }

    function test_a_token_that_does_not_say_its_balance() external {
        parts[DOLLAR].token.setLie(address(fund), Lie.Refuses);
        _refused(_small(), abi.encodeWithSignature("Refused()"));
        parts[DOLLAR].token.setLie(address(fund), Lie.Short);
        vm.expectRevert();
        rebalancer.trade(_small());
    }

    /* SURPLUS */

    /// @dev No more leaves than lies above the target, which is rounded up.
    function test_sells_are_clamped_to_the_surplus() external {
        // 15.005...e18 and a part of a wei.
        uint256 above = parts[ETHER].unit * SUPPLY / 1e18 + 1;
        parts[ETHER].token.setBalance(address(fund), above + 1.5e18);
        Order memory order = _order(wordList(ETHER, WHOLE), wordList(20e18, 30), wordList(DOLLAR));
        Outcome memory o = _trade(order, wordList(4600e6));
        equal(o.result.valueOut, 4500e18, "the surplus");
        equal(_balance(ETHER), above, "the target is left");
    }

    /// @dev Of a target that is whole token wei all that lies above it is sold.
    function test_an_even_target_is_not_rounded() external {
        uint256 target = 3 * SUPPLY;
        parts[EVEN].token.setBalance(address(fund), target + 7e18 + 1);
        _trade(_order(wordList(EVEN), wordList(type(uint256).max), wordList(DOLLAR)), wordList(2e6));
        equal(_balance(EVEN), target, "the target is left");
    }

    function test_a_sell_of_exactly_the_surplus() external {
        uint256 surplus = 7e18;
        for (uint256 more; more < 2; ++more) {
            parts[EVEN].token.setBalance(address(fund), 3 * SUPPLY + surplus);
            Order memory order = _order(wordList(EVEN), wordList(surplus + more), wordList(DOLLAR));
            _trade(order, wordList(2e6));
            equal(_balance(EVEN), 3 * SUPPLY, "the target is left");
        }
    }

    function test_what_stands_at_its_target_is_not_sold() external {
        uint256 target = 3 * SUPPLY;
        for (uint256 less; less < 2; ++less) {
            parts[EVEN].token.setBalance(address(fund), target - less);
            Order memory order = _order(wordList(EVEN), wordList(4e18), wordList(DOLLAR));
            _refused(order, wordList(2e6), abi.encodeWithSelector(IRebalancer.NothingSold.selector));
            // Beside it another is.
            order = _order(wordList(GOLD, EVEN), wordList(500_000, 4e18), wordList(DOLLAR));
            _trade(order, wordList(110e6));
            equal(_balance(EVEN), target - less, "not sold");
        }
    }

    function test_parts_of_a_sell_are_clamped_together() external {
        parts[EVEN].token.setBalance(address(fund), 3 * SUPPLY + 10e18);
        Order memory order = _order(wordList(EVEN, EVEN, EVEN), wordList(4e18, 7e18, 5e18), wordList(DOLLAR));
        order.recipients[0] = address(0xa1);
        order.recipients[2] = address(0xa3);
        _trade(order, wordList(3e6));
        equal(parts[EVEN].token.balanceOf(address(0xa1)), 4e18, "first");
        equal(parts[EVEN].token.balanceOf(address(filler)), 6e18, "second");
        equal(parts[EVEN].token.balanceOf(address(0xa3)), 0, "third");
    }

    /* RECIPIENTS */

    function test_each_entry_goes_where_it_is_sent() external {
        Order memory order = _order(wordList(GOLD, GOLD, WHOLE), wordList(100_000, 70_000, 2), wordList(DOLLAR));
        order.recipients[0] = address(1);
        order.recipients[2] = address(0xa3);
        _trade(order, wordList(140e6));
        equal(parts[GOLD].token.balanceOf(address(1)), 100_000, "first");
        equal(parts[GOLD].token.balanceOf(address(filler)), 70_000, "the filler, where none is named");
        equal(parts[WHOLE].token.balanceOf(address(0xa3)), 2, "third");
    }

    /// @dev The fund itself may be named; so what was sent is what left.
    function test_what_comes_back_is_not_sold() external {
        Order memory order = _order(wordList(GOLD, WHOLE), wordList(500_000, 3), wordList(DOLLAR));
        order.recipients[0] = address(fund);
        uint256[] memory pays = wordList(160e6);
        _pay(order, pays);
        Moved memory m = _moved(order, pays);
        m.sold[GOLD] = 0;
        equal(_trade(order, m).result.valueOut, 150e18, "three of `WHOLE`");
        order = _order(wordList(WHOLE), wordList(3), wordList(DOLLAR));
        order.recipients[0] = address(fund);
        _refused(order, abi.encodeWithSelector(IRebalancer.NothingSold.selector));
    }

    function test_more_than_comes_back_is_nothing_sold() external {
        Order memory order = _order(wordList(GOLD, WHOLE), wordList(500_000, 3), wordList(DOLLAR));
        uint256[] memory pays = wordList(160e6);
        _pay(order, pays);
        _give(GOLD, 500_001);
        Moved memory m = _moved(order, pays);
        (m.sold[GOLD], m.before[GOLD]) = (0, m.before[GOLD] + 1);
        Moved memory counted = _moved(order, pays);
        counted.sold[GOLD] = 0;
        _trade(order, counted, m);
    }

    /// @dev Nothing but the sells is sold, whatever becomes of the rest meanwhile.
    function test_a_buy_that_shrinks_is_not_sold() external {
        Order memory order = _order(wordList(WHOLE), wordList(3), wordList(DOLLAR, CENTS));
        uint256[] memory pays = wordList(0, 3200e18);
        _pay(order, pays);
        uint256 less = _balance(DOLLAR) - 1e6;
        filler.add(address(parts[DOLLAR].token), abi.encodeCall(parts[DOLLAR].token.setBalance, (address(fund), less)));
        Moved memory counted = _moved(order, pays);
        Moved memory m = _moved(order, pays);
        m.before[DOLLAR] = less;
        _trade(order, counted, m);
    }

    function test_nothing_but_zero_is_nothing_sold() external {
        Order memory order = _order(wordList(GOLD, EVEN), wordList(0, 0), wordList(DOLLAR));
        _refused(order, wordList(1e6), abi.encodeWithSelector(IRebalancer.NothingSold.selector));
    }

    /// @dev One wei of value: the least that is a batch.
    function test_one_token_wei_is_a_batch() external {
        Order memory order = _order(wordList(EVEN), wordList(1), wordList(DOLLAR));
        equal(_trade(order, wordList(1)).result.valueOut, 1, "a quarter of a wei, rounded up");
    }
}
