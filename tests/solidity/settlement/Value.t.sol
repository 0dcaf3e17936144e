// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {vm} from "../../../lab/fuzz/Vm.sol";
import {Test} from "../Test.sol";

interface IValues {
    function oneOf(uint256 decimals) external pure returns (uint256);
    function valueDown(uint256 amount, uint256 price, uint8 decimals) external pure returns (uint256);
    function downPer(uint256 amount, uint256 price, uint256 one) external pure returns (uint256);
    function upPer(uint256 amount, uint256 price, uint256 one) external pure returns (uint256);
}

/// @dev What amounts are worth, and which way that is rounded.
contract ValueTest is Test {
    IValues private _values;

    function setUp() external {
        _values = IValues(deploy("RoundingHarness", ""));
    }

    function test_one_whole_token() external view {
        uint256 one = 1;
        for (uint256 decimals; decimals < 78; ++decimals) {
            equal(_values.oneOf(decimals), one, "a power of ten");
            if (decimals < 77) one *= 10;
        }
    }

    function test_values_round_down() external view {
        equal(_values.valueDown(3, 2e18, 6), 6e12, "even");
        equal(_values.valueDown(3e18, 7, 18), 21, "even, of 18 decimals");
        equal(_values.valueDown(1, 1e18 + 1, 18), 1, "and a part");
        equal(_values.valueDown(1, 1e18 - 1, 18), 0, "a part");
        equal(_values.valueDown(5, 3, 0), 15, "whole tokens");
        equal(_values.valueDown(0, 1e18, 18), 0, "nothing");
    }

    /// @dev What does not fit is refused, where amounts are anybody's.
    function test_values_that_do_not_fit() external {
        equal(_values.valueDown(type(uint256).max, 1, 0), type(uint256).max, "all of it");
        vm.expectRevert(abi.encodeWithSignature("Panic(uint256)", 0x11));
        _values.valueDown(1 << 255, 2, 0);
    }

    function test_values_of_traded_amounts_round_both_ways() external view {
        uint256[5] memory amounts = [uint256(0), 3, 4, 7, type(uint128).max];
        for (uint256 k; k < 5; ++k) {
            uint256 product = 5 * amounts[k];
            equal(_values.downPer(amounts[k], 5, 4), product / 4, "down");
            equal(_values.upPer(amounts[k], 5, 4), (product + 3) / 4, "up");
            equal(_values.downPer(amounts[k], 5, 1), product, "whole tokens, down");
            equal(_values.upPer(amounts[k], 5, 1), product, "whole tokens, up");
        }
    }
}
