// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";

import {IUniswapV2Pair} from "../../../interfaces/external/IUniswapV2Pair.sol";
import {IUniswapV3Pool} from "../../../interfaces/external/IUniswapV3Pool.sol";
import {IWETH} from "../../../interfaces/external/IWETH.sol";

/// @title BareZap
/// @notice For benchmarks: the least that shares for ETH or a token, and back, can cost in one transaction over given
/// pools. It is fund and zap in one, is told every amount, and checks nothing.
contract BareZap is ERC20 {
    IWETH private immutable WETH;

    /// @param token What goes in.
    /// @param forward Whether that is the pool's token0.
    /// @param v3 Whether the pool is one of Uniswap V3: then `amountIn` is below zero for so much out.
    struct Swap {
        address pool;
        address token;
        bool forward;
        bool v3;
        int256 amountIn;
        uint256 amountOut;
    }

    constructor(IWETH weth) ERC20("Bare", "BARE") {
        WETH = weth;
    }

    receive() external payable {}

    /// @param pay Of a token that is paid with, into WETH; pool zero: ETH is.
    function mint(uint256 shares, uint256 weth, Swap calldata pay, Swap[] calldata swaps) external payable {
        if (pay.pool == address(0)) {
            WETH.deposit{value: weth}();
        } else {
            if (!pay.v3) IERC20(pay.token).transferFrom(msg.sender, pay.pool, uint256(pay.amountIn));
            _swap(pay, msg.sender, address(this));
        }
        _swaps(swaps);
        _mint(msg.sender, shares);
    }

    /// @param receiving Of WETH, into a token; pool zero: ETH is received.
    function redeem(uint256 shares, uint256 weth, Swap[] calldata swaps, Swap calldata receiving) external {
        _burn(msg.sender, shares);
        _swaps(swaps);
        if (receiving.pool == address(0)) {
            WETH.withdraw(weth);
            payable(msg.sender).transfer(weth);
        } else {
            if (!receiving.v3) WETH.transfer(receiving.pool, uint256(receiving.amountIn));
            _swap(receiving, address(this), msg.sender);
        }
    }

    function _swaps(Swap[] calldata swaps) private {
        for (uint256 i; i < swaps.length; ++i) {
            if (!swaps[i].v3) IERC20(swaps[i].token).transfer(swaps[i].pool, uint256(swaps[i].amountIn));
            _swap(swaps[i], address(this), address(this));
        }
    }

    function _swap(Swap calldata s, address payer, address to) private {
        if (s.v3) {
            uint160 limit = s.forward ? 4295128740 : 1461446703485210103287273052203988822378723970341;
            IUniswapV3Pool(s.pool).swap(to, s.forward, s.amountIn, limit, abi.encode(s.token, payer));
        } else {
            IUniswapV2Pair(s.pool).swap(s.forward ? 0 : s.amountOut, s.forward ? s.amountOut : 0, to, "");
        }
    }

    function uniswapV3SwapCallback(int256 amount0, int256 amount1, bytes calldata data) external {
        (IERC20 token, address payer) = abi.decode(data, (IERC20, address));
        uint256 owed = uint256(amount0 > 0 ? amount0 : amount1);
        if (payer == address(this)) token.transfer(msg.sender, owed);
        else token.transferFrom(payer, msg.sender, owed);
    }
}
