// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/// @notice What a token says of one account's balance. Nothing but the truth; none; half; twice; a number that no fund
/// holds; 2**160 and more; two bytes; or it reverts, or burns all gas.
enum Lie {
    None,
    Zero,
    Little,
    Much,
    Absurd,
    Huge,
    Short,
    Refuses,
    Burns
}

/// @title FuzzToken
/// @notice A plain ERC-20 whose balances anyone may raise. It can be made to refuse every transfer, and to lie about
/// one account; what it moves is always the truth.
contract FuzzToken {
    error Stuck();
    error TooLittle();
    error Refused();

    /// @notice What an account truly has.
    mapping(address account => uint256) public held;
    mapping(address owner => mapping(address spender => uint256)) public allowance;
    address private _about;
    Lie private _lie;
    uint8 public decimals;
    bool public stuck;
    uint256 public totalSupply;

    function init(uint8 decimals_) external {
        decimals = decimals_;
    }

    function setStuck(bool stuck_) external {
        stuck = stuck_;
    }

    function setLie(address about, Lie lie) external {
        (_about, _lie) = (about, lie);
    }

    function setTotalSupply(uint256 amount) external {
        totalSupply = amount;
    }

    function balanceOf(address account) external view returns (uint256 amount) {
        amount = held[account];
        if (account != _about) return amount;
        Lie lie = _lie;
        if (lie == Lie.Zero) return 0;
        if (lie == Lie.Little) return amount / 2;
        if (lie == Lie.Much) return 2 * amount + 1;
        if (lie == Lie.Absurd) return 1 << 150;
        if (lie == Lie.Huge) return (1 << 160) + amount;
        require(lie != Lie.Refuses, Refused());
        assembly ("memory-safe") {
            if eq(lie, 6) { return(0, 2) }
            if eq(lie, 8) { invalid() }
        }
    }

    /// @notice Gives `amount` out of nothing.
    function deal(address to, uint256 amount) external {
        held[to] += amount;
    }

    /// @notice Sets a balance.
    function setBalance(address account, uint256 amount) external {
        held[account] = amount;
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
        require(amount <= held[from], TooLittle());
        unchecked {
            held[from] -= amount;
            held[to] += amount;
        }
    }
}
