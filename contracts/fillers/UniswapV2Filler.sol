// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";

import {IFiller} from "../interfaces/IFiller.sol";
import {IUniswapV2Pair} from "../interfaces/external/IUniswapV2Pair.sol";

/// @notice A swap of a token against WETH.
/// @param pair A pool of the Uniswap V2 family with a fee of 0.3 %; the zero address where the token is WETH itself.
/// @param leg Position of the token in `sells` (first list of hops) or in `buys` (second list).
/// @param share Part of the leg's amount (sells) or of all the WETH received (buys), 18 decimals. The last hop of a
/// sell leg, and the last hop of all buys, take what is left.
struct Hop {
    address pair;
    uint256 leg;
    uint256 share;
}

/// @title UniswapV2Filler
/// @notice Fills a batch over pools of the Uniswap V2 family: sells to WETH, WETH to buys, which go straight to the index
/// token. It keeps nothing and asks nobody who they are.
/// @dev `data` is abi.encode(Hop[] sells, Hop[] buys), sells grouped by leg.
/// @dev Warning: whatever this contract holds, anyone can take. Send tokens only inside a fill.
contract UniswapV2Filler is IFiller {
    using SafeERC20 for IERC20;

    /// @notice The wrapped ether that the pools are quoted in.
    IERC20 public immutable WETH;

    /// @notice A hop names a leg that the batch does not have.
    error UnknownLeg(uint256 leg);

    constructor(IERC20 weth) {
        WETH = weth;
    }

    /// @inheritdoc IFiller
    function fill(
        address index,
        address[] calldata sells,
        uint256[] calldata amounts,
        address[] calldata buys,
        bytes calldata data
    ) external {
        (Hop[] memory sellHops, Hop[] memory buyHops) = abi.decode(data, (Hop[], Hop[]));
        _sell(sellHops, sells, amounts);
        _buy(buyHops, buys, index);
    }

    function _sell(Hop[] memory hops, address[] calldata sells, uint256[] calldata amounts) private {
        uint256 left;
        for (uint256 k; k < hops.length; ++k) {
            Hop memory hop = hops[k];
            require(hop.leg < sells.length, UnknownLeg(hop.leg));
            if (k == 0 || hops[k - 1].leg != hop.leg) left = amounts[hop.leg];
            bool last = k + 1 == hops.length || hops[k + 1].leg != hop.leg;
            // {tok} = {tok} * {1e18} / {1e18}, down
            uint256 amount = last ? left : amounts[hop.leg] * hop.share / 1e18;
            left -= amount;
            _swap(IERC20(sells[hop.leg]), WETH, hop.pair, amount, address(this));
        }
    }

    function _buy(Hop[] memory hops, address[] calldata buys, address index) private {
        uint256 proceeds = WETH.balanceOf(address(this));
        uint256 left = proceeds;
        for (uint256 k; k < hops.length; ++k) {
            Hop memory hop = hops[k];
            require(hop.leg < buys.length, UnknownLeg(hop.leg));
            uint256 amount = k + 1 == hops.length ? left : proceeds * hop.share / 1e18;
            left -= amount;
            _swap(WETH, IERC20(buys[hop.leg]), hop.pair, amount, index);
        }
    }

    /// @dev Swaps `amount` of `from` into `into` for `to` at the pool's own formula (Uniswap V2 white paper, 3.2.1):
    /// out = 997 in * reserveOut / (1000 reserveIn + 997 in), down.
    function _swap(IERC20 from, IERC20 into, address pair, uint256 amount, address to) private {
        if (amount == 0) return;
        if (from == into) {
            if (to != address(this)) from.safeTransfer(to, amount);
            return;
        }
        bool forward = address(from) < address(into);
        (uint256 reserveIn, uint256 reserveOut,) = IUniswapV2Pair(pair).getReserves();
        if (!forward) (reserveIn, reserveOut) = (reserveOut, reserveIn);
        from.safeTransfer(pair, amount);
        uint256 afterFee = amount * 997;
        uint256 out = afterFee * reserveOut / (reserveIn * 1000 + afterFee);
        IUniswapV2Pair(pair).swap(forward ? 0 : out, forward ? out : 0, to, "");
    }
}
