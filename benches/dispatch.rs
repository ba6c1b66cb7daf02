//! The dispatch path of the core alone, for `instructions.py`: it counts what this program executes between two
//! calls of `getppid`. Each kind of task goes the way from `submit` to its end, N times and then 2 N times, and
//! again, on one worker, which is held until all are queued: so one thread at a time has something to do.

use std::{
    env, mem,
    os::unix::process::parent_id,
    sync::{
        Arc, Condvar, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Instant,
};

use antspy::core::{
    Config, Ending, Fault, Host, Outcome, Park, Parked, Pool, Ran, Task, Terms, UNLIMITED,
};

/// What sleeps until it is told to go on.
#[derive(Default)]
struct Bell {
    rung: Mutex<bool>,
    wake: Condvar,
}

impl Bell {
    fn wait(&self) {
        let mut rung = self.rung.lock().unwrap();
        while !mem::take(&mut *rung) {
            rung = self.wake.wait(rung).unwrap();
        }
    }

    fn ring(&self) {
        *self.rung.lock().unwrap() = true;
        self.wake.notify_one();
    }
}

impl Park for Bell {
    fn park(&self, deadline: Option<Instant>) -> Parked {
        assert!(deadline.is_none(), "nothing here has a deadline");
        self.wait();
        Parked::Woken
    }

    fn is_woken(&self) -> bool {
        *self.rung.lock().unwrap()
    }

    fn unpark(&self) {
        self.ring();
    }
}

/// Plain threads, without a runtime around them.
struct Threads;

impl Host for Threads {
    type Task = Job;
    type Parker = Bell;
    type Scope<'s> = ();
    type Interrupt = ();

    fn enter(&self, _worker: &str, body: impl FnOnce(())) {
        body(());
    }

    fn prepare(&self, (): ()) -> Result<(), Fault> {
        Ok(())
    }

    fn has_initializer(&self) -> bool {
        false
    }

    fn block<R>((): (), wait: impl FnOnce() -> R) -> R {
        wait()
    }

    fn visit(&self, body: impl FnOnce(())) {
        body(());
    }

    fn interrupted((): ()) -> Result<(), ()> {
        Ok(())
    }
}

/// Where results are told, and who waits for the last of them.
struct Inbox {
    expected: AtomicUsize,
    complete: Bell,
}

impl Inbox {
    fn new(expected: usize) -> Arc<Self> {
        Arc::new(Self {
            expected: AtomicUsize::new(expected),
            complete: Bell::default(),
        })
    }

    fn tell(&self) {
        // One worker tells, and the bell's lock orders it before who waits.
        if self.expected.fetch_sub(1, Ordering::Relaxed) == 1 {
            self.complete.ring();
        }
    }
}

/// Holds a worker until it is opened.
#[derive(Default)]
struct Gate {
    entered: Bell,
    opened: Bell,
}

impl Gate {
    fn open(&self) {
        self.opened.ring();
    }
}

/// A task.
enum Job {
    /// Holds the worker.
    Gate(Arc<Gate>),
    /// Does nothing, and nobody waits for it.
    Silent,
    /// Rings when it runs: the last one, where nobody waits for the pool.
    Last(Arc<Bell>),
    /// Does nothing, and its result is told.
    Result(Arc<Inbox>),
}

impl Task for Job {
    type Host = Threads;
    type Delivery = Arc<Inbox>;

    fn run(self, _host: &Threads, (): ()) -> Ran<Arc<Inbox>> {
        match self {
            Self::Gate(gate) => {
                gate.entered.ring();
                gate.opened.wait();
            }
            Self::Last(bell) => bell.ring(),
            Self::Silent => {}
            Self::Result(inbox) => return Ran::Deliver(inbox, Outcome::Completed),
        }
        Ran::Silent(Outcome::Completed)
    }

    fn is_prompt(_inbox: &Arc<Inbox>, (): ()) -> bool {
        true
    }

    fn deliver(inbox: Arc<Inbox>, (): (), _busy: impl FnOnce()) {
        inbox.tell();
    }

    fn discard(self, _host: &Threads, (): (), _why: &Ending) -> bool {
        true
    }

    fn is_cancelled(&self) -> bool {
        false
    }
}

struct Bench(Arc<Pool<Threads>>);

impl Bench {
    fn new() -> Self {
        let config = Config {
            capacity: 1,
            queue_size: UNLIMITED,
            expiry: None,
            ..Config::default()
        };
        Self(Pool::new(Threads, config, ()).expect("threads can be started"))
    }

    fn submit(&self, job: Job) {
        self.0
            .submit(job, &Terms::default(), ())
            .expect("the queue has no limit");
    }

    fn hold(&self) -> Arc<Gate> {
        let gate = Arc::new(Gate::default());
        self.submit(Job::Gate(gate.clone()));
        gate.entered.wait();
        gate
    }

    fn wait(&self) {
        self.0.wait((), None).expect("no deadline, no signal");
    }

    /// Nobody waits for the pool; the last task says that it is there.
    fn silent(&self, tasks: usize) {
        let gate = self.hold();
        let last = Arc::new(Bell::default());
        for _ in 0..tasks {
            self.submit(Job::Silent);
        }
        self.submit(Job::Last(last.clone()));
        gate.open();
        last.wait();
    }

    /// This thread waits for the pool while the tasks run.
    fn waited(&self, tasks: usize) {
        let gate = self.hold();
        for _ in 0..tasks {
            self.submit(Job::Silent);
        }
        gate.open();
        self.wait();
    }

    /// Each task has a result.
    fn results(&self, tasks: usize) {
        let gate = self.hold();
        let inbox = Inbox::new(tasks);
        for _ in 0..tasks {
            self.submit(Job::Result(inbox.clone()));
        }
        gate.open();
        inbox.complete.wait();
    }
}

fn main() {
    let mut numbers = env::args().skip(1).map(|number| number.parse::<usize>());
    let mut number = || {
        numbers
            .next()
            .expect("tasks and repeats")
            .expect("a number")
    };
    let (tasks, repeats) = (number(), number());
    let bench = Bench::new();
    for measure in [Bench::silent, Bench::waited, Bench::results] {
        let mark = |tasks| {
            measure(&bench, tasks);
            bench.wait();
            let _ = parent_id();
        };
        mark(2 * tasks); // what grows has grown after that
        for _ in 0..repeats {
            mark(tasks);
            mark(2 * tasks);
        }
    }
    bench.0.close(());
    bench.0.wait_gone((), None).expect("no deadline, no signal");
}
