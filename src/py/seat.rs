//! What each worker is doing, for whoever watches (`antspy.watch`).
//!
//! A worker has a seat, which its `threading` object keeps, too. While somebody may watch, the worker writes down there
//! what it calls and since when; whoever looks reads it without asking the worker, which may be stuck. While nobody
//! watches, a task costs one look at [`WATCHED`] more.

use std::{
    cell::Cell,
    ptr,
    sync::atomic::{AtomicBool, AtomicPtr, AtomicU64, Ordering},
};

use pyo3::{ffi, prelude::*};

/// Whether workers say what they do. Set once and for all, `Relaxed`: a worker may notice it one task later.
static WATCHED: AtomicBool = AtomicBool::new(false);

thread_local! {
    /// The seat of this thread, held by [`taken`]; null on threads that are no workers.
    static SEAT: Cell<*const Seat> = const { Cell::new(ptr::null()) };
}

/// Written by its worker, which is attached, and read by whoever is attached: so under the interpreter's lock one after
/// the other, and `Relaxed`. Without that lock the object could be gone before it is read, and is not written down.
#[pyclass(frozen, name = "_Seat", module = "antspy._antspy")]
#[derive(Default)]
pub(super) struct Seat {
    /// What is called: a function, or the task's name; null if nothing is, or it is not known. Borrowed from the task,
    /// which holds it as long as it stands here.
    what: AtomicPtr<ffi::PyObject>,
    /// Since when, in nanoseconds of [`clock`]; 0: nothing is.
    since: AtomicU64,
}

#[pymethods]
impl Seat {
    /// `(what is called, for how many seconds)`; `None` if nothing is, or it was called before anybody watched.
    fn _look<'py>(&self, py: Python<'py>) -> Option<(Option<Bound<'py, PyAny>>, f64)> {
        let since = self.since.load(Ordering::Relaxed);
        if since == 0 {
            return None;
        }
        // SAFETY: attached, and so is the worker whenever it writes: what stands here is held by its task, or null.
        let what =
            unsafe { Bound::from_borrowed_ptr_or_opt(py, self.what.load(Ordering::Relaxed)) };
        let nanos = clock().saturating_sub(since);
        #[allow(
            clippy::cast_precision_loss,
            reason = "an age needs no more than 52 bits"
        )]
        Some((what, nanos as f64 / 1e9))
    }
}

impl Seat {
    /// Puts these two there, and returns what was.
    fn put(&self, (what, since): (*mut ffi::PyObject, u64)) -> (*mut ffi::PyObject, u64) {
        let before = (
            self.what.load(Ordering::Relaxed),
            self.since.load(Ordering::Relaxed),
        );
        self.what.store(what, Ordering::Relaxed);
        self.since.store(since, Ordering::Relaxed);
        before
    }
}

/// Runs `body`, the life of a worker, on its seat.
pub(super) fn taken(seat: Option<&Bound<'_, Seat>>, body: impl FnOnce()) {
    SEAT.set(seat.map_or(ptr::null(), |seat| ptr::from_ref(seat.get())));
    body();
    SEAT.set(ptr::null());
}

/// Runs `call`, which calls `what` for a task, and says so meanwhile. A task in the midst of another hides that.
#[inline]
pub(super) fn doing<R>(what: &Py<PyAny>, call: impl FnOnce() -> R) -> R {
    if !WATCHED.load(Ordering::Relaxed) {
        return call();
    }
    let seat = SEAT.get();
    // SAFETY: null, or held by `taken` further up on this thread.
    let Some(seat) = (unsafe { seat.as_ref() }) else {
        return call();
    };
    let what = if cfg!(Py_GIL_DISABLED) {
        ptr::null_mut()
    } else {
        what.as_ptr()
    };
    let before = seat.put((what, clock()));
    let result = call();
    seat.put(before);
    result
}

/// A clock that is read in a few nanoseconds, and may be some milliseconds behind.
fn clock() -> u64 {
    #[cfg(target_os = "linux")]
    {
        let mut time = libc::timespec {
            tv_sec: 0,
            tv_nsec: 0,
        };
        // SAFETY: it fills in what it is given.
        unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC_COARSE, &raw mut time) };
        time.tv_sec.unsigned_abs() * 1_000_000_000 + time.tv_nsec.unsigned_abs()
    }
    #[cfg(not(target_os = "linux"))]
    {
        use std::{sync::OnceLock, time::Instant};

        static BIRTH: OnceLock<Instant> = OnceLock::new();
        let age = BIRTH.get_or_init(Instant::now).elapsed().as_nanos();
        u64::try_from(age).unwrap_or(u64::MAX).max(1)
    }
}

/// Workers say what they do from now on.
#[pyfunction]
pub(super) fn _watch() {
    WATCHED.store(true, Ordering::Relaxed);
}
