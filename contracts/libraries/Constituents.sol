// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {DynamicArrayLib} from "solady/src/utils/DynamicArrayLib.sol";

import {Constituent, Status} from "../interfaces/IMethodology.sol";
import {Words} from "./Words.sol";

/// @title Constituents
/// @notice Packs a determination into two words for each constituent, kept as contract code: token (160 bits, high),
/// flags (8), basis (88); then price (100, high), weight (64), confirmed basis (88), member (1), status (3). What a
/// start confirms of each is one word: status (4 bits, from bit 96), flags (8), basis (88).
library Constituents {
    using DynamicArrayLib for uint256[];
    using Words for uint256[];

    uint256 private constant WORDS = 2;
    uint256 private constant BASIS_AND_FLAGS = (1 << 96) - 1;
    uint256 private constant MEMBER = 8;
    uint256 private constant STATUS = 7;

    /* LISTS */

    /// @notice Writes constituents, whose prices are below `Domain.PRICE_LIMIT`, and returns where.
    function write(Constituent[] memory list) internal returns (address) {
        uint256[] memory words = new uint256[](WORDS * list.length);
        for (uint256 i; i < list.length; ++i) {
            Constituent memory c = list[i];
            words[WORDS * i] = (uint256(uint160(c.token)) << 96) | packBasis(c.basis, c.flags);
            words[WORDS * i + 1] = (uint256(c.price) << 156) | (uint256(c.weight) << 92) | (uint256(c.confirmed) << 4)
                | (c.member ? MEMBER : 0) | uint256(c.status);
        }
        return Words.write(words);
    }

    /// @notice Reads constituents; none for the zero address.
    function read(address pointer) internal view returns (Constituent[] memory list) {
        uint256[] memory words = Words.read(pointer);
        list = new Constituent[](words.length / WORDS);
        for (uint256 i; i < list.length; ++i) {
            (uint256 word, uint256 more) = (words[WORDS * i], words[WORDS * i + 1]);
            list[i] = Constituent({
                token: token(word),
                basis: basis(word),
                status: status(more),
                flags: flags(word),
                price: price(more),
                weight: weight(more),
                confirmed: confirmed(more),
                member: member(more)
            });
        }
    }

    /// @notice Constituents as a start confirmed them, of packed ones as they were determined: basis, flags and status
    /// are replaced. The words are changed in place.
    /// @param answers What each is confirmed with, one word each.
    function confirm(uint256[] memory words, uint256[] memory answers) internal pure {
        for (uint256 i; i < answers.length; ++i) {
            uint256 answer = answers[i];
            words[WORDS * i] = (words[WORDS * i] & ~BASIS_AND_FLAGS) | (answer & BASIS_AND_FLAGS);
            words[WORDS * i + 1] = (words[WORDS * i + 1] & ~STATUS) | uint256(confirmedStatus(answer));
        }
    }

    /// @notice What `IMethodology.confirm` returns where all constituents count as they were determined.
    function asDetermined(uint256[] calldata words) internal pure returns (uint256[] memory list) {
        uint256 n = words.length / WORDS;
        list = DynamicArrayLib.malloc(n);
        unchecked {
            // Positions in calldata.
            for (uint256 i; i < n; ++i) {
                list.set(i, asConfirmed(words.given(WORDS * i), words.given(WORDS * i + 1)));
            }
        }
    }

    /* ROWS */

    // Of a packed list in memory, where the caller knows that it has row `i`.

    /// @notice Both words of row `i`.
    function rowAt(uint256[] memory words, uint256 i) internal pure returns (uint256 word, uint256 more) {
        unchecked {
            // A position in memory, as those below.
            return (words.get(WORDS * i), words.get(WORDS * i + 1));
        }
    }

    /// @notice Token of row `i`.
    function tokenAt(uint256[] memory words, uint256 i) internal pure returns (address) {
        unchecked {
            return token(words.get(WORDS * i));
        }
    }

    /// @notice Price of row `i`.
    function priceAt(uint256[] memory words, uint256 i) internal pure returns (uint128) {
        unchecked {
            return price(words.get(WORDS * i + 1));
        }
    }

    /// @notice Weight of row `i`.
    function weightAt(uint256[] memory words, uint256 i) internal pure returns (uint64) {
        unchecked {
            return weight(words.get(WORDS * i + 1));
        }
    }

    /// @notice Status of row `i`.
    function statusAt(uint256[] memory words, uint256 i) internal pure returns (Status) {
        unchecked {
            return status(words.get(WORDS * i + 1));
        }
    }

    /* WORDS */

    /// @notice A basis with its flags.
    function packBasis(uint88 basis_, uint8 flags_) internal pure returns (uint256) {
        return (uint256(flags_) << 88) | basis_;
    }

    /// @notice What a start confirms of a constituent.
    function packConfirmed(uint88 basis_, uint8 flags_, Status status_) internal pure returns (uint256) {
        return (uint256(status_) << 96) | packBasis(basis_, flags_);
    }

    /// @notice What a start confirms of a constituent, given by its two words, that counts as it was determined.
    function asConfirmed(uint256 word, uint256 more) internal pure returns (uint256) {
        return ((more & STATUS) << 96) | basisAndFlags(word);
    }

    /// @notice Token, of a constituent's first word.
    function token(uint256 word) internal pure returns (address) {
        return address(uint160(word >> 96));
    }

    /// @notice Basis, of a constituent's first word or of a confirmed basis.
    function basis(uint256 word) internal pure returns (uint88) {
        return uint88(word);
    }

    /// @notice Basis with its flags, of a constituent's first word.
    function basisAndFlags(uint256 word) internal pure returns (uint256) {
        return word & BASIS_AND_FLAGS;
    }

    /// @notice Flags, of a constituent's first word or of a confirmed basis.
    function flags(uint256 word) internal pure returns (uint8) {
        return uint8(word >> 88);
    }

    /// @notice Price, of a constituent's second word.
    function price(uint256 more) internal pure returns (uint128) {
        return uint128(more >> 156);
    }

    /// @notice Weight, of a constituent's second word.
    function weight(uint256 more) internal pure returns (uint64) {
        return uint64(more >> 92);
    }

    /// @notice Basis that the last started month confirmed, of a constituent's second word.
    function confirmed(uint256 more) internal pure returns (uint88) {
        return uint88(more >> 4);
    }

    /// @notice Whether the last started month included it, of a constituent's second word.
    function member(uint256 more) internal pure returns (bool) {
        return more & MEMBER != 0;
    }

    /// @notice Status, of a constituent's second word.
    function status(uint256 more) internal pure returns (Status) {
        return Status(more & STATUS);
    }

    /// @notice Status, of a word that a start confirms, as a number: Solidity checks an enum wherever it is looked at.
    function confirmedStatusNumber(uint256 word) internal pure returns (uint256) {
        return word >> 96;
    }

    /// @notice Status, of a word that a start confirms.
    function confirmedStatus(uint256 word) internal pure returns (Status) {
        return Status((word >> 96) & 15);
    }
}
