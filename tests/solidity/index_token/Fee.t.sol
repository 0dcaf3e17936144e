// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IIndexToken} from "../../../contracts/interfaces/IIndexToken.sol";
import {vm} from "../../../lab/fuzz/Vm.sol";
import {IndexScene} from "./IndexScene.sol";

/// @title FeeTest
/// @notice The fee of 5 % a year, as it accrues, is collected and changed.
contract FeeTest is IndexScene {
    uint256 private constant YEAR = 365.25 days;
    /// @dev -ln 0.95
    uint256 private constant RATE = 0.051293294387550534e18;
    /// @dev Of 1000 shares: they grow to 1000 / 0.95.
    uint256 private constant AFTER_A_YEAR = 52.631578947368421e18;
    /// @dev They grow to 1000 / sqrt(0.95).
    uint256 private constant AFTER_HALF = 25.978352085154095e18;

    /// @dev As a year, written down after its first half.
    uint256 private constant AFTER_TWO_HALVES = AFTER_A_YEAR - 885;

    uint256 private _begin;

    function setUp() external {
        _makeSeeded(A_FEE);
        _begin = block.timestamp;
    }

    function _check(uint256 supply, uint256 exponent, uint256 pending) private view {
        (uint256 foundSupply, uint256 foundExponent) = index.supplyAndExponent();
        equal(foundSupply, supply, "supply and exponent");
        equal(foundExponent, exponent, "exponent");
        equal(index.totalSupply(), supply, "supply");
        equal(index.pendingFee(), pending, "pending fee");
    }

    /* ACCRUAL */

    function test_it_accrues_by_the_second() external {
        _check(SEEDED, 0, 0);
        vm.warp(_begin + 1);
        // 1.625386417e-15 of 1000 shares.
        _check(SEEDED + 1.625386417e12, RATE, 1.625386417e12);
        vm.warp(_begin + 2);
        _check(SEEDED + 3.250772838e12, 2 * RATE, 3.250772838e12);
    }

    function test_a_year_costs_the_yearly_fee() external {
        vm.warp(_begin + YEAR / 2);
        _check(SEEDED + AFTER_HALF, RATE * YEAR / 2, AFTER_HALF);
        vm.warp(_begin + YEAR);
        _check(SEEDED + AFTER_A_YEAR, RATE * YEAR, AFTER_A_YEAR);
    }

    function test_mint_and_redeem_write_the_accrual_and_divide_by_the_supply_with_it() external {
        vm.warp(_begin + YEAR / 2);
        uint256[] memory expected = _parts(9e18, true);
        equal(index.mint(9e18, address(this), _list(), _most()), expected, "minted");
        _check(SEEDED + AFTER_HALF + 9e18, RATE * YEAR / 2, AFTER_HALF);
        expected = _parts(9e18, false);
        equal(index.redeem(9e18, address(this), _list(), _none(), 0), expected, "redeemed");
        _check(SEEDED + AFTER_HALF, RATE * YEAR / 2, AFTER_HALF);
        // From there on it grows as if nothing had been written, up to rounding.
        vm.warp(_begin + YEAR);
        _check(SEEDED + AFTER_TWO_HALVES, RATE * YEAR, AFTER_TWO_HALVES);
    }

    function test_what_is_minted_later_pays_from_then_on() external {
        vm.warp(_begin + YEAR / 2);
        uint256 supply = index.totalSupply();
        index.mint(supply, address(this), _list(), _most());
        _check(2 * supply, RATE * YEAR / 2, AFTER_HALF);
        vm.warp(_begin + YEAR);
        // Both halves of it grow alike, up to a wei.
        uint256 grown = 2 * (SEEDED + AFTER_TWO_HALVES) + 1;
        _check(grown, RATE * YEAR, grown - SEEDED - supply);
    }

    function test_the_cap_counts_the_fee() external {
        vm.warp(_begin + YEAR);
        uint256 cap = uint256(CAP) * 1e18;
        uint256 room = cap - SEEDED - AFTER_A_YEAR;
        _expect(abi.encodeWithSelector(IIndexToken.AboveSupplyCap.selector, cap + 1, cap));
        index.mint(room + 1, address(this), _list(), _most());
        index.mint(room, address(this), _list(), _most());
    }

    /* COLLECTING */

    function test_it_is_minted_to_the_recipient() external {
        vm.warp(_begin + YEAR);
        _expectEventOfIndex();
        emit IIndexToken.FeeCollected(RECIPIENT, AFTER_A_YEAR);
        vm.prank(STRANGER);
        equal(index.collectFee(), AFTER_A_YEAR, "collected");
        equal(index.balanceOf(RECIPIENT), AFTER_A_YEAR, "shares");
        _check(SEEDED + AFTER_A_YEAR, RATE * YEAR, 0);
    }

    function test_it_is_collected_once() external {
        vm.warp(_begin + YEAR);
        index.collectFee();
        equal(index.collectFee(), 0, "collected");
        equal(index.balanceOf(RECIPIENT), AFTER_A_YEAR, "shares");
        vm.warp(_begin + 2 * YEAR);
        uint256 pending = index.pendingFee();
        equal(index.collectFee(), pending, "collected in the second year");
        equal(index.balanceOf(RECIPIENT), AFTER_A_YEAR + pending, "shares later");
    }

    function test_a_single_wei_is_collected() external {
        _setFee(YEAR);
        vm.warp(_begin + 1);
        // A rate of 1e-18 a second, of 1000 shares.
        equal(index.pendingFee(), 1000, "pending fee");
        _makeSmall();
        _expectEventOfIndex();
        emit IIndexToken.FeeCollected(RECIPIENT, 1);
        equal(index.collectFee(), 1, "collected");
        equal(index.balanceOf(RECIPIENT), 1, "shares");
    }

    /// @dev A fund of one share, a second old.
    function _makeSmall() private {
        index = _makeIndex(YEAR);
        _dealToAll(address(this));
        index.seed(_list(), _units(), 1e18, HOLDER);
        vm.warp(block.timestamp + 1);
    }

    function test_collecting_needs_the_lock() external {
        vm.warp(_begin + YEAR);
        _lock();
        _expect(abi.encodeWithSelector(IIndexToken.Locked.selector));
        index.collectFee();
        _unlock();
        index.collectFee();
        equal(index.locked(), false, "locked");
    }

    /* CHANGES */

    function _setFee(uint256 fee) private {
        vm.prank(OWNER);
        index.setStreamingFee(fee);
    }

    function test_a_change_counts_from_then_on() external {
        vm.warp(_begin + YEAR);
        _expectEventOfIndex();
        emit IIndexToken.StreamingFeeSet(0);
        _setFee(0);
        equal(index.streamingFee(), 0, "fee");
        _check(SEEDED + AFTER_A_YEAR, RATE * YEAR, AFTER_A_YEAR);
        vm.warp(_begin + 3 * YEAR);
        _check(SEEDED + AFTER_A_YEAR, RATE * YEAR, AFTER_A_YEAR);
    }

    function test_the_highest_fee_can_be_set() external {
        _setFee(0);
        _setFee(0.05e18);
        vm.warp(_begin + YEAR);
        _check(SEEDED + AFTER_A_YEAR, RATE * YEAR, AFTER_A_YEAR);
        _expect(abi.encodeWithSelector(IIndexToken.FeeAboveCeiling.selector, 0.05e18 + 1, 0.05e18));
        _setFee(0.05e18 + 1);
    }

    function test_a_new_recipient_gets_what_accrues_from_then_on() external {
        vm.warp(_begin + YEAR);
        _expectEventOfIndex();
        emit IIndexToken.FeeCollected(RECIPIENT, AFTER_A_YEAR);
        _expectEventOfIndex();
        emit IIndexToken.FeeRecipientSet(STRANGER);
        vm.prank(OWNER);
        index.setFeeRecipient(STRANGER);
        equal(index.feeRecipient(), STRANGER, "recipient");
        equal(index.balanceOf(RECIPIENT), AFTER_A_YEAR, "shares of the first");
        vm.warp(_begin + 2 * YEAR);
        uint256 pending = index.collectFee();
        equal(index.balanceOf(STRANGER), pending, "shares of the second");
        equal(index.balanceOf(RECIPIENT), AFTER_A_YEAR, "shares of the first, later");
    }
}
