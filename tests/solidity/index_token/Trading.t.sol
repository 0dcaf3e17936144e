// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IIndexToken} from "../../../contracts/interfaces/IIndexToken.sol";
import {Component} from "../../../contracts/libraries/ComponentList.sol";
import {vm} from "../../../lab/fuzz/Vm.sol";
import {IndexScene} from "./IndexScene.sol";

/// @title TradingTest
/// @notice The lock, and what the rebalancer moves under it.
contract TradingTest is IndexScene {
    function setUp() external {
        _makeSeeded(A_FEE);
    }

    /* LOCK */

    function test_the_lock_is_taken_and_given_back() external {
        equal(index.locked(), false, "before");
        _lock();
        equal(index.locked(), true, "taken");
        _unlock();
        equal(index.locked(), false, "given back");
        _lock();
        equal(index.locked(), true, "taken again");
    }

    function test_the_lock_is_taken_once() external {
        bytes memory reason = abi.encodeWithSelector(IIndexToken.Locked.selector);
        vm.startPrank(REBALANCER);
        index.lock();
        _expect(reason);
        index.lock();
        _expect(reason);
        index.lockForTrading();
        index.unlock();
        index.lockForTrading();
        equal(index.locked(), true, "taken for trading");
        _expect(reason);
        index.lock();
        _expect(reason);
        index.lockForTrading();
    }

    function test_locking_for_trading_tells_list_supply_and_exponent() external {
        vm.warp(block.timestamp + 77 days);
        (uint256 supply, uint256 exponent) = index.supplyAndExponent();
        vm.prank(REBALANCER);
        (address pointer, uint256 foundSupply, uint256 foundExponent) = index.lockForTrading();
        equal(pointer, index.componentsPointer(), "pointer");
        equal(foundSupply, supply, "supply");
        equal(foundExponent, exponent, "exponent");
        require(supply > SEEDED && exponent != 0, "a fee has accrued");
    }

    function test_only_the_rebalancer_trades() external {
        _lock();
        bytes memory reason = abi.encodeWithSelector(IIndexToken.NotRebalancer.selector, OWNER);
        vm.startPrank(OWNER);
        _expect(reason);
        index.unlock();
        _expect(reason);
        index.settle(_list(), _none(), _recipients());
        _expect(reason);
        index.setComponents(new Component[](0));
        _expect(reason);
        index.setState(address(tokens[0]), 0, true);
        vm.stopPrank();
        _unlock();
        vm.startPrank(OWNER);
        _expect(reason);
        index.lock();
        _expect(reason);
        index.lockForTrading();
    }

    function test_nothing_moves_without_the_lock() external {
        bytes memory reason = abi.encodeWithSelector(IIndexToken.NotLocked.selector);
        vm.startPrank(REBALANCER);
        _expect(reason);
        index.settle(_list(), _none(), _recipients());
        _expect(reason);
        index.setComponents(new Component[](0));
        _expect(reason);
        index.setState(address(tokens[0]), 0, true);
    }

    /* SETTLE */

    function _settle(uint256[] memory amounts) private {
        _lock();
        vm.prank(REBALANCER);
        index.settle(_list(), amounts, _recipients());
    }

    function test_it_sends_each_amount_to_its_recipient() external {
        uint256[] memory amounts = _none();
        (amounts[0], amounts[1], amounts[2]) = (20, 1, 300);
        uint256[] memory before = _heldByAll(address(index));
        _settle(amounts);
        equal(_less(address(index), before), amounts, "sent");
        for (uint256 i; i < N; ++i) {
            equal(_held(i, _recipients()[i]), amounts[i], "received");
        }
    }

    function test_it_leaves_out_amounts_of_zero() external {
        tokens[1].setStuck(true);
        uint256[] memory amounts = _none();
        (amounts[0], amounts[2]) = (20, 300);
        _settle(amounts);
        equal(_held(1, _recipients()[1]), 0, "received");
        equal(_held(2, _recipients()[2]), 300, "received of the last");
    }

    function test_it_sends_nothing_of_an_empty_list() external {
        uint256[] memory before = _heldByAll(address(index));
        _lock();
        vm.prank(REBALANCER);
        index.settle(new address[](0), new uint256[](0), new address[](0));
        equal(_heldByAll(address(index)), before, "held");
    }

    function test_it_needs_an_amount_and_a_recipient_for_each_token() external {
        _lock();
        vm.startPrank(REBALANCER);
        uint256[2] memory lengths = [uint256(2), 4];
        for (uint256 k; k < 2; ++k) {
            _expect(abi.encodeWithSelector(IIndexToken.LengthMismatch.selector, N, lengths[k]));
            index.settle(_list(), new uint256[](lengths[k]), _recipients());
            _expect(abi.encodeWithSelector(IIndexToken.LengthMismatch.selector, N, N));
            index.settle(_list(), _none(), new address[](lengths[k]));
            _expect(abi.encodeWithSelector(IIndexToken.LengthMismatch.selector, lengths[k], N));
            index.settle(new address[](lengths[k]), _none(), _recipients());
        }
    }

    /* LIST */

    function _components(uint256 n) private pure returns (Component[] memory list) {
        list = new Component[](n);
        for (uint256 i; i < n; ++i) {
            list[i] = Component(address(uint160(0x100 + i)), uint8(i % 28), uint40(i), i % 2 == 1);
        }
    }

    function _setComponents(Component[] memory list) private {
        vm.prank(REBALANCER);
        index.setComponents(list);
    }

    function test_a_list_replaces_the_other() external {
        Component[] memory list = _components(5);
        address[] memory named = new address[](5);
        for (uint256 i; i < 5; ++i) {
            named[i] = list[i].token;
        }
        _lock();
        address pointer = vm.computeCreateAddress(address(index), vm.getNonce(address(index)));
        _expectEventOfIndex();
        emit IIndexToken.ComponentsSet(pointer, named);
        _setComponents(list);
        equal(index.componentsPointer(), pointer, "pointer");
        equal(abi.encode(index.components()), abi.encode(list), "components");
        equal(index.totalConstituents(), 5, "constituents");
        equal(index.isConstituent(named[4]), true, "the last one");
        equal(index.isConstituent(address(tokens[0])), false, "one of the old list");
    }

    function test_a_list_has_no_more_than_50_components() external {
        _lock();
        _expect(abi.encodeWithSelector(IIndexToken.TooManyComponents.selector, 51, 50));
        _setComponents(_components(51));
        _setComponents(_components(50));
        equal(index.totalConstituents(), 50, "constituents");
        equal(abi.encode(index.components()), abi.encode(_components(50)), "components");
    }

    function test_a_list_may_be_empty() external {
        _lock();
        _setComponents(_components(0));
        equal(index.totalConstituents(), 0, "constituents");
        equal(index.isConstituent(address(0)), false, "a constituent");
    }

    function test_the_fund_is_no_component() external {
        Component[] memory list = new Component[](1);
        list[0] = Component(address(index), 18, 0, false);
        _lock();
        _expect(abi.encodeWithSelector(IIndexToken.UnfitComponent.selector, index));
        _setComponents(list);
    }

    function test_a_component_has_no_more_than_27_decimals() external {
        Component[] memory list = _components(2);
        list[1].decimals = 28;
        _lock();
        _expect(abi.encodeWithSelector(IIndexToken.UnfitComponent.selector, list[1].token));
        _setComponents(list);
        list[1].decimals = 27;
        _setComponents(list);
        equal(index.components()[1].decimals, 27, "decimals");
    }

    /* STATE */

    function test_a_state_is_set_for_one_component() external {
        uint256[2] memory times = [uint256(0), type(uint40).max];
        for (uint256 i; i < N; ++i) {
            for (uint256 k; k < 4; ++k) {
                Component[] memory expected = index.components();
                expected[i].suspendedUntil = uint40(times[k % 2]);
                expected[i].writtenOff = k > 1;
                _setState(i, uint40(times[k % 2]), k > 1);
                equal(abi.encode(index.components()), abi.encode(expected), "components");
            }
        }
    }

    function test_setting_a_state_tells_so() external {
        _lock();
        _expectEventOfIndex();
        emit IIndexToken.StateSet(address(tokens[2]), 12345, true);
        vm.prank(REBALANCER);
        index.setState(address(tokens[2]), 12345, true);
    }

    function test_what_was_written_off_once_is_known() external {
        equal(index.writtenOff(address(tokens[1])), false, "at first");
        _setState(1, 5, false);
        equal(index.writtenOff(address(tokens[1])), false, "suspended");
        _setState(1, 0, true);
        equal(index.writtenOff(address(tokens[1])), true, "written off");
        equal(index.writtenOff(address(tokens[0])), false, "another one");
        _setState(1, 0, false);
        equal(index.writtenOff(address(tokens[1])), true, "for good");
    }

    function test_only_components_have_a_state() external {
        _lock();
        _expect(abi.encodeWithSelector(IIndexToken.NotComponent.selector, STRANGER));
        vm.prank(REBALANCER);
        index.setState(STRANGER, 0, true);
    }
}
