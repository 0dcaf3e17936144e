// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Component} from "../../../contracts/libraries/ComponentList.sol";

/// @title StandInIndex
/// @notice What the opener asks of an index token, as told.
contract StandInIndex {
    address public componentsPointer;
    uint256 public MAX_COMPONENTS = 50;
    mapping(address token => bool) public writtenOff;
    uint256 private _supply;
    uint256 private _exponent;
    Component[] private _components;

    function setList(address pointer) external {
        componentsPointer = pointer;
    }

    function setPlaces(uint256 most) external {
        MAX_COMPONENTS = most;
    }

    function setWrittenOff(address token) external {
        writtenOff[token] = true;
    }

    function setSupply(uint256 supply, uint256 exponent) external {
        (_supply, _exponent) = (supply, exponent);
    }

    function addComponent(address token) external {
        _components.push(Component(token, 18, 0, false));
    }

    function supplyAndExponent() external view returns (uint256, uint256) {
        return (_supply, _exponent);
    }

    function components() external view returns (Component[] memory) {
        return _components;
    }
}

/// @title StandInOracle
/// @notice Prices as told, 0 for all others.
contract StandInOracle {
    mapping(address token => uint256) public price;

    function setPrice(address token, uint256 price_) external {
        price[token] = price_;
    }

    function prices(address[] calldata tokens) external view returns (uint256[] memory list) {
        list = new uint256[](tokens.length);
        for (uint256 i; i < tokens.length; ++i) {
            list[i] = price[tokens[i]];
        }
    }
}

/// @title StandInMethodology
/// @notice A basis is a target unit. It confirms what was determined, unless told otherwise.
contract StandInMethodology {
    uint256[] private _answers;

    function setAnswers(uint256[] calldata answers) external {
        _answers = answers;
    }

    function confirm(uint256[] calldata determined) external view returns (uint256[] memory answers) {
        if (_answers.length != 0) return _answers;
        answers = new uint256[](determined.length / 2);
        for (uint256 i; i < answers.length; ++i) {
            answers[i] = (determined[2 * i] % (1 << 96)) + (determined[2 * i + 1] % 8) * (1 << 96);
        }
    }

    function targetUnits(uint256[] calldata basis, uint256[] calldata, uint256[] calldata prices, uint256[] calldata)
        external
        pure
        returns (uint256[] memory targets)
    {
        targets = new uint256[](basis.length);
        for (uint256 i; i < basis.length; ++i) {
            if (prices[i] != 0) targets[i] = basis[i] % (1 << 88);
        }
    }
}
