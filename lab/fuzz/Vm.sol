// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/// @notice The cheatcodes of forge that the harness uses.
interface Vm {
    /// @notice Sets the block's time.
    function warp(uint256 time) external;
    /// @notice Sets the block's base fee.
    function fee(uint256 baseFee) external;
    /// @notice The next call comes from `sender`.
    function prank(address sender) external;
    /// @notice Discards the call where `condition` does not hold: it counts neither as made nor as failed.
    function assume(bool condition) external pure;
    /// @notice Deploys the bytecode of an artifact, a JSON file, from the caller.
    function deployCode(string calldata file, bytes calldata arguments) external returns (address);
    function toString(uint256 value) external pure returns (string memory);
    /// @notice Nonce of an account.
    function getNonce(address account) external view returns (uint64);
    /// @notice Address of the contract that `deployer` makes at `nonce`.
    function computeCreateAddress(address deployer, uint256 nonce) external pure returns (address);
}

/// @dev Where forge answers.
Vm constant vm = Vm(address(uint160(uint256(keccak256("hevm cheat code")))));
