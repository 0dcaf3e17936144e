// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Owned} from "../access/Owned.sol";
import {ISupplySource} from "../interfaces/ISupplySource.sol";

/// @notice A supply as posted. @param wholeTokens Circulating supply. @param date Unix time it was true.
struct Posted {
    address token;
    uint88 wholeTokens;
    uint40 date;
}

/// @title PostedSupply
/// @notice Circulating supplies that the owner, a timelock, posts.
contract PostedSupply is ISupplySource, Owned {
    /// @notice A supply must be above zero and dated no later than now.
    error UnfitSupply(address token, uint256 wholeTokens, uint256 date);
    /// @notice A newer supply stands: an old post, executed late, must not replace it. One of the same date may be
    /// corrected.
    error OlderSupply(address token, uint256 date, uint256 newest);

    event SupplyPosted(address indexed token, uint256 wholeTokens, uint256 date);

    /// @dev Date (high) and supply (88 bits, low) as a word: it is read for every candidate.
    mapping(address token => uint256) private _posted;

    /// @param owner The timelock. @param list The first supplies.
    constructor(address owner, Posted[] memory list) Owned(owner) {
        _post(list);
    }

    /// @inheritdoc ISupplySource
    function supply(address token) external view returns (uint256 wholeTokens, uint256 date) {
        uint256 word = _posted[token];
        return (uint88(word), word >> 88);
    }

    /// @notice Posts supplies.
    function post(Posted[] calldata list) external onlyOwner {
        _post(list);
    }

    function _post(Posted[] memory list) private {
        for (uint256 i; i < list.length; ++i) {
            Posted memory p = list[i];
            require(
                p.token != address(0) && p.wholeTokens != 0 && p.date <= block.timestamp,
                UnfitSupply(p.token, p.wholeTokens, p.date)
            );
            uint256 newest = _posted[p.token] >> 88;
            require(p.date >= newest, OlderSupply(p.token, p.date, newest));
            _posted[p.token] = (uint256(p.date) << 88) | p.wholeTokens;
            emit SupplyPosted(p.token, p.wholeTokens, p.date);
        }
    }
}
