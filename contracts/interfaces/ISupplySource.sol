// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/// @title ISupplySource
/// @notice Circulating supplies.
interface ISupplySource {
    /// @notice Circulating supply of `token` in whole tokens, rounded down, and the time it was true. (0, 0) where it is
    /// not known.
    function supply(address token) external view returns (uint256 wholeTokens, uint256 date);
}
