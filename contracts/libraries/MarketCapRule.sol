// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Cap} from "./MarketCapMath.sol";

/// @notice The rule of a market-cap index, fixed at deployment: another rule is another methodology. Fractions have 18
/// decimals.
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

/// @title MarketCapRule
/// @notice Bounds of the rule of a market-cap index.
library MarketCapRule {
    /// @notice A field of the rule is out of bounds.
    error UnfitRule(bytes32 field);

    uint256 private constant ONE = 1e18;
    uint256 private constant MAX_PASSES = 10;

    /// @notice Reverts with `UnfitRule(field)` for the first field out of bounds.
    function check(Rule memory r) internal pure {
        bool none = r.cap == Cap.None;
        _require(none ? r.capWeight == 0 : r.capWeight != 0 && r.capWeight < ONE, "capWeight");
        _require(r.floorWeight < ONE, "floorWeight");
        _require(r.entryWeight >= r.floorWeight && r.entryWeight < ONE, "entryWeight");
        _require(r.topN != 0, "topN");
        _require(r.maxSupplyAge != 0, "maxSupplyAge");
        _require(r.maxSupplyJump != 0, "maxSupplyJump");
        _require(r.capPasses != 0 && r.capPasses <= MAX_PASSES, "capPasses");
    }

    function _require(bool holds, bytes32 field) private pure {
        require(holds, UnfitRule(field));
    }
}
