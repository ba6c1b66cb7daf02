//! Functions of `CPython` that `PyO3` does not declare.

use std::ffi::{c_int, c_longlong, c_void};

/// Declares functions of the interpreter. On Windows an extension names the DLL that they are in (`build.rs` finds
/// out which), as `PyO3` does for its own; elsewhere the process has them already.
macro_rules! from_python {
    ({ $($functions:tt)* } in $($dll:literal),*) => {
        $(#[cfg_attr(python_dll = $dll, link(name = $dll, kind = "raw-dylib"))])*
        unsafe extern "C" { $($functions)* }
    };
    ($($functions:tt)*) => {
        from_python! { { $($functions)* } in
            "python311", "python312", "python313", "python314", "python315", "python314t", "python315t" }
    };
}

from_python! {
    pub(super) fn PyThread_allocate_lock() -> *mut c_void;
    pub(super) fn PyThread_free_lock(lock: *mut c_void);
    pub(super) fn PyThread_acquire_lock_timed(
        lock: *mut c_void,
        microseconds: c_longlong,
        interruptible: c_int,
    ) -> c_int;
    pub(super) fn PyThread_release_lock(lock: *mut c_void);
}

// 3.11 and 3.12 export it under this name.
#[cfg(not(Py_3_13))]
from_python! {
    fn _Py_IsFinalizing() -> c_int;
}

/// Whether the interpreter has begun to end. May be called on any thread at any time.
pub(super) fn is_finalizing() -> bool {
    #[cfg(not(Py_3_13))]
    use _Py_IsFinalizing as is_finalizing;
    #[cfg(Py_3_13)]
    use pyo3::ffi::Py_IsFinalizing as is_finalizing;

    // SAFETY: it reads one atomic, which is there also before and after the interpreter.
    unsafe { is_finalizing() != 0 }
}
