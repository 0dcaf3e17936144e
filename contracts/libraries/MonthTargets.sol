// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";

import {DynamicArrayLib} from "solady/src/utils/DynamicArrayLib.sol";
import {FixedPointMathLib} from "solady/src/utils/FixedPointMathLib.sol";

import {OpeningPlan} from "../interfaces/IOpener.sol";
import {Side} from "../interfaces/IRebalancer.sol";
import {PlanDraft, PlanDrafts} from "./PlanDraft.sol";
import {Targets} from "./Targets.sol";
import {Value} from "./Value.sol";

/// @title MonthTargets
/// @notice Last step of an opening plan: packs what the methodology wants as the month's targets, holds every rise of a
/// weight to the step, and adds up what paces the month. See `IOpener`.
library MonthTargets {
    using DynamicArrayLib for uint256[];
    using FixedPointMathLib for uint256;
    using SafeCast for uint256;
    using Targets for bytes;

    /// @dev Sums over the list, in USD of a share. `excess`: by how much buys rise above the step.
    struct Sums {
        uint256 surplus;
        uint256 held;
        uint256 goal;
        uint256 excess;
    }

    /// @notice Fills in difference, leaves, targets, surplus, held and buyTargets of a plan whose NAV stands.
    /// @param maxStep Most that a weight may rise, 18 decimals.
    function fill(OpeningPlan memory p, PlanDraft memory d, uint256 maxStep) internal pure {
        p.targets = Targets.room(d.list.length, d.unitBits);
        uint256 step = p.nav * maxStep / 1e18;
        Sums memory sums = _target(p, d, step);
        // {1e18} = {USD} * {1e18} / {USD}, down; a methodology may want more than there is
        p.difference = uint64(Math.min((sums.surplus + sums.goal - sums.held) / 2, p.nav) * 1e18 / p.nav);
        if (sums.excess != 0) {
            _limitSteps(d, sums, step);
            sums = _target(p, d, type(uint128).max);
        }
        // {1e18} = {USD} * {1e18} / {USD}, down
        p.surplus = (sums.surplus * 1e18 / p.nav).toUint64();
        p.held = (sums.held * 1e18 / p.nav).toUint64();
        p.buyTargets = (sums.goal * 1e18 / p.nav).toUint64();
    }

    /// @dev Packs targets and adds up what paces the month, and by how much buys rise above `step` (USD of a share).
    function _target(OpeningPlan memory p, PlanDraft memory d, uint256 step) private pure returns (Sums memory sums) {
        uint256 n = d.list.length;
        bytes memory targets = p.targets;
        unchecked {
            for (uint256 i; i < n; ++i) {
                (uint256 price, uint256 held) = (d.prices.get(i), d.units.get(i));
                if (PlanDrafts.isHeld(price)) {
                    targets.put(i, Side.Held, held, 0);
                    continue;
                }
                (uint256 unit, uint256 value) = (d.goals.get(i), d.values.get(i));
                // Domain.TARGET_BITS and PRICE_BITS; sums over 50. {USD / share}, down, as for what is held
                uint256 goal = (unit * price).rawDiv(d.ones.get(i));
                Side side;
                if (unit < held) {
                    side = Side.Sell;
                    sums.surplus += value - goal;
                    if (unit == 0) p.leaves = true;
                } else if (unit > held) {
                    side = Side.Buy;
                    sums.held += value;
                    sums.goal += goal;
                    if (goal > value + step) sums.excess += goal - value - step;
                }
                targets.put(i, side, unit, price);
            }
        }
    }

    /// @dev Holds the rise of each weight to `step` (USD of a share). What the limited buys will not take stays with
    /// the sells, each giving up the same fraction of its surplus, so that values still match.
    function _limitSteps(PlanDraft memory d, Sums memory sums, uint256 step) private pure {
        uint256 excess = Math.min(sums.excess, sums.surplus);
        for (uint256 i; i < d.list.length; ++i) {
            if (PlanDrafts.isHeld(d.prices[i])) continue;
            (uint256 unit, uint256 held, uint256 value) = (d.goals[i], d.units[i], d.values[i]);
            if (unit < held) {
                if (sums.surplus != 0) d.goals[i] = unit + (held - unit) * excess / sums.surplus;
                continue;
            }
            uint256 goal = Value.downPer(unit, d.prices[i], d.ones[i]);
            // {tok / share} = {tok / share} * {USD} / {USD}, down
            if (goal > value + step) d.goals[i] = unit * (value + step) / goal;
        }
    }
}
