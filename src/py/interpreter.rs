//! Attaching to the interpreter and calling into it, from threads that may outlive it.
//!
//! Up to 3.13.7 `CPython` ends a thread that asks for a finalized interpreter with `pthread_exit`, which
//! unwinds the thread's stack. Rust frames that were not compiled for it abort the process. So every call
//! in which a thread can meet its end is made through here: the callee's type says that it may unwind, and
//! a guard around it stops the unwinding by parking the thread for ever. The process is about to exit, and
//! later versions of `CPython` park such threads themselves. A worker has its `last_stop` besides, for every drop of
//! an object is such a call, too.
//!
//! 1. The main thread finalizes the interpreter while a worker runs a task (Ctrl-C during the drain).
//! 2. The worker asks for the interpreter: at a bytecode boundary, or on its way back from sleep.
//! 3. `CPython` calls `pthread_exit`; the unwinder runs the guard's `drop`.
//! 4. The guard parks. No Rust frame above it is unwound; the process exits under the thread.

use std::{
    hint::black_box,
    mem, slice,
    sync::atomic::{AtomicBool, Ordering},
};

use pyo3::{
    ffi,
    prelude::*,
    types::{PyDict, PyTuple},
};

use self::ffi::{PyGILState_STATE, PyObject, PyThreadState};
use super::{cpython, last_stop, once::Once};

struct ParkOnUnwind;

impl Drop for ParkOnUnwind {
    fn drop(&mut self) {
        if std::thread::panicking() {
            return; // a Rust panic, which is caught further up
        }
        loop {
            std::thread::park();
        }
    }
}

fn guarded<R>(call: impl FnOnce() -> R) -> R {
    let guard = ParkOnUnwind;
    let result = call();
    mem::forget(guard);
    result
}

/// Gives the function at `$function` a type that may unwind. `black_box` hides which function it is: the
/// compiler would else find its declaration, and with it the promise that it does not.
macro_rules! unwinding {
    ($function:path as $type:ty) => {
        // SAFETY: the same function with the same arguments; only "may unwind" is added, which asks
        // less of the callee.
        unsafe { mem::transmute::<*const (), $type>(black_box($function as *const ())) }
    };
}

/// Calls `function(*args, **kwargs)`.
///
/// # Errors
/// What it raised.
pub(super) fn call<'py>(
    py: Python<'py>,
    function: &Py<PyAny>,
    args: &Bound<'py, PyTuple>,
    kwargs: Option<&Py<PyDict>>,
) -> PyResult<Bound<'py, PyAny>> {
    // SAFETY: a tuple's items lie side by side and are not changed while it is shared, and its length is not
    // negative; it holds them.
    unsafe {
        let tuple = args.as_ptr().cast::<ffi::PyTupleObject>();
        let items = (&raw const (*tuple).ob_item).cast::<*mut PyObject>();
        let count = ffi::PyTuple_GET_SIZE(args.as_ptr()).unsigned_abs();
        call_items(py, function, slice::from_raw_parts(items, count), kwargs)
    }
}

/// The same, with arguments that are not in a tuple.
///
/// # Safety
/// `items` are objects that somebody holds until this returns.
pub(super) unsafe fn call_items<'py>(
    py: Python<'py>,
    function: &Py<PyAny>,
    items: &[*mut PyObject],
    kwargs: Option<&Py<PyDict>>,
) -> PyResult<Bound<'py, PyAny>> {
    type Call = unsafe extern "C-unwind" fn(
        *mut PyObject,
        *const *mut PyObject,
        usize,
        *mut PyObject,
    ) -> *mut PyObject;
    let call = unwinding!(ffi::PyObject_VectorcallDict as Call);
    let kwargs = kwargs.map_or(std::ptr::null_mut(), Py::as_ptr);
    // SAFETY: attached (`py`); all pointers are borrowed from live references.
    unsafe {
        let result = guarded(|| call(function.as_ptr(), items.as_ptr(), items.len(), kwargs));
        Bound::from_owned_ptr_or_err(py, result)
    }
}

/// Runs a bytecode or two, so that an exception that is pending in this thread is raised, and the interpreter's lock
/// is handed over to a thread that has asked for it.
pub(super) fn checkpoint(py: Python<'_>) -> PyResult<()> {
    static FUNCTION: Once<Py<PyAny>> = Once::new();
    let find = || PyResult::Ok(py.import("antspy.worker")?.getattr("checkpoint")?.unbind());
    let function = FUNCTION.get_or_try_init(py, find)?;
    call(py, function, &PyTuple::empty(py), None).map(drop)
}

/// The next of an iterator; `None`: it has ended.
///
/// # Errors
/// What it raised.
#[inline]
pub(super) fn next<'py>(
    py: Python<'py>,
    iterator: &Py<PyAny>,
) -> PyResult<Option<Bound<'py, PyAny>>> {
    type Next = unsafe extern "C-unwind" fn(*mut PyObject) -> *mut PyObject;
    let next = unwinding!(ffi::PyIter_Next as Next);
    // SAFETY: attached, and what `iter()` has returned, or `zip`.
    unsafe {
        let item = guarded(|| next(iterator.as_ptr()));
        match Bound::from_owned_ptr_or_opt(py, item) {
            Some(item) => Ok(Some(item)),
            None => PyErr::take(py).map_or(Ok(None), Err),
        }
    }
}

/// Runs `body` attached, on a thread that Python did not start and that stays attached meanwhile; not at
/// all if the interpreter is gone.
///
/// If the thread has no thread state it gets one, which ends with this, as a thread's of Python's own does. Not by
/// `PyGILState_Release`: until 3.12.4 that counts the state as left already when it ends it.
///
/// 1. The state ends, and `threading.local` with it. Something that was kept there runs code as it ends.
/// 2. That code calls an extension (this one will do), which asks for the state and leaves it.
/// 3. Nobody else is counted: the state is ended and freed once more, under the code that runs.
pub(super) fn attach(body: impl FnOnce(Python<'_>)) {
    // SAFETY: always callable.
    if unsafe { ffi::PyGILState_GetThisThreadState() }.is_null() {
        last_stop::with(|| attach_here(body, true));
    } else {
        attach_here(body, false);
    }
}

fn attach_here(body: impl FnOnce(Python<'_>), is_new: bool) {
    type Ensure = unsafe extern "C-unwind" fn() -> PyGILState_STATE;
    type Clear = unsafe extern "C-unwind" fn(*mut PyThreadState);
    if is_gone() {
        return;
    }
    let ensure = unwinding!(ffi::PyGILState_Ensure as Ensure);
    // SAFETY: may be called on any thread while there is an interpreter; should it end just now, the
    // guard holds this thread.
    let state = guarded(|| unsafe { ensure() });
    // SAFETY: attached by the call above; this tells PyO3 so, without its own look at the interpreter, which
    // panics if that has begun to end meanwhile.
    unsafe { Python::attach_unchecked(body) };
    if !is_new {
        // SAFETY: the counterpart of the call above, on the same thread.
        unsafe { ffi::PyGILState_Release(state) };
        return;
    }
    let clear = unwinding!(ffi::PyThreadState_Clear as Clear);
    // SAFETY: this thread's state, made above, which nobody else uses or ends. Attached until it is deleted.
    unsafe {
        let state = ffi::PyThreadState_Get();
        guarded(|| clear(state));
        ffi::PyThreadState_DeleteCurrent();
    }
}

/// Whether there is no interpreter any more, or it has begun to end.
pub(super) fn is_gone() -> bool {
    // SAFETY: may be called at any time on any thread.
    let initialized = unsafe { ffi::Py_IsInitialized() != 0 };
    !initialized || cpython::is_finalizing()
}

/// Lets go of the interpreter while `wait` runs, which must not touch Python.
pub(super) fn detached<R>(_attached: Python<'_>, wait: impl FnOnce() -> R) -> R {
    struct Reattach(*mut PyThreadState);

    impl Drop for Reattach {
        fn drop(&mut self) {
            type Restore = unsafe extern "C-unwind" fn(*mut PyThreadState);
            let restore = unwinding!(ffi::PyEval_RestoreThread as Restore);
            FREE.store(false, Ordering::Relaxed);
            // SAFETY: this thread's own state, as `PyEval_SaveThread` returned it.
            guarded(|| unsafe { restore(self.0) });
        }
    }

    // SAFETY: attached, says the token; `Reattach` makes that true again before it can be used.
    let _reattach = Reattach(unsafe { ffi::PyEval_SaveThread() });
    FREE.store(true, Ordering::Relaxed);
    wait()
}

/// Whether the last of our threads that let go of the interpreter, or took hold of it again, let go. Written by
/// each that does, `Relaxed`: a hint for those who spin. Others may hold it, or have been quicker.
static FREE: AtomicBool = AtomicBool::new(true);

/// Whether it looks as if a thread that wants the interpreter would get it at once.
pub(super) fn is_free() -> bool {
    cfg!(Py_GIL_DISABLED) || FREE.load(Ordering::Relaxed)
}
