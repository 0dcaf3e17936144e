// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Ownable} from "@openzeppelin/contracts/access/Ownable.sol";

import {IOracle} from "../interfaces/IOracle.sol";
import {IAggregatorV3} from "../interfaces/external/IAggregatorV3.sol";
import {Quote, Source, Sources} from "../libraries/Sources.sol";
import {Words} from "../libraries/Words.sol";

interface ITrading {
    function trading() external view returns (bool);
}

/// @notice How a token is priced.
/// @param token The token, or the zero address for ETH itself (the ETH/USD feed that ETH-quoted feeds are read with).
/// @param feed The Chainlink proxy; with Quote.Pegged the other token.
/// @param maxAge Oldest answer in seconds that counts: the feed's heartbeat plus a margin. 0 with Quote.Pegged.
/// @param ratio Quote.Pegged: whole other tokens for one whole token, 18 decimals. Else 0.
struct Feed {
    address token;
    address feed;
    uint32 maxAge;
    Quote quote;
    uint128 ratio;
}

/// @title ChainlinkOracle
/// @notice USD prices from Chainlink: TOKEN/USD, TOKEN/ETH times ETH/USD, or pegged to another token. An answer that is
/// zero, negative, absurd (above 1e12 USD), older than its feed's limit, dated in the future, or not given at all means
/// "no price"; nothing here reverts for a feed.
contract ChainlinkOracle is IOracle, Ownable {
    using Sources for uint256;
    using Sources for uint256[];
    using Words for address[];
    using Words for uint256[];

    /* ERRORS */

    /// @notice A feed must be a contract that answers `decimals()` with at most 18 (TOKEN/ETH: with 18).
    error UnfitFeed(address token, address feed);
    /// @notice `maxAge` must be 1 second to 8 days.
    error MaxAgeOutOfBounds(address token, uint256 maxAge);
    /// @notice A peg needs a ratio above 0 and a token with a feed of its own; a feed needs ratio 0.
    error UnfitPeg(address token, uint256 ratio);
    /// @notice An ETH-quoted feed needs the ETH/USD feed (token zero) first.
    error NoEthFeed(address token);
    /// @notice Feeds change only while the rebalancer is not trading.
    error TradingOpen();
    /// @notice The new feed has no price now, or one too far from the old feed's. Both in USD, 18 decimals.
    error FeedsDisagree(address token, uint256 oldPrice, uint256 newPrice);

    /* EVENTS */

    event FeedSet(address indexed token, address indexed feed, uint256 maxAge, Quote quote, uint256 ratio);

    /* STORAGE */

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

    /// @dev All sources as contract code, see `Sources`.
    address private _sources;

    /* CONSTRUCTOR */

    /// @param owner The timelock.
    /// @param rebalancer The fund's rebalancer; it may not be deployed yet.
    /// @param feeds The first feeds; ETH-quoted ones after that of ETH.
    constructor(address owner, address rebalancer, Feed[] memory feeds) Ownable(owner) {
        REBALANCER = rebalancer;
        uint256[] memory words;
        for (uint256 i; i < feeds.length; ++i) {
            words = _put(words, feeds[i]);
        }
        _sources = Words.write(words);
    }

    /* VIEWS */

    /// @notice A token's source; feed zero where it has none.
    function sources(address token) external view returns (Source memory) {
        return Words.read(_sources).get(token);
    }

    function price(address token) public view returns (uint256) {
        uint256[] memory words = Words.read(_sources);
        (uint256 entry,) = words.find(token, 0);
        return entry == 0 ? 0 : _price(words, entry);
    }

    function prices(address[] calldata tokens) external view returns (uint256[] memory values) {
        uint256[] memory words = Words.read(_sources);
        uint256 n = tokens.length;
        values = new uint256[](n);
        (uint256 entry, uint256 next) = (0, 0);
        for (uint256 i; i < n; ++i) {
            // Where the tokens ascend, one pass over the sources finds them all.
            (entry, next) = words.find(tokens.given(i), next);
            if (entry != 0) values.set(i, _price(words, entry));
        }
        _answerWith(values);
    }

    /* OWNER */

    /// @notice Sets a token's feed. While the old one has a price, the new one must be within `MAX_DISAGREEMENT` of it.
    function setFeed(Feed calldata feed) external onlyOwner {
        require(!ITrading(REBALANCER).trading(), TradingOpen());
        uint256 old = price(feed.token);
        _sources = Words.write(_put(Words.read(_sources), feed));
        uint256 now_ = price(feed.token);
        uint256 apart = now_ > old ? now_ - old : old - now_;
        // {1e18} = {USD} * {1e18} / {USD}
        require(old == 0 || apart <= old * MAX_DISAGREEMENT / 1e18, FeedsDisagree(feed.token, old, now_));
    }

    /* INTERNAL */

    /// @dev The packed sources with one put in or replaced, after checking it.
    function _put(uint256[] memory words, Feed memory f) private returns (uint256[] memory) {
        uint8 decimals;
        if (f.quote == Quote.Pegged) {
            Source memory other = words.get(f.feed);
            bool fits = f.ratio != 0 && f.maxAge == 0 && other.feed != address(0) && other.quote != Quote.Pegged;
            require(fits && f.token != ETH && f.feed != ETH && f.feed != f.token, UnfitPeg(f.token, f.ratio));
        } else {
            require(f.ratio == 0, UnfitPeg(f.token, f.ratio));
            require(f.maxAge != 0 && f.maxAge <= MAX_AGE, MaxAgeOutOfBounds(f.token, f.maxAge));
            require(f.feed.code.length != 0, UnfitFeed(f.token, f.feed));
            decimals = _decimals(f.feed);
            require(f.quote == Quote.Eth ? decimals == 18 : decimals <= 18, UnfitFeed(f.token, f.feed));
            (uint256 eth,) = words.find(ETH, 0);
            require(f.quote != Quote.Eth || (f.token != ETH && eth != 0), NoEthFeed(f.token));
        }
        emit FeedSet(f.token, f.feed, f.maxAge, f.quote, f.ratio);
        return words.put(f.token, Source(f.feed, f.maxAge, decimals, f.quote, f.ratio));
    }

    /// @dev The feed's decimals; 255 for what does not answer.
    function _decimals(address feed) private view returns (uint8) {
        (bool ok, bytes memory data) = feed.staticcall(abi.encodeCall(IAggregatorV3.decimals, ()));
        if (!ok || data.length < 32) return type(uint8).max;
        uint256 decimals = abi.decode(data, (uint256));
        return decimals > 18 ? type(uint8).max : uint8(decimals);
    }

    /// @dev Ends the call and returns `values` as they stand. Solidity would copy them first.
    function _answerWith(uint256[] memory values) private pure {
        assembly ("memory-safe") {
            // What stands before the array is not needed any more.
            let at := sub(values, 32)
            mstore(at, 32)
            return(at, add(64, shl(5, mload(values))))
        }
    }

    /// @dev No source is ever removed, so what an entry depends on has one too.
    /// @param entry See `Sources`; not 0.
    function _price(uint256[] memory words, uint256 entry) private view returns (uint256 value) {
        uint256 quote = entry.quote();
        if (quote == uint256(Quote.Usd)) return _answer(entry);
        if (quote == uint256(Quote.Eth)) {
            (uint256 eth,) = words.find(ETH, 0);
            value = _answer(entry);
            // {USD / tok} = {ETH / tok} * {USD / ETH} / {1e18}, down
            if (value != 0) value = value * _answer(eth) / 1e18;
        } else {
            (uint256 other,) = words.find(entry.feed(), 0);
            // A peg to a peg has no price: no recursion.
            if (other.quote() == uint256(Quote.Pegged)) return 0;
            // {USD / tok} = {USD / other} * {other / tok} / {1e18}, down
            value = _price(words, other) * entry.ratio() / 1e18;
        }
        return value > MAX_PRICE ? 0 : value;
    }

    /// @dev The answer of an entry's feed with 18 decimals, 0 unless it is sound. A low-level call, because a feed
    /// without code or with another answer's shape must not stop a fund; in assembly, because it is made for every token
    /// of a batch.
    function _answer(uint256 entry) private view returns (uint256 value) {
        (address feed, uint256 maxAge, uint256 scale) = (entry.feed(), entry.maxAge(), entry.scale());
        assembly ("memory-safe") {
            let at := mload(0x40)
            mstore(at, shl(224, 0xfeaf968c)) // latestRoundData()
            // Evaluated from right to left.
            if and(gt(returndatasize(), 159), staticcall(FEED_GAS, feed, at, 4, at, 160)) {
                let answer := mload(add(at, 32))
                // A date in the future wraps around, to an age of more than all seconds up to now.
                let age := sub(timestamp(), mload(add(at, 96)))
                // A negative answer is above every price, taken as a number without sign; zero stays zero.
                if iszero(or(gt(answer, MAX_PRICE), gt(age, maxAge))) {
                    value := mul(answer, scale) // at most 1e30 * 1e18
                    if gt(value, MAX_PRICE) { value := 0 }
                }
            }
        }
    }
}
