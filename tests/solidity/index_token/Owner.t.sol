// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Ownable} from "@openzeppelin/contracts/access/Ownable.sol";

import {IIndexToken} from "../../../contracts/interfaces/IIndexToken.sol";
import {vm} from "../../../lab/fuzz/Vm.sol";
import {IndexScene} from "./IndexScene.sol";

/// @title OwnerTest
/// @notice Who sets fee, recipient and cap, and when not. What a change of the fee does: `FeeTest`.
contract OwnerTest is IndexScene {
    function setUp() external {
        _makeSeeded(A_FEE);
    }

    function test_only_the_owner_sets_the_fee() external {
        _expectUnauthorized();
        index.setStreamingFee(0);
    }

    function test_only_the_owner_sets_the_recipient() external {
        _expectUnauthorized();
        index.setFeeRecipient(STRANGER);
    }

    function test_only_the_owner_sets_the_cap() external {
        _expectUnauthorized();
        index.setSupplyCap(1);
    }

    function _expectUnauthorized() private {
        _expect(abi.encodeWithSelector(Ownable.OwnableUnauthorizedAccount.selector, REBALANCER));
        vm.prank(REBALANCER);
    }

    function test_nothing_is_set_while_the_lock_is_held() external {
        _lock();
        vm.startPrank(OWNER);
        bytes memory reason = abi.encodeWithSelector(IIndexToken.Locked.selector);
        _expect(reason);
        index.setStreamingFee(0);
        _expect(reason);
        index.setFeeRecipient(STRANGER);
        _expect(reason);
        index.setSupplyCap(1);
        vm.stopPrank();
        _unlock();
        vm.startPrank(OWNER);
        index.setStreamingFee(0);
        index.setFeeRecipient(STRANGER);
        index.setSupplyCap(1);
        equal(index.locked(), false, "locked");
    }

    function test_the_recipient_is_somebody() external {
        _expect(abi.encodeWithSelector(IIndexToken.ZeroAddress.selector));
        vm.prank(OWNER);
        index.setFeeRecipient(address(0));
        vm.prank(OWNER);
        index.setFeeRecipient(address(1));
        equal(index.feeRecipient(), address(1), "recipient");
    }

    function test_the_cap_is_in_whole_shares() external {
        _expectEventOfIndex();
        emit IIndexToken.SupplyCapSet(1001);
        vm.prank(OWNER);
        index.setSupplyCap(1001);
        equal(index.supplyCap(), 1001, "cap");
        _expect(abi.encodeWithSelector(IIndexToken.AboveSupplyCap.selector, 1001e18 + 1, 1001e18));
        index.mint(1e18 + 1, STRANGER, _list(), _most());
        index.mint(1e18, STRANGER, _list(), _most());
    }

    function test_the_cap_binds_no_redemption() external {
        vm.prank(OWNER);
        index.setSupplyCap(0);
        vm.prank(HOLDER);
        index.redeem(1e18, STRANGER, _list(), _none(), 0);
        equal(index.totalSupply(), SEEDED - 1e18, "supply");
    }
}
