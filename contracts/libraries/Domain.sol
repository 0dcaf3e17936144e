// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/// @title Domain
/// @notice The measures within which a fund's arithmetic holds. What is beyond one of them is refused, or held as it
/// is; so nothing overflows in what is not checked. A measure in bits: the number is below 2 to that power.
///
/// Products that are relied on, with all measures at their widest:
///
///     balance * 1e18            160 + 60 bits     before the division by a supply
///     unit * price              119 + 100, target unit * price 120 + 100
///     traded balance * price    128 + 100, a sum over a list 6 bits more
///     target unit * shares      120 + 128
///     supply * price            88 + 100, a sum over 100 candidates 7 bits more
///     value of a share          98, NAV 104: a list has 50 of them
library Domain {
    /// @notice Most components of an index token's list.
    uint256 internal constant MAX_COMPONENTS = 50;
    /// @notice Most decimals that a component may have.
    uint8 internal constant MAX_DECIMALS = 27;
    /// @notice Most token wei of one whole token.
    uint256 internal constant MAX_ONE = 1e27;

    /// @notice Of a sound balance, token wei.
    uint256 internal constant BALANCE_BITS = 160;
    /// @notice Of a balance or target that is traded, token wei.
    uint256 internal constant TRADED_BITS = 128;
    /// @notice Of a unit that is held: token wei of 1e18 shares.
    uint256 internal constant UNIT_BITS = 119;
    /// @notice Of a target unit: one more than of what is held.
    uint256 internal constant TARGET_BITS = 120;

    /// @notice Of a price: USD for one whole token, 18 decimals.
    uint256 internal constant PRICE_BITS = 100;
    /// @notice Prices are below this.
    uint256 internal constant PRICE_LIMIT = 1 << PRICE_BITS;
    /// @notice Most that an oracle believes, 0.8 of the limit: a trillion dollars for one token. Above it a feed is
    /// broken.
    uint256 internal constant MAX_PRICE = 1e30;

    /// @notice Of what a share holds of one component, USD with 18 decimals.
    uint256 internal constant VALUE_BITS = 98;
    /// @notice Of a share's NAV, USD with 18 decimals.
    uint256 internal constant NAV_BITS = 104;
    /// @notice Of a circulating supply, whole tokens: what a `uint88` holds.
    uint256 internal constant SUPPLY_BITS = 88;
}
