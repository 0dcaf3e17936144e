// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IUniswapV2Pair} from "../interfaces/external/IUniswapV2Pair.sol";

/// @title PairV2
/// @notice A swap in a pool of the Uniswap V2 family with a fee of 0.3 %.
library PairV2 {
    /// @notice Swaps `amount`, which the pool has been paid, and sends `to` what the pool's own formula gives for it (Uniswap V2
    /// white paper, 3.2.1): out = 997 in * reserveOut / (1000 reserveIn + 997 in), down. Reverts as the pool does.
    /// @param forward Whether the pool's token0 goes in.
    function swap(address pair, uint256 amount, bool forward, address to) internal returns (uint256 out) {
        (uint256 reserveIn, uint256 reserveOut,) = IUniswapV2Pair(pair).getReserves();
        if (!forward) (reserveIn, reserveOut) = (reserveOut, reserveIn);
        unchecked {
            // A pool holds less than 2**112 of each token, so with a real one nothing overflows; with another one a wrong
            // amount is asked for, and what comes of it shows in the fund's balances.
            uint256 afterFee = amount * 997;
            out = afterFee * reserveOut / (reserveIn * 1000 + afterFee);
        }
        IUniswapV2Pair(pair).swap(forward ? 0 : out, forward ? out : 0, to, "");
    }
}
