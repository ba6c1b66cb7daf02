//! A sub-pool's places: so many of a pool's tasks at once, and no more.
//!
//! A task takes a place here before it asks for one in the pool, and carries the guard that gives it back. The
//! guard is dropped wherever the task ends, so that no way of ending can forget it.

use std::{fmt, time::Instant};

use super::{
    Cut, Host, Pool, Refusal, Scope, Terms, Verdict, WaitGroup, Waiting,
    lanes::Lanes,
    submit::{Caller, Turn, WhenFull},
    sync::{Arc, Mutex, MutexGuard},
};

struct State<H: Host> {
    limit: usize,
    /// Places taken: tasks from their acceptance to their end.
    taken: usize,
    submitters: Lanes<Waiting<H>>,
}

/// The places of a sub-pool. One lock guards them and those who wait for them.
pub struct Quota<H: Host> {
    state: Mutex<State<H>>,
    /// Tasks whose result has not been told: those with a place, and a few more. Counted up under the lock, with
    /// the place.
    present: WaitGroup<H>,
}

/// A task's place in a [`Quota`], and then its presence until its result has been told.
pub struct Guard<H: Host> {
    quota: Arc<Quota<H>>,
    holds_place: bool,
}

/// What becomes of a task at the entrance of a sub-pool.
pub enum Entrance<H: Host> {
    /// It has a place: submit it to the pool.
    Admitted(Guard<H>),
    /// There is none, and the submitter runs it.
    Here,
    /// There is none, and it is discarded.
    Discarded,
}

/// How it stands with whoever asked for a place: decided, or in line with this waiter.
type AtEntrance<H> = Turn<Entrance<H>, Waiting<H>>;

impl<H: Host> Quota<H> {
    /// The places now: how many there are, are taken, and are waited for.
    pub fn numbers(&self) -> (usize, usize, usize) {
        let state = self.state.lock();
        (state.limit, state.taken, state.submitters.len())
    }

    /// Whether there is nothing to wait for.
    pub fn is_quiet(&self) -> bool {
        self.present.count() == 0
    }

    /// Sets how many places there are, at least 1.
    pub fn tune(&self, limit: usize) {
        let mut state = self.state.lock();
        state.limit = limit;
        self.grant(state);
    }

    /// One more task has a place.
    fn take(&self, state: &mut State<H>) {
        state.taken += 1;
        // It cannot fail: there is no room for so many tasks.
        let _ = self.present.add(1);
    }

    /// Gives the places that are free to those who wait, the first come first.
    fn grant(&self, mut state: MutexGuard<'_, State<H>>) {
        let mut woken = Vec::new();
        while state.taken < state.limit
            && let Some(submitter) = state.submitters.pop()
        {
            self.take(&mut state);
            submitter.decide(Verdict::Granted);
            woken.push(submitter);
        }
        drop(state);
        for waiter in woken {
            waiter.wake();
        }
    }

    /// The pool is closed: nobody waits for a place any more.
    pub(super) fn send_away(&self) {
        let submitters = self.state.lock().submitters.take_all();
        for submitter in submitters {
            submitter.decide(Verdict::Closed);
            submitter.wake();
        }
    }

    fn guard(self: &Arc<Self>) -> Guard<H> {
        Guard {
            quota: self.clone(),
            holds_place: true,
        }
    }

    /// Waits until all tasks of the sub-pool are done and their results told. `false`: `deadline` passed
    /// first.
    ///
    /// # Errors
    /// The host was interrupted.
    pub fn wait(
        &self,
        scope: Scope<'_, H>,
        deadline: Option<Instant>,
    ) -> Result<bool, H::Interrupt> {
        self.present.wait(scope, deadline, || ())
    }
}

impl<H: Host> Guard<H> {
    /// The task has ended: its place is free, its result not told yet.
    pub fn free_place(&mut self) {
        let mut state = self.quota.state.lock();
        state.taken -= usize::from(std::mem::take(&mut self.holds_place));
        self.quota.grant(state);
    }
}

impl<H: Host> Drop for Guard<H> {
    fn drop(&mut self) {
        self.free_place();
        // It was counted when it got its place.
        let _ = self.quota.present.done();
    }
}

impl<H: Host> Pool<H> {
    /// A sub-pool of `limit` places, at least 1.
    pub fn quota(&self, limit: usize) -> Arc<Quota<H>> {
        let quota = Arc::new(Quota {
            state: Mutex::new(State {
                limit,
                taken: 0,
                submitters: Lanes::new(),
            }),
            present: WaitGroup::new(),
        });
        let mut state = self.state.lock();
        state.quotas.retain(|other| other.strong_count() > 0);
        state.quotas.push(Arc::downgrade(&quota));
        quota
    }

    /// Takes a place of a sub-pool for a task, or does what the pool does when it is full. A worker of this
    /// pool does not wait: the task runs in the place of the one that submits it.
    ///
    /// # Errors
    /// [`Refusal`].
    pub fn enter(
        &self,
        quota: &Arc<Quota<H>>,
        terms: &Terms,
        scope: Scope<'_, H>,
    ) -> Result<Entrance<H>, Refusal<H::Interrupt>> {
        match self.line_up_at(quota, terms, Caller::Thread, Arc::default, scope)? {
            Turn::Decided(entrance) => Ok(entrance),
            Turn::InLine(waiter) => {
                let outcome = self.wait_with(&waiter, scope, terms.place_by(self.host()));
                self.end_enter(quota, &waiter, outcome)
            }
        }
    }

    /// The same for a coroutine, which does not sleep: where a thread would, `waiter` stands in line, and
    /// [`end_enter`](Self::end_enter) follows once it has been told.
    ///
    /// # Errors
    /// [`Refusal`].
    pub fn begin_enter(
        &self,
        quota: &Arc<Quota<H>>,
        terms: &Terms,
        waiter: &Waiting<H>,
        scope: Scope<'_, H>,
    ) -> Result<Turn<Entrance<H>, ()>, Refusal<H::Interrupt>> {
        let waiter = || waiter.clone();
        match self.line_up_at(quota, terms, Caller::Coroutine, waiter, scope)? {
            Turn::Decided(entrance) => Ok(Turn::Decided(entrance)),
            Turn::InLine(_) => Ok(Turn::InLine(())),
        }
    }

    /// Ends a wait in the line of a sub-pool: with the verdict, or because nobody waits any more.
    ///
    /// # Errors
    /// [`Refusal`].
    pub fn end_enter(
        &self,
        quota: &Arc<Quota<H>>,
        waiter: &Waiting<H>,
        outcome: Result<Verdict, Cut<H::Interrupt>>,
    ) -> Result<Entrance<H>, Refusal<H::Interrupt>> {
        // Most have been told, and need not be looked for: the line may be long.
        if waiter.verdict() == Verdict::None {
            let mut state = quota.state.lock();
            state
                .submitters
                .take_only(|other| Arc::ptr_eq(other, waiter));
        }
        // A place granted in the last moment: to be used, or given back by the guard.
        let guard = (waiter.verdict() == Verdict::Granted).then(|| quota.guard());
        match (outcome, guard) {
            (Ok(_), Some(guard)) => Ok(Entrance::Admitted(guard)),
            // Closed, and perhaps open again since.
            (Ok(_), None) => Err(self.refuse_if_closed().err().unwrap_or(Refusal::Closed)),
            (Err(Cut::Interrupted(interrupt)), _) => Err(Refusal::Interrupted(interrupt)),
            (Err(Cut::TimedOut), _) => Err(Refusal::TimedOut),
        }
    }

    fn line_up_at(
        &self,
        quota: &Arc<Quota<H>>,
        terms: &Terms,
        caller: Caller,
        waiter: impl FnOnce() -> Waiting<H>,
        scope: Scope<'_, H>,
    ) -> Result<AtEntrance<H>, Refusal<H::Interrupt>> {
        self.refuse_if_closed()?;
        let mut state = quota.state.lock();
        if state.taken < state.limit && state.submitters.is_empty() {
            quota.take(&mut state);
            return Ok(Turn::Decided(Entrance::Admitted(quota.guard())));
        }
        match self.when_full(state.submitters.len(), caller) {
            WhenFull::Wait => {}
            WhenFull::RunHere if H::can_nest(scope) => {
                return Ok(Turn::Decided(Entrance::Here));
            }
            WhenFull::RunHere => return Err(Refusal::TooDeep),
            WhenFull::Discard => return Ok(Turn::Decided(Entrance::Discarded)),
            WhenFull::Refuse => return Err(Refusal::Overload),
        }
        let waiter = waiter();
        state.submitters.push(terms.priority, waiter.clone());
        drop(state);
        // Once more: it may have been closed, and all who waited sent away, just before this came in line.
        if let Err(closed) = self.refuse_if_closed() {
            drop(self.end_enter(quota, &waiter, Err(Cut::TimedOut)));
            return Err(closed);
        }
        Ok(Turn::InLine(waiter))
    }
}

impl<H: Host> fmt::Debug for Quota<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Quota").finish_non_exhaustive()
    }
}

impl<H: Host> fmt::Debug for Guard<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Guard").finish_non_exhaustive()
    }
}
