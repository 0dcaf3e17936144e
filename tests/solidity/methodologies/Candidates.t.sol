// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Candidate, Candidates, State} from "../../../contracts/libraries/Candidates.sol";
import {vm} from "../../../lab/fuzz/Vm.sol";
import {FuzzToken} from "../../../lab/fuzz/parts/FuzzToken.sol";
import {WordLists} from "../WordLists.sol";

interface ICandidates {
    function write(Candidate[] memory list) external returns (address);
    function read(address pointer) external view returns (Candidate[] memory);
    function words(address pointer) external view returns (uint256[] memory);
    function count(uint256[] memory list) external pure returns (uint256);
    function token(uint256[] memory list, uint256 i) external pure returns (address);
    function second(uint256[] memory list, uint256 i) external pure returns (uint256);
    function parts(uint256 more) external pure returns (address source, uint256 state, uint88 wholeTokens);
    function known(uint256 more, uint256 confirmed) external pure returns (uint256);
    function changed(uint256 more, uint256 determined, uint256 supply) external pure returns (bool);
    function contains(uint256[] memory list, address wanted) external pure returns (bool);
}

contract CandidatesTest is WordLists {
    /// @dev Both ends of an address, of a supply.
    address private constant SOURCE = 0x8000000000000000000000000000000000000001;
    uint88 private constant GIVEN = (1 << 87) + 1;

    ICandidates private _candidates;
    bytes private _code;

    function setUp() external {
        _candidates = ICandidates(deploy("CandidatesHarness", ""));
        _code = address(new FuzzToken()).code;
        vm.etch(SOURCE, hex"00");
    }

    /* LISTS */

    function test_a_list_is_read_as_it_was_written() external {
        for (uint256 n = 1; n < 4; ++n) {
            Candidate[] memory list = _listed(n);
            address pointer = _candidates.write(list);
            equal(abi.encode(_candidates.read(pointer)), abi.encode(list), "list");
        }
    }

    function test_two_words_each() external {
        uint256[] memory words = _candidates.words(_candidates.write(_listed(3)));
        equal(words.length, 6, "words");
        equal(_candidates.count(words), 3, "count");
        for (uint256 i; i < 3; ++i) {
            uint256 more = uint256(GIVEN - i) * 2 ** 168 + uint256(uint160(SOURCE)) * 2 ** 8 + i;
            equal(words[2 * i], uint160(_token(i)), "first word");
            equal(words[2 * i + 1], more, "second word");
            equal(_candidates.token(words, i), _token(i), "token");
            equal(_candidates.second(words, i), more, "second");
            (address source, uint256 state, uint256 given) = _candidates.parts(more);
            equal(source, SOURCE, "source");
            equal(state, i, "state");
            equal(given, GIVEN - i, "given supply");
        }
    }

    function test_a_list_has_1_to_50() external {
        Candidate[] memory none = new Candidate[](0);
        vm.expectRevert(abi.encodeWithSelector(Candidates.UnfitNumber.selector, 0, 50));
        _candidates.write(none);
        Candidate[] memory many = _listed(51);
        vm.expectRevert(abi.encodeWithSelector(Candidates.UnfitNumber.selector, 51, 50));
        _candidates.write(many);
        equal(_candidates.read(_candidates.write(_listed(50))).length, 50, "50");
        equal(_candidates.read(_candidates.write(_listed(1))).length, 1, "one");
    }

    function test_tokens_ascend_strictly() external {
        Candidate[] memory list = _listed(3);
        list[2].token = _token(1);
        vm.expectRevert(abi.encodeWithSelector(Candidates.UnfitCandidate.selector, _token(1)));
        _candidates.write(list);
        list[2].token = _token(0);
        vm.expectRevert(abi.encodeWithSelector(Candidates.UnfitCandidate.selector, _token(0)));
        _candidates.write(list);
        list = _listed(1);
        list[0].token = address(0);
        vm.expectRevert(abi.encodeWithSelector(Candidates.UnfitCandidate.selector, address(0)));
        _candidates.write(list);
    }

    function test_a_source_has_code() external {
        Candidate[] memory list = _listed(2);
        list[1].source = address(0xdead);
        vm.expectRevert(abi.encodeWithSelector(Candidates.UnfitCandidate.selector, _token(1)));
        _candidates.write(list);
    }

    function test_a_token_says_its_decimals() external {
        Candidate[] memory list = _listed(2);
        list[1].token = address(type(uint160).max);
        vm.expectRevert(abi.encodeWithSelector(Candidates.UnfitDecimals.selector, list[1].token));
        _candidates.write(list);
        vm.etch(list[1].token, _code);
        FuzzToken(list[1].token).init(28);
        vm.expectRevert(abi.encodeWithSelector(Candidates.UnfitDecimals.selector, list[1].token));
        _candidates.write(list);
        FuzzToken(list[1].token).init(27);
        _candidates.write(list);
    }

    function test_contains_each_of_a_list_and_no_other() external {
        uint256[] memory words = _candidates.words(_candidates.write(_listed(2)));
        equal(_candidates.contains(words, _token(0)), true, "the first");
        equal(_candidates.contains(words, _token(1)), true, "the last");
        equal(_candidates.contains(words, _token(2)), false, "another");
        equal(_candidates.contains(words, address(0)), false, "none");
    }

    /* SECOND WORD */

    function test_what_is_known_is_the_confirmed_supply_or_else_the_given_one() external view {
        equal(_candidates.known(_second(State.Leaving, 7), 0), 7, "given");
        equal(_candidates.known(_second(State.Active, 7), 1), 1, "confirmed");
        equal(_candidates.known(_second(State.Active, 0), 9), 9, "confirmed alone");
        equal(_candidates.known(_second(State.Active, 0), 0), 0, "none");
    }

    function test_changed_is_what_is_not_active_any_more() external view {
        equal(_candidates.changed(_second(State.Frozen, 0), _row(5), 5), true, "frozen");
        equal(_candidates.changed(_second(State.Leaving, 0), _row(5), 5), true, "leaving");
        equal(_candidates.changed(_second(State.Active, 0), _row(5), 5), false, "active");
    }

    function test_changed_is_a_given_supply_that_the_source_does_not_say() external view {
        equal(_candidates.changed(_second(State.Active, 7), _row(0), 5), true, "given another");
        equal(_candidates.changed(_second(State.Active, 1), _row(0), 5), true, "given one");
        equal(_candidates.changed(_second(State.Active, 5), _row(0), 5), false, "given the same");
        equal(_candidates.changed(_second(State.Active, 0), _row(0), 5), false, "given none");
        // Once a start has confirmed one, what is given does not count.
        equal(_candidates.changed(_second(State.Active, 7), _row(9), 5), false, "confirmed");
        equal(_candidates.changed(_second(State.Active, 7), _row(1), 5), false, "confirmed one");
    }

    /* HELPERS */

    function _token(uint256 i) private pure returns (address) {
        // The highest bit and the lowest are set.
        return address(uint160((1 << 159) + 2 * i + 1));
    }

    /// @dev Of ascending tokens, with every state.
    function _listed(uint256 n) private returns (Candidate[] memory list) {
        list = new Candidate[](n);
        for (uint256 i; i < n; ++i) {
            vm.etch(_token(i), _code);
            list[i] = Candidate(_token(i), SOURCE, State(i % 3), uint88(GIVEN - i));
        }
    }

    function _second(State state, uint256 given) private pure returns (uint256) {
        return given * 2 ** 168 + uint256(uint160(SOURCE)) * 2 ** 8 + uint256(state);
    }

    /// @dev A row's second word, of which the confirmed supply is read.
    function _row(uint256 confirmed) private pure returns (uint256) {
        return 2 ** 156 + 2 ** 92 + confirmed * 2 ** 4 + 8;
    }
}
