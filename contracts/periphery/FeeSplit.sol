// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";

import {IIndexToken} from "../interfaces/IIndexToken.sol";

/// @title FeeSplit
/// @notice A fund's fee recipient that sets a part of the streaming fee aside for the fund's `Upkeep`. It has no owner:
/// the fund's owner changes the division by naming another fee recipient. Nothing on chain depends on it.
contract FeeSplit {
    using SafeERC20 for IERC20;

    IIndexToken public immutable INDEX;
    /// @notice The upkeep.
    address public immutable UPKEEP;
    /// @notice Who gets the rest.
    address public immutable RECIPIENT;
    /// @notice The upkeep's part, 18 decimals, above 0 and at most 1e18.
    uint256 public immutable PART;

    /// @notice None of the addresses may be zero.
    error ZeroAddress();
    error PartOutOfBounds(uint256 part);

    event Split(uint256 toUpkeep, uint256 toRecipient);

    constructor(IIndexToken index, address upkeep, address recipient, uint256 part) {
        require(address(index) != address(0) && upkeep != address(0) && recipient != address(0), ZeroAddress());
        require(part != 0 && part <= 1e18, PartOutOfBounds(part));
        (INDEX, UPKEEP, RECIPIENT, PART) = (index, upkeep, recipient, part);
    }

    /// @notice Collects the pending fee and divides all shares that are here. Anyone.
    /// @return toUpkeep Shares, rounded down. @return toRecipient The rest.
    function split() external returns (uint256 toUpkeep, uint256 toRecipient) {
        // Where another is the fee recipient by now it is theirs; what is here is still divided.
        INDEX.collectFee();
        IERC20 shares = IERC20(address(INDEX));
        uint256 held = shares.balanceOf(address(this));
        // {share} = {share} * {1e18} / {1e18}
        toUpkeep = held * PART / 1e18;
        toRecipient = held - toUpkeep;
        shares.safeTransfer(UPKEEP, toUpkeep);
        shares.safeTransfer(RECIPIENT, toRecipient);
        emit Split(toUpkeep, toRecipient);
    }
}
