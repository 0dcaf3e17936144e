// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Ownable} from "@openzeppelin/contracts/access/Ownable.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";

import {FixedPointMathLib} from "solady/src/utils/FixedPointMathLib.sol";

import {IIndexToken} from "../interfaces/IIndexToken.sol";
import {Constituent, Flags, IMethodology, Status} from "../interfaces/IMethodology.sol";
import {IOracle} from "../interfaces/IOracle.sol";
import {ISupplySource} from "../interfaces/ISupplySource.sol";
import {Candidates, Candidate, State} from "../libraries/Candidates.sol";
import {Constituents} from "../libraries/Constituents.sol";
import {Holdings} from "../libraries/Holdings.sol";
import {Lists} from "../libraries/Lists.sol";
import {Cap, MarketCapMath} from "../libraries/MarketCapMath.sol";
import {Words} from "../libraries/Words.sol";

/// @notice The rule, fixed at deployment: another rule is another methodology. Fractions have 18 decimals.
/// @param cap What happens above `capWeight`.
/// @param capWeight 0 with Cap.None.
/// @param floorWeight Least weight, after capping, at which a held component stays.
/// @param entryWeight Least weight at which a new one enters; at least `floorWeight`.
/// @param topN Most constituents.
/// @param floorEach At start NAV is floored for each component (true) or once over the sum (false); at determination
/// for each.
/// @param maxSupplyAge Oldest supply in seconds that counts.
/// @param maxSupplyJump Most that a supply may differ from last month's, as a fraction of that.
struct Rule {
    Cap cap;
    uint64 capWeight;
    uint64 floorWeight;
    uint64 entryWeight;
    uint8 topN;
    bool floorEach;
    uint32 maxSupplyAge;
    uint64 maxSupplyJump;
}

/// @title MarketCap
/// @notice Weights by circulating market cap: the `topN` largest candidates, capped, without those below the floor (held)
/// or entry (new) weight. The arithmetic is `MarketCapMath`'s.
///
/// ORDER. Rank by market cap at determination (equal ones: the lower address first); weigh and cap; drop all that fail
/// their floor at once; weigh and cap the others once more. There is no third pass.
///
/// SUPPLIES. A supply that is too old or missing is replaced by last month's (STALE); one that jumped by more than the
/// bound is clamped to it (CLAMPED). The owner may override either during the notice period. Supplies are read again at
/// start, and of the two the one nearer to last month's counts (a newcomer's: the smaller): moving a balance within one
/// transaction gains nothing.
///
/// STATES. A frozen candidate, or a held one without price or supply, is held as it is and its weight taken out before
/// the others share. A leaving one has target zero.
contract MarketCap is IMethodology, Ownable {
    using FixedPointMathLib for uint256;
    using SafeCast for uint256;
    using Words for uint256[];

    uint256 private constant ONE = 1e18;
    /// @dev Whole tokens are at most so many token wei: 27 decimals.
    uint256 private constant MOST_ONE = 1e27;
    /// @dev Several times what a source needs: one that burns gas must not starve those after it.
    uint256 private constant SUPPLY_GAS = 1_000_000;
    /// @dev Prices have at most so many bits.
    uint256 private constant PRICE_BITS = 100;
    uint8 private constant REREAD = Flags.STALE | Flags.CLAMPED;

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
    constructor(address owner, Rule memory rule_, Candidate[] memory list) Ownable(owner) {
        bool none = rule_.cap == Cap.None;
        require(none ? rule_.capWeight == 0 : rule_.capWeight != 0 && rule_.capWeight < ONE, UnfitRule("capWeight"));
        require(rule_.floorWeight < ONE, UnfitRule("floorWeight"));
        require(rule_.entryWeight >= rule_.floorWeight && rule_.entryWeight < ONE, UnfitRule("entryWeight"));
        require(rule_.topN != 0, UnfitRule("topN"));
        require(rule_.maxSupplyAge != 0, UnfitRule("maxSupplyAge"));
        require(rule_.maxSupplyJump != 0, UnfitRule("maxSupplyJump"));
        CAP = rule_.cap;
        CAP_WEIGHT = rule_.capWeight;
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
            maxSupplyJump: uint64(MAX_SUPPLY_JUMP)
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
        Candidate[] memory all = Candidates.read(_register.candidates);
        bool overridden = block.timestamp < _register.overriddenUntil;
        list = new Constituent[](all.length);
        address[] memory tokens = Candidates.tokens(all);
        uint256[] memory prices = oracle.prices(tokens);
        Holdings.Held memory held = Holdings.read(index, oracle, tokens);
        uint256 last;
        for (uint256 i; i < all.length; ++i) {
            Constituent memory c = list[i];
            c.token = all[i].token;
            // An absurd price is none: nothing here is to overflow.
            c.price = prices[i] >> PRICE_BITS == 0 ? uint128(prices[i]) : 0;
            while (last < previous.length && previous[last].token < c.token) ++last;
            if (last < previous.length && previous[last].token == c.token) c.confirmed = previous[last].basis;
            (c.basis, c.flags) = _supply(c.token, all[i].source, c.confirmed, overridden);
            _decide(c, held.retired[i] ? State.Frozen : all[i].state, held.held[i]);
            // What is frozen holds its own value: it is not there for the others to share.
            if (c.status == Status.Frozen) held.nav -= held.values[i];
        }
        _rank(list, TOP_N);
        _weigh(list, held);
        if (_dropSmall(list, held)) _weigh(list, held);
    }

    /// @inheritdoc IMethodology
    function confirm(uint256[] calldata determined) external view returns (uint256[] memory bases) {
        uint256[] memory all = Words.read(_register.candidates);
        bool overridden = block.timestamp < _register.overriddenUntil;
        (uint256 n, uint256 most) = (determined.length / 2, Candidates.count(all));
        bases = Words.room(n);
        uint256 k;
        unchecked {
            for (uint256 i; i < n; ++i) {
                (uint256 word, uint256 more) = (determined.given(2 * i), determined.given(2 * i + 1));
                uint256 basis = Constituents.basisAndFlags(word);
                if (Constituents.status(more) == Status.Included) {
                    address token = Constituents.token(word);
                    while (k < most && Candidates.token(all, k) < token) ++k;
                    if (k < most && Candidates.token(all, k) == token) {
                        basis = _again(token, basis, Constituents.confirmed(more), Candidates.source(all, k), overridden);
                        ++k;
                    }
                }
                bases.set(i, basis | (uint256(Constituents.status(more)) << 96));
            }
        }
        Lists.answer(bases);
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
        (targets,) = MarketCapMath.weigh(nav, marketCap, basis, prices, current, CAP, CAP_WEIGHT);
        unchecked {
            for (uint256 i; i < n; ++i) {
                // {tok / share} = {1e-18 whole tok / share} * {tok / whole tok} / {1e18}, down; below 2**61 * 2**104 * 2**90
                targets.set(i, targets.at(i) * ones.given(i) / ONE);
            }
        }
        Lists.answer(targets);
    }

    /* OWNER */

    /// @notice Replaces the candidates, strictly ascending by address.
    function setCandidates(Candidate[] calldata list) external onlyOwner {
        _setCandidates(list);
    }

    /// @notice Puts a supply (whole tokens) in place of what its source says, for `OVERRIDE_LIFE`.
    function overrideSupply(address token, uint88 wholeTokens) external onlyOwner {
        require(wholeTokens != 0 && Candidates.contains(Candidates.read(_register.candidates), token), UnfitOverride(token, wholeTokens));
        uint256 until = block.timestamp + OVERRIDE_LIFE;
        _overrides[token] = Override(wholeTokens, uint40(until));
        _register.overriddenUntil = uint40(until); // later than that of every override before
        emit SupplyOverridden(token, wholeTokens, until);
    }

    /* INTERNAL: SUPPLY */

    /// @dev The supply that counts now, and where it came from. `last` is last month's, 0 if there was none; `overridden`
    /// says that there may be an override.
    function _supply(address token, address source, uint256 last, bool overridden)
        private
        view
        returns (uint88 value, uint8 flags)
    {
        if (overridden) {
            Override memory o = _overrides[token];
            if (block.timestamp < o.until) return (o.wholeTokens, Flags.OVERRIDDEN);
        }
        (uint256 supply, uint256 date) = _ask(token, source);
        return _judge(supply, date, last);
    }

    /// @dev What counts of a source's answer.
    function _judge(uint256 supply, uint256 date, uint256 last) private view returns (uint88 value, uint8 flags) {
        if (supply == 0 || date + MAX_SUPPLY_AGE < block.timestamp) {
            return last == 0 ? (0, Flags.UNCONFIRMED) : (uint88(last), Flags.STALE);
        }
        if (last == 0) return (uint88(supply), 0);
        uint256 bound = last * MAX_SUPPLY_JUMP / ONE;
        if (_apart(supply, last) <= bound) return (uint88(supply), 0);
        return (_min(supply > last ? last + bound : last - bound, type(uint88).max).toUint88(), Flags.CLAMPED);
    }

    /// @dev Basis and flags of an included constituent once its supply has been read again. `was`: as determined.
    function _again(address token, uint256 was, uint256 last, address source, bool overridden)
        private
        view
        returns (uint256)
    {
        uint88 basis;
        uint8 flags;
        if (overridden) {
            (basis, flags) = _supply(token, source, last, true);
        } else {
            (uint256 supply, uint256 date) = _ask(token, source);
            // Mostly the source still says what was determined.
            if (supply == Constituents.basis(was) && date + MAX_SUPPLY_AGE >= block.timestamp) return was;
            (basis, flags) = _judge(supply, date, last);
        }
        uint8 flagsWere = Constituents.flags(was);
        if (!_replaces(basis, flags, Constituents.basis(was), flagsWere, last)) return was;
        return Constituents.packBasis(basis, (flagsWere & ~REREAD) | flags | Flags.CONFIRMED_AT_START);
    }

    /// @dev Whether the supply read at start counts in place of the determined one: an override always; else the nearer to
    /// last month's, and without that the smaller, since a newcomer's supply may only be faked upwards at a gain.
    function _replaces(uint256 basis, uint8 flags, uint256 was, uint8 flagsWere, uint256 last)
        private
        pure
        returns (bool)
    {
        if (flags & Flags.OVERRIDDEN != 0) return true;
        if (basis == 0 || flagsWere & Flags.OVERRIDDEN != 0) return false;
        return last == 0 ? basis < was : _apart(basis, last) < _apart(was, last);
    }

    /// @dev The source's answer; (0, 0) for one that fails, is dated in the future, or does not fit. A low-level call: what
    /// answers in another shape must not stop the month. In assembly, because it is made for every candidate.
    function _ask(address token, address source) private view returns (uint256 supply, uint256 date) {
        uint256 selector = uint32(ISupplySource.supply.selector);
        assembly ("memory-safe") {
            mstore(0x00, shl(224, selector))
            mstore(0x04, shr(96, shl(96, token)))
            if staticcall(SUPPLY_GAS, source, 0x00, 0x24, 0x00, 0x40) {
                if gt(returndatasize(), 63) {
                    supply := mload(0x00)
                    date := mload(0x20)
                }
            }
        }
        if (supply > type(uint88).max || date > block.timestamp) return (0, 0);
    }

    /* INTERNAL: CHOICE */

    /// @dev Status of one candidate before ranks and floors.
    function _decide(Constituent memory c, State state, bool held) private pure {
        if (c.price == 0) c.flags |= Flags.NO_PRICE;
        if (state == State.Leaving) {
            c.status = Status.Leaving;
        } else if (state == State.Frozen || c.price == 0 || c.basis == 0) {
            c.status = held ? Status.Frozen : Status.Outside;
        }
    }

    /// @dev Leaves the `topN` largest by market cap. Of equals the lower address stays.
    function _rank(Constituent[] memory list, uint256 topN) private pure {
        uint256 included;
        for (uint256 i; i < list.length; ++i) {
            if (list[i].status == Status.Included) ++included;
        }
        for (; included > topN; --included) {
            uint256 smallest = type(uint256).max;
            uint256 at;
            for (uint256 i; i < list.length; ++i) {
                if (list[i].status != Status.Included) continue;
                uint256 marketCap = uint256(list[i].basis) * list[i].price;
                if (marketCap <= smallest) (smallest, at) = (marketCap, i);
            }
            list[at].status = Status.Outside;
            list[at].flags |= Flags.BELOW_RANK;
        }
    }

    /// @dev Fills the weights of the included.
    function _weigh(Constituent[] memory list, Holdings.Held memory held) private view {
        uint256[] memory basis = new uint256[](list.length);
        uint256[] memory prices = new uint256[](list.length);
        uint256[] memory current = new uint256[](list.length);
        uint256 marketCap;
        bool any;
        for (uint256 i; i < list.length; ++i) {
            if (list[i].status != Status.Included) continue;
            any = true;
            (basis[i], prices[i]) = (list[i].basis, list[i].price);
            marketCap += basis[i] * prices[i];
            if (held.nav != 0) current[i] = held.values[i] * ONE / held.nav;
        }
        require(any, NoConstituents());
        (, uint256[] memory weights) = MarketCapMath.weigh(held.nav, marketCap, basis, prices, current, CAP, CAP_WEIGHT);
        for (uint256 i; i < list.length; ++i) {
            list[i].weight = weights[i].toUint64();
        }
    }

    /// @dev Drops all that fail their floor, at once; says whether any did.
    function _dropSmall(Constituent[] memory list, Holdings.Held memory held) private view returns (bool any) {
        for (uint256 i; i < list.length; ++i) {
            if (list[i].status != Status.Included) continue;
            if (list[i].weight < (held.held[i] ? FLOOR_WEIGHT : ENTRY_WEIGHT)) {
                list[i].status = Status.Outside;
                list[i].flags |= Flags.BELOW_FLOOR;
                any = true;
            }
        }
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

    function _apart(uint256 a, uint256 b) private pure returns (uint256) {
        unchecked {
            return a > b ? a - b : b - a;
        }
    }

    function _min(uint256 a, uint256 b) private pure returns (uint256) {
        return a < b ? a : b;
    }

    function _setCandidates(Candidate[] memory list) private {
        _register.candidates = Candidates.write(list);
        emit CandidatesSet(list);
    }
}
