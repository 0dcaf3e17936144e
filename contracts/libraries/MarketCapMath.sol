// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

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
/// @dev Domain: NAV above zero; D above zero, which ends where all market caps together are below one share's NAV; S at
/// most 1. D is floored, so before capping n weights add up to at most 1 + 1 / D and at least 1 less n and sum(p) / NAV
/// wei; where the cap bound, to at most 1 and at least 1 less 2 n wei.
library MarketCapMath {
    uint256 private constant ONE = 1e18;

    /// @notice The figures lie outside the domain; `what` names which: "nav", "divisor", "weights".
    error OutsideDomain(bytes32 what);

    /// @notice Units (18 decimals whatever the token's) and weights (18 decimals) of components with a basis and a price;
    /// 0 for the others.
    /// @param nav USD of one share, 18 decimals, of what shares in the weights.
    /// @param basis Supplies in whole tokens.
    /// @param prices USD for one whole token, 18 decimals.
    /// @param current Weights held now, 18 decimals; read for Cap.Flexible only.
    function weigh(
        uint256 nav,
        uint256[] memory basis,
        uint256[] memory prices,
        uint256[] memory current,
        Cap cap,
        uint256 capWeight
    ) internal pure returns (uint256[] memory units, uint256[] memory weights) {
        require(nav != 0, OutsideDomain("nav"));
        (units, weights) = _byMarketCap(nav, basis, prices);
        if (cap == Cap.None) return (units, weights);

        uint256 total;
        uint256 capped;
        uint256 members;
        bool any;
        bool[] memory above = new bool[](units.length);
        for (uint256 i; i < units.length; ++i) {
            if (units[i] == 0) continue;
            ++members;
            if (weights[i] > capWeight) {
                uint256 limit = cap == Cap.Hard ? capWeight : (capWeight + current[i]) / 2;
                if (weights[i] > limit) {
                    weights[i] = limit;
                    (above[i], any) = (true, true);
                    capped += limit;
                }
            }
            total += weights[i];
        }
        if (any) _share(nav, units, weights, prices, above, [total, capped, members]);
    }

    /// @dev Units and weights before capping.
    function _byMarketCap(uint256 nav, uint256[] memory basis, uint256[] memory prices)
        private
        pure
        returns (uint256[] memory units, uint256[] memory weights)
    {
        uint256 marketCap;
        for (uint256 i; i < basis.length; ++i) {
            marketCap += basis[i] * prices[i];
        }
        uint256 divisor = marketCap / nav; // {share} = {USD} / {USD / share}
        require(divisor != 0, OutsideDomain("divisor"));
        units = new uint256[](basis.length);
        weights = new uint256[](basis.length);
        for (uint256 i; i < basis.length; ++i) {
            if (prices[i] == 0) continue;
            units[i] = basis[i] * ONE / divisor;
            weights[i] = prices[i] * units[i] / nav; // {1e18} = {USD / tok} * {tok / share} / {USD / share}
        }
    }

    /// @dev Gives what the capped left to the others; `sums` are S, C and the number of members.
    function _share(
        uint256 nav,
        uint256[] memory units,
        uint256[] memory weights,
        uint256[] memory prices,
        bool[] memory above,
        uint256[3] memory sums
    ) private pure {
        (uint256 total, uint256 capped, uint256 members) = (sums[0], sums[1], sums[2]);
        require(total <= ONE, OutsideDomain("weights"));
        for (uint256 i; i < units.length; ++i) {
            if (units[i] == 0) continue;
            if (total == capped) {
                // All are capped: nobody is left to take the excess, so all weigh the same.
                weights[i] = ONE / members;
            } else if (!above[i]) {
                weights[i] += weights[i] * ONE / (total - capped) * (ONE - total) / ONE;
            }
            units[i] = weights[i] * nav / prices[i];
        }
    }
}
