// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Status} from "../../../contracts/interfaces/IMethodology.sol";
import {OpeningPlan} from "../../../contracts/interfaces/IOpener.sol";
import {Side} from "../../../contracts/interfaces/IRebalancer.sol";
import {OpenerBench} from "./OpenerBench.sol";

/// @title TargetsTest
/// @notice Sides, sums that pace the month, and the step that no rise exceeds. A dollar a token, in wei.
contract TargetsTest is OpenerBench {
    function _own(address token, uint256 held, uint256 wanted) private {
        hold(token, 18, held, 1e18);
        if (wanted != 0) include(token, wanted);
    }

    function _sums(OpeningPlan memory p, uint256 difference, uint256 surplus, uint256 held, uint256 buyTargets)
        private
        pure
    {
        equal(p.difference, difference, "difference");
        equal(p.surplus, surplus, "surplus");
        equal(p.held, held, "held");
        equal(p.buyTargets, buyTargets, "buyTargets");
    }

    /* SUMS */

    function test_sums_are_rounded_down() external {
        _own(A, 2, 0);
        _own(B, 1, 3);
        OpeningPlan memory p = plan();
        _sums(p, uint256(2e18) / 3, uint256(2e18) / 3, uint256(1e18) / 3, 1e18);
        equal(p.leaves, true, "leaves");
        targetIs(p, 0, Side.Sell, 0, 1e18);
        targetIs(p, 1, Side.Buy, 3, 1e18);
    }

    function test_sums_that_divide() external {
        _own(A, 1, 0);
        _own(B, 1, 2);
        _sums(plan(), 0.5e18, 0.5e18, 0.5e18, 1e18);
    }

    function test_most_is_held() external {
        _own(A, 1, 0);
        _own(B, 2, 3);
        _sums(plan(), uint256(1e18) / 3, uint256(1e18) / 3, uint256(2e18) / 3, 1e18);
    }

    /// @dev Half of 10 sold and 3 more bought is 6, of 100.
    function test_half_the_difference() external {
        _own(A, 60, 50);
        _own(B, 40, 43);
        OpeningPlan memory p = plan();
        _sums(p, 0.06e18, 0.1e18, 0.4e18, 0.43e18);
        equal(p.leaves, false, "leaves");
    }

    /// @dev What is at its target is on no side and keeps its price.
    function test_at_the_target() external {
        _own(A, 50, 50);
        _own(B, 30, 20);
        _own(C, 20, 30);
        OpeningPlan memory p = plan();
        _sums(p, 0.1e18, 0.1e18, 0.2e18, 0.3e18);
        targetIs(p, 0, Side.Held, 50, 1e18);
    }

    function test_several_on_each_side() external {
        _own(A, 50, 49);
        _own(B, 30, 27);
        _own(C, 10, 12);
        _own(D, 10, 17);
        _sums(plan(), 0.06e18, 0.04e18, 0.2e18, 0.29e18);
    }

    function test_what_is_frozen_counts_on_no_side() external {
        hold(A, 18, 50, 1e18);
        determine(A, 70, Status.Frozen);
        _own(B, 30, 20);
        _own(C, 20, 30);
        OpeningPlan memory p = plan();
        _sums(p, 0.1e18, 0.1e18, 0.2e18, 0.3e18);
        targetIs(p, 0, Side.Held, 50, 0);
    }

    /// @dev A methodology may want more than there is.
    function test_more_is_wanted_than_there_is() external {
        _own(A, 10, 40);
        _sums(plan(), 1e18, 0, 1e18, 4e18);
    }

    function test_as_much_more_is_wanted_as_there_is() external {
        _own(A, 10, 29);
        _sums(plan(), 0.9e18, 0, 1e18, 2.9e18);
    }

    /// @dev Half a dollar a token: goals are rounded down as values are.
    function test_goals_are_rounded_down() external {
        hold(A, 18, 7, 0.5e18);
        hold(B, 6, 2e6 + 1, 3);
        include(A, 5);
        include(B, 3e6 - 1);
        OpeningPlan memory p = plan();
        // 3 and 6 are held, 2 and 8 are wanted
        equal(p.nav, 9, "nav");
        _sums(p, uint256(1e18) / 9, uint256(1e18) / 9, uint256(6e18) / 9, uint256(8e18) / 9);
    }

    /// @dev Only a target of 0 leaves.
    function test_a_target_of_a_wei_stays() external {
        _own(A, 50, 1);
        _own(B, 50, 99);
        equal(plan().leaves, false, "leaves");
    }

    /* STEPS */

    function test_a_rise_of_exactly_the_step_is_not_cut() external {
        maxStep = 0.1e18;
        _own(A, 950, 850);
        _own(B, 50, 150);
        OpeningPlan memory p = plan();
        _sums(p, 0.1e18, 0.1e18, 0.05e18, 0.15e18);
        targetIs(p, 0, Side.Sell, 850, 1e18);
        targetIs(p, 1, Side.Buy, 150, 1e18);
    }

    /// @dev A wei of 1000 more: the sell gives up a hundredth.
    function test_a_wei_above_the_step_is_cut() external {
        maxStep = 0.1e18;
        _own(A, 950, 849);
        _own(B, 50, 151);
        OpeningPlan memory p = plan();
        _sums(p, 0.101e18, 0.1e18, 0.05e18, 0.15e18);
        targetIs(p, 0, Side.Sell, 850, 1e18);
        targetIs(p, 1, Side.Buy, 150, 1e18);
    }

    /// @dev B is cut by 150, C is not; each sell gives up half of its surplus, rounded down.
    function test_sells_give_up_the_same_part() external {
        maxStep = 0.1e18;
        _own(A, 600, 399);
        _own(B, 100, 350);
        _own(C, 100, 150);
        _own(D, 200, 101);
        OpeningPlan memory p = plan();
        targetIs(p, 0, Side.Sell, 499, 1e18);
        targetIs(p, 1, Side.Buy, 200, 1e18);
        targetIs(p, 2, Side.Buy, 150, 1e18);
        targetIs(p, 3, Side.Sell, 150, 1e18);
        _sums(p, 0.3e18, 0.151e18, 0.2e18, 0.35e18);
    }

    /// @dev Both buys are cut, by 150 and 70.
    function test_the_excess_of_all_buys() external {
        maxStep = 0.1e18;
        _own(A, 800, 0);
        _own(B, 100, 350);
        _own(C, 100, 270);
        OpeningPlan memory p = plan();
        targetIs(p, 0, Side.Sell, 220, 1e18);
        targetIs(p, 1, Side.Buy, 200, 1e18);
        targetIs(p, 2, Side.Buy, 200, 1e18);
        equal(p.leaves, true, "leaves, as far as the methodology is concerned");
    }

    /// @dev More is cut than sold: then nothing is.
    function test_more_is_cut_than_sold() external {
        maxStep = 0.1e18;
        _own(A, 1000, 900);
        include(B, 400);
        meet(B, 18, 1e18);
        OpeningPlan memory p = plan();
        targetIs(p, 0, Side.Held, 1000, 1e18);
        targetIs(p, 1, Side.Buy, 100, 1e18);
        _sums(p, 0.25e18, 0, 0, 0.1e18);
    }

    function test_a_surplus_of_a_wei() external {
        maxStep = 0.1e18;
        _own(A, 1000, 999);
        include(B, 400);
        meet(B, 18, 1e18);
        targetIs(plan(), 0, Side.Held, 1000, 1e18);
    }

    /// @dev A is sold by a wei that is worth nothing.
    function test_no_surplus() external {
        maxStep = 0.1e18;
        hold(A, 18, 3, 0.1e18);
        include(A, 2);
        _own(B, 1000, 1000);
        include(C, 400);
        meet(C, 18, 1e18);
        OpeningPlan memory p = plan();
        targetIs(p, 0, Side.Sell, 2, 0.1e18);
        targetIs(p, 1, Side.Held, 1000, 1e18);
        targetIs(p, 2, Side.Buy, 100, 1e18);
    }

    function test_what_is_held_is_not_cut() external {
        maxStep = 0.1e18;
        _own(A, 700, 500);
        hold(B, 18, 250, 1e18);
        determine(B, 5, Status.Frozen);
        _own(C, 50, 250);
        OpeningPlan memory p = plan();
        targetIs(p, 0, Side.Sell, 600, 1e18);
        targetIs(p, 1, Side.Held, 250, 0);
        targetIs(p, 2, Side.Buy, 150, 1e18);
        equal(p.nav, 1000, "nav");
    }

    /// @dev Half a dollar a token. B's goal is 100.5 dollars, which counts as 100 and is not cut beside C's, which is.
    function test_what_is_cut_is_rounded_down() external {
        maxStep = 0.1e18;
        _own(A, 1000, 500);
        meet(B, 18, 0.5e18);
        meet(C, 18, 0.5e18);
        include(B, 201);
        include(C, 205);
        OpeningPlan memory p = plan();
        targetIs(p, 0, Side.Sell, 502, 1e18);
        targetIs(p, 1, Side.Buy, 201, 0.5e18);
        // 102.5 dollars, which count as 102
        targetIs(p, 2, Side.Buy, 205 * 100 / uint256(102), 0.5e18);
    }

    /// @dev The step to the last wei: a tenth of 1e28.
    function test_the_step_of_a_large_nav() external {
        maxStep = 0.1e18;
        hold(A, 18, 1e28, 1e18);
        include(A, 1);
        meet(B, 18, 1e18);
        include(B, 1);
        answerTargets(wordList(6e27, 4e27));
        OpeningPlan memory p = plan();
        targetIs(p, 0, Side.Sell, 9e27, 1e18);
        targetIs(p, 1, Side.Buy, 1e27, 1e18);
    }
}
