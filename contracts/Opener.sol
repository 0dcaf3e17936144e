// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {LibBit} from "solady/src/utils/LibBit.sol";

import {IIndexToken} from "./interfaces/IIndexToken.sol";
import {Constituent, IMethodology} from "./interfaces/IMethodology.sol";
import {IOpener, OpeningPlan, Remainder} from "./interfaces/IOpener.sol";
import {IOracle} from "./interfaces/IOracle.sol";
import {Opening, Progress} from "./interfaces/IRebalancer.sol";
import {Constituents} from "./libraries/Constituents.sol";
import {Determination} from "./libraries/Determination.sol";
import {Lists} from "./libraries/Lists.sol";
import {MonthTargets} from "./libraries/MonthTargets.sol";
import {PlanChoice} from "./libraries/PlanChoice.sol";
import {PlanDraft} from "./libraries/PlanDraft.sol";
import {PlanMeasure} from "./libraries/PlanMeasure.sol";
import {PlanMerge} from "./libraries/PlanMerge.sol";
import {Remaining} from "./libraries/Remaining.sol";
import {Words} from "./libraries/Words.sol";

/// @title Opener
/// @notice See `IOpener`. Stateless: one deployment serves every fund. A plan is drafted in four steps, each a library:
/// `PlanMerge` makes one list of what is held and what is included; `PlanMeasure` reads balances and values them;
/// `PlanChoice` drops what goes and asks the methodology; `MonthTargets` packs the targets.
contract Opener is IOpener {
    /// @inheritdoc IOpener
    function constituents(
        IIndexToken index,
        IOracle oracle,
        IMethodology methodology,
        address determination,
        bool started
    ) external view returns (Constituent[] memory) {
        return Determination.make(index, oracle, methodology, Determination.previous(determination, started));
    }

    /// @inheritdoc IOpener
    function without(IIndexToken index, Opening calldata opening, Progress calldata progress, address token)
        external
        view
        returns (Remainder memory)
    {
        return Remaining.without(index, opening, progress, token);
    }

    /// @inheritdoc IOpener
    function plan(
        IIndexToken index,
        IOracle oracle,
        IMethodology methodology,
        address determination,
        uint256 maxStep,
        uint256 maxDrop
    ) external view returns (OpeningPlan memory p) {
        PlanDraft memory d;
        d.determined = Words.read(determination);
        d.answers = Lists.ask(address(methodology), IMethodology.confirm.selector, d.determined);
        bool confirmed = PlanMerge.merge(d, index);

        d.prices = Lists.ask(address(oracle), IOracle.prices.selector, d.tokens);
        require(d.prices.length == d.list.length, WrongLength(d.list.length, d.prices.length));
        PlanMeasure.measure(d, index);

        if (d.setAside) d.dropBudget = d.nav * maxDrop / 1e18;
        // Without newcomers there is room for all.
        PlanChoice.choose(d, address(methodology), d.listChanges ? index.MAX_COMPONENTS() : d.list.length);

        // What came onto the list may have gone again.
        if (d.listChanges) {
            uint256[] memory held = Words.read(index.componentsPointer());
            p.changed = _differ(held, d.list);
            p.leaves = d.list.length < held.length + LibBit.popCount(d.newcomers);
        }
        if (p.changed) p.list = d.list;
        if (confirmed) p.basis = d.basis;
        if (d.differs) {
            Constituents.confirm(d.determined, d.answers);
            p.confirmed = d.determined;
        }
        (p.nav, p.exponent) = (d.nav, d.exponent);
        MonthTargets.fill(p, d, maxStep);
    }

    function _differ(uint256[] memory a, uint256[] memory b) private pure returns (bool) {
        return keccak256(abi.encodePacked(a)) != keccak256(abi.encodePacked(b));
    }
}
