// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {Component} from "../libraries/ComponentList.sol";

/// @title IIndexToken
/// @notice The share of the fund: an ERC-20 that holds its components and is minted and redeemed against them in kind.
///
/// SHARE. 1 share is 1e18. What backs a share is balance / supply of each component: no positions are stored, so what
/// is given to the contract belongs to all holders at once. A *unit* is token wei per 1e18 shares.
///
/// SUPPLY. `totalSupply()` counts fee shares as they accrue, up to this block's time, though they are minted only by
/// `collectFee`: the sum of all balances is `totalSupply()` - `pendingFee()`. So balance / `totalSupply()` of a
/// component is what a share is worth of it, for everybody who divides by it.
///
/// ROUNDING. Always for the fund: mint rounds each amount up, redeem rounds each amount down, the fee rounds down.
///
/// TOKENS. Components must not charge on transfer, rebase, call their holders, or be claimable on the fund's behalf by
/// a third party.
///
/// STATES. What redeem pays, mint asks for. A *suspended* component must not be traded now, or does not move: redeem
/// pays it unless the holder skips it, and nobody mints while one is suspended. A *written off* one is declared
/// worthless for good: mint and redeem leave it out alike.
///
/// ROLES. The owner (a timelock) sets fee, fee recipient and supply cap. The rebalancer, immutable, moves components
/// during a trade, rewrites the list, and sets states for its guardian and owner. None of them can stop redeem.
interface IIndexToken is IERC20 {
    /* ERRORS */

    /// @notice The one lock of the fund is held: a trade or a share operation is under way in this transaction.
    error Locked();
    /// @notice `settle` was called while the rebalancer did not hold the lock.
    error NotLocked();
    /// @notice Only the rebalancer may call this.
    error NotRebalancer(address caller);
    /// @notice Only the account that deployed the token may seed it.
    error NotSeeder(address caller);
    /// @notice The token is seeded already.
    error AlreadySeeded();
    /// @notice Mint and redeem need a seeded token.
    error NotSeeded();
    /// @notice The seed is below one whole share.
    error SeedTooSmall(uint256 shares, uint256 least);
    /// @notice An argument that must be an account is the zero address.
    error ZeroAddress();
    /// @notice The number of shares is zero.
    error ZeroShares();
    /// @notice The arrays of a call do not have one entry for each component.
    error LengthMismatch(uint256 expected, uint256 given);
    /// @notice The list has `expected` at position `index`, the caller named `given`.
    error ComponentMismatch(uint256 index, address expected, address given);
    /// @notice More than `MAX_COMPONENTS` components.
    error TooManyComponents(uint256 given, uint256 most);
    /// @notice A component of a list has no contract code or more than 27 decimals.
    error UnfitComponent(address token);
    /// @notice Mint would take more than the caller allows.
    error AboveMax(address token, uint256 amount, uint256 maxAmount);
    /// @notice Redeem would pay less than the caller asks.
    error BelowMin(address token, uint256 amount, uint256 minAmount);
    /// @notice After `onMint` the fund holds less of a component than was due. Both are its balance, in token wei.
    error NotPaid(address token, uint256 balance, uint256 due);
    /// @notice A component is to be paid to the zero address or to the fund itself.
    error UnfitRecipient(address recipient);
    /// @notice Mint would raise the supply above the cap. Both in shares (1e18).
    error AboveSupplyCap(uint256 supply, uint256 cap);
    /// @notice The yearly fee is above the hard ceiling. Both as 18-decimal fractions.
    error FeeAboveCeiling(uint256 fee, uint256 ceiling);
    /// @notice The token is not on the list.
    error NotComponent(address token);
    /// @notice Nobody mints while a component is suspended.
    error ComponentSuspended(address token);
    /// @notice The component is written off, which is final.
    error WrittenOff(address token);

    /* EVENTS */

    event Seeded(address indexed to, uint256 shares, address[] tokens, uint256[] amounts);
    /// @notice The amounts are in the components' Transfer events.
    event Minted(address indexed caller, address indexed to, uint256 shares);
    /// @notice The amounts are in the components' Transfer events. @param skip Bit i set: component i was not paid.
    event Redeemed(address indexed caller, address indexed to, uint256 shares, uint256 skip);
    /// @notice As `Redeemed`, of `redeemTo`.
    event RedeemedTo(address indexed caller, address indexed holder, uint256 shares, uint256 skip);
    event FeeCollected(address indexed to, uint256 shares);
    event StreamingFeeSet(uint256 fee);
    event FeeRecipientSet(address recipient);
    event SupplyCapSet(uint256 wholeShares);
    /// @param suspendedUntil Suspended before this time; 0: not suspended any more.
    event StateSet(address indexed token, uint40 suspendedUntil, bool writtenOff);
    event ComponentsSet(address pointer, address[] tokens);

    /* CONSTANTS */

    /// @notice Most components a list may have.
    function MAX_COMPONENTS() external view returns (uint256);

    /// @notice Ceiling of the yearly streaming fee, 18 decimals.
    function MAX_STREAMING_FEE() external view returns (uint256);

    /// @notice Shares of the seed that nobody can ever redeem: the supply never falls below them.
    function LOCKED_SHARES() external view returns (uint256);

    /// @notice The only contract that may call `lock`, `unlock`, `settle`, `setComponents` and `setState`.
    function REBALANCER() external view returns (address);

    /* VIEWS */

    /// @notice True while a share operation or a rebalancer action is under way in this transaction. Balances may be in
    /// flux then, and previews revert.
    function locked() external view returns (bool);

    /// @notice The components, ascending by token address.
    function components() external view returns (Component[] memory);

    /// @notice The contract whose code is the packed list (see `ComponentList`); zero before the seed.
    function componentsPointer() external view returns (address);

    /// @notice Fee shares accrued up to this block's time and not minted yet.
    function pendingFee() external view returns (uint256);

    /// @notice `totalSupply()` and the fee exponent: the integral of the continuous fee rate over time, in 18-decimal
    /// fractions x seconds. Supply x exp(-exponent / year) does not change by accrual.
    function supplyAndExponent() external view returns (uint256 supply, uint256 exponent);

    /// @notice Yearly streaming fee, 18 decimals: what a share's units lose in one year.
    function streamingFee() external view returns (uint256);

    /// @notice Who is minted the fee shares.
    function feeRecipient() external view returns (address);

    /// @notice Most whole shares that mint may bring the supply to.
    function supplyCap() external view returns (uint256 wholeShares);

    /// @notice Whether a token was ever written off. It can be listed again once the fund holds none of it.
    function writtenOff(address token) external view returns (bool);

    // The views of ERC-7621 (a draft) that fit a fund which keeps no positions and no weights.

    /// @notice How many components there are.
    function totalConstituents() external view returns (uint256);

    /// @notice Whether a token is a component, in whatever state.
    function isConstituent(address token) external view returns (bool);

    /// @notice What the fund holds of a component, token wei. Reverts for others, and while the lock is held.
    function getReserve(address token) external view returns (uint256);

    /// @notice Exactly what `mint` takes in this block, in token wei, each rounded up; 0 for what is written off.
    /// Reverts while the lock is held.
    /// @return tokens The components.
    /// @return amounts Of each.
    /// @return blocked Bit i set: component i stands in the way. Either it is suspended; or its balance is not sound
    /// (see `Balance.tryRead`), and of that one the amount is 0. If no bit is set, no state stands in the way of a
    /// mint.
    function previewMint(uint256 shares)
        external
        view
        returns (address[] memory tokens, uint256[] memory amounts, uint256 blocked);

    /// @notice Exactly what `redeem` pays in this block, in token wei, each rounded down; 0 for what is written off.
    /// Reverts while the lock is held.
    /// @return tokens The components.
    /// @return amounts Of each.
    /// @return blocked Bit i set: component i is to be skipped, as its balance is not sound. It can be passed on as
    /// `skip`.
    function previewRedeem(uint256 shares)
        external
        view
        returns (address[] memory tokens, uint256[] memory amounts, uint256 blocked);

    /* HOLDERS */

    /// @notice Founds the fund: takes `units[i]` x `shares` / 1e18 (rounded up) of each token, locks `LOCKED_SHARES`
    /// for good and gives the rest to `to`. Once, by the deployer, and within the supply cap.
    /// @param tokens Strictly ascending addresses.
    /// @param units Token wei per 1e18 shares.
    /// @param shares At least 1e18.
    function seed(address[] calldata tokens, uint256[] calldata units, uint256 shares, address to) external;

    /// @notice Mints `shares` to `to` against amount = balance x shares / supply of each component but what is written
    /// off, rounded up.
    /// @dev Reads no oracle. Fair in the middle of a rebalance, as it takes what a share holds now. Refused while a
    /// component is suspended (`ComponentSuspended`).
    /// @param tokens The components in the list's order, so that a limit never meets another token.
    /// @param maxAmounts Most the caller gives of each, in token wei.
    /// @return amounts What was taken of each.
    function mint(uint256 shares, address to, address[] calldata tokens, uint256[] calldata maxAmounts)
        external
        returns (uint256[] memory amounts);

    /// @notice Burns `shares` of the caller and pays amount = balance x shares / supply of each component, rounded
    /// down.
    /// @dev Never paused; reads no oracle.
    /// @dev Warning: a skipped component is forfeited to the other holders. It is there for a token that no longer
    /// transfers.
    /// @param tokens The components in the list's order.
    /// @param minAmounts Least the caller accepts of each, in token wei; not looked at for skipped ones. Of what
    /// is written off nothing is paid: a least amount above 0 reverts (`BelowMin`).
    /// @param skip Bit i set: component i is not paid.
    /// @return amounts What was paid of each.
    function redeem(uint256 shares, address to, address[] calldata tokens, uint256[] calldata minAmounts, uint256 skip)
        external
        returns (uint256[] memory amounts);

    /// @notice `mint` for a caller that has each component sent to the fund while it is called back: the amounts are
    /// computed, `IMintCallback.onMint` of the caller is called, and then the fund must hold that much more of each.
    /// @dev Same amounts, rounding and refusals as `mint`. There are no limits: the amounts are handed to `onMint`,
    /// which refuses by reverting. The lock is held meanwhile, so previews and everything else of the fund revert.
    /// @dev Warning: the fund looks at nothing but its balances. Whatever arrives during the call counts as payment,
    /// from whomever; so a component that somebody can claim on the fund's behalf would pay for a stranger's mint.
    /// @param data Handed to `onMint` as it is.
    function mintWith(uint256 shares, address to, bytes calldata data) external;

    /// @notice `redeem` with a recipient for each component, such as the pool that it is sold to. Burns `shares` of
    /// `holder`, out of the caller's allowance if that is somebody else.
    /// @param recipients Of each component, none of them zero or the fund, not even of what is skipped.
    function redeemTo(
        uint256 shares,
        address holder,
        address[] calldata tokens,
        uint256[] calldata minAmounts,
        address[] calldata recipients,
        uint256 skip
    ) external returns (uint256[] memory amounts);

    /// @notice Mints the accrued fee shares to the fee recipient. Anyone may call.
    function collectFee() external returns (uint256 shares);

    /* OWNER */

    /// @notice Sets the yearly fee (18 decimals) after accruing at the old one.
    function setStreamingFee(uint256 fee) external;

    /// @notice Sets who gets the fee shares, after minting what has accrued to the old recipient.
    function setFeeRecipient(address recipient) external;

    /// @notice Sets the most whole shares that mint may bring the supply to. It never binds redeem.
    function setSupplyCap(uint32 wholeShares) external;

    /* REBALANCER */

    /// @notice Takes the lock; reverts if it is held.
    function lock() external;

    /// @notice `lock()`, and what a trade has to know: `componentsPointer()` and `supplyAndExponent()`.
    function lockForTrading() external returns (address pointer, uint256 supply, uint256 exponent);

    /// @notice Gives the lock back.
    function unlock() external;

    /// @notice Sends `amounts[k]` of each `tokens[k]` to `recipients[k]` in a trade whose result the rebalancer checks;
    /// amounts of zero are left out. Needs the lock.
    function settle(address[] calldata tokens, uint256[] calldata amounts, address[] calldata recipients) external;

    /// @notice Replaces the list. Needs the lock.
    /// @dev Warning: what a dropped token's balance was worth is no longer redeemable; the rebalancer drops only what
    /// is written off, or worth next to nothing (see `IOpener`).
    function setComponents(Component[] calldata list) external;

    /// @notice Sets a component's state: suspended before `suspendedUntil` (0: not), or written off. Needs the lock.
    /// The rebalancer sees to it that what is written off stays so.
    function setState(address token, uint40 suspendedUntil, bool writtenOff_) external;
}
