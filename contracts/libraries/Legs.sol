// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {LibBytes} from "solady/src/utils/LibBytes.sol";

/// @notice What a zap does with a component.
/// None: nothing to swap, as it is WETH or the token that is paid with. UniswapV2, SushiSwapV2, UniswapV3: it is bought
/// or sold in that exchange's pool with WETH. InKind, Skip: of a redemption alone; it is given as it is, or forfeited.
enum Venue {
    None,
    UniswapV2,
    SushiSwapV2,
    UniswapV3,
    InKind,
    Skip
}

/// @title Legs
/// @notice Packs legs into four bytes each: the venue (8 bits, high) and the pool's fee in millionths (24), which only
/// Uniswap V3 asks for.
library Legs {
    using LibBytes for bytes;

    /// @notice Bytes of a leg.
    uint256 internal constant SIZE = 4;

    /// @notice No venue has this number.
    error UnknownVenue(uint256 venue);

    /// @notice Leg `i` of a list that is long enough.
    function at(bytes calldata legs, uint256 i) internal pure returns (Venue venue, uint24 fee) {
        unchecked {
            // The list is long enough, so the product does not overflow.
            return unpack(uint32(bytes4(legs.loadCalldata(i * SIZE))));
        }
    }

    /// @notice A single leg.
    function unpack(uint32 leg) internal pure returns (Venue venue, uint24 fee) {
        uint256 number = leg >> 24;
        require(number <= uint256(type(Venue).max), UnknownVenue(number));
        return (Venue(number), uint24(leg));
    }
}
