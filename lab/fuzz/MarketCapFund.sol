// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Constituent, IMethodology, Status} from "../../contracts/interfaces/IMethodology.sol";
import {Month, Phase, Side} from "../../contracts/interfaces/IRebalancer.sol";
import {State} from "../../contracts/libraries/Candidates.sol";
import {Constituents} from "../../contracts/libraries/Constituents.sol";
import {Cap} from "../../contracts/libraries/MarketCapMath.sol";
import {Draw, Drawing} from "./Draw.sol";
import {Handler} from "./Handler.sol";
import {Candidate, IMarketCapOwner, IPostedSupplyOwner, Posted, Rule} from "./Methodologies.sol";
import {vm} from "./Vm.sol";

/// @notice A fund by market cap. Of two candidates, one of them new, the supply is computed on chain from what lies in
/// a locker, which can be moved for one block; the others' are posted.
contract MarketCapHandler is Handler {
    using Drawing for Draw;

    address private constant LOCKER = address(0x10c);
    address private constant POSTER = address(0x9057);
    uint256 private constant MAX_JUMP = 0.5e18;
    uint256 private constant LAST = N - 1;

    IPostedSupplyOwner private _posted;
    address private _computing;

    /// @dev The one candidate that is not active, N for none, and its state, of each methodology.
    struct Rest {
        uint256 which;
        State state;
    }

    mapping(IMethodology methodology => Rest) private _rest;

    // Supplies, {whole tok}. `given` by the owner; `known`: what the last started month confirmed; `honest`: what the
    // locker says when nobody moves it, at the determination; `lied`: somebody did then.
    uint256[N] private _given;
    uint256[N] private _known;
    uint256[N] private _honest;
    bool[N] private _lied;
    /// @dev The poster has posted it since the last determination.
    bool[N] private _postedSince;
    /// @dev Whether the last started month included it, or it has been frozen since one did.
    bool[N] private _member;
    /// @dev The one that is moved in this block, N for none, and what the locker holds truly.
    uint256 private _moved = N;
    uint256 private _lockerHeld;
    bool private _started;

    /* PARTS */

    function _makeMethodologies() internal override returns (IMethodology first, IMethodology second) {
        Posted[] memory posted = new Posted[](N);
        address[] memory computed = new address[](2);
        address[][] memory lockers = new address[][](2);
        (computed[0], computed[1]) = (address(tokens[NEWCOMER]), address(tokens[LAST]));
        for (uint256 i; i < N; ++i) {
            uint256 wholeTokens = 1e27 / price[i] + 1;
            posted[i] = Posted(address(tokens[i]), uint88(wholeTokens), uint40(block.timestamp));
            // Of one posted supply the owner gives none, and none of the newcomer's.
            if (i != 0 && i != NEWCOMER) _given[i] = wholeTokens;
            tokens[i].setTotalSupply(4 * wholeTokens * one[i]);
            tokens[i].setBalance(LOCKER, 3 * wholeTokens * one[i]);
        }
        for (uint256 k; k < 2; ++k) {
            lockers[k] = new address[](1);
            lockers[k][0] = LOCKER;
        }
        // The rebalancer is made seventh from here: supplies, methodologies, oracle and index token come before it.
        address later = vm.computeCreateAddress(address(this), vm.getNonce(address(this)) + 6);
        bytes memory posting = abi.encode(address(this), later, POSTER, posted);
        _posted = IPostedSupplyOwner(deploy("PostedSupply", posting));
        _computing = deploy("LockedSupply", abi.encode(address(this), computed, lockers));
        Rule memory rule = Rule({
            cap: Cap.Hard,
            capWeight: 0.4e18,
            floorWeight: 0.01e18,
            entryWeight: 0.02e18,
            topN: 4,
            floorEach: true,
            maxSupplyAge: 60 days,
            maxSupplyJump: uint64(MAX_JUMP),
            capPasses: 1
        });
        bytes memory arguments = abi.encode(address(this), rule, _candidates(N, State.Active));
        first = IMethodology(deploy("MarketCap", arguments));
        second = IMethodology(deploy("MarketCap", arguments));
        (_rest[first].which, _rest[second].which) = (N, N);
    }

    /// @dev All active but `which`, which has this state.
    function _candidates(uint256 which, State state) private view returns (Candidate[] memory list) {
        list = new Candidate[](N);
        for (uint256 i; i < N; ++i) {
            address source = _computed(i) ? _computing : address(_posted);
            list[i] = Candidate(address(tokens[i]), source, i == which ? state : State.Active, uint88(_given[i]));
        }
    }

    function _computed(uint256 i) private pure returns (bool) {
        return i == NEWCOMER || i == LAST;
    }

    /* OWNER */

    /// @dev Posts supplies and moves what is locked, or changes the state of a candidate.
    function _changeRule(Draw memory d) internal override {
        if (d.below(4) == 0) {
            Rest memory rest = Rest(d.below(2) == 0 ? _oneOf(d) : N, State(d.below(3)));
            _rest[methodology] = rest;
            IMarketCapOwner(address(methodology)).setCandidates(_candidates(rest.which, rest.state));
            return;
        }
        if (d.below(3) == 0) return _asPoster(d);
        Posted[] memory posted = new Posted[](N);
        for (uint256 i; i < N; ++i) {
            // A market cap of 0.2 to 2 billion dollars.
            uint256 wholeTokens = d.between(2e26, 2e27) / lastPrice[i] + 1;
            posted[i] = Posted(address(tokens[i]), uint88(wholeTokens), uint40(time));
            if (_computed(i) && d.below(2) == 0) _circulate(i, wholeTokens);
        }
        _posted.post(posted);
    }

    /// @dev The poster posts one supply, where its rules let it: nothing else goes through, and nothing of that fails.
    function _asPoster(Draw memory d) private {
        uint256 i = d.below(N);
        uint256 confirmed = _started ? _known[i] : 0;
        uint256 wholeTokens = (confirmed == 0 ? 1e6 : confirmed) * d.between(0.4e18, 1.6e18) / ONE + 1;
        Month memory month = rebalancer.month();
        bool open = month.phase == Phase.Trading
            || (month.phase == Phase.Determined && month.period == rebalancer.currentPeriod());
        uint256 bound = confirmed * MAX_JUMP / ONE;
        bool within = wholeTokens <= confirmed + bound && wholeTokens + bound >= confirmed;
        Posted[] memory posted = new Posted[](1);
        posted[0] = Posted(address(tokens[i]), uint88(wholeTokens), uint40(time));
        vm.prank(POSTER);
        try _posted.post(posted) {
            _hold(!open && within && confirmed != 0 && !_postedSince[i], "a poster keeps to its rules");
            _postedSince[i] = true;
        } catch (bytes memory reason) {
            _noPanic(reason);
            _hold(open || !within || confirmed == 0 || _postedSince[i], "a poster can post");
        }
    }

    /// @dev Locks all but `wholeTokens`; what exists grows where that is too little.
    function _circulate(uint256 i, uint256 wholeTokens) private {
        uint256 exist = tokens[i].totalSupply();
        if (exist < wholeTokens * one[i]) tokens[i].setTotalSupply(exist = 2 * wholeTokens * one[i]);
        tokens[i].setBalance(LOCKER, exist - wholeTokens * one[i]);
    }

    function _circulates(uint256 i) private view returns (uint256) {
        return (tokens[i].totalSupply() - tokens[i].held(LOCKER)) / one[i];
    }

    /* WHAT MUST GO ON */

    /// @dev A share must be worth less than all market caps together, which may be as low as some ten million dollars
    /// here: shares become dear where nearly everybody leaves and skips what is stuck.
    function _weighs(uint256 nav) internal pure override returns (bool) {
        return nav < 1e7 * ONE;
    }

    /// @dev Of two candidates a supply is known, wherever the month stands.
    function _determinable() internal view override returns (bool) {
        uint256 supply = index.totalSupply();
        (uint256 least, uint256 most) = (0, 0);
        for (uint256 i; i < N; ++i) {
            if (!_listed(i) || _inactive(i) || !_sound(i, supply)) continue;
            uint256 value = _said(i) * ONE / supply * price[i] / one[i];
            most += value;
            // What is frozen holds its own value: a state of the owner's, or a computed supply that nobody has
            // confirmed yet.
            if (i != NEWCOMER && i != LAST && _active(i)) least += value;
        }
        if (least == 0 || !_weighs(most)) return false;
        for (uint256 i = 1; i < LAST; ++i) {
            if (i == NEWCOMER || !_active(i) || price[i] == 0 || everWrittenOff[i]) continue;
            if (!_inactive(i) && _sound(i, supply)) return true;
        }
        return false;
    }

    function _active(uint256 i) internal view override returns (bool) {
        Rest memory rest = _rest[methodology];
        return rest.which != i || rest.state == State.Active;
    }

    /* SUPPLIES */

    /// @dev One time in three somebody moves what is locked of one candidate, for this block: all of it, or any part.
    /// It changes nobody's status where the candidate was a member: that rests on what was known before.
    function _beforeReading(bool determining) internal override {
        for (uint256 i; i < N && determining; ++i) {
            if (_computed(i)) (_honest[i], _lied[i]) = (_circulates(i), false);
        }
        Draw memory d = Drawing.from(uint256(keccak256(abi.encode(time, determining, "move"))));
        if (d.below(3) != 0) return;
        _moved = d.below(2) == 0 ? NEWCOMER : LAST;
        _lockerHeld = tokens[_moved].held(LOCKER);
        Constituent[] memory rows;
        if (determining) rows = rebalancer.previewDetermine();
        uint256 kind = d.below(4);
        uint256 exist = tokens[_moved].totalSupply();
        uint256 moved = kind == 0 ? 0 : kind == 1 ? exist : d.below(exist);
        tokens[_moved].setBalance(LOCKER, moved);
        if (determining) _sameChosen(rows, rebalancer.previewDetermine());
        else return;
        _lied[_moved] = true;
    }

    function _sameChosen(Constituent[] memory a, Constituent[] memory b) private view {
        uint256 k;
        while (a[k].token != address(tokens[_moved])) ++k;
        if (!a[k].member) return;
        for (k = 0; k < a.length; ++k) {
            _hold(a[k].status == b[k].status, "one block does not choose");
        }
    }

    /// @dev What is remembered is what started months confirmed, which moves by the bound at most; and where what is
    /// locked was moved in one of both blocks alone, by no more than the other says.
    function _read(bool determining) internal override {
        uint256 movedNow = _moved;
        if (movedNow != N) tokens[movedNow].setBalance(LOCKER, _lockerHeld);
        _moved = N;
        Constituent[] memory rows = Constituents.read(rebalancer.month().determination);
        uint256 k;
        for (uint256 i; i < N; ++i) {
            while (rows[k].token != address(tokens[i])) ++k;
            if (determining) _postedSince[i] = false;
            if (determining) _remembered(i, rows[k]);
            else _confirmed(i, rows[k], movedNow == i);
        }
        if (!determining) _started = true;
    }

    function _remembered(uint256 i, Constituent memory row) private view {
        bool member = _started ? _member[i] : _listed(i);
        bool remembers = row.confirmed == (_started ? _known[i] : 0) && row.member == member;
        _hold(remembers, "only what a start confirmed is remembered");
        bool unknown = _computed(i) && _known[i] == 0 && _given[i] == 0;
        _hold(!unknown || row.status != Status.Included, "a newcomer waits for a month to confirm it");
    }

    function _confirmed(uint256 i, Constituent memory row, bool lied) private {
        _hold(side[i] != Side.Buy || _active(i), "what was taken out since is not bought");
        uint256 was = _started && _known[i] != 0 ? _known[i] : _given[i];
        uint256 now_ = row.basis;
        uint256 bound = was * MAX_JUMP / ONE;
        if (was != 0) {
            _hold(now_ <= was + bound, "a supply moves by the bound at most");
            _hold(!row.member || now_ + bound >= was, "a supply moves by the bound at most");
        }
        if (_computed(i) && lied != _lied[i]) {
            // Moved at start alone: what was read at the determination counts, and the other way round.
            uint256 other = lied ? _honest[i] : _circulates(i);
            bool holds = was == 0 ? now_ <= other : _apart(now_, was) <= _apart(other, was);
            _hold(holds, "one block confirms nothing");
        }
        _known[i] = now_;
        _member[i] = row.status == Status.Included || (row.status == Status.Frozen && row.member);
    }

    function _apart(uint256 a, uint256 b) private pure returns (uint256) {
        return a > b ? a - b : b - a;
    }
}
