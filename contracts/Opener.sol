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
import {Side, Target} from "./interfaces/IRebalancer.sol";
import {Component} from "./libraries/ComponentList.sol";
import {Targets} from "./libraries/Targets.sol";
import {Value} from "./libraries/Value.sol";

/// @title Opener
/// @notice See `IOpener`. Stateless: one deployment serves every fund.
contract Opener is IOpener {
    using SafeCast for uint256;

    /// @dev A holding outside the index worth less than this share of a share's NAV (18 decimals) is dropped.
    uint256 private constant DROP_SHARE = 1e9;
    uint8 private constant MAX_DECIMALS = 27;
    /// @dev Stands for the basis of a frozen component until its value has been counted.
    uint256 private constant FROZEN = type(uint256).max;

    function plan(
        IIndexToken index,
        IOracle oracle,
        IMethodology methodology,
        address determination,
        address previous,
        uint256 maxStep
    ) external view returns (OpeningPlan memory p) {
        Constituent[] memory constituents =
            methodology.confirm(Targets.readConstituents(determination), Targets.readConstituents(previous));
        uint256 exponent;
        (p.supply, exponent) = index.supplyAndExponent();
        p.exponent = exponent.toUint88();
        Component[] memory held = index.components();
        (p.list, p.basis) = _merge(index, held, constituents);
        uint256[] memory prices = oracle.prices(_tokens(p.list));
        _measure(p, index, prices);
        _drop(p, prices);
        uint256 most = index.MAX_COMPONENTS();
        require(p.list.length <= most, TooManyComponents(p.list.length, most));
        p.changed = _differ(held, p.list);
        _weigh(p, methodology);
        _limitSteps(p, maxStep);
        _sides(p);
    }

    /// @dev Merges what is held with what is included, both ascending. Basis is 0 for what leaves, FROZEN for what stays
    /// as it is.
    function _merge(IIndexToken index, Component[] memory old, Constituent[] memory constituents)
        private
        view
        returns (Component[] memory list, uint256[] memory basis)
    {
        uint256 most = old.length + constituents.length;
        list = new Component[](most);
        basis = new uint256[](most);
        uint256 i;
        uint256 n;
        for (uint256 j; j < constituents.length; ++j) {
            Constituent memory c = constituents[j];
            while (i < old.length && old[i].token < c.token) list[n++] = old[i++];
            bool held = i < old.length && old[i].token == c.token;
            if (!held && c.status != Status.Included) continue;
            if (c.status == Status.Included) basis[n] = c.basis;
            else if (c.status == Status.Frozen) basis[n] = FROZEN;
            list[n++] = held ? old[i++] : _listing(index, c.token);
        }
        while (i < old.length) list[n++] = old[i++];
        _truncate(list, basis, n);
    }

    /// @dev A token that comes onto the list.
    function _listing(IIndexToken index, address token) private view returns (Component memory c) {
        c = Component(token, IERC20Metadata(token).decimals(), false);
        require(token != address(index) && c.decimals <= MAX_DECIMALS, UnfitConstituent(token));
    }

    /// @dev Units, prices and NAV. What is retired, frozen or without a price is left with price 0 and basis 0: held as
    /// it is, out of the weights; of these only the frozen counts in NAV.
    function _measure(OpeningPlan memory p, IIndexToken index, uint256[] memory prices) private view {
        uint256 n = p.list.length;
        p.units = new uint256[](n);
        uint256 nav;
        for (uint256 i; i < n; ++i) {
            if (p.list[i].retired) prices[i] = 0;
            // {tok / 1e18 share} = {tok} * {1e18 share} / {share}, down
            p.units[i] = IERC20(p.list[i].token).balanceOf(address(index)) * 1e18 / p.supply;
            nav += Value.down(p.units[i], prices[i], p.list[i].decimals);
            if (p.basis[i] == FROZEN) prices[i] = 0;
            if (prices[i] == 0) p.basis[i] = 0;
        }
        require(nav != 0, NothingToWeigh());
        p.nav = nav.toUint128();
    }

    /// @dev Drops what is outside the index and worth nothing, and fills the prices of `targets`.
    function _drop(OpeningPlan memory p, uint256[] memory prices) private pure {
        uint256[] memory basis = p.basis;
        uint256 n = p.list.length;
        uint256 worthless = p.nav * DROP_SHARE / 1e18;
        uint256 kept;
        p.targets = new Target[](n);
        for (uint256 i; i < n; ++i) {
            Component memory c = p.list[i];
            bool empty = p.units[i] == 0 || (prices[i] != 0 && Value.down(p.units[i], prices[i], c.decimals) <= worthless);
            if (basis[i] == 0 && empty && !c.retired) continue;
            (p.list[kept], basis[kept], p.units[kept]) = (c, basis[i], p.units[i]);
            p.targets[kept].price = prices[i].toUint128();
            ++kept;
        }
        _truncate(p.list, basis, kept);
        (uint256[] memory units, Target[] memory targets) = (p.units, p.targets);
        assembly ("memory-safe") {
            mstore(units, kept)
            mstore(targets, kept)
        }
    }

    /// @dev Asks the methodology; what is out of the weights keeps its unit.
    function _weigh(OpeningPlan memory p, IMethodology methodology) private view {
        uint256 n = p.list.length;
        uint256[] memory prices = new uint256[](n);
        uint8[] memory decimals = new uint8[](n);
        for (uint256 i; i < n; ++i) {
            prices[i] = p.targets[i].price;
            decimals[i] = p.list[i].decimals;
        }
        uint256[] memory units = methodology.targetUnits(p.basis, p.units, prices, decimals);
        bool any;
        for (uint256 i; i < n; ++i) {
            any = any || units[i] != 0;
            p.targets[i].unit = (prices[i] == 0 ? p.units[i] : units[i]).toUint120();
        }
        require(any, NothingToWeigh());
    }

    /// @dev Holds the rise of each weight to `maxStep`. What the limited buys will not take stays with the sells, each
    /// giving up the same fraction of its surplus, so that values still match.
    function _limitSteps(OpeningPlan memory p, uint256 maxStep) private pure {
        uint256 step = p.nav * maxStep / 1e18;
        uint256 excess;
        uint256 surplus;
        for (uint256 i; i < p.list.length; ++i) {
            Target memory t = p.targets[i];
            if (t.price == 0) continue;
            (uint256 value, uint256 target) = _values(p, i);
            if (target > value + step) {
                excess += target - value - step;
                // {tok / share} = {tok / share} * {USD} / {USD}, down
                t.unit = (t.unit * (value + step) / target).toUint120();
            } else if (value > target) {
                surplus += value - target;
            }
        }
        if (excess == 0 || surplus == 0) return;
        excess = Math.min(excess, surplus);
        for (uint256 i; i < p.list.length; ++i) {
            Target memory t = p.targets[i];
            if (t.price != 0 && p.units[i] > t.unit) {
                t.unit += ((p.units[i] - t.unit) * excess / surplus).toUint120();
            }
        }
    }

    /// @dev Sides, and the sums that pace the month. All shares of NAV round down.
    function _sides(OpeningPlan memory p) private pure {
        uint256 surplus;
        uint256 held;
        uint256 buyTargets;
        for (uint256 i; i < p.list.length; ++i) {
            Target memory t = p.targets[i];
            if (t.price == 0 || t.unit == p.units[i]) continue;
            (uint256 value, uint256 target) = _values(p, i);
            if (t.unit < p.units[i]) {
                t.side = Side.Sell;
                surplus += value - target;
            } else {
                t.side = Side.Buy;
                held += value;
                buyTargets += target;
            }
        }
        p.surplus = (surplus * 1e18 / p.nav).toUint64();
        p.held = (held * 1e18 / p.nav).toUint64();
        p.buyTargets = (buyTargets * 1e18 / p.nav).toUint64();
    }

    /// @dev USD of the unit held and of the target unit of component `i`.
    function _values(OpeningPlan memory p, uint256 i) private pure returns (uint256 value, uint256 target) {
        Target memory t = p.targets[i];
        value = Value.down(p.units[i], t.price, p.list[i].decimals);
        target = Value.down(t.unit, t.price, p.list[i].decimals);
    }

    function _differ(Component[] memory a, Component[] memory b) private pure returns (bool) {
        if (a.length != b.length) return true;
        for (uint256 i; i < a.length; ++i) {
            if (a[i].token != b[i].token) return true;
        }
        return false;
    }

    function _tokens(Component[] memory list) private pure returns (address[] memory tokens) {
        tokens = new address[](list.length);
        for (uint256 i; i < list.length; ++i) {
            tokens[i] = list[i].token;
        }
    }

    function _truncate(Component[] memory list, uint256[] memory basis, uint256 n) private pure {
        assembly ("memory-safe") {
            mstore(list, n)
            mstore(basis, n)
        }
    }
}
