// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Constituent, Status} from "../../../contracts/interfaces/IMethodology.sol";
import {Candidate, State} from "../../../contracts/libraries/Candidates.sol";
import {Cap} from "../../../contracts/libraries/MarketCapMath.sol";
import {Rule} from "../../../contracts/libraries/MarketCapRule.sol";
import {StandInSource, Surroundings} from "./Surroundings.sol";

/// @dev Errors and events as in MarketCap.sol.
interface IMarketCapMethodology {
    error UnfitOverride(address token, uint256 wholeTokens);
    error OwnableUnauthorizedAccount(address account);

    event CandidatesSet(Candidate[] candidates);
    event SupplyOverridden(address indexed token, uint256 wholeTokens, uint256 until);

    function BASIS() external view returns (bytes32);
    function OVERRIDE_LIFE() external view returns (uint256);
    function owner() external view returns (address);
    function rule() external view returns (Rule memory);
    function candidates() external view returns (Candidate[] memory);
    function determine(address oracle, address index, Constituent[] calldata previous)
        external
        view
        returns (Constituent[] memory);
    function confirm(uint256[] calldata determined) external view returns (uint256[] memory words);
    function targetUnits(
        uint256[] calldata basis,
        uint256[] calldata units,
        uint256[] calldata prices,
        uint256[] calldata ones
    ) external view returns (uint256[] memory targets);
    function setCandidates(Candidate[] calldata list) external;
    function overrideSupply(address token, uint88 wholeTokens) external;
}

/// @title MarketCapScene
/// @notice A market-cap methodology whose owner is this contract, with a source of supplies. Tokens cost one dollar.
abstract contract MarketCapScene is Surroundings {
    uint256 internal constant ONE = 1e18;
    uint256 internal constant AGE = 30 days;
    uint256 internal constant TOKENS = 6;

    StandInSource internal source;
    IMarketCapMethodology internal method;
    uint256 internal yesterday;

    function setUp() public virtual {
        _makeSurroundings();
        yesterday = block.timestamp - 1 days;
        source = new StandInSource();
        for (uint256 i; i < TOKENS; ++i) {
            _make(i, ONE);
        }
    }

    /// @dev Without cap and floors, for all; a supply may jump by a tenth.
    function _rule() internal pure returns (Rule memory) {
        return Rule(Cap.None, 0, 0, 0, 255, true, uint32(AGE), 0.1e18, 1);
    }

    /// @dev Takes the candidates: tokens, by their bits.
    function _found(Rule memory rule, uint256 bits) internal {
        method = _deployed(rule, _chosen(bits));
    }

    function _deployed(Rule memory rule, Candidate[] memory list) internal returns (IMarketCapMethodology) {
        return IMarketCapMethodology(deploy("MarketCap", abi.encode(address(this), rule, list)));
    }

    function _chosen(uint256 bits) internal view returns (Candidate[] memory list) {
        list = new Candidate[](TOKENS);
        uint256 n;
        for (uint256 i; i < TOKENS; ++i) {
            if (bits >> i & 1 == 1) list[n++] = Candidate(_token(i), address(source), State.Active, 0);
        }
        assembly ("memory-safe") {
            mstore(list, n)
        }
    }

    /// @dev Supplies of the first tokens, posted yesterday.
    function _supply(uint256[] memory supplies) internal {
        for (uint256 i; i < supplies.length; ++i) {
            source.set(_token(i), supplies[i], yesterday);
        }
    }

    /// @dev What the last started month left of token `i`: a member's basis.
    function _left(uint256 i, uint256 basis, Status status, bool member) internal pure returns (Constituent memory c) {
        (c.token, c.basis, c.status, c.member) = (_token(i), uint88(basis), status, member);
    }

    /// @dev Members of the first tokens with these bases.
    function _members(uint256[] memory bases) internal pure returns (Constituent[] memory list) {
        list = new Constituent[](bases.length);
        for (uint256 i; i < list.length; ++i) {
            list[i] = _left(i, bases[i], Status.Included, true);
        }
    }

    function _determined(Constituent[] memory previous) internal view returns (Constituent[] memory) {
        return method.determine(address(fund), address(fund), previous);
    }

    function _weights(Constituent[] memory list) internal pure returns (uint256[] memory weights) {
        weights = new uint256[](list.length);
        for (uint256 i; i < list.length; ++i) {
            weights[i] = list[i].weight;
        }
    }

    function _is(Constituent memory c, uint256 basis, Status status, uint256 flags, uint256 weight) internal pure {
        equal(c.basis, basis, "basis");
        equal(uint256(c.status), uint256(status), "status");
        equal(c.flags, flags, "flags");
        equal(c.weight, weight, "weight");
    }
}
