// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";

/// @title ProRata
/// @notice What of an amount belongs to a number of shares. Cheap where both are below 2**128, right everywhere.
library ProRata {
    /// @notice amount x shares / supply, rounded down. Any amount.
    function down(uint256 amount, uint256 shares, uint256 supply) internal pure returns (uint256) {
        if ((amount | shares) >> 128 != 0) return Math.mulDiv(amount, shares, supply);
        unchecked {
            // Both factors are below 2**128. {tok} = {tok} * {share} / {share}
            return amount * shares / supply;
        }
    }

    /// @notice As `down`, rounded up.
    function up(uint256 amount, uint256 shares, uint256 supply) internal pure returns (uint256 part) {
        if ((amount | shares) >> 128 != 0) return Math.mulDiv(amount, shares, supply, Math.Rounding.Ceil);
        unchecked {
            // As in `down`; a part is at most a product.
            uint256 product = amount * shares;
            part = product / supply;
            if (part * supply != product) ++part;
        }
    }
}
