// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {LibClone} from "solady/src/utils/LibClone.sol";

import {IUniswapV3Pool} from "../interfaces/external/IUniswapV3Pool.sol";
import {IZap} from "../interfaces/IZap.sol";
import {Venue} from "../libraries/Legs.sol";

/// @notice The exchanges that a zap swaps on. Each by its factory, and the hash of its pools' creation code, which with
/// the tokens gives a pool's address. Factory zero: there is none on this chain.
struct Exchanges {
    address uniswapV2;
    bytes32 uniswapV2Code;
    address sushiSwapV2;
    bytes32 sushiSwapV2Code;
    address uniswapV3;
    bytes32 uniswapV3Code;
}

/// @title ZapPools
/// @notice Where the pools of WETH and a token are, and swaps in those of Uniswap V3.
abstract contract ZapPools {
    /// @dev The ends of all prices, as square roots x 2^96: the pools refuse limits at or beyond them.
    uint160 private constant LOWEST = 4295128739;
    uint160 private constant HIGHEST = 1461446703485210103287273052203988822378723970342;

    address public immutable WETH;
    address public immutable UNISWAP_V2;
    address public immutable SUSHISWAP_V2;
    address public immutable UNISWAP_V3;
    bytes32 private immutable UNISWAP_V2_CODE;
    bytes32 private immutable SUSHISWAP_V2_CODE;
    bytes32 private immutable UNISWAP_V3_CODE;

    /// @dev The pool that may call back. A whole word, so that writing it reads nothing.
    uint256 private transient _pool;

    constructor(address weth, Exchanges memory exchanges) {
        require(weth.code.length != 0, IZap.NotContract(weth));
        WETH = weth;
        (UNISWAP_V2, UNISWAP_V2_CODE) = (exchanges.uniswapV2, exchanges.uniswapV2Code);
        (SUSHISWAP_V2, SUSHISWAP_V2_CODE) = (exchanges.sushiSwapV2, exchanges.sushiSwapV2Code);
        (UNISWAP_V3, UNISWAP_V3_CODE) = (exchanges.uniswapV3, exchanges.uniswapV3Code);
    }

    /// @dev The pool of `token` and WETH. Reverts where there is none.
    function _poolOf(address token, Venue venue, uint24 fee) internal view returns (address pool) {
        (address a, address b) = token < WETH ? (token, WETH) : (WETH, token);
        (address factory, bytes32 code, bytes32 salt) = (UNISWAP_V2, UNISWAP_V2_CODE, bytes32(0));
        if (venue == Venue.UniswapV3) {
            (factory, code, salt) = (UNISWAP_V3, UNISWAP_V3_CODE, keccak256(abi.encode(a, b, fee)));
        } else {
            if (venue == Venue.SushiSwapV2) (factory, code) = (SUSHISWAP_V2, SUSHISWAP_V2_CODE);
            else require(venue == Venue.UniswapV2, IZap.UnfitVenue(token, uint256(venue)));
            salt = keccak256(abi.encodePacked(a, b));
        }
        require(factory != address(0), IZap.UnfitVenue(token, uint256(venue)));
        pool = LibClone.predictDeterministicAddress(code, salt, factory);
        require(pool.code.length != 0, IZap.NoPool(token, pool));
    }

    /// @dev Swaps in a V3 pool, which calls back to be paid: exactly `amount` in, or below zero out, all of it.
    /// @param forward Whether the pool's token0 goes in.
    function _swapV3(address pool, bool forward, int256 amount, address to, bytes memory data) internal {
        _pool = uint160(pool);
        (int256 amount0, int256 amount1) =
            IUniswapV3Pool(pool).swap(to, forward, amount, forward ? LOWEST + 1 : HIGHEST - 1, data);
        // Below zero it is the side that comes out, of a swap forward token1.
        bool filled = ((amount > 0) == forward ? amount0 : amount1) == amount;
        require(filled, IZap.NotFilled(pool, uint256(amount > 0 ? amount : -amount)));
    }

    /// @notice Called by the pool that is being swapped in, to be paid.
    function uniswapV3SwapCallback(int256 amount0, int256 amount1, bytes calldata data) external {
        require(uint160(msg.sender) == _pool, IZap.NotThePool(msg.sender));
        _pool = 0;
        _payV3(uint256(amount0 > 0 ? amount0 : amount1), data);
    }

    /// @dev Pays the calling pool what it is owed. `data` is that of the swap.
    function _payV3(uint256 owed, bytes calldata data) internal virtual;
}
