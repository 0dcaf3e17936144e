// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IIndexToken} from "./IIndexToken.sol";
import {IMethodology} from "./IMethodology.sol";
import {IOracle} from "./IOracle.sol";

/// @notice What `start` is about to fix, in the order of the new list: what is held plus what is included, without holdings
/// that are worth nothing.
/// @param changed The new list differs from the index token's.
/// @param list If so, the new list, packed (see `ComponentList`); else empty.
/// @param basis What each weight comes from, with its flags (see `Constituents`), where that is not for all as it was
/// determined; else empty. 0 for what is not included.
/// @param targets Packed targets (see `Targets`).
/// @param exponent The index token's fee exponent now.
/// @param nav NAV of one share, USD with 18 decimals, of what has a price and is not retired.
/// @param surplus Value above target on the sell side, share of NAV with 18 decimals, rounded down.
/// @param held Value held on the buy side, share of NAV, rounded down.
/// @param buyTargets Value of the buy side's targets, share of NAV, rounded down.
struct OpeningPlan {
    bool changed;
    uint256[] list;
    uint256[] basis;
    bytes targets;
    uint88 exponent;
    uint128 nav;
    uint64 surplus;
    uint64 held;
    uint64 buyTargets;
}

/// @title IOpener
/// @notice Works out the targets of a month: merges list and constituents, reads prices, asks the methodology, and holds
/// every rise of a weight to `maxStep`. A contract of its own because a rebalancer with it inside would be too large.
interface IOpener {
    /// @notice NAV is zero, or no constituent has a price and a weight.
    error NothingToWeigh();
    /// @notice A constituent that the index token's list cannot take: itself, or a token with more than 27 decimals.
    error UnfitConstituent(address token);
    /// @notice Holdings and constituents together are more than a list may have.
    error TooManyComponents(uint256 given, uint256 most);
    /// @notice Methodology or oracle answered with a list of another length.
    error WrongLength(uint256 expected, uint256 given);
    /// @notice A balance of 2**160 token wei or more, a unit of 2**120 or more, or a price of 2**100 or more.
    error TooLarge();

    /// @notice The plan at this block's prices, balances and supply. If this does not revert, its plan can be stored:
    /// every field fits its type. Reverts with the methodology's error if that refuses.
    /// @param determination Where the constituents are packed (`IRebalancer.month`).
    /// @param maxStep Most that a weight may rise, 18 decimals. Where it binds, the sells keep what the limited buys
    /// will not take, each the same fraction of its surplus.
    function plan(IIndexToken index, IOracle oracle, IMethodology methodology, address determination, uint256 maxStep)
        external
        view
        returns (OpeningPlan memory);
}
