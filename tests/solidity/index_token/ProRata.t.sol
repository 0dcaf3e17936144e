// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Test} from "../Test.sol";

interface IRounding {
    function proRataDown(uint256 amount, uint256 shares, uint256 supply) external pure returns (uint256);
    function proRataUp(uint256 amount, uint256 shares, uint256 supply) external pure returns (uint256);
}

contract ProRataTest is Test {
    IRounding private _rounding;

    function setUp() external {
        _rounding = IRounding(deploy("RoundingHarness", ""));
    }

    /// @dev 128 bits are multiplied as they are, more by `mulDiv`: both sides of that.
    function test_rounds_at_every_width() external view {
        uint256[4] memory amounts = [uint256(7), (1 << 128) - 1, 1 << 128, (1 << 200) + 7];
        for (uint256 i; i < 4; ++i) {
            uint256 amount = amounts[i];
            equal(_rounding.proRataDown(amount, 3, 3), amount, "all of it");
            equal(_rounding.proRataUp(amount, 3, 3), amount, "all of it");
            equal(_rounding.proRataDown(amount, 2, 4), amount / 2, "half, down");
            equal(_rounding.proRataUp(amount, 2, 4), amount / 2 + amount % 2, "half, up");
        }
    }

    function test_rounds_wide_shares() external view {
        equal(_rounding.proRataDown(3, 1 << 200, 1 << 201), 1, "half of 3, down");
        equal(_rounding.proRataUp(3, 1 << 200, 1 << 201), 2, "half of 3, up");
        equal(_rounding.proRataUp(4, 1 << 200, 1 << 201), 2, "half of 4");
    }
}
