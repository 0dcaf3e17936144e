// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Ownable} from "@openzeppelin/contracts/access/Ownable.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";

import {IIndexToken} from "../interfaces/IIndexToken.sol";
import {Constituent, Flags, IMethodology, Status} from "../interfaces/IMethodology.sol";
import {IOracle} from "../interfaces/IOracle.sol";
import {Constituents} from "../libraries/Constituents.sol";
import {Words} from "../libraries/Words.sol";

/// @notice A token and its weight, 18 decimals.
struct Weight {
    address token;
    uint64 weight;
}

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

    event WeightsSet(Weight[] weights);

    bytes32 public constant BASIS = "weight";
    address private _weights;

    /// @param owner The timelock.
    /// @param list See `setWeights`.
    constructor(address owner, Weight[] memory list) Ownable(owner) {
        _setWeights(list);
    }

    /// @notice Tokens and their weights, 18 decimals.
    function weights() public view returns (Weight[] memory list) {
        uint256[] memory words = Words.read(_weights);
        list = new Weight[](words.length);
        for (uint256 i; i < words.length; ++i) {
            list[i] = Weight(address(uint160(words[i] >> 96)), uint64(words[i]));
        }
    }

    /// @notice Replaces the weights (18 decimals, adding up to 1e18), strictly ascending by address.
    function setWeights(Weight[] calldata list) external onlyOwner {
        _setWeights(list);
    }

    /// @inheritdoc IMethodology
    function determine(IOracle oracle, IIndexToken, Constituent[] calldata)
        external
        view
        returns (Constituent[] memory list)
    {
        Weight[] memory all = weights();
        list = new Constituent[](all.length);
        for (uint256 i; i < all.length; ++i) {
            uint128 price = SafeCast.toUint128(oracle.price(all[i].token));
            uint8 flags = price == 0 ? Flags.NO_PRICE : 0;
            uint64 weight = all[i].weight;
            list[i] = Constituent(all[i].token, weight, Status.Included, flags, price, weight, 0, false);
        }
    }

    /// @inheritdoc IMethodology
    function confirm(uint256[] calldata determined) external pure returns (uint256[] memory words) {
        return Constituents.asDetermined(determined);
    }

    /// @inheritdoc IMethodology
    function targetUnits(
        uint256[] calldata basis,
        uint256[] calldata units,
        uint256[] calldata prices,
        uint256[] calldata ones
    ) external pure returns (uint256[] memory targets) {
        uint256 nav;
        uint256 sum;
        for (uint256 i; i < basis.length; ++i) {
            // {USD / share} = {tok / share} * {USD / whole tok} / {tok / whole tok}, down
            nav += units[i] * prices[i] / ones[i];
            if (prices[i] != 0) sum += uint88(basis[i]);
        }
        require(nav != 0, OutsideDomain("nav"));
        require(sum != 0, OutsideDomain("weights"));
        targets = new uint256[](basis.length);
        for (uint256 i; i < basis.length; ++i) {
            if (prices[i] == 0) continue;
            uint256 value = nav * (uint256(uint88(basis[i])) * ONE / sum) / ONE;
            targets[i] = ones[i] * value / prices[i];
        }
    }

    function _setWeights(Weight[] memory list) private {
        address previous;
        uint256 sum;
        uint256[] memory words = new uint256[](list.length);
        for (uint256 i; i < list.length; ++i) {
            require(list[i].token > previous && list[i].weight != 0, UnfitWeight(list[i].token));
            previous = list[i].token;
            sum += list[i].weight;
            words[i] = (uint256(uint160(list[i].token)) << 96) | list[i].weight;
        }
        require(sum == ONE, WeightsDoNotSum(sum));
        _weights = Words.write(words);
        emit WeightsSet(list);
    }
}
