// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Month, Phase} from "../../../contracts/interfaces/IRebalancer.sol";
import {Cap} from "../../../contracts/libraries/MarketCapMath.sol";
import {Rule} from "../../../contracts/libraries/MarketCapRule.sol";
import {vm} from "../../../lab/fuzz/Vm.sol";
import {Test} from "../Test.sol";

/// @dev As in PostedSupply.sol, and so are the errors and events.
struct Posted {
    address token;
    uint88 wholeTokens;
    uint40 date;
}

interface IPostedSupply {
    error NotPoster(address caller);
    error UnfitSupply(address token, uint256 wholeTokens, uint256 date);
    error OlderSupply(address token, uint256 date, uint256 newest);
    error MonthOpen();
    error FirstSupply(address token);
    error PostedBefore(address token);
    error NothingConfirmed(address token);
    error SupplyOutOfBounds(address token, uint256 wholeTokens, uint256 least, uint256 most);
    error OwnableUnauthorizedAccount(address account);

    event SupplyPosted(address indexed token, uint256 wholeTokens, uint256 date, address indexed by);
    event PosterSet(address poster);

    function REBALANCER() external view returns (address);
    function owner() external view returns (address);
    function poster() external view returns (address);
    function supply(address token) external view returns (uint256 wholeTokens, uint256 date);
    function post(Posted[] calldata list) external;
    function setPoster(address poster_) external;
}

/// @dev A rebalancer and its methodology that say what they were told to.
contract StandInRebalancer {
    Month private _month;
    uint24 public currentPeriod;
    uint64 private _maxJump;

    function setMonth(Month calldata month_, uint24 period) external {
        (_month, currentPeriod) = (month_, period);
    }

    function setMaxJump(uint64 maxJump) external {
        _maxJump = maxJump;
    }

    function month() external view returns (Month memory) {
        return _month;
    }

    function methodology() external view returns (address) {
        return address(this);
    }

    function rule() external view returns (Rule memory) {
        return Rule(Cap.None, 0, 0, 0, 1, true, 1, _maxJump, 1);
    }
}

/// @dev This contract is the owner; the poster is another.
abstract contract PostedSupplyScene is Test {
    address internal constant POSTER = address(0x905);
    address internal constant A = 0x8000000000000000000000000000000000000001;
    address internal constant B = 0x8000000000000000000000000000000000000003;
    address internal constant C = 0x8000000000000000000000000000000000000005;
    uint40 internal constant NOW = 1_700_000_001;
    uint40 internal constant DETERMINED_AT = 1_699_000_003;
    uint24 internal constant PERIOD = 650;
    /// @dev What the last started month confirmed of A.
    uint88 internal constant CONFIRMED = 1000;

    StandInRebalancer internal rebalancer;
    IPostedSupply internal supplies;

    function setUp() public virtual {
        vm.warp(NOW);
        rebalancer = new StandInRebalancer();
        rebalancer.setMaxJump(0.1e18);
        supplies = _deployed(POSTER, _list(_posted(A, CONFIRMED, NOW - 100), _posted(B, 5, NOW)));
        _setMonth(Phase.Idle, CONFIRMED, 7);
    }

    function _deployed(address poster, Posted[] memory list) internal returns (IPostedSupply) {
        return IPostedSupply(deploy("PostedSupply", abi.encode(address(this), rebalancer, poster, list)));
    }

    /// @dev A month with A and C, determined with the basis `basis`, where `confirmed` had been confirmed of A.
    function _setMonth(Phase phase, uint256 basis, uint256 confirmed) internal {
        _setMonth(phase, PERIOD, basis, confirmed, DETERMINED_AT);
    }

    function _setMonth(Phase phase, uint24 period, uint256 basis, uint256 confirmed, uint40 determinedAt) internal {
        address pointer = address(0xc0de);
        vm.etch(pointer, abi.encodePacked(hex"00", A, hex"00", uint88(basis), confirmed * 16, C, uint96(0), uint256(3)));
        rebalancer.setMonth(Month(phase, period, 0, determinedAt, pointer), PERIOD);
    }

    function _posted(address token, uint88 wholeTokens, uint40 date) internal pure returns (Posted memory) {
        return Posted(token, wholeTokens, date);
    }

    function _list(Posted memory a) internal pure returns (Posted[] memory list) {
        list = new Posted[](1);
        list[0] = a;
    }

    function _list(Posted memory a, Posted memory b) internal pure returns (Posted[] memory list) {
        list = new Posted[](2);
        (list[0], list[1]) = (a, b);
    }

    function _post(address by, Posted memory a) internal {
        _post(by, _list(a));
    }

    function _post(address by, Posted[] memory list) internal {
        vm.prank(by);
        supplies.post(list);
    }

    function _refused(address by, Posted memory a, bytes memory reason) internal {
        _refused(by, _list(a), reason);
    }

    function _refused(address by, Posted[] memory list, bytes memory reason) internal {
        vm.prank(by);
        vm.expectRevert(reason);
        supplies.post(list);
    }

    function _stands(address token, uint256 wholeTokens, uint256 date) internal view {
        (uint256 foundSupply, uint256 foundDate) = supplies.supply(token);
        equal(foundSupply, wholeTokens, "supply");
        equal(foundDate, date, "date");
    }
}

contract PostedSupplyOwnerTest is PostedSupplyScene {
    function test_starts_with_what_it_is_given() external view {
        equal(supplies.REBALANCER(), address(rebalancer), "rebalancer");
        equal(supplies.owner(), address(this), "owner");
        equal(supplies.poster(), POSTER, "poster");
        _stands(A, CONFIRMED, NOW - 100);
        _stands(B, 5, NOW);
        _stands(C, 0, 0);
    }

    function test_may_start_with_nothing() external {
        vm.expectEmit(true, true, true, true, vm.computeCreateAddress(address(this), vm.getNonce(address(this))));
        emit IPostedSupply.PosterSet(address(0));
        supplies = _deployed(address(0), new Posted[](0));
        equal(supplies.poster(), address(0), "poster");
        _stands(A, 0, 0);
    }

    function test_the_first_supplies_are_checked_and_told() external {
        vm.expectEmit(true, true, true, true, vm.computeCreateAddress(address(this), vm.getNonce(address(this))));
        emit IPostedSupply.SupplyPosted(C, 9, NOW, address(this));
        _deployed(POSTER, _list(_posted(C, 9, NOW)));
        vm.expectRevert(abi.encodeWithSelector(IPostedSupply.UnfitSupply.selector, C, 9, NOW + 1));
        this.deployWith(_list(_posted(C, 9, NOW + 1)));
    }

    function test_the_owner_posts_any() external {
        vm.expectEmit(true, true, true, true, address(supplies));
        emit IPostedSupply.SupplyPosted(C, type(uint88).max, NOW, address(this));
        vm.expectEmit(true, true, true, true, address(supplies));
        emit IPostedSupply.SupplyPosted(A, 1, NOW - 99, address(this));
        supplies.post(_list(_posted(C, type(uint88).max, NOW), _posted(A, 1, NOW - 99)));
        _stands(C, type(uint88).max, NOW);
        _stands(A, 1, NOW - 99);
        _stands(B, 5, NOW);
        supplies.post(new Posted[](0));
        // Also while a month is determined or trading.
        _setMonth(Phase.Determined, CONFIRMED, 7);
        supplies.post(_list(_posted(A, 2, NOW)));
        _stands(A, 2, NOW);
    }

    function test_a_supply_is_of_a_token_above_zero_and_not_of_the_future() external {
        _unfit(_posted(address(0), 1, NOW));
        _unfit(_posted(A, 0, NOW));
        _unfit(_posted(A, 1, NOW + 1));
        _unfit(_posted(address(0), 0, NOW + 1));
        supplies.post(_list(_posted(address(1), 1, NOW)));
        _stands(address(1), 1, NOW);
    }

    function test_an_older_one_does_not_replace_a_newer() external {
        bytes memory older = abi.encodeWithSelector(IPostedSupply.OlderSupply.selector, A, NOW - 101, NOW - 100);
        _refused(address(this), _posted(A, 6, NOW - 101), older);
        supplies.post(_list(_posted(A, 6, NOW - 100)));
        _stands(A, 6, NOW - 100); // corrected
        supplies.post(_list(_posted(C, 1, 0)));
        _stands(C, 1, 0);
    }

    function test_nobody_else_posts() external {
        address other = address(0xbad);
        Posted memory posted = _posted(A, CONFIRMED, NOW);
        _refused(other, posted, abi.encodeWithSelector(IPostedSupply.NotPoster.selector, other));
        _refused(other, new Posted[](0), abi.encodeWithSelector(IPostedSupply.NotPoster.selector, other));
    }

    function test_the_owner_names_the_poster() external {
        vm.expectEmit(true, true, true, true, address(supplies));
        emit IPostedSupply.PosterSet(address(0x906));
        supplies.setPoster(address(0x906));
        equal(supplies.poster(), address(0x906), "poster");
        Posted memory posted = _posted(A, CONFIRMED, NOW);
        _refused(POSTER, posted, abi.encodeWithSelector(IPostedSupply.NotPoster.selector, POSTER));
        _post(address(0x906), posted);
        _stands(A, CONFIRMED, NOW);
    }

    function test_nobody_else_names_the_poster() external {
        vm.prank(POSTER);
        vm.expectRevert(abi.encodeWithSelector(IPostedSupply.OwnableUnauthorizedAccount.selector, POSTER));
        supplies.setPoster(POSTER);
    }

    function deployWith(Posted[] calldata list) external {
        _deployed(POSTER, list);
    }

    function _unfit(Posted memory p) private {
        bytes memory reason = abi.encodeWithSelector(IPostedSupply.UnfitSupply.selector, p.token, p.wholeTokens, p.date);
        _refused(address(this), p, reason);
    }
}

contract PostedSupplyPosterTest is PostedSupplyScene {
    function test_the_poster_brings_a_supply_up_to_date() external {
        vm.expectEmit(true, true, true, true, address(supplies));
        emit IPostedSupply.SupplyPosted(A, 1010, NOW, POSTER);
        _post(POSTER, _posted(A, 1010, NOW));
        _stands(A, 1010, NOW);
        _post(POSTER, new Posted[](0));
    }

    function test_the_poster_is_held_to_what_was_confirmed() external {
        _outOfBounds(1101, 900, 1100);
        _outOfBounds(899, 900, 1100);
        _outOfBounds(0, 900, 1100);
        _postsAnew(1100);
        _postsAnew(900);
        // A tenth of 1,009 is 100.
        _setMonth(Phase.Idle, 1009, 0);
        _outOfBounds(1110, 909, 1109);
        _postsAnew(1109);
        _postsAnew(909);
        _setMonth(Phase.Idle, 1, 0);
        _outOfBounds(2, 1, 1);
        _postsAnew(1);
    }

    function test_a_bound_as_large_as_the_supply_has_no_least() external {
        rebalancer.setMaxJump(1e18);
        _outOfBounds(2001, 0, 2000);
        rebalancer.setMaxJump(1.5e18);
        _outOfBounds(2501, 0, 2500);
        _postsAnew(1);
        _postsAnew(2500);
        bytes memory none = abi.encodeWithSelector(IPostedSupply.UnfitSupply.selector, A, 0, NOW);
        _refused(POSTER, _posted(A, 0, NOW), none);
    }

    function test_the_bound_of_large_supplies_is_exact() external {
        rebalancer.setMaxJump(0.5e18);
        _setMonth(Phase.Idle, 1e20, 0);
        _outOfBounds(1.5e20 + 1, 0.5e20, 1.5e20);
        _outOfBounds(0.5e20 - 1, 0.5e20, 1.5e20);
        _postsAnew(1.5e20);
    }

    function test_every_post_of_a_list_is_held_to_it() external {
        bytes memory reason =
            abi.encodeWithSelector(IPostedSupply.SupplyOutOfBounds.selector, A, uint256(1101), 900, 1100);
        _refused(POSTER, _list(_posted(A, 1001, NOW - 1), _posted(A, 1101, NOW)), _postedBefore(A));
        supplies.post(_list(_posted(C, 5, NOW)));
        bytes memory nothing = abi.encodeWithSelector(IPostedSupply.NothingConfirmed.selector, C);
        _refused(POSTER, _list(_posted(A, 1001, NOW), _posted(C, 5, NOW)), nothing);
        _refused(POSTER, _list(_posted(A, 1101, NOW), _posted(C, 5, NOW)), reason);
        _stands(A, CONFIRMED, NOW - 100);
    }

    function test_a_first_supply_is_the_owners() external {
        _refused(POSTER, _posted(C, 5, NOW), abi.encodeWithSelector(IPostedSupply.FirstSupply.selector, C));
    }

    function test_without_a_confirmed_supply_there_is_nothing_to_hold_a_post_to() external {
        // B is no row; C is one without a basis.
        bytes memory nothing = abi.encodeWithSelector(IPostedSupply.NothingConfirmed.selector, B);
        _refused(POSTER, _posted(B, 5, NOW), nothing);
        supplies.post(_list(_posted(C, 5, NOW)));
        nothing = abi.encodeWithSelector(IPostedSupply.NothingConfirmed.selector, C);
        _refused(POSTER, _posted(C, 5, NOW), nothing);
        rebalancer.setMonth(Month(Phase.Idle, 0, 0, 0, address(0)), PERIOD);
        nothing = abi.encodeWithSelector(IPostedSupply.NothingConfirmed.selector, A);
        _refused(POSTER, _posted(A, CONFIRMED, NOW), nothing);
    }

    function test_each_token_once_for_each_determination() external {
        _post(POSTER, _posted(A, 1010, NOW));
        _refused(POSTER, _posted(A, 1010, NOW), _postedBefore(A));
        // What the owner posts in between does not open it again, nor does it close it for others.
        supplies.post(_list(_posted(A, 1020, NOW), _posted(B, 6, NOW)));
        _refused(POSTER, _posted(A, 1010, NOW), _postedBefore(A));
        _setMonth(Phase.Idle, PERIOD, CONFIRMED, 0, DETERMINED_AT + 1);
        _post(POSTER, _posted(A, 1030, NOW));
        _refused(POSTER, _posted(A, 1030, NOW), _postedBefore(A));
        _stands(A, 1030, NOW);
        // As long as a time may be.
        _setMonth(Phase.Idle, PERIOD, CONFIRMED, 0, type(uint40).max);
        _post(POSTER, _posted(A, 1040, NOW));
        _refused(POSTER, _posted(A, 1040, NOW), _postedBefore(A));
        _stands(A, 1040, NOW);
    }

    function test_what_the_owner_posted_is_not_counted_as_the_posters() external {
        // Not even as one after a determination of the first second.
        _setMonth(Phase.Idle, PERIOD, CONFIRMED, 0, 1);
        _post(POSTER, _posted(A, 1010, NOW));
        _stands(A, 1010, NOW);
    }

    function test_the_poster_waits_while_a_month_is_open() external {
        bytes memory open = abi.encodeWithSelector(IPostedSupply.MonthOpen.selector);
        Posted memory posted = _posted(A, CONFIRMED, NOW);
        _setMonth(Phase.Trading, CONFIRMED, CONFIRMED);
        _refused(POSTER, posted, open);
        _setMonth(Phase.Trading, PERIOD - 1, CONFIRMED, CONFIRMED, DETERMINED_AT);
        _refused(POSTER, posted, open);
        _setMonth(Phase.Determined, CONFIRMED, CONFIRMED);
        _refused(POSTER, posted, open);
        // Its period is over, and it was never started.
        _setMonth(Phase.Determined, PERIOD - 1, 7, CONFIRMED, DETERMINED_AT);
        _post(POSTER, posted);
        _stands(A, CONFIRMED, NOW);
    }

    function test_a_month_that_was_not_started_left_what_was_confirmed_before() external {
        Phase[2] memory phases = [Phase.Vetoed, Phase.Voided];
        for (uint256 i; i < 2; ++i) {
            _setMonth(phases[i], PERIOD, 7, 2000, uint40(DETERMINED_AT + i));
            _outOfBounds(1799, 1800, 2200);
            _post(POSTER, _posted(A, 2200, NOW));
        }
        // An idle month was started: its own basis counts.
        _setMonth(Phase.Idle, PERIOD, 3000, 2000, DETERMINED_AT + 2);
        _outOfBounds(2200, 2700, 3300);
    }

    function test_what_is_unfit_is_refused_from_the_poster_too() external {
        bytes memory unfit = abi.encodeWithSelector(IPostedSupply.UnfitSupply.selector, A, 1000, NOW + 1);
        _refused(POSTER, _posted(A, 1000, NOW + 1), unfit);
        bytes memory older = abi.encodeWithSelector(IPostedSupply.OlderSupply.selector, A, NOW - 101, NOW - 100);
        _refused(POSTER, _posted(A, 1000, NOW - 101), older);
    }

    function _outOfBounds(uint88 wholeTokens, uint256 least, uint256 most) private {
        bytes memory reason =
            abi.encodeWithSelector(IPostedSupply.SupplyOutOfBounds.selector, A, wholeTokens, least, most);
        _refused(POSTER, _posted(A, wholeTokens, NOW), reason);
    }

    /// @dev Posts a supply of A and takes it back.
    function _postsAnew(uint88 wholeTokens) private {
        uint256 snapshot = vm.snapshotState();
        _post(POSTER, _posted(A, wholeTokens, NOW));
        _stands(A, wholeTokens, NOW);
        vm.revertToState(snapshot);
    }

    function _postedBefore(address token) private pure returns (bytes memory) {
        return abi.encodeWithSelector(IPostedSupply.PostedBefore.selector, token);
    }
}
