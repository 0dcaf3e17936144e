// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {vm} from "../../../lab/fuzz/Vm.sol";
import {Test} from "../Test.sol";

interface IBucketHarness {
    function batch(uint256 tat, uint256 value, uint256 cap, uint256 coolOff, uint256 maxIdle, int256 first, int256 last)
        external
        view
        returns (uint256 idle, uint256 capacity, int256 tolerance, uint256 next);
}

/// @dev The bucket's arithmetic: 2 % in 600 seconds, at most 1800 of them; tolerance from -1.5 % to 4 %.
contract BucketTest is Test {
    uint256 private constant NOW = 1_750_000_000;
    uint256 private constant SECOND = 16_777_216;
    uint256 private constant CAP = 0.02e18;
    int256 private constant FIRST = -0.015e18;
    int256 private constant LAST = 0.04e18;

    IBucketHarness private _bucket;

    function setUp() external {
        _bucket = IBucketHarness(deploy("BucketHarness", ""));
        vm.warp(NOW);
    }

    function _at(uint256 tat) private view returns (uint256 idle, uint256 capacity, int256 tolerance) {
        (idle, capacity, tolerance,) = _bucket.batch(tat, 0, CAP, 600, 1800, FIRST, LAST);
    }

    function _next(uint256 tat, uint256 value) private view returns (uint256 next) {
        (,,, next) = _bucket.batch(tat, value, CAP, 600, 1800, FIRST, LAST);
    }

    function _same(int256 found, int256 expected) private pure {
        require(found == expected, "tolerance");
    }

    function test_it_is_not_idle_before_its_time() external view {
        for (uint256 ahead; ahead < 3; ++ahead) {
            (uint256 idle, uint256 capacity, int256 tolerance) = _at(NOW * SECOND + ahead);
            equal(idle, 0, "idle");
            equal(capacity, 0, "capacity");
            _same(tolerance, FIRST);
        }
    }

    /// @dev In parts of a second, up to the longest.
    function test_idle_counts_from_the_time_that_is_used() external view {
        uint256[6] memory times = [uint256(1), 2, SECOND, 1800 * SECOND - 1, 1800 * SECOND, 1800 * SECOND + 1];
        for (uint256 k; k < 6; ++k) {
            (uint256 idle,,) = _at(NOW * SECOND - times[k]);
            equal(idle, k < 5 ? times[k] : 1800 * SECOND, "idle");
        }
        (uint256 longest,,) = _at(0);
        equal(longest, 1800 * SECOND, "for ever");
    }

    function test_capacity_grows_to_the_cap() external view {
        uint256[5] memory times = [uint256(1), 3, 600 * SECOND - 1, 600 * SECOND, 601 * SECOND];
        // 2e16 / (600 * 2**24) is 1,986,821.4...
        uint256[5] memory expected = [uint256(1_986_821), 5_960_464, CAP - 1_986_822, CAP, CAP];
        for (uint256 k; k < 5; ++k) {
            (, uint256 capacity,) = _at(NOW * SECOND - times[k]);
            equal(capacity, expected[k], "capacity");
        }
    }

    function test_tolerance_grows_to_the_last() external view {
        uint256[5] memory times = [uint256(1), 180 * SECOND, 1800 * SECOND - 1, 1800 * SECOND, 2000 * SECOND];
        // 5.5e16 / (1800 * 2**24) is 1821253.0...
        int256[5] memory expected = [FIRST + 1_821_253, -0.0095e18, LAST - 1_821_254, LAST, LAST];
        for (uint256 k; k < 5; ++k) {
            (,, int256 tolerance) = _at(NOW * SECOND - times[k]);
            _same(tolerance, expected[k]);
        }
    }

    /// @dev Rounded up, in parts of a second.
    function test_a_batch_uses_its_part_of_the_time() external view {
        uint256 tat = (NOW - 500) * SECOND;
        equal(_next(tat, 0), tat, "nothing");
        equal(_next(tat, CAP), tat + 600 * SECOND, "all");
        equal(_next(tat, CAP / 2), tat + 300 * SECOND, "half");
        equal(_next(tat, 1), tat + 1, "one wei");
        equal(_next(tat, 1_986_821), tat + 1, "less than a part");
        equal(_next(tat, 1_986_822), tat + 2, "more than a part");
    }

    /// @dev With a cap of 7 wei a batch of 3 uses so many sevenths and one more.
    function test_the_least_part_is_rounded_up() external view {
        uint256 tat = (NOW - 500) * SECOND;
        equal(3 * 600 * SECOND % 7, 1, "one is left");
        (,,, uint256 next) = _bucket.batch(tat, 3, 7, 600, 1800, FIRST, LAST);
        equal(next, tat + 3 * 600 * SECOND / 7 + 1, "up");
    }

    /// @dev Time before the longest idle one is not there to be used.
    function test_a_batch_uses_no_time_that_is_forgotten() external view {
        uint256 from = (NOW - 1800) * SECOND;
        equal(_next(0, CAP), from + 600 * SECOND, "for ever");
        equal(_next(from - 1, CAP), from + 600 * SECOND, "just longer");
        equal(_next(from, CAP), from + 600 * SECOND, "as long");
        equal(_next(from + 1, CAP), from + 1 + 600 * SECOND, "just shorter");
        equal(_next((NOW + 7) * SECOND, CAP), (NOW + 607) * SECOND, "ahead");
    }
}
