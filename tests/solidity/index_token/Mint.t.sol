// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IIndexToken} from "../../../contracts/interfaces/IIndexToken.sol";
import {Lie} from "../../../lab/fuzz/parts/FuzzToken.sol";
import {vm} from "../../../lab/fuzz/Vm.sol";
import {IndexScene} from "./IndexScene.sol";

/// @title MintTest
/// @notice `mint`.
contract MintTest is IndexScene {
    uint256 private constant SHARES = 3.3e18 + 7;

    function setUp() external {
        _makeSeeded(0);
    }

    function test_it_takes_each_part_rounded_up() external {
        uint256[] memory before = _heldByAll(address(this));
        uint256[] memory expected = _parts(SHARES, true);
        uint256[] memory amounts = index.mint(SHARES, STRANGER, _list(), _most());
        equal(amounts, expected, "amount");
        equal(_less(address(this), before), expected, "paid");
        equal(index.balanceOf(STRANGER), SHARES, "shares");
        equal(index.totalSupply(), SEEDED + SHARES, "supply");
    }

    function test_it_takes_a_part_that_divides_as_it_is() external {
        uint256[] memory expected = _heldByAll(address(index));
        equal(index.mint(SEEDED, STRANGER, _list(), _most()), expected, "as much as there is");
    }

    function test_it_tells_who_minted_what_to_whom() external {
        _expectEventOfIndex();
        emit IIndexToken.Minted(address(this), STRANGER, SHARES);
        index.mint(SHARES, STRANGER, _list(), _most());
    }

    function test_it_takes_exactly_the_most_that_is_allowed() external {
        index.mint(SHARES, STRANGER, _list(), _parts(SHARES, true));
        equal(index.balanceOf(STRANGER), SHARES, "shares");
    }

    function test_it_takes_no_more_than_is_allowed() external {
        for (uint256 i; i < N; ++i) {
            uint256[] memory most = _parts(SHARES, true);
            uint256 amount = most[i]--;
            _expect(abi.encodeWithSelector(IIndexToken.AboveMax.selector, tokens[i], amount, amount - 1));
            index.mint(SHARES, STRANGER, _list(), most);
        }
    }

    function test_it_refuses_other_tokens() external {
        for (uint256 i; i < N; ++i) {
            address[] memory list = _list();
            list[i] = STRANGER;
            _expect(abi.encodeWithSelector(IIndexToken.ComponentMismatch.selector, i, tokens[i], STRANGER));
            index.mint(SHARES, STRANGER, list, _most());
        }
    }

    function test_it_needs_as_many_tokens_and_limits_as_components() external {
        _expect(abi.encodeWithSelector(IIndexToken.LengthMismatch.selector, N, N - 1));
        index.mint(SHARES, STRANGER, new address[](N - 1), _most());
        _expect(abi.encodeWithSelector(IIndexToken.LengthMismatch.selector, N, N + 1));
        index.mint(SHARES, STRANGER, new address[](N + 1), _most());
        _expect(abi.encodeWithSelector(IIndexToken.LengthMismatch.selector, N, N - 1));
        index.mint(SHARES, STRANGER, _list(), new uint256[](N - 1));
        _expect(abi.encodeWithSelector(IIndexToken.LengthMismatch.selector, N, N + 1));
        index.mint(SHARES, STRANGER, _list(), new uint256[](N + 1));
    }

    function test_it_refuses_no_shares() external {
        _expect(abi.encodeWithSelector(IIndexToken.ZeroShares.selector));
        index.mint(0, STRANGER, _list(), _most());
        index.mint(1, STRANGER, _list(), _most());
        equal(index.balanceOf(STRANGER), 1, "one wei of shares");
    }

    function test_it_keeps_to_the_cap() external {
        uint256 cap = uint256(CAP) * 1e18;
        _expect(abi.encodeWithSelector(IIndexToken.AboveSupplyCap.selector, cap + 1, cap));
        index.mint(cap - SEEDED + 1, STRANGER, _list(), _most());
        index.mint(cap - SEEDED, STRANGER, _list(), _most());
        equal(index.totalSupply(), cap, "supply");
    }

    function test_it_needs_the_lock() external {
        _lock();
        _expect(abi.encodeWithSelector(IIndexToken.Locked.selector));
        index.mint(SHARES, STRANGER, _list(), _most());
        _unlock();
        index.mint(SHARES, STRANGER, _list(), _most());
        equal(index.locked(), false, "locked");
        index.mint(SHARES, STRANGER, _list(), _most());
    }

    function test_it_takes_a_single_token_wei() external {
        tokens[1].setBalance(address(index), 1);
        uint256[] memory before = _heldByAll(address(this));
        uint256[] memory amounts = index.mint(SHARES, STRANGER, _list(), _most());
        equal(amounts[1], 1, "amount");
        equal(_less(address(this), before)[1], 1, "paid");
    }

    function test_it_calls_no_token_of_which_nothing_is_due() external {
        tokens[1].setBalance(address(index), 0);
        tokens[1].setStuck(true);
        uint256[] memory amounts = index.mint(SHARES, STRANGER, _list(), _nothingOfTheSecond());
        equal(amounts[1], 0, "amount");
        equal(index.balanceOf(STRANGER), SHARES, "shares");
    }

    function _nothingOfTheSecond() private pure returns (uint256[] memory most) {
        most = _most();
        most[1] = 0;
    }

    /* STATES */

    function test_nobody_mints_while_a_component_is_suspended() external {
        uint256 until = block.timestamp + 100;
        _setState(1, uint40(until), false);
        vm.warp(until - 1);
        _expect(abi.encodeWithSelector(IIndexToken.ComponentSuspended.selector, tokens[1]));
        index.mint(SHARES, STRANGER, _list(), _most());
    }

    function test_it_takes_what_was_suspended_once() external {
        uint256 until = block.timestamp + 100;
        _setState(1, uint40(until), false);
        vm.warp(until);
        uint256[] memory expected = _parts(SHARES, true);
        equal(index.mint(SHARES, STRANGER, _list(), _most()), expected, "amount");
    }

    function test_it_leaves_out_what_is_written_off() external {
        _setState(1, 0, true);
        _mintWithoutTheSecond();
    }

    function test_it_leaves_out_what_is_written_off_while_suspended() external {
        _setState(1, type(uint40).max, true);
        _mintWithoutTheSecond();
    }

    function _mintWithoutTheSecond() private {
        tokens[1].setLie(address(index), Lie.Refuses);
        uint256[] memory expected = _parts(SHARES, true);
        expected[1] = 0;
        uint256[] memory before = _heldByAll(address(this));
        uint256[] memory amounts = index.mint(SHARES, STRANGER, _list(), _nothingOfTheSecond());
        equal(amounts, expected, "amount");
        equal(_less(address(this), before), expected, "paid");
    }

    function test_it_fails_as_a_token_does() external {
        tokens[1].setLie(address(index), Lie.Refuses);
        _expect(abi.encodeWithSignature("Refused()"));
        index.mint(SHARES, STRANGER, _list(), _most());
    }
}
