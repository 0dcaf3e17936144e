// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Owned} from "../access/Owned.sol";
import {IIndexToken} from "../interfaces/IIndexToken.sol";
import {Constituent, Flags, IMethodology} from "../interfaces/IMethodology.sol";
import {IOracle} from "../interfaces/IOracle.sol";
import {Constituents} from "../libraries/Constituents.sol";
import {Decimals} from "../libraries/Decimals.sol";
import {Domain} from "../libraries/Domain.sol";
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
/// Published weights are rounded. Within 0.01 % of 1 they count as they are, even if they add up to a little more: then
/// no component attains all of its target. Where components have no price, the others' weights are scaled up to 1.
contract FixedWeight is IMethodology, Owned {
    uint256 private constant ONE = 1e18;
    /// @dev By so much the sum of weights may miss 1.
    uint256 private constant ROUNDING = 1e14;

    bytes32 public constant BASIS = "weight";

    /// @notice NAV is zero, or no weighted component has a price.
    error OutsideDomain(bytes32 what);
    /// @notice Weighted tokens must ascend by address and have a weight above zero.
    error UnfitWeight(address token);
    /// @notice The token does not say how many decimals it has, or has more than 27: no list could take it.
    error UnfitDecimals(address token);
    /// @notice More weights than a list has places.
    error TooManyWeights(uint256 given, uint256 most);
    /// @notice The weights must add up to 1e18, or miss it by 1e14 at most.
    error WeightsDoNotSum(uint256 sum);

    event WeightsSet(Weight[] weights);

    address private _weights;

    /// @param owner The timelock.
    /// @param list See `setWeights`.
    constructor(address owner, Weight[] memory list) Owned(owner) {
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

    /// @notice Replaces the weights (18 decimals, adding up to 1e18 within 1e14), strictly ascending by address.
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
        address[] memory tokens = new address[](all.length);
        for (uint256 i; i < all.length; ++i) {
            tokens[i] = all[i].token;
        }
        uint256[] memory prices = oracle.prices(tokens);
        for (uint256 i; i < all.length; ++i) {
            Constituent memory c = list[i];
            (c.token, c.basis, c.weight) = (tokens[i], all[i].weight, all[i].weight);
            // An absurd price is none.
            if (prices[i] < Domain.PRICE_LIMIT) c.price = uint128(prices[i]);
            if (c.price == 0) c.flags = Flags.NO_PRICE;
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
        if (_isOne(sum)) sum = ONE;
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
        require(list.length <= Domain.MAX_COMPONENTS, TooManyWeights(list.length, Domain.MAX_COMPONENTS));
        uint256[] memory words = new uint256[](list.length);
        for (uint256 i; i < list.length; ++i) {
            require(list[i].token > previous && list[i].weight != 0, UnfitWeight(list[i].token));
            (bool fit,) = Decimals.tryRead(list[i].token);
            require(fit, UnfitDecimals(list[i].token));
            previous = list[i].token;
            sum += list[i].weight;
            words[i] = (uint256(uint160(list[i].token)) << 96) | list[i].weight;
        }
        require(_isOne(sum), WeightsDoNotSum(sum));
        _weights = Words.write(words);
        emit WeightsSet(list);
    }

    /// @dev Whether weights with this sum count as they are.
    function _isOne(uint256 sum) private pure returns (bool) {
        return sum >= ONE - ROUNDING && sum <= ONE + ROUNDING;
    }
}
