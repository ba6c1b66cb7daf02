//! Tasks that are run by the thread that wants them, so that nested submits never deadlock.
//!
//! A worker that would wait for a place in its own pool, or for a task of its own pool that has not started,
//! runs that task itself: there may be nobody else to do it. It runs in the midst of the task that waits, so no
//! more tasks run at once than before. A task that runs elsewhere is waited for: whatever it waits for in turn
//! is running too, or is run by it. So a chain of waits ends with a task that runs, unless it is a cycle, and a
//! cycle is the program's own and is not hidden.

use std::time::Instant;

use super::{
    Host, Outcome, Park, Parked, Pool, Ran, Scope, Search, Task,
    queue::Taken,
    stats::Stamp,
    sync::Arc,
    worker::{as_worker_of, guard, is_worker_of},
};

/// Whether a task that is run out of turn owns a place of the pool.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Own,
    /// That of the task in whose midst it runs, or none: its submitter is not a worker.
    None,
}

impl<H: Host> Pool<H> {
    /// Whether this thread is one of the pool's workers.
    pub fn has_this_worker(&self) -> bool {
        is_worker_of(self)
    }

    /// Whether somebody is on the way to the queue, or would be summoned: a worker that waits for a task in it need not
    /// run it itself, yet.
    pub fn has_others(&self) -> bool {
        let state = self.state.lock();
        let comes = state.search != Search::None || state.idle.len() > 0 || state.standby.is_some();
        state.phase.runs() && (comes || state.preparing > 0 || state.live < state.capacity)
    }

    /// Runs a task that nobody else has, now.
    pub fn run_here(self: &Arc<Self>, task: H::Task, scope: Scope<'_, H>) {
        self.run_new(task, Place::None, scope);
    }

    /// The same for a task that has been given a place.
    pub(super) fn run_accepted(self: &Arc<Self>, task: H::Task, scope: Scope<'_, H>) {
        self.run_new(task, Place::Own, scope);
    }

    fn run_new(self: &Arc<Self>, task: H::Task, place: Place, scope: Scope<'_, H>) {
        let mut state = self.state.lock();
        state.tally.submitted += 1;
        let stamp = state.sampler.mark(self.host().now());
        drop(state);
        self.run_nested(task, place, Some(stamp), scope);
    }

    /// Runs a queued task for the one that waits for it, unless somebody is faster. It is another handle to the
    /// same task; that in the queue is found to have been taken when its turn comes.
    pub fn run_waited(self: &Arc<Self>, task: H::Task, scope: Scope<'_, H>) {
        let mut state = self.state.lock();
        state.queue.count_remains();
        let swept = state.queue.sweep();
        let stamp = state.sampler.mark(self.host().now());
        drop(state);
        drop(swept);
        self.run_nested(task, Place::Own, Some(stamp), scope);
    }

    /// Runs the first queued task that is `wanted`, now. `false`: there is none.
    pub fn run_queued(
        self: &Arc<Self>,
        wanted: impl Fn(&H::Task) -> bool,
        scope: Scope<'_, H>,
    ) -> bool {
        let taken = self.state.lock().queue.take_first(wanted);
        let Some(Taken { task, stamp }) = taken else {
            return false;
        };
        self.run_nested(task, Place::Own, stamp, scope);
        true
    }

    /// All of it is the nested task's: its callbacks, too, are no part of the task in whose midst it runs.
    fn run_nested(
        self: &Arc<Self>,
        task: H::Task,
        place: Place,
        stamp: Option<Stamp>,
        scope: Scope<'_, H>,
    ) {
        H::nest(scope, || self.run_and_deliver(task, place, stamp, scope));
    }

    fn run_and_deliver(
        self: &Arc<Self>,
        task: H::Task,
        place: Place,
        stamp: Option<Stamp>,
        scope: Scope<'_, H>,
    ) {
        let now = self.host().now();
        let mut state = self.state.lock();
        let start = state.schedule.as_mut().map(|schedule| schedule.take(now));
        state.tally.started += 1;
        drop(state);
        if let Some(start) = start.filter(|start| *start > now) {
            self.sleep_until(start, scope);
        }
        let started = stamp.map(|stamp| {
            let now = self.host().now();
            let state = &mut *self.state.lock();
            state.sampler.start(stamp, now, &mut state.tally.queue_time)
        });
        let ran = if self.has_workers() {
            guard(|| task.run(self.host(), scope))
        } else {
            task.runs_alone(self);
            // Meanwhile this thread is what a worker would be.
            as_worker_of(self, || guard(|| task.run(self.host(), scope)))
        };
        let (delivery, outcome) = match ran {
            Some(Ran::Cancelled) => {
                let mut state = self.state.lock();
                state.tally.started -= 1;
                state.queue.drop_remains();
                return;
            }
            Some(Ran::Deliver(delivery, outcome)) => (Some(delivery), outcome),
            Some(Ran::Silent(outcome)) => (None, outcome),
            None => (None, Outcome::Failed),
        };
        let now = self.host().now();
        let mut guarded = self.state.lock();
        let state = &mut *guarded;
        if let Some(started) = started {
            state.sampler.end(started, now, &mut state.tally.run_time);
        }
        state.tally.ended(outcome);
        state.delivering += 1;
        state.in_flight -= usize::from(place == Place::Own);
        self.conclude(guarded, scope);
        if let Some(delivery) = delivery {
            guard(|| H::Task::deliver(delivery, scope, || ()));
        }
        let mut state = self.state.lock();
        state.delivering -= 1;
        self.conclude(state, scope);
    }

    /// A task that is run out of turn keeps to the rate, too.
    fn sleep_until(&self, start: Instant, scope: Scope<'_, H>) {
        if self.host().skip_to(start) {
            return;
        }
        let parker = H::Parker::default();
        H::block(scope, || {
            while self.host().now() < start {
                if parker.park(Some(self.host().alarm(start))) == Parked::Interrupted {
                    return; // too early; but the handler runs at once, in the task
                }
            }
        });
    }
}
