// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Cap, Capping, MarketCapMath} from "../../../contracts/libraries/MarketCapMath.sol";
import {vm} from "../../../lab/fuzz/Vm.sol";
import {WordLists} from "../WordLists.sol";

interface IMarketCapMath {
    function totals(
        uint256[] calldata basis,
        uint256[] calldata units,
        uint256[] calldata prices,
        uint256[] calldata ones,
        bool each
    ) external pure returns (uint256 nav, uint256 marketCap);
    function weigh(
        uint256 nav,
        uint256 marketCap,
        uint256[] memory basis,
        uint256[] memory prices,
        uint256[] memory current,
        Capping memory capping
    ) external pure returns (uint256[] memory units, uint256[] memory weights);
}

/// @dev The weights are to be read off the supplies: each is worth one dollar, and they sum up to a power of ten.
contract MarketCapMathTest is WordLists {
    uint256 private constant ONE = 1e18;
    uint256 private constant CENT = 0.01e18;

    IMarketCapMath private _math;
    uint256[] private _none;

    function setUp() external {
        _math = IMarketCapMath(deploy("MarketCapMathHarness", ""));
    }

    /* TOTALS */

    function test_market_caps_and_values_are_summed() external view {
        // The second holds 250 of 1,000 token wei, at 8 dollars; flags stand above its supply.
        (uint256 nav, uint256 marketCap) =
            _totals(wordList(5, (7 << 88) + 3), wordList(2e18, 250), wordList(1.5e18, 8e18), wordList(1e18, 1000), true);
        equal(nav, 3e18 + 2e18, "2 at 1.5 dollars, a quarter at 8");
        equal(marketCap, 7.5e18 + 24e18, "5 at 1.5 dollars, 3 at 8");
    }

    function test_nothing_held_is_worth_nothing() external view {
        uint256[] memory empty;
        (uint256 nav, uint256 marketCap) = _totals(empty, empty, empty, empty, true);
        equal(nav, 0, "nav");
        equal(marketCap, 0, "market cap");
    }

    function test_nav_is_floored_for_each_component_or_once() external view {
        // 0.4, 0.75 and 0.9 of a wei of USD beside whole ones: 3 + 2 + 0, or 7.05.
        uint256[] memory units = wordList(17, 11, 9);
        uint256[] memory prices = wordList(2, 1, 100);
        uint256[] memory ones = wordList(10, 4, 1000);
        (uint256 each,) = _totals(wordList(0, 0, 0), units, prices, ones, true);
        (uint256 once,) = _totals(wordList(0, 0, 0), units, prices, ones, false);
        equal(each, 5, "each");
        equal(once, 7, "once");
    }

    function test_the_finest_token_is_floored_alike() external view {
        (uint256 once,) = _totals(wordList(0, 0), wordList(1, 1), wordList(1e27 - 1, 1), wordList(1e27, 1e27), false);
        equal(once, 1, "both are one together");
        (once,) = _totals(wordList(0, 0), wordList(1, 1), wordList(1e27 - 2, 1), wordList(1e27, 1e27), false);
        equal(once, 0, "a little less");
    }

    function test_units_and_prices_have_a_width() external {
        uint256 unit = (1 << 128) - 1;
        uint256 price = (1 << 100) - 1;
        (uint256 nav,) = _totals(wordList(0), wordList(unit), wordList(price), wordList(1e27), true);
        equal(nav, unit * price / 1e27, "the widest");
        bytes memory refused = _outside("width");
        vm.expectRevert(refused);
        this.totals(wordList(0), wordList(unit + 1), wordList(1), wordList(1e18), true);
        vm.expectRevert(refused);
        this.totals(wordList(0), wordList(1), wordList(price + 1), wordList(1e18), true);
        vm.expectRevert(refused);
        this.totals(wordList(0, 0), wordList(1, unit + 1), wordList(1, price + 1), wordList(1, 1), false);
    }

    function test_what_follows_the_lists_is_not_read() external view {
        for (uint256 each; each < 2; ++each) {
            bytes memory call = abi.encodeCall(
                IMarketCapMath.totals, (wordList(2), wordList(3e18), wordList(5e18), wordList(1e18), each == 1)
            );
            (bool ok, bytes memory answer) = address(_math).staticcall(abi.encodePacked(call, uint256(1), uint256(1)));
            equal(ok, true, "answers");
            equal(answer, abi.encode(uint256(15e18), uint256(10e18)), "nav and market cap");
        }
    }

    /* DOMAIN */

    function test_nav_is_above_zero_and_has_a_width() external {
        Capping memory none = Capping(Cap.None, 0, 1);
        vm.expectRevert(_outside("nav"));
        this.weigh(0, ONE, wordList(1), wordList(ONE), none);
        vm.expectRevert(_outside("nav"));
        this.weigh(1 << 104, 1 << 105, wordList(1), wordList(ONE), none);
        uint256 nav = (1 << 104) - 1;
        (uint256[] memory units, uint256[] memory weights) = _weigh(nav, nav, wordList(1), wordList(nav), none);
        equal(units[0], ONE, "units at the largest nav");
        equal(weights[0], ONE, "weight at the largest nav");
        (units, weights) = _weigh(1, 4, wordList(1, 3), wordList(1, 1), none);
        equal(units, wordList(0.25e18, 0.75e18), "units at the smallest nav");
        equal(weights, wordList(0.25e18, 0.75e18), "weights at the smallest nav");
    }

    function test_all_market_caps_are_worth_a_share() external {
        Capping memory none = Capping(Cap.None, 0, 1);
        vm.expectRevert(_outside("divisor"));
        this.weigh(ONE, ONE - 1, wordList(1), wordList(ONE - 1), none);
        (uint256[] memory units,) = _weigh(ONE, ONE, wordList(1), wordList(ONE), none);
        equal(units[0], ONE, "one share is all there is");
    }

    /* WITHOUT A CAP */

    function test_every_division_rounds_down() external view {
        // D is 3 of 3.5, units are a third of the supplies, weights half of that.
        (uint256[] memory units, uint256[] memory weights) =
            _weigh(2e18, 7e18, wordList(1, 2), wordList(1e18, 3e18), Capping(Cap.None, 0, 1));
        equal(units, wordList(333333333333333333, 666666666666666666), "units");
        equal(weights, wordList(166666666666666666, 999999999999999999), "weights");
    }

    function test_a_basis_is_read_without_its_flags() external view {
        (uint256[] memory units,) =
            _weigh(ONE, 4e18, wordList((5 << 88) + 1, (1 << 255) + 3), wordList(ONE, ONE), Capping(Cap.None, 0, 1));
        equal(units, wordList(0.25e18, 0.75e18), "units");
    }

    function test_what_has_no_price_or_no_basis_gets_nothing() external view {
        (uint256[] memory units, uint256[] memory weights) =
            _weigh(ONE, 4e18, wordList(7, 4, 0), wordList(0, ONE, ONE), Capping(Cap.None, 0, 1));
        equal(units, wordList(0, ONE, 0), "units");
        equal(weights, wordList(0, ONE, 0), "weights");
        // The least price that is one.
        (units, weights) = _weigh(1, 1e6, wordList(1e6), wordList(1), Capping(Cap.None, 0, 1));
        equal(units[0], ONE, "at the least price");
    }

    function test_without_a_cap_nothing_is_cut() external view {
        (, uint256[] memory weights) =
            _weigh(ONE, 10e18, wordList(9, 1), wordList(ONE, ONE), Capping(Cap.None, 0.5e18, 3));
        equal(weights, wordList(0.9e18, 0.1e18), "weights");
    }

    /* HARD */

    function test_excess_goes_to_the_uncapped_in_proportion() external view {
        // 50 and 30 % become 25; of the 30 left over 12 takes 18 and 8 takes 12.
        _weighs(wordList(50, 30, 12, 8), _hard(25 * CENT, 1), wordList(25 * CENT, 25 * CENT, 30 * CENT, 20 * CENT));
    }

    function test_units_follow_the_weights() external view {
        // Three dollars a share. The second costs four; 62.5, 20 and 17.5 % become 50, 26.67 and 23.33.
        (uint256[] memory units, uint256[] memory weights) =
            _weigh(3e18, 600e18, wordList(375, 30, 105), wordList(ONE, 4e18, ONE), _hard(0.5e18, 1));
        equal(weights, wordList(0.5e18, 266666666666666666, 233333333333333333), "weights");
        equal(units, wordList(1.5e18, 199999999999999999, 699999999999999999), "units");
    }

    function test_a_share_of_the_excess_is_rounded_down() external view {
        // 6, 2 and 1 of 9: a sixth is left over, of which the second takes two thirds.
        (uint256[] memory units, uint256[] memory weights) =
            _weigh(ONE, 9e18, wordList(6, 2, 1), wordList(ONE, ONE, ONE), _hard(0.5e18, 1));
        equal(weights, wordList(0.5e18, 333333333333333333, 166666666666666666), "weights");
        equal(units, weights, "units at one dollar");
    }

    function test_weights_at_the_cap_are_not_cut() external view {
        (uint256[] memory units, uint256[] memory weights) =
            _weigh(ONE, 10e18, wordList(5, 5), wordList(ONE, ONE), _hard(0.5e18, 1));
        equal(weights, wordList(0.5e18, 0.5e18), "weights");
        equal(units, wordList(0.5e18, 0.5e18), "units");
    }

    function test_one_pass_is_not_checked_again() external view {
        // 35 % are left over: what that lifts above the cap stays there.
        _weighs(wordList(60, 24, 16), _hard(25 * CENT, 1), wordList(25 * CENT, 45 * CENT, 30 * CENT));
    }

    function test_each_further_pass_caps_those_that_came_above() external view {
        uint256[] memory sizes = wordList(55, 19, 15, 6, 5);
        _weighs(
            sizes,
            _hard(25 * CENT, 1),
            wordList(25 * CENT, 316666666666666666, 249999999999999999, 99999999999999999, 83333333333333333)
        );
        _weighs(
            sizes,
            _hard(25 * CENT, 2),
            wordList(25 * CENT, 25 * CENT, 288461538461538461, 115384615384615384, 96153846153846153)
        );
        // Then nobody is above it, and further passes change nothing.
        for (uint256 passes = 3; passes < 6; ++passes) {
            _weighs(
                sizes,
                _hard(25 * CENT, passes),
                wordList(25 * CENT, 25 * CENT, 25 * CENT, 136363636363636363, 113636363636363636)
            );
        }
    }

    function test_a_pass_that_cuts_nobody_is_the_last() external view {
        for (uint256 passes = 1; passes < 4; ++passes) {
            _weighs(
                wordList(40, 30, 30), _hard(35 * CENT, passes), wordList(35 * CENT, 325 * CENT / 10, 325 * CENT / 10)
            );
            _weighs(wordList(34, 33, 33), _hard(35 * CENT, passes), wordList(34 * CENT, 33 * CENT, 33 * CENT));
        }
    }

    function test_all_that_are_capped_weigh_the_same() external view {
        for (uint256 passes = 1; passes < 3; ++passes) {
            // The last one has no price and is none of them.
            (uint256[] memory units, uint256[] memory weights) =
                _weigh(2e18, 1000e18, wordList(400, 75, 300, 9), wordList(ONE, 4e18, ONE, 0), _hard(20 * CENT, passes));
            uint256 third = ONE / 3;
            equal(weights, wordList(third, third, third, 0), "weights");
            equal(units, wordList(2 * third, third / 2, 2 * third, 0), "units");
        }
        _weighs(wordList(100), _hard(20 * CENT, 2), wordList(ONE));
    }

    function test_nothing_is_left_over_where_the_rounding_of_d_left_more_than_one() external view {
        // D is 1 of 1.8: 120 and 60 % become 90 and 60.
        for (uint256 passes = 1; passes < 3; ++passes) {
            (uint256[] memory units, uint256[] memory weights) =
                _weigh(100, 180, wordList(120, 60), wordList(1, 1), _hard(90 * CENT, passes));
            equal(weights, wordList(90 * CENT, 60 * CENT), "weights");
            equal(units, wordList(90e18, 60e18), "units");
        }
    }

    /* FLEXIBLE */

    function test_a_flexible_cap_is_the_middle_between_the_cap_and_what_is_held() external view {
        // 50 % with 70 held may stay up to 47.5; 30 with none up to 12.5. The 20 left over go to the third.
        _weighs(wordList(50, 30, 20), _flexible(25 * CENT, 1), wordList(70 * CENT, 0, 0), wordList(475, 125, 400));
        // Rounded down: a wei more held is none more here.
        (, uint256[] memory weights) = _math.weigh(
            ONE, 100e18, wordList(50, 50), wordList(ONE, ONE), wordList(30 * CENT + 1, ONE), _flexible(20 * CENT, 1)
        );
        equal(weights, wordList(25 * CENT, 75 * CENT), "weights");
    }

    function test_what_is_not_above_the_middle_is_not_cut() external view {
        // 50 % with 100 or 75 held stay, and share what the second leaves.
        uint256[] memory expected = wordList(624999999999999999, 125000000000000000, 249999999999999999);
        _weighsExactly(wordList(50, 30, 20), _flexible(25 * CENT, 1), wordList(ONE, 0, 0), expected);
        _weighsExactly(wordList(50, 30, 20), _flexible(25 * CENT, 1), wordList(75 * CENT, 0, 0), expected);
    }

    function test_what_is_not_above_the_cap_is_not_cut_though_it_is_above_the_middle() external view {
        _weighs(wordList(60, 40), _flexible(60 * CENT, 1), wordList(0, 0), wordList(600, 400));
    }

    function test_what_was_cut_is_not_cut_again() external view {
        // 80 % with 80 held become 50, above the cap of 20. Then 13 come to 32.5 and become 10, then 7 come to 40.
        uint256[] memory sizes = wordList(80, 13, 7);
        uint256[] memory held = wordList(80 * CENT, 0, 0);
        _weighs(sizes, _flexible(20 * CENT, 1), held, wordList(500, 325, 175));
        _weighs(sizes, _flexible(20 * CENT, 2), held, wordList(500, 100, 400));
        uint256 third = ONE / 3;
        _weighsExactly(sizes, _flexible(20 * CENT, 3), held, wordList(third, third, third));
    }

    /* HELPERS */

    function totals(
        uint256[] calldata basis,
        uint256[] calldata units,
        uint256[] calldata prices,
        uint256[] calldata ones,
        bool each
    ) external view {
        _math.totals(basis, units, prices, ones, each);
    }

    function weigh(
        uint256 nav,
        uint256 marketCap,
        uint256[] calldata basis,
        uint256[] calldata prices,
        Capping calldata capping
    ) external view {
        _math.weigh(nav, marketCap, basis, prices, _none, capping);
    }

    function _totals(
        uint256[] memory basis,
        uint256[] memory units,
        uint256[] memory prices,
        uint256[] memory ones,
        bool each
    ) private view returns (uint256 nav, uint256 marketCap) {
        return _math.totals(basis, units, prices, ones, each);
    }

    function _weigh(
        uint256 nav,
        uint256 marketCap,
        uint256[] memory basis,
        uint256[] memory prices,
        Capping memory capping
    ) private view returns (uint256[] memory units, uint256[] memory weights) {
        return _math.weigh(nav, marketCap, basis, prices, _none, capping);
    }

    /// @dev What these sizes weigh at one dollar, in a share of one dollar.
    function _weighs(uint256[] memory sizes, Capping memory capping, uint256[] memory expected) private view {
        _weighsExactly(sizes, capping, _none, expected);
    }

    /// @dev The same, expected in thousandths.
    function _weighs(
        uint256[] memory sizes,
        Capping memory capping,
        uint256[] memory current,
        uint256[] memory thousandths
    ) private view {
        for (uint256 i; i < thousandths.length; ++i) {
            thousandths[i] *= 0.001e18;
        }
        _weighsExactly(sizes, capping, current, thousandths);
    }

    function _weighsExactly(
        uint256[] memory sizes,
        Capping memory capping,
        uint256[] memory current,
        uint256[] memory expected
    ) private view {
        uint256[] memory prices = new uint256[](sizes.length);
        uint256 marketCap;
        for (uint256 i; i < sizes.length; ++i) {
            prices[i] = ONE;
            marketCap += sizes[i] * ONE;
        }
        (uint256[] memory units, uint256[] memory weights) =
            _math.weigh(ONE, marketCap, sizes, prices, current, capping);
        equal(weights, expected, "weights");
        equal(units, expected, "units");
    }

    function _hard(uint256 weight, uint256 passes) private pure returns (Capping memory) {
        return Capping(Cap.Hard, weight, passes);
    }

    function _flexible(uint256 weight, uint256 passes) private pure returns (Capping memory) {
        return Capping(Cap.Flexible, weight, passes);
    }

    function _outside(bytes32 what) private pure returns (bytes memory) {
        return abi.encodeWithSelector(MarketCapMath.OutsideDomain.selector, what);
    }
}
