// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/// @title IUniswapV2Factory
/// @notice The part of Uniswap V2's factory that is used here.
interface IUniswapV2Factory {
    /// @notice The pair of two tokens in any order; zero where there is none.
    function getPair(address one, address other) external view returns (address pair);

    /// @notice Creates the pair of two tokens that have none.
    function createPair(address one, address other) external returns (address pair);
}
