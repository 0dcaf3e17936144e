"""The second line of defence against secrets in output: removes every known secret from every text.

The first is that no message contains them. But libraries and nodes put URLs into their errors, and a URL may contain a
key.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator
from typing import Final
from urllib.parse import parse_qsl, quote, unquote, urlsplit

MARK: Final = "[secret]"
SHORTEST: Final = 6
"""Characters. A shorter secret is not one worth protecting, and removing it would garble every text."""

_HEX_KEY = re.compile("(?:0x)?([0-9a-fA-F]{64})")
_USER = re.compile(r"(?<=://)[^\s/@'\"]+:[^\s/@'\"]*@")
"""User and password in any URL, known or not."""


class Redactor:
    """Collects secrets and removes them from texts."""

    def __init__(self) -> None:
        self._known: set[str] = set()
        self._pattern: re.Pattern[str] | None = None

    def learn(self, *secrets: str) -> None:
        """Adds secrets. Of URLs (several separated by commas or white space) it adds the parts that may be secret: user
        and password, path, query."""
        for secret in secrets:
            found = _of_urls(secret) if "://" in secret else _forms(secret.strip())
            self._known.update(form for form in found if len(form) >= SHORTEST)
        longest_first = sorted(self._known, key=lambda form: (-len(form), form))
        self._pattern = re.compile("|".join(map(re.escape, longest_first)), re.IGNORECASE) if longest_first else None

    def clean(self, text: str) -> str:
        """The text with every secret replaced by `MARK`."""
        known = self._pattern.sub(MARK, text) if self._pattern is not None else text
        return _USER.sub(MARK + "@", known)


def _forms(secret: str) -> Iterator[str]:
    """The encodings in which a secret may appear."""
    yield from (secret, json.dumps(secret)[1:-1], repr(secret)[1:-1], quote(secret, safe=""), unquote(secret))
    key = _HEX_KEY.fullmatch(secret)
    if key is not None:
        digits = key.group(1)
        yield from (digits, str(int(digits, 16)), repr(bytes.fromhex(digits))[2:-1])


def _of_urls(urls: str) -> Iterator[str]:
    for url in re.split(r"[,\s]+", urls.strip()):
        yield from _of_url(url)


def _of_url(url: str) -> Iterator[str]:
    """The parts of a URL that may be secret. The host of a node is not: people need it to tell nodes apart."""
    try:
        parts = urlsplit(url)
    except ValueError:
        yield url
        return
    if parts.scheme not in ("http", "https"):
        # In other schemes (of alerts) every part may be a token.
        for part in (parts.netloc, *re.split("[:@/]", parts.netloc + parts.path)):
            yield from _forms(part)
    if parts.username is not None or parts.password is not None:
        pair = parts.netloc.rpartition("@")[0]
        yield from _forms(pair)
        yield from _forms(parts.password or "")
        for written in (pair, unquote(pair)):
            # As in an Authorization header.
            yield base64.b64encode(written.encode()).decode()
        yield from _forms(parts.username or "") if _like_a_key(parts.username or "") else ()
    rest = parts.path + ("?" + parts.query if parts.query else "")
    if 1 < len(rest) < SHORTEST:
        yield parts.netloc.rpartition("@")[2] + rest
    for whole in (rest, parts.path, parts.path.rstrip("/"), parts.query):
        yield from _forms(whole)
    for _, value in parse_qsl(parts.query):
        yield from _forms(value)
    for part in re.split("[/&=;?]", rest):
        if _like_a_key(part):
            yield from _forms(part)


def _like_a_key(part: str) -> bool:
    """Whether a part of a path looks like a key, unlike words such as `v2` or `mainnet`."""
    return len(part) >= 16 or (len(part) >= 8 and any(letter.isdigit() for letter in part))


_HERE = Redactor()
"""The redactor of this process."""


def learn(*secrets: str) -> None:
    """Makes `clean` remove these secrets in this process."""
    _HERE.learn(*secrets)


def clean(text: str) -> str:
    """The text without any secret that this process knows."""
    return _HERE.clean(text)
