// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IIndexToken} from "../../../contracts/interfaces/IIndexToken.sol";
import {IMintCallback} from "../../../contracts/interfaces/IMintCallback.sol";
import {Action, Order, Reason} from "../../../contracts/interfaces/IRebalancer.sol";
import {vm} from "../../../lab/fuzz/Vm.sol";
import {FuzzToken} from "../../../lab/fuzz/parts/FuzzToken.sol";
import {FundTest} from "./FundTest.sol";

/// @notice Nothing is called while the fund's lock is held: here by a mint, whose callback tries.
contract LockingTest is FundTest, IMintCallback {
    bool private _done;
    bytes private _answer;

    function onMint(address[] calldata list, uint256[] calldata amounts, bytes calldata call) external {
        (_done, _answer) = address(rebalancer).call(call);
        for (uint256 i; i < list.length; ++i) {
            FuzzToken(list[i]).deal(address(index), amounts[i]);
        }
    }

    function test_the_months_actions() external {
        _locked(abi.encodeCall(rebalancer.determine, ()));
        _determine();
        _planned(_anyPlan());
        _locked(abi.encodeCall(rebalancer.start, ()));
        rebalancer.start();
        Order memory order;
        _locked(abi.encodeCall(rebalancer.trade, (order)));
        vm.warp(END);
        _locked(abi.encodeCall(rebalancer.close, ()));
        rebalancer.close();
    }

    function test_stops_and_pauses() external {
        rebalancer.setGuardian(address(this));
        _determine();
        _locked(abi.encodeCall(rebalancer.veto, ()));
        _planned(_anyPlan());
        rebalancer.start();
        _locked(abi.encodeCall(rebalancer.endMonth, ()));
        _locked(abi.encodeCall(rebalancer.pauseFor, (1)));
        rebalancer.pauseFor(1);
        _locked(abi.encodeCall(rebalancer.unpause, ()));
    }

    function test_states() external {
        address token = address(tokens[1]);
        _locked(abi.encodeCall(rebalancer.suspend, (token)));
        _locked(abi.encodeCall(rebalancer.resume, (token)));
        _locked(abi.encodeCall(rebalancer.writeOff, (token)));
    }

    function test_setters() external {
        _locked(abi.encodeCall(rebalancer.setGuardian, (STRANGER)));
        _locked(abi.encodeCall(rebalancer.setLimits, (rebalancer.limits(), 0)));
        _locked(abi.encodeCall(rebalancer.setTimetable, (_firstTimetable())));
        _locked(abi.encodeCall(rebalancer.setMethodology, (spare)));
    }

    function test_nothing_is_workable() external {
        index.mintWith(1e18, address(this), abi.encodeCall(rebalancer.workable, ()));
        equal(_done, true, "answered");
        equal(_answer, abi.encode(Action.None, Reason.Locked, 0), "answer");
    }

    function _locked(bytes memory call) private {
        index.mintWith(1e18, address(this), call);
        equal(_done, false, "called under the lock");
        equal(_answer, abi.encodeWithSelector(IIndexToken.Locked.selector), "refusal");
    }
}
