// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IERC20Metadata} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Metadata.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";

import {FixedPointMathLib} from "solady/src/utils/FixedPointMathLib.sol";

import {IIndexToken} from "./interfaces/IIndexToken.sol";
import {Flags, IMethodology, Status} from "./interfaces/IMethodology.sol";
import {IOpener, OpeningPlan} from "./interfaces/IOpener.sol";
import {IOracle} from "./interfaces/IOracle.sol";
import {Side} from "./interfaces/IRebalancer.sol";
import {Balance} from "./libraries/Balance.sol";
import {ComponentList} from "./libraries/ComponentList.sol";
import {Constituents} from "./libraries/Constituents.sol";
import {Lists} from "./libraries/Lists.sol";
import {Targets} from "./libraries/Targets.sol";
import {Value} from "./libraries/Value.sol";
import {Words} from "./libraries/Words.sol";

/// @title Opener
/// @notice See `IOpener`. Stateless: one deployment serves every fund.
contract Opener is IOpener {
    using ComponentList for uint256;
    using FixedPointMathLib for uint256;
    using SafeCast for uint256;
    using Targets for bytes;
    using Words for address[];
    using Words for uint256[];

    /// @dev A holding outside the index worth less than this share of a share's NAV (18 decimals) is dropped.
    uint256 private constant DROP_SHARE = 1e9;
    uint8 private constant MAX_DECIMALS = 27;
    /// @dev What fits: balances, units and prices of so many bits. No arithmetic here overflows with them.
    uint256 private constant BALANCE_BITS = 160;
    uint256 private constant UNIT_BITS = 120;
    uint256 private constant PRICE_BITS = 100;
    /// @dev Stands for the basis of a frozen component until its value has been counted.
    uint256 private constant FROZEN = type(uint256).max;

    /// @dev What is worked with beside the plan, in the order of its list. `units` are held; `basis` has its flags; `ones`:
    /// token wei of one whole token; `values`: USD of the units held; `goals`: units that the methodology wants; `widest`:
    /// all bits that units have.
    struct Work {
        uint256[] list;
        uint256[] units;
        address[] tokens;
        uint256[] basis;
        uint256[] prices;
        uint256[] ones;
        uint256[] values;
        uint256[] goals;
        uint256 widest;
    }

    /// @dev Sums over the list, in USD of a share. `excess`: by how much buys rise above the step.
    struct Sums {
        uint256 surplus;
        uint256 held;
        uint256 goal;
        uint256 excess;
    }

    /* PLAN */

    function plan(IIndexToken index, IOracle oracle, IMethodology methodology, address determination, uint256 maxStep)
        external
        view
        returns (OpeningPlan memory p)
    {
        Work memory w;
        uint256[] memory determined = Words.read(determination);
        address rule = address(methodology);
        bool confirmed = _merge(p, w, index, determined, Lists.ask(rule, IMethodology.confirm.selector, determined));
        uint256 n = w.list.length;
        w.prices = Lists.ask(address(oracle), IOracle.prices.selector, w.tokens);
        require(w.prices.length == n, WrongLength(n, w.prices.length));
        if (_measure(p, w, index)) n = _drop(p, w);
        // What came onto the list may have gone again.
        if (p.changed && (p.changed = _differ(Words.read(index.componentsPointer()), w.list))) {
            uint256 most = index.MAX_COMPONENTS();
            require(n <= most, TooManyComponents(n, most));
            p.list = w.list;
        }
        w.goals = Lists.ask(rule, IMethodology.targetUnits.selector, w.basis, w.units, w.prices, w.ones);
        require(w.goals.length == n, WrongLength(n, w.goals.length));
        if (confirmed) p.basis = w.basis;
        p.targets = Targets.room(n, _widest(w));
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

    function _differ(uint256[] memory a, uint256[] memory b) private pure returns (bool) {
        return keccak256(abi.encodePacked(a)) != keccak256(abi.encodePacked(b));
    }

    /* STEPS */

    /// @dev Merges what is held with what is included, both ascending. Basis is 0 for what leaves, FROZEN for what stays
    /// as it is. Says whether any basis is not as it was determined.
    function _merge(
        OpeningPlan memory p,
        Work memory w,
        IIndexToken index,
        uint256[] memory determined,
        uint256[] memory bases
    ) private view returns (bool confirmed) {
        uint256[] memory old = Words.read(index.componentsPointer());
        (uint256 m, uint256 k) = (old.length, bases.length);
        require(k == determined.length / 2, WrongLength(determined.length / 2, k));
        uint256 i;
        uint256 n;
        uint256 flags;
        unchecked {
            (w.list, w.basis) = (Words.room(m + k), Words.room(m + k));
            w.tokens = Words.room(m + k).asAddresses();
            for (uint256 j; j < k; ++j) {
                address token = Constituents.token(determined.at(2 * j));
                Status status = Constituents.status(determined.at(2 * j + 1));
                while (i < m && old.at(i).token() < token) _add(w, n++, old.at(i++), 0);
                bool held = i < m && old.at(i).token() == token;
                if (!held) {
                    if (status != Status.Included) continue;
                    p.changed = true;
                }
                uint256 basis;
                if (status == Status.Included) {
                    basis = bases.at(j);
                    flags |= basis;
                } else if (status == Status.Frozen) {
                    basis = FROZEN;
                }
                _add(w, n++, held ? old.at(i++) : _listing(index, token), basis);
            }
            while (i < m) _add(w, n++, old.at(i++), 0);
        }
        w.list.cut(n);
        w.tokens.cut(n);
        w.basis.cut(n);
        return Constituents.flags(flags) & Flags.CONFIRMED_AT_START != 0;
    }

    function _add(Work memory w, uint256 n, uint256 word, uint256 basis) private pure {
        w.list.set(n, word);
        w.tokens.set(n, word.token());
        w.basis.set(n, basis);
    }

    /// @dev A token that comes onto the list.
    function _listing(IIndexToken index, address token) private view returns (uint256) {
        uint8 decimals = IERC20Metadata(token).decimals();
        require(token != address(index) && decimals <= MAX_DECIMALS, UnfitConstituent(token));
        return ComponentList.pack(token, decimals, false);
    }

    /// @dev Units, values and NAV. What is retired, frozen or without a price is left with price 0 and basis 0: held as
    /// it is, out of the weights; of these only the frozen counts in NAV. Says whether there is anything to drop.
    function _measure(OpeningPlan memory p, Work memory w, IIndexToken index) private view returns (bool worthless) {
        uint256 n = w.list.length;
        (uint256 supply, uint256 exponent) = index.supplyAndExponent();
        require(supply != 0, NothingToWeigh());
        p.exponent = exponent.toUint88();
        (w.units, w.values, w.ones) = (Words.room(n), Words.room(n), Words.room(n));
        uint256 nav;
        uint256 wide;
        uint256 widest;
        unchecked {
            for (uint256 i; i < n; ++i) {
                uint256 word = w.list.at(i);
                uint256 price = word.retired() ? 0 : w.prices.at(i);
                uint256 balance = Balance.read(word.token(), address(index));
                // {tok / 1e18 share} = {tok} * {1e18 share} / {share}, down
                uint256 unit = (balance * 1e18).rawDiv(supply);
                wide |= (balance >> BALANCE_BITS) | (price >> PRICE_BITS);
                widest |= unit;
                w.ones.set(i, Value.oneOf(word.decimals()));
                // {USD / share} = {tok / share} * {USD / whole tok} / {tok / whole tok}, down
                uint256 value = (unit * price).rawDiv(w.ones.at(i));
                nav += value;
                uint256 basis = w.basis.at(i);
                if (basis == FROZEN) price = 0;
                if (price == 0) {
                    basis = 0;
                    w.basis.set(i, 0);
                }
                if (basis == 0) worthless = true;
                w.prices.set(i, price);
                w.values.set(i, value);
                w.units.set(i, unit);
            }
        }
        require(wide | (widest >> UNIT_BITS) == 0, TooLarge());
        w.widest = widest;
        require(nav != 0, NothingToWeigh());
        p.nav = nav.toUint128();
    }

    /// @dev Drops what is outside the index and worth nothing; returns how many components are left.
    function _drop(OpeningPlan memory p, Work memory w) private pure returns (uint256 kept) {
        uint256 n = w.list.length;
        uint256 worthless = p.nav * DROP_SHARE / 1e18;
        for (uint256 i; i < n; ++i) {
            uint256 word = w.list[i];
            bool empty = w.units[i] == 0 || (w.prices[i] != 0 && w.values[i] <= worthless);
            if (w.basis[i] == 0 && empty && !word.retired()) continue;
            if (kept != i) {
                (w.list[kept], w.units[kept]) = (word, w.units[i]);
                (w.basis[kept], w.prices[kept], w.ones[kept]) = (w.basis[i], w.prices[i], w.ones[i]);
                w.values[kept] = w.values[i];
            }
            ++kept;
        }
        if (kept == n) return n;
        p.changed = true;
        w.list.cut(kept);
        w.units.cut(kept);
        w.basis.cut(kept);
        w.prices.cut(kept);
        w.ones.cut(kept);
    }

    /// @dev All bits that units, held or wanted, have.
    function _widest(Work memory w) private pure returns (uint256) {
        uint256 wanted;
        uint256[] memory goals = w.goals;
        unchecked {
            for (uint256 i; i < goals.length; ++i) {
                wanted |= goals.at(i);
            }
        }
        require(wanted != 0, NothingToWeigh());
        require(wanted >> UNIT_BITS == 0, TooLarge());
        return w.widest | wanted;
    }

    /// @dev Packs targets and adds up what paces the month, and by how much buys rise above `step` (USD of a share).
    function _target(OpeningPlan memory p, Work memory w, uint256 step) private pure returns (Sums memory sums) {
        uint256 n = w.list.length;
        bytes memory targets = p.targets;
        unchecked {
            for (uint256 i; i < n; ++i) {
                (uint256 price, uint256 held) = (w.prices.at(i), w.units.at(i));
                if (price == 0) {
                    targets.put(i, Side.Held, held, 0);
                    continue;
                }
                (uint256 unit, uint256 value) = (w.goals.at(i), w.values.at(i));
                uint256 goal = (unit * price).rawDiv(w.ones.at(i)); // {USD / share}, down, as for what is held
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
