// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IIndexToken} from "../interfaces/IIndexToken.sol";
import {Constituent, IMethodology, Status} from "../interfaces/IMethodology.sol";
import {IOpener} from "../interfaces/IOpener.sol";
import {IOracle} from "../interfaces/IOracle.sol";
import {Component} from "./ComponentList.sol";
import {Constituents} from "./Constituents.sol";
import {Words} from "./Words.sol";

/// @title Determination
/// @notice How a month's determination comes about and how its start confirms it, see `IOpener`.
library Determination {
    using Words for uint256[];

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
                if (prices[j] < Constituents.PRICE_LIMIT) list[k].price = uint128(prices[j]);
                ++j;
            }
        }
    }

    function _check(Constituent[] memory list) private pure {
        require(list.length != 0 && list.length <= MAX_CANDIDATES, IOpener.UnfitConstituents());
        address last;
        for (uint256 i; i < list.length; ++i) {
            bool weighed = list[i].basis != 0 || list[i].status != Status.Included;
            bool fits = list[i].token > last && list[i].price < Constituents.PRICE_LIMIT;
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
        Words.cut(others, n);
    }

    /* CONFIRMING */

    /// @notice Basis with its flags and status of row `j` as they count at start. The status of the answer is put right where it
    /// makes more of a row than was determined.
    function answer(uint256[] memory determined, uint256[] memory answers, uint256 j)
        internal
        pure
        returns (uint256 basis, Status status)
    {
        uint256 word = answers.at(j);
        (basis, status) = (Constituents.basisAndFlags(word), Constituents.confirmedStatus(word));
        if (status == Status.Included) {
            status = Constituents.status(determined.at(2 * j + 1));
            bool fits = status != Status.Included || Constituents.basis(basis) != 0;
            if (!fits) status = Status.Outside;
            answers.set(j, Constituents.packConfirmed(Constituents.basis(basis), Constituents.flags(basis), status));
        }
    }

    /// @notice Makes row `j` one that is not in the index this month.
    function leaveOut(uint256[] memory answers, uint256 j) internal pure {
        uint256 word = answers[j];
        answers[j] = Constituents.packConfirmed(Constituents.basis(word), Constituents.flags(word), Status.Outside);
    }

    /// @notice The determination with its answers; empty where they change nothing.
    function confirmed(uint256[] memory determined, uint256[] memory answers)
        internal
        pure
        returns (uint256[] memory words)
    {
        uint256 n = answers.length;
        uint256 differ;
        unchecked {
            for (uint256 j; j < n; ++j) {
                (uint256 word, uint256 more) = (determined.at(2 * j), determined.at(2 * j + 1));
                differ |= Constituents.asConfirmed(word, more) ^ answers.at(j);
            }
        }
        if (differ == 0) return words;
        Constituents.confirm(determined, answers);
        return determined;
    }
}
