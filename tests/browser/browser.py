"""A headless Chromium, driven over the DevTools protocol: what it is asked for, shows and complains of."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import websockets.sync.client
import websockets.sync.connection

from lab.localnet.anvil import dies_with_parent, stop

NAMES = ("chromium", "chromium-browser", "google-chrome")
FLAGS = (
    "--headless=new",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--no-default-browser-check",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-extensions",
    "--disable-sync",
    "--force-color-profile=srgb",
    "--hide-scrollbars",
    # Whatever it might still want from outside stays here: nothing but this machine has a name.
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
)
WAIT_S = 60.0


def executable() -> str | None:
    """Where Chromium is, None if there is none. CHROMIUM names one."""
    named = os.environ.get("CHROMIUM")
    return named or next(filter(None, map(shutil.which, NAMES)), None)


@contextlib.contextmanager
def chromium(path: str, folder: Path) -> Iterator[Browser]:
    """A browser of its own with a profile in `folder`, until the block ends."""
    flags = [*FLAGS, *(["--no-sandbox"] if os.geteuid() == 0 else []), f"--user-data-dir={folder / 'profile'}"]
    with (folder / "chromium.log").open("wb") as log:
        process = subprocess.Popen(
            [path, *flags, "--remote-debugging-port=0", "about:blank"],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            preexec_fn=dies_with_parent(),  # noqa: PLW1509 (it must run in the child)
        )
        try:
            said = folder / "profile" / "DevToolsActivePort"
            until(lambda: said.exists() and said.read_text().count("\n") == 1, f"no browser: see {folder}/chromium.log")
            port, where = said.read_text().split("\n")
            with websockets.sync.client.connect(
                f"ws://127.0.0.1:{port}{where}", max_size=2**27, open_timeout=WAIT_S, proxy=None
            ) as socket:
                yield Browser(socket)
        finally:
            stop(process)


def until(reached: Callable[[], Any], message: str | Callable[[], str]) -> Any:
    """The first answer that holds; fails with the message if there is none in time."""
    end = time.monotonic() + WAIT_S
    while time.monotonic() < end:
        found = reached()
        if found:
            return found
        time.sleep(0.05)
    raise AssertionError(message if isinstance(message, str) else message())


@dataclass
class Browser:
    """One connection for the browser and all its tabs."""

    socket: websockets.sync.connection.Connection
    tabs: dict[str, Tab] = field(default_factory=dict)
    _number: int = 0

    def call(self, method: str, session: str | None = None, **parameters: Any) -> dict[str, Any]:
        """A command's answer; what happens meanwhile goes to the tabs."""
        self._number += 1
        message: dict[str, Any] = {"id": self._number, "method": method, "params": parameters}
        if session is not None:
            message["sessionId"] = session
        self.socket.send(json.dumps(message))
        while True:
            answer = json.loads(self.socket.recv(timeout=WAIT_S))
            if answer.get("id") == self._number:
                assert "error" not in answer, f"{method}: {answer['error']}"
                result: dict[str, Any] = answer["result"]
                return result
            if answer.get("sessionId") in self.tabs:
                self.tabs[answer["sessionId"]].happened(answer["method"], answer["params"])

    @contextlib.contextmanager
    def tab(self, url: str, width: int = 1280, height: int = 900, *, dark: bool = False) -> Iterator[Tab]:
        """A page at a width, light or dark, until the block ends."""
        context = self.call("Target.createBrowserContext")["browserContextId"]
        target = self.call("Target.createTarget", url="about:blank", browserContextId=context)["targetId"]
        session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        found = self.tabs[session] = Tab(self, session)
        for domain in ("Page", "Runtime", "Log", "Network"):
            found.call(f"{domain}.enable")
        found.resize(width, height)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        found.call("Emulation.setEmulatedMedia", features=[scheme])
        found.call("Page.navigate", url=url)
        try:
            found.until("document.readyState === 'complete'")
            yield found
        finally:
            del self.tabs[session]
            self.call("Target.closeTarget", targetId=target)
            self.call("Target.disposeBrowserContext", browserContextId=context)


@dataclass
class Tab:
    """A page. `requests` are the URLs it asked for, `complaints` what went wrong in it or was refused to it."""

    browser: Browser
    session: str
    requests: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)
    loads: int = 0

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        return self.browser.call(method, self.session, **parameters)

    def happened(self, method: str, parameters: dict[str, Any]) -> None:
        match method:
            case "Network.requestWillBeSent":
                self.requests.append(parameters["request"]["url"])
            case "Page.loadEventFired":
                self.loads += 1
            case "Runtime.exceptionThrown":
                self.complaints.append(json.dumps(parameters["exceptionDetails"])[:500])
            case "Runtime.consoleAPICalled" if parameters["type"] in ("error", "warning", "assert"):
                self.complaints.append(json.dumps(parameters["args"])[:500])
            case "Log.entryAdded" if parameters["entry"]["level"] in ("error", "warning"):
                self.complaints.append(json.dumps(parameters["entry"])[:500])

    def run(self, expression: str) -> Any:
        """The value of an expression in the page; it must be JSON."""
        answer = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def text(self, selector: str) -> str:
        """What the first such element says."""
        return str(self.run(f"document.querySelector({json.dumps(selector)})?.textContent ?? ''"))

    def until(self, expression: str) -> Any:
        """The expression's value once it holds."""
        return until(
            lambda: self.run(expression), lambda: f"never: {expression}; {self.complaints}; {self.text('main')}"
        )

    def resize(self, width: int, height: int) -> None:
        """Sets the window's inner size."""
        self.call(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 600
        )

    def screenshot(self, path: Path) -> None:
        """The whole page as it stands, as PNG."""
        size = self.call("Page.getLayoutMetrics")["cssContentSize"]
        clip = {"x": 0, "y": 0, "width": size["width"], "height": size["height"], "scale": 1}
        found = self.call("Page.captureScreenshot", format="png", captureBeyondViewport=True, clip=clip)
        path.write_bytes(base64.b64decode(found["data"]))
