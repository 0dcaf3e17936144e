// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";

/// @title IWETH
/// @notice Wrapped ether.
interface IWETH is IERC20 {
    /// @notice Wraps what is sent.
    function deposit() external payable;

    /// @notice Unwraps `amount` and sends it to the caller.
    function withdraw(uint256 amount) external;
}
