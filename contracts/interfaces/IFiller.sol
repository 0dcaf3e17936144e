// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/// @title IFiller
/// @notice Turns surplus components into missing ones. Nobody trusts a filler: what it is worth is measured in the
/// index token's balances after the call.
interface IFiller {
    /// @notice Called by a rebalancer after `amounts[k]` of each `sells[k]` has been sent to the filler, or to whom the
    /// order names for that entry. It has to bring the proceeds to `index` before it returns; what it sends back of the
    /// sells counts as not sold.
    /// @param index The index token, which receives the proceeds.
    /// @param sells Token of each entry of the order's sells; one may stand in several consecutive entries.
    /// @param amounts Token wei sent of each; 0 where no surplus was left.
    /// @param buys Tokens that the batch may credit.
    /// @param data What the caller of `trade` passed for this filler.
    function fill(
        address index,
        address[] calldata sells,
        uint256[] calldata amounts,
        address[] calldata buys,
        bytes calldata data
    ) external;
}
