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

    /// @dev Each product has more than 256 bits: it must not be multiplied as it is.
    function test_never_overflows() external view {
        uint256[2][5] memory factors = [
            [uint256(1) << 200, uint256(1) << 100], // one of them is wide
            [uint256(1) << 100, uint256(1) << 200],
            [uint256(1) << 130, uint256(1) << 200], // both, with nothing in their low 128 bits
            [(uint256(1) << 129) - 1, (uint256(1) << 129) - 1], // both just above 128 bits
            [type(uint256).max, type(uint256).max]
        ];
        for (uint256 i; i < 5; ++i) {
            (uint256 amount, uint256 shares) = (factors[i][0], factors[i][1]);
            equal(_rounding.proRataDown(amount, shares, shares), amount, "all of it, down");
            equal(_rounding.proRataUp(amount, shares, shares), amount, "all of it, up");
        }
    }

    function test_nothing_of_nothing() external view {
        equal(_rounding.proRataDown(0, 5, 7), 0, "no amount, down");
        equal(_rounding.proRataUp(0, 5, 7), 0, "no amount, up");
        equal(_rounding.proRataUp(5, 0, 7), 0, "no shares, up");
        equal(_rounding.proRataUp(1, 1, type(uint128).max), 1, "the least part, up");
        equal(_rounding.proRataDown(1, 1, type(uint128).max), 0, "the least part, down");
    }
}
