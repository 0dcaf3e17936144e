// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IRebalancer} from "../../../contracts/interfaces/IRebalancer.sol";
import {vm} from "../../../lab/fuzz/Vm.sol";
import {FundTest} from "./FundTest.sol";

contract PauseTest is FundTest {
    function test_the_bounds_of_the_brakes() external view {
        equal(rebalancer.MAX_PAUSE(), 3 days, "MAX_PAUSE");
        equal(rebalancer.SUSPENSION(), 7 days, "SUSPENSION");
        equal(rebalancer.WINDOW(), 30 days, "WINDOW");
    }

    function test_the_guardian_pauses_for_up_to_three_days() external {
        _left(0, 3 days);
        _refusedFor(3 days + 1, 3 days);
        _refusedFor(0, 3 days);
        _emitted();
        emit IRebalancer.PausedUntil(JANUARY + 3 days);
        _pause(3 days);
        _left(JANUARY + 3 days, 0);
        equal(index.locked(), false, "locked");
    }

    function test_the_guardian_alone_pauses() external {
        _refused(IRebalancer.NotGuardian.selector, address(this));
        rebalancer.pauseFor(1);
        _refused(IRebalancer.NotGuardian.selector, STRANGER);
        vm.prank(STRANGER);
        rebalancer.pauseFor(1);
    }

    function test_a_pause_may_be_a_second() external {
        _pause(1);
        _left(JANUARY + 1, 3 days - 1);
    }

    function test_a_pause_follows_another_once_that_is_over() external {
        _pause(1 days);
        vm.warp(JANUARY + 1 days - 1);
        _refused(IRebalancer.PausedBefore.selector, JANUARY + 1 days);
        _pause(1);
        vm.warp(JANUARY + 1 days);
        _refusedFor(2 days + 1, 2 days);
        _pause(2 days);
        _left(JANUARY + 3 days, 0);
        vm.warp(JANUARY + 3 days);
        _refusedFor(1, 0);
    }

    /// @dev Of the last pause: it begins the window anew.
    function test_pauses_are_forgotten_thirty_days_after_the_last_began() external {
        _pause(1 days);
        vm.warp(JANUARY + 10 days);
        _pause(1 days);
        _left(JANUARY + 11 days, 1 days);
        vm.warp(JANUARY + 40 days - 1);
        _left(JANUARY + 11 days, 1 days);
        _refusedFor(1 days + 1, 1 days);
        vm.warp(JANUARY + 40 days);
        _left(JANUARY + 11 days, 3 days);
        _pause(3 days);
        _left(JANUARY + 43 days, 0);
    }

    /* THE BUCKET */

    function test_a_pause_keeps_the_idle_time() external {
        _open(_anyPlan());
        vm.warp(START + 600);
        _pause(1 hours);
        equal(rebalancer.progress().tat, (START + 1 hours) * SCALE, "tat");
    }

    function test_a_pause_keeps_no_more_than_the_most_idle_time() external {
        _open(_anyPlan());
        vm.warp(START + 1 days);
        _pause(1 hours);
        equal(rebalancer.progress().tat, (START + 1 days + 1 hours - 1800) * SCALE, "tat");
    }

    function test_the_end_of_a_pause_takes_back_what_was_left_of_it() external {
        _open(_anyPlan());
        vm.warp(START + 600);
        _pause(1 hours);
        vm.warp(START + 700);
        rebalancer.unpause();
        equal(rebalancer.progress().tat, (START + 100) * SCALE, "tat");
    }

    /* UNPAUSE */

    function test_guardian_and_owner_end_a_pause() external {
        _pause(1 days);
        vm.warp(JANUARY + 6 hours);
        _emitted();
        emit IRebalancer.PausedUntil(JANUARY + 6 hours);
        rebalancer.unpause();
        _left(JANUARY + 6 hours, 3 days - 6 hours);
        _pause(1 days);
        vm.warp(JANUARY + 8 hours);
        _emitted();
        emit IRebalancer.PausedUntil(JANUARY + 8 hours);
        vm.prank(GUARDIAN);
        rebalancer.unpause();
        _left(JANUARY + 8 hours, 3 days - 8 hours);
        equal(index.locked(), false, "locked");
    }

    function test_a_stranger_ends_no_pause() external {
        _pause(1 days);
        _refused(IRebalancer.NotGuardian.selector, STRANGER);
        vm.prank(STRANGER);
        rebalancer.unpause();
    }

    function test_a_pause_that_is_over_is_not_ended() external {
        _refused(IRebalancer.NotPaused.selector);
        rebalancer.unpause();
        _pause(1 days);
        vm.warp(JANUARY + 1 days);
        _refused(IRebalancer.NotPaused.selector);
        rebalancer.unpause();
        vm.warp(JANUARY + 1 days - 1);
        rebalancer.unpause();
        _refused(IRebalancer.NotPaused.selector);
        rebalancer.unpause();
    }

    /* HELPERS */

    function _pause(uint256 duration) private {
        vm.prank(GUARDIAN);
        rebalancer.pauseFor(duration);
    }

    function _refusedFor(uint256 duration, uint256 most) private {
        _refused(IRebalancer.PauseOutOfBounds.selector, duration, most);
        _pause(duration);
    }

    function _left(uint256 until, uint256 left) private view {
        (uint40 found, uint256 seconds_) = rebalancer.pause();
        equal(found, until, "until");
        equal(seconds_, left, "left");
    }
}
