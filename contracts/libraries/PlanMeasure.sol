// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";

import {DynamicArrayLib} from "solady/src/utils/DynamicArrayLib.sol";
import {FixedPointMathLib} from "solady/src/utils/FixedPointMathLib.sol";

import {IIndexToken} from "../interfaces/IIndexToken.sol";
import {IOpener} from "../interfaces/IOpener.sol";
import {Balance} from "./Balance.sol";
import {ComponentList} from "./ComponentList.sol";
import {Constituents} from "./Constituents.sol";
import {Domain} from "./Domain.sol";
import {PlanDraft, PlanDrafts} from "./PlanDraft.sol";
import {PlanMerge} from "./PlanMerge.sol";
import {Value} from "./Value.sol";

/// @title PlanMeasure
/// @notice Second step of an opening plan: what a share holds of each component, what that is worth, and how the
/// component goes into the month.
library PlanMeasure {
    using ComponentList for uint256;
    using DynamicArrayLib for uint256[];
    using FixedPointMathLib for uint256;
    using PlanDrafts for PlanDraft;
    using SafeCast for uint256;

    /// @dev How a component goes into the month. Most have a basis and are weighed; the others are one of these:
    /// Outside: outside the index, with price and balance to rely on. Sold; its value counts in NAV.
    /// Frozen: by the methodology. Held as it is; its value counts in NAV.
    /// Unreliable: suspended or written off, without a price, or with a balance that is not sound. Held as it is, out
    /// of NAV.
    /// Ordinary: none of these after all: a suspension is over, or a mark was taken off.
    enum Treatment {
        Ordinary,
        Outside,
        Frozen,
        Unreliable
    }

    /// @dev A component as it was read. `sound`: the balance is, and unit, price and value are within measure.
    struct Reading {
        bool sound;
        uint256 balance;
        uint256 unit;
        uint256 price;
        uint256 value;
        uint256 one;
        uint256 supply;
    }

    /// @notice Fills in units, values, ones, NAV and exponent, and for what is set aside the costs of dropping it.
    function measure(PlanDraft memory d, IIndexToken index) internal view {
        uint256 n = d.list.length;
        (uint256 supply, uint256 exponent) = index.supplyAndExponent();
        require(supply != 0, IOpener.NothingToWeigh());
        d.exponent = exponent.toUint88();
        (d.units, d.values) = (DynamicArrayLib.malloc(n), DynamicArrayLib.malloc(n));
        (d.ones, d.dropCosts) = (DynamicArrayLib.malloc(n), DynamicArrayLib.malloc(n));
        uint256 nav;
        unchecked {
            for (uint256 i; i < n; ++i) {
                // 60 values of Domain.VALUE_BITS.
                nav += _measure(d, i, address(index), supply);
            }
        }
        require(nav != 0, IOpener.NothingToWeigh());
        d.nav = nav.toUint128();
    }

    /// @dev Fills in unit, value, price and whole token of a component; returns its value.
    function _measure(PlanDraft memory d, uint256 i, address index, uint256 supply)
        private
        view
        returns (uint256 value)
    {
        uint256 word = d.list.get(i);
        uint256 price = d.prices.get(i);
        (bool sound, uint256 balance) = Balance.tryRead(word.token(), index);
        unchecked {
            // {tok / 1e18 share} = {tok} * {1e18 share} / {share}, down; Domain.BALANCE_BITS and 60
            uint256 unit = (balance * 1e18).rawDiv(supply);
            uint256 one = Value.oneOf(word.decimals());
            // {USD / share} = {tok / share} * {USD / whole tok} / {tok / whole tok}, down. It wraps around only where
            // unit or price is beyond measure, and does not count then.
            value = (unit * price).rawDiv(one);
            bool wide = (unit >> Domain.UNIT_BITS) | (price >> Domain.PRICE_BITS) | (value >> Domain.VALUE_BITS) != 0;
            // Without a weight: 0, or FROZEN, which wraps around.
            if (wide || !sound || price == 0 || d.basis.get(i) + 1 < 2 || word.marked()) {
                d.setAside = true;
                (unit, price, value) = _treat(d, i, Reading(sound && !wide, balance, unit, price, value, one, supply));
            }
            d.ones.set(i, one);
            d.prices.set(i, price);
            d.values.set(i, value);
            d.units.set(i, unit);
        }
    }

    /// @dev Basis and cost of dropping of a component that may not simply be weighed; returns the unit, price and value
    /// that it goes into the month with.
    function _treat(PlanDraft memory d, uint256 i, Reading memory r) private view returns (uint256, uint256, uint256) {
        // Written off once, and gone from the fund: it comes back as any other.
        if (d.isNewcomer(i) && r.sound && r.balance == 0) d.list[i] = d.list[i].withState(0, false);
        d.dropCosts[i] = _dropCost(d, i, r);
        Treatment treatment = _treatment(d, i, r);
        if (treatment == Treatment.Unreliable) {
            d.basis[i] = 0;
            return (r.sound ? r.unit : 0, 0, 0);
        }
        if (treatment == Treatment.Frozen) {
            d.basis[i] = 0;
            return (r.unit, 0, r.value);
        }
        return (r.unit, r.price, r.value);
    }

    function _treatment(PlanDraft memory d, uint256 i, Reading memory r) private view returns (Treatment) {
        if (!r.sound || r.price == 0 || d.list[i].inactive()) return Treatment.Unreliable;
        if (d.basis[i] == PlanMerge.FROZEN) return Treatment.Frozen;
        return d.basis[i] == 0 ? Treatment.Outside : Treatment.Ordinary;
    }

    /// @dev What would be lost by dropping component `i`, USD of a share, rounded up, at the higher of the
    /// determination's price and today's; STAYS for what is not dropped. A suspended one stays even with nothing held:
    /// what it says of itself is not to be relied on, and its suspension would go with it.
    function _dropCost(PlanDraft memory d, uint256 i, Reading memory r) private view returns (uint256) {
        uint256 word = d.list[i];
        if (word.writtenOff()) return 0;
        if (word.suspended()) return PlanDrafts.STAYS;
        bool outside = d.basis[i] == 0;
        if (r.sound && r.balance == 0) return 0;
        if (!outside || !r.sound || r.price == 0) return PlanDrafts.STAYS;
        (bool found, uint256 row) = d.rowOf(word.token());
        uint256 before = found ? Constituents.priceAt(d.determined, row) : 0;
        if (before == 0) return PlanDrafts.STAYS;
        // Balance within 156 bits, as its unit is within measure, times a price. {USD / share} = {tok} * {USD / whole
        // tok} * {1e18 share} / ({tok / whole tok} * {share}), up
        return Math.mulDiv(r.balance * Math.max(r.price, before), 1e18, r.one * r.supply, Math.Rounding.Ceil);
    }
}
