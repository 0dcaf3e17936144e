// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Holdings, Standing} from "../../../contracts/libraries/Holdings.sol";
import {Lie} from "../../../lab/fuzz/parts/FuzzToken.sol";
import {Surroundings} from "./Surroundings.sol";

interface IHoldings {
    function read(address index, address oracle, uint256[] memory candidates)
        external
        view
        returns (Holdings.Held memory);
}

contract HoldingsTest is Surroundings {
    uint256 private constant LIMIT = 1 << 100;

    IHoldings private _holdings;

    function setUp() external {
        _holdings = IHoldings(deploy("HoldingsHarness", ""));
        _makeSurroundings();
    }

    /* UNION */

    function test_components_and_candidates_are_one_ascending_list() external {
        _make(1, 1e18);
        _make(3, 2e18);
        _hold(1, 5e18);
        _hold(3, 7e18);
        // Between, before and behind, and the same.
        _reads(_candidates(2, 3), wordList(1, 2, 3));
        _reads(_candidates(0, 1), wordList(0, 1, 3));
        _reads(_candidates(4, 5), wordList(1, 3, 4, 5));
        _reads(_candidates(1, 3), wordList(1, 3));
        _reads(_candidates(0, 4), wordList(0, 1, 3, 4));
        _reads(new uint256[](0), wordList(1, 3));
    }

    function test_either_list_may_be_empty() external {
        _reads(new uint256[](0), new uint256[](0));
        _reads(_candidates(0, 1), wordList(0, 1));
        _make(2, 1e18);
        _hold(2, 1e18);
        _reads(new uint256[](0), wordList(2));
    }

    function test_each_component_meets_its_own_price() external {
        _make(0, 7e18);
        _make(1, 2e18);
        _make(3, 3e18);
        _make(4, 9e18);
        _hold(1, 5e18);
        _hold(3, 11e18);
        Holdings.Held memory held = _read(_candidates(0, 4));
        equal(held.prices, wordList(7e18, 2e18, 3e18, 9e18), "prices");
        equal(held.values, wordList(0, 10e18, 33e18, 0), "values");
        equal(held.nav, 43e18, "nav");
        _stands(held, 0, Standing.Unlisted);
        _stands(held, 1, Standing.Sound);
        _stands(held, 2, Standing.Sound);
        _stands(held, 3, Standing.Unlisted);
    }

    /* PRICES */

    function test_an_absurd_price_is_none() external {
        _make(0, LIMIT - 1);
        _make(1, LIMIT);
        _make(2, 1);
        _make(3, 0);
        _hold(0, 0);
        _hold(1, 1e18);
        _hold(2, 1e18);
        _hold(3, 1e18);
        Holdings.Held memory held = _read(new uint256[](0));
        equal(held.prices, wordList(LIMIT - 1, 0, 1, 0), "prices");
        equal(held.values, wordList(0, 0, 1, 0), "values");
        _stands(held, 1, Standing.Sound);
        _stands(held, 3, Standing.Sound);
    }

    /* VALUES */

    function test_a_share_holds_its_part_rounded_down() external {
        fund.setTotalSupply(3e18);
        _make(0, 2e18, 6);
        _make(1, 1e18, 18);
        _hold(0, 10e6);
        _hold(1, 2e18);
        Holdings.Held memory held = _read(new uint256[](0));
        // 3.333333 of the first at two dollars; two thirds of the second.
        equal(held.values, wordList(6.666666e18, 666666666666666666), "values");
        equal(held.nav, 6.666666e18 + 666666666666666666, "nav");
    }

    function test_values_are_exact() external {
        _make(0, 1e18);
        _hold(0, 1e18 + 7);
        equal(_read(new uint256[](0)).nav, 1e18 + 7, "nav");
    }

    /* STANDING */

    function test_written_off_and_suspended_count_for_nothing() external {
        for (uint256 i; i < 5; ++i) {
            _make(i, 1e18);
        }
        _hold(0, 1e18, 0, true);
        _hold(1, 1e18, uint40(block.timestamp + 1), false);
        _hold(2, 1e18, uint40(block.timestamp), false);
        _hold(3, 1e18, type(uint40).max, true);
        _hold(4, 1e18, 0, false);
        Holdings.Held memory held = _read(new uint256[](0));
        equal(held.values, wordList(0, 0, 1e18, 0, 1e18), "values");
        equal(held.nav, 2e18, "nav");
        _stands(held, 0, Standing.WrittenOff);
        _stands(held, 1, Standing.Stuck);
        _stands(held, 2, Standing.Sound);
        _stands(held, 3, Standing.WrittenOff);
        _stands(held, 4, Standing.Sound);
    }

    function test_a_token_without_a_sound_balance_is_stuck() external {
        Lie[4] memory lies = [Lie.Huge, Lie.Short, Lie.Refuses, Lie.Burns];
        for (uint256 i; i < 4; ++i) {
            _make(i, 1e18).setLie(address(fund), lies[i]);
            _hold(i, 1e18);
        }
        Holdings.Held memory held = _read(new uint256[](0));
        for (uint256 i; i < 4; ++i) {
            _stands(held, i, Standing.Stuck);
            equal(held.values[i], 0, "value");
        }
        equal(held.nav, 0, "nav");
    }

    function test_a_unit_has_a_width() external {
        _make(0, 1, 27);
        _make(1, 1, 27);
        _hold(0, (1 << 119) - 1);
        _hold(1, 1 << 119);
        Holdings.Held memory held = _read(new uint256[](0));
        _stands(held, 0, Standing.Sound);
        _stands(held, 1, Standing.Stuck);
        equal(held.values, wordList(uint256((1 << 119) - 1) / 1e27, 0), "values");
    }

    function test_a_value_has_a_width() external {
        _make(0, 1, 0);
        _make(1, 1, 0);
        _hold(0, (1 << 98) - 1);
        _hold(1, 1 << 98);
        Holdings.Held memory held = _read(new uint256[](0));
        _stands(held, 0, Standing.Sound);
        _stands(held, 1, Standing.Stuck);
        equal(held.values, wordList((1 << 98) - 1, 0), "values");
        equal(held.nav, (1 << 98) - 1, "nav");
    }

    /* HELPERS */

    /// @dev As a methodology packs them: token, then a word that does not matter here.
    function _candidates(uint256 i, uint256 j) private pure returns (uint256[] memory) {
        return wordList(uint160(_token(i)), 1 << 200, uint160(_token(j)), 1 << 201);
    }

    function _read(uint256[] memory candidates) private view returns (Holdings.Held memory) {
        return _holdings.read(address(fund), address(fund), candidates);
    }

    function _reads(uint256[] memory candidates, uint256[] memory expected) private view {
        address[] memory tokens = _read(candidates).tokens;
        equal(tokens.length, expected.length, "how many");
        for (uint256 i; i < tokens.length; ++i) {
            equal(tokens[i], _token(expected[i]), "token");
        }
    }

    function _stands(Holdings.Held memory held, uint256 i, Standing expected) private pure {
        equal(uint256(held.standings[i]), uint256(expected), "standing");
    }
}
