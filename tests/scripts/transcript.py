"""What commands wrote, as a document: real output, with what differs from run to run left out or numbered."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Mapping
from dataclasses import dataclass, field

ID = re.compile(r"0x[0-9a-f]{64}")
ADDRESS = re.compile(r"0x[0-9a-fA-F]{40}")
OPERATION = re.compile(r"(?<!\w)0x[0-9a-f]{8}(?!\w)")
TRANSACTION = re.compile(r"^(transaction )?(https://\S+/tx/)?0x[0-9a-f]{64}(, [\d,]+ gas)?$\n?", re.M)
OMITTED = "..."
WIDTH = 120


@dataclass
class Transcript:
    """Sections of prose and commands. `names`: words for accounts and paths.

    Left out: numbers of blocks, the time of the day, transactions, digits of addresses, how much of a month was not
    traded. Operations are numbered.
    """

    names: Mapping[str, str]
    lines: list[str] = field(default_factory=list)
    _operations: dict[str, str] = field(default_factory=dict)
    _open: bool = False

    def say(self, *lines: str) -> None:
        """Prose, a paragraph each."""
        self._close()
        for line in lines:
            self.lines += [*textwrap.wrap(line, WIDTH), ""]

    def ran(self, command: str, shown: str, tail: int | None = None) -> None:
        """A command with what it showed: all lines, or only the last so many."""
        if not self._open:
            self.lines.append("```")
            self._open = True
        found = [line.rstrip() for line in self.plain(shown).splitlines() if line.strip()]
        if tail is not None and tail < len(found):
            found = [OMITTED, *found[-tail:]]
        self.lines += [f"$ {self.plain(command)}", *found]

    def plain(self, text: str) -> str:
        """A text without what differs from run to run."""
        for known, name in self.names.items():
            text = text.replace(known, name)
        text = TRANSACTION.sub("", text)
        text = re.sub(r"^  id 0x.*\n?", "", text, flags=re.M)
        text = ID.sub(lambda match: self._operation(match[0][:10]), text)
        text = ADDRESS.sub(lambda match: f"{match[0][:6]}...", text)
        text = OPERATION.sub(lambda match: self._operation(match[0]), text)
        text = re.sub(r"(\d{4}-\d\d-\d\d) \d\d:\d\d(:\d\d)?( UTC)?", r"\1", text)
        text = re.sub(r"\d+\.\d+ %( of NAV is not sold| not\b)", r"N %\1", text)
        return re.sub(r"block \d+", "block N", text)

    def _operation(self, key: str) -> str:
        return self._operations.setdefault(key, f"ID-{len(self._operations) + 1}")

    def _close(self) -> None:
        if self._open:
            self.lines += ["```", ""]
            self._open = False

    def text(self) -> str:
        """The whole document."""
        self._close()
        return "\n".join(self.lines).rstrip() + "\n"
