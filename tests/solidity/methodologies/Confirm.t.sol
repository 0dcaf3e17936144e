// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Flags, Status} from "../../../contracts/interfaces/IMethodology.sol";
import {Candidate, State} from "../../../contracts/libraries/Candidates.sol";
import {vm} from "../../../lab/fuzz/Vm.sol";
import {IMarketCapMethodology, MarketCapScene} from "./MarketCapScene.sol";

contract ConfirmTest is MarketCapScene {
    uint256 private constant AT = Flags.CONFIRMED_AT_START;

    function setUp() public override {
        super.setUp();
        // All but 0 and 3.
        _found(_rule(), 54);
    }

    /* ROWS */

    function test_what_the_sources_still_say_is_confirmed_as_determined() external {
        _supply(wordList(0, 105, 98, 0, 5));
        uint256[] memory words = _rows(
            _row(1, Flags.NO_PRICE, 105, 100, true, Status.Frozen),
            _row(2, 0, 98, 100, true, Status.Included),
            _row(4, Flags.BELOW_RANK, 5, 0, false, Status.Outside)
        );
        uint256[] memory expected = wordList(
            _answer(Status.Frozen, Flags.NO_PRICE, 105),
            _answer(Status.Included, 0, 98),
            _answer(Status.Outside, Flags.BELOW_RANK, 5)
        );
        equal(method.confirm(words), expected, "answers");
        equal(method.confirm(new uint256[](0)), new uint256[](0), "none");
    }

    function test_what_is_no_candidate_is_outside_with_what_was_confirmed_before() external {
        _supply(wordList(0, 105));
        for (uint256 i; i < 7; ++i) {
            // Before, between and behind the candidates; and one alone.
            if (i == 1 || i == 2 || i == 4 || i == 5) continue;
            uint256[2] memory row = _row(i, Flags.CLAMPED, 105, 100, true, Status.Included);
            equal(method.confirm(_rows(row)), wordList(_answer(Status.Outside, Flags.CLAMPED, 100)), "alone");
        }
        uint256[] memory words = _rows(
            _row(0, 0, 9, 8, true, Status.Included),
            _row(1, 0, 105, 100, true, Status.Included),
            _row(3, Flags.STALE, 9, 0, true, Status.Leaving),
            _row(5, 0, 9, 9, true, Status.Included),
            _row(6, 0, 7, 6, true, Status.Frozen)
        );
        source.set(_token(5), 9, yesterday);
        uint256[] memory expected = wordList(
            _answer(Status.Outside, 0, 8),
            _answer(Status.Included, 0, 105),
            _answer(Status.Outside, Flags.STALE, 0),
            _answer(Status.Included, 0, 9),
            _answer(Status.Outside, 0, 6)
        );
        equal(method.confirm(words), expected, "answers");
    }

    function test_what_follows_the_rows_is_not_read() external {
        _supply(wordList(0, 105, 9));
        bytes memory call =
            abi.encodeCall(IMarketCapMethodology.confirm, (_rows(_row(1, 0, 105, 100, true, Status.Included))));
        // A row with a status that is none.
        uint256[2] memory row = _row(2, 0, 8, 7, true, Status.Included);
        (bool ok, bytes memory answer) = address(method).staticcall(abi.encodePacked(call, row[0], row[1] | 7));
        equal(ok, true, "answers");
        equal(answer, abi.encode(wordList(_answer(Status.Included, 0, 105))), "one answer");
    }

    /// @dev What lies behind the candidates in memory is none, not even where it reads as a row's token: here the last
    /// row is called as the answers before it read.
    function test_rows_behind_all_candidates_are_none_of_them() external {
        address first = address(0x1235);
        vm.etch(first, _token(0).code);
        Candidate[] memory list = _chosen(1);
        list[0].token = first;
        method.setCandidates(list);
        uint256 answer = _answer(Status.Outside, 0, 77);
        uint256[] memory words = _rows(
            _row(address(0x2000), 0, 9, 77, true, Status.Included),
            _row(address(0x3000), 0, 9, 77, true, Status.Included),
            _row(address(uint160(answer)), 0, 9, 8, true, Status.Included)
        );
        equal(method.confirm(words), wordList(answer, answer, _answer(Status.Outside, 0, 8)), "answers");
    }

    /* READ AGAIN */

    function test_the_nearer_to_the_confirmed_one_counts() external {
        uint256[2] memory row = _row(1, 0, 108, 100, true, Status.Included);
        _confirms(row, 103, _answer(Status.Included, AT, 103));
        _confirms(row, 109, _answer(Status.Included, 0, 108));
        _confirms(row, 92, _answer(Status.Included, 0, 108));
        // Beyond the bound: clamped, and not nearer.
        _confirms(row, 150, _answer(Status.Included, 0, 108));
        row = _row(1, Flags.CLAMPED, 120, 100, true, Status.Included);
        _confirms(row, 1, _answer(Status.Included, AT | Flags.CLAMPED, 90));
        // What is no member is believed downwards.
        row = _row(1, 0, 120, 100, false, Status.Included);
        _confirms(row, 81, _answer(Status.Included, AT, 81));
    }

    function test_what_nobody_vouches_for_is_the_smaller() external {
        uint256[2] memory row = _row(1, 0, 108, 0, true, Status.Included);
        _confirms(row, 5, _answer(Status.Included, AT, 5));
        _confirms(row, 109, _answer(Status.Included, 0, 108));
    }

    function test_what_became_too_old_is_carried_forward() external {
        uint256[2] memory row = _row(1, 0, 120, 100, true, Status.Included);
        source.set(_token(1), 120, block.timestamp - AGE);
        equal(method.confirm(_rows(row)), wordList(_answer(Status.Included, 0, 120)), "as old as may be");
        source.set(_token(1), 120, block.timestamp - AGE - 1);
        uint256 stale = _answer(Status.Included, AT | Flags.STALE, 100);
        equal(method.confirm(_rows(row)), wordList(stale), "older");
    }

    /* OWNER */

    function test_a_state_that_was_set_since_counts() external {
        _supply(wordList(0, 105, 98));
        Candidate[] memory list = _chosen(54);
        (list[0].state, list[1].state) = (State.Frozen, State.Leaving);
        method.setCandidates(list);
        uint256[] memory words = _rows(
            _row(1, Flags.BELOW_RANK, 105, 100, true, Status.Outside), _row(2, 0, 98, 100, true, Status.Included)
        );
        uint256[] memory expected =
            wordList(_answer(Status.Frozen, Flags.BELOW_RANK, 105), _answer(Status.Leaving, 0, 98));
        equal(method.confirm(words), expected, "answers");
    }

    function test_a_supply_that_was_given_since_counts() external {
        Candidate[] memory list = _chosen(54);
        list[0].wholeTokens = 100;
        method.setCandidates(list);
        uint256[2] memory row = _row(1, Flags.UNCONFIRMED, 10_000, 0, false, Status.Outside);
        uint256 expected = _answer(Status.Outside, Flags.UNCONFIRMED | Flags.CLAMPED | AT, 110);
        _confirms(row, 10_000, expected);
        // Not once a start has confirmed one.
        _confirms(_row(1, 0, 200, 200, true, Status.Included), 200, _answer(Status.Included, 0, 200));
        _confirms(_row(1, 0, 230, 200, true, Status.Included), 205, _answer(Status.Included, AT, 205));
    }

    function test_an_override_counts_while_it_lives() external {
        // What the first's source still says is far from what was confirmed, and confirmed as it was determined.
        uint256[] memory words = _rows(
            _row(1, 0, 120, 100, true, Status.Included),
            _row(2, 0, 98, 100, true, Status.Frozen),
            _row(4, 0, 104, 100, true, Status.Included)
        );
        _supply(wordList(0, 120, 98, 0, 101));
        uint256 began = block.timestamp;
        method.overrideSupply(_token(1), 1);
        vm.warp(began + 1);
        method.overrideSupply(_token(2), 754);
        uint256 byOwner = AT | Flags.OVERRIDDEN;
        uint256 third = _answer(Status.Included, AT, 101);
        uint256[] memory expected =
            wordList(_answer(Status.Included, byOwner, 1), _answer(Status.Frozen, byOwner, 754), third);
        equal(method.confirm(words), expected, "both live");
        vm.warp(began + 10 days - 1);
        equal(method.confirm(words), expected, "both live for the last second");
        vm.warp(began + 10 days);
        // While one lives, all are read again.
        expected[0] = _answer(Status.Included, AT | Flags.CLAMPED, 110);
        equal(method.confirm(words), expected, "the second lives");
        vm.warp(began + 10 days + 1);
        expected = wordList(_answer(Status.Included, 0, 120), _answer(Status.Frozen, 0, 98), third);
        equal(method.confirm(words), expected, "both are over");
    }

    function test_an_override_of_the_determination_stays() external {
        uint256[2] memory row = _row(1, Flags.OVERRIDDEN, 754, 100, true, Status.Included);
        _confirms(row, 100, _answer(Status.Included, Flags.OVERRIDDEN, 754));
    }

    /* HELPERS */

    /// @dev What is confirmed of one row, once its source says `supply`.
    function _confirms(uint256[2] memory row, uint256 supply, uint256 expected) private {
        source.set(_token(1), supply, yesterday);
        equal(method.confirm(_rows(row)), wordList(expected), "answer");
    }

    function _row(uint256 i, uint256 flags, uint256 basis, uint256 confirmed, bool member, Status status)
        private
        pure
        returns (uint256[2] memory)
    {
        return _row(_token(i), flags, basis, confirmed, member, status);
    }

    /// @dev A row's two words, with a price and a weight that do not matter.
    function _row(address token, uint256 flags, uint256 basis, uint256 confirmed, bool member, Status status)
        private
        pure
        returns (uint256[2] memory)
    {
        uint256 word = uint256(uint160(token)) * 2 ** 96 + flags * 2 ** 88 + basis;
        uint256 more = 3e18 * 2 ** 156 + 1e17 * 2 ** 92 + confirmed * 16 + (member ? 8 : 0) + uint256(status);
        return [word, more];
    }

    function _answer(Status status, uint256 flags, uint256 basis) private pure returns (uint256) {
        return uint256(status) * 2 ** 96 + flags * 2 ** 88 + basis;
    }

    function _rows(uint256[2] memory a) private pure returns (uint256[] memory) {
        return wordList(a[0], a[1]);
    }

    function _rows(uint256[2] memory a, uint256[2] memory b) private pure returns (uint256[] memory) {
        return wordList(a[0], a[1], b[0], b[1]);
    }

    function _rows(uint256[2] memory a, uint256[2] memory b, uint256[2] memory c)
        private
        pure
        returns (uint256[] memory words)
    {
        words = new uint256[](6);
        (words[0], words[1], words[2], words[3], words[4], words[5]) = (a[0], a[1], b[0], b[1], c[0], c[1]);
    }

    function _rows(
        uint256[2] memory a,
        uint256[2] memory b,
        uint256[2] memory c,
        uint256[2] memory d,
        uint256[2] memory e
    ) private pure returns (uint256[] memory words) {
        words = new uint256[](10);
        (words[0], words[1], words[2], words[3], words[4], words[5]) = (a[0], a[1], b[0], b[1], c[0], c[1]);
        (words[6], words[7], words[8], words[9]) = (d[0], d[1], e[0], e[1]);
    }
}
