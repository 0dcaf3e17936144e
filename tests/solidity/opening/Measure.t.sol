// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Status} from "../../../contracts/interfaces/IMethodology.sol";
import {IOpener, OpeningPlan} from "../../../contracts/interfaces/IOpener.sol";
import {Side} from "../../../contracts/interfaces/IRebalancer.sol";
import {vm} from "../../../lab/fuzz/Vm.sol";
import {OpenerBench} from "./OpenerBench.sol";

/// @title MeasureTest
/// @notice What a share holds, what that is worth, and what is held as it is because it cannot be measured.
contract MeasureTest is OpenerBench {
    /* UNITS, VALUES, NAV */

    function test_units_and_values_are_rounded_down() external {
        index.setSupply(3e18, EXPONENT);
        hold(A, 18, 11, 0.5e18);
        hold(B, 6, 30e26 + 2, 1e6);
        include(A, 3);
        include(B, 1e26);
        expectQuestion(wordList(3, 1e26), wordList(3, 10e26), wordList(0.5e18, 1e6), wordList(1e18, 1e6));
        equal(plan().nav, 1 + 10e26, "nav");
    }

    function test_a_supply_of_nothing_and_of_the_least() external {
        hold(A, 18, 5, 1e18);
        index.setSupply(1, EXPONENT);
        include(A, 4e18);
        equal(plan().nav, 5e18, "nav");
        index.setSupply(0, EXPONENT);
        planFails(abi.encodeWithSelector(IOpener.NothingToWeigh.selector));
    }

    /// @dev Where something would have to be divided by the supply, too.
    function test_a_supply_of_nothing_with_a_leaver() external {
        hold(A, 18, 5, 1e18);
        hold(B, 18, 5, 1e18);
        include(A, 4e18);
        determine(B, 1, Status.Leaving, 0, 1e18, 0);
        index.setSupply(0, EXPONENT);
        planFails(abi.encodeWithSelector(IOpener.NothingToWeigh.selector));
    }

    function test_a_nav_of_nothing_and_of_the_least() external {
        hold(A, 18, 1, 1e18);
        include(A, 1);
        OpeningPlan memory p = plan();
        equal(p.nav, 1, "nav");
        targetIs(p, 0, Side.Held, 1, 1e18);
        setBalance(A, 0);
        planFails(abi.encodeWithSelector(IOpener.NothingToWeigh.selector));
    }

    function test_a_price_for_each() external {
        _pair(10e18, 1e18);
        bytes memory prices = abi.encodeWithSignature("prices(address[])", _tokens(A, B));
        vm.mockCall(address(oracle), prices, abi.encode(wordList(1e18)));
        planFails(abi.encodeWithSelector(IOpener.WrongLength.selector, 2, 1));
        vm.mockCall(address(oracle), prices, abi.encode(wordList(1e18, 1e18, 1e18)));
        planFails(abi.encodeWithSelector(IOpener.WrongLength.selector, 2, 3));
        vm.mockCall(address(oracle), prices, abi.encode(wordList(1e18, 3e18)));
        equal(plan().nav, 40e18, "nav");
    }

    function _tokens(address a, address b) private pure returns (address[] memory list) {
        list = new address[](2);
        (list[0], list[1]) = (a, b);
    }

    /* BEYOND MEASURE */

    /// @dev A is the one to look at, B has 10 dollars.
    function _pair(uint256 balance, uint256 price) private {
        hold(A, 18, balance, price);
        hold(B, 18, 10e18, 1e18);
        include(A, 5);
        include(B, 9e18);
    }

    /// @dev A is weighed, with this value.
    function _isWeighed(uint256 unit, uint256 price, uint256 value) private {
        expectQuestion(wordList(5, 9e18), wordList(unit, 10e18), wordList(price, 1e18), wordList(1e18, 1e18));
        OpeningPlan memory p = plan();
        equal(p.nav, 10e18 + value, "nav");
        targetIs(p, 0, unit == 5 ? Side.Held : unit > 5 ? Side.Sell : Side.Buy, 5, price);
        equal(p.changed || p.leaves, false, "changed or leaves");
    }

    /// @dev A is held as it is, outside NAV and weights.
    function _isHeld(uint256 unit) private {
        expectQuestion(wordList(0, 9e18), wordList(unit, 10e18), wordList(0, 1e18), wordList(1e18, 1e18));
        OpeningPlan memory p = plan();
        equal(p.nav, 10e18, "nav");
        targetIs(p, 0, Side.Held, unit, 0);
        targetIs(p, 1, Side.Sell, 9e18, 1e18);
        equal(p.changed || p.leaves, false, "changed or leaves");
    }

    function test_the_largest_unit() external {
        _pair((1 << 119) - 1, 1);
        _isWeighed((1 << 119) - 1, 1, uint256(1 << 119) / 1e18);
    }

    function test_a_unit_too_large() external {
        _pair(1 << 119, 1);
        _isHeld(0);
    }

    function test_the_largest_price() external {
        _pair(1e10, (1 << 100) - 1);
        _isWeighed(1e10, (1 << 100) - 1, uint256((1 << 100) - 1) / 1e8);
    }

    function test_a_price_too_large() external {
        _pair(1e10, 1 << 100);
        _isHeld(0);
    }

    function test_the_largest_value() external {
        _pair((1 << 98) - 1, 1e18);
        _isWeighed((1 << 98) - 1, 1e18, (1 << 98) - 1);
    }

    function test_a_value_too_large() external {
        _pair(1 << 98, 1e18);
        _isHeld(0);
    }

    function test_the_least_price() external {
        _pair(10e18, 1);
        _isWeighed(10e18, 1, 10);
    }

    function test_no_price() external {
        _pair(7e18, 0);
        _isHeld(7e18);
    }

    function test_a_balance_that_is_not_sound() external {
        _pair(7e18, 1e18);
        refuse(A);
        _isHeld(0);
        setBalance(A, 1 << 160);
        _isHeld(0);
    }

    /* STATES */

    function _suspended(uint256 until, uint256 price, Status status) private {
        vm.warp(1000);
        holdMarked(A, 18, 7e18, price, until, false);
        hold(B, 18, 10e18, 1e18);
        determine(A, 5, status, 0, 1e18, 0);
        include(B, 9e18);
        maxDrop = 1e18;
    }

    function test_what_is_suspended_is_held() external {
        _suspended(1001, 1e18, Status.Included);
        _isHeld(7e18);
    }

    function test_what_is_suspended_is_held_though_it_leaves() external {
        _suspended(1001, 1e18, Status.Leaving);
        _isHeld(7e18);
    }

    function test_what_is_suspended_is_held_though_it_is_frozen() external {
        _suspended(1001, 1e18, Status.Frozen);
        _isHeld(7e18);
    }

    function test_a_suspension_that_is_over() external {
        _suspended(1000, 1e18, Status.Included);
        _isWeighed(7e18, 1e18, 7e18);
    }

    /// @dev What is suspended says of itself what it wants: with nothing held it stays.
    function test_what_is_suspended_stays_with_nothing() external {
        _suspended(1001, 1e18, Status.Leaving);
        setBalance(A, 0);
        _isHeld(0);
    }

    function test_what_is_suspended_and_not_sound_stays() external {
        _suspended(1001, 1e18, Status.Leaving);
        refuse(A);
        _isHeld(0);
    }

    /// @dev It counts as frozen no more than as weighed.
    function test_what_is_frozen_without_a_price() external {
        _suspended(0, 0, Status.Frozen);
        _isHeld(7e18);
    }

    function test_what_is_frozen_and_not_sound() external {
        _suspended(0, 1e18, Status.Frozen);
        refuse(A);
        _isHeld(0);
    }

    function test_what_is_frozen_has_its_value() external {
        _suspended(0, 1e18, Status.Frozen);
        expectQuestion(wordList(0, 9e18), wordList(7e18, 10e18), wordList(0, 1e18), wordList(1e18, 1e18));
        OpeningPlan memory p = plan();
        equal(p.nav, 17e18, "nav");
        targetIs(p, 0, Side.Held, 7e18, 0);
        equal(p.leaves, false, "leaves");
    }

    /// @dev With the least price there is.
    function test_what_leaves_is_sold() external {
        hold(A, 18, 7e18, 1);
        hold(B, 18, 10e18, 1e18);
        determine(A, 5, Status.Leaving, 0, 1e18, 0);
        include(B, 9e18);
        expectQuestion(wordList(0, 9e18), wordList(7e18, 10e18), wordList(1, 1e18), wordList(1e18, 1e18));
        OpeningPlan memory p = plan();
        equal(p.nav, 10e18 + 7, "nav");
        targetIs(p, 0, Side.Sell, 0, 1);
        equal(p.leaves, true, "leaves");
        equal(p.changed, false, "changed");
    }
}
