//! Submitting: a task is admitted, waits for a place, or is refused.

use std::time::Instant;

use super::{
    Candidate, Cut, Ending, Host, Overflow, Park, Phase, Pool, Priority, Refusal, Refused, Scope,
    Search, State, Submitted, Task, Verdict, Waiter, Waiting,
    line::Submitter,
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
    pub fn place_by<H: Host>(&self, host: &H) -> Option<Instant> {
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

/// Who hands in a task.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Caller {
    /// A thread that may sleep, or run the task itself.
    Thread,
    /// A coroutine: its thread has others to look after, so it waits where a thread would run the task.
    Coroutine,
}

/// How it stands with a coroutine that asked for a place.
#[derive(Debug)]
pub enum Turn<T, W> {
    /// It is decided.
    Decided(T),
    /// It stands in line, and is told when it is its turn.
    InLine(W),
}

impl<H: Host> Pool<H> {
    /// Decides by the settings, when `blocked` submitters wait already.
    pub(super) fn when_full(&self, blocked: usize, caller: Caller) -> WhenFull {
        let overflow = match (self.config().overflow, caller) {
            (Overflow::CallerRuns, Caller::Coroutine) => Overflow::Block,
            (overflow, _) => overflow,
        };
        match overflow {
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
    ) -> Submitted<H> {
        let Some(deadline) = terms.deadline else {
            return self.admit(task, terms, scope);
        };
        if let Err(why) = self.expect_deadline() {
            return Err(self.refuse(task, why).into());
        }
        let admitted = self.admit(task, terms, scope);
        self.unexpect(deadline);
        admitted
    }

    /// The same for a coroutine, which does not sleep: where a thread would, its task stands in line, and its
    /// `waiter` is told once it has gone in. [`end_submit`](Self::end_submit) follows then.
    ///
    /// # Errors
    /// [`Refused`], with the task and why.
    pub fn begin_submit(
        self: &Arc<Self>,
        task: H::Task,
        terms: &Terms,
        waiter: impl FnOnce() -> Waiting<H>,
        scope: Scope<'_, H>,
    ) -> Submitted<H, Turn<(), Arc<Candidate<H>>>> {
        let Some(deadline) = terms.deadline else {
            return self.admit_or_line_up(task, terms, waiter, scope);
        };
        if let Err(why) = self.expect_deadline() {
            return Err(self.refuse(task, why).into());
        }
        let turn = self.admit_or_line_up(task, terms, waiter, scope);
        if !matches!(turn, Ok(Turn::InLine(_))) {
            self.unexpect(deadline);
        }
        turn
    }

    fn admit_or_line_up(
        self: &Arc<Self>,
        task: H::Task,
        terms: &Terms,
        waiter: impl FnOnce() -> Waiting<H>,
        scope: Scope<'_, H>,
    ) -> Submitted<H, Turn<(), Arc<Candidate<H>>>> {
        let mut state = self.state.lock();
        if state.admits() {
            state.in_flight += 1;
            return self.accept(state, task, terms, scope).map(Turn::Decided);
        }
        match self.without_place(&state, Caller::Coroutine) {
            Ok(WhenFull::Wait) => {
                if !self.has_workers() {
                    drop(state);
                    // Its loop's thread runs the tasks: there is nobody else.
                    return match self.host().step(true, scope) {
                        Ok(true) => self.admit_or_line_up(task, terms, waiter, scope),
                        Ok(false) => Err(self.refuse(task, Refusal::TimedOut).into()),
                        Err(why) => Err(self.refuse(task, Refusal::Interrupted(why)).into()),
                    };
                }
                let candidate = Candidate::new(waiter(), *terms, task);
                let submitter = Submitter::Coroutine(candidate.clone());
                state.submitters.push(terms.priority, submitter);
                Ok(Turn::InLine(candidate))
            }
            other => self.turn_away(state, task, other, scope).map(Turn::Decided),
        }
    }

    /// Ends the wait of a coroutine whose task stood in line. `cut`: why, if it has not been told anything.
    ///
    /// # Errors
    /// [`Refused`], with the task and why: it has not gone in, and will not.
    pub fn end_submit(
        &self,
        candidate: &Arc<Candidate<H>>,
        cut: Cut<H::Interrupt>,
    ) -> Submitted<H> {
        let waiter = candidate.waiter();
        // Most have been told, and need not be looked for: the line may be long.
        if waiter.verdict() == Verdict::None {
            self.leave_line(candidate);
        }
        // Nobody has it but this coroutine, unless it has gone in.
        let Some(task) = candidate.take() else {
            return Ok(());
        };
        let why = match (waiter.verdict(), cut) {
            (Verdict::None, Cut::Interrupted(interrupt)) => Refusal::Interrupted(interrupt),
            (Verdict::None, Cut::TimedOut) => Refusal::TimedOut,
            // Closed, and perhaps open again since.
            _ => self.refuse_if_closed().err().unwrap_or(Refusal::Closed),
        };
        Err(self.refuse(task, why).into())
    }

    fn leave_line(&self, candidate: &Candidate<H>) {
        let mut state = self.state.lock();
        let stood = state.leave_line(candidate.waiter());
        let deadline = candidate.terms().deadline.filter(|_| stood);
        let watcher = deadline.and_then(|deadline| state.unexpect(deadline));
        drop(state);
        if let Some(watcher) = watcher {
            watcher.parker.unpark();
        }
    }

    #[allow(clippy::inline_always, reason = "70 instructions less a task")]
    #[inline(always)]
    fn admit(self: &Arc<Self>, task: H::Task, terms: &Terms, scope: Scope<'_, H>) -> Submitted<H> {
        let mut state = self.state.lock();
        if state.admits() {
            state.in_flight += 1;
            return self.accept(state, task, terms, scope);
        }
        self.submit_to_full(state, task, terms, scope)
    }

    #[cold]
    fn submit_to_full(
        self: &Arc<Self>,
        mut state: MutexGuard<'_, State<H>>,
        task: H::Task,
        terms: &Terms,
        scope: Scope<'_, H>,
    ) -> Submitted<H> {
        match self.without_place(&state, Caller::Thread) {
            Ok(WhenFull::Wait) => {
                let waiter = Arc::new(Waiter::default());
                let submitter = Submitter::Thread(waiter.clone());
                state.submitters.push(terms.priority, submitter);
                drop(state);
                self.wait_for_place(&waiter, task, terms, scope)
            }
            other => self.turn_away(state, task, other, scope),
        }
    }

    /// What becomes of a task that does not go in at once.
    fn without_place(
        &self,
        state: &State<H>,
        caller: Caller,
    ) -> Result<WhenFull, Refusal<H::Interrupt>> {
        match closed(&state.phase) {
            Some(why) => Err(why),
            None => Ok(self.when_full(state.submitters.len(), caller)),
        }
    }

    /// Does what becomes of a task that is not to wait.
    fn turn_away(
        self: &Arc<Self>,
        state: MutexGuard<'_, State<H>>,
        task: H::Task,
        what: Result<WhenFull, Refusal<H::Interrupt>>,
        scope: Scope<'_, H>,
    ) -> Submitted<H> {
        drop(state);
        let why = match what {
            Ok(WhenFull::RunHere) if H::can_nest(scope) => {
                self.run_here(task, scope);
                return Ok(());
            }
            Ok(WhenFull::Discard) => {
                self.drop_task(task, scope);
                return Ok(());
            }
            Ok(WhenFull::RunHere) => Refusal::TooDeep,
            Ok(WhenFull::Refuse | WhenFull::Wait) => Refusal::Overload,
            Err(why) => why,
        };
        Err(self.refuse(task, why).into())
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
    ) -> Submitted<H> {
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
        let now = || self.host().now();
        guarded.enqueue(task, terms.priority, terms.deadline, now);
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
    ) -> Submitted<H> {
        if !self.has_workers() {
            return self.accept_alone(state, task, terms, scope);
        }
        let number = state.count_start();
        state.begin_search(Search::Started, 1);
        drop(state);
        if let Err(error) = self.start(number, Duty::Searching) {
            self.not_started(&error, scope);
            self.give_back(scope);
            return Err(self.refuse(task, Refusal::NoThread(error)).into());
        }
        let state = self.state.lock();
        if let Some(why) = closed(&state.phase) {
            drop(state);
            self.give_back(scope);
            return Err(self.refuse(task, why).into());
        }
        self.enqueue(state, task, terms, scope);
        Ok(())
    }

    /// A full pool drops a task.
    pub fn drop_task(&self, task: H::Task, scope: Scope<'_, H>) {
        self.state.lock().tally.discarded += 1;
        task.discard(self.host(), scope, &Ending::Cancelled);
    }

    fn wait_for_place(
        self: &Arc<Self>,
        waiter: &Waiting<H>,
        task: H::Task,
        terms: &Terms,
        scope: Scope<'_, H>,
    ) -> Submitted<H> {
        let outcome = self.wait_with(waiter, scope, terms.place_by(self.host()));
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
            state.leave_line(waiter);
            drop(state);
        }
        let why = match outcome {
            Err(Cut::Interrupted(interrupt)) => Refusal::Interrupted(interrupt),
            Err(Cut::TimedOut) => closed.unwrap_or(Refusal::TimedOut),
            Ok(_) => closed.unwrap_or(Refusal::Closed), // closed, and open again since
        };
        Err(self.refuse(task, why).into())
    }

    #[cold]
    fn refuse(&self, task: H::Task, why: Refusal<H::Interrupt>) -> Refused<H> {
        self.count_refusal();
        Refused { task, why }
    }

    pub(super) fn refuse_if_closed(&self) -> Result<(), Refusal<H::Interrupt>> {
        closed(&self.state.lock().phase).map_or(Ok(()), Err)
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
