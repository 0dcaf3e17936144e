// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {OpeningPlan} from "../../../contracts/interfaces/IOpener.sol";
import {IRebalancer, Limits, Order, Progress, Side, Timetable} from "../../../contracts/interfaces/IRebalancer.sol";
import {vm} from "../../../lab/fuzz/Vm.sol";
import {FuzzToken} from "../../../lab/fuzz/parts/FuzzToken.sol";
import {WordLists} from "../WordLists.sol";
import {Model, Moved, Outcome, Part, Standing} from "./Model.sol";
import {CalendarStandIn, FillerStandIn, FundStandIn, OpenerStandIn, OracleStandIn} from "./StandIns.sol";

/// @title BatchScene
/// @notice A rebalancer in an open month whose every number is known, among stand-ins; and batches, held to the model.
/// This contract is its owner.
abstract contract BatchScene is WordLists {
    uint256 internal constant SUPPLY = 1000.333333333333333333e18;
    uint256 internal constant EXPONENT = 5e24;
    uint256 internal constant NAV = 100.000000000000000007e18;
    uint256 internal constant SURPLUS = 0.249712345678901234e18;
    uint256 internal constant HELD = 0.413862345678901234e18;
    uint256 internal constant BUY_TARGETS = 0.670000000000000001e18;
    /// @dev Of a transaction.
    uint256 internal constant MOST_GAS = 1 << 24;
    /// @dev Of these the fund has eight parts, see `_fund`.
    uint256 internal constant ETHER = 0;
    uint256 internal constant DOLLAR = 1;
    uint256 internal constant GOLD = 2;
    uint256 internal constant STILL = 3;
    uint256 internal constant CENTS = 4;
    uint256 internal constant EVEN = 5;
    uint256 internal constant FINE = 6;
    uint256 internal constant WHOLE = 7;

    IRebalancer internal rebalancer;
    FundStandIn internal fund;
    OracleStandIn internal oracle;
    OpenerStandIn internal opener;
    FillerStandIn internal filler;
    Part[] internal parts;
    uint256 internal started;

    /* THE FUND */

    function _limits() internal pure returns (Limits memory) {
        return Limits({
            firstTolerance: -0.015e18,
            lastTolerance: 0.04e18,
            batchCap: 0.05e18,
            lossBudget: 0.005e18,
            maxStep: 0.2e18,
            dust: 1e14,
            coolOff: 600,
            maxIdle: 1800
        });
    }

    /// @dev Four sells and three buys of about 100,000 dollars, with 0 to 27 decimals. The targets of all sells but
    /// `EVEN` and `WHOLE` are no whole token wei.
    function _fund() internal {
        _part(18, Side.Sell, 0.015e18 + 7, 2000e18, 20e18);
        _part(6, Side.Buy, 25e6 + 3, 1e18, 15_000e6);
        _part(8, Side.Sell, 50_001, 20_000e18, 75_000_000);
        _part(18, Side.Held, 0.5e18, 10e18, 500e18);
        _part(18, Side.Buy, 700e18 + 1, 0.05e18, 500_000e18);
        _part(18, Side.Sell, 3e18, 0.25e18, 23_001e18);
        _part(27, Side.Buy, 1e27 + 1, 7e18, 200e27);
        _part(0, Side.Sell, 0, 50e18, 100);
    }

    function _part(uint256 decimals, Side side, uint256 unit, uint256 price, uint256 balance) internal {
        FuzzToken token = new FuzzToken();
        token.init(uint8(decimals));
        (uint256 mantissa, uint256 steps) = Model.kept(price);
        parts.push(Part(token, decimals, side, unit, mantissa << (4 * steps), price, price));
        if (address(fund) != address(0)) token.setBalance(address(fund), balance);
    }

    /// @dev The fund of `_fund`, its month just opened.
    function _openUsual() internal {
        _standIns(_limits());
        _fund();
        _open(NAV, SURPLUS, HELD, BUY_TARGETS);
    }

    function _standIns(Limits memory limits) internal {
        address later = vm.computeCreateAddress(address(this), vm.getNonce(address(this)) + 5);
        fund = new FundStandIn(later);
        oracle = new OracleStandIn();
        opener = new OpenerStandIn();
        filler = new FillerStandIn();
        Timetable memory timetable;
        bytes memory arguments = abi.encode(
            fund, oracle, opener, new CalendarStandIn(), opener, address(this), address(0), limits, 0, timetable
        );
        rebalancer = IRebalancer(deploy("Rebalancer", arguments));
        require(address(rebalancer) == later, "scene: the rebalancer's address");
        fund.setSupply(SUPPLY, EXPONENT);
    }

    /// @dev Opens the month of all `parts`.
    function _open(uint256 nav, uint256 surplus, uint256 held, uint256 buyTargets) internal {
        fund.setList(_list(parts.length));
        OpeningPlan memory plan;
        plan.targets = _targets(parts.length);
        (plan.nav, plan.exponent) = (uint128(nav), uint88(EXPONENT));
        (plan.surplus, plan.held, plan.buyTargets) = (uint64(surplus), uint64(held), uint64(buyTargets));
        opener.set(plan);
        for (uint256 i; i < parts.length; ++i) {
            _price(i, parts[i].soldAt, parts[i].boughtAt);
        }
        rebalancer.determine();
        rebalancer.start();
        started = block.timestamp;
    }

    /// @dev The first `n` parts as the index token's list, as code.
    function _list(uint256 n) internal returns (address at) {
        bytes memory code = hex"00";
        for (uint256 i; i < n; ++i) {
            code = abi.encodePacked(code, address(parts[i].token), uint96(parts[i].decimals) << 8);
        }
        at = address(uint160(0x115700 + n));
        vm.etch(at, code);
    }

    /// @dev Their targets, packed with units of 15 bytes.
    function _targets(uint256 n) internal view returns (bytes memory packed) {
        packed = hex"0f";
        for (uint256 i; i < n; ++i) {
            (uint256 mantissa, uint256 steps) = Model.kept(parts[i].startPrice);
            uint256 head = (uint256(parts[i].side) << 30) | (steps << 25) | mantissa;
            packed = abi.encodePacked(packed, uint32(head), uint120(parts[i].unit));
        }
    }

    function _price(uint256 i, uint256 soldAt, uint256 boughtAt) internal {
        (parts[i].soldAt, parts[i].boughtAt) = (soldAt, boughtAt);
        oracle.post(address(parts[i].token), soldAt, boughtAt);
    }

    function _balance(uint256 i) internal view returns (uint256) {
        return parts[i].token.balanceOf(address(fund));
    }

    function _goal(uint256 i) internal view returns (uint256) {
        return Model.goal(parts[i], fund.supply());
    }

    /// @dev The bucket has been idle for `time` seconds, if nothing was traded yet.
    function _idle(uint256 time) internal {
        vm.warp(started + time);
    }

    /* BATCHES */

    /// @dev All sells to the filler.
    function _order(uint256[] memory sells, uint256[] memory amounts, uint256[] memory buys)
        internal
        view
        returns (Order memory order)
    {
        (order.sells, order.amounts, order.buys) = (sells, amounts, buys);
        order.recipients = new address[](sells.length);
        order.filler = filler;
    }

    /// @dev What the order moves where the fund is paid `pays` of each of its buys and nothing comes back.
    function _moved(Order memory order, uint256[] memory pays) internal view returns (Moved memory m) {
        m.before = new uint256[](parts.length);
        for (uint256 i; i < parts.length; ++i) {
            m.before[i] = _balance(i);
        }
        (m.sold, m.got) = (new uint256[](parts.length), new uint256[](parts.length));
        for (uint256 k; k < order.sells.length; ++k) {
            uint256 i = order.sells[k];
            uint256 goal = _goal(i);
            uint256 left = m.before[i] > goal + m.sold[i] ? m.before[i] - goal - m.sold[i] : 0;
            m.sold[i] += order.amounts[k] < left ? order.amounts[k] : left;
        }
        for (uint256 k; k < pays.length; ++k) {
            m.got[order.buys[k]] = pays[k];
        }
    }

    function _standing() internal view returns (Standing memory) {
        uint256 nav = rebalancer.opening().nav;
        return Standing({
            shares: fund.supply(),
            nav: nav * fund.supply() / 1e18,
            buyTargets: rebalancer.opening().buyTargets,
            limits: rebalancer.limits(),
            was: rebalancer.progress()
        });
    }

    /// @dev The filler will pay these of the order's buys, and nothing else.
    function _pay(Order memory order, uint256[] memory pays) internal {
        filler.clear();
        for (uint256 k; k < pays.length; ++k) {
            _give(order.buys[k], pays[k]);
        }
    }

    /// @dev The filler will give the fund something.
    function _give(uint256 i, uint256 amount) internal {
        filler.add(address(parts[i].token), abi.encodeCall(FuzzToken.deal, (address(fund), amount)));
    }

    function _expected(Order memory order, uint256[] memory pays) internal view returns (Outcome memory) {
        return Model.settle(parts, _standing(), _moved(order, pays));
    }

    /// @dev Makes the batch, paid with `pays`, and holds it to the model.
    function _trade(Order memory order, uint256[] memory pays) internal returns (Outcome memory) {
        _pay(order, pays);
        return _trade(order, _moved(order, pays));
    }

    /// @dev Makes the batch, which is to move this, and holds it to the model.
    function _trade(Order memory order, Moved memory m) internal returns (Outcome memory) {
        return _trade(order, m, m);
    }

    /// @dev As above, where `counted` is what the batch counts of what it moves.
    function _trade(Order memory order, Moved memory counted, Moved memory m) internal returns (Outcome memory o) {
        o = Model.settle(parts, _standing(), counted);
        vm.expectEmit(true, true, true, true, address(rebalancer));
        emit IRebalancer.Traded(1, address(order.filler), o.result);
        rebalancer.trade{gas: MOST_GAS}(order);
        _stands(o.next);
        equal(fund.locked(), false, "unlocked");
        for (uint256 i; i < parts.length; ++i) {
            equal(_balance(i), m.before[i] - m.sold[i] + m.got[i], "balance");
        }
    }

    function _stands(Progress memory next) internal view {
        Progress memory p = rebalancer.progress();
        equal(p.tat, next.tat, "tat");
        equal(p.spent, next.spent, "spent");
        equal(p.surplus, next.surplus, "surplus");
        equal(p.held, next.held, "held");
    }

    /// @dev The batch, paid with `pays`, is refused with this.
    function _refused(Order memory order, uint256[] memory pays, bytes memory reason) internal {
        _pay(order, pays);
        _refused(order, reason);
    }

    function _refused(Order memory order, bytes memory reason) internal {
        vm.expectRevert(reason);
        rebalancer.trade{gas: MOST_GAS}(order);
    }

    /// @dev Least token wei of part `i` that are worth this when bought.
    function _worth(uint256 i, uint256 value) internal view returns (uint256) {
        (uint256 one, uint256 price) = (10 ** parts[i].decimals, parts[i].boughtAt);
        return (value * one + price - 1) / price;
    }
}
