// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Ownable} from "@openzeppelin/contracts/access/Ownable.sol";

import {Constituent, IMethodology} from "../interfaces/IMethodology.sol";
import {IOracle} from "../interfaces/IOracle.sol";
import {Targets} from "../libraries/Targets.sol";

/// @notice What happens to a weight above the cap.
/// None: nothing. Hard: it becomes the cap, and the uncapped share the excess in proportion to their weights, once.
enum Cap {
    None,
    Hard
}

/// @title MarketCap
/// @notice Weights by circulating market cap, with posted supplies. The arithmetic is that of the published DPI
/// rebalances (IndexCoop/index-rebalance-utils): supplies in whole tokens, all else 18-decimal integers, every division
/// rounds down. With p prices and cur units held:
///
///     NAV = sum(cur * p)      D = sum(supply * p) / NAV      u = supply / D      a = p * u / NAV
///     a > cap:   f = cap      S = sum(min(a, cap))           C = sum of the capped
///     others:    f = a + a / (S - C) * (1 - S)               u = f * NAV / p
///
/// @dev Domain: NAV and D above zero (D falls to zero where all market caps together are below a share's NAV), a cap
/// that the constituents can fill (at least 1 / n). Outside it `OutsideDomain` is raised.
contract MarketCap is IMethodology, Ownable {
    uint256 private constant ONE = 1e18;
    uint256 private constant MAX_DECIMALS = 27;

    /// @notice The figures lie outside the arithmetic's domain; `what` names which.
    error OutsideDomain(bytes32 what);
    /// @notice Candidates must ascend by address and have a supply above zero.
    error UnfitCandidate(address token);
    /// @notice The cap must be above 0 and below 1 (18 decimals) with Cap.Hard, and 0 with Cap.None.
    error UnfitCap(uint256 capWeight);

    event CandidatesSet(Constituent[] candidates);

    /// @notice What happens above the cap weight, and that weight (18 decimals).
    Cap public immutable CAP;
    uint256 public immutable CAP_WEIGHT;

    address private _candidates;

    /// @param owner The timelock, which posts candidates and supplies.
    /// @param candidates_ See `setCandidates`.
    constructor(address owner, Cap cap, uint256 capWeight, Constituent[] memory candidates_) Ownable(owner) {
        require(cap == Cap.None ? capWeight == 0 : capWeight != 0 && capWeight < ONE, UnfitCap(capWeight));
        CAP = cap;
        CAP_WEIGHT = capWeight;
        _setCandidates(candidates_);
    }

    /// @notice The candidates and their circulating supplies in whole tokens.
    function candidates() public view returns (Constituent[] memory) {
        return Targets.readConstituents(_candidates);
    }

    /// @notice Replaces candidates and supplies (whole tokens), strictly ascending by address.
    function setCandidates(Constituent[] calldata list) external onlyOwner {
        _setCandidates(list);
    }

    /// @inheritdoc IMethodology
    /// @dev All candidates that have a price.
    function determine(IOracle oracle) external view returns (Constituent[] memory list) {
        list = candidates();
        address[] memory tokens = new address[](list.length);
        for (uint256 i; i < list.length; ++i) {
            tokens[i] = list[i].token;
        }
        uint256[] memory prices = oracle.prices(tokens);
        uint256 kept;
        for (uint256 i; i < list.length; ++i) {
            if (prices[i] != 0) list[kept++] = list[i];
        }
        assembly ("memory-safe") {
            mstore(list, kept)
        }
    }

    /// @inheritdoc IMethodology
    function targetUnits(
        uint256[] calldata basis,
        uint256[] calldata units,
        uint256[] calldata prices,
        uint8[] calldata decimals
    ) external view returns (uint256[] memory targets) {
        uint256 nav = _nav(units, prices, decimals);
        targets = _byMarketCap(basis, prices, nav);
        if (CAP == Cap.Hard) _cap(targets, prices, nav);
        for (uint256 i; i < targets.length; ++i) {
            // {tok / share} = {1e-18 whole tok / share} * {tok / whole tok} / {1e18}, down
            targets[i] = targets[i] * 10 ** decimals[i] / ONE;
        }
    }

    /// @dev NAV of one share in USD with 18 decimals, floored once over the sum.
    function _nav(uint256[] calldata units, uint256[] calldata prices, uint8[] calldata decimals)
        private
        pure
        returns (uint256 nav)
    {
        for (uint256 i; i < units.length; ++i) {
            nav += units[i] * prices[i] * 10 ** (MAX_DECIMALS - decimals[i]);
        }
        nav /= 10 ** MAX_DECIMALS;
        require(nav != 0, OutsideDomain("nav"));
    }

    /// @dev Units with 18 decimals whatever the token's.
    function _byMarketCap(uint256[] calldata basis, uint256[] calldata prices, uint256 nav)
        private
        pure
        returns (uint256[] memory units)
    {
        uint256 marketCap;
        for (uint256 i; i < basis.length; ++i) {
            marketCap += basis[i] * prices[i];
        }
        uint256 divisor = marketCap / nav; // {share} = {USD} / {USD / share}
        require(divisor != 0, OutsideDomain("divisor"));
        units = new uint256[](basis.length);
        for (uint256 i; i < basis.length; ++i) {
            if (prices[i] != 0) units[i] = basis[i] * ONE / divisor;
        }
    }

    /// @dev One pass of the hard cap; nothing changes where no weight is above it.
    function _cap(uint256[] memory units, uint256[] calldata prices, uint256 nav) private view {
        uint256 n = units.length;
        uint256[] memory weights = new uint256[](n);
        uint256 total;
        uint256 capped;
        uint256 members;
        for (uint256 i; i < n; ++i) {
            if (units[i] == 0) continue;
            ++members;
            weights[i] = prices[i] * units[i] / nav;
            if (weights[i] > CAP_WEIGHT) {
                weights[i] = CAP_WEIGHT;
                capped += CAP_WEIGHT;
            }
            total += weights[i];
        }
        if (capped == 0) return;
        require(total <= ONE, OutsideDomain("weights"));
        for (uint256 i; i < n; ++i) {
            if (units[i] == 0) continue;
            uint256 weight = weights[i];
            if (total == capped) {
                // All are capped: nobody is left to take the excess, so all weigh the same.
                weight = ONE / members;
            } else if (prices[i] * units[i] / nav <= CAP_WEIGHT) {
                weight += weight * ONE / (total - capped) * (ONE - total) / ONE;
            }
            units[i] = weight * nav / prices[i];
        }
    }

    function _setCandidates(Constituent[] memory list) private {
        address previous;
        for (uint256 i; i < list.length; ++i) {
            require(list[i].token > previous && list[i].basis != 0, UnfitCandidate(list[i].token));
            previous = list[i].token;
        }
        _candidates = Targets.write(list);
        emit CandidatesSet(list);
    }
}
