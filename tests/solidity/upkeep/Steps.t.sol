// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IERC165} from "@openzeppelin/contracts/utils/introspection/IERC165.sol";

import {Action} from "../../../contracts/interfaces/IRebalancer.sol";
import {IUpkeep, Terms} from "../../../contracts/interfaces/IUpkeep.sol";
import {IReceiver} from "../../../contracts/interfaces/external/IReceiver.sol";
import {vm} from "../../../lab/fuzz/Vm.sol";
import {UpkeepBench} from "./UpkeepBench.sol";

/// @title StepsTest
/// @notice Which steps an upkeep makes, what a keeper network is told, and what its owner may do.
contract StepsTest is UpkeepBench {
    /* TERMS */

    function makeOf(address rebalancer, Terms memory t) external {
        deploy("Upkeep", abi.encode(rebalancer, address(this), t));
    }

    function _refuses(Terms memory t, bytes32 name) private {
        _refuses(address(fund), t, abi.encodeWithSelector(IUpkeep.TermOutOfBounds.selector, name));
    }

    function _refuses(address rebalancer, Terms memory t, bytes memory reason) private {
        try this.makeOf(rebalancer, t) {
            revert("made");
        } catch (bytes memory found) {
            equal(found, reason, "reason");
        }
    }

    function test_the_rebalancer_is_a_contract() external {
        _refuses(address(0xdead), terms(), abi.encodeWithSelector(IUpkeep.NotContract.selector, address(0xdead)));
        vm.etch(address(0xdead), hex"00");
        // It has code, and answers nothing.
        _refuses(address(0xdead), terms(), "");
        equal(address(upkeep.REBALANCER()), address(fund), "rebalancer");
        equal(address(upkeep.INDEX()), address(index), "index");
        equal(address(upkeep.ORACLE()), address(oracle), "oracle");
    }

    function test_bounds_of_the_terms() external {
        Terms memory t = Terms(0.1e18 + 1, 0.001e18, 1 gwei, 10 ether);
        _refuses(t, "premium");
        (t.premium, t.leastSale) = (0.1e18, 0.001e18 - 1);
        _refuses(t, "leastSale");
        t.leastSale = 0.1e18 + 1;
        _refuses(t, "leastSale");
        (t.leastSale, t.maxBaseFee) = (0.001e18, 1 gwei - 1);
        _refuses(t, "maxBaseFee");
        t.maxBaseFee = 500 gwei + 1;
        _refuses(t, "maxBaseFee");
        (t.maxBaseFee, t.monthly) = (1 gwei, 10 ether + 1);
        _refuses(t, "monthly");
        t.monthly = 10 ether;
        equal(abi.encode(make(t).terms()), abi.encode(t), "the least");
        t = Terms(0, 0.1e18, 500 gwei, 0);
        equal(abi.encode(make(t).terms()), abi.encode(t), "the most");
    }

    /* STEPS */

    function _made(uint256 determine, uint256 start, uint256 trade, uint256 close) private view {
        equal(fund.made(Action.Determine), determine, "determine");
        equal(fund.made(Action.Start), start, "start");
        equal(fund.made(Action.Trade), trade, "trade");
        equal(fund.made(Action.Close), close, "close");
    }

    function test_each_step_of_its_period() external {
        upkeep.perform(Action.Determine, PERIOD + 1, address(0));
        _made(1, 0, 0, 0);
        upkeep.perform(Action.Start, PERIOD, address(0));
        _made(1, 1, 0, 0);
        upkeep.perform(Action.Close, PERIOD, address(0));
        _made(1, 1, 0, 1);
        upkeep.trade(order(), address(0));
        _made(1, 1, 1, 1);
        paidIs(0, 0);
    }

    function _otherPeriod(Action action, uint256 named, uint256 period) private {
        vm.expectRevert(abi.encodeWithSelector(IUpkeep.OtherPeriod.selector, action, named, period));
        upkeep.perform(action, named, PAYEE);
    }

    function test_another_period() external {
        _otherPeriod(Action.Determine, PERIOD, PERIOD + 1);
        _otherPeriod(Action.Start, PERIOD + 1, PERIOD);
        _otherPeriod(Action.Close, PERIOD - 1, PERIOD);
    }

    function _notPerformed(Action action) private {
        vm.expectRevert(abi.encodeWithSelector(IUpkeep.NotPerformed.selector, action));
        upkeep.perform(action, PERIOD, PAYEE);
    }

    function test_what_is_not_performed() external {
        _notPerformed(Action.None);
        _notPerformed(Action.Trade);
    }

    /* KEEPER NETWORKS */

    function _tells(Action action, bytes memory checkData, bytes memory expected) private {
        fund.setDue(action);
        (bool needed, bytes memory data) = upkeep.checkUpkeep(checkData);
        equal(needed, expected.length != 0, "needed");
        equal(data, expected, "data");
    }

    function test_what_is_due_is_told() external {
        bytes memory payee = abi.encode(PAYEE);
        _tells(Action.Determine, payee, abi.encode(Action.Determine, PERIOD + 1, PAYEE));
        _tells(Action.Start, payee, abi.encode(Action.Start, PERIOD, PAYEE));
        _tells(Action.Close, payee, abi.encode(Action.Close, PERIOD, PAYEE));
        _tells(Action.None, payee, "");
        _tells(Action.Trade, payee, "");
    }

    function test_a_payee_is_one_word() external {
        bytes memory nobody = abi.encode(Action.Start, PERIOD, address(0));
        _tells(Action.Start, "", nobody);
        _tells(Action.Start, new bytes(31), nobody);
        _tells(Action.Start, abi.encodePacked(abi.encode(PAYEE), bytes1(0)), nobody);
        bytes memory short = abi.encodePacked(bytes11(0), PAYEE);
        _tells(Action.Start, short, nobody);
    }

    function test_performs_what_it_told() external {
        upkeep.performUpkeep(abi.encode(Action.Determine, PERIOD + 1, PAYEE));
        _made(1, 0, 0, 0);
        IReceiver(address(upkeep)).onReport("", abi.encode(Action.Start, PERIOD, type(uint160).max));
        _made(1, 1, 0, 0);
        upkeep.performUpkeep(abi.encode(Action.Close, PERIOD, address(0)));
        _made(1, 1, 0, 1);
        equal(index.transfers(), 2, "payments");
        equal(index.balanceOf(address(type(uint160).max)) != 0, true, "the last address is one, too");
    }

    function _unfit(bytes memory data) private {
        vm.expectRevert(abi.encodeWithSelector(IUpkeep.UnfitPerformData.selector, data));
        upkeep.performUpkeep(data);
    }

    function test_data_that_does_not_fit() external {
        bytes memory data = abi.encode(Action.Start, PERIOD, PAYEE);
        _unfit("");
        _unfit(new bytes(95));
        _unfit(abi.encodePacked(data, bytes1(0)));
        _unfit(abi.encode(Action.None, PERIOD, PAYEE));
        _unfit(abi.encode(Action.Trade, PERIOD, PAYEE));
        _unfit(abi.encode(5, PERIOD, PAYEE));
        _unfit(abi.encode(Action.Start, PERIOD, uint256(type(uint160).max) + 1));
        _made(0, 0, 0, 0);
    }

    function test_interfaces() external view {
        IERC165 asked = IERC165(address(upkeep));
        equal(asked.supportsInterface(type(IReceiver).interfaceId), true, "receiver");
        equal(asked.supportsInterface(type(IERC165).interfaceId), true, "ERC-165");
        equal(asked.supportsInterface(0xffffffff), false, "any other");
    }

    /* OWNER */

    function test_the_owner_takes_the_purse() external {
        upkeep.withdraw(address(index), PAYEE, 3e18);
        paidIs(3e18, 1);
        equal(index.balanceOf(address(upkeep)), PURSE - 3e18, "purse");
    }

    function test_nobody_else_does() external {
        vm.expectRevert(abi.encodeWithSignature("OwnableUnauthorizedAccount(address)", PAYEE));
        vm.prank(PAYEE);
        upkeep.withdraw(address(index), PAYEE, 1);
    }
}
