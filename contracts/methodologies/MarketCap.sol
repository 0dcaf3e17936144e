// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Ownable} from "@openzeppelin/contracts/access/Ownable.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";

import {IIndexToken} from "../interfaces/IIndexToken.sol";
import {Constituent, Flags, IMethodology, Status} from "../interfaces/IMethodology.sol";
import {IOracle} from "../interfaces/IOracle.sol";
import {ISupplySource} from "../interfaces/ISupplySource.sol";
import {Candidates, Candidate, State} from "../libraries/Candidates.sol";
import {Holdings} from "../libraries/Holdings.sol";
import {Cap, MarketCapMath} from "../libraries/MarketCapMath.sol";

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
    using SafeCast for uint256;

    uint256 private constant ONE = 1e18;
    uint256 private constant MAX_DECIMALS = 27;

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

    /* STORAGE */

    struct Override {
        uint88 wholeTokens;
        uint40 until;
    }

    /// @notice How long an override counts: long enough from a notice period to its start, not until the next.
    uint256 public constant OVERRIDE_LIFE = 10 days;

    Rule private _rule;
    address private _candidates;
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
        _rule = rule_;
        _setCandidates(list);
    }

    /* VIEWS */

    function rule() external view returns (Rule memory) {
        return _rule;
    }

    /// @notice The candidates, where their supplies come from, and their states.
    function candidates() external view returns (Candidate[] memory) {
        return Candidates.read(_candidates);
    }

    /// @inheritdoc IMethodology
    function determine(IOracle oracle, IIndexToken index, Constituent[] calldata previous)
        external
        view
        returns (Constituent[] memory list)
    {
        Candidate[] memory all = Candidates.read(_candidates);
        Rule memory r = _rule;
        list = new Constituent[](all.length);
        uint256[] memory prices = oracle.prices(Candidates.tokens(all));
        Holdings.Held memory held = Holdings.read(index, oracle, Candidates.tokens(all));
        uint256 last;
        for (uint256 i; i < all.length; ++i) {
            Constituent memory c = list[i];
            c.token = all[i].token;
            c.price = prices[i].toUint128();
            while (last < previous.length && previous[last].token < c.token) ++last;
            bool known = last < previous.length && previous[last].token == c.token;
            (c.basis, c.flags) = _supply(all[i], known ? previous[last].basis : 0, r);
            _decide(c, held.retired[i] ? State.Frozen : all[i].state, held.held[i]);
            // What is frozen holds its own value: it is not there for the others to share.
            if (c.status == Status.Frozen) held.nav -= held.values[i];
        }
        _rank(list, r.topN);
        _weigh(list, held, r);
        if (_dropSmall(list, held, r)) _weigh(list, held, r);
    }

    /// @inheritdoc IMethodology
    function confirm(Constituent[] calldata determined, Constituent[] calldata previous)
        external
        view
        returns (Constituent[] memory list)
    {
        list = determined;
        Candidate[] memory all = Candidates.read(_candidates);
        Rule memory r = _rule;
        uint256 last;
        uint256 k;
        for (uint256 i; i < list.length; ++i) {
            Constituent memory c = list[i];
            while (last < previous.length && previous[last].token < c.token) ++last;
            while (k < all.length && all[k].token < c.token) ++k;
            if (c.status != Status.Included || k == all.length || all[k].token != c.token) continue;
            bool known = last < previous.length && previous[last].token == c.token;
            uint256 before = known ? previous[last].basis : 0;
            (uint88 basis, uint8 flags) = _supply(all[k], before, r);
            if (!_replaces(basis, flags, c, before)) continue;
            (c.basis, c.flags) = (basis, (c.flags & ~(Flags.STALE | Flags.CLAMPED)) | flags | Flags.CONFIRMED_AT_START);
        }
    }

    /// @inheritdoc IMethodology
    function targetUnits(
        uint256[] calldata basis,
        uint256[] calldata units,
        uint256[] calldata prices,
        uint8[] calldata decimals
    ) external view returns (uint256[] memory targets) {
        Rule memory r = _rule;
        uint256 nav = _nav(units, prices, decimals, r.floorEach);
        uint256[] memory current = new uint256[](units.length);
        for (uint256 i; nav != 0 && r.cap == Cap.Flexible && i < units.length; ++i) {
            // {1e18} = {USD} * {1e18} / {USD}
            current[i] = units[i] * prices[i] / 10 ** decimals[i] * ONE / nav;
        }
        (targets,) = MarketCapMath.weigh(nav, basis, prices, current, r.cap, r.capWeight);
        for (uint256 i; i < targets.length; ++i) {
            // {tok / share} = {1e-18 whole tok / share} * {tok / whole tok} / {1e18}, down
            targets[i] = targets[i] * 10 ** decimals[i] / ONE;
        }
    }

    /* OWNER */

    /// @notice Replaces the candidates, strictly ascending by address.
    function setCandidates(Candidate[] calldata list) external onlyOwner {
        _setCandidates(list);
    }

    /// @notice Puts a supply (whole tokens) in place of what its source says, for `OVERRIDE_LIFE`.
    function overrideSupply(address token, uint88 wholeTokens) external onlyOwner {
        require(wholeTokens != 0 && Candidates.contains(Candidates.read(_candidates), token), UnfitOverride(token, wholeTokens));
        uint256 until = block.timestamp + OVERRIDE_LIFE;
        _overrides[token] = Override(wholeTokens, uint40(until));
        emit SupplyOverridden(token, wholeTokens, until);
    }

    /* INTERNAL: SUPPLY */

    /// @dev The supply that counts now, and where it came from. `last` is last month's, 0 if there was none.
    function _supply(Candidate memory candidate, uint256 last, Rule memory r)
        private
        view
        returns (uint88 value, uint8 flags)
    {
        Override memory o = _overrides[candidate.token];
        if (block.timestamp < o.until) return (o.wholeTokens, Flags.OVERRIDDEN);

        (uint256 supply, uint256 date) = _ask(candidate);
        if (supply == 0 || date + r.maxSupplyAge < block.timestamp) {
            return last == 0 ? (0, Flags.NO_SUPPLY) : (uint88(last), Flags.STALE);
        }
        if (last == 0) return (uint88(supply), 0);
        uint256 bound = last * r.maxSupplyJump / ONE;
        if (_apart(supply, last) <= bound) return (uint88(supply), 0);
        return (_min(supply > last ? last + bound : last - bound, type(uint88).max).toUint88(), Flags.CLAMPED);
    }

    /// @dev Whether the supply read at start counts in place of the determined one: an override always; else the nearer to
    /// last month's `before`, and without that the smaller, since a newcomer's supply may only be faked upwards at a gain.
    function _replaces(uint256 basis, uint8 flags, Constituent memory c, uint256 before) private pure returns (bool) {
        if (flags & Flags.OVERRIDDEN != 0) return true;
        if (basis == 0 || c.flags & Flags.OVERRIDDEN != 0) return false;
        return before == 0 ? basis < c.basis : _apart(basis, before) < _apart(c.basis, before);
    }

    /// @dev The source's answer; (0, 0) for one that fails, is dated in the future, or does not fit.
    function _ask(Candidate memory candidate) private view returns (uint256 supply, uint256 date) {
        // A low-level call: what answers in another shape must not stop the month.
        (bool ok, bytes memory data) =
            candidate.source.staticcall(abi.encodeCall(ISupplySource.supply, (candidate.token)));
        if (!ok || data.length < 64) return (0, 0);
        (supply, date) = abi.decode(data, (uint256, uint256));
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
    function _weigh(Constituent[] memory list, Holdings.Held memory held, Rule memory r) private pure {
        uint256[] memory basis = new uint256[](list.length);
        uint256[] memory prices = new uint256[](list.length);
        uint256[] memory current = new uint256[](list.length);
        bool any;
        for (uint256 i; i < list.length; ++i) {
            if (list[i].status != Status.Included) continue;
            any = true;
            (basis[i], prices[i]) = (list[i].basis, list[i].price);
            if (held.nav != 0) current[i] = held.values[i] * ONE / held.nav;
        }
        require(any, NoConstituents());
        (, uint256[] memory weights) = MarketCapMath.weigh(held.nav, basis, prices, current, r.cap, r.capWeight);
        for (uint256 i; i < list.length; ++i) {
            list[i].weight = weights[i].toUint64();
        }
    }

    /// @dev Drops all that fail their floor, at once; says whether any did.
    function _dropSmall(Constituent[] memory list, Holdings.Held memory held, Rule memory r)
        private
        pure
        returns (bool any)
    {
        for (uint256 i; i < list.length; ++i) {
            if (list[i].status != Status.Included) continue;
            if (list[i].weight < (held.held[i] ? r.floorWeight : r.entryWeight)) {
                list[i].status = Status.Outside;
                list[i].flags |= Flags.BELOW_FLOOR;
                any = true;
            }
        }
    }

    /* INTERNAL: HELPERS */

    /// @dev NAV of one share in USD with 18 decimals.
    function _nav(uint256[] calldata units, uint256[] calldata prices, uint8[] calldata decimals, bool floorEach)
        private
        pure
        returns (uint256 nav)
    {
        for (uint256 i; i < units.length; ++i) {
            uint256 value = units[i] * prices[i];
            nav += floorEach ? value / 10 ** decimals[i] : value * 10 ** (MAX_DECIMALS - decimals[i]);
        }
        if (!floorEach) nav /= 10 ** MAX_DECIMALS;
    }

    function _apart(uint256 a, uint256 b) private pure returns (uint256) {
        return a > b ? a - b : b - a;
    }

    function _min(uint256 a, uint256 b) private pure returns (uint256) {
        return a < b ? a : b;
    }

    function _setCandidates(Candidate[] memory list) private {
        _candidates = Candidates.write(list);
        emit CandidatesSet(list);
    }
}
