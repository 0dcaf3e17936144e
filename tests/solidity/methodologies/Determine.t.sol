// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Constituent, Flags, Status} from "../../../contracts/interfaces/IMethodology.sol";
import {Candidate, State} from "../../../contracts/libraries/Candidates.sol";
import {Choice} from "../../../contracts/libraries/Choice.sol";
import {Cap} from "../../../contracts/libraries/MarketCapMath.sol";
import {Rule} from "../../../contracts/libraries/MarketCapRule.sol";
import {vm} from "../../../lab/fuzz/Vm.sol";
import {MarketCapScene} from "./MarketCapScene.sol";

contract DetermineTest is MarketCapScene {
    Constituent[] private _noMonth;

    /* ROWS */

    function test_before_the_first_month_what_is_held_is_a_member() external {
        _found(_rule(), 3);
        _supply(wordList(30, 70));
        _hold(1, 5e18);
        Constituent[] memory list = _determined(_noMonth);
        equal(list.length, 2, "rows");
        equal(
            abi.encode(list[0]),
            abi.encode(Constituent(_token(0), 30, Status.Included, 0, 1e18, 0.3e18, 0, false)),
            "not held"
        );
        equal(
            abi.encode(list[1]),
            abi.encode(Constituent(_token(1), 70, Status.Included, 0, 1e18, 0.7e18, 0, true)),
            "held"
        );
    }

    function test_what_is_held_and_no_candidate_is_outside() external {
        // Candidates: 1 and 3. Held: 0, 2, 3, 4.
        _found(_rule(), 10);
        _supply(wordList(0, 10, 0, 90));
        _hold(0, 1e18);
        _hold(2, 1e18);
        _hold(3, 1e18);
        _hold(4, 1e18);
        fund.setPrice(_token(2), 7e18);
        Constituent[] memory list = _determined(_noMonth);
        equal(list.length, 5, "rows");
        for (uint256 i; i < 5; ++i) {
            equal(list[i].token, _token(i), "token");
            equal(list[i].price, i == 2 ? 7e18 : 1e18, "price");
            equal(list[i].member, i == 3, "member");
            if (i % 2 == 0) _is(list[i], 0, Status.Outside, 0, 0);
        }
        _is(list[1], 10, Status.Included, 0, 0.1e18);
        _is(list[3], 90, Status.Included, 0, 0.9e18);
    }

    function test_what_the_last_month_left_is_recalled() external {
        // Candidates: all but 0. Left: 0, 1, 2, 4; nothing of 3 and 5.
        _found(_rule(), 62);
        _supply(wordList(0, 20, 20, 20, 20, 20));
        _hold(5, 1e18);
        Constituent[] memory left = new Constituent[](4);
        left[0] = _left(0, 11, Status.Included, true);
        left[1] = _left(1, 21, Status.Included, false);
        left[2] = _left(2, 19, Status.Frozen, true);
        left[3] = _left(4, 22, Status.Frozen, false);
        Constituent[] memory list = _determined(left);
        _recalled(list, wordList(21, 19, 0, 22, 0), 3);
        left[1] = _left(1, 21, Status.Leaving, true);
        left[2] = _left(2, 19, Status.Outside, true);
        left[3] = _left(4, 22, Status.Included, true);
        _recalled(_determined(left), wordList(21, 19, 0, 22, 0), 8);
        // A row of a token behind all others.
        left[3] = _left(6, 9, Status.Included, true);
        _recalled(_determined(left), wordList(21, 19, 0, 0, 0), 0);
    }

    /// @dev `members`: by their bits.
    function _recalled(Constituent[] memory list, uint256[] memory confirmed, uint256 members) private pure {
        equal(list.length, confirmed.length, "rows");
        for (uint256 i; i < list.length; ++i) {
            equal(list[i].confirmed, confirmed[i], "confirmed");
            equal(list[i].member, members >> i & 1 == 1, "member");
            equal(list[i].basis, 20, "basis");
            equal(list[i].weight, 0.2e18, "weight");
        }
    }

    /* STATES */

    function test_what_is_frozen_holds_its_own_value() external {
        // Of two dollars a share one is frozen; the others share what is left: of it 70, 0 and 30 % are held.
        Rule memory rule = _rule();
        (rule.cap, rule.capWeight) = (Cap.Flexible, 0.25e18);
        Candidate[] memory list = _chosen(15);
        list[0].state = State.Frozen;
        method = _deployed(rule, list);
        _supply(wordList(1000, 50, 30, 20));
        _hold(0, 1e18);
        _hold(1, 0.7e18);
        _hold(3, 0.3e18);
        Constituent[] memory made = _determined(_noMonth);
        _is(made[0], 1000, Status.Frozen, 0, 0);
        equal(_weights(made), wordList(0, 0.475e18, 0.125e18, 0.4e18), "weights");
    }

    function test_leaving_unpriced_and_written_off_are_not_in_the_index() external {
        Candidate[] memory list = _chosen(31);
        list[0].state = State.Leaving;
        method = _deployed(_rule(), list);
        _supply(wordList(10, 10, 10, 10, 10));
        _hold(0, 1e18);
        _hold(1, 1e18);
        _hold(3, 1e18, 0, true);
        _hold(4, 1e18, uint40(block.timestamp + 1), false);
        fund.setPrice(_token(1), 0);
        // The third is all that is left.
        Constituent[] memory made = _determined(_noMonth);
        _is(made[0], 10, Status.Leaving, 0, 0);
        _is(made[1], 10, Status.Frozen, Flags.NO_PRICE, 0);
        _is(made[2], 10, Status.Included, 0, 1e18);
        _is(made[3], 10, Status.Outside, 0, 0);
        _is(made[4], 10, Status.Frozen, 0, 0);
    }

    function test_a_month_needs_a_constituent() external {
        Candidate[] memory list = _chosen(1);
        list[0].state = State.Leaving;
        method = _deployed(_rule(), list);
        _supply(wordList(10));
        _hold(0, 1e18);
        vm.expectRevert(abi.encodeWithSelector(Choice.NoConstituents.selector));
        method.determine(address(fund), address(fund), _noMonth);
    }

    /* CHOICE */

    function test_rank_floor_and_entry() external {
        Rule memory rule = _rule();
        (rule.topN, rule.floorWeight, rule.entryWeight) = (4, 0.1e18, 0.2e18);
        _found(rule, 31);
        _supply(wordList(70, 10, 9, 14, 16));
        _hold(0, 1e18);
        Constituent[] memory left = new Constituent[](3);
        left[0] = _left(0, 70, Status.Included, true);
        left[1] = _left(1, 10, Status.Included, true);
        left[2] = _left(3, 14, Status.Included, true);
        // The third is the smallest. Of 110 the members' 10 are below a tenth, their 14 are not; the fifth's 16 are
        // enough to stay, not to enter.
        Constituent[] memory made = _determined(left);
        _is(made[0], 70, Status.Included, 0, uint256(70e18) / 84);
        _is(made[1], 10, Status.Outside, Flags.BELOW_FLOOR, 0);
        _is(made[2], 9, Status.Outside, Flags.BELOW_RANK, 0);
        _is(made[3], 14, Status.Included, 0, uint256(14e18) / 84);
        _is(made[4], 16, Status.Outside, Flags.BELOW_FLOOR, 0);
    }

    function test_the_cap_holds_with_all_its_passes() external {
        Rule memory rule = _rule();
        (rule.cap, rule.capWeight, rule.capPasses) = (Cap.Hard, 0.25e18, 2);
        _found(rule, 31);
        _supply(wordList(55, 19, 15, 6, 5));
        _hold(0, 1e18);
        uint256[] memory expected =
            wordList(0.25e18, 0.25e18, 288461538461538461, 115384615384615384, 96153846153846153);
        equal(_weights(_determined(_noMonth)), expected, "weights");
    }

    function test_decisive_figures_choose_and_bases_weigh() external {
        Rule memory rule = _rule();
        rule.topN = 2;
        _found(rule, 15);
        // Both jump and are clamped, 100 to 110 and to 90. The third stays at 99: more than 90, less than 100. The
        // fourth would be more than each, but only from now on.
        _supply(wordList(200, 1, 99, 400));
        _hold(0, 1e18);
        Constituent[] memory made = _determined(_members(wordList(100, 100, 99, 95)));
        _is(made[0], 110, Status.Included, Flags.CLAMPED, 0.55e18);
        _is(made[1], 90, Status.Included, Flags.CLAMPED, 0.45e18);
        _is(made[2], 99, Status.Outside, Flags.BELOW_RANK, 0);
        _is(made[3], 104, Status.Outside, Flags.CLAMPED | Flags.BELOW_RANK, 0);
    }

    function test_floors_are_held_against_the_decisive_figures() external {
        Rule memory rule = _rule();
        (rule.floorWeight, rule.entryWeight) = (0.45e18, 0.45e18);
        _found(rule, 7);
        _supply(wordList(200, 1, 1));
        _hold(0, 1e18);
        // By the bases the second would be below the floor; only the third is.
        Constituent[] memory made = _determined(_members(wordList(100, 100, 0)));
        _is(made[2], 1, Status.Outside, Flags.BELOW_FLOOR, 0);
        _is(made[0], 110, Status.Included, Flags.CLAMPED, 0.55e18);
        _is(made[1], 90, Status.Included, Flags.CLAMPED, 0.45e18);
    }

    function test_one_whose_basis_does_not_decide_is_enough_to_weigh_again() external {
        _found(_rule(), 3);
        _supply(wordList(100, 100));
        source.set(_token(1), 300, yesterday);
        _hold(0, 1e18);
        Constituent[] memory made = _determined(_members(wordList(100, 250)));
        // 300 are clamped to 275.
        equal(_weights(made), wordList(uint256(100e18) / 375, uint256(275e18) / 375), "weights");
    }

    /* SUPPLIES */

    function test_a_reading_is_judged_by_the_rule() external {
        _found(_rule(), 7);
        source.set(_token(0), 105, block.timestamp - AGE);
        source.set(_token(1), 105, block.timestamp - AGE - 1);
        source.set(_token(2), 105, block.timestamp);
        _hold(0, 1e18);
        Constituent[] memory made = _determined(_members(wordList(100, 100)));
        _is(made[0], 105, Status.Included, 0, uint256(105e18) / 205);
        _is(made[1], 100, Status.Included, Flags.STALE, uint256(100e18) / 205);
        _is(made[2], 105, Status.Outside, Flags.UNCONFIRMED, 0);
    }

    function test_a_given_supply_is_known_until_one_is_confirmed() external {
        Candidate[] memory list = _chosen(3);
        list[0].wholeTokens = 100;
        method = _deployed(_rule(), list);
        source.set(_token(0), 1000, block.timestamp);
        source.set(_token(1), 100, yesterday);
        _hold(0, 1e18);
        Constituent[] memory made = _determined(_noMonth);
        _is(made[0], 110, Status.Included, Flags.CLAMPED, uint256(110e18) / 210);
        made = _determined(_members(wordList(200, 100)));
        _is(made[0], 220, Status.Included, Flags.CLAMPED, uint256(220e18) / 320);
    }

    function test_an_override_counts_while_it_lives() external {
        _found(_rule(), 3);
        _supply(wordList(3, 3));
        _hold(0, 1e18);
        Constituent[] memory left = _members(wordList(3, 3));
        uint256 began = block.timestamp;
        method.overrideSupply(_token(0), 1);
        vm.warp(began + 1);
        method.overrideSupply(_token(1), 5);
        Constituent[] memory made = _determined(left);
        _is(made[0], 1, Status.Included, Flags.OVERRIDDEN, uint256(1e18) / 6);
        _is(made[1], 5, Status.Included, Flags.OVERRIDDEN, uint256(5e18) / 6);
        // It also decides: both count as they are.
        vm.warp(began + 10 days - 1);
        _is(_determined(left)[0], 1, Status.Included, Flags.OVERRIDDEN, uint256(1e18) / 6);
        vm.warp(began + 10 days);
        made = _determined(left);
        _is(made[0], 3, Status.Included, 0, uint256(3e18) / 8);
        _is(made[1], 5, Status.Included, Flags.OVERRIDDEN, uint256(5e18) / 8);
        vm.warp(began + 10 days + 1);
        made = _determined(left);
        _is(made[0], 3, Status.Included, 0, 0.5e18);
        _is(made[1], 3, Status.Included, 0, 0.5e18);
    }

    function test_an_override_decides_who_stays() external {
        Rule memory rule = _rule();
        rule.topN = 1;
        _found(rule, 3);
        _supply(wordList(3, 4));
        _hold(0, 1e18);
        method.overrideSupply(_token(0), 5);
        Constituent[] memory made = _determined(_members(wordList(3, 4)));
        _is(made[0], 5, Status.Included, Flags.OVERRIDDEN, 1e18);
        _is(made[1], 4, Status.Outside, Flags.BELOW_RANK, 0);
    }
}
