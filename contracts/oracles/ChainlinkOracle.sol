// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Ownable} from "@openzeppelin/contracts/access/Ownable.sol";

import {IOracle} from "../interfaces/IOracle.sol";
import {IAggregatorV3} from "../interfaces/external/IAggregatorV3.sol";

interface ITrading {
    function trading() external view returns (bool);
}

/// @notice How a token is priced.
/// @param token The token, or the zero address for ETH itself (the ETH/USD feed that ETH-quoted feeds are read with).
/// @param feed The Chainlink proxy.
/// @param maxAge Oldest answer in seconds that counts: the feed's heartbeat plus a margin.
/// @param quotedInEth True for a TOKEN/ETH feed.
struct Feed {
    address token;
    address feed;
    uint32 maxAge;
    bool quotedInEth;
}

/// @title ChainlinkOracle
/// @notice USD prices from Chainlink: TOKEN/USD, or TOKEN/ETH times ETH/USD. An answer that is zero, negative,
/// absurd (above 1e12 USD), older than its feed's limit, dated in the future, or not given at all means "no price"; nothing here reverts for a feed.
contract ChainlinkOracle is IOracle, Ownable {
    /* ERRORS */

    /// @notice A feed must be a contract that answers `decimals()` with at most 18 (TOKEN/ETH: with 18).
    error UnfitFeed(address token, address feed);
    /// @notice `maxAge` must be 1 second to 8 days.
    error MaxAgeOutOfBounds(address token, uint256 maxAge);
    /// @notice An ETH-quoted feed needs the ETH/USD feed (token zero) first.
    error NoEthFeed(address token);
    /// @notice Feeds change only while the rebalancer is not trading.
    error TradingOpen();
    /// @notice The new feed has no price now, or one too far from the old feed's. Both in USD, 18 decimals.
    error FeedsDisagree(address token, uint256 oldPrice, uint256 newPrice);

    /* EVENTS */

    event FeedSet(address indexed token, address indexed feed, uint256 maxAge, bool quotedInEth);

    /* STORAGE */

    struct Source {
        address feed;
        uint32 maxAge;
        uint8 decimals;
        bool quotedInEth;
    }

    address private constant ETH = address(0);
    uint256 private constant MAX_AGE = 8 days;
    /// @dev A trillion dollars for one token: above it a feed is broken, and sums over it could overflow.
    uint256 private constant MAX_PRICE = 1e30;
    /// @dev Several times what a feed needs: one that burns gas must not starve those after it.
    uint256 private constant FEED_GAS = 300_000;

    /// @notice Most that a new feed may differ from a living old one, as a fraction with 18 decimals.
    uint256 public constant MAX_DISAGREEMENT = 0.05e18;

    /// @notice The fund's rebalancer, whose trading freezes the feeds.
    address public immutable REBALANCER;

    mapping(address token => Source) public sources;

    /* CONSTRUCTOR */

    /// @param owner The timelock.
    /// @param rebalancer The fund's rebalancer; it may not be deployed yet.
    /// @param feeds The first feeds; ETH-quoted ones after that of ETH.
    constructor(address owner, address rebalancer, Feed[] memory feeds) Ownable(owner) {
        REBALANCER = rebalancer;
        for (uint256 i; i < feeds.length; ++i) {
            _set(feeds[i]);
        }
    }

    /* VIEWS */

    function price(address token) public view returns (uint256) {
        return _price(sources[token]);
    }

    function prices(address[] calldata tokens) external view returns (uint256[] memory values) {
        values = new uint256[](tokens.length);
        for (uint256 i; i < tokens.length; ++i) {
            values[i] = _price(sources[tokens[i]]);
        }
    }

    /* OWNER */

    /// @notice Sets a token's feed. While the old one has a price, the new one must be within `MAX_DISAGREEMENT` of it.
    function setFeed(Feed calldata feed) external onlyOwner {
        require(!ITrading(REBALANCER).trading(), TradingOpen());
        uint256 old = price(feed.token);
        _set(feed);
        uint256 now_ = price(feed.token);
        uint256 apart = now_ > old ? now_ - old : old - now_;
        // {1e18} = {USD} * {1e18} / {USD}
        require(old == 0 || apart <= old * MAX_DISAGREEMENT / 1e18, FeedsDisagree(feed.token, old, now_));
    }

    /* INTERNAL */

    function _set(Feed memory f) private {
        require(f.maxAge != 0 && f.maxAge <= MAX_AGE, MaxAgeOutOfBounds(f.token, f.maxAge));
        require(f.feed.code.length != 0, UnfitFeed(f.token, f.feed));
        (bool ok, bytes memory data) = f.feed.staticcall(abi.encodeCall(IAggregatorV3.decimals, ()));
        uint256 decimals = ok && data.length >= 32 ? abi.decode(data, (uint256)) : type(uint256).max;
        require(f.quotedInEth ? decimals == 18 : decimals <= 18, UnfitFeed(f.token, f.feed));
        if (f.quotedInEth) {
            require(f.token != ETH && sources[ETH].feed != address(0), NoEthFeed(f.token));
        }
        sources[f.token] = Source(f.feed, f.maxAge, uint8(decimals), f.quotedInEth);
        emit FeedSet(f.token, f.feed, f.maxAge, f.quotedInEth);
    }

    function _price(Source memory source) private view returns (uint256) {
        uint256 answer = _answer(source);
        if (!source.quotedInEth || answer == 0) return answer;
        // {USD / tok} = {ETH / tok} * {USD / ETH} / {1e18}, down
        uint256 value = answer * _answer(sources[ETH]) / 1e18;
        return value > MAX_PRICE ? 0 : value;
    }

    /// @dev The feed's answer with 18 decimals, 0 unless it is sound. A low-level call, because a feed without code or
    /// with another answer's shape must not stop a fund.
    function _answer(Source memory source) private view returns (uint256) {
        if (source.feed == address(0)) return 0;
        (bool ok, bytes memory data) = source.feed.staticcall{gas: FEED_GAS}(abi.encodeCall(IAggregatorV3.latestRoundData, ()));
        if (!ok || data.length < 160) return 0;
        // Words, not the declared types: decoding a value too large for uint80 would revert.
        (, int256 answer,, uint256 updatedAt,) = abi.decode(data, (uint256, int256, uint256, uint256, uint256));
        if (answer <= 0 || uint256(answer) > MAX_PRICE) return 0;
        if (updatedAt > block.timestamp || block.timestamp - updatedAt > source.maxAge) return 0;
        uint256 value = uint256(answer) * 10 ** (18 - source.decimals);
        return value > MAX_PRICE ? 0 : value;
    }
}
