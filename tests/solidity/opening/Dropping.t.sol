// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Status} from "../../../contracts/interfaces/IMethodology.sol";
import {OpeningPlan} from "../../../contracts/interfaces/IOpener.sol";
import {Side} from "../../../contracts/interfaces/IRebalancer.sol";
import {vm} from "../../../lab/fuzz/Vm.sol";
import {OpenerBench} from "./OpenerBench.sol";

/// @title DroppingTest
/// @notice What goes off the list: nothing held, or so little that it may be lost.
contract DroppingTest is OpenerBench {
    /// @dev A leaves, worth 5 dollars then and now; B has the other 5. Half of it may be dropped.
    function setUp() public override {
        super.setUp();
        maxDrop = 0.5e18;
    }

    function _pair(uint256 balance, uint256 then, uint256 now_) private {
        hold(A, 18, balance, now_);
        hold(B, 18, 10e18 - balance, 1e18);
        determine(A, 1, Status.Leaving, 0, then, 0);
        include(B, 1e18);
    }

    function _goes(bool goes) private view {
        OpeningPlan memory p = plan();
        equal(p.changed, goes, "changed");
        equal(p.leaves, true, "leaves, by sale or not");
        if (goes) equal(p.list, wordList(entry(B, 18)), "list");
        countIs(p, goes ? 1 : 2);
    }

    /* AT BOTH PRICES */

    function test_as_much_as_may_be_dropped() external {
        _pair(5e18, 1e18, 1e18);
        _goes(true);
        maxDrop -= 1;
        _goes(false);
    }

    function test_a_wei_more() external {
        _pair(5e18 + 1, 1e18, 1e18);
        _goes(false);
    }

    function test_the_higher_price_was_then() external {
        _pair(5e18, 1e18 + 1, 1e18);
        _goes(false);
    }

    function test_the_lower_price_was_then() external {
        _pair(5e18, 1, 1e18);
        _goes(true);
        maxDrop -= 1;
        _goes(false);
    }

    /// @dev A third of a wei above what may be dropped.
    function test_what_is_lost_is_rounded_up() external {
        index.setSupply(3e18, EXPONENT);
        hold(A, 18, 15e18 + 1, 1e18);
        hold(B, 18, 15e18, 1e18);
        determine(A, 1, Status.Leaving, 0, 1e18, 0);
        include(B, 1e18);
        _goes(false);
        setBalance(A, 15e18);
        _goes(true);
    }

    function test_another_number_of_decimals() external {
        hold(A, 6, 5e6, 1e18);
        hold(B, 18, 5e18, 1e18);
        determine(A, 1, Status.Leaving, 0, 1e18, 0);
        include(B, 1e18);
        _goes(true);
        maxDrop -= 1;
        _goes(false);
    }

    /// @dev Its own row's, not another's: B's price then is a thousand dollars, A's a cent.
    function test_the_price_of_its_own_row() external {
        hold(A, 18, 4e18, 1e18);
        hold(B, 18, 5e18, 1e18);
        hold(C, 18, 1e18, 1e18);
        determine(A, 1e18, Status.Included, 0, 0.01e18, 0);
        determine(B, 1, Status.Leaving, 0, 1e18, 0);
        determine(C, 1e18, Status.Included, 0, 1000e18, 0);
        OpeningPlan memory p = plan();
        equal(p.list, wordList(entry(A, 18), entry(C, 18)), "list");
        maxDrop -= 1;
        equal(plan().changed, false, "changed");
    }

    function test_no_price_then() external {
        _pair(5, 0, 1e18);
        _goes(false);
    }

    function test_the_least_price_then() external {
        _pair(5, 1, 1e18);
        _goes(true);
    }

    function test_the_least_price_now() external {
        _pair(5, 1e18, 1);
        _goes(true);
    }

    function test_no_price_now() external {
        _pair(5, 1e18, 0);
        OpeningPlan memory p = plan();
        equal(p.changed || p.leaves, false, "changed or leaves");
        targetIs(p, 0, Side.Held, 5, 0);
    }

    function test_what_no_row_names_has_no_price_then() external {
        hold(A, 18, 5, 1e18);
        hold(B, 18, 5e18, 1e18);
        determine(B, 1e18, Status.Included, 0, 1, 0);
        _goes(false);
    }

    function test_a_balance_that_is_not_sound() external {
        _pair(5, 1e18, 1e18);
        refuse(A);
        OpeningPlan memory p = plan();
        equal(p.changed || p.leaves, false, "changed or leaves");
        targetIs(p, 0, Side.Held, 0, 0);
    }

    /* NOTHING HELD */

    function test_nothing_held_goes_whatever_may_be_dropped() external {
        maxDrop = 0;
        _pair(0, 0, 0);
        _goes(true);
        setBalance(A, 1);
        OpeningPlan memory p = plan();
        equal(p.changed, false, "one wei stays");
    }

    function test_nothing_held_and_in_no_row_goes() external {
        maxDrop = 0;
        hold(A, 18, 0, 1e18);
        hold(B, 18, 5e18, 1e18);
        include(B, 1e18);
        _goes(true);
    }

    function test_what_is_frozen_goes_only_with_nothing() external {
        hold(A, 18, 0, 1e18);
        hold(B, 18, 5e18, 1e18);
        determine(A, 1, Status.Frozen, 0, 1e18, 0);
        include(B, 1e18);
        _goes(true);
        setBalance(A, 1);
        OpeningPlan memory p = plan();
        equal(p.changed || p.leaves, false, "changed or leaves");
    }

    /// @dev Whether its suspension is over or not.
    function test_a_constituent_stays_with_nothing() external {
        vm.warp(1000);
        holdMarked(A, 18, 0, 1e18, 1000, false);
        hold(B, 18, 5e18, 1e18);
        hold(C, 18, 0, 1e18);
        include(A, 1e18);
        include(B, 1e18);
        include(C, 1e18);
        OpeningPlan memory p = plan();
        equal(p.changed, false, "changed");
        countIs(p, 3);
    }

    /// @dev A share that holds less than a wei of it.
    function test_less_than_a_unit_is_not_nothing() external {
        maxDrop = 0;
        index.setSupply(10e18, EXPONENT);
        hold(A, 18, 9, 1e18);
        hold(B, 18, 50e18, 1e18);
        determine(A, 1, Status.Leaving, 0, 1e18, 0);
        include(B, 1e18);
        OpeningPlan memory p = plan();
        equal(p.changed || p.leaves, false, "changed or leaves");
        targetIs(p, 0, Side.Held, 0, 1e18);
    }

    /* WRITTEN OFF */

    function test_what_is_written_off_goes_whatever_it_says() external {
        maxDrop = 0;
        holdMarked(A, 18, 1e30, 1e18, 0, true);
        hold(B, 18, 5e18, 1e18);
        include(A, 1e18);
        include(B, 1e18);
        _goes(true);
        equal(plan().nav, 5e18, "nav");
        refuse(A);
        _goes(true);
    }

    function test_what_is_written_off_goes_though_it_was_suspended() external {
        maxDrop = 0;
        holdMarked(A, 18, 1, 1e18, type(uint40).max, true);
        hold(B, 18, 5e18, 1e18);
        include(B, 1e18);
        _goes(true);
    }

    /* SEVERAL */

    /// @dev A and C leave, worth `a` and `c`, of 10 dollars.
    function _two(uint256 a, uint256 c) private {
        hold(A, 18, a, 1e18);
        hold(B, 18, 10e18 - a - c, 1e18);
        hold(C, 18, c, 1e18);
        determine(A, 1, Status.Leaving, 0, 1e18, 0);
        include(B, 1e18);
        determine(C, 1, Status.Leaving, 0, 1e18, 0);
    }

    function test_together_as_much_as_may_be_dropped() external {
        _two(3e18, 2e18);
        equal(plan().list, wordList(entry(B, 18)), "list");
    }

    function test_together_a_wei_more() external {
        _two(3e18, 2e18 + 1);
        equal(plan().list, wordList(entry(B, 18), entry(C, 18)), "the first goes");
    }

    function test_the_second_may_go_where_the_first_does_not() external {
        _two(6e18, 2e18);
        equal(plan().list, wordList(entry(A, 18), entry(B, 18)), "list");
    }

    /// @dev What the methodology is asked has no gaps, and every column moves.
    function test_gaps_are_closed() external {
        hold(A, 6, 0, 1e18);
        hold(B, 8, 2e8, 3e18);
        meet(C, 4, 5e18);
        hold(D, 0, 0, 7e18);
        hold(E, 18, 4e18, 9e18);
        include(B, 3e8);
        include(C, 1e4);
        include(E, 2e18);
        expectQuestion(
            wordList(3e8, 1e4, 2e18), wordList(2e8, 0, 4e18), wordList(3e18, 5e18, 9e18), wordList(1e8, 1e4, 1e18)
        );
        OpeningPlan memory p = plan();
        equal(p.list, wordList(entry(B, 8), entry(C, 4), entry(E, 18)), "list");
        equal(p.nav, 42e18, "nav");
        equal(p.leaves, true, "leaves");
        countIs(p, 3);
        targetIs(p, 0, Side.Buy, 3e8, 3e18);
        targetIs(p, 1, Side.Buy, 1e4, 5e18);
        targetIs(p, 2, Side.Sell, 2e18, 9e18);
        equal(p.surplus, uint256(18e18) * 1e18 / 42e18, "surplus");
        equal(p.held, uint256(6e18) * 1e18 / 42e18, "held");
        equal(p.buyTargets, uint256(14e18) * 1e18 / 42e18, "buyTargets");
    }

    /// @dev One goes, one comes: the list is no shorter, and something held leaves it.
    function test_one_goes_one_comes() external {
        hold(A, 18, 0, 1e18);
        meet(B, 18, 1e18);
        hold(C, 18, 5e18, 1e18);
        include(B, 1e18);
        include(C, 1e18);
        OpeningPlan memory p = plan();
        equal(p.list, wordList(entry(B, 18), entry(C, 18)), "list");
        equal(p.leaves, true, "leaves");
        equal(p.changed, true, "changed");
    }

    function test_one_goes_between_and_one_comes_behind() external {
        hold(A, 18, 5e18, 1e18);
        hold(B, 18, 0, 1e18);
        meet(C, 18, 1e18);
        include(A, 1e18);
        include(C, 1e18);
        OpeningPlan memory p = plan();
        equal(p.list, wordList(entry(A, 18), entry(C, 18)), "list");
        equal(p.leaves, true, "leaves");
    }

    /// @dev The first newcomer is dead: nothing held leaves.
    function test_one_comes_one_does_not() external {
        hold(A, 18, 5e18, 1e18);
        meet(B, 18, 0);
        meet(C, 18, 1e18);
        hold(D, 18, 5e18, 1e18);
        include(A, 1e18);
        include(B, 1e18);
        include(C, 1e18);
        include(D, 1e18);
        OpeningPlan memory p = plan();
        equal(p.list, wordList(entry(A, 18), entry(C, 18), entry(D, 18)), "list");
        equal(p.leaves, false, "leaves");
        equal(p.confirmed[3], uint256(Status.Outside), "B");
    }

    /// @dev It came onto the list and is gone again: nothing has changed.
    function test_nobody_comes_after_all() external {
        hold(A, 18, 5e18, 1e18);
        meet(B, 18, 0);
        include(A, 1e18);
        include(B, 1e18);
        OpeningPlan memory p = plan();
        equal(p.changed || p.leaves, false, "changed or leaves");
        equal(p.list.length, 0, "list");
        equal(p.confirmed[3], uint256(Status.Outside), "B");
        countIs(p, 1);
    }
}
