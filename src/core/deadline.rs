//! Deadlines: a queued task whose deadline passes is ended, and its place is free at once.
//!
//! No worker can see to that, for all of them may be busy. So the first task with a deadline starts a thread
//! that watches, which is no worker: it sleeps until the next deadline, ends what is late, and leaves when
//! there has been nothing to watch for as long as an idle worker stays. A pool without deadlines has none.

use std::{
    io,
    time::{Duration, Instant},
};

use super::{
    Ending, Host, Park, Parked, Pool, Refusal, Scope, State, Task,
    submit::closed,
    sync::Arc,
    worker::{Duty, Worker},
};

/// How long the watcher stays for nothing in a pool whose workers never expire.
const LINGER: Duration = Duration::from_secs(10);

/// What the watcher does next.
enum Watch<T> {
    End(Vec<T>),
    /// Until the first deadline.
    Sleep(Instant),
    /// With nothing to watch.
    Linger(Instant),
    Leave,
}

impl<H: Host> State<H> {
    /// A task with this deadline is queued, or will not be. The watcher is to look again, if it is the first.
    pub(super) fn unexpect(&mut self, deadline: Instant) -> Option<Arc<Worker<H>>> {
        self.expected -= 1;
        let first = self.queue.first_deadline();
        let watcher = self.watcher.clone();
        watcher.filter(|_| first.is_none_or(|first| deadline <= first))
    }
}

impl<H: Host> Pool<H> {
    /// Has somebody watch, for a task with a deadline that is about to be queued: until
    /// [`unexpect`](Self::unexpect).
    ///
    /// # Errors
    /// The pool is closed, or a thread could not be started.
    pub(super) fn expect_deadline(self: &Arc<Self>) -> Result<(), Refusal<H::Interrupt>> {
        let mut state = self.state.lock();
        if let Some(why) = closed(&state.phase) {
            return Err(why);
        }
        if state.watcher.is_none() && self.has_workers() {
            // Under the lock, so that nobody counts on a watcher that cannot be started.
            state.watcher = Some(self.start_watcher().map_err(Refusal::NoThread)?);
            state.threads += 1;
        }
        state.expected += 1;
        Ok(())
    }

    /// The watcher takes the lock before it does anything.
    fn start_watcher(self: &Arc<Self>) -> io::Result<Arc<Worker<H>>> {
        // Never counted among the live: on the books as one that is leaving.
        let watcher = Worker::new(Duty::Leaving);
        let name = format!("{}_deadlines", self.config().thread_name_prefix);
        let (pool, me) = (self.clone(), watcher.clone());
        // It runs done-callbacks, which may need as much stack as a task.
        let handle = self.spawn(&name, move || {
            pool.watch(&me);
            pool.gone(&me);
        })?;
        *watcher.handle.lock() = Some(handle);
        Ok(watcher)
    }

    /// The task is queued, or will not be.
    pub(super) fn unexpect(&self, deadline: Instant) {
        let watcher = self.state.lock().unexpect(deadline);
        if let Some(watcher) = watcher {
            watcher.parker.unpark();
        }
    }

    fn watch(self: &Arc<Self>, me: &Worker<H>) {
        let mut bored = false;
        loop {
            match self.look(bored) {
                Watch::Leave => return,
                Watch::End(late) => self.host().visit(|scope| self.end_each(late, scope)),
                Watch::Sleep(until) => {
                    me.parker.park(Some(self.host().alarm(until)));
                    bored = false;
                }
                Watch::Linger(until) => {
                    bored = me.parker.park(Some(self.host().alarm(until))) == Parked::TimedOut;
                }
            }
        }
    }

    fn end_each(self: &Arc<Self>, late: Vec<H::Task>, scope: Scope<'_, H>) {
        for task in late {
            if task.discard(self.host(), scope, &Ending::Late) {
                self.cancelled(scope);
            }
        }
    }

    /// Ends what is late now, in a pool where no thread watches.
    pub fn end_late(self: &Arc<Self>, scope: Scope<'_, H>) {
        let now = self.host().now();
        let late = self.state.lock().queue.take_late(now);
        self.end_each(late, scope);
    }

    fn look(&self, bored: bool) -> Watch<H::Task> {
        let now = self.host().now();
        let mut state = self.state.lock();
        let Some(first) = state.queue.first_deadline() else {
            if state.expected == 0 && (bored || !state.phase.accepts()) {
                state.watcher = None;
                return Watch::Leave;
            }
            return Watch::Linger(now + self.config().expiry.unwrap_or(LINGER).min(LINGER));
        };
        if first <= now {
            return Watch::End(state.queue.take_late(now));
        }
        Watch::Sleep(first)
    }
}
