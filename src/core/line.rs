//! The line of those who wait for a place.
//!
//! A thread sleeps, and brings its task in when it wakes: the place is its own meanwhile. A coroutine's thread has
//! others to look after and may come late, so its task stands in line in its stead, and goes in by itself.

use std::{fmt, time::Instant};

use super::{
    Host, Park, Priority, Search, State, Terms, Verdict, Waiting,
    sync::{Arc, Mutex, MutexGuard},
    worker::Worker,
};

/// Who stands in the line.
pub(super) enum Submitter<H: Host> {
    Thread(Waiting<H>),
    Coroutine(Arc<Candidate<H>>),
}

impl<H: Host> Submitter<H> {
    pub(super) fn waiter(&self) -> &Waiting<H> {
        match self {
            Self::Thread(waiter) => waiter,
            Self::Coroutine(candidate) => &candidate.waiter,
        }
    }
}

/// A coroutine's task that stands in line.
pub struct Candidate<H: Host> {
    waiter: Waiting<H>,
    terms: Terms,
    /// Taken out by whoever lets it in, under the pool's lock; by its coroutine if that waits no more, or if it was
    /// sent away.
    task: Mutex<Option<H::Task>>,
}

impl<H: Host> Candidate<H> {
    pub(super) fn new(waiter: Waiting<H>, terms: Terms, task: H::Task) -> Arc<Self> {
        let task = Mutex::new(Some(task));
        Arc::new(Self {
            waiter,
            terms,
            task,
        })
    }

    /// Is told whether the task has gone in.
    pub fn waiter(&self) -> &Waiting<H> {
        &self.waiter
    }

    /// On which terms it was submitted.
    pub(super) fn terms(&self) -> &Terms {
        &self.terms
    }

    pub(super) fn take(&self) -> Option<H::Task> {
        self.task.lock().take()
    }
}

impl<H: Host> fmt::Debug for Candidate<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Candidate").finish_non_exhaustive()
    }
}

/// Those whose wait is over. They are woken once the lock is released.
pub(super) struct Told<H: Host> {
    waiters: Vec<Waiting<H>>,
    /// Whoever looks after deadlines: a task with one has gone in.
    watcher: Option<Arc<Worker<H>>>,
}

impl<H: Host> Told<H> {
    #[cold]
    pub(super) fn wake(self) {
        for waiter in self.waiters {
            waiter.wake();
        }
        if let Some(watcher) = self.watcher {
            watcher.parker.unpark();
        }
    }
}

impl<H: Host> State<H> {
    /// Gives the places that are free to those who wait, the first come first. A place is a thread's own from
    /// then on: nobody who comes later can take it before that thread has woken.
    ///
    /// While a woken worker searches and the queue is not empty a thread waits for it: it comes here too.
    /// A thread needs the interpreter just as the searcher does, so it could not use the place sooner;
    /// and a worker that runs through a thousand short tasks wakes it once, not in the midst of them.
    #[cold]
    pub(super) fn grant(&mut self, host: &H) {
        while self.has_place()
            && let Some(submitter) = self.next_in_line()
        {
            self.admit(&submitter, host);
        }
    }

    /// The same without regard for a searcher: there are more places than before, whatever becomes of the tasks.
    pub(super) fn grant_new_places(&mut self, host: &H) {
        while self.has_place()
            && let Some(submitter) = self.submitters.pop()
        {
            self.admit(&submitter, host);
        }
    }

    fn next_in_line(&mut self) -> Option<Submitter<H>> {
        if self.search == Search::Woken && !self.queue.is_empty() {
            let is_candidate = |next: &Submitter<H>| matches!(next, Submitter::Coroutine(_));
            return self.submitters.pop_if(is_candidate);
        }
        self.submitters.pop()
    }

    fn admit(&mut self, submitter: &Submitter<H>, host: &H) {
        self.in_flight += 1;
        if let Submitter::Coroutine(candidate) = submitter
            && let Some(task) = candidate.take()
        {
            let Terms {
                priority, deadline, ..
            } = candidate.terms;
            self.enqueue(task, priority, deadline, || host.now());
            let watcher = deadline.and_then(|deadline| self.unexpect(deadline));
            if watcher.is_some() {
                self.told().watcher = watcher;
            }
        }
        self.tell_one(submitter.waiter().clone());
    }

    pub(super) fn tell_one(&mut self, waiter: Waiting<H>) {
        waiter.decide(Verdict::Granted);
        self.told().waiters.push(waiter);
    }

    fn told(&mut self) -> &mut Told<H> {
        self.told.get_or_insert_with(|| Told {
            waiters: Vec::new(),
            watcher: None,
        })
    }

    /// Sends everybody away who waits for a place. They are woken once the lock is released.
    pub(super) fn clear_line(&mut self) -> Vec<Submitter<H>> {
        let submitters = self.submitters.take_all();
        for submitter in &submitters {
            // A thread says so itself.
            if let Submitter::Coroutine(candidate) = submitter
                && let Some(deadline) = candidate.terms.deadline
            {
                self.unexpect(deadline);
            }
            submitter.waiter().decide(Verdict::Closed);
        }
        submitters
    }

    /// Takes whoever waits so out of the line; `false`: it was in none.
    pub(super) fn leave_line(&mut self, waiter: &Waiting<H>) -> bool {
        let is_it = |other: &Submitter<H>| Arc::ptr_eq(other.waiter(), waiter);
        self.submitters.take_only(is_it).is_some()
    }

    /// Queues a task that has its place.
    #[allow(clippy::inline_always, reason = "the path of every task")]
    #[inline(always)]
    pub(super) fn enqueue(
        &mut self,
        task: H::Task,
        priority: Priority,
        deadline: Option<Instant>,
        now: impl FnOnce() -> Instant,
    ) {
        self.tally.submitted += 1;
        let stamp = self.sampler.stamp(now);
        self.queue.push(task, priority, deadline, stamp);
    }
}

/// Releases the lock, and wakes those who have been told.
pub(super) fn wake<H: Host>(mut state: MutexGuard<'_, State<H>>) {
    let told = state.told.take();
    drop(state);
    if let Some(told) = told {
        told.wake();
    }
}
