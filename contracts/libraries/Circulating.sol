// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {FixedPointMathLib} from "solady/src/utils/FixedPointMathLib.sol";

import {Flags} from "../interfaces/IMethodology.sol";
import {ISupplySource} from "../interfaces/ISupplySource.sol";
import {Constituents} from "./Constituents.sol";

/// @title Circulating
/// @notice What is believed of a circulating supply. Supplies are whole tokens, below 2**88.
///
/// KNOWN. A reading is held against the supply that the last started month confirmed, or before the first one against
/// the supply that the owner gave for the candidate. 0: none is known.
///
/// DATES. A reading dated before this block (a posted one) rests on whoever posted it, the timelock. One dated this
/// very block (a computed one) rests on this block, which can be bought: alone it decides nothing.
library Circulating {
    using FixedPointMathLib for uint256;

    /// @notice Most gas that a source gets: one that burns it must not starve those after it. `LockedSupply` with all
    /// its lockers, of a token behind a proxy, needs about half of it.
    uint256 internal constant SOURCE_GAS = 80_000;

    uint256 private constant ONE = 1e18;
    /// @dev Flags that say which reading counts: of two, those of the one that does.
    uint256 private constant REREAD = Flags.STALE | Flags.CLAMPED | Flags.OVERRIDDEN;

    /// @notice The source's answer; (0, 0) for one that fails, is dated in the future, or does not fit.
    /// @dev A low-level call: what answers in another shape must not stop the month.
    function ask(address token, address source) internal view returns (uint256 supply, uint256 date) {
        uint256 selector = uint32(ISupplySource.supply.selector);
        // Saves 375 gas for each candidate over solady's call with a limit of gas (measured), 0.9 % of start.
        assembly ("memory-safe") {
            mstore(0x00, shl(224, selector))
            mstore(0x04, shr(96, shl(96, token)))
            if staticcall(SOURCE_GAS, source, 0x00, 0x24, 0x00, 0x40) {
                if gt(returndatasize(), 63) {
                    supply := mload(0x00)
                    date := mload(0x20)
                }
            }
        }
        if (supply > type(uint88).max || date > block.timestamp) return (0, 0);
    }

    /// @notice Whether a reading may count: not missing, and at most `maxAge` seconds old. It is not dated in the
    /// future.
    function fresh(uint256 supply, uint256 date, uint256 maxAge) internal view returns (bool) {
        unchecked {
            // The date is not above the time.
            return supply != 0 && block.timestamp - date <= maxAge;
        }
    }

    /// @notice What counts of a reading, and why.
    /// @param known See above. @param member What is no member is believed downwards at once: the bound is there for
    /// what the fund holds.
    /// @param maxJump Most that a supply may differ from the known one, as a fraction of that, 18 decimals.
    function judge(uint256 supply, uint256 date, uint256 known, bool member, uint256 maxAge, uint256 maxJump)
        internal
        view
        returns (uint256 basis, uint256 flags)
    {
        if (!fresh(supply, date, maxAge)) return known == 0 ? (0, Flags.UNCONFIRMED) : (known, Flags.STALE);
        if (known == 0) return (supply, date == block.timestamp ? Flags.UNCONFIRMED : 0);
        uint256 bound = known * maxJump / ONE;
        if (supply > known + bound) {
            basis = known + bound;
            return (basis > type(uint88).max ? type(uint88).max : basis, Flags.CLAMPED);
        }
        if (member && supply + bound < known) return (known - bound, Flags.CLAMPED);
        return (supply, 0);
    }

    /// @notice The figure that decides who enters and who leaves: never one that rests on this block alone.
    function decisive(uint256 basis, uint256 flags, uint256 date, uint256 known, bool member)
        internal
        view
        returns (uint256)
    {
        if (known == 0) return basis;
        if (date != block.timestamp && flags & Flags.CLAMPED == 0) return basis;
        return member || known < basis ? known : basis;
    }

    /// @notice What counts of a determined basis and the one read again at start, both packed with their flags.
    /// @dev An override always; else the nearer to the known supply, at equal distance the determined one. Without a
    /// known supply the smaller, as one that nobody vouches for is faked upwards; what was not confirmed yet needs both
    /// readings.
    function confirmedBasis(uint256 was, uint256 basis, uint256 flags, uint256 known) internal pure returns (uint256) {
        uint256 flagsWere = Constituents.flags(was);
        if (!_replaces(Constituents.basis(was), flagsWere, basis, flags, known)) return was;
        flagsWere = (flagsWere & ~REREAD) | (flags & REREAD) | Flags.CONFIRMED_AT_START;
        return Constituents.packBasis(uint88(basis), uint8(flagsWere));
    }

    function _replaces(uint256 was, uint256 flagsWere, uint256 basis, uint256 flags, uint256 known)
        private
        pure
        returns (bool)
    {
        if (flags & Flags.OVERRIDDEN != 0) return true;
        if (flagsWere & Flags.OVERRIDDEN != 0) return false;
        if (known != 0) return basis.dist(known) < was.dist(known);
        return basis < was && (basis != 0 || flagsWere & Flags.UNCONFIRMED != 0);
    }
}
