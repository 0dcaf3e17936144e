// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IUniswapV3Pool} from "../interfaces/external/IUniswapV3Pool.sol";

/// @notice A pool of Uniswap V3 as it stands, within a window of its ticks.
/// @param sqrtPriceX96 0 for what is no pool, or has no price yet; then the rest is zero too.
/// @param liquidity Of the positions in whose range the price is.
/// @param firstWord First word of the tick bitmap that was read, `lastWord` the last one.
/// @param ticks Initialized ticks of those words, ascending; `nets`: the liquidity each adds when crossed upwards.
struct V3State {
    address token0;
    address token1;
    uint24 fee;
    int24 tickSpacing;
    uint160 sqrtPriceX96;
    int24 tick;
    uint128 liquidity;
    int16 firstWord;
    int16 lastWord;
    int24[] ticks;
    int128[] nets;
}

/// @title V3Lens
/// @notice What is needed to quote swaps in pools of Uniswap V3 off chain, in one call. Nothing on chain depends on it.
contract V3Lens {
    int24 private constant MAX_TICK = 887272;

    /// @notice Every pool with its initialized ticks at most `span` ticks from the price, widened to whole bitmap
    /// words.
    function states(address[] calldata pools, uint24 span) external view returns (V3State[] memory list) {
        list = new V3State[](pools.length);
        for (uint256 i; i < pools.length; ++i) {
            if (pools[i].code.length == 0) continue;
            // By a call of its own: a contract that is no pool must not take the others down with it.
            try this.state(IUniswapV3Pool(pools[i]), span) returns (V3State memory found) {
                list[i] = found;
            } catch {}
        }
    }

    /// @notice One pool, see `states`. Reverts for what is no pool.
    function state(IUniswapV3Pool pool, uint24 span) external view returns (V3State memory s) {
        (s.sqrtPriceX96, s.tick,,,,,) = pool.slot0();
        if (s.sqrtPriceX96 == 0) return s;
        (s.token0, s.token1) = (pool.token0(), pool.token1());
        (s.fee, s.tickSpacing, s.liquidity) = (pool.fee(), pool.tickSpacing(), pool.liquidity());
        int24 reach = span > uint24(MAX_TICK) ? MAX_TICK : int24(span);
        s.firstWord = _word(s.tick - reach < -MAX_TICK ? -MAX_TICK : s.tick - reach, s.tickSpacing);
        s.lastWord = _word(s.tick + reach > MAX_TICK ? MAX_TICK : s.tick + reach, s.tickSpacing);
        _readTicks(pool, s);
    }

    /// @dev The bitmap's word of a tick.
    function _word(int24 tick, int24 spacing) private pure returns (int16) {
        int24 at = tick / spacing;
        if (tick < 0 && tick % spacing != 0) --at;
        return int16(at >> 8);
    }

    function _readTicks(IUniswapV3Pool pool, V3State memory s) private view {
        uint256 count = uint256(int256(s.lastWord) - s.firstWord) + 1;
        uint256[] memory words = new uint256[](count);
        uint256 found;
        for (uint256 i; i < count; ++i) {
            words[i] = pool.tickBitmap(int16(s.firstWord + int256(i)));
            for (uint256 word = words[i]; word != 0; word &= word - 1) {
                ++found;
            }
        }
        (s.ticks, s.nets) = (new int24[](found), new int128[](found));
        found = 0;
        for (uint256 i; i < count; ++i) {
            for (uint256 bit; bit < 256 && words[i] >> bit != 0; ++bit) {
                if (words[i] >> bit & 1 == 0) continue;
                // Bits of a word are ticks of a spacing each.
                int24 tick = int24(((int256(s.firstWord) + int256(i)) * 256 + int256(bit)) * s.tickSpacing);
                s.ticks[found] = tick;
                (, s.nets[found],,,,,,) = pool.ticks(tick);
                ++found;
            }
        }
    }
}
