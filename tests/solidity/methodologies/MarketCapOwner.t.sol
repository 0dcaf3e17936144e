// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Candidate, Candidates, State} from "../../../contracts/libraries/Candidates.sol";
import {Cap} from "../../../contracts/libraries/MarketCapMath.sol";
import {MarketCapRule, Rule} from "../../../contracts/libraries/MarketCapRule.sol";
import {vm} from "../../../lab/fuzz/Vm.sol";
import {IMarketCapMethodology, MarketCapScene} from "./MarketCapScene.sol";

contract MarketCapOwnerTest is MarketCapScene {
    address private constant OTHER = address(0xbad);

    function setUp() public override {
        super.setUp();
        _found(_rule(), 7);
    }

    /* CREATION */

    function test_tells_its_rule() external {
        Rule[2] memory rules;
        rules[0] = Rule(Cap.Hard, 0.31e18, 0.02e18, 0.03e18, 12, true, 3_000_000, 0.2e18, 7);
        rules[1] = Rule(Cap.Flexible, 0.41e18, 0, 0.04e18, 255, false, 1, 5e18, 1);
        for (uint256 i; i < 2; ++i) {
            _found(rules[i], 1);
            equal(abi.encode(method.rule()), abi.encode(rules[i]), "rule");
        }
        equal(abi.encodePacked(method.BASIS()), abi.encodePacked(bytes32("supply")), "basis");
        equal(method.OVERRIDE_LIFE(), 10 days, "life of an override");
        equal(method.owner(), address(this), "owner");
    }

    function test_a_rule_has_bounds() external {
        Rule memory rule = _rule();
        rule.capWeight = 1;
        _refuses(rule, "capWeight");
        (rule.cap, rule.capWeight) = (Cap.Hard, 1e18);
        _refuses(rule, "capWeight");
        rule = _rule();
        (rule.floorWeight, rule.entryWeight) = (2, 1);
        _refuses(rule, "entryWeight");
        rule = _rule();
        rule.topN = 0;
        _refuses(rule, "topN");
    }

    function test_tells_its_first_candidates() external {
        Candidate[] memory list = _chosen(5);
        list[1] = Candidate(_token(2), address(source), State.Leaving, 77);
        vm.expectEmit(true, true, true, true, vm.computeCreateAddress(address(this), vm.getNonce(address(this))));
        emit IMarketCapMethodology.CandidatesSet(list);
        this.deployWith(_rule(), list);
        equal(abi.encode(method.candidates()), abi.encode(list), "candidates");
        list = _chosen(0);
        vm.expectRevert(abi.encodeWithSelector(Candidates.UnfitNumber.selector, 0, 50));
        this.deployWith(_rule(), list);
    }

    /* CANDIDATES */

    function test_the_owner_replaces_the_candidates() external {
        equal(method.candidates().length, 3, "before");
        Candidate[] memory list = _chosen(50);
        list[0].state = State.Frozen;
        vm.expectEmit(true, true, true, true, address(method));
        emit IMarketCapMethodology.CandidatesSet(list);
        method.setCandidates(list);
        equal(abi.encode(method.candidates()), abi.encode(list), "after");
        list[0].source = OTHER;
        vm.expectRevert(abi.encodeWithSelector(Candidates.UnfitCandidate.selector, list[0].token));
        method.setCandidates(list);
    }

    function test_nobody_else_replaces_the_candidates() external {
        Candidate[] memory list = _chosen(1);
        vm.prank(OTHER);
        vm.expectRevert(abi.encodeWithSelector(IMarketCapMethodology.OwnableUnauthorizedAccount.selector, OTHER));
        method.setCandidates(list);
    }

    /* OVERRIDES */

    function test_the_owner_overrides_a_supply() external {
        vm.expectEmit(true, true, true, true, address(method));
        emit IMarketCapMethodology.SupplyOverridden(_token(2), 1, block.timestamp + 10 days);
        method.overrideSupply(_token(2), 1);
        vm.expectEmit(true, true, true, true, address(method));
        emit IMarketCapMethodology.SupplyOverridden(_token(0), type(uint88).max, block.timestamp + 10 days);
        method.overrideSupply(_token(0), type(uint88).max);
    }

    function test_an_override_is_above_zero_and_of_a_candidate() external {
        vm.expectRevert(abi.encodeWithSelector(IMarketCapMethodology.UnfitOverride.selector, _token(1), 0));
        method.overrideSupply(_token(1), 0);
        vm.expectRevert(abi.encodeWithSelector(IMarketCapMethodology.UnfitOverride.selector, _token(3), 5));
        method.overrideSupply(_token(3), 5);
        vm.expectRevert(abi.encodeWithSelector(IMarketCapMethodology.UnfitOverride.selector, _token(3), 0));
        method.overrideSupply(_token(3), 0);
    }

    function test_nobody_else_overrides_a_supply() external {
        vm.prank(OTHER);
        vm.expectRevert(abi.encodeWithSelector(IMarketCapMethodology.OwnableUnauthorizedAccount.selector, OTHER));
        method.overrideSupply(_token(1), 5);
    }

    /* HELPERS */

    function deployWith(Rule calldata rule, Candidate[] calldata list) external {
        method = _deployed(rule, list);
    }

    function _refuses(Rule memory rule, bytes32 field) private {
        Candidate[] memory list = _chosen(1);
        vm.expectRevert(abi.encodeWithSelector(MarketCapRule.UnfitRule.selector, field));
        this.deployWith(rule, list);
    }
}
