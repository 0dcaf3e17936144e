// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {FixedPointMathLib} from "solady/src/utils/FixedPointMathLib.sol";

import {IUniswapV3Pool} from "../interfaces/external/IUniswapV3Pool.sol";

/// @title Twap
/// @notice Time-weighted prices from the observations of Uniswap V3 pools: the geometric mean over a window, which is a
/// power of 1.0001 with the mean tick as exponent (Uniswap v3 white paper, 5.2).
library Twap {
    /// @dev ln(1.0001), 36 decimals, rounded down.
    uint256 private constant LN = 99995000333308335333166680951131;

    /// @notice Mean tick of the last `window` seconds, rounded down; `known` is false where the pool does not reach
    /// back.
    function meanTick(IUniswapV3Pool pool, uint32 window) internal view returns (bool known, int256 tick) {
        // Without code there is nothing to catch: the call would revert here.
        if (address(pool).code.length == 0) return (false, 0);
        uint32[] memory ago = new uint32[](2);
        ago[0] = window;
        try pool.observe(ago) returns (int56[] memory sums, uint160[] memory) {
            int256 sum = int256(sums[1]) - sums[0];
            int256 span = int256(uint256(window));
            // {tick} = {tick s} / {s}
            tick = sum / span;
            if (sum < 0 && sum % span != 0) --tick;
            known = true;
        } catch {}
    }

    /// @notice amount * rate / unit, rounded down once; 0 where that is above `most`. The rate is what a wei of one
    /// token of a pool is worth in wei of the other at a tick, good to about 1e-15. `forward`: it is token0 that is
    /// given.
    /// @param amount 1 to 1e57: a whole token of 27 decimals times the highest price.
    /// @param unit 1 to 1e27.
    /// @param most Up to 1e30.
    function quote(int256 tick, bool forward, uint256 amount, uint256 unit, uint256 most)
        internal
        pure
        returns (uint256 value)
    {
        uint256 size = tick < 0 ? uint256(-tick) : uint256(tick);
        // {1e18} = {ticks} * {1e36} / {1e18}; at most 887272 ticks, so that no factor exceeds exp(89), 4.5e56 with its
        // decimals.
        uint256 factor = uint256(FixedPointMathLib.expWad(int256(size * LN / 1e18)));
        if ((tick >= 0) == forward) {
            // most * unit * 1e18 is at most 1e75; above it the quotient might not fit into a word.
            if (factor > most * unit * 1e18 / amount) return 0;
            return Math.mulDiv(amount, factor, unit * 1e18);
        }
        // The factor is at least 1e18: no quotient is above the amount.
        value = Math.mulDiv(amount, 1e18, factor) / unit;
        if (value > most) value = 0;
    }
}
