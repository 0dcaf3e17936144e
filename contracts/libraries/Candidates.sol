// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {DynamicArrayLib} from "solady/src/utils/DynamicArrayLib.sol";

import {Constituents} from "./Constituents.sol";
import {Decimals} from "./Decimals.sol";
import {Domain} from "./Domain.sol";
import {Words} from "./Words.sol";

/// @notice What the owner says of a candidate.
/// Active: may be included. Frozen: held as it is, never traded. Leaving: target zero.
enum State {
    Active,
    Frozen,
    Leaving
}

/// @notice A candidate of a market-cap index.
/// @param source Where its circulating supply comes from, an `ISupplySource`.
/// @param wholeTokens The supply that counts as confirmed until a started month has confirmed one; 0: none is given.
struct Candidate {
    address token;
    address source;
    State state;
    uint88 wholeTokens;
}

/// @title Candidates
/// @notice Packs candidates into two words each: token; then given supply (88 bits, high), source (160), state (8).
library Candidates {
    /// @notice Candidates must ascend strictly by address and have a source with code.
    error UnfitCandidate(address token);
    /// @notice The token does not say how many decimals it has, or has more than 27: no list could take it.
    error UnfitDecimals(address token);
    /// @notice No candidates, or more than 50.
    error UnfitNumber(uint256 given, uint256 most);

    /// @dev As many as an index token's list has places. With 50 held components that are none, and everything burning
    /// the gas that it is given, a determination and a start still fit into a transaction (docs/contracts.md has the
    /// sum).
    uint256 private constant MOST = Domain.MAX_COMPONENTS;
    uint256 private constant WORDS = 2;

    using DynamicArrayLib for uint256[];

    /// @notice Checks a list, writes it and returns where.
    function write(Candidate[] memory list) internal returns (address) {
        require(list.length != 0 && list.length <= MOST, UnfitNumber(list.length, MOST));
        uint256[] memory words = new uint256[](WORDS * list.length);
        address previous;
        for (uint256 i; i < list.length; ++i) {
            Candidate memory c = list[i];
            require(c.token > previous && c.source.code.length != 0, UnfitCandidate(c.token));
            (bool fit,) = Decimals.tryRead(c.token);
            require(fit, UnfitDecimals(c.token));
            previous = c.token;
            words[WORDS * i] = uint160(c.token);
            words[WORDS * i + 1] = (uint256(c.wholeTokens) << 168) | (uint256(uint160(c.source)) << 8) | uint8(c.state);
        }
        return Words.write(words);
    }

    /// @notice Reads a list.
    function read(address pointer) internal view returns (Candidate[] memory list) {
        uint256[] memory words = Words.read(pointer);
        list = new Candidate[](count(words));
        for (uint256 i; i < list.length; ++i) {
            uint256 more = second(words, i);
            list[i] = Candidate(token(words, i), source(more), State(state(more)), wholeTokens(more));
        }
    }

    /// @notice How many candidates a packed list has.
    function count(uint256[] memory words) internal pure returns (uint256) {
        return words.length / WORDS;
    }

    /// @notice Token of candidate `i` of a packed list.
    function token(uint256[] memory words, uint256 i) internal pure returns (address) {
        return address(uint160(words.get(WORDS * i)));
    }

    /// @notice Second word of candidate `i` of a packed list.
    function second(uint256[] memory words, uint256 i) internal pure returns (uint256) {
        return words.get(WORDS * i + 1);
    }

    /// @notice Source, of a candidate's second word.
    function source(uint256 more) internal pure returns (address) {
        return address(uint160(more >> 8));
    }

    /// @notice State, of a candidate's second word; a number, since Solidity checks an enum wherever it is looked at.
    function state(uint256 more) internal pure returns (uint256) {
        return uint8(more);
    }

    /// @notice Given supply, of a candidate's second word.
    function wholeTokens(uint256 more) internal pure returns (uint88) {
        return uint88(more >> 168);
    }

    /// @notice The supply that a reading of a candidate, given by its second word, is held against, see `Circulating`.
    /// @param confirmed What the last started month confirmed; 0: nothing.
    function known(uint256 more, uint256 confirmed) internal pure returns (uint256) {
        return confirmed == 0 ? wholeTokens(more) : confirmed;
    }

    /// @notice Whether the owner has changed a candidate, given by its second word, since the determination: its state,
    /// or a supply that both readings are held against.
    /// @param determined The second word of its row in the determination. @param supply What its source says now.
    function changed(uint256 more, uint256 determined, uint256 supply) internal pure returns (bool) {
        if (state(more) != uint256(State.Active)) return true;
        if (Constituents.confirmed(determined) != 0) return false;
        uint256 given = wholeTokens(more);
        return given != 0 && given != supply;
    }

    /// @notice Whether a token is on a packed list.
    function contains(uint256[] memory words, address wanted) internal pure returns (bool) {
        for (uint256 i; i < count(words); ++i) {
            if (token(words, i) == wanted) return true;
        }
        return false;
    }
}
