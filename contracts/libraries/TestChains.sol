// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/// @title TestChains
/// @notice Chains on which nothing is worth anything, by chain id (EIP-155; the list of chainid.network).
library TestChains {
    uint256 private constant LOCAL = 31337; // anvil, Hardhat
    uint256 private constant LOCAL_GETH = 1337;
    uint256 private constant SEPOLIA = 11155111;
    uint256 private constant HOODI = 560048;
    uint256 private constant BASE_SEPOLIA = 84532;
    uint256 private constant ARBITRUM_SEPOLIA = 421614;
    uint256 private constant OP_SEPOLIA = 11155420;

    /// @notice Whether `chainId` is one of them.
    function has(uint256 chainId) internal pure returns (bool) {
        return chainId == LOCAL || chainId == LOCAL_GETH || chainId == SEPOLIA || chainId == HOODI
            || chainId == BASE_SEPOLIA || chainId == ARBITRUM_SEPOLIA || chainId == OP_SEPOLIA;
    }
}
