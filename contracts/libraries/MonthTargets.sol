// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";

import {DynamicArrayLib} from "solady/src/utils/DynamicArrayLib.sol";
import {FixedPointMathLib} from "solady/src/utils/FixedPointMathLib.sol";

import {OpeningPlan} from "../interfaces/IOpener.sol";
import {Side} from "../interfaces/IRebalancer.sol";
import {Targets} from "./Targets.sol";
import {Value} from "./Value.sol";

/// @notice What an opening works with beside the plan. In the order of the determination: its words, and what each row is confirmed
/// with. In the order of the plan's list: `units`, that are held; `basis`, with its flags; `ones`, token wei of one whole token; `values`, USD of the
/// units held; `worths`, what would be lost by dropping what is not weighed, USD of a share; `goals`, units that the
/// methodology wants. `newcomers`: bits of those that are not on the list yet;
/// `budget`: what may yet be dropped, USD of a share; `widest`: all bits that units have;
/// `confirms`: something is not as it was determined.
struct Work {
    uint256[] determined;
    uint256[] answers;
    uint256[] list;
    uint256[] units;
    uint256[] tokens;
    uint256[] basis;
    uint256[] prices;
    uint256[] ones;
    uint256[] values;
    uint256[] worths;
    uint256[] goals;
    uint256 newcomers;
    uint256 budget;
    uint256 widest;
    bool confirms;
}

/// @title MonthTargets
/// @notice Packs what the methodology wants as the month's targets, holds every rise of a weight to the step, and adds up what
/// paces the month. See `IOpener`.
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

    /// @notice Fills in targets, surplus, held and buyTargets of a plan whose NAV stands.
    /// @param maxStep Most that a weight may rise, 18 decimals.
    function fill(OpeningPlan memory p, Work memory w, uint256 maxStep) internal pure {
        p.targets = Targets.room(w.list.length, w.widest);
        uint256 step = p.nav * maxStep / 1e18;
        Sums memory sums = _target(p, w, step);
        if (sums.excess != 0) {
            _limitSteps(w, sums, step);
            sums = _target(p, w, type(uint128).max);
        }
        // {1e18} = {USD} * {1e18} / {USD}, down
        p.surplus = (sums.surplus * 1e18 / p.nav).toUint64();
        p.held = (sums.held * 1e18 / p.nav).toUint64();
        p.buyTargets = (sums.goal * 1e18 / p.nav).toUint64();
    }

    /// @dev Packs targets and adds up what paces the month, and by how much buys rise above `step` (USD of a share).
    function _target(OpeningPlan memory p, Work memory w, uint256 step) private pure returns (Sums memory sums) {
        uint256 n = w.list.length;
        bytes memory targets = p.targets;
        unchecked {
            for (uint256 i; i < n; ++i) {
                (uint256 price, uint256 held) = (w.prices.get(i), w.units.get(i));
                if (price == 0) {
                    targets.put(i, Side.Held, held, 0);
                    continue;
                }
                (uint256 unit, uint256 value) = (w.goals.get(i), w.values.get(i));
                uint256 goal = (unit * price).rawDiv(w.ones.get(i)); // {USD / share}, down, as for what is held
                Side side;
                if (unit < held) {
                    side = Side.Sell;
                    sums.surplus += value - goal;
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

    /// @dev Holds the rise of each weight to `step` (USD of a share). What the limited buys will not take stays with the
    /// sells, each giving up the same fraction of its surplus, so that values still match.
    function _limitSteps(Work memory w, Sums memory sums, uint256 step) private pure {
        uint256 excess = Math.min(sums.excess, sums.surplus);
        for (uint256 i; i < w.list.length; ++i) {
            if (w.prices[i] == 0) continue;
            (uint256 unit, uint256 held, uint256 value) = (w.goals[i], w.units[i], w.values[i]);
            if (unit < held) {
                if (sums.surplus != 0) w.goals[i] = unit + (held - unit) * excess / sums.surplus;
                continue;
            }
            uint256 goal = Value.downPer(unit, w.prices[i], w.ones[i]);
            // {tok / share} = {tok / share} * {USD} / {USD}, down
            if (goal > value + step) w.goals[i] = unit * (value + step) / goal;
        }
    }
}
