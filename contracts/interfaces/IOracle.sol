// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/// @title IOracle
/// @notice Prices of tokens in US dollars.
interface IOracle {
    /// @notice Price of one whole token in USD, 18 decimals, rounded down; 0 means "no price". Never reverts.
    function price(address token) external view returns (uint256);

    /// @notice `price` of each token, in the order given. Never reverts.
    function prices(address[] calldata tokens) external view returns (uint256[] memory);
}
