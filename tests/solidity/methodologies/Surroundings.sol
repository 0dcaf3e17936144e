// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Component} from "../../../contracts/libraries/ComponentList.sol";
import {vm} from "../../../lab/fuzz/Vm.sol";
import {FuzzToken} from "../../../lab/fuzz/parts/FuzzToken.sol";
import {WordLists} from "../WordLists.sol";

/// @title StandInFund
/// @notice An index token and an oracle that say what they were told to.
contract StandInFund {
    uint256 public totalSupply = 1e18;
    mapping(address token => uint256) private _prices;
    Component[] private _components;

    function setTotalSupply(uint256 shares) external {
        totalSupply = shares;
    }

    function setPrice(address token, uint256 price) external {
        _prices[token] = price;
    }

    function list(Component calldata component) external {
        _components.push(component);
    }

    function components() external view returns (Component[] memory) {
        return _components;
    }

    function prices(address[] calldata tokens) external view returns (uint256[] memory values) {
        values = new uint256[](tokens.length);
        for (uint256 i; i < tokens.length; ++i) {
            values[i] = _prices[tokens[i]];
        }
    }
}

/// @title StandInSource
/// @notice A source of supplies that says what it was told to.
contract StandInSource {
    mapping(address token => uint256) private _supplies;
    mapping(address token => uint256) private _dates;

    function set(address token, uint256 wholeTokens, uint256 date) external {
        (_supplies[token], _dates[token]) = (wholeTokens, date);
    }

    function supply(address token) external view returns (uint256 wholeTokens, uint256 date) {
        return (_supplies[token], _dates[token]);
    }
}

/// @title Surroundings
/// @notice Tokens at ascending addresses, a fund of one share that holds some of them, and prices.
abstract contract Surroundings is WordLists {
    StandInFund internal fund;
    bytes private _code;

    function _makeSurroundings() internal {
        vm.warp(1_700_000_000);
        fund = new StandInFund();
        _code = address(new FuzzToken()).code;
    }

    /// @dev Address of token `i`: the highest bit and the lowest are set.
    function _token(uint256 i) internal pure returns (address) {
        return address(uint160((1 << 159) + ((i + 1) << 100) + 2 * i + 1));
    }

    /// @dev A token of 18 decimals with a price.
    function _make(uint256 i, uint256 price) internal returns (FuzzToken token) {
        return _make(i, price, 18);
    }

    function _make(uint256 i, uint256 price, uint8 decimals) internal returns (FuzzToken token) {
        token = FuzzToken(_token(i));
        vm.etch(address(token), _code);
        token.init(decimals);
        fund.setPrice(address(token), price);
    }

    /// @dev Puts a token on the fund's list, behind those before, with a balance.
    function _hold(uint256 i, uint256 balance) internal {
        _hold(i, balance, 0, false);
    }

    function _hold(uint256 i, uint256 balance, uint40 suspendedUntil, bool writtenOff) internal {
        FuzzToken token = FuzzToken(_token(i));
        token.setBalance(address(fund), balance);
        fund.list(Component(address(token), token.decimals(), suspendedUntil, writtenOff));
    }
}
