// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Bucket} from "../../../contracts/libraries/Bucket.sol";
import {vm} from "../Vm.sol";

/// @notice The pace of trading. Types are the widest that `Bounds` lets through.
contract BucketProofs {
    uint64 private constant MOST = 0.1e18; // Bounds.MAX_BATCH_CAP

    function check_capacityWithinCap(uint48 idle, uint64 cap, uint24 coolOff) external pure {
        assert(Bucket.capacity(idle, cap, coolOff) <= cap);
    }

    function check_capacityRises(uint48 less, uint48 more, uint64 cap, uint24 coolOff) external pure {
        vm.assume(less <= more);
        assert(Bucket.capacity(less, cap, coolOff) <= Bucket.capacity(more, cap, coolOff));
    }

    function check_capacityFull(uint48 idle, uint64 cap, uint24 coolOff) external pure {
        unchecked {
            vm.assume(idle >= uint256(coolOff) * Bucket.SCALE);
            assert(Bucket.capacity(idle, cap, coolOff) == cap);
        }
    }

    function check_idleBounded(uint40 time, uint64 tat, uint24 maxIdle) external {
        unchecked {
            vm.warp(time);
            uint256 idle = Bucket.idleX24(tat, maxIdle);
            assert(idle <= uint256(maxIdle) * Bucket.SCALE);
            assert(uint256(time) * Bucket.SCALE > tat ? idle <= uint256(time) * Bucket.SCALE - tat : idle == 0);
        }
    }

    function check_toleranceBetween(uint48 idle, int64 first, int64 last, uint24 maxIdle) external pure {
        unchecked {
            vm.assume(-int64(MOST) <= first && first <= last && last <= int64(MOST));
            vm.assume(maxIdle != 0 && idle <= uint256(maxIdle) * Bucket.SCALE);
            int256 tolerance = Bucket.tolerance(idle, first, last, maxIdle);
            assert(first <= tolerance && tolerance <= last);
        }
    }

    function check_consumeAhead(uint40 time, uint64 tat, uint64 value, uint64 cap, uint24 coolOff, uint24 maxIdle)
        external
    {
        vm.assume(cap != 0 && cap <= MOST && value <= cap && time > maxIdle && time < 1 << 38);
        vm.warp(time);
        assert(Bucket.consume(tat, value, cap, coolOff, maxIdle) >= tat);
    }

    function check_consumeRises(uint40 time, uint64 tat, uint64 a, uint64 b, uint64 cap, uint24 coolOff) external {
        vm.assume(cap != 0 && cap <= MOST && a <= b && b <= cap && time > 1 days);
        vm.warp(time);
        assert(Bucket.consume(tat, a, cap, coolOff, 1 days) <= Bucket.consume(tat, b, cap, coolOff, 1 days));
    }

    function check_consumeInTwo(uint40 time, uint64 tat, uint64 a, uint64 b, uint64 cap, uint24 coolOff, uint24 maxIdle)
        external
    {
        unchecked {
            vm.assume(cap != 0 && cap <= MOST && uint256(a) + b <= cap && time > maxIdle);
            vm.warp(time);
            uint256 first = Bucket.consume(tat, a, cap, coolOff, maxIdle);
            uint256 parts = Bucket.consume(first, b, cap, coolOff, maxIdle);
            assert(parts >= Bucket.consume(tat, uint256(a) + b, cap, coolOff, maxIdle));
        }
    }

    function check_capacityNeverAhead(uint40 time, uint64 tat, uint64 cap, uint24 coolOff) external {
        unchecked {
            vm.assume(cap != 0 && cap <= MOST && time > 1 days && time < 1 << 38 && coolOff >= 60 && coolOff <= 1 days);
            vm.warp(time);
            uint256 now_ = uint256(time) * Bucket.SCALE;
            vm.assume(tat <= now_);
            uint256 most = Bucket.capacity(Bucket.idleX24(tat, 1 days), cap, coolOff);
            assert(Bucket.consume(tat, most, cap, coolOff, 1 days) <= now_);
        }
    }
}
