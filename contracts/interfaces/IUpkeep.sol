// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IIndexToken} from "./IIndexToken.sol";
import {IOracle} from "./IOracle.sol";
import {Action, IRebalancer, Order} from "./IRebalancer.sol";

/// @notice What an upkeep pays. Fixed at its creation.
/// @param premium On the gas that the fund's own contracts take, share with 18 decimals. At most 10 %.
/// @param leastSale A trade is paid if it sells as much, share of NAV at start prices with 18 decimals; or ends the
/// month. 0.1 % to 10 %.
/// @param maxBaseFee Above it gas is paid as at it, wei. 1 to 500 gwei.
/// @param monthly Most that the steps of one period are paid together, wei. At most 10 ether.
struct Terms {
    uint64 premium;
    uint64 leastSale;
    uint64 maxBaseFee;
    uint96 monthly;
}

/// @title IUpkeep
/// @notice Determine, start, trade and close of one fund, paid: whoever makes a step through this contract gets shares
/// of the index token, out of what the contract holds of them, the purse. Anyone may; none has to: the rebalancer's own
/// functions stay open beside it. And the functions that keeper networks call.
///
/// PAYMENT. For a step that took `used` gas at a base fee `fee`:
///
///     own    = min(used, least)
///     ether  = (own x (1 + premium) + (min(used, most) - own) x 4 / 5) x min(fee, maxBaseFee)
///     shares = ether / price of a share, rounded down
///
/// `most` and `least` are tables by action and number of legs, see `GasTable`; they differ for a trade only. What a
/// filler and its pools take is within `most`. It earns no premium and counts four fifths, as up to a fifth of a
/// transaction's gas is refunded (EIP-3529) where nobody sees it: gas burnt there costs what it brings. Tips are not
/// paid, nor what an access list costs.
///
/// UNPAID. The step is done all the same: with an empty purse; without a payee; where a component that is not written
/// off has no price or no sound balance, or ether has no price; beyond `monthly`; a trade that sells less than
/// `leastSale` and does not end the month. Nothing that has to do with the payment makes a step revert. A purse that
/// holds less than is due pays what it has.
///
/// PRICE. NAV of all components at the oracle's prices, rounded up, over the accrued supply, in the oracle's ether. It
/// is taken after the step, while the fund is at rest; kept, and used for a day; by a close, whatever its age.
///
/// AGREEMENT. A step succeeds exactly where the rebalancer's own function succeeds in the same block, for the period
/// that it names. The upkeep does not ask `workable()`, which tries the action dry, but calls the action, which holds
/// itself against the same rule under the fund's lock and reverts if it is not due.
///
/// ONCE. What has been done is not due again in its period, and what was meant for another period is refused, so that
/// of two performers the second reverts and only the first is paid.
///
/// POWERS. It has no role in the fund and never gets components: a batch's surplus goes to the filler, or to whom the
/// order names. Its owner can take the purse, nothing else, and change nothing.
interface IUpkeep {
    /* ERRORS */

    /// @notice The rebalancer must be a contract.
    error NotContract(address given);
    /// @notice A term is outside its bounds; `name` is the field.
    error TermOutOfBounds(bytes32 name);
    /// @notice Only Determine, Start and Close are performed. A batch has a function of its own.
    error NotPerformed(Action action);
    /// @notice Not what `checkUpkeep` answers: an action that is performed, a period, an address, a word each.
    error UnfitPerformData(bytes performData);
    /// @notice The action was named for period `named`; done now it would be one of `period`.
    error OtherPeriod(Action action, uint256 named, uint256 period);

    /* EVENTS */

    /// @notice A step was paid. @param amount What the shares count for, wei.
    event Paid(uint256 indexed period, Action indexed action, address indexed payee, uint256 shares, uint256 amount);

    /* CONSTANTS */

    function REBALANCER() external view returns (IRebalancer);
    function INDEX() external view returns (IIndexToken);
    function ORACLE() external view returns (IOracle);

    /* VIEWS */

    function terms() external view returns (Terms memory);

    /// @notice What there is to be paid with in this block.
    /// @return shares Of the index token that it holds.
    /// @return price Wei for a whole share (1e18) that a step would be paid at: the kept one for a day, then this
    /// block's; 0: none, nothing is paid.
    /// @return left Wei that the last determined period has left; a determination begins another.
    function purse() external view returns (uint256 shares, uint256 price, uint256 left);

    /// @notice Wei for a whole share at this block's prices, rounded up; 0 without one. May revert for what a component
    /// or the oracle answers, which counts as none.
    function sharePrice() external view returns (uint256);

    /* ANYONE */

    /// @notice Determines, starts or closes. Reverts with the rebalancer's error if that is not due (`NotDue`).
    /// @param period What `month().period` is after it: a determination's is `currentPeriod()`.
    /// @param payee Who is paid; nobody where it is zero.
    function perform(Action action, uint256 period, address payee) external;

    /// @notice Trades one batch, as the rebalancer does.
    /// @param payee Who is paid; nobody where it is zero.
    function trade(Order calldata order, address payee) external;

    /* KEEPER NETWORKS */

    /// @notice Whether determine, start or close is due in this block. Never reverts.
    /// @param checkData Who is to be paid, one word; nobody where it is anything else.
    /// @return upkeepNeeded `performUpkeep(performData)` succeeds in this block.
    /// @return performData Action (see `Action`), the period that it belongs to (see `Schedule`), and payee, a word
    /// each; empty if nothing is needed.
    function checkUpkeep(bytes calldata checkData) external view returns (bool upkeepNeeded, bytes memory performData);

    /// @notice `perform`, with what `checkUpkeep` answered.
    function performUpkeep(bytes calldata performData) external;

    /* OWNER */

    /// @notice Takes shares of the purse back, or a token that was sent here by mistake.
    /// @param token Any. @param amount Token wei.
    function withdraw(address token, address to, uint256 amount) external;
}
