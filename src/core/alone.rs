//! A pool without workers, for tests: tasks are run by whoever submits them, or by whoever waits.
//!
//! All else is the same: places, lanes, terms, refusals, the books. While a task runs, its thread is known as a worker
//! of the pool, so a task that waits for another is helped as on a worker (`nested.rs`).

use std::time::Instant;

use super::{
    Cut, Host, Pool, Refusal, Refused, Scope, Staff, State, Submitted, Terms, Verdict, Waiter,
    sync::{Arc, MutexGuard},
};

impl<H: Host> Pool<H> {
    /// Whether the pool has workers to run its tasks, as all pools have but those for tests.
    pub fn has_workers(&self) -> bool {
        self.config().staff == Staff::Workers
    }

    /// Runs tasks of a pool without workers, for somebody who waits until it is `done`. `false`: it is not, and no
    /// task is left. `timed`: whether that is a wait that ends by itself.
    ///
    /// # Errors
    /// What [`Host::step`] says.
    pub fn step_until(
        &self,
        done: impl Fn() -> bool,
        timed: bool,
        scope: Scope<'_, H>,
    ) -> Result<bool, H::Interrupt> {
        while !done() {
            if !self.host().step(timed, scope)? {
                return Ok(done());
            }
        }
        Ok(true)
    }

    /// Waits for the verdict of `waiter`. Where there are no workers, whoever waits runs tasks until it is there.
    ///
    /// # Errors
    /// As [`Waiter::wait`].
    pub fn wait_with(
        &self,
        waiter: &Waiter<H::Parker>,
        scope: Scope<'_, H>,
        deadline: Option<Instant>,
    ) -> Result<Verdict, Cut<H::Interrupt>> {
        if self.has_workers() {
            return waiter.wait::<H>(scope, deadline);
        }
        let told = || waiter.verdict() != Verdict::None;
        match self.step_until(told, deadline.is_some(), scope) {
            Ok(true) => Ok(waiter.verdict()),
            Ok(false) => Err(Cut::TimedOut),
            Err(interrupt) => Err(Cut::Interrupted(interrupt)),
        }
    }

    /// Accepts a task that owns a place, where no worker will come for it.
    #[cold]
    pub(super) fn accept_alone(
        self: &Arc<Self>,
        mut state: MutexGuard<'_, State<H>>,
        task: H::Task,
        terms: &Terms,
        scope: Scope<'_, H>,
    ) -> Submitted<H> {
        if self.config().staff == Staff::Waiters || !state.phase.runs() {
            state.enqueue(task, terms.priority, terms.deadline, || self.host().now());
            return Ok(());
        }
        if !H::can_nest(scope) {
            drop(state);
            self.give_back(scope);
            let why = Refusal::TooDeep;
            return Err(Refused { task, why }.into());
        }
        drop(state);
        self.run_accepted(task, scope);
        Ok(())
    }
}
