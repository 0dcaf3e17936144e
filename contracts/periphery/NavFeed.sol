// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IERC20Metadata} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Metadata.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";

import {IIndexToken} from "../interfaces/IIndexToken.sol";
import {INavFeed} from "../interfaces/INavFeed.sol";
import {IOracle} from "../interfaces/IOracle.sol";
import {IRebalancer} from "../interfaces/IRebalancer.sol";
import {IAggregatorV3} from "../interfaces/external/IAggregatorV3.sol";
import {Balance} from "../libraries/Balance.sol";
import {Component} from "../libraries/ComponentList.sol";
import {Domain} from "../libraries/Domain.sol";
import {Quote, Source} from "../libraries/Sources.sol";
import {Value} from "../libraries/Value.sol";

/// @notice The part of `ChainlinkOracle` that says where a price comes from.
interface ISources {
    function sources(address token) external view returns (Source memory);
}

/// @notice The part of `AnchoredOracle` that says whose prices it gives.
interface IAnchored {
    function FIRST() external view returns (address);
}

/// @title NavFeed
/// @notice See `INavFeed` for the specification. Nothing of the fund depends on it.
contract NavFeed is INavFeed {
    using SafeCast for uint256;

    address private constant ETH = address(0);

    IIndexToken public immutable FUND;
    /// @notice The fund's oracle, which gives the prices.
    IOracle public immutable ORACLE;
    /// @notice The ChainlinkOracle behind them, which knows the feeds and so their dates.
    ISources public immutable FEEDS;

    /// @param feeds The rebalancer's oracle itself, or the first oracle of that one.
    constructor(IRebalancer rebalancer, ISources feeds) {
        (FUND, ORACLE, FEEDS) = (rebalancer.INDEX(), rebalancer.ORACLE(), feeds);
        address first = address(ORACLE);
        if (first != address(feeds)) {
            try IAnchored(first).FIRST() returns (address other) {
                first = other;
            } catch {}
        }
        require(first == address(feeds), OtherFeeds(first, address(feeds)));
    }

    /* VIEWS */

    /// @inheritdoc INavFeed
    function decimals() external pure returns (uint8) {
        return 8;
    }

    /// @inheritdoc INavFeed
    function description() external view returns (string memory) {
        return string.concat(IERC20Metadata(address(FUND)).symbol(), " / USD");
    }

    /// @inheritdoc INavFeed
    function version() external pure returns (uint256) {
        return 1;
    }

    /// @inheritdoc INavFeed
    function latestRoundData()
        external
        view
        returns (uint80 roundId, int256 answer, uint256 startedAt, uint256 updatedAt, uint80 answeredInRound)
    {
        return _round();
    }

    /// @inheritdoc INavFeed
    function getRoundData(uint80 roundId_)
        external
        view
        returns (uint80 roundId, int256 answer, uint256 startedAt, uint256 updatedAt, uint80 answeredInRound)
    {
        require(roundId_ == _latest(), NoRound(roundId_, _latest()));
        return _round();
    }

    /* INTERNAL */

    function _latest() private view returns (uint80) {
        return uint80(block.timestamp);
    }

    function _round() private view returns (uint80 roundId, int256 answer, uint256, uint256 updatedAt, uint80) {
        require(!FUND.locked(), Locked());
        uint256 supply = FUND.totalSupply();
        require(supply != 0, NotSeeded());
        (address[] memory tokens, uint256[] memory balances, Component[] memory list) = _holdings();
        uint256[] memory prices = ORACLE.prices(tokens);
        uint256 value;
        updatedAt = block.timestamp;
        for (uint256 i; i < tokens.length; ++i) {
            if (balances[i] == 0) continue;
            require(prices[i] != 0, NoPrice(tokens[i]));
            // {USD} = {tok} * {USD / whole tok} / {tok / whole tok}, down
            value += Value.down(balances[i], prices[i], list[i].decimals);
            updatedAt = Math.min(updatedAt, _dated(tokens[i]));
        }
        // {1e8 USD / whole share} = {1e18 USD} * {1e18 share / whole share} * {1e8} / ({share} * {1e18}), down
        answer = Math.mulDiv(value, 1e8, supply).toInt256();
        roundId = _latest();
        return (roundId, answer, updatedAt, updatedAt, roundId);
    }

    /// @dev The components, and of each the balance that counts: none of what is written off.
    function _holdings()
        private
        view
        returns (address[] memory tokens, uint256[] memory balances, Component[] memory list)
    {
        list = FUND.components();
        (tokens, balances) = (new address[](list.length), new uint256[](list.length));
        for (uint256 i; i < list.length; ++i) {
            address token = tokens[i] = list[i].token;
            if (list[i].writtenOff) continue;
            (bool sound, uint256 balance) = Balance.tryRead(token, address(FUND));
            require(sound && balance >> Domain.TRADED_BITS == 0, NotSound(token));
            require(balance == 0 || block.timestamp >= list[i].suspendedUntil, Suspended(token));
            balances[i] = balance;
        }
    }

    /// @dev The older date of a token's feed, or that of the token that it is pegged to, and of ETH/USD if that counts.
    function _dated(address token) private view returns (uint256 date) {
        Source memory source = FEEDS.sources(token);
        if (source.quote == Quote.Pegged) source = FEEDS.sources(source.feed);
        date = _updatedAt(source);
        if (source.quote == Quote.Eth) date = Math.min(date, _updatedAt(FEEDS.sources(ETH)));
    }

    function _updatedAt(Source memory source) private view returns (uint256 updatedAt) {
        (,,, updatedAt,) = IAggregatorV3(source.feed).latestRoundData();
    }
}
