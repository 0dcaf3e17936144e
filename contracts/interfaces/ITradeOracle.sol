// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/// @title ITradeOracle
/// @notice Prices by the side on which a token is traded, for oracles that know more than one.
interface ITradeOracle {
    /// @notice USD for one whole token each, 18 decimals, 0 means "no price": of the first `sold` tokens the highest that
    /// is known, of the others the lowest. Never reverts for a source of prices.
    function tradePrices(address[] calldata tokens, uint256 sold) external view returns (uint256[] memory);
}
