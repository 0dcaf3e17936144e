// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/// @title FuzzToken
/// @notice A plain ERC-20 whose balances anyone may raise. It can be made to refuse every transfer.
contract FuzzToken {
    error Stuck();

    mapping(address account => uint256) public balanceOf;
    mapping(address owner => mapping(address spender => uint256)) public allowance;
    uint8 public decimals;
    bool public stuck;

    function init(uint8 decimals_) external {
        decimals = decimals_;
    }

    function setStuck(bool stuck_) external {
        stuck = stuck_;
    }

    /// @notice Gives `amount` out of nothing.
    function deal(address to, uint256 amount) external {
        balanceOf[to] += amount;
    }

    /// @notice Sets a balance.
    function setBalance(address account, uint256 amount) external {
        balanceOf[account] = amount;
    }

    function approve(address spender, uint256 amount) external returns (bool) {
        allowance[msg.sender][spender] = amount;
        return true;
    }

    function transfer(address to, uint256 amount) external returns (bool) {
        _move(msg.sender, to, amount);
        return true;
    }

    function transferFrom(address from, address to, uint256 amount) external returns (bool) {
        allowance[from][msg.sender] -= amount;
        _move(from, to, amount);
        return true;
    }

    function _move(address from, address to, uint256 amount) private {
        require(!stuck, Stuck());
        balanceOf[from] -= amount;
        balanceOf[to] += amount;
    }
}
