// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {IERC20Metadata} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Metadata.sol";
import {ERC20, ERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Permit.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";

import {DynamicArrayLib} from "solady/src/utils/DynamicArrayLib.sol";

import {FeeAccrual} from "./FeeAccrual.sol";
import {Owned} from "./access/Owned.sol";
import {IIndexToken} from "./interfaces/IIndexToken.sol";
import {IMintCallback} from "./interfaces/IMintCallback.sol";
import {Balance} from "./libraries/Balance.sol";
import {Component, ComponentList} from "./libraries/ComponentList.sol";
import {Domain} from "./libraries/Domain.sol";
import {ProRata} from "./libraries/ProRata.sol";
import {StreamingFee} from "./libraries/StreamingFee.sol";
import {Words} from "./libraries/Words.sol";

/// @title IndexToken
/// @notice See `IIndexToken` for the specification.
contract IndexToken is IIndexToken, ERC20Permit, Owned, FeeAccrual {
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

    Setup private _setup;
    address public feeRecipient;
    uint256 public streamingFee;
    mapping(address token => bool) public writtenOff;
    /// @dev 1 while the lock is held. A whole word, so that taking it reads nothing.
    uint256 private transient _lock;

    /// @dev A redemption in flight: `shares` of `supply`, paid in the components of the packed `list` that `skip` does
    /// not name by their bits.
    struct Redemption {
        uint256 shares;
        uint256 supply;
        uint256 skip;
        uint256[] list;
    }

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

    function totalSupply() public view override(ERC20, IERC20) returns (uint256 supply) {
        (supply,) = supplyAndExponent();
    }

    function pendingFee() external view returns (uint256 pending) {
        (pending,) = _accrued(_setup.rate, _minted());
    }

    function supplyAndExponent() public view returns (uint256 supply, uint256 exponent) {
        return _supplyAndExponent(_setup.rate);
    }

    function supplyCap() external view returns (uint256) {
        return _setup.supplyCap;
    }

    function totalConstituents() external view returns (uint256) {
        return Words.read(_setup.pointer).length;
    }

    function isConstituent(address token) external view returns (bool) {
        uint256[] memory list = Words.read(_setup.pointer);
        return _find(list, token) < list.length;
    }

    function getReserve(address token) external view returns (uint256) {
        require(_lock == 0, Locked());
        uint256[] memory list = Words.read(_setup.pointer);
        require(_find(list, token) < list.length, NotComponent(token));
        return Balance.read(token, address(this));
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
        (uint256 supply, uint256[] memory list) = _beginMint(shares);
        uint256 n = list.length;
        _requireLength(n, tokens.length, maxAmounts.length);
        amounts = new uint256[](n);
        for (uint256 i; i < n; ++i) {
            uint256 word = list.get(i);
            address token = word.token();
            if (token != tokens.given(i)) revert ComponentMismatch(i, token, tokens.given(i));
            if (word.marked() && _leftOut(word)) continue;
            // {tok} = {tok} * {share} / {share}, up
            uint256 amount = ProRata.up(Balance.read(token, address(this)), shares, supply);
            if (amount > maxAmounts.given(i)) revert AboveMax(token, amount, maxAmounts.given(i));
            amounts.set(i, amount);
            if (amount != 0) IERC20(token).safeTransferFrom(msg.sender, address(this), amount);
        }
        _endMint(shares, to);
    }

    function mintWith(uint256 shares, address to, bytes calldata data) external nonReentrant {
        (uint256 supply, uint256[] memory list) = _beginMint(shares);
        uint256 n = list.length;
        (uint256[] memory tokens, uint256[] memory amounts) = (new uint256[](n), new uint256[](n));
        uint256[] memory due = new uint256[](n); // the balances that are asked for
        for (uint256 i; i < n; ++i) {
            uint256 word = list.get(i);
            tokens.set(i, word.token());
            if (word.marked() && _leftOut(word)) continue;
            uint256 balance = Balance.read(word.token(), address(this));
            // {tok} = {tok} * {share} / {share}, up
            uint256 amount = ProRata.up(balance, shares, supply);
            amounts.set(i, amount);
            due.set(i, balance + amount);
        }
        IMintCallback(msg.sender).onMint(tokens.asAddressArray(), amounts, data);
        for (uint256 i; i < n; ++i) {
            if (amounts.get(i) == 0) continue;
            address token = tokens.getAddress(i);
            uint256 balance = Balance.read(token, address(this));
            if (balance < due.get(i)) revert NotPaid(token, balance, due.get(i));
        }
        _endMint(shares, to);
    }

    function redeem(uint256 shares, address to, address[] calldata tokens, uint256[] calldata minAmounts, uint256 skip)
        external
        nonReentrant
        returns (uint256[] memory amounts)
    {
        require(to != address(0), ZeroAddress());
        amounts = _redeem(_beginRedeem(shares, msg.sender, skip), tokens, minAmounts, to, tokens[:0]);
        emit Redeemed(msg.sender, to, shares, skip);
    }

    function redeemTo(
        uint256 shares,
        address holder,
        address[] calldata tokens,
        uint256[] calldata minAmounts,
        address[] calldata recipients,
        uint256 skip
    ) external nonReentrant returns (uint256[] memory amounts) {
        require(recipients.length == tokens.length, LengthMismatch(tokens.length, recipients.length));
        if (holder != msg.sender) _spendAllowance(holder, msg.sender, shares);
        amounts = _redeem(_beginRedeem(shares, holder, skip), tokens, minAmounts, address(0), recipients);
        emit RedeemedTo(msg.sender, holder, shares, skip);
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
        uint256 i = _find(list, token);
        require(i < list.length, NotComponent(token));
        list[i] = list[i].withState(suspendedUntil, writtenOff_);
        _setup.pointer = Words.write(list);
        if (writtenOff_) writtenOff[token] = true;
        emit StateSet(token, suspendedUntil, writtenOff_);
    }

    /* INTERNAL: SHARES */

    /// @dev What every mint begins with: supply to divide by, and the list.
    function _beginMint(uint256 shares) private returns (uint256 supply, uint256[] memory list) {
        require(shares != 0, ZeroShares());
        Setup memory setup = _setup;
        supply = _accrue(setup.rate);
        _requireBelowCap(supply + shares, setup.supplyCap);
        list = _list(setup.pointer);
    }

    function _endMint(uint256 shares, address to) private {
        _mint(to, shares);
        emit Minted(msg.sender, to, shares);
    }

    /// @dev What every redemption begins with: supply to divide by, and the list. Burns the shares.
    function _beginRedeem(uint256 shares, address holder, uint256 skip) private returns (Redemption memory) {
        require(shares != 0, ZeroShares());
        Setup memory setup = _setup;
        uint256 supply = _accrue(setup.rate);
        uint256[] memory list = _list(setup.pointer);
        _burn(holder, shares);
        return Redemption(shares, supply, skip, list);
    }

    /// @dev Pays each component to its recipient, all to `to` unless that is zero.
    function _redeem(
        Redemption memory r,
        address[] calldata tokens,
        uint256[] calldata minAmounts,
        address to,
        address[] calldata recipients
    ) private returns (uint256[] memory amounts) {
        _requireLength(r.list.length, tokens.length, minAmounts.length);
        amounts = new uint256[](r.list.length);
        for (uint256 i; i < amounts.length; ++i) {
            uint256 word = r.list.get(i);
            address token = word.token();
            if (token != tokens.given(i)) revert ComponentMismatch(i, token, tokens.given(i));
            address recipient = to != address(0) ? to : _recipient(recipients, i);
            if ((r.skip >> i) & 1 != 0) continue;
            uint256 amount = word.writtenOff() ? 0 : _due(r, token);
            if (amount < minAmounts.given(i)) revert BelowMin(token, amount, minAmounts.given(i));
            amounts.set(i, amount);
            if (amount != 0) IERC20(token).safeTransfer(recipient, amount);
        }
    }

    /// @dev What of a component is due to the shares.
    function _due(Redemption memory r, address token) private view returns (uint256) {
        // {tok} = {tok} * {share} / {share}, down
        return ProRata.down(Balance.read(token, address(this)), r.shares, r.supply);
    }

    function _recipient(address[] calldata recipients, uint256 i) private view returns (address recipient) {
        recipient = recipients.given(i);
        if (recipient == address(0) || recipient == address(this)) revert UnfitRecipient(recipient);
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

    /// @dev The packed list of a seeded fund.
    function _list(address pointer) private view returns (uint256[] memory) {
        require(pointer != address(0), NotSeeded());
        return Words.read(pointer);
    }

    /// @dev A token's place in a packed list; the length of the list if it is not there.
    function _find(uint256[] memory list, address token) private pure returns (uint256 i) {
        while (i < list.length && list[i].token() != token) ++i;
    }

    function _requireLength(uint256 n, uint256 tokens, uint256 limits) private pure {
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
        uint256[] memory accounts = new uint256[](list.length);
        amounts = new uint256[](list.length);
        for (uint256 i; i < list.length; ++i) {
            uint256 word = list.get(i);
            accounts.set(i, word.token());
            if (word.writtenOff()) continue;
            (bool sound, uint256 balance) = Balance.tryRead(word.token(), address(this));
            if (!sound || (up && word.suspended())) blocked |= 1 << i;
            // {tok} = {tok} * {share} / {share}
            amounts.set(i, up ? ProRata.up(balance, shares, supply) : ProRata.down(balance, shares, supply));
        }
        tokens = accounts.asAddressArray();
    }

    /* INTERNAL: FEE */

    function _setFee(uint256 fee) private {
        require(fee <= MAX_STREAMING_FEE, FeeAboveCeiling(fee, MAX_STREAMING_FEE));
        streamingFee = fee;
        _setup.rate = StreamingFee.rate(fee).toUint64();
        emit StreamingFeeSet(fee);
    }

    function _collectFee() private returns (uint256 shares) {
        uint256 exponent;
        (shares, exponent) = _accrued(_setup.rate, _minted());
        _writeAccrual(0, exponent);
        if (shares == 0) return 0;
        address to = feeRecipient;
        _mint(to, shares);
        emit FeeCollected(to, shares);
    }
}
