// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IFiller} from "../../../contracts/interfaces/IFiller.sol";
import {Constituent} from "../../../contracts/interfaces/IMethodology.sol";
import {OpeningPlan} from "../../../contracts/interfaces/IOpener.sol";
import {Limits, Timetable} from "../../../contracts/interfaces/IRebalancer.sol";
import {FuzzToken} from "../../../lab/fuzz/parts/FuzzToken.sol";

/// @title FundStandIn
/// @notice What a batch sees of an index token: a list, a supply, a lock, and `settle`, whose calldata it keeps.
contract FundStandIn {
    error WrongLock();

    address public immutable REBALANCER;
    address public componentsPointer;
    uint256 public supply;
    uint256 public exponent;
    bool public locked;
    bytes public settled;

    constructor(address rebalancer) {
        REBALANCER = rebalancer;
    }

    function setList(address pointer) external {
        componentsPointer = pointer;
    }

    function setSupply(uint256 supply_, uint256 exponent_) external {
        (supply, exponent) = (supply_, exponent_);
    }

    function lock() public {
        require(!locked, WrongLock());
        locked = true;
    }

    function unlock() external {
        locked = false;
    }

    function lockForTrading() external returns (address, uint256, uint256) {
        lock();
        return (componentsPointer, supply, exponent);
    }

    function supplyAndExponent() external view returns (uint256, uint256) {
        return (supply, exponent);
    }

    function settle(address[] calldata tokens, uint256[] calldata amounts, address[] calldata recipients) external {
        require(locked, WrongLock());
        settled = msg.data;
        for (uint256 i; i < tokens.length; ++i) {
            if (amounts[i] != 0) FuzzToken(tokens[i]).transfer(recipients[i], amounts[i]);
        }
    }
}

/// @title OracleStandIn
/// @notice Prices of two kinds, for what is sold and for what is bought; or any answer at all. It takes the question
/// in its plain encoding only.
contract OracleStandIn {
    error Unreadable();

    mapping(address token => uint256) private _sold;
    mapping(address token => uint256) private _bought;
    bytes private _answer;
    bool private _answers;
    bool private _reverts;

    function post(address token, uint256 sold, uint256 bought) external {
        (_sold[token], _bought[token]) = (sold, bought);
    }

    /// @notice From now on it answers, or reverts with, these bytes.
    function answer(bytes calldata answer_, bool reverts) external {
        (_answer, _answers, _reverts) = (answer_, true, reverts);
    }

    function tradePrices(address[] calldata tokens, uint256 sold) external view returns (uint256[] memory values) {
        require(keccak256(msg.data) == keccak256(abi.encodeCall(this.tradePrices, (tokens, sold))), Unreadable());
        if (_answers) {
            bytes memory raw = _answer;
            bool reverts = _reverts;
            assembly ("memory-safe") {
                if reverts { revert(add(raw, 32), mload(raw)) }
                return(add(raw, 32), mload(raw))
            }
        }
        values = new uint256[](tokens.length);
        for (uint256 i; i < tokens.length; ++i) {
            values[i] = i < sold ? _sold[tokens[i]] : _bought[tokens[i]];
        }
    }
}

/// @title OpenerStandIn
/// @notice Opens a month with what it was given.
contract OpenerStandIn {
    OpeningPlan private _plan;

    function set(OpeningPlan calldata plan_) external {
        _plan = plan_;
    }

    function constituents(address, address, address, address, bool) external view returns (Constituent[] memory) {}

    function plan(address, address, address, address, uint256, uint256) external view returns (OpeningPlan memory) {
        return _plan;
    }
}

/// @title CalendarStandIn
/// @notice One period, whose id is 1, in which everything is due at once; any limits fit.
contract CalendarStandIn {
    uint256 private immutable _END = block.timestamp + 30 days;

    function change(Timetable calldata former, Timetable calldata, Timetable calldata wish, Limits calldata)
        external
        pure
        returns (Timetable memory, Timetable memory)
    {
        return (former, wish);
    }

    function check(Limits calldata, uint256, Timetable calldata, Timetable calldata) external view {}

    function current(Timetable calldata, Timetable calldata) external view returns (uint256) {
        return 1 | (_END << 24);
    }
}

/// @title FillerStandIn
/// @notice Keeps the calldata of its last fill and makes the calls that it was told to make.
contract FillerStandIn is IFiller {
    struct Call {
        address target;
        bytes data;
    }

    Call[] private _calls;
    bytes public filled;

    /// @notice Adds a call to make during a fill.
    function add(address target, bytes calldata data) external {
        _calls.push(Call(target, data));
    }

    function clear() external {
        delete _calls;
    }

    /// @inheritdoc IFiller
    function fill(address, address[] calldata, uint256[] calldata, address[] calldata, bytes calldata) external {
        filled = msg.data;
        for (uint256 k; k < _calls.length; ++k) {
            (bool done, bytes memory answer) = _calls[k].target.call(_calls[k].data);
            if (done) continue;
            assembly ("memory-safe") {
                revert(add(answer, 32), mload(answer))
            }
        }
    }
}
