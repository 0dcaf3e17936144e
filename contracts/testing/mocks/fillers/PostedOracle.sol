// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IOracle} from "../../../interfaces/IOracle.sol";

/// @title PostedOracle
/// @notice For tests: prices that anyone posts and that never age.
contract PostedOracle is IOracle {
    mapping(address token => uint256) public price;

    /// @notice Posts USD for one whole token, 18 decimals; 0 means no price.
    function post(address[] calldata tokens, uint256[] calldata usd) external {
        for (uint256 i; i < tokens.length; ++i) {
            price[tokens[i]] = usd[i];
        }
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
}
