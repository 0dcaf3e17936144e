// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Action, Month, Order, Phase, Progress, Reason} from "../../../contracts/interfaces/IRebalancer.sol";
import {Component} from "../../../contracts/libraries/ComponentList.sol";

/// @title StandInShares
/// @notice An index token as its upkeep and its fee recipient see it.
contract StandInShares {
    error TooFew();

    mapping(address account => uint256) public balanceOf;
    uint256 public totalSupply = 1e18;
    /// @notice How many transfers were made, of nothing too.
    uint256 public transfers;
    uint256 private _fee;
    Component[] private _components;

    function setBalance(address account, uint256 shares) external {
        balanceOf[account] = shares;
    }

    function setTotalSupply(uint256 shares) external {
        totalSupply = shares;
    }

    /// @notice What the next `collectFee` gives its caller.
    function setFee(uint256 shares) external {
        _fee = shares;
    }

    function addComponent(address token, uint8 decimals, bool writtenOff) external {
        _components.push(Component(token, decimals, 0, writtenOff));
    }

    function components() external view returns (Component[] memory) {
        return _components;
    }

    function collectFee() external returns (uint256 shares) {
        (shares, _fee) = (_fee, 0);
        balanceOf[msg.sender] += shares;
    }

    function transfer(address to, uint256 shares) external returns (bool) {
        require(balanceOf[msg.sender] >= shares, TooFew());
        ++transfers;
        balanceOf[msg.sender] -= shares;
        balanceOf[to] += shares;
        return true;
    }
}

/// @title StandInFund
/// @notice A rebalancer whose steps only count and burn gas.
contract StandInFund {
    address public immutable INDEX;
    address public immutable ORACLE;

    /// @notice How often determine, start, trade and close were called, by `Action`.
    mapping(Action action => uint256) public made;
    /// @notice Whether a month trades after the next step, and what is left of its surplus.
    bool public trading;
    uint24 private _period = 7;
    uint64 private _surplus = 0.9e18;
    uint64 private _sells;
    uint256 private _burns;
    Action private _action;
    address private _determination;

    constructor(address index, address oracle) {
        (INDEX, ORACLE) = (index, oracle);
    }

    /// @notice Every step burns so much gas, and a little more.
    function burn(uint256 gas) external {
        _burns = gas;
    }

    /// @notice A trade sells so much of NAV; whether the month goes on after it.
    function sell(uint64 share, bool goesOn) external {
        (_sells, trading) = (share, goesOn);
    }

    function setPeriod(uint24 period) external {
        _period = period;
    }

    function setDue(Action action) external {
        _action = action;
    }

    function setDetermination(address determination) external {
        _determination = determination;
    }

    function workable() external view returns (Action action, Reason reason, uint256 next) {
        return (_action, Reason.Due, 0);
    }

    function month() external view returns (Month memory) {
        return Month(Phase.Idle, _period, 0, 0, _determination);
    }

    /// @notice The one that has begun: one later than the last one determined.
    function currentPeriod() external view returns (uint256) {
        return _period + 1;
    }

    function progress() external view returns (Progress memory) {
        return Progress(0, 0, _surplus, 0);
    }

    function determine() external {
        _make(Action.Determine);
    }

    function start() external {
        _make(Action.Start);
    }

    function close() external {
        _make(Action.Close);
    }

    function trade(Order calldata) external {
        _surplus -= _sells;
        _make(Action.Trade);
    }

    /// @notice Takes all gas that it is given.
    function waste() external pure {
        assembly ("memory-safe") {
            invalid()
        }
    }

    function _make(Action action) private {
        ++made[action];
        if (_burns == 0) return;
        try this.waste{gas: _burns}() {} catch {}
    }
}
