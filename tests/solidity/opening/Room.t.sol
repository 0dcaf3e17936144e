// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Status} from "../../../contracts/interfaces/IMethodology.sol";
import {OpeningPlan} from "../../../contracts/interfaces/IOpener.sol";
import {OpenerBench} from "./OpenerBench.sol";

/// @title RoomTest
/// @notice Newcomers wait while there is no room, those with the least determined weight first.
contract RoomTest is OpenerBench {
    /// @dev C is held; A, B, D and E come, with these weights.
    function _fund(uint256 a, uint256 b, uint256 d, uint256 e) private {
        meet(A, 18, 1e18);
        meet(B, 6, 1e18);
        hold(C, 8, 10e8, 1e18);
        meet(D, 4, 1e18);
        meet(E, 0, 1e18);
        determine(A, 1e18, Status.Included, 0, 0, a);
        determine(B, 2e6, Status.Included, 0, 0, b);
        determine(C, 5e8, Status.Included, 0, 0, 0);
        determine(D, 3e4, Status.Included, 0, 0, d);
        determine(E, 4, Status.Included, 0, 0, e);
    }

    /// @dev Whether row `i` is outside the index after the start, and was not determined so.
    function _waits(OpeningPlan memory p, uint256 i) private pure returns (bool) {
        return p.confirmed.length != 0 && p.confirmed[2 * i + 1] % 8 == uint256(Status.Outside);
    }

    function test_there_is_room_for_all() external {
        _fund(1, 2, 3, 4);
        index.setPlaces(5);
        OpeningPlan memory p = plan();
        equal(p.list, wordList(entry(A, 18), entry(B, 6), entry(C, 8), entry(D, 4), entry(E, 0)), "list");
        equal(p.confirmed.length, 0, "confirmed");
    }

    /// @dev One that is held never waits: C has the least weight. What the methodology is asked has no gaps.
    function test_the_least_waits() external {
        _fund(2, 1, 3, 4);
        index.setPlaces(4);
        expectQuestion(
            wordList(1e18, 5e8, 3e4, 4),
            wordList(0, 10e8, 0, 0),
            wordList(1e18, 1e18, 1e18, 1e18),
            wordList(1e18, 1e8, 1e4, 1)
        );
        OpeningPlan memory p = plan();
        equal(p.list, wordList(entry(A, 18), entry(C, 8), entry(D, 4), entry(E, 0)), "list");
        equal(_waits(p, 1), true, "B waits");
        equal(_waits(p, 0) || _waits(p, 2) || _waits(p, 3) || _waits(p, 4), false, "nobody else");
        equal(p.leaves, false, "leaves");
        countIs(p, 4);
    }

    function test_the_three_least_wait() external {
        _fund(7, 9, 5, 6);
        index.setPlaces(2);
        OpeningPlan memory p = plan();
        equal(p.list, wordList(entry(B, 6), entry(C, 8)), "list");
        equal(_waits(p, 0) && _waits(p, 3) && _waits(p, 4), true, "A, D and E wait");
        equal(_waits(p, 1) || _waits(p, 2), false, "nobody else");
    }

    function test_the_first_of_equals_waits() external {
        _fund(3, 2, 2, 3);
        index.setPlaces(4);
        equal(plan().list, wordList(entry(A, 18), entry(C, 8), entry(D, 4), entry(E, 0)), "list");
    }

    /// @dev All wait: the list is what it was.
    function test_no_room_at_all() external {
        _fund(1, 2, 3, 4);
        index.setPlaces(1);
        OpeningPlan memory p = plan();
        equal(p.changed || p.leaves, false, "changed or leaves");
        equal(p.list.length, 0, "list");
        equal(_waits(p, 0) && _waits(p, 1) && _waits(p, 3) && _waits(p, 4), true, "they wait");
        countIs(p, 1);
    }

    /// @dev A comes to nothing, having no price: that leaves two places for three.
    function test_a_dead_newcomer_takes_no_room() external {
        _fund(9, 2, 1, 3);
        oracle.setPrice(A, 0);
        index.setPlaces(3);
        OpeningPlan memory p = plan();
        equal(p.list, wordList(entry(B, 6), entry(C, 8), entry(E, 0)), "A is dead, D waits");
        equal(_waits(p, 0) && _waits(p, 3), true, "A and D");
        equal(_waits(p, 1) || _waits(p, 4), false, "B and E");
        equal(p.leaves, false, "leaves");
    }

    function test_a_dropped_component_makes_room() external {
        meet(A, 18, 1e18);
        hold(B, 18, 0, 1e18);
        hold(C, 18, 10e18, 1e18);
        meet(D, 18, 1e18);
        determine(A, 1e18, Status.Included, 0, 0, 1);
        include(C, 9e18);
        determine(D, 1e18, Status.Included, 0, 0, 2);
        index.setPlaces(2);
        OpeningPlan memory p = plan();
        equal(p.list, wordList(entry(C, 18), entry(D, 18)), "list");
        equal(_waits(p, 0), true, "A waits");
        equal(p.leaves, true, "B goes off the list");
    }

    /* WHAT A START READS */

    function _token(uint256 i) private pure returns (address) {
        return address(uint160((i + 1) << 24));
    }

    /// @dev `n` rows, the tenth held, the others newcomers, the weight of each `weights` of its position.
    function _many(uint256 n, function(uint256) pure returns (uint256) weights) private {
        index.setPlaces(200);
        for (uint256 i; i < n; ++i) {
            if (i == 9) hold(_token(i), 18, 100e18, 1e18);
            else meet(_token(i), 18, 1e18);
            determine(_token(i), 1e18, Status.Included, 0, 0, weights(i));
        }
    }

    /// @dev Positions of those that wait, of `n` rows.
    function _waiting(OpeningPlan memory p, uint256 n) private pure returns (uint256[] memory list) {
        list = new uint256[](n);
        uint256 count;
        for (uint256 i; i < n; ++i) {
            if (_waits(p, i)) list[count++] = i;
        }
        assembly ("memory-safe") {
            mstore(list, count)
        }
    }

    /// @dev In no order: 7 and 11 have no divisor in common with the number of rows. The held one has the least.
    function _mixed(uint256 i) private pure returns (uint256) {
        return i == 9 ? 0 : 100 + i * 7 % 61;
    }

    function _falling(uint256 i) private pure returns (uint256) {
        return 100 - i;
    }

    function test_sixty_are_read() external {
        _many(60, _mixed);
        OpeningPlan memory p = plan();
        equal(p.list.length, 60, "list");
        equal(p.confirmed.length, 0, "confirmed");
    }

    /// @dev The least weights of newcomers: 100 at position 0, 101 at 35.
    function test_the_least_of_sixty_one_waits() external {
        _many(61, _mixed);
        OpeningPlan memory p = plan();
        equal(p.list.length, 60, "list");
        equal(_waiting(p, 61), wordList(0), "waiting");
        equal(p.list[0], entry(_token(1), 18), "the first that comes");
    }

    function test_the_two_least_of_sixty_two_wait() external {
        _many(62, _mixed);
        OpeningPlan memory p = plan();
        equal(p.list.length, 60, "list");
        // Position 61 has the weight of position 0.
        equal(_waiting(p, 62), wordList(0, 61), "waiting");
    }

    function test_the_last_waits() external {
        _many(61, _falling);
        equal(_waiting(plan(), 61), wordList(60), "waiting");
    }

    /// @dev Of 63 rows one is frozen by now, one was not determined as included, and one is no newcomer.
    function test_only_newcomers_count_and_wait() external {
        _many(63, _falling);
        uint256[] memory answers = new uint256[](63);
        for (uint256 i; i < 63; ++i) {
            answers[i] = confirmed(1e18, 0, i == 62 ? Status.Frozen : Status.Included);
        }
        methodology.setAnswers(answers);
        OpeningPlan memory p = plan();
        equal(p.list.length, 60, "list");
        equal(_waiting(p, 63), wordList(60, 61), "waiting");
        equal(p.confirmed[2 * 62 + 1] % 8, uint256(Status.Frozen), "frozen");
    }

    function test_what_was_not_included_does_not_count() external {
        index.setPlaces(200);
        for (uint256 i; i < 62; ++i) {
            if (i == 30) hold(_token(i), 18, 100e18, 1e18);
            else meet(_token(i), 18, 1e18);
            determine(_token(i), 1e18, i == 60 ? Status.Leaving : Status.Included, 0, 0, 100 - i);
        }
        uint256[] memory answers = new uint256[](62);
        for (uint256 i; i < 62; ++i) {
            answers[i] = confirmed(1e18, 0, Status.Included);
        }
        methodology.setAnswers(answers);
        OpeningPlan memory p = plan();
        equal(p.list.length, 60, "list");
        equal(_waiting(p, 62), wordList(61), "waiting");
        equal(p.confirmed[2 * 60 + 1] % 8, uint256(Status.Leaving), "leaving");
    }

    /// @dev Held ones that no row names are read, too: before, between and behind the rows.
    function test_what_is_held_counts_whether_named_or_not() external {
        index.setPlaces(200);
        hold(address(1 << 20), 18, 1e18, 1e18);
        for (uint256 i; i < 61; ++i) {
            if (i == 20) hold(_token(i), 18, 100e18, 1e18);
            else meet(_token(i), 18, 1e18);
            if (i == 40) hold(address(uint160(_token(i)) + 1), 18, 1e18, 1e18);
            determine(_token(i), 1e18, Status.Included, 0, 0, 100 - i);
        }
        hold(_token(70), 18, 1e18, 1e18);
        OpeningPlan memory p = plan();
        equal(p.list.length, 60, "list");
        equal(_waiting(p, 61), wordList(57, 58, 59, 60), "waiting");
    }
}
