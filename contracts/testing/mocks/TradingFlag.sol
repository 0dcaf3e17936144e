// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/// @title TradingFlag
/// @notice For tests: the part of a rebalancer that the oracle looks at.
contract TradingFlag {
    bool public trading;

    function set(bool trading_) external {
        trading = trading_;
    }
}
