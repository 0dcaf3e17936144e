// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {vm} from "../../../lab/fuzz/Vm.sol";
import {Test} from "../Test.sol";
import {StandInShares} from "./StandIns.sol";

interface IFeeSplit {
    error ZeroAddress();
    error PartOutOfBounds(uint256 part);

    event Split(uint256 toUpkeep, uint256 toRecipient);

    function INDEX() external view returns (address);
    function UPKEEP() external view returns (address);
    function RECIPIENT() external view returns (address);
    function PART() external view returns (uint256);
    function split() external returns (uint256 toUpkeep, uint256 toRecipient);
}

contract FeeSplitTest is Test {
    address private constant UPKEEP = address(0xa);
    address private constant RECIPIENT = address(0xb);

    StandInShares private _index;

    function setUp() external {
        _index = new StandInShares();
    }

    function _make(address index, address upkeep, address recipient, uint256 part) private returns (IFeeSplit) {
        return IFeeSplit(deploy("FeeSplit", abi.encode(index, upkeep, recipient, part)));
    }

    /// @dev For `try`: a failed deployment reverts with its reason only as a call.
    function make(address index, address upkeep, address recipient, uint256 part) external {
        _make(index, upkeep, recipient, part);
    }

    function _refuses(address index, address upkeep, address recipient, uint256 part, bytes memory reason) private {
        try this.make(index, upkeep, recipient, part) {
            revert("made");
        } catch (bytes memory found) {
            equal(found, reason, "reason");
        }
    }

    function test_none_of_the_addresses_is_zero() external {
        bytes memory reason = abi.encodeWithSelector(IFeeSplit.ZeroAddress.selector);
        _refuses(address(0), UPKEEP, RECIPIENT, 1, reason);
        _refuses(address(_index), address(0), RECIPIENT, 1, reason);
        _refuses(address(_index), UPKEEP, address(0), 1, reason);
        _make(address(1), address(1), address(1), 1);
    }

    function test_bounds_of_the_part() external {
        _refuses(address(_index), UPKEEP, RECIPIENT, 0, abi.encodeWithSelector(IFeeSplit.PartOutOfBounds.selector, 0));
        _refuses(
            address(_index),
            UPKEEP,
            RECIPIENT,
            1e18 + 1,
            abi.encodeWithSelector(IFeeSplit.PartOutOfBounds.selector, 1e18 + 1)
        );
        _make(address(_index), UPKEEP, RECIPIENT, 1);
        IFeeSplit split = _make(address(_index), UPKEEP, RECIPIENT, 1e18);
        equal(split.PART(), 1e18, "part");
        equal(split.INDEX(), address(_index), "index");
        equal(split.UPKEEP(), UPKEEP, "upkeep");
        equal(split.RECIPIENT(), RECIPIENT, "recipient");
    }

    function _splits(IFeeSplit split, uint256 toUpkeep, uint256 toRecipient) private {
        vm.expectEmit(false, false, false, true, address(split));
        emit IFeeSplit.Split(toUpkeep, toRecipient);
        (uint256 a, uint256 b) = split.split();
        equal(a, toUpkeep, "to the upkeep");
        equal(b, toRecipient, "to the recipient");
    }

    /// @dev What was here before, and the fee that is collected: a third of it, rounded down.
    function test_divides_all_that_is_here() external {
        IFeeSplit split = _make(address(_index), UPKEEP, RECIPIENT, uint256(1e18) / 3);
        _index.setBalance(address(split), 60);
        _index.setFee(41);
        _splits(split, 33, 68);
        equal(_index.balanceOf(UPKEEP), 33, "the upkeep's");
        equal(_index.balanceOf(RECIPIENT), 68, "the recipient's");
        equal(_index.balanceOf(address(split)), 0, "left");
        _splits(split, 0, 0);
    }

    function test_many_shares() external {
        IFeeSplit split = _make(address(_index), UPKEEP, RECIPIENT, 0.5e18);
        _index.setBalance(address(split), 1e40);
        _splits(split, 0.5e40, 0.5e40);
    }
}
