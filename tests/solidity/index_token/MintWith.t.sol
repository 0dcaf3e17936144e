// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IIndexToken} from "../../../contracts/interfaces/IIndexToken.sol";
import {IMintCallback} from "../../../contracts/interfaces/IMintCallback.sol";
import {Lie} from "../../../lab/fuzz/parts/FuzzToken.sol";
import {vm} from "../../../lab/fuzz/Vm.sol";
import {IndexScene} from "./IndexScene.sol";

/// @title MintWithTest
/// @notice `mintWith`: this contract is what is called back.
contract MintWithTest is IndexScene, IMintCallback {
    uint256 private constant SHARES = 3.3e18 + 7;
    uint256 private constant NOTHING = type(uint256).max;

    /// @dev The component of which one token wei less is paid; `NOTHING`: all is paid.
    uint256 private _short;
    bool private _tries;
    uint256 private _calls;
    address[] private _asked;
    uint256[] private _amounts;
    bytes private _data;

    function setUp() external {
        _makeSeeded(0);
        _short = NOTHING;
    }

    function onMint(address[] calldata list, uint256[] calldata amounts, bytes calldata data) external {
        equal(msg.sender, address(index), "who calls back");
        ++_calls;
        (_asked, _amounts, _data) = (list, amounts, data);
        if (_tries) _tryEverything();
        for (uint256 i; i < amounts.length; ++i) {
            if (amounts[i] == 0) continue;
            tokens[i].transfer(address(index), amounts[i] - (i == _short ? 1 : 0));
        }
    }

    function _tryEverything() private {
        equal(index.locked(), true, "locked meanwhile");
        bytes memory reason = abi.encodeWithSelector(IIndexToken.Locked.selector);
        _expect(reason);
        index.mint(SHARES, STRANGER, _list(), _most());
        _expect(reason);
        index.mintWith(SHARES, STRANGER, "");
        _expect(reason);
        index.redeem(SHARES, STRANGER, _list(), _none(), 0);
        _expect(reason);
        index.redeemTo(SHARES, address(this), _list(), _none(), _recipients(), 0);
        _expect(reason);
        index.collectFee();
        _expect(reason);
        index.previewMint(SHARES);
        _expect(reason);
        index.getReserve(address(tokens[0]));
    }

    function test_it_asks_for_each_part_rounded_up() external {
        uint256[] memory expected = _parts(SHARES, true);
        uint256[] memory before = _heldByAll(address(this));
        index.mintWith(SHARES, STRANGER, hex"0102");
        equal(_calls, 1, "calls");
        equal(_asked, _list(), "tokens");
        equal(_amounts, expected, "amount");
        equal(_data, hex"0102", "data");
        equal(_less(address(this), before), expected, "paid");
        equal(index.balanceOf(STRANGER), SHARES, "shares");
        equal(index.totalSupply(), SEEDED + SHARES, "supply");
    }

    function test_it_tells_who_minted_what_to_whom() external {
        _expectEventOfIndex();
        emit IIndexToken.Minted(address(this), STRANGER, SHARES);
        index.mintWith(SHARES, STRANGER, "");
    }

    function test_it_refuses_a_payment_that_is_short() external {
        uint256[] memory amounts = _parts(SHARES, true);
        for (uint256 i; i < N; ++i) {
            _short = i;
            uint256 due = _held(i, address(index)) + amounts[i];
            _expect(abi.encodeWithSelector(IIndexToken.NotPaid.selector, tokens[i], due - 1, due));
            index.mintWith(SHARES, STRANGER, "");
        }
    }

    function test_it_refuses_no_payment_of_a_single_token_wei() external {
        tokens[1].setBalance(address(index), 1);
        _short = 1;
        _expect(abi.encodeWithSelector(IIndexToken.NotPaid.selector, tokens[1], 1, 2));
        index.mintWith(SHARES, STRANGER, "");
    }

    function test_all_else_is_locked_meanwhile() external {
        _tries = true;
        index.mintWith(SHARES, STRANGER, "");
        equal(_calls, 1, "calls");
        equal(index.locked(), false, "locked");
    }

    function test_it_needs_the_lock() external {
        _lock();
        _expect(abi.encodeWithSelector(IIndexToken.Locked.selector));
        index.mintWith(SHARES, STRANGER, "");
    }

    function test_it_refuses_no_shares() external {
        _expect(abi.encodeWithSelector(IIndexToken.ZeroShares.selector));
        index.mintWith(0, STRANGER, "");
    }

    function test_it_keeps_to_the_cap() external {
        uint256 cap = uint256(CAP) * 1e18;
        _expect(abi.encodeWithSelector(IIndexToken.AboveSupplyCap.selector, cap + 1, cap));
        index.mintWith(cap - SEEDED + 1, STRANGER, "");
    }

    /* STATES */

    function test_nobody_mints_while_a_component_is_suspended() external {
        _setState(2, type(uint40).max, false);
        _expect(abi.encodeWithSelector(IIndexToken.ComponentSuspended.selector, tokens[2]));
        index.mintWith(SHARES, STRANGER, "");
    }

    function test_it_asks_for_what_was_suspended_once() external {
        uint256 until = block.timestamp + 100;
        _setState(1, uint40(until), false);
        vm.warp(until);
        uint256[] memory expected = _parts(SHARES, true);
        index.mintWith(SHARES, STRANGER, "");
        equal(_amounts, expected, "amount");
    }

    function test_it_leaves_out_what_is_written_off() external {
        _setState(1, 0, true);
        tokens[1].setLie(address(index), Lie.Refuses);
        uint256[] memory expected = _parts(SHARES, true);
        expected[1] = 0;
        index.mintWith(SHARES, STRANGER, "");
        equal(_asked, _list(), "tokens");
        equal(_amounts, expected, "amount");
    }

    function test_it_asks_for_nothing_of_what_is_not_there() external {
        tokens[1].setBalance(address(index), 0);
        uint256[] memory expected = _parts(SHARES, true);
        equal(expected[1], 0, "nothing");
        index.mintWith(SHARES, STRANGER, "");
        equal(_amounts, expected, "amount");
    }
}
