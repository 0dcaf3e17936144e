// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Rebalancer} from "../../../contracts/Rebalancer.sol";
import {ICalendar} from "../../../contracts/interfaces/ICalendar.sol";
import {IFiller} from "../../../contracts/interfaces/IFiller.sol";
import {IIndexToken} from "../../../contracts/interfaces/IIndexToken.sol";
import {Constituent, IMethodology} from "../../../contracts/interfaces/IMethodology.sol";
import {IOpener, OpeningPlan, Remainder} from "../../../contracts/interfaces/IOpener.sol";
import {IOracle} from "../../../contracts/interfaces/IOracle.sol";
import {Limits, Month, Opening, Order, Phase, Progress, Timetable} from "../../../contracts/interfaces/IRebalancer.sol";
import {svm, vm} from "../Vm.sol";

/// @dev Index token, opener, calendar and methodology of a rebalancer: the lock always opens, the rest answers anything.
contract Around {
    uint256 private _period;
    uint256 private _difference;
    bool private _leaves;

    function answer(uint256 period, uint256 difference, bool leaves) external {
        (_period, _difference, _leaves) = (period, difference, leaves);
    }

    function REBALANCER() external view returns (address) {
        return msg.sender;
    }

    function lock() external {}
    function unlock() external {}

    function lockForTrading() external pure returns (address, uint256, uint256) {
        return (address(0), 1e18, 0);
    }

    function componentsPointer() external pure returns (address) {
        return address(1);
    }

    function current(Timetable calldata, Timetable calldata) external view returns (uint256) {
        return _period;
    }

    function change(Timetable calldata, Timetable calldata, Timetable calldata wish, Limits calldata)
        external
        pure
        returns (Timetable memory, Timetable memory)
    {
        return (wish, wish);
    }

    function check(Limits calldata, uint256, Timetable calldata, Timetable calldata) external pure {}

    function constituents(IIndexToken, IOracle, IMethodology, address, bool)
        external
        pure
        returns (Constituent[] memory)
    {
        return new Constituent[](0);
    }

    function plan(IIndexToken, IOracle, IMethodology, address, uint256, uint256)
        external
        view
        returns (OpeningPlan memory p)
    {
        p.targets = hex"01";
        p.difference = uint64(_difference);
        p.leaves = _leaves;
        p.surplus = uint64(_difference >> 64);
        p.buyTargets = uint64(_difference >> 128);
    }
}

/// @notice A rebalancer in any state that its storage can be in.
contract MonthProofs {
    /// @dev Slots of `RebalancerState`, from the month to the guardian; that of the period kept.
    uint256 private constant FIRST = 2;
    uint256 private constant LAST = 12;
    uint256 private constant LATEST = 11;

    Around private immutable _around = new Around();
    Rebalancer private immutable _rebalancer;

    constructor() {
        Limits memory limits;
        Timetable memory timetable;
        address around = address(_around);
        _rebalancer = new Rebalancer(
            IIndexToken(around),
            IOracle(around),
            IOpener(around),
            ICalendar(around),
            IMethodology(around),
            address(0x04e4),
            address(0x6a4d),
            limits,
            0,
            timetable
        );
    }

    function check_determine(uint40 time, uint256 period, uint256 plan) external {
        (Month memory before,) = _any(time, period, plan);
        _does(address(this), abi.encodeCall(_rebalancer.determine, ()));
        Month memory now_ = _rebalancer.month();
        assert(before.phase != Phase.Trading && !_paused(time));
        assert(before.period != _rebalancer.currentPeriod() || before.phase == Phase.Voided);
        assert(now_.phase == Phase.Determined && now_.period == _rebalancer.currentPeriod());
        assert(now_.determinedAt == time && now_.lastStop == before.lastStop);
    }

    function check_start(uint40 time, uint256 period, uint256 plan) external {
        (Month memory before,) = _any(time, period, plan);
        uint256 current = _rebalancer.currentPeriod();
        _does(address(this), abi.encodeCall(_rebalancer.start, ()));
        Month memory now_ = _rebalancer.month();
        assert(before.phase == Phase.Determined && before.period == current && !_paused(time));
        assert(now_.phase == Phase.Trading || now_.phase == Phase.Idle);
        assert(now_.period == before.period && now_.lastStop == before.lastStop);
    }

    function check_startAfterNotice(uint40 time, uint40 end, uint40 execution, uint32 notice, uint32 trading) external {
        vm.assume(time < end);
        uint256 packed = 7 | (uint256(end) << 24) | (uint256(execution) << 64) | (uint256(notice) << 104)
            | (uint256(trading) << 136);
        (Month memory before,) = _any(time, packed, 0);
        vm.store(address(_rebalancer), bytes32(LATEST), bytes32(packed));
        _does(address(this), abi.encodeCall(_rebalancer.start, ()));
        assert(time >= execution && time >= uint256(before.determinedAt) + notice);
        assert(uint256(time) + trading <= end);
    }

    function check_close(uint40 time, uint256 period, uint256 plan) external {
        (Month memory before, Opening memory opening) = _any(time, period, plan);
        _does(address(this), abi.encodeCall(_rebalancer.close, ()));
        assert(before.phase == Phase.Trading && time > opening.end && !_paused(time));
        _isOnly(before, Phase.Idle);
    }

    function check_trade(uint40 time, uint256 period, uint256 plan, address caller) external {
        (Month memory before, Opening memory opening) = _any(time, period, plan);
        vm.assume(before.phase != Phase.Trading || time > opening.end || _paused(time));
        // Only execution days that there are, which every setter sees to; and no targets.
        address at = address(_rebalancer);
        vm.assume(uint8(uint256(vm.load(at, bytes32(LATEST - 2))) >> 32) <= 2);
        vm.assume(uint8(uint256(vm.load(at, bytes32(LATEST - 1))) >> 32) <= 2);
        vm.store(at, bytes32(FIRST + 1), vm.load(at, bytes32(FIRST + 1)) >> 160 << 160);
        Order memory order;
        (order.sells, order.amounts, order.recipients) = (new uint256[](1), new uint256[](1), new address[](1));
        (order.buys, order.filler) = (new uint256[](1), IFiller(caller));
        order.buys[0] = 1;
        vm.prank(caller);
        try _rebalancer.trade(order) {
            assert(false);
        } catch (bytes memory refusal) {
            assert(bytes4(refusal) == bytes4(keccak256("NotDue(uint8,uint8)")));
        }
    }

    function check_veto(uint40 time, uint256 period, address caller) external {
        (Month memory before,) = _any(time, period, 0);
        (address owner, address guardian) = (_rebalancer.owner(), _rebalancer.guardian());
        uint256 current = _rebalancer.currentPeriod();
        _does(caller, abi.encodeCall(_rebalancer.veto, ()));
        assert(caller == owner || caller == guardian);
        assert(before.phase == Phase.Determined && before.period == current);
        Month memory now_ = _rebalancer.month();
        assert(now_.phase == Phase.Vetoed && now_.period == before.period);
        assert(caller == owner || uint256(before.lastStop) + 1 < before.period);
    }

    function check_endMonth(uint40 time, uint256 period, address caller) external {
        (Month memory before,) = _any(time, period, 0);
        (address owner, address guardian) = (_rebalancer.owner(), _rebalancer.guardian());
        _does(caller, abi.encodeCall(_rebalancer.endMonth, ()));
        assert((caller == owner || caller == guardian) && before.phase == Phase.Trading);
        Month memory now_ = _rebalancer.month();
        assert(now_.phase == Phase.Idle && now_.period == before.period);
        assert(caller == owner || uint256(before.lastStop) + 1 < before.period);
    }

    function check_setMethodology(uint40 time, address caller) external {
        (Month memory before,) = _any(time, 0, 0);
        address owner = _rebalancer.owner();
        _does(caller, abi.encodeCall(_rebalancer.setMethodology, (IMethodology(address(_around)))));
        assert(caller == owner && before.phase != Phase.Trading);
        Phase next = _rebalancer.month().phase;
        assert(next == (before.phase == Phase.Determined ? Phase.Voided : before.phase));
    }

    function check_setLimits(uint40 time, address caller) external {
        (Month memory before,) = _any(time, 0, 0);
        address owner = _rebalancer.owner();
        Limits memory limits;
        _does(caller, abi.encodeCall(_rebalancer.setLimits, (limits, 0)));
        assert(caller == owner && before.phase != Phase.Trading);
        _isOnly(before, before.phase);
    }

    function check_pause(uint40 time, uint256 duration, address caller) external {
        (Month memory before,) = _any(time, 0, 0);
        address guardian = _rebalancer.guardian();
        (uint256 until, uint256 left) = _rebalancer.pause();
        _does(caller, abi.encodeCall(_rebalancer.pauseFor, (duration)));
        assert(caller == guardian && until <= time && duration <= left && duration != 0);
        (until, left) = _rebalancer.pause();
        assert(until == uint256(time) + duration && duration + left <= 3 days);
        _isOnly(before, before.phase);
    }

    /* INTERNAL */

    /// @dev Any state at this time; what the calendar and the opener answer.
    function _any(uint40 time, uint256 period, uint256 plan) private returns (Month memory, Opening memory) {
        vm.assume(time > 92 days && time < 1 << 38);
        vm.warp(time);
        uint256 first = svm.createUint256("month");
        vm.assume(uint8(first) <= uint8(type(Phase).max));
        vm.store(address(_rebalancer), bytes32(FIRST), bytes32(first));
        for (uint256 slot = FIRST + 1; slot <= LAST; ++slot) {
            vm.store(address(_rebalancer), bytes32(slot), bytes32(svm.createUint256("slot")));
        }
        // Of the pauses no more than allowed count; `pauseFor` keeps it so.
        vm.assume(uint24(uint256(vm.load(address(_rebalancer), bytes32(LAST))) >> 200) <= 3 days);
        _around.answer(period, plan, plan >> 255 != 0);
        return (_rebalancer.month(), _rebalancer.opening());
    }

    /// @dev Only what does not revert is looked at.
    function _does(address caller, bytes memory call_) private {
        vm.prank(caller);
        (bool done,) = address(_rebalancer).call(call_);
        vm.assume(done);
    }

    function _paused(uint256 time) private view returns (bool) {
        (uint256 until,) = _rebalancer.pause();
        return time < until;
    }

    /// @dev Of the month only the phase has changed, to this one.
    function _isOnly(Month memory before, Phase phase) private view {
        Month memory now_ = _rebalancer.month();
        assert(now_.phase == phase && now_.period == before.period && now_.lastStop == before.lastStop);
        assert(now_.determinedAt == before.determinedAt && now_.determination == before.determination);
    }
}
