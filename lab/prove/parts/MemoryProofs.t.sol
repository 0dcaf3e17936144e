// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IFiller} from "../../../contracts/interfaces/IFiller.sol";
import {IIndexToken} from "../../../contracts/interfaces/IIndexToken.sol";
import {IOracle} from "../../../contracts/interfaces/IOracle.sol";
import {IRebalancer, Side} from "../../../contracts/interfaces/IRebalancer.sol";
import {BatchCalls} from "../../../contracts/libraries/BatchCalls.sol";
import {Sources} from "../../../contracts/libraries/Sources.sol";
import {Targets} from "../../../contracts/libraries/Targets.sol";
import {Answerer} from "../Answerer.sol";
import {svm, vm} from "../Vm.sol";

/// @dev Keeps the arguments of the last call, as Solidity reads them.
contract Keeper {
    bytes32 public kept;
    bytes private _refusal;

    function refuse(bytes calldata refusal) external {
        _refusal = refusal;
    }

    function settle(address[] calldata tokens, uint256[] calldata amounts, address[] calldata recipients) external {
        _keep(abi.encode(tokens, amounts, recipients));
    }

    function fill(
        address index,
        address[] calldata sells,
        uint256[] calldata amounts,
        address[] calldata buys,
        bytes calldata data
    ) external {
        _keep(abi.encode(index, sells, amounts, buys, data));
    }

    function _keep(bytes memory arguments) private {
        bytes memory refusal = _refusal;
        if (refusal.length != 0) {
            assembly ("memory-safe") {
                revert(add(refusal, 32), mload(refusal))
            }
        }
        kept = keccak256(arguments);
    }
}

/// @dev The lists of a batch's calls.
struct Lists {
    address[] sells;
    address[] recipients;
    uint256[] amounts;
    address[] buys;
}

/// @notice Assembly that lays words out in memory, and the calls made of them, against the same in plain Solidity.
contract MemoryProofs {
    using BatchCalls for uint256;
    using BatchCalls for IOracle;
    using Targets for bytes;

    Keeper private immutable _index = new Keeper();
    Keeper private immutable _filler = new Keeper();
    Answerer private immutable _oracle = new Answerer();

    /* A BATCH'S CALLS */

    function check_settleSends(bool refused) external {
        for (uint256 n = 1; n <= 3; ++n) {
            for (uint256 m = 1; m <= 2; ++m) {
                _settles(n, m, refused);
            }
        }
    }

    function check_fillSends(bool refused) external {
        uint8[4] memory sizes = [0, 5, 32, 33];
        for (uint256 i; i < sizes.length; ++i) {
            for (uint256 m = 1; m <= 2; ++m) {
                _fills(2, m, svm.createBytes(sizes[i], "data"), refused);
            }
        }
    }

    function check_fillNeedsCode(uint256 word) external {
        try this.fillNobody(word) {
            assert(false);
        } catch {}
    }

    function fillNobody(uint256 word) external {
        (uint256 calls, uint256[] memory sells,,,) = BatchCalls.newCalls(address(_index), 1, 1, msg.data[:0]);
        sells[0] = word;
        calls.fill(IFiller(address(0xc0de)));
    }

    function settleAs(uint256[] calldata words, uint256 n, uint256 m, bytes calldata data) external returns (bool) {
        (uint256 calls, bytes32 wanted,) = _calls(words, n, m, data);
        calls.settle(address(_index));
        return _index.kept() == wanted;
    }

    function fillAs(uint256[] calldata words, uint256 n, uint256 m, bytes calldata data) external returns (bool) {
        (uint256 calls,, bytes32 wanted) = _calls(words, n, m, data);
        calls.fill(IFiller(address(_filler)));
        return _filler.kept() == wanted;
    }

    function _settles(uint256 n, uint256 m, bool refused) private {
        bytes memory refusal = svm.createBytes(5, "refusal");
        if (refused) _index.refuse(refusal);
        bytes memory call_ = abi.encodeCall(this.settleAs, (_any(3 * n + m), n, m, bytes("abc")));
        _is(call_, refused, refusal);
    }

    function _fills(uint256 n, uint256 m, bytes memory data, bool refused) private {
        bytes memory refusal = svm.createBytes(5, "refusal");
        if (refused) _filler.refuse(refusal);
        _is(abi.encodeCall(this.fillAs, (_any(3 * n + m), n, m, data)), refused, refusal);
    }

    function _is(bytes memory call_, bool refused, bytes memory refusal) private {
        (bool done, bytes memory got) = address(this).call(call_);
        assert(done == !refused);
        if (refused) assert(keccak256(got) == keccak256(refusal));
        else assert(abi.decode(got, (bool)));
    }

    /// @dev Fills in the lists of new calls; what Solidity would encode of the same.
    function _calls(uint256[] calldata words, uint256 n, uint256 m, bytes calldata data)
        private
        view
        returns (uint256 calls, bytes32 settling, bytes32 filling)
    {
        Lists memory l = Lists(new address[](n), new address[](n), new uint256[](n), new address[](m));
        for (uint256 i; i < n; ++i) {
            l.sells[i] = address(uint160(words[i]));
            l.recipients[i] = address(uint160(words[n + i]));
            l.amounts[i] = words[2 * n + i];
        }
        for (uint256 i; i < m; ++i) {
            l.buys[i] = address(uint160(words[3 * n + i]));
        }
        settling = keccak256(abi.encode(l.sells, l.amounts, l.recipients));
        filling = keccak256(abi.encode(address(_index), l.sells, l.amounts, l.buys, data));
        calls = _lay(l, data);
    }

    function _lay(Lists memory l, bytes calldata data) private view returns (uint256 calls) {
        uint256[] memory sells;
        uint256[] memory amounts;
        uint256[] memory recipients;
        uint256[] memory buys;
        _dirty();
        (calls, sells, amounts, recipients, buys) =
            BatchCalls.newCalls(address(_index), l.sells.length, l.buys.length, data);
        uint256[] memory other = new uint256[](1); // takes memory of its own
        other[0] = type(uint256).max;
        for (uint256 i; i < sells.length; ++i) {
            (sells[i], amounts[i], recipients[i]) = (uint160(l.sells[i]), l.amounts[i], uint160(l.recipients[i]));
        }
        for (uint256 i; i < buys.length; ++i) {
            buys[i] = uint160(l.buys[i]);
        }
    }

    /* PRICES */

    function check_newTokens() external pure {
        for (uint256 n; n <= 4; ++n) {
            uint256[] memory words = _any(n); // before: a call takes memory too, and would hide an overlap
            uint256[] memory tokens = BatchCalls.newTokens(n);
            assert(tokens.length == n);
            for (uint256 i; i < n; ++i) {
                tokens[i] = words[i];
            }
            uint256[] memory other = new uint256[](2); // takes memory of its own
            (other[0], other[1]) = (1, 2);
            assert(tokens.length == n);
            for (uint256 i; i < n; ++i) {
                assert(tokens[i] == words[i]);
            }
        }
    }

    function check_pricesOf(uint256 sold, bool fails) external {
        _asks(_accounts(1), sold, svm.createBytes(95, "answer"), fails);
        _asks(_accounts(1), sold, svm.createBytes(96, "answer"), fails);
        _asks(_accounts(2), sold, svm.createBytes(160, "answer"), fails);
    }

    function _asks(uint256[] memory tokens, uint256 sold, bytes memory answer, bool fails) private {
        uint256 n = tokens.length;
        _oracle.set(abi.encodeWithSelector(IOracle.tradePrices.selector, tokens, sold), answer, fails);
        (bool done, bytes memory got) = address(this).call(abi.encodeCall(this.pricesOf, (tokens, sold)));
        if (fails) {
            assert(!done && keccak256(got) == keccak256(answer));
            return;
        }
        bool fits;
        if (answer.length >= 64 + 32 * n) {
            (uint256 offset, uint256 length) = abi.decode(answer, (uint256, uint256));
            fits = offset == 32 && length == n;
        }
        assert(done == fits);
        if (!fits) {
            assert(keccak256(got) == keccak256(abi.encodeWithSelector(IRebalancer.NoPrice.selector, address(0))));
        } else {
            for (uint256 i; i < n; ++i) {
                assert(_wordAt(got, 64 + 32 * i) == _wordAt(answer, 64 + 32 * i));
            }
        }
    }

    function pricesOf(uint256[] calldata given, uint256 sold) external view returns (uint256[] memory values) {
        uint256[] memory tokens = BatchCalls.newTokens(given.length);
        for (uint256 i; i < given.length; ++i) {
            tokens[i] = given[i];
        }
        uint256[] memory found = IOracle(address(_oracle)).pricesOf(tokens, sold);
        uint256[] memory other = new uint256[](3); // takes memory of its own
        other[0] = 1;
        require(found.length == given.length);
        values = new uint256[](given.length);
        for (uint256 i; i < given.length; ++i) {
            values[i] = found[i];
        }
    }

    /* TARGETS */

    function check_putNarrow(uint8 side, uint120 unit, uint128 price, uint120 other, uint8 steps) external pure {
        _puts(side, unit, price, other, steps, 1, 5);
    }

    function check_putMiddle(uint8 side, uint120 unit, uint128 price, uint120 other, uint8 steps) external pure {
        _puts(side, unit, price, other, steps, 6, 10);
    }

    function check_putWide(uint8 side, uint120 unit, uint128 price, uint120 other, uint8 steps) external pure {
        _puts(side, unit, price, other, steps, 11, 15);
    }

    /// @dev Two targets, for each width of a unit in bytes, against a list written byte by byte.
    /// @param steps Of 4 bits, by which the price is to be shortened; whatever they are, they are the least that do.
    function _puts(uint8 side, uint120 unit, uint128 price, uint120 other, uint256 steps, uint256 from, uint256 to)
        private
        pure
    {
        vm.assume(side <= uint8(type(Side).max));
        vm.assume(steps <= 26 && price >> (4 * steps) < 1 << 25);
        vm.assume(steps == 0 || price >> (4 * steps - 4) >= 1 << 25);
        uint256 head = (uint256(side) << 30) | (steps << 25) | (price >> (4 * steps));
        for (uint256 width = from; width <= to; ++width) {
            uint256 widest = (1 << (8 * width - 1)) - 1;
            bytes memory list = Targets.room(2, widest);
            list.put(0, Side(side), unit & widest, price);
            list.put(1, Side.Buy, other & widest, 1 << 25);
            assert(keccak256(list) == keccak256(_plain(width, head, unit & widest, other & widest)));
        }
    }

    /// @dev The second target is a buy at 2**25, which is shortened by one step.
    function _plain(uint256 width, uint256 head, uint256 unit, uint256 other)
        private
        pure
        returns (bytes memory plain)
    {
        plain = new bytes(1 + 2 * (4 + width));
        plain[0] = bytes1(uint8(width));
        _write(plain, 1, width, head, unit);
        _write(plain, 5 + width, width, (uint256(Side.Buy) << 30) | (1 << 25) | (1 << 21), other);
    }

    function _write(bytes memory list, uint256 at, uint256 width, uint256 head, uint256 unit) private pure {
        for (uint256 i; i < 4; ++i) {
            list[at + i] = bytes1(uint8(head >> (24 - 8 * i)));
        }
        for (uint256 i; i < width; ++i) {
            list[at + 4 + i] = bytes1(uint8(unit >> (8 * (width - 1 - i))));
        }
    }

    /* SOURCES */

    function check_find(address a, address b, address c, address wanted, address before, bool goesOn) external pure {
        vm.assume(a < b && b < c);
        uint256[] memory words = new uint256[](12);
        (words[0], words[4], words[8]) = (uint160(a), uint160(b), uint160(c));
        (uint256 entry, uint256 next) = (0, 0);
        if (goesOn) (, next) = Sources.find(words, before, 0);
        (entry, next) = Sources.find(words, wanted, next);
        uint256 first;
        assembly ("memory-safe") {
            first := add(words, 32)
        }
        uint256 plain = wanted == a ? first : wanted == b ? first + 128 : wanted == c ? first + 256 : Sources.NONE;
        assert(entry == plain);
        (, uint256 fresh) = Sources.find(words, wanted, 0);
        assert(next == fresh);
    }

    function check_entry(address token, uint256 second, uint256 third, uint256 fourth, uint256 value) external pure {
        uint256[] memory words = new uint256[](4);
        (words[0], words[1], words[2], words[3]) = (uint160(token), second, third, fourth);
        (uint256 entry,) = Sources.find(words, token, 0);
        (address feed, uint256 maxAge, uint256 scale) = Sources.reading(entry);
        assert(feed == address(uint160(second >> 96)) && maxAge == uint32(second >> 16) && scale == third >> 128);
        assert(Sources.feed(entry) == feed && Sources.quote(entry) == uint8(second));
        assert(Sources.ratio(entry) == uint128(third));
        bool inside = value >= fourth >> 128 && value <= uint128(fourth);
        assert(Sources.banded(entry, value) == (inside ? value : 0));
    }

    /* INTERNAL */

    function _any(uint256 n) private pure returns (uint256[] memory list) {
        list = new uint256[](n);
        for (uint256 i; i < n; ++i) {
            list[i] = svm.createUint256("word");
        }
    }

    function _accounts(uint256 n) private pure returns (uint256[] memory list) {
        list = new uint256[](n);
        for (uint256 i; i < n; ++i) {
            list[i] = uint160(svm.createAddress("account"));
        }
    }

    function _wordAt(bytes memory data, uint256 at) private pure returns (uint256 word) {
        assembly ("memory-safe") {
            word := mload(add(add(data, 32), at))
        }
    }

    /// @dev Leaves something in the memory that is given out next.
    function _dirty() private pure {
        assembly ("memory-safe") {
            let at := mload(0x40)
            for { let i := 0 } lt(i, 1024) { i := add(i, 32) } { mstore(add(at, i), not(0)) }
        }
    }
}
