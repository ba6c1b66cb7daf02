//! The pool: what happens between two tasks of a worker, and how workers are summoned; tune.

use std::{fmt, io};

use super::{
    Config, Ending, Fault, Host, Invalid, Outcome, Park, Phase, Scope, Search, State, Summons,
    Task,
    config::check_capacity,
    line::wake,
    outline::Sketch,
    queue::Taken,
    sync::{Arc, Mutex, MutexGuard, thread},
    system_name,
    worker::{self, Duty, Ended, Next, Worker},
};

/// A bounded pool of workers. Workers hold it, and it holds them while they are idle; whoever made it
/// says when it ends, with [`close`](Self::close).
pub struct Pool<H: Host> {
    host: H,
    config: Config,
    pub(super) state: Mutex<State<H>>,
    pub(super) sketch: Sketch,
}

impl<H: Host> Pool<H> {
    /// A pool; with `prealloc`, and all its workers started.
    ///
    /// # Errors
    /// With `prealloc`, a thread could not be started; those that were are told to leave.
    pub fn new(host: H, config: Config, scope: Scope<'_, H>) -> io::Result<Arc<Self>> {
        let state = Mutex::new(State::new(&config, host.now()));
        let pool = Arc::new(Self {
            host,
            config,
            state,
            sketch: Sketch::default(),
        });
        pool.draw_outline(&pool.state.lock());
        H::block(scope, || pool.preallocate())?;
        Ok(pool)
    }

    /// The host it was made with.
    pub fn host(&self) -> &H {
        &self.host
    }

    /// Its settings; for the capacity of now see [`stats`](Self::stats).
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// Why it is broken, if it is.
    pub fn fault(&self) -> Option<Fault> {
        match &self.state.lock().phase {
            Phase::Broken(fault) => Some(fault.clone()),
            Phase::Open | Phase::Paused | Phase::Closed => None,
        }
    }

    /// Gives back a place that no task will use.
    pub(super) fn give_back(self: &Arc<Self>, scope: Scope<'_, H>) {
        let mut state = self.state.lock();
        state.in_flight -= 1;
        self.conclude(state, scope);
    }

    /// Ends a critical section that changed the books: tells whoever waited for it, and sees to it that
    /// somebody comes for the queue.
    #[inline]
    pub(super) fn conclude(self: &Arc<Self>, state: MutexGuard<'_, State<H>>, scope: Scope<'_, H>) {
        if state.concerns_somebody() {
            self.tell_and_summon(state, scope);
        }
    }

    #[inline(never)]
    fn tell_and_summon(self: &Arc<Self>, mut state: MutexGuard<'_, State<H>>, scope: Scope<'_, H>) {
        state.tell(&self.host);
        let told = state.told.take();
        let summons = state.summon();
        drop(state);
        match summons {
            Summons::Nobody => {}
            Summons::Wake(worker) => worker.parker.unpark(),
            Summons::Start(number) => {
                if let Err(error) = self.start(number, Duty::Searching) {
                    self.not_started(&error, scope);
                }
            }
        }
        // After the worker: a coroutine is told by a call into its event loop, which may take a while.
        if let Some(told) = told {
            told.wake();
        }
    }

    /// A thread could not be started. The busy workers come to the queue by themselves. With no worker at
    /// all, what stands in it has nobody, and is told so.
    ///
    /// 1. All workers are busy. A task is queued, and the start of another worker begins.
    /// 2. One that was busy runs that task, too, finds nothing more, and goes idle.
    /// 3. A second task is queued. A searcher is on its way, so nobody is woken.
    /// 4. The start fails. Only now can the idle worker be woken for the second task.
    ///
    /// The places of those that are told so go to the tasks of coroutines in line, which have nobody either: one
    /// round after the other.
    #[cold]
    pub(super) fn not_started(self: &Arc<Self>, error: &io::Error, scope: Scope<'_, H>) {
        let why = Ending::NoThread(error.to_string().into());
        loop {
            let mut state = self.state.lock();
            state.tell(&self.host);
            let orphans = if state.live == 0 {
                state.queue.take_all()
            } else {
                Vec::new()
            };
            let summons = if state.idle.len() > 0 || state.queue.is_empty() {
                state.summon()
            } else {
                Summons::Nobody // another start would fail, too
            };
            wake(state);
            if let Summons::Wake(worker) = summons {
                worker.parker.unpark();
            }
            if orphans.is_empty() {
                return;
            }
            for task in orphans {
                drop(self.end(task, scope, &why));
            }
        }
    }

    /// Starts a thread with the stack that the settings ask for.
    pub(super) fn spawn(
        &self,
        name: &str,
        body: impl FnOnce() + Send + 'static,
    ) -> io::Result<thread::JoinHandle<()>> {
        let mut builder = thread::Builder::new().name(system_name(name).into_owned());
        if let Some(bytes) = self.config.stack_size {
            builder = builder.stack_size(bytes);
        }
        builder.spawn(body)
    }

    /// Starts a worker that has been counted already.
    pub(super) fn start(self: &Arc<Self>, number: u64, duty: Duty) -> io::Result<()> {
        let name = format!("{}_{number}", self.config.thread_name_prefix);
        let worker = Worker::new(duty);
        let started = {
            let (pool, worker, own_name) = (self.clone(), worker.clone(), name.clone());
            self.spawn(&name, move || worker::live(&pool, &worker, &own_name))
        };
        match started {
            Ok(handle) => {
                self.keep_handle(&worker, handle);
                Ok(())
            }
            Err(error) => {
                let mut state = self.state.lock();
                if duty == Duty::Searching {
                    state.search = Search::None;
                }
                state.live -= 1;
                state.threads -= 1;
                Err(error)
            }
        }
    }

    /// A new worker is about to run its initializer: it lets the next one come, if there is work for it.
    ///
    /// 1. Three tasks are queued. The first worker is started, and then runs an initializer.
    /// 2. The initializer waits until those of three workers have begun.
    /// 3. Were this worker still searching, nobody would start the others.
    pub(super) fn begin_preparing(self: &Arc<Self>, me: &Worker<H>, scope: Scope<'_, H>) {
        let mut state = self.state.lock();
        if me.duty() == Duty::Searching {
            state.search = Search::None;
        }
        me.set_duty(Duty::Preparing);
        state.preparing += 1;
        self.conclude(state, scope);
    }

    /// A worker's whole bookkeeping between two tasks, under one lock: what it ended, what it does next.
    #[inline]
    pub(super) fn next(
        self: &Arc<Self>,
        me: &Arc<Worker<H>>,
        ended: &Ended,
        task: &mut Option<Taken<H::Task>>,
        scope: Scope<'_, H>,
    ) -> Next {
        let mut state = self.state.lock();
        match ended {
            Ended::Nothing => {}
            Ended::Task(outcome) => {
                state.in_flight -= 1;
                state.tally.ended(*outcome);
            }
            Ended::Cancelled => {
                state.tally.started -= 1;
                state.queue.drop_remains();
            }
            Ended::Delivery => state.delivering -= 1,
        }
        if !state.submitters.is_empty() {
            state.grant(&self.host); // the task of a coroutine goes in, and may be the next
        }
        let next = self.choose(&mut state, me, task);
        // Also for a worker that leaves: it may have been the one that searched.
        self.conclude(state, scope);
        next
    }

    fn choose(
        &self,
        state: &mut State<H>,
        me: &Arc<Worker<H>>,
        task: &mut Option<Taken<H::Task>>,
    ) -> Next {
        match me.duty() {
            Duty::Busy => {}
            Duty::Searching => {
                if state.search != Search::Paced {
                    let taken = state.tally.submitted - state.queue.count() as u64;
                    state.patience.arrived(taken);
                }
                state.search = Search::None;
                state.pacer = None;
                me.set_duty(Duty::Busy);
            }
            Duty::Preparing => {
                state.preparing -= 1;
                me.set_duty(Duty::Busy);
            }
            Duty::Idle | Duty::Standby => {
                // Woken by its deadline or by chance: nobody has taken it from the idle.
                let since = state.idle.since(me).unwrap_or_else(|| self.host.now());
                return Next::Sleep(state.deadline(&self.config, since));
            }
            Duty::Leaving | Duty::Gone => return Next::Exit,
        }
        if state.live > state.capacity {
            state.dismiss(me);
            return Next::Exit;
        }
        if !state.queue.is_empty() && state.phase.runs() {
            if state.schedule.is_none() {
                if self.take(state, task) {
                    return Next::Run;
                }
            } else if let Some(next) = self.take_in_time(state, me, task) {
                return next;
            }
        }
        state.queue.shed_memory();
        if !state.phase.accepts() {
            state.dismiss(me);
            return Next::Exit;
        }
        let now = self.host.now();
        me.set_duty(Duty::Idle);
        state.idle.push(now, me.clone());
        Next::Sleep(state.deadline(&self.config, now))
    }

    /// Takes the next task, if there is one and it may start, with the stamp of its start.
    #[allow(clippy::inline_always, reason = "the path of every task")]
    #[inline(always)]
    fn take(&self, state: &mut State<H>, task: &mut Option<Taken<H::Task>>) -> bool {
        *task = state.queue.pop(|| self.host.now());
        let Some(taken) = task else {
            return false;
        };
        state.tally.started += 1;
        // A cancelled one never starts, and has no time to it.
        if let Some(stamp) = &mut taken.stamp
            && !taken.task.is_cancelled()
        {
            let now = self.host.now();
            *stamp = state
                .sampler
                .start(*stamp, now, &mut state.tally.queue_time);
        }
        true
    }

    /// The same in a pool with a rate. `None`: there is nothing, or somebody else waits for the time of the
    /// next task; else this worker does.
    #[cold]
    fn take_in_time(
        &self,
        state: &mut State<H>,
        me: &Arc<Worker<H>>,
        task: &mut Option<Taken<H::Task>>,
    ) -> Option<Next> {
        let now = self.host.now();
        let due = state.schedule.as_ref()?.not_before(now);
        // What is left of cancelled tasks costs no time.
        if let Some(due) = due.filter(|_| !state.queue.is_spent()) {
            if state.search != Search::None {
                return None;
            }
            state.search = Search::Paced;
            state.pacer = Some(me.clone());
            me.set_duty(Duty::Searching);
            return Some(Next::Pause(due));
        }
        if !self.take(state, task) {
            return None;
        }
        if task.as_ref().is_some_and(|it| it.task.is_cancelled()) {
            // It takes no start; and from now on nobody must think that the next in the queue is such remains.
            state.tally.started -= 1;
            state.queue.drop_remains();
            return Some(Next::Skip);
        }
        if let Some(schedule) = &mut state.schedule {
            schedule.take(now);
        }
        Some(Next::Run)
    }

    /// A task has run and its result is about to be told: gives its place back, and offers the worker
    /// as idle if telling will be prompt and there is nothing else for it.
    pub(super) fn finish(
        self: &Arc<Self>,
        me: &Arc<Worker<H>>,
        prompt: bool,
        outcome: Outcome,
        scope: Scope<'_, H>,
    ) {
        let mut state = self.state.lock();
        state.delivering += 1;
        state.in_flight -= 1;
        state.tally.ended(outcome);
        if !state.submitters.is_empty() {
            state.grant(&self.host);
        }
        let stays = state.phase.accepts() && state.live <= state.capacity;
        if prompt && stays && state.queue.is_empty() {
            me.set_duty(Duty::Idle);
            state.idle.push(self.host.now(), me.clone());
        }
        self.conclude(state, scope);
    }

    /// The worker offered itself too early: telling takes foreign code after all. If it has been
    /// summoned meanwhile, somebody else is.
    pub(super) fn withdraw(self: &Arc<Self>, me: &Arc<Worker<H>>, scope: Scope<'_, H>) {
        let mut state = self.state.lock();
        match me.duty() {
            Duty::Idle => {
                state.idle.remove(me);
                me.set_duty(Duty::Busy);
            }
            Duty::Searching => {
                state.search = Search::None;
                me.set_duty(Duty::Busy);
            }
            Duty::Busy | Duty::Standby | Duty::Preparing | Duty::Leaving | Duty::Gone => {}
        }
        self.conclude(state, scope);
    }

    /// A task was cancelled while it waited in the queue: its place is free at once. What is left of it
    /// is dropped when a worker meets it, or now, if such remains are most of the queue.
    pub fn cancelled(self: &Arc<Self>, scope: Scope<'_, H>) {
        let mut state = self.state.lock();
        state.queue.count_remains();
        state.in_flight -= 1;
        state.tally.cancelled += 1;
        let swept = state.queue.sweep();
        self.conclude(state, scope);
        drop(swept);
    }

    /// Sets how many tasks may run at once, [`UNLIMITED`](super::UNLIMITED) or at least 1. More: as many blocked submitters
    /// as there are new places go on. Fewer: idle workers that are too many leave now, busy ones after
    /// their task. A pool that tuned itself ([`adapt`](Self::adapt)) does so no more.
    ///
    /// # Errors
    /// [`Invalid`].
    pub fn tune(self: &Arc<Self>, capacity: usize, scope: Scope<'_, H>) -> Result<(), Invalid> {
        check_capacity(capacity)?;
        let mut state = self.state.lock();
        state.climber = None;
        self.set_capacity(state, capacity, scope);
        Ok(())
    }

    pub(super) fn set_capacity(
        self: &Arc<Self>,
        mut state: MutexGuard<'_, State<H>>,
        capacity: usize,
        scope: Scope<'_, H>,
    ) {
        state.capacity = capacity;
        state.grant_new_places(&self.host);
        self.draw_outline(&state);
        let mut surplus = Vec::new();
        while state.live > state.capacity
            && let Some(worker) = state.idle.pop_oldest()
        {
            state.dismiss(&worker);
            surplus.push(worker);
        }
        let remains = state.queue.take_remains();
        self.conclude(state, scope);
        drop(remains);
        for worker in surplus {
            worker.parker.unpark();
        }
    }

    /// Ends tasks that were taken out of the queue. Each gives its place back, unless its canceller did.
    pub(super) fn discard(
        self: &Arc<Self>,
        tasks: Vec<H::Task>,
        scope: Scope<'_, H>,
        why: &Ending,
    ) {
        for task in tasks {
            if let Some(state) = self.end(task, scope, why) {
                self.conclude(state, scope);
            }
        }
    }

    /// Ends one of them. If it has given its place back, that is still to be concluded.
    fn end(
        &self,
        task: H::Task,
        scope: Scope<'_, H>,
        why: &Ending,
    ) -> Option<MutexGuard<'_, State<H>>> {
        let ended = task.discard(&self.host, scope, why);
        let mut state = self.state.lock();
        if !ended {
            state.queue.drop_remains();
            return None;
        }
        state.in_flight -= 1;
        match why {
            Ending::Cancelled | Ending::Late => state.tally.cancelled += 1,
            Ending::Broken(_) | Ending::NoThread(_) => state.tally.failed += 1,
        }
        Some(state)
    }
}

impl<H: Host> fmt::Debug for Pool<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool").finish_non_exhaustive()
    }
}
