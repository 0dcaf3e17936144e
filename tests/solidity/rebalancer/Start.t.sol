// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IOpener, OpeningPlan} from "../../../contracts/interfaces/IOpener.sol";
import {IRebalancer, Opening, Phase, Progress} from "../../../contracts/interfaces/IRebalancer.sol";
import {Component} from "../../../contracts/libraries/ComponentList.sol";
import {vm} from "../../../lab/fuzz/Vm.sol";
import {FundTest} from "./FundTest.sol";

contract StartTest is FundTest {
    function setUp() public override {
        super.setUp();
        rebalancer.setLimits(rebalancer.limits(), 0.02e18);
        _determine();
    }

    function test_the_plan_is_kept_and_told() external {
        OpeningPlan memory p = _anyPlan();
        p.basis = new uint256[](2);
        (p.basis[0], p.basis[1]) = (11, 12);
        _planned(p);
        address targets = _nextList();
        _emitted();
        emit IRebalancer.Started(ID, p.nav, targets, p.basis);
        rebalancer.start();
        _phase(Phase.Trading);
        equal(rebalancer.trading(), true, "trading");
        equal(targets.code, abi.encodePacked(hex"00", p.targets), "targets");
        Opening memory o = rebalancer.opening();
        equal(o.targets, targets, "where the targets are");
        equal(o.buyTargets, p.buyTargets, "buyTargets");
        equal(o.nav, p.nav, "nav");
        equal(o.exponent, p.exponent, "exponent");
        equal(o.end, END - 1, "end");
        Progress memory q = rebalancer.progress();
        equal(q.tat, START * SCALE, "tat");
        equal(q.spent, 0, "spent");
        equal(q.surplus, p.surplus, "surplus");
        equal(q.held, p.held, "held");
        equal(index.locked(), false, "locked");
    }

    /// @dev A start may drop no more than the least dust that a month may end with: a millionth.
    function test_the_opener_is_told_the_bounds() external {
        _setPrice(1, 24_000e18);
        address determination = rebalancer.month().determination;
        vm.expectCall(
            opener,
            abi.encodeCall(IOpener.plan, (index, rebalancer.ORACLE(), methodology, determination, 0.2e18, MAX_DROP))
        );
        rebalancer.start();
        _phase(Phase.Trading);
    }

    /* CONFIRMED */

    function test_what_start_confirms_takes_the_determinations_place() external {
        OpeningPlan memory p = _anyPlan();
        p.confirmed = new uint256[](1);
        p.confirmed[0] = 12345;
        _planned(p);
        address written = _nextList();
        rebalancer.start();
        equal(rebalancer.month().determination, written, "determination");
        equal(written.code, abi.encodePacked(hex"00", uint256(12345)), "confirmed");
    }

    function test_where_nothing_is_confirmed_the_determination_stays() external {
        address determination = rebalancer.month().determination;
        _planned(_anyPlan());
        rebalancer.start();
        equal(rebalancer.month().determination, determination, "determination");
    }

    /* LIST */

    function test_another_list_is_written() external {
        OpeningPlan memory p = _anyPlan();
        p.changed = true;
        p.list = new uint256[](2);
        // token (high), decimals from bit 8
        p.list[0] = uint256(uint160(address(tokens[1]))) * 2 ** 96 + 8 * 2 ** 8;
        p.list[1] = uint256(uint160(address(tokens[2]))) * 2 ** 96 + 4 * 2 ** 8;
        _planned(p);
        rebalancer.start();
        Component[] memory list = index.components();
        equal(list.length, 2, "components");
        equal(list[0].token, address(tokens[1]), "first");
        equal(list[1].token, address(tokens[2]), "second");
        equal(list[1].decimals, 4, "decimals");
    }

    function test_the_same_list_is_not_written() external {
        address pointer = index.componentsPointer();
        _planned(_anyPlan());
        rebalancer.start();
        equal(index.componentsPointer(), pointer, "pointer");
    }

    /* BAND */

    function test_a_difference_below_the_band_is_skipped() external {
        OpeningPlan memory p = _anyPlan();
        p.difference = 0.02e18 - 1;
        p.basis = new uint256[](1);
        p.basis[0] = 11;
        p.confirmed = new uint256[](1);
        _planned(p);
        address written = _nextList();
        _emitted();
        emit IRebalancer.Skipped(ID, p.difference, 0.02e18, p.basis);
        rebalancer.start();
        _phase(Phase.Idle);
        equal(rebalancer.month().determination, written, "what was confirmed");
        equal(rebalancer.opening().nav, 0, "no opening");
        equal(index.locked(), false, "locked");
    }

    function test_a_difference_of_the_band_is_traded() external {
        _planned(_anyPlan());
        rebalancer.start();
        _phase(Phase.Trading);
    }

    function test_what_leaves_is_traded_within_the_band() external {
        OpeningPlan memory p = _anyPlan();
        (p.difference, p.leaves) = (0.02e18 - 1, true);
        _planned(p);
        rebalancer.start();
        _phase(Phase.Trading);
        vm.warp(END);
        rebalancer.close();
    }

    function test_what_leaves_is_traded_above_the_band() external {
        OpeningPlan memory p = _anyPlan();
        p.leaves = true;
        _planned(p);
        rebalancer.start();
        _phase(Phase.Trading);
    }

    /* NOTHING TO DO */

    function test_a_surplus_of_dust_is_done_at_once() external {
        _doneIf(DUST, 0.7e18, 0.72e18, true);
        _doneIf(DUST + 1, 0.7e18, 0.72e18, false);
    }

    function test_a_deficit_of_dust_is_done_at_once() external {
        _doneIf(0.02e18, 0.72e18 - DUST, 0.72e18, true);
        _doneIf(0.02e18, 0.72e18 - DUST - 1, 0.72e18, false);
    }

    function test_more_than_the_targets_is_no_deficit() external {
        _doneIf(0.02e18, 0.72e18, 0.72e18, true);
        _doneIf(0.02e18, 0.72e18 + 5, 0.72e18, true);
    }

    function _doneIf(uint64 surplus, uint64 held, uint64 buyTargets, bool done) private {
        uint256 before = vm.snapshotState();
        OpeningPlan memory p = _anyPlan();
        (p.surplus, p.held, p.buyTargets) = (surplus, held, buyTargets);
        _planned(p);
        if (done) {
            _emitted();
            emit IRebalancer.Closed(ID, surplus, buyTargets > held ? buyTargets - held : 0, 0);
        }
        rebalancer.start();
        _phase(done ? Phase.Idle : Phase.Trading);
        vm.revertToState(before);
    }
}
