// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IIndexToken} from "./IIndexToken.sol";
import {IOracle} from "./IOracle.sol";

/// @notice What a determination decided for a candidate.
/// Included: part of next month's index. Frozen: held as it is, not traded, its weight taken out before the others
/// share. Leaving: target zero. Outside: not part of the index; sold if it is held.
enum Status {
    Included,
    Frozen,
    Leaving,
    Outside
}

/// @notice One candidate in a determination.
/// @param token The ERC-20.
/// @param basis What the weight comes from: circulating supply in whole tokens (market cap), or the weight itself with
/// 18 decimals (fixed weights). Above zero for what is included.
/// @param status What was decided.
/// @param flags Why and from what, as bits: see `Flags`.
/// @param price USD for one whole token at the determination, 18 decimals; 0 if there was none.
/// @param weight Weight after capping at the determination's prices, 18 decimals, of what the included share.
/// @param confirmed Basis that the last started month confirmed; 0 if there is none. Vetoed months, and those that
/// never started, carry the older one.
/// @param member Whether the last started month included it, or it has been frozen since one did.
struct Constituent {
    address token;
    uint88 basis;
    Status status;
    uint8 flags;
    uint128 price;
    uint64 weight;
    uint88 confirmed;
    bool member;
}

/// @notice Bits of `Constituent.flags`.
library Flags {
    /// @notice The supply was too old or missing: the confirmed one was carried forward.
    uint8 internal constant STALE = 1;
    /// @notice The supply had jumped: it was clamped to the confirmed one plus or minus the bound.
    uint8 internal constant CLAMPED = 2;
    /// @notice The owner's override counts.
    uint8 internal constant OVERRIDDEN = 4;
    /// @notice No price: not eligible; held as it is if it is held.
    uint8 internal constant NO_PRICE = 8;
    /// @notice No confirmed supply is known: not eligible. Its basis is what was read now, 0 if nothing was; the start
    /// of this month may confirm it.
    uint8 internal constant UNCONFIRMED = 16;
    /// @notice Not among the largest `topN`.
    uint8 internal constant BELOW_RANK = 32;
    /// @notice Below the floor weight (members) or the entry weight (all others).
    uint8 internal constant BELOW_FLOOR = 64;
    /// @notice The supply read again at start counts, not the determination's: it is nearer to the confirmed one
    /// (smaller, where there is none), or the owner's override.
    uint8 internal constant CONFIRMED_AT_START = 128;
}

/// @title IMethodology
/// @notice The rule of the index: which components, how much of each. It holds no state of the month: the rebalancer
/// keeps what `determine` returned and what a start confirmed of it, and passes it back.
interface IMethodology {
    /// @notice What a basis is, such as "supply" or "weight". Where a methodology is replaced by one that says the
    /// same, the bases that the last started month confirmed are handed on to it.
    function BASIS() external view returns (bytes32);

    /// @notice Every candidate as it stands now, strictly ascending by address.
    /// @param previous What the last started month left: basis and status as its start confirmed them. Empty before the
    /// first. It may name tokens that are no candidates.
    function determine(IOracle oracle, IIndexToken index, Constituent[] calldata previous)
        external
        view
        returns (Constituent[] memory);

    /// @notice The determination as it counts at start: bases read again, and candidates that the owner has since
    /// frozen or taken out with the status that they now have.
    /// @param determined What was determined this month, two words for each constituent, see `Constituents`.
    /// @return words For each constituent basis (88 bits, low), flags (8 bits above) and status (4 bits above).
    /// Included counts only where it was determined so.
    function confirm(uint256[] calldata determined) external view returns (uint256[] memory words);

    /// @notice Units that give every component its weight at NAV, for components in any fixed order.
    /// @param basis Basis of each component (88 bits, low; flags may stand above); 0 for one that is not included
    /// (target 0).
    /// @param units Units held, token wei per 1e18 shares.
    /// @param prices USD for one whole token, 18 decimals; 0 for what is left out of NAV and weights.
    /// @param ones Token wei of one whole token: 10 to the power of its decimals, which are 0 to 27.
    /// @return targets Units, rounded down; 0 where basis or price is 0.
    function targetUnits(
        uint256[] calldata basis,
        uint256[] calldata units,
        uint256[] calldata prices,
        uint256[] calldata ones
    ) external view returns (uint256[] memory targets);
}
