// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/// @title ReferenceFeed
/// @notice Stands in for a Chainlink price feed **on a local chain only**: its code is placed at the real feed's
/// address, and anybody may post an answer. It has no constructor, because code placed that way never runs one.
/// Nothing in this folder is meant for a public network.
contract ReferenceFeed {
    /// @notice What the feed prices, e.g. "AAVE / USD".
    string public description;
    /// @notice Decimals of the answer.
    uint8 public decimals;

    uint80 private _round;
    mapping(uint80 round => Answer) private _answers;

    struct Answer {
        int256 answer;
        uint256 updatedAt;
    }

    error NoDataPresent(uint80 round);

    /// @notice Same event as Chainlink's aggregators.
    event AnswerUpdated(int256 indexed current, uint256 indexed roundId, uint256 updatedAt);

    /// @notice Names the feed. Open, and may be called again: the chain is a local one.
    function init(string calldata description_, uint8 decimals_) external {
        description = description_;
        decimals = decimals_;
    }

    /// @notice Opens a new round.
    /// @param answer The price in `decimals` decimals; any value, so that bad answers can be tested too.
    /// @param updatedAt Unix time in seconds the answer claims to be from; any value, for the same reason.
    function post(int256 answer, uint256 updatedAt) external {
        uint80 round = ++_round;
        _answers[round] = Answer(answer, updatedAt);
        emit AnswerUpdated(answer, round, updatedAt);
    }

    function latestRoundData()
        external
        view
        returns (uint80 roundId, int256 answer, uint256 startedAt, uint256 updatedAt, uint80 answeredInRound)
    {
        return getRoundData(_round);
    }

    function getRoundData(uint80 round)
        public
        view
        returns (uint80 roundId, int256 answer, uint256 startedAt, uint256 updatedAt, uint80 answeredInRound)
    {
        if (round == 0 || round > _round) revert NoDataPresent(round);
        Answer memory posted = _answers[round];
        return (round, posted.answer, posted.updatedAt, posted.updatedAt, round);
    }

    function latestAnswer() external view returns (int256) {
        return _answers[_round].answer;
    }

    function version() external pure returns (uint256) {
        return 4;
    }
}
