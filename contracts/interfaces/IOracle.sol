// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/// @title IOracle
/// @notice Prices of tokens in US dollars.
interface IOracle {
    /// @notice Price of one whole token in USD, 18 decimals, rounded down; 0 means "no price". Never reverts.
    function price(address token) external view returns (uint256);

    /// @notice `price` of each token, in the order given. Never reverts.
    function prices(address[] calldata tokens) external view returns (uint256[] memory);

    /// @notice What each token counts for in a batch that sells the first `sold` of them and buys the others: where a
    /// second source is known, a sell the higher of the two prices and a buy the lower; else `price`. Never reverts.
    function tradePrices(address[] calldata tokens, uint256 sold) external view returns (uint256[] memory);
}
