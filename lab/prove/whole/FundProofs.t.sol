// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IndexToken} from "../../../contracts/IndexToken.sol";
import {Component} from "../../../contracts/libraries/ComponentList.sol";
import {svm, vm} from "../Vm.sol";

/// @dev A token that moves what it is told to.
contract Coin {
    mapping(address account => uint256) public balanceOf;

    function decimals() external pure returns (uint8) {
        return 18;
    }

    function set(address account, uint256 amount) external {
        balanceOf[account] = amount;
    }

    function transfer(address to, uint256 amount) external returns (bool) {
        return _move(msg.sender, to, amount);
    }

    function transferFrom(address from, address to, uint256 amount) external returns (bool) {
        return _move(from, to, amount);
    }

    function _move(address from, address to, uint256 amount) private returns (bool) {
        unchecked {
            require(balanceOf[from] >= amount && balanceOf[to] + amount >= amount, "balance");
            balanceOf[from] -= amount;
            balanceOf[to] += amount;
        }
        return true;
    }
}

/// @notice The index token with two components, without a fee. This contract seeds it, and holds all shares but the locked.
contract FundProofs {
    address private constant REBALANCER = address(0x4eba1);
    bytes32 private constant SUPPLY = bytes32(uint256(2)); // the slot of ERC20's supply
    address private constant OWNER = address(0x04e4);

    Coin private immutable _a = new Coin();
    Coin private immutable _b = new Coin();
    IndexToken private immutable _index;
    address[] private _tokens;
    uint256 private _paidA;
    uint256 private _paidB;

    constructor() {
        vm.warp(1_700_000_000);
        _index = new IndexToken("", "", REBALANCER, OWNER, address(0xfee), 0, type(uint32).max);
        _tokens = address(_a) < address(_b) ? [address(_a), address(_b)] : [address(_b), address(_a)];
        _index.seed(_tokens, new uint256[](2), 1 << 80, address(this));
    }

    /* UNITS */

    function check_mintNeverLowers(uint80 supply, uint80 shares, uint96 a, uint96 b) external {
        _hold(supply, a, b);
        uint256[] memory paid = _mint(shares);
        _neverLower(a, uint256(supply) + shares, _coin(0).balanceOf(address(_index)), supply);
        _neverLower(b, uint256(supply) + shares, _coin(1).balanceOf(address(_index)), supply);
        assert(paid.length == 2 && _index.totalSupply() == uint256(supply) + shares);
    }

    function check_mintWithNeverLowers(uint80 supply, uint80 shares, uint96 a, uint96 b, uint96 paidA, uint96 paidB)
        external
    {
        _hold(supply, a, b);
        vm.assume(shares != 0);
        (_paidA, _paidB) = (paidA, paidB);
        _index.mintWith(shares, address(this), "");
        _neverLower(a, uint256(supply) + shares, _coin(0).balanceOf(address(_index)), supply);
        _neverLower(b, uint256(supply) + shares, _coin(1).balanceOf(address(_index)), supply);
        assert(_index.totalSupply() == uint256(supply) + shares);
    }

    /// @dev Pays whatever it is to pay.
    function onMint(address[] calldata, uint256[] calldata, bytes calldata) external {
        _coin(0).transfer(msg.sender, _paidA);
        _coin(1).transfer(msg.sender, _paidB);
    }

    function check_redeemNeverLowers(uint80 supply, uint80 shares, uint96 a, uint96 b) external {
        _hold(supply, a, b);
        vm.assume(shares != 0 && shares <= supply - 0.1e18);
        _redeem(shares);
        _neverLower(a, uint256(supply) - shares, _coin(0).balanceOf(address(_index)), supply);
        _neverLower(b, uint256(supply) - shares, _coin(1).balanceOf(address(_index)), supply);
        assert(_index.totalSupply() == uint256(supply) - shares);
    }

    // Of one component, the other empty: together they have four times as many paths.

    function check_redeemThenMint(uint80 supply, uint80 shares, uint96 balance, bool second) external {
        _hold(supply, second ? 0 : balance, second ? balance : 0);
        vm.assume(shares != 0 && shares <= supply - 0.1e18);
        uint256[] memory paid = _redeem(shares);
        uint256[] memory asked = _mint(shares);
        uint256 i = second ? 1 : 0;
        assert(asked[i] >= paid[i]);
    }

    function check_mintThenRedeem(uint80 supply, uint80 shares, uint96 balance, bool second) external {
        _hold(supply, second ? 0 : balance, second ? balance : 0);
        uint256[] memory asked = _mint(shares);
        uint256[] memory paid = _redeem(shares);
        uint256 i = second ? 1 : 0;
        assert(paid[i] <= asked[i]);
    }

    function check_previewsSay(uint80 supply, uint80 shares, uint96 a, uint96 b) external {
        _hold(supply, a, b);
        (, uint256[] memory up, uint256 blocked) = _index.previewMint(shares);
        uint256[] memory asked = _mint(shares);
        assert(up[0] == asked[0] && up[1] == asked[1] && blocked == 0);
    }

    function check_someoneElsesShares(address holder, address caller, uint80 shares) external {
        vm.assume(holder != caller && shares != 0); // this contract has shares, as a holder or as the caller
        address[] memory to = new address[](2);
        (to[0], to[1]) = (caller, caller);
        vm.prank(caller);
        try _index.redeemTo(shares, holder, _tokens, new uint256[](2), to, 0) {
            assert(false); // nobody gave an allowance
        } catch {}
    }

    /* WHO MAY */

    function check_settleByRebalancer(address caller, uint256 amount) external {
        (address[] memory one, uint256[] memory amounts) = (new address[](1), new uint256[](1));
        (one[0], amounts[0]) = (_tokens[0], amount);
        vm.prank(REBALANCER);
        _index.lock();
        _onlyRebalancer(caller, abi.encodeCall(_index.settle, (one, amounts, one)));
    }

    function check_lockByRebalancer(address caller) external {
        _onlyRebalancer(caller, abi.encodeCall(_index.lock, ()));
        _onlyRebalancer(caller, abi.encodeCall(_index.lockForTrading, ()));
        vm.prank(REBALANCER);
        _index.lock();
        _onlyRebalancer(caller, abi.encodeCall(_index.unlock, ()));
    }

    function check_listByRebalancer(address caller, address token, uint40 until, bool writtenOff) external {
        Component[] memory list = new Component[](1);
        list[0] = Component(token, 18, until, writtenOff);
        vm.prank(REBALANCER);
        _index.lock();
        _onlyRebalancer(caller, abi.encodeCall(_index.setComponents, (list)));
        _onlyRebalancer(caller, abi.encodeCall(_index.setState, (token, until, writtenOff)));
    }

    function check_settingsByOwner(address caller, uint256 fee, address recipient, uint32 cap) external {
        vm.assume(caller != OWNER && caller != address(0)); // that one nobody has, and nobody is about to own
        _refused(caller, abi.encodeCall(_index.setStreamingFee, (fee)));
        _refused(caller, abi.encodeCall(_index.setFeeRecipient, (recipient)));
        _refused(caller, abi.encodeCall(_index.setSupplyCap, (cap)));
        _refused(caller, abi.encodeCall(_index.transferOwnership, (recipient)));
        _refused(caller, abi.encodeCall(_index.acceptOwnership, ()));
    }

    function check_onlyUnderLock(uint256 amount, address token, uint40 until, bool writtenOff) external {
        Component[] memory list = new Component[](1);
        list[0] = Component(token, 18, until, writtenOff);
        (address[] memory one, uint256[] memory amounts) = (new address[](1), new uint256[](1));
        (one[0], amounts[0]) = (_tokens[0], amount);
        _refused(REBALANCER, abi.encodeCall(_index.settle, (one, amounts, one)));
        _refused(REBALANCER, abi.encodeCall(_index.setComponents, (list)));
        _refused(REBALANCER, abi.encodeCall(_index.setState, (token, until, writtenOff)));
    }

    function check_nothingUnderLock(address caller, uint80 shares, address to) external {
        vm.prank(REBALANCER);
        _index.lock();
        uint256[] memory none = new uint256[](2);
        _refused(caller, abi.encodeCall(_index.mint, (shares, to, _tokens, none)));
        _refused(caller, abi.encodeCall(_index.mintWith, (shares, to, "")));
        _refused(caller, abi.encodeCall(_index.redeem, (shares, to, _tokens, none, 0)));
        _refused(caller, abi.encodeCall(_index.redeemTo, (shares, caller, _tokens, none, _tokens, 0)));
        _refused(caller, abi.encodeCall(_index.collectFee, ()));
        _refused(REBALANCER, abi.encodeCall(_index.lock, ()));
        _refused(REBALANCER, abi.encodeCall(_index.lockForTrading, ()));
    }

    function check_seededOnce(address caller, uint80 shares) external {
        _refused(caller, abi.encodeCall(_index.seed, (_tokens, new uint256[](2), shares, caller)));
    }

    /* INTERNAL */

    /// @dev The fund has this supply, and holds so much of each component.
    function _hold(uint80 supply, uint96 a, uint96 b) private {
        vm.assume(supply >= 1e18);
        // Not by minting, which would be followed each time. This contract has more shares than there are then.
        vm.store(address(_index), SUPPLY, bytes32(uint256(supply)));
        _coin(0).set(address(_index), a);
        _coin(1).set(address(_index), b);
        _coin(0).set(address(this), type(uint128).max);
        _coin(1).set(address(this), type(uint128).max);
    }

    function _mint(uint256 shares) private returns (uint256[] memory) {
        vm.assume(shares != 0);
        uint256[] memory most = new uint256[](2);
        (most[0], most[1]) = (type(uint256).max, type(uint256).max);
        return _index.mint(shares, address(this), _tokens, most);
    }

    function _redeem(uint256 shares) private returns (uint256[] memory) {
        return _index.redeem(shares, address(this), _tokens, new uint256[](2), 0);
    }

    /// @dev balance / supply is at least was / supplyWas.
    function _neverLower(uint256 was, uint256 supply, uint256 balance, uint256 supplyWas) private pure {
        unchecked {
            assert(balance * supplyWas >= was * supply); // all below 2^97
        }
    }

    function _onlyRebalancer(address caller, bytes memory call_) private {
        vm.assume(caller != REBALANCER);
        _refused(caller, call_);
    }

    function _refused(address caller, bytes memory call_) private {
        vm.prank(caller);
        (bool done,) = address(_index).call(call_);
        assert(!done);
    }

    function _coin(uint256 i) private view returns (Coin) {
        return Coin(_tokens[i]);
    }
}
