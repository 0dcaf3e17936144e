// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IRebalancer, Limits, Timetable} from "../interfaces/IRebalancer.sol";
import {ExecutionDay} from "./Schedule.sol";

/// @title Bounds
/// @notice Hard bounds of what an owner can set: not even the timelock can leave them.
library Bounds {
    int256 internal constant MAX_TOLERANCE = 0.1e18;
    uint256 internal constant MAX_BATCH_CAP = 0.1e18;
    uint256 internal constant MAX_LOSS_BUDGET = 0.02e18;
    // Below this the roundings of a batch alone could keep a month open.
    uint256 internal constant MIN_DUST = 1e12;
    uint256 internal constant MAX_DUST = 0.001e18;
    // Determination and start must rest on different blocks, and holders need time to leave.
    uint256 internal constant MIN_NOTICE = 1 days;

    /// @notice Reverts with `LimitOutOfBounds(field)` for the first field outside its bounds.
    function check(Limits memory l) internal pure {
        _require(l.lastTolerance >= 0 && l.lastTolerance <= MAX_TOLERANCE, "lastTolerance");
        _require(l.firstTolerance >= -MAX_TOLERANCE && l.firstTolerance <= l.lastTolerance, "firstTolerance");
        _require(l.batchCap != 0 && l.batchCap <= MAX_BATCH_CAP, "batchCap");
        _require(l.lossBudget <= MAX_LOSS_BUDGET, "lossBudget");
        _require(l.maxStep != 0 && l.maxStep <= 1e18, "maxStep");
        _require(l.dust >= MIN_DUST && l.dust <= MAX_DUST, "dust");
        _require(l.coolOff >= 60, "coolOff");
        _require(l.maxIdle >= l.coolOff && l.maxIdle <= 1 days, "maxIdle");
    }

    /// @notice Reverts with `LimitOutOfBounds(field)` for the first field outside its bounds.
    function check(Timetable memory t) internal pure {
        _require(t.noticeDays != 0 && t.noticeDays <= 14, "noticeDays");
        _require(t.minNotice >= MIN_NOTICE && t.minNotice <= uint256(t.noticeDays) * 1 days, "minNotice");
        // The execution day and the time to trade after it must lie inside the period, also in February.
        uint256 last = 28 - t.noticeDays;
        _require(t.day != ExecutionDay.FixedDay || (t.fixedDay != 0 && t.fixedDay < last), "fixedDay");
        uint256 begin = t.day == ExecutionDay.FixedDay ? t.fixedDay : 3;
        _require(t.minTrading <= (last - begin) * 1 days, "minTrading");
    }

    function _require(bool holds, bytes32 name) private pure {
        require(holds, IRebalancer.LimitOutOfBounds(name));
    }
}
