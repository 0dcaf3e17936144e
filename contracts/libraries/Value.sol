// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";

/// @title Value
/// @notice USD values of token amounts.
library Value {
    /// @notice USD (18 decimals) of `amount` token wei at `price` USD (18 decimals) for one whole token, rounded down.
    function down(uint256 amount, uint256 price, uint256 decimals) internal pure returns (uint256) {
        // {USD} = {tok} * {USD / whole tok} / {tok / whole tok}
        return amount * price / 10 ** decimals;
    }

    /// @notice As `down`, rounded up.
    function up(uint256 amount, uint256 price, uint256 decimals) internal pure returns (uint256) {
        return Math.ceilDiv(amount * price, 10 ** decimals);
    }
}
