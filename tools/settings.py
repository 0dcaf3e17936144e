"""Writes .env.example and the tables of docs/operations/settings.md and docs/sandbox-market.md: `python -m
tools.settings`. The descriptions are those of keeper/settings.py and sandbox/settings.py."""

from __future__ import annotations

import re
import textwrap

from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings

from ballast.build import ROOT
from ballast.marked import filled
from keeper.settings import PREFIX, Secrets, Settings
from sandbox.settings import MarketSecrets, MarketSettings

EXAMPLE = ROOT / ".env.example"
MANUAL = ROOT / "docs" / "operations" / "settings.md"
MARKET_MANUAL = ROOT / "docs" / "sandbox-market.md"

WIDTH = 120
HEAD = "# The keeper's configuration: copy to .env and fill in. Variables of the environment win over this file."
BEGIN = "<!-- settings: written by tools/settings.py -->"
END = "<!-- end of settings -->"


def example() -> str:
    """The text of .env.example: every variable with its description; set to its field's example if it has one, else
    commented out at its default."""
    lines = [HEAD, ""]
    for title, kind in (("Secret: never commit, never share", Secrets), ("Public", Settings)):
        lines += [f"# --- {title} ".ljust(WIDTH, "-"), ""]
        for name, field in kind.model_fields.items():
            text = _description(field).replace("`", "")
            lines += textwrap.wrap(text, WIDTH, initial_indent="# ", subsequent_indent="# ", break_on_hyphens=False)
            sample = field.examples[0] if field.examples else None
            lines += [f"#{_variable(name)}={_default(field)}" if sample is None else f"{_variable(name)}={sample}", ""]
    return "\n".join(lines[:-1]) + "\n"


def manual(text: str) -> str:
    """The text of the manual's page with its tables up to date. Raises ValueError without the marks."""
    return filled(text, BEGIN, END, f"{_secrets()}\n\n{_settings()}")


def market_manual(text: str) -> str:
    """The same for the page about a sandbox's market."""
    return filled(text, BEGIN, END, f"{_secrets(MarketSecrets)}\n\n{_settings(MarketSettings)}")


def _secrets(kind: type[BaseSettings] = Secrets) -> str:
    rows = [f"| `{_variable(name)}` | {_in_manual(field)} |" for name, field in kind.model_fields.items()]
    return "\n".join(["| secret | what it is |", "|---|---|", *rows])


def _settings(kind: type[BaseSettings] = Settings) -> str:
    rows = [
        f"| `{_variable(name)}` | {_default(field)} | {_in_manual(field)} |".replace("|  |", "| |")
        for name, field in kind.model_fields.items()
    ]
    return "\n".join(["| public | default | what it is |", "|---|---|---|", *rows])


def _variable(name: str) -> str:
    return PREFIX + name.upper()


def _default(field: FieldInfo) -> str:
    """The default as a user would write it; empty where there is none."""
    if field.is_required() or field.default is None:
        return ""
    return f"{field.default:g}" if isinstance(field.default, float) else str(field.default)


def _description(field: FieldInfo) -> str:
    """The description in one line. Raises ValueError for a field without one."""
    if field.description is None:
        raise ValueError("a setting without a description: its docstring says what it is")
    return " ".join(field.description.split())


def _in_manual(field: FieldInfo) -> str:
    """The description for the manual: variables set off, and links to the manual's pages, relative to them."""
    text = re.sub(rf"(?<!`)\b({PREFIX}[A-Z_]+|AWS_[A-Z_]+)\b", r"`\1`", _description(field))
    return re.sub(r"docs/operations/([a-z-]+\.md)", r"[\1](\1)", text)


def main() -> None:
    """Writes the files."""
    EXAMPLE.write_text(example(), encoding="utf-8")
    MARKET_MANUAL.write_text(market_manual(MARKET_MANUAL.read_text(encoding="utf-8")), encoding="utf-8")
    MANUAL.write_text(manual(MANUAL.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
