// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IIndexToken} from "../../../contracts/interfaces/IIndexToken.sol";
import {IRebalancer} from "../../../contracts/interfaces/IRebalancer.sol";
import {Component} from "../../../contracts/libraries/ComponentList.sol";
import {vm} from "../../../lab/fuzz/Vm.sol";
import {FundTest} from "./FundTest.sol";

interface IOwnable {
    error OwnableUnauthorizedAccount(address account);
}

/// @notice Suspensions, their ends, and what is written off, while no month is open.
contract SuspensionTest is FundTest {
    uint256 private constant UNTIL_ENDED = type(uint40).max;

    /* GUARDIAN */

    function test_the_guardians_suspension_lasts_seven_days() external {
        vm.expectEmit(true, true, true, true, address(index));
        emit IIndexToken.StateSet(_token(1), uint40(JANUARY + 7 days), false);
        _suspend(1);
        _state(0, 0, false);
        _state(1, JANUARY + 7 days, false);
        equal(index.locked(), false, "locked");
    }

    function test_the_guardian_suspends_a_token_once_in_thirty_days() external {
        _suspend(1);
        vm.warp(JANUARY + 7 days - 1);
        _refused(IRebalancer.AlreadySuspended.selector, _token(1), JANUARY + 7 days);
        _suspend(1);
        vm.warp(JANUARY + 7 days);
        _refused(IRebalancer.SuspendedBefore.selector, _token(1), JANUARY + 30 days);
        _suspend(1);
        vm.warp(JANUARY + 30 days - 1);
        _refused(IRebalancer.SuspendedBefore.selector, _token(1), JANUARY + 30 days);
        _suspend(1);
        vm.warp(JANUARY + 30 days);
        _suspend(1);
        _state(1, JANUARY + 37 days, false);
    }

    function test_each_token_has_a_count_of_its_own() external {
        _suspend(1);
        _suspend(3);
        _state(1, JANUARY + 7 days, false);
        _state(3, JANUARY + 7 days, false);
    }

    /* OWNER */

    function test_the_owners_suspension_lasts_until_it_is_ended() external {
        rebalancer.suspend(_token(0));
        _state(0, UNTIL_ENDED, false);
        _refused(IRebalancer.AlreadySuspended.selector, _token(0), UNTIL_ENDED);
        rebalancer.suspend(_token(0));
        _refused(IRebalancer.AlreadySuspended.selector, _token(0), UNTIL_ENDED);
        _suspend(0);
    }

    function test_the_owners_takes_over_the_guardians() external {
        _suspend(1);
        rebalancer.suspend(_token(1));
        _state(1, UNTIL_ENDED, false);
    }

    function test_the_owners_does_not_count_for_the_guardian() external {
        rebalancer.suspend(_token(1));
        rebalancer.resume(_token(1));
        _suspend(1);
        _state(1, JANUARY + 7 days, false);
    }

    function test_the_owner_ends_a_suspension() external {
        _suspend(1);
        vm.warp(JANUARY + 7 days);
        _refused(IRebalancer.NotSuspended.selector, _token(1));
        rebalancer.resume(_token(1));
        vm.warp(JANUARY + 7 days - 1);
        vm.expectEmit(true, true, true, true, address(index));
        emit IIndexToken.StateSet(_token(1), 0, false);
        rebalancer.resume(_token(1));
        _state(1, 0, false);
        equal(index.locked(), false, "locked");
        _refused(IRebalancer.NotSuspended.selector, _token(1));
        rebalancer.resume(_token(1));
    }

    function test_the_owner_writes_off_what_is_suspended() external {
        _refused(IRebalancer.NotSuspended.selector, _token(1));
        rebalancer.writeOff(_token(1));
        _suspend(1);
        vm.warp(JANUARY + 7 days);
        _refused(IRebalancer.NotSuspended.selector, _token(1));
        rebalancer.writeOff(_token(1));
        vm.warp(JANUARY + 7 days - 1);
        vm.expectEmit(true, true, true, true, address(index));
        emit IIndexToken.StateSet(_token(1), 0, true);
        rebalancer.writeOff(_token(1));
        _state(1, 0, true);
        equal(index.locked(), false, "locked");
    }

    function test_what_is_written_off_has_no_other_state() external {
        rebalancer.suspend(_token(1));
        rebalancer.writeOff(_token(1));
        _refused(IIndexToken.WrittenOff.selector, _token(1));
        rebalancer.suspend(_token(1));
        _refused(IIndexToken.WrittenOff.selector, _token(1));
        rebalancer.resume(_token(1));
        _refused(IIndexToken.WrittenOff.selector, _token(1));
        rebalancer.writeOff(_token(1));
    }

    /* WHO, AND WHAT */

    function test_a_stranger_suspends_nothing() external {
        _refused(IRebalancer.NotGuardian.selector, STRANGER);
        vm.prank(STRANGER);
        rebalancer.suspend(_token(1));
    }

    function test_the_owner_alone_resumes_and_writes_off() external {
        _suspend(1);
        _refused(IOwnable.OwnableUnauthorizedAccount.selector, GUARDIAN);
        vm.prank(GUARDIAN);
        rebalancer.resume(_token(1));
        _refused(IOwnable.OwnableUnauthorizedAccount.selector, GUARDIAN);
        vm.prank(GUARDIAN);
        rebalancer.writeOff(_token(1));
    }

    function test_what_is_no_component_has_no_state() external {
        address token = address(tokens[NEWCOMER]);
        _refused(IIndexToken.NotComponent.selector, token);
        rebalancer.suspend(token);
        _refused(IIndexToken.NotComponent.selector, token);
        rebalancer.resume(token);
        _refused(IIndexToken.NotComponent.selector, token);
        rebalancer.writeOff(token);
    }

    /* HELPERS */

    /// @dev The guardian suspends the component at this place of the list.
    function _suspend(uint256 i) private {
        address token = _token(i);
        vm.prank(GUARDIAN);
        rebalancer.suspend(token);
    }

    function _token(uint256 i) private view returns (address) {
        return address(tokens[i < NEWCOMER ? i : i + 1]);
    }

    function _state(uint256 i, uint256 until, bool writtenOff) private view {
        Component memory c = index.components()[i];
        equal(c.token, _token(i), "token");
        equal(c.suspendedUntil, until, "suspendedUntil");
        equal(c.writtenOff, writtenOff, "writtenOff");
    }
}
