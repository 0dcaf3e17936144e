// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/// @title FuzzFeed
/// @notice A Chainlink feed with 8 decimals as plain storage: always fresh, unless its answer is 0.
contract FuzzFeed {
    int256 public answer;

    function set(int256 answer_) external {
        answer = answer_;
    }

    function decimals() external pure returns (uint8) {
        return 8;
    }

    function latestRoundData() external view returns (uint80, int256, uint256, uint256, uint80) {
        return (1, answer, block.timestamp, block.timestamp, 1);
    }
}
