"""The package belongs to one interpreter of a process: another one is told so, clearly."""

import importlib
import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import antspy
import pytest
from support import run_program

pytestmark = pytest.mark.timeout(60)

EMBEDDING = r"""
#include <Python.h>

int main(int count, char **arguments) {
    for (int round = 0; round < 3; round++) {
        Py_Initialize();
        if (PyRun_SimpleString(arguments[1]) != 0) return 1;
        if (Py_FinalizeEx() != 0) return 2;
    }
    return 0;
}
"""

ROUND = """
try:
    import antspy
    print(antspy.submit(abs, -1).result(), flush=True)
except ImportError as error:
    print(error, flush=True)
"""


def build(folder: Path) -> Path:
    """Compile a program that embeds this Python; skip the test where that cannot be done."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    libraries = Path(sysconfig.get_config_var("LIBDIR") or "")
    name = f"python{sysconfig.get_config_var('LDVERSION')}"
    headers = Path(sysconfig.get_path("include"))
    if compiler is None or sys.platform == "win32" or not headers.joinpath("Python.h").exists():
        pytest.skip("needs a C compiler and Python's headers")
    program = folder / "embedding"
    source = folder / "embedding.c"
    source.write_text(EMBEDDING)
    command = [compiler, str(source), "-o", str(program), f"-I{headers}", f"-L{libraries}", f"-l{name}"]
    made = subprocess.run([*command, f"-Wl,-rpath,{libraries}"], capture_output=True, text=True)
    if made.returncode:
        pytest.skip(f"this Python cannot be embedded: {made.stderr[-200:]}")
    return program


def test_an_interpreter_that_is_started_again_cannot_import_it(tmp_path: Path) -> None:
    program = build(tmp_path)
    paths = [str(Path(antspy.__file__).parents[1]), *filter(None, [os.environ.get("PYTHONPATH")])]
    settings = {**os.environ, "PYTHONHOME": sys.base_prefix, "PYTHONPATH": os.pathsep.join(paths)}
    embedding = subprocess.run([program, ROUND], env=settings, capture_output=True, text=True, timeout=40)
    first, *others = embedding.stdout.splitlines()
    assert (embedding.returncode, first) == (0, "1"), embedding.stderr
    refusal = (
        "antspy was imported by an interpreter of this process that has ended: after Py_Finalize() and "
        "Py_Initialize() it cannot be used again"
    )
    assert others == [refusal] * 2


@pytest.mark.parametrize("first", ["", "import antspy; antspy.submit(int).result()"])
def test_a_sub_interpreter_cannot_import_it(first: str) -> None:
    for name in ("_interpreters", "_xxsubinterpreters"):
        try:
            importlib.import_module(name)
        except ImportError:
            continue
        break
    else:
        pytest.skip("has no sub-interpreters")
    # One that shares the interpreter's lock; where each has its own Python itself refuses.
    make = "create('legacy')" if sys.version_info >= (3, 13) else "create(isolated=False)"
    out = run_program(f"""
        import {name} as interpreters
        {first}
        other = interpreters.{make}
        interpreters.run_string(other, '''if True:
            try:
                import antspy
            except ImportError as error:
                print(error, flush=True)
        ''')
        interpreters.destroy(other)
    """)
    assert out == "antspy works in the main interpreter only, not in a sub-interpreter\n"


def test_a_module_that_is_imported_again_is_the_same_interpreters() -> None:
    out = run_program("""
        import sys, antspy
        for name in [name for name in sys.modules if name.startswith("antspy")]:
            del sys.modules[name]
        import antspy
        print(antspy.Pool(1).submit(abs, -1).result())
    """)
    assert out == "1\n"
