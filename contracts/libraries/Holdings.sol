// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {DynamicArrayLib} from "solady/src/utils/DynamicArrayLib.sol";

import {IIndexToken} from "../interfaces/IIndexToken.sol";
import {IOracle} from "../interfaces/IOracle.sol";
import {Balance} from "./Balance.sol";
import {Candidates} from "./Candidates.sol";
import {Component} from "./ComponentList.sol";
import {Domain} from "./Domain.sol";
import {Value} from "./Value.sol";

/// @notice How an index token holds a token.
/// Unlisted: it is not on the list. Sound: it is, and counts in NAV. Stuck: it is suspended, or its balance is not
/// sound; held as it is, outside NAV. WrittenOff: outside NAV as well, and about to go off the list.
enum Standing {
    Unlisted,
    Sound,
    Stuck,
    WrittenOff
}

/// @title Holdings
/// @notice Candidates and components of an index token, at a methodology's view of them. One bad token does not stop
/// the
/// others: nothing here reverts for what a component or a feed answers.
library Holdings {
    using DynamicArrayLib for address[];
    using DynamicArrayLib for uint256[];

    /// @notice For each token, ascending by address: price (USD, 18 decimals; 0 for none), standing, and USD per share
    /// (18 decimals) of what is held and counts in NAV. `nav` is their sum.
    struct Held {
        address[] tokens;
        uint256[] prices;
        Standing[] standings;
        uint256[] values;
        uint256 nav;
    }

    /// @notice Reads candidates and components.
    /// @param candidates Packed, see `Candidates`.
    function read(IIndexToken index, IOracle oracle, uint256[] memory candidates)
        internal
        view
        returns (Held memory h)
    {
        Component[] memory list = index.components();
        h.tokens = _union(list, candidates);
        uint256 n = h.tokens.length;
        h.prices = oracle.prices(h.tokens);
        h.standings = new Standing[](n);
        h.values = new uint256[](n);
        uint256 supply = index.totalSupply();
        uint256 k;
        for (uint256 i; i < n; ++i) {
            // An absurd price is none: nothing here is to overflow.
            if (h.prices[i] >= Domain.PRICE_LIMIT) h.prices[i] = 0;
            if (k == list.length || list[k].token != h.tokens[i]) continue;
            (h.standings[i], h.values[i]) = _measure(index, list[k++], h.prices[i], supply);
            h.nav += h.values[i];
        }
    }

    function _measure(IIndexToken index, Component memory c, uint256 price, uint256 supply)
        private
        view
        returns (Standing, uint256 value)
    {
        if (c.writtenOff) return (Standing.WrittenOff, 0);
        if (block.timestamp < c.suspendedUntil) return (Standing.Stuck, 0);
        (bool sound, uint256 balance) = Balance.tryRead(c.token, address(index));
        // {tok / 1e18 share} = {tok} * {1e18 share} / {share}, down; Domain.BALANCE_BITS and 60
        uint256 unit = balance * 1e18 / supply;
        if (!sound || unit >> Domain.UNIT_BITS != 0) return (Standing.Stuck, 0);
        value = Value.down(unit, price, c.decimals);
        if (value >> Domain.VALUE_BITS != 0) return (Standing.Stuck, 0);
        return (Standing.Sound, value);
    }

    /// @dev Both lists as one, each token once.
    function _union(Component[] memory list, uint256[] memory candidates)
        private
        pure
        returns (address[] memory tokens)
    {
        (uint256 m, uint256 k) = (list.length, Candidates.count(candidates));
        tokens = new address[](m + k);
        (uint256 i, uint256 j, uint256 n) = (0, 0, 0);
        while (i < m || j < k) {
            address listed = i < m ? list[i].token : address(type(uint160).max);
            address candidate = j < k ? Candidates.token(candidates, j) : address(type(uint160).max);
            if (listed <= candidate && i < m) ++i;
            if (candidate <= listed && j < k) ++j;
            tokens[n++] = listed < candidate ? listed : candidate;
        }
        tokens.toUint256Array().truncate(n);
    }
}
