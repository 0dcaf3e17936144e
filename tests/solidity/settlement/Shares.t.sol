// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Limits, Order, Progress} from "../../../contracts/interfaces/IRebalancer.sol";
import {BatchScene} from "./BatchScene.sol";
import {Outcome} from "./Model.sol";

interface ISettlement {
    function startShares(address index, uint256 exponentAtStart) external view returns (uint256);
    function bucket(Limits calldata limits, Progress calldata progress)
        external
        view
        returns (uint256 idle, uint256 capacity, int256 tolerance);
}

/// @dev Limits are per share of the start; what `Settlement` says of an open month to those who ask.
contract SharesTest is BatchScene {
    uint256 private constant YEAR = 31_557_600;
    /// @dev exp(-1), rounded down.
    uint256 private constant DECAY = 367_879_441_171_442_321;
    uint256 private constant SECOND = 16_777_216;

    ISettlement private _settlement;

    function setUp() external {
        _openUsual();
        _settlement = ISettlement(deploy("SettlementHarness", ""));
    }

    /* SHARES */

    function test_shares_of_the_start() external {
        equal(_settlement.startShares(address(fund), EXPONENT), SUPPLY, "no fee");
        fund.setSupply(2 * SUPPLY, EXPONENT);
        equal(_settlement.startShares(address(fund), EXPONENT), 2 * SUPPLY, "minted");
        fund.setSupply(SUPPLY, EXPONENT + YEAR * 1e18);
        equal(_settlement.startShares(address(fund), EXPONENT), SUPPLY * DECAY / 1e18, "a fee");
    }

    /// @dev So many shares that the fee leaves as many as there were: all is as before.
    function test_a_fee_changes_no_limit() external {
        _idle(1800);
        Order memory order = _order(wordList(ETHER, EVEN), wordList(1e18, type(uint256).max), wordList(DOLLAR));
        // {share}: 1 wei less comes of it, by rounding; so `EVEN` has a target that is 3 token wei lower.
        uint256 supply = SUPPLY * 1e18 / DECAY;
        uint256 shares = supply * DECAY / 1e18;
        equal(SUPPLY - shares, 1, "rounded down");
        parts[EVEN].token.setBalance(address(fund), 3 * SUPPLY + 7e18);
        fund.setSupply(shares, EXPONENT);
        Outcome memory o = _expected(order, wordList(2100e6));
        fund.setSupply(supply, EXPONENT + YEAR * 1e18);
        _pay(order, wordList(2100e6));
        rebalancer.trade(order);
        _stands(o.next);
        equal(_balance(EVEN), 3 * shares, "the target is left");
    }

    function test_limits_grow_with_the_supply() external {
        _idle(600);
        fund.setSupply(SUPPLY * 3 / 2, EXPONENT);
        for (uint256 i; i < parts.length; ++i) {
            parts[i].token.setBalance(address(fund), _balance(i) * 3 / 2);
        }
        // {USD}: 7,000 are below a twentieth of NAV, which now is 150,000.
        Order memory order = _order(wordList(ETHER), wordList(3.5e18), wordList(CENTS));
        equal(_trade(order, wordList(142_000e18)).result.valueOut, 7000e18, "within the bucket");
    }

    /* BUCKET */

    function _same(Limits memory l, Progress memory p, uint256 idle, uint256 capacity, int256 tolerance) private view {
        (uint256 idle_, uint256 capacity_, int256 tolerance_) = _settlement.bucket(l, p);
        equal(idle_, idle, "idle");
        equal(capacity_, capacity, "capacity");
        require(tolerance_ == tolerance, "tolerance");
    }

    function _idleFor(uint256 time) private view returns (Progress memory p) {
        p.tat = uint64((block.timestamp - time) * SECOND);
        p.surplus = 0.2e18;
    }

    /// @dev Of a batch that sells all that is left, at the prices of the start.
    function test_the_bucket_as_it_stands() external view {
        Limits memory l = _limits();
        _same(l, _idleFor(0), 0, 0, -0.015e18);
        _same(l, _idleFor(300), 300 * SECOND, 0.025e18, -5_833_333_333_333_334);
        _same(l, _idleFor(900), 900 * SECOND, 0.05e18, 0.0125e18);
        // The budget is less than the 4 % that the time allows: 0.5 % of a fifth.
        _same(l, _idleFor(1800), 1800 * SECOND, 0.05e18, 0.025e18);
        _same(l, _idleFor(2000), 1800 * SECOND, 0.05e18, 0.025e18);
    }

    function test_the_budget_as_it_stands() external view {
        Limits memory l = _limits();
        Progress memory p = _idleFor(1800);
        p.surplus = 0.1e18;
        _same(l, p, 1800 * SECOND, 0.05e18, 0.04e18);
        p.spent = 0.002e18;
        _same(l, p, 1800 * SECOND, 0.05e18, 0.03e18);
        for (uint256 more; more < 2; ++more) {
            p.spent = uint64(0.005e18 + more);
            _same(l, p, 1800 * SECOND, 0.05e18, 0);
        }
        // One wei of budget is a part of what one wei of surplus may lose.
        (p.spent, p.surplus) = (0.005e18 - 1, 1e18 + 1);
        _same(l, p, 1800 * SECOND, 0.05e18, 0);
        p.surplus = 1e18;
        _same(l, p, 1800 * SECOND, 0.05e18, 1);
    }

    /// @dev Where nothing is left to sell there is no part of the budget.
    function test_nothing_left_to_sell() external view {
        Progress memory p = _idleFor(1800);
        p.surplus = 0;
        _same(_limits(), p, 1800 * SECOND, 0.05e18, 0.04e18);
        (p.surplus, p.spent) = (1, 0.005e18);
        _same(_limits(), p, 1800 * SECOND, 0.05e18, 0);
        (p.surplus, p.spent) = (2, 0.005e18);
        _same(_limits(), p, 1800 * SECOND, 0.05e18, 0);
    }

    /// @dev A tolerance of one wei, of none, and below: the budget only narrows what is above zero.
    function test_the_smallest_tolerances() external view {
        Limits memory l = _limits();
        Progress memory p = _idleFor(1800);
        p.spent = 0.005e18;
        (l.firstTolerance, l.lastTolerance) = (0, 1);
        _same(l, p, 1800 * SECOND, 0.05e18, 0);
        p.spent = 0;
        _same(l, p, 1800 * SECOND, 0.05e18, 1);
        l.lastTolerance = 0;
        _same(l, p, 1800 * SECOND, 0.05e18, 0);
        (l.firstTolerance, l.lastTolerance) = (-2, -1);
        _same(l, p, 1800 * SECOND, 0.05e18, -1);
    }
}
