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

/// Whether workers say what they do. `Relaxed`: a worker may notice a change one task later.
static WATCHED: AtomicBool = AtomicBool::new(false);

thread_local! {
    /// The seat of this thread, held by [`taken`]; null on threads that are no workers.
    static SEAT: Cell<*const Seat> = const { Cell::new(ptr::null()) };
}

/// Written by its worker, which is attached, and read by whoever is attached: so under the interpreter's lock one after
/// the other, and `Relaxed`. Without that lock an object could be gone before it is read, and none is written down.
#[pyclass(frozen, name = "_Seat", module = "antspy._antspy")]
#[derive(Default)]
pub(super) struct Seat {
    /// What is called: a function, or the task's name, held here; null if nothing is, or it is not known.
    what: AtomicPtr<ffi::PyObject>,
    /// Since when, in nanoseconds of [`clock`]. Once the task is over it stays, for its callbacks belong to it; 0: the
    /// worker has run none while it was watched.
    since: AtomicU64,
}

#[pymethods]
impl Seat {
    /// `(what is called or None, for how many seconds it or the last task has run)`; `None` if there was none.
    fn _look<'py>(&self, py: Python<'py>) -> Option<(Option<Bound<'py, PyAny>>, f64)> {
        let since = self.since.load(Ordering::Relaxed);
        if since == 0 {
            return None;
        }
        // SAFETY: attached, and so is the worker whenever it writes: what stands here is held here, or null.
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
    /// Writes this down, and returns what stood there.
    fn put(&self, py: Python<'_>, what: Option<Py<PyAny>>) -> Option<Py<PyAny>> {
        let what = what.map_or(ptr::null_mut(), Py::into_ptr);
        let before = self.what.load(Ordering::Relaxed);
        self.what.store(what, Ordering::Relaxed);
        // SAFETY: null, or what was held here, which it is not any more.
        unsafe { Bound::from_owned_ptr_or_opt(py, before) }.map(Bound::unbind)
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        // SAFETY: a Python object ends in a thread that is attached.
        let py = unsafe { Python::assume_attached() };
        drop(self.put(py, None));
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
pub(super) fn doing<R>(py: Python<'_>, what: &Py<PyAny>, call: impl FnOnce() -> R) -> R {
    let _note = if WATCHED.load(Ordering::Relaxed) {
        Note::write(py, what)
    } else {
        None
    };
    call()
}

/// What stood on a seat before; it is written down again when this is dropped.
struct Note<'py> {
    py: Python<'py>,
    seat: &'py Seat,
    before: Option<Py<PyAny>>,
    since: u64,
}

impl<'py> Note<'py> {
    #[inline(never)]
    fn write(py: Python<'py>, what: &Py<PyAny>) -> Option<Self> {
        // SAFETY: null, or held by `taken` further up on this thread, which outlives all tasks on it.
        let seat = unsafe { SEAT.get().as_ref() }?;
        let what = (!cfg!(Py_GIL_DISABLED)).then(|| what.clone_ref(py));
        let before = seat.put(py, what);
        let since = seat.since.load(Ordering::Relaxed);
        seat.since.store(clock(), Ordering::Relaxed);
        Some(Self {
            py,
            seat,
            before,
            since,
        })
    }
}

impl Drop for Note<'_> {
    #[inline(never)]
    fn drop(&mut self) {
        if self.before.is_some() {
            self.seat.since.store(self.since, Ordering::Relaxed);
        }
        drop(self.seat.put(self.py, self.before.take()));
    }
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

/// Whether workers say what they do from now on.
#[pyfunction]
pub(super) fn _watch(on: bool) {
    WATCHED.store(on, Ordering::Relaxed);
}
