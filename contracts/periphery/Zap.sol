// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {IERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Permit.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {Address} from "@openzeppelin/contracts/utils/Address.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";

import {DynamicArrayLib} from "solady/src/utils/DynamicArrayLib.sol";
import {LibBytes} from "solady/src/utils/LibBytes.sol";

import {IIndexToken} from "../interfaces/IIndexToken.sol";
import {IMintCallback} from "../interfaces/IMintCallback.sol";
import {IZap, Permit} from "../interfaces/IZap.sol";
import {IWETH} from "../interfaces/external/IWETH.sol";
import {Balance} from "../libraries/Balance.sol";
import {Legs, Venue} from "../libraries/Legs.sol";
import {PairV2} from "../libraries/PairV2.sol";
import {Words} from "../libraries/Words.sol";
import {Exchanges, ZapPools} from "./ZapPools.sol";

/// @title Zap
/// @notice See `IZap` for the specification. Nothing on chain depends on it.
/// @dev A mint runs inside `onMint`, so that pools pay the fund directly; on the way out the fund pays pools directly.
/// V3 pools want to be paid after they have paid, so their swaps are nested in each other's callbacks. In the innermost
/// one of a mint all that is owed is known, and so much WETH is wrapped or bought, once and exactly; then each is paid.
/// In that of a redemption the fund redeems, and so pays them all. V2 pools are paid before they are swapped in.
contract Zap is IZap, IMintCallback, ZapPools {
    using DynamicArrayLib for uint256[];
    using Legs for bytes;
    using SafeCast for uint256;
    using SafeERC20 for IERC20;
    using Words for address[];
    using Words for uint256[];

    /// @dev What a V3 pool is paid with, first byte of a swap's data.
    /// Chain: WETH, after the purchases that follow have been made; the rest of the data is the WETH owed before this
    /// swap and what is to follow. Pulled: the pay token, from who mints. Own: WETH that the zap holds. Redeemed: a
    /// component, by the fund, after the sales that follow have been made; the rest of the data is as in `_sellV3`.
    enum Payment {
        Chain,
        Pulled,
        Own,
        Redeemed
    }

    IIndexToken public immutable FUND;

    /// @dev Values of `_stage`; between two calls it is 0.
    uint256 private constant ENTERED = 1;
    uint256 private constant MINTING = 2;

    /// @dev What lasts for one call, each a whole word, so that writing it reads nothing. `_left`: of `maxIn`.
    uint256 private transient _stage;
    uint256 private transient _payer;
    uint256 private transient _payToken;
    uint256 private transient _payLeg;
    uint256 private transient _left;
    uint256 private transient _redemption; // hash of the call of the fund that pays V3 pools

    modifier once(uint256 deadline, address to) {
        require(_stage == 0, Entered());
        require(block.timestamp <= deadline, Late(deadline));
        require(to != address(0) && to != address(this) && to != address(FUND), UnfitRecipient(to));
        _stage = ENTERED;
        _;
        _stage = 0;
    }

    constructor(IIndexToken fund, address weth, Exchanges memory exchanges) ZapPools(weth, exchanges) {
        require(address(fund).code.length != 0, NotContract(address(fund)));
        FUND = fund;
    }

    receive() external payable {
        require(msg.sender == WETH, NotWeth(msg.sender));
    }

    /* HOLDERS */

    /// @inheritdoc IZap
    function mint(
        uint256 shares,
        address payToken,
        uint256 maxIn,
        bytes calldata legs,
        uint32 payLeg,
        uint256 deadline,
        address to
    ) external payable returns (uint256 paid) {
        return _mint(shares, payToken, maxIn, legs, payLeg, deadline, to);
    }

    /// @inheritdoc IZap
    function mintWithPermit(
        uint256 shares,
        address payToken,
        uint256 maxIn,
        bytes calldata legs,
        uint32 payLeg,
        uint256 deadline,
        address to,
        Permit calldata permit
    ) external returns (uint256 paid) {
        _permit(payToken, maxIn, permit);
        return _mint(shares, payToken, maxIn, legs, payLeg, deadline, to);
    }

    /// @inheritdoc IZap
    function redeem(
        uint256 shares,
        address receiveToken,
        uint256 minOut,
        address[] calldata tokens,
        bytes calldata legs,
        uint32 receiveLeg,
        uint256 deadline,
        address to
    ) external returns (uint256 received) {
        return _redeem(shares, receiveToken, minOut, tokens, legs, receiveLeg, deadline, to);
    }

    /// @inheritdoc IZap
    function redeemWithPermit(
        uint256 shares,
        address receiveToken,
        uint256 minOut,
        address[] calldata tokens,
        bytes calldata legs,
        uint32 receiveLeg,
        uint256 deadline,
        address to,
        Permit calldata permit
    ) external returns (uint256 received) {
        _permit(address(FUND), shares, permit);
        return _redeem(shares, receiveToken, minOut, tokens, legs, receiveLeg, deadline, to);
    }

    /* CALLBACKS */

    /// @inheritdoc IMintCallback
    function onMint(address[] calldata tokens, uint256[] calldata amounts, bytes calldata legs) external {
        require(msg.sender == address(FUND) && _stage == MINTING, NotMinting(msg.sender));
        _stage = ENTERED;
        uint256 n = tokens.length;
        require(legs.length == n * Legs.SIZE, UnfitLegs(n, legs.length));
        (uint256[] memory pools, uint256[] memory costs) = (new uint256[](n), new uint256[](n)); // paid beforehand
        bytes memory chain;
        uint256 owed;
        address payToken = address(uint160(_payToken));
        for (uint256 i; i < n; ++i) {
            (address token, uint256 amount) = (tokens.given(i), amounts.given(i));
            if (amount == 0) continue;
            if (token == payToken) {
                _pull(address(FUND), amount);
                continue;
            }
            (address pool, uint256 cost) = (address(FUND), amount);
            if (token != WETH) {
                (Venue venue, uint24 fee) = legs.at(i);
                pool = _poolOf(token, venue, fee);
                if (venue == Venue.UniswapV3) {
                    uint256 forward = WETH < token ? 1 << 160 : 0;
                    chain = abi.encodePacked(chain, forward | uint160(pool), amount);
                    continue;
                }
                cost = PairV2.amountIn(pool, amount, WETH < token);
            }
            pools.set(i, pool);
            costs.set(i, cost);
            owed += cost;
        }
        _buy(owed, chain);
        for (uint256 i; i < n; ++i) {
            address pool = pools.getAddress(i);
            if (pool == address(0)) continue;
            IERC20(WETH).safeTransfer(pool, costs.get(i));
            if (pool != address(FUND)) PairV2.take(pool, amounts.given(i), WETH < tokens.given(i), address(FUND));
        }
    }

    function _payV3(uint256 owed, bytes calldata data) internal override {
        Payment payment = Payment(uint8(data[0]));
        if (payment == Payment.Redeemed) return _sellV3(data);
        if (payment == Payment.Pulled) return _pull(msg.sender, owed);
        if (payment == Payment.Chain) _buy(uint256(bytes32(data[1:])) + owed, data[33:]);
        IERC20(WETH).safeTransfer(msg.sender, owed);
    }

    /* INTERNAL: MINT */

    function _mint(
        uint256 shares,
        address payToken,
        uint256 maxIn,
        bytes calldata legs,
        uint32 payLeg,
        uint256 deadline,
        address to
    ) private once(deadline, to) returns (uint256 paid) {
        require(msg.value == (payToken == address(0) ? maxIn : 0), UnfitValue(msg.value));
        (_payer, _payToken, _payLeg) = (uint160(msg.sender), uint160(payToken), payLeg);
        (_left, _stage) = (maxIn, MINTING);
        FUND.mintWith(shares, to, legs);
        uint256 left = _left;
        paid = maxIn - left;
        if (payToken == address(0) && left != 0) _send(msg.sender, left);
        emit ZapMinted(msg.sender, to, shares, payToken, paid);
    }

    /// @dev Buys what is in the chain, each in the callback of the one before, and then gets the WETH for all that.
    /// @param owed WETH owed so far.
    /// @param chain Of each purchase two words: whether WETH is the pool's token0 (from bit 160) and the pool; the
    /// amount.
    function _buy(uint256 owed, bytes memory chain) private {
        if (chain.length == 0) return _getWeth(owed);
        uint256 rest = chain.length - 64;
        uint256 word = uint256(LibBytes.load(chain, rest));
        uint256 amount = uint256(LibBytes.load(chain, rest + 32));
        LibBytes.truncate(chain, rest);
        bytes memory data = abi.encodePacked(Payment.Chain, owed, chain);
        _swapV3(address(uint160(word)), word >> 160 != 0, -amount.toInt256(), address(FUND), data);
    }

    /// @dev Has `amount` WETH come here, at the cost of who mints.
    function _getWeth(uint256 amount) private {
        if (amount == 0) return;
        address payToken = address(uint160(_payToken));
        if (payToken == address(0)) {
            _spend(amount);
            IWETH(WETH).deposit{value: amount}();
        } else if (payToken == WETH) {
            _pull(address(this), amount);
        } else {
            (Venue venue, uint24 fee) = Legs.unpack(uint32(_payLeg));
            address pool = _poolOf(payToken, venue, fee);
            bool forward = payToken < WETH;
            if (venue == Venue.UniswapV3) {
                _swapV3(pool, forward, -amount.toInt256(), address(this), abi.encodePacked(Payment.Pulled));
            } else {
                _pull(pool, PairV2.amountIn(pool, amount, forward));
                PairV2.take(pool, amount, forward, address(this));
            }
        }
    }

    /// @dev Takes so much of the pay token from who mints.
    function _pull(address to, uint256 amount) private {
        _spend(amount);
        IERC20(address(uint160(_payToken))).safeTransferFrom(address(uint160(_payer)), to, amount);
    }

    function _spend(uint256 amount) private {
        uint256 left = _left;
        require(amount <= left, AboveMaxIn(amount, left));
        _left = left - amount;
    }

    /* INTERNAL: REDEEM */

    function _redeem(
        uint256 shares,
        address receiveToken,
        uint256 minOut,
        address[] calldata tokens,
        bytes calldata legs,
        uint32 receiveLeg,
        uint256 deadline,
        address to
    ) private once(deadline, to) returns (uint256 received) {
        uint256 n = tokens.length;
        require(legs.length == n * Legs.SIZE, UnfitLegs(n, legs.length));
        bool swaps = receiveToken != address(0) && receiveToken != WETH;
        uint256 held = Balance.read(WETH, address(this));
        uint256 had = swaps ? Balance.read(receiveToken, to) : 0;

        _sell(shares, receiveToken, tokens, legs, to);
        received = Balance.read(WETH, address(this)) - held;
        if (swaps) {
            if (received != 0) _sellWeth(receiveToken, received, receiveLeg, to);
            received = Balance.read(receiveToken, to) - had;
        } else if (receiveToken == WETH) {
            IERC20(WETH).safeTransfer(to, received);
        } else {
            IWETH(WETH).withdraw(received);
            _send(to, received);
        }
        require(received >= minOut, BelowMinOut(received, minOut));
        emit ZapRedeemed(msg.sender, to, shares, receiveToken, received);
    }

    /// @dev Redeems, and sells each component for WETH that comes here. The fund pays the pools.
    function _sell(uint256 shares, address receiveToken, address[] calldata tokens, bytes calldata legs, address to)
        private
    {
        uint256 n = tokens.length;
        (uint256[] memory pools, uint256[] memory recipients) = (new uint256[](n), new uint256[](n));
        (uint256 skip, uint256 v3) = (0, 0);
        for (uint256 i; i < n; ++i) {
            (Venue venue, uint24 fee) = legs.at(i);
            address token = tokens.given(i);
            address recipient = to;
            if (venue == Venue.Skip) {
                skip |= 1 << i;
            } else if (venue != Venue.InKind && token == WETH) {
                recipient = address(this);
            } else if (venue != Venue.InKind && token != receiveToken) {
                recipient = _poolOf(token, venue, fee);
                if (venue == Venue.UniswapV3) v3 |= 1 << i;
                else pools.set(i, recipient);
            }
            recipients.set(i, recipient);
        }
        uint256[] memory amounts;
        if (v3 == 0) {
            amounts = FUND.redeemTo(shares, msg.sender, tokens, new uint256[](n), recipients.asAddressArray(), skip);
        } else {
            bytes memory redemption = abi.encodeCall(
                FUND.redeemTo, (shares, msg.sender, tokens, new uint256[](n), recipients.asAddressArray(), skip)
            );
            (, amounts,) = FUND.previewRedeem(shares);
            require(amounts.length == n, UnfitLegs(amounts.length, legs.length));
            uint256[] memory sales = new uint256[](2 * n);
            uint256 k;
            for (uint256 i; i < n; ++i) {
                if ((v3 >> i) & 1 == 0 || amounts.get(i) == 0) continue;
                sales.set(k++, recipients.get(i) | (tokens.given(i) < WETH ? 1 << 160 : 0));
                sales.set(k++, amounts.get(i));
            }
            _redemption = uint256(keccak256(redemption));
            _sellV3(abi.encodePacked(Payment.Redeemed, redemption.length.toUint16(), redemption, sales.truncate(k)));
        }
        for (uint256 i; i < n; ++i) {
            (address pool, uint256 amount) = (pools.getAddress(i), amounts.get(i));
            if (pool != address(0) && amount != 0) PairV2.swap(pool, amount, tokens.given(i) < WETH, address(this));
        }
    }

    /// @dev Swaps for the last sale in `data`, in whose callback comes the one before it; when none is left, the fund
    /// redeems, and pays all their pools.
    /// @param data A byte, the length of the fund's call (16 bits), that call, and of each sale two words: whether WETH
    /// is the pool's token1 (from bit 160) and the pool; the amount.
    function _sellV3(bytes memory data) private {
        uint256 length = uint16(bytes2(LibBytes.load(data, 1)));
        uint256 rest = data.length - 64;
        if (data.length == length + 3) {
            bytes memory redemption = LibBytes.slice(data, 3);
            require(uint256(keccak256(redemption)) == _redemption, NotThePool(msg.sender));
            Address.functionCall(address(FUND), redemption);
            return;
        }
        uint256 word = uint256(LibBytes.load(data, rest));
        uint256 amount = uint256(LibBytes.load(data, rest + 32));
        LibBytes.truncate(data, rest);
        _swapV3(address(uint160(word)), word >> 160 != 0, amount.toInt256(), address(this), data);
    }

    /// @dev Sells WETH that is here.
    function _sellWeth(address receiveToken, uint256 amount, uint32 receiveLeg, address to) private {
        (Venue venue, uint24 fee) = Legs.unpack(receiveLeg);
        address pool = _poolOf(receiveToken, venue, fee);
        bool forward = WETH < receiveToken;
        if (venue == Venue.UniswapV3) {
            _swapV3(pool, forward, amount.toInt256(), to, abi.encodePacked(Payment.Own));
        } else {
            IERC20(WETH).safeTransfer(pool, amount);
            PairV2.swap(pool, amount, forward, to);
        }
    }

    /* INTERNAL: BOTH */

    /// @dev Tried only: somebody may have sent it before, and then the allowance is there.
    function _permit(address token, uint256 value, Permit calldata p) private {
        try IERC20Permit(token).permit(msg.sender, address(this), value, p.deadline, p.v, p.r, p.s) {} catch {}
    }

    function _send(address to, uint256 amount) private {
        (bool taken,) = to.call{value: amount}("");
        require(taken, EthRefused(to));
    }
}
