//! A counter that can be waited for to reach zero, as Go's `sync.WaitGroup`.

use std::{fmt, time::Instant};

use super::{
    Cut, Host, Scope, Verdict, Waiter, Waiting,
    sync::{Arc, Mutex},
};

/// The count would leave the range from 0 to `u64::MAX`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OutOfRange {
    /// The count as it was and still is.
    pub count: u64,
    /// What was to be added.
    pub delta: i64,
}

struct State<H: Host> {
    count: u64,
    waiters: Vec<Waiting<H>>,
}

/// `add` before a job, `done` at its end, `wait` for all of them.
///
/// One lock guards the count and those who wait for it, so that no `wait` can fall between a `done`
/// that reaches zero and the wake-ups that follow from it.
pub struct WaitGroup<H: Host> {
    state: Mutex<State<H>>,
}

impl<H: Host> WaitGroup<H> {
    /// A group with nothing to wait for.
    #[must_use]
    pub fn new() -> Self {
        Self {
            state: Mutex::new(State {
                count: 0,
                waiters: Vec::new(),
            }),
        }
    }

    /// The count now.
    pub fn count(&self) -> u64 {
        self.state.lock().count
    }

    /// Adds `delta`, which may be negative; at zero everyone who waits is woken.
    ///
    /// # Errors
    /// [`OutOfRange`], and the count stays as it was.
    pub fn add(&self, delta: i64) -> Result<(), OutOfRange> {
        let mut state = self.state.lock();
        let count = state.count;
        state.count = count
            .checked_add_signed(delta)
            .ok_or(OutOfRange { count, delta })?;
        if state.count != 0 || state.waiters.is_empty() {
            return Ok(());
        }
        let waiters = std::mem::take(&mut state.waiters);
        for waiter in &waiters {
            waiter.decide(Verdict::Granted);
        }
        drop(state);
        for waiter in waiters {
            waiter.wake();
        }
        Ok(())
    }

    /// One job is done: `add(-1)`.
    ///
    /// # Errors
    /// [`OutOfRange`] if no job was left.
    pub fn done(&self) -> Result<(), OutOfRange> {
        self.add(-1)
    }

    /// Waits for zero. `false`: `deadline` passed first. Before the thread sleeps, and whenever it has been
    /// [nudged](Self::nudge), it calls `help`: a worker may have jobs of the group to run itself.
    ///
    /// # Errors
    /// The host was interrupted.
    pub fn wait(
        &self,
        scope: Scope<'_, H>,
        deadline: Option<Instant>,
        help: impl FnMut(),
    ) -> Result<bool, H::Interrupt> {
        if self.count() == 0 {
            return Ok(true);
        }
        let waiter = Arc::new(Waiter::default());
        if !self.join(&waiter) {
            return Ok(true);
        }
        let Err(cut) = waiter.wait_and_help::<H>(scope, deadline, help) else {
            return Ok(true);
        };
        self.leave(&waiter);
        match cut {
            Cut::Interrupted(interrupt) => Err(interrupt),
            Cut::TimedOut => Ok(waiter.verdict() == Verdict::Granted),
        }
    }

    /// Has `waiter` told when the count reaches zero. `false`: it is zero now, and nothing is to be waited for.
    pub fn join(&self, waiter: &Waiting<H>) -> bool {
        let mut state = self.state.lock();
        let waits = state.count > 0;
        if waits {
            state.waiters.push(waiter.clone());
        }
        waits
    }

    /// `waiter` waits no more.
    pub fn leave(&self, waiter: &Waiting<H>) {
        let mut state = self.state.lock();
        state.waiters.retain(|other| !Arc::ptr_eq(other, waiter));
    }

    /// Those who wait, if that can be told without waiting for the lock.
    pub fn waiters(&self) -> Vec<Waiting<H>> {
        let state = self.state.try_lock();
        state.map(|it| it.waiters.clone()).unwrap_or_default()
    }

    /// Has the threads that wait look again whether they can help.
    pub fn nudge(&self) {
        let waiters = self.state.lock().waiters.clone();
        for waiter in waiters {
            waiter.nudge();
        }
    }
}

impl<H: Host> Default for WaitGroup<H> {
    fn default() -> Self {
        Self::new()
    }
}

impl<H: Host> fmt::Debug for WaitGroup<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "WaitGroup(count={})", self.count())
    }
}
