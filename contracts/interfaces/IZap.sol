// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/// @notice An ERC-2612 permit of the caller for the zap: over `maxIn` of the pay token, or over the shares.
struct Permit {
    uint256 deadline;
    uint8 v;
    bytes32 r;
    bytes32 s;
}

/// @title IZap
/// @notice Shares of one fund for one token, and back, in one transaction: ETH, WETH, or an ERC-20 that has a pool
/// against WETH.
///
/// LEGS. For each component, in the list's order, four bytes say where it is bought or sold: a venue and a fee (see
/// `Legs`). A pool is never named: its address follows from the exchange's factory, the tokens and the fee, so a false
/// one cannot be given. Every swap is against WETH; that of the pay token or receive token has a leg of its own.
///
/// AMOUNTS. They are computed when the transaction runs. A mint buys exactly what the fund asks for, so nothing is left
/// over and nothing is swapped back; a redemption sells exactly what the fund pays. The caller's one limit is on the
/// total, `maxIn` or `minOut`.
///
/// TRUST. Nobody owns the zap, nothing in it can change, and it calls nothing that a caller names but tokens: no
/// router, no call data. It never approves anybody. It takes tokens and shares of `msg.sender` alone, within one call.
/// It holds nothing between two calls: what somebody sends it by mistake stays there for good, for nobody to take.
///
/// TOKENS. Pay and receive tokens that take a fee on transfers are refused by what they come to: a pool is paid too
/// little, or less than `minOut` arrives.
interface IZap {
    /* ERRORS */

    /// @notice A call of the zap is under way in this transaction.
    error Entered();
    /// @notice The deadline is over.
    error Late(uint256 deadline);
    /// @notice Not a contract.
    error NotContract(address account);
    /// @notice Shares or proceeds are to go to the zero address or to the zap.
    error UnfitRecipient(address to);
    /// @notice Pay with ETH: `maxIn` is what is sent. With a token: nothing is sent.
    error UnfitValue(uint256 value);
    /// @notice There must be one leg for each component.
    error UnfitLegs(uint256 components, uint256 bytesGiven);
    /// @notice A component is not bought or sold in this way, or this fund's zap does not know the exchange.
    error UnfitVenue(address token, uint256 venue);
    /// @notice The exchange has no pool of the token and WETH with this fee.
    error NoPool(address token, address pool);
    /// @notice A V3 pool's liquidity does not reach for the amount.
    error NotFilled(address pool, uint256 amount);
    /// @notice The total of what has to be paid is above `maxIn`: at this payment so much was left of it.
    error AboveMaxIn(uint256 amount, uint256 left);
    /// @notice Less than `minOut` came of it.
    error BelowMinOut(uint256 amount, uint256 minOut);
    /// @notice Only the fund calls this, while the zap mints.
    error NotMinting(address caller);
    /// @notice Only the pool that is being swapped in calls this, once.
    error NotThePool(address caller);
    /// @notice Only WETH sends ETH here.
    error NotWeth(address sender);
    /// @notice The recipient does not take ETH.
    error EthRefused(address to);

    /* EVENTS */

    /// @param payToken Zero for ETH.
    event ZapMinted(
        address indexed caller, address indexed to, uint256 shares, address indexed payToken, uint256 amount
    );
    /// @param receiveToken Zero for ETH.
    event ZapRedeemed(
        address indexed caller, address indexed to, uint256 shares, address indexed receiveToken, uint256 amount
    );

    /* HOLDERS */

    /// @notice Mints exactly `shares` to `to` and takes what they cost of the caller, who has approved the zap or sends
    /// ETH; the rest of that comes back to the caller.
    /// @dev Warning: legs follow the list as it stands when this is mined. Where a start has replaced a component by
    /// another since the quote, a leg meets another token than it was meant for; that costs at most up to `maxIn`.
    /// @param payToken Zero for ETH.
    /// @param maxIn Most that the caller pays, in wei of `payToken`; with ETH the value of the call.
    /// @param legs Of the components. Looked at for those that are neither WETH nor the pay token, and not written off.
    /// @param payLeg Where WETH is bought with the pay token. Not looked at for ETH and WETH.
    /// @param deadline Last second in which this may run.
    /// @return paid Wei of `payToken`.
    function mint(
        uint256 shares,
        address payToken,
        uint256 maxIn,
        bytes calldata legs,
        uint32 payLeg,
        uint256 deadline,
        address to
    ) external payable returns (uint256 paid);

    /// @notice `mint` with a permit over `maxIn`. One that somebody else has sent before does no harm.
    function mintWithPermit(
        uint256 shares,
        address payToken,
        uint256 maxIn,
        bytes calldata legs,
        uint32 payLeg,
        uint256 deadline,
        address to,
        Permit calldata permit
    ) external returns (uint256 paid);

    /// @notice Burns exactly `shares` of the caller, who has approved the zap for them, and sends `to` what they bring.
    /// @dev Warning: a component with the venue Skip is forfeited to the other holders, see `IIndexToken.redeem`.
    /// @dev Warning: `minOut` says nothing of what is given in kind: a component that is written off, or whose balance
    /// shrinks, before this is mined pays less or nothing. Who wants all in kind calls `IIndexToken.redeem`, which
    /// takes a least amount for each.
    /// @param receiveToken Zero for ETH.
    /// @param minOut Least that `to` must receive, in wei of `receiveToken`. What is given in kind does not count.
    /// @param tokens The components in the list's order.
    /// @param legs Of the components. Of WETH and the receive token only InKind and Skip are looked at.
    /// @param receiveLeg Where WETH is sold for the receive token. Not looked at for ETH and WETH.
    /// @param deadline Last second in which this may run.
    /// @return received Wei of `receiveToken`.
    function redeem(
        uint256 shares,
        address receiveToken,
        uint256 minOut,
        address[] calldata tokens,
        bytes calldata legs,
        uint32 receiveLeg,
        uint256 deadline,
        address to
    ) external returns (uint256 received);

    /// @notice `redeem` with a permit over `shares`. One that somebody else has sent before does no harm.
    function redeemWithPermit(
        uint256 shares,
        address receiveToken,
        uint256 minOut,
        address[] calldata tokens,
        bytes calldata legs,
        uint32 receiveLeg,
        uint256 deadline,
        address to,
        Permit calldata permit
    ) external returns (uint256 received);
}
