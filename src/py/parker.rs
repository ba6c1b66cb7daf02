//! How a thread sleeps while it waits: on `CPython`'s own lock, whose wait a signal ends at once; the main thread wakes
//! now and then to look for one besides. The waits of std, crossbeam and `parking_lot` swallow the signal, and Ctrl-C
//! comes only when they are over. A coroutine does not sleep; it has a bell (`mailbox.rs`).

use std::{
    ffi::{c_longlong, c_void},
    fmt,
    sync::atomic::{AtomicBool, Ordering},
    time::{Duration, Instant},
};

use super::{
    cpython::{
        PyThread_acquire_lock_timed, PyThread_allocate_lock, PyThread_free_lock,
        PyThread_release_lock,
    },
    mailbox::Bell,
};
use crate::core::{Park, Parked};

/// Somebody who waits.
#[derive(Debug)]
pub(super) enum Parker {
    Thread(Bed),
    Coroutine(Bell),
}

impl Default for Parker {
    fn default() -> Self {
        Self::Thread(Bed::default())
    }
}

impl Park for Parker {
    #[inline]
    fn park(&self, deadline: Option<Instant>) -> Parked {
        match self {
            Self::Thread(bed) => bed.park(deadline),
            Self::Coroutine(_) => unreachable!("a coroutine does not sleep"),
        }
    }

    #[inline]
    fn is_woken(&self) -> bool {
        match self {
            Self::Thread(bed) => bed.released.load(Ordering::Acquire),
            Self::Coroutine(_) => unreachable!("a coroutine does not sleep"),
        }
    }

    #[inline]
    fn unpark(&self) {
        match self {
            Self::Thread(bed) => bed.unpark(),
            Self::Coroutine(bell) => bell.ring(),
        }
    }

    fn is_thread(&self) -> bool {
        matches!(self, Self::Thread(_))
    }
}

impl Parker {
    pub(super) fn bell(&self) -> Option<&Bell> {
        match self {
            Self::Thread(_) => None,
            Self::Coroutine(bell) => Some(bell),
        }
    }
}

/// A lock that is held while nobody has called `unpark`; to sleep is to acquire it.
pub(super) struct Bed {
    /// Null if there was no memory for one: who sleeps looks at `released` now and then.
    lock: *mut c_void,
    /// Whether the lock has been released and not acquired since. Set with `AcqRel` by whoever unparks:
    /// only the first releases the lock, which must not be released twice. Cleared with `AcqRel` by the
    /// sleeper once it has the lock: an unparker that came before it and found the flag set is seen.
    released: AtomicBool,
}

// SAFETY: the lock is made to be used by any thread; all functions of it are callable by any thread.
unsafe impl Send for Bed {}
// SAFETY: as above.
unsafe impl Sync for Bed {}

impl Default for Bed {
    fn default() -> Self {
        // SAFETY: callable at any time once Python is initialized, as it is for an extension.
        let lock = unsafe { PyThread_allocate_lock() };
        if !lock.is_null() {
            // SAFETY: just allocated; nobody else knows it, so it is free and taken at once.
            unsafe { PyThread_acquire_lock_timed(lock, 0, 0) };
        }
        Self {
            lock,
            released: AtomicBool::new(false),
        }
    }
}

impl Drop for Bed {
    fn drop(&mut self) {
        if self.lock.is_null() {
            return;
        }
        if !self.released.load(Ordering::Acquire) {
            // SAFETY: held, so it may be released, as it must be before it is freed.
            unsafe { PyThread_release_lock(self.lock) };
        }
        // SAFETY: nobody sleeps here any more: `self` is borrowed by whoever sleeps or unparks.
        unsafe { PyThread_free_lock(self.lock) };
    }
}

impl Bed {
    fn park(&self, deadline: Option<Instant>) -> Parked {
        if self.lock.is_null() {
            return self.look(deadline);
        }
        let (microseconds, last) = slice(deadline);
        // SAFETY: the lock lives as long as `self`.
        match unsafe { PyThread_acquire_lock_timed(self.lock, microseconds, 1) } {
            0 if last => Parked::TimedOut,
            1 => {
                self.released.swap(false, Ordering::AcqRel);
                Parked::Woken
            }
            _ => Parked::Interrupted, // PY_LOCK_INTR, or the end of a slice
        }
    }

    /// Sleeps for a moment, without a lock.
    fn look(&self, deadline: Option<Instant>) -> Parked {
        const MOMENT: Duration = Duration::from_millis(1);
        std::thread::sleep(MOMENT);
        if self.released.swap(false, Ordering::AcqRel) {
            Parked::Woken
        } else if deadline.is_some_and(|deadline| deadline <= Instant::now()) {
            Parked::TimedOut
        } else {
            Parked::Interrupted // it comes again, having looked for signals
        }
    }

    fn unpark(&self) {
        if !self.released.swap(true, Ordering::AcqRel) && !self.lock.is_null() {
            // SAFETY: it is held: acquired when it was made or by the sleep that cleared the flag.
            unsafe { PyThread_release_lock(self.lock) };
        }
    }
}

/// How long to sleep, in microseconds (-1: for ever), and whether that is all.
///
/// The thread that Python's handlers run in sleeps in slices, and looks for signals after each. The end of the sleep by
/// a signal is not enough:
///
/// 1. The main thread has looked for signals, and found none.
/// 2. Ctrl-C comes; the handler in C notes it, and there is no sleep yet that it could end.
/// 3. The main thread goes to sleep, and nobody looks at the note.
///
/// So it is with a signal that the system gives to another thread. On Windows no signal ends the sleep at all.
fn slice(deadline: Option<Instant>) -> (c_longlong, bool) {
    const MICROSECOND: Duration = Duration::from_micros(1);
    let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
    if left.is_none_or(|left| left.as_micros() > SLICE_MICROSECONDS.unsigned_abs().into())
        && runs_handlers()
    {
        return (SLICE_MICROSECONDS, false);
    }
    let Some(left) = left else {
        return (-1, true);
    };
    // Rounded up, so as not to wake before the deadline; a century is for ever.
    let microseconds = left.saturating_add(MICROSECOND).as_micros();
    (
        c_longlong::try_from(microseconds).unwrap_or(c_longlong::MAX / 1000),
        true,
    )
}

/// Half of the 50 ms in which Ctrl-C is to end any call.
const SLICE_MICROSECONDS: c_longlong = 25_000;

/// Whether this is the thread in which Python runs its handlers of signals, the main one; where the system does not
/// tell, each may be.
fn runs_handlers() -> bool {
    #[cfg(target_os = "linux")]
    {
        // SAFETY: both only tell numbers.
        unsafe { libc::gettid() == libc::getpid() }
    }
    #[cfg(target_vendor = "apple")]
    {
        // SAFETY: it only looks at the thread that calls.
        unsafe { libc::pthread_main_np() != 0 }
    }
    #[cfg(not(any(target_os = "linux", target_vendor = "apple")))]
    {
        true
    }
}

impl fmt::Debug for Bed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Bed")
    }
}
