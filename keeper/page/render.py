"""The page as one self-contained HTML document, and the headers that enforce this."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from importlib import resources

SCRIPTS = ("basics.js", "plots.js", "page.js")

JSON_HEADERS = (
    ("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
)


@dataclass(frozen=True)
class Document:
    """The HTML, and the headers to send with it."""

    body: bytes
    headers: tuple[tuple[str, str], ...]


def document() -> Document:
    """Assembles the page from the files beside this module."""
    style = _file("page.css")
    script = '(() => {\n"use strict";\n' + "\n".join(map(_file, SCRIPTS)) + "})();\n"
    html = _file("page.html").replace("{{style}}", style).replace("{{script}}", script)
    policy = "; ".join(
        (
            "default-src 'none'",
            f"script-src '{_hash(script)}'",
            f"style-src '{_hash(style)}'",
            "connect-src 'self'",
            "img-src data:",
            "base-uri 'none'",
            "form-action 'none'",
            "frame-ancestors 'none'",
            # The page never makes HTML or code from text; this makes the browser enforce it.
            "require-trusted-types-for 'script'",
            "trusted-types 'none'",
        )
    )
    headers = (
        ("Content-Security-Policy", policy),
        ("Cross-Origin-Resource-Policy", "same-origin"),
        ("Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=(), usb=()"),
        ("X-Frame-Options", "DENY"),
    )
    return Document(html.encode(), headers)


def _file(name: str) -> str:
    return resources.files("keeper.page").joinpath(name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
