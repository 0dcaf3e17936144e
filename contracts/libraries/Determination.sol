// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {DynamicArrayLib} from "solady/src/utils/DynamicArrayLib.sol";

import {IIndexToken} from "../interfaces/IIndexToken.sol";
import {Constituent, IMethodology, Status} from "../interfaces/IMethodology.sol";
import {IOpener} from "../interfaces/IOpener.sol";
import {IOracle} from "../interfaces/IOracle.sol";
import {Component} from "./ComponentList.sol";
import {Constituents} from "./Constituents.sol";
import {Domain} from "./Domain.sol";

/// @title Determination
/// @notice How a month's determination comes about, and what a start may confirm of it, see `IOpener`.
library Determination {
    using DynamicArrayLib for address[];
    using DynamicArrayLib for uint256[];

    uint256 private constant MAX_CANDIDATES = 100;

    /* DETERMINING */

    /// @notice What the last started month left, taken out of the last determination.
    function previous(address determination, bool started) internal view returns (Constituent[] memory list) {
        list = Constituents.read(determination);
        if (started) return list;
        for (uint256 i; i < list.length; ++i) {
            list[i].basis = list[i].confirmed;
            list[i].status = list[i].member ? Status.Included : Status.Outside;
        }
    }

    /// @notice What the methodology determines now, with the components that are no candidates.
    function make(IIndexToken index, IOracle oracle, IMethodology methodology, Constituent[] memory last)
        internal
        view
        returns (Constituent[] memory list)
    {
        Constituent[] memory candidates = methodology.determine(oracle, index, last);
        _check(candidates);
        Component[] memory held = index.components();
        address[] memory others = _others(candidates, held);
        uint256[] memory prices = oracle.prices(others);
        list = new Constituent[](candidates.length + others.length);
        (uint256 i, uint256 j) = (0, 0);
        for (uint256 k; k < list.length; ++k) {
            if (j == others.length || (i < candidates.length && candidates[i].token < others[j])) {
                list[k] = candidates[i++];
            } else {
                (list[k].token, list[k].status) = (others[j], Status.Outside);
                if (prices[j] < Domain.PRICE_LIMIT) list[k].price = uint128(prices[j]);
                ++j;
            }
        }
    }

    function _check(Constituent[] memory list) private pure {
        require(list.length != 0 && list.length <= MAX_CANDIDATES, IOpener.UnfitConstituents());
        address last;
        for (uint256 i; i < list.length; ++i) {
            bool weighed = list[i].basis != 0 || list[i].status != Status.Included;
            bool fits = list[i].token > last && list[i].price < Domain.PRICE_LIMIT;
            require(weighed && fits, IOpener.UnfitConstituents());
            last = list[i].token;
        }
    }

    /// @dev Tokens of the components that are no candidates, ascending.
    function _others(Constituent[] memory candidates, Component[] memory held)
        private
        pure
        returns (address[] memory others)
    {
        others = new address[](held.length);
        (uint256 i, uint256 n) = (0, 0);
        for (uint256 k; k < held.length; ++k) {
            while (i < candidates.length && candidates[i].token < held[k].token) ++i;
            if (i == candidates.length || candidates[i].token != held[k].token) others[n++] = held[k].token;
        }
        others.toUint256Array().truncate(n);
    }

    /* CONFIRMING */

    /// @notice What a row is confirmed with, made no more of than was determined: what was not included does not become
    /// so, and nothing is included without a basis.
    /// @param more The row's second word.
    function within(uint256 answer, uint256 more) internal pure returns (uint256) {
        if (Constituents.confirmedStatus(answer) != Status.Included) return answer;
        Status status = Constituents.status(more);
        if (status == Status.Included && Constituents.basis(answer) == 0) status = Status.Outside;
        return Constituents.packConfirmed(Constituents.basis(answer), Constituents.flags(answer), status);
    }

    /// @notice What a row is confirmed with, as one that is not in the index this month.
    function outside(uint256 answer) internal pure returns (uint256) {
        return Constituents.packConfirmed(Constituents.basis(answer), Constituents.flags(answer), Status.Outside);
    }
}
