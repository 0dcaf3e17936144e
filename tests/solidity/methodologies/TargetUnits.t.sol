// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Cap, MarketCapMath} from "../../../contracts/libraries/MarketCapMath.sol";
import {Rule} from "../../../contracts/libraries/MarketCapRule.sol";
import {vm} from "../../../lab/fuzz/Vm.sol";
import {MarketCapScene} from "./MarketCapScene.sol";

contract TargetUnitsTest is MarketCapScene {
    function setUp() public override {
        super.setUp();
        _found(_rule(), 1);
    }

    function test_units_give_each_its_weight_in_its_own_decimals() external view {
        // Six dollars a share: half in the first at 3, a third in the second at 2, a sixth in the third at 8.
        uint256[] memory targets = _targets(
            wordList(10, 10, (255 << 88) + 1, 0),
            wordList(2e18, 0, 0, 0),
            wordList(3e18, 2e18, 10e18, ONE),
            wordList(1e18, 1e6, 1e27, 1e18)
        );
        equal(targets, wordList(1e18, 1e6, 1e26, 0), "targets");
    }

    function test_units_are_rounded_down() external view {
        uint256[] memory targets =
            _targets(wordList(1, 1, 1), wordList(ONE, 0, 0), wordList(ONE, ONE, ONE), wordList(1e18, 1e6, 1));
        equal(targets, wordList(uint256(1e18) / 3, 333_333, 0), "targets");
    }

    function test_units_are_exact() external view {
        equal(_targets(wordList(5), wordList(1e27), wordList(ONE), wordList(1e27)), wordList(1e27), "targets");
    }

    function test_nav_is_floored_for_each_component_or_once() external {
        uint256[] memory basis = wordList(35, 0, 0);
        uint256[] memory units = wordList(17, 11, 9);
        uint256[] memory prices = wordList(2, 1, 100);
        uint256[] memory ones = wordList(10, 4, 1000);
        // Of a market cap of 70 a share is worth 5, or 7.
        equal(_targets(basis, units, prices, ones), wordList(25, 0, 0), "each");
        Rule memory rule = _rule();
        rule.floorEach = false;
        _found(rule, 1);
        equal(_targets(basis, units, prices, ones), wordList(35, 0, 0), "once");
    }

    function test_a_hard_cap() external {
        Rule memory rule = _rule();
        (rule.cap, rule.capWeight, rule.capPasses) = (Cap.Hard, 0.25e18, 2);
        _found(rule, 1);
        uint256[] memory ones = wordList(ONE, ONE, ONE, ONE, ONE);
        uint256[] memory targets = _targets(wordList(55, 19, 15, 6, 5), wordList(ONE, 0, 0, 0, 0), ones, ones);
        uint256[] memory expected =
            wordList(0.25e18, 0.25e18, 288461538461538461, 115384615384615384, 96153846153846153);
        equal(targets, expected, "targets");
    }

    function test_a_flexible_cap_looks_at_what_is_held() external {
        _foundFlexible(0.25e18);
        // Two dollars a share, of which 70, 0 and 30 % are held; 50, 30 and 20 % of the market.
        uint256[] memory targets = _targets(
            wordList(50, 3, 10), wordList(1.4e18, 0, 0.3e6), wordList(ONE, 10e18, 2e18), wordList(1e18, 1e8, 1e6)
        );
        // 47.5 and 12.5 % may stay of the first two.
        equal(targets, wordList(0.95e18, 0.025e8, 0.4e6), "targets");
    }

    function test_what_is_held_weighs_exactly() external {
        // All of it: the limit is the middle between the cap and one, to the wei on either side.
        for (uint64 odd; odd < 2; ++odd) {
            _foundFlexible(0.5e18 + odd);
            uint256[] memory targets =
                _targets(wordList(90, 10), wordList(1e18, 0), wordList(ONE, ONE), wordList(1e18, 1e18));
            equal(targets, wordList(0.75e18, 0.25e18), "targets");
        }
    }

    function test_without_nav_there_are_no_targets() external {
        bytes memory outside = abi.encodeWithSelector(MarketCapMath.OutsideDomain.selector, bytes32("nav"));
        vm.expectRevert(outside);
        method.targetUnits(wordList(1), wordList(0), wordList(ONE), wordList(1e18));
        _foundFlexible(0.5e18);
        vm.expectRevert(outside);
        method.targetUnits(wordList(1), wordList(0), wordList(ONE), wordList(1e18));
    }

    function test_lists_are_equally_long() external {
        uint256[] memory two = wordList(ONE, ONE);
        uint256[][3] memory others = [new uint256[](0), wordList(ONE), wordList(ONE, ONE, ONE)];
        bytes memory lengths = abi.encodeWithSelector(MarketCapMath.OutsideDomain.selector, bytes32("lengths"));
        for (uint256 i; i < 3; ++i) {
            vm.expectRevert(lengths);
            method.targetUnits(others[i], two, two, two);
            vm.expectRevert(lengths);
            method.targetUnits(two, two, others[i], two);
            vm.expectRevert(lengths);
            method.targetUnits(two, two, two, others[i]);
            vm.expectRevert(lengths);
            method.targetUnits(two, others[i], two, two);
        }
        equal(method.targetUnits(two, two, two, two).length, 2, "all as long");
    }

    function _foundFlexible(uint64 weight) private {
        Rule memory rule = _rule();
        (rule.cap, rule.capWeight) = (Cap.Flexible, weight);
        _found(rule, 1);
    }

    function _targets(uint256[] memory basis, uint256[] memory units, uint256[] memory prices, uint256[] memory ones)
        private
        view
        returns (uint256[] memory)
    {
        return method.targetUnits(basis, units, prices, ones);
    }
}
