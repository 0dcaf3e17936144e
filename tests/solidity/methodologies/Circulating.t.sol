// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Flags} from "../../../contracts/interfaces/IMethodology.sol";
import {ISupplySource} from "../../../contracts/interfaces/ISupplySource.sol";
import {vm} from "../../../lab/fuzz/Vm.sol";
import {Test} from "../Test.sol";

interface ICirculating {
    function ask(address token, address source) external view returns (uint256 supply, uint256 date);
    function fresh(uint256 supply, uint256 date, uint256 maxAge) external view returns (bool);
    function judge(uint256 supply, uint256 date, uint256 known, bool member, uint256 maxAge, uint256 maxJump)
        external
        view
        returns (uint256 basis, uint256 flags);
    function decisive(uint256 basis, uint256 flags, uint256 date, uint256 known, bool member)
        external
        view
        returns (uint256);
    function confirmedBasis(uint256 was, uint256 basis, uint256 flags, uint256 known) external pure returns (uint256);
}

/// @dev Answers with given bytes if it is asked for the supply of one token, and reverts if it is asked otherwise.
contract BareSource {
    bytes private _question;
    bytes private _answer;
    bool private _fails;

    error Unknown();

    function set(address token, bytes calldata answer, bool fails) external {
        (_question, _answer, _fails) = (abi.encodeCall(ISupplySource.supply, (token)), answer, fails);
    }

    fallback(bytes calldata question) external returns (bytes memory) {
        require(keccak256(question) == keccak256(_question), Unknown());
        bytes memory answer = _answer;
        if (!_fails) return answer;
        assembly ("memory-safe") {
            revert(add(answer, 32), mload(answer))
        }
    }
}

contract CirculatingAskTest is Test {
    address private constant TOKEN = 0x8123456789abCDeF0123456789abCdEF01234561;

    ICirculating private _circulating;
    BareSource private _source;
    uint256 private _now;

    function setUp() external {
        _circulating = ICirculating(deploy("CirculatingHarness", ""));
        _source = new BareSource();
        _now = 1_700_000_001;
        vm.warp(_now);
    }

    function test_a_source_says_supply_and_date() external {
        _says(abi.encode(123_456_789, _now - 3), 123_456_789, _now - 3);
        _says(abi.encode(type(uint88).max, _now), type(uint88).max, _now);
        _says(abi.encode(0, 0), 0, 0);
    }

    function test_what_does_not_fit_is_no_answer() external {
        _says(abi.encode(uint256(1) << 88, _now), 0, 0);
        _says(abi.encode(5, _now + 1), 0, 0);
        _says(abi.encode(type(uint256).max, type(uint256).max), 0, 0);
    }

    function test_what_is_too_short_is_no_answer() external {
        bytes memory answer = abi.encode(5, _now);
        assembly ("memory-safe") {
            mstore(answer, 63)
        }
        _says(answer, 0, 0);
        _says("", 0, 0);
    }

    function test_what_follows_the_answer_is_ignored() external {
        _says(abi.encode(5, _now, type(uint256).max), 5, _now);
    }

    function test_a_source_that_reverts_gives_no_answer() external {
        _source.set(TOKEN, abi.encode(5, _now), true);
        _is(address(_source), 0, 0);
    }

    function test_what_has_no_code_gives_no_answer() external view {
        _is(address(0xdead), 0, 0);
    }

    /// @dev The source answers with the gas that it has left once it was asked for, two for the question.
    function test_a_source_gets_80000_gas() external {
        vm.etch(address(_source), hex"5a6000524260205260406000f3");
        _is(address(_source), 80_000 - 2, _now);
    }

    function _says(bytes memory answer, uint256 supply, uint256 date) private {
        _source.set(TOKEN, answer, false);
        _is(address(_source), supply, date);
    }

    function _is(address source, uint256 supply, uint256 date) private view {
        (uint256 foundSupply, uint256 foundDate) = _circulating.ask(TOKEN, source);
        equal(foundSupply, supply, "supply");
        equal(foundDate, date, "date");
    }
}

contract CirculatingJudgeTest is Test {
    uint256 private constant TENTH = 0.1e18;
    uint256 private constant AGE = 30 days;
    uint256 private constant MOST = type(uint88).max;

    ICirculating private _circulating;
    uint256 private _now;

    function setUp() external {
        _circulating = ICirculating(deploy("CirculatingHarness", ""));
        _now = 1_700_000_000;
        vm.warp(_now);
    }

    /* FRESH */

    function test_fresh_is_what_is_there_and_not_too_old() external view {
        equal(_circulating.fresh(1, _now, 0), true, "of this block");
        equal(_circulating.fresh(1, _now - AGE, AGE), true, "as old as may be");
        equal(_circulating.fresh(1, _now - AGE - 1, AGE), false, "older");
        equal(_circulating.fresh(0, _now, AGE), false, "none");
    }

    /* JUDGE */

    function test_what_is_old_or_missing_is_carried_forward() external view {
        _judged(105, _now - AGE - 1, 100, true, 100, Flags.STALE);
        _judged(0, _now, 100, false, 100, Flags.STALE);
        _judged(0, _now, 1, true, 1, Flags.STALE);
        _judged(105, _now - AGE - 1, 0, false, 0, Flags.UNCONFIRMED);
        _judged(0, _now, 0, true, 0, Flags.UNCONFIRMED);
    }

    function test_where_none_is_known_a_posted_one_counts_and_a_computed_one_waits() external view {
        _judged(105, _now - 1, 0, false, 105, 0);
        _judged(105, _now - AGE, 0, true, 105, 0);
        _judged(105, _now, 0, false, 105, Flags.UNCONFIRMED);
        _judged(105, _now, 1, false, 1, Flags.CLAMPED);
    }

    function test_a_jump_is_clamped() external view {
        _judged(110, _now, 100, true, 110, 0);
        _judged(111, _now, 100, true, 110, Flags.CLAMPED);
        _judged(90, _now, 100, true, 90, 0);
        _judged(89, _now, 100, true, 90, Flags.CLAMPED);
        _judged(1, _now, 100, true, 90, Flags.CLAMPED);
        _judged(100, _now, 100, true, 100, 0);
        // A tenth of 109 is 10, of 9 none.
        _judged(120, _now, 109, true, 119, Flags.CLAMPED);
        _judged(98, _now, 109, true, 99, Flags.CLAMPED);
        _judged(10, _now, 9, true, 9, Flags.CLAMPED);
    }

    function test_what_is_no_member_is_believed_downwards_at_once() external view {
        _judged(89, _now, 100, false, 89, 0);
        _judged(1, _now, 100, false, 1, 0);
        _judged(110, _now, 100, false, 110, 0);
        _judged(111, _now, 100, false, 110, Flags.CLAMPED);
    }

    function test_the_bound_of_large_supplies_is_exact() external view {
        uint256 known = 1e20;
        (uint256 basis,) = _circulating.judge(3 * known, _now, known, true, AGE, 1e18);
        equal(basis, 2 * known, "twice");
        (basis,) = _circulating.judge(1, _now, known, true, AGE, 0.5e18);
        equal(basis, known / 2, "half");
    }

    function test_the_clamp_is_held_to_what_fits() external view {
        (uint256 basis, uint256 flags) = _circulating.judge(MOST, _now, MOST / 2, true, AGE, 3e18);
        equal(basis, MOST, "within the bound");
        equal(flags, 0, "not clamped");
        (basis, flags) = _circulating.judge(3 * MOST, _now, MOST, true, AGE, 1e18);
        equal(basis, MOST, "the most");
        equal(flags, Flags.CLAMPED, "clamped");
        (basis, flags) = _circulating.judge(MOST - 1, _now, MOST - 10, true, AGE, 0);
        equal(basis, MOST - 10, "below the most");
    }

    function test_a_supply_may_fall_to_nothing_where_the_bound_is_as_large() external view {
        (uint256 basis, uint256 flags) = _circulating.judge(1, _now, 100, true, AGE, 1e18);
        equal(basis, 1, "basis");
        equal(flags, 0, "flags");
    }

    /* DECISIVE */

    function test_a_reading_of_this_block_alone_decides_nothing() external view {
        uint256 before = _now - 1;
        // Posted, and not clamped: it decides.
        equal(_circulating.decisive(110, 0, before, 100, true), 110, "posted");
        equal(_circulating.decisive(110, Flags.STALE, before, 100, false), 110, "carried forward");
        // Of this block: what is known, or for what is no member less.
        equal(_circulating.decisive(110, 0, _now, 100, true), 100, "more, of a member");
        equal(_circulating.decisive(90, 0, _now, 100, true), 100, "less, of a member");
        equal(_circulating.decisive(110, 0, _now, 100, false), 100, "more, of another");
        equal(_circulating.decisive(90, 0, _now, 100, false), 90, "less, of another");
        equal(_circulating.decisive(5, 0, _now, 1, true), 1, "one is known");
        // Clamped: the same.
        equal(_circulating.decisive(110, Flags.CLAMPED, before, 100, true), 100, "clamped, of a member");
        equal(_circulating.decisive(90, Flags.CLAMPED, before, 100, true), 100, "clamped downwards");
        equal(_circulating.decisive(110, Flags.CLAMPED, before, 100, false), 100, "clamped, of another");
        equal(_circulating.decisive(110, Flags.CLAMPED, _now, 100, false), 100, "clamped, of this block");
    }

    function test_where_none_is_known_the_basis_decides() external view {
        equal(_circulating.decisive(110, 0, _now - 1, 0, false), 110, "posted");
        equal(_circulating.decisive(110, Flags.UNCONFIRMED, _now, 0, true), 110, "of this block");
    }

    /* CONFIRMED */

    function test_the_nearer_to_the_known_one_counts() external view {
        _confirmed(_packed(0, 108), 103, 0, 100, _packed(Flags.CONFIRMED_AT_START, 103));
        _confirmed(_packed(0, 103), 108, 0, 100, _packed(0, 103));
        _confirmed(_packed(0, 92), 103, 0, 100, _packed(Flags.CONFIRMED_AT_START, 103));
        _confirmed(_packed(0, 103), 97, 0, 100, _packed(0, 103)); // equally near: the determination's
        _confirmed(_packed(0, 103), 103, Flags.STALE, 100, _packed(0, 103));
        _confirmed(_packed(0, 3), 2, 0, 1, _packed(Flags.CONFIRMED_AT_START, 2));
        _confirmed(_packed(0, 3), 4, 0, 1, _packed(0, 3));
    }

    function test_without_a_known_one_the_smaller_counts() external view {
        _confirmed(_packed(0, 110), 100, 0, 0, _packed(Flags.CONFIRMED_AT_START, 100));
        _confirmed(_packed(0, 100), 110, 0, 0, _packed(0, 100));
        _confirmed(_packed(0, 100), 100, Flags.STALE, 0, _packed(0, 100));
        _confirmed(_packed(0, 100), 1, 0, 0, _packed(Flags.CONFIRMED_AT_START, 1));
    }

    function test_what_was_not_confirmed_yet_needs_both_readings() external view {
        _confirmed(_packed(0, 100), 0, Flags.UNCONFIRMED, 0, _packed(0, 100));
        uint256 both = Flags.UNCONFIRMED | Flags.CONFIRMED_AT_START;
        _confirmed(_packed(Flags.UNCONFIRMED, 100), 0, Flags.UNCONFIRMED, 0, _packed(both, 0));
        _confirmed(_packed(Flags.UNCONFIRMED, 0), 100, 0, 0, _packed(Flags.UNCONFIRMED, 0));
        _confirmed(_packed(Flags.UNCONFIRMED, 100), 90, 0, 0, _packed(both, 90));
        _confirmed(_packed(Flags.UNCONFIRMED, 100), 110, 0, 0, _packed(Flags.UNCONFIRMED, 100));
    }

    function test_an_override_counts_always() external view {
        uint256 byOwner = Flags.OVERRIDDEN | Flags.CONFIRMED_AT_START;
        _confirmed(_packed(Flags.CLAMPED, 101), 754, Flags.OVERRIDDEN, 100, _packed(byOwner, 754));
        _confirmed(_packed(Flags.OVERRIDDEN, 600), 754, Flags.OVERRIDDEN, 0, _packed(byOwner, 754));
        // One of the determination stays.
        _confirmed(_packed(Flags.OVERRIDDEN, 754), 100, 0, 100, _packed(Flags.OVERRIDDEN, 754));
        _confirmed(_packed(Flags.OVERRIDDEN, 754), 100, Flags.STALE, 0, _packed(Flags.OVERRIDDEN, 754));
    }

    function test_flags_of_the_reading_are_those_of_the_one_that_counts() external view {
        uint256 kept = Flags.NO_PRICE | Flags.BELOW_RANK | Flags.BELOW_FLOOR | Flags.UNCONFIRMED;
        uint256 at = Flags.CONFIRMED_AT_START;
        _confirmed(_packed(kept | Flags.CLAMPED | Flags.STALE, 110), 104, 0, 100, _packed(kept | at, 104));
        _confirmed(_packed(kept | Flags.STALE, 110), 90, Flags.CLAMPED, 95, _packed(kept | Flags.CLAMPED | at, 90));
        _confirmed(_packed(Flags.CLAMPED, 110), 100, Flags.STALE, 100, _packed(Flags.STALE | at, 100));
        // Only those three: what else is said of the reading at start is not taken over.
        _confirmed(_packed(0, 110), 100, kept, 100, _packed(at, 100));
    }

    /* HELPERS */

    function _judged(uint256 supply, uint256 date, uint256 known, bool member, uint256 basis, uint256 flags)
        private
        view
    {
        (uint256 foundBasis, uint256 foundFlags) = _circulating.judge(supply, date, known, member, AGE, TENTH);
        equal(foundBasis, basis, "basis");
        equal(foundFlags, flags, "flags");
    }

    function _packed(uint256 flags, uint256 basis) private pure returns (uint256) {
        return flags * 2 ** 88 + basis;
    }

    function _confirmed(uint256 was, uint256 basis, uint256 flags, uint256 known, uint256 expected) private view {
        equal(_circulating.confirmedBasis(was, basis, flags, known), expected, "confirmed");
    }
}
