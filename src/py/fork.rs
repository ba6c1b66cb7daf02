//! A pool in a forked child.
//!
//! The child has one thread. The workers are not there, and any lock may be held by a thread that is not
//! there either. So the child never touches what it inherited: each pool makes itself a fresh core when it
//! is first used there, with the same settings, and the old one is left alone for ever (no lock, no join,
//! no drop).

use std::{
    ptr,
    sync::{
        Arc,
        atomic::{AtomicPtr, AtomicU32, Ordering},
    },
};

use pyo3::prelude::*;

use super::{drain, errors, pool::Core, switch_interval};

/// How many forks led to this process. Written by the only thread of a new child, before any other is
/// started there: `Relaxed` is enough.
static FORKS: AtomicU32 = AtomicU32::new(0);

/// Called in the child, by `os.register_at_fork`.
#[pyfunction]
pub(super) fn _after_fork(py: Python<'_>) {
    FORKS.fetch_add(1, Ordering::Relaxed);
    drain::forget_all();
    switch_interval::forget_all(py);
}

/// Tells this process from those that it was forked from.
pub(super) fn forks() -> u32 {
    FORKS.load(Ordering::Relaxed)
}

/// A core and the process that made it.
struct Made {
    core: Arc<Core>,
    forks: u32,
}

/// Where a Python pool keeps its core.
#[derive(Default)]
pub(super) struct Slot {
    /// Null until the pool is opened; then set once a process, with `Release`, and read with `Acquire`.
    /// What it pointed to before is never freed, so a reference to it stays good.
    made: AtomicPtr<Made>,
}

impl Slot {
    /// The core, if the pool has been opened. In a forked child, `renew` makes it anew.
    #[inline]
    pub(super) fn get(
        &self,
        py: Python<'_>,
        renew: impl FnOnce(&Core) -> PyResult<Arc<Core>>,
    ) -> PyResult<Option<&Arc<Core>>> {
        let made = self.made.load(Ordering::Acquire);
        // SAFETY: null, or from `Box::into_raw` in `replace`; freed in `drop` only.
        let Some(found) = (unsafe { made.as_ref() }) else {
            return Ok(None);
        };
        if found.forks == FORKS.load(Ordering::Relaxed) {
            return Ok(Some(&found.core));
        }
        self.replace(py, made, renew(&found.core)?);
        Ok(self.peek())
    }

    /// Opens the pool. `false`: it was open already.
    pub(super) fn set(&self, py: Python<'_>, core: Arc<Core>) -> bool {
        self.replace(py, ptr::null_mut(), core)
    }

    fn replace(&self, py: Python<'_>, before: *mut Made, core: Arc<Core>) -> bool {
        let forks = FORKS.load(Ordering::Relaxed);
        let made = Box::into_raw(Box::new(Made { core, forks }));
        let (release, acquire) = (Ordering::Release, Ordering::Acquire);
        let swapped = self.made.compare_exchange(before, made, release, acquire);
        if swapped.is_err() {
            // SAFETY: just made, and nobody else has seen it.
            let lost = unsafe { Box::from_raw(made) };
            lost.core.close(py);
        }
        swapped.is_ok()
    }

    /// The core as it is, also an inherited one: to be looked at, not to be locked.
    pub(super) fn peek(&self) -> Option<&Arc<Core>> {
        // SAFETY: as in `get`.
        unsafe { self.made.load(Ordering::Acquire).as_ref() }.map(|made| &made.core)
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        let made = *self.made.get_mut();
        if made.is_null() {
            return;
        }
        // SAFETY: not null, from `Box::into_raw`, and this is the owner's end.
        let made = unsafe { Box::from_raw(made) };
        if made.forks == FORKS.load(Ordering::Relaxed) {
            // SAFETY: a Python object's end comes on a thread that is attached.
            let py = unsafe { Python::assume_attached() };
            errors::undisturbed(py, || {
                made.core.close(py);
                made.core.host().hooks().forget_crew(py);
            });
        } else {
            std::mem::forget(made); // inherited: left alone
        }
    }
}
