//! The pool: submit, admit, hand over or start a worker; tune.

use std::{collections::VecDeque, fmt, io};

use super::{
    Config, Cut, Ending, Host, Invalid, Overflow, Park, Phase, Ran, Refusal, Refused, Scope,
    Search, State, Summons, Task, Verdict, Waiter,
    config::check_capacity,
    sync::{Arc, Mutex, MutexGuard, thread},
    worker::{self, Duty, Ended, Next, Worker},
};

/// A bounded pool of workers. Workers hold it, and it holds them while they are idle; whoever made it
/// says when it ends, with [`close`](Self::close).
pub struct Pool<H: Host> {
    host: H,
    config: Config,
    pub(super) state: Mutex<State<H>>,
}

impl<H: Host> Pool<H> {
    /// A pool; with `prealloc`, and all its workers started.
    ///
    /// # Errors
    /// With `prealloc`, a thread could not be started; those that were are told to leave.
    pub fn new(host: H, config: Config, scope: Scope<'_, H>) -> io::Result<Arc<Self>> {
        let state = Mutex::new(State::new(&config));
        let pool = Arc::new(Self {
            host,
            config,
            state,
        });
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

    /// Accepts `task`, once, or hands it back. Waits for a place only with [`Overflow::Block`].
    ///
    /// # Errors
    /// [`Refused`], with the task and why.
    #[inline]
    pub fn submit(
        self: &Arc<Self>,
        task: H::Task,
        scope: Scope<'_, H>,
    ) -> Result<(), Box<Refused<H>>> {
        let mut state = self.state.lock();
        // A newcomer does not overtake those who wait for a place.
        if state.phase == Phase::Open && state.has_place() && state.submitters.is_empty() {
            state.in_flight += 1;
            return self.accept(state, task, scope);
        }
        self.submit_to_full(state, task, scope)
    }

    /// Queues a task that owns a place, and sees to it that somebody comes for it.
    #[inline]
    fn accept(
        self: &Arc<Self>,
        mut state: MutexGuard<'_, State<H>>,
        task: H::Task,
        scope: Scope<'_, H>,
    ) -> Result<(), Box<Refused<H>>> {
        if state.live == 0 {
            return self.accept_first(state, task, scope);
        }
        state.queue.push_back(task);
        self.conclude(state, scope);
        Ok(())
    }

    /// Nobody is there to come for the task, so a thread is started before it is queued: if there is none
    /// to be had, the task is still at hand and goes back to its owner. Once it is queued, others may have
    /// run or ended it before the start has failed.
    #[cold]
    fn accept_first(
        self: &Arc<Self>,
        mut state: MutexGuard<'_, State<H>>,
        task: H::Task,
        scope: Scope<'_, H>,
    ) -> Result<(), Box<Refused<H>>> {
        let number = state.count_start();
        state.search = Search::Started;
        drop(state);
        if let Err(error) = self.start(number, Duty::Searching) {
            self.not_started(&error, scope);
            self.give_back(scope);
            return refuse(task, Refusal::NoThread(error));
        }
        let mut state = self.state.lock();
        if let Some(why) = closed(&state.phase) {
            drop(state);
            self.give_back(scope);
            return refuse(task, why);
        }
        state.queue.push_back(task);
        self.conclude(state, scope);
        Ok(())
    }

    #[cold]
    fn submit_to_full(
        self: &Arc<Self>,
        mut state: MutexGuard<'_, State<H>>,
        task: H::Task,
        scope: Scope<'_, H>,
    ) -> Result<(), Box<Refused<H>>> {
        if let Some(why) = closed(&state.phase) {
            drop(state);
            return refuse(task, why);
        }
        match self.config.overflow {
            Overflow::Block if state.submitters.len() < self.config.max_blocking => {
                let waiter = Arc::new(Waiter::default());
                state.submitters.push_back(waiter.clone());
                drop(state);
                self.wait_for_place(&waiter, task, scope)
            }
            Overflow::Block | Overflow::Raise => {
                drop(state);
                refuse(task, Refusal::Overload)
            }
            Overflow::CallerRuns => {
                drop(state);
                if let Ran::Deliver(delivery) = task.run(&self.host, scope) {
                    H::Task::deliver(delivery, scope, || ());
                }
                Ok(())
            }
            Overflow::Discard => {
                drop(state);
                task.discard(scope, &Ending::Cancelled);
                Ok(())
            }
        }
    }

    fn wait_for_place(
        self: &Arc<Self>,
        waiter: &Arc<Waiter<H::Parker>>,
        task: H::Task,
        scope: Scope<'_, H>,
    ) -> Result<(), Box<Refused<H>>> {
        let outcome = waiter.wait::<H>(scope, None);
        let mut state = self.state.lock();
        let closed = closed(&state.phase);
        if closed.is_none() && matches!(outcome, Ok(Verdict::Granted)) {
            return self.accept(state, task, scope);
        }
        // Not going in after all: leave the line, or pass on a place that came too late.
        if waiter.verdict() == Verdict::Granted {
            drop(state);
            self.give_back(scope);
        } else {
            state.submitters.retain(|other| !Arc::ptr_eq(other, waiter));
            drop(state);
        }
        let why = match outcome {
            Err(Cut::Interrupted(interrupt)) => Refusal::Interrupted(interrupt),
            Err(Cut::TimedOut) => closed.unwrap_or(Refusal::TimedOut),
            Ok(_) => closed.unwrap_or(Refusal::Closed), // closed, and open again since
        };
        refuse(task, why)
    }

    /// Gives back a place that no task will use.
    fn give_back(self: &Arc<Self>, scope: Scope<'_, H>) {
        let mut state = self.state.lock();
        state.in_flight -= 1;
        self.conclude(state, scope);
    }

    /// Ends a critical section that changed the books: tells whoever waited for it, and sees to it that
    /// somebody comes for the queue.
    #[inline]
    fn conclude(self: &Arc<Self>, mut state: MutexGuard<'_, State<H>>, scope: Scope<'_, H>) {
        let woken = state.tell();
        let summons = state.summon();
        drop(state);
        for waiter in woken {
            waiter.wake();
        }
        match summons {
            Summons::Nobody => {}
            Summons::Wake(worker) => worker.parker.unpark(),
            Summons::Start(number) => {
                if let Err(error) = self.start(number, Duty::Searching) {
                    self.not_started(&error, scope);
                }
            }
        }
    }

    /// A thread could not be started. The busy workers come to the queue by themselves. With no worker at
    /// all, what stands in it has nobody, and is told so.
    ///
    /// 1. All workers are busy. A task is queued, and the start of another worker begins.
    /// 2. One that was busy runs that task, too, finds nothing more, and goes idle.
    /// 3. A second task is queued. A searcher is on its way, so nobody is woken.
    /// 4. The start fails. Only now can the idle worker be woken for the second task.
    #[cold]
    pub(super) fn not_started(self: &Arc<Self>, error: &io::Error, scope: Scope<'_, H>) {
        let mut state = self.state.lock();
        let orphans = if state.live == 0 {
            std::mem::take(&mut state.queue)
        } else {
            VecDeque::new()
        };
        let woken = state.tell();
        let summons = if state.idle.len() > 0 {
            state.summon()
        } else {
            Summons::Nobody // another start would fail, too
        };
        drop(state);
        for waiter in woken {
            waiter.wake();
        }
        if let Summons::Wake(worker) = summons {
            worker.parker.unpark();
        }
        self.discard(
            orphans.into(),
            scope,
            &Ending::NoThread(error.to_string().into()),
        );
    }

    /// Starts a worker that has been counted already.
    pub(super) fn start(self: &Arc<Self>, number: u64, duty: Duty) -> io::Result<()> {
        let name = format!("{}_{number}", self.config.thread_name_prefix);
        let mut builder = thread::Builder::new().name(name.clone());
        if let Some(bytes) = self.config.stack_size {
            builder = builder.stack_size(bytes);
        }
        let worker = Worker::new(duty);
        let started = {
            let (pool, worker) = (self.clone(), worker.clone());
            builder.spawn(move || worker::live(&pool, &worker, &name))
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

    /// A worker's whole bookkeeping between two tasks, under one lock: what it ended, what it does next.
    #[inline]
    pub(super) fn next(
        self: &Arc<Self>,
        me: &Arc<Worker<H>>,
        ended: &Ended,
        scope: Scope<'_, H>,
    ) -> Next<H> {
        let mut state = self.state.lock();
        match ended {
            Ended::Nothing => {}
            Ended::Task => state.in_flight -= 1,
            Ended::Cancelled => state.cancelled -= 1,
            Ended::Delivery => state.delivering -= 1,
        }
        let next = self.choose(&mut state, me);
        // Also for a worker that leaves: it may have been the one that searched.
        self.conclude(state, scope);
        next
    }

    fn choose(&self, state: &mut State<H>, me: &Arc<Worker<H>>) -> Next<H> {
        match me.duty() {
            Duty::Busy => {}
            Duty::Searching => {
                state.search = Search::None;
                state.patience.found(!state.queue.is_empty());
                me.set_duty(Duty::Busy);
            }
            Duty::Idle => {
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
        if let Some(task) = state.queue.pop_front() {
            return Next::Run(task);
        }
        if state.phase != Phase::Open {
            state.dismiss(me);
            return Next::Exit;
        }
        let now = self.host.now();
        me.set_duty(Duty::Idle);
        state.idle.push(now, me.clone());
        state.shed_memory();
        Next::Sleep(state.deadline(&self.config, now))
    }

    /// A task has run and its result is about to be told: gives its place back, and offers the worker
    /// as idle if telling will be prompt and there is nothing else for it.
    pub(super) fn finish(self: &Arc<Self>, me: &Arc<Worker<H>>, prompt: bool, scope: Scope<'_, H>) {
        let mut state = self.state.lock();
        state.delivering += 1;
        state.in_flight -= 1;
        let stays = state.phase == Phase::Open && state.live <= state.capacity;
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
            Duty::Busy | Duty::Leaving | Duty::Gone => {}
        }
        self.conclude(state, scope);
    }

    /// A task was cancelled while it waited in the queue: its place is free at once. What is left of it
    /// is dropped when a worker meets it, or now, if such remains are most of the queue.
    pub fn cancelled(self: &Arc<Self>, scope: Scope<'_, H>) {
        let mut state = self.state.lock();
        state.cancelled += 1;
        state.in_flight -= 1;
        let swept = state.sweep();
        self.conclude(state, scope);
        drop(swept);
    }

    /// Sets how many tasks may run at once, [`UNLIMITED`](super::UNLIMITED) or at least 1. More: as many blocked submitters
    /// as there are new places go on. Fewer: idle workers that are too many leave now, busy ones after
    /// their task.
    ///
    /// # Errors
    /// [`Invalid`].
    pub fn tune(self: &Arc<Self>, capacity: usize, scope: Scope<'_, H>) -> Result<(), Invalid> {
        check_capacity(capacity)?;
        let mut state = self.state.lock();
        state.capacity = capacity;
        let mut surplus = Vec::new();
        while state.live > state.capacity
            && let Some(worker) = state.idle.pop_oldest()
        {
            state.dismiss(&worker);
            surplus.push(worker);
        }
        self.conclude(state, scope);
        for worker in surplus {
            worker.parker.unpark();
        }
        Ok(())
    }

    /// Ends tasks that were taken out of the queue. Each gives its place back, unless its canceller did.
    pub(super) fn discard(
        self: &Arc<Self>,
        tasks: Vec<H::Task>,
        scope: Scope<'_, H>,
        why: &Ending,
    ) {
        for task in tasks {
            if task.discard(scope, why) {
                self.give_back(scope);
            } else {
                self.state.lock().cancelled -= 1;
            }
        }
    }
}

impl<H: Host> fmt::Debug for Pool<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool").finish_non_exhaustive()
    }
}

fn closed<I>(phase: &Phase) -> Option<Refusal<I>> {
    match phase {
        Phase::Open => None,
        Phase::Closed => Some(Refusal::Closed),
        Phase::Broken(fault) => Some(Refusal::Broken(fault.clone())),
    }
}

#[cold]
fn refuse<H: Host>(task: H::Task, why: Refusal<H::Interrupt>) -> Result<(), Box<Refused<H>>> {
    Err(Box::new(Refused { task, why }))
}
