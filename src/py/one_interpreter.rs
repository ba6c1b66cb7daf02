//! The module belongs to one interpreter, for the process's whole life.
//!
//! What it keeps (classes, functions, the pools themselves) are objects of the interpreter that has imported it, and
//! workers may sleep for ever in one that has ended. `PyO3` would let another one have them: a sub-interpreter, or the
//! next one of a program that ends its interpreter and starts it again.

use std::{
    ffi::CStr,
    ptr,
    sync::atomic::{AtomicBool, Ordering},
};

use pyo3::{exceptions::PyImportError, ffi, prelude::*};

/// In the interpreter that the module belongs to, a key of what extensions keep there.
const MARK: &CStr = c"antspy._antspy";

/// Whether there is such an interpreter. `Relaxed`: the mark decides, and importing threads come one after the other.
static TAKEN: AtomicBool = AtomicBool::new(false);

/// Takes this interpreter, or finds that it has been taken before.
///
/// # Errors
/// `ImportError`: it is a sub-interpreter, or another one has been taken.
pub(super) fn take(py: Python<'_>) -> PyResult<()> {
    // SAFETY: attached; the dictionary is borrowed from the interpreter, and null if it could not be made.
    let (is_main, kept) = unsafe {
        let this = ffi::PyInterpreterState_Get();
        (
            ptr::eq(this, ffi::PyInterpreterState_Main()),
            ffi::PyInterpreterState_GetDict(this),
        )
    };
    if !is_main {
        return Err(PyImportError::new_err(
            "antspy works in the main interpreter only, not in a sub-interpreter",
        ));
    }
    // SAFETY: attached; the arguments are a live dictionary, a string with its end, and an object that is always there.
    unsafe {
        if kept.is_null() {
            return Err(PyImportError::new_err(
                "the interpreter keeps nothing for extensions",
            ));
        }
        if !ffi::PyDict_GetItemString(kept, MARK.as_ptr()).is_null() {
            return Ok(());
        }
        if TAKEN.swap(true, Ordering::Relaxed) {
            return Err(PyImportError::new_err(
                "antspy was imported by an interpreter of this process that has ended: after Py_Finalize() and \
                 Py_Initialize() it cannot be used again",
            ));
        }
        if ffi::PyDict_SetItemString(kept, MARK.as_ptr(), ffi::Py_True()) != 0 {
            TAKEN.store(false, Ordering::Relaxed);
            return Err(PyErr::fetch(py));
        }
    }
    Ok(())
}
