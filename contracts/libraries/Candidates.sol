// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

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
struct Candidate {
    address token;
    address source;
    State state;
}

/// @title Candidates
/// @notice Packs candidates into two words each: token, and source with state.
library Candidates {
    /// @notice Candidates must ascend strictly by address and have a source with code.
    error UnfitCandidate(address token);
    /// @notice No candidates, or more than 100.
    error UnfitNumber(uint256 given, uint256 most);

    uint256 internal constant MOST = 100;

    using Words for uint256[];

    /// @notice Checks a list, writes it and returns where.
    function write(Candidate[] memory list) internal returns (address) {
        require(list.length != 0 && list.length <= MOST, UnfitNumber(list.length, MOST));
        uint256[] memory words = new uint256[](2 * list.length);
        address previous;
        for (uint256 i; i < list.length; ++i) {
            Candidate memory c = list[i];
            require(c.token > previous && c.source.code.length != 0, UnfitCandidate(c.token));
            previous = c.token;
            words[2 * i] = uint160(c.token);
            words[2 * i + 1] = (uint256(uint160(c.source)) << 8) | uint8(c.state);
        }
        return Words.write(words);
    }

    /// @notice Reads a list.
    function read(address pointer) internal view returns (Candidate[] memory list) {
        uint256[] memory words = Words.read(pointer);
        list = new Candidate[](words.length / 2);
        for (uint256 i; i < list.length; ++i) {
            uint256 word = words[2 * i + 1];
            list[i] = Candidate(address(uint160(words[2 * i])), address(uint160(word >> 8)), State(uint8(word)));
        }
    }

    /// @notice How many candidates a packed list has.
    function count(uint256[] memory words) internal pure returns (uint256) {
        return words.length / 2;
    }

    /// @notice Token of candidate `i` of a packed list.
    function token(uint256[] memory words, uint256 i) internal pure returns (address) {
        return address(uint160(words.at(2 * i)));
    }

    /// @notice Source of candidate `i` of a packed list.
    function source(uint256[] memory words, uint256 i) internal pure returns (address) {
        return address(uint160(words.at(2 * i + 1) >> 8));
    }

    /// @notice The tokens of a list.
    function tokens(Candidate[] memory list) internal pure returns (address[] memory all) {
        all = new address[](list.length);
        for (uint256 i; i < list.length; ++i) {
            all[i] = list[i].token;
        }
    }

    /// @notice Whether a token is on the list.
    function contains(Candidate[] memory list, address wanted) internal pure returns (bool) {
        for (uint256 i; i < list.length; ++i) {
            if (list[i].token == wanted) return true;
        }
        return false;
    }
}
