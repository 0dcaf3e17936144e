// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IFiller} from "../../../contracts/interfaces/IFiller.sol";
import {FuzzToken} from "./FuzzToken.sol";

/// @title FuzzFiller
/// @notice Pays what it was told to pay and keeps what it gets. On its way it makes calls that must all be refused.
contract FuzzFiller is IFiller {
    FuzzToken[] private _tokens;
    mapping(uint256 i => uint256) private _payments;

    struct Attempt {
        address target;
        bytes data;
    }

    Attempt[] private _attempts;
    /// @notice True once a call that must be refused was not.
    bool public breached;

    constructor(FuzzToken[] memory tokens) {
        _tokens = tokens;
    }

    /// @notice What it pays of each token.
    function order(uint256[5] calldata payments) external {
        for (uint256 i; i < 5; ++i) {
            _payments[i] = payments[i];
        }
    }

    /// @notice Adds a call to make during a fill, each time.
    function attempt(address target, bytes calldata data) external {
        _attempts.push(Attempt(target, data));
    }

    /// @notice Calls somebody: for what is tried outside a batch.
    function call(address target, bytes calldata data) external returns (bool succeeded) {
        (succeeded,) = target.call(data);
    }

    /// @inheritdoc IFiller
    /// @dev `data` of one byte: makes the attempts. Of two bytes: also sends back what it was sent of the first sell.
    function fill(
        address index,
        address[] calldata sells,
        uint256[] calldata amounts,
        address[] calldata,
        bytes calldata data
    ) external {
        for (uint256 i; i < 5; ++i) {
            uint256 payment = _payments[i];
            if (payment != 0) _tokens[i].deal(index, payment);
        }
        if (data.length == 0) return;
        for (uint256 k; k < _attempts.length; ++k) {
            (bool succeeded,) = _attempts[k].target.call(_attempts[k].data);
            if (succeeded) breached = true;
        }
        if (data.length == 2) FuzzToken(sells[0]).transfer(index, amounts[0] / 2);
    }
}
