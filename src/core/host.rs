//! What the core asks of the world around it: a task that can be run, and a host that owns threads.

use std::time::Instant;

use super::{Ending, Fault, Park, Pool, sync::Arc};

/// What workers run.
pub trait Task: Send + Sized + 'static {
    /// The host that this task runs on.
    type Host: Host<Task = Self>;
    /// What is left to tell once the task has run: a result for a future, a `done` for a wait group.
    type Delivery;

    /// It is about to run in a pool without workers, in this thread.
    fn runs_alone(&self, _pool: &Arc<Pool<Self::Host>>) {}

    /// Runs the task. When this returns, everything that the task itself held (callable, arguments)
    /// has been dropped.
    fn run(self, host: &Self::Host, scope: Scope<'_, Self::Host>) -> Ran<Self::Delivery>;

    /// Whether delivering it may run foreign code (callbacks), which may take any time. The worker is
    /// then not offered as idle meanwhile.
    fn is_prompt(delivery: &Self::Delivery, scope: Scope<'_, Self::Host>) -> bool;

    /// Tells whoever waits. If foreign code must run after all, `busy` is called before it does.
    fn deliver(delivery: Self::Delivery, scope: Scope<'_, Self::Host>, busy: impl FnOnce());

    /// Ends a task that will never run. Returns whether this call ended it: `false` if it had been
    /// cancelled before, and its place given back then.
    fn discard(self, host: &Self::Host, scope: Scope<'_, Self::Host>, why: &Ending) -> bool;

    /// Whether somebody has cancelled it while it waited in the queue.
    fn is_cancelled(&self) -> bool;
}

/// How a task's run ended.
#[derive(Debug)]
pub enum Ran<D> {
    /// It had been cancelled: nothing ran, and its place has been given back already.
    Cancelled,
    /// It ran, and nobody waits for anything.
    Silent(Outcome),
    /// It ran, and this is to be delivered once its place is free.
    Deliver(D, Outcome),
}

/// What a task that ran has come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It returned.
    Completed,
    /// It raised.
    Failed,
}

/// A host's proof that this thread may run tasks (for Python: it is attached to the interpreter).
pub type Scope<'s, H> = <H as Host>::Scope<'s>;

/// Owns the runtime in which tasks run.
pub trait Host: Send + Sync + Sized + 'static {
    /// What its workers run.
    type Task: Task<Host = Self>;
    /// How its threads sleep.
    type Parker: Park;
    /// See [`Scope`].
    type Scope<'s>: Copy;
    /// What may break off a wait (for Python: the exception of a signal handler).
    type Interrupt: Send + 'static;

    /// Enters the runtime on a new worker's thread, once for the thread's whole life, and calls `body`.
    /// Where the runtime is gone for good, `body` is not called.
    fn enter(&self, worker: &str, body: impl FnOnce(Scope<'_, Self>));

    /// Makes the thread of a new worker fit to run tasks.
    ///
    /// # Errors
    /// It is not fit: an initializer failed.
    fn prepare(&self, scope: Scope<'_, Self>) -> Result<(), Fault>;

    /// Whether [`prepare`](Self::prepare) calls an initializer: foreign code, which may take any time, or
    /// wait for other workers to be prepared.
    fn has_initializer(&self) -> bool;

    /// Runs `wait`, which may block, while others may use the runtime.
    fn block<R>(scope: Scope<'_, Self>, wait: impl FnOnce() -> R) -> R;

    /// The same for an idle worker, which does not want the runtime before it is woken.
    fn rest<R>(scope: Scope<'_, Self>, wait: impl FnOnce() -> R) -> R {
        Self::block(scope, wait)
    }

    /// Lets those use the runtime who have asked for it, if any. A host where nobody can ask has nothing to do.
    fn give_way(_scope: Scope<'_, Self>) {}

    /// Whether it looks as if the runtime were there for the next who wants it: nobody of ours holds it.
    #[must_use]
    fn is_free() -> bool {
        true
    }

    /// Enters the runtime for a moment, on a thread that runs no tasks. Where the runtime is gone for good,
    /// `body` is not called.
    fn visit(&self, body: impl FnOnce(Scope<'_, Self>));

    /// Runs a task, which is what `body` does, in the midst of another on the same thread.
    fn nest<R>(_scope: Scope<'_, Self>, body: impl FnOnce() -> R) -> R {
        body()
    }

    /// Whether this thread has room for one more task in the midst of those that it runs.
    fn can_nest(_scope: Scope<'_, Self>) -> bool {
        true
    }

    /// Called when a signal woke a waiting thread: runs the handlers.
    ///
    /// # Errors
    /// A handler wants the wait broken off.
    fn interrupted(scope: Scope<'_, Self>) -> Result<(), Self::Interrupt>;

    /// The time; a test's host answers with a clock of its own.
    fn now(&self) -> Instant {
        Instant::now()
    }

    /// Has its clock show that time, if nobody else moves it.
    fn skip_to(&self, _time: Instant) -> bool {
        false
    }

    /// Runs one task of a pool without workers for somebody who waits; `false`: there is none. `timed`: whether that
    /// is a wait that ends by itself.
    ///
    /// # Errors
    /// Nothing that the pool has can end the wait.
    fn step(&self, _timed: bool, _scope: Scope<'_, Self>) -> Result<bool, Self::Interrupt> {
        Ok(false)
    }

    /// Until when to sleep for a deadline on the clock of [`now`](Self::now).
    fn alarm(&self, deadline: Instant) -> Instant {
        deadline
    }
}
