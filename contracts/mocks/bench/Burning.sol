// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";

import {ISupplySource} from "../../interfaces/ISupplySource.sol";

/// @title Burning
/// @notice For benchmarks: something that answers until it is told to burn all the gas that it is given.
abstract contract Burning {
    bool public burning;

    function burn() external {
        burning = true;
    }

    function _burnGas() internal view {
        if (burning) {
            assembly ("memory-safe") {
                invalid()
            }
        }
    }
}

/// @title BurningToken
/// @notice A token of which anybody may mint. Once it burns, nobody's balance can be read.
contract BurningToken is ERC20, Burning {
    constructor() ERC20("Burning", "BURN") {}

    function mint(address to, uint256 amount) external {
        _mint(to, amount);
    }

    function balanceOf(address account) public view override returns (uint256) {
        _burnGas();
        return super.balanceOf(account);
    }
}

/// @title BurningFeed
/// @notice A price feed of a dollar, always of this second.
contract BurningFeed is Burning {
    uint8 public constant decimals = 8;

    function latestRoundData() external view returns (uint80, int256, uint256, uint256, uint80) {
        _burnGas();
        return (1, 1e8, block.timestamp, block.timestamp, 1);
    }
}

/// @title BurningSource
/// @notice A supply of a billion, of this second.
contract BurningSource is ISupplySource, Burning {
    function supply(address) external view returns (uint256, uint256) {
        _burnGas();
        return (1e9, block.timestamp);
    }
}
