// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Flags} from "../../../contracts/interfaces/IMethodology.sol";
import {Limits} from "../../../contracts/interfaces/IRebalancer.sol";
import {Bounds} from "../../../contracts/libraries/Bounds.sol";
import {Circulating} from "../../../contracts/libraries/Circulating.sol";
import {Cap, Capping, MarketCapMath} from "../../../contracts/libraries/MarketCapMath.sol";
import {vm} from "../Vm.sol";

/// @notice Weights by market cap, what is believed of a supply, and what an owner may set.
contract RuleProofs {
    /* WEIGHTS */

    function check_moreSupplyWeighsMore(uint64 a, uint64 b, uint64 price) external pure {
        vm.assume(price != 0 && a >= b);
        (, uint256[] memory weights) = _weigh(a, b, price, price, Capping(Cap.None, 0, 1));
        assert(weights[0] >= weights[1]);
    }

    function check_higherPriceWeighsMore(uint64 supply, uint64 a, uint64 b) external pure {
        vm.assume(b != 0 && a >= b);
        (, uint256[] memory weights) = _weigh(supply, supply, a, b, Capping(Cap.None, 0, 1));
        assert(weights[0] >= weights[1]);
    }

    function check_orderKeptByCap(uint64 a, uint64 b, uint64 cap) external pure {
        vm.assume(a >= b && cap != 0 && cap <= 1e18);
        (, uint256[] memory weights) = _weigh(a, b, 1e18, 1e18, Capping(Cap.Hard, cap, 2));
        assert(weights[0] >= weights[1]);
    }

    function check_noneAboveCap(uint64 a, uint64 b, uint64 cap) external pure {
        vm.assume(b != 0 && a >= b && cap >= 0.5e18 && cap <= 1e18);
        (, uint256[] memory weights) = _weigh(a, b, 1e18, 1e18, Capping(Cap.Hard, cap, 2));
        assert(weights[0] <= cap && weights[1] <= cap);
    }

    function check_weightsAtMostOne(uint64 a, uint64 b) external pure {
        vm.assume(uint256(a) + b >= 1e9); // D is at least a million then
        (, uint256[] memory weights) = _weigh(a, b, 1e18, 1e18, Capping(Cap.None, 0, 1));
        assert(weights[0] + weights[1] <= 1e18 + 1e12); // 1 + 1 / D
    }

    function check_noPriceNoWeight(uint88 a, uint88 b, uint64 price) external pure {
        vm.assume(price != 0 && a != 0);
        (uint256[] memory units, uint256[] memory weights) = _weigh(a, b, price, 0, Capping(Cap.None, 0, 1));
        assert(units[1] == 0 && weights[1] == 0);
    }

    /// @dev A share's NAV of 100 dollars.
    function _weigh(uint256 a, uint256 b, uint256 priceA, uint256 priceB, Capping memory capping)
        private
        pure
        returns (uint256[] memory, uint256[] memory)
    {
        uint256[] memory basis = new uint256[](2);
        uint256[] memory prices = new uint256[](2);
        (basis[0], basis[1], prices[0], prices[1]) = (a, b, priceA, priceB);
        unchecked {
            uint256 marketCap = a * priceA + b * priceB;
            return MarketCapMath.weigh(100e18, marketCap, basis, prices, new uint256[](0), capping);
        }
    }

    /* SUPPLIES */

    function check_supplyMovesByTheBound(
        uint88 supply,
        uint40 date,
        uint40 time,
        uint88 known,
        bool member,
        uint32 maxAge
    ) external {
        vm.assume(known != 0 && date <= time);
        vm.warp(time);
        (uint256 basis,) = Circulating.judge(supply, date, known, member, maxAge, 0.2e18);
        uint256 bound = uint256(known) * 0.2e18 / 1e18;
        assert(basis <= known + bound);
        assert(!member || basis >= known - bound);
    }

    function check_supplyWithinIsBelieved(uint88 supply, uint40 date, uint40 time, uint88 known, bool member) external {
        vm.assume(known != 0 && supply != 0 && date <= time && time - date <= 1 days);
        vm.warp(time);
        uint256 bound = uint256(known) * 0.2e18 / 1e18;
        vm.assume(supply <= known + bound && supply >= known - bound);
        (uint256 basis, uint256 flags) = Circulating.judge(supply, date, known, member, 1 days, 0.2e18);
        assert(basis == supply && flags == 0);
    }

    function check_oneBlockDecidesNothing(uint88 basis, uint8 flags, uint40 time, uint88 known, bool member) external {
        vm.assume(known != 0);
        vm.warp(time);
        uint256 decisive = Circulating.decisive(basis, flags, time, known, member);
        assert(decisive == known || (!member && decisive == basis && basis <= known));
    }

    function check_unknownIsUnconfirmed(uint88 supply, uint40 time, bool member, uint32 maxAge) external {
        vm.warp(time);
        (, uint256 flags) = Circulating.judge(supply, time, 0, member, maxAge, 0.2e18);
        assert(flags == Flags.UNCONFIRMED);
    }

    function check_confirmedIsNearer(uint88 was, uint88 basis, uint88 known) external pure {
        vm.assume(known != 0);
        uint256 confirmed = uint88(Circulating.confirmedBasis(was, basis, 0, known));
        (uint256 a, uint256 b) = (_apart(was, known), _apart(basis, known));
        assert(_apart(confirmed, known) == (a < b ? a : b));
        assert(a > b || confirmed == was);
    }

    function _apart(uint256 a, uint256 b) private pure returns (uint256) {
        return a > b ? a - b : b - a;
    }

    /* BOUNDS */

    function check_limitsWithin(Limits calldata l, uint64 band, uint32 shortest) external view {
        vm.assume(shortest <= 30 days);
        try this.checkLimits(l, band, shortest) {
            assert(l.lastTolerance >= 0 && l.lastTolerance <= 0.1e18);
            assert(l.firstTolerance >= -0.1e18 && l.firstTolerance <= l.lastTolerance);
            assert(l.batchCap > 0 && l.batchCap <= 0.1e18 && l.lossBudget <= 0.02e18);
            assert(l.maxStep > 0 && l.maxStep <= 1e18 && l.dust >= 1e12 && l.dust <= 0.001e18);
            assert(l.coolOff >= 60 && l.coolOff <= l.maxIdle && l.maxIdle <= 1 days && band <= 0.1e18);
        } catch {}
    }

    function checkLimits(Limits calldata l, uint256 band, uint256 shortest) external pure {
        Bounds.check(l, band, shortest);
    }
}
