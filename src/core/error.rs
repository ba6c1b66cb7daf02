//! Why the core refuses or ends a task.

use std::{fmt, io, sync::Arc};

use super::Host;

/// Why no worker of a pool can run tasks any more: an initializer failed. The text is for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault(pub Arc<str>);

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Why an accepted task will never run.
#[derive(Clone, Debug)]
pub enum Ending {
    /// Somebody asked for it: `shutdown(cancel_futures=True)`, or `overflow="discard"`.
    Cancelled,
    /// Its deadline passed before a worker took it.
    Late,
    /// The pool is broken.
    Broken(Fault),
    /// Not one thread could be started.
    NoThread(Arc<str>),
}

/// Why a task was not accepted.
#[derive(Debug)]
pub enum Refusal<I> {
    /// The pool is closed.
    Closed,
    /// The pool is broken.
    Broken(Fault),
    /// All places are taken, and nobody else may wait for one.
    Overload,
    /// No place came free until the deadline.
    TimedOut,
    /// The wait for a place was interrupted.
    Interrupted(I),
    /// A worker would run it itself, in the midst of too many others.
    TooDeep,
    /// There is no worker, and no thread could be started.
    NoThread(io::Error),
}

/// What comes of handing in a task.
pub type Submitted<H, T = ()> = Result<T, Box<Refused<H>>>;

/// A task that was not accepted comes back to its owner.
pub struct Refused<H: Host> {
    /// The task, untouched.
    pub task: H::Task,
    /// Why.
    pub why: Refusal<H::Interrupt>,
}

impl<H: Host> fmt::Debug for Refused<H>
where
    H::Interrupt: fmt::Debug,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Refused({:?})", self.why)
    }
}

/// Why `wait`, `release` or `reboot` came back early.
#[derive(Debug)]
pub enum Unfinished<I> {
    /// The deadline passed.
    TimedOut,
    /// The host was interrupted.
    Interrupted(I),
    /// The caller is a task of this pool: it would wait for itself.
    Itself,
}
