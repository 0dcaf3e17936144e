// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {ERC20, ERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Permit.sol";

/// @title PermitToken
/// @notice For tests: OpenZeppelin's ERC-20 with permits, any decimals and an open `mint`.
contract PermitToken is ERC20Permit {
    uint8 private immutable DECIMALS;

    constructor(string memory name, uint8 decimals_) ERC20(name, name) ERC20Permit(name) {
        DECIMALS = decimals_;
    }

    function decimals() public view override returns (uint8) {
        return DECIMALS;
    }

    function mint(address to, uint256 amount) external {
        _mint(to, amount);
    }
}
