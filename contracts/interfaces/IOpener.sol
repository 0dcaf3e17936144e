// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IIndexToken} from "./IIndexToken.sol";
import {Constituent, IMethodology} from "./IMethodology.sol";
import {IOracle} from "./IOracle.sol";
import {Opening, Progress} from "./IRebalancer.sol";

/// @notice What `start` is about to fix, in the order of the new list: what is held plus what is included, without what
/// is written off, dropped, or waits for room.
/// @param changed The new list differs from the index token's.
/// @param list If so, the new list, packed (see `ComponentList`); else empty.
/// @param confirmed The determination as it counts now, packed (see `Constituents`), where that is not as it was
/// determined; else empty.
/// @param basis What each weight comes from, with its flags (see `Constituents`), where a basis is not as it was
/// determined; else empty. 0 for what is not included.
/// @param leaves Something held is to be sold whole, or goes off the list.
/// @param difference Half the sum of |target - held weight| before any step is cut, share of NAV with 18 decimals,
/// down; 1e18 at most.
/// @param targets Packed targets (see `Targets`).
/// @param exponent The index token's fee exponent now.
/// @param nav NAV of one share, USD with 18 decimals, of what has a price, is sound, and is neither suspended nor
/// written off.
/// @param surplus Value above target on the sell side, share of NAV with 18 decimals, rounded down.
/// @param held Value held on the buy side, share of NAV, rounded down.
/// @param buyTargets Value of the buy side's targets, share of NAV, rounded down.
struct OpeningPlan {
    bool changed;
    uint256[] list;
    uint256[] confirmed;
    uint256[] basis;
    bool leaves;
    uint64 difference;
    bytes targets;
    uint88 exponent;
    uint128 nav;
    uint64 surplus;
    uint64 held;
    uint64 buyTargets;
}

/// @notice What is left of an open month once a component has gone out of it.
/// @param targets Packed targets; empty where the component was not traded this month, and then nothing changes.
/// @param surplus What is left to sell, `held` and `buyTargets` of the buys that are left: as in `Progress` and
/// `Opening`.
struct Remainder {
    bytes targets;
    uint64 surplus;
    uint64 held;
    uint64 buyTargets;
}

/// @title IOpener
/// @notice Works out what a month begins with: the determination, its targets, and what is left of them once a
/// component has gone out. It merges list and constituents, reads prices, asks the methodology, and holds every rise of
/// a weight to `maxStep`. A contract of its own because a rebalancer with it inside would be too large.
///
/// BAD TOKENS. One bad token does not stop the others. A component that is suspended or written off, has no price, a
/// balance that is not sound (see `Balance.tryRead`), a unit of 2**119 or more, a value of 2**98 USD-wei or more a
/// share, or a price so low that its target would be so large, is held as it is, outside NAV and weights. A newcomer of
/// that kind, or whose decimals cannot be read, is not listed.
///
/// ROOM. A list has places for 50. Newcomers that find none wait; those with the largest determined weights come first.
///
/// DROPPING. What is outside the index goes off the list once the fund holds none of it, or what it holds is worth at
/// most `maxDrop` both at the determination's price and now; so is all that goes in one start together. Without a price
/// only a balance of exactly 0 goes. What is suspended stays, whatever it says of itself. What is written off always
/// goes.
interface IOpener {
    /// @notice NAV is zero, or no constituent has a price and a weight.
    error NothingToWeigh();
    /// @notice Methodology or oracle answered with a list of another length.
    error WrongLength(uint256 expected, uint256 given);
    /// @notice A target unit of 2**120 or more.
    error TooLarge();
    /// @notice The methodology returned constituents that do not ascend, are included with basis 0, have a price above
    /// all measure (2**100), or are none or more than 100.
    error UnfitConstituents();

    /// @notice What the methodology determines now, and the components that are no candidates, as Outside with their
    /// price: the one at which their dust will be measured.
    /// @param determination Where the last determination is packed; zero for none.
    /// @param started Whether it was started. If not, what the last started month confirmed is taken out of it.
    function constituents(
        IIndexToken index,
        IOracle oracle,
        IMethodology methodology,
        address determination,
        bool started
    ) external view returns (Constituent[] memory);

    /// @notice The plan at this block's prices, balances and supply. If this does not revert, its plan can be stored:
    /// every field fits its type. Reverts with the methodology's error if that refuses.
    /// @param determination Where the constituents are packed (`IRebalancer.month`).
    /// @param maxStep Most that a weight may rise, 18 decimals. Where it binds, the sells keep what the limited buys
    /// will not take, each the same fraction of its surplus.
    /// @param maxDrop Most that what goes off the list may be worth together, share of NAV, 18 decimals.
    function plan(
        IIndexToken index,
        IOracle oracle,
        IMethodology methodology,
        address determination,
        uint256 maxStep,
        uint256 maxDrop
    ) external view returns (OpeningPlan memory);

    /// @notice An open month without a component.
    function without(IIndexToken index, Opening calldata opening, Progress calldata progress, address token)
        external
        view
        returns (Remainder memory);
}
