// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/// @title IUniswapV2Pair
/// @notice The part of a pool of the Uniswap V2 family that is used here.
interface IUniswapV2Pair {
    /// @notice Reserves of the token with the lower and the higher address, and when they were last written.
    function getReserves() external view returns (uint112 reserve0, uint112 reserve1, uint32 blockTimestampLast);

    /// @notice Pays out `amount0Out` and `amount1Out` if what was sent in before is worth it after a fee of 0.3 %.
    function swap(uint256 amount0Out, uint256 amount1Out, address to, bytes calldata data) external;
}
