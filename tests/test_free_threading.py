"""The extension module needs no interpreter lock, and says so to those interpreters that ask."""

import ctypes
import sys
import sysconfig

import pytest
from antspy import _antspy
from support import run_program

WITHOUT_LOCK = bool(sysconfig.get_config_var("Py_GIL_DISABLED"))

PY_MOD_GIL = {(3, 13): 4, (3, 14): 4}
"""The number of the slot by which a module says it, in the releases whose slots are looked at here."""

PY_MOD_GIL_NOT_USED = 1


class Slot(ctypes.Structure):
    """`PyModuleDef_Slot` of CPython."""

    _fields_ = [("slot", ctypes.c_int), ("value", ctypes.c_void_p)]


class Definition(ctypes.Structure):
    """`PyModuleDef` of CPython, as far as the slots."""

    _fields_ = [
        ("head", ctypes.c_byte * object.__basicsize__),
        ("init", ctypes.c_void_p),
        ("index", ctypes.c_ssize_t),
        ("copy", ctypes.c_void_p),
        ("name", ctypes.c_char_p),
        ("doc", ctypes.c_char_p),
        ("size", ctypes.c_ssize_t),
        ("methods", ctypes.c_void_p),
        ("slots", ctypes.POINTER(Slot)),
    ]


@pytest.mark.skipif(sys.version_info[:2] not in PY_MOD_GIL, reason="this CPython has no such slot")
def test_the_module_declares_it() -> None:
    initialize = ctypes.PyDLL(_antspy.__file__).PyInit__antspy  # gives the definition; makes no module
    initialize.restype = ctypes.POINTER(Definition)
    definition = initialize().contents
    assert definition.name == b"_antspy"
    slots = {}
    for slot in definition.slots:
        if slot.slot == 0:
            break
        slots[slot.slot] = slot.value
    assert slots[PY_MOD_GIL[sys.version_info[:2]]] == PY_MOD_GIL_NOT_USED


@pytest.mark.skipif(not WITHOUT_LOCK, reason="this CPython has the interpreter lock")
def test_its_import_does_not_bring_the_lock_back() -> None:
    program = """
        import sys
        import antspy
        with antspy.Pool(2) as pool:
            assert list(pool.map(abs, range(10))) == list(range(10))
        assert not sys._is_gil_enabled()
    """
    run_program(program, "-W", "error")
