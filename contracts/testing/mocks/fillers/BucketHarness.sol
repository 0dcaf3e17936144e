// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Bucket} from "../../../libraries/Bucket.sol";

/// @title BucketHarness
/// @notice For tests: the library `Bucket` from outside, at this block's time.
contract BucketHarness {
    /// @notice What a batch of `value` right now meets and leaves behind, all in the units of `Bucket`.
    function batch(uint256 tat, uint256 value, uint256 cap, uint256 coolOff, uint256 maxIdle, int256 first, int256 last)
        external
        view
        returns (uint256 idle, uint256 capacity, int256 tolerance, uint256 next)
    {
        idle = Bucket.idleX24(tat, maxIdle);
        capacity = Bucket.capacity(idle, cap, coolOff);
        tolerance = Bucket.tolerance(idle, first, last, maxIdle);
        next = Bucket.consume(tat, value, cap, coolOff, maxIdle);
    }
}
