// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Period} from "../../../contracts/interfaces/ICalendar.sol";
import {Constituent, Status} from "../../../contracts/interfaces/IMethodology.sol";
import {Side, Target} from "../../../contracts/interfaces/IRebalancer.sol";
import {Candidate, Candidates, State} from "../../../contracts/libraries/Candidates.sol";
import {Component, ComponentList} from "../../../contracts/libraries/ComponentList.sol";
import {Constituents} from "../../../contracts/libraries/Constituents.sol";
import {PackedPeriod} from "../../../contracts/libraries/PackedPeriod.sol";
import {Quote, Source, Sources} from "../../../contracts/libraries/Sources.sol";
import {Targets} from "../../../contracts/libraries/Targets.sol";
import {Words} from "../../../contracts/libraries/Words.sol";
import {vm} from "../Vm.sol";

/// @dev A token and a supply source that a candidate may have.
contract Sound {
    function decimals() external pure returns (uint8) {
        return 18;
    }
}

/// @notice What is packed comes back.
contract PackingProofs {
    using Targets for bytes;

    /* PERIODS */

    function check_period(uint24 id, uint40 end, uint40 execution, uint32 minNotice, uint32 minTrading) external pure {
        uint256 word = PackedPeriod.pack(Period(id, 0, end, execution, minNotice, minTrading));
        assert(PackedPeriod.id(word) == id && PackedPeriod.end(word) == end);
        assert(PackedPeriod.execution(word) == execution);
        assert(PackedPeriod.minNotice(word) == minNotice && PackedPeriod.minTrading(word) == minTrading);
    }

    /* COMPONENTS */

    function check_component(address token, uint8 decimals, uint40 until, bool writtenOff) external pure {
        uint256[] memory words = new uint256[](1);
        words[0] = ComponentList.pack(Component(token, decimals, until, writtenOff));
        _isComponent(ComponentList.unpack(words)[0], token, decimals, until, writtenOff);
    }

    function check_withState(uint256 word, uint40 until, bool writtenOff) external pure {
        uint256 changed = ComponentList.withState(word, until, writtenOff);
        assert(ComponentList.token(changed) == ComponentList.token(word));
        assert(ComponentList.decimals(changed) == ComponentList.decimals(word));
        assert(ComponentList.suspendedUntil(changed) == until && ComponentList.writtenOff(changed) == writtenOff);
        assert(ComponentList.marked(changed) == (until != 0 || writtenOff));
    }

    function check_componentsWritten(address a, address b, uint8 decimals, uint40 until, bool writtenOff) external {
        vm.assume(a != address(0) && a < b);
        Component[] memory list = new Component[](2);
        list[0] = Component(a, decimals, until, writtenOff);
        list[1] = Component(b, decimals, until, !writtenOff);
        Component[] memory read = ComponentList.unpack(Words.read(ComponentList.write(list)));
        assert(read.length == 2);
        _isComponent(read[0], a, decimals, until, writtenOff);
        _isComponent(read[1], b, decimals, until, !writtenOff);
    }

    function check_componentsAscend(address a, address b, address c) external {
        Component[] memory list = new Component[](3);
        (list[0].token, list[1].token, list[2].token) = (a, b, c);
        try this.writeComponents(list) {
            assert(a != address(0) && a < b && b < c);
        } catch {
            assert(a == address(0) || a >= b || b >= c);
        }
    }

    function writeComponents(Component[] calldata list) external {
        ComponentList.write(list);
    }

    function _isComponent(Component memory c, address token, uint8 decimals, uint40 until, bool writtenOff)
        private
        pure
    {
        assert(c.token == token && c.decimals == decimals && c.suspendedUntil == until && c.writtenOff == writtenOff);
    }

    /* CONSTITUENTS */

    function check_constituents(
        address token,
        uint88 basis,
        uint8 flags,
        uint128 price,
        uint64 weight,
        uint88 confirmed,
        bool member,
        uint8 status
    ) external {
        vm.assume(status <= uint8(type(Status).max) && price < 1 << 100);
        Constituent[] memory list = new Constituent[](2);
        list[1] = Constituent(token, basis, Status(status), flags, price, weight, confirmed, member);
        Constituent[] memory read = Constituents.read(Constituents.write(list));
        assert(read.length == 2 && read[0].token == address(0) && read[0].price == 0);
        Constituent memory c = read[1];
        assert(c.token == token && c.basis == basis && c.flags == flags && c.status == Status(status));
        assert(c.price == price && c.weight == weight && c.confirmed == confirmed && c.member == member);
    }

    function check_confirmed(uint256 word, uint256 more, uint88 basis, uint8 flags, uint8 status) external pure {
        vm.assume(status <= uint8(type(Status).max));
        (uint256[] memory words, uint256[] memory answers) = (new uint256[](2), new uint256[](1));
        (words[0], words[1]) = (word, more);
        answers[0] = Constituents.packConfirmed(basis, flags, Status(status));
        Constituents.confirm(words, answers);
        assert(Constituents.token(words[0]) == Constituents.token(word));
        assert(Constituents.basis(words[0]) == basis && Constituents.flags(words[0]) == flags);
        assert(Constituents.status(words[1]) == Status(status) && words[1] >> 3 == more >> 3);
    }

    /* CANDIDATES */

    function check_candidates(address source, uint88 supplyA, uint88 supplyB, uint8 state) external {
        vm.assume(state <= uint8(type(State).max));
        (address a, address b) = (address(0xa0001), address(0xb0002));
        bytes memory code = type(Sound).runtimeCode;
        vm.etch(a, code);
        vm.etch(b, code);
        vm.assume(source == a || source == b);
        Candidate[] memory list = new Candidate[](2);
        list[0] = Candidate(a, source, State(state), supplyA);
        list[1] = Candidate(b, b, State.Active, supplyB);
        Candidate[] memory read = Candidates.read(Candidates.write(list));
        assert(read.length == 2 && read[0].token == a && read[1].token == b);
        assert(read[0].source == source && read[0].state == State(state) && read[0].wholeTokens == supplyA);
        assert(read[1].source == b && read[1].state == State.Active && read[1].wholeTokens == supplyB);
    }

    /* TARGETS */

    function check_targetsNarrow(uint8 side, uint120 unit, uint128 price, uint120 other) external pure {
        _targets(side, unit, price, other, 1, 6);
    }

    function check_targetsMiddle(uint8 side, uint120 unit, uint128 price, uint120 other) external pure {
        _targets(side, unit, price, other, 7, 11);
    }

    function check_targetsWide(uint8 side, uint120 unit, uint128 price, uint120 other) external pure {
        _targets(side, unit, price, other, 12, 15);
    }

    /// @dev A list of three for each width of a unit, in bytes: what `put` writes, `at` and `unpack` read.
    function _targets(uint8 side, uint120 unit, uint128 price, uint120 other, uint256 from, uint256 to) private pure {
        vm.assume(side <= uint8(type(Side).max));
        for (uint256 width = from; width <= to; ++width) {
            uint256 widest = (1 << (8 * width)) - 1;
            bytes memory list = Targets.room(3, widest >> 1);
            list.put(0, Side.Buy, other & (widest >> 1), 1);
            list.put(1, Side(side), unit & (widest >> 1), price);
            list.put(2, Side.Sell, other & (widest >> 1), 0);
            assert(list.count() == 3);
            Target[] memory read = list.unpack();
            assert(read[1].side == Side(side) && read[1].unit == unit & (widest >> 1));
            assert(read[1].price <= price && price - read[1].price <= price >> 21);
            assert(read[0].side == Side.Buy && read[0].unit == other & (widest >> 1) && read[0].price == 1);
            assert(read[2].side == Side.Sell && read[2].unit == other & (widest >> 1) && read[2].price == 0);
        }
    }

    /* SOURCES */

    function check_sources(
        address token,
        address feed,
        uint32 maxAge,
        uint8 quote,
        uint128 ratio,
        uint128 lowest,
        uint128 highest
    ) external pure {
        vm.assume(quote <= uint8(type(Quote).max) && token != address(7));
        Source memory given = Source(feed, maxAge, 8, Quote(quote), ratio, lowest, highest);
        uint256[] memory words = Sources.put(new uint256[](0), address(7), Source(feed, 1, 18, Quote.Usd, 2, 3, 4));
        words = Sources.put(words, token, given);
        assert(keccak256(abi.encode(Sources.get(words, token))) == keccak256(abi.encode(given)));
        Source memory other = Sources.get(words, address(7));
        assert(other.feed == feed && other.maxAge == 1 && other.ratio == 2 && other.lowest == 3 && other.highest == 4);
    }
}
