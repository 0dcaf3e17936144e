// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {ChainlinkOracle, Feed} from "../../../contracts/oracles/ChainlinkOracle.sol";
import {Quote} from "../../../contracts/libraries/Sources.sol";
import {Answerer} from "../Answerer.sol";
import {svm, vm} from "../Vm.sol";

interface IAggregator {
    function decimals() external view returns (uint8);
    function latestRoundData() external view returns (uint80, int256, uint256, uint256, uint80);
}

/// @notice What the oracle makes of a feed's answer, against the same in plain Solidity.
contract OracleProofs {
    address private constant TOKEN = address(0x70cE4);
    uint32 private constant MAX_AGE = 1 days;

    Answerer private immutable _feed = new Answerer();
    ChainlinkOracle private immutable _oracle;

    constructor() {
        _feed.set(abi.encodeCall(IAggregator.decimals, ()), abi.encode(8), false);
        Feed[] memory feeds = new Feed[](1);
        feeds[0].token = TOKEN;
        feeds[0].feed = address(_feed);
        feeds[0].maxAge = MAX_AGE;
        feeds[0].quote = Quote.Usd;
        _oracle = new ChainlinkOracle(address(this), address(this), address(0), 0, feeds);
    }

    function check_answer(uint40 time, bool fails) external {
        vm.assume(time >= 8 days); // before that a date of almost 2**256 would be young
        vm.warp(time);
        uint8[4] memory sizes = [0, 159, 160, 192];
        for (uint256 i; i < sizes.length; ++i) {
            bytes memory answer = svm.createBytes(sizes[i], "answer");
            _feed.set(abi.encodeCall(IAggregator.latestRoundData, ()), answer, fails);
            uint256 wanted;
            if (!fails && sizes[i] >= 160) {
                (, int256 found,, uint256 date,) = abi.decode(answer, (uint256, int256, uint256, uint256, uint256));
                bool young = date <= time && time - date <= MAX_AGE;
                if (young && found > 0 && found <= 1e30) wanted = uint256(found) * 1e10;
                if (wanted > 1e30) wanted = 0;
            }
            assert(_oracle.price(TOKEN) == wanted);
        }
    }
}
