// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Test} from "../Test.sol";

interface IStreamingFee {
    function rate(uint256 fee) external pure returns (uint256);
    function shares(uint256 supply, uint256 earlier, uint256 later) external pure returns (uint256);
    function decay(uint256 earlier, uint256 later) external pure returns (uint256);
}

/// @title StreamingFeeTest
/// @notice Logarithm and exponential beside values from tables.
contract StreamingFeeTest is Test {
    uint256 private constant YEAR = 365.25 days;

    IStreamingFee private _fee;

    function setUp() external {
        _fee = IStreamingFee(deploy("StreamingFeeHarness", ""));
    }

    function test_the_rate_is_the_logarithm_of_what_is_left() external view {
        equal(_fee.rate(0), 0, "no fee");
        equal(_fee.rate(0.05e18), 0.051293294387550534e18, "-ln 0.95");
        equal(_fee.rate(0.5e18), 0.69314718055994531e18, "ln 2");
    }

    function test_the_supply_grows_by_the_exponential_of_the_years() external view {
        equal(_fee.shares(1e18, 0, YEAR * 1e18), 1.718281828459045235e18, "e - 1");
        equal(_fee.shares(1e18, 0, YEAR * 1e18 / 2), 0.648721270700128146e18, "sqrt(e) - 1");
        equal(_fee.shares(3e18, YEAR * 7e18, YEAR * 8e18), 5.154845485377135705e18, "three times, later");
    }

    function test_the_fee_rounds_down() external view {
        // 1.718281828459045235 of a wei each.
        equal(_fee.shares(1, 0, YEAR * 1e18), 1, "of one");
        equal(_fee.shares(4, 0, YEAR * 1e18), 6, "of four");
        equal(_fee.shares(0, 0, YEAR * 1e18), 0, "of none");
    }

    function test_there_is_no_fee_where_the_exponent_stays() external view {
        equal(_fee.shares(1e27, 0, 0), 0, "at the beginning");
        equal(_fee.shares(1e27, YEAR * 5, YEAR * 5), 0, "later");
        equal(_fee.shares(1e27, YEAR * 5, YEAR * 6 - 1), 0, "within a step");
    }

    function test_the_least_step_counts() external view {
        equal(_fee.shares(1e18, 0, YEAR), 1, "the first");
        equal(_fee.shares(1e18, YEAR - 1, YEAR), 1, "steps have fixed places");
        equal(_fee.shares(1e18, YEAR * 5, YEAR * 6), 1, "a later one");
        equal(_fee.shares(1e18, 0, YEAR * 2), 2, "two");
    }

    function test_a_unit_decays_by_the_exponential_of_the_years() external view {
        equal(_fee.decay(0, 0), 1e18, "not at all");
        equal(_fee.decay(0, YEAR * 1e18), 0.367879441171442321e18, "1 / e");
        equal(_fee.decay(YEAR * 3e18, YEAR * 3.5e18), 0.606530659712633423e18, "1 / sqrt(e), later");
        equal(_fee.decay(YEAR * 5, YEAR * 6 - 1), 1e18, "within a step");
    }
}
