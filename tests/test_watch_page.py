"""The page of `antspy top --web`, in a real browser, on a program with traffic."""

import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from antspy import __version__

if not hasattr(socket, "AF_UNIX"):
    pytest.skip("needs Unix sockets", allow_module_level=True)

from antspy.watch.client import Client
from browser_support import Browser, find_browser
from support import COMPLETE

pytestmark = [
    pytest.mark.skipif(not COMPLETE, reason="the page is the same on each Python"),
    pytest.mark.skipif(find_browser() is None, reason="no Chromium here: tools/browser.py says why"),
    pytest.mark.timeout(120),
]

NAME = "<img src=x onerror=alert(1)>"
"""Of a pool, and of a task: a page that took it for HTML would say so in a dialog."""

PROGRAM = """
import sys, threading, antspy

entered = threading.Semaphore(0)

def hang(stop):
    entered.release()
    stop.wait()

def traffic(pool, stop):
    while not stop.wait(0.001):
        pool.go(stop.wait, 0.002)

stop = threading.Event()
with antspy.serve_stats({path!r}), antspy.Pool(2, queue_size=3, thread_name_prefix={name!r}) as still:
    moving = antspy.Pool(4, thread_name_prefix="moving", exception_handler=lambda error: None)
    for number in range(5):
        still.options(name={name!r}).go(hang, stop)
    for _ in range(2):
        entered.acquire()
    moving.go(lambda: 1 / 0)
    moving.wait(5)
    feeder = threading.Thread(target=traffic, args=(moving, stop))
    feeder.start()
    print("ready", flush=True)
    sys.stdin.readline()
    stop.set()
    feeder.join()
    moving.release(5)
"""


COLOURS = ("back", "card", "text", "dim", "one", "two", "warn", "bad")
"""Of page.css."""


class Scene:
    """A program, the page of it, and a browser that has it open."""

    def __init__(self, path: Path, stack: ExitStack) -> None:
        self.path = path
        self._stack = stack
        self.program = self.start()
        self._viewer = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "antspy",
                "top",
                str(path),
                "--web",
                "0",
                "--interval",
                "0.2",
                "--stuck",
                "0.5",
            ],
            stdout=subprocess.PIPE,
            text=True,
        )
        stack.callback(self.end_viewer)
        assert self._viewer.stdout is not None
        found = re.search(r"http://\S+", self._viewer.stdout.readline())
        assert found
        self.browser = stack.enter_context(Browser())
        self.browser.open(found[0])
        self.browser.wait("document.querySelectorAll('#pools tbody tr').length === 2")

    def start(self) -> "subprocess.Popen[str]":
        program = subprocess.Popen(
            [sys.executable, "-c", PROGRAM.format(path=str(self.path), name=NAME)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._stack.callback(end, program)
        assert program.stdout is not None
        assert program.stdout.readline() == "ready\n"
        return program

    def end_viewer(self) -> None:
        assert self._viewer.stdout is not None
        self._viewer.kill()
        self._viewer.wait()
        self._viewer.stdout.close()

    def cell(self, pool: int, field: str) -> str:
        return self.browser.text(f"#pools tbody tr:nth-child({pool}) [data-field={field}]")


def end(program: "subprocess.Popen[str]") -> None:
    """Kill it; a second time nothing happens."""
    program.kill()
    program.wait()
    for stream in (program.stdin, program.stdout):
        assert stream is not None
        stream.close()


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    with ExitStack() as stack:
        yield Scene(tmp_path / "stats", stack)


def test_the_page_shows_what_the_document_says(scene: Scene) -> None:
    browser = scene.browser
    # The first look has no rate.
    browser.wait("document.querySelector('#pools tbody [data-field=rate]').textContent === '0.0'")
    document = Client(str(scene.path)).ask()
    still, _ = (pool for pool in document["pools"] if pool["submitted"])
    assert still["name"] == NAME
    for field, name in {"busy": "busy", "idle": "idle", "queued": "queued", "blocked": "waiting"}.items():
        assert scene.cell(1, field) == str(still[name]), field
    assert (scene.cell(1, "name"), scene.cell(1, "limit"), scene.cell(1, "rate")) == (NAME, "2", "0.0")
    assert (scene.cell(2, "name"), scene.cell(2, "limit"), scene.cell(2, "failed")) == ("moving", "4", "1")
    browser.wait(
        "document.querySelector('#pools tbody tr:nth-child(2) [data-field=rate]').textContent > '0.0'"
    )
    assert re.fullmatch(r"[\d.]+ (ns|µs|ms)", scene.cell(2, "run_p99"))
    process = browser.text("#process")
    assert process.startswith(
        f"pid {scene.program.pid} · Python {sys.version.split()[0]} · antspy {__version__} · "
    )

    # Names are text.
    tasks = "[...document.querySelectorAll('#tasks tbody tr')].map(row => row.innerText)"
    shown = browser.value(tasks)
    assert sum(NAME in row for row in shown) == 2
    browser.wait(f"{tasks}.filter(row => row.includes('stuck?')).length === 2")
    assert browser.value("document.querySelectorAll('img').length") == 0
    assert browser.messages == []


def test_the_plots_have_what_came_in_the_last_minutes(scene: Scene) -> None:
    browser = scene.browser
    for field in ("rate", "queue_p50", "queue_p99", "busy", "limit"):
        # At least three points: one begins the line, others go on from it.
        line = f"document.querySelectorAll('path[data-field={field}]')[1].getAttribute('d')"
        browser.wait(f"{line}.split('L').length > 3")
    labels = browser.value("[...document.querySelectorAll('svg')].map(svg => svg.getAttribute('aria-label'))")
    assert len(labels) == 6
    assert re.fullmatch(r"Workers, last 1 min: busy 2, limit 2", labels[2])
    assert re.fullmatch(r"Tasks a second, last 1 min: ended [\d.,k]+", labels[3])
    assert re.fullmatch(
        r"Time in the queue, last 1 min: p50 [\d.]+ (ns|µs|ms), p99 [\d.]+ (ns|µs|ms)", labels[4]
    )
    # The busy workers of the first, 2 of 2, are drawn as high as their limit.
    height = "document.querySelector('path[data-field={}]').getAttribute('d').split(' ')[1]"
    busy, limit = (browser.value(height.format(field)) for field in ("busy", "limit"))
    assert busy == limit
    # A line marks the moment that is pointed at.
    assert browser.value("document.querySelectorAll('line.cursor').length") == 0
    x, y = browser.value(
        "(({x, y}) => [x + 200, y + 20])(document.querySelector('svg').getBoundingClientRect())"
    )
    browser.call("Input.dispatchMouseEvent", type="mouseMoved", x=x, y=y)
    browser.wait("document.querySelectorAll('line.cursor').length === 1")
    assert browser.messages == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 360])
def test_the_page_fits_and_can_be_read(scene: Scene, width: int, scheme: str) -> None:
    browser = scene.browser
    browser.resize(width, 800, scheme)
    browser.wait("document.querySelectorAll('svg text').length > 20")
    assert browser.value("document.documentElement.scrollWidth <= innerWidth")
    assert (
        browser.value("Math.min(...[...document.querySelectorAll('svg')].map(it => it.clientWidth))") >= 250
    )
    luminance = """(name) => {
        const probe = document.body.appendChild(document.createElement("i"));
        probe.style.color = `var(${name})`;
        const parts = getComputedStyle(probe).color.match(/\\d+/g).slice(0, 3).map((part) => part / 255);
        probe.remove();
        const linear = (part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4);
        const [r, g, b] = parts.map(linear);
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    }"""
    shades = {name: browser.value(f"({luminance})('--{name}')") for name in COLOURS}
    assert (shades["back"] > shades["text"]) == (scheme == "light")
    for name in set(COLOURS) - {"back", "card"}:
        for behind in ("back", "card"):
            light, dark = sorted((shades[name], shades[behind]), reverse=True)
            assert (light + 0.05) / (dark + 0.05) >= 4.5, (name, behind)  # WCAG's AA for text


def test_stacks_come_on_a_click(scene: Scene) -> None:
    browser = scene.browser
    assert browser.value("document.querySelectorAll('#stacks article').length") == 0
    browser.value("document.querySelector('#ask').click()")
    browser.wait("document.querySelectorAll('#stacks article').length >= 2")
    assert browser.text("#stacks h3 [data-field=name]") == NAME
    assert "in hang" in browser.text("#stacks pre")
    assert browser.messages == []


def test_a_banner_says_that_the_process_is_gone_until_it_is_back(scene: Scene) -> None:
    browser = scene.browser
    assert browser.value("document.querySelector('#banner').hidden")
    end(scene.program)
    browser.wait("!document.querySelector('#banner').hidden")
    assert browser.text("#banner").startswith(
        f"The process does not answer ({scene.path}: Connection refused)"
    )
    assert scene.cell(1, "name") == NAME  # what was there last is still to be seen
    again = scene.start()
    browser.wait("document.querySelector('#banner').hidden")
    assert browser.text("#process").startswith(f"pid {again.pid} · ")
    assert browser.messages == []
    scene.end_viewer()
    browser.wait("!document.querySelector('#banner').hidden")
    assert browser.text("#banner").startswith("antspy top does not answer.")
