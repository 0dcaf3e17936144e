// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {SSTORE2} from "solady/src/utils/SSTORE2.sol";

/// @title Words
/// @notice Lists of 256-bit words kept as contract code: reading a whole list costs one cold account (2,600 gas), where
/// a storage array costs 2,100 gas for each entry.
library Words {
    /// @notice Writes `words` as the code of a new contract and returns its address.
    function write(uint256[] memory words) internal returns (address pointer) {
        return SSTORE2.write(abi.encodePacked(words));
    }

    /// @notice The list at `pointer`; empty for the zero address.
    function read(address pointer) internal view returns (uint256[] memory words) {
        if (pointer == address(0)) return words;
        bytes memory packed = SSTORE2.read(pointer);
        assembly ("memory-safe") {
            // `bytes` counts bytes where `uint256[]` counts words; the data that follows is the same.
            mstore(packed, shr(5, mload(packed)))
            words := packed
        }
    }
}
