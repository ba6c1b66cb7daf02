//! The switch between the real primitives and loom's, so that the very code that ships is the code
//! that is model-checked (`cargo test --cfg loom`, see `tests/rust/loom.rs`).

use std::sync::{PoisonError, TryLockError};

#[cfg(loom)]
pub use loom::{sync::atomic, thread_local};
/// Also under loom, whose own `Arc` cannot be the type of a `self`. Nothing here hangs on the order in
/// which references are counted.
pub use std::sync::{Arc, Weak};
#[cfg(not(loom))]
pub use std::{sync::atomic, thread, thread_local};

/// loom's threads, except that a model can say how many there are to be had.
#[cfg(loom)]
pub mod thread {
    use std::{cell::Cell, io};

    pub use loom::thread::{JoinHandle, spawn, yield_now};

    std::thread_local! {
        /// loom runs all threads of a model on one real thread.
        static LEFT: Cell<usize> = const { Cell::new(usize::MAX) };
    }

    /// Has all but the next `threads` starts fail, in this model.
    pub fn limit(threads: usize) {
        LEFT.set(threads);
    }

    /// Starts a thread if there is one left.
    #[must_use]
    pub struct Builder(loom::thread::Builder);

    impl Builder {
        /// As std's.
        #[allow(
            clippy::must_use_candidate,
            clippy::new_without_default,
            reason = "as std's"
        )]
        pub fn new() -> Self {
            Self(loom::thread::Builder::new())
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

#[cfg(loom)]
use loom::sync as imp;
#[cfg(not(loom))]
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
