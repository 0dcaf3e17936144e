// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Capping, MarketCapMath} from "../../../libraries/MarketCapMath.sol";

/// @title MarketCapMathHarness
/// @notice For tests: the functions of `MarketCapMath`.
contract MarketCapMathHarness {
    function totals(
        uint256[] calldata basis,
        uint256[] calldata units,
        uint256[] calldata prices,
        uint256[] calldata ones,
        bool each
    ) external pure returns (uint256 nav, uint256 marketCap) {
        return MarketCapMath.totals(basis, units, prices, ones, each);
    }

    function weigh(
        uint256 nav,
        uint256 marketCap,
        uint256[] memory basis,
        uint256[] memory prices,
        uint256[] memory current,
        Capping memory capping
    ) external pure returns (uint256[] memory units, uint256[] memory weights) {
        return MarketCapMath.weigh(nav, marketCap, basis, prices, current, capping);
    }
}
