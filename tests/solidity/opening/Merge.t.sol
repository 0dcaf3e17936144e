// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Flags, Status} from "../../../contracts/interfaces/IMethodology.sol";
import {IOpener, OpeningPlan} from "../../../contracts/interfaces/IOpener.sol";
import {Side} from "../../../contracts/interfaces/IRebalancer.sol";
import {vm} from "../../../lab/fuzz/Vm.sol";
import {OpenerBench} from "./OpenerBench.sol";

/// @title MergeTest
/// @notice What is held and what is included become one list, and what of it is confirmed.
contract MergeTest is OpenerBench {
    /// @dev B and D are held; A, C and E come.
    function test_newcomers_before_between_and_behind() external {
        meet(A, 18, 1e18);
        hold(B, 6, 100e6, 1e18);
        meet(C, 4, 3e18);
        hold(D, 8, 3e8, 2e18);
        meet(E, 27, 1e18);
        include(A, 5e17);
        include(B, 50e6);
        include(C, 7e4);
        include(D, 4e8);
        include(E, 2e26);
        expectQuestion(
            wordList(5e17, 50e6, 7e4, 4e8, 2e26),
            wordList(0, 100e6, 0, 3e8, 0),
            wordList(1e18, 1e18, 3e18, 2e18, 1e18),
            wordList(1e18, 1e6, 1e4, 1e8, 1e27)
        );
        OpeningPlan memory p = plan();
        equal(p.changed, true, "changed");
        equal(p.list, wordList(entry(A, 18), entry(B, 6), entry(C, 4), entry(D, 8), entry(E, 27)), "list");
        equal(p.leaves, false, "leaves");
        equal(p.nav, 106e18, "nav");
        equal(p.exponent, EXPONENT, "exponent");
        equal(p.confirmed.length + p.basis.length, 0, "as determined");
        countIs(p, 5);
        targetIs(p, 0, Side.Buy, 5e17, 1e18);
        targetIs(p, 1, Side.Sell, 50e6, 1e18);
        targetIs(p, 2, Side.Buy, 7e4, 3e18);
        targetIs(p, 3, Side.Buy, 4e8, 2e18);
        targetIs(p, 4, Side.Buy, 2e26, 1e18);
    }

    function test_a_list_that_stays() external {
        hold(A, 18, 10e18, 1e18);
        hold(B, 18, 10e18, 1e18);
        include(A, 9e18);
        include(B, 11e18);
        expectQuestion(wordList(9e18, 11e18), wordList(10e18, 10e18), wordList(1e18, 1e18), wordList(1e18, 1e18));
        OpeningPlan memory p = plan();
        equal(p.changed || p.leaves, false, "changed or leaves");
        equal(p.list.length + p.confirmed.length + p.basis.length, 0, "lists");
        countIs(p, 2);
        targetIs(p, 0, Side.Sell, 9e18, 1e18);
        targetIs(p, 1, Side.Buy, 11e18, 1e18);
    }

    /// @dev A, C and E are held and in no row.
    function test_what_no_row_names_is_sold() external {
        hold(A, 18, 1e18, 1e18);
        hold(B, 18, 2e18, 1e18);
        hold(C, 18, 3e18, 1e18);
        meet(D, 18, 1e18);
        hold(E, 18, 4e18, 1e18);
        include(B, 4e18);
        include(D, 6e18);
        expectQuestion(
            wordList(0, 4e18, 0, 6e18, 0),
            wordList(1e18, 2e18, 3e18, 0, 4e18),
            wordList(1e18, 1e18, 1e18, 1e18, 1e18),
            wordList(1e18, 1e18, 1e18, 1e18, 1e18)
        );
        OpeningPlan memory p = plan();
        equal(p.leaves, true, "leaves");
        targetIs(p, 0, Side.Sell, 0, 1e18);
        targetIs(p, 2, Side.Sell, 0, 1e18);
        targetIs(p, 4, Side.Sell, 0, 1e18);
        equal(p.list.length, 5, "list");
    }

    /// @dev Frozen is held at no price, and its value counts; Leaving and Outside are sold.
    function test_each_status_of_what_is_held() external {
        hold(A, 18, 1e18, 1e18);
        hold(B, 18, 2e18, 1e18);
        hold(C, 18, 3e18, 1e18);
        hold(D, 18, 4e18, 1e18);
        determine(A, 5e18, Status.Included);
        determine(B, 5e18, Status.Frozen);
        determine(C, 5e18, Status.Leaving);
        determine(D, 5e18, Status.Outside);
        expectQuestion(
            wordList(5e18, 0, 0, 0),
            wordList(1e18, 2e18, 3e18, 4e18),
            wordList(1e18, 0, 1e18, 1e18),
            wordList(1e18, 1e18, 1e18, 1e18)
        );
        OpeningPlan memory p = plan();
        equal(p.nav, 10e18, "nav");
        targetIs(p, 0, Side.Buy, 5e18, 1e18);
        targetIs(p, 1, Side.Held, 2e18, 0);
        targetIs(p, 2, Side.Sell, 0, 1e18);
        targetIs(p, 3, Side.Sell, 0, 1e18);
        equal(p.leaves, true, "leaves");
        equal(p.changed, false, "changed");
    }

    function test_only_what_is_included_comes() external {
        hold(A, 18, 1e18, 1e18);
        meet(B, 18, 1e18);
        meet(C, 18, 1e18);
        meet(D, 18, 1e18);
        include(A, 5e18);
        determine(B, 5e18, Status.Frozen);
        determine(C, 5e18, Status.Leaving);
        determine(D, 5e18, Status.Outside);
        expectQuestion(wordList(5e18), wordList(1e18), wordList(1e18), wordList(1e18));
        OpeningPlan memory p = plan();
        equal(p.changed || p.leaves, false, "changed or leaves");
        equal(p.list.length + p.confirmed.length + p.basis.length, 0, "lists");
        countIs(p, 1);
    }

    /* CONFIRMING */

    function _four() private {
        hold(A, 18, 1e18, 1e18);
        hold(B, 18, 2e18, 1e18);
        hold(C, 18, 3e18, 1e18);
        hold(D, 18, 4e18, 1e18);
        determine(A, 5e18, Status.Included, 1, 7, 8);
        determine(B, 5e18, Status.Included, 2, 7, 8);
        determine(C, 5e18, Status.Leaving, 4, 7, 8);
        determine(D, 5e18, Status.Outside, 8, 7, 8);
    }

    /// @dev A's basis was read again, B is frozen since; C and D, which were not included, cannot come back.
    function test_what_start_confirms() external {
        _four();
        methodology.setAnswers(
            wordList(
                confirmed(6e18, Flags.CONFIRMED_AT_START, Status.Included),
                confirmed(5e18, 2, Status.Frozen),
                confirmed(9e18, 3, Status.Included),
                confirmed(9e18, 5, Status.Included)
            )
        );
        expectQuestion(
            wordList(confirmed(6e18, 128, Status.Included), 0, 0, 0),
            wordList(1e18, 2e18, 3e18, 4e18),
            wordList(1e18, 0, 1e18, 1e18),
            wordList(1e18, 1e18, 1e18, 1e18)
        );
        OpeningPlan memory p = plan();
        equal(p.basis, wordList(confirmed(6e18, 128, Status.Included), 0, 0, 0), "basis");
        uint256[8] memory expected = [
            uint256(uint160(A)) * (1 << 96) + confirmed(6e18, 128, Status.Included),
            _more(Status.Included),
            uint256(uint160(B)) * (1 << 96) + confirmed(5e18, 2, Status.Included),
            _more(Status.Frozen),
            uint256(uint160(C)) * (1 << 96) + confirmed(9e18, 3, Status.Included),
            _more(Status.Leaving),
            uint256(uint160(D)) * (1 << 96) + confirmed(9e18, 5, Status.Included),
            _more(Status.Outside)
        ];
        equal(p.confirmed.length, 8, "two words for each row");
        for (uint256 i; i < 8; ++i) {
            equal(p.confirmed[i], expected[i], "confirmed");
        }
    }

    /// @dev Price 7, weight 8.
    function _more(Status status) private pure returns (uint256) {
        return 7 * (1 << 156) + 8 * (1 << 92) + uint256(status);
    }

    function test_nothing_is_included_without_a_basis() external {
        _four();
        methodology.setAnswers(
            wordList(
                confirmed(5e18, 1, Status.Included),
                confirmed(0, 2, Status.Included),
                confirmed(0, 4, Status.Included),
                confirmed(5e18, 8, Status.Outside)
            )
        );
        OpeningPlan memory p = plan();
        targetIs(p, 1, Side.Sell, 0, 1e18);
        equal(p.confirmed[1], _more(Status.Included), "A");
        equal(p.confirmed[3], _more(Status.Outside), "B");
        equal(p.confirmed[5], _more(Status.Leaving), "C");
        equal(p.basis.length, 0, "no basis was read again");
    }

    function test_the_least_basis_is_one() external {
        _four();
        methodology.setAnswers(
            wordList(
                confirmed(5e18, 1, Status.Included),
                confirmed(1, 2, Status.Included),
                confirmed(5e18, 4, Status.Leaving),
                confirmed(5e18, 8, Status.Outside)
            )
        );
        OpeningPlan memory p = plan();
        targetIs(p, 1, Side.Sell, 1, 1e18);
        equal(p.confirmed[3], _more(Status.Included), "B");
    }

    /// @dev Status, flags and basis that come back as they were: nothing to write.
    function test_nothing_changed() external {
        _four();
        methodology.setAnswers(
            wordList(
                confirmed(5e18, 1, Status.Included),
                confirmed(5e18, 2, Status.Included),
                confirmed(5e18, 4, Status.Leaving),
                confirmed(5e18, 8, Status.Outside)
            )
        );
        equal(plan().confirmed.length, 0, "confirmed");
    }

    /// @dev The flag says so, of something included.
    function test_bases_are_told_if_one_was_read_again() external {
        hold(A, 18, 1e18, 1e18);
        hold(B, 18, 2e18, 1e18);
        determine(A, 5e18, Status.Included, 127, 0, 0);
        determine(B, 5e18, Status.Leaving, 255, 0, 0);
        equal(plan().basis.length, 0, "basis");
        methodology.setAnswers(wordList(confirmed(5e18, 128, Status.Included), confirmed(5e18, 255, Status.Leaving)));
        equal(plan().basis, wordList(confirmed(5e18, 128, Status.Included), 0), "basis");
    }

    function test_an_answer_for_each_row() external {
        _four();
        methodology.setAnswers(wordList(1, 1, 1));
        planFails(abi.encodeWithSelector(IOpener.WrongLength.selector, 4, 3));
        methodology.setAnswers(wordList(1, 1, 1, 1, 1));
        planFails(abi.encodeWithSelector(IOpener.WrongLength.selector, 4, 5));
    }

    /* NEWCOMERS */

    /// @dev Rows of B that comes or does not, and C after it, which comes.
    function _twoNewcomers(uint256 decimalsOfB) private {
        hold(A, 18, 10e18, 1e18);
        meet(B, decimalsOfB, 1e18);
        meet(C, 18, 1e18);
        include(A, 9e18);
        determine(B, 1e18, Status.Included, 3, 7, 8);
        include(C, 1e18);
    }

    /// @dev B does not come: its row is one outside the index now, and all else goes on.
    function _isLeftOut(OpeningPlan memory p) private pure {
        equal(p.list, wordList(entry(A, 18), entry(C, 18)), "list");
        equal(p.confirmed.length, 6, "confirmed");
        equal(p.confirmed[2], uint256(uint160(B)) * (1 << 96) + 3 * (1 << 88) + 1e18, "B, its basis");
        equal(p.confirmed[3], _more(Status.Outside), "B");
        equal(p.confirmed[1] + p.confirmed[5], 0, "A and C are included");
        equal(p.leaves, false, "leaves");
    }

    function test_a_newcomer_of_27_decimals_comes() external {
        _twoNewcomers(27);
        equal(plan().list, wordList(entry(A, 18), entry(B, 27), entry(C, 18)), "list");
    }

    function test_a_newcomer_of_28_decimals_does_not_come() external {
        _twoNewcomers(28);
        _isLeftOut(plan());
    }

    function test_a_newcomer_that_refuses_its_decimals_does_not_come() external {
        _twoNewcomers(18);
        vm.mockCallRevert(B, abi.encodeWithSignature("decimals()"), "");
        _isLeftOut(plan());
    }

    /// @dev A share must never back itself.
    function test_the_index_token_does_not_come() external {
        hold(A, 18, 10e18, 1e18);
        vm.mockCall(address(index), abi.encodeWithSignature("decimals()"), abi.encode(18));
        oracle.setPrice(address(index), 1e18);
        include(A, 9e18);
        include(address(index), 1e18);
        OpeningPlan memory p = plan();
        equal(p.changed, false, "changed");
        equal(p.list.length, 0, "list");
        equal(p.confirmed[3], uint256(Status.Outside), "the index token");
        countIs(p, 1);
    }

    /// @dev What it was given before counts, and it comes unmarked.
    function test_a_newcomer_that_was_given_already() external {
        _twoNewcomers(18);
        setBalance(B, 5e18);
        OpeningPlan memory p = plan();
        equal(p.list, wordList(entry(A, 18), entry(B, 18), entry(C, 18)), "list");
        equal(p.nav, 15e18, "nav");
        targetIs(p, 1, Side.Sell, 1e18, 1e18);
    }

    function test_what_was_written_off_comes_back_if_nothing_is_held() external {
        _twoNewcomers(18);
        index.setWrittenOff(B);
        OpeningPlan memory p = plan();
        equal(p.list, wordList(entry(A, 18), entry(B, 18), entry(C, 18)), "list");
        equal(p.confirmed.length, 0, "confirmed");
        targetIs(p, 1, Side.Buy, 1e18, 1e18);
    }

    function test_what_was_written_off_does_not_come_back_if_any_is_held() external {
        _twoNewcomers(18);
        index.setWrittenOff(B);
        setBalance(B, 1);
        _isLeftOut(plan());
    }
}
