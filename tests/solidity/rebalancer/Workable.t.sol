// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IMethodology} from "../../../contracts/interfaces/IMethodology.sol";
import {Action, IRebalancer, Phase, Reason} from "../../../contracts/interfaces/IRebalancer.sol";
import {vm} from "../../../lab/fuzz/Vm.sol";
import {FundTest} from "./FundTest.sol";

/// @notice What is due when, why, and when to look again.
contract WorkableTest is FundTest {
    function test_determine_is_due_until_the_periods_end() external {
        _workable(Action.Determine, Reason.Due, END);
        vm.warp(END - 1);
        _workable(Action.Determine, Reason.Due, END);
        vm.warp(END);
        _workable(Action.Determine, Reason.Due, NEXT_END);
    }

    function test_start_is_due_once_the_notice_is_over() external {
        rebalancer.determine();
        _workable(Action.None, Reason.NotYet, START);
        vm.warp(START - 1);
        _workable(Action.None, Reason.NotYet, START);
        vm.warp(START);
        _workable(Action.Start, Reason.Due, END - 1 days);
    }

    /// @dev The first business day of February is the third.
    function test_start_is_not_due_before_the_execution_day() external {
        vm.warp(END);
        rebalancer.determine();
        _workable(Action.None, Reason.NotYet, FEBRUARY + 2 days);
        vm.warp(FEBRUARY + 2 days - 1);
        _workable(Action.None, Reason.NotYet, FEBRUARY + 2 days);
        vm.warp(FEBRUARY + 2 days);
        _workable(Action.Start, Reason.Due, NEXT_END - 1 days);
    }

    function test_start_leaves_the_time_to_trade() external {
        rebalancer.determine();
        vm.warp(END - 1 days);
        _workable(Action.Start, Reason.Due, END - 1 days);
        vm.warp(END - 1 days + 1);
        _workable(Action.None, Reason.TooLate, END);
        vm.warp(END - 1);
        _workable(Action.None, Reason.TooLate, END);
        vm.warp(END);
        _workable(Action.Determine, Reason.Due, NEXT_END);
    }

    function test_trade_is_due_until_the_periods_end_then_close() external {
        _open(_anyPlan());
        _workable(Action.Trade, Reason.Due, END);
        vm.warp(END - 1);
        _workable(Action.Trade, Reason.Due, END);
        vm.warp(END);
        _workable(Action.Close, Reason.Due, END);
        vm.warp(NEXT_END);
        _workable(Action.Close, Reason.Due, END);
    }

    function test_nothing_is_due_once_the_period_is_done() external {
        _open(_anyPlan());
        rebalancer.endMonth();
        _workable(Action.None, Reason.Done, END);
        vm.warp(END - 1);
        _workable(Action.None, Reason.Done, END);
        vm.warp(END);
        _workable(Action.Determine, Reason.Due, NEXT_END);
    }

    function test_nothing_is_due_in_a_vetoed_period() external {
        _determine();
        rebalancer.veto();
        _workable(Action.None, Reason.Vetoed, END);
        vm.warp(END);
        _workable(Action.Determine, Reason.Due, NEXT_END);
    }

    function test_determine_is_due_again_for_another_methodology() external {
        _determine();
        rebalancer.setMethodology(spare);
        _phase(Phase.Voided);
        _workable(Action.Determine, Reason.Due, END);
        rebalancer.determine();
        _workable(Action.None, Reason.NotYet, START + 1 days);
    }

    function test_nothing_is_due_while_paused() external {
        vm.prank(GUARDIAN);
        rebalancer.pauseFor(2 days);
        _workable(Action.None, Reason.Paused, JANUARY + 2 days);
        vm.warp(JANUARY + 2 days - 1);
        _workable(Action.None, Reason.Paused, JANUARY + 2 days);
        vm.warp(JANUARY + 2 days);
        _workable(Action.Determine, Reason.Due, END);
    }

    function test_nothing_is_due_while_the_methodology_refuses_to_determine() external {
        vm.mockCallRevert(address(methodology), abi.encodeWithSelector(IMethodology.determine.selector), "no");
        _workable(Action.None, Reason.Refused, END);
        vm.expectRevert("no");
        rebalancer.determine();
        vm.clearMockedCalls();
        _workable(Action.Determine, Reason.Due, END);
    }

    function test_nothing_is_due_while_the_methodology_refuses_to_start() external {
        _determine();
        vm.mockCallRevert(address(methodology), abi.encodeWithSelector(IMethodology.confirm.selector), "no");
        _workable(Action.None, Reason.Refused, END - 1 days);
        vm.expectRevert("no");
        rebalancer.start();
        vm.clearMockedCalls();
        _workable(Action.Start, Reason.Due, END - 1 days);
    }

    /// @dev What is not due is not tried, so that it cannot be refused.
    function test_what_refuses_later_does_not_count_now() external {
        rebalancer.determine();
        vm.mockCallRevert(address(methodology), "", "no");
        _workable(Action.None, Reason.NotYet, START);
    }

    /* THE PERIOD */

    function test_the_current_period_is_the_calendars() external {
        equal(rebalancer.currentPeriod(), ID, "January");
        vm.warp(END - 1);
        equal(rebalancer.currentPeriod(), ID, "January's last second");
        vm.warp(END);
        equal(rebalancer.currentPeriod(), ID + 1, "February");
    }

    /// @dev A step within a period does not depend on the calendar's answer, nor pay for it.
    function test_the_calendar_is_not_asked_again_within_a_period() external {
        vm.mockCallRevert(calendar, "", "no");
        equal(rebalancer.currentPeriod(), ID, "period");
        _determine();
        rebalancer.start();
        vm.warp(END);
        vm.expectRevert("no");
        rebalancer.currentPeriod();
    }

    function test_determine_keeps_the_new_period() external {
        vm.warp(END);
        rebalancer.determine();
        vm.mockCallRevert(calendar, "", "no");
        equal(rebalancer.currentPeriod(), ID + 1, "period");
    }

    /* WHAT IS NOT DUE */

    function test_determine_is_refused_unless_it_is_due() external {
        rebalancer.determine();
        _notDue(Action.Determine, Reason.NotYet);
        rebalancer.determine();
        vm.warp(START);
        _notDue(Action.Determine, Reason.Due);
        rebalancer.determine();
    }

    function test_start_is_refused_unless_it_is_due() external {
        _notDue(Action.Start, Reason.Due);
        rebalancer.start();
        rebalancer.determine();
        _notDue(Action.Start, Reason.NotYet);
        rebalancer.start();
        vm.warp(END - 1);
        _notDue(Action.Start, Reason.TooLate);
        rebalancer.start();
    }

    function test_close_is_refused_unless_it_is_due() external {
        _notDue(Action.Close, Reason.Due);
        rebalancer.close();
        _open(_anyPlan());
        vm.warp(END - 1);
        _notDue(Action.Close, Reason.Due);
        rebalancer.close();
    }

    function _notDue(Action action, Reason reason) private {
        _refused(IRebalancer.NotDue.selector, uint256(action), uint256(reason));
    }
}
