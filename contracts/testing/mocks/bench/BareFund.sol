// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";

/// @title BareFund
/// @notice For benchmarks: the least that an in-kind mint and redeem can cost. It moves the amounts it is told and
/// checks
/// nothing: no list, no limits, no fee, no lock.
contract BareFund is ERC20 {
    constructor() ERC20("Bare", "BARE") {}

    function mint(uint256 shares, address to, address[] calldata tokens, uint256[] calldata amounts) external {
        for (uint256 i; i < tokens.length; ++i) {
            IERC20(tokens[i]).transferFrom(msg.sender, address(this), amounts[i]);
        }
        _mint(to, shares);
    }

    function redeem(uint256 shares, address to, address[] calldata tokens, uint256[] calldata amounts) external {
        _burn(msg.sender, shares);
        for (uint256 i; i < tokens.length; ++i) {
            IERC20(tokens[i]).transfer(to, amounts[i]);
        }
    }

    function redeemTo(
        uint256 shares,
        address[] calldata tokens,
        uint256[] calldata amounts,
        address[] calldata recipients
    ) external {
        _burn(msg.sender, shares);
        for (uint256 i; i < tokens.length; ++i) {
            IERC20(tokens[i]).transfer(recipients[i], amounts[i]);
        }
    }
}
