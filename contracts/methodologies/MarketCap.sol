// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";

import {FixedPointMathLib} from "solady/src/utils/FixedPointMathLib.sol";
import {LibSort} from "solady/src/utils/LibSort.sol";

import {Owned} from "../access/Owned.sol";
import {IIndexToken} from "../interfaces/IIndexToken.sol";
import {Constituent, Flags, IMethodology, Status} from "../interfaces/IMethodology.sol";
import {IOracle} from "../interfaces/IOracle.sol";
import {Candidates, Candidate, State} from "../libraries/Candidates.sol";
import {Circulating} from "../libraries/Circulating.sol";
import {Constituents} from "../libraries/Constituents.sol";
import {Holdings, Standing} from "../libraries/Holdings.sol";
import {Lists} from "../libraries/Lists.sol";
import {Cap, Capping, MarketCapMath} from "../libraries/MarketCapMath.sol";
import {Words} from "../libraries/Words.sol";

/// @notice The rule, fixed at deployment: another rule is another methodology. Fractions have 18 decimals.
/// @param cap What happens above `capWeight`.
/// @param capWeight 0 with Cap.None.
/// @param floorWeight Least weight, after capping, at which a member stays.
/// @param entryWeight Least weight at which all others enter; at least `floorWeight`.
/// @param topN Most constituents.
/// @param floorEach At start NAV is floored for each component (true) or once over the sum (false); at determination
/// for each.
/// @param maxSupplyAge Oldest supply in seconds that counts.
/// @param maxSupplyJump Most that a supply may differ from the confirmed one, as a fraction of that.
/// @param capPasses How often weights are capped, 1 to 10; see `MarketCapMath`. The published rule does it once.
struct Rule {
    Cap cap;
    uint64 capWeight;
    uint64 floorWeight;
    uint64 entryWeight;
    uint8 topN;
    bool floorEach;
    uint32 maxSupplyAge;
    uint64 maxSupplyJump;
    uint8 capPasses;
}

/// @title MarketCap
/// @notice Weights by circulating market cap: the `topN` largest candidates, capped, without those below the floor (members)
/// or entry (all others) weight. The arithmetic is `MarketCapMath`'s, what is believed of a supply is `Circulating`'s.
///
/// CONFIRMED. Only what a started month confirmed is remembered. A month that was vetoed, or never started, changes nothing.
///
/// ORDER. Rank by market cap at determination (equal ones: the lower address first); weigh and cap; drop all that fail
/// their floor at once, unless all do; weigh and cap what is left once more. There is no third weighing. Who enters and who
/// leaves is decided on figures that do not rest on this block alone; what the others weigh, on those read now.
///
/// SUPPLIES. A supply that is too old or missing is replaced by the confirmed one (STALE); one that jumped by more than the
/// bound is clamped to it (CLAMPED). Where none is known, one computed in this block does not count until a start has
/// confirmed it (UNCONFIRMED). The owner may override each during the notice period. Supplies are read again at start, and
/// of the two the one nearer to the confirmed one counts: moving a balance within one transaction gains nothing.
///
/// STATES. A frozen candidate, a suspended one, or a held one without a price, a supply or a sound balance, is held as it is
/// and its weight taken out before the others share. A leaving one has target zero. What is held and no candidate is told
/// beside them, as outside.
contract MarketCap is IMethodology, Owned {
    using FixedPointMathLib for uint256;
    using SafeCast for uint256;
    using Words for uint256[];

    uint256 private constant ONE = 1e18;
    /// @dev Whole tokens are at most so many token wei: 27 decimals.
    uint256 private constant MOST_ONE = 1e27;
    /// @dev Prices have at most so many bits.
    uint256 private constant PRICE_BITS = 100;
    uint256 private constant MAX_PASSES = 10;

    /* ERRORS */

    /// @notice No candidate is left to include.
    error NoConstituents();
    /// @notice A field of the rule is out of bounds.
    error UnfitRule(bytes32 field);
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

    /// @dev Where the candidates are packed, and when the last of all overrides ends: before that none need be looked for.
    struct Register {
        address candidates;
        uint40 overriddenUntil;
    }

    /// @notice How long an override counts: long enough from a notice period to its start, not until the next.
    uint256 public constant OVERRIDE_LIFE = 10 days;

    Register private _register;
    mapping(address token => Override) private _overrides;

    /* CONSTRUCTOR */

    /// @param owner The timelock. @param rule_ The rule. @param list See `setCandidates`.
    constructor(address owner, Rule memory rule_, Candidate[] memory list) Owned(owner) {
        bool none = rule_.cap == Cap.None;
        require(none ? rule_.capWeight == 0 : rule_.capWeight != 0 && rule_.capWeight < ONE, UnfitRule("capWeight"));
        require(rule_.floorWeight < ONE, UnfitRule("floorWeight"));
        require(rule_.entryWeight >= rule_.floorWeight && rule_.entryWeight < ONE, UnfitRule("entryWeight"));
        require(rule_.topN != 0, UnfitRule("topN"));
        require(rule_.maxSupplyAge != 0, UnfitRule("maxSupplyAge"));
        require(rule_.maxSupplyJump != 0, UnfitRule("maxSupplyJump"));
        require(rule_.capPasses != 0 && rule_.capPasses <= MAX_PASSES, UnfitRule("capPasses"));
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
            _decide(c, Candidates.state(candidate), held.standings[i]);
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
        words = Words.room(n);
        uint256 k;
        unchecked {
            for (uint256 i; i < n; ++i) {
                (uint256 word, uint256 more) = (determined.given(2 * i), determined.given(2 * i + 1));
                address token = Constituents.token(word);
                while (k < most && Candidates.token(all, k) < token) ++k;
                if (k == most || Candidates.token(all, k) != token) {
                    // No candidate, or none any more: what was read at the determination is not confirmed.
                    words.set(i, Constituents.packConfirmed(Constituents.confirmed(more), Constituents.flags(word), Status.Outside));
                    continue;
                }
                uint256 candidate = Candidates.second(all, k++);
                uint256 status = uint256(Constituents.status(more));
                uint256 state = Candidates.state(candidate);
                if (state != uint256(State.Active)) status = _statusNow(state, status, Constituents.flags(word));
                words.set(i, (status << 96) | _again(token, word, more, candidate, overridden));
            }
        }
        Lists.answer(words);
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
        (uint256 nav, uint256 marketCap) = _totals(basis, units, prices, ones);
        uint256[] memory current;
        if (CAP == Cap.Flexible && nav != 0) {
            current = new uint256[](n);
            for (uint256 i; i < n; ++i) {
                // {1e18} = {USD} * {1e18} / {USD}
                current.set(i, units.given(i) * prices.given(i) / ones.given(i) * ONE / nav);
            }
        }
        (targets,) = MarketCapMath.weigh(nav, marketCap, basis, prices, current, _capping());
        unchecked {
            for (uint256 i; i < n; ++i) {
                // {tok / share} = {1e-18 whole tok / share} * {tok / whole tok} / {1e18}, down; below 2**61 * 2**104 * 2**90
                targets.set(i, targets.at(i) * ones.given(i) / ONE);
            }
        }
        Lists.answer(targets);
    }

    /* OWNER */

    /// @notice Replaces the candidates, strictly ascending by address. It counts at the next determination, and at the start
    /// of one that has been: what is frozen, leaving or no candidate any more is not bought then.
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
            uint256 known = _known(c.confirmed, candidate);
            (basis, flags) = Circulating.judge(supply, date, known, c.member, MAX_SUPPLY_AGE, MAX_SUPPLY_JUMP);
            decisive = Circulating.decisive(basis, flags, date, known, c.member);
        }
        (c.basis, c.flags) = (uint88(basis), uint8(flags));
    }

    /// @dev Basis and flags of a constituent once its supply has been read again. `word` and `more`: as determined.
    function _again(address token, uint256 word, uint256 more, uint256 candidate, bool overridden)
        private
        view
        returns (uint256)
    {
        uint256 was = Constituents.basisAndFlags(word);
        uint256 known = Constituents.confirmed(more);
        bool same = known != 0;
        if (!same) known = Candidates.wholeTokens(candidate);
        uint256 basis = overridden ? _overriding(token) : 0;
        if (basis != 0) return Circulating.again(was, basis, Flags.OVERRIDDEN, known);
        (uint256 supply, uint256 date) = Circulating.ask(token, Candidates.source(candidate));
        if (supply == Constituents.basis(was) && Circulating.fresh(supply, date, MAX_SUPPLY_AGE)) {
            // Mostly the source still says what was determined. But a supply may have been given since, which both are held to.
            if (same || known == 0 || known == supply) return was;
        }
        uint256 flags;
        (basis, flags) =
            Circulating.judge(supply, date, known, Constituents.member(more), MAX_SUPPLY_AGE, MAX_SUPPLY_JUMP);
        return Circulating.again(was, basis, flags, known);
    }

    /// @dev The supply that a reading is held against, see `Circulating`.
    function _known(uint256 confirmed, uint256 candidate) private pure returns (uint256) {
        return confirmed == 0 ? Candidates.wholeTokens(candidate) : confirmed;
    }

    /// @dev The owner's override; 0 if there is none, or it is over.
    function _overriding(address token) private view returns (uint256) {
        Override memory o = _overrides[token];
        return block.timestamp < o.until ? o.wholeTokens : 0;
    }

    /* INTERNAL: CHOICE */

    /// @dev Status of one candidate before ranks and floors.
    function _decide(Constituent memory c, uint256 state, Standing standing) private pure {
        if (c.price == 0) c.flags |= Flags.NO_PRICE;
        if (standing == Standing.WrittenOff) {
            c.status = Status.Outside;
        } else if (state == uint256(State.Leaving)) {
            c.status = Status.Leaving;
        } else if (
            state == uint256(State.Frozen) || standing == Standing.Stuck || c.price == 0
                || c.flags & Flags.UNCONFIRMED != 0
        ) {
            c.status = standing == Standing.Unlisted ? Status.Outside : Status.Frozen;
        }
    }

    /// @dev Status at start of a candidate that the owner has taken out. What was outside without being dropped is not held: it
    /// stays outside.
    function _statusNow(uint256 state, uint256 status, uint256 flags) private pure returns (uint256) {
        if (state == uint256(State.Leaving)) return uint256(Status.Leaving);
        bool dropped = flags & (Flags.BELOW_RANK | Flags.BELOW_FLOOR) != 0;
        return status == uint256(Status.Outside) && !dropped ? status : uint256(Status.Frozen);
    }

    /// @dev Who is in, and the weights. The decisive figures choose, the bases weigh.
    function _choose(
        Constituent[] memory list,
        uint256[] memory bases,
        uint256[] memory decisive,
        Holdings.Held memory held
    ) private view {
        _rank(list, decisive);
        _weigh(list, decisive, held);
        bool again = _dropSmall(list);
        for (uint256 i; i < list.length && !again; ++i) {
            again = list[i].status == Status.Included && bases[i] != decisive[i];
        }
        if (again) _weigh(list, bases, held);
    }

    /// @dev Leaves the `topN` largest by market cap. Of equals the lower address stays.
    function _rank(Constituent[] memory list, uint256[] memory decisive) private view {
        uint256[] memory sizes = Words.room(list.length);
        uint256 n;
        for (uint256 i; i < list.length; ++i) {
            if (list[i].status != Status.Included) continue;
            // {USD} = {whole tok} * {USD / whole tok}, below 2**188; then the place, counted from the end.
            sizes.set(n++, (decisive[i] * list[i].price << 8) | (type(uint8).max - i));
        }
        if (n <= TOP_N) return;
        sizes.cut(n);
        LibSort.insertionSort(sizes);
        for (uint256 j; j < n - TOP_N; ++j) {
            Constituent memory c = list[type(uint8).max - uint8(sizes[j])];
            c.status = Status.Outside;
            c.flags |= Flags.BELOW_RANK;
        }
    }

    /// @dev Fills the weights of the included, by these supplies.
    function _weigh(Constituent[] memory list, uint256[] memory supplies, Holdings.Held memory held) private view {
        uint256 n = list.length;
        uint256[] memory basis = new uint256[](n);
        uint256[] memory prices = new uint256[](n);
        uint256[] memory current = new uint256[](n);
        uint256 marketCap;
        bool any;
        for (uint256 i; i < n; ++i) {
            if (list[i].status != Status.Included) continue;
            any = true;
            (basis[i], prices[i]) = (supplies[i], list[i].price);
            marketCap += basis[i] * prices[i];
            if (held.nav != 0) current[i] = held.values[i] * ONE / held.nav;
        }
        require(any, NoConstituents());
        (, uint256[] memory weights) = MarketCapMath.weigh(held.nav, marketCap, basis, prices, current, _capping());
        for (uint256 i; i < n; ++i) {
            list[i].weight = weights[i].toUint64();
        }
    }

    /// @dev Drops all that fail their floor, at once, unless all do; says whether any was dropped.
    function _dropSmall(Constituent[] memory list) private view returns (bool) {
        (uint256 included, uint256 small) = (0, 0);
        for (uint256 i; i < list.length; ++i) {
            if (list[i].status != Status.Included) continue;
            ++included;
            if (_isSmall(list[i])) ++small;
        }
        if (small == 0 || small == included) return false;
        for (uint256 i; i < list.length; ++i) {
            if (list[i].status != Status.Included || !_isSmall(list[i])) continue;
            list[i].status = Status.Outside;
            list[i].flags |= Flags.BELOW_FLOOR;
        }
        return true;
    }

    function _isSmall(Constituent memory c) private view returns (bool) {
        return c.weight < (c.member ? FLOOR_WEIGHT : ENTRY_WEIGHT);
    }

    /* INTERNAL: HELPERS */

    /// @dev NAV of one share in USD with 18 decimals, floored as the rule says, and the sum of all market caps.
    function _totals(
        uint256[] calldata basis,
        uint256[] calldata units,
        uint256[] calldata prices,
        uint256[] calldata ones
    ) private view returns (uint256 nav, uint256 marketCap) {
        bool each = FLOOR_EACH;
        uint256 rest; // {1e-27 USD}
        uint256 wide;
        unchecked {
            for (uint256 i; i < units.length; ++i) {
                (uint256 supply, uint256 price) = (uint88(basis.given(i)), prices.given(i));
                marketCap += supply * price;
                (uint256 unit, uint256 one) = (units.given(i), ones.given(i));
                wide |= (unit >> 128) | (price >> PRICE_BITS);
                uint256 product = unit * price;
                uint256 value = product.rawDiv(one);
                nav += value;
                if (!each) rest += (product - value * one) * MOST_ONE.rawDiv(one);
            }
            if (!each) nav += rest / MOST_ONE;
        }
        require(wide == 0, MarketCapMath.OutsideDomain("width"));
    }

    function _capping() private view returns (Capping memory) {
        return Capping(CAP, CAP_WEIGHT, CAP_PASSES);
    }

    function _isCandidate(address token) private view returns (bool) {
        return Candidates.contains(Words.read(_register.candidates), token);
    }

    function _setCandidates(Candidate[] memory list) private {
        _register.candidates = Candidates.write(list);
        emit CandidatesSet(list);
    }
}
