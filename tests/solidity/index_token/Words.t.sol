// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Test} from "../Test.sol";

interface IWords {
    function write(uint256[] calldata words) external returns (address);
    function read(address pointer) external view returns (uint256[] memory);
    function givenWord(uint256[] calldata words, uint256 i) external pure returns (uint256);
    function givenAccount(address[] calldata accounts, uint256 i) external pure returns (address);
}

contract WordsTest is Test {
    IWords private _words;

    function setUp() external {
        _words = IWords(deploy("WordsHarness", ""));
    }

    function _list(uint256 n) private pure returns (uint256[] memory list) {
        list = new uint256[](n);
        for (uint256 i; i < n; ++i) {
            list[i] = type(uint256).max - i;
        }
    }

    function test_a_list_is_read_as_it_was_written() external {
        uint256[6] memory lengths = [uint256(0), 1, 2, 31, 50, 100];
        for (uint256 k; k < lengths.length; ++k) {
            uint256[] memory list = _list(lengths[k]);
            address pointer = _words.write(list);
            equal(pointer.code.length, 1 + 32 * lengths[k], "bytes");
            equal(abi.encode(_words.read(pointer)), abi.encode(list), "list");
        }
    }

    function test_there_is_no_list_at_the_zero_address() external view {
        equal(_words.read(address(0)).length, 0, "words");
    }

    function test_an_entry_of_calldata() external view {
        uint256[] memory list = _list(5);
        for (uint256 i; i < 5; ++i) {
            equal(_words.givenWord(list, i), type(uint256).max - i, "word");
        }
    }

    function test_an_account_of_calldata() external view {
        address[] memory list = new address[](5);
        for (uint256 i; i < 5; ++i) {
            list[i] = address(type(uint160).max - uint160(i));
        }
        for (uint256 i; i < 5; ++i) {
            equal(_words.givenAccount(list, i), list[i], "account");
        }
    }

    function test_what_stands_above_an_account_is_ignored() external view {
        bytes memory call =
            abi.encodeWithSelector(IWords.givenAccount.selector, 64, 1, 2, type(uint256).max, type(uint256).max - 2);
        (bool done, bytes memory answer) = address(_words).staticcall(call);
        equal(done, true, "called");
        equal(answer, abi.encode(address(type(uint160).max - 2)), "account");
    }
}
