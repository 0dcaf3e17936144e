// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/// @title OddToken
/// @notice For tests: a token that can be made to behave as badly as tokens do. `mint` is open.
contract OddToken {
    /// @notice How a transfer goes. Plain: as it should. Silent: it returns nothing. Refusing: it returns false.
    /// Frozen: it reverts.
    enum Mode {
        Plain,
        Silent,
        Refusing,
        Frozen
    }

    error Frozen();

    /// @notice What the call that was armed ended with; `answer` is its revert data if it failed.
    event CalledBack(bool succeeded, bytes answer);

    uint8 public immutable decimals;
    Mode public mode;
    mapping(address account => uint256) public balanceOf;
    mapping(address owner => mapping(address spender => uint256)) public allowance;

    address private _target;
    bytes private _data;

    constructor(uint8 decimals_) {
        decimals = decimals_;
    }

    function mint(address to, uint256 amount) external {
        balanceOf[to] += amount;
    }

    function setMode(Mode mode_) external {
        mode = mode_;
    }

    /// @notice Every transfer makes this call and notes how it ended.
    function arm(address target, bytes calldata data) external {
        (_target, _data) = (target, data);
    }

    function approve(address spender, uint256 amount) external returns (bool) {
        allowance[msg.sender][spender] = amount;
        return true;
    }

    function transfer(address to, uint256 amount) external {
        _move(msg.sender, to, amount);
    }

    function transferFrom(address from, address to, uint256 amount) external {
        allowance[from][msg.sender] -= amount;
        _move(from, to, amount);
    }

    /// @dev Does not return to its caller: what a transfer answers depends on the mode.
    function _move(address from, address to, uint256 amount) private {
        require(mode != Mode.Frozen, Frozen());
        if (_target != address(0)) {
            (bool succeeded, bytes memory answer) = _target.call(_data);
            emit CalledBack(succeeded, answer);
        }
        if (mode != Mode.Refusing) {
            balanceOf[from] -= amount;
            balanceOf[to] += amount;
        }
        if (mode == Mode.Silent) return;
        bool moved = mode != Mode.Refusing;
        assembly ("memory-safe") {
            mstore(0, moved)
            return(0, 32)
        }
    }
}
