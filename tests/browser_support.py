"""Chromium without a window, driven through two pipes by its DevTools protocol: nothing else is needed."""

import base64
import fcntl
import json
import os
import select
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from support import LIMIT

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
OPTIONS = (
    *("--headless", "--remote-debugging-pipe", "--no-first-run", "--no-default-browser-check"),
    *("--disable-gpu", "--disable-dev-shm-usage", "--disable-extensions", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync", "--disable-default-apps", "--mute-audio"),
)
PLACE = (
    "import os, sys; _, there, back, *command = sys.argv; "
    "os.dup2(int(there), 3); os.dup2(int(back), 4); os.execvp(command[0], command)"
)
"""Puts the pipes where Chromium looks for them."""


def find_browser() -> str | None:
    """Return the path of Chromium or Chrome; `ANTSPY_BROWSER` names another."""
    names = [named] if (named := os.environ.get("ANTSPY_BROWSER")) else NAMES
    return next((path for name in names if (path := shutil.which(name))), None)


class Browser:
    """One page in a browser of its own."""

    def __init__(self, width: int = 1280, height: int = 900, scheme: str = "light") -> None:
        path = find_browser()
        assert path is not None
        self._folder = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        there, self._to = pipe()
        self._from, back = pipe()
        root = ["--no-sandbox"] if os.geteuid() == 0 else []
        command = [path, *OPTIONS, *root, f"--user-data-dir={self._folder.name}", "about:blank"]
        self._log = Path(self._folder.name, "log").open("w+")  # noqa: SIM115  # closed by `close`
        self._process = subprocess.Popen(
            [sys.executable, "-c", PLACE, str(there), str(back), *command],
            pass_fds=(there, back),
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=self._log,
            env={**os.environ, "HOME": self._folder.name},
        )
        os.close(there)
        os.close(back)
        self._read = b""
        self._number = 0
        self._session: str | None = None
        self.messages: list[str] = []
        """What came to the console as a warning or an error, and exceptions that nobody caught."""
        try:
            self._begin(width, height, scheme)
        except BaseException:
            self.close()
            raise

    def _begin(self, width: int, height: int, scheme: str) -> None:
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log"):
            self.call(f"{domain}.enable")
        self.resize(width, height, scheme)

    def resize(self, width: int, height: int, scheme: str = "light") -> None:
        self.call(
            "Emulation.setDeviceMetricsOverride",
            **{"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False},
        )
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        self.call("Emulation.setEmulatedMedia", features=features)

    def open(self, url: str) -> None:
        assert "errorText" not in (answer := self.call("Page.navigate", url=url)), answer

    def value(self, expression: str) -> Any:
        """Return what an expression of JavaScript comes to; a promise is waited for."""
        terms = {"expression": expression, "returnByValue": True, "awaitPromise": True}
        answer = self.call("Runtime.evaluate", **terms)
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def text(self, selector: str) -> str:
        """Return the text of the first such element."""
        return str(self.value(f"document.querySelector({json.dumps(selector)}).textContent"))

    def wait(self, expression: str, limit: float = LIMIT) -> Any:
        """Wait until an expression is true, and return its value."""
        deadline = time.monotonic() + limit
        while not (value := self.value(expression)):
            assert time.monotonic() < deadline, f"not within {limit} s: {expression}; {self.messages}"
            time.sleep(0.02)
        return value

    def picture(self, path: Path) -> None:
        """Write all of the page as PNG."""
        answer = self.call("Page.captureScreenshot", captureBeyondViewport=True)
        path.write_bytes(base64.b64decode(answer["data"]))

    def call(self, method: str, **terms: Any) -> dict[str, Any]:
        number = self._send(method, **terms)
        deadline = time.monotonic() + LIMIT
        while True:
            answer = self._receive(deadline)
            if answer.get("id") == number:
                assert "error" not in answer, (method, answer["error"])
                return dict(answer["result"])
            self._note(answer)

    def _send(self, method: str, **terms: Any) -> int:
        self._number += 1
        message: dict[str, Any] = {"id": self._number, "method": method, "params": terms}
        if self._session is not None:
            message["sessionId"] = self._session
        os.write(self._to, json.dumps(message).encode() + b"\0")
        return self._number

    def _receive(self, deadline: float) -> dict[str, Any]:
        while b"\0" not in self._read:
            ready, _, _ = select.select([self._from], [], [], max(0.0, deadline - time.monotonic()))
            got = os.read(self._from, 1 << 20) if ready else b""
            assert got, f"the browser {'has ended' if ready else 'does not answer'}: {self._said()}"
            self._read += got
        message, _, self._read = self._read.partition(b"\0")
        return dict(json.loads(message))

    def _note(self, event: dict[str, Any]) -> None:
        terms = event.get("params", {})
        if event.get("method") == "Runtime.exceptionThrown":
            self.messages.append(str(terms["exceptionDetails"]))
        elif event.get("method") == "Runtime.consoleAPICalled" and terms["type"] in (
            "error",
            "warning",
            "assert",
        ):
            self.messages.append(str(terms["args"]))
        elif event.get("method") == "Log.entryAdded" and terms["entry"]["level"] in ("error", "warning"):
            self.messages.append(str(terms["entry"]))
        elif event.get("method") == "Page.javascriptDialogOpening":
            self.messages.append(f"a dialog: {terms['message']}")
            self._send("Page.handleJavaScriptDialog", accept=True)

    def _said(self) -> str:
        self._log.seek(0)
        return self._log.read()

    def close(self) -> None:
        os.close(self._to)  # which ends it
        try:
            self._process.wait(LIMIT)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        os.close(self._from)
        self._log.close()
        self._folder.cleanup()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def pipe() -> tuple[int, int]:
    """Return a pipe whose ends are neither 3 nor 4."""
    ends = os.pipe()
    moved = [fcntl.fcntl(end, fcntl.F_DUPFD_CLOEXEC, 10) for end in ends]
    for end in ends:
        os.close(end)
    return moved[0], moved[1]
