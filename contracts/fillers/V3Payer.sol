// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";

import {IUniswapV3Pool} from "../interfaces/external/IUniswapV3Pool.sol";

/// @title V3Payer
/// @notice Swaps in pools of Uniswap V3, which ask to be paid in a callback after they have paid out.
/// @dev The callback pays one pool, the one that is being swapped on, once, exactly the amount and the token of that
/// swap. A pool is whatever address it was given. A false one can therefore keep what it is swapped with and give
/// nothing, as a false pool of any kind could, and in a chain of hops say which token that is; all of it out of what
/// the filler holds during the call, at the cost of the batch that names it, which then fails. Nobody else can take
/// anything: outside a swap no caller is the pool.
abstract contract V3Payer {
    using SafeERC20 for IERC20;

    /// @notice The callback was called by somebody else than the pool being swapped on, or a second time.
    error NotThePool(address caller);
    /// @notice The pool wants something else than what is swapped: it has not enough on the other side, or is false.
    error UnfitPayment(int256 amount0, int256 amount1);

    /// @dev The ends of all prices, as square roots x 2^96: the pools refuse limits at or beyond them.
    uint160 private constant LOWEST = 4295128739;
    uint160 private constant HIGHEST = 1461446703485210103287273052203988822378723970342;

    address private transient _pool;
    bool private transient _forward;
    address private transient _token;
    uint256 private transient _amount;

    /// @dev Swaps exactly `amount`, which this contract holds, and has the output sent to `to`.
    /// @param token What goes in; zero: whatever the pool says it trades on that side.
    /// @param forward Whether that is the pool's token0.
    function _swapV3(address pool, address token, uint256 amount, bool forward, address to)
        internal
        returns (uint256 out)
    {
        if (token == address(0)) {
            token = forward ? IUniswapV3Pool(pool).token0() : IUniswapV3Pool(pool).token1();
        }
        (_pool, _forward, _token, _amount) = (pool, forward, token, amount);
        (int256 amount0, int256 amount1) =
            IUniswapV3Pool(pool).swap(to, forward, int256(amount), forward ? LOWEST + 1 : HIGHEST - 1, "");
        // One that never called back leaves no right behind.
        _pool = address(0);
        out = uint256(-(forward ? amount1 : amount0));
    }

    /// @notice Called by the pool being swapped on, to be paid.
    function uniswapV3SwapCallback(int256 amount0, int256 amount1, bytes calldata) external {
        require(msg.sender == _pool, NotThePool(msg.sender));
        _pool = address(0);
        uint256 amount = _amount;
        bool fits = (_forward ? amount0 : amount1) == int256(amount);
        require(fits, UnfitPayment(amount0, amount1));
        IERC20(_token).safeTransfer(msg.sender, amount);
    }
}
