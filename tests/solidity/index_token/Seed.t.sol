// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IIndexToken} from "../../../contracts/interfaces/IIndexToken.sol";
import {Component, ComponentList} from "../../../contracts/libraries/ComponentList.sol";
import {vm} from "../../../lab/fuzz/Vm.sol";
import {IndexScene} from "./IndexScene.sol";

/// @title SeedTest
/// @notice What a new index token is, and what founds it.
contract SeedTest is IndexScene {
    function setUp() external {
        _makeTokens();
        index = _makeIndex(A_FEE);
        _dealToAll(address(this));
    }

    /* CONSTRUCTOR */

    function test_the_constructor_sets_all_it_is_given() external view {
        equal(index.REBALANCER(), REBALANCER, "rebalancer");
        equal(index.feeRecipient(), RECIPIENT, "recipient");
        equal(index.streamingFee(), A_FEE, "fee");
        equal(index.supplyCap(), CAP, "cap");
        equal(index.MAX_COMPONENTS(), 50, "most components");
        equal(index.MAX_STREAMING_FEE(), 0.05e18, "highest fee");
        equal(index.LOCKED_SHARES(), 0.1e18, "locked shares");
    }

    function test_the_constructor_tells_what_it_sets() external {
        address later = vm.computeCreateAddress(address(this), vm.getNonce(address(this)));
        vm.expectEmit(true, true, true, true, later);
        emit IIndexToken.StreamingFeeSet(A_FEE);
        vm.expectEmit(true, true, true, true, later);
        emit IIndexToken.FeeRecipientSet(RECIPIENT);
        vm.expectEmit(true, true, true, true, later);
        emit IIndexToken.SupplyCapSet(CAP);
        _makeIndex(A_FEE);
    }

    function test_the_constructor_refuses_nobody_as_rebalancer() external {
        _expect(abi.encodeWithSelector(IIndexToken.ZeroAddress.selector));
        this.make(address(0), RECIPIENT, 0);
    }

    function test_the_constructor_refuses_nobody_as_recipient() external {
        _expect(abi.encodeWithSelector(IIndexToken.ZeroAddress.selector));
        this.make(REBALANCER, address(0), 0);
    }

    function test_the_constructor_refuses_a_fee_above_the_ceiling() external {
        _expect(abi.encodeWithSelector(IIndexToken.FeeAboveCeiling.selector, 0.05e18 + 1, 0.05e18));
        this.make(REBALANCER, RECIPIENT, 0.05e18 + 1);
    }

    function make(address rebalancer, address recipient, uint256 fee) external {
        deploy("IndexToken", abi.encode("Index", "IDX", rebalancer, OWNER, recipient, fee, uint256(CAP)));
    }

    /* BEFORE THE SEED */

    function test_nothing_accrues_before_the_seed() external {
        (uint256 supply, uint256 exponent) = index.supplyAndExponent();
        equal(supply, 0, "supply");
        equal(exponent, 0, "exponent in the block it was made in");
        vm.warp(block.timestamp + 365 days);
        equal(index.totalSupply(), 0, "supply later");
        equal(index.pendingFee(), 0, "fee later");
        equal(index.collectFee(), 0, "collected");
    }

    function test_there_is_no_list_before_the_seed() external view {
        equal(index.componentsPointer(), address(0), "pointer");
        equal(index.components().length, 0, "components");
        equal(index.totalConstituents(), 0, "constituents");
        equal(index.isConstituent(address(tokens[0])), false, "a constituent");
    }

    function test_nobody_mints_or_redeems_before_the_seed() external {
        _expect(abi.encodeWithSelector(IIndexToken.NotSeeded.selector));
        index.mint(1, HOLDER, _list(), _most());
        _expect(abi.encodeWithSelector(IIndexToken.NotSeeded.selector));
        index.mintWith(1, HOLDER, "");
        _expect(abi.encodeWithSelector(IIndexToken.NotSeeded.selector));
        index.redeem(1, HOLDER, _list(), _none(), 0);
    }

    /* SEED */

    function test_the_seed_mints_all_but_what_it_locks() external {
        index.seed(_list(), _units(), SEEDED, HOLDER);
        equal(index.balanceOf(HOLDER), SEEDED - 0.1e18, "holder");
        equal(index.balanceOf(DEAD), 0.1e18, "locked");
        equal(index.totalSupply(), SEEDED, "supply");
    }

    function test_the_seed_takes_each_amount_rounded_up() external {
        uint256 shares = 1e18 + 1;
        uint256[] memory before = _heldByAll(address(this));
        index.seed(_list(), _units(), shares, HOLDER);
        // unit + unit / 1e18
        uint256[] memory expected = new uint256[](N);
        (expected[0], expected[1], expected[2]) = (25_000_001 + 1, 7e18 + 1 + 8, 12_345 + 1);
        equal(_less(address(this), before), expected, "paid");
        equal(_heldByAll(address(index)), expected, "held");
    }

    function test_the_seed_takes_what_divides_as_it_is() external {
        index.seed(_list(), _units(), 3e18, HOLDER);
        uint256[] memory expected = new uint256[](N);
        (expected[0], expected[1], expected[2]) = (75_000_003, 21e18 + 3, 37_035);
        equal(_heldByAll(address(index)), expected, "held");
    }

    function test_the_seed_lists_the_components() external {
        index.seed(_list(), _units(), SEEDED, HOLDER);
        Component[] memory expected = new Component[](N);
        expected[0] = Component(address(tokens[0]), 6, 0, false);
        expected[1] = Component(address(tokens[1]), 18, 0, false);
        expected[2] = Component(address(tokens[2]), 8, 0, false);
        equal(abi.encode(index.components()), abi.encode(expected), "components");
        equal(index.totalConstituents(), N, "constituents");
    }

    function test_the_seed_tells_what_it_did() external {
        uint256[] memory amounts = new uint256[](N);
        (amounts[0], amounts[1], amounts[2]) = (75_000_003, 21e18 + 3, 37_035);
        address pointer = vm.computeCreateAddress(address(index), vm.getNonce(address(index)));
        _expectEventOfIndex();
        emit IIndexToken.ComponentsSet(pointer, _list());
        _expectEventOfIndex();
        emit IIndexToken.Seeded(HOLDER, 3e18, _list(), amounts);
        index.seed(_list(), _units(), 3e18, HOLDER);
        equal(index.componentsPointer(), pointer, "pointer");
    }

    function test_the_fee_begins_at_the_seed() external {
        vm.warp(block.timestamp + 30 days);
        index.seed(_list(), _units(), SEEDED, HOLDER);
        (uint256 supply, uint256 exponent) = index.supplyAndExponent();
        equal(supply, SEEDED, "supply");
        equal(exponent, 0, "exponent");
    }

    function test_the_seed_needs_one_whole_share() external {
        _expect(abi.encodeWithSelector(IIndexToken.SeedTooSmall.selector, 1e18 - 1, 1e18));
        index.seed(_list(), _units(), 1e18 - 1, HOLDER);
        index.seed(_list(), _units(), 1e18, HOLDER);
        equal(index.totalSupply(), 1e18, "supply");
    }

    function test_the_seed_keeps_to_the_cap() external {
        uint256 cap = uint256(CAP) * 1e18;
        _expect(abi.encodeWithSelector(IIndexToken.AboveSupplyCap.selector, cap + 1, cap));
        index.seed(_list(), _units(), cap + 1, HOLDER);
        index.seed(_list(), _units(), cap, HOLDER);
        equal(index.totalSupply(), cap, "supply");
    }

    function test_only_the_deployer_seeds() external {
        _expect(abi.encodeWithSelector(IIndexToken.NotSeeder.selector, OWNER));
        vm.prank(OWNER);
        index.seed(_list(), _units(), SEEDED, HOLDER);
    }

    function test_there_is_one_seed() external {
        index.seed(_list(), _units(), SEEDED, HOLDER);
        _expect(abi.encodeWithSelector(IIndexToken.AlreadySeeded.selector));
        index.seed(_list(), _units(), SEEDED, HOLDER);
    }

    function test_the_seed_is_given_to_somebody() external {
        _expect(abi.encodeWithSelector(IIndexToken.ZeroAddress.selector));
        index.seed(_list(), _units(), SEEDED, address(0));
    }

    function test_the_seed_needs_a_unit_for_each_token() external {
        _expect(abi.encodeWithSelector(IIndexToken.LengthMismatch.selector, N, N - 1));
        index.seed(_list(), new uint256[](N - 1), SEEDED, HOLDER);
        _expect(abi.encodeWithSelector(IIndexToken.LengthMismatch.selector, N, N + 1));
        index.seed(_list(), new uint256[](N + 1), SEEDED, HOLDER);
    }

    function test_the_seed_refuses_a_token_without_code() external {
        address[] memory list = _list();
        list[2] = address(type(uint160).max);
        _expect(abi.encodeWithSelector(IIndexToken.UnfitComponent.selector, list[2]));
        index.seed(list, _units(), SEEDED, HOLDER);
    }

    function test_the_seed_refuses_tokens_that_do_not_ascend() external {
        address[] memory list = _list();
        list[1] = list[0];
        _expect(abi.encodeWithSelector(ComponentList.NotAscending.selector, 1));
        index.seed(list, _units(), SEEDED, HOLDER);
    }

    function test_the_seed_needs_the_lock() external {
        _lock();
        _expect(abi.encodeWithSelector(IIndexToken.Locked.selector));
        index.seed(_list(), _units(), SEEDED, HOLDER);
        _unlock();
        index.seed(_list(), _units(), SEEDED, HOLDER);
        equal(index.locked(), false, "locked");
    }

    /// @dev Nothing can be done with it but what needs no component: yet it is a fund.
    function test_a_fund_of_no_components_mints_and_redeems() external {
        index.seed(new address[](0), new uint256[](0), SEEDED, HOLDER);
        equal(index.totalConstituents(), 0, "constituents");
        index.mint(1e18, address(this), new address[](0), new uint256[](0));
        equal(index.redeem(1e18, address(this), new address[](0), new uint256[](0), 0).length, 0, "paid");
        equal(index.totalSupply(), SEEDED, "supply");
    }
}
