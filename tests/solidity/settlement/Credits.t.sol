// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Order} from "../../../contracts/interfaces/IRebalancer.sol";
import {BatchScene} from "./BatchScene.sol";
import {Moved, Outcome} from "./Model.sol";

/// @dev How far each buy counts: up to the part of its target that all buys can attain.
contract CreditsTest is BatchScene {
    function setUp() external {
        _openUsual();
        _idle(1800);
    }

    /// @dev About 4,500 dollars.
    function _sells(uint256[] memory buys) private view returns (Order memory) {
        return _order(wordList(ETHER, EVEN), wordList(1.75e18, 4000e18), buys);
    }

    /// @dev One buy is filled far beyond what it can attain: the rest is a gift.
    function test_a_buy_counts_up_to_its_attainable_part() external {
        uint256 balance = _goalOf(CENTS) - 100_000e18;
        parts[CENTS].token.setBalance(address(fund), balance);
        Outcome memory o = _trade(_sells(wordList(CENTS)), wordList(500_000e18));
        uint256 part = o.result.attainable;
        equal(part < 1e18 && part > 0.95e18, true, "not all of it");
        uint256 credited = _goalOf(CENTS) * part / 1e18 - balance;
        equal(o.result.valueIn, credited * 0.05e18 / 1e18, "credited");
    }

    function _goalOf(uint256 i) private view returns (uint256) {
        return parts[i].unit * SUPPLY / 1e18;
    }

    /// @dev On both sides of it, to the wei; in the second the fund gets one wei for nothing.
    function test_a_buy_just_at_its_attainable_part() external {
        Order memory order = _sells(wordList(CENTS, FINE));
        // What lies above the goal changes nothing that is received, so the part is the same for all these.
        parts[CENTS].token.setBalance(address(fund), _goalOf(CENTS) - 110_000e18);
        uint256 part = _expected(order, wordList(110_000e18, 1e27)).result.attainable;
        uint256 limit = _goalOf(CENTS) * part / 1e18 - _balance(CENTS);
        equal(limit < 110_000e18, true, "not all of it");
        Outcome memory o = _trade(order, wordList(110_000e18, 1e27));
        equal(o.result.valueIn, limit * 0.05e18 / 1e18 + 7e18, "up to there");
    }

    /// @dev What stands above its attainable part already counts for nothing, not one wei of it.
    function test_a_buy_above_its_attainable_part() external {
        uint256 goal = _goalOf(DOLLAR);
        for (uint256 k; k < 4; ++k) {
            // Two above their part but below the target, one at it, one above.
            uint256 balance = [goal - 2, goal - 1, goal, goal + 5][k];
            parts[DOLLAR].token.setBalance(address(fund), balance);
            for (uint256 paid; paid < 3; ++paid) {
                _moveOn();
                Order memory order = _order(wordList(WHOLE), wordList(3), wordList(DOLLAR, CENTS));
                uint256[] memory pays = wordList(paid, 3100e18);
                Outcome memory o = _trade(order, pays);
                equal(o.result.valueIn, 155e18, "the other one");
                parts[DOLLAR].token.setBalance(address(fund), balance);
            }
        }
    }

    function _moveOn() private {
        _idle(block.timestamp - started + 1800);
    }

    /// @dev An unpaid buy beside others, wherever it stands.
    function test_buys_that_are_not_paid() external {
        Order memory order = _sells(wordList(DOLLAR, CENTS, FINE));
        _trade(order, wordList(0, 92_000e18, 0));
        _moveOn();
        parts[FINE].token.setBalance(address(fund), _goalOf(FINE) * 2);
        _trade(order, wordList(4600e6, 0, 0));
    }

    /// @dev Of what can come of the sells: what they may lose stays out of it, and no more than the budget.
    function test_the_attainable_part() external {
        Order memory order = _order(wordList(WHOLE), wordList(3), wordList(CENTS));
        Outcome memory o = _trade(order, wordList(3100e18));
        uint256 nav = NAV * SUPPLY / 1e18;
        uint256 left = SURPLUS - 150e18 * 1e18 / nav - 1;
        equal(o.next.surplus / 1e13, left / 1e13, "left");
        uint256 received = o.next.held - HELD;
        uint256 part = (HELD + received + o.next.surplus - 0.005e18) * 1e18 / BUY_TARGETS;
        equal(o.result.attainable, part, "less the budget, which is less than 4 % of a quarter");
    }

    /// @dev All is sold: what is left to sell and to lose is nothing, whatever was given to the sells meanwhile.
    function test_more_is_sold_than_the_month_knows_of() external {
        delete parts;
        _standIns(_limits());
        _fund();
        _open(NAV, 0.012e18, BUY_TARGETS - 0.012e18, BUY_TARGETS);
        _idle(1800);
        Order memory order = _order(wordList(WHOLE), wordList(30), wordList(CENTS));
        _pay(order, wordList(30_400e18));
        Moved memory m = _moved(order, wordList(30_400e18));
        Outcome memory o = _trade(order, m);
        equal(o.next.surplus, 0, "nothing left");
        equal(uint256(rebalancer.month().phase), 0, "closed");
    }

    /// @dev What is left is dust, or one wei more than that.
    function test_a_month_ends_once_nothing_is_left() external {
        for (uint256 more; more < 2; ++more) {
            delete parts;
            _standIns(_limits());
            _fund();
            // What two of `WHOLE` are worth at the kept price.
            uint256 share = 2 * (50e18 >> 44 << 44) * 1e18 / (NAV * SUPPLY / 1e18);
            _open(NAV, share + 1e14 + more, BUY_TARGETS - 0.01e18, BUY_TARGETS);
            _moveOn();
            Outcome memory o = _trade(_order(wordList(WHOLE), wordList(2), wordList(CENTS)), wordList(2100e18));
            equal(o.next.surplus, 1e14 + more, "left");
            equal(rebalancer.trading(), more != 0, "closed");
        }
    }
}
