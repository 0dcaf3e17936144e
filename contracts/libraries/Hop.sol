// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {LibBytes} from "solady/src/utils/LibBytes.sol";

/// @title Hop
/// @notice A swap in a pool as one word: pool (160 bits, high), kind (8), flags (8), leg (8), nothing (8), share (64).
/// The share is a fraction of 2**64 of what the hop takes from; 0: all that is left of it. What a hop takes from:
/// - neither POT nor CHAINED: the sell at position `leg`. PAID: its recipient is the pool, which has the whole amount;
/// - POT: the WETH that the filler holds;
/// - CHAINED: the whole output of the hop before.
/// The output goes to the index token (HOME), else to the pool of the next hop where that is CHAINED and paid
/// beforehand, else it stays in the filler. A hop without a pool moves WETH as it is.
library Hop {
    using LibBytes for bytes;

    /// @notice Kind of a pool of the Uniswap V2 family with a fee of 0.3 %: paid beforehand.
    uint256 internal constant V2 = 0;
    /// @notice Kind of a pool of Uniswap V3: paid in its callback, out of what the filler holds.
    uint256 internal constant V3 = 1;

    uint256 private constant FLAGS = 80;
    uint256 private constant FORWARD = 1 << FLAGS; // the pool's token0 goes in
    uint256 private constant PAID = 2 << FLAGS;
    uint256 private constant POT = 4 << FLAGS;
    uint256 private constant CHAINED = 8 << FLAGS;
    uint256 private constant HOME = 16 << FLAGS;

    /// @notice The word at `offset`; 0 at the end of `data`.
    function at(bytes calldata data, uint256 offset) internal pure returns (uint256 hop) {
        return offset < data.length ? uint256(data.loadCalldata(offset)) : 0;
    }

    function pool(uint256 hop) internal pure returns (address) {
        return address(uint160(hop >> 96));
    }

    function kind(uint256 hop) internal pure returns (uint256) {
        return uint8(hop >> 88);
    }

    function leg(uint256 hop) internal pure returns (uint256) {
        return uint8(hop >> 72);
    }

    function share(uint256 hop) internal pure returns (uint256) {
        return uint64(hop);
    }

    function forward(uint256 hop) internal pure returns (bool) {
        return hop & FORWARD != 0;
    }

    function paid(uint256 hop) internal pure returns (bool) {
        return hop & PAID != 0;
    }

    function pot(uint256 hop) internal pure returns (bool) {
        return hop & POT != 0;
    }

    function chained(uint256 hop) internal pure returns (bool) {
        return hop & CHAINED != 0;
    }

    function home(uint256 hop) internal pure returns (bool) {
        return hop & HOME != 0;
    }

    /// @notice Whether the filler has to pay before the swap: not where that is done, nor where the pool calls for it.
    function paysNow(uint256 hop) internal pure returns (bool) {
        return hop & PAID == 0 && (kind(hop) != V3 || pool(hop) == address(0));
    }

    /// @notice Whether the hop before sends its output to this one's pool.
    function paidByTheHopBefore(uint256 hop) internal pure returns (bool) {
        return chained(hop) && kind(hop) == V2;
    }

    /// @notice `share` of an amount, rounded down.
    function part(uint256 amount, uint256 share_) internal pure returns (uint256) {
        // {tok} = {tok} * {2**64} / {2**64}
        return (amount * share_) >> 64;
    }
}
