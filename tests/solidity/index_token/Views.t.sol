// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IIndexToken} from "../../../contracts/interfaces/IIndexToken.sol";
import {Lie} from "../../../lab/fuzz/parts/FuzzToken.sol";
import {vm} from "../../../lab/fuzz/Vm.sol";
import {IndexScene} from "./IndexScene.sol";

/// @title ViewsTest
/// @notice What the index token says of its components, and the previews.
contract ViewsTest is IndexScene {
    uint256 private constant SHARES = 3.3e18 + 7;

    function setUp() external {
        _makeSeeded(A_FEE);
        vm.warp(block.timestamp + 77 days);
    }

    /* COMPONENTS */

    function test_a_constituent_is_on_the_list() external {
        for (uint256 i; i < N; ++i) {
            equal(index.isConstituent(address(tokens[i])), true, "a component");
        }
        equal(index.isConstituent(STRANGER), false, "another account");
        equal(index.isConstituent(address(type(uint160).max)), false, "behind the last");
        _setState(1, type(uint40).max, true);
        equal(index.isConstituent(address(tokens[1])), true, "in any state");
    }

    function test_a_reserve_is_the_balance_of_a_component() external {
        for (uint256 i; i < N; ++i) {
            equal(index.getReserve(address(tokens[i])), _held(i, address(index)), "reserve");
        }
        tokens[1].setBalance(address(index), type(uint256).max);
        equal(index.getReserve(address(tokens[1])), type(uint256).max, "any number");
    }

    function test_nothing_else_has_a_reserve() external {
        _expect(abi.encodeWithSelector(IIndexToken.NotComponent.selector, STRANGER));
        index.getReserve(STRANGER);
        _expect(abi.encodeWithSelector(IIndexToken.NotComponent.selector, index));
        index.getReserve(address(index));
    }

    function test_nothing_in_flux_is_told() external {
        _lock();
        bytes memory reason = abi.encodeWithSelector(IIndexToken.Locked.selector);
        _expect(reason);
        index.getReserve(address(tokens[0]));
        _expect(reason);
        index.previewMint(SHARES);
        _expect(reason);
        index.previewRedeem(SHARES);
        _unlock();
        index.getReserve(address(tokens[0]));
        index.previewMint(SHARES);
        index.previewRedeem(SHARES);
    }

    /* PREVIEWS */

    function _checkMint(uint256[] memory expected, uint256 expectedBlocked) private view {
        (address[] memory list, uint256[] memory amounts, uint256 blocked) = index.previewMint(SHARES);
        equal(list, _list(), "tokens to mint with");
        equal(amounts, expected, "amount to mint");
        equal(blocked, expectedBlocked, "blocked for a mint");
    }

    function _checkRedeem(uint256[] memory expected, uint256 expectedBlocked) private view {
        (address[] memory list, uint256[] memory amounts, uint256 blocked) = index.previewRedeem(SHARES);
        equal(list, _list(), "tokens of a redemption");
        equal(amounts, expected, "amount of a redemption");
        equal(blocked, expectedBlocked, "blocked for a redemption");
    }

    function test_previews_round_as_mint_and_redeem_do() external {
        _checkMint(_parts(SHARES, true), 0);
        _checkRedeem(_parts(SHARES, false), 0);
    }

    function test_a_preview_of_what_divides() external {
        (, uint256[] memory minted,) = index.previewMint(index.totalSupply());
        equal(minted, _heldByAll(address(index)), "all of it, up");
        (, uint256[] memory redeemed,) = index.previewRedeem(index.totalSupply());
        equal(redeemed, _heldByAll(address(index)), "all of it, down");
    }

    function test_what_is_suspended_blocks_a_mint() external {
        for (uint256 i; i < N; ++i) {
            uint256 until = block.timestamp + 100;
            _setState(i, uint40(until), false);
            vm.warp(until - 1);
            _checkMint(_parts(SHARES, true), 2 ** i);
            _checkRedeem(_parts(SHARES, false), 0);
            vm.warp(until);
            _checkMint(_parts(SHARES, true), 0);
        }
    }

    function test_what_is_not_sound_blocks_both() external {
        for (uint256 i; i < N; ++i) {
            uint256[] memory up = _parts(SHARES, true);
            uint256[] memory down = _parts(SHARES, false);
            (up[i], down[i]) = (0, 0);
            tokens[i].setLie(address(index), Lie.Refuses);
            _checkMint(up, 2 ** i);
            _checkRedeem(down, 2 ** i);
            tokens[i].setLie(address(index), Lie.None);
        }
    }

    function test_all_that_blocks_is_told() external {
        _setState(0, type(uint40).max, false);
        tokens[2].setLie(address(index), Lie.Huge);
        uint256[] memory up = _parts(SHARES, true);
        uint256[] memory down = _parts(SHARES, false);
        (up[2], down[2]) = (0, 0);
        _checkMint(up, 5);
        _checkRedeem(down, 4);
    }

    /// @dev Not even asked for its balance.
    function test_what_is_written_off_is_left_out() external {
        _setState(1, type(uint40).max, true);
        tokens[1].setLie(address(index), Lie.Refuses);
        uint256[] memory up = _parts(SHARES, true);
        uint256[] memory down = _parts(SHARES, false);
        (up[1], down[1]) = (0, 0);
        _checkMint(up, 0);
        _checkRedeem(down, 0);
    }
}
