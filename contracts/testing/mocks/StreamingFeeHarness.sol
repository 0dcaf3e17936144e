// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {StreamingFee} from "../../libraries/StreamingFee.sol";

/// @title StreamingFeeHarness
/// @notice For tests: the library `StreamingFee` from outside.
contract StreamingFeeHarness {
    function rate(uint256 fee) external pure returns (uint256) {
        return StreamingFee.rate(fee);
    }

    function shares(uint256 supply, uint256 earlier, uint256 later) external pure returns (uint256) {
        return StreamingFee.shares(supply, earlier, later);
    }

    function decay(uint256 earlier, uint256 later) external pure returns (uint256) {
        return StreamingFee.decay(earlier, later);
    }

    /// @notice The supply that accruals after each of these periods (seconds) lead to.
    function accrue(uint256 supply, uint256 fee, uint256[] calldata periods) external pure returns (uint256) {
        uint256 rate_ = StreamingFee.rate(fee);
        uint256 exponent;
        for (uint256 i; i < periods.length; ++i) {
            uint256 later = exponent + periods[i] * rate_;
            supply += StreamingFee.shares(supply, exponent, later);
            exponent = later;
        }
        return supply;
    }

    /// @notice The supply after `times` accruals of `period` seconds each.
    function accrueEvenly(uint256 supply, uint256 fee, uint256 period, uint256 times) external pure returns (uint256) {
        uint256 rate_ = StreamingFee.rate(fee);
        for (uint256 i; i < times; ++i) {
            supply += StreamingFee.shares(supply, i * period * rate_, (i + 1) * period * rate_);
        }
        return supply;
    }
}
