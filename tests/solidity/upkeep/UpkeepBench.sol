// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IFiller} from "../../../contracts/interfaces/IFiller.sol";
import {Action, Order} from "../../../contracts/interfaces/IRebalancer.sol";
import {IUpkeep, Terms} from "../../../contracts/interfaces/IUpkeep.sol";
import {vm} from "../../../lab/fuzz/Vm.sol";
import {Test} from "../Test.sol";
import {StandInOracle} from "../opening/StandIns.sol";
import {StandInFund, StandInShares} from "./StandIns.sol";

/// @title UpkeepBench
/// @notice An upkeep with stand-ins around it. A share is a dollar's worth of one component, ether is a dollar: a share
/// costs an ether, until told otherwise.
abstract contract UpkeepBench is Test {
    address internal constant PAYEE = address(0xaee);
    address internal constant TOKEN = address(0xc0ffee);
    address internal constant ETHER = address(0);
    address internal constant DETERMINATION = address(0xd37);
    uint256 internal constant PURSE = 1000e18;
    uint256 internal constant MAX_BASE_FEE = 100 gwei;
    /// @dev The period of the last determination.
    uint256 internal constant PERIOD = 7;

    StandInShares internal index;
    StandInOracle internal oracle;
    StandInFund internal fund;
    IUpkeep internal upkeep;

    function setUp() public virtual {
        vm.warp(1_700_000_000);
        vm.fee(10 gwei);
        (index, oracle) = (new StandInShares(), new StandInOracle());
        fund = new StandInFund(address(index), address(oracle));
        upkeep = make(terms());
        index.setBalance(address(upkeep), PURSE);
        index.addComponent(TOKEN, 18, false);
        setBalance(TOKEN, 1e18);
        oracle.setPrice(TOKEN, 1e18);
        oracle.setPrice(ETHER, 1e18);
        // Ten candidates.
        vm.etch(DETERMINATION, new bytes(641));
        fund.setDetermination(DETERMINATION);
    }

    function terms() internal pure returns (Terms memory) {
        return Terms(0.1e18, 0.005e18, uint64(MAX_BASE_FEE), 5 ether);
    }

    function make(Terms memory t) internal returns (IUpkeep) {
        return IUpkeep(deploy("Upkeep", abi.encode(fund, address(this), t)));
    }

    function setBalance(address token, uint256 balance) internal {
        vm.mockCall(token, abi.encodeWithSignature("balanceOf(address)", index), abi.encode(balance));
    }

    function refuse(address token) internal {
        vm.mockCallRevert(token, abi.encodeWithSignature("balanceOf(address)", index), "");
    }

    /// @dev A batch of two legs.
    function order() internal pure returns (Order memory) {
        return order(1, 1);
    }

    function order(uint256 sells, uint256 buys) internal pure returns (Order memory o) {
        o = Order(
            new uint256[](sells),
            new uint256[](sells),
            new address[](sells),
            new uint256[](buys),
            0,
            IFiller(address(0)),
            ""
        );
        for (uint256 i; i < sells; ++i) {
            o.sells[i] = i + 1;
        }
    }

    /* COMPARED */

    /// @dev Ether that so much gas is paid with, of which `own` earns the premium and `swapped` counts four fifths.
    function due(uint256 own, uint256 swapped, uint256 baseFee) internal pure returns (uint256) {
        return (own + swapped * 4 / 5 + own / 10) * baseFee;
    }

    /// @dev The next step is paid with so many shares, at an ether each.
    function expectPaid(Action action, uint256 period, address payee, uint256 shares) internal {
        expectPaid(action, period, payee, shares, shares);
    }

    function expectPaid(Action action, uint256 period, address payee, uint256 shares, uint256 amount) internal {
        vm.expectEmit(true, true, true, true, address(upkeep));
        emit IUpkeep.Paid(period, action, payee, shares, amount);
    }

    /// @dev The payee has so many shares by now, in so many payments.
    function paidIs(uint256 shares, uint256 payments) internal view {
        equal(index.balanceOf(PAYEE), shares, "the payee's shares");
        equal(index.transfers(), payments, "payments");
    }

    function leftIs(uint256 expected) internal view {
        (,, uint256 left) = upkeep.purse();
        equal(left, expected, "left");
    }

    function priceIs(uint256 expected) internal view {
        (, uint256 price,) = upkeep.purse();
        equal(price, expected, "price");
    }
}
