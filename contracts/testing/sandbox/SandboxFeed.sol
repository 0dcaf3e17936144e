// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {LibClone} from "solady/src/utils/LibClone.sol";

import {IAggregatorV3} from "../../interfaces/external/IAggregatorV3.sol";

interface ISandboxPrices {
    function latest(uint256 number) external view returns (uint80 round, int256 answer, uint256 postedAt);
    function symbol(uint256 number) external view returns (string memory);
}

/// @title SandboxFeed
/// @notice A price feed of a test network, as Chainlink's feeds answer. The price stands in the market, so that one
/// transaction posts those of all feeds.
/// @dev A clone; the number of its token in the market stands behind its code.
contract SandboxFeed is IAggregatorV3 {
    /// @notice Rounds before the latest are not kept.
    error NoDataPresent(uint80 round);

    /// @notice Where the price stands.
    ISandboxPrices public immutable MARKET;

    /// @notice Decimals of the answer.
    uint8 public constant decimals = 8; // solhint-disable-line const-name-snakecase
    uint256 public constant version = 4; // solhint-disable-line const-name-snakecase

    constructor() {
        MARKET = ISandboxPrices(msg.sender);
    }

    /// @notice Number of the token in the market; 0 is the numeraire, which stands in for ether.
    function number() public view returns (uint256) {
        return abi.decode(LibClone.argsOnClone(address(this)), (uint256));
    }

    /// @notice What is priced, such as "tAAVE / USD".
    function description() external view returns (string memory) {
        uint256 n = number();
        return string.concat(n == 0 ? "ETH" : MARKET.symbol(n), " / USD");
    }

    /// @inheritdoc IAggregatorV3
    function latestRoundData()
        public
        view
        returns (uint80 roundId, int256 answer, uint256 startedAt, uint256 updatedAt, uint80 answeredInRound)
    {
        (roundId, answer, updatedAt) = MARKET.latest(number());
        (startedAt, answeredInRound) = (updatedAt, roundId);
    }

    /// @notice The latest round; earlier ones are not kept.
    function getRoundData(uint80 round)
        external
        view
        returns (uint80 roundId, int256 answer, uint256 startedAt, uint256 updatedAt, uint80 answeredInRound)
    {
        (roundId, answer, startedAt, updatedAt, answeredInRound) = latestRoundData();
        require(round == roundId, NoDataPresent(round));
    }
}
