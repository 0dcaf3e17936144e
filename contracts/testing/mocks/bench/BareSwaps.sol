// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";

import {IUniswapV2Pair} from "../../../interfaces/external/IUniswapV2Pair.sol";

/// @title BareSwaps
/// @notice For benchmarks: the least that swaps in pools of the Uniswap V2 family can cost in one transaction. It holds
/// the tokens itself, is told every amount and checks nothing.
contract BareSwaps {
    /// @param token What goes in.
    /// @param forward Whether that is the pair's token0.
    struct Swap {
        address pair;
        address token;
        bool forward;
        uint256 amountIn;
        uint256 amountOut;
    }

    function swap(Swap[] calldata swaps) external {
        for (uint256 i; i < swaps.length; ++i) {
            Swap calldata s = swaps[i];
            IERC20(s.token).transfer(s.pair, s.amountIn);
            IUniswapV2Pair(s.pair).swap(s.forward ? 0 : s.amountOut, s.forward ? s.amountOut : 0, address(this), "");
        }
    }
}
