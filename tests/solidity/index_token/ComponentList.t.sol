// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Component, ComponentList} from "../../../contracts/libraries/ComponentList.sol";
import {vm} from "../../../lab/fuzz/Vm.sol";
import {Test} from "../Test.sol";

interface IComponentList {
    function write(Component[] calldata list) external returns (uint256[] memory);
    function pack(Component calldata entry) external pure returns (uint256);
    function unpack(uint256[] calldata words) external pure returns (Component[] memory);
    function token(uint256 word) external pure returns (address);
    function decimals(uint256 word) external pure returns (uint8);
    function marked(uint256 word) external pure returns (bool);
    function suspended(uint256 word) external view returns (bool);
    function inactive(uint256 word) external view returns (bool);
    function suspendedUntil(uint256 word) external pure returns (uint40);
    function writtenOff(uint256 word) external pure returns (bool);
    function withState(uint256 word, uint40 until, bool off) external pure returns (uint256);
}

/// @title ComponentListTest
/// @notice Words: 20 bytes of token, 5 of nothing, 5 of time, one of decimals, one of state.
contract ComponentListTest is Test {
    address private constant TOKEN = 0xF123456789aBCdeF0123456789AbCdEf01234567;
    uint40 private constant UNTIL = 0x9122334455;
    uint8 private constant DECIMALS = 0x93;
    /// @dev Neither suspended nor written off.
    uint256 private constant PLAIN = 0xf123456789abcdef0123456789abcdef01234567_0000000000_0000000000_93_00;
    uint256 private constant SUSPENDED = 0xf123456789abcdef0123456789abcdef01234567_0000000000_9122334455_93_00;
    uint256 private constant OFF = 0xf123456789abcdef0123456789abcdef01234567_0000000000_0000000000_93_01;
    uint256 private constant BOTH = 0xf123456789abcdef0123456789abcdef01234567_0000000000_9122334455_93_01;
    uint256 private constant FULL = 0xf123456789abcdef0123456789abcdef01234567_0000000000_ffffffffff_93_01;

    IComponentList private _list;

    function setUp() external {
        _list = IComponentList(deploy("ComponentListHarness", ""));
    }

    function test_an_entry_as_a_word() external view {
        equal(_list.pack(Component(TOKEN, DECIMALS, 0, false)), PLAIN, "plain");
        equal(_list.pack(Component(TOKEN, DECIMALS, UNTIL, false)), SUSPENDED, "suspended");
        equal(_list.pack(Component(TOKEN, DECIMALS, 0, true)), OFF, "written off");
        equal(_list.pack(Component(TOKEN, DECIMALS, UNTIL, true)), BOTH, "both");
    }

    function test_the_parts_of_a_word() external view {
        uint256[4] memory words = [PLAIN, SUSPENDED, OFF, BOTH];
        for (uint256 i; i < 4; ++i) {
            equal(_list.token(words[i]), TOKEN, "token");
            equal(_list.decimals(words[i]), DECIMALS, "decimals");
            equal(_list.suspendedUntil(words[i]), i % 2 == 0 ? 0 : UNTIL, "until");
            equal(_list.writtenOff(words[i]), i > 1, "written off");
            equal(_list.marked(words[i]), i != 0, "marked");
        }
    }

    function test_any_bit_of_the_state_marks() external view {
        for (uint256 bit; bit < 256; ++bit) {
            bool ofState = bit < 8 || (bit >= 16 && bit < 56);
            equal(_list.marked(1 << bit), ofState, vm.toString(bit));
        }
    }

    function test_it_is_suspended_before_its_time() external {
        vm.warp(UNTIL - 1);
        equal(_list.suspended(SUSPENDED), true, "suspended before");
        equal(_list.inactive(SUSPENDED), true, "inactive before");
        vm.warp(UNTIL);
        equal(_list.suspended(SUSPENDED), false, "suspended then");
        equal(_list.inactive(SUSPENDED), false, "inactive then");
    }

    function test_what_was_never_suspended_is_active() external view {
        equal(_list.suspended(PLAIN), false, "suspended");
        equal(_list.inactive(PLAIN), false, "inactive");
    }

    function test_what_is_written_off_is_inactive_and_not_suspended() external {
        uint256[2] memory times = [uint256(UNTIL - 1), UNTIL];
        for (uint256 i; i < 2; ++i) {
            vm.warp(times[i]);
            equal(_list.suspended(OFF), false, "suspended");
            equal(_list.inactive(OFF), true, "inactive");
            equal(_list.suspended(BOTH), false, "both, suspended");
            equal(_list.inactive(BOTH), true, "both, inactive");
        }
    }

    function test_a_state_replaces_all_of_another() external view {
        uint256[5] memory words = [PLAIN, SUSPENDED, OFF, BOTH, FULL];
        for (uint256 i; i < 5; ++i) {
            equal(_list.withState(words[i], 0, false), PLAIN, "plain");
            equal(_list.withState(words[i], UNTIL, false), SUSPENDED, "suspended");
            equal(_list.withState(words[i], 0, true), OFF, "written off");
            equal(_list.withState(words[i], UNTIL, true), BOTH, "both");
            equal(_list.withState(words[i], type(uint40).max, true), FULL, "for good");
        }
    }

    /* LISTS */

    function _entries(uint256 n) private pure returns (Component[] memory list) {
        list = new Component[](n);
        for (uint256 i; i < n; ++i) {
            list[i] = Component(address(uint160(i + 1)), uint8(i), uint40(2 * i), i % 2 == 1);
        }
    }

    function test_a_list_is_written_word_by_word() external {
        for (uint256 n; n < 4; ++n) {
            uint256[] memory words = _list.write(_entries(n));
            equal(words.length, n, "words");
            for (uint256 i; i < n; ++i) {
                equal(words[i], ((i + 1) << 96) + ((2 * i) << 16) + (i << 8) + i % 2, "word");
            }
            equal(abi.encode(_list.unpack(words)), abi.encode(_entries(n)), "list");
        }
    }

    function test_tokens_ascend() external {
        for (uint256 i; i < 3; ++i) {
            Component[] memory list = _entries(3);
            list[i].token = i == 0 ? address(0) : list[i - 1].token;
            vm.expectRevert(abi.encodeWithSelector(ComponentList.NotAscending.selector, i));
            _list.write(list);
        }
        Component[] memory falling = _entries(3);
        falling[0].token = address(3);
        vm.expectRevert(abi.encodeWithSelector(ComponentList.NotAscending.selector, 1));
        _list.write(falling);
    }
}
