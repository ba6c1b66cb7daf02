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
        if self.config().staff == Staff::Workers {
            return waiter.wait::<H>(scope, deadline);
        }
        loop {
            match waiter.verdict() {
                Verdict::None => {}
                told => return Ok(told),
            }
            let stepped = self.host().step(deadline.is_some(), scope);
            if !stepped.map_err(Cut::Interrupted)? && waiter.verdict() == Verdict::None {
                return Err(Cut::TimedOut);
            }
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
