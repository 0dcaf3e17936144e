// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/// @notice The cheatcodes of forge that the harness and the tests use.
interface Vm {
    /// @notice Sets the block's time.
    function warp(uint256 time) external;
    /// @notice Sets the block's base fee.
    function fee(uint256 baseFee) external;
    /// @notice The next call comes from `sender`.
    function prank(address sender) external;
    /// @notice All calls come from `sender` until `stopPrank`.
    function startPrank(address sender) external;
    function stopPrank() external;
    /// @notice The next call must revert with exactly this.
    function expectRevert(bytes calldata reason) external;
    /// @notice The next call must revert.
    function expectRevert() external;
    /// @notice The next call must emit the event that this contract emits next, from `emitter`: each indexed field and
    /// the data as told.
    function expectEmit(bool first, bool second, bool third, bool data, address emitter) external;
    /// @notice Calls of `target` with data that begins with `data` answer `answer`.
    function mockCall(address target, bytes calldata data, bytes calldata answer) external;
    /// @notice Calls of `target` with data that begins with `data` revert with `reason`.
    function mockCallRevert(address target, bytes calldata data, bytes calldata reason) external;
    function clearMockedCalls() external;
    /// @notice `target` must be called with data that begins with `data` before the test ends.
    function expectCall(address target, bytes calldata data) external;
    /// @notice Sets an account's ether.
    function deal(address account, uint256 amount) external;
    /// @notice Sets an account's code.
    function etch(address account, bytes calldata code) external;
    /// @notice Reads and writes a contract's storage.
    function load(address account, bytes32 slot) external view returns (bytes32);
    function store(address account, bytes32 slot, bytes32 value) external;
    /// @notice Sets the block's number.
    function roll(uint256 number) external;
    /// @notice Sets the chain's id.
    function chainId(uint256 id) external;
    /// @notice Sets the price that transactions pay for gas.
    function txGasPrice(uint256 price) external;
    /// @notice Keeps the state of the chain, and brings it back.
    function snapshotState() external returns (uint256 snapshot);
    function revertToState(uint256 snapshot) external returns (bool);
    /// @notice Discards the call where `condition` does not hold: it counts neither as made nor as failed.
    function assume(bool condition) external pure;
    /// @notice Deploys the bytecode of an artifact, a JSON file, from the caller.
    function deployCode(string calldata file, bytes calldata arguments) external returns (address);
    /// @notice A variable of the environment, `otherwise` where it is not set.
    function envOr(string calldata name, string calldata otherwise) external view returns (string memory);
    function toString(uint256 value) external pure returns (string memory);
    /// @notice Nonce of an account.
    function getNonce(address account) external view returns (uint64);
    /// @notice Address of the contract that `deployer` makes at `nonce`.
    function computeCreateAddress(address deployer, uint256 nonce) external pure returns (address);
}

/// @dev Where forge answers.
Vm constant vm = Vm(address(uint160(uint256(keccak256("hevm cheat code")))));
