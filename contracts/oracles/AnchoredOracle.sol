// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";

import {FixedPointMathLib} from "solady/src/utils/FixedPointMathLib.sol";

import {Owned} from "../access/Owned.sol";
import {IOracle} from "../interfaces/IOracle.sol";
import {IUniswapV3Factory} from "../interfaces/external/IUniswapV3Factory.sol";
import {IUniswapV3Pool} from "../interfaces/external/IUniswapV3Pool.sol";
import {Decimals} from "../libraries/Decimals.sol";
import {Domain} from "../libraries/Domain.sol";
import {Twap} from "../libraries/Twap.sol";

interface ITradingState {
    function trading() external view returns (bool);
}

/// @notice A second source for a token's price, as it is listed.
/// @param pool A pool of Uniswap V3 of the token; zero: no anchor.
/// @param window Seconds over which its price is averaged.
/// @param bound Most that it may pull the first price, as a fraction with 18 decimals.
struct Listing {
    address token;
    IUniswapV3Pool pool;
    uint32 window;
    uint64 bound;
}

/// @notice A second source for a token's price, as it is kept.
/// @param other The pool's other token, which the first oracle prices; zero where that is WETH.
/// @param forward Whether the token is the pool's token0.
/// @param decimals The token's, `otherDecimals` the other's.
struct Anchor {
    IUniswapV3Pool pool;
    uint32 window;
    uint64 bound;
    address other;
    bool forward;
    uint8 decimals;
    uint8 otherDecimals;
}

/// @title AnchoredOracle
/// @notice An oracle with a second source beside it: the time-weighted price of a Uniswap V3 pool. It is directional:
/// what is sold counts at the higher of the two prices, what is bought at the lower, so that neither source alone can
/// make a batch look better for the fund than it is.
///
/// Bounds: an anchor pulls a price by at most its own bound, at most 5 %, so that a batch whose sells and buys are all
/// pulled whole still fits under the widest tolerance that a fund may have.
/// Liveness: where the anchor has no price (its pool does not reach back over the window) the first oracle's counts
/// alone; where that has none there is none. No anchor can make a component untradable. NAV and weights (`price`,
/// `prices`) stand on the first oracle only.
/// @dev Warning: whoever holds a pool's price away from the market for a window makes batches of that token dearer for
/// those who fill them, by up to the bound. The fund loses nothing by it, but may not be filled. Pools must be deep.
contract AnchoredOracle is IOracle, Owned {
    using FixedPointMathLib for uint256;

    /* ERRORS */

    /// @notice An anchor must be a pool of the factory, with the token on one side.
    error UnfitPool(address token, address pool);
    /// @notice The window must be `MIN_WINDOW` to `MAX_WINDOW` seconds.
    error WindowOutOfBounds(address token, uint256 window);
    /// @notice The bound must be above 0 and at most `MAX_BOUND`.
    error BoundOutOfBounds(address token, uint256 bound);
    /// @notice The pool keeps too few observations for the window. Anyone can have it keep more:
    /// `increaseObservationCardinalityNext`, and then as many blocks with a swap or a change of liquidity.
    error TooFewObservations(address pool, uint256 found, uint256 needed);
    /// @notice One of the sources has no price, or they are too far apart. Both in USD, 18 decimals.
    error AnchorDisagrees(address token, uint256 price, uint256 anchorPrice);
    /// @notice Both tokens of a pool must answer `decimals()` with at most 27.
    error UnfitDecimals(address token);
    /// @notice The least time between two blocks must be 1 second to a minute.
    error BlockTimeOutOfBounds(uint256 blockTime);
    /// @notice Anchors change only while the rebalancer is not trading.
    error TradingOpen();

    /* EVENTS */

    event AnchorSet(address indexed token, address indexed pool, uint256 window, uint256 bound);

    /* STORAGE */

    address private constant ETH = address(0);
    uint256 private constant MAX_BLOCK_TIME = 1 minutes;

    uint256 public constant MIN_WINDOW = 10 minutes;
    uint256 public constant MAX_WINDOW = 1 days;
    /// @notice Most that an anchor may pull a price, as a fraction with 18 decimals.
    uint256 public constant MAX_BOUND = 0.05e18;
    /// @notice Most that a new anchor may differ from the first oracle, as a fraction with 18 decimals.
    uint256 public constant MAX_DISAGREEMENT = 0.05e18;

    /// @notice The first oracle. It prices ETH as the zero address.
    IOracle public immutable FIRST;
    IUniswapV3Factory public immutable FACTORY;
    address public immutable WETH;
    /// @notice Least seconds between two observations of a pool, which dates them by blocks: 12 on mainnet, 2 on many
    /// rollups. Where blocks come faster than their dates change it is 1, the least that two dates differ by.
    uint256 public immutable BLOCK_TIME;
    /// @notice The fund's rebalancer, whose trading freezes the anchors.
    address public immutable REBALANCER;

    mapping(address token => Anchor) private _anchors;

    /* CONSTRUCTOR */

    /// @param owner The timelock.
    /// @param rebalancer The fund's rebalancer; it may not be deployed yet.
    /// @param blockTime Least seconds between two blocks with different dates.
    /// @param listings The first anchors, held to the same as later ones.
    constructor(
        address owner,
        address rebalancer,
        IOracle first,
        IUniswapV3Factory factory,
        address weth,
        uint256 blockTime,
        Listing[] memory listings
    ) Owned(owner) {
        require(blockTime != 0 && blockTime <= MAX_BLOCK_TIME, BlockTimeOutOfBounds(blockTime));
        (REBALANCER, FIRST, FACTORY, WETH, BLOCK_TIME) = (rebalancer, first, factory, weth, blockTime);
        for (uint256 i; i < listings.length; ++i) {
            _set(listings[i]);
        }
    }

    /* VIEWS */

    /// @notice A token's anchor; pool zero where it has none.
    function anchors(address token) external view returns (Anchor memory) {
        return _anchors[token];
    }

    function price(address token) external view returns (uint256) {
        return FIRST.price(token);
    }

    function prices(address[] calldata tokens) external view returns (uint256[] memory) {
        return FIRST.prices(tokens);
    }

    /// @notice The anchor's price alone: USD for one whole token, 18 decimals, rounded down; 0 where there is none.
    function anchorPrice(address token) external view returns (uint256) {
        Anchor memory anchor = _anchors[token];
        return address(anchor.pool) == address(0) ? 0 : _anchorPrice(anchor, FIRST.price(anchor.other));
    }

    /// @inheritdoc IOracle
    function tradePrices(address[] calldata tokens, uint256 sold) external view returns (uint256[] memory values) {
        values = FIRST.prices(tokens);
        address other = address(this); // nobody's
        uint256 otherPrice;
        for (uint256 i; i < values.length; ++i) {
            Anchor memory anchor = _anchors[tokens[i]];
            if (address(anchor.pool) == address(0) || values[i] == 0) continue;
            // Most pools have WETH on the other side: it is priced once.
            if (anchor.other != other) (other, otherPrice) = (anchor.other, FIRST.price(anchor.other));
            uint256 second = _anchorPrice(anchor, otherPrice);
            if (second != 0) values[i] = _pulled(values[i], second, anchor.bound, i < sold);
        }
    }

    /* OWNER */

    /// @notice Sets a token's anchor; pool zero takes it away. It must have a price now that agrees with the first
    /// oracle's, and the pool must keep enough observations for the window however busy it is.
    function setAnchor(Listing calldata listing) external onlyOwner {
        require(!ITradingState(REBALANCER).trading(), TradingOpen());
        _set(listing);
    }

    /* INTERNAL */

    function _set(Listing memory l) private {
        if (address(l.pool) == address(0)) {
            (l.window, l.bound) = (0, 0);
            delete _anchors[l.token];
        } else {
            require(l.window >= MIN_WINDOW && l.window <= MAX_WINDOW, WindowOutOfBounds(l.token, l.window));
            require(l.bound != 0 && l.bound <= MAX_BOUND, BoundOutOfBounds(l.token, l.bound));
            Anchor memory anchor = _anchorOf(l);
            _checkHistory(l.pool, l.window);
            uint256 first = FIRST.price(l.token);
            uint256 second = _anchorPrice(anchor, FIRST.price(anchor.other));
            uint256 apart = first.dist(second);
            // {1e18} = {USD} * {1e18} / {USD}; no second price is too far from any first one
            bool agree = first != 0 && apart <= first * MAX_DISAGREEMENT / 1e18;
            require(agree, AnchorDisagrees(l.token, first, second));
            _anchors[l.token] = anchor;
        }
        emit AnchorSet(l.token, address(l.pool), l.window, l.bound);
    }

    function _anchorOf(Listing memory l) private view returns (Anchor memory) {
        (address token, IUniswapV3Pool pool) = (l.token, l.pool);
        require(address(pool).code.length != 0, UnfitPool(token, address(pool)));
        (address token0, address token1) = (pool.token0(), pool.token1());
        bool genuine = FACTORY.getPool(token0, token1, pool.fee()) == address(pool);
        require(genuine && (token == token0 || token == token1), UnfitPool(token, address(pool)));
        address other = token == token0 ? token1 : token0;
        return Anchor({
            pool: pool,
            window: l.window,
            bound: l.bound,
            other: other == WETH ? ETH : other,
            forward: token == token0,
            decimals: _decimals(token),
            otherDecimals: _decimals(other)
        });
    }

    function _decimals(address token) private view returns (uint8) {
        (bool fit, uint8 decimals) = Decimals.tryRead(token);
        require(fit, UnfitDecimals(token));
        return decimals;
    }

    /// @dev A pool writes at most one observation a block and keeps the latest `cardinality` of them.
    function _checkHistory(IUniswapV3Pool pool, uint32 window) private view {
        (,,, uint16 cardinality,,,) = pool.slot0();
        uint256 needed = window / BLOCK_TIME + 2;
        require(cardinality >= needed, TooFewObservations(address(pool), cardinality, needed));
    }

    function _anchorPrice(Anchor memory anchor, uint256 otherPrice) private view returns (uint256) {
        if (otherPrice == 0) return 0;
        (bool known, int256 tick) = Twap.meanTick(anchor.pool, anchor.window);
        if (!known) return 0;
        // {USD / tok} = ({wei / tok} * {USD / other}) * {other wei / wei} / {other wei / other}, rounded down once:
        // what a whole token is worth may be a few wei of the other one.
        uint256 amount = 10 ** anchor.decimals * otherPrice;
        return Twap.quote(tick, anchor.forward, amount, 10 ** anchor.otherDecimals, Domain.MAX_PRICE);
    }

    /// @dev The price that is worse for a batch: of a sell the higher one, of a buy the lower one, no further from the
    /// first than `bound`, which is rounded down.
    function _pulled(uint256 first, uint256 second, uint256 bound, bool sells) private pure returns (uint256) {
        // {USD} = {USD} * {1e18} / {1e18}
        uint256 most = first * bound / 1e18;
        if (sells) return Math.min(Math.max(first, second), first + most);
        return Math.max(Math.min(first, second), first - most);
    }
}
