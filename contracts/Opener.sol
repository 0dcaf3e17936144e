// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {IERC20Metadata} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Metadata.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";

import {IIndexToken} from "./interfaces/IIndexToken.sol";
import {Constituent, IMethodology, Status} from "./interfaces/IMethodology.sol";
import {IOpener, OpeningPlan} from "./interfaces/IOpener.sol";
import {IOracle} from "./interfaces/IOracle.sol";
import {Side} from "./interfaces/IRebalancer.sol";
import {ComponentList} from "./libraries/ComponentList.sol";
import {Targets} from "./libraries/Targets.sol";
import {Words} from "./libraries/Words.sol";

/// @title Opener
/// @notice See `IOpener`. Stateless: one deployment serves every fund.
contract Opener is IOpener {
    using ComponentList for uint256;
    using SafeCast for uint256;

    /// @dev A holding outside the index worth less than this share of a share's NAV (18 decimals) is dropped.
    uint256 private constant DROP_SHARE = 1e9;
    uint8 private constant MAX_DECIMALS = 27;
    /// @dev Stands for the basis of a frozen component until its value has been counted.
    uint256 private constant FROZEN = type(uint256).max;

    /// @dev What is worked with beside the plan. `scales` are 10^decimals, `values` USD of the units held (18 decimals).
    struct Work {
        uint256[] prices;
        uint256[] scales;
        uint8[] decimals;
        uint256[] values;
        uint256[] units;
    }

    /* PLAN */

    function plan(
        IIndexToken index,
        IOracle oracle,
        IMethodology methodology,
        address determination,
        address previous,
        uint256 maxStep
    ) external view returns (OpeningPlan memory p) {
        uint256[] memory old = Words.read(index.componentsPointer());
        _merge(
            p,
            index,
            old,
            methodology.confirm(Targets.readConstituents(determination), Targets.readConstituents(previous))
        );
        Work memory w;
        w.prices = oracle.prices(_tokens(p.list));
        _measure(p, w, index);
        _drop(p, w);
        uint256 most = index.MAX_COMPONENTS();
        require(p.list.length <= most, TooManyComponents(p.list.length, most));
        p.changed = _differ(old, p.list);
        w.units = methodology.targetUnits(p.basis, p.units, w.prices, w.decimals);
        _target(p, w, maxStep);
    }

    /* STEPS */

    /// @dev Merges what is held with what is included, both ascending. Basis is 0 for what leaves, FROZEN for what stays
    /// as it is.
    function _merge(OpeningPlan memory p, IIndexToken index, uint256[] memory old, Constituent[] memory constituents)
        private
        view
    {
        uint256[] memory list = new uint256[](old.length + constituents.length);
        uint256[] memory basis = new uint256[](list.length);
        uint256 i;
        uint256 n;
        for (uint256 j; j < constituents.length; ++j) {
            Constituent memory c = constituents[j];
            while (i < old.length && old[i].token() < c.token) list[n++] = old[i++];
            bool held = i < old.length && old[i].token() == c.token;
            if (!held && c.status != Status.Included) continue;
            if (c.status == Status.Included) basis[n] = c.basis;
            else if (c.status == Status.Frozen) basis[n] = FROZEN;
            list[n++] = held ? old[i++] : _listing(index, c.token);
        }
        while (i < old.length) list[n++] = old[i++];
        _truncate(list, n);
        _truncate(basis, n);
        (p.list, p.basis) = (list, basis);
    }

    /// @dev A token that comes onto the list.
    function _listing(IIndexToken index, address token) private view returns (uint256) {
        uint8 decimals = IERC20Metadata(token).decimals();
        require(token != address(index) && decimals <= MAX_DECIMALS, UnfitConstituent(token));
        return ComponentList.pack(token, decimals, false);
    }

    /// @dev Units, values and NAV. What is retired, frozen or without a price is left with price 0 and basis 0: held as
    /// it is, out of the weights; of these only the frozen counts in NAV.
    function _measure(OpeningPlan memory p, Work memory w, IIndexToken index) private view {
        uint256 n = p.list.length;
        (uint256 supply, uint256 exponent) = index.supplyAndExponent();
        p.exponent = exponent.toUint88();
        p.units = new uint256[](n);
        w.values = new uint256[](n);
        w.scales = new uint256[](n);
        uint256 nav;
        for (uint256 i; i < n; ++i) {
            uint256 word = p.list[i];
            uint256 price = word.retired() ? 0 : w.prices[i];
            // {tok / 1e18 share} = {tok} * {1e18 share} / {share}, down
            uint256 unit = IERC20(word.token()).balanceOf(address(index)) * 1e18 / supply;
            w.scales[i] = 10 ** word.decimals();
            // {USD / share} = {tok / share} * {USD / whole tok} / {tok / whole tok}, down
            uint256 value = unit * price / w.scales[i];
            nav += value;
            if (p.basis[i] == FROZEN) price = 0;
            if (price == 0) p.basis[i] = 0;
            (p.units[i], w.values[i], w.prices[i]) = (unit, value, price);
        }
        require(nav != 0, NothingToWeigh());
        p.nav = nav.toUint128();
    }

    /// @dev Drops what is outside the index and worth nothing.
    function _drop(OpeningPlan memory p, Work memory w) private pure {
        uint256 n = p.list.length;
        uint256 worthless = p.nav * DROP_SHARE / 1e18;
        uint256 kept;
        w.decimals = new uint8[](n);
        for (uint256 i; i < n; ++i) {
            uint256 word = p.list[i];
            bool empty = p.units[i] == 0 || (w.prices[i] != 0 && w.values[i] <= worthless);
            if (p.basis[i] == 0 && empty && !word.retired()) continue;
            w.decimals[kept] = word.decimals();
            if (kept != i) {
                (p.list[kept], p.basis[kept], p.units[kept]) = (word, p.basis[i], p.units[i]);
                (w.prices[kept], w.scales[kept], w.values[kept]) = (w.prices[i], w.scales[i], w.values[i]);
            }
            ++kept;
        }
        if (kept == n) return;
        _truncate(p.list, kept);
        _truncate(p.basis, kept);
        _truncate(p.units, kept);
        _truncate(w.prices, kept);
        uint8[] memory decimals = w.decimals;
        assembly ("memory-safe") {
            mstore(decimals, kept)
        }
    }

    /// @dev Packs targets and adds up what paces the month.
    function _target(OpeningPlan memory p, Work memory w, uint256 maxStep) private pure {
        uint256 n = p.list.length;
        _limitSteps(p, w, p.nav * maxStep / 1e18);
        p.targets = new uint256[](n);
        uint256 surplus;
        uint256 held;
        uint256 goal;
        uint256 any;
        for (uint256 i; i < n; ++i) {
            uint256 price = w.prices[i];
            if (price == 0) {
                p.targets[i] = Targets.pack(Side.Held, p.units[i].toUint120(), 0);
                continue;
            }
            uint256 unit = w.units[i];
            any |= unit;
            Side side;
            if (unit < p.units[i]) {
                side = Side.Sell;
                surplus += w.values[i] - unit * price / w.scales[i];
            } else if (unit > p.units[i]) {
                side = Side.Buy;
                held += w.values[i];
                goal += unit * price / w.scales[i];
            }
            p.targets[i] = Targets.pack(side, unit.toUint120(), price.toUint128());
        }
        require(any != 0, NothingToWeigh());
        // {1e18} = {USD} * {1e18} / {USD}, down
        p.surplus = (surplus * 1e18 / p.nav).toUint64();
        p.held = (held * 1e18 / p.nav).toUint64();
        p.buyTargets = (goal * 1e18 / p.nav).toUint64();
    }

    /// @dev Holds the rise of each weight to `step` (USD of a share). What the limited buys will not take stays with the
    /// sells, each giving up the same fraction of its surplus, so that values still match.
    function _limitSteps(OpeningPlan memory p, Work memory w, uint256 step) private pure {
        uint256 excess;
        uint256 surplus;
        for (uint256 i; i < p.list.length; ++i) {
            if (w.prices[i] == 0) continue;
            uint256 value = w.values[i];
            uint256 target = w.units[i] * w.prices[i] / w.scales[i];
            if (target > value + step) {
                excess += target - value - step;
                // {tok / share} = {tok / share} * {USD} / {USD}, down
                w.units[i] = w.units[i] * (value + step) / target;
            } else if (value > target) {
                surplus += value - target;
            }
        }
        if (excess == 0 || surplus == 0) return;
        excess = Math.min(excess, surplus);
        for (uint256 i; i < p.list.length; ++i) {
            if (w.prices[i] != 0 && p.units[i] > w.units[i]) {
                w.units[i] += (p.units[i] - w.units[i]) * excess / surplus;
            }
        }
    }

    /* HELPERS */

    function _differ(uint256[] memory a, uint256[] memory b) private pure returns (bool) {
        if (a.length != b.length) return true;
        for (uint256 i; i < a.length; ++i) {
            if (a[i] != b[i]) return true;
        }
        return false;
    }

    function _tokens(uint256[] memory list) private pure returns (address[] memory tokens) {
        tokens = new address[](list.length);
        for (uint256 i; i < list.length; ++i) {
            tokens[i] = list[i].token();
        }
    }

    function _truncate(uint256[] memory list, uint256 n) private pure {
        assembly ("memory-safe") {
            mstore(list, n)
        }
    }
}
