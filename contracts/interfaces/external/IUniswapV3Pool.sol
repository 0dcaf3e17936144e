// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/// @title IUniswapV3Pool
/// @notice The part of a pool of Uniswap V3 that is used here. Prices are square roots of token1 wei for one token0
/// wei, x 2^96; ticks are powers of 1.0001.
interface IUniswapV3Pool {
    /// @notice The token with the lower address.
    function token0() external view returns (address);

    /// @notice The token with the higher address.
    function token1() external view returns (address);

    /// @notice Millionths of what goes in.
    function fee() external view returns (uint24);

    /// @notice Ticks between usable ones.
    function tickSpacing() external view returns (int24);

    /// @notice Liquidity of the positions in whose range the price is.
    function liquidity() external view returns (uint128);

    /// @notice Price and tick now, and the observations: the latest one's index, how many are kept, how many will be.
    function slot0()
        external
        view
        returns (
            uint160 sqrtPriceX96,
            int24 tick,
            uint16 observationIndex,
            uint16 observationCardinality,
            uint16 observationCardinalityNext,
            uint8 feeProtocol,
            bool unlocked
        );

    /// @notice A word of the bitmap of initialized ticks, each bit one tick spacing.
    function tickBitmap(int16 word) external view returns (uint256);

    /// @notice A tick; `liquidityNet` is what it adds when crossed upwards.
    function ticks(int24 tick)
        external
        view
        returns (
            uint128 liquidityGross,
            int128 liquidityNet,
            uint256 feeGrowthOutside0X128,
            uint256 feeGrowthOutside1X128,
            int56 tickCumulativeOutside,
            uint160 secondsPerLiquidityOutsideX128,
            uint32 secondsOutside,
            bool initialized
        );

    /// @notice An observation: when it was written (seconds modulo 2^32) and the sums up to then.
    function observations(uint256 index)
        external
        view
        returns (
            uint32 blockTimestamp,
            int56 tickCumulative,
            uint160 secondsPerLiquidityCumulativeX128,
            bool initialized
        );

    /// @notice Sums of tick x seconds so many seconds ago. Reverts where the oldest observation is younger.
    function observe(uint32[] calldata secondsAgos)
        external
        view
        returns (int56[] memory tickCumulatives, uint160[] memory secondsPerLiquidityCumulativeX128s);

    /// @notice Swaps `amountSpecified` in (below zero: out) up to the price limit, calls `uniswapV3SwapCallback` of the
    /// caller to be paid, and gives what the pool received (above zero) and paid of each token.
    function swap(
        address recipient,
        bool zeroForOne,
        int256 amountSpecified,
        uint160 sqrtPriceLimitX96,
        bytes calldata data
    ) external returns (int256 amount0, int256 amount1);
}
