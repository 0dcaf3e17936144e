// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {DynamicArrayLib} from "solady/src/utils/DynamicArrayLib.sol";

import {Constituents} from "./Constituents.sol";
import {Determination} from "./Determination.sol";

/// @notice An opening plan in the making, see `IOpener`. Each step reads what those before it have left here:
/// `PlanMerge`, `PlanMeasure`, `PlanChoice`, `MonthTargets`.
///
/// Row by row, in the order of the determination:
/// @param determined Its words, two for each row (see `Constituents`).
/// @param answers What each row is confirmed with.
/// @param differs Some row is not confirmed as it was determined.
///
/// Component by component, in the order of the plan's list:
/// @param list Packed components (see `ComponentList`). @param tokens Their tokens.
/// @param newcomers A bit for each that is not on the index token's list yet.
/// @param listChanges The list is not the index token's any more.
/// @param basis With its flags; 0 for what leaves the index or is held as it is.
/// @param prices USD for one whole token, 18 decimals; 0 for what is held as it is, see `PlanDrafts.isHeld`.
/// @param ones Token wei of one whole token.
/// @param units Token wei of 1e18 shares that are held, `goals` that the methodology wants. `unitBits`: all bits of
/// both.
/// @param values USD of what a share holds, as far as it counts in NAV. `nav`: their sum.
/// @param dropCosts What a share would lose by dropping it, USD; `PlanDrafts.STAYS` for what is not dropped.
/// @param dropBudget What dropping may yet cost, USD of a share.
/// @param setAside Some component is held as it is, or leaves the index.
struct PlanDraft {
    uint256[] determined;
    uint256[] answers;
    bool differs;
    uint256[] list;
    uint256[] tokens;
    uint256 newcomers;
    bool listChanges;
    uint256[] basis;
    uint256[] prices;
    uint256[] ones;
    uint256[] units;
    uint256[] goals;
    uint256 unitBits;
    uint256[] values;
    uint128 nav;
    uint88 exponent;
    uint256[] dropCosts;
    uint256 dropBudget;
    bool setAside;
}

/// @title PlanDrafts
/// @notice What several steps of a plan do with a draft.
library PlanDrafts {
    using DynamicArrayLib for uint256[];

    /// @notice Stands for the cost of dropping what is not dropped, whatever it is worth.
    uint256 internal constant STAYS = type(uint256).max;

    /// @notice Whether a component with this price in the draft is held as it is this month: the determination froze
    /// it, it is suspended or written off, or it has no price, no sound balance, or is beyond measure. It has price 0
    /// from then on, which is what the methodology is told.
    function isHeld(uint256 price) internal pure returns (bool) {
        return price == 0;
    }

    /// @notice Whether component `i` is not on the index token's list yet.
    function isNewcomer(PlanDraft memory d, uint256 i) internal pure returns (bool) {
        return (d.newcomers >> i) & 1 != 0;
    }

    /// @notice Makes a row one that is not in the index this month.
    function leaveOut(PlanDraft memory d, uint256 row) internal pure {
        d.differs = true;
        d.answers[row] = Determination.outside(d.answers[row]);
    }

    /// @notice A token's row in the determination.
    function rowOf(PlanDraft memory d, address token) internal pure returns (bool found, uint256 row) {
        uint256 n = d.answers.length;
        while (row < n && Constituents.tokenAt(d.determined, row) != token) ++row;
        return (row < n, row);
    }

    /// @notice Position of the first of the least entries.
    function leastOf(uint256[] memory list) internal pure returns (uint256 least) {
        for (uint256 i = 1; i < list.length; ++i) {
            if (list.get(i) < list.get(least)) least = i;
        }
    }
}
