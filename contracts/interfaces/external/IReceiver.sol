// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IERC165} from "@openzeppelin/contracts/utils/introspection/IERC165.sol";

/// @title IReceiver
/// @notice What a workflow of Chainlink's runtime environment (CRE) writes to through its forwarder.
interface IReceiver is IERC165 {
    /// @param metadata About the workflow. @param report What the workflow has sent.
    function onReport(bytes calldata metadata, bytes calldata report) external;
}
