// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Ownable, Ownable2Step} from "@openzeppelin/contracts/access/Ownable2Step.sol";

/// @title Owned
/// @notice An owner, in a fund the timelock. Ownership moves in two steps, so that none is lost to an address that
/// nobody answers for, and it cannot be given up: a fund without an owner could never end a suspension or replace a
/// feed.
abstract contract Owned is Ownable2Step {
    /// @notice Ownership can be handed over, not given up.
    error RenounceRefused();

    constructor(address owner) Ownable(owner) {}

    /// @notice Always refused.
    function renounceOwnership() public view override onlyOwner {
        revert RenounceRefused();
    }
}
