// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {DynamicArrayLib} from "solady/src/utils/DynamicArrayLib.sol";

import {IMethodology} from "../interfaces/IMethodology.sol";
import {IOpener} from "../interfaces/IOpener.sol";
import {ComponentList} from "./ComponentList.sol";
import {Constituents} from "./Constituents.sol";
import {Domain} from "./Domain.sol";
import {Lists} from "./Lists.sol";
import {PlanDraft, PlanDrafts} from "./PlanDraft.sol";

/// @title PlanChoice
/// @notice Third step of an opening plan: what goes off the list, who waits, and what the methodology wants of the
/// rest.
library PlanChoice {
    using ComponentList for uint256;
    using DynamicArrayLib for uint256[];
    using PlanDrafts for PlanDraft;

    /// @notice Drops what goes, lets newcomers wait for whom there is no room, and fills in the goals of the rest. A
    /// component whose price is so low that its target is beyond measure is held as it is, and the methodology asked
    /// again.
    /// @param places Most components of the new list.
    function choose(PlanDraft memory d, address methodology, uint256 places) internal view {
        for (bool again;; again = true) {
            if (d.setAside || d.list.length > places) _drop(d, places);
            uint256 n = d.list.length;
            d.goals = Lists.ask(methodology, IMethodology.targetUnits.selector, d.basis, d.units, d.prices, d.ones);
            require(d.goals.length == n, IOpener.WrongLength(n, d.goals.length));
            uint256 wanted = _allBits(d.goals);
            require(wanted != 0, IOpener.NothingToWeigh());
            d.unitBits = wanted | _allBits(d.units);
            if (wanted >> Domain.TARGET_BITS == 0) return;
            require(!again, IOpener.TooLarge());
            d.setAside = true;
            for (uint256 i; i < n; ++i) {
                if (d.goals[i] >> Domain.TARGET_BITS == 0) continue;
                d.nav -= uint128(d.values[i]);
                (d.basis[i], d.prices[i], d.values[i], d.dropCosts[i]) = (0, 0, 0, PlanDrafts.STAYS);
            }
            require(d.nav != 0, IOpener.NothingToWeigh());
        }
    }

    /// @dev All bits that the entries of a list have.
    function _allBits(uint256[] memory list) private pure returns (uint256 bits) {
        unchecked {
            // Positions in a list in memory.
            for (uint256 i; i < list.length; ++i) {
                bits |= list.get(i);
            }
        }
    }

    /// @dev Takes off the list what is dropped and what waits. Newcomers that are not weighed never come onto it.
    function _drop(PlanDraft memory d, uint256 places) private pure {
        uint256 n = d.list.length;
        uint256 kept = n;
        for (uint256 i; i < n; ++i) {
            if (d.basis[i] != 0) continue;
            if (!d.isNewcomer(i)) {
                // What is held as it is keeps its price of 0 in the plan, and its cost is STAYS.
                if (d.dropCosts[i] > d.dropBudget) continue;
                d.dropBudget -= d.dropCosts[i];
            }
            _strike(d, i);
            --kept;
        }
        if (kept > places) kept = _makeRoom(d, kept, places);
        if (kept != n) _closeGaps(d);
    }

    /// @dev Marks a component as gone. A newcomer's row becomes one outside the index.
    function _strike(PlanDraft memory d, uint256 i) private pure {
        if (d.isNewcomer(i)) {
            (, uint256 row) = d.rowOf(d.list[i].token());
            d.leaveOut(row);
        }
        d.list[i] = 0;
    }

    /// @dev Strikes newcomers, those with the least determined weight first, until there is room. Held components alone
    /// never exceed a list.
    function _makeRoom(PlanDraft memory d, uint256 kept, uint256 places) private pure returns (uint256) {
        uint256 n = d.list.length;
        uint256[] memory weights = DynamicArrayLib.malloc(n);
        for (uint256 i; i < n; ++i) {
            bool waits = d.list[i] != 0 && d.isNewcomer(i);
            (, uint256 row) = waits ? d.rowOf(d.list[i].token()) : (false, 0);
            weights.set(i, waits ? Constituents.weightAt(d.determined, row) : PlanDrafts.STAYS);
        }
        for (; kept > places; --kept) {
            uint256 least = PlanDrafts.leastOf(weights);
            weights.set(least, PlanDrafts.STAYS);
            _strike(d, least);
        }
        return kept;
    }

    /// @dev Moves up what stands behind components that are gone.
    function _closeGaps(PlanDraft memory d) private pure {
        d.listChanges = true;
        (uint256 kept, uint256 newcomers) = (0, 0);
        for (uint256 i; i < d.list.length; ++i) {
            if (d.list[i] == 0) continue;
            newcomers |= ((d.newcomers >> i) & 1) << kept;
            if (kept != i) {
                (d.list[kept], d.units[kept]) = (d.list[i], d.units[i]);
                (d.basis[kept], d.prices[kept], d.ones[kept]) = (d.basis[i], d.prices[i], d.ones[i]);
                (d.values[kept], d.dropCosts[kept]) = (d.values[i], d.dropCosts[i]);
            }
            ++kept;
        }
        d.newcomers = newcomers;
        d.list.truncate(kept);
        d.units.truncate(kept);
        d.basis.truncate(kept);
        d.prices.truncate(kept);
        d.ones.truncate(kept);
    }
}
