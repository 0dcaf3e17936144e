// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {ICalendar} from "../../../contracts/interfaces/ICalendar.sol";
import {IIndexToken} from "../../../contracts/interfaces/IIndexToken.sol";
import {IMethodology} from "../../../contracts/interfaces/IMethodology.sol";
import {IOpener} from "../../../contracts/interfaces/IOpener.sol";
import {IOracle} from "../../../contracts/interfaces/IOracle.sol";
import {Action, IRebalancer, Limits, Phase, Reason, Timetable} from "../../../contracts/interfaces/IRebalancer.sol";
import {vm} from "../../../lab/fuzz/Vm.sol";
import {FundTest} from "./FundTest.sol";

interface IOwned {
    function owner() external view returns (address);
}

contract DeploymentTest is FundTest {
    /// @dev What a rebalancer is made of.
    struct Parts {
        IIndexToken index;
        IOracle oracle;
        IOpener opener;
        ICalendar calendar;
        IMethodology methodology;
    }

    function test_a_fund_begins_as_it_was_told() external {
        Parts memory p = _parts();
        rebalancer = this.make(p);
        equal(address(rebalancer.INDEX()), address(p.index), "index");
        equal(address(rebalancer.ORACLE()), oracle, "oracle");
        equal(address(rebalancer.OPENER()), opener, "opener");
        equal(address(rebalancer.CALENDAR()), calendar, "calendar");
        equal(address(rebalancer.methodology()), address(methodology), "methodology");
        equal(IOwned(address(rebalancer)).owner(), RECIPIENT, "owner");
        equal(rebalancer.guardian(), GUARDIAN, "guardian");
        equal(abi.encode(rebalancer.limits()), abi.encode(_firstLimits()), "limits");
        equal(rebalancer.band(), 0.04e18, "band");
        Timetable memory timetable = _firstTimetable();
        (timetable.begins, timetable.first) = (uint40(JANUARY - 7 days), uint24(ID));
        equal(abi.encode(rebalancer.timetable()), abi.encode(timetable), "timetable");
        Timetable memory none;
        equal(abi.encode(rebalancer.formerTimetable()), abi.encode(none), "former");
        equal(rebalancer.currentPeriod(), ID, "period");
        equal(rebalancer.month().period, 0, "no month");
        equal(rebalancer.trading(), false, "trading");
        _phase(Phase.Idle);
        // It is not seeded.
        _workable(Action.None, Reason.NotSeeded, 0);
    }

    function test_the_parts_are_contracts() external {
        Parts memory p = _parts();
        p.oracle = IOracle(STRANGER);
        _refused(IRebalancer.NotContract.selector, STRANGER);
        this.make(p);
        p = _parts();
        p.opener = IOpener(STRANGER);
        _refused(IRebalancer.NotContract.selector, STRANGER);
        this.make(p);
        p = _parts();
        p.calendar = ICalendar(STRANGER);
        _refused(IRebalancer.NotContract.selector, STRANGER);
        this.make(p);
        p = _parts();
        p.methodology = IMethodology(STRANGER);
        _refused(IRebalancer.NotContract.selector, STRANGER);
        this.make(p);
    }

    function test_the_index_token_names_the_rebalancer() external {
        Parts memory p = _parts();
        p.index = index;
        _refused(IRebalancer.WrongRebalancer.selector, address(rebalancer));
        this.make(p);
    }

    function test_limits_are_held_against_the_bounds() external {
        vm.expectRevert(abi.encodeWithSelector(IRebalancer.LimitOutOfBounds.selector, bytes32("band")));
        this.make(_parts(), 0.1e18 + 1);
    }

    /* HELPERS */

    function make(Parts calldata p) external returns (IRebalancer) {
        return this.make(p, 0.04e18);
    }

    /// @dev From the address that `_parts` has told the index token.
    function make(Parts calldata p, uint64 band) external returns (IRebalancer) {
        bytes memory arguments = abi.encode(
            p.index,
            p.oracle,
            p.opener,
            p.calendar,
            p.methodology,
            RECIPIENT,
            GUARDIAN,
            _firstLimits(),
            band,
            _firstTimetable()
        );
        return IRebalancer(deploy("Rebalancer", arguments));
    }

    /// @dev With an index token that names the next contract that is made here.
    function _parts() private returns (Parts memory) {
        address later = vm.computeCreateAddress(address(this), vm.getNonce(address(this)) + 1);
        address token =
            deploy("IndexToken", abi.encode("New", "NEW", later, address(this), RECIPIENT, 0.0095e18, 4_000_000_000));
        return Parts(IIndexToken(token), IOracle(oracle), IOpener(opener), ICalendar(calendar), methodology);
    }
}
