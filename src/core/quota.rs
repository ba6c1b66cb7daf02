//! A sub-pool's places: so many of a pool's tasks at once, and no more.
//!
//! A task takes a place here before it asks for one in the pool, and carries the guard that gives it back. The
//! guard is dropped wherever the task ends, so that no way of ending can forget it.

use std::{fmt, time::Instant};

use super::{
    Cut, Host, Overflow, Pool, Refusal, Scope, Terms, Verdict, Waiter,
    lanes::Lanes,
    submit::closed,
    sync::{Arc, Mutex, MutexGuard},
    worker::is_worker_of,
};

struct State<H: Host> {
    limit: usize,
    /// Places taken: tasks from their acceptance to their end.
    taken: usize,
    /// Tasks whose result has not been told: those with a place, and a few more.
    present: usize,
    submitters: Lanes<Arc<Waiter<H::Parker>>>,
    joiners: Vec<Arc<Waiter<H::Parker>>>,
}

/// The places of a sub-pool. One lock guards them and those who wait for them.
pub struct Quota<H: Host> {
    state: Mutex<State<H>>,
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

impl<H: Host> Quota<H> {
    /// The places now: how many there are, are taken, and are waited for.
    pub fn numbers(&self) -> (usize, usize, usize) {
        let state = self.state.lock();
        (state.limit, state.taken, state.submitters.len())
    }

    /// Whether there is nothing to wait for.
    pub fn is_quiet(&self) -> bool {
        self.state.lock().present == 0
    }

    /// Sets how many places there are, at least 1.
    pub fn tune(&self, limit: usize) {
        let mut state = self.state.lock();
        state.limit = limit;
        Self::conclude(state);
    }

    fn conclude(mut state: MutexGuard<'_, State<H>>) {
        let mut woken = Vec::new();
        while state.taken < state.limit
            && let Some(submitter) = state.submitters.pop()
        {
            state.taken += 1;
            state.present += 1;
            submitter.decide(Verdict::Granted);
            woken.push(submitter);
        }
        if state.present == 0 {
            for joiner in std::mem::take(&mut state.joiners) {
                joiner.decide(Verdict::Granted);
                woken.push(joiner);
            }
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
        let mut state = self.state.lock();
        if state.present == 0 {
            return Ok(true);
        }
        let waiter = Arc::new(Waiter::default());
        state.joiners.push(waiter.clone());
        drop(state);
        let Err(cut) = waiter.wait::<H>(scope, deadline) else {
            return Ok(true);
        };
        let mut state = self.state.lock();
        state.joiners.retain(|other| !Arc::ptr_eq(other, &waiter));
        drop(state);
        match cut {
            Cut::Interrupted(interrupt) => Err(interrupt),
            Cut::TimedOut => Ok(waiter.verdict() == Verdict::Granted),
        }
    }
}

impl<H: Host> Guard<H> {
    /// The task has ended: its place is free, its result not told yet.
    pub fn free_place(&mut self) {
        let mut state = self.quota.state.lock();
        state.taken -= usize::from(std::mem::take(&mut self.holds_place));
        Quota::conclude(state);
    }
}

impl<H: Host> Drop for Guard<H> {
    fn drop(&mut self) {
        let mut state = self.quota.state.lock();
        state.taken -= usize::from(self.holds_place);
        state.present -= 1;
        Quota::conclude(state);
    }
}

impl<H: Host> Pool<H> {
    /// A sub-pool of `limit` places, at least 1.
    pub fn quota(&self, limit: usize) -> Arc<Quota<H>> {
        let quota = Arc::new(Quota {
            state: Mutex::new(State {
                limit,
                taken: 0,
                present: 0,
                submitters: Lanes::new(),
                joiners: Vec::new(),
            }),
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
        self.refuse_if_closed()?;
        let mut state = quota.state.lock();
        if state.taken < state.limit && state.submitters.is_empty() {
            state.taken += 1;
            state.present += 1;
            return Ok(Entrance::Admitted(quota.guard()));
        }
        match self.config().overflow {
            Overflow::Block if !is_worker_of(self) => {
                if state.submitters.len() >= self.config().max_blocking {
                    return Err(Refusal::Overload);
                }
            }
            Overflow::Block | Overflow::CallerRuns if H::can_nest(scope) => {
                return Ok(Entrance::Here);
            }
            Overflow::Block | Overflow::CallerRuns => return Err(Refusal::TooDeep),
            Overflow::Discard => return Ok(Entrance::Discarded),
            Overflow::Raise => return Err(Refusal::Overload),
        }
        let waiter = Arc::new(Waiter::default());
        state.submitters.push(terms.priority, waiter.clone());
        drop(state);
        // Once more: it may have been closed, and all who waited sent away, just before this came in line.
        let outcome = match self.refuse_if_closed() {
            Ok(()) => waiter
                .wait::<H>(scope, terms.place_by(self.host()))
                .map_err(|cut| match cut {
                    Cut::Interrupted(interrupt) => Refusal::Interrupted(interrupt),
                    Cut::TimedOut => Refusal::TimedOut,
                }),
            Err(closed) => Err(closed),
        };
        let mut state = quota.state.lock();
        state
            .submitters
            .take_first(|other| Arc::ptr_eq(other, &waiter));
        drop(state);
        // A place granted in the last moment: to be used, or given back by the guard.
        let guard = (waiter.verdict() == Verdict::Granted).then(|| quota.guard());
        match (outcome, guard) {
            (Ok(_), Some(guard)) => Ok(Entrance::Admitted(guard)),
            // Closed, and perhaps open again since.
            (Ok(_), None) => Err(self.refuse_if_closed().err().unwrap_or(Refusal::Closed)),
            (Err(why), _) => Err(why),
        }
    }

    fn refuse_if_closed(&self) -> Result<(), Refusal<H::Interrupt>> {
        closed(&self.state.lock().phase).map_or(Ok(()), Err)
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
