// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {FixedPointMathLib} from "solady/src/utils/FixedPointMathLib.sol";

import {Words} from "./Words.sol";

/// @notice What happens to a weight above the cap.
/// None: nothing. Hard: it becomes the cap. Flexible: it becomes the middle between the cap and the weight held now, if
/// that is less. The excess goes to the uncapped in proportion to their weights, once.
enum Cap {
    None,
    Hard,
    Flexible
}

/// @title MarketCapMath
/// @notice The arithmetic of the published DPI rebalances (IndexCoop/index-rebalance-utils): supplies in whole tokens,
/// all else 18-decimal integers, every division rounds down. With p prices:
///
///     D = sum(supply * p) / NAV     u = supply / D     a = p * u / NAV
///     a > cap:   f = cap            S = sum(min(a, cap))      C = sum of the capped
///     others:    f = a + a / (S - C) * (1 - S)                u = f * NAV / p
///
/// @dev Domain: supplies below 2**88, prices below 2**100, NAV above zero and below 2**104; D above zero, which ends where
/// all market caps together are below one share's NAV; S at most 1. D is floored, so before capping n weights add up to
/// at most 1 + 1 / D and at least 1 less n and sum(p) / NAV wei; where the cap bound, to at most 1 and at least 1 less 2 n
/// wei.
library MarketCapMath {
    using FixedPointMathLib for uint256;
    using Words for uint256[];

    uint256 private constant ONE = 1e18;
    /// @dev Stands for the units of a component that the cap bound, until they are computed.
    uint256 private constant CAPPED = type(uint256).max;

    uint256 private constant NAV_LIMIT = 1 << 104;

    /// @dev S, C, the number of members, and whether the cap bound any.
    struct Sums {
        uint256 total;
        uint256 capped;
        uint256 members;
        bool bound;
    }

    /// @notice The figures lie outside the domain; `what` names which: "nav", "divisor", "weights";
    /// "width" where a supply, price or unit is too large; "lengths" where lists that belong together differ in length.
    error OutsideDomain(bytes32 what);

    /// @notice Units (18 decimals whatever the token's) and weights (18 decimals) of components with a basis and a price;
    /// 0 for the others.
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
        Cap cap,
        uint256 capWeight
    ) internal pure returns (uint256[] memory units, uint256[] memory weights) {
        require(nav != 0 && nav < NAV_LIMIT, OutsideDomain("nav"));
        uint256 n = basis.length;
        uint256 divisor = marketCap / nav; // {share} = {USD} / {USD / share}
        require(divisor != 0, OutsideDomain("divisor"));
        (units, weights) = (Words.room(n), Words.room(n));
        Sums memory sums;
        unchecked {
            for (uint256 i; i < n; ++i) {
                uint256 price = prices.at(i);
                if (price == 0) {
                    units.set(i, 0);
                    weights.set(i, 0);
                    continue;
                }
                uint256 unit = (uint256(uint88(basis.at(i))) * ONE).rawDiv(divisor); // below 2**148
                uint256 weight = (price * unit).rawDiv(nav); // {1e18} = {USD / tok} * {tok / share} / {USD / share}; at most 2e18
                if (cap != Cap.None && unit != 0) {
                    ++sums.members;
                    if (weight > capWeight) {
                        uint256 limit = cap == Cap.Hard ? capWeight : (capWeight + current.at(i)) / 2;
                        if (weight > limit) {
                            (weight, unit) = (limit, CAPPED);
                            sums.capped += limit;
                            sums.bound = true;
                        }
                    }
                    sums.total += weight;
                }
                units.set(i, unit);
                weights.set(i, weight);
            }
        }
        if (sums.bound) _share(nav, units, weights, prices, sums);
    }

    /// @dev Gives what the capped left to the others, and all members their units.
    function _share(
        uint256 nav,
        uint256[] memory units,
        uint256[] memory weights,
        uint256[] memory prices,
        Sums memory sums
    ) private pure {
        require(sums.total <= ONE, OutsideDomain("weights"));
        uint256 n = units.length;
        unchecked {
            (uint256 free, uint256 excess) = (sums.total - sums.capped, ONE - sums.total);
            // All are capped: nobody is left to take the excess, so all weigh the same.
            uint256 equal = free == 0 ? ONE / sums.members : 0;
            for (uint256 i; i < n; ++i) {
                uint256 unit = units.at(i);
                if (unit == 0) continue;
                uint256 weight = weights.at(i);
                if (free == 0) weight = equal;
                // A weight is part of what is free, so that it at most doubles.
                else if (unit != CAPPED) weight += (weight * ONE).rawDiv(free) * excess / ONE;
                weights.set(i, weight);
                units.set(i, (weight * nav).rawDiv(prices.at(i)));
            }
        }
    }
}
