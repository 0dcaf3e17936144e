// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/// @title SeveralCalls
/// @notice Makes several calls in one transaction; all of them must succeed.
contract SeveralCalls {
    function make(address to, bytes[] calldata calls) external {
        for (uint256 i; i < calls.length; ++i) {
            (bool succeeded, bytes memory answer) = to.call(calls[i]);
            require(succeeded, string(answer));
        }
    }
}
