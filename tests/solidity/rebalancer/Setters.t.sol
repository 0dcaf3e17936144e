// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IMethodology} from "../../../contracts/interfaces/IMethodology.sol";
import {IRebalancer, Limits, Phase, Timetable} from "../../../contracts/interfaces/IRebalancer.sol";
import {ExecutionDay} from "../../../contracts/libraries/Schedule.sol";
import {vm} from "../../../lab/fuzz/Vm.sol";
import {FundTest} from "./FundTest.sol";
import {IOwnable} from "./Suspension.t.sol";

contract SettersTest is FundTest {
    /* GUARDIAN */

    function test_the_owner_sets_the_guardian_at_any_time() external {
        _open(_anyPlan());
        _emitted();
        emit IRebalancer.GuardianSet(STRANGER);
        rebalancer.setGuardian(STRANGER);
        equal(rebalancer.guardian(), STRANGER, "guardian");
        equal(index.locked(), false, "locked");
        _refused(IRebalancer.NotGuardian.selector, GUARDIAN);
        vm.prank(GUARDIAN);
        rebalancer.pauseFor(1);
        vm.prank(STRANGER);
        rebalancer.pauseFor(1);
    }

    /* LIMITS */

    function test_the_owner_sets_every_limit() external {
        Limits memory limits = _otherLimits();
        _emitted();
        emit IRebalancer.LimitsSet(limits, 0.03e18);
        rebalancer.setLimits(limits, 0.03e18);
        equal(abi.encode(rebalancer.limits()), abi.encode(limits), "limits");
        equal(rebalancer.band(), 0.03e18, "band");
        equal(index.locked(), false, "locked");
    }

    function test_limits_keep_the_pause() external {
        vm.prank(GUARDIAN);
        rebalancer.pauseFor(1 days);
        rebalancer.setLimits(_otherLimits(), 0);
        (uint40 until, uint256 left) = rebalancer.pause();
        equal(until, JANUARY + 1 days, "until");
        equal(left, 2 days, "left");
    }

    function test_limits_are_held_against_the_bounds() external {
        Limits memory limits = _otherLimits();
        _outOfBounds("band");
        rebalancer.setLimits(limits, 0.1e18 + 1);
        limits.dust = 0;
        _outOfBounds("dust");
        rebalancer.setLimits(limits, 0);
    }

    /// @dev The timetable that is ahead has periods of ten days, a third of a month.
    function test_limits_are_held_against_both_timetables() external {
        rebalancer.setTimetable(_tenDays(0));
        Limits memory limits = _otherLimits();
        limits.maxStep = uint64(1e18 * 10) / 30 + 1;
        _outOfBounds("maxStep");
        rebalancer.setLimits(limits, 0);
        --limits.maxStep;
        rebalancer.setLimits(limits, 0);
    }

    /* TIMETABLE */

    function test_another_timetable_begins_at_the_periods_end() external {
        Timetable memory was = rebalancer.timetable();
        Timetable memory next = _tenDays(0);
        (next.begins, next.first) = (uint40(END), uint24(ID + 1));
        _emitted();
        emit IRebalancer.TimetableSet(next);
        rebalancer.setTimetable(_tenDays(0));
        equal(abi.encode(rebalancer.timetable()), abi.encode(next), "timetable");
        equal(abi.encode(rebalancer.formerTimetable()), abi.encode(was), "former");
        equal(index.locked(), false, "locked");
        vm.warp(END - 1);
        equal(rebalancer.currentPeriod(), ID, "January");
        vm.warp(END);
        equal(rebalancer.currentPeriod(), ID + 1, "the first of ten days");
        vm.warp(END + 10 days);
        equal(rebalancer.currentPeriod(), ID + 2, "the second");
    }

    /// @dev The period under way is known to end later, and earlier again.
    function test_a_change_puts_off_the_end_of_the_period() external {
        rebalancer.setTimetable(_tenDays(END + 5 days));
        _endsAt(END + 5 days);
        rebalancer.setTimetable(_tenDays(END + 2 days));
        _endsAt(END + 2 days);
        vm.warp(END + 2 days - 1);
        equal(rebalancer.currentPeriod(), ID, "still January's");
        vm.warp(END + 2 days);
        equal(rebalancer.currentPeriod(), ID + 1, "the next");
    }

    function test_a_timetable_is_held_against_the_limits() external {
        Limits memory limits = _otherLimits();
        limits.lossBudget = 0.02e18;
        rebalancer.setLimits(limits, 0);
        _outOfBounds("lossBudget");
        rebalancer.setTimetable(_tenDays(0));
    }

    /* METHODOLOGY */

    function test_the_owner_sets_the_methodology() external {
        _emitted();
        emit IRebalancer.MethodologySet(spare);
        rebalancer.setMethodology(spare);
        equal(address(rebalancer.methodology()), address(spare), "methodology");
        equal(index.locked(), false, "locked");
        _phase(Phase.Idle);
    }

    function test_a_methodology_is_a_contract() external {
        _refused(IRebalancer.NotContract.selector, STRANGER);
        rebalancer.setMethodology(IMethodology(STRANGER));
    }

    function test_a_determination_is_void_under_another_methodology() external {
        rebalancer.determine();
        rebalancer.setMethodology(spare);
        _phase(Phase.Voided);
        rebalancer.setMethodology(methodology);
        _phase(Phase.Voided);
    }

    function test_a_veto_outlasts_the_methodology() external {
        rebalancer.determine();
        rebalancer.veto();
        rebalancer.setMethodology(spare);
        _phase(Phase.Vetoed);
    }

    function test_the_same_basis_is_handed_on() external {
        rebalancer.determine();
        address determination = rebalancer.month().determination;
        rebalancer.setMethodology(spare);
        equal(rebalancer.month().determination, determination, "determination");
    }

    function test_another_basis_is_not_handed_on() external {
        rebalancer.determine();
        vm.mockCall(address(spare), abi.encodeCall(IMethodology.BASIS, ()), abi.encode(bytes32("supply")));
        rebalancer.setMethodology(spare);
        equal(rebalancer.month().determination, address(0), "determination");
    }

    /// @dev Neither where the new one says nothing, nor where both do.
    function test_no_basis_is_not_handed_on() external {
        rebalancer.determine();
        uint256 before = vm.snapshotState();
        vm.mockCallRevert(address(spare), abi.encodeCall(IMethodology.BASIS, ()), "");
        rebalancer.setMethodology(spare);
        equal(rebalancer.month().determination, address(0), "the new one says nothing");
        vm.revertToState(before);
        vm.mockCallRevert(address(spare), abi.encodeCall(IMethodology.BASIS, ()), "");
        vm.mockCallRevert(address(methodology), abi.encodeCall(IMethodology.BASIS, ()), "");
        rebalancer.setMethodology(spare);
        equal(rebalancer.month().determination, address(0), "both say nothing");
    }

    /* WHO, AND WHEN */

    function test_the_owner_alone_sets() external {
        Limits memory limits = _otherLimits();
        Timetable memory timetable = _tenDays(0);
        vm.startPrank(GUARDIAN);
        _refused(IOwnable.OwnableUnauthorizedAccount.selector, GUARDIAN);
        rebalancer.setGuardian(GUARDIAN);
        _refused(IOwnable.OwnableUnauthorizedAccount.selector, GUARDIAN);
        rebalancer.setLimits(limits, 0);
        _refused(IOwnable.OwnableUnauthorizedAccount.selector, GUARDIAN);
        rebalancer.setTimetable(timetable);
        _refused(IOwnable.OwnableUnauthorizedAccount.selector, GUARDIAN);
        rebalancer.setMethodology(spare);
        vm.stopPrank();
    }

    function test_nothing_but_the_guardian_is_set_while_trading() external {
        _open(_anyPlan());
        _refused(IRebalancer.TradingOpen.selector);
        rebalancer.setLimits(_otherLimits(), 0);
        _refused(IRebalancer.TradingOpen.selector);
        rebalancer.setTimetable(_tenDays(0));
        _refused(IRebalancer.TradingOpen.selector);
        rebalancer.setMethodology(spare);
    }

    /* HELPERS */

    function _outOfBounds(bytes32 field) private {
        vm.expectRevert(abi.encodeWithSelector(IRebalancer.LimitOutOfBounds.selector, field));
    }

    /// @dev When the period under way ends: determine is due until then.
    function _endsAt(uint256 time) private view {
        (,, uint256 next) = rebalancer.workable();
        equal(next, time, "end");
    }

    function _otherLimits() private pure returns (Limits memory) {
        return Limits({
            firstTolerance: -0.02e18,
            lastTolerance: 0.05e18,
            batchCap: 0.06e18,
            lossBudget: 0.003e18,
            maxStep: 0.3e18,
            dust: 2e14,
            coolOff: 700,
            maxIdle: 1900
        });
    }

    function _tenDays(uint256 begins) private pure returns (Timetable memory) {
        return Timetable({
            length: 10 days,
            day: ExecutionDay.FirstBusinessDay,
            fixedDay: 0,
            notice: 2 days,
            minNotice: 1 days,
            minTrading: 3 days,
            begins: uint40(begins),
            first: 0
        });
    }
}
