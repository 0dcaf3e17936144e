// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {IERC20Metadata} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Metadata.sol";
import {ERC20, ERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Permit.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";

import {DynamicArrayLib} from "solady/src/utils/DynamicArrayLib.sol";

import {Owned} from "./access/Owned.sol";
import {IIndexToken} from "./interfaces/IIndexToken.sol";
import {Balance} from "./libraries/Balance.sol";
import {Component, ComponentList} from "./libraries/ComponentList.sol";
import {Domain} from "./libraries/Domain.sol";
import {ProRata} from "./libraries/ProRata.sol";
import {StreamingFee} from "./libraries/StreamingFee.sol";
import {Words} from "./libraries/Words.sol";

/// @title IndexToken
/// @notice See `IIndexToken` for the specification.
contract IndexToken is IIndexToken, ERC20Permit, Owned {
    using ComponentList for uint256;
    using ComponentList for uint256[];
    using DynamicArrayLib for uint256[];
    using SafeCast for uint256;
    using SafeERC20 for IERC20;
    using Words for address[];
    using Words for uint256[];

    /* CONSTANTS AND IMMUTABLES */

    uint256 public constant MAX_COMPONENTS = Domain.MAX_COMPONENTS;
    uint256 public constant MAX_STREAMING_FEE = 0.05e18;
    uint256 public constant LOCKED_SHARES = 0.1e18;
    uint256 private constant MIN_SEED = 1e18;
    address private constant DEAD = 0x000000000000000000000000000000000000dEaD;

    address public immutable REBALANCER;
    address private immutable SEEDER;

    /* STORAGE */

    /// @dev What a mint only reads, in one slot.
    struct Setup {
        address pointer; // the packed list
        uint64 rate; // {1e18 / year} continuous rate of the fee
        uint32 supplyCap; // {whole share}
    }

    /// @dev What an accrual writes: time of the last one (high, {s}), exponent (88 bits, {1e18 * s}: integral of the
    /// rate over time), pending fee (96 bits, {share}: accrued, not minted).
    uint256 private _accrual;
    Setup private _setup;
    address public feeRecipient;
    uint256 public streamingFee;
    mapping(address token => bool) public writtenOff;
    /// @dev 1 while the lock is held. A whole word, so that taking it reads nothing.
    uint256 private transient _lock;

    /* MODIFIERS */

    modifier nonReentrant() {
        require(_lock == 0, Locked());
        _lock = 1;
        _;
        _lock = 0;
    }

    modifier onlyRebalancer() {
        require(msg.sender == REBALANCER, NotRebalancer(msg.sender));
        _;
    }

    /* CONSTRUCTOR */

    /// @param rebalancer The contract that will be the rebalancer; it may not be deployed yet.
    /// @param owner The timelock.
    /// @param fee Yearly streaming fee, 18 decimals.
    /// @param wholeShares The supply cap.
    constructor(
        string memory name,
        string memory symbol,
        address rebalancer,
        address owner,
        address recipient,
        uint256 fee,
        uint32 wholeShares
    ) ERC20(name, symbol) ERC20Permit(name) Owned(owner) {
        require(rebalancer != address(0) && recipient != address(0), ZeroAddress());
        REBALANCER = rebalancer;
        SEEDER = msg.sender;
        _writeAccrual(0, 0);
        feeRecipient = recipient;
        _setup.supplyCap = wholeShares;
        _setFee(fee);
        emit FeeRecipientSet(recipient);
        emit SupplyCapSet(wholeShares);
    }

    /* VIEWS */

    function locked() external view returns (bool) {
        return _lock != 0;
    }

    function components() external view returns (Component[] memory) {
        return Words.read(_setup.pointer).unpack();
    }

    function componentsPointer() external view returns (address) {
        return _setup.pointer;
    }

    function accruedSupply() external view returns (uint256 supply) {
        (supply,) = supplyAndExponent();
    }

    function pendingFee() external view returns (uint256) {
        (uint256 pending,) = _accrued(_setup.rate, totalSupply());
        return pending;
    }

    function supplyAndExponent() public view returns (uint256 supply, uint256 exponent) {
        return _supplyAndExponent(_setup.rate);
    }

    function supplyCap() external view returns (uint256) {
        return _setup.supplyCap;
    }

    function previewMint(uint256 shares)
        external
        view
        returns (address[] memory tokens, uint256[] memory amounts, uint256 blocked)
    {
        return _preview(shares, true);
    }

    function previewRedeem(uint256 shares)
        external
        view
        returns (address[] memory tokens, uint256[] memory amounts, uint256 blocked)
    {
        return _preview(shares, false);
    }

    /* HOLDERS */

    function seed(address[] calldata tokens, uint256[] calldata units, uint256 shares, address to)
        external
        nonReentrant
    {
        require(msg.sender == SEEDER, NotSeeder(msg.sender));
        require(_setup.pointer == address(0), AlreadySeeded());
        require(to != address(0), ZeroAddress());
        require(shares >= MIN_SEED, SeedTooSmall(shares, MIN_SEED));
        _requireBelowCap(shares, _setup.supplyCap);
        require(tokens.length == units.length, LengthMismatch(tokens.length, units.length));

        Component[] memory list = new Component[](tokens.length);
        uint256[] memory amounts = new uint256[](tokens.length);
        for (uint256 i; i < tokens.length; ++i) {
            require(tokens[i].code.length != 0, UnfitComponent(tokens[i]));
            list[i] = Component(tokens[i], IERC20Metadata(tokens[i]).decimals(), 0, false);
        }
        _setComponents(list);
        _writeAccrual(0, 0);
        for (uint256 i; i < tokens.length; ++i) {
            // {tok} = {share} * {tok / 1e18 share} / {1e18 share}
            amounts[i] = Math.mulDiv(shares, units[i], 1e18, Math.Rounding.Ceil);
            IERC20(tokens[i]).safeTransferFrom(msg.sender, address(this), amounts[i]);
        }
        _mint(DEAD, LOCKED_SHARES);
        _mint(to, shares - LOCKED_SHARES);
        emit Seeded(to, shares, tokens, amounts);
    }

    function mint(uint256 shares, address to, address[] calldata tokens, uint256[] calldata maxAmounts)
        external
        nonReentrant
        returns (uint256[] memory amounts)
    {
        require(shares != 0, ZeroShares());
        Setup memory setup = _setup;
        uint256 supply = _accrue(setup.rate);
        _requireBelowCap(supply + shares, setup.supplyCap);
        uint256[] memory list = _list(setup.pointer, tokens.length, maxAmounts.length);
        uint256 n = list.length;
        amounts = new uint256[](n);
        for (uint256 i; i < n; ++i) {
            uint256 word = list.get(i);
            address token = word.token();
            require(token == tokens.given(i), ComponentMismatch(i, token, tokens.given(i)));
            if (word.marked() && _leftOut(word)) continue;
            // {tok} = {tok} * {share} / {share}, up
            uint256 amount = ProRata.up(Balance.read(token, address(this)), shares, supply);
            require(amount <= maxAmounts.given(i), AboveMax(token, amount, maxAmounts.given(i)));
            amounts.set(i, amount);
            if (amount != 0) IERC20(token).safeTransferFrom(msg.sender, address(this), amount);
        }
        _mint(to, shares);
        emit Minted(msg.sender, to, shares);
    }

    function redeem(uint256 shares, address to, address[] calldata tokens, uint256[] calldata minAmounts, uint256 skip)
        external
        nonReentrant
        returns (uint256[] memory amounts)
    {
        require(shares != 0, ZeroShares());
        require(to != address(0), ZeroAddress());
        Setup memory setup = _setup;
        uint256 supply = _accrue(setup.rate);
        uint256[] memory list = _list(setup.pointer, tokens.length, minAmounts.length);
        _burn(msg.sender, shares);
        uint256 n = list.length;
        amounts = new uint256[](n);
        for (uint256 i; i < n; ++i) {
            uint256 word = list.get(i);
            address token = word.token();
            require(token == tokens.given(i), ComponentMismatch(i, token, tokens.given(i)));
            if ((skip >> i) & 1 != 0) continue;
            // {tok} = {tok} * {share} / {share}, down
            uint256 amount = word.writtenOff() ? 0 : ProRata.down(Balance.read(token, address(this)), shares, supply);
            require(amount >= minAmounts.given(i), BelowMin(token, amount, minAmounts.given(i)));
            amounts.set(i, amount);
            if (amount != 0) IERC20(token).safeTransfer(to, amount);
        }
        emit Redeemed(msg.sender, to, shares, skip);
    }

    function collectFee() external nonReentrant returns (uint256 shares) {
        return _collectFee();
    }

    /* OWNER */

    function setStreamingFee(uint256 fee) external onlyOwner nonReentrant {
        _accrue(_setup.rate);
        _setFee(fee);
    }

    function setFeeRecipient(address recipient) external onlyOwner nonReentrant {
        require(recipient != address(0), ZeroAddress());
        _collectFee();
        feeRecipient = recipient;
        emit FeeRecipientSet(recipient);
    }

    function setSupplyCap(uint32 wholeShares) external onlyOwner nonReentrant {
        _setup.supplyCap = wholeShares;
        emit SupplyCapSet(wholeShares);
    }

    /* REBALANCER */

    function lock() external onlyRebalancer {
        require(_lock == 0, Locked());
        _lock = 1;
    }

    function lockForTrading() external onlyRebalancer returns (address pointer, uint256 supply, uint256 exponent) {
        require(_lock == 0, Locked());
        _lock = 1;
        Setup memory setup = _setup;
        pointer = setup.pointer;
        (supply, exponent) = _supplyAndExponent(setup.rate);
    }

    function unlock() external onlyRebalancer {
        _lock = 0;
    }

    function settle(address[] calldata tokens, uint256[] calldata amounts, address[] calldata recipients)
        external
        onlyRebalancer
    {
        require(_lock != 0, NotLocked());
        uint256 n = tokens.length;
        require(n == amounts.length && n == recipients.length, LengthMismatch(n, amounts.length));
        for (uint256 i; i < n; ++i) {
            uint256 amount = amounts.given(i);
            if (amount != 0) IERC20(tokens.given(i)).safeTransfer(recipients.given(i), amount);
        }
    }

    function setComponents(Component[] calldata list) external onlyRebalancer {
        require(_lock != 0, NotLocked());
        _setComponents(list);
    }

    function setState(address token, uint40 suspendedUntil, bool writtenOff_) external onlyRebalancer {
        require(_lock != 0, NotLocked());
        uint256[] memory list = Words.read(_setup.pointer);
        uint256 i;
        while (i < list.length && list[i].token() != token) ++i;
        require(i < list.length, NotComponent(token));
        list[i] = list[i].withState(suspendedUntil, writtenOff_);
        _setup.pointer = Words.write(list);
        if (writtenOff_) writtenOff[token] = true;
        emit StateSet(token, suspendedUntil, writtenOff_);
    }

    /* INTERNAL: LIST */

    function _setComponents(Component[] memory list) private {
        require(list.length <= MAX_COMPONENTS, TooManyComponents(list.length, MAX_COMPONENTS));
        address[] memory tokens = new address[](list.length);
        for (uint256 i; i < list.length; ++i) {
            tokens[i] = list[i].token;
            // A share must never be able to back itself.
            require(tokens[i] != address(this) && list[i].decimals <= Domain.MAX_DECIMALS, UnfitComponent(tokens[i]));
        }
        address pointer = ComponentList.write(list);
        _setup.pointer = pointer;
        emit ComponentsSet(pointer, tokens);
    }

    /// @dev The packed list, with the caller's arrays checked against its length.
    function _list(address pointer, uint256 tokens, uint256 limits) private view returns (uint256[] memory list) {
        require(pointer != address(0), NotSeeded());
        list = Words.read(pointer);
        uint256 n = list.length;
        require(tokens == n, LengthMismatch(n, tokens));
        require(limits == n, LengthMismatch(n, limits));
    }

    /// @dev Whether mint leaves out a component that was suspended once or is written off. While it is suspended nobody
    /// mints: redeem pays it, and nothing that it says of itself is to be relied on.
    function _leftOut(uint256 word) private view returns (bool) {
        require(!word.suspended(), ComponentSuspended(word.token()));
        return word.writtenOff();
    }

    function _requireBelowCap(uint256 supply, uint256 wholeShares) private pure {
        // {share} = {whole share} * {share / whole share}
        require(supply <= wholeShares * 1e18, AboveSupplyCap(supply, wholeShares * 1e18));
    }

    /// @dev Amounts of `shares` at this moment, rounded up for mint or down for redeem, and which components stop it.
    function _preview(uint256 shares, bool up)
        private
        view
        returns (address[] memory tokens, uint256[] memory amounts, uint256 blocked)
    {
        require(_lock == 0, Locked());
        (uint256 supply,) = supplyAndExponent();
        uint256[] memory list = Words.read(_setup.pointer);
        uint256 n = list.length;
        tokens = new address[](n);
        amounts = new uint256[](n);
        for (uint256 i; i < n; ++i) {
            tokens[i] = list[i].token();
            if (list[i].writtenOff()) continue;
            (bool sound, uint256 balance) = Balance.tryRead(tokens[i], address(this));
            if (!sound || (up && list[i].suspended())) blocked |= 1 << i;
            // {tok} = {tok} * {share} / {share}
            amounts[i] = up ? ProRata.up(balance, shares, supply) : ProRata.down(balance, shares, supply);
        }
    }

    /* INTERNAL: FEE */

    function _setFee(uint256 fee) private {
        require(fee <= MAX_STREAMING_FEE, FeeAboveCeiling(fee, MAX_STREAMING_FEE));
        streamingFee = fee;
        _setup.rate = StreamingFee.rate(fee).toUint64();
        emit StreamingFeeSet(fee);
    }

    /// @dev Pending fee shares and exponent as of this block's time, for an ERC-20 total of `minted`. Writes nothing.
    function _accrued(uint256 rate, uint256 minted) private view returns (uint256 pending, uint256 exponent) {
        uint256 word = _accrual;
        (pending, exponent) = (uint96(word), uint88(word >> 96));
        uint256 elapsed = block.timestamp - (word >> 184);
        if (elapsed == 0) return (pending, exponent);
        uint256 later = exponent + elapsed * rate;
        return (pending + StreamingFee.shares(minted + pending, exponent, later), later);
    }

    /// @dev Accrued supply and exponent as of this block's time.
    function _supplyAndExponent(uint256 rate) private view returns (uint256 supply, uint256 exponent) {
        uint256 minted = totalSupply();
        (supply, exponent) = _accrued(rate, minted);
        supply += minted;
    }

    /// @dev Writes the accrual as of this block's time.
    function _writeAccrual(uint256 pending, uint256 exponent) private {
        _accrual = (block.timestamp << 184) | (uint256(exponent.toUint88()) << 96) | pending.toUint96();
    }

    /// @dev Brings the accrual to this block's time at this rate and returns the accrued supply.
    function _accrue(uint256 rate) private returns (uint256) {
        uint256 minted = totalSupply();
        (uint256 pending, uint256 exponent) = _accrued(rate, minted);
        _writeAccrual(pending, exponent);
        return minted + pending;
    }

    function _collectFee() private returns (uint256 shares) {
        uint256 exponent;
        (shares, exponent) = _accrued(_setup.rate, totalSupply());
        _writeAccrual(0, exponent);
        if (shares == 0) return 0;
        address to = feeRecipient;
        _mint(to, shares);
        emit FeeCollected(to, shares);
    }
}
