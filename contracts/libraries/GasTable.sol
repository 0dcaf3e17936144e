// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";

import {Action, Order} from "../interfaces/IRebalancer.sol";
import {Words} from "./Words.sol";

/// @title GasTable
/// @notice What the steps of a month take in gas, as measured with real tokens and feeds in mind: a bound on what is
/// paid for them. docs/contracts.md, "Upkeep", holds it against the benchmark.
library GasTable {
    using Words for uint256[];

    /// @notice Taken besides what is measured between two looks at `gasleft`, rounded down: 21,000 of any transaction,
    /// its data, and the payment itself.
    uint256 internal constant OVERHEAD = 38_000;

    /// @notice The same of a further step in the transaction: without the 21,000, and with warm storage.
    uint256 internal constant FURTHER_OVERHEAD = 7_000;

    uint256 private constant DETERMINE = 190_000;
    uint256 private constant CANDIDATE = 80_000;
    uint256 private constant START = 260_000;
    uint256 private constant COMPONENT = 50_000;
    uint256 private constant CLOSE = 100_000;
    uint256 private constant TRADE = 140_000;
    uint256 private constant LEG = 25_000;
    /// @dev What a swap of a leg may take in the filler and its pools.
    uint256 private constant SWAP = 75_000;

    /// @notice Most gas of determine, start or close with so many candidates.
    function ofAction(Action action, uint256 candidates) internal pure returns (uint256) {
        if (action == Action.Close) return CLOSE;
        return action == Action.Determine ? DETERMINE + candidates * CANDIDATE : START + candidates * COMPONENT;
    }

    /// @dev Legs that count for each least sale: a batch that names more has to sell more.
    uint256 private constant LEGS_OF_A_SALE = 8;

    /// @notice Gas of a batch in the fund's own contracts, and with its swaps. Its legs count as far as what it sold
    /// bears them: entries that trade next to nothing do not raise the bounds.
    /// @param sold Of NAV, 18 decimals, as `leastSale`.
    function ofTrade(Order calldata order, uint256 sold, uint256 leastSale)
        internal
        pure
        returns (uint256 least, uint256 most)
    {
        uint256 legs = order.buys.length;
        uint256[] calldata sells = order.sells;
        for (uint256 k; k < sells.length; ++k) {
            // One component may stand in several entries, which cost nearly nothing.
            if (k == 0 || sells.given(k) != sells.given(k - 1)) ++legs;
        }
        legs = Math.min(legs, 2 + LEGS_OF_A_SALE * sold / leastSale);
        least = TRADE + legs * LEG;
        most = least + legs * SWAP;
    }
}
