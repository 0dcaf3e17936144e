// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IFiller} from "../../../contracts/interfaces/IFiller.sol";
import {Action, Order} from "../../../contracts/interfaces/IRebalancer.sol";
import {Test} from "../Test.sol";

interface IGasTable {
    function overheads() external pure returns (uint256 first, uint256 further);
    function ofAction(Action action, uint256 candidates) external pure returns (uint256);
    function ofTrade(Order calldata order, uint256 sold, uint256 leastSale)
        external
        pure
        returns (uint256 least, uint256 most);
}

/// @title GasTableTest
/// @notice The bounds on what is paid for, as docs/contracts.md has them.
contract GasTableTest is Test {
    IGasTable private _table;

    function setUp() external {
        _table = IGasTable(deploy("GasTableHarness", ""));
    }

    function test_overheads() external view {
        (uint256 first, uint256 further) = _table.overheads();
        equal(first, 38_000, "of a transaction");
        equal(further, 7_000, "of a further step");
    }

    function test_actions() external view {
        equal(_table.ofAction(Action.Determine, 0), 190_000, "determine");
        equal(_table.ofAction(Action.Determine, 3), 190_000 + 3 * 80_000, "determine, by candidate");
        equal(_table.ofAction(Action.Start, 0), 260_000, "start");
        equal(_table.ofAction(Action.Start, 3), 260_000 + 3 * 50_000, "start, by candidate");
        equal(_table.ofAction(Action.Close, 3), 100_000, "close");
    }

    /// @dev Sells what `sells` names, ten least sales of it.
    function _legs(uint256[] memory sells, uint256 buys, uint256 expected) private view {
        _bounds(sells, buys, 10e18, 1e18, expected);
    }

    function _bounds(uint256[] memory sells, uint256 buys, uint256 sold, uint256 leastSale, uint256 expected)
        private
        view
    {
        Order memory order = Order(sells, sells, new address[](0), new uint256[](buys), 0, IFiller(address(0)), "");
        (uint256 least, uint256 most) = _table.ofTrade(order, sold, leastSale);
        equal(least, 140_000 + expected * 25_000, "least");
        equal(most, 140_000 + expected * 100_000, "most");
    }

    /// @dev One component in several entries counts once.
    function test_legs() external view {
        uint256[] memory sells = new uint256[](0);
        _legs(sells, 0, 0);
        _legs(sells, 3, 3);
        sells = new uint256[](1);
        _legs(sells, 1, 2);
        sells = new uint256[](5);
        (sells[0], sells[1], sells[2], sells[3], sells[4]) = (2, 2, 3, 3, 3);
        _legs(sells, 1, 3);
        (sells[1], sells[2], sells[3], sells[4]) = (3, 4, 5, 6);
        _legs(sells, 2, 7);
        (sells[0], sells[1], sells[2], sells[3], sells[4]) = (0, 0, 0, 0, 1);
        _legs(sells, 0, 2);
    }

    /// @dev Two, and eight for each least sale.
    function test_legs_that_the_sale_bears() external view {
        uint256[] memory sells = new uint256[](0);
        _bounds(sells, 30, 0, 1e18, 2);
        _bounds(sells, 30, 1e18, 1e18, 10);
        _bounds(sells, 30, 3e18, 2e18, 14);
        _bounds(sells, 30, 1e18 / 8, 1e18, 3);
        _bounds(sells, 30, 1e18 / 8 - 1, 1e18, 2);
        _bounds(sells, 30, 4e18, 1e18, 30);
    }
}
