// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IIndexToken} from "../../../contracts/interfaces/IIndexToken.sol";
import {Remainder} from "../../../contracts/interfaces/IOpener.sol";
import {Opening, Progress, Side} from "../../../contracts/interfaces/IRebalancer.sol";
import {vm} from "../../../lab/fuzz/Vm.sol";
import {OpenerBench} from "./OpenerBench.sol";

/// @title RemainingTest
/// @notice What is left of an open month once a component has gone out of it.
contract RemainingTest is OpenerBench {
    address private constant _TARGETS = address(0x7a);
    /// @dev Bytes of a unit here.
    uint256 private constant _WIDTH = 12;

    bytes private _packed = abi.encodePacked(uint8(_WIDTH));
    uint256 private _nav = 1000;
    uint64 private _surplus = type(uint64).max;
    uint64 private _buyTargets = type(uint64).max;

    /// @dev A component and its target; `price` below 2**25, USD-wei for one whole token.
    function _add(address token, uint256 decimals, uint256 balance, Side side, uint256 unit, uint256 price) private {
        hold(token, decimals, balance, 0);
        _target(side, unit, price);
    }

    function _target(Side side, uint256 unit, uint256 price) private {
        _packed = abi.encodePacked(_packed, uint32(uint256(side) * (1 << 30) + price), uint96(unit));
        vm.etch(_TARGETS, abi.encodePacked(bytes1(0), _packed));
    }

    function _without(address token) private view returns (Remainder memory) {
        return opener.without(
            IIndexToken(address(index)),
            Opening(_TARGETS, _buyTargets, uint128(_nav), uint88(EXPONENT), 0),
            Progress(0, 0, _surplus, 0),
            token
        );
    }

    function _sums(Remainder memory r, uint256 surplus, uint256 held, uint256 buyTargets) private pure {
        equal(r.surplus, surplus, "surplus");
        equal(r.held, held, "held");
        equal(r.buyTargets, buyTargets, "buyTargets");
    }

    /// @dev Nothing of it was traded: nothing changes.
    function _unchanged(address token) private view {
        Remainder memory r = _without(token);
        equal(r.targets.length, 0, "targets");
        _sums(r, 0, 0, 0);
    }

    /// @dev A and B are sold, 50 and 20 of 1000; of C and D there are 60 of 200 and 120 of 300; E is held.
    function _five() private {
        _add(A, 0, 150, Side.Sell, 100, 1);
        _add(B, 0, 30, Side.Sell, 10, 1);
        _add(C, 0, 60, Side.Buy, 200, 1);
        _add(D, 0, 120, Side.Buy, 300, 1);
        _add(E, 0, 70, Side.Held, 70, 0);
    }

    function test_without_a_sell() external {
        _five();
        Remainder memory r = _without(A);
        _sums(r, 0.02e18, 0.18e18, 0.5e18);
        equal(r.targets.length, 1 + 5 * (4 + uint256(uint8(r.targets[0]))), "number of targets");
        targetIs(r.targets, 0, Side.Held, 100, 0);
        targetIs(r.targets, 1, Side.Sell, 10, 1);
        targetIs(r.targets, 2, Side.Buy, 200, 1);
        targetIs(r.targets, 3, Side.Buy, 300, 1);
        targetIs(r.targets, 4, Side.Held, 70, 0);
        equal(uint8(r.targets[0]), 2, "as wide as it has to be");
    }

    function test_without_a_buy() external {
        _five();
        Remainder memory r = _without(D);
        _sums(r, 0.07e18, 0.06e18, 0.2e18);
        targetIs(r.targets, 0, Side.Sell, 100, 1);
        targetIs(r.targets, 2, Side.Buy, 200, 1);
        targetIs(r.targets, 3, Side.Held, 300, 0);
    }

    function test_what_was_not_traded_changes_nothing() external {
        _five();
        _unchanged(E);
        _unchanged(address(1));
        _unchanged(address(0xf0000));
    }

    function test_a_month_of_one() external {
        _add(A, 0, 150, Side.Sell, 100, 1);
        Remainder memory r = _without(A);
        _sums(r, 0, 0, 0);
        targetIs(r.targets, 0, Side.Held, 100, 0);
        equal(r.targets.length, 6, "length");
    }

    /* BOUNDS */

    function test_no_sum_grows() external {
        _five();
        (_surplus, _buyTargets) = (0.02e18 - 1, 0.5e18 - 1);
        _sums(_without(A), 0.02e18 - 1, 0.18e18, 0.5e18 - 1);
        (_surplus, _buyTargets) = (0.02e18, 0.18e18 - 1);
        _sums(_without(A), 0.02e18, 0.18e18 - 1, 0.18e18 - 1);
    }

    function test_a_list_longer_than_the_targets() external {
        _add(A, 0, 150, Side.Sell, 100, 1);
        _add(B, 0, 150, Side.Sell, 100, 1);
        hold(C, 0, 70, 0);
        _unchanged(C);
        _sums(_without(A), 0.05e18, 0, 0);
    }

    function test_targets_longer_than_the_list() external {
        _add(A, 0, 150, Side.Sell, 100, 1);
        _add(B, 0, 150, Side.Sell, 100, 1);
        _target(Side.Buy, 100, 1);
        _unchanged(C);
        Remainder memory r = _without(A);
        _sums(r, 0.05e18, 0, 0);
        targetIs(r.targets, 2, Side.Buy, 100, 1);
    }

    /* ROUNDING */

    /// @dev 2 of 3 to sell, 2 held of 3 to buy.
    function test_shares_of_nav_that_do_not_divide() external {
        _nav = 3;
        _add(A, 0, 12, Side.Sell, 10, 1);
        _add(B, 0, 2, Side.Buy, 3, 1);
        _add(C, 0, 1, Side.Sell, 0, 1);
        _sums(_without(C), uint256(2e18) / 3, uint256(2e18) / 3, 1e18);
    }

    function test_shares_of_nav_that_divide() external {
        _nav = 2;
        _add(A, 0, 11, Side.Sell, 10, 1);
        _add(B, 0, 1, Side.Buy, 2, 1);
        _add(C, 0, 1, Side.Sell, 0, 1);
        _sums(_without(C), 0.5e18, 0.5e18, 1e18);
    }

    /// @dev Values are rounded down: 5 of a tenth at 3 is 1.5, 7 are 2.1.
    function test_values_are_rounded_down() external {
        _nav = 10;
        _add(A, 1, 15, Side.Sell, 10, 3);
        _add(B, 1, 5, Side.Buy, 7, 3);
        _add(C, 1, 1, Side.Sell, 0, 3);
        _sums(_without(C), 0.1e18, 0.1e18, 0.2e18);
    }

    /// @dev One and a half shares: a target of 1 a share is 2 for what is sold and 1 for what is bought.
    function test_targets_are_rounded_for_the_fund() external {
        index.setSupply(1.5e18, EXPONENT);
        _nav = 20;
        _add(A, 0, 10, Side.Sell, 1, 1);
        _add(B, 0, 10, Side.Buy, 1, 1);
        _add(C, 0, 1, Side.Sell, 0, 1);
        // NAV is 30.
        _sums(_without(C), uint256(8e18) / 30, uint256(1e18) / 30, uint256(1e18) / 30);
    }

    function test_many_shares() external {
        index.setSupply(1e30, EXPONENT);
        _nav = 1e18;
        _add(A, 0, 5e30, Side.Sell, 1e18, 1);
        _add(B, 0, 2e30, Side.Buy, 4e18, 1);
        _add(C, 0, 1, Side.Sell, 0, 1);
        _sums(_without(C), 4e18, 2e18, 4e18);
    }

    /* EACH COMPONENT */

    function test_what_is_below_its_target_has_no_surplus() external {
        _five();
        setBalance(B, 9);
        _sums(_without(C), 0.05e18, 0.12e18, 0.3e18);
        setBalance(B, 10);
        _sums(_without(C), 0.05e18, 0.12e18, 0.3e18);
        setBalance(B, 11);
        _sums(_without(C), 0.051e18, 0.12e18, 0.3e18);
    }

    function test_what_is_above_its_target_is_held_up_to_it() external {
        _five();
        setBalance(D, 301);
        _sums(_without(C), 0.07e18, 0.3e18, 0.3e18);
    }

    function test_what_is_not_sound_counts_on_no_side() external {
        _five();
        refuse(B);
        refuse(D);
        _sums(_without(C), 0.05e18, 0, 0);
    }

    function test_the_one_that_goes_is_not_read() external {
        _five();
        refuse(A);
        _sums(_without(A), 0.02e18, 0.18e18, 0.5e18);
    }

    function test_the_largest_balance_that_is_traded() external {
        _nav = type(uint128).max;
        _five();
        setBalance(B, type(uint128).max);
        setBalance(D, type(uint128).max);
        // 10 and 300 of 2**128 are nothing.
        _sums(_without(C), 1e18, 0, 0);
        setBalance(B, 1 << 128);
        _sums(_without(C), 0, 0, 0);
        _nav = 300;
        _sums(_without(C), uint256(50e18) / 300, 1e18, 1e18);
        setBalance(D, 1 << 128);
        _sums(_without(C), uint256(50e18) / 300, 0, 0);
    }

    /// @dev A target of 2**128 for all shares is beyond it, less is not.
    function test_the_largest_target_that_is_traded() external {
        index.setSupply(uint256(1 << 60) * 1e18, EXPONENT);
        _nav = 1 << 68;
        _add(A, 0, 1, Side.Sell, 0, 1);
        _add(B, 0, 5, Side.Buy, 1 << 68, 1);
        _add(C, 0, 1, Side.Sell, 0, 1);
        _add(D, 0, 1 << 120, Side.Buy, (1 << 68) - 1, 1);
        _sums(_without(C), 0, uint256(1e18) >> 8, uint256(1e18) - 1);
    }
}
