//! A host in plain Rust for the pool's tests: its tasks are closures, its "interpreter" is a flag on each
//! thread that says whether the thread is attached, its clock can be a toy, its signals come from tests.

#[cfg(not(any(loom, shuttle)))]
mod clock;
mod coroutine;
mod job;
#[cfg(not(any(loom, shuttle)))]
mod signal;
/// How threads sleep: for real, or in a model, where there is no time.
#[cfg_attr(any(loom, shuttle), path = "host/sleep_model.rs")]
mod sleep;

use std::{
    cell::Cell,
    io,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::Instant,
};

use antspy::core::{Config, Fault, Host, Pool, Refusal, Terms};

#[cfg(any(loom, shuttle))]
pub(crate) use self::sleep::{Clock, interrupt_this_thread};
#[cfg(not(any(loom, shuttle)))]
pub(crate) use self::{
    clock::Clock,
    job::{End, Fate, Why},
    signal::{Handler, Signals},
};
pub(crate) use self::{
    coroutine::{Coroutine, begin_on},
    job::{Counts, Job, Ledger},
    sleep::Sleeper,
};

/// The pool that all tests are about.
pub(crate) type TestPool = Pool<TestHost>;

/// A thread's place in the runtime: what [`Host::Scope`] points to.
pub(crate) struct Attached {
    inside: Cell<bool>,
    /// How many tasks run here in the midst of others.
    depth: Cell<usize>,
    blocks: Arc<AtomicU64>,
    ways: Arc<AtomicU64>,
}

impl Attached {
    /// The calling thread, which is no worker.
    pub(crate) fn new() -> Self {
        Self::counting(Arc::default(), Arc::default())
    }

    fn counting(blocks: Arc<AtomicU64>, ways: Arc<AtomicU64>) -> Self {
        Self {
            inside: Cell::new(true),
            depth: Cell::new(0),
            blocks,
            ways,
        }
    }

    /// How often [`Host::block`] was called here; for workers: on all of them.
    pub(crate) fn blocks(&self) -> u64 {
        self.blocks.load(Ordering::SeqCst)
    }

    /// The core may call a task only on a thread that is attached.
    pub(crate) fn check(&self) {
        assert!(self.inside.get(), "foreign code while detached");
    }
}

/// What a signal handler raises.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Interrupt;

/// How many threads there have been.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    pub(crate) entered: AtomicU64,
    /// Threads that are over for good: their thread-local values have been dropped, which is the last
    /// thing that happens before a `join` returns.
    pub(crate) ended: AtomicU64,
}

/// How many tasks one thread runs in the midst of each other at most.
pub(crate) const DEEPEST: usize = 100;

/// What makes a new worker fit to run tasks, or does not.
type Initializer = Arc<dyn Fn() -> Result<(), Fault> + Send + Sync>;

pub(crate) struct TestHost {
    clock: Clock,
    initializer: Mutex<Option<Initializer>>,
    worker_blocks: Arc<AtomicU64>,
    worker_ways: Arc<AtomicU64>,
    /// Called by who visits, before it does anything.
    visitor: Mutex<Option<Box<dyn Fn() + Send>>>,
    pub(crate) tally: Arc<Tally>,
}

impl TestHost {
    pub(crate) fn new() -> Self {
        Self::with_clock(Clock::default())
    }

    pub(crate) fn with_clock(clock: Clock) -> Self {
        Self {
            clock,
            initializer: Mutex::default(),
            worker_blocks: Arc::default(),
            worker_ways: Arc::default(),
            visitor: Mutex::default(),
            tally: Arc::default(),
        }
    }

    /// From now on no new thread is fit to run tasks.
    pub(crate) fn fail_to_initialize(&self, why: &'static str) {
        self.initialize_by(move || Err(Fault(why.into())));
    }

    /// From now on each new thread does this before it runs tasks.
    pub(crate) fn initialize_by(
        &self,
        initializer: impl Fn() -> Result<(), Fault> + Send + Sync + 'static,
    ) {
        *self.initializer.lock().unwrap() = Some(Arc::new(initializer));
    }

    /// From now on new threads are fit as they are.
    pub(crate) fn initialize_no_more(&self) {
        *self.initializer.lock().unwrap() = None;
    }

    /// From now on who visits does this first.
    pub(crate) fn hold_visitors(&self, before: impl Fn() + Send + 'static) {
        *self.visitor.lock().unwrap() = Some(Box::new(before));
    }

    /// How often workers have let go of the runtime.
    pub(crate) fn worker_blocks(&self) -> u64 {
        self.worker_blocks.load(Ordering::SeqCst)
    }

    /// How often workers have given way.
    pub(crate) fn worker_ways(&self) -> u64 {
        self.worker_ways.load(Ordering::SeqCst)
    }
}

impl Host for TestHost {
    type Task = Job;
    type Parker = Sleeper;
    type Scope<'s> = &'s Attached;
    type Interrupt = Interrupt;

    fn enter(&self, _worker: &str, body: impl FnOnce(&Attached)) {
        self.tally.entered.fetch_add(1, Ordering::SeqCst);
        sleep::begin_thread(&self.tally);
        let (blocks, ways) = (self.worker_blocks.clone(), self.worker_ways.clone());
        body(&Attached::counting(blocks, ways));
    }

    fn prepare(&self, scope: &Attached) -> Result<(), Fault> {
        scope.check();
        let initializer = self.initializer.lock().unwrap().clone();
        initializer.map_or(Ok(()), |initialize| initialize())
    }

    fn has_initializer(&self) -> bool {
        self.initializer.lock().unwrap().is_some()
    }

    fn visit(&self, body: impl FnOnce(&Attached)) {
        if let Some(before) = &*self.visitor.lock().unwrap() {
            before();
        }
        body(&Attached::new());
    }

    fn nest<R>(scope: &Attached, body: impl FnOnce() -> R) -> R {
        scope.depth.set(scope.depth.get() + 1);
        let result = body();
        scope.depth.set(scope.depth.get() - 1);
        result
    }

    fn can_nest(scope: &Attached) -> bool {
        scope.depth.get() < DEEPEST
    }

    fn block<R>(scope: &Attached, wait: impl FnOnce() -> R) -> R {
        scope.check();
        scope.blocks.fetch_add(1, Ordering::SeqCst);
        scope.inside.set(false);
        let result = wait();
        scope.inside.set(true);
        result
    }

    fn give_way(scope: &Attached) {
        scope.check();
        scope.ways.fetch_add(1, Ordering::SeqCst);
    }

    fn interrupted(scope: &Attached) -> Result<(), Interrupt> {
        scope.check();
        sleep::run_handlers()
    }

    fn now(&self) -> Instant {
        self.clock.now()
    }

    fn alarm(&self, deadline: Instant) -> Instant {
        // Whoever asks is about to sleep by this clock.
        sleep::next_by(&self.clock);
        deadline
    }
}

/// A pool that is closed when the test is over, however it ends.
pub(crate) struct Rig(pub(crate) Arc<TestPool>);

impl Rig {
    pub(crate) fn new(config: Config) -> Self {
        Self::with_host(TestHost::new(), config)
    }

    pub(crate) fn with_host(host: TestHost, config: Config) -> Self {
        Self::try_with_host(host, config).expect("threads can be started")
    }

    pub(crate) fn try_with_host(host: TestHost, config: Config) -> io::Result<Self> {
        config.check().expect("the test asks for what makes sense");
        Pool::new(host, config, &Attached::new()).map(Self)
    }

    /// Submits from this thread. A job that is refused is marked so.
    pub(crate) fn submit(&self, job: Job) -> Result<(), Refusal<Interrupt>> {
        submit(&self.0, job)
    }

    /// Submits from this thread, whose scope is `scope`.
    pub(crate) fn submit_from(&self, scope: &Attached, job: Job) {
        self.0
            .submit(job, &Terms::default(), scope)
            .expect("accepted");
    }

    /// The same, on these terms. A job that is refused is marked so.
    pub(crate) fn submit_on(&self, terms: Terms, job: Job) -> Result<(), Refusal<Interrupt>> {
        submit_on(&self.0, job, terms)
    }

    /// Tells the pool of a job that has been cancelled.
    pub(crate) fn cancelled(&self) {
        self.0.cancelled(&Attached::new());
    }

    pub(crate) fn cancel_queued(&self) {
        self.0.cancel_queued(&Attached::new());
    }

    pub(crate) fn resume(&self) {
        self.0.resume(&Attached::new());
    }

    /// Waits until all is done.
    pub(crate) fn wait(&self) {
        self.0
            .wait(&Attached::new(), None)
            .expect("no deadline, no signal");
    }

    /// Closes the pool and waits for its threads.
    pub(crate) fn finish(&self) {
        self.close();
        self.wait_gone();
    }

    pub(crate) fn close(&self) {
        self.0.close(&Attached::new());
    }

    pub(crate) fn wait_gone(&self) {
        self.0
            .wait_gone(&Attached::new(), None)
            .expect("no deadline, no signal");
    }
}

impl std::ops::Deref for Rig {
    type Target = Arc<TestPool>;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

/// Not in a model: it ends its pool itself, and if it has failed no lock can be taken any more.
#[cfg(not(any(loom, shuttle)))]
impl Drop for Rig {
    fn drop(&mut self) {
        self.close();
    }
}

/// Submits from this thread. A job that is refused is marked so.
pub(crate) fn submit(pool: &Arc<TestPool>, job: Job) -> Result<(), Refusal<Interrupt>> {
    submit_on(pool, job, Terms::default())
}

/// The same, on these terms.
pub(crate) fn submit_on(
    pool: &Arc<TestPool>,
    job: Job,
    terms: Terms,
) -> Result<(), Refusal<Interrupt>> {
    let submitted = pool.submit(job, &terms, &Attached::new());
    submitted.map_err(|refused| {
        refused.task.refuse();
        refused.why
    })
}

/// A pool of this capacity, otherwise by default.
pub(crate) fn sized(capacity: usize) -> Config {
    Config {
        capacity,
        ..Config::default()
    }
}
