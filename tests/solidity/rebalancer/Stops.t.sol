// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IRebalancer, Phase} from "../../../contracts/interfaces/IRebalancer.sol";
import {vm} from "../../../lab/fuzz/Vm.sol";
import {FundTest} from "./FundTest.sol";

/// @notice Vetoes, and the ends of open months.
contract StopsTest is FundTest {
    /* VETO */

    function test_the_guardian_vetoes_what_is_determined() external {
        _determine();
        _emitted();
        emit IRebalancer.Vetoed(ID, GUARDIAN);
        vm.prank(GUARDIAN);
        rebalancer.veto();
        _phase(Phase.Vetoed);
        equal(rebalancer.month().lastStop, ID, "lastStop");
        equal(index.locked(), false, "locked");
    }

    function test_the_owners_veto_does_not_count() external {
        _determine();
        _emitted();
        emit IRebalancer.Vetoed(ID, address(this));
        rebalancer.veto();
        _phase(Phase.Vetoed);
        equal(rebalancer.month().lastStop, 0, "lastStop");
    }

    function test_there_is_nothing_to_veto_unless_determined_this_period() external {
        _refused(IRebalancer.NothingToVeto.selector);
        rebalancer.veto();
        rebalancer.determine();
        vm.warp(END);
        _refused(IRebalancer.NothingToVeto.selector);
        rebalancer.veto();
        vm.warp(END - 1);
        rebalancer.veto();
        _refused(IRebalancer.NothingToVeto.selector);
        rebalancer.veto();
    }

    function test_an_open_month_is_not_vetoed() external {
        _open(_anyPlan());
        _refused(IRebalancer.NothingToVeto.selector);
        rebalancer.veto();
    }

    /* END */

    function test_the_guardian_ends_an_open_month_as_it_stands() external {
        _open(_anyPlan());
        _emitted();
        emit IRebalancer.MonthEnded(ID, GUARDIAN);
        _emitted();
        emit IRebalancer.Closed(ID, 0.02e18, 0.02e18, 0);
        vm.prank(GUARDIAN);
        rebalancer.endMonth();
        _phase(Phase.Idle);
        equal(rebalancer.month().lastStop, ID, "lastStop");
        equal(index.locked(), false, "locked");
    }

    function test_the_owners_end_does_not_count() external {
        _open(_anyPlan());
        _emitted();
        emit IRebalancer.MonthEnded(ID, address(this));
        rebalancer.endMonth();
        _phase(Phase.Idle);
        equal(rebalancer.month().lastStop, 0, "lastStop");
    }

    function test_there_is_nothing_to_end_unless_trading() external {
        _refused(IRebalancer.NothingToEnd.selector);
        rebalancer.endMonth();
        _determine();
        _refused(IRebalancer.NothingToEnd.selector);
        rebalancer.endMonth();
    }

    /* WHO, AND HOW OFTEN */

    function test_a_stranger_stops_nothing() external {
        _determine();
        _refused(IRebalancer.NotGuardian.selector, STRANGER);
        vm.prank(STRANGER);
        rebalancer.veto();
        _planned(_anyPlan());
        rebalancer.start();
        _refused(IRebalancer.NotGuardian.selector, STRANGER);
        vm.prank(STRANGER);
        rebalancer.endMonth();
    }

    /// @dev The owner may in the period in which the guardian may not.
    function test_the_guardian_does_not_veto_two_periods_running() external {
        _determine();
        vm.prank(GUARDIAN);
        rebalancer.veto();
        vm.warp(END);
        rebalancer.determine();
        _refused(IRebalancer.StoppedBefore.selector, ID);
        vm.prank(GUARDIAN);
        rebalancer.veto();
        rebalancer.veto();
        equal(rebalancer.month().lastStop, ID, "lastStop");
        vm.warp(NEXT_END);
        rebalancer.determine();
        vm.prank(GUARDIAN);
        rebalancer.veto();
        equal(rebalancer.month().lastStop, ID + 2, "lastStop");
    }

    function test_the_guardian_does_not_end_a_month_after_a_veto() external {
        _determine();
        vm.prank(GUARDIAN);
        rebalancer.veto();
        vm.warp(END);
        rebalancer.determine();
        vm.warp(FEBRUARY + 2 days);
        _planned(_anyPlan());
        rebalancer.start();
        _refused(IRebalancer.StoppedBefore.selector, ID);
        vm.prank(GUARDIAN);
        rebalancer.endMonth();
        rebalancer.endMonth();
        equal(rebalancer.month().lastStop, ID, "lastStop");
    }
}
