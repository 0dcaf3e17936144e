// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Status} from "../../../contracts/interfaces/IMethodology.sol";
import {IOpener, OpeningPlan} from "../../../contracts/interfaces/IOpener.sol";
import {Side} from "../../../contracts/interfaces/IRebalancer.sol";
import {vm} from "../../../lab/fuzz/Vm.sol";
import {OpenerBench} from "./OpenerBench.sol";

/// @title ChoiceTest
/// @notice What the methodology answers, and what is done where it wants too much of something.
contract ChoiceTest is OpenerBench {
    uint256 private constant BEYOND = 1 << 120;

    function _pair() private {
        hold(A, 18, 2e18, 1e18);
        hold(B, 18, 10e18, 1e18);
        include(A, 1e18);
        include(B, 1e18);
    }

    function test_a_target_for_each() external {
        _pair();
        answerTargets(wordList(1e18));
        planFails(abi.encodeWithSelector(IOpener.WrongLength.selector, 2, 1));
        answerTargets(wordList(1e18, 1e18, 1e18));
        planFails(abi.encodeWithSelector(IOpener.WrongLength.selector, 2, 3));
    }

    function test_something_must_be_wanted() external {
        _pair();
        answerTargets(wordList(0, 0));
        planFails(abi.encodeWithSelector(IOpener.NothingToWeigh.selector));
        answerTargets(wordList(1, 0));
        OpeningPlan memory p = plan();
        targetIs(p, 0, Side.Sell, 1, 1e18);
        targetIs(p, 1, Side.Sell, 0, 1e18);
    }

    function test_a_refusal_is_passed_on() external {
        _pair();
        vm.mockCallRevert(
            address(methodology),
            question(wordList(1e18, 1e18), wordList(2e18, 10e18), wordList(1e18, 1e18), wordList(1e18, 1e18)),
            "no"
        );
        planFails("no");
    }

    /// @dev As wide as the largest unit, held or wanted: only what is sold has a unit that is not packed.
    function test_units_are_as_wide_as_the_widest() external {
        hold(A, 18, 1 << 100, 1);
        hold(B, 18, 10e18, 1e18);
        determine(A, 1, Status.Frozen);
        include(B, 200);
        OpeningPlan memory p = plan();
        widthIs(p, 13);
        targetIs(p, 0, Side.Held, 1 << 100, 0);
        targetIs(p, 1, Side.Sell, 200, 1e18);
    }

    function test_units_are_as_wide_as_what_is_wanted() external {
        hold(A, 0, 3, 1e18);
        hold(B, 18, 5, 1e18);
        include(A, 4);
        include(B, 1 << 16);
        OpeningPlan memory p = plan();
        widthIs(p, 3);
        targetIs(p, 0, Side.Buy, 4, 1e18);
        targetIs(p, 1, Side.Buy, 1 << 16, 1e18);
    }

    /* TOO LARGE */

    /// @dev A's price is so low that its target may be beyond measure.
    function _cheap() private {
        hold(A, 18, 5e35, 1);
        hold(B, 18, 10e18, 1e18);
        include(A, 1e18);
        include(B, 1e18);
    }

    function _answer(bytes memory asked, uint256[] memory units) private {
        vm.mockCall(address(methodology), asked, abi.encode(units));
    }

    function _firstQuestion() private pure returns (bytes memory) {
        return question(wordList(1e18, 1e18), wordList(5e35, 10e18), wordList(1, 1e18), wordList(1e18, 1e18));
    }

    function _secondQuestion() private pure returns (bytes memory) {
        return question(wordList(0, 1e18), wordList(5e35, 10e18), wordList(0, 1e18), wordList(1e18, 1e18));
    }

    function test_the_largest_target() external {
        _cheap();
        _answer(_firstQuestion(), wordList(BEYOND - 1, 9e18));
        OpeningPlan memory p = plan();
        equal(p.nav, 10.5e18, "nav");
        targetIs(p, 0, Side.Buy, BEYOND - 1, 1);
        targetIs(p, 1, Side.Sell, 9e18, 1e18);
        widthIs(p, 15);
    }

    /// @dev A is held as it is, out of NAV, and stays on the list whatever may be dropped.
    function test_what_has_too_large_a_target_is_held() external {
        maxDrop = 1e18;
        for (uint256 k; k < 2; ++k) {
            uint256 snapshot = vm.snapshotState();
            _cheap();
            _answer(_firstQuestion(), wordList(k == 0 ? BEYOND : 5 * BEYOND, 9e18));
            _answer(_secondQuestion(), wordList(0, 8e18));
            OpeningPlan memory p = plan();
            equal(p.nav, 10e18, "nav");
            targetIs(p, 0, Side.Held, 5e35, 0);
            targetIs(p, 1, Side.Sell, 8e18, 1e18);
            equal(p.changed || p.leaves, false, "changed or leaves");
            equal(p.surplus, 0.2e18, "surplus");
            vm.revertToState(snapshot);
        }
    }

    function test_twice_is_too_large() external {
        _cheap();
        _answer(_firstQuestion(), wordList(BEYOND, 9e18));
        _answer(_secondQuestion(), wordList(0, BEYOND));
        planFails(abi.encodeWithSelector(IOpener.TooLarge.selector));
    }

    /// @dev Nothing that counts is left, though the methodology would go on.
    function test_all_that_has_a_value_is_too_large() external {
        hold(A, 18, 5e35, 1);
        meet(B, 18, 1e18);
        include(A, 1e18);
        include(B, 1e18);
        _answer(
            question(wordList(1e18, 1e18), wordList(5e35, 0), wordList(1, 1e18), wordList(1e18, 1e18)),
            wordList(BEYOND, 9e18)
        );
        _answer(
            question(wordList(0, 1e18), wordList(5e35, 0), wordList(0, 1e18), wordList(1e18, 1e18)), wordList(0, 9e18)
        );
        planFails(abi.encodeWithSelector(IOpener.NothingToWeigh.selector));
        // A wei of value is enough.
        setBalance(B, 1);
        _answer(
            question(wordList(1e18, 1e18), wordList(5e35, 1), wordList(1, 1e18), wordList(1e18, 1e18)),
            wordList(BEYOND, 9e18)
        );
        _answer(question(wordList(0, 1e18), wordList(5e35, 1), wordList(0, 1e18), wordList(1e18, 1e18)), wordList(0, 1));
        equal(plan().nav, 1, "nav");
    }

    /// @dev A newcomer with too large a target does not come.
    function test_a_newcomer_with_too_large_a_target_does_not_come() external {
        meet(A, 18, 1);
        hold(B, 18, 10e18, 1e18);
        meet(C, 18, 1e18);
        include(A, 1e18);
        include(B, 1e18);
        include(C, 1e18);
        _answer(
            question(
                wordList(1e18, 1e18, 1e18), wordList(0, 10e18, 0), wordList(1, 1e18, 1e18), wordList(1e18, 1e18, 1e18)
            ),
            wordList(BEYOND, 9e18, 1e18)
        );
        _answer(
            question(wordList(1e18, 1e18), wordList(10e18, 0), wordList(1e18, 1e18), wordList(1e18, 1e18)),
            wordList(8e18, 2e18)
        );
        OpeningPlan memory p = plan();
        equal(p.list, wordList(entry(B, 18), entry(C, 18)), "list");
        equal(p.confirmed[1], uint256(Status.Outside), "A");
        equal(p.leaves, false, "leaves");
        targetIs(p, 0, Side.Sell, 8e18, 1e18);
        targetIs(p, 1, Side.Buy, 2e18, 1e18);
    }

    /// @dev The first question was asked with A dropped: what is known of each has moved up with it.
    function test_too_large_a_target_after_something_was_dropped() external {
        hold(A, 18, 0, 1e18);
        hold(B, 18, 10e18, 1e18);
        hold(C, 18, 5e35, 1);
        meet(D, 18, 1);
        hold(E, 18, 0, 1e18);
        include(B, 1e18);
        include(C, 1e18);
        include(D, 1e18);
        _answer(
            question(
                wordList(1e18, 1e18, 1e18), wordList(10e18, 5e35, 0), wordList(1e18, 1, 1), wordList(1e18, 1e18, 1e18)
            ),
            wordList(9e18, BEYOND, BEYOND)
        );
        _answer(
            question(wordList(1e18, 0), wordList(10e18, 5e35), wordList(1e18, 0), wordList(1e18, 1e18)),
            wordList(8e18, 0)
        );
        OpeningPlan memory p = plan();
        equal(p.list, wordList(entry(B, 18), entry(C, 18)), "list");
        equal(p.nav, 10e18, "nav");
        equal(p.confirmed[5], uint256(Status.Outside), "D");
        equal(p.leaves, true, "leaves");
        targetIs(p, 0, Side.Sell, 8e18, 1e18);
        targetIs(p, 1, Side.Held, 5e35, 0);
        countIs(p, 2);
    }

    /// @dev A leaver that cost too much in the first place still does, and one that did not is gone once.
    function test_too_large_a_target_beside_leavers() external {
        maxDrop = 0.5e18;
        hold(A, 18, 6e18, 1e18);
        hold(B, 18, 2e18, 1e18);
        hold(C, 18, 2e18, 1e18);
        hold(D, 18, 5e35, 1);
        hold(E, 18, 1.5e18, 1e18);
        determine(A, 1, Status.Leaving, 0, 1e18, 0);
        determine(B, 1, Status.Leaving, 0, 1e18, 0);
        include(C, 1e18);
        include(D, 1e18);
        include(E, 1e18);
        // Of 12 dollars 6 may be dropped: A, and then nothing.
        _answer(
            question(
                wordList(0, 1e18, 1e18, 1e18),
                wordList(2e18, 2e18, 5e35, 1.5e18),
                wordList(1e18, 1e18, 1, 1e18),
                wordList(1e18, 1e18, 1e18, 1e18)
            ),
            wordList(0, 1e18, BEYOND, 1.5e18)
        );
        _answer(
            question(
                wordList(0, 1e18, 0, 1e18),
                wordList(2e18, 2e18, 5e35, 1.5e18),
                wordList(1e18, 1e18, 0, 1e18),
                wordList(1e18, 1e18, 1e18, 1e18)
            ),
            wordList(0, 3e18, 0, 1.5e18)
        );
        OpeningPlan memory p = plan();
        equal(p.list, wordList(entry(B, 18), entry(C, 18), entry(D, 18), entry(E, 18)), "list");
        equal(p.nav, 11.5e18, "nav");
        targetIs(p, 0, Side.Sell, 0, 1e18);
        targetIs(p, 1, Side.Buy, 3e18, 1e18);
        targetIs(p, 2, Side.Held, 5e35, 0);
        targetIs(p, 3, Side.Held, 1.5e18, 1e18);
    }
}
