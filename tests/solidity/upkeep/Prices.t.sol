// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Action} from "../../../contracts/interfaces/IRebalancer.sol";
import {IOracle} from "../../../contracts/interfaces/IOracle.sol";
import {vm} from "../../../lab/fuzz/Vm.sol";
import {UpkeepBench} from "./UpkeepBench.sol";

/// @title PricesTest
/// @notice What a share costs, and how long a price is kept.
contract PricesTest is UpkeepBench {
    address private constant OTHER = address(0xc0ffee2);
    address private constant WORTHLESS = address(0xc0ffee3);

    function _add(address token, uint8 decimals, uint256 balance, uint256 price, bool writtenOff) private {
        index.addComponent(token, decimals, writtenOff);
        setBalance(token, balance);
        oracle.setPrice(token, price);
    }

    function _shareIs(uint256 expected) private view {
        equal(upkeep.sharePrice(), expected, "share");
    }

    /* OF A SHARE */

    function test_all_components_over_all_shares() external {
        _add(OTHER, 6, 4e6, 3e18, false);
        _add(WORTHLESS, 18, 9e18, 9e18, true);
        index.setTotalSupply(2e18);
        oracle.setPrice(ETHER, 0.5e18);
        address[] memory asked = new address[](4);
        (asked[0], asked[1], asked[2], asked[3]) = (TOKEN, OTHER, WORTHLESS, ETHER);
        vm.expectCall(address(oracle), abi.encodeCall(IOracle.prices, (asked)));
        _shareIs(13e18);
    }

    /// @dev What is written off needs neither price nor balance.
    function test_what_is_written_off_counts_for_nothing() external {
        _add(WORTHLESS, 18, 9e18, 0, true);
        refuse(WORTHLESS);
        _shareIs(1e18);
    }

    function test_each_step_is_rounded_up() external {
        setBalance(TOKEN, 1);
        oracle.setPrice(TOKEN, 1);
        _shareIs(1);
        // A wei of value for three shares is one for each.
        index.setTotalSupply(3e18);
        _shareIs(1);
        oracle.setPrice(ETHER, 3e18);
        _shareIs(1);
        oracle.setPrice(ETHER, 0.3e18);
        _shareIs(4);
    }

    function test_each_component_is_rounded_up() external {
        _add(OTHER, 6, 1, 1, false);
        setBalance(TOKEN, 1);
        oracle.setPrice(TOKEN, 1);
        _shareIs(2);
    }

    function test_a_share_of_many_dollars() external {
        setBalance(TOKEN, 3e30);
        _shareIs(3e30);
    }

    function test_no_price_of_a_component() external {
        _add(OTHER, 6, 4e6, 0, false);
        _shareIs(0);
        oracle.setPrice(OTHER, 1);
        _shareIs(1e18 + 4);
    }

    function test_no_sound_balance_of_a_component() external {
        _add(OTHER, 6, 4e6, 1, false);
        refuse(OTHER);
        _shareIs(0);
    }

    function test_no_price_of_ether() external {
        oracle.setPrice(ETHER, 0);
        _shareIs(0);
        oracle.setPrice(ETHER, 1);
        _shareIs(1e36);
        // Not that of another account
        oracle.setPrice(ETHER, 0);
        oracle.setPrice(address(1), 1e18);
        _shareIs(0);
    }

    /* KEPT */

    function test_what_the_ledger_cannot_keep_is_none() external {
        setBalance(TOKEN, type(uint96).max);
        priceIs(type(uint96).max);
        setBalance(TOKEN, uint256(1) << 96);
        _shareIs(uint256(1) << 96);
        priceIs(0);
    }

    function test_a_price_that_fails_is_none() external {
        vm.mockCallRevert(address(oracle), abi.encodeWithSelector(IOracle.prices.selector), "");
        priceIs(0);
        _unpaid(Action.Start);
    }

    /// @dev The step is made all the same.
    function _unpaid(Action action) private {
        uint256 before = index.transfers();
        upkeep.perform(action, PERIOD, PAYEE);
        equal(index.transfers(), before, "payments");
    }

    function _paid(Action action) private {
        uint256 before = index.transfers();
        upkeep.perform(action, PERIOD, PAYEE);
        equal(index.transfers(), before + 1, "payments");
    }

    function test_a_price_is_kept_for_a_day() external {
        priceIs(1e18);
        _paid(Action.Start);
        setBalance(TOKEN, 2e18);
        vm.warp(1_700_000_000 + 1 days - 1);
        priceIs(1e18);
        _paid(Action.Start);
        vm.warp(1_700_000_000 + 1 days);
        priceIs(2e18);
        _paid(Action.Start);
        setBalance(TOKEN, 3e18);
        priceIs(2e18);
        vm.warp(1_700_000_000 + 2 days - 1);
        priceIs(2e18);
    }

    /// @dev At the price that was kept: a step at double the price is paid half the shares.
    function test_a_step_is_paid_at_the_price_that_is_kept() external {
        fund.burn(1_000_000);
        uint256 wei_ = due(760_000, 0, 10 gwei);
        expectPaid(Action.Start, PERIOD, PAYEE, wei_, wei_);
        _paid(Action.Start);
        setBalance(TOKEN, 2e18);
        vm.warp(1_700_000_000 + 1 days - 1);
        expectPaid(Action.Start, PERIOD, PAYEE, wei_, wei_);
        _paid(Action.Start);
        vm.warp(1_700_000_000 + 1 days);
        expectPaid(Action.Start, PERIOD, PAYEE, wei_ / 2, wei_);
        _paid(Action.Start);
    }

    function test_a_close_takes_the_price_that_there_is() external {
        fund.burn(1_000_000);
        uint256 wei_ = due(100_000, 0, 10 gwei);
        // There is none yet.
        expectPaid(Action.Close, PERIOD, PAYEE, wei_, wei_);
        _paid(Action.Close);
        setBalance(TOKEN, 2e18);
        vm.warp(1_700_000_000 + 30 days);
        expectPaid(Action.Close, PERIOD, PAYEE, wei_, wei_);
        _paid(Action.Close);
        priceIs(2e18);
        // Any other step asks for another, for the close after it, too.
        wei_ = due(760_000, 0, 10 gwei);
        expectPaid(Action.Start, PERIOD, PAYEE, wei_ / 2, wei_);
        _paid(Action.Start);
        wei_ = due(100_000, 0, 10 gwei);
        expectPaid(Action.Close, PERIOD, PAYEE, wei_ / 2, wei_);
        _paid(Action.Close);
    }

    function test_without_a_price_nobody_is_paid() external {
        oracle.setPrice(ETHER, 0);
        _unpaid(Action.Start);
        _unpaid(Action.Close);
        oracle.setPrice(ETHER, 1e18);
        _paid(Action.Start);
    }

    /// @dev All that the purse holds, for it is worth nothing.
    function test_a_price_of_a_wei() external {
        setBalance(TOKEN, 1);
        priceIs(1);
        fund.burn(1_000_000);
        expectPaid(Action.Close, PERIOD, PAYEE, PURSE, 1000);
        _paid(Action.Close);
    }
}
