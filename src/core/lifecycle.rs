//! The pool's life: preallocate, close, wait, release, reboot, break down, and the end of each thread.

use std::{io, time::Instant};

use super::{
    Cut, Ending, Fault, Host, Park, Phase, Pool, Scope, Search, State, Unfinished, Until, Verdict,
    Waiter, Waiting,
    line::wake,
    state::Joiner,
    sync::{Arc, MutexGuard, Weak, thread::JoinHandle},
    worker::{Duty, Worker, is_worker_of},
};

impl<H: Host> Pool<H> {
    /// Starts all workers of a `prealloc` pool.
    pub(super) fn preallocate(self: &Arc<Self>) -> io::Result<()> {
        if !self.config().prealloc {
            return Ok(());
        }
        let missing = {
            let state = self.state.lock();
            // It may have been tuned to have no limit since it was made.
            let capacity = state.limit().unwrap_or(self.config().capacity);
            capacity.saturating_sub(state.live)
        };
        // So many and no more: those started first may expire or be sent home while this goes on.
        for _ in 0..missing {
            let mut state = self.state.lock();
            if !state.phase.accepts() {
                break;
            }
            let number = state.count_start();
            drop(state);
            if let Err(error) = self.start(number, Duty::Busy) {
                self.enter_phase(Phase::Closed);
                return Err(error);
            }
        }
        // Whoever went idle while there were few sleeps without a deadline: see `expiry.rs`.
        let idle = self.state.lock().idle.all();
        for worker in idle {
            worker.parker.unpark();
        }
        Ok(())
    }

    /// Refuses new tasks, sends blocked submitters away and idle workers home. What was accepted still
    /// runs. Closing twice does nothing more.
    pub fn close(self: &Arc<Self>, scope: Scope<'_, H>) {
        self.enter_phase(Phase::Closed);
        // Nobody came for the queue while the pool was paused.
        let mut state = self.state.lock();
        let remains = state.queue.take_remains();
        self.conclude(state, scope);
        drop(remains);
    }

    /// The same, and ends all tasks that no worker has taken yet; at the end of a pause none is started.
    pub fn close_and_cancel(self: &Arc<Self>, scope: Scope<'_, H>) {
        self.enter_phase(Phase::Closed);
        self.cancel_queued(scope);
    }

    /// The program ends, and the pool with it. What was accepted still runs; of a daemon only what a worker has taken.
    pub fn close_at_end(self: &Arc<Self>, scope: Scope<'_, H>) {
        if self.config().daemon {
            self.close_and_cancel(scope);
        } else {
            self.close(scope);
        }
    }

    /// Waits at the end of the program until every thread has ended; a daemon's are not waited for.
    ///
    /// # Errors
    /// [`Unfinished`].
    pub fn wait_at_end(&self, scope: Scope<'_, H>) -> Result<(), Unfinished<H::Interrupt>> {
        if self.config().daemon {
            return Ok(());
        }
        self.wait_gone(scope, None)
    }

    /// No worker takes a task from the queue until [`resume`](Self::resume); those that run go on, and
    /// tasks are accepted as before. On a closed pool nothing happens.
    pub fn pause(&self) {
        let mut state = self.state.lock();
        if state.phase == Phase::Open {
            state.phase = Phase::Paused;
            self.draw_outline(&state);
        }
    }

    /// The clock has been changed: whoever sleeps by it looks again.
    pub fn look_at_clock(&self) {
        let state = self.state.lock();
        let mut sleepers = state.idle.all();
        sleepers.extend(state.pacer.clone());
        sleepers.extend(state.watcher.clone());
        drop(state);
        for sleeper in sleepers {
            sleeper.parker.unpark();
        }
    }

    /// Ends a pause. On a pool that is not paused nothing happens.
    pub fn resume(self: &Arc<Self>, scope: Scope<'_, H>) {
        let mut state = self.state.lock();
        if state.phase == Phase::Paused {
            state.phase = Phase::Open;
            self.draw_outline(&state);
        }
        let remains = state.queue.take_remains();
        self.conclude(state, scope);
        drop(remains);
    }

    /// Ends all tasks that no worker has taken yet.
    pub fn cancel_queued(self: &Arc<Self>, scope: Scope<'_, H>) {
        self.end_queued(scope, &Ending::Cancelled);
    }

    /// Ends those tasks that are `unwanted` and that no worker has taken yet.
    pub fn cancel_each(self: &Arc<Self>, unwanted: impl Fn(&H::Task) -> bool, scope: Scope<'_, H>) {
        let tasks = self.state.lock().queue.take_each(unwanted);
        self.discard(tasks, scope, &Ending::Cancelled);
        // For a worker that waits for the time of a task that is gone.
        self.conclude(self.state.lock(), scope);
    }

    fn end_queued(self: &Arc<Self>, scope: Scope<'_, H>, why: &Ending) {
        let queued = self.state.lock().queue.take_all();
        self.discard(queued, scope, why);
        // For a worker that waits for the time of a task that is gone.
        self.conclude(self.state.lock(), scope);
    }

    fn enter_phase(&self, phase: Phase) {
        self.enter_phase_under(self.state.lock(), phase);
    }

    fn enter_phase_under(&self, mut state: MutexGuard<'_, State<H>>, phase: Phase) {
        if state.phase.accepts() {
            state.phase = phase;
        }
        self.draw_outline(&state);
        let submitters = state.clear_line();
        let quotas = state.quotas.clone();
        let watcher = state.watcher.clone();
        let mut sent_home = Vec::new();
        state.stand_down(self.host().now());
        while let Some(worker) = state.idle.pop_oldest() {
            state.dismiss(&worker);
            sent_home.push(worker);
        }
        drop(state);
        for submitter in submitters {
            submitter.waiter().wake();
        }
        for worker in sent_home.iter().chain(&watcher) {
            worker.parker.unpark();
        }
        for quota in quotas.iter().filter_map(Weak::upgrade) {
            quota.send_away();
        }
    }

    /// A worker could not be made fit to run tasks: nothing that is queued will run.
    ///
    /// Both under one lock: were there a moment in between, another worker would be started in place of this one.
    pub(super) fn break_down(self: &Arc<Self>, me: &Worker<H>, scope: Scope<'_, H>, fault: &Fault) {
        let mut state = self.state.lock();
        Self::strike_off(&mut state, me);
        self.enter_phase_under(state, Phase::Broken(fault.clone()));
        self.end_queued(scope, &Ending::Broken(fault.clone()));
    }

    /// Takes a worker that does not come back to the queue off the books.
    fn strike_off(state: &mut State<H>, me: &Worker<H>) {
        match me.duty() {
            Duty::Leaving | Duty::Gone => return,
            Duty::Searching => state.search = Search::None,
            Duty::Preparing => state.preparing -= 1,
            Duty::Busy | Duty::Idle | Duty::Standby => {}
        }
        state.dismiss(me);
    }

    /// Waits until every accepted task is done and its result delivered. The pool stays as it is.
    ///
    /// # Errors
    /// [`Unfinished`].
    pub fn wait(
        &self,
        scope: Scope<'_, H>,
        deadline: Option<Instant>,
    ) -> Result<(), Unfinished<H::Interrupt>> {
        self.join(Until::Quiet, scope, deadline)
    }

    /// Waits until every thread has ended: on a closed pool.
    ///
    /// # Errors
    /// [`Unfinished`]; may be called again.
    pub fn wait_gone(
        &self,
        scope: Scope<'_, H>,
        deadline: Option<Instant>,
    ) -> Result<(), Unfinished<H::Interrupt>> {
        self.join(Until::Gone, scope, deadline)?;
        self.see_off_last(scope);
        Ok(())
    }

    fn see_off_last(&self, scope: Scope<'_, H>) {
        // The last one has said that it is done; now its thread is really gone.
        let last = self.state.lock().last_exit.take();
        if let Some(handle) = last {
            H::block(scope, || join(handle));
        }
    }

    /// Waits until nobody is on the way to the queue: then there are as many workers as it asks for.
    ///
    /// # Errors
    /// [`Unfinished`].
    pub fn settle(
        &self,
        scope: Scope<'_, H>,
        deadline: Option<Instant>,
    ) -> Result<(), Unfinished<H::Interrupt>> {
        self.join(Until::Settled, scope, deadline)
    }

    fn join(
        &self,
        until: Until,
        scope: Scope<'_, H>,
        deadline: Option<Instant>,
    ) -> Result<(), Unfinished<H::Interrupt>> {
        if self.state.lock().holds(until) {
            return Ok(());
        }
        if until != Until::Settled && is_worker_of(self) {
            return Err(Unfinished::Itself);
        }
        let waiter = Arc::new(Waiter::default());
        if !self.join_until(until, &waiter) {
            return Ok(());
        }
        let Err(cut) = self.wait_with(&waiter, scope, deadline) else {
            return Ok(());
        };
        self.leave_joiners(&waiter);
        match cut {
            Cut::Interrupted(interrupt) => Err(Unfinished::Interrupted(interrupt)),
            Cut::TimedOut if waiter.verdict() == Verdict::Granted => Ok(()),
            Cut::TimedOut => Err(Unfinished::TimedOut),
        }
    }

    /// Has `waiter` told when every thread has ended. `false`: that is so now.
    pub fn join_gone(&self, waiter: &Waiting<H>) -> bool {
        self.join_until(Until::Gone, waiter)
    }

    fn join_until(&self, until: Until, waiter: &Waiting<H>) -> bool {
        let mut state = self.state.lock();
        let waits = !state.holds(until);
        if waits {
            let waiter = waiter.clone();
            state.joiners.push(Joiner { until, waiter });
        }
        waits
    }

    /// `waiter` waits no more.
    pub fn leave_joiners(&self, waiter: &Waiting<H>) {
        let mut state = self.state.lock();
        state
            .joiners
            .retain(|joiner| !Arc::ptr_eq(&joiner.waiter, waiter));
    }

    /// Opens a closed pool again, once its threads have ended; on an open pool nothing happens.
    ///
    /// # Errors
    /// [`Unfinished`] from waiting for the threads; a thread of a `prealloc` pool that cannot be started
    /// is the inner error.
    pub fn reboot(
        self: &Arc<Self>,
        scope: Scope<'_, H>,
    ) -> Result<io::Result<()>, Unfinished<H::Interrupt>> {
        // Somebody else may be faster:
        // 1. Two find the pool closed. One opens it, and workers are started.
        // 2. The other must not wait for their end. And if the pool is closed once more by now, it waits for the end
        //    of these, too.
        let mut state = loop {
            if self.state.lock().phase.accepts() {
                return Ok(Ok(()));
            }
            self.join(Until::Reopened, scope, None)?;
            self.see_off_last(scope);
            let state = self.state.lock();
            if state.threads == 0 && !state.phase.accepts() {
                break state;
            }
        };
        state.phase = Phase::Open;
        self.draw_outline(&state);
        self.tell_and_wake(state);
        let started = H::block(scope, || self.preallocate());
        // Whoever has submitted since may have counted on the worker that could not be started.
        Ok(started.inspect_err(|error| self.not_started(error, scope)))
    }

    /// Keeps the handle of a thread just started for its exit, or sees it off if it has ended already.
    pub(super) fn keep_handle(&self, worker: &Worker<H>, handle: JoinHandle<()>) {
        let state = self.state.lock();
        if worker.duty() == Duty::Gone {
            self.see_off(state, handle);
        } else {
            *worker.handle.lock() = Some(handle);
        }
    }

    /// The last thing a worker's thread does. It joins the thread that ended before it and leaves its own
    /// handle to the next, so that no ended thread stays unjoined, and the last one stands for all.
    pub(super) fn gone(&self, me: &Worker<H>) {
        let mut state = self.state.lock();
        Self::strike_off(&mut state, me); // if the host was gone before it could begin
        me.set_duty(Duty::Gone);
        let own = me.handle.lock().take();
        match own {
            Some(own) => self.see_off(state, own),
            // Its starter has not come to keep the handle yet, and counts the thread as ended when it does:
            // until then nobody could join it.
            None => self.tell_and_wake(state),
        }
    }

    /// A thread does nothing more that anyone could notice: from now on it need only be joined.
    fn see_off(&self, mut state: MutexGuard<'_, State<H>>, handle: JoinHandle<()>) {
        let before = state.last_exit.replace(handle);
        state.threads -= 1;
        self.tell_and_wake(state);
        before.into_iter().for_each(join);
    }

    fn tell_and_wake(&self, mut state: MutexGuard<'_, State<H>>) {
        state.tell(self.host());
        wake(state);
    }
}

/// A worker catches what its tasks raise, so a panic here is the core's own, and has been reported.
fn join(handle: JoinHandle<()>) {
    drop(handle.join());
}
