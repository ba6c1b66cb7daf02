"""Find Chromium for the tests in a browser, and on a new machine of CI install it, where that can be done.

Elsewhere it says that these tests are skipped: nobody's machine gets a browser by `make test`.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from browser_support import find_browser

PATIENCE = 240.0
"""Seconds that its installation may take."""


def install() -> str:
    """Install Debian's package; return why that cannot be done, or "" if it was."""
    if not os.environ.get("CI"):
        return "no Chromium here"
    if shutil.which("apt-get") is None or os.geteuid() != 0:
        return "no Chromium here, nor a right to install one"
    quiet = {"stdout": subprocess.DEVNULL, "timeout": PATIENCE, "check": True}
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    try:
        subprocess.run(["apt-get", "update", "--quiet=2"], env=environment, **quiet)  # type: ignore[call-overload]
        packages = ["chromium", "fonts-dejavu-core"]
        command = ["apt-get", "install", "--quiet=2", "--yes", "--no-install-recommends", *packages]
        subprocess.run(command, env=environment, **quiet)  # type: ignore[call-overload]
    except (OSError, subprocess.SubprocessError) as error:
        return f"Chromium cannot be installed: {error}"
    return ""


def main() -> None:
    reason = "" if find_browser() else install()
    if path := find_browser():
        print(f"browser: {path}")
    else:
        print(f"browser: {reason or 'installed, and not found'}: the tests in a browser are SKIPPED")


if __name__ == "__main__":
    main()
