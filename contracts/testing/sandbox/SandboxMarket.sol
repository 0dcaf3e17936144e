// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {FixedPointMathLib} from "solady/src/utils/FixedPointMathLib.sol";
import {LibClone} from "solady/src/utils/LibClone.sol";

import {Owned} from "../../access/Owned.sol";
import {IUniswapV2Factory} from "../../interfaces/external/IUniswapV2Factory.sol";
import {IUniswapV2Pair} from "../../interfaces/external/IUniswapV2Pair.sol";
import {PairV2} from "../../libraries/PairV2.sol";
import {TestChains} from "../../libraries/TestChains.sol";
import {ISandboxPrices, SandboxFeed} from "./SandboxFeed.sol";
import {SandboxToken, Terms} from "./SandboxToken.sol";

interface IPoolShares {
    function mint(address to) external returns (uint256 liquidity);
}

/// @notice A test token to list.
/// @param price First answer of its feed, USD with 8 decimals.
/// @param given Token wei for the operator. @param stock Token wei for the market, to open and to move pools with.
/// @param locked Token wei that never move: they stay with the token itself, which is so its own locker.
struct Listing {
    Terms terms;
    uint64 price;
    uint256 given;
    uint256 stock;
    uint256 locked;
}

/// @notice A pool of a token and the numeraire, with what it begins with.
struct Opening {
    uint256 number;
    uint256 amount;
    uint256 numeraire;
}

/// @title SandboxMarket
/// @notice A whole market for a fund on a test network: test tokens with faucets, their price feeds, and pools of
/// Uniswap V2. Its owner, the operator, posts prices and has the pools follow them. Refuses to exist on chains that are
/// no known test networks.
/// @dev Tokens are numbered as they are listed. The first is the numeraire, which stands in for wrapped ether.
contract SandboxMarket is ISandboxPrices, Owned {
    using FixedPointMathLib for uint256;

    /* ERRORS */

    /// @notice Only for chains on which nothing is worth anything.
    error NoTestNetwork(uint256 chainId);
    /// @notice A faucet without a wait would have no bound.
    error NoWait(string symbol);
    /// @notice One answer for each feed, none 0.
    error WrongAnswers(uint256 expected, uint256 given);
    /// @notice No such token, or the numeraire where one of the others is meant.
    error UnfitNumber(uint256 number);

    /* EVENTS */

    event Listed(uint256 indexed number, address indexed token, address indexed feed, string symbol);
    event Opened(uint256 indexed number, address indexed pair);
    /// @notice All prices, in USD with 8 decimals, by number.
    event Posted(uint256 indexed round, uint64[] answers);

    /* STORAGE */

    struct Asset {
        SandboxToken token;
        uint8 decimals;
    }

    /// @notice What tokens and feeds are clones of.
    SandboxToken public immutable TOKEN;
    SandboxFeed public immutable FEED;
    IUniswapV2Factory public immutable FACTORY;

    Asset[] private _assets;
    /// @dev Four to a word: posting is what happens most.
    uint64[] private _answers;
    uint64 private _round;
    uint40 private _postedAt;

    /* CONSTRUCTOR */

    /// @param operator Who lists, posts and trades.
    /// @param factory Uniswap V2's.
    constructor(address operator, IUniswapV2Factory factory) Owned(operator) {
        require(TestChains.has(block.chainid), NoTestNetwork(block.chainid));
        (TOKEN, FEED, FACTORY) = (new SandboxToken(), new SandboxFeed(), factory);
    }

    /* OPERATOR */

    /// @notice Adds tokens with feeds. Their prices date from now, as do all others.
    function list(Listing[] calldata listings) external onlyOwner {
        for (uint256 i; i < listings.length; ++i) {
            Listing calldata one = listings[i];
            require(one.terms.wait != 0, NoWait(one.terms.symbol));
            require(one.price != 0, WrongAnswers(1, 0));
            uint256 number = _assets.length;
            address clone = LibClone.cloneDeterministic(address(TOKEN), abi.encode(one.terms), bytes32(number));
            address feed_ = LibClone.cloneDeterministic(address(FEED), abi.encode(number), bytes32(number));
            _assets.push(Asset(SandboxToken(clone), one.terms.decimals));
            _answers.push(one.price);
            if (one.given != 0) SandboxToken(clone).mint(owner(), one.given);
            if (one.stock != 0) SandboxToken(clone).mint(address(this), one.stock);
            if (one.locked != 0) SandboxToken(clone).mint(clone, one.locked);
            emit Listed(number, clone, feed_, one.terms.symbol);
        }
        _date();
    }

    /// @notice Opens pools out of the market's stock; the operator gets their shares.
    function open(Opening[] calldata openings) external onlyOwner {
        for (uint256 i; i < openings.length; ++i) {
            Opening calldata one = openings[i];
            SandboxToken token_ = _traded(one.number).token;
            address pair_ = FACTORY.getPair(address(token_), token(0));
            if (pair_ == address(0)) pair_ = FACTORY.createPair(address(token_), token(0));
            token_.transfer(pair_, one.amount);
            _assets[0].token.transfer(pair_, one.numeraire);
            IPoolShares(pair_).mint(owner());
            emit Opened(one.number, pair_);
        }
    }

    /// @notice Posts the prices of all tokens, by number: USD with 8 decimals.
    function post(uint64[] calldata answers) external onlyOwner {
        _post(answers);
    }

    /// @notice Posts all prices, and has the pools of these tokens follow.
    function postAndFollow(uint64[] calldata answers, uint256[] calldata numbers) external onlyOwner {
        _post(answers);
        _follow(numbers);
    }

    /// @notice Swaps in the pools of these tokens until their prices are those of the feeds.
    function follow(uint256[] calldata numbers) external onlyOwner {
        _follow(numbers);
    }

    /* FAUCETS */

    /// @notice Claims for `to` from every faucet that gives it something now.
    function claimAll(address to) external {
        for (uint256 i; i < _assets.length; ++i) {
            SandboxToken one = _assets[i].token;
            if (block.timestamp >= one.claimableFrom(to)) one.claim(to);
        }
    }

    /* VIEWS */

    /// @notice How many tokens are listed, the numeraire among them.
    function count() external view returns (uint256) {
        return _assets.length;
    }

    function token(uint256 number) public view returns (address) {
        return address(_asset(number).token);
    }

    function feed(uint256 number) external view returns (address) {
        _asset(number);
        return LibClone.predictDeterministicAddress(address(FEED), abi.encode(number), bytes32(number), address(this));
    }

    /// @notice The pool of a token and the numeraire; zero where there is none.
    function pair(uint256 number) public view returns (address) {
        return FACTORY.getPair(address(_traded(number).token), token(0));
    }

    /// @inheritdoc ISandboxPrices
    function symbol(uint256 number) external view returns (string memory) {
        return _asset(number).token.symbol();
    }

    /// @inheritdoc ISandboxPrices
    function latest(uint256 number) external view returns (uint80 round, int256 answer, uint256 postedAt) {
        _asset(number);
        return (_round, int256(uint256(_answers[number])), _postedAt);
    }

    /* INTERNAL */

    function _post(uint64[] calldata answers) private {
        uint256 n = _answers.length;
        require(answers.length == n, WrongAnswers(n, answers.length));
        for (uint256 i; i < n; ++i) {
            require(answers[i] != 0, WrongAnswers(n, i));
            _answers[i] = answers[i];
        }
        _date();
    }

    function _date() private {
        (_round, _postedAt) = (_round + 1, uint40(block.timestamp));
        emit Posted(_round, _answers);
    }

    function _follow(uint256[] calldata numbers) private {
        for (uint256 i; i < numbers.length; ++i) {
            _follow(numbers[i]);
        }
    }

    /// @dev With the stock, and with new tokens where that is too small.
    function _follow(uint256 number) private {
        (Asset memory one, Asset memory base) = (_traded(number), _assets[0]);
        address pool = pair(number);
        require(pool != address(0), UnfitNumber(number));
        bool ascends = one.token < base.token;
        (uint256 tokens, uint256 bases,) = IUniswapV2Pair(pool).getReserves();
        if (!ascends) (tokens, bases) = (bases, tokens);
        // {base wei / tok wei} = {USD / tok} * {base wei / base} / ({USD / base} * {tok wei / tok}), as n / d
        uint256 n = uint256(_answers[number]) * 10 ** base.decimals;
        uint256 d = uint256(_answers[0]) * 10 ** one.decimals;
        bool dear = bases * d > tokens * n;
        uint256 paid = dear ? _toward(tokens, bases, d, n) : _toward(bases, tokens, n, d);
        if (paid == 0) return;
        SandboxToken in_ = dear ? one.token : base.token;
        uint256 held = in_.balanceOf(address(this));
        if (held < paid) in_.mint(address(this), paid - held);
        in_.transfer(pool, paid);
        PairV2.swap(pool, paid, dear == ascends, address(this));
    }

    /// @dev The amount in after which `in / out = n / d` holds for the reserves, fee of 0.3 % included. With a and b
    /// the reserves of the side paid in and out, and x the amount in:
    ///     (a + x)(1000a + 997x) = 1000ab * n/d
    ///     x = (sqrt(9a^2 + 3988000ab * n/d) - 1997a) / 1994
    /// Down; 0 where it buys less than a wei.
    function _toward(uint256 a, uint256 b, uint256 n, uint256 d) private pure returns (uint256 paid) {
        uint256 root = (9 * a * a + (a * b).fullMulDiv(3_988_000 * n, d)).sqrt();
        if (root <= 1997 * a) return 0;
        paid = (root - 1997 * a) / 1994;
        if (paid * 997 * b < a * 1000 + paid * 997) return 0;
    }

    function _asset(uint256 number) private view returns (Asset memory) {
        require(number < _assets.length, UnfitNumber(number));
        return _assets[number];
    }

    /// @dev A token with a pool: any but the numeraire.
    function _traded(uint256 number) private view returns (Asset memory) {
        require(number != 0, UnfitNumber(number));
        return _asset(number);
    }
}
