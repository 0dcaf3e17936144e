// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/// @title Balance
/// @notice Reads a balance, in assembly: mint, redeem and batches do so once or twice for each component.
library Balance {
    /// @notice Token wei of `token` that `account` holds. Reverts as `token` does, and where it answers no number.
    function read(address token, address account) internal view returns (uint256 amount) {
        assembly ("memory-safe") {
            mstore(0x14, account)
            mstore(0x00, shl(96, 0x70a08231)) // balanceOf(address), and what stands above the account's 160 bits is cleared
            // Evaluated from right to left.
            if iszero(and(gt(returndatasize(), 31), staticcall(gas(), token, 0x10, 0x24, 0x00, 0x20))) {
                let at := mload(0x40)
                returndatacopy(at, 0, returndatasize())
                revert(at, returndatasize())
            }
            amount := mload(0x00)
        }
    }
}
