// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/// @title INavFeed
/// @notice NAV of one share in USD, in the form of a Chainlink price feed (AggregatorV3Interface), for who lists the
/// share as collateral. It is computed from the fund's balances and the fund's oracle when it is asked for.
///
/// It answers for everything that redeem pays, or not at all: what is written off counts nothing, and where anything
/// else that the fund holds has no price, is suspended, or has a balance that is not sound, it reverts with a named
/// error. It reverts while the fund's lock is held too, as balances may be in flux then.
///
/// DATES. `updatedAt` is the date of the oldest answer among the feeds that were used; the fund's oracle has held each
/// against its own greatest age. A stale-price check must allow for the slowest of them (a day is usual).
///
/// ROUNDS. There are no rounds: NAV moves with every price, fee and gift. The round's id is this block's time, so it
/// grows; only the latest can be asked for.
///
/// WARNING. NAV is what a share can be redeemed for at the oracle's prices, not what it can be sold for at once: mint
/// and redeem costs, and what the pools give for the components, are the lender's margin. And anybody can raise it by
/// giving the fund components, at the price of what is given, spread over all shares. A lender must therefore cap how
/// many shares it takes as collateral, well below those that exist (with shares lent and borrowed in a circle somebody
/// could own more than there are, and gain by such a gift), how fast it lets the answer rise, and must not lend the
/// share itself without a limit. And of a component that has no price or is suspended one wei, given by anybody, is
/// enough that there is no answer: a lender must bear that for as long as it lasts.
interface INavFeed {
    /// @notice The rebalancer's oracle takes its prices from `oracle`, not from `feeds`.
    error OtherFeeds(address oracle, address feeds);
    /// @notice The fund's lock is held.
    error Locked();
    /// @notice The fund is not seeded.
    error NotSeeded();
    /// @notice The fund holds some of it, and there is no price.
    error NoPrice(address token);
    /// @notice The fund holds some of it, and it is suspended.
    error Suspended(address token);
    /// @notice The balance cannot be relied on (see `Balance.tryRead`), or is 2^128 or more.
    error NotSound(address token);
    /// @notice Only the latest round is known.
    error NoRound(uint80 roundId, uint80 latest);

    /// @notice 8.
    function decimals() external view returns (uint8);

    /// @notice The share's symbol " / USD".
    function description() external view returns (string memory);

    /// @notice 1.
    function version() external view returns (uint256);

    /// @notice NAV of one share (1e18), USD with 8 decimals, rounded down.
    /// @return roundId This block's time.
    /// @return answer USD, 8 decimals.
    /// @return startedAt As `updatedAt`.
    /// @return updatedAt The oldest date of the feeds used, seconds.
    /// @return answeredInRound As `roundId`.
    function latestRoundData()
        external
        view
        returns (uint80 roundId, int256 answer, uint256 startedAt, uint256 updatedAt, uint80 answeredInRound);

    /// @notice `latestRoundData` for this block's round; reverts for any other.
    function getRoundData(uint80 roundId_)
        external
        view
        returns (uint80 roundId, int256 answer, uint256 startedAt, uint256 updatedAt, uint80 answeredInRound);
}
