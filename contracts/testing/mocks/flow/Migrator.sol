// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {IERC20Metadata} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Metadata.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";

import {IFiller} from "../../../interfaces/IFiller.sol";

/// @title Migrator
/// @notice For tests: a project's migration contract as a filler. It takes the old token and pays the new one, of which
/// it holds a stock, at a fixed ratio.
contract Migrator is IFiller {
    using SafeERC20 for IERC20;

    /// @notice Only the old token can be migrated.
    error UnknownToken(address token);

    IERC20 public immutable OLD;
    IERC20 public immutable NEW;
    /// @notice Whole new tokens for one whole old one, 18 decimals.
    uint256 public immutable RATIO;

    constructor(IERC20 old, IERC20 new_, uint256 ratio) {
        (OLD, NEW, RATIO) = (old, new_, ratio);
    }

    /// @inheritdoc IFiller
    function fill(
        address index,
        address[] calldata sells,
        uint256[] calldata amounts,
        address[] calldata,
        bytes calldata
    ) external {
        for (uint256 i; i < sells.length; ++i) {
            require(sells[i] == address(OLD), UnknownToken(sells[i]));
            NEW.safeTransfer(index, migrated(amounts[i]));
        }
    }

    /// @notice Token wei of the new token for that many of the old one, down.
    function migrated(uint256 amount) public view returns (uint256) {
        // {new} = {old} * {1e18 whole new / whole old} * {new / whole new} / ({old / whole old} * {1e18})
        uint256 scale = 10 ** IERC20Metadata(address(OLD)).decimals() * 1e18;
        return amount * RATIO * 10 ** IERC20Metadata(address(NEW)).decimals() / scale;
    }
}
