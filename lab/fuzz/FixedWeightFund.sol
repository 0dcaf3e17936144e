// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IMethodology} from "../../contracts/interfaces/IMethodology.sol";
import {Draw, Drawing} from "./Draw.sol";
import {Handler} from "./Handler.sol";
import {IFixedWeightOwner, Weight} from "./Methodologies.sol";
import {vm} from "./Vm.sol";

/// @notice A fund of given weights.
contract FixedWeightHandler is Handler {
    using Drawing for Draw;

    /// @dev Of each methodology, what it weighs, as bits.
    mapping(IMethodology methodology => uint256) private _weighed;

    function _makeMethodologies() internal override returns (IMethodology first, IMethodology second) {
        (first, second) = (_make(), _make());
    }

    function _make() private returns (IMethodology made) {
        (Weight[] memory list, uint256 bits) = _weights(Drawing.from(0));
        made = IMethodology(deploy("FixedWeight", abi.encode(address(this), list)));
        _weighed[made] = bits;
    }

    function _changeRule(Draw memory d) internal override {
        (Weight[] memory list, uint256 bits) = _weights(d);
        IFixedWeightOwner(address(methodology)).setWeights(list);
        _weighed[methodology] = bits;
    }

    function _determinable() internal pure override returns (bool) {
        return true;
    }

    function _active(uint256 i) internal view override returns (bool) {
        return (_weighed[methodology] >> i) & 1 != 0;
    }

    /// @dev Random weights, which add up to 1 within their rounding; one time in four one component has none, mostly one that is suspended, if any.
    function _weights(Draw memory d) private view returns (Weight[] memory list, uint256 bits) {
        uint256 out = d.below(4) == 0 ? _oneOf(d) : N;
        uint256 left = d.between(1e18 - 1e14, 1e18 + 1e14);
        list = new Weight[](out == N ? N : N - 1);
        uint256 k;
        for (uint256 i; i < N; ++i) {
            if (i == out) continue;
            uint256 weight = k + 1 == list.length ? left : d.between(left / 10, left / 2);
            list[k++] = Weight(address(tokens[i]), uint64(weight));
            bits |= 1 << i;
            left -= weight;
        }
    }
}
