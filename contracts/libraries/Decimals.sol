// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IERC20Metadata} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Metadata.sol";

/// @title Decimals
/// @notice Reads the decimals of a token that nobody has vouched for.
library Decimals {
    /// @notice Most decimals that a component may have.
    uint8 internal constant MOST = 27;
    /// @dev A constant behind a proxy takes some 10,000.
    uint256 private constant MOST_GAS = 40_000;

    /// @notice The token's decimals; not fit where it has no code, does not answer, or has more than `MOST`. Never reverts.
    function tryRead(address token) internal view returns (bool fit, uint8 decimals) {
        bytes memory data = abi.encodeCall(IERC20Metadata.decimals, ());
        uint256 answer;
        // Only 32 bytes are copied: a token that answers with megabytes must not make the caller pay for them.
        assembly ("memory-safe") {
            fit := staticcall(MOST_GAS, token, add(data, 32), mload(data), 0x00, 0x20)
            fit := and(fit, gt(returndatasize(), 31))
            answer := mload(0x00)
        }
        if (!fit || answer > MOST) return (false, 0);
        return (true, uint8(answer));
    }
}
