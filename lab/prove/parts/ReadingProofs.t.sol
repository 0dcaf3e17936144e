// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {ISupplySource} from "../../../contracts/interfaces/ISupplySource.sol";
import {Balance} from "../../../contracts/libraries/Balance.sol";
import {Circulating} from "../../../contracts/libraries/Circulating.sol";
import {Lists} from "../../../contracts/libraries/Lists.sol";
import {PairV2} from "../../../contracts/libraries/PairV2.sol";
import {Words} from "../../../contracts/libraries/Words.sol";
import {Answerer} from "../Answerer.sol";
import {svm, vm} from "../Vm.sol";

interface IAsked {
    function balanceOf(address account) external view returns (uint256);
    function swap(uint256 out0, uint256 out1, address to, bytes calldata data) external;
    function one(uint256[] calldata list) external view returns (uint256[] memory);
    function four(uint256[] calldata a, uint256[] calldata b, uint256[] calldata c, uint256[] calldata d)
        external
        view
        returns (uint256[] memory);
}

/// @notice Assembly that asks another contract, and that reads lists, against the same in plain Solidity.
contract ReadingProofs {
    using Words for address[];
    using Words for uint256[];

    Answerer private immutable _other = new Answerer();

    /* BALANCES */

    function check_balanceRead(address account, bool fails) external {
        uint8[4] memory sizes = [0, 31, 32, 68];
        for (uint256 i; i < sizes.length; ++i) {
            bytes memory answer = svm.createBytes(sizes[i], "answer");
            bytes memory question = abi.encodeCall(IAsked.balanceOf, (account));
            _other.set(question, answer, fails);
            (bool read, bytes memory got) = address(this).call(abi.encodeCall(this.readBalance, (account)));
            assert(read == (!fails && sizes[i] >= 32));
            if (read) assert(abi.decode(got, (uint256)) == _first(answer));
            else assert(keccak256(got) == keccak256(answer)); // what it answered is what comes of it
        }
    }

    function readBalance(address account) external view returns (uint256) {
        return Balance.read(address(_other), account);
    }

    function check_balanceTryRead(address account, bool fails) external {
        uint8[4] memory sizes = [0, 31, 32, 68];
        for (uint256 i; i < sizes.length; ++i) {
            bytes memory answer = svm.createBytes(sizes[i], "answer");
            _other.set(abi.encodeCall(IAsked.balanceOf, (account)), answer, fails);
            (bool sound, uint256 amount) = Balance.tryRead(address(_other), account);
            bool fits = !fails && sizes[i] >= 32 && _first(answer) < 1 << 160;
            assert(sound == fits && amount == (fits ? _first(answer) : 0));
        }
    }

    /* SUPPLIES */

    function check_supplyAsk(address token, bool fails, uint64 time) external {
        vm.warp(time);
        uint8[4] memory sizes = [0, 63, 64, 96];
        for (uint256 i; i < sizes.length; ++i) {
            bytes memory answer = svm.createBytes(sizes[i], "answer");
            _other.set(abi.encodeCall(ISupplySource.supply, (token)), answer, fails);
            (uint256 supply, uint256 date) = Circulating.ask(token, address(_other));
            (uint256 wantedSupply, uint256 wantedDate) = (0, 0);
            if (!fails && sizes[i] >= 64) (wantedSupply, wantedDate) = abi.decode(answer, (uint256, uint256));
            if (wantedSupply > type(uint88).max || wantedDate > time) (wantedSupply, wantedDate) = (0, 0);
            assert(supply == wantedSupply && date == wantedDate);
        }
    }

    /* POOLS */

    function check_pairTake(uint256 out, bool forward, address to, bool fails) external {
        bytes memory answer = svm.createBytes(36, "answer");
        (uint256 out0, uint256 out1) = forward ? (uint256(0), out) : (out, 0);
        _other.set(abi.encodeCall(IAsked.swap, (out0, out1, to, "")), answer, fails);
        (bool done, bytes memory got) = address(this).call(abi.encodeCall(this.take, (out, forward, to)));
        assert(done == !fails);
        if (fails) assert(keccak256(got) == keccak256(answer));
    }

    function take(uint256 out, bool forward, address to) external {
        PairV2.take(address(_other), out, forward, to);
    }

    /* LISTS SENT AND RECEIVED */

    function check_askOne(bool fails) external {
        for (uint256 n; n <= 2; ++n) {
            uint256[] memory list = _any(n);
            _answers(abi.encodeCall(IAsked.one, (list)), abi.encodeCall(this.askOne, (list)), fails, 32 * n);
        }
    }

    function check_askFour(bool fails) external {
        (uint256[] memory a, uint256[] memory b, uint256[] memory c) = (_any(2), _any(0), _any(1));
        _answers(abi.encodeCall(IAsked.four, (a, b, c, a)), abi.encodeCall(this.askFour, (a, b, c, a)), fails, 40);
    }

    function askOne(uint256[] calldata list) external view returns (uint256[] memory) {
        return _concrete(Lists.ask(address(_other), IAsked.one.selector, list));
    }

    function askFour(uint256[] calldata a, uint256[] calldata b, uint256[] calldata c, uint256[] calldata d)
        external
        view
        returns (uint256[] memory)
    {
        return _concrete(Lists.ask(address(_other), IAsked.four.selector, a, b, c, d));
    }

    /// @dev The same list, with a length that is a number in each case; none has more than four.
    function _concrete(uint256[] memory list) private pure returns (uint256[] memory same) {
        for (uint256 n; n <= 4; ++n) {
            if (list.length != n) continue;
            same = new uint256[](n);
            for (uint256 i; i < n; ++i) {
                same[i] = list[i];
            }
            return same;
        }
        assert(false);
    }

    /// @dev An answer of any bytes, `beyond` after offset and length; what the call makes of it against what it says.
    function _answers(bytes memory question, bytes memory call_, bool fails, uint256 beyond) private {
        bytes memory answer = svm.createBytes(64 + beyond, "answer");
        _other.set(question, answer, fails);
        (bool done, bytes memory got) = address(this).call(call_);
        if (fails) {
            assert(!done && keccak256(got) == keccak256(answer));
            return;
        }
        (uint256 offset, uint256 length) = abi.decode(answer, (uint256, uint256));
        bool fits = offset == 32 && length <= beyond / 32;
        assert(done == fits);
        if (!fits) {
            assert(keccak256(got) == keccak256(abi.encodeWithSelector(Lists.NoList.selector, _other)));
            return;
        }
        for (uint256 n; n <= beyond / 32; ++n) {
            if (length == n) assert(keccak256(got) == keccak256(_cut(answer, 64 + 32 * n)));
        }
    }

    /* LISTS AS CODE AND IN CALLDATA */

    function check_wordsRead() external {
        for (uint256 n; n <= 3; ++n) {
            uint256[] memory words = _any(n);
            uint256[] memory read = Words.read(Words.write(words));
            uint256[] memory after_ = _any(1); // takes memory of its own
            assert(read.length == n && after_.length == 1);
            for (uint256 i; i < n; ++i) {
                assert(read[i] == words[i]);
            }
        }
        assert(Words.read(address(0)).length == 0);
    }

    function check_givenWord() external view {
        for (uint256 n = 1; n <= 4; ++n) {
            uint256[] memory words = _any(n);
            for (uint256 i; i < n; ++i) {
                assert(this.givenWord(words, i) == words[i]);
            }
        }
    }

    function givenWord(uint256[] calldata words, uint256 i) external pure returns (uint256 word) {
        word = words.given(i);
        assert(word == words[i]);
    }

    function check_givenAccount() external {
        for (uint256 n = 1; n <= 4; ++n) {
            uint256[] memory words = _any(n); // with anything above their 160 bits
            for (uint256 i; i < n; ++i) {
                (bool done, bytes memory got) =
                    address(this).call(abi.encodeWithSelector(this.givenAccount.selector, words, i));
                assert(done && abi.decode(got, (uint256)) == uint256(uint160(words[i])));
            }
        }
    }

    function givenAccount(address[] calldata accounts, uint256 i) external pure returns (address) {
        return accounts.given(i);
    }

    /* INTERNAL */

    function _any(uint256 n) private pure returns (uint256[] memory list) {
        list = new uint256[](n);
        for (uint256 i; i < n; ++i) {
            list[i] = svm.createUint256("word");
        }
    }

    function _first(bytes memory answer) private pure returns (uint256) {
        return answer.length < 32 ? 0 : uint256(bytes32(answer));
    }

    function _cut(bytes memory data, uint256 size) private pure returns (bytes memory part) {
        part = new bytes(size);
        for (uint256 i; i < size; ++i) {
            part[i] = data[i];
        }
    }
}
