// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";

import {DynamicArrayLib} from "solady/src/utils/DynamicArrayLib.sol";
import {LibSort} from "solady/src/utils/LibSort.sol";

import {Constituent, Flags, Status} from "../interfaces/IMethodology.sol";
import {State} from "./Candidates.sol";
import {Holdings, Standing} from "./Holdings.sol";
import {Capping, MarketCapMath} from "./MarketCapMath.sol";

/// @title Choice
/// @notice Which candidates are in a market-cap index, and what they weigh.
library Choice {
    using DynamicArrayLib for uint256[];
    using SafeCast for uint256;

    /// @notice No candidate is left to include.
    error NoConstituents();

    uint256 private constant ONE = 1e18;

    /// @notice Status of one candidate before ranks and floors.
    function decide(Constituent memory c, uint256 state, Standing standing) internal pure {
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

    /// @notice Status at start of a candidate of this state. What was outside without being dropped is not held: it
    /// stays outside.
    function atStart(uint256 state, Status status, uint256 flags) internal pure returns (uint256) {
        if (state == uint256(State.Leaving)) return uint256(Status.Leaving);
        bool dropped = flags & (Flags.BELOW_RANK | Flags.BELOW_FLOOR) != 0;
        bool frozen = state == uint256(State.Frozen) && (dropped || status != Status.Outside);
        return uint256(frozen ? Status.Frozen : status);
    }

    /// @notice Leaves the `topN` largest by market cap. Of equals the lower address stays.
    function rank(Constituent[] memory list, uint256[] memory decisive, uint256 topN) internal pure {
        uint256[] memory sizes = DynamicArrayLib.malloc(list.length);
        uint256 n;
        for (uint256 i; i < list.length; ++i) {
            if (list[i].status != Status.Included) continue;
            // {USD} = {whole tok} * {USD / whole tok}, below 2**188; then the place, counted from the end.
            sizes.set(n++, (decisive[i] * list[i].price << 8) | (type(uint8).max - i));
        }
        if (n <= topN) return;
        sizes.truncate(n);
        LibSort.insertionSort(sizes);
        for (uint256 j; j < n - topN; ++j) {
            Constituent memory c = list[type(uint8).max - uint8(sizes[j])];
            c.status = Status.Outside;
            c.flags |= Flags.BELOW_RANK;
        }
    }

    /// @notice Fills the weights of the included, by these supplies.
    function weigh(
        Constituent[] memory list,
        uint256[] memory supplies,
        Holdings.Held memory held,
        Capping memory capping
    ) internal pure {
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
        (, uint256[] memory weights) = MarketCapMath.weigh(held.nav, marketCap, basis, prices, current, capping);
        for (uint256 i; i < n; ++i) {
            list[i].weight = weights[i].toUint64();
        }
    }

    /// @notice Drops all that fail their floor, at once, unless all do; says whether any was dropped.
    function dropSmall(Constituent[] memory list, uint256 floorWeight, uint256 entryWeight)
        internal
        pure
        returns (bool)
    {
        (uint256 included, uint256 small) = (0, 0);
        for (uint256 i; i < list.length; ++i) {
            if (list[i].status != Status.Included) continue;
            ++included;
            if (_isSmall(list[i], floorWeight, entryWeight)) ++small;
        }
        if (small == 0 || small == included) return false;
        for (uint256 i; i < list.length; ++i) {
            if (list[i].status != Status.Included || !_isSmall(list[i], floorWeight, entryWeight)) continue;
            list[i].status = Status.Outside;
            list[i].flags |= Flags.BELOW_FLOOR;
        }
        return true;
    }

    function _isSmall(Constituent memory c, uint256 floorWeight, uint256 entryWeight) private pure returns (bool) {
        return c.weight < (c.member ? floorWeight : entryWeight);
    }
}
