// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {DynamicArrayLib} from "solady/src/utils/DynamicArrayLib.sol";
import {FixedPointMathLib} from "solady/src/utils/FixedPointMathLib.sol";
import {LibCall} from "solady/src/utils/LibCall.sol";

import {Owned} from "../access/Owned.sol";
import {IOracle} from "../interfaces/IOracle.sol";
import {IAggregatorV3} from "../interfaces/external/IAggregatorV3.sol";
import {Domain} from "../libraries/Domain.sol";
import {Quote, Source, Sources} from "../libraries/Sources.sol";
import {Lists} from "../libraries/Lists.sol";
import {Words} from "../libraries/Words.sol";

interface ITrading {
    function trading() external view returns (bool);
}

/// @notice How a token is priced.
/// @param token The token, or the zero address for ETH itself (the ETH/USD feed that ETH-quoted feeds are read with).
/// @param feed The Chainlink proxy; with Quote.Pegged the other token.
/// @param maxAge Oldest answer in seconds that counts: the feed's heartbeat plus a margin. 0 with Quote.Pegged.
/// @param ratio Quote.Pegged: whole other tokens for one whole token, 18 decimals. Else 0.
/// @param lowest The band: the least and the most that is believed, 18 decimals, of the feed's answer in its own
/// currency (USD, or ETH with Quote.Eth), of a peg's price in USD. Outside it there is no price. 0 and 0: no band.
struct Feed {
    address token;
    address feed;
    uint32 maxAge;
    Quote quote;
    uint128 ratio;
    uint128 lowest;
    uint128 highest;
}

/// @title ChainlinkOracle
/// @notice USD prices from Chainlink: TOKEN/USD, TOKEN/ETH times ETH/USD, or pegged to another token. An answer that is
/// zero, negative, absurd (above 1e12 USD), outside its feed's band, older than its feed's limit, dated in the future,
/// or not given at all means "no price"; nothing here reverts for a feed.
///
/// Bands: a feed may be alive and wrong. Chainlink's older aggregators stop at a floor and go on answering it with new
/// dates.
/// Rollups: while the sequencer is down nobody can trade, and the answers that stand when it is back are those from
/// before. Where `SEQUENCER` is set there is no price at all from the moment that it is reported down until `GRACE`
/// seconds after it is back, so that feeds can report first.
contract ChainlinkOracle is IOracle, Owned {
    using DynamicArrayLib for uint256[];
    using FixedPointMathLib for uint256;
    using LibCall for address;
    using Sources for uint256;
    using Sources for uint256[];
    using Words for address[];

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
    /// @notice A band needs both sides: `lowest` above 0 and below `highest`, which is at most 1e12 (18 decimals).
    error UnfitBand(address token, uint256 lowest, uint256 highest);
    /// @notice A band must contain what the feed answers when it is set; 0: it has no answer that counts now.
    error OutsideBand(address token, uint256 answer, uint256 lowest, uint256 highest);
    /// @notice A correction needs a band that the old feed's price lies outside of. That price in the band's currency.
    error OldFeedFits(address token, uint256 oldPrice, uint256 lowest, uint256 highest);
    /// @notice No more sources fit into a contract's code.
    error TooManyFeeds(address token);
    /// @notice The sequencer's feed must answer 0 or 1, with a date that is not in the future.
    error UnfitSequencer(address sequencer);
    /// @notice With a sequencer's feed 1 second to a day, without one 0.
    error GraceOutOfBounds(uint256 grace);
    /// @notice While the sequencer is down, and in the grace period, no feed can be held against another.
    error SequencerDown();

    /* EVENTS */

    event FeedSet(
        address indexed token,
        address indexed feed,
        uint256 maxAge,
        Quote quote,
        uint256 ratio,
        uint256 lowest,
        uint256 highest
    );
    /// @notice The feed of `FeedSet` stands in place of one that was wrong. Prices in USD, 18 decimals.
    event FeedCorrected(address indexed token, uint256 oldPrice, uint256 newPrice);

    /* STORAGE */

    address private constant ETH = address(0);
    uint256 private constant MAX_AGE = 8 days;
    /// @dev Twice to three times what a feed needs: Chainlink's proxy, its aggregator and their cold storage take
    /// 15,000 to 20,000. One that burns gas must not starve those after it, and 150 of them with ETH/USD and the
    /// sequencer's, as many as a determination asks at most, take 8.1 million of a transaction's 2^24, their cold
    /// addresses included.
    ///
    /// A low limit gives nobody a way to silence a feed. Who sends so little gas that a feed gets less than it needs
    /// leaves a 63rd of that to this contract, and to each caller above it a 63rd of what the prices took. No caller
    /// can end its own work with that: determine, start and trade write or move more than they ask for, and `setFeed`
    /// writes a contract's code.
    uint256 private constant FEED_GAS = 50_000;
    uint256 private constant MAX_GRACE = 1 days;

    /// @notice Most that a new feed may differ from a living old one, as a fraction with 18 decimals.
    uint256 public constant MAX_DISAGREEMENT = 0.05e18;

    /// @notice The fund's rebalancer, whose trading freezes the feeds.
    address public immutable REBALANCER;
    /// @notice Chainlink's feed of the rollup's sequencer: 0 while it is up, 1 while it is down. Zero address: none.
    address public immutable SEQUENCER;
    /// @notice Seconds without prices after the sequencer is back.
    uint256 public immutable GRACE;

    /// @dev All sources as contract code, see `Sources`.
    address private _sources;

    /* CONSTRUCTOR */

    /// @param owner The timelock.
    /// @param rebalancer The fund's rebalancer; it may not be deployed yet.
    /// @param sequencer The feed of the rollup's sequencer; zero where there is none.
    /// @param grace Seconds without prices after the sequencer is back; 0 without one.
    /// @param feeds The first feeds; ETH-quoted ones after that of ETH.
    constructor(address owner, address rebalancer, address sequencer, uint256 grace, Feed[] memory feeds) Owned(owner) {
        (REBALANCER, SEQUENCER, GRACE) = (rebalancer, sequencer, grace);
        if (sequencer == address(0)) {
            require(grace == 0, GraceOutOfBounds(grace));
        } else {
            require(grace != 0 && grace <= MAX_GRACE, GraceOutOfBounds(grace));
            // It may be down today, but it must be such a feed: it cannot be replaced.
            (uint256 status, uint256 startedAt) = _status();
            require(status <= 1 && startedAt != 0 && startedAt <= block.timestamp, UnfitSequencer(sequencer));
        }
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
        if (!_open()) return 0;
        uint256[] memory words = Words.read(_sources);
        (uint256 entry,) = words.find(token, 0);
        return entry == Sources.NONE ? 0 : _price(words, entry, _newMemo());
    }

    /// @inheritdoc IOracle
    /// @dev One source for each token: both sides count the same.
    function tradePrices(address[] calldata tokens, uint256) external view returns (uint256[] memory) {
        Lists.directReturn(_prices(tokens));
    }

    function prices(address[] calldata tokens) external view returns (uint256[] memory) {
        Lists.directReturn(_prices(tokens));
    }

    /* OWNER */

    /// @notice Sets a token's feed, or another band for it. While the old one has a price, the new one must be within
    /// `MAX_DISAGREEMENT` of it. This finds mistakes; it does not bind an owner who means ill, as a feed may answer
    /// something else as soon as it is set.
    function setFeed(Feed calldata feed) external onlyOwner {
        (uint256 old, uint256 now_) = _replace(feed);
        uint256 apart = now_.dist(old);
        // {1e18} = {USD} * {1e18} / {USD}
        require(old == 0 || apart <= old * MAX_DISAGREEMENT / 1e18, FeedsDisagree(feed.token, old, now_));
    }

    /// @notice Replaces a feed that is wrong, such as one of another token. The owner says with the band what is
    /// believable: the new feed's answer must lie inside it, the old one's price outside. So two statements must fit,
    /// the feed and the band, and whoever reads the announced call sees both. A band that is narrow for this can be
    /// widened by `setFeed` afterwards.
    function correctFeed(Feed calldata feed) external onlyOwner {
        require(feed.highest != 0, UnfitBand(feed.token, feed.lowest, feed.highest));
        (uint256 old, uint256 now_) = _replace(feed);
        require(now_ != 0, FeedsDisagree(feed.token, old, 0));
        // {ETH / tok} = {USD / tok} * {1e18} / {USD / ETH}; ETH has a price, else there would be no new one
        uint256 counted = feed.quote == Quote.Eth ? old * 1e18 / price(ETH) : old;
        bool outside = counted < feed.lowest || counted > feed.highest;
        require(outside, OldFeedFits(feed.token, counted, feed.lowest, feed.highest));
        emit FeedCorrected(feed.token, old, now_);
    }

    /* INTERNAL */

    /// @dev Puts the feed in place of the old one. Prices before and after in USD, 0 for none.
    function _replace(Feed calldata feed) private returns (uint256 old, uint256 now_) {
        require(!ITrading(REBALANCER).trading(), TradingOpen());
        // With no price because of the sequencer any feed would do.
        require(_open(), SequencerDown());
        old = price(feed.token);
        _sources = Words.write(_put(Words.read(_sources), feed));
        now_ = price(feed.token);
    }

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
            require(f.quote != Quote.Eth || (f.token != ETH && eth != Sources.NONE), NoEthFeed(f.token));
        }
        require(words.fits(f.token), TooManyFeeds(f.token));
        words = words.put(f.token, Source(f.feed, f.maxAge, decimals, f.quote, f.ratio, 0, uint128(Domain.MAX_PRICE)));
        if (f.lowest != 0 || f.highest != 0) _putBand(words, f);
        emit FeedSet(f.token, f.feed, f.maxAge, f.quote, f.ratio, f.lowest, f.highest);
        return words;
    }

    /// @dev Sets the band of a source that has none yet, after holding it against what it is about: the feed's answer,
    /// a peg's price.
    function _putBand(uint256[] memory words, Feed memory f) private view {
        bool sides = f.lowest != 0 && f.lowest < f.highest && f.highest <= Domain.MAX_PRICE;
        require(sides, UnfitBand(f.token, f.lowest, f.highest));
        (uint256 entry,) = words.find(f.token, 0);
        uint256 answer = f.quote == Quote.Pegged ? _price(words, entry, _newMemo()) : _answer(entry);
        bool inside = answer >= f.lowest && answer <= f.highest;
        require(inside, OutsideBand(f.token, answer, f.lowest, f.highest));
        words.setBand(f.token, f.lowest, f.highest);
    }

    /// @dev The feed's decimals; 255 for what does not answer.
    function _decimals(address feed) private view returns (uint8) {
        (bool ok, bytes memory data) = feed.staticcall(abi.encodeCall(IAggregatorV3.decimals, ()));
        if (!ok || data.length < 32) return type(uint8).max;
        uint256 decimals = abi.decode(data, (uint256));
        return decimals > 18 ? type(uint8).max : uint8(decimals);
    }

    /// @dev Whether there are prices at all.
    function _open() private view returns (bool) {
        if (SEQUENCER == address(0)) return true;
        (uint256 status, uint256 startedAt) = _status();
        bool up = status == 0 && startedAt != 0 && startedAt <= block.timestamp;
        return up && block.timestamp - startedAt >= GRACE;
    }

    /// @dev What the sequencer's feed says, and since when: 0 where it does not answer.
    function _status() private view returns (uint256 status, uint256 startedAt) {
        bytes memory question = abi.encodeCall(IAggregatorV3.latestRoundData, ());
        (bool answers,, bytes memory answer) = SEQUENCER.tryStaticCall(FEED_GAS, 160, question);
        // As numbers, whatever the feed puts into the narrower words.
        if (answers && answer.length == 160) {
            (, status, startedAt,,) = abi.decode(answer, (uint256, uint256, uint256, uint256, uint256));
        }
    }

    /// @dev Prices of all tokens, 0 for those without one.
    function _prices(address[] calldata tokens) private view returns (uint256[] memory values) {
        uint256 n = tokens.length;
        if (!_open()) return new uint256[](n);
        uint256[] memory words = Words.read(_sources);
        uint256[] memory ethMemo = _newMemo();
        values = new uint256[](n);
        (uint256 entry, uint256 next) = (0, 0);
        for (uint256 i; i < n; ++i) {
            // Where the tokens ascend, one pass over the sources finds them all.
            (entry, next) = words.find(tokens.given(i), next);
            if (entry == Sources.NONE) continue;
            // As `_price`, written out: a call less for each token.
            bool usd = entry.quote() == uint256(Quote.Usd);
            values.set(i, usd ? _answer(entry) : _derived(words, entry, ethMemo));
        }
    }

    /// @dev One word that keeps ETH's price + 1 once it was asked, so that a list of tokens asks it once; 0 before.
    function _newMemo() private pure returns (uint256[] memory ethMemo) {
        ethMemo = DynamicArrayLib.malloc(1);
        ethMemo.set(0, uint256(0));
    }

    /// @param entry See `Sources`; not NONE.
    /// @param ethMemo See `_newMemo`.
    function _price(uint256[] memory words, uint256 entry, uint256[] memory ethMemo) private view returns (uint256) {
        return entry.quote() == uint256(Quote.Usd) ? _answer(entry) : _derived(words, entry, ethMemo);
    }

    /// @dev A price that depends on another entry's. No source is ever removed, so that one exists.
    function _derived(uint256[] memory words, uint256 entry, uint256[] memory ethMemo)
        private
        view
        returns (uint256 value)
    {
        if (entry.quote() == uint256(Quote.Eth)) {
            value = _answer(entry);
            if (value == 0) return 0;
            if (ethMemo.get(0) == 0) {
                (uint256 eth,) = words.find(ETH, 0);
                ethMemo.set(0, _answer(eth) + 1);
            }
            // {USD / tok} = {ETH / tok} * {USD / ETH} / {1e18}, down
            value = value * (ethMemo.get(0) - 1) / 1e18;
            return value > Domain.MAX_PRICE ? 0 : value;
        }
        (uint256 other,) = words.find(entry.feed(), 0);
        // A peg to a peg has no price: no recursion.
        if (other.quote() == uint256(Quote.Pegged)) return 0;
        // {USD / tok} = {USD / other} * {other / tok} / {1e18}, down
        return entry.banded(_price(words, other, ethMemo) * entry.ratio() / 1e18);
    }

    /// @dev The answer of an entry's feed with 18 decimals, 0 unless it is sound. A low-level call, because a feed
    /// without code or with another answer's shape must not stop a fund.
    function _answer(uint256 entry) private view returns (uint256 value) {
        (address feed, uint256 maxAge, uint256 scale) = entry.reading();
        uint256 most = Domain.MAX_PRICE;
        // Saves 300 gas a token over solady's call with a limit of gas (measured), 0.8 % of start.
        assembly ("memory-safe") {
            let at := mload(0x40)
            mstore(at, shl(224, 0xfeaf968c)) // latestRoundData()
            // Evaluated from right to left.
            if and(gt(returndatasize(), 159), staticcall(FEED_GAS, feed, at, 4, at, 160)) {
                let answer := mload(add(at, 32))
                // A date in the future wraps around, to an age of more than all seconds up to now.
                let age := sub(timestamp(), mload(add(at, 96)))
                // A negative answer is above every price, taken as a number without sign; zero stays zero.
                if iszero(or(gt(answer, most), gt(age, maxAge))) {
                    value := mul(answer, scale) // at most 1e30 * 1e18
                }
            }
        }
        // A band's upper side is at most the absurdity bound.
        value = entry.banded(value);
    }
}
