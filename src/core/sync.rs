//! The switch between the real primitives and those of a model checker, so that the very code that ships is the
//! code that is checked: by loom in all interleavings (`tests/rust/loom.rs`), by shuttle in many long ones
//! (`tests/rust/shuttle.rs`).

use std::sync::{PoisonError, TryLockError};

/// The one that runs the threads of a model.
#[cfg(loom)]
pub use loom as checker;
#[cfg(shuttle)]
pub use shuttle as checker;

#[cfg(any(loom, shuttle))]
pub use checker::{sync::atomic, thread_local};
/// Also in a model: loom's own cannot be the type of a `self`. Nothing here hangs on the order in
/// which references are counted.
pub use std::sync::{Arc, Weak};
#[cfg(not(any(loom, shuttle)))]
pub use std::{sync::atomic, thread, thread_local};

/// Whether this is a model: there is no time in it.
pub(super) const MODEL: bool = cfg!(any(loom, shuttle));

/// The checker's threads, except that a model can say how many there are to be had.
#[cfg(any(loom, shuttle))]
pub mod thread {
    use std::{cell::Cell, io};

    use super::checker;
    pub use checker::thread::{JoinHandle, spawn, yield_now};

    std::thread_local! {
        /// All threads of a model run on one real thread.
        static LEFT: Cell<usize> = const { Cell::new(usize::MAX) };
    }

    /// Has all but the next `threads` starts fail, in this model.
    pub fn limit(threads: usize) {
        LEFT.set(threads);
    }

    /// Starts a thread if there is one left.
    #[must_use]
    pub struct Builder(checker::thread::Builder);

    impl Builder {
        /// As std's.
        #[allow(
            clippy::must_use_candidate,
            clippy::new_without_default,
            reason = "as std's"
        )]
        pub fn new() -> Self {
            Self(checker::thread::Builder::new())
        }

        /// As std's.
        pub fn name(self, name: String) -> Self {
            Self(self.0.name(name))
        }

        /// As std's.
        pub fn stack_size(self, bytes: usize) -> Self {
            Self(self.0.stack_size(bytes))
        }

        /// As std's.
        ///
        /// # Errors
        /// There is no thread left.
        pub fn spawn<F: FnOnce() + Send + 'static>(self, body: F) -> io::Result<JoinHandle<()>> {
            let left = LEFT.get();
            if left == 0 {
                return Err(io::ErrorKind::WouldBlock.into());
            }
            LEFT.set(left - 1);
            self.0.spawn(body)
        }
    }
}

/// A mutex that ignores poisoning: the core runs no foreign code under a lock, so there is no panic
/// that could leave a half-done change behind.
#[derive(Debug, Default)]
pub struct Mutex<T>(imp::Mutex<T>);

/// Holds the lock until dropped.
pub type MutexGuard<'a, T> = imp::MutexGuard<'a, T>;

#[cfg(any(loom, shuttle))]
use checker::sync as imp;
#[cfg(not(any(loom, shuttle)))]
use std::sync as imp;

impl<T> Mutex<T> {
    /// A mutex around `value`.
    pub fn new(value: T) -> Self {
        Self(imp::Mutex::new(value))
    }

    /// Waits for the lock.
    #[inline]
    pub fn lock(&self) -> MutexGuard<'_, T> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The value, when nobody else can have it.
    pub fn get_mut(&mut self) -> &mut T {
        self.0.get_mut().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes the lock if it is free: for the garbage collector, which must not wait.
    pub fn try_lock(&self) -> Option<MutexGuard<'_, T>> {
        match self.0.try_lock() {
            Ok(guard) => Some(guard),
            Err(TryLockError::Poisoned(poisoned)) => Some(poisoned.into_inner()),
            Err(TryLockError::WouldBlock) => None,
        }
    }
}
