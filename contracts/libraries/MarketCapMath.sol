// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {DynamicArrayLib} from "solady/src/utils/DynamicArrayLib.sol";
import {FixedPointMathLib} from "solady/src/utils/FixedPointMathLib.sol";

import {Domain} from "./Domain.sol";
import {Words} from "./Words.sol";

/// @notice What happens to a weight above the cap.
/// None: nothing. Hard: it becomes the cap. Flexible: it becomes the middle between the cap and the weight held now, if
/// that is less. The excess goes to the uncapped in proportion to their weights, once.
enum Cap {
    None,
    Hard,
    Flexible
}

/// @notice How weights are capped.
/// @param weight The cap, 18 decimals; not read with Cap.None.
/// @param passes How often at most, see `MarketCapMath`; 1 or more.
struct Capping {
    Cap cap;
    uint256 weight;
    uint256 passes;
}

/// @title MarketCapMath
/// @notice The arithmetic of the published DPI rebalances (IndexCoop/index-rebalance-utils): supplies in whole tokens,
/// all else 18-decimal integers, every division rounds down. With p prices:
///
///     D = sum(supply * p) / NAV     u = supply / D     a = p * u / NAV
///     a > cap:   f = cap            S = sum(min(a, cap))      C = sum of the capped
///     others:    f = a + a / (S - C) * (1 - S)                u = f * NAV / p
///
/// That is one pass, the published rule: what the excess lifts above the cap stays there. In each further pass those
/// come to be capped as well, with f in place of a, until nobody new is above the cap.
///
/// @dev Supplies, prices and NAV within `Domain`, NAV above zero; D above zero, which ends where
/// all market caps together are below one share's NAV. D is floored, so n weights add up to at most 1 + 1 / D and at
/// least 1 less n and sum(p) / NAV wei; where the cap bound, to at least 1 less 2 n wei for each pass, and to more than
/// 1 only where they still did when cut: there is no excess then.
library MarketCapMath {
    using DynamicArrayLib for uint256[];
    using FixedPointMathLib for uint256;
    using Words for uint256[];

    uint256 private constant ONE = 1e18;
    /// @dev Bits above a component's units, which have at most 148: the cap bound it; it shares in the weights, set
    /// between passes only.
    uint256 private constant CAPPED = 1 << 255;
    uint256 private constant MEMBER = 1 << 254;

    /// @dev Of units, whoever gives them: more than those of a fund have.
    uint256 private constant GIVEN_BITS = 128;

    /// @dev S, C, and the number of members.
    struct Sums {
        uint256 total;
        uint256 capped;
        uint256 members;
    }

    /// @notice The figures lie outside the domain; `what` names which: "nav", "divisor"; "width" where a supply, price
    /// or unit is too large; "lengths" where lists that belong together differ in length.
    error OutsideDomain(bytes32 what);

    /// @notice NAV of one share in USD with 18 decimals, floored for each component or once over the sum, and the
    /// sum of all market caps.
    function totals(
        uint256[] calldata basis,
        uint256[] calldata units,
        uint256[] calldata prices,
        uint256[] calldata ones,
        bool each
    ) internal pure returns (uint256 nav, uint256 marketCap) {
        unchecked {
            // Domain.SUPPLY_BITS and PRICE_BITS; what is wider is refused below.
            for (uint256 i; i < units.length; ++i) {
                marketCap += uint88(basis.given(i)) * prices.given(i);
            }
        }
        nav = _nav(units, prices, ones, each);
    }

    function _nav(uint256[] calldata units, uint256[] calldata prices, uint256[] calldata ones, bool each)
        private
        pure
        returns (uint256 nav)
    {
        uint256 rest; // {1e-27 USD}
        unchecked {
            // GIVEN_BITS and PRICE_BITS: sums over a list stay below 2**240.
            for (uint256 i; i < units.length; ++i) {
                (uint256 unit, uint256 price, uint256 one) = (units.given(i), prices.given(i), ones.given(i));
                if ((unit >> GIVEN_BITS) | (price >> Domain.PRICE_BITS) != 0) revert OutsideDomain("width");
                uint256 product = unit * price;
                uint256 value = product.rawDiv(one);
                nav += value;
                if (!each) rest += (product - value * one) * Domain.MAX_ONE.rawDiv(one);
            }
            if (!each) nav += rest / Domain.MAX_ONE;
        }
    }

    /// @notice Units (18 decimals whatever the token's) and weights (18 decimals) of components with a basis and a
    /// price; 0 for the others.
    /// @param nav USD of one share, 18 decimals, of what shares in the weights.
    /// @param marketCap Sum of basis x price.
    /// @param basis Supplies in whole tokens, in the lower 88 bits. @param prices USD for one whole token, 18 decimals.
    /// @dev Warning: it does not check that prices are below 2**100, without which it could overflow.
    /// @param current Weights held now, 18 decimals; read for Cap.Flexible only, and may be empty for the others.
    function weigh(
        uint256 nav,
        uint256 marketCap,
        uint256[] memory basis,
        uint256[] memory prices,
        uint256[] memory current,
        Capping memory capping
    ) internal pure returns (uint256[] memory units, uint256[] memory weights) {
        require(nav != 0 && nav >> Domain.NAV_BITS == 0, OutsideDomain("nav"));
        (units, weights) = _uncapped(nav, marketCap / nav, basis, prices); // {share} = {USD} / {USD / share}
        if (capping.cap == Cap.None) return (units, weights);
        Sums memory sums;
        if (!_cut(units, weights, current, capping, sums)) return (units, weights);
        if (capping.passes == 1) {
            _share(nav, units, weights, prices, sums, 0);
            return (units, weights);
        }
        for (uint256 pass = 1;; ++pass) {
            _share(nav, units, weights, prices, sums, MEMBER);
            // Where all were capped they weigh the same.
            bool all = sums.total == sums.capped;
            if (pass == capping.passes || all || !_cut(units, weights, current, capping, sums)) break;
        }
        for (uint256 i; i < units.length; ++i) {
            units[i] &= MEMBER - 1;
        }
    }

    /// @dev Units and weights before the cap. `divisor`: D.
    function _uncapped(uint256 nav, uint256 divisor, uint256[] memory basis, uint256[] memory prices)
        private
        pure
        returns (uint256[] memory units, uint256[] memory weights)
    {
        require(divisor != 0, OutsideDomain("divisor"));
        uint256 n = basis.length;
        (units, weights) = (DynamicArrayLib.malloc(n), DynamicArrayLib.malloc(n));
        unchecked {
            // Units below 2**148, prices of Domain.PRICE_BITS; weights are at most 2e18 each.
            for (uint256 i; i < n; ++i) {
                uint256 price = prices.get(i);
                uint256 unit = price == 0 ? 0 : (uint256(uint88(basis.get(i))) * ONE).rawDiv(divisor);
                units.set(i, unit);
                // {1e18} = {USD / tok} * {tok / share} / {USD / share}; at most 2e18
                weights.set(i, (price * unit).rawDiv(nav));
            }
        }
    }

    /// @dev Most that component `i` may weigh once it is above the cap.
    function _limit(Capping memory capping, uint256[] memory current, uint256 i) private pure returns (uint256) {
        unchecked {
            // Weights, at most 2e18 each.
            return capping.cap == Cap.Hard ? capping.weight : (capping.weight + current.get(i)) / 2;
        }
    }

    /// @dev Caps those that are above the cap and were not capped yet; says whether there are any. Fills in the sums.
    function _cut(
        uint256[] memory units,
        uint256[] memory weights,
        uint256[] memory current,
        Capping memory capping,
        Sums memory sums
    ) private pure returns (bool any) {
        (uint256 total, uint256 members) = (0, 0);
        unchecked {
            // Weights, at most 2e18 each.
            for (uint256 i; i < units.length; ++i) {
                (uint256 unit, uint256 weight) = (units.get(i), weights.get(i));
                if (unit == 0) continue;
                ++members;
                if (weight > capping.weight && unit & CAPPED == 0) {
                    uint256 limit = _limit(capping, current, i);
                    if (weight > limit) {
                        (weight, any) = (limit, true);
                        units.set(i, CAPPED);
                        weights.set(i, limit);
                        sums.capped += limit;
                    }
                }
                total += weight;
            }
        }
        (sums.total, sums.members) = (total, members);
    }

    /// @dev Gives what the capped left to the others, and all members their units; `mark` is set in those, and that
    /// they are capped stays, where another pass may follow.
    function _share(
        uint256 nav,
        uint256[] memory units,
        uint256[] memory weights,
        uint256[] memory prices,
        Sums memory sums,
        uint256 mark
    ) private pure {
        uint256 n = units.length;
        unchecked {
            // The capped are part of the total. Weights are at most 2e18 each, NAV has Domain.NAV_BITS.
            uint256 free = sums.total - sums.capped;
            // Where D is small its rounding alone may leave more than 1: nothing is left over then.
            uint256 excess = sums.total < ONE ? ONE - sums.total : 0;
            // All are capped: nobody is left to take the excess, so all weigh the same.
            uint256 equal = free == 0 ? ONE / sums.members : 0;
            for (uint256 i; i < n; ++i) {
                uint256 unit = units.get(i);
                if (unit == 0) continue;
                uint256 weight = weights.get(i);
                uint256 capped = unit & CAPPED;
                if (free == 0) weight = equal;
                // A weight is part of what is free, so that it rises by the excess at most.
                else if (capped == 0) weight += (weight * ONE).rawDiv(free) * excess / ONE;
                weights.set(i, weight);
                unit = (weight * nav).rawDiv(prices.get(i));
                units.set(i, mark == 0 ? unit : unit | mark | capped);
            }
        }
    }
}
