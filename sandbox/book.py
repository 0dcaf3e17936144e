"""The address book of a sandbox: the contracts around its fund. Written once, when all are deployed; has no secrets."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ballast.files import replace_json
from ballast.values import checked_address
from sandbox.errors import SandboxError


@dataclass(frozen=True)
class SandboxAsset:
    """A test token with its feed. `number`: its index in the market; `pair`: its pool against the numeraire, "" for the
    numeraire itself."""

    number: int
    symbol: str
    token: str
    decimals: int
    feed: str
    pair: str


@dataclass(frozen=True)
class SandboxBook:
    """Addresses of one sandbox on one chain.

    `market`: the contract that lists, posts and trades for its owner, the `operator`; `first_block`: nothing of the
    sandbox is in an earlier one. `heartbeat`: seconds within which all prices have to be posted, `max_age`: seconds
    after which the fund's oracle rejects them. `fund_file` and `fund_book`: paths relative to this book.
    """

    chain_id: int
    first_block: int
    operator: str
    market: str
    factory: str
    router: str
    numeraire: SandboxAsset
    components: tuple[SandboxAsset, ...]
    heartbeat: int
    max_age: int
    fund_file: str
    fund_book: str

    @property
    def assets(self) -> tuple[SandboxAsset, ...]:
        """All tokens by number: the numeraire first."""
        return (self.numeraire, *self.components)

    def save(self, path: Path) -> None:
        """Writes the book in one step. Raises OSError."""
        replace_json(path, asdict(self), indent=2)

    @classmethod
    def load(cls, path: Path) -> SandboxBook:
        """Reads and checks a book. Raises SandboxError, which names the file, the field and what is expected."""
        try:
            raw = json.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise SandboxError(f"sandbox book {path}: no such file; run `ape run sandbox up` first") from None
        except (OSError, ValueError) as error:
            raise SandboxError(f"sandbox book {path}: cannot be read ({error})") from None
        try:
            return cls._from_json(raw)
        except KeyError as error:
            raise SandboxError(f"sandbox book {path}: field {error} is missing") from None
        except (TypeError, ValueError) as error:
            raise SandboxError(f"sandbox book {path}: {error}") from None

    @classmethod
    def _from_json(cls, raw: dict[str, Any]) -> SandboxBook:
        numeraire = _asset(raw["numeraire"], "numeraire")
        components = tuple(_asset(one, f"components ({n})") for n, one in enumerate(raw["components"], 1))
        if [one.number for one in (numeraire, *components)] != list(range(1 + len(components))):
            raise ValueError("number: expected 0 for the numeraire, and 1, 2, ... for the components in their order")
        return cls(
            chain_id=int(raw["chain_id"]),
            first_block=int(raw["first_block"]),
            operator=checked_address(raw["operator"], "operator"),
            market=checked_address(raw["market"], "market"),
            factory=checked_address(raw["factory"], "factory"),
            router=checked_address(raw["router"], "router"),
            numeraire=numeraire,
            components=components,
            heartbeat=int(raw["heartbeat"]),
            max_age=int(raw["max_age"]),
            fund_file=str(raw["fund_file"]),
            fund_book=str(raw["fund_book"]),
        )


def sandbox_path(fund_book: Path) -> Path:
    """The path of the book of the sandbox around a fund: beside the fund's."""
    return fund_book.with_name(f"{fund_book.stem}-sandbox.json")


def _asset(raw: dict[str, Any], where: str) -> SandboxAsset:
    try:
        pair = raw["pair"]
        return SandboxAsset(
            number=int(raw["number"]),
            symbol=str(raw["symbol"]),
            token=checked_address(raw["token"], "token"),
            decimals=int(raw["decimals"]),
            feed=checked_address(raw["feed"], "feed"),
            pair="" if pair == "" else checked_address(pair, "pair"),
        )
    except KeyError as error:
        raise ValueError(f"{where}: field {error} is missing") from None
    except (TypeError, ValueError) as error:
        raise ValueError(f"{where}: {error}") from None
