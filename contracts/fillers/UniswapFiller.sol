// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";

import {IFiller} from "../interfaces/IFiller.sol";
import {Balance} from "../libraries/Balance.sol";
import {Hop} from "../libraries/Hop.sol";
import {PairV2} from "../libraries/PairV2.sol";
import {Words} from "../libraries/Words.sol";
import {V3Payer} from "./V3Payer.sol";

/// @title UniswapFiller
/// @notice Fills a batch over Uniswap pools: sells to WETH, WETH to buys, or straight from one to the other. Proceeds
/// go to the index token from the last pool. It keeps nothing and asks nobody who they are.
/// @dev `data` is a list of hops, one word each, see `Hop`. They run in order; those of one sell stand together, and
/// those that fill the pot of WETH before those that take from it.
/// @dev Warning: whatever this contract holds, anyone can take. Send tokens only inside a fill.
contract UniswapFiller is IFiller, V3Payer {
    using Hop for uint256;
    using SafeERC20 for IERC20;
    using Words for address[];
    using Words for uint256[];

    /// @notice The wrapped ether that most pools are quoted in.
    IERC20 public immutable WETH;

    /// @notice The data is not a whole number of words.
    error UnfitData(uint256 length);
    /// @notice A hop names a sell that the batch does not have.
    error UnknownLeg(uint256 leg);
    /// @notice A hop names a kind of pool that is not known here.
    error UnknownKind(uint256 kind);

    constructor(IERC20 weth) {
        WETH = weth;
    }

    /// @dev What is left to hand out while the hops run. `whole` and `left` are of the sell `leg`, or of the pot;
    /// `amount` is what the hop swaps.
    struct Purse {
        uint256 leg;
        uint256 whole;
        uint256 left;
        uint256 amount;
    }

    uint256 private constant NO_LEG = type(uint256).max;
    uint256 private constant THE_POT = NO_LEG - 1;

    /// @inheritdoc IFiller
    function fill(
        address index,
        address[] calldata sells,
        uint256[] calldata amounts,
        address[] calldata,
        bytes calldata data
    ) external {
        require(data.length % 32 == 0, UnfitData(data.length));
        Purse memory purse = Purse(NO_LEG, 0, 0, 0);
        uint256 hop = Hop.at(data, 0);
        for (uint256 offset = 32; offset <= data.length; offset += 32) {
            uint256 next = Hop.at(data, offset);
            _make(index, sells, amounts, purse, hop, next);
            hop = next;
        }
    }

    /// @dev One hop: what it draws, or what the one before it swapped, goes through its pool.
    function _make(
        address index,
        address[] calldata sells,
        uint256[] calldata amounts,
        Purse memory purse,
        uint256 hop,
        uint256 next
    ) private {
        address token;
        if (!hop.chained()) {
            token = hop.pot() ? _openPot(purse) : _openLeg(purse, hop.leg(), sells, amounts);
            purse.amount = _take(purse, hop.share());
            if (purse.amount != 0 && hop.paysNow()) {
                // Without a pool there is nothing to swap: this is where it goes.
                address pool = hop.pool();
                IERC20(token).safeTransfer(pool == address(0) ? index : pool, purse.amount);
            }
        }
        if (purse.amount != 0 && hop.pool() != address(0)) {
            purse.amount = _swap(hop, next, index, token, purse.amount);
        }
    }

    function _openPot(Purse memory purse) private view returns (address token) {
        token = address(WETH);
        if (purse.leg != THE_POT) _open(purse, THE_POT, Balance.read(token, address(this)));
    }

    function _openLeg(Purse memory purse, uint256 leg, address[] calldata sells, uint256[] calldata amounts)
        private
        pure
        returns (address token)
    {
        require(leg < sells.length && leg < amounts.length, UnknownLeg(leg));
        token = sells.given(leg);
        if (purse.leg != leg) _open(purse, leg, amounts.given(leg));
    }

    /// @dev Swaps in the hop's pool, to where `next` takes it from.
    function _swap(uint256 hop, uint256 next, address index, address token, uint256 amount) private returns (uint256) {
        address to = hop.home() ? index : next.paidByTheHopBefore() ? next.pool() : address(this);
        uint256 kind = hop.kind();
        if (kind == Hop.V2) return PairV2.swap(hop.pool(), amount, hop.forward(), to);
        require(kind == Hop.V3, UnknownKind(kind));
        return _swapV3(hop.pool(), token, amount, hop.forward(), to);
    }

    function _open(Purse memory purse, uint256 leg, uint256 whole) private pure {
        (purse.leg, purse.whole, purse.left) = (leg, whole, whole);
    }

    /// @dev A part of the purse, or all that is left of it.
    function _take(Purse memory purse, uint256 share) private pure returns (uint256 amount) {
        amount = share == 0 ? purse.left : Hop.part(purse.whole, share);
        purse.left -= amount;
    }
}
