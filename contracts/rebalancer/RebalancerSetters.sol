// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IMethodology} from "../interfaces/IMethodology.sol";
import {Limits, Phase, Timetable} from "../interfaces/IRebalancer.sol";
import {RebalancerState} from "./RebalancerState.sol";

/// @title RebalancerSetters
/// @notice What the owner sets. See `IRebalancer`.
abstract contract RebalancerSetters is RebalancerState {
    /* OWNER */

    function setGuardian(address guardian_) external onlyOwner locking {
        _setGuardian(guardian_);
    }

    function setLimits(Limits calldata limits_, uint64 band_) external onlyOwner betweenMonths locking {
        _setLimits(limits_, band_);
    }

    function setTimetable(Timetable calldata timetable_) external onlyOwner betweenMonths locking {
        _setTimetable(timetable_);
    }

    function setMethodology(IMethodology methodology_) external onlyOwner betweenMonths locking {
        IMethodology before = _rules.methodology;
        _setMethodology(methodology_);
        // A basis may mean something else to another methodology.
        bytes32 basis = _basisOf(methodology_);
        if (basis == 0 || basis != _basisOf(before)) _month.determination = address(0);
        if (_month.phase == Phase.Determined) _month.phase = Phase.Voided;
    }

    /* INTERNAL */

    function _setGuardian(address guardian_) internal {
        _guard.guardian = guardian_;
        emit GuardianSet(guardian_);
    }

    function _setLimits(Limits memory limits_, uint64 band_) internal {
        CALENDAR.check(limits_, band_, _former, _timetable);
        Bounded storage b = _bounded;
        (b.firstTolerance, b.lastTolerance) = (limits_.firstTolerance, limits_.lastTolerance);
        (b.batchCap, b.lossBudget) = (limits_.batchCap, limits_.lossBudget);
        (b.maxStep, b.dust) = (limits_.maxStep, limits_.dust);
        (b.coolOff, b.maxIdle) = (limits_.coolOff, limits_.maxIdle);
        _rules.band = band_;
        emit LimitsSet(limits_, band_);
    }

    function _setTimetable(Timetable memory timetable_) internal {
        (Timetable memory former, Timetable memory next) = CALENDAR.change(_former, _timetable, timetable_, _limits());
        (_former, _timetable) = (former, next);
        // A change puts off the end of the period under way, or brings it back to where it was.
        _latest = _lookUpPeriod();
        emit TimetableSet(next);
    }

    function _setMethodology(IMethodology methodology_) internal {
        require(address(methodology_).code.length != 0, NotContract(address(methodology_)));
        _rules.methodology = methodology_;
        emit MethodologySet(methodology_);
    }

    /// @dev What a methodology says that a basis is; 0 if it does not say.
    function _basisOf(IMethodology methodology_) private view returns (bytes32 basis) {
        try methodology_.BASIS() returns (bytes32 found) {
            basis = found;
        } catch {}
    }
}
