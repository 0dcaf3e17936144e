// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {
    Action,
    IRebalancer,
    Order,
    Phase,
    Progress,
    Reason,
    Result
} from "../../../contracts/interfaces/IRebalancer.sol";
import {vm} from "../../../lab/fuzz/Vm.sol";
import {FundTest} from "./FundTest.sol";

/// @notice What a batch changes of the month, and how the month ends. What a batch may do is `Settlement`'s.
contract TradeTest is FundTest {
    function setUp() public override {
        super.setUp();
        _open();
        vm.warp(START + 30 minutes);
    }

    function test_a_batch_goes_on_with_the_month() external {
        Progress memory before = rebalancer.progress();
        uint256 had = tokens[1].balanceOf(address(index));
        filler.order([uint256(440e6), 0, 0, 0.22e18, 0]);
        Result memory any;
        vm.expectEmit(true, true, true, false, address(rebalancer));
        emit IRebalancer.Traded(ID, address(filler), any);
        rebalancer.trade(_order(0.04e8));
        Progress memory next = rebalancer.progress();
        // 880 dollars of 102,500
        require(before.surplus - next.surplus < 0.00859e18 && before.surplus - next.surplus > 0.00858e18, "surplus");
        require(next.held - before.held < 0.00859e18 && next.held - before.held > 0.00858e18, "held");
        require(next.tat > before.tat, "tat");
        equal(tokens[1].balanceOf(address(filler)), 0.04e8, "the filler's");
        equal(tokens[1].balanceOf(address(index)), had - 0.04e8, "the fund's");
        _phase(Phase.Trading);
        equal(index.locked(), false, "locked");
        // Nothing stands in the way of another one.
        vm.warp(START + 60 minutes);
        filler.order([uint256(0), 0, 0, 0, 8_800e18]);
        rebalancer.trade(_order(0.02e8));
        require(rebalancer.progress().surplus < next.surplus, "surplus");
    }

    function test_the_batch_that_sells_the_last_ends_the_month() external {
        filler.order([uint256(630e6), 0, 0, 0.32e18, 12_600e18]);
        vm.expectEmit(true, false, false, false, address(rebalancer));
        emit IRebalancer.Closed(ID, 0, 0, 0);
        rebalancer.trade(_order(1e8));
        _phase(Phase.Idle);
        _workable(Action.None, Reason.Done, END);
    }

    function test_the_month_closes_after_its_end() external {
        Progress memory p = rebalancer.progress();
        vm.warp(END);
        _emitted();
        emit IRebalancer.Closed(ID, p.surplus, rebalancer.opening().buyTargets - p.held, 0);
        rebalancer.close();
        _phase(Phase.Idle);
        equal(index.locked(), false, "locked");
        _workable(Action.Determine, Reason.Due, NEXT_END);
    }

    function test_trade_is_refused_unless_it_is_due() external {
        Order memory order = _order(0.04e8);
        filler.order([uint256(440e6), 0, 0, 0.22e18, 0]);
        vm.warp(END);
        _refused(IRebalancer.NotDue.selector, uint256(Action.Trade), uint256(Reason.Due));
        rebalancer.trade(order);
        vm.warp(END - 1);
        rebalancer.trade(order);
        rebalancer.endMonth();
        _refused(IRebalancer.NotDue.selector, uint256(Action.Trade), uint256(Reason.Done));
        rebalancer.trade(order);
    }

    function test_trade_is_refused_while_paused() external {
        vm.prank(GUARDIAN);
        rebalancer.pauseFor(1 hours);
        _refused(IRebalancer.NotDue.selector, uint256(Action.Trade), uint256(Reason.Paused));
        rebalancer.trade(_order(0.04e8));
    }

    /// @dev Sells so much of what rose, for all others.
    function _order(uint256 amount) private view returns (Order memory order) {
        order.sells = new uint256[](1);
        order.amounts = new uint256[](1);
        order.recipients = new address[](1);
        (order.sells[0], order.amounts[0]) = (1, amount);
        order.buys = new uint256[](3);
        (order.buys[0], order.buys[1], order.buys[2]) = (0, 2, 3);
        order.filler = filler;
    }
}
