// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IERC20Metadata} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Metadata.sol";

import {LibCall} from "solady/src/utils/LibCall.sol";

import {Domain} from "./Domain.sol";

/// @title Decimals
/// @notice Reads the decimals of a token that nobody has vouched for.
library Decimals {
    using LibCall for address;

    /// @dev A constant behind a proxy takes some 10,000.
    uint256 private constant MOST_GAS = 40_000;

    /// @notice The token's decimals; not fit where it has no code, does not answer, or has more than
    /// `Domain.MAX_DECIMALS`. Never reverts.
    function tryRead(address token) internal view returns (bool fit, uint8 decimals) {
        bytes memory question = abi.encodeCall(IERC20Metadata.decimals, ());
        // Only 32 bytes are copied: a token that answers with megabytes must not make the caller pay for them.
        (bool answers,, bytes memory answer) = token.tryStaticCall(MOST_GAS, 32, question);
        if (!answers || answer.length != 32) return (false, 0);
        uint256 found = abi.decode(answer, (uint256));
        return found > Domain.MAX_DECIMALS ? (false, 0) : (true, uint8(found));
    }
}
