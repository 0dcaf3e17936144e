// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/// @title ISupplySource
/// @notice Circulating supplies.
interface ISupplySource {
    /// @notice Circulating supply of `token` in whole tokens, rounded down, and the time it was true: this block's
    /// where it is computed from what stands on chain now. (0, 0) where it is not known.
    /// @dev Warning: who answers with an earlier time vouches for the figure. It is believed as the owner's, also where
    /// it decides who enters the index. See `PostedSupply` for what bounds a poster.
    function supply(address token) external view returns (uint256 wholeTokens, uint256 date);
}
