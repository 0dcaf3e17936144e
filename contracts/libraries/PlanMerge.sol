// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {DynamicArrayLib} from "solady/src/utils/DynamicArrayLib.sol";

import {IIndexToken} from "../interfaces/IIndexToken.sol";
import {Flags, Status} from "../interfaces/IMethodology.sol";
import {IOpener} from "../interfaces/IOpener.sol";
import {Component, ComponentList} from "./ComponentList.sol";
import {Constituents} from "./Constituents.sol";
import {Decimals} from "./Decimals.sol";
import {Determination} from "./Determination.sol";
import {PlanDraft, PlanDrafts} from "./PlanDraft.sol";
import {Words} from "./Words.sol";

/// @title PlanMerge
/// @notice First step of an opening plan: what is held and what is included, as one list ascending by token.
library PlanMerge {
    using ComponentList for uint256;
    using DynamicArrayLib for uint256[];
    using PlanDrafts for PlanDraft;

    /// @notice Stands for the basis of a frozen component until its value has been counted.
    uint256 internal constant FROZEN = type(uint256).max;

    uint256 private constant INCLUDED = uint256(Status.Included);
    /// @dev Most components and newcomers that a start reads. Above a list's 50, so that newcomers can take the places
    /// of what this start drops, and of newcomers that turn out to be dead. Below the 100 that a determination can
    /// name, so that a start fits into a transaction whatever the tokens burn.
    uint256 private constant MOST_READ = 60;

    /// @notice Fills in list, tokens, newcomers and basis: FROZEN for what is frozen, 0 for what leaves the index.
    /// @return confirmed Whether any basis was replaced at this start.
    function merge(PlanDraft memory d, IIndexToken index) internal view returns (bool confirmed) {
        uint256[] memory held = Words.read(index.componentsPointer());
        (uint256 m, uint256 k) = (held.length, d.answers.length);
        require(k == d.determined.length / 2, IOpener.WrongLength(d.determined.length / 2, k));
        if (k > MOST_READ) _limitNewcomers(d, held);
        (uint256 i, uint256 n, uint256 flags) = (0, 0, 0);
        unchecked {
            // Positions in lists in memory.
            (d.list, d.basis) = (DynamicArrayLib.malloc(m + k), DynamicArrayLib.malloc(m + k));
            d.tokens = DynamicArrayLib.malloc(m + k);
            for (uint256 j; j < k; ++j) {
                (address token, uint256 basis, uint256 status) = _row(d, j);
                while (i < m && held.get(i).token() < token) _add(d, n++, held.get(i++), 0);
                bool isHeld = i < m && held.get(i).token() == token;
                if (status == INCLUDED) {
                    flags |= basis;
                } else {
                    if (!isHeld) continue;
                    basis = status == uint256(Status.Frozen) ? FROZEN : 0;
                }
                if (isHeld) {
                    _add(d, n++, held.get(i++), basis);
                    continue;
                }
                if (_addNewcomer(d, n, index, token, basis)) ++n;
                else d.leaveOut(j);
            }
            while (i < m) _add(d, n++, held.get(i++), 0);
        }
        d.list.truncate(n);
        d.tokens.truncate(n);
        d.basis.truncate(n);
        return Constituents.flags(flags) & Flags.CONFIRMED_AT_START != 0;
    }

    /// @dev Token of a row, and basis with flags and status as they count now.
    function _row(PlanDraft memory d, uint256 j) private pure returns (address token, uint256 basis, uint256 status) {
        (uint256 word, uint256 more) = Constituents.rowAt(d.determined, j);
        uint256 answer = d.answers.get(j);
        // Mostly nothing has changed.
        if (answer != Constituents.asConfirmed(word, more)) {
            d.differs = true;
            answer = Determination.within(answer, more);
            d.answers.set(j, answer);
        }
        return
            (Constituents.token(word), Constituents.basisAndFlags(answer), Constituents.confirmedStatusNumber(answer));
    }

    /// @dev Adds a token that is not on the list, if the list can take it.
    function _addNewcomer(PlanDraft memory d, uint256 n, IIndexToken index, address token, uint256 basis)
        private
        view
        returns (bool fit)
    {
        uint256 word;
        (fit, word) = _listing(index, token);
        if (!fit) return false;
        d.listChanges = true;
        d.newcomers |= 1 << n;
        _add(d, n, word, basis);
    }

    function _add(PlanDraft memory d, uint256 n, uint256 word, uint256 basis) private pure {
        d.list.set(n, word);
        d.tokens.set(n, word.token());
        d.basis.set(n, basis);
    }

    /// @dev Lets newcomers wait, those with the least determined weight first, until a start can read the others.
    function _limitNewcomers(PlanDraft memory d, uint256[] memory held) private pure {
        uint256 k = d.answers.length;
        uint256[] memory weights = DynamicArrayLib.malloc(k);
        uint256 n = held.length;
        uint256 i;
        for (uint256 j; j < k; ++j) {
            address token = Constituents.tokenAt(d.determined, j);
            while (i < held.length && held.get(i).token() < token) ++i;
            // As `_row` has it, but for what has no basis.
            bool newcomer = Constituents.confirmedStatusNumber(d.answers.get(j)) == INCLUDED
                && Constituents.statusAt(d.determined, j) == Status.Included
                && (i == held.length || held.get(i).token() != token);
            if (newcomer) ++n;
            weights.set(j, newcomer ? Constituents.weightAt(d.determined, j) : PlanDrafts.STAYS);
        }
        for (; n > MOST_READ; --n) {
            uint256 least = PlanDrafts.leastOf(weights);
            weights.set(least, PlanDrafts.STAYS);
            d.leaveOut(least);
        }
    }

    /// @dev The entry of a token that comes onto the list, if the list can take it: a share must never back itself. One
    /// that was written off carries the mark until `PlanMeasure` has seen that the fund holds none of it.
    function _listing(IIndexToken index, address token) private view returns (bool fit, uint256 word) {
        uint8 decimals;
        (fit, decimals) = Decimals.tryRead(token);
        if (!fit || token == address(index)) return (false, 0);
        return (true, ComponentList.pack(Component(token, decimals, 0, index.writtenOff(token))));
    }
}
