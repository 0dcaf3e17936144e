// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {ProRata} from "../../../libraries/ProRata.sol";
import {Value} from "../../../libraries/Value.sol";

/// @title RoundingHarness
/// @notice For tests: the functions of `ProRata` and `Value`.
contract RoundingHarness {
    function proRataDown(uint256 amount, uint256 shares, uint256 supply) external pure returns (uint256) {
        return ProRata.down(amount, shares, supply);
    }

    function proRataUp(uint256 amount, uint256 shares, uint256 supply) external pure returns (uint256) {
        return ProRata.up(amount, shares, supply);
    }

    function oneOf(uint256 decimals) external pure returns (uint256) {
        return Value.oneOf(decimals);
    }

    function valueDown(uint256 amount, uint256 price, uint8 decimals) external pure returns (uint256) {
        return Value.down(amount, price, decimals);
    }

    function downPer(uint256 amount, uint256 price, uint256 one) external pure returns (uint256) {
        return Value.downPer(amount, price, one);
    }

    function upPer(uint256 amount, uint256 price, uint256 one) external pure returns (uint256) {
        return Value.upPer(amount, price, one);
    }
}
