// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {TimelockController} from "@openzeppelin/contracts/governance/TimelockController.sol";

/// @title Timelock
/// @notice OpenZeppelin's TimelockController as it is, the owner of a fund's contracts. No admin: it governs itself.
contract Timelock is TimelockController {
    /// @param minDelay Seconds between scheduling and executing.
    /// @param proposers May schedule and cancel.
    /// @param executors May execute; the zero address lets anyone.
    constructor(uint256 minDelay, address[] memory proposers, address[] memory executors)
        TimelockController(minDelay, proposers, executors, address(0))
    {}
}
