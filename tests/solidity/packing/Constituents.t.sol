// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Constituent, Status} from "../../../contracts/interfaces/IMethodology.sol";
import {Test} from "../Test.sol";

interface IConstituents {
    function write(Constituent[] calldata list) external returns (uint256[] memory words, Constituent[] memory found);
    function read(address pointer) external view returns (Constituent[] memory);
    function confirm(uint256[] memory words, uint256[] calldata answers) external pure returns (uint256[] memory);
    function asDetermined(uint256[] calldata words) external pure returns (uint256[] memory);
    function rowAt(uint256[] calldata words, uint256 i) external pure returns (uint256 word, uint256 more);
    function tokenAt(uint256[] calldata words, uint256 i) external pure returns (address);
    function priceAt(uint256[] calldata words, uint256 i) external pure returns (uint128);
    function weightAt(uint256[] calldata words, uint256 i) external pure returns (uint64);
    function statusAt(uint256[] calldata words, uint256 i) external pure returns (Status);
    function packBasis(uint88 basis, uint8 flags) external pure returns (uint256);
    function packConfirmed(uint88 basis, uint8 flags, Status status) external pure returns (uint256);
    function asConfirmed(uint256 word, uint256 more) external pure returns (uint256);
    function basis(uint256 word) external pure returns (uint88);
    function basisAndFlags(uint256 word) external pure returns (uint256);
    function flags(uint256 word) external pure returns (uint8);
    function confirmed(uint256 more) external pure returns (uint88);
    function member(uint256 more) external pure returns (bool);
    function confirmedStatusNumber(uint256 word) external pure returns (uint256);
    function confirmedStatus(uint256 word) external pure returns (Status);
}

/// @title ConstituentsTest
/// @notice A determination as words: each hexadecimal digit at its place.
contract ConstituentsTest is Test {
    address private constant TOKEN = 0xF123456789aBCdeF0123456789AbCdEf01234567;
    uint8 private constant FLAGS = 0xa5;
    uint88 private constant BASIS = 0x9182736455463728190a0b;
    uint128 private constant PRICE = 0xc5a4938271605f4e3d2c1b0a9;
    uint64 private constant WEIGHT = 0xb1c2d3e4f5061728;
    uint88 private constant CONFIRMED = 0xd1e2f30415263748596a7b;
    /// @dev Token, flags, basis.
    uint256 private constant WORD = 0xf123456789abcdef0123456789abcdef01234567_a5_9182736455463728190a0b;
    /// @dev Price, weight, confirmed basis; member and status are in the last digit.
    uint256 private constant MORE = 0xc5a4938271605f4e3d2c1b0a9_b1c2d3e4f5061728_d1e2f30415263748596a7b_0;
    /// @dev Flags and basis.
    uint256 private constant ANSWER = 0xa5_9182736455463728190a0b;
    uint256 private constant MEMBER = 8;

    IConstituents private _packed;

    function setUp() external {
        _packed = IConstituents(deploy("ConstituentsHarness", ""));
    }

    function _constituent(uint256 status, bool member) private pure returns (Constituent memory) {
        return Constituent(TOKEN, BASIS, Status(status), FLAGS, PRICE, WEIGHT, CONFIRMED, member);
    }

    /* LISTS */

    function test_constituents_are_written_as_two_words_each() external {
        for (uint256 n; n < 4; ++n) {
            Constituent[] memory list = new Constituent[](n);
            uint256[] memory words = new uint256[](2 * n);
            for (uint256 i; i < n; ++i) {
                list[i] = _constituent(i + 1, i % 2 == 0);
                (words[2 * i], words[2 * i + 1]) = (WORD, MORE + (i % 2 == 0 ? MEMBER : 0) + i + 1);
            }
            _check(list, words);
        }
    }

    function test_no_field_reaches_into_another() external {
        Constituent[] memory list = new Constituent[](8);
        uint256[] memory words = new uint256[](16);
        (list[0].token, words[0]) = (address(type(uint160).max), uint256(type(uint160).max) << 96);
        (list[1].basis, words[2]) = (type(uint88).max, type(uint88).max);
        (list[2].flags, words[4]) = (type(uint8).max, uint256(type(uint8).max) << 88);
        (list[3].price, words[7]) = ((1 << 100) - 1, uint256((1 << 100) - 1) << 156);
        (list[4].weight, words[9]) = (type(uint64).max, uint256(type(uint64).max) << 92);
        (list[5].confirmed, words[11]) = (type(uint88).max, uint256(type(uint88).max) << 4);
        (list[6].member, words[13]) = (true, 8);
        (list[7].status, words[15]) = (Status.Outside, 3);
        _check(list, words);
    }

    function _check(Constituent[] memory list, uint256[] memory words) private {
        (uint256[] memory written, Constituent[] memory found) = _packed.write(list);
        equal(abi.encode(written), abi.encode(words), "words");
        equal(abi.encode(found), abi.encode(list), "list");
    }

    function test_there_are_none_at_the_zero_address() external view {
        equal(_packed.read(address(0)).length, 0, "constituents");
    }

    function _words() private pure returns (uint256[] memory words) {
        words = new uint256[](6);
        for (uint256 i; i < 3; ++i) {
            // Each row differs from the others in every field.
            (words[2 * i], words[2 * i + 1]) = (WORD ^ _mark(i), (MORE ^ _mark(i)) + MEMBER + i + 1);
        }
    }

    /// @dev A bit of each field.
    function _mark(uint256 i) private pure returns (uint256) {
        return i == 0 ? 0 : (1 << (96 + i)) + (1 << (88 + i)) + (1 << (4 + i)) + (1 << (156 + i));
    }

    function test_what_a_start_confirms_replaces_basis_flags_and_status() external view {
        for (uint256 n; n < 4; ++n) {
            uint256[] memory answers = new uint256[](n);
            uint256[] memory expected = _words();
            for (uint256 i; i < n; ++i) {
                answers[i] = ((3 - i) << 96) + (0x5a0123456789abcdef012345 << i);
                // The first word keeps its token, the second all but its status.
                expected[2 * i] = (expected[2 * i] >> 96 << 96) + (0x5a0123456789abcdef012345 << i) % 2 ** 96;
                expected[2 * i + 1] = expected[2 * i + 1] / 8 * 8 + answers[i] / 2 ** 96;
            }
            if (n > 0) equal(abi.encode(_packed.confirm(_words(), answers)), abi.encode(expected), "words");
            else equal(abi.encode(_packed.confirm(_words(), answers)), abi.encode(_words()), "none");
        }
    }

    function test_as_determined_is_flags_basis_and_status() external view {
        for (uint256 n; n < 4; ++n) {
            uint256[] memory words = new uint256[](2 * n);
            uint256[] memory expected = new uint256[](n);
            for (uint256 i; i < n; ++i) {
                (words[2 * i], words[2 * i + 1]) = (WORD ^ _mark(i), MORE + MEMBER + i + 1);
                expected[i] = (ANSWER ^ (_mark(i) % 2 ** 96)) + ((i + 1) << 96);
            }
            equal(abi.encode(_packed.asDetermined(words)), abi.encode(expected), "answers");
        }
    }

    /* ROWS */

    function test_the_fields_of_a_row() external view {
        uint256[] memory words = _words();
        for (uint256 i; i < 3; ++i) {
            (uint256 word, uint256 more) = _packed.rowAt(words, i);
            equal(word, words[2 * i], "word");
            equal(more, words[2 * i + 1], "more");
            equal(_packed.tokenAt(words, i), address(uint160(word / 2 ** 96)), "token");
            equal(_packed.priceAt(words, i), more / 2 ** 156, "price");
            equal(_packed.weightAt(words, i), more / 2 ** 92 % 2 ** 64, "weight");
            equal(uint256(_packed.statusAt(words, i)), i + 1, "status");
        }
    }

    /* WORDS */

    function test_packs_basis_flags_and_status() external view {
        equal(_packed.packBasis(BASIS, FLAGS), ANSWER, "basis and flags");
        for (uint256 status; status < 4; ++status) {
            uint256 word = _packed.packConfirmed(BASIS, FLAGS, Status(status));
            equal(word, (status << 96) + ANSWER, "answer");
            equal(_packed.asConfirmed(WORD, MORE + status), word, "as confirmed");
            equal(_packed.asConfirmed(WORD, MORE + MEMBER + status), word, "as confirmed, a member");
            equal(_packed.confirmedStatusNumber(word), status, "number");
            equal(uint256(_packed.confirmedStatus(word)), status, "status");
            equal(uint256(_packed.confirmedStatus(word + (1 << 100))), status, "status takes four bits");
        }
    }

    function test_the_fields_of_a_word() external view {
        equal(_packed.basis(WORD), BASIS, "basis");
        equal(_packed.basisAndFlags(WORD), ANSWER, "basis and flags");
        equal(_packed.flags(WORD), FLAGS, "flags");
        equal(_packed.confirmed(MORE), CONFIRMED, "confirmed");
        equal(_packed.member(MORE + 7), false, "no member");
        equal(_packed.member(MEMBER), true, "a member");
    }
}
