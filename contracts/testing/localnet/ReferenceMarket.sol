// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";

import {V3Market} from "./V3Market.sol";

interface ITokenLike {
    function balanceOf(address account) external view returns (uint256);
    function transfer(address to, uint256 amount) external returns (bool);
    function mint(address to, uint256 amount) external;
    function init(string calldata name, string calldata symbol, uint8 decimals) external;
}

interface IFeedLike {
    function init(string calldata description, uint8 decimals) external;
    function post(int256 answer, uint256 updatedAt) external;
}

interface IFactoryLike {
    function createPair(address a, address b) external returns (address pair);
}

interface IPairLike {
    function token0() external view returns (address);
    function getReserves() external view returns (uint112 reserve0, uint112 reserve1, uint32 blockTimestampLast);
    function mint(address to) external returns (uint256 liquidity);
    function swap(uint256 amount0Out, uint256 amount1Out, address to, bytes calldata data) external;
}

/// @title ReferenceMarket
/// @notice The rest of the market **on a local chain only**: it opens pools of the Uniswap V2 kind against WETH and of
/// the V3 kind, posts the feeds' answers, and is the arbitrageur that carries a rested pool back to the reference
/// price. All is open to everybody. It mints the tokens it trades (they are stand-ins with an open `mint`) and holds
/// WETH of its own. Nothing in this folder is meant for a public network.
contract ReferenceMarket is V3Market {
    /// @notice A pool to open and what goes in, in token wei and WETH wei.
    struct Opening {
        address factory;
        uint256 tokenReserve;
        uint256 wethReserve;
    }

    /// @notice A pool and its reference mid price: `numerator / denominator` WETH wei for one token wei.
    struct Pool {
        address pair;
        address token;
        uint256 numerator;
        uint256 denominator;
    }

    /// @notice An answer for a feed, in the feed's decimals.
    struct Post {
        address feed;
        int256 answer;
    }

    /// @notice A swap that the arbitrageur made, or would make; `tokenIn` is zero where it lets the pool be.
    struct Move {
        address pair;
        address tokenIn;
        uint256 amountIn;
        uint256 amountOut;
    }

    /// @dev How the arbitrageur left a pool. While nobody else has touched it, it has rested.
    struct Left {
        uint112 reserve0;
        uint112 reserve1;
        uint32 at;
    }

    /// @notice Relative distance from the reference, as 1 in so many, below which a pool counts as restored.
    uint256 public constant PRECISION = 1e9;

    mapping(address pair => Left) private _left;

    event Opened(address indexed pair, address indexed token, uint256 tokenReserve, uint256 wethReserve);
    event Restored(address indexed pair, address indexed tokenIn, uint256 amountIn, uint256 amountOut);

    /// @notice Names a token and a feed whose code was just placed, posts the first answer and opens the token's pools.
    function open(
        address token,
        string calldata symbol,
        uint8 decimals,
        address feed,
        int256 answer,
        address weth,
        Opening[] calldata openings
    ) external {
        ITokenLike(token).init(symbol, symbol, decimals);
        describe(feed, string.concat(symbol, " / USD"), answer);
        for (uint256 i = 0; i < openings.length; ++i) {
            Opening calldata opening = openings[i];
            address pair = IFactoryLike(opening.factory).createPair(token, weth);
            ITokenLike(token).mint(pair, opening.tokenReserve);
            ITokenLike(weth).transfer(pair, opening.wethReserve);
            IPairLike(pair).mint(address(this));
            emit Opened(pair, token, opening.tokenReserve, opening.wethReserve);
        }
    }

    /// @notice Names a feed whose code was just placed, with 8 decimals, and posts its first answer.
    function describe(address feed, string memory description, int256 answer) public {
        IFeedLike(feed).init(description, 8);
        IFeedLike(feed).post(answer, block.timestamp);
    }

    /// @notice Posts answers dated now.
    function post(Post[] calldata posts) external {
        for (uint256 i = 0; i < posts.length; ++i) {
            IFeedLike(posts[i].feed).post(posts[i].answer, block.timestamp);
        }
    }

    /// @notice Carries every pool that has rested for `rest` seconds back to its reference mid price, by a real swap.
    /// @return moves One per pool, in order, the V3 ones last.
    function restore(address weth, Pool[] calldata pools, V3Pool[] calldata v3Pools, uint256 rest)
        external
        returns (Move[] memory moves)
    {
        moves = preview(weth, pools, v3Pools, rest);
        for (uint256 i = 0; i < v3Pools.length; ++i) {
            Move memory move = moves[pools.length + i];
            if (move.tokenIn == address(0)) continue;
            (move.amountIn, move.amountOut) = _carry(weth, v3Pools[i], move.tokenIn);
            emit Restored(move.pair, move.tokenIn, move.amountIn, move.amountOut);
        }
        for (uint256 i = 0; i < pools.length; ++i) {
            Move memory move = moves[i];
            if (move.tokenIn == address(0)) continue;
            uint256 held = ITokenLike(move.tokenIn).balanceOf(address(this));
            if (held < move.amountIn && move.tokenIn != weth) {
                ITokenLike(move.tokenIn).mint(address(this), move.amountIn - held);
            }
            ITokenLike(move.tokenIn).transfer(move.pair, move.amountIn);
            bool zeroIn = IPairLike(move.pair).token0() == move.tokenIn;
            IPairLike(move.pair).swap(zeroIn ? 0 : move.amountOut, zeroIn ? move.amountOut : 0, address(this), "");
            (uint112 reserve0, uint112 reserve1, uint32 at) = IPairLike(move.pair).getReserves();
            _left[move.pair] = Left(reserve0, reserve1, at);
            emit Restored(move.pair, move.tokenIn, move.amountIn, move.amountOut);
        }
    }

    /// @notice What `restore` would do in this block; of the V3 pools without the amounts.
    function preview(address weth, Pool[] calldata pools, V3Pool[] calldata v3Pools, uint256 rest)
        public
        view
        returns (Move[] memory moves)
    {
        moves = new Move[](pools.length + v3Pools.length);
        for (uint256 i = 0; i < pools.length; ++i) {
            moves[i] = _move(weth, pools[i], rest);
        }
        for (uint256 i = 0; i < v3Pools.length; ++i) {
            moves[pools.length + i] = Move(v3Pools[i].pool, _due(v3Pools[i], PRECISION, rest), 0, 0);
        }
    }

    function _move(address weth, Pool calldata pool, uint256 rest) private view returns (Move memory move) {
        move.pair = pool.pair;
        (uint256 tokens, uint256 weths, bool rested) = _look(weth, pool, rest);
        if (!rested) return move;

        uint256 actual = weths * pool.denominator;
        uint256 wanted = tokens * pool.numerator;
        uint256 distance = actual > wanted ? actual - wanted : wanted - actual;
        if (distance <= wanted / PRECISION) return move;
        (move.amountIn, move.amountOut) = _toward(pool, tokens, weths, actual > wanted);
        // A coin too coarse for the pool's precision cannot move it any nearer.
        if (move.amountIn == 0 || move.amountOut == 0) (move.amountIn, move.amountOut) = (0, 0);
        else move.tokenIn = actual > wanted ? pool.token : weth;
    }

    /// @dev The swap that lowers the token's price (tokens go in), or raises it (WETH goes in).
    function _toward(Pool calldata pool, uint256 tokens, uint256 weths, bool down)
        private
        pure
        returns (uint256 paid, uint256 received)
    {
        if (down) return _swap(tokens, weths, pool.denominator, pool.numerator);
        return _swap(weths, tokens, pool.numerator, pool.denominator);
    }

    function _look(address weth, Pool calldata pool, uint256 rest)
        private
        view
        returns (uint256 tokens, uint256 weths, bool rested)
    {
        (uint112 reserve0, uint112 reserve1, uint32 at) = IPairLike(pool.pair).getReserves();
        Left memory left = _left[pool.pair];
        // Not a difference: for a moment after a block a node answers calls with its state and the time of the last.
        rested =
            (left.at == at && left.reserve0 == reserve0 && left.reserve1 == reserve1) || block.timestamp >= at + rest;
        (tokens, weths) = pool.token < weth ? (reserve0, reserve1) : (reserve1, reserve0);
    }

    /// @dev The swap after which `in / out = n / d` holds for the reserves, fee of 0.3 % included. With a and b the
    /// reserves of the side paid in and out and x the amount paid in:
    ///     (a + x)(1000a + 997x) = 1000ab * n/d
    ///     x = (sqrt(9a^2 + 3988000ab * n/d) - 1997a) / 1994
    /// The amount in is floored, the amount out is the pair's own formula, floored.
    function _swap(uint256 a, uint256 b, uint256 n, uint256 d) private pure returns (uint256 paid, uint256 received) {
        uint256 root = Math.sqrt(9 * a * a + 3_988_000 * Math.mulDiv(a * b, n, d));
        if (root <= 1997 * a) return (0, 0);
        paid = (root - 1997 * a) / 1994;
        uint256 afterFee = paid * 997;
        received = (afterFee * b) / (a * 1000 + afterFee);
    }
}
