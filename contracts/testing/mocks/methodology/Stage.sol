// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IOracle} from "../../../interfaces/IOracle.sol";
import {ISupplySource} from "../../../interfaces/ISupplySource.sol";
import {Component} from "../../../libraries/ComponentList.sol";

/// @notice One call of a play: of the contract made in it, or of the stage itself.
struct Step {
    bool own;
    bytes data;
}

/// @notice What a step returned, or its revert data.
struct Result {
    bool ok;
    bytes data;
}

/// @title Stage
/// @notice For tests: all that a methodology meets (oracle, supply source, index token, owner), saying what it was told
/// to. `play` makes a contract and calls it, so that one eth_call is one whole case and leaves nothing behind.
contract Stage is IOracle, ISupplySource {
    struct Figure {
        uint256 wholeTokens;
        uint256 date;
    }

    error SourceFails(address token);

    uint256 public totalSupply;
    /// @notice As a rebalancer's.
    bool public trading;

    mapping(address token => uint256) public price;
    mapping(address token => uint256) public balances;
    mapping(address token => Figure) private _figures;
    Component[] private _components;

    /// @notice Creates a contract, then makes the calls. The first result is the creation's.
    function play(bytes memory creation, Step[] calldata steps) external returns (Result[] memory results) {
        address made;
        assembly ("memory-safe") {
            made := create(0, add(creation, 32), mload(creation))
        }
        if (made == address(0)) {
            results = new Result[](1);
            bytes memory why;
            assembly ("memory-safe") {
                why := mload(0x40)
                mstore(why, returndatasize())
                returndatacopy(add(why, 32), 0, returndatasize())
                mstore(0x40, add(why, and(add(returndatasize(), 63), not(31))))
            }
            results[0].data = why;
            return results;
        }
        results = new Result[](1 + steps.length);
        results[0].ok = true;
        for (uint256 i; i < steps.length; ++i) {
            (results[i + 1].ok, results[i + 1].data) = (steps[i].own ? address(this) : made).call(steps[i].data);
        }
    }

    function setPrices(address[] calldata tokens, uint256[] calldata values) external {
        for (uint256 i; i < tokens.length; ++i) {
            price[tokens[i]] = values[i];
        }
    }

    /// @notice Supplies; the largest date makes the source fail.
    function setSupplies(address[] calldata tokens, uint256[] calldata wholeTokens, uint256[] calldata dates) external {
        for (uint256 i; i < tokens.length; ++i) {
            _figures[tokens[i]] = Figure(wholeTokens[i], dates[i]);
        }
    }

    function setHoldings(Component[] calldata list, uint256[] calldata amounts, uint256 shares) external {
        delete _components;
        for (uint256 i; i < list.length; ++i) {
            _components.push(list[i]);
            balances[list[i].token] = amounts[i];
        }
        totalSupply = shares;
    }

    function setTrading(bool trading_) external {
        trading = trading_;
    }

    function tradePrices(address[] calldata tokens, uint256) external view returns (uint256[] memory) {
        return prices(tokens);
    }

    function prices(address[] calldata tokens) public view returns (uint256[] memory values) {
        values = new uint256[](tokens.length);
        for (uint256 i; i < tokens.length; ++i) {
            values[i] = price[tokens[i]];
        }
    }

    function supply(address token) external view returns (uint256, uint256) {
        Figure memory f = _figures[token];
        require(f.date != type(uint256).max, SourceFails(token));
        return (f.wholeTokens, f.date);
    }

    function components() external view returns (Component[] memory) {
        return _components;
    }
}
