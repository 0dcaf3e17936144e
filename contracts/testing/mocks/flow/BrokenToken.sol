// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/// @title BrokenToken
/// @notice For tests: code for the address of a `ReferenceToken`, whose storage it shares, that transfers as it should
/// and answers badly. How it does stands in the code.
contract BrokenToken {
    /// @notice How a view answers. Plain: as it should. Reverting; Burning: with all the gas it is given; Short: 31
    /// bytes;
    /// Silent: nothing; Long: the right answer with 100,000 bytes behind it; Beyond: with the first number that is too
    /// large.
    enum Fault {
        Plain,
        Reverting,
        Burning,
        Short,
        Silent,
        Long,
        Beyond
    }

    string public name;
    string public symbol;
    uint8 private _decimals;
    uint256 public totalSupply;
    mapping(address account => uint256) private _balances;
    mapping(address owner => mapping(address spender => uint256)) public allowance;

    Fault private immutable BALANCE;
    Fault private immutable DECIMALS;

    error Broken();

    constructor(Fault balance, Fault decimals_) {
        (BALANCE, DECIMALS) = (balance, decimals_);
    }

    function mint(address to, uint256 amount) external {
        totalSupply += amount;
        _balances[to] += amount;
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
        uint256 allowed = allowance[from][msg.sender];
        if (allowed != type(uint256).max) allowance[from][msg.sender] = allowed - amount;
        _move(from, to, amount);
        return true;
    }

    function balanceOf(address account) external view returns (uint256) {
        _answer(BALANCE, _balances[account], 1 << 160);
    }

    function decimals() external view returns (uint8) {
        _answer(DECIMALS, _decimals, 28);
    }

    /// @dev Does not return to its caller.
    function _answer(Fault fault, uint256 right, uint256 beyond) private view {
        require(fault != Fault.Reverting, Broken());
        if (fault == Fault.Burning) {
            assembly {
                invalid()
            }
        }
        if (fault == Fault.Beyond) right = beyond;
        uint256 size = fault == Fault.Short ? 31 : fault == Fault.Silent ? 0 : fault == Fault.Long ? 100_000 : 32;
        assembly ("memory-safe") {
            mstore(0x80, right)
            return(0x80, size)
        }
    }

    function _move(address from, address to, uint256 amount) private {
        _balances[from] -= amount;
        _balances[to] += amount;
    }
}
