// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Constituent, Flags, Status} from "../../../contracts/interfaces/IMethodology.sol";
import {State} from "../../../contracts/libraries/Candidates.sol";
import {Choice} from "../../../contracts/libraries/Choice.sol";
import {Holdings, Standing} from "../../../contracts/libraries/Holdings.sol";
import {Cap, Capping, MarketCapMath} from "../../../contracts/libraries/MarketCapMath.sol";
import {vm} from "../../../lab/fuzz/Vm.sol";
import {WordLists} from "../WordLists.sol";

interface IChoice {
    function decide(Constituent memory c, uint256 state, Standing standing) external pure returns (Constituent memory);
    function atStart(uint256 state, Status status, uint256 flags) external pure returns (uint256);
    function rank(Constituent[] memory list, uint256[] memory decisive, uint256 topN)
        external
        pure
        returns (Constituent[] memory);
    function dropSmall(Constituent[] memory list, uint256 floorWeight, uint256 entryWeight)
        external
        pure
        returns (bool any, Constituent[] memory);
}

interface IWeigh {
    function weigh(
        Constituent[] memory list,
        uint256[] memory supplies,
        Holdings.Held memory held,
        Capping memory capping
    ) external pure returns (Constituent[] memory);
}

contract ChoiceDecideTest is WordLists {
    IChoice private _choice;

    function setUp() external {
        _choice = IChoice(deploy("ChoiceHarness", ""));
    }

    /* DECIDE */

    function test_active_with_a_price_is_included() external view {
        _decided(State.Active, Standing.Unlisted, 1, 0, Status.Included, 0);
        _decided(State.Active, Standing.Sound, 2, Flags.STALE, Status.Included, Flags.STALE);
    }

    function test_written_off_is_outside_whatever_else_is_said() external view {
        for (uint256 state; state < 3; ++state) {
            _decided(State(state), Standing.WrittenOff, 1, 0, Status.Outside, 0);
            _decided(State(state), Standing.WrittenOff, 0, 0, Status.Outside, Flags.NO_PRICE);
        }
    }

    function test_leaving_is_leaving_unless_it_is_written_off() external view {
        _decided(State.Leaving, Standing.Unlisted, 1, 0, Status.Leaving, 0);
        _decided(State.Leaving, Standing.Sound, 0, 0, Status.Leaving, Flags.NO_PRICE);
        _decided(State.Leaving, Standing.Stuck, 1, Flags.UNCONFIRMED, Status.Leaving, Flags.UNCONFIRMED);
    }

    function test_held_and_frozen_or_stuck_or_without_price_or_supply_is_held_as_it_is() external view {
        _decided(State.Frozen, Standing.Sound, 1, 0, Status.Frozen, 0);
        _decided(State.Active, Standing.Stuck, 1, 0, Status.Frozen, 0);
        _decided(State.Active, Standing.Sound, 0, 0, Status.Frozen, Flags.NO_PRICE);
        _decided(State.Active, Standing.Sound, 1, Flags.UNCONFIRMED, Status.Frozen, Flags.UNCONFIRMED);
        uint8 both = Flags.UNCONFIRMED | Flags.NO_PRICE;
        _decided(State.Frozen, Standing.Stuck, 0, Flags.UNCONFIRMED, Status.Frozen, both);
    }

    function test_the_same_is_outside_where_it_is_not_held() external view {
        _decided(State.Frozen, Standing.Unlisted, 1, 0, Status.Outside, 0);
        _decided(State.Active, Standing.Unlisted, 0, 0, Status.Outside, Flags.NO_PRICE);
        _decided(State.Active, Standing.Unlisted, 1, Flags.UNCONFIRMED, Status.Outside, Flags.UNCONFIRMED);
    }

    function _decided(State state, Standing standing, uint128 price, uint8 flagsBefore, Status status, uint8 flags)
        private
        view
    {
        Constituent memory c;
        (c.price, c.flags) = (price, flagsBefore);
        c = _choice.decide(c, uint256(state), standing);
        equal(uint256(c.status), uint256(status), "status");
        equal(c.flags, flags, "flags");
    }

    /* AT START */

    function test_a_state_that_was_set_since_counts_at_start() external view {
        for (uint256 status; status < 4; ++status) {
            _starts(State.Leaving, Status(status), 0, Status.Leaving);
            _starts(State.Leaving, Status(status), Flags.BELOW_RANK, Status.Leaving);
            _starts(State.Active, Status(status), 0, Status(status));
            _starts(State.Active, Status(status), Flags.BELOW_RANK | Flags.BELOW_FLOOR, Status(status));
        }
        _starts(State.Frozen, Status.Included, 0, Status.Frozen);
        _starts(State.Frozen, Status.Frozen, 0, Status.Frozen);
        _starts(State.Frozen, Status.Leaving, 0, Status.Frozen);
        // What was dropped is held perhaps; what was outside for another reason is not.
        _starts(State.Frozen, Status.Outside, Flags.BELOW_RANK, Status.Frozen);
        _starts(State.Frozen, Status.Outside, Flags.BELOW_FLOOR | Flags.STALE, Status.Frozen);
        _starts(State.Frozen, Status.Outside, 0, Status.Outside);
        _starts(State.Frozen, Status.Outside, 255 - Flags.BELOW_RANK - Flags.BELOW_FLOOR, Status.Outside);
    }

    function _starts(State state, Status was, uint256 flags, Status expected) private view {
        equal(_choice.atStart(uint256(state), was, flags), uint256(expected), "status");
    }
}

contract ChoiceRankTest is WordLists {
    IChoice private _choice;

    function setUp() external {
        _choice = IChoice(deploy("ChoiceHarness", ""));
    }

    function test_the_largest_by_market_cap_stay() external view {
        // 6, 20, 3 and 7 dollars.
        Constituent[] memory list = _priced(wordList(2, 10, 1, 7));
        _ranks(list, wordList(3, 2, 3, 1), 4, 0);
        _ranks(list, wordList(3, 2, 3, 1), 3, 4);
        _ranks(list, wordList(3, 2, 3, 1), 2, 5);
        _ranks(list, wordList(3, 2, 3, 1), 1, 13);
        _ranks(list, wordList(3, 2, 3, 1), 5, 0);
    }

    function test_of_equals_the_lower_address_stays() external view {
        Constituent[] memory list = _priced(wordList(1, 1, 1, 1));
        _ranks(list, wordList(5, 7, 5, 5), 2, 12);
        _ranks(list, wordList(5, 5, 5, 5), 1, 14);
    }

    function test_a_dollar_more_counts() external view {
        _ranks(_priced(wordList(1, 1, 1)), wordList(4, 5, 4), 1, 5);
        _ranks(_priced(wordList(1, 1, 1)), wordList(255, 254, 256), 1, 3);
    }

    function test_what_is_not_included_has_no_rank() external view {
        Constituent[] memory list = _priced(wordList(9, 3, 9, 2, 4));
        (list[0].status, list[2].status) = (Status.Frozen, Status.Leaving);
        Constituent[] memory ranked = _choice.rank(list, wordList(9, 1, 9, 1, 1), 1);
        equal(uint256(ranked[0].status), uint256(Status.Frozen), "frozen");
        equal(uint256(ranked[2].status), uint256(Status.Leaving), "leaving");
        equal(uint256(ranked[1].status), uint256(Status.Outside), "second");
        equal(uint256(ranked[3].status), uint256(Status.Outside), "third");
        equal(uint256(ranked[4].status), uint256(Status.Included), "largest");
        equal(ranked[0].flags, 0, "flags of what has no rank");
        equal(_choice.rank(list, wordList(9, 1, 9, 1, 1), 3)[3].flags, 0, "three of three");
    }

    function test_the_largest_figures_keep_their_order() external view {
        uint256 supply = type(uint88).max;
        uint256 price = (1 << 100) - 1;
        _ranks(_priced(wordList(price, price, price)), wordList(supply - 1, supply, 1), 1, 5);
    }

    function test_every_place_of_a_long_list() external view {
        Constituent[] memory list = new Constituent[](100);
        uint256[] memory sizes = new uint256[](100);
        for (uint256 i; i < 100; ++i) {
            (list[i].price, list[i].flags, sizes[i]) = (1, Flags.STALE, 1 + (37 * i) % 100);
        }
        list = _choice.rank(list, sizes, 40);
        for (uint256 i; i < 100; ++i) {
            bool stays = sizes[i] > 60;
            equal(uint256(list[i].status), uint256(stays ? Status.Included : Status.Outside), "status");
            equal(list[i].flags, stays ? Flags.STALE : Flags.STALE | Flags.BELOW_RANK, "flags");
        }
    }

    function _priced(uint256[] memory prices) private pure returns (Constituent[] memory list) {
        list = new Constituent[](prices.length);
        for (uint256 i; i < list.length; ++i) {
            list[i].price = uint128(prices[i]);
        }
    }

    /// @dev `dropped`: bit i set where the i-th goes.
    function _ranks(Constituent[] memory list, uint256[] memory sizes, uint256 topN, uint256 dropped) private view {
        Constituent[] memory ranked = _choice.rank(list, sizes, topN);
        for (uint256 i; i < ranked.length; ++i) {
            bool goes = dropped >> i & 1 == 1;
            equal(uint256(ranked[i].status), uint256(goes ? Status.Outside : Status.Included), "status");
            equal(ranked[i].flags, goes ? Flags.BELOW_RANK : 0, "flags");
        }
    }
}

contract ChoiceWeighTest is WordLists {
    uint256 private constant ONE = 1e18;

    IChoice private _choice;
    IWeigh private _weigher;

    function setUp() external {
        _choice = IChoice(deploy("ChoiceHarness", ""));
        _weigher = IWeigh(deploy("WeighHarness", ""));
    }

    /* WEIGH */

    function test_only_the_included_share() external view {
        Constituent[] memory list = _one(4);
        (list[1].status, list[3].weight, list[3].status) = (Status.Frozen, 5, Status.Outside);
        list[2].price = 3e18;
        list = _weigher.weigh(list, wordList(1, 100, 3, 100), _held(ONE, wordList(0, 0, 0, 0)), Capping(Cap.None, 0, 1));
        equal(_weights(list), wordList(0.1e18, 0, 0.9e18, 0), "weights");
    }

    function test_without_any_included_there_is_no_index() external {
        Constituent[] memory list = _one(2);
        (list[0].status, list[1].status) = (Status.Leaving, Status.Outside);
        Holdings.Held memory held = _held(ONE, wordList(0, 0));
        vm.expectRevert(abi.encodeWithSelector(Choice.NoConstituents.selector));
        _weigher.weigh(list, wordList(1, 1), held, Capping(Cap.None, 0, 1));
        list = new Constituent[](0);
        vm.expectRevert(abi.encodeWithSelector(Choice.NoConstituents.selector));
        _weigher.weigh(list, wordList(1), held, Capping(Cap.None, 0, 1));
    }

    function test_a_flexible_cap_looks_at_what_is_held() external view {
        // 50 % with 70 of 100 held may stay up to 47.5; 30 with none up to 12.5.
        Constituent[] memory list = _one(3);
        Holdings.Held memory held = _held(2e18, wordList(1.4e18, 0, 0.6e18));
        list = _weigher.weigh(list, wordList(50, 30, 20), held, Capping(Cap.Flexible, 0.25e18, 1));
        equal(_weights(list), wordList(0.475e18, 0.125e18, 0.4e18), "weights");
    }

    function test_what_is_held_weighs_exactly() external view {
        // All of it: the limit is the middle between the cap and one, to the wei on either side.
        for (uint256 odd; odd < 2; ++odd) {
            Holdings.Held memory held = _held(7e18, wordList(7e18, 0));
            Constituent[] memory list = _one(2);
            list = _weigher.weigh(list, wordList(90, 10), held, Capping(Cap.Flexible, 0.5e18 + odd, 1));
            equal(_weights(list), wordList(0.75e18, 0.25e18), "weights");
        }
    }

    function test_the_smallest_nav_is_one() external view {
        Constituent[] memory list = _one(2);
        (list[0].price, list[1].price) = (1, 1);
        list = _weigher.weigh(list, wordList(1, 3), _held(1, wordList(0, 1)), Capping(Cap.Flexible, 0.5e18, 1));
        // The second may stay, with all that there is.
        equal(_weights(list), wordList(0.25e18, 0.75e18), "weights");
    }

    function test_without_nav_nothing_is_weighed() external {
        Constituent[] memory list = _one(1);
        Holdings.Held memory held = _held(0, wordList(0));
        vm.expectRevert(abi.encodeWithSelector(MarketCapMath.OutsideDomain.selector, bytes32("nav")));
        _weigher.weigh(list, wordList(1), held, Capping(Cap.Flexible, 0.5e18, 1));
    }

    /* DROP */

    function test_members_stay_at_the_floor_and_others_enter_at_the_entry_weight() external view {
        Constituent[] memory list = _one(5);
        (list[0].weight, list[0].member) = (100, true);
        (list[1].weight, list[1].member) = (99, true);
        (list[2].weight, list[2].member) = (200, false);
        (list[3].weight, list[3].member) = (199, false);
        list[4].weight = 1000;
        _drops(list, 100, 200, 10);
    }

    function test_what_is_not_included_is_not_dropped() external view {
        Constituent[] memory list = _one(4);
        (list[0].status, list[1].status) = (Status.Frozen, Status.Leaving);
        (list[2].weight, list[3].weight) = (5, 4);
        (bool any, Constituent[] memory left) = _choice.dropSmall(list, 5, 5);
        equal(any, true, "one");
        equal(uint256(left[0].status), uint256(Status.Frozen), "frozen");
        equal(left[0].flags, 0, "flags");
        equal(uint256(left[1].status), uint256(Status.Leaving), "leaving");
        equal(uint256(left[2].status), uint256(Status.Included), "at the floor");
        equal(uint256(left[3].status), uint256(Status.Outside), "below");
    }

    function test_if_all_fail_the_floor_nobody_goes() external view {
        Constituent[] memory list = _one(3);
        list[2].status = Status.Frozen;
        _stay(list, 1);
        list[0].weight = 1;
        _drops(list, 1, 1, 2);
    }

    function test_if_none_fails_nobody_goes() external view {
        _stay(_one(0), 1);
        _stay(_one(1), 0);
        _stay(_one(2), 0);
        Constituent[] memory list = _one(3);
        (list[0].weight, list[1].weight, list[2].weight) = (1, 2, 3);
        _stay(list, 1);
        list = _one(1);
        _stay(list, 1); // it is all there is
    }

    /* HELPERS */

    /// @dev Included ones at one dollar.
    function _one(uint256 n) private pure returns (Constituent[] memory list) {
        list = new Constituent[](n);
        for (uint256 i; i < n; ++i) {
            list[i].price = 1e18;
        }
    }

    function _held(uint256 nav, uint256[] memory values) private pure returns (Holdings.Held memory held) {
        (held.nav, held.values) = (nav, values);
    }

    function _weights(Constituent[] memory list) private pure returns (uint256[] memory weights) {
        weights = new uint256[](list.length);
        for (uint256 i; i < list.length; ++i) {
            weights[i] = list[i].weight;
        }
    }

    function _stay(Constituent[] memory list, uint256 floor) private view {
        (bool any, Constituent[] memory left) = _choice.dropSmall(list, floor, floor);
        equal(any, false, "none is dropped");
        equal(abi.encode(left), abi.encode(list), "nothing has changed");
    }

    /// @dev `dropped`: bit i set where the i-th goes.
    function _drops(Constituent[] memory list, uint256 floor, uint256 entry, uint256 dropped) private view {
        for (uint256 i; i < list.length; ++i) {
            list[i].flags = Flags.STALE;
        }
        (bool any, Constituent[] memory left) = _choice.dropSmall(list, floor, entry);
        equal(any, true, "some are dropped");
        for (uint256 i; i < left.length; ++i) {
            bool goes = dropped >> i & 1 == 1;
            equal(uint256(left[i].status), uint256(goes ? Status.Outside : list[i].status), "status");
            equal(left[i].flags, goes ? Flags.STALE | Flags.BELOW_FLOOR : Flags.STALE, "flags");
        }
    }
}
