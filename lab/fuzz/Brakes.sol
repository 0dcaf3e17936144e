// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Opening, Phase, Progress} from "../../contracts/interfaces/IRebalancer.sol";
import {Component} from "../../contracts/libraries/ComponentList.sol";
import {Draw, Drawing} from "./Draw.sol";
import {Months} from "./Months.sol";
import {vm} from "./Vm.sol";
import {Lie} from "./parts/FuzzToken.sol";

/// @title Brakes
/// @notice Tokens that stop, lie, lose everything and recover; and what guardian and owner do about it: suspend,
/// resume, write off, veto, end, pause.
abstract contract Brakes is Months {
    using Drawing for Draw;

    uint256 private constant WINDOW = 30 days;

    /// @dev One pause of the guardian's, as it came to be.
    struct Pause {
        uint256 from;
        uint256 to;
    }

    Pause[] private _pauses;
    /// @dev When the guardian last suspended each, and the last period that the guardian vetoed or ended.
    uint256[N] private _suspendedAt;
    uint256 private _stopped;

    /* TOKENS */

    /// @notice A component refuses transfers, until the next call.
    function stick(uint256 seed) external {
        Draw memory d = Drawing.from(seed);
        for (uint256 i; i < N; ++i) {
            if (stuck[i]) return _stick(i, false);
        }
        if (d.below(8) != 0) return _discard();
        _stick(d.below(N), true);
    }

    function _stick(uint256 i, bool to) internal {
        tokens[i].setStuck(to);
        stuck[i] = to;
    }

    /// @notice A token begins to lie about what the fund holds, or tells the truth again.
    function tellLies(uint256 seed) external {
        Draw memory d = Drawing.from(seed);
        for (uint256 i; i < N; ++i) {
            if (!_lying(i)) continue;
            if (d.below(2) == 0) return _discard();
            return _lie(i, Lie.None);
        }
        if (d.below(6) != 0) return _discard();
        _lie(_oneOf(d), Lie(d.between(1, uint256(type(Lie).max))));
    }

    function _lie(uint256 i, Lie to) internal {
        tokens[i].setLie(address(index), to);
        lie[i] = to;
    }

    /// @notice What the fund held of a written-off token is gone: it is as any token that the fund has none of.
    function vanish(uint256 seed) external {
        Draw memory d = Drawing.from(seed);
        for (uint256 i; i < N; ++i) {
            if (!_ruined(i)) continue;
            if (d.below(4) != 0) return _discard();
            tokens[i].setBalance(address(index), 0);
            leftOut[i] = false;
            return;
        }
        _discard();
    }

    /* STATES */

    /// @notice Guardian or owner suspends a component, mostly one that misbehaves, if any; in an open month it goes out
    /// of it.
    function suspend(uint256 seed) external {
        Draw memory d = Drawing.from(seed);
        if (d.below(6) != 0) return _discard();
        uint256 i = d.below(N);
        bool bad = d.below(2) == 0;
        for (uint256 j; j < N && bad; ++j) {
            if (_lying(j) || stuck[j]) i = j;
        }
        // Something has to be left to trade.
        if (!_inactive(i) && _aside() >= 2) return _discard();
        _suspend(i, d.below(2) == 0);
    }

    function _suspend(uint256 i, bool byOwner) internal {
        bool may = _listed(i) && !writtenOff[i];
        if (byOwner) may = may && suspendedUntil[i] != ALWAYS;
        else may = may && time >= suspendedUntil[i] && (_suspendedAt[i] == 0 || time >= _suspendedAt[i] + WINDOW);
        (Opening memory o, Progress memory p) = (rebalancer.opening(), rebalancer.progress());
        Seen memory a = _look();
        if (!byOwner) vm.prank(GUARDIAN);
        try rebalancer.suspend{gas: GAS}(address(tokens[i])) {
            _hold(may, "suspensions: bounds");
        } catch (bytes memory reason) {
            _hold(!may, "a bad token can be suspended");
            return _refused(reason);
        }
        suspendedUntil[i] = byOwner ? ALWAYS : time + 7 days;
        if (!byOwner) _suspendedAt[i] = time;
        _stateKept(i, a);
        if (trading) _takenOut(i, o, p);
    }

    /// @notice The owner ends a suspension.
    function resume(uint256 seed) external {
        Draw memory d = Drawing.from(seed);
        uint256 i = _any(d);
        if (_suspended(i) ? d.below(2) != 0 : d.below(32) != 0) return _discard();
        _resume(i);
    }

    /// @dev One that is suspended, if any is.
    function _any(Draw memory d) private view returns (uint256 i) {
        i = d.below(N);
        for (uint256 k; k < N && !_suspended(i); ++k) {
            i = (i + 1) % N;
        }
    }

    function _resume(uint256 i) internal {
        Seen memory a = _look();
        bool may = _suspended(i);
        try rebalancer.resume(address(tokens[i])) {
            _hold(may, "only what is suspended is resumed or written off");
        } catch (bytes memory reason) {
            _hold(!may, "what is suspended can be resumed");
            return _refused(reason);
        }
        suspendedUntil[i] = 0;
        _stateKept(i, a);
    }

    /// @notice The owner writes a component off.
    function writeOff(uint256 seed) external {
        Draw memory d = Drawing.from(seed);
        uint256 i = _any(d);
        if (_suspended(i) ? d.below(8) != 0 || _ruined() >= 2 : d.below(32) != 0) return _discard();
        _writeOff(i);
    }

    function _writeOff(uint256 i) internal {
        Seen memory a = _look();
        bool may = _suspended(i);
        try rebalancer.writeOff(address(tokens[i])) {
            _hold(may, "only what is suspended is resumed or written off");
        } catch (bytes memory reason) {
            _hold(!may, "what is suspended can be written off");
            return _refused(reason);
        }
        (suspendedUntil[i], writtenOff[i], everWrittenOff[i]) = (0, true, true);
        _stateKept(i, a);
    }

    /// @dev How many tokens the fund holds and cannot list.
    function _ruined() private view returns (uint256 n) {
        for (uint256 i; i < N; ++i) {
            if (_ruined(i)) ++n;
        }
    }

    /// @dev Written off, and the fund holds some of it.
    function _ruined(uint256 i) private view returns (bool) {
        return everWrittenOff[i] && (writtenOff[i] || !_listed(i)) && _held(i) != 0;
    }

    /// @dev The list says what was decided, and nothing has moved.
    function _stateKept(uint256 i, Seen memory a) private view {
        Component memory entry = index.components()[position[i]];
        bool says = entry.token == address(tokens[i]) && entry.writtenOff == writtenOff[i];
        _hold(says && entry.suspendedUntil == suspendedUntil[i], "a state counts at once");
        Seen memory b = _look();
        _supplyKept(a, b);
        _unitsKept(a, b, 0);
    }

    /* VETO AND END */

    /// @notice A veto, one time in six.
    function veto(uint256 seed) external {
        Draw memory d = Drawing.from(seed);
        if (trading || d.below(6) != 0) return _discard();
        for (uint256 k; k < 3 && rebalancer.month().phase != Phase.Determined; ++k) {
            if (!_act() && !_goOn()) return _discard();
        }
        if (rebalancer.month().phase != Phase.Determined) return _discard();
        bool possible = rebalancer.month().period == rebalancer.currentPeriod();
        _stop(d.below(3) == 0, abi.encodeCall(rebalancer.veto, ()), possible);
        _hold(!trading && rebalancer.month().phase == Phase.Vetoed, "no veto while trading");
    }

    /// @notice Guardian or owner ends the month, also while paused and when its period is over; one time in 24.
    function endMonth(uint256 seed) external {
        Draw memory d = Drawing.from(seed);
        if (d.below(24) != 0) return _discard();
        _stop(d.below(3) == 0, abi.encodeCall(rebalancer.endMonth, ()), trading);
        trading = false;
        _hold(rebalancer.month().phase == Phase.Idle, "a month can always be ended");
    }

    /// @dev Owner or guardian stops the month; the guardian in no two periods running.
    function _stop(bool byOwner, bytes memory call, bool possible) private {
        uint256 period = rebalancer.month().period;
        bool may = byOwner || _stopped + 1 < period;
        Seen memory a = _look();
        if (!byOwner) vm.prank(GUARDIAN);
        (bool made, bytes memory reason) = address(rebalancer).call{gas: GAS}(call);
        if (!made) {
            _hold(!(may && possible), "a month can always be ended");
            return _refused(reason);
        }
        _hold(may && possible, "the guardian stops no two periods running");
        if (!byOwner) _stopped = period;
        Seen memory b = _look();
        _supplyKept(a, b);
        _unitsKept(a, b, 0);
    }

    /* PAUSE */

    function pause(uint256 seed) external {
        Draw memory d = Drawing.from(seed);
        uint256 kind = d.below(8);
        (, uint256 most) = rebalancer.pause();
        uint256 duration = kind == 0 ? d.between(1, 4 days) : kind == 1 && most != 0 ? most : d.between(1, 2 hours);
        bool may = duration <= most && pausedUntil <= time;
        vm.prank(GUARDIAN);
        try rebalancer.pauseFor(duration) {
            _hold(may, "pause: bounds");
        } catch (bytes memory reason) {
            _hold(!may, "a pause is possible");
            return _refused(reason);
        }
        pausedUntil = time + duration;
        _pauses.push(Pause(time, pausedUntil));
        _bounded();
    }

    /// @dev In no 30 days do pauses add up to more than three days. The most is in a window that ends with the last
    /// one, or begins with one of them.
    function _bounded() private view {
        uint256 last = _pauses.length;
        _hold(_paused(pausedUntil - WINDOW, last) <= 3 days, "pause: bounds");
        for (uint256 k = last; k > 0 && _pauses[k - 1].from + WINDOW > time; --k) {
            _hold(_paused(_pauses[k - 1].from, last) <= 3 days, "pause: bounds");
        }
    }

    /// @dev Seconds of the first `n` pauses in the window that begins then.
    function _paused(uint256 from, uint256 n) private view returns (uint256 seconds_) {
        for (; n > 0 && _pauses[n - 1].to > from; --n) {
            Pause memory p = _pauses[n - 1];
            uint256 begin = p.from > from ? p.from : from;
            uint256 until = _min(p.to, from + WINDOW);
            if (until > begin) seconds_ += until - begin;
        }
    }

    function unpause(uint256 seed) external {
        if (pausedUntil <= time) return _discard();
        if (seed % 2 == 0) vm.prank(GUARDIAN);
        try rebalancer.unpause() {
            pausedUntil = time;
            _pauses[_pauses.length - 1].to = time;
        } catch {
            _hold(false, "a pause can be ended");
        }
    }
}
