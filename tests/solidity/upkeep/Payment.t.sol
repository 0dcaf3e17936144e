// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Action} from "../../../contracts/interfaces/IRebalancer.sol";
import {Terms} from "../../../contracts/interfaces/IUpkeep.sol";
import {vm} from "../../../lab/fuzz/Vm.sol";
import {UpkeepBench} from "./UpkeepBench.sol";

/// @title PaymentTest
/// @notice What a step is paid: its gas within the table's bounds, by what is left.
/// @dev A step that burns more gas than is paid for is paid exactly the bound.
contract PaymentTest is UpkeepBench {
    uint256 private constant FEE = 10 gwei;
    /// @dev Most gas of each, with ten candidates, and of a batch of two legs.
    uint256 private constant DETERMINE = 190_000 + 10 * 80_000;
    uint256 private constant START = 260_000 + 10 * 50_000;
    uint256 private constant CLOSE = 100_000;
    uint256 private constant TRADE = 140_000 + 2 * 25_000;
    uint256 private constant SWAPS = 2 * 75_000;

    function _burning() private {
        fund.burn(2_000_000);
    }

    /* BOUNDS */

    function test_each_action_at_its_bound() external {
        _burning();
        uint256 paid = due(DETERMINE, 0, FEE);
        expectPaid(Action.Determine, PERIOD + 1, PAYEE, paid);
        upkeep.perform(Action.Determine, PERIOD + 1, PAYEE);
        paidIs(paid, 1);
        fund.setPeriod(uint24(PERIOD + 1));
        expectPaid(Action.Start, PERIOD + 1, PAYEE, due(START, 0, FEE));
        upkeep.perform(Action.Start, PERIOD + 1, PAYEE);
        expectPaid(Action.Close, PERIOD + 1, PAYEE, due(CLOSE, 0, FEE));
        upkeep.perform(Action.Close, PERIOD + 1, PAYEE);
        paid += due(START, 0, FEE) + due(CLOSE, 0, FEE);
        paidIs(paid, 3);
        equal(index.balanceOf(address(upkeep)), PURSE - paid, "purse");
        leftIs(5 ether - paid);
    }

    /// @dev By the length of the determination: 64 constituents, or one byte less.
    function test_the_number_of_candidates() external {
        fund.burn(4_000_000);
        vm.etch(DETERMINATION, new bytes(64 * 64 + 1));
        expectPaid(Action.Start, PERIOD, PAYEE, due(260_000 + 64 * 50_000, 0, FEE));
        upkeep.perform(Action.Start, PERIOD, PAYEE);
        vm.etch(DETERMINATION, new bytes(64 * 64 - 1));
        expectPaid(Action.Start, PERIOD, PAYEE, due(260_000 + 63 * 50_000, 0, FEE));
        upkeep.perform(Action.Start, PERIOD, PAYEE);
    }

    function test_a_batch_at_its_bound() external {
        _burning();
        fund.sell(0.01e18, true);
        expectPaid(Action.Trade, PERIOD, PAYEE, due(TRADE, SWAPS, FEE));
        upkeep.trade(order(), PAYEE);
    }

    /// @dev Two legs are borne by any sale, of thirty as many as it sold for: 8 x 0.005 / 0.005 + 2.
    function test_a_batch_of_many_legs() external {
        fund.burn(4_000_000);
        fund.sell(0.005e18, true);
        expectPaid(Action.Trade, PERIOD, PAYEE, due(140_000 + 10 * 25_000, 10 * 75_000, FEE));
        upkeep.trade(order(15, 15), PAYEE);
    }

    /// @dev Between the bounds: what swaps take counts four fifths.
    function test_a_batch_within_its_bounds() external {
        fund.sell(0.01e18, true);
        fund.burn(180_000);
        upkeep.trade(order(), PAYEE);
        uint256 paid = index.balanceOf(PAYEE);
        // 38,000 are added, and what the calls take besides.
        equal(paid >= due(TRADE, 28_000, FEE), true, "at least what was burnt");
        equal(paid < due(TRADE, 140_000, FEE), true, "no more than it took");
    }

    /// @dev Below: what there was, and the overhead of a transaction, or of a further step in it.
    function test_a_step_below_its_bound() external {
        upkeep.perform(Action.Start, PERIOD, PAYEE);
        uint256 first = index.balanceOf(PAYEE);
        equal(first > due(38_000, 0, FEE), true, "the overhead, and more");
        equal(first < due(38_000 + 200_000, 0, FEE), true, "not much more");
        upkeep.perform(Action.Start, PERIOD, PAYEE);
        uint256 second = index.balanceOf(PAYEE) - first;
        equal(second > due(7_000, 0, FEE), true, "that of a further step, and more");
        equal(second + due(31_000, 0, FEE) <= first, true, "31,000 less, and what is warm");
        equal(second < due(7_000 + 30_000, 0, FEE), true, "not much more");
        upkeep.perform(Action.Start, PERIOD, PAYEE);
        equal(index.balanceOf(PAYEE) - first - second < second + due(1000, 0, FEE), true, "so are all that follow");
    }

    function test_the_base_fee_up_to_the_most() external {
        _burning();
        vm.fee(MAX_BASE_FEE);
        expectPaid(Action.Close, PERIOD, PAYEE, due(CLOSE, 0, MAX_BASE_FEE));
        upkeep.perform(Action.Close, PERIOD, PAYEE);
        vm.fee(MAX_BASE_FEE + 1);
        expectPaid(Action.Close, PERIOD, PAYEE, due(CLOSE, 0, MAX_BASE_FEE));
        upkeep.perform(Action.Close, PERIOD, PAYEE);
        vm.fee(1);
        expectPaid(Action.Close, PERIOD, PAYEE, due(CLOSE, 0, 1));
        upkeep.perform(Action.Close, PERIOD, PAYEE);
    }

    /// @dev A premium by which the last digit decides: 260,000 x premium is 20,000 below a whole multiple of 1e18.
    function test_the_premium_is_rounded_down() external {
        Terms memory t = terms();
        t.premium = 99973076923076923;
        equal(260_000 * uint256(t.premium) % 1e18, 1e18 - 20_000, "premium");
        upkeep = make(t);
        index.setBalance(address(upkeep), PURSE);
        _burning();
        vm.etch(DETERMINATION, new bytes(1));
        vm.fee(7);
        expectPaid(Action.Start, PERIOD, PAYEE, (260_000 + 25992) * 7);
        upkeep.perform(Action.Start, PERIOD, PAYEE);
    }

    /* WHO IS PAID, AND FOR WHAT */

    function test_nobody_is_paid_without_a_payee() external {
        fund.sell(0.01e18, true);
        upkeep.perform(Action.Close, PERIOD, address(0));
        upkeep.trade(order(), address(0));
        paidIs(0, 0);
        equal(index.balanceOf(address(0)), 0, "nobody's");
        _burning();
        expectPaid(Action.Close, PERIOD, address(1), due(CLOSE, 0, FEE));
        upkeep.perform(Action.Close, PERIOD, address(1));
        expectPaid(Action.Trade, PERIOD, address(1), due(TRADE, SWAPS, FEE));
        upkeep.trade(order(), address(1));
    }

    function test_a_batch_that_sells_too_little_is_not_paid() external {
        fund.sell(0.005e18 - 1, true);
        upkeep.trade(order(), PAYEE);
        paidIs(0, 0);
        fund.sell(0.005e18, true);
        upkeep.trade(order(), PAYEE);
        equal(index.transfers(), 1, "payments");
        equal(fund.made(Action.Trade), 2, "trades");
    }

    function test_a_batch_that_ends_the_month_is_paid() external {
        _burning();
        fund.sell(0, false);
        expectPaid(Action.Trade, PERIOD, PAYEE, due(TRADE, SWAPS, FEE));
        upkeep.trade(order(), PAYEE);
        fund.sell(0.005e18, false);
        expectPaid(Action.Trade, PERIOD, PAYEE, due(TRADE, SWAPS, FEE));
        upkeep.trade(order(), PAYEE);
    }

    /* WHAT IS LEFT */

    function _monthly(uint96 monthly) private {
        Terms memory t = terms();
        t.monthly = monthly;
        upkeep = make(t);
        index.setBalance(address(upkeep), PURSE);
        _burning();
    }

    function test_no_more_than_a_month_has() external {
        uint256 paid = due(CLOSE, 0, FEE);
        _monthly(uint96(paid + paid / 4));
        upkeep.perform(Action.Close, PERIOD, PAYEE);
        paidIs(paid, 1);
        leftIs(paid / 4);
        expectPaid(Action.Close, PERIOD, PAYEE, paid / 4);
        upkeep.perform(Action.Close, PERIOD, PAYEE);
        leftIs(0);
        upkeep.perform(Action.Close, PERIOD, PAYEE);
        paidIs(paid + paid / 4, 2);
        equal(fund.made(Action.Close), 3, "closed all the same");
    }

    function test_the_next_month_has_its_own() external {
        uint256 paid = due(CLOSE, 0, FEE);
        _monthly(uint96(paid));
        upkeep.perform(Action.Close, PERIOD, PAYEE);
        leftIs(0);
        fund.setPeriod(uint24(PERIOD + 1));
        leftIs(paid);
        expectPaid(Action.Close, PERIOD + 1, PAYEE, paid);
        upkeep.perform(Action.Close, PERIOD + 1, PAYEE);
        leftIs(0);
    }

    /// @dev A determination is paid out of the month that it begins.
    function test_a_determination_counts_for_its_period() external {
        _burning();
        upkeep.perform(Action.Determine, PERIOD + 1, PAYEE);
        leftIs(5 ether);
        fund.setPeriod(uint24(PERIOD + 1));
        leftIs(5 ether - due(DETERMINE, 0, FEE));
    }

    function test_a_month_that_has_nothing() external {
        _monthly(0);
        upkeep.perform(Action.Close, PERIOD, PAYEE);
        paidIs(0, 0);
        leftIs(0);
    }

    function test_a_purse_that_holds_less_pays_what_it_has() external {
        _burning();
        index.setBalance(address(upkeep), 5);
        (uint256 shares,,) = upkeep.purse();
        equal(shares, 5, "purse");
        expectPaid(Action.Close, PERIOD, PAYEE, 5);
        upkeep.perform(Action.Close, PERIOD, PAYEE);
        leftIs(5 ether - 5);
        index.setBalance(address(upkeep), 1);
        expectPaid(Action.Close, PERIOD, PAYEE, 1);
        upkeep.perform(Action.Close, PERIOD, PAYEE);
        leftIs(5 ether - 6);
        (shares,,) = upkeep.purse();
        equal(shares, 0, "purse");
        upkeep.perform(Action.Close, PERIOD, PAYEE);
        paidIs(6, 2);
    }

    /// @dev At a third of an ether and a wei, 3 shares for an ether would be too many.
    function test_shares_are_rounded_down_and_their_price_up() external {
        oracle.setPrice(ETHER, 3e18);
        _burning();
        vm.fee(1);
        uint256 price = uint256(1e18) / 3 + 1;
        uint256 shares = 110_000e18 / price;
        equal(shares, 329_999, "shares");
        uint256 amount = (shares * price + 1e18 - 1) / 1e18;
        expectPaid(Action.Close, PERIOD, PAYEE, shares, amount);
        upkeep.perform(Action.Close, PERIOD, PAYEE);
        leftIs(5 ether - amount);
    }

    /// @dev More than an ether is paid: the last digits count.
    function test_a_payment_of_several_ether() external {
        Terms memory t = terms();
        (t.maxBaseFee, t.monthly) = (500 gwei, 10 ether);
        upkeep = make(t);
        index.setBalance(address(upkeep), PURSE);
        vm.etch(DETERMINATION, new bytes(200 * 64));
        fund.burn(11_000_000);
        vm.fee(500 gwei);
        uint256 wanted = due(260_000 + 200 * 50_000, 0, 500 gwei);
        equal(wanted, 5.643e18, "wanted");
        expectPaid(Action.Start, PERIOD, PAYEE, wanted);
        upkeep.perform(Action.Start, PERIOD, PAYEE);
    }

    function test_many_shares() external {
        index.setBalance(address(upkeep), 1e34);
        setBalance(TOKEN, 3);
        priceIs(3);
        _burning();
        uint256 wanted = due(CLOSE, 0, FEE);
        expectPaid(Action.Close, PERIOD, PAYEE, wanted * 1e18 / 3, wanted);
        upkeep.perform(Action.Close, PERIOD, PAYEE);
    }
}
