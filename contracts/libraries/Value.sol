// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/// @title Value
/// @notice USD values of token amounts.
library Value {
    /// @notice Token wei of one whole token. `decimals` at most 77.
    function oneOf(uint256 decimals) internal pure returns (uint256) {
        if (decimals == 18) return 1e18; // most are, and a power costs more than to ask
        unchecked {
            // Below 2**256 up to 77; a component has at most Domain.MAX_DECIMALS.
            return 10 ** decimals;
        }
    }

    /// @notice USD (18 decimals) of `amount` token wei at `price` USD (18 decimals) for one whole token, rounded down.
    function down(uint256 amount, uint256 price, uint256 decimals) internal pure returns (uint256) {
        // {USD} = {tok} * {USD / whole tok} / {tok / whole tok}
        return amount * price / oneOf(decimals);
    }

    // For a token of which `one` token wei are one whole, where the caller knows that amount x price is below 2**256:
    // amounts of Domain.TRADED_BITS and prices up to Domain.PRICE_LIMIT are.

    /// @notice As `down`, not checked.
    function downPer(uint256 amount, uint256 price, uint256 one) internal pure returns (uint256) {
        unchecked {
            // {USD} = {tok} * {USD / whole tok} / {tok / whole tok}
            return amount * price / one;
        }
    }

    /// @notice As `downPer`, rounded up.
    function upPer(uint256 amount, uint256 price, uint256 one) internal pure returns (uint256 value) {
        unchecked {
            uint256 product = amount * price;
            value = product / one;
            if (value * one != product) ++value;
        }
    }
}
