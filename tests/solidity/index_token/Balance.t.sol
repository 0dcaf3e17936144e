// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Test} from "../Test.sol";
import {vm} from "../../../lab/fuzz/Vm.sol";

interface IBalance {
    function balance(address token, address account) external view returns (uint256);
    function tryBalance(address token, address account) external view returns (bool sound, uint256 amount);
}

/// @notice Answers to the one right question as it is told, with up to 96 bytes.
contract Answerer {
    error WrongCall();

    bytes32 private immutable CALL;
    bool private _fails;
    uint256 private _size;
    uint256 private _amount;

    constructor(address account) {
        CALL = keccak256(abi.encodeWithSignature("balanceOf(address)", account));
    }

    function set(bool fails, uint256 size, uint256 amount) external {
        (_fails, _size, _amount) = (fails, size, amount);
    }

    fallback() external {
        require(keccak256(msg.data) == CALL, WrongCall());
        (bool fails, uint256 size, uint256 amount) = (_fails, _size, _amount);
        assembly {
            // An answer of more than one word goes on with ones.
            mstore(0x80, amount)
            mstore(0xa0, not(0))
            mstore(0xc0, not(0))
            if fails { revert(0x80, size) }
            return(0x80, size)
        }
    }
}

contract BalanceTest is Test {
    address private constant ACCOUNT = 0xfEdcBA9876543210FedCBa9876543210fEdCBa98;
    /// @dev No byte of it is zero.
    uint256 private constant AMOUNT = 0x02030405060708090a0b0c0d0e0f1011121314;
    uint256 private constant WIDEST = type(uint160).max;

    IBalance private _balance;
    Answerer private _token;

    function setUp() external {
        _balance = IBalance(deploy("WordsHarness", ""));
        _token = new Answerer(ACCOUNT);
    }

    function _read() private view returns (uint256) {
        return _balance.balance(address(_token), ACCOUNT);
    }

    function _checkTried(bool sound, uint256 amount) private view {
        (bool foundSound, uint256 found) = _balance.tryBalance(address(_token), ACCOUNT);
        equal(foundSound, sound, "sound");
        equal(found, amount, "amount");
    }

    function _answer(uint256 size, uint256 amount) private {
        _token.set(false, size, amount);
    }

    /* READ */

    function test_it_reads_what_a_token_says() external {
        _answer(32, AMOUNT);
        equal(_read(), AMOUNT, "an amount");
        _answer(32, 0);
        equal(_read(), 0, "nothing");
        _answer(32, type(uint256).max);
        equal(_read(), type(uint256).max, "any number");
        _answer(96, AMOUNT);
        equal(_read(), AMOUNT, "the first word of more");
    }

    function test_it_refuses_an_answer_that_is_no_number() external {
        // It passes on what it was answered.
        _answer(31, AMOUNT << 96);
        vm.expectRevert(abi.encodePacked(bytes31(bytes32(AMOUNT << 96))));
        _read();
        _answer(0, 0);
        vm.expectRevert(bytes(""));
        _read();
    }

    function test_it_refuses_an_account_without_code() external {
        vm.expectRevert(bytes(""));
        _balance.balance(address(0xc0de), ACCOUNT);
    }

    function test_it_fails_as_the_token_does() external {
        _token.set(true, 36, AMOUNT);
        vm.expectRevert(abi.encodePacked(AMOUNT, bytes4(0xffffffff)));
        _read();
        _token.set(true, 96, AMOUNT);
        vm.expectRevert(abi.encodePacked(AMOUNT, type(uint256).max, type(uint256).max));
        _read();
        _token.set(true, 4, AMOUNT << 96);
        vm.expectRevert(abi.encodePacked(bytes4(bytes32(AMOUNT << 96))));
        _read();
    }

    /* TRY */

    function test_what_has_160_bits_is_sound() external {
        _answer(32, AMOUNT);
        _checkTried(true, AMOUNT);
        _answer(32, 1);
        _checkTried(true, 1);
        _answer(32, 0);
        _checkTried(true, 0);
        _answer(32, WIDEST);
        _checkTried(true, WIDEST);
        _answer(96, AMOUNT);
        _checkTried(true, AMOUNT);
    }

    function test_what_has_more_is_not() external {
        _answer(32, WIDEST + 1);
        _checkTried(false, 0);
        _answer(32, type(uint256).max);
        _checkTried(false, 0);
        _answer(32, 1 << 255);
        _checkTried(false, 0);
    }

    function test_a_short_answer_is_not_sound() external {
        _answer(31, 0);
        _checkTried(false, 0);
        _answer(31, AMOUNT);
        _checkTried(false, 0);
        _answer(0, AMOUNT);
        _checkTried(false, 0);
    }

    function test_a_token_that_fails_is_not_sound() external {
        _token.set(true, 32, AMOUNT);
        _checkTried(false, 0);
        _token.set(true, 0, AMOUNT);
        _checkTried(false, 0);
    }

    function test_an_account_without_code_is_not_sound() external view {
        (bool sound, uint256 amount) = _balance.tryBalance(address(0xc0de), ACCOUNT);
        equal(sound, false, "sound");
        equal(amount, 0, "amount");
    }

    function test_a_token_gets_60000_gas() external {
        // GAS PUSH0 MSTORE PUSH1 32 PUSH0 RETURN: what is left after its first instruction, which costs 2.
        vm.etch(address(_token), hex"5a5f5260205ff3");
        _checkTried(true, 60_000 - 2);
    }

    function test_a_token_that_burns_its_gas_is_not_sound() external {
        vm.etch(address(_token), hex"fe");
        _checkTried(false, 0);
    }
}
