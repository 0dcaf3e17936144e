// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IOracle} from "../../../interfaces/IOracle.sol";

/// @title Furnace
/// @notice For tests: a token, a supply source and a feed that burn nearly all the gas that they are given and then
/// answer as sound ones would, so that their answers are worked with. It has no state, so its code may be placed at any
/// address.
contract Furnace {
    /// @dev What is left for the answer.
    uint256 private constant REST = 1_000;

    uint8 public constant decimals = 18;

    function balanceOf(address) external view returns (uint256) {
        _burn();
        return 1e18;
    }

    function supply(address token) external view returns (uint256, uint256) {
        _burn();
        // Hardly two alike, and posted a while ago.
        return (1e9 + (uint160(token) & 0xffff), block.timestamp - 1);
    }

    function latestRoundData() external view returns (uint80, int256, uint256, uint256, uint80) {
        _burn();
        return (1, 1e18, block.timestamp, block.timestamp, 1);
    }

    function _burn() private view {
        while (gasleft() > REST) {}
    }
}

/// @title HotOracle
/// @notice For tests: an oracle of feeds that burn the gas that they are given.
contract HotOracle is IOracle {
    uint256 private immutable FEED_GAS;
    Furnace private immutable FEED = new Furnace();

    constructor(uint256 feedGas) {
        FEED_GAS = feedGas;
    }

    function price(address) public view returns (uint256) {
        (, int256 answer,,,) = FEED.latestRoundData{gas: FEED_GAS}();
        return uint256(answer);
    }

    function prices(address[] calldata tokens) public view returns (uint256[] memory values) {
        values = new uint256[](tokens.length);
        for (uint256 i; i < tokens.length; ++i) {
            values[i] = price(tokens[i]);
        }
    }

    function tradePrices(address[] calldata tokens, uint256) external view returns (uint256[] memory) {
        return prices(tokens);
    }
}
