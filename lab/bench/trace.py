"""Breaks a transaction's gas down by its call tree, with calls of the same kind added up."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lab.localnet.rpc import Rpc


@dataclass
class Node:
    """Calls of one kind under the same parent. Gas includes the calls below."""

    label: str
    count: int = 0
    gas: int = 0
    below: dict[str, Node] = field(default_factory=dict)

    @property
    def own(self) -> int:
        """Gas without the calls below."""
        return self.gas - sum(node.gas for node in self.below.values())


def add_up(call: dict[str, Any], names: dict[str, str], into: Node | None = None) -> Node:
    """The tree of a `callTracer` frame. `names`: function by selector."""
    label = _label(call, names)
    node = into or Node(label)
    node.count += 1
    node.gas += int(call["gasUsed"], 16)
    for inner in call.get("calls", ()):
        name = _label(inner, names)
        add_up(inner, names, node.below.setdefault(name, Node(name)))
    return node


def _label(call: dict[str, Any], names: dict[str, str]) -> str:
    kind = str(call["type"])
    if kind.startswith("CREATE"):
        return kind.lower()
    selector = str(call["input"])[:10]
    return f"{kind.lower()} {names.get(selector, selector)}"


def lines_of(node: Node, depth: int = 0) -> list[str]:
    """The tree as text: gas, gas without the calls below, count, call."""
    lines = [f"{node.gas:>12,} {node.own:>12,} {node.count:>5} {'  ' * depth}{node.label}"]
    for inner in sorted(node.below.values(), key=lambda below: -below.gas):
        lines += lines_of(inner, depth + 1)
    return lines


def tree_of(rpc: Rpc, digest: str, names: dict[str, str]) -> list[str]:
    """The tree of a mined transaction as text."""
    frame = rpc.request("debug_traceTransaction", digest, {"tracer": "callTracer"})
    return lines_of(add_up(frame, names))


def write(path: Path, n: int, trees: dict[str, list[str]]) -> None:
    """Writes trees, by operation, to a text file."""
    header = f"{'gas':>12} {'own':>12} {'calls':>5}"
    blocks = [f"{op}, {n} components\n" + "\n".join([header, *tree]) + "\n" for op, tree in trees.items()]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(blocks), encoding="utf-8")
