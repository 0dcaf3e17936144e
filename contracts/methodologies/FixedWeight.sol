// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Ownable} from "@openzeppelin/contracts/access/Ownable.sol";

import {Constituent, IMethodology} from "../interfaces/IMethodology.sol";
import {IOracle} from "../interfaces/IOracle.sol";
import {Targets} from "../libraries/Targets.sol";

/// @title FixedWeight
/// @notice Given weights, restored every month: what rose is sold, what fell is bought. The arithmetic is that of the
/// published MVI rebalances (IndexCoop/index-rebalance-utils), every division rounding down:
///
///     NAV = sum(floor(cur * p / 10^decimals))      u = 10^decimals * floor(NAV * w / 1e18) / p
///
/// Where a component has no price, the others' weights are scaled up to 1.
contract FixedWeight is IMethodology, Ownable {
    uint256 private constant ONE = 1e18;

    /// @notice NAV is zero, or no weighted component has a price.
    error OutsideDomain(bytes32 what);
    /// @notice Weighted tokens must ascend by address and have a weight above zero.
    error UnfitWeight(address token);
    /// @notice The weights must add up to 1e18.
    error WeightsDoNotSum(uint256 sum);

    event WeightsSet(Constituent[] weights);

    address private _weights;

    /// @param owner The timelock.
    /// @param list See `setWeights`.
    constructor(address owner, Constituent[] memory list) Ownable(owner) {
        _setWeights(list);
    }

    /// @notice Tokens and their weights, 18 decimals.
    function weights() external view returns (Constituent[] memory) {
        return Targets.readConstituents(_weights);
    }

    /// @notice Replaces the weights (18 decimals, adding up to 1e18), strictly ascending by address.
    function setWeights(Constituent[] calldata list) external onlyOwner {
        _setWeights(list);
    }

    /// @inheritdoc IMethodology
    function determine(IOracle) external view returns (Constituent[] memory) {
        return Targets.readConstituents(_weights);
    }

    /// @inheritdoc IMethodology
    function targetUnits(
        uint256[] calldata basis,
        uint256[] calldata units,
        uint256[] calldata prices,
        uint8[] calldata decimals
    ) external pure returns (uint256[] memory targets) {
        uint256 nav;
        uint256 sum;
        for (uint256 i; i < basis.length; ++i) {
            // {USD / share} = {tok / share} * {USD / whole tok} / {tok / whole tok}, down
            nav += units[i] * prices[i] / 10 ** decimals[i];
            if (prices[i] != 0) sum += basis[i];
        }
        require(nav != 0, OutsideDomain("nav"));
        require(sum != 0, OutsideDomain("weights"));
        targets = new uint256[](basis.length);
        for (uint256 i; i < basis.length; ++i) {
            if (prices[i] == 0) continue;
            uint256 value = nav * (basis[i] * ONE / sum) / ONE;
            targets[i] = 10 ** decimals[i] * value / prices[i];
        }
    }

    function _setWeights(Constituent[] memory list) private {
        address previous;
        uint256 sum;
        for (uint256 i; i < list.length; ++i) {
            require(list[i].token > previous && list[i].basis != 0, UnfitWeight(list[i].token));
            previous = list[i].token;
            sum += list[i].basis;
        }
        require(sum == ONE, WeightsDoNotSum(sum));
        _weights = Targets.write(list);
        emit WeightsSet(list);
    }
}
