// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

interface IMintableLike {
    function balanceOf(address account) external view returns (uint256);
    function transfer(address to, uint256 amount) external returns (bool);
    function mint(address to, uint256 amount) external;
}

interface IV3FactoryLike {
    function createPool(address a, address b, uint24 fee) external returns (address pool);
}

interface IV3PoolLike {
    function token0() external view returns (address);
    function token1() external view returns (address);
    function tickSpacing() external view returns (int24);
    function initialize(uint160 sqrtPriceX96) external;
    function increaseObservationCardinalityNext(uint16 cardinality) external;
    function slot0()
        external
        view
        returns (
            uint160 sqrtPriceX96,
            int24 tick,
            uint16 index,
            uint16 cardinality,
            uint16 next,
            uint8 fee,
            bool unlocked
        );
    function observations(uint256 index)
        external
        view
        returns (uint32 at, int56 tickCumulative, uint160 secondsPerLiquidity, bool initialized);
    function mint(address recipient, int24 lower, int24 upper, uint128 liquidity, bytes calldata data)
        external
        returns (uint256 amount0, uint256 amount1);
    function swap(address recipient, bool zeroForOne, int256 amount, uint160 sqrtPriceLimitX96, bytes calldata data)
        external
        returns (int256 amount0, int256 amount1);
}

/// @title V3Market
/// @notice The part of `ReferenceMarket` that trades in pools of the Uniswap V3 kind, **on a local chain only**: it
/// opens and fills them, and carries a rested one back to its reference price. It pays whoever calls it back, for
/// anybody: the tokens are stand-ins with an open `mint`. Nothing in this folder is meant for a public network.
abstract contract V3Market {
    /// @notice Liquidity in a range, given in ticks from the pool's first tick and widened to whole tick spacings.
    struct Position {
        int24 lower;
        int24 upper;
        uint128 liquidity;
    }

    /// @notice A pool to bring to its reference price, given as the square root of token1 wei per token0 wei, x 2^96.
    struct V3Pool {
        address pool;
        uint160 sqrtPriceX96;
    }

    /// @dev How the arbitrageur left a pool. While nobody else has touched it, it has rested.
    struct LeftAt {
        uint160 sqrtPriceX96;
        uint32 at;
    }

    int24 private constant MAX_TICK = 887272;

    mapping(address pool => LeftAt) private _leftAt;

    event OpenedV3(address indexed pool, uint160 sqrtPriceX96, uint256 positions);

    /// @notice Opens a pool at a price and fills it. `cardinality`: observations that it is to keep.
    function openV3(
        address factory,
        address weth,
        address a,
        address b,
        uint24 fee,
        uint160 sqrtPriceX96,
        uint16 cardinality,
        Position[] calldata positions
    ) external returns (address pool) {
        pool = IV3FactoryLike(factory).createPool(a, b, fee);
        IV3PoolLike(pool).initialize(sqrtPriceX96);
        if (cardinality > 1) IV3PoolLike(pool).increaseObservationCardinalityNext(cardinality);
        _fill(pool, weth, positions);
        // Pools of mainnet have been traded in: what a first swap would pay for is written here.
        _swapTo(pool, weth, sqrtPriceX96 - sqrtPriceX96 / 1e6 - 1);
        _swapTo(pool, weth, sqrtPriceX96);
        emit OpenedV3(pool, sqrtPriceX96, positions.length);
    }

    function _fill(address pool, address weth, Position[] calldata positions) private {
        (, int24 tick,,,,,) = IV3PoolLike(pool).slot0();
        int24 spacing = IV3PoolLike(pool).tickSpacing();
        for (uint256 i = 0; i < positions.length; ++i) {
            Position calldata p = positions[i];
            int24 lower = _floor(tick + p.lower, spacing);
            int24 upper = -_floor(-(tick + p.upper), spacing);
            IV3PoolLike(pool).mint(address(this), lower, upper, p.liquidity, abi.encode(weth));
        }
    }

    /// @dev The nearest usable tick at or below `tick`; at the ends the outermost one.
    function _floor(int24 tick, int24 spacing) private pure returns (int24 usable) {
        usable = tick / spacing;
        if (tick < 0 && tick % spacing != 0) --usable;
        int24 most = MAX_TICK / spacing;
        usable = (usable > most ? most : usable < -most ? -most : usable) * spacing;
    }

    /// @notice What a pool asks for when liquidity is added.
    function uniswapV3MintCallback(uint256 amount0, uint256 amount1, bytes calldata data) external {
        address weth = abi.decode(data, (address));
        _pay(weth, IV3PoolLike(msg.sender).token0(), amount0);
        _pay(weth, IV3PoolLike(msg.sender).token1(), amount1);
    }

    /// @notice What a pool asks for in a swap.
    function uniswapV3SwapCallback(int256 amount0, int256 amount1, bytes calldata data) external {
        address weth = abi.decode(data, (address));
        if (amount0 > 0) _pay(weth, IV3PoolLike(msg.sender).token0(), uint256(amount0));
        if (amount1 > 0) _pay(weth, IV3PoolLike(msg.sender).token1(), uint256(amount1));
    }

    function _pay(address weth, address token, uint256 amount) private {
        if (amount == 0) return;
        uint256 held = IMintableLike(token).balanceOf(address(this));
        if (held < amount && token != weth) IMintableLike(token).mint(address(this), amount - held);
        IMintableLike(token).transfer(msg.sender, amount);
    }

    /// @dev Which token has to go in, zero where the pool is to be let alone: it has not rested, or is as near to its
    /// reference as `precision` (1 in so many) asks. The pool dates its observations, and it writes one for each block
    /// in which a swap leaves the tick that it found; a swap within a tick (1 bp) does not begin the rest anew.
    function _due(V3Pool calldata target, uint256 precision, uint256 rest) internal view returns (address) {
        IV3PoolLike pool = IV3PoolLike(target.pool);
        (uint160 price,, uint16 index,,,,) = pool.slot0();
        (uint32 at,,,) = pool.observations(index);
        LeftAt memory left = _leftAt[target.pool];
        bool rested = (left.at == at && left.sqrtPriceX96 == price) || block.timestamp >= at + rest;
        uint160 wanted = target.sqrtPriceX96;
        // The price is the square of what is compared here: half the distance.
        uint256 near = wanted / (2 * precision);
        if (!rested || (price > wanted ? price - wanted : wanted - price) <= near) return address(0);
        return price > wanted ? pool.token0() : pool.token1();
    }

    /// @dev A swap that ends at the reference price; what went in and what came out.
    function _carry(address weth, V3Pool calldata target, address tokenIn)
        internal
        returns (uint256 amountIn, uint256 amountOut)
    {
        IV3PoolLike pool = IV3PoolLike(target.pool);
        (int256 amount0, int256 amount1) = _swapTo(target.pool, weth, target.sqrtPriceX96);
        bool zeroIn = pool.token0() == tokenIn;
        (amountIn, amountOut) = zeroIn ? (uint256(amount0), uint256(-amount1)) : (uint256(amount1), uint256(-amount0));
        (uint160 price,, uint16 index,,,,) = pool.slot0();
        (uint32 at,,,) = pool.observations(index);
        _leftAt[target.pool] = LeftAt(price, at);
    }

    /// @dev A swap of as much as it takes to a price.
    function _swapTo(address pool, address weth, uint160 sqrtPriceX96)
        private
        returns (int256 amount0, int256 amount1)
    {
        (uint160 price,,,,,,) = IV3PoolLike(pool).slot0();
        return
            IV3PoolLike(pool)
                .swap(address(this), price > sqrtPriceX96, type(int128).max, sqrtPriceX96, abi.encode(weth));
    }
}
