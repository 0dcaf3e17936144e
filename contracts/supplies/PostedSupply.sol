// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Owned} from "../access/Owned.sol";
import {IMarketCap} from "../interfaces/IMarketCap.sol";
import {Constituent} from "../interfaces/IMethodology.sol";
import {IRebalancer, Month, Phase} from "../interfaces/IRebalancer.sol";
import {ISupplySource} from "../interfaces/ISupplySource.sol";
import {Determination} from "../libraries/Determination.sol";

/// @notice A supply as posted. @param wholeTokens Circulating supply. @param date Unix time it was true.
struct Posted {
    address token;
    uint88 wholeTokens;
    uint40 date;
}

/// @title PostedSupply
/// @notice Circulating supplies that the owner, a timelock, posts; and, within bounds, a poster.
///
/// POSTER. It brings the figures of each month up to date, and can do nothing else. It posts only while no month is
/// determined or trading: what it posts is read first by a determination, and that has a notice and a veto before it.
/// Each token once for each determination; never a token's first supply; and no further from the supply that the last
/// started month confirmed than the methodology's `maxSupplyJump`. The bound is held against what was confirmed, not
/// against the last post, so that posts of several months add nothing up that no start has confirmed.
///
/// A month that is determined but was not started counts until its period is over. One that is vetoed or void does not:
/// it can no longer start.
contract PostedSupply is ISupplySource, Owned {
    /* ERRORS */

    /// @notice Neither the owner nor the poster.
    error NotPoster(address caller);
    /// @notice A supply must be above zero and dated no later than now.
    error UnfitSupply(address token, uint256 wholeTokens, uint256 date);
    /// @notice A newer supply stands: an old post, executed late, must not replace it. One of the same date may be
    /// corrected.
    error OlderSupply(address token, uint256 date, uint256 newest);
    /// @notice The poster posts only while no month is determined or trading.
    error MonthOpen();
    /// @notice A token's first supply is the owner's to post.
    error FirstSupply(address token);
    /// @notice The poster has posted this token since the last determination.
    error PostedBefore(address token);
    /// @notice No started month has confirmed a supply of this token: there is nothing to hold the poster's against.
    error NothingConfirmed(address token);
    /// @notice Too far from the supply that the last started month confirmed. All in whole tokens.
    error SupplyOutOfBounds(address token, uint256 wholeTokens, uint256 least, uint256 most);

    /* EVENTS */

    event SupplyPosted(address indexed token, uint256 wholeTokens, uint256 date, address indexed by);
    event PosterSet(address poster);

    /* STORAGE */

    uint256 private constant ONE = 1e18;

    IRebalancer public immutable REBALANCER;

    /// @notice Who may post beside the owner; zero: nobody.
    address public poster;

    /// @dev In a word, as it is read for every candidate: supply (88 bits, high), time of the determination after which
    /// the poster posted last (40, from bit 40), date (40, low).
    mapping(address token => uint256) private _posted;

    /* CONSTRUCTOR */

    /// @param owner The timelock. @param rebalancer Its address, where it is still to be deployed.
    /// @param poster_ See `setPoster`. @param list The first supplies.
    constructor(address owner, IRebalancer rebalancer, address poster_, Posted[] memory list) Owned(owner) {
        REBALANCER = rebalancer;
        _setPoster(poster_);
        for (uint256 i; i < list.length; ++i) {
            _post(list[i], 0);
        }
    }

    /* VIEWS */

    /// @inheritdoc ISupplySource
    function supply(address token) external view returns (uint256 wholeTokens, uint256 date) {
        uint256 word = _posted[token];
        return (word >> 168, uint40(word));
    }

    /* OWNER AND POSTER */

    /// @notice Posts supplies: the owner any, the poster within its bounds.
    function post(Posted[] calldata list) external {
        if (msg.sender == owner()) {
            for (uint256 i; i < list.length; ++i) {
                _post(list[i], _postedAfter(list[i].token));
            }
            return;
        }
        require(msg.sender == poster, NotPoster(msg.sender));
        Month memory month = REBALANCER.month();
        require(!_open(month), MonthOpen());
        // As in a determination: an idle month was started, so that what it confirmed counts. Any other never was.
        Constituent[] memory last = Determination.previous(month.determination, month.phase == Phase.Idle);
        uint256 maxJump = IMarketCap(address(REBALANCER.methodology())).rule().maxSupplyJump;
        for (uint256 i; i < list.length; ++i) {
            address token = list[i].token;
            require(_posted[token] != 0, FirstSupply(token));
            uint256 confirmed = _confirmed(last, token);
            require(confirmed != 0, NothingConfirmed(token));
            require(_postedAfter(token) != month.determinedAt, PostedBefore(token));
            _requireWithin(list[i], confirmed, maxJump);
            _post(list[i], month.determinedAt);
        }
    }

    /* OWNER */

    /// @notice Names another poster; zero: nobody.
    function setPoster(address poster_) external onlyOwner {
        _setPoster(poster_);
    }

    /* INTERNAL */

    /// @dev Whether a month is determined or trading.
    function _open(Month memory month) private view returns (bool) {
        if (month.phase == Phase.Trading) return true;
        return month.phase == Phase.Determined && month.period == REBALANCER.currentPeriod();
    }

    /// @dev What the last started month confirmed of a token; 0: nothing.
    function _confirmed(Constituent[] memory last, address token) private pure returns (uint256) {
        for (uint256 i; i < last.length; ++i) {
            if (last[i].token == token) return last[i].basis;
        }
        return 0;
    }

    /// @dev The bound of `Circulating.judge`, where what lies beyond it is clamped.
    function _requireWithin(Posted calldata p, uint256 confirmed, uint256 maxJump) private pure {
        // {whole tok} = {whole tok} * {1e18} / {1e18}, down
        uint256 bound = confirmed * maxJump / ONE;
        uint256 least = confirmed > bound ? confirmed - bound : 0;
        uint256 most = confirmed + bound;
        bool within = p.wholeTokens >= least && p.wholeTokens <= most;
        require(within, SupplyOutOfBounds(p.token, p.wholeTokens, least, most));
    }

    /// @dev When the determination was made after which the poster posted this token last; 0: it never did.
    function _postedAfter(address token) private view returns (uint256) {
        return uint40(_posted[token] >> 40);
    }

    function _post(Posted memory p, uint256 postedAfter) private {
        require(
            p.token != address(0) && p.wholeTokens != 0 && p.date <= block.timestamp,
            UnfitSupply(p.token, p.wholeTokens, p.date)
        );
        uint256 newest = uint40(_posted[p.token]);
        require(p.date >= newest, OlderSupply(p.token, p.date, newest));
        _posted[p.token] = (uint256(p.wholeTokens) << 168) | (postedAfter << 40) | p.date;
        emit SupplyPosted(p.token, p.wholeTokens, p.date, msg.sender);
    }

    function _setPoster(address poster_) private {
        poster = poster_;
        emit PosterSet(poster_);
    }
}
