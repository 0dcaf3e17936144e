// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {FixedPointMathLib} from "solady/src/utils/FixedPointMathLib.sol";

import {ProRata} from "./ProRata.sol";

/// @title StreamingFee
/// @notice A yearly fee taken by dilution, compounded continuously: over one year the units of a share fall by exactly
/// the fee, however often the accrual is written.
/// @dev With f the yearly fee, r = -ln(1 - f) its continuous rate and E the integral of r over time, the supply grows
/// by exp(E2 - E1). Only E is carried, and it is exact (rate x seconds). One accrual loses at most supply / 1e18 + 1
/// wei by rounding down, so k accruals differ from one by at most k x (supply / 1e18 + 1) wei of shares.
library StreamingFee {
    /// @notice Seconds in a year of 365.25 days.
    uint256 internal constant YEAR = 31_557_600;

    /// @notice Continuous rate of a yearly fee `fee` below 1e18, 18 decimals per year.
    function rate(uint256 fee) internal pure returns (uint256) {
        return uint256(-FixedPointMathLib.lnWad(int256(1e18 - fee)));
    }

    /// @notice Fee shares for a supply held from exponent `earlier` to `later` (18 decimals x seconds), rounded down.
    function shares(uint256 supply, uint256 earlier, uint256 later) internal pure returns (uint256) {
        // Both are divided before the difference is taken: the truncations cancel over consecutive accruals.
        uint256 x = later / YEAR - earlier / YEAR;
        if (x == 0) return 0;
        // {share} = {share} * {1e18} / {1e18}
        return ProRata.down(supply, uint256(FixedPointMathLib.expWad(int256(x))) - 1e18, 1e18);
    }

    /// @notice exp(-(later - earlier) / year), 18 decimals, rounded down: what accrual leaves of a unit.
    function decay(uint256 earlier, uint256 later) internal pure returns (uint256) {
        return uint256(FixedPointMathLib.expWad(-int256(later / YEAR - earlier / YEAR)));
    }
}
