// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/// @notice The cheatcodes of halmos that the properties use; forge has them too.
interface Vm {
    /// @notice Only what fulfils `condition` is looked at.
    function assume(bool condition) external pure;
    /// @notice Sets the block's time.
    function warp(uint256 time) external;
    /// @notice The next call comes from `sender`.
    function prank(address sender) external;
    /// @notice Sets the code of an account.
    function etch(address account, bytes calldata code) external;
    /// @notice Sets a word of an account's storage.
    function store(address account, bytes32 slot, bytes32 word) external;
    /// @notice A word of an account's storage.
    function load(address account, bytes32 slot) external view returns (bytes32);
    /// @notice Whatever an account stores may be anything from now on.
    function setArbitraryStorage(address account) external;
}

/// @notice The cheatcodes that halmos alone has.
interface Svm {
    /// @notice Any bytes of this length.
    function createBytes(uint256 size, string calldata name) external pure returns (bytes memory);
    /// @notice Any word.
    function createUint256(string calldata name) external pure returns (uint256);
    /// @notice Any account.
    function createAddress(string calldata name) external pure returns (address);
}

/// @dev Where the prover answers.
Vm constant vm = Vm(address(uint160(uint256(keccak256("hevm cheat code")))));
Svm constant svm = Svm(address(uint160(uint256(keccak256("svm cheat code")))));
