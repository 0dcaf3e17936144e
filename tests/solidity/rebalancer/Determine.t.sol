// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Constituent} from "../../../contracts/interfaces/IMethodology.sol";
import {IOpener} from "../../../contracts/interfaces/IOpener.sol";
import {IRebalancer, Month, Phase} from "../../../contracts/interfaces/IRebalancer.sol";
import {vm} from "../../../lab/fuzz/Vm.sol";
import {FundTest} from "./FundTest.sol";

contract DetermineTest is FundTest {
    function test_the_determination_is_kept_and_told() external {
        Constituent[] memory list = _asked(address(0), true);
        equal(list.length, N - 1, "constituents");
        address written = _nextList();
        _emitted();
        emit IRebalancer.Determined(ID, list);
        rebalancer.determine();
        Month memory m = rebalancer.month();
        equal(m.period, ID, "period");
        equal(m.lastStop, 0, "lastStop");
        equal(m.determinedAt, JANUARY, "determinedAt");
        equal(m.determination, written, "determination");
        _phase(Phase.Determined);
        equal(written.code.length != 0, true, "written");
        equal(rebalancer.trading(), false, "trading");
        equal(index.locked(), false, "locked");
    }

    function test_each_period_is_determined_with_its_id() external {
        vm.warp(END);
        Constituent[] memory list = _asked(address(0), true);
        _emitted();
        emit IRebalancer.Determined(ID + 1, list);
        rebalancer.determine();
        equal(rebalancer.month().period, ID + 1, "period");
        vm.warp(NEXT_END);
        rebalancer.determine();
        equal(rebalancer.month().period, ID + 2, "period");
    }

    function test_a_determination_keeps_the_last_stop() external {
        _determine();
        vm.prank(GUARDIAN);
        rebalancer.veto();
        vm.warp(END);
        rebalancer.determine();
        equal(rebalancer.month().lastStop, ID, "lastStop");
    }

    /// @dev What was started hands on what its start confirmed, what was not what the one before it had.
    function test_the_opener_is_told_whether_the_last_one_was_started() external {
        _tellsOpener(true);
        _determine();
        _tellsOpener(false);
        rebalancer.veto();
        _tellsOpener(false);
        vm.warp(END);
        _determine();
        vm.warp(FEBRUARY + 2 days);
        rebalancer.start(); // nothing to trade: done at once
        _phase(Phase.Idle);
        _tellsOpener(true);
    }

    function _tellsOpener(bool started) private {
        address determination = rebalancer.month().determination;
        vm.expectCall(
            opener,
            abi.encodeCall(IOpener.constituents, (index, rebalancer.ORACLE(), methodology, determination, started))
        );
        rebalancer.previewDetermine();
    }

    function _asked(address determination, bool started) private view returns (Constituent[] memory) {
        return IOpener(opener).constituents(index, rebalancer.ORACLE(), methodology, determination, started);
    }
}
