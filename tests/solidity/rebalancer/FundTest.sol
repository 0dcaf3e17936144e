// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IOpener, OpeningPlan} from "../../../contracts/interfaces/IOpener.sol";
import {Action, Phase, Reason} from "../../../contracts/interfaces/IRebalancer.sol";
import {vm} from "../../../lab/fuzz/Vm.sol";
import {FixedWeightScene} from "../FixedWeightScene.sol";
import {Test} from "../Test.sol";

/// @title FundTest
/// @notice A fund on 1 January 2025. January's period is under way; February's begins seven days before February.
/// @dev Where a test needs a plan of its own, the opener is told what to answer.
abstract contract FundTest is FixedWeightScene, Test {
    uint256 internal constant JANUARY = 1735689600;
    uint256 internal constant FEBRUARY = JANUARY + 31 days;
    /// @dev Ends of January's and of February's period.
    uint256 internal constant END = FEBRUARY - 7 days;
    uint256 internal constant NEXT_END = FEBRUARY + 21 days;
    /// @dev When what was determined on 1 January may start.
    uint256 internal constant START = JANUARY + 1 days;
    /// @dev Id of January's period.
    uint256 internal constant ID = 2025 * 12;
    uint64 internal constant DUST = 1e14;
    /// @dev Of the bucket's time.
    uint256 internal constant SCALE = 2 ** 24;
    address internal constant STRANGER = address(0x57);

    address internal opener;
    address internal oracle;
    address internal calendar;

    function setUp() public virtual {
        opener = address(rebalancer.OPENER());
        oracle = address(rebalancer.ORACLE());
        calendar = address(rebalancer.CALENDAR());
    }

    /* MONTHS */

    /// @dev Determines now and goes to the start of January's trading.
    function _determine() internal {
        rebalancer.determine();
        vm.warp(START);
    }

    /// @dev Opens January's trading. One component has risen by a tenth: 1.8 % of NAV are to be sold.
    function _open() internal {
        _determine();
        _setPrice(1, 22_000e18);
        rebalancer.start();
    }

    /// @dev Opens January's trading with this plan.
    function _open(OpeningPlan memory p) internal {
        _determine();
        _planned(p);
        rebalancer.start();
    }

    /// @dev What the opener plans from now on.
    function _planned(OpeningPlan memory p) internal {
        vm.mockCall(opener, abi.encodeWithSelector(IOpener.plan.selector), abi.encode(p));
    }

    /// @dev Any plan that opens trading: 2 % of NAV are to be sold, and as much to be bought.
    function _anyPlan() internal pure returns (OpeningPlan memory p) {
        (p.targets, p.exponent, p.nav) = (hex"0123456789", 17, 101e18);
        (p.difference, p.surplus, p.held, p.buyTargets) = (0.02e18, 0.02e18, 0.7e18, 0.72e18);
    }

    /// @dev Where the rebalancer writes its next list.
    function _nextList() internal view returns (address) {
        return vm.computeCreateAddress(address(rebalancer), vm.getNonce(address(rebalancer)));
    }

    /* COMPARISONS */

    function _workable(Action action, Reason reason, uint256 next) internal view {
        (Action a, Reason r, uint256 n) = rebalancer.workable();
        equal(uint256(a), uint256(action), "action");
        equal(uint256(r), uint256(reason), "reason");
        equal(n, next, "next");
    }

    function _phase(Phase expected) internal view {
        equal(uint256(rebalancer.month().phase), uint256(expected), "phase");
    }

    /// @dev The next call is refused with this error.
    function _refused(bytes4 selector) internal {
        vm.expectRevert(abi.encodeWithSelector(selector));
    }

    function _refused(bytes4 selector, uint256 first) internal {
        vm.expectRevert(abi.encodeWithSelector(selector, first));
    }

    function _refused(bytes4 selector, address first) internal {
        vm.expectRevert(abi.encodeWithSelector(selector, first));
    }

    function _refused(bytes4 selector, uint256 first, uint256 second) internal {
        vm.expectRevert(abi.encodeWithSelector(selector, first, second));
    }

    function _refused(bytes4 selector, address first, uint256 second) internal {
        vm.expectRevert(abi.encodeWithSelector(selector, first, second));
    }

    /// @dev The next call must emit what this contract emits next, with every field.
    function _emitted() internal {
        vm.expectEmit(true, true, true, true, address(rebalancer));
    }
}
