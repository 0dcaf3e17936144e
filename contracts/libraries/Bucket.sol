// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";

/// @title Bucket
/// @notice Paces trading by one virtual-time word, after the generic cell rate algorithm in its virtual scheduling form
/// (ITU-T I.371, annex A): `tat` is the time up to which capacity has been used.
/// @dev Times with the suffix X24 are seconds x 2**24: in whole seconds the rounding of a dust batch would burn a whole
/// second of everybody's capacity. Every rounding is against the batch. Nothing is checked: within the bounds of limits
/// (`Bounds`), and with a value of at most the cap, products stay below 2**120, which is the bound of every unchecked
/// block here.
library Bucket {
    using SafeCast for uint256;

    uint256 internal constant SCALE = 1 << 24;

    /// @notice Seconds x 2**24 that the bucket has been idle, at most `maxIdle` seconds. 0 while tat lies ahead.
    function idleX24(uint256 tat, uint256 maxIdle) internal view returns (uint256) {
        unchecked {
            uint256 nowX24 = block.timestamp * SCALE;
            if (nowX24 <= tat) return 0;
            (uint256 idle, uint256 most) = (nowX24 - tat, maxIdle * SCALE);
            return idle < most ? idle : most;
        }
    }

    /// @notice Most value of a batch, rounded down, in the unit of `cap`.
    function capacity(uint256 idle, uint256 cap, uint256 coolOff) internal pure returns (uint256) {
        unchecked {
            uint256 refill = coolOff * SCALE;
            // {1e18} = {s24} * {1e18} / {s24}
            return idle < refill ? idle * cap / refill : cap;
        }
    }

    /// @notice Tolerance after `idle`, linear from `first` (idle 0) to `last` (idle maxIdle), rounded down. 18
    /// decimals.
    function tolerance(uint256 idle, int256 first, int256 last, uint256 maxIdle) internal pure returns (int256) {
        unchecked {
            // last >= first, so the quotient is not negative and rounds down. {1e18} = {1e18} * {s24} / {s24}
            return first + int256(uint256(last - first) * idle / (maxIdle * SCALE));
        }
    }

    /// @notice The new tat after a batch of `value`, rounded up.
    function consume(uint256 tat, uint256 value, uint256 cap, uint256 coolOff, uint256 maxIdle)
        internal
        view
        returns (uint64)
    {
        unchecked {
            uint256 from = (block.timestamp - maxIdle) * SCALE;
            if (from < tat) from = tat;
            // {s24} = {1e18} * {s24} / {1e18}, up
            return (from + (value * coolOff * SCALE + cap - 1) / cap).toUint64();
        }
    }
}
