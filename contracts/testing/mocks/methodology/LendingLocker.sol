// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";

/// @title LendingLocker
/// @notice For tests: a locker of the kind that must not be listed. Anyone may borrow what it holds within a
/// transaction, and what comes in may be taken out again.
contract LendingLocker {
    error NotReturned();

    function lend(IERC20 token, uint256 amount) external {
        uint256 before = token.balanceOf(address(this));
        token.transfer(msg.sender, amount);
        FlashBorrower(msg.sender).onLoan(token, amount);
        require(token.balanceOf(address(this)) >= before, NotReturned());
    }

    function withdraw(IERC20 token, uint256 amount) external {
        token.transfer(msg.sender, amount);
    }
}

/// @title FlashBorrower
/// @notice For tests: calls a contract while the balances are not where they belong, and keeps what it answered.
contract FlashBorrower {
    LendingLocker private _lender;
    LendingLocker private _into;
    address private _target;
    bytes private _call;

    /// @notice The last answer.
    bytes public answer;

    /// @notice Borrows from `lender` and calls `target` while the loan is held, or, if `into` is given, while it lies
    /// there.
    function strike(
        LendingLocker lender,
        LendingLocker into,
        IERC20 token,
        uint256 amount,
        address target,
        bytes calldata data
    ) external {
        (_lender, _into, _target, _call) = (lender, into, target, data);
        lender.lend(token, amount);
    }

    function onLoan(IERC20 token, uint256 amount) external {
        if (address(_into) != address(0)) token.transfer(address(_into), amount);
        bool ok;
        (ok, answer) = _target.call(_call);
        require(ok);
        if (address(_into) != address(0)) _into.withdraw(token, amount);
        token.transfer(address(_lender), amount);
    }
}
