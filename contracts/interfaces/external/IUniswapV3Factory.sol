// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/// @title IUniswapV3Factory
/// @notice The part of Uniswap V3's factory that is used here.
interface IUniswapV3Factory {
    /// @notice The pool of two tokens, in either order, and a fee in millionths; zero where there is none.
    function getPool(address tokenA, address tokenB, uint24 fee) external view returns (address pool);
}
