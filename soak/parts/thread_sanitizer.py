"""The core's tests on real threads, watched by ThreadSanitizer.

The standard library is built anew for it: what is not watched itself would look like a race.
"""

import re
import shutil
import subprocess
from pathlib import Path

from part import ROOT, Account, Amount, Part, run_tests


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
        account.rounds += run_tests(command, settings, account)
        if not account.is_clean:
            break
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
