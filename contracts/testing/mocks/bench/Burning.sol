// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";

import {ISupplySource} from "../../../interfaces/ISupplySource.sol";

/// @notice What it does with the gas that it is given: answers at once; burns it all; burns nearly all and then
/// answers.
enum Burns {
    Nothing,
    All,
    NearlyAll
}

/// @title Burning
/// @notice For benchmarks: something that answers at once until it is told to burn gas.
abstract contract Burning {
    /// @dev What an answer of the contracts here takes at most, with cold storage.
    uint256 private constant ANSWER_GAS = 6_000;

    Burns public burns;

    function burn(Burns burns_) external {
        burns = burns_;
    }

    function _burnGas() internal view {
        Burns how = burns;
        if (how == Burns.All) {
            assembly ("memory-safe") {
                invalid()
            }
        }
        if (how == Burns.NearlyAll) while (gasleft() > ANSWER_GAS) {}
    }
}

/// @title BurningToken
/// @notice A token of which anybody may mint. It burns gas when it is asked for a balance or its decimals.
contract BurningToken is ERC20, Burning {
    constructor() ERC20("Burning", "BURN") {}

    function mint(address to, uint256 amount) external {
        _mint(to, amount);
    }

    function balanceOf(address account) public view override returns (uint256) {
        _burnGas();
        return super.balanceOf(account);
    }

    function decimals() public view override returns (uint8) {
        _burnGas();
        return 18;
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
/// @notice A supply of half a billion, of this second.
contract BurningSource is ISupplySource, Burning {
    function supply(address) external view returns (uint256, uint256) {
        _burnGas();
        return (5e8, block.timestamp);
    }
}
