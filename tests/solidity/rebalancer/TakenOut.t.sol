// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IOpener, Remainder} from "../../../contracts/interfaces/IOpener.sol";
import {IRebalancer, Opening, Phase, Progress} from "../../../contracts/interfaces/IRebalancer.sol";
import {vm} from "../../../lab/fuzz/Vm.sol";
import {FundTest} from "./FundTest.sol";

/// @notice What a suspension does in an open month.
contract TakenOutTest is FundTest {
    address private _token;

    function setUp() public override {
        super.setUp();
        _token = address(tokens[1]);
    }

    function test_a_component_is_taken_out_of_an_open_month() external {
        _open(_anyPlan());
        Remainder memory left = _anyRemainder();
        _remains(left);
        (Opening memory opening, Progress memory progress) = (rebalancer.opening(), rebalancer.progress());
        vm.expectCall(opener, abi.encodeCall(IOpener.without, (index, opening, progress, _token)));
        address targets = _nextList();
        _emitted();
        emit IRebalancer.TakenOut(ID, _token, targets);
        rebalancer.suspend(_token);
        equal(targets.code, abi.encodePacked(hex"00", left.targets), "targets");
        Opening memory o = rebalancer.opening();
        equal(o.targets, targets, "where the targets are");
        equal(o.buyTargets, left.buyTargets, "buyTargets");
        (opening.targets, opening.buyTargets) = (targets, left.buyTargets);
        equal(abi.encode(o), abi.encode(opening), "what else was opened");
        Progress memory p = rebalancer.progress();
        equal(p.surplus, left.surplus, "surplus");
        equal(p.held, left.held, "held");
        (progress.surplus, progress.held) = (left.surplus, left.held);
        equal(abi.encode(p), abi.encode(progress), "the rest of the progress");
        _phase(Phase.Trading);
    }

    function test_what_is_not_traded_changes_nothing() external {
        _open(_anyPlan());
        Remainder memory none;
        _remains(none);
        bytes memory was = abi.encode(rebalancer.opening(), rebalancer.progress());
        vm.prank(GUARDIAN);
        rebalancer.suspend(_token);
        equal(abi.encode(rebalancer.opening(), rebalancer.progress()), was, "opening and progress");
        _phase(Phase.Trading);
    }

    function test_a_month_with_nothing_left_to_sell_ends() external {
        _open(_anyPlan());
        Remainder memory left = _anyRemainder();
        left.surplus = DUST;
        _remains(left);
        _emitted();
        emit IRebalancer.Closed(ID, DUST, left.buyTargets - left.held, 0);
        rebalancer.suspend(_token);
        _phase(Phase.Idle);
        equal(index.locked(), false, "locked");
    }

    /// @dev By the opener itself: what rose was all there was to sell.
    function test_the_only_sell_ends_the_month() external {
        _open();
        rebalancer.suspend(_token);
        _phase(Phase.Idle);
        equal(rebalancer.progress().surplus, 0, "surplus");
    }

    function test_nothing_is_taken_out_unless_trading() external {
        _determine();
        vm.mockCallRevert(opener, abi.encodeWithSelector(IOpener.without.selector), "no");
        rebalancer.suspend(_token);
        _phase(Phase.Determined);
        rebalancer.resume(_token);
        rebalancer.start();
        _phase(Phase.Idle);
        rebalancer.suspend(_token);
        _phase(Phase.Idle);
    }

    function _anyRemainder() private pure returns (Remainder memory) {
        return Remainder({targets: hex"9876", surplus: 0.011e18, held: 0.2e18, buyTargets: 0.3e18});
    }

    function _remains(Remainder memory left) private {
        vm.mockCall(opener, abi.encodeWithSelector(IOpener.without.selector), abi.encode(left));
    }
}
