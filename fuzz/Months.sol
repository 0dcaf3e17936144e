// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Action, Limits, Phase, Reason} from "../contracts/interfaces/IRebalancer.sol";
import {Draw, Drawing} from "./Draw.sol";
import {Ghost} from "./Ghost.sol";
import {vm} from "./Vm.sol";

/// @title Months
/// @notice What moves months, prices and pools: time, the four actions, guardian, owner, market.
abstract contract Months is Ghost {
    using Drawing for Draw;

    /* MONTH */

    /// @dev When the last determination was made.
    uint256 private _determined;

    /// @dev Makes the call that is due, which must succeed. False where none is.
    function _act() internal returns (bool) {
        (Action action,,) = rebalancer.workable();
        Seen memory a = _look();
        if (action == Action.Determine) {
            try rebalancer.determine() {}
            catch {
                _hold(false, "what is due succeeds");
            }
            _determined = time;
        } else if (action == Action.Start) {
            _hold(time >= _determined + 1 days, "notice before start");
            try rebalancer.start() {}
            catch {
                _hold(false, "what is due succeeds");
            }
            _opened();
        } else if (action == Action.Close) {
            try rebalancer.close() {}
            catch {
                _hold(false, "what is due succeeds");
            }
            trading = false;
        } else {
            return false;
        }
        Seen memory b = _look();
        _supplyKept(a, b);
        _unitsKept(a, b, 0);
        return true;
    }

    /// @dev Goes to when the next action can be due.
    function _goOn() internal returns (bool) {
        (,, uint256 next) = rebalancer.workable();
        if (next <= time) return false;
        _pass(next - time);
        return true;
    }

    /// @notice From wherever the month stands into trading; one time in four only one step. Where it is open, one time
    /// in three on to its end and into the next one, whose limits and rule may be others.
    function step(uint256 seed) external {
        Draw memory d = Drawing.from(seed);
        if (trading && time <= end && d.below(3) != 0) return _discard();
        if (!trading && d.below(2) == 0) _setLimits(d);
        if (!trading && d.below(2) == 0) _changeRule(d);
        if (d.below(4) == 0) {
            if (!_act() && !_goOn()) _discard();
            return;
        }
        bool any;
        for (uint256 k; k < 8; ++k) {
            bool was = trading;
            if (!_act() && !_goOn()) break;
            any = true;
            if (trading && !was) break;
        }
        if (!any) _discard();
    }

    /// @notice What is not due is refused.
    function undue(uint256 seed) external {
        Draw memory d = Drawing.from(seed);
        (Action action,,) = rebalancer.workable();
        uint256 k = d.below(3);
        bytes memory call = [
            abi.encodeCall(rebalancer.determine, ()),
            abi.encodeCall(rebalancer.start, ()),
            abi.encodeCall(rebalancer.close, ())
        ][k];
        if (action == [Action.Determine, Action.Start, Action.Close][k]) return _discard();
        (bool succeeded,) = address(rebalancer).call(call);
        _hold(!succeeded, "what is not due is refused");
    }

    function pass(uint256 seed) external {
        Draw memory d = Drawing.from(seed);
        uint256 kind = d.below(8);
        _pass(kind < 5 ? d.between(1, 1 hours) : kind < 7 ? d.between(1, 1 days) : d.between(1, 12 days));
    }

    /* GUARDIAN */

    /// @notice A veto, one time in six; the guardian may not veto two periods running.
    function veto(uint256 seed) external {
        Draw memory d = Drawing.from(seed);
        if (trading || d.below(6) != 0) return _discard();
        for (uint256 k; k < 3 && rebalancer.month().phase != Phase.Determined; ++k) {
            if (!_act() && !_goOn()) return _discard();
        }
        if (rebalancer.month().phase != Phase.Determined) return _discard();
        uint256 last = rebalancer.month().lastVeto;
        bool running = last + 1 == rebalancer.month().period;
        vm.prank(GUARDIAN);
        try rebalancer.veto() {
            _hold(!running, "no two vetoes running");
        } catch (bytes memory reason) {
            _refused(reason);
        }
        _hold(!trading, "no veto while trading");
    }

    function pause(uint256 seed) external {
        Draw memory d = Drawing.from(seed);
        uint256 duration = d.below(8) == 0 ? d.between(1, 4 days) : d.between(1, 2 hours);
        vm.prank(GUARDIAN);
        try rebalancer.pauseFor(duration) {
            _hold(duration <= 3 days && pausedUntil <= time, "pause: bounds");
            pausedUntil = time + duration;
        } catch (bytes memory reason) {
            _refused(reason);
        }
    }

    function unpause(uint256) external {
        if (pausedUntil <= time) return _discard();
        vm.prank(GUARDIAN);
        try rebalancer.unpause() {
            pausedUntil = time;
        } catch {
            _hold(false, "a pause can be ended");
        }
    }

    /* OWNER */

    /// @notice Retires a component or brings it back; at most one is retired.
    function retire(uint256 seed) external {
        Draw memory d = Drawing.from(seed);
        for (uint256 i; i < N; ++i) {
            if (retired[i] && position[i] < N) return _retire(i, false);
        }
        uint256 j = d.below(N);
        if (d.below(8) != 0 || position[j] == N) return _discard();
        _retire(j, true);
    }

    function _retire(uint256 i, bool to) internal {
        Seen memory a = _look();
        index.setRetired(address(tokens[i]), to);
        retired[i] = to;
        Seen memory b = _look();
        _supplyKept(a, b);
        _unitsKept(a, b, 0);
    }

    function setFee(uint256 seed) external {
        Draw memory d = Drawing.from(seed);
        uint256 to = d.between(0, 0.051e18);
        Seen memory a = _look();
        try index.setStreamingFee(to) {
            _hold(to <= 0.05e18, "the fee takes no more than stated");
            fee = to;
        } catch (bytes memory reason) {
            _refused(reason);
        }
        Seen memory b = _look();
        _supplyKept(a, b);
        _unitsKept(a, b, 0);
    }

    /// @notice New limits, refused while trading is open.
    function setLimits(uint256 seed) external {
        _setLimits(Drawing.from(seed));
    }

    function _setLimits(Draw memory d) private {
        uint32 coolOff = uint32(d.between(60, 900));
        uint64 last = uint64(d.below(0.06e18));
        Limits memory l = Limits({
            firstTolerance: int64(uint64(d.below(0.04e18))) - 0.03e18,
            lastTolerance: int64(last),
            batchCap: uint64(d.between(0.02e18, 0.1e18)),
            lossBudget: uint64(d.below(3) == 0 ? d.between(0, 0.0001e18) : d.between(0, 0.02e18)),
            maxStep: uint64(d.below(2) == 0 ? d.between(0.001e18, 0.1e18) : d.between(0.1e18, 1e18)),
            dust: uint64(d.between(1e12, 1e15)),
            coolOff: coolOff,
            maxIdle: uint32(coolOff * d.between(1, 6))
        });
        if (l.firstTolerance > l.lastTolerance) l.firstTolerance = l.lastTolerance;
        try rebalancer.setLimits(l) {
            _hold(!trading, "limits do not change while trading");
            limits = l;
        } catch {
            _hold(trading, "limits within bounds");
        }
    }

    /// @dev Changes what the methodology goes by.
    function _changeRule(Draw memory d) internal virtual;

    function setRule(uint256 seed) external {
        _changeRule(Drawing.from(seed));
    }

    /* MARKET */

    function movePrice(uint256 seed) external {
        Draw memory d = Drawing.from(seed);
        uint256 i = d.below(N);
        // Mostly a few percent, sometimes half or double; back into bounds where it has gone far.
        uint256 ratio = d.below(8) == 0 ? d.between(0.5e18, 2e18) : d.between(0.95e18, 1.05e18);
        uint256 to = lastPrice[i] * ratio / ONE;
        if (to > 1e24 || to < 1e14) to = 1e18;
        _setPrice(i, to);
        if (d.below(2) == 0) _setPool(i, ONE);
    }

    /// @notice A feed dies; where one is dead it lives again.
    function killPrice(uint256 seed) external {
        Draw memory d = Drawing.from(seed);
        for (uint256 i; i < N; ++i) {
            if (price[i] == 0) return _setPrice(i, lastPrice[i]);
        }
        if (d.below(8) != 0) return _discard();
        _setPrice(d.below(N), 0);
    }

    function movePool(uint256 seed) external {
        Draw memory d = Drawing.from(seed);
        _setPool(d.below(N), d.between(0.9e18, 1.1e18));
    }

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
}
