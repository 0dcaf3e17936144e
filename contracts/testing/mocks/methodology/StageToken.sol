// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Stage} from "./Stage.sol";

/// @title StageToken
/// @notice For tests: a token whose balances are what the holder, a `Stage`, says. It has no state, so its code may be
/// placed at any address.
contract StageToken {
    uint8 public constant decimals = 18;

    function balanceOf(address holder) external view returns (uint256) {
        return Stage(holder).balances(address(this));
    }
}
