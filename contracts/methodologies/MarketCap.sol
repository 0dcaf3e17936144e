// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {DynamicArrayLib} from "solady/src/utils/DynamicArrayLib.sol";

import {Owned} from "../access/Owned.sol";
import {IIndexToken} from "../interfaces/IIndexToken.sol";
import {IMarketCap} from "../interfaces/IMarketCap.sol";
import {Constituent, Flags, IMethodology, Status} from "../interfaces/IMethodology.sol";
import {IOracle} from "../interfaces/IOracle.sol";
import {Candidates, Candidate} from "../libraries/Candidates.sol";
import {Choice} from "../libraries/Choice.sol";
import {Circulating} from "../libraries/Circulating.sol";
import {Constituents} from "../libraries/Constituents.sol";
import {Holdings, Standing} from "../libraries/Holdings.sol";
import {Lists} from "../libraries/Lists.sol";
import {Cap, Capping, MarketCapMath} from "../libraries/MarketCapMath.sol";
import {MarketCapRule, Rule} from "../libraries/MarketCapRule.sol";
import {Words} from "../libraries/Words.sol";

/// @title MarketCap
/// @notice Weights by circulating market cap: the `topN` largest candidates, capped, without those below the floor
/// (members) or entry (all others) weight. The arithmetic is `MarketCapMath`'s, what is believed of a supply is
/// `Circulating`'s.
///
/// CONFIRMED. Only what a started month confirmed is remembered. A month that was vetoed, or never started, changes
/// nothing.
///
/// ORDER. Rank by market cap at determination (equal ones: the lower address first); weigh and cap; drop all that fail
/// their floor at once, unless all do; weigh and cap what is left once more. There is no third weighing. Who enters and
/// who leaves is decided on figures that do not rest on this block alone; what the others weigh, on those read now.
///
/// SUPPLIES. A supply that is too old or missing is replaced by the confirmed one (STALE); one that jumped by more than
/// the bound is clamped to it (CLAMPED). Where none is known, one computed in this block does not count until a start
/// has confirmed it (UNCONFIRMED). The owner may override each during the notice period. Supplies are read again at
/// start, and of the two the one nearer to the confirmed one counts: moving a balance within one transaction gains
/// nothing.
///
/// STATES. A frozen candidate, a suspended one, or a held one without a price, a supply or a sound balance, is held as
/// it is and its weight taken out before the others share. A leaving one has target zero. What is held and no candidate
/// is told beside them, as outside.
contract MarketCap is IMethodology, IMarketCap, Owned {
    using DynamicArrayLib for uint256[];
    using Words for uint256[];

    uint256 private constant ONE = 1e18;

    /* ERRORS */

    /// @notice An override must be above zero, for a candidate.
    error UnfitOverride(address token, uint256 wholeTokens);

    /* EVENTS */

    event CandidatesSet(Candidate[] candidates);
    event SupplyOverridden(address indexed token, uint256 wholeTokens, uint256 until);

    /* RULE */

    bytes32 public constant BASIS = "supply";

    Cap private immutable CAP;
    uint256 private immutable CAP_WEIGHT;
    uint256 private immutable CAP_PASSES;
    uint256 private immutable FLOOR_WEIGHT;
    uint256 private immutable ENTRY_WEIGHT;
    uint256 private immutable TOP_N;
    bool private immutable FLOOR_EACH;
    uint256 private immutable MAX_SUPPLY_AGE;
    uint256 private immutable MAX_SUPPLY_JUMP;

    /* STORAGE */

    struct Override {
        uint88 wholeTokens;
        uint40 until;
    }

    /// @dev Where the candidates are packed, and when the last of all overrides ends: before that none need be looked
    /// for.
    struct Register {
        address candidates;
        uint40 overriddenUntil;
    }

    /// @notice How long an override counts: long enough from a notice period to its start, not until the next.
    uint256 public constant OVERRIDE_LIFE = 10 days;

    /// @dev A candidate at start: its row, its second word in the list, what its source says now, and whether there may
    /// be an override.
    struct Reread {
        address token;
        uint256 determined;
        uint256 more;
        uint256 candidate;
        uint256 supply;
        uint256 date;
        bool overridden;
    }

    Register private _register;
    mapping(address token => Override) private _overrides;

    /* CONSTRUCTOR */

    /// @param owner The timelock. @param rule_ The rule. @param list See `setCandidates`.
    constructor(address owner, Rule memory rule_, Candidate[] memory list) Owned(owner) {
        MarketCapRule.check(rule_);
        CAP = rule_.cap;
        CAP_WEIGHT = rule_.capWeight;
        CAP_PASSES = rule_.capPasses;
        FLOOR_WEIGHT = rule_.floorWeight;
        ENTRY_WEIGHT = rule_.entryWeight;
        TOP_N = rule_.topN;
        FLOOR_EACH = rule_.floorEach;
        MAX_SUPPLY_AGE = rule_.maxSupplyAge;
        MAX_SUPPLY_JUMP = rule_.maxSupplyJump;
        _setCandidates(list);
    }

    /* VIEWS */

    /// @inheritdoc IMarketCap
    function rule() external view returns (Rule memory) {
        return Rule({
            cap: CAP,
            capWeight: uint64(CAP_WEIGHT),
            floorWeight: uint64(FLOOR_WEIGHT),
            entryWeight: uint64(ENTRY_WEIGHT),
            topN: uint8(TOP_N),
            floorEach: FLOOR_EACH,
            maxSupplyAge: uint32(MAX_SUPPLY_AGE),
            maxSupplyJump: uint64(MAX_SUPPLY_JUMP),
            capPasses: uint8(CAP_PASSES)
        });
    }

    /// @notice The candidates, where their supplies come from, and their states.
    function candidates() external view returns (Candidate[] memory) {
        return Candidates.read(_register.candidates);
    }

    /// @inheritdoc IMethodology
    function determine(IOracle oracle, IIndexToken index, Constituent[] calldata previous)
        external
        view
        returns (Constituent[] memory list)
    {
        uint256[] memory all = Words.read(_register.candidates);
        bool overridden = block.timestamp < _register.overriddenUntil;
        Holdings.Held memory held = Holdings.read(index, oracle, all);
        list = new Constituent[](held.tokens.length);
        (uint256[] memory bases, uint256[] memory decisive) = (new uint256[](list.length), new uint256[](list.length));
        (uint256 k, uint256 last) = (0, 0);
        for (uint256 i; i < list.length; ++i) {
            Constituent memory c = list[i];
            (c.token, c.price) = (held.tokens[i], uint128(held.prices[i]));
            if (k == Candidates.count(all) || Candidates.token(all, k) != c.token) {
                c.status = Status.Outside;
                continue;
            }
            uint256 candidate = Candidates.second(all, k++);
            while (last < previous.length && previous[last].token < c.token) ++last;
            if (last < previous.length && previous[last].token == c.token) _recall(c, previous[last]);
            // Before the first started month, what the fund was seeded with is its index.
            if (previous.length == 0) c.member = held.standings[i] != Standing.Unlisted;
            (bases[i], decisive[i]) = _read(c, candidate, overridden);
            Choice.decide(c, Candidates.state(candidate), held.standings[i]);
            // What is frozen holds its own value: it is not there for the others to share.
            if (c.status == Status.Frozen) held.nav -= held.values[i];
        }
        _choose(list, bases, decisive, held);
    }

    /// @inheritdoc IMethodology
    function confirm(uint256[] calldata determined) external view returns (uint256[] memory words) {
        uint256[] memory all = Words.read(_register.candidates);
        bool overridden = block.timestamp < _register.overriddenUntil;
        (uint256 n, uint256 most) = (determined.length / 2, Candidates.count(all));
        words = DynamicArrayLib.malloc(n);
        uint256 k;
        unchecked {
            // Positions in lists.
            for (uint256 i; i < n; ++i) {
                (uint256 word, uint256 more) = (determined.given(2 * i), determined.given(2 * i + 1));
                address token = Constituents.token(word);
                while (k < most && Candidates.token(all, k) < token) ++k;
                if (k == most || Candidates.token(all, k) != token) {
                    // No candidate, or none any more: what was read at the determination is not confirmed.
                    uint88 before = Constituents.confirmed(more);
                    words.set(i, Constituents.packConfirmed(before, Constituents.flags(word), Status.Outside));
                    continue;
                }
                words.set(i, _confirm(word, more, Candidates.second(all, k++), overridden));
            }
        }
        Lists.directReturn(words);
    }

    /// @inheritdoc IMethodology
    function targetUnits(
        uint256[] calldata basis,
        uint256[] calldata units,
        uint256[] calldata prices,
        uint256[] calldata ones
    ) external view returns (uint256[] memory targets) {
        uint256 n = units.length;
        require(basis.length == n && prices.length == n && ones.length == n, MarketCapMath.OutsideDomain("lengths"));
        (uint256 nav, uint256 marketCap) = MarketCapMath.totals(basis, units, prices, ones, FLOOR_EACH);
        uint256[] memory current;
        if (CAP == Cap.Flexible && nav != 0) current = _weightsHeld(units, prices, ones, nav);
        (targets,) = MarketCapMath.weigh(nav, marketCap, basis, prices, current, _capping());
        unchecked {
            for (uint256 i; i < n; ++i) {
                // {tok / share} = {1e-18 whole tok / share} * {tok / whole tok} / {1e18}, down; below 2**61 * 2**104 *
                // 2**90
                targets.set(i, targets.get(i) * ones.given(i) / ONE);
            }
        }
        Lists.directReturn(targets);
    }

    /* OWNER */

    /// @notice Replaces the candidates, strictly ascending by address. It counts at the next determination, and at the
    /// start of one that has been: what is frozen, leaving or no candidate any more is not bought then.
    function setCandidates(Candidate[] calldata list) external onlyOwner {
        _setCandidates(list);
    }

    /// @notice Puts a supply (whole tokens) in place of what its source says, for `OVERRIDE_LIFE`.
    function overrideSupply(address token, uint88 wholeTokens) external onlyOwner {
        require(wholeTokens != 0 && _isCandidate(token), UnfitOverride(token, wholeTokens));
        uint256 until = block.timestamp + OVERRIDE_LIFE;
        _overrides[token] = Override(wholeTokens, uint40(until));
        _register.overriddenUntil = uint40(until); // later than that of every override before
        emit SupplyOverridden(token, wholeTokens, until);
    }

    /* INTERNAL: SUPPLY */

    /// @dev What the last started month left of a candidate. One that was frozen is what it was before.
    function _recall(Constituent memory c, Constituent calldata before) private pure {
        c.confirmed = before.basis;
        c.member = before.status == Status.Included || (before.status == Status.Frozen && before.member);
    }

    /// @dev Fills basis and flags of a candidate; returns the basis, and the figure that decides who enters and leaves.
    /// @param candidate Its second word, see `Candidates`. @param overridden Whether there may be an override.
    function _read(Constituent memory c, uint256 candidate, bool overridden)
        private
        view
        returns (uint256 basis, uint256 decisive)
    {
        uint256 flags;
        if (overridden) basis = _overriding(c.token);
        if (basis != 0) {
            (decisive, flags) = (basis, Flags.OVERRIDDEN);
        } else {
            (uint256 supply, uint256 date) = Circulating.ask(c.token, Candidates.source(candidate));
            uint256 known = Candidates.known(candidate, c.confirmed);
            (basis, flags) = Circulating.judge(supply, date, known, c.member, MAX_SUPPLY_AGE, MAX_SUPPLY_JUMP);
            decisive = Circulating.decisive(basis, flags, date, known, c.member);
        }
        (c.basis, c.flags) = (uint88(basis), uint8(flags));
    }

    /// @dev What a candidate is confirmed with. Mostly its source still says what was determined.
    function _confirm(uint256 word, uint256 more, uint256 candidate, bool overridden) private view returns (uint256) {
        address token = Constituents.token(word);
        (uint256 supply, uint256 date) = Circulating.ask(token, Candidates.source(candidate));
        uint256 answer = Constituents.asConfirmed(word, more);
        unchecked {
            // A date is not above the time, or Circulating gives 0 for it.
            if (
                !overridden && supply == Constituents.basis(word) && block.timestamp - date <= MAX_SUPPLY_AGE
                    && !Candidates.changed(candidate, more, supply)
            ) return answer;
        }
        return _reread(Reread(token, answer, more, candidate, supply, date, overridden));
    }

    /// @dev What a candidate is confirmed with, once its supply has been read again.
    function _reread(Reread memory r) private view returns (uint256) {
        uint256 known = Candidates.known(r.candidate, Constituents.confirmed(r.more));
        uint256 flags = Flags.OVERRIDDEN;
        uint256 basis = r.overridden ? _overriding(r.token) : 0;
        if (basis == 0) {
            bool member = Constituents.member(r.more);
            (basis, flags) = Circulating.judge(r.supply, r.date, known, member, MAX_SUPPLY_AGE, MAX_SUPPLY_JUMP);
        }
        uint256 was = Constituents.basisAndFlags(r.determined);
        uint256 state = Candidates.state(r.candidate);
        uint256 status = Choice.atStart(state, Constituents.status(r.more), Constituents.flags(was));
        return (status << 96) | Circulating.confirmedBasis(was, basis, flags, known);
    }

    /// @dev The owner's override; 0 if there is none, or it is over.
    function _overriding(address token) private view returns (uint256) {
        Override memory o = _overrides[token];
        return block.timestamp < o.until ? o.wholeTokens : 0;
    }

    /* INTERNAL: CHOICE */

    /// @dev Who is in, and the weights. The decisive figures choose, the bases weigh.
    function _choose(
        Constituent[] memory list,
        uint256[] memory bases,
        uint256[] memory decisive,
        Holdings.Held memory held
    ) private view {
        Choice.rank(list, decisive, TOP_N);
        Choice.weigh(list, decisive, held, _capping());
        bool again = Choice.dropSmall(list, FLOOR_WEIGHT, ENTRY_WEIGHT);
        for (uint256 i; i < list.length && !again; ++i) {
            again = list[i].status == Status.Included && bases[i] != decisive[i];
        }
        if (again) Choice.weigh(list, bases, held, _capping());
    }

    /* INTERNAL: HELPERS */

    function _capping() private view returns (Capping memory) {
        return Capping(CAP, CAP_WEIGHT, CAP_PASSES);
    }

    /// @dev What each component weighs now, 18 decimals, rounded down.
    function _weightsHeld(uint256[] calldata units, uint256[] calldata prices, uint256[] calldata ones, uint256 nav)
        private
        pure
        returns (uint256[] memory weights)
    {
        uint256 n = units.length;
        weights = new uint256[](n);
        for (uint256 i; i < n; ++i) {
            uint256 value = units.given(i) * prices.given(i) / ones.given(i);
            weights.set(i, value * ONE / nav); // {1e18} = {USD} * {1e18} / {USD}
        }
    }

    function _isCandidate(address token) private view returns (bool) {
        return Candidates.contains(Words.read(_register.candidates), token);
    }

    function _setCandidates(Candidate[] memory list) private {
        _register.candidates = Candidates.write(list);
        emit CandidatesSet(list);
    }
}
