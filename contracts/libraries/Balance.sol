// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Domain} from "./Domain.sol";

/// @title Balance
/// @notice Reads a balance: mint, redeem and batches do so once or twice for each component.
library Balance {
    /// @notice Most gas that `tryRead` gives a token. Several times what a token behind a proxy needs; 50 tokens that
    /// burn it all still leave room for a start within a transaction's 2**24 gas.
    uint256 internal constant MOST_GAS = 60_000;

    /// @notice Token wei of `token` that `account` holds. Reverts as `token` does, and where it answers no number.
    function read(address token, address account) internal view returns (uint256 amount) {
        // Saves 200 gas for each component over the interface (measured), 0.8 % of mint and redeem.
        assembly ("memory-safe") {
            mstore(0x14, account)
            // balanceOf(address); what stands above the account's 160 bits is cleared.
            mstore(0x00, shl(96, 0x70a08231))
            // Evaluated from right to left.
            if iszero(and(gt(returndatasize(), 31), staticcall(gas(), token, 0x10, 0x24, 0x00, 0x20))) {
                let at := mload(0x40)
                returndatacopy(at, 0, returndatasize())
                revert(at, returndatasize())
            }
            amount := mload(0x00)
        }
    }

    /// @notice As `read`, for what must go on beside a bad token: never reverts. Not sound, and then 0, where the token
    /// reverts, burns its gas, answers short, or with more than `Domain.BALANCE_BITS`.
    /// @dev Whoever calls with so little gas that a sound token runs out of it has 1/64 of that left, too little for
    /// any action that reads balances in this way: nobody can make a token look bad by a low gas limit.
    function tryRead(address token, address account) internal view returns (bool sound, uint256 amount) {
        uint256 most = Domain.BALANCE_BITS;
        // Saves 360 gas for each component over solady's call with a limit of gas (measured), 0.9 % of start.
        assembly ("memory-safe") {
            mstore(0x14, account)
            mstore(0x00, shl(96, 0x70a08231)) // balanceOf(address)
            // Evaluated from right to left.
            sound := and(gt(returndatasize(), 31), staticcall(MOST_GAS, token, 0x10, 0x24, 0x00, 0x20))
            amount := mload(0x00)
            sound := and(sound, iszero(shr(most, amount)))
            amount := mul(sound, amount)
        }
    }
}
