// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {FixedWeightHandler} from "./FixedWeightFund.sol";
import {Handler} from "./Handler.sol";
import {MarketCapHandler} from "./MarketCapFund.sol";

/// @dev What forge asks a test for.
struct FuzzSelector {
    address addr;
    bytes4[] selectors;
}

/// @notice Runs random sequences of a handler's functions. The invariants are held after each call, inside the handler;
/// what must be possible at the end of a sequence is tried at the end of each.
abstract contract Invariants {
    Handler internal handler;

    function targetContracts() external view returns (address[] memory list) {
        list = new address[](1);
        list[0] = address(handler);
    }

    function targetSelectors() external view returns (FuzzSelector[] memory list) {
        list = new FuzzSelector[](1);
        list[0] = FuzzSelector(address(handler), handler.handlers());
    }

    function invariant_fund() external view {
        require(handler.index().totalSupply() >= 0.1e18, "supply above the locked seed");
    }

    function afterInvariant() external {
        handler.finish();
    }
}

contract FixedWeightInvariants is Invariants {
    function setUp() external {
        handler = new FixedWeightHandler();
    }
}

contract MarketCapInvariants is Invariants {
    function setUp() external {
        handler = new MarketCapHandler();
    }
}
