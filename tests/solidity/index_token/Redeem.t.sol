// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IIndexToken} from "../../../contracts/interfaces/IIndexToken.sol";
import {Lie} from "../../../lab/fuzz/parts/FuzzToken.sol";
import {IndexScene} from "./IndexScene.sol";

/// @title RedeemTest
/// @notice `redeem`: this contract is the holder.
contract RedeemTest is IndexScene {
    uint256 private constant SHARES = 3.3e18 + 7;

    function setUp() external {
        _makeSeeded(0);
        _as(HOLDER);
        index.transfer(address(this), 100e18);
    }

    function _redeem(uint256[] memory least, uint256 skip) private returns (uint256[] memory) {
        return index.redeem(SHARES, STRANGER, _list(), least, skip);
    }

    function test_it_pays_each_part_rounded_down() external {
        uint256[] memory expected = _parts(SHARES, false);
        uint256[] memory before = _heldByAll(address(index));
        equal(_redeem(_none(), 0), expected, "amount");
        equal(_less(address(index), before), expected, "paid");
        equal(_heldByAll(STRANGER), expected, "received");
        equal(index.balanceOf(address(this)), 100e18 - SHARES, "shares");
        equal(index.totalSupply(), SEEDED - SHARES, "supply");
    }

    function test_it_pays_a_part_that_divides_as_it_is() external {
        equal(index.redeem(1e18, STRANGER, _list(), _none(), 0), _units(), "amount");
    }

    function test_it_tells_who_redeemed_what_for_whom() external {
        _expectEventOfIndex();
        emit IIndexToken.Redeemed(address(this), STRANGER, SHARES, 5);
        _redeem(_none(), 5);
    }

    function test_it_pays_exactly_the_least_that_is_accepted() external {
        _redeem(_parts(SHARES, false), 0);
        equal(index.balanceOf(address(this)), 100e18 - SHARES, "shares");
    }

    function test_it_pays_no_less_than_is_accepted() external {
        for (uint256 i; i < N; ++i) {
            uint256[] memory least = _parts(SHARES, false);
            uint256 amount = least[i]++;
            _expect(abi.encodeWithSelector(IIndexToken.BelowMin.selector, tokens[i], amount, amount + 1));
            _redeem(least, 0);
        }
    }

    /// @dev Not even looked at: the token that is skipped may be dead.
    function test_it_leaves_out_what_is_skipped() external {
        for (uint256 skip; skip < 8; ++skip) {
            uint256[] memory expected = _parts(SHARES, false);
            uint256[] memory least = _parts(SHARES, false);
            for (uint256 i; i < N; ++i) {
                if (skip / 2 ** i % 2 == 0) continue;
                (expected[i], least[i]) = (0, type(uint256).max);
                tokens[i].setLie(address(index), Lie.Refuses);
            }
            uint256[] memory before = _heldByAll(STRANGER);
            equal(_redeem(least, skip), expected, "amount");
            equal(_more(STRANGER, before), expected, "received");
            for (uint256 i; i < N; ++i) {
                tokens[i].setLie(address(index), Lie.None);
            }
        }
    }

    function test_it_refuses_other_tokens() external {
        for (uint256 i; i < N; ++i) {
            address[] memory list = _list();
            list[i] = STRANGER;
            _expect(abi.encodeWithSelector(IIndexToken.ComponentMismatch.selector, i, tokens[i], STRANGER));
            index.redeem(SHARES, STRANGER, list, _none(), 7);
        }
    }

    function test_it_needs_as_many_tokens_and_limits_as_components() external {
        uint256[5] memory lengths = [uint256(0), 1, 2, 4, 5];
        for (uint256 k; k < 5; ++k) {
            bytes memory reason = abi.encodeWithSelector(IIndexToken.LengthMismatch.selector, N, lengths[k]);
            _expect(reason);
            index.redeem(SHARES, STRANGER, new address[](lengths[k]), _none(), 0);
            _expect(reason);
            index.redeem(SHARES, STRANGER, _list(), new uint256[](lengths[k]), 0);
        }
    }

    function test_it_refuses_no_shares() external {
        _expect(abi.encodeWithSelector(IIndexToken.ZeroShares.selector));
        index.redeem(0, STRANGER, _list(), _none(), 0);
        index.redeem(1, STRANGER, _list(), _none(), 0);
        equal(index.totalSupply(), SEEDED - 1, "one wei of shares");
    }

    function test_it_refuses_to_pay_nobody() external {
        _expect(abi.encodeWithSelector(IIndexToken.ZeroAddress.selector));
        index.redeem(SHARES, address(0), _list(), _none(), 0);
        uint256[] memory amounts = index.redeem(SHARES, address(1), _list(), _none(), 0);
        equal(_heldByAll(address(1)), amounts, "received");
    }

    function test_it_needs_the_lock() external {
        _lock();
        _expect(abi.encodeWithSelector(IIndexToken.Locked.selector));
        _redeem(_none(), 0);
        _unlock();
        _redeem(_none(), 0);
        equal(index.locked(), false, "locked");
        _redeem(_none(), 0);
    }

    function test_it_pays_a_single_token_wei() external {
        tokens[1].setBalance(address(index), SEEDED / SHARES + 1);
        equal(_redeem(_none(), 0)[1], 1, "amount");
        equal(_held(1, STRANGER), 1, "received");
    }

    function test_it_calls_no_token_of_which_nothing_is_due() external {
        tokens[1].setBalance(address(index), SEEDED / SHARES);
        tokens[1].setStuck(true);
        equal(_redeem(_none(), 0)[1], 0, "amount");
    }

    function test_it_fails_as_a_token_does() external {
        // Behind a payment, which leaves its own traces in memory.
        tokens[1].setBalance(address(index), 1e25);
        tokens[2].setLie(address(index), Lie.Refuses);
        _expect(abi.encodeWithSignature("Refused()"));
        _redeem(_none(), 0);
        tokens[2].setLie(address(index), Lie.None);
        tokens[2].setStuck(true);
        _expect(abi.encodeWithSignature("Stuck()"));
        _redeem(_none(), 0);
    }

    /* STATES */

    function test_it_pays_what_is_suspended() external {
        _setState(1, type(uint40).max, false);
        uint256[] memory expected = _parts(SHARES, false);
        equal(_redeem(_none(), 0), expected, "amount");
        equal(_heldByAll(STRANGER), expected, "received");
    }

    function test_it_pays_nothing_of_what_is_written_off() external {
        _setState(1, 0, true);
        tokens[1].setLie(address(index), Lie.Refuses);
        uint256[] memory expected = _parts(SHARES, false);
        expected[1] = 0;
        equal(_redeem(_none(), 0), expected, "amount");
        equal(_heldByAll(STRANGER), expected, "received");
    }

    function test_nobody_can_ask_for_what_is_written_off() external {
        _setState(1, 0, true);
        uint256[] memory least = _none();
        least[1] = 1;
        _expect(abi.encodeWithSelector(IIndexToken.BelowMin.selector, tokens[1], 0, 1));
        _redeem(least, 0);
    }
}
