/** What the contracts refuse, in plain words, and what to do about it. Every error of theirs is here: a missing one does
 * not compile, since `errors` is written from the compiled contracts. */

import { type Address, decodeErrorResult, type Hex } from "viem";
import { errors } from "./abi.js";
import { amount, percent, plain, usd, when } from "./amounts.js";

export type ErrorName = (typeof errors)[number]["name"];

/** What happened, and the remedy. In both `{0t}` is the error's argument 0 as a token's symbol, `{1@0}` argument 1 as an
 * amount of the token that is argument 0, `{0s}` shares, `{0%}` a fraction, `{0$}` dollars, `{0w}` a time,
 * `{0}` as it is. */
type Words = readonly [what: string, remedy: string];

/** What the page knows of tokens: symbol and decimals. */
export type Naming = (token: Address) => { symbol: string; decimals: number };

export interface Refusal {
  name: string;
  what: string;
  remedy: string;
}

const OPERATOR = "This belongs to those who run the fund; nothing that a holder signs should meet it. Report it.";
const OWNER = "Only a change by the fund's timelock meets this; your shares are not touched.";
const SIGN_AGAIN = "Sign again; if it comes back, use a plain approval in place of the signature.";
const AGAIN = "Get a fresh quote and try again.";

const WORDS = {
  // A holder's own.
  AboveMax: [
    "The fund now asks for {1@0} {0t}, more than your limit of {2@0}.",
    "The basket moved since you looked. Look at the new amounts and try again, or allow a little more.",
  ],
  BelowMin: [
    "The fund would now pay {1@0} {0t}, less than your limit of {2@0}.",
    "The basket moved since you looked. Look at the new amounts and try again, or accept a little less.",
  ],
  AboveSupplyCap: [
    "That would make {0s} shares; the fund is capped at {1s}.",
    "Mint fewer shares, or wait until others redeem or the cap is raised. Redeeming is not affected.",
  ],
  ComponentSuspended: [
    "Nobody can mint while {0t} is suspended.",
    "Wait until the suspension has ended. You can redeem at any time.",
  ],
  Locked: ["The fund is in the middle of another operation.", "Try again with the next block, in a few seconds."],
  NotSeeded: ["The fund does not hold anything yet.", "Wait until it has been founded."],
  ZeroShares: ["The number of shares is zero.", "Enter how many shares."],
  ZeroAddress: ["An address is missing.", "Connect your wallet again."],
  ComponentMismatch: [
    "The fund's list of components has changed since you looked.",
    "Look at the new list and try again.",
  ],
  LengthMismatch: [
    "The fund's list has {0} components, not {1}: it has changed since you looked.",
    "Look at the new list and try again.",
  ],
  WrittenOff: ["{0t} is written off: the fund neither takes nor pays it.", "Look at the new list and try again."],
  NotComponent: ["{0t} is not a component of the fund.", "Look at the new list and try again."],
  ERC20InsufficientAllowance: [
    "The approval is for {1}, but {2} is needed (in the token's smallest unit).",
    "Approve it first, with the button beside the token.",
  ],
  ERC20InsufficientBalance: [
    "The account holds {1}, but {2} is needed (in the token's smallest unit).",
    "Enter fewer shares, or get more of the token.",
  ],
  ERC20InvalidReceiver: ["Shares cannot be sent to {0}.", "Choose another recipient."],
  ERC20InvalidSender: ["Shares cannot come from {0}.", "Connect your wallet again."],
  ERC20InvalidApprover: ["{0} cannot approve.", "Connect your wallet again."],
  ERC20InvalidSpender: ["{0} cannot be approved.", "Reload the page."],
  SafeERC20FailedOperation: [
    "{0t} refused the transfer.",
    "Look whether you hold enough of it and have approved it. When redeeming, you may leave it behind.",
  ],
  ERC2612ExpiredSignature: ["The signature's time is over.", SIGN_AGAIN],
  ERC2612InvalidSigner: ["The signature is another account's.", SIGN_AGAIN],
  InvalidAccountNonce: ["The signature was used already.", SIGN_AGAIN],
  ECDSAInvalidSignature: ["The signature is not valid.", SIGN_AGAIN],
  ECDSAInvalidSignatureLength: ["The signature is not valid.", SIGN_AGAIN],
  ECDSAInvalidSignatureS: ["The signature is not valid.", SIGN_AGAIN],

  // The month.
  NotDue: ["That step of the month is not due now.", "Wait; the page shows what comes next and when."],
  OtherPeriod: ["That was meant for period {1}; done now it would be for period {2}.", "Nothing is to be done."],
  TradingOpen: ["This cannot change while the month is being traded.", OWNER],
  NothingToVeto: ["There is no determination to veto.", OPERATOR],
  NothingToEnd: ["There is no open month to end.", OPERATOR],
  StoppedBefore: ["The guardian has stopped period {0}, the last one or this one.", OPERATOR],
  PausedBefore: ["Trading is paused until {0w}.", "You can mint and redeem meanwhile."],
  PauseOutOfBounds: ["A pause of {0} seconds is zero or above the {1} that are left.", OPERATOR],
  NotPaused: ["There is no pause to end.", OPERATOR],
  SuspendedBefore: ["{0t} was suspended less than 30 days ago.", OPERATOR],
  AlreadySuspended: ["{0t} is suspended already.", OPERATOR],
  NotSuspended: ["{0t} is not suspended.", OPERATOR],
  NotGuardian: ["Only the guardian or the owner may do this.", OPERATOR],

  // Batches.
  AboveCapacity: ["The batch is {0%} of the fund; {1%} may be traded now.", OPERATOR],
  AboveLossBudget: ["The month's losses would be {0%}, above the budget of {1%}.", OPERATOR],
  AboveMeasure: ["The balance of {0t} is too large to be traded.", OPERATOR],
  BelowMinimum: ["The batch brings {0$}, less than the {1$} that its sender asked for.", OPERATOR],
  BelowTolerance: ["The batch brings {0$}, less than the {1$} that the fund insists on.", OPERATOR],
  IndexesNotAscending: ["The batch's entries are not in order.", OPERATOR],
  NoPrice: ["There is no price for {0t} now.", "Mint and redeem in kind need no price. Wait for the price feed."],
  NothingSold: ["The batch sold nothing.", OPERATOR],
  UnfitBatch: ["The batch's lists do not fit together.", OPERATOR],
  UnknownIndex: ["The fund has no component number {0}.", OPERATOR],
  WrongSide: ["{0t} is not on that side of this month's trades.", OPERATOR],
  UnfitData: ["The trader's instructions cannot be read.", OPERATOR],
  UnfitPayment: ["The pool asks for an unexpected payment.", OPERATOR],
  UnknownKind: ["The trader does not know that kind of pool.", OPERATOR],
  UnknownLeg: ["The trader does not know that leg.", OPERATOR],
  NotThePool: ["Only the pool of the swap may call this.", OPERATOR],

  // Who may do what.
  AccessControlBadConfirmation: ["The role's holder has to confirm.", OPERATOR],
  AccessControlUnauthorizedAccount: ["{0} does not have the role for this.", OPERATOR],
  OwnableInvalidOwner: ["{0} cannot be the owner.", OWNER],
  OwnableUnauthorizedAccount: ["Only the fund's timelock may do this, not {0}.", OPERATOR],
  RenounceRefused: ["Ownership cannot be given up.", OWNER],
  NotLocked: ["Only a trade under way may do this.", OPERATOR],
  NotRebalancer: ["Only the fund's rebalancer may do this.", OPERATOR],
  NotSeeder: ["Only who deployed the fund may found it.", OPERATOR],
  AlreadySeeded: ["The fund has been founded already.", OPERATOR],
  SeedTooSmall: ["The fund must be founded with at least {1s} shares.", OPERATOR],
  TimelockInsufficientDelay: ["The delay of {0} seconds is below the timelock's {1}.", OWNER],
  TimelockInvalidOperationLength: ["The operation's lists differ in length.", OWNER],
  TimelockUnauthorizedCaller: ["Only the timelock itself may do this.", OWNER],
  TimelockUnexecutedPredecessor: ["Another operation has to be executed first.", OWNER],
  TimelockUnexpectedOperationState: ["The operation is not ready, or done already.", OWNER],
  FailedCall: ["A call of the timelock failed.", OWNER],

  // Rule, prices, supplies: what the owner sets.
  AnchorDisagrees: ["Feed and pool disagree about {0t}.", OWNER],
  BlockTimeOutOfBounds: ["The time between blocks is out of bounds.", OWNER],
  BoundOutOfBounds: ["The bound for {0t} is out of bounds.", OWNER],
  DuplicateLocker: ["A locker of {0t} is named twice.", OWNER],
  FeeAboveCeiling: ["The yearly fee of {0%} is above its ceiling of {1%}.", OWNER],
  FeedsDisagree: ["Old and new price feed of {0t} disagree: {1$} and {2$}.", OWNER],
  GraceOutOfBounds: ["The grace period is out of bounds.", OWNER],
  InvalidShortString: ["A name cannot be read.", OWNER],
  StringTooLong: ["A name is too long.", OWNER],
  LimitOutOfBounds: ["A trading limit is out of its hard bounds.", OWNER],
  LockersNotAscending: ["The lockers of {0t} are not in order.", OWNER],
  MaxAgeOutOfBounds: ["The greatest age of the feed of {0t} is out of bounds.", OWNER],
  NoConstituents: [
    "No candidate is left to include this month.",
    "The month passes without trades; mint and redeem go on.",
  ],
  NoEthFeed: ["The feed of ETH has to come first.", OWNER],
  NoList: ["A contract's answer cannot be read.", OPERATOR],
  NotAscending: ["The list is not in order of addresses.", OPERATOR],
  NotContract: ["{0} is not a contract.", OWNER],
  NothingToWeigh: ["No component has both a price and a weight.", "The month waits; mint and redeem in kind go on."],
  OldFeedFits: ["The old feed of {0t} fits the new band; a correction needs one that does not.", OWNER],
  FirstSupply: ["The first supply of {0t} is the timelock's to post.", OPERATOR],
  MonthOpen: ["The poster waits while a month is determined or trading.", OPERATOR],
  NotPoster: ["Only the fund's timelock or its poster may do this, not {0}.", OPERATOR],
  NothingConfirmed: ["No started month has confirmed a supply of {0t}.", OPERATOR],
  PostedBefore: ["The supply of {0t} was posted for the coming determination already.", OPERATOR],
  SupplyOutOfBounds: ["A supply of {1} of {0t} is outside {2} to {3}.", OPERATOR],
  OlderSupply: ["A newer supply of {0t} stands.", OWNER],
  OutsideBand: ["The feed of {0t} answers outside the band.", OWNER],
  OutsideDomain: [
    "The month's figures lie outside what the rule can weigh.",
    "The month waits; mint and redeem go on.",
  ],
  SafeCastOverflowedUintDowncast: ["A number is too large.", "Enter fewer shares."],
  SequencerDown: ["The network's sequencer is down, or has just come back.", "Mint and redeem in kind need no price."],
  TooFewObservations: ["The pool keeps too few observations.", OWNER],
  TooLarge: ["A target is too large.", OPERATOR],
  TooManyComponents: ["{0} components are more than the {1} that fit.", OPERATOR],
  TooManyFeeds: ["No more price feeds fit.", OWNER],
  TooManyLockers: ["{0t} has more lockers than can be read.", OWNER],
  TooManyWeights: ["{0} weights are more than the {1} that fit.", OWNER],
  UnfitBand: ["The band of {0t} is not valid.", OWNER],
  UnfitCandidate: ["{0t} cannot be a candidate.", OWNER],
  UnfitComponent: ["{0t} cannot be a component.", OPERATOR],
  UnfitConstituents: ["The rule's answer cannot be used.", OPERATOR],
  UnfitDecimals: ["{0t} does not say a usable number of decimals.", OWNER],
  UnfitFeed: ["The price feed of {0t} cannot be used.", OWNER],
  UnfitNumber: ["{0} candidates are none, or more than the {1} that fit.", OWNER],
  UnfitOverride: ["The supply given for {0t} cannot be used.", OWNER],
  UnfitPeg: ["The peg of {0t} cannot be used.", OWNER],
  NotPerformed: ["The upkeep does not do step {0} this way.", OPERATOR],
  TermOutOfBounds: ["A term of the upkeep is outside what its contract allows.", OPERATOR],
  UnfitPerformData: ["The keeper network's data cannot be read.", OPERATOR],
  UnfitPool: ["The pool of {0t} cannot be used as a second price.", OWNER],
  UnfitRule: ["The rule is out of bounds.", OWNER],
  UnfitSequencer: ["The sequencer's feed cannot be used.", OWNER],
  UnfitSupply: ["The supply posted for {0t} cannot be used.", OWNER],
  UnfitWeight: ["The weight of {0t} cannot be used.", OWNER],
  WeightsDoNotSum: ["The weights add up to {0%}, not to 100 %.", OWNER],
  WindowOutOfBounds: ["The window for {0t} is out of bounds.", OWNER],
  WrongLength: ["An answer has {1} entries in place of {0}.", OPERATOR],
  WrongRebalancer: ["The index token names another rebalancer.", OPERATOR],
} as const satisfies Record<string, Words>;

/** Of the zap and what it needs; a fund may have none. */
const ZAP = {
  NotPaid: ["The fund did not get enough {0t}.", AGAIN],
  UnfitRecipient: ["Nothing can be sent to {0}.", "Choose another recipient."],
  Entered: ["The zap is in the middle of another operation.", "Try again with the next block, in a few seconds."],
  Late: ["The deadline of {0w} is over.", AGAIN],
  UnfitValue: ["The amount of ETH sent does not fit the payment.", AGAIN],
  UnfitLegs: ["The fund has {0} components now; the route was made for another list.", AGAIN],
  UnfitVenue: ["{0t} cannot be traded on that exchange.", "Choose in kind, or get a fresh quote."],
  NoPool: ["The exchange has no pool of {0t} against WETH.", "Choose in kind, or get a fresh quote."],
  NotFilled: ["A pool does not have enough liquidity.", "Try a smaller amount, or choose in kind."],
  AboveMaxIn: ["It now costs more than the most that you would pay.", AGAIN],
  BelowMinOut: ["It now brings less than the least that you accept.", AGAIN],
  TooThin: [
    "A pool holds too little: {1} wanted, {2} there (in the token's smallest unit).",
    "Try a smaller amount, or choose in kind.",
  ],
  UnknownVenue: ["The route names an exchange that is not known.", AGAIN],
  SafeCastOverflowedUintToInt: ["A number is too large.", "Enter fewer shares."],
  NotMinting: ["Only the fund calls this, while it mints.", OPERATOR],
  NotWeth: ["Only WETH sends ETH to the zap.", OPERATOR],
  EthRefused: ["{0} does not take ETH.", "Choose WETH, or another recipient."],
  OtherFeeds: ["The NAV feed was made for other price feeds.", OPERATOR],
  Suspended: ["{0t} is suspended, so there is no NAV.", "You can redeem in kind at any time."],
  NotSound: ["The balance of {0t} cannot be read.", "Redeem in kind and leave it behind, or wait."],
  AddressEmptyCode: ["There is no contract at {0}.", OPERATOR],
  InsufficientBalance: ["{1} wei are to be paid out of {0}.", OPERATOR],
  NoRound: ["Only the latest NAV can be asked for.", OPERATOR],
} as const satisfies Record<string, Words>;

export const TABLE = { ...ZAP, ...WORDS } satisfies Record<ErrorName, Words>;

/** The refusal behind a revert's data, or null where it is no error of the fund's. */
export function refusalOf(data: Hex, naming: Naming): Refusal | null {
  try {
    const { errorName, args } = decodeErrorResult({ abi: errors, data });
    const [what, remedy] = TABLE[errorName];
    return { name: errorName, what: fill(what, args ?? [], naming), remedy: fill(remedy, args ?? [], naming) };
  } catch {
    return null;
  }
}

function fill(text: string, args: readonly unknown[], naming: Naming): string {
  return text.replace(/\{(\d)(?:@(\d)|([ts%$w]))?\}/g, (_, place: string, token?: string, kind?: string) => {
    const value = args[Number(place)];
    if (token !== undefined) return amount(value as bigint, naming(args[Number(token)] as Address).decimals, true);
    switch (kind) {
      case "t":
        return naming(value as Address).symbol;
      case "s":
        return amount(value as bigint, 18);
      case "%":
        return percent(value as bigint);
      case "$":
        return usd(value as bigint);
      case "w":
        return when(value as bigint);
      default:
        return plain(String(value), 60);
    }
  });
}
