// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IMethodology} from "../../contracts/interfaces/IMethodology.sol";
import {Weight} from "../../lab/fuzz/Methodologies.sol";
import {Scene} from "../../lab/fuzz/Scene.sol";

/// @title FixedWeightScene
/// @notice A seeded fund of four components with given weights, to test with: all tokens but `NEWCOMER`, a quarter each.
abstract contract FixedWeightScene is Scene {
    function _makeMethodologies() internal override returns (IMethodology first, IMethodology second) {
        (first, second) = (_methodology(), _methodology());
    }

    function _methodology() internal returns (IMethodology) {
        Weight[] memory list = new Weight[](N - 1);
        uint256 n;
        for (uint256 i; i < N; ++i) {
            if (i != NEWCOMER) list[n++] = Weight(address(tokens[i]), 0.25e18);
        }
        return IMethodology(deploy("FixedWeight", abi.encode(address(this), list)));
    }
}
