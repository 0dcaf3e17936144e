// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";

import {DynamicArrayLib} from "solady/src/utils/DynamicArrayLib.sol";

import {Owned} from "../access/Owned.sol";
import {ISupplySource} from "../interfaces/ISupplySource.sol";
import {Balance} from "../libraries/Balance.sol";
import {Decimals} from "../libraries/Decimals.sol";
import {Value} from "../libraries/Value.sol";
import {Words} from "../libraries/Words.sol";

/// @title LockedSupply
/// @notice Circulating supplies computed on chain: total supply less the balances of listed lockers (treasuries,
/// vesting contracts), as of this block.
/// @dev Warning: whoever can move a locker's balance, or mint the token, within one transaction can move this. The
/// methodology bounds what that is worth (see `Circulating`), but list only lockers that nobody can use that way, and
/// give the candidate a supply where the token can be minted in flash.
contract LockedSupply is ISupplySource, Owned {
    using DynamicArrayLib for uint256[];

    /// @notice More lockers than `MAX_LOCKERS`.
    error TooManyLockers(address token, uint256 given, uint256 most);
    /// @notice A locker is named twice.
    error DuplicateLocker(address token, address locker);
    /// @notice Lockers must ascend by address; this one stands behind a higher one.
    error LockersNotAscending(address token, address locker);
    /// @notice The token does not say how many decimals it has, or has more than 27.
    error UnfitDecimals(address token);
    /// @notice There must be one list of lockers for each token.
    error WrongLength(uint256 expected, uint256 given);

    event LockersSet(address indexed token, address[] lockers);

    /// @notice Most lockers of one token: so many that reading them of a token behind a proxy takes little more than
    /// half of the gas that a methodology gives a source.
    uint256 public constant MAX_LOCKERS = 8;

    /// @dev Where a token's decimals and its lockers, one word each, stand as contract code.
    mapping(address token => address) private _lists;

    /* CONSTRUCTOR */

    /// @param owner The timelock.
    /// @param tokens The first tokens. @param lists The lockers of each; may be empty.
    constructor(address owner, address[] memory tokens, address[][] memory lists) Owned(owner) {
        require(lists.length == tokens.length, WrongLength(tokens.length, lists.length));
        for (uint256 i; i < tokens.length; ++i) {
            _set(tokens[i], lists[i]);
        }
    }

    /* VIEWS */

    /// @notice Lockers of a token.
    function lockers(address token) external view returns (address[] memory list) {
        uint256[] memory words = Words.read(_lists[token]);
        if (words.length == 0) return list;
        list = new address[](words.length - 1);
        for (uint256 i; i < list.length; ++i) {
            list[i] = address(uint160(words[i + 1]));
        }
    }

    /// @inheritdoc ISupplySource
    function supply(address token) external view returns (uint256 wholeTokens, uint256 date) {
        uint256[] memory words = Words.read(_lists[token]);
        if (words.length == 0) return (0, 0);
        uint256 circulating = IERC20(token).totalSupply();
        for (uint256 i = 1; i < words.length; ++i) {
            uint256 locked = Balance.read(token, address(uint160(words.get(i))));
            circulating = circulating > locked ? circulating - locked : 0;
        }
        // {whole tok} = {tok} / {tok / whole tok}, down
        return (circulating / Value.oneOf(words.get(0)), block.timestamp);
    }

    /* OWNER */

    /// @notice Sets a token's lockers, ascending by address.
    function setLockers(address token, address[] calldata list) external onlyOwner {
        _set(token, list);
    }

    /* INTERNAL */

    function _set(address token, address[] memory list) private {
        require(list.length <= MAX_LOCKERS, TooManyLockers(token, list.length, MAX_LOCKERS));
        (bool fit, uint8 decimals) = Decimals.tryRead(token);
        require(fit, UnfitDecimals(token));
        uint256[] memory words = new uint256[](1 + list.length);
        words[0] = decimals;
        for (uint256 i; i < list.length; ++i) {
            if (i != 0) {
                require(list[i] != list[i - 1], DuplicateLocker(token, list[i]));
                require(list[i] > list[i - 1], LockersNotAscending(token, list[i]));
            }
            words[1 + i] = uint160(list[i]);
        }
        _lists[token] = Words.write(words);
        emit LockersSet(token, list);
    }
}
