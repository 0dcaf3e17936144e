// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Constituent, Flags, Status} from "../../../contracts/interfaces/IMethodology.sol";
import {IOpener} from "../../../contracts/interfaces/IOpener.sol";
import {vm} from "../../../lab/fuzz/Vm.sol";
import {Surroundings} from "./Surroundings.sol";

interface IDetermination {
    function previous(address determination, bool started) external view returns (Constituent[] memory);
    function make(address index, address oracle, address methodology, Constituent[] memory last)
        external
        view
        returns (Constituent[] memory);
    function within(uint256 answer, uint256 more) external pure returns (uint256);
    function outside(uint256 answer) external pure returns (uint256);
}

/// @dev Determines what it was told to, once it is given what it waits for.
contract StandInMethodology {
    Constituent[] private _list;
    bytes32 private _expected;

    error Unexpected();

    function set(Constituent[] calldata list, address oracle, address index, Constituent[] calldata last) external {
        delete _list;
        for (uint256 i; i < list.length; ++i) {
            _list.push(list[i]);
        }
        _expected = keccak256(abi.encode(oracle, index, last));
    }

    function determine(address oracle, address index, Constituent[] calldata last)
        external
        view
        returns (Constituent[] memory)
    {
        require(keccak256(abi.encode(oracle, index, last)) == _expected, Unexpected());
        return _list;
    }
}

contract DeterminationTest is Surroundings {
    uint256 private constant LIMIT = 1 << 100;

    IDetermination private _determination;
    StandInMethodology private _methodology;

    function setUp() external {
        _determination = IDetermination(deploy("DeterminationHarness", ""));
        _methodology = new StandInMethodology();
        _makeSurroundings();
    }

    /* PREVIOUS */

    function test_a_started_month_left_what_it_confirmed() external {
        Constituent[] memory list = _rows();
        equal(abi.encode(_determination.previous(_written(list), true)), abi.encode(list), "as it is written");
    }

    function test_of_another_month_what_the_one_before_left_is_taken() external {
        Constituent[] memory list = _rows();
        address pointer = _written(list);
        for (uint256 i; i < list.length; ++i) {
            list[i].basis = list[i].confirmed;
            list[i].status = i % 2 == 0 ? Status.Included : Status.Outside;
        }
        equal(abi.encode(_determination.previous(pointer, false)), abi.encode(list), "taken out");
    }

    function test_before_the_first_there_was_none() external view {
        equal(_determination.previous(address(0), true).length, 0, "started");
        equal(_determination.previous(address(0), false).length, 0, "not started");
    }

    /* MAKE */

    function test_components_that_are_no_candidates_stand_beside_them_as_outside() external {
        // Held: 0, 2, 3, 5, 7. Candidates: 1, 2, 4, 5.
        for (uint256 i; i < 8; ++i) {
            _make(i, 1e18 + i);
        }
        _hold(0, 1);
        _hold(2, 1);
        _hold(3, 1);
        _hold(5, 1);
        _hold(7, 1);
        Constituent[] memory given = _candidates(4);
        (given[0].token, given[1].token, given[2].token, given[3].token) = (_token(1), _token(2), _token(4), _token(5));
        Constituent[] memory made = _made(given);
        equal(made.length, 7, "all");
        _is(made[0], _other(0));
        _is(made[1], given[0]);
        _is(made[2], given[1]);
        _is(made[3], _other(3));
        _is(made[4], given[2]);
        _is(made[5], given[3]);
        _is(made[6], _other(7));
    }

    function test_where_all_components_are_candidates_there_is_nothing_beside_them() external {
        _make(0, 1e18);
        _make(1, 1e18);
        _hold(0, 1);
        _hold(1, 1);
        Constituent[] memory given = _candidates(3);
        equal(abi.encode(_made(given)), abi.encode(given), "as determined");
    }

    function test_where_nothing_is_held_there_is_nothing_beside_them() external {
        Constituent[] memory given = _candidates(1);
        equal(abi.encode(_made(given)), abi.encode(given), "as determined");
    }

    function test_components_behind_all_candidates() external {
        _make(5, 3e18);
        _make(6, 4e18);
        _hold(5, 1);
        _hold(6, 1);
        Constituent[] memory made = _made(_candidates(2));
        equal(made.length, 4, "all");
        equal(made[2].token, _token(5), "the first behind");
        equal(made[2].price, 3e18, "its price");
        equal(made[3].token, _token(6), "the last");
        equal(made[3].price, 4e18, "its price");
    }

    function test_a_price_beyond_all_measure_is_none() external {
        _make(5, LIMIT - 1);
        _make(6, LIMIT);
        _hold(5, 1);
        _hold(6, 1);
        Constituent[] memory made = _made(_candidates(1));
        equal(made[1].price, LIMIT - 1, "the most");
        equal(made[2].price, 0, "above");
    }

    function test_what_the_last_month_left_is_handed_on() external {
        Constituent[] memory given = _candidates(2);
        Constituent[] memory last = _candidates(3);
        _methodology.set(given, address(fund), address(fund), last);
        Constituent[] memory made = _determination.make(address(fund), address(fund), address(_methodology), last);
        equal(abi.encode(made), abi.encode(given), "as determined");
    }

    /* UNFIT */

    function test_there_are_1_to_100_candidates() external {
        _refused(_candidates(0));
        _refused(_candidates(101));
        equal(_made(_candidates(100)).length, 100, "100");
        equal(_made(_candidates(1)).length, 1, "one");
    }

    function test_candidates_ascend_strictly() external {
        Constituent[] memory list = _candidates(3);
        list[2].token = list[1].token;
        _refused(list);
        list[2].token = list[0].token;
        _refused(list);
        list = _candidates(1);
        list[0].token = address(0);
        _refused(list);
    }

    function test_what_is_included_has_a_basis() external {
        Constituent[] memory list = _candidates(2);
        list[1].basis = 0;
        _refused(list);
        list[1].status = Status.Outside;
        equal(_made(list).length, 2, "outside without a basis");
        list[1].basis = 9;
        equal(_made(list).length, 2, "outside with one");
        (list[1].status, list[1].basis) = (Status.Included, 1);
        equal(_made(list).length, 2, "included with the least");
    }

    function test_a_candidates_price_is_below_the_limit() external {
        Constituent[] memory list = _candidates(2);
        list[0].price = uint128(LIMIT);
        _refused(list);
        list[0].price = uint128(LIMIT - 1);
        equal(_made(list)[0].price, LIMIT - 1, "the most");
        // Unfit for one reason is unfit, also where it is not included.
        (list[0].price, list[0].status) = (uint128(LIMIT), Status.Leaving);
        _refused(list);
    }

    /* CONFIRMING */

    function test_what_was_not_included_does_not_become_so() external view {
        for (uint256 status; status < 4; ++status) {
            // It stays what it was determined to be, with the basis and flags of the answer.
            uint256 expected = _answer(5, Flags.STALE, Status(status));
            equal(_determination.within(_answer(5, Flags.STALE, Status.Included), status), expected, "within");
        }
    }

    function test_what_is_not_included_any_more_is_confirmed_so() external view {
        for (uint256 status = 1; status < 4; ++status) {
            uint256 answer = _answer(5, Flags.CLAMPED, Status(status));
            for (uint256 was; was < 4; ++was) {
                equal(_determination.within(answer, was), answer, "within");
            }
        }
    }

    function test_nothing_is_included_without_a_basis() external view {
        uint256 answer = _answer(0, Flags.UNCONFIRMED, Status.Included);
        uint256 out = _answer(0, Flags.UNCONFIRMED, Status.Outside);
        equal(_determination.within(answer, uint256(Status.Included)), out, "included");
        equal(
            _determination.within(answer, uint256(Status.Frozen)),
            _answer(0, Flags.UNCONFIRMED, Status.Frozen),
            "frozen"
        );
        answer = _answer(1, 0, Status.Included);
        equal(_determination.within(answer, uint256(Status.Included)), answer, "with the least basis");
    }

    function test_outside_keeps_basis_and_flags() external view {
        for (uint256 status; status < 4; ++status) {
            uint256 out = _answer(7, Flags.STALE, Status.Outside);
            equal(_determination.outside(_answer(7, Flags.STALE, Status(status))), out, "outside");
        }
    }

    /* HELPERS */

    /// @dev One of each kind, every field filled.
    function _rows() private pure returns (Constituent[] memory list) {
        list = new Constituent[](4);
        for (uint256 i; i < 4; ++i) {
            list[i] = Constituent({
                token: _token(i),
                basis: uint88(10 + i),
                status: Status(i),
                flags: uint8(i + 1),
                price: uint128(1e18 + i),
                weight: uint64(1e17 + i),
                confirmed: uint88(20 + i),
                member: i % 2 == 0
            });
        }
    }

    /// @dev The rows as code of a contract, packed by the words of the specification.
    function _written(Constituent[] memory list) private returns (address pointer) {
        bytes memory code = hex"00";
        for (uint256 i; i < list.length; ++i) {
            Constituent memory c = list[i];
            uint256 more = uint256(c.price) * 2 ** 156 + uint256(c.weight) * 2 ** 92 + uint256(c.confirmed) * 2 ** 4
                + (c.member ? 8 : 0) + uint256(c.status);
            code = abi.encodePacked(code, c.token, c.flags, c.basis, more);
        }
        pointer = address(0xc0de);
        vm.etch(pointer, code);
    }

    /// @dev Included ones of the first `n` tokens.
    function _candidates(uint256 n) private pure returns (Constituent[] memory list) {
        list = new Constituent[](n);
        for (uint256 i; i < n; ++i) {
            (list[i].token, list[i].basis, list[i].price) = (_token(i), uint88(i + 1), uint128(5e18 + i));
        }
    }

    function _other(uint256 i) private pure returns (Constituent memory c) {
        (c.token, c.status, c.price) = (_token(i), Status.Outside, uint128(1e18 + i));
    }

    function _is(Constituent memory found, Constituent memory expected) private pure {
        equal(abi.encode(found), abi.encode(expected), "constituent");
    }

    function _made(Constituent[] memory given) private returns (Constituent[] memory) {
        Constituent[] memory none = new Constituent[](0);
        _methodology.set(given, address(fund), address(fund), none);
        return _determination.make(address(fund), address(fund), address(_methodology), none);
    }

    function _refused(Constituent[] memory given) private {
        Constituent[] memory none = new Constituent[](0);
        _methodology.set(given, address(fund), address(fund), none);
        vm.expectRevert(abi.encodeWithSelector(IOpener.UnfitConstituents.selector));
        _determination.make(address(fund), address(fund), address(_methodology), none);
    }

    function _answer(uint256 basis, uint256 flags, Status status) private pure returns (uint256) {
        return uint256(status) * 2 ** 96 + flags * 2 ** 88 + basis;
    }
}
