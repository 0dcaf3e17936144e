// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";

import {IIndexToken} from "../interfaces/IIndexToken.sol";
import {IOracle} from "../interfaces/IOracle.sol";
import {Component} from "./ComponentList.sol";
import {Value} from "./Value.sol";

/// @title Holdings
/// @notice What an index token holds of a list of tokens, at a methodology's view of it.
library Holdings {
    /// @notice Per token of the list asked for: on the index token's list, retired there, and USD per share (18 decimals)
    /// of what has a price and is not retired. `nav` is the sum over the whole index token.
    struct Held {
        bool[] held;
        bool[] retired;
        uint256[] values;
        uint256 nav;
    }

    /// @notice Reads the holdings of `tokens`, which ascend by address.
    function read(IIndexToken index, IOracle oracle, address[] memory tokens) internal view returns (Held memory h) {
        Component[] memory list = index.components();
        address[] memory listed = new address[](list.length);
        for (uint256 i; i < list.length; ++i) {
            listed[i] = list[i].token;
        }
        uint256[] memory prices = oracle.prices(listed);
        uint256 supply = index.accruedSupply();
        h.held = new bool[](tokens.length);
        h.retired = new bool[](tokens.length);
        h.values = new uint256[](tokens.length);
        uint256 k;
        for (uint256 i; i < list.length; ++i) {
            while (k < tokens.length && tokens[k] < listed[i]) ++k;
            bool asked = k < tokens.length && tokens[k] == listed[i];
            if (asked) (h.held[k], h.retired[k]) = (true, (list[i].writtenOff || block.timestamp < list[i].suspendedUntil));
            if ((list[i].writtenOff || block.timestamp < list[i].suspendedUntil)) continue;
            // {tok / share} = {tok} * {1e18} / {share}
            uint256 unit = IERC20(listed[i]).balanceOf(address(index)) * 1e18 / supply;
            uint256 value = Value.down(unit, prices[i], list[i].decimals);
            h.nav += value;
            if (asked) h.values[k] = value;
        }
    }
}
