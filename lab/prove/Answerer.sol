// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/// @notice A contract that answers one question with given bytes, or reverts with them. To any other question it reverts
/// with none, whatever it was to do.
contract Answerer {
    bytes private _question;
    bytes private _answer;
    bool private _fails;

    function set(bytes calldata question, bytes calldata answer, bool fails) external {
        (_question, _answer, _fails) = (question, answer, fails);
    }

    fallback() external {
        require(keccak256(msg.data) == keccak256(_question));
        bytes memory answer = _answer;
        bool fails = _fails;
        assembly ("memory-safe") {
            if fails { revert(add(answer, 32), mload(answer)) }
            return(add(answer, 32), mload(answer))
        }
    }
}
