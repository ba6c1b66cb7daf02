//! Submitting: a task is admitted, waits for a place, or is refused.

use std::time::Instant;

use super::{
    Cut, Ending, Host, Overflow, Phase, Pool, Priority, Refusal, Refused, Scope, Search, State,
    Task, Verdict, Waiter,
    sync::{Arc, MutexGuard},
    worker::{Duty, is_worker_of},
};

/// What one task is submitted with.
#[derive(Clone, Copy, Debug, Default)]
pub struct Terms {
    /// Its lane, in the queue and in the line of blocked submitters.
    pub priority: Priority,
    /// Until when its submitter waits for a place.
    pub timeout: Option<Instant>,
    /// By when it must have started, on the host's clock; after that it is cancelled.
    pub deadline: Option<Instant>,
}

impl Terms {
    /// Until when to wait for a place. The deadline is on the host's clock.
    pub(super) fn place_by<H: Host>(&self, host: &H) -> Option<Instant> {
        let deadline = self.deadline.map(|deadline| host.alarm(deadline));
        match (self.timeout, deadline) {
            (Some(timeout), Some(deadline)) => Some(timeout.min(deadline)),
            (timeout, deadline) => timeout.or(deadline),
        }
    }
}

/// What becomes of a task for which there is no place: in a full pool, and in a full sub-pool.
pub(super) enum WhenFull {
    /// Its submitter waits.
    Wait,
    /// Its submitter runs it, if its stack has room for one more.
    RunHere,
    /// It is discarded.
    Discard,
    /// It is refused.
    Refuse,
}

impl<H: Host> Pool<H> {
    /// Decides by the settings, when `blocked` submitters wait already.
    pub(super) fn when_full(&self, blocked: usize) -> WhenFull {
        match self.config().overflow {
            // It would wait for itself, and has a place: see `nested.rs`.
            Overflow::Block if is_worker_of(self) => WhenFull::RunHere,
            Overflow::Block if blocked < self.config().max_blocking => WhenFull::Wait,
            Overflow::Block | Overflow::Raise => WhenFull::Refuse,
            Overflow::CallerRuns => WhenFull::RunHere,
            Overflow::Discard => WhenFull::Discard,
        }
    }

    /// Accepts `task`, once, or hands it back. Waits for a place only with [`Overflow::Block`].
    ///
    /// # Errors
    /// [`Refused`], with the task and why.
    #[inline]
    pub fn submit(
        self: &Arc<Self>,
        task: H::Task,
        terms: &Terms,
        scope: Scope<'_, H>,
    ) -> Result<(), Box<Refused<H>>> {
        let Some(deadline) = terms.deadline else {
            return self.admit(task, terms, scope);
        };
        if let Err(why) = self.expect_deadline() {
            return self.refuse(task, why);
        }
        let admitted = self.admit(task, terms, scope);
        self.unexpect(deadline);
        admitted
    }

    #[allow(clippy::inline_always, reason = "70 instructions less a task")]
    #[inline(always)]
    fn admit(
        self: &Arc<Self>,
        task: H::Task,
        terms: &Terms,
        scope: Scope<'_, H>,
    ) -> Result<(), Box<Refused<H>>> {
        let mut state = self.state.lock();
        // A newcomer does not overtake those who wait for a place.
        if state.phase.accepts() && state.has_place() && state.submitters.is_empty() {
            state.in_flight += 1;
            return self.accept(state, task, terms, scope);
        }
        self.submit_to_full(state, task, terms, scope)
    }

    /// Queues a task that owns a place, and sees to it that somebody comes for it.
    #[allow(clippy::inline_always, reason = "70 instructions less a task")]
    #[inline(always)]
    fn accept(
        self: &Arc<Self>,
        state: MutexGuard<'_, State<H>>,
        task: H::Task,
        terms: &Terms,
        scope: Scope<'_, H>,
    ) -> Result<(), Box<Refused<H>>> {
        if state.live == 0 {
            return self.accept_first(state, task, terms, scope);
        }
        self.enqueue(state, task, terms, scope);
        Ok(())
    }

    #[allow(clippy::inline_always, reason = "70 instructions less a task")]
    #[inline(always)]
    fn enqueue(
        self: &Arc<Self>,
        mut guarded: MutexGuard<'_, State<H>>,
        task: H::Task,
        terms: &Terms,
        scope: Scope<'_, H>,
    ) {
        let state = &mut *guarded;
        state.tally.submitted += 1;
        let stamp = state.sampler.stamp(|| self.host().now());
        state
            .queue
            .push(task, terms.priority, terms.deadline, stamp);
        self.conclude(guarded, scope);
    }

    /// Nobody is there to come for the task, so a thread is started before it is queued: if there is none
    /// to be had, the task is still at hand and goes back to its owner. Once it is queued, others may have
    /// run or ended it before the start has failed.
    #[cold]
    fn accept_first(
        self: &Arc<Self>,
        mut state: MutexGuard<'_, State<H>>,
        task: H::Task,
        terms: &Terms,
        scope: Scope<'_, H>,
    ) -> Result<(), Box<Refused<H>>> {
        let number = state.count_start();
        state.search = Search::Started;
        drop(state);
        if let Err(error) = self.start(number, Duty::Searching) {
            self.not_started(&error, scope);
            self.give_back(scope);
            return self.refuse(task, Refusal::NoThread(error));
        }
        let state = self.state.lock();
        if let Some(why) = closed(&state.phase) {
            drop(state);
            self.give_back(scope);
            return self.refuse(task, why);
        }
        self.enqueue(state, task, terms, scope);
        Ok(())
    }

    #[cold]
    fn submit_to_full(
        self: &Arc<Self>,
        mut state: MutexGuard<'_, State<H>>,
        task: H::Task,
        terms: &Terms,
        scope: Scope<'_, H>,
    ) -> Result<(), Box<Refused<H>>> {
        if let Some(why) = closed(&state.phase) {
            drop(state);
            return self.refuse(task, why);
        }
        match self.when_full(state.submitters.len()) {
            WhenFull::Wait => {
                let waiter = Arc::new(Waiter::default());
                state.submitters.push(terms.priority, waiter.clone());
                drop(state);
                self.wait_for_place(&waiter, task, terms, scope)
            }
            WhenFull::Refuse => {
                drop(state);
                self.refuse(task, Refusal::Overload)
            }
            WhenFull::RunHere => {
                drop(state);
                if !H::can_nest(scope) {
                    return self.refuse(task, Refusal::TooDeep);
                }
                self.run_here(task, scope);
                Ok(())
            }
            WhenFull::Discard => {
                drop(state);
                self.drop_task(task, scope);
                Ok(())
            }
        }
    }

    /// A full pool drops a task.
    pub fn drop_task(&self, task: H::Task, scope: Scope<'_, H>) {
        self.state.lock().tally.discarded += 1;
        task.discard(self.host(), scope, &Ending::Cancelled);
    }

    fn wait_for_place(
        self: &Arc<Self>,
        waiter: &Arc<Waiter<H::Parker>>,
        task: H::Task,
        terms: &Terms,
        scope: Scope<'_, H>,
    ) -> Result<(), Box<Refused<H>>> {
        let outcome = waiter.wait::<H>(scope, terms.place_by(self.host()));
        let mut state = self.state.lock();
        let closed = closed(&state.phase);
        if closed.is_none() && matches!(outcome, Ok(Verdict::Granted)) {
            return self.accept(state, task, terms, scope);
        }
        // Not going in after all: leave the line, or pass on a place that came too late.
        if waiter.verdict() == Verdict::Granted {
            drop(state);
            self.give_back(scope);
        } else {
            state
                .submitters
                .take_first(|other| Arc::ptr_eq(other, waiter));
            drop(state);
        }
        let why = match outcome {
            Err(Cut::Interrupted(interrupt)) => Refusal::Interrupted(interrupt),
            Err(Cut::TimedOut) => closed.unwrap_or(Refusal::TimedOut),
            Ok(_) => closed.unwrap_or(Refusal::Closed), // closed, and open again since
        };
        self.refuse(task, why)
    }

    #[cold]
    fn refuse(&self, task: H::Task, why: Refusal<H::Interrupt>) -> Result<(), Box<Refused<H>>> {
        self.count_refusal();
        Err(Box::new(Refused { task, why }))
    }

    /// Counts a task that was not accepted.
    pub fn count_refusal(&self) {
        self.state.lock().tally.rejected += 1;
    }
}

pub(super) fn closed<I>(phase: &Phase) -> Option<Refusal<I>> {
    match phase {
        Phase::Open | Phase::Paused => None,
        Phase::Closed => Some(Refusal::Closed),
        Phase::Broken(fault) => Some(Refusal::Broken(fault.clone())),
    }
}
