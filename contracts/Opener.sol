// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";

import {DynamicArrayLib} from "solady/src/utils/DynamicArrayLib.sol";
import {FixedPointMathLib} from "solady/src/utils/FixedPointMathLib.sol";

import {IIndexToken} from "./interfaces/IIndexToken.sol";
import {Constituent, Flags, IMethodology, Status} from "./interfaces/IMethodology.sol";
import {IOpener, OpeningPlan, Remainder} from "./interfaces/IOpener.sol";
import {IOracle} from "./interfaces/IOracle.sol";
import {Opening, Progress} from "./interfaces/IRebalancer.sol";
import {Balance} from "./libraries/Balance.sol";
import {Component, ComponentList} from "./libraries/ComponentList.sol";
import {Constituents} from "./libraries/Constituents.sol";
import {Decimals} from "./libraries/Decimals.sol";
import {Determination} from "./libraries/Determination.sol";
import {Lists} from "./libraries/Lists.sol";
import {MonthTargets, Work} from "./libraries/MonthTargets.sol";
import {Remaining} from "./libraries/Remaining.sol";
import {Value} from "./libraries/Value.sol";
import {Words} from "./libraries/Words.sol";

/// @title Opener
/// @notice See `IOpener`. Stateless: one deployment serves every fund.
contract Opener is IOpener {
    using ComponentList for uint256;
    using DynamicArrayLib for uint256[];
    using FixedPointMathLib for uint256;
    using SafeCast for uint256;

    /// @dev What is sound: units, prices and values of a share of so many bits. No arithmetic here overflows with them.
    uint256 private constant UNIT_BITS = 119;
    uint256 private constant PRICE_BITS = 100;
    uint256 private constant VALUE_BITS = 98;
    /// @dev Target units have one bit more than units that are held.
    uint256 private constant TARGET_BITS = 120;
    /// @dev Stands for the basis of a frozen component until its value has been counted.
    uint256 private constant FROZEN = type(uint256).max;
    /// @dev Stands for the worth of what is not dropped, whatever it is worth.
    uint256 private constant STAYS = type(uint256).max;
    uint256 private constant INCLUDED = uint256(Status.Included);
    /// @dev Most components and newcomers that a start reads. Above a list's 50, so that newcomers can take the places of what
    /// this start drops, and of newcomers that turn out to be dead. Below the 100 that a determination can name, so that a start fits
    /// into a transaction whatever the tokens burn.
    uint256 private constant MOST_READ = 60;

    /// @dev A component that is not simply weighed, as `_measure` found it.
    struct Aside {
        bool sound;
        uint256 balance;
        uint256 unit;
        uint256 price;
        uint256 value;
        uint256 one;
        uint256 supply;
    }

    /* DETERMINATION AND REMAINDER */

    /// @inheritdoc IOpener
    function constituents(
        IIndexToken index,
        IOracle oracle,
        IMethodology methodology,
        address determination,
        bool started
    ) external view returns (Constituent[] memory) {
        return Determination.make(index, oracle, methodology, Determination.previous(determination, started));
    }

    /// @inheritdoc IOpener
    function without(IIndexToken index, Opening calldata opening, Progress calldata progress, address token)
        external
        view
        returns (Remainder memory)
    {
        return Remaining.without(index, opening, progress, token);
    }

    /* PLAN */

    /// @inheritdoc IOpener
    function plan(
        IIndexToken index,
        IOracle oracle,
        IMethodology methodology,
        address determination,
        uint256 maxStep,
        uint256 maxDrop
    ) external view returns (OpeningPlan memory p) {
        Work memory w;
        w.determined = Words.read(determination);
        w.answers = Lists.ask(address(methodology), IMethodology.confirm.selector, w.determined);
        bool confirmed = _merge(p, w, index);
        w.prices = Lists.ask(address(oracle), IOracle.prices.selector, w.tokens);
        require(w.prices.length == w.list.length, WrongLength(w.list.length, w.prices.length));
        bool aside = _measure(p, w, index);
        if (aside) w.budget = p.nav * maxDrop / 1e18;
        // Without newcomers there is room for all.
        _choose(p, w, address(methodology), p.changed ? index.MAX_COMPONENTS() : w.list.length, aside);
        // What came onto the list may have gone again.
        if (p.changed && (p.changed = _differ(Words.read(index.componentsPointer()), w.list))) p.list = w.list;
        if (confirmed) p.basis = w.basis;
        if (w.confirms) {
            Constituents.confirm(w.determined, w.answers);
            p.confirmed = w.determined;
        }
        MonthTargets.fill(p, w, maxStep);
    }

    function _differ(uint256[] memory a, uint256[] memory b) private pure returns (bool) {
        return keccak256(abi.encodePacked(a)) != keccak256(abi.encodePacked(b));
    }

    /* MERGING */

    /// @dev Merges what is held with what is included, both ascending. Basis is 0 for what leaves, FROZEN for what stays
    /// as it is. Says whether any basis is not as it was determined.
    function _merge(OpeningPlan memory p, Work memory w, IIndexToken index) private view returns (bool) {
        uint256[] memory old = Words.read(index.componentsPointer());
        (uint256 m, uint256 k) = (old.length, w.answers.length);
        require(k == w.determined.length / 2, WrongLength(w.determined.length / 2, k));
        if (k > MOST_READ) _limitNewcomers(w, old);
        uint256 i;
        uint256 n;
        uint256 flags;
        unchecked {
            (w.list, w.basis) = (DynamicArrayLib.malloc(m + k), DynamicArrayLib.malloc(m + k));
            w.tokens = DynamicArrayLib.malloc(m + k);
            for (uint256 j; j < k; ++j) {
                (address token, uint256 basis, uint256 status) = _row(w, j);
                while (i < m && old.get(i).token() < token) _add(w, n++, old.get(i++), 0);
                bool held = i < m && old.get(i).token() == token;
                if (status == INCLUDED) {
                    flags |= basis;
                } else {
                    if (!held) continue;
                    basis = status == uint256(Status.Frozen) ? FROZEN : 0;
                }
                if (held) {
                    _add(w, n++, old.get(i++), basis);
                    continue;
                }
                (bool fit, uint256 word) = _listing(index, token);
                if (fit) {
                    p.changed = true;
                    w.newcomers |= 1 << n;
                    _add(w, n++, word, basis);
                } else {
                    _leaveOut(w, j);
                }
            }
            while (i < m) _add(w, n++, old.get(i++), 0);
        }
        w.list.truncate(n);
        w.tokens.truncate(n);
        w.basis.truncate(n);
        return Constituents.flags(flags) & Flags.CONFIRMED_AT_START != 0;
    }

    /// @dev Token of a row, and basis with flags and status as they count now. The status is a number, since Solidity checks an enum
    /// wherever it is looked at.
    function _row(Work memory w, uint256 j) private pure returns (address token, uint256 basis, uint256 status) {
        unchecked {
            uint256[] memory determined = w.determined;
            (uint256 word, uint256 more) = (determined.get(2 * j), determined.get(2 * j + 1));
            token = Constituents.token(word);
            uint256 answer = w.answers.get(j);
            // Mostly nothing has changed.
            if (answer != Constituents.asConfirmed(word, more)) {
                w.confirms = true;
                answer = Determination.within(answer, more);
                w.answers.set(j, answer);
            }
            return (token, Constituents.basisAndFlags(answer), answer >> 96);
        }
    }

    /// @dev Makes a row one that is not in the index this month.
    function _leaveOut(Work memory w, uint256 j) private pure {
        w.confirms = true;
        w.answers[j] = Determination.outside(w.answers[j]);
    }

    function _add(Work memory w, uint256 n, uint256 word, uint256 basis) private pure {
        w.list.set(n, word);
        w.tokens.set(n, word.token());
        w.basis.set(n, basis);
    }

    /// @dev Lets newcomers wait, those with the least determined weight first, until a start can read the others.
    function _limitNewcomers(Work memory w, uint256[] memory old) private pure {
        uint256 k = w.answers.length;
        uint256[] memory weights = DynamicArrayLib.malloc(k);
        uint256 n = old.length;
        uint256 i;
        for (uint256 j; j < k; ++j) {
            (address token, uint256 more) = (Constituents.token(w.determined.get(2 * j)), w.determined.get(2 * j + 1));
            while (i < old.length && old.get(i).token() < token) ++i;
            // As `_row` has it, but for what has no basis.
            bool newcomer = w.answers.get(j) >> 96 == INCLUDED && Constituents.status(more) == Status.Included
                && (i == old.length || old.get(i).token() != token);
            if (newcomer) ++n;
            weights.set(j, newcomer ? Constituents.weight(more) : STAYS);
        }
        for (; n > MOST_READ; --n) {
            uint256 least = _least(weights);
            weights.set(least, STAYS);
            _leaveOut(w, least);
        }
    }

    /// @dev Position of the first of the least entries.
    function _least(uint256[] memory list) private pure returns (uint256 least) {
        for (uint256 i = 1; i < list.length; ++i) {
            if (list.get(i) < list.get(least)) least = i;
        }
    }

    /// @dev The entry of a token that comes onto the list, if the list can take it: a share must never back itself. One that was
    /// written off carries the mark until `_setAside` has seen that the fund holds none of it.
    function _listing(IIndexToken index, address token) private view returns (bool fit, uint256 word) {
        uint8 decimals;
        (fit, decimals) = Decimals.tryRead(token);
        if (!fit || token == address(index)) return (false, 0);
        return (true, ComponentList.pack(Component(token, decimals, 0, index.writtenOff(token))));
    }

    /* MEASURING */

    /// @dev Units, values and NAV. Says whether anything is not weighed.
    function _measure(OpeningPlan memory p, Work memory w, IIndexToken index) private view returns (bool aside) {
        (uint256[] memory list, uint256[] memory prices) = (w.list, w.prices);
        uint256 n = list.length;
        (uint256 supply, uint256 exponent) = index.supplyAndExponent();
        require(supply != 0, NothingToWeigh());
        p.exponent = exponent.toUint88();
        (w.units, w.values, w.ones, w.worths) = (DynamicArrayLib.malloc(n), DynamicArrayLib.malloc(n), DynamicArrayLib.malloc(n), DynamicArrayLib.malloc(n));
        uint256 nav;
        unchecked {
            for (uint256 i; i < n; ++i) {
                uint256 word = list.get(i);
                uint256 price = prices.get(i);
                (bool sound, uint256 balance) = Balance.tryRead(word.token(), address(index));
                // {tok / 1e18 share} = {tok} * {1e18 share} / {share}, down
                uint256 unit = (balance * 1e18).rawDiv(supply);
                uint256 one = Value.oneOf(word.decimals());
                // {USD / share} = {tok / share} * {USD / whole tok} / {tok / whole tok}, down
                uint256 value = (unit * price).rawDiv(one);
                uint256 basis = w.basis.get(i);
                bool wide = (unit >> UNIT_BITS) | (price >> PRICE_BITS) | (value >> VALUE_BITS) != 0;
                // Wraps around for FROZEN.
                if (wide || !sound || price == 0 || basis + 1 < 2 || word.marked()) {
                    aside = true;
                    (unit, price, value) = _setAside(w, i, Aside(sound && !wide, balance, unit, price, value, one, supply));
                }
                nav += value;
                w.ones.set(i, one);
                prices.set(i, price);
                w.values.set(i, value);
                w.units.set(i, unit);
            }
        }
        require(nav != 0, NothingToWeigh());
        p.nav = nav.toUint128();
    }

    /// @dev What is not sound, has no price, or is suspended or written off, is left with price 0 and basis 0: held as it is, out
    /// of the weights and of NAV. So is what is frozen, but its value stays in NAV. Of the others, what is outside the index
    /// is sold. Returns unit, price and value.
    function _setAside(Work memory w, uint256 i, Aside memory a) private view returns (uint256, uint256, uint256) {
        uint256 basis = w.basis[i];
        bool newcomer = (w.newcomers >> i) & 1 != 0;
        // Written off once, and gone from the fund: it comes back as any other.
        if (newcomer && a.sound && a.balance == 0) w.list[i] = w.list[i].withState(0, false);
        w.worths[i] = _worth(w, i, a);
        if (!a.sound || a.price == 0 || w.list[i].inactive()) {
            w.basis[i] = 0;
            return (a.sound ? a.unit : 0, 0, 0);
        }
        if (basis == FROZEN) w.basis[i] = 0;
        return (a.unit, basis == FROZEN ? 0 : a.price, a.value);
    }

    /// @dev What would be lost by dropping component `i`, USD of a share, rounded up, at the higher of the determination's price
    /// and today's; STAYS for what is not dropped. A suspended one stays even with nothing held: what it says of itself is not
    /// to be relied on, and its suspension would go with it.
    function _worth(Work memory w, uint256 i, Aside memory a) private view returns (uint256) {
        uint256 word = w.list[i];
        if (word.writtenOff()) return 0;
        if (word.suspended()) return STAYS;
        bool outside = w.basis[i] == 0;
        if (a.sound && a.balance == 0) return 0;
        if (!outside || !a.sound || a.price == 0) return STAYS;
        (bool found, uint256 row) = _find(w, word.token());
        uint256 before = found ? Constituents.price(w.determined[2 * row + 1]) : 0;
        if (before == 0) return STAYS;
        // Below 2**156 * 2**100. {USD / share} = {tok} * {USD / whole tok} * {1e18 share} / ({tok / whole tok} * {share}), up
        return Math.mulDiv(a.balance * Math.max(a.price, before), 1e18, a.one * a.supply, Math.Rounding.Ceil);
    }

    /* CHOOSING */

    /// @dev Drops what goes, lets newcomers wait for whom there is no room, and has the methodology say what it wants of the rest.
    /// A component whose price is so low that its target is too large for any list is set aside, and the others asked again.
    function _choose(OpeningPlan memory p, Work memory w, address rule, uint256 most, bool aside) private view {
        for (bool again;; again = true) {
            if (aside || w.list.length > most) _drop(p, w, most);
            uint256 n = w.list.length;
            w.goals = Lists.ask(rule, IMethodology.targetUnits.selector, w.basis, w.units, w.prices, w.ones);
            require(w.goals.length == n, WrongLength(n, w.goals.length));
            uint256 wanted = _allBits(w.goals);
            require(wanted != 0, NothingToWeigh());
            w.widest = wanted | _allBits(w.units);
            if (wanted >> TARGET_BITS == 0) return;
            require(!again, TooLarge());
            aside = true;
            for (uint256 i; i < n; ++i) {
                if (w.goals[i] >> TARGET_BITS == 0) continue;
                p.nav -= uint128(w.values[i]);
                (w.basis[i], w.prices[i], w.values[i], w.worths[i]) = (0, 0, 0, STAYS);
            }
            require(p.nav != 0, NothingToWeigh());
        }
    }

    /// @dev All bits that the entries of a list have.
    function _allBits(uint256[] memory list) private pure returns (uint256 bits) {
        unchecked {
            for (uint256 i; i < list.length; ++i) {
                bits |= list.get(i);
            }
        }
    }

    /// @dev Takes off the list what is dropped and what waits. Newcomers that are not weighed never come onto it.
    function _drop(OpeningPlan memory p, Work memory w, uint256 most) private pure {
        uint256 n = w.list.length;
        uint256 kept = n;
        for (uint256 i; i < n; ++i) {
            if (w.basis[i] != 0) continue;
            if ((w.newcomers >> i) & 1 == 0) {
                // What is held as it is keeps its price of 0 in the plan, and its worth is STAYS.
                if (w.worths[i] > w.budget) continue;
                w.budget -= w.worths[i];
            }
            _strike(w, i);
            --kept;
        }
        if (kept > most) kept = _makeRoom(w, kept, most);
        if (kept == n) return;
        p.changed = true;
        kept = 0;
        uint256 newcomers;
        for (uint256 i; i < n; ++i) {
            if (w.list[i] == 0) continue;
            newcomers |= ((w.newcomers >> i) & 1) << kept;
            if (kept != i) {
                (w.list[kept], w.units[kept]) = (w.list[i], w.units[i]);
                (w.basis[kept], w.prices[kept], w.ones[kept]) = (w.basis[i], w.prices[i], w.ones[i]);
                (w.values[kept], w.worths[kept]) = (w.values[i], w.worths[i]);
            }
            ++kept;
        }
        w.newcomers = newcomers;
        w.list.truncate(kept);
        w.units.truncate(kept);
        w.basis.truncate(kept);
        w.prices.truncate(kept);
        w.ones.truncate(kept);
    }

    /// @dev Marks a component as gone. A newcomer's row becomes one outside the index.
    function _strike(Work memory w, uint256 i) private pure {
        if ((w.newcomers >> i) & 1 != 0) {
            (, uint256 row) = _find(w, w.list[i].token());
            _leaveOut(w, row);
        }
        w.list[i] = 0;
    }

    /// @dev Strikes newcomers, those with the least determined weight first, until there is room. Held components alone never
    /// exceed a list.
    function _makeRoom(Work memory w, uint256 kept, uint256 most) private pure returns (uint256) {
        uint256 n = w.list.length;
        uint256[] memory weights = DynamicArrayLib.malloc(n);
        for (uint256 i; i < n; ++i) {
            bool waits = w.list[i] != 0 && (w.newcomers >> i) & 1 != 0;
            (, uint256 row) = waits ? _find(w, w.list[i].token()) : (false, 0);
            weights.set(i, waits ? Constituents.weight(w.determined[2 * row + 1]) : STAYS);
        }
        for (; kept > most; --kept) {
            uint256 least = _least(weights);
            weights.set(least, STAYS);
            _strike(w, least);
        }
        return kept;
    }

    /// @dev A token's row in the determination.
    function _find(Work memory w, address token) private pure returns (bool found, uint256 row) {
        uint256 n = w.answers.length;
        while (row < n && Constituents.token(w.determined.get(2 * row)) != token) ++row;
        return (row < n, row);
    }
}
