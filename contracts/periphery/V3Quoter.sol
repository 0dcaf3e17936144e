// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {LibBytes} from "solady/src/utils/LibBytes.sol";

import {IUniswapV3Pool} from "../interfaces/external/IUniswapV3Pool.sol";

/// @notice A swap to be quoted.
/// @param forward Whether the pool's token0 goes in.
/// @param amount Token wei: exactly so much in, or below zero exactly so much out.
struct V3Swap {
    address pool;
    bool forward;
    int256 amount;
}

/// @notice What a swap would take and give, in token wei. All zero where the pool refuses it or is none.
/// @param paid Of the token that goes in, the pool's fee included. `received`: of the token that comes out. What was
/// asked for is not reached where liquidity ends, or the price would change by a factor of more than 1.6.
/// @param sqrtPriceX96 Price before the swap, as in `IUniswapV3Pool.slot0`.
struct V3Quote {
    uint256 paid;
    uint256 received;
    uint160 sqrtPriceX96;
}

/// @title V3Quoter
/// @notice Quotes swaps in pools of Uniswap V3 to the wei: each pool makes its swap, asks to be paid, and is answered
/// with a revert that carries what it asked for. So nothing is moved, and no swap meets what another one left.
/// @dev Meant for `eth_call`, with this contract's creation code in place of an address: it need not be deployed.
contract V3Quoter {
    /// @dev The ends of all prices: the pools refuse limits at or beyond them.
    uint256 private constant LOWEST = 4295128739;
    uint256 private constant HIGHEST = 1461446703485210103287273052203988822378723970342;
    /// @dev How far a swap may take the square root of the price, in hundredths: about 5,000 ticks. A pool that is thin
    /// would walk to the end of all prices, for more gas than nodes give to a call.
    uint256 private constant REACH = 128;

    /// @dev What the pool takes (above zero) and gives of each token.
    error Asked(int256 amount0, int256 amount1);
    /// @dev The pool does not make this swap, or is no pool.
    error Refused(address pool);

    /// @notice Every swap at the pools as they stand.
    function quotes(V3Swap[] calldata swaps) external returns (V3Quote[] memory list) {
        list = new V3Quote[](swaps.length);
        for (uint256 i; i < swaps.length; ++i) {
            if (swaps[i].pool.code.length == 0) continue;
            // By a call of its own: a contract that is no pool must not take the others down with it.
            try this.quote(swaps[i]) returns (V3Quote memory found) {
                list[i] = found;
            } catch {}
        }
    }

    /// @notice One swap, see `quotes`. Reverts where the pool refuses it or is none.
    function quote(V3Swap calldata asked) external returns (V3Quote memory found) {
        IUniswapV3Pool pool = IUniswapV3Pool(asked.pool);
        (found.sqrtPriceX96,,,,,,) = pool.slot0();
        uint256 price = found.sqrtPriceX96;
        uint256 limit =
            asked.forward ? Math.max(price * 100 / REACH, LOWEST + 1) : Math.min(price * REACH / 100, HIGHEST - 1);
        // limit < HIGHEST < 2^160
        try pool.swap(address(this), asked.forward, asked.amount, uint160(limit), "") {
            revert Refused(asked.pool); // a pool asks to be paid
        } catch (bytes memory answer) {
            require(bytes4(answer) == Asked.selector && answer.length == 68, Refused(asked.pool));
            int256 amount0 = int256(uint256(LibBytes.load(answer, 4)));
            int256 amount1 = int256(uint256(LibBytes.load(answer, 36)));
            (int256 paid, int256 given) = asked.forward ? (amount0, amount1) : (amount1, amount0);
            (found.paid, found.received) = (uint256(paid), uint256(-given));
        }
    }

    /// @notice Called by a pool to be paid.
    function uniswapV3SwapCallback(int256 amount0, int256 amount1, bytes calldata) external pure {
        revert Asked(amount0, amount1);
    }
}
