// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IERC20Metadata} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Metadata.sol";

import {IIndexToken} from "../../../contracts/interfaces/IIndexToken.sol";
import {IMethodology, Status} from "../../../contracts/interfaces/IMethodology.sol";
import {IOpener, OpeningPlan} from "../../../contracts/interfaces/IOpener.sol";
import {IOracle} from "../../../contracts/interfaces/IOracle.sol";
import {Side} from "../../../contracts/interfaces/IRebalancer.sol";
import {vm} from "../../../lab/fuzz/Vm.sol";
import {WordLists} from "../WordLists.sol";
import {StandInIndex, StandInMethodology, StandInOracle} from "./StandIns.sol";

/// @title OpenerBench
/// @notice An opener with stand-ins around it: whatever it is to read is told here. Tokens A to E ascend.
/// @dev Packed words are made and read here by arithmetic of their own.
abstract contract OpenerBench is WordLists {
    address internal constant A = address(0xa0000);
    address internal constant B = address(0xb0000);
    address internal constant C = address(0xc0000);
    address internal constant D = address(0xd0000);
    address internal constant E = address(0xe0000);
    address internal constant DETERMINATION = address(0xd37);
    address private constant _LIST = address(0x115);
    uint256 internal constant EXPONENT = 12345;

    IOpener internal opener;
    StandInIndex internal index;
    StandInOracle internal oracle;
    StandInMethodology internal methodology;

    uint256 internal maxStep = 1000e18;
    uint256 internal maxDrop;
    uint256[] private _list;
    uint256[] private _rows;

    /// @dev One share: a unit is a balance.
    function setUp() public virtual {
        opener = IOpener(deploy("Opener", ""));
        (index, oracle, methodology) = (new StandInIndex(), new StandInOracle(), new StandInMethodology());
        index.setSupply(1e18, EXPONENT);
    }

    /* WHAT IS READ */

    /// @dev A component, unmarked, in ascending order.
    function hold(address token, uint256 decimals, uint256 balance, uint256 price) internal {
        holdMarked(token, decimals, balance, price, 0, false);
    }

    function holdMarked(
        address token,
        uint256 decimals,
        uint256 balance,
        uint256 price,
        uint256 suspendedUntil,
        bool writtenOff
    ) internal {
        _list.push(entry(token, decimals, suspendedUntil, writtenOff));
        setBalance(token, balance);
        oracle.setPrice(token, price);
        vm.etch(_LIST, _code(_list));
        index.setList(_LIST);
    }

    /// @dev A token that the fund does not know.
    function meet(address token, uint256 decimals, uint256 price) internal {
        vm.mockCall(token, abi.encodeCall(IERC20Metadata.decimals, ()), abi.encode(decimals));
        setBalance(token, 0);
        oracle.setPrice(token, price);
    }

    function setBalance(address token, uint256 balance) internal {
        vm.mockCall(token, _balanceOf(), abi.encode(balance));
    }

    /// @dev Its balance is not sound.
    function refuse(address token) internal {
        vm.mockCallRevert(token, _balanceOf(), "");
    }

    function _balanceOf() private view returns (bytes memory) {
        return abi.encodeWithSignature("balanceOf(address)", index);
    }

    /// @dev A row of the determination, in ascending order.
    function determine(address token, uint256 basis, Status status) internal {
        determine(token, basis, status, 0, 0, 0);
    }

    function determine(address token, uint256 basis, Status status, uint256 flags, uint256 price, uint256 weight)
        internal
    {
        _rows.push(uint256(uint160(token)) * (1 << 96) + flags * (1 << 88) + basis);
        _rows.push(price * (1 << 156) + weight * (1 << 92) + uint256(status));
        vm.etch(DETERMINATION, _code(_rows));
    }

    function include(address token, uint256 basis) internal {
        determine(token, basis, Status.Included);
    }

    function plan() internal view returns (OpeningPlan memory) {
        return opener.plan(
            IIndexToken(address(index)),
            IOracle(address(oracle)),
            IMethodology(address(methodology)),
            DETERMINATION,
            maxStep,
            maxDrop
        );
    }

    /// @dev The next plan reverts with this error of the opener.
    function planFails(bytes memory reason) internal {
        vm.expectRevert(reason);
        plan();
    }

    /// @dev The methodology answers these targets, whatever it is asked.
    function answerTargets(uint256[] memory units) internal {
        vm.mockCall(address(methodology), abi.encodeWithSelector(IMethodology.targetUnits.selector), abi.encode(units));
    }

    /// @dev The methodology must be asked exactly this.
    function expectQuestion(
        uint256[] memory basis,
        uint256[] memory units,
        uint256[] memory prices,
        uint256[] memory ones
    ) internal {
        vm.expectCall(address(methodology), question(basis, units, prices, ones));
    }

    function question(uint256[] memory basis, uint256[] memory units, uint256[] memory prices, uint256[] memory ones)
        internal
        pure
        returns (bytes memory)
    {
        return abi.encodeCall(IMethodology.targetUnits, (basis, units, prices, ones));
    }

    /* PACKED */

    function entry(address token, uint256 decimals) internal pure returns (uint256) {
        return entry(token, decimals, 0, false);
    }

    function entry(address token, uint256 decimals, uint256 suspendedUntil, bool writtenOff)
        internal
        pure
        returns (uint256)
    {
        return uint256(uint160(token)) * (1 << 96) + suspendedUntil * (1 << 16) + decimals * 256 + (writtenOff ? 1 : 0);
    }

    /// @dev What a start confirms of a row.
    function confirmed(uint256 basis, uint256 flags, Status status) internal pure returns (uint256) {
        return uint256(status) * (1 << 96) + flags * (1 << 88) + basis;
    }

    /// @dev Contract code that holds a list.
    function _code(uint256[] memory list) private pure returns (bytes memory) {
        return abi.encodePacked(bytes1(0), list);
    }

    /// @dev As much of a price as a target keeps: its leading 22 to 25 bits.
    function kept(uint256 price) internal pure returns (uint256) {
        uint256 step = 1;
        while (price / step >= 1 << 25) step *= 16;
        return price / step * step;
    }

    function targetAt(bytes memory targets, uint256 i)
        internal
        pure
        returns (uint256 side, uint256 unit, uint256 price)
    {
        uint256 width = uint8(targets[0]);
        uint256 head = _number(targets, 1 + i * (4 + width), 4);
        unit = _number(targets, 5 + i * (4 + width), width);
        return (head >> 30, unit, head % (1 << 25) * 16 ** (head / (1 << 25) % 32));
    }

    function _number(bytes memory data, uint256 from, uint256 length) private pure returns (uint256 number) {
        for (uint256 k; k < length; ++k) {
            number = number * 256 + uint8(data[from + k]);
        }
    }

    /* COMPARED */

    function countIs(OpeningPlan memory p, uint256 expected) internal pure {
        equal((p.targets.length - 1) / (4 + uint8(p.targets[0])), expected, "number of targets");
    }

    function widthIs(OpeningPlan memory p, uint256 expected) internal pure {
        equal(uint8(p.targets[0]), expected, "bytes of a unit");
    }

    function targetIs(OpeningPlan memory p, uint256 i, Side side, uint256 unit, uint256 price) internal pure {
        targetIs(p.targets, i, side, unit, price);
    }

    function targetIs(bytes memory targets, uint256 i, Side side, uint256 unit, uint256 price) internal pure {
        (uint256 foundSide, uint256 foundUnit, uint256 foundPrice) = targetAt(targets, i);
        equal(foundUnit, unit, "target");
        equal(foundSide, uint256(side), "side");
        equal(foundPrice, kept(price), "price");
    }
}
