// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";

import {IIndexToken} from "../interfaces/IIndexToken.sol";
import {Remainder} from "../interfaces/IOpener.sol";
import {Phase} from "../interfaces/IRebalancer.sol";
import {Bucket} from "../libraries/Bucket.sol";
import {Component} from "../libraries/ComponentList.sol";
import {Targets} from "../libraries/Targets.sol";
import {RebalancerState} from "./RebalancerState.sol";

/// @title RebalancerBrakes
/// @notice What guardian and owner can stop. See `IRebalancer`.
abstract contract RebalancerBrakes is RebalancerState {
    uint40 private constant UNTIL_ENDED = type(uint40).max;

    /// @dev When the guardian last suspended a token.
    mapping(address token => uint256 time) private _suspendedAt;

    /* GUARDIAN */

    function veto() external onlyGuardianOrOwner locking {
        uint256 period = _month.period;
        require(_month.phase == Phase.Determined && period == currentPeriod(), NothingToVeto());
        _countStop(period);
        _month.phase = Phase.Vetoed;
        emit Vetoed(period, msg.sender);
    }

    function endMonth() external onlyGuardianOrOwner locking {
        uint256 period = _month.period;
        require(_month.phase == Phase.Trading, NothingToEnd());
        _countStop(period);
        emit MonthEnded(period, msg.sender);
        _close();
    }

    function pauseFor(uint256 duration) external locking {
        require(msg.sender == _guard.guardian, NotGuardian(msg.sender));
        uint256 pausedUntil = _bounded.pausedUntil;
        require(block.timestamp >= pausedUntil, PausedBefore(pausedUntil));
        uint256 used = _pauseUsed();
        require(duration != 0 && duration <= MAX_PAUSE - used, PauseOutOfBounds(duration, MAX_PAUSE - used));
        uint256 until = block.timestamp + duration;
        (_guard.pausedAt, _guard.pauseUsed) = (uint40(block.timestamp), uint24(used + duration));
        _bounded.pausedUntil = uint40(until);
        _moveTat(until);
        emit PausedUntil(until);
    }

    function unpause() external onlyGuardianOrOwner locking {
        uint256 until = _bounded.pausedUntil;
        require(block.timestamp < until, NotPaused());
        uint256 rest = until - block.timestamp;
        // Idle time is counted from the end of the pause (see `pauseFor`): bring that end to now.
        _progress.tat -= uint64(rest * Bucket.SCALE);
        _guard.pauseUsed -= uint24(rest);
        _bounded.pausedUntil = uint40(block.timestamp);
        emit PausedUntil(block.timestamp);
    }

    function suspend(address token) external onlyGuardianOrOwner locking {
        uint40 until = _suspendedUntil(token);
        if (msg.sender == owner()) {
            require(until != UNTIL_ENDED, AlreadySuspended(token, until));
            until = UNTIL_ENDED;
        } else {
            require(block.timestamp >= until, AlreadySuspended(token, until));
            uint256 last = _suspendedAt[token];
            require(last == 0 || block.timestamp >= last + WINDOW, SuspendedBefore(token, last + WINDOW));
            _suspendedAt[token] = block.timestamp;
            until = uint40(block.timestamp + SUSPENSION);
        }
        INDEX.setState(token, until, false);
        if (_month.phase == Phase.Trading) _takeOut(token);
    }

    /* OWNER */

    function resume(address token) external onlyOwner locking {
        require(block.timestamp < _suspendedUntil(token), NotSuspended(token));
        INDEX.setState(token, 0, false);
    }

    function writeOff(address token) external onlyOwner locking {
        // What is suspended is not traded in an open month, so that nothing of it has to be taken out here.
        require(block.timestamp < _suspendedUntil(token), NotSuspended(token));
        INDEX.setState(token, 0, true);
    }

    /* INTERNAL */

    /// @dev Counts a veto or an end against the guardian.
    function _countStop(uint256 period) private {
        if (msg.sender == owner()) return;
        require(uint256(_month.lastStop) + 1 < period, StoppedBefore(_month.lastStop));
        _month.lastStop = uint24(period);
    }

    /// @dev Takes a component out of the open month.
    function _takeOut(address token) private {
        Remainder memory left = OPENER.without(INDEX, _opening, _progress, token);
        if (left.targets.length == 0) return;
        address targets = Targets.write(left.targets);
        (_opening.targets, _opening.buyTargets) = (targets, left.buyTargets);
        (_progress.surplus, _progress.held) = (left.surplus, left.held);
        emit TakenOut(_month.period, token, targets);
        if (_done(left.surplus, left.held, left.buyTargets, _bounded.dust)) _close();
    }

    /// @dev Time before which a component that is not written off is suspended.
    function _suspendedUntil(address token) private view returns (uint40) {
        Component[] memory list = INDEX.components();
        for (uint256 i; i < list.length; ++i) {
            if (list[i].token != token) continue;
            require(!list[i].writtenOff, IIndexToken.WrittenOff(token));
            return list[i].suspendedUntil;
        }
        revert IIndexToken.NotComponent(token);
    }

    /// @dev Keeps the idle time of now for the moment `time`, to which the bucket stands still.
    function _moveTat(uint256 time) private {
        uint256 idle = Bucket.idleX24(_progress.tat, _bounded.maxIdle);
        _progress.tat = uint64(Math.max(time * Bucket.SCALE - idle, _progress.tat));
    }
}
