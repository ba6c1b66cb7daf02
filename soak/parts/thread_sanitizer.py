"""The core's tests on real threads, watched by ThreadSanitizer.

The standard library is built anew for it: what is not watched itself would look like a race.
"""

import os
import re
import shutil
import subprocess
from pathlib import Path

from part import Account, Amount, Part

from .machine import ROOT


def rustc(*arguments: str) -> str:
    return subprocess.run(["rustc", *arguments], cwd=ROOT, capture_output=True, text=True, check=True).stdout


def run(amount: int) -> Account:
    """Run all of them `amount` times."""
    host = re.search("host: (.*)", rustc("-vV"))
    assert host is not None
    command = ["cargo", "test", "--locked", "--no-default-features", "--test", "core"]
    command += ["-Zbuild-std", "--target", host[1]]
    settings = {
        "RUSTC_BOOTSTRAP": "1",  # a stable compiler has it, too
        "RUSTFLAGS": "-Zsanitizer=thread",
        "CARGO_TARGET_DIR": "target/thread_sanitizer",
        "TSAN_OPTIONS": "halt_on_error=1",
    }
    account = Account()
    for _ in range(amount):
        tests = subprocess.run(
            command,
            cwd=ROOT,
            env={**os.environ, **settings},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        passed = re.search(r"(\d+) passed", tests.stdout)
        if tests.returncode or passed is None:
            account.problems.append(f"a race, or a test that fails:\n{tests.stdout[-3000:]}")
            break
        account.rounds += int(passed[1])
    return account


def missing() -> str | None:
    if not shutil.which("cargo"):
        return "there is no cargo"
    library = Path(rustc("--print", "sysroot").strip(), "lib/rustlib/src/rust/library/std")
    if not library.is_dir():
        return "this Rust toolchain has no source of the standard library (rustup component add rust-src)"
    return None


THREAD_SANITIZER = Part(
    "thread_sanitizer",
    "the core's tests on real threads under ThreadSanitizer; a round is a test",
    Amount(short=0, long=5),
    run,
    minutes=30,
    missing=missing,
)
