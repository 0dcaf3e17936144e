// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Lists} from "../../../contracts/libraries/Lists.sol";
import {vm} from "../../../lab/fuzz/Vm.sol";
import {Test} from "../Test.sol";

interface ILists {
    function askOne(address to, uint256[] calldata list) external view returns (uint256[] memory);
    function askAddresses(address to, address[] calldata list) external view returns (uint256[] memory);
    function askFour(address to, uint256[] calldata a, uint256[] calldata b, uint256[] calldata c, uint256[] calldata d)
        external
        view
        returns (uint256[] memory);
    function one(uint256[] calldata list) external pure returns (uint256[] memory);
    function four(uint256[] calldata a, uint256[] calldata b, uint256[] calldata c, uint256[] calldata d)
        external
        pure
        returns (uint256[] memory all);
}

/// @notice Answers with the hash of what it was asked, as a list of one word.
contract Hasher {
    fallback() external {
        uint256[] memory answer = new uint256[](1);
        answer[0] = uint256(keccak256(msg.data));
        bytes memory data = abi.encode(answer);
        assembly {
            return(add(data, 32), mload(data))
        }
    }
}

contract ListsTest is Test {
    address private constant ODD = address(0x0dd);

    ILists private _lists;
    address private _hasher;

    function setUp() external {
        _lists = ILists(deploy("ListsHarness", ""));
        _hasher = address(new Hasher());
    }

    function _list(uint256 n, uint256 first) private pure returns (uint256[] memory list) {
        list = new uint256[](n);
        for (uint256 i; i < n; ++i) {
            list[i] = first - i;
        }
    }

    /* WHAT IS SENT */

    function test_one_list_is_sent_as_solidity_encodes_it() external view {
        for (uint256 n; n < 5; ++n) {
            uint256[] memory list = _list(n, type(uint256).max);
            uint256[] memory answer = _lists.askOne(_hasher, list);
            equal(answer.length, 1, "answer");
            equal(answer[0], uint256(keccak256(abi.encodeCall(ILists.one, (list)))), "sent");
        }
    }

    function test_addresses_are_sent_as_words() external view {
        for (uint256 n; n < 5; ++n) {
            address[] memory accounts = new address[](n);
            uint256[] memory list = new uint256[](n);
            for (uint256 i; i < n; ++i) {
                accounts[i] = address(type(uint160).max - uint160(i));
                list[i] = uint160(accounts[i]);
            }
            uint256 sent = _lists.askAddresses(_hasher, accounts)[0];
            equal(sent, uint256(keccak256(abi.encodeCall(ILists.one, (list)))), "sent");
        }
    }

    function test_four_lists_are_sent_as_solidity_encodes_them() external view {
        for (uint256 n; n < 16; ++n) {
            uint256[] memory a = _list(n % 2, 1e18);
            uint256[] memory b = _list(n / 2 % 2 * 2, 2e18);
            uint256[] memory c = _list(n / 4 % 2 * 3, 3e18);
            uint256[] memory d = _list(n / 8 * 4, 4e18);
            uint256 sent = _lists.askFour(_hasher, a, b, c, d)[0];
            equal(sent, uint256(keccak256(abi.encodeCall(ILists.four, (a, b, c, d)))), "sent");
        }
    }

    /* WHAT IS ANSWERED */

    function test_lists_go_there_and_back() external view {
        uint256[4] memory lengths = [uint256(0), 1, 2, 50];
        for (uint256 k; k < 4; ++k) {
            uint256[] memory list = _list(lengths[k], type(uint256).max);
            equal(abi.encode(_lists.askOne(address(_lists), list)), abi.encode(list), "one");
            equal(abi.encode(_lists.one(list)), abi.encode(list), "an answer, as Solidity decodes it");
            uint256[] memory all = _lists.askFour(address(_lists), list, list, list, list);
            equal(all.length, 4 + 4 * lengths[k], "four");
        }
    }

    /// @dev Memory costs by its square: what would be left out between the lists is more than this gas pays for.
    function test_long_lists_take_no_more_memory_than_they_need() external view {
        uint256[] memory list = _list(400, type(uint256).max);
        equal(_lists.askOne{gas: 2_000_000}(address(_lists), list).length, 400, "entries");
    }

    /// @dev Makes `ODD` answer every call with these bytes, or revert with them.
    function _answers(bytes memory data, bool fails) private {
        // PUSH2 size, PUSH1 12, PUSH0, CODECOPY, PUSH2 size, PUSH0, RETURN or REVERT: 12 bytes before the data
        bytes2 size = bytes2(uint16(data.length));
        vm.etch(ODD, abi.encodePacked(hex"61", size, hex"600c5f3961", size, hex"5f", bytes1(fails ? 0xfd : 0xf3), data));
    }

    function _ask() private view returns (uint256[] memory) {
        return _lists.askOne(ODD, new uint256[](0));
    }

    function _refuses(bytes memory answer) private {
        _answers(answer, false);
        vm.expectRevert(abi.encodeWithSelector(Lists.NoList.selector, ODD));
        _ask();
    }

    function _accepts(bytes memory answer, uint256 n) private {
        _answers(answer, false);
        uint256[] memory found = _ask();
        equal(found.length, n, "entries");
        for (uint256 i; i < n; ++i) {
            equal(found[i], 7 + i, "entry");
        }
    }

    function test_a_list_may_be_empty() external {
        _accepts(abi.encode(32, 0), 0);
    }

    function test_an_answer_may_go_on_behind_its_list() external {
        _accepts(abi.encode(32, 0, 7, 8), 0);
        _accepts(abi.encode(32, 1, 7, 8), 1);
        _accepts(abi.encode(32, 2, 7, 8, 9), 2);
        _accepts(abi.encodePacked(abi.encode(32, 2, 7, 8), bytes31(0)), 2);
    }

    function test_an_answer_holds_all_that_it_counts() external {
        _accepts(abi.encode(32, 2, 7, 8), 2);
        _refuses(abi.encode(32, 3, 7, 8));
        _refuses(abi.encode(32, 1));
        _refuses(abi.encodePacked(abi.encode(32, 1), bytes31(0)));
        _refuses(abi.encodePacked(abi.encode(32, 3, 7, 8), bytes31(0)));
        _refuses(abi.encode(32, type(uint256).max, 7, 8));
    }

    function test_an_answer_has_offset_and_length() external {
        _refuses("");
        _refuses(abi.encode(32));
        _refuses(abi.encodePacked(uint256(32), bytes31(0)));
    }

    function test_a_list_stands_where_solidity_puts_it() external {
        _refuses(abi.encode(31, 1, 7));
        _refuses(abi.encode(33, 1, 7));
        _refuses(abi.encode(0, 1, 7));
        _refuses(abi.encode(64, 0, 1, 7));
        _refuses(abi.encode(31, 2, 7));
    }

    function test_it_fails_as_the_other_contract_does() external {
        bytes memory reason = abi.encodeWithSignature("Reason(uint256,uint256)", type(uint256).max, 2);
        _answers(reason, true);
        vm.expectRevert(reason);
        _ask();
        _answers("", true);
        vm.expectRevert(bytes(""));
        _ask();
    }
}
