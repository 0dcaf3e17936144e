// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Ownable} from "@openzeppelin/contracts/access/Ownable.sol";
import {IERC20Metadata} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Metadata.sol";

import {ISupplySource} from "../interfaces/ISupplySource.sol";

/// @title LockedSupply
/// @notice Circulating supplies computed on chain: total supply less the balances of listed lockers (treasuries, vesting
/// contracts), as of this block.
/// @dev Warning: whoever can move a locker's balance within one transaction can move this. The methodology bounds what
/// that is worth (jumps are clamped, and the supply is read twice), but list only lockers that nobody can use that way.
contract LockedSupply is ISupplySource, Ownable {
    /// @notice More lockers than `MAX_LOCKERS`, or one named twice.
    error UnfitLockers(address token);

    event LockersSet(address indexed token, address[] lockers);

    /// @notice Most lockers of one token.
    uint256 public constant MAX_LOCKERS = 20;

    mapping(address token => address[]) private _lockers;
    mapping(address token => bool) private _known;

    /// @param owner The timelock.
    /// @param tokens The first tokens. @param lists The lockers of each; may be empty.
    constructor(address owner, address[] memory tokens, address[][] memory lists) Ownable(owner) {
        for (uint256 i; i < tokens.length; ++i) {
            _set(tokens[i], lists[i]);
        }
    }

    /// @notice Lockers of a token.
    function lockers(address token) external view returns (address[] memory) {
        return _lockers[token];
    }

    /// @inheritdoc ISupplySource
    function supply(address token) external view returns (uint256 wholeTokens, uint256 date) {
        if (!_known[token]) return (0, 0);
        uint256 circulating = IERC20Metadata(token).totalSupply();
        address[] memory list = _lockers[token];
        for (uint256 i; i < list.length; ++i) {
            uint256 locked = IERC20Metadata(token).balanceOf(list[i]);
            circulating = circulating > locked ? circulating - locked : 0;
        }
        // {whole tok} = {tok} / {tok / whole tok}, down
        return (circulating / 10 ** IERC20Metadata(token).decimals(), block.timestamp);
    }

    /// @notice Sets a token's lockers, ascending by address.
    function setLockers(address token, address[] calldata list) external onlyOwner {
        _set(token, list);
    }

    function _set(address token, address[] memory list) private {
        require(list.length <= MAX_LOCKERS, UnfitLockers(token));
        for (uint256 i = 1; i < list.length; ++i) {
            require(list[i] > list[i - 1], UnfitLockers(token));
        }
        _lockers[token] = list;
        _known[token] = true;
        emit LockersSet(token, list);
    }
}
