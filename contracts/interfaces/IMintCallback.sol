// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/// @title IMintCallback
/// @notice What a caller of `IIndexToken.mintWith` answers.
interface IMintCallback {
    /// @notice Called by the index token while it mints. When this returns, the fund must hold `amounts[i]` more of
    /// each `tokens[i]` than before, or the mint reverts.
    /// @dev Anyone can call it: look at `msg.sender`.
    /// @param tokens The components, in the list's order.
    /// @param amounts What is due of each, in token wei; 0 for what is written off.
    /// @param data What `mintWith` was given.
    function onMint(address[] calldata tokens, uint256[] calldata amounts, bytes calldata data) external;
}
