//! Somebody who waits: how it sleeps, what it is told, and the one loop in which all waits of threads are spent.
//! A coroutine stands in the same lines, with a parker that does not sleep.

use std::time::Instant;

use super::{
    Host, Scope,
    spin::{Spun, WAITERS},
    sync::{
        Arc,
        atomic::{AtomicU8, Ordering},
    },
};

/// How a thread sleeps until another wakes it. A wake-up that comes first is kept for the next sleep;
/// several count as one.
pub trait Park: Default + Send + Sync + 'static {
    /// Sleeps until [`unpark`](Park::unpark), `deadline` or a signal.
    fn park(&self, deadline: Option<Instant>) -> Parked;
    /// Whether the next sleep would not be one: it has been woken already. Asked by the sleeper itself.
    fn is_woken(&self) -> bool;
    /// Wakes the thread that sleeps here, or the next that will.
    fn unpark(&self);
    /// Whether a thread sleeps here, that can be woken to look around. Else this belongs to a coroutine, whose
    /// thread has others to look after, and `unpark` is only for its verdict.
    fn is_thread(&self) -> bool {
        true
    }
}

/// Why a sleep ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Parked {
    /// Somebody called `unpark`.
    Woken,
    /// The deadline has passed.
    TimedOut,
    /// A signal arrived.
    Interrupted,
}

/// What a waiter is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Verdict {
    /// Nothing yet.
    None,
    /// What it waited for is so; a submitter owns a place.
    Granted,
    /// It never will be: the pool is closed.
    Closed,
}

/// Why a wait was broken off without a verdict.
#[derive(Debug)]
pub enum Cut<I> {
    /// The deadline passed.
    TimedOut,
    /// The host was interrupted.
    Interrupted(I),
}

/// A thread, or a coroutine, that waits for a [`Verdict`].
#[derive(Debug, Default)]
pub struct Waiter<P> {
    parker: P,
    /// Written once, by whoever took this waiter off its list under that list's lock, with `Release`
    /// before `unpark`. Read by whoever waits with `Acquire`: it sees all that came before.
    verdict: AtomicU8,
}

/// A waiter that stands in a line.
pub type Waiting<H> = Arc<Waiter<<H as Host>::Parker>>;

impl<P: Park> Waiter<P> {
    /// A waiter that waits as `parker` does.
    pub fn new(parker: P) -> Self {
        Self {
            parker,
            verdict: AtomicU8::new(Verdict::None as u8),
        }
    }

    /// How it waits.
    pub fn parker(&self) -> &P {
        &self.parker
    }

    /// Decides what the waiter is told. Call under the lock of the list it stood on, then
    /// [`wake`](Self::wake) it after the lock is released.
    pub fn decide(&self, verdict: Verdict) {
        self.verdict.store(verdict as u8, Ordering::Release);
    }

    /// Wakes the waiting thread.
    pub fn wake(&self) {
        self.parker.unpark();
    }

    /// Has a sleeping thread look around.
    pub fn nudge(&self) {
        if self.parker.is_thread() {
            self.parker.unpark();
        }
    }

    /// What the waiter has been told.
    pub fn verdict(&self) -> Verdict {
        match self.verdict.load(Ordering::Acquire) {
            0 => Verdict::None,
            1 => Verdict::Granted,
            _ => Verdict::Closed,
        }
    }

    /// Sleeps until there is a verdict.
    ///
    /// # Errors
    /// [`Cut`]. A verdict may still have come in between: take the waiter off its list under the lock,
    /// and look.
    pub fn wait<H: Host<Parker = P>>(
        &self,
        scope: Scope<'_, H>,
        deadline: Option<Instant>,
    ) -> Result<Verdict, Cut<H::Interrupt>> {
        self.wait_and_help::<H>(scope, deadline, || ())
    }

    /// The same; calls `help` before each sleep.
    ///
    /// # Errors
    /// As [`wait`](Self::wait).
    pub fn wait_and_help<H: Host<Parker = P>>(
        &self,
        scope: Scope<'_, H>,
        deadline: Option<Instant>,
        mut help: impl FnMut(),
    ) -> Result<Verdict, Cut<H::Interrupt>> {
        let mut may_spin = true;
        loop {
            help();
            match self.verdict() {
                Verdict::None => {}
                told => return Ok(told),
            }
            let parked = H::block(scope, || {
                if std::mem::take(&mut may_spin) && WAITERS.spin::<H>(&self.parker) == Spun::InVain
                {
                    // A signal may have come meanwhile, and would not end the sleep: look for it first.
                    return Parked::Interrupted;
                }
                self.parker.park(deadline)
            });
            match parked {
                Parked::Woken => {}
                // A verdict wins over a deadline or a signal that came with it; the host finds the
                // signal again by itself.
                _ if self.verdict() != Verdict::None => {}
                Parked::TimedOut => return Err(Cut::TimedOut),
                Parked::Interrupted => H::interrupted(scope).map_err(Cut::Interrupted)?,
            }
        }
    }
}
