//! A worker: its thread's whole life, in one loop.

use std::{
    cell::Cell,
    panic::{AssertUnwindSafe, catch_unwind},
    time::{Duration, Instant},
};

use super::{
    Host, Outcome, Park, Parked, Pool, Ran, Scope, Task,
    queue::Taken,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU8, Ordering},
        thread::JoinHandle,
    },
};

/// What a worker is to do when it next looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Duty {
    /// Runs tasks, or is about to look for one.
    Busy,
    /// Stands among the idle.
    Idle,
    /// Was started or taken from the idle because there is work, and has not looked yet.
    Searching,
    /// Was taken from the idle, and comes only if the others stay away for too long; see `patience.rs`.
    Standby,
    /// Runs its initializer, and looks at the queue after that.
    Preparing,
    /// Is no longer counted, and ends.
    Leaving,
    /// Its thread has nothing left to do but to return.
    Gone,
}

/// A worker as others see it.
pub(super) struct Worker<H: Host> {
    pub(super) parker: H::Parker,
    /// Read and written under the pool's lock only, which orders it; an atomic because it lives outside.
    duty: AtomicU8,
    /// The thread's own handle, from its starter to its exit; see [`Pool::gone`].
    pub(super) handle: Mutex<Option<JoinHandle<()>>>,
}

impl<H: Host> Worker<H> {
    pub(super) fn new(duty: Duty) -> Arc<Self> {
        Arc::new(Self {
            parker: H::Parker::default(),
            duty: AtomicU8::new(duty as u8),
            handle: Mutex::new(None),
        })
    }

    pub(super) fn duty(&self) -> Duty {
        match self.duty.load(Ordering::Relaxed) {
            0 => Duty::Busy,
            1 => Duty::Idle,
            2 => Duty::Searching,
            3 => Duty::Standby,
            4 => Duty::Preparing,
            5 => Duty::Leaving,
            _ => Duty::Gone,
        }
    }

    pub(super) fn set_duty(&self, duty: Duty) {
        self.duty.store(duty as u8, Ordering::Relaxed);
    }
}

/// What a worker has just ended, for the pool's books.
pub(super) enum Ended {
    Nothing,
    /// A task whose place is still taken.
    Task(Outcome),
    /// A task that had been cancelled in the queue.
    Cancelled,
    /// The delivery of a result.
    Delivery,
}

/// What a worker does next.
#[derive(Clone, Copy)]
pub(super) enum Next {
    /// The task that it has been given.
    Run,
    /// It has been given what is left of a cancelled task.
    Skip,
    Sleep(Option<Instant>),
    /// Until the rate lets the next task start.
    Pause(Instant),
    Exit,
}

/// The life of a worker's thread.
pub(super) fn live<H: Host>(pool: &Arc<Pool<H>>, me: &Arc<Worker<H>>, name: &str) {
    pool.host().enter(name, |scope| {
        if pool.host().has_initializer() {
            pool.begin_preparing(me, scope);
        }
        match pool.host().prepare(scope) {
            Ok(()) => as_worker_of(pool, || work(pool, me, scope)),
            Err(fault) => pool.break_down(me, scope, &fault),
        }
    });
    pool.gone(me);
}

fn work<H: Host>(pool: &Arc<Pool<H>>, me: &Arc<Worker<H>>, scope: Scope<'_, H>) {
    let mut pace = Pace::new();
    let mut ended = Ended::Nothing;
    // Where the pool puts the task: out of the queue and into the run, and nowhere in between.
    let mut task = None;
    loop {
        ended = match pool.next(me, &ended, &mut task, scope) {
            // BUSY: the pool has already summoned the next worker, if there is more to do.
            Next::Run => {
                let ended = run(pool, me, &mut task, scope);
                if pace.is_due() {
                    H::give_way(scope);
                }
                ended
            }
            Next::Skip => {
                guard(|| drop(task.take()));
                Ended::Nothing
            }
            // IDLE: the only place where a worker lets go of the host to sleep.
            Next::Sleep(deadline) => {
                if H::rest(scope, || pool.sleep(me, deadline)) == Parked::TimedOut {
                    // EXPIRED: this worker or one that has been idle for longer is told to leave.
                    pool.expire();
                }
                Ended::Nothing
            }
            Next::Pause(until) => {
                H::block(scope, || me.parker.park(Some(pool.host().alarm(until))));
                Ended::Nothing
            }
            // EXIT: it does not count any more, and nobody will wake it.
            Next::Exit => return,
        };
    }
}

fn run<H: Host>(
    pool: &Arc<Pool<H>>,
    me: &Arc<Worker<H>>,
    task: &mut Option<Taken<H::Task>>,
    scope: Scope<'_, H>,
) -> Ended {
    let start = task.as_ref().and_then(|taken| taken.stamp);
    let ran = guard(|| match task.take() {
        Some(taken) => taken.task.run(pool.host(), scope),
        None => Ran::Silent(Outcome::Failed),
    });
    if let Some(start) = start
        && !matches!(ran, Some(Ran::Cancelled))
    {
        pool.time(start, scope);
    }
    match ran {
        Some(Ran::Cancelled) => Ended::Cancelled,
        Some(Ran::Silent(outcome)) => Ended::Task(outcome),
        None => Ended::Task(Outcome::Failed),
        Some(Ran::Deliver(delivery, outcome)) => {
            // Free and idle first, then tell: whoever waits for this result and submits again finds
            // the place and the worker.
            let prompt = H::Task::is_prompt(&delivery, scope);
            pool.finish(me, prompt, outcome, scope);
            guard(|| H::Task::deliver(delivery, scope, || pool.withdraw(me, scope)));
            Ended::Delivery
        }
    }
}

/// A panic in a task ends neither the worker nor its books. The panic hook has reported it.
#[inline]
pub(super) fn guard<R>(body: impl FnOnce() -> R) -> Option<R> {
    catch_unwind(AssertUnwindSafe(body)).ok()
}

/// Says when a worker that never sleeps must let others use the host. A callable written in C never
/// does so by itself, and a queue of them would keep the interpreter for as long as it lasts.
///
/// It gives way to those who have asked, and must not just let go and take hold again ([`Host::give_way`]):
///
/// 1. A thread wants the interpreter. It waits for the switch interval before it asks for it, which has the
///    holder wait until another has taken over.
/// 2. A worker lets go, unasked, a moment before. That wakes the thread.
/// 3. The worker takes hold again before the thread runs.
/// 4. The thread goes back to 1. and never comes to ask: with tasks of any kind, for as long as there are any.
struct Pace {
    /// When others were last given way to.
    turn: Instant,
    /// When the clock was last read. Reading it for each task would cost as much as a short task.
    read: Instant,
    /// Tasks from one reading to the next: few while they are long, more while they are short.
    stride: u32,
    countdown: u32,
}

impl Pace {
    /// `CPython`'s own switch interval by default.
    const TURN: Duration = Duration::from_millis(5);
    const LONGEST_STRIDE: u32 = 16;

    fn new() -> Self {
        let now = Instant::now();
        Self {
            turn: now,
            read: now,
            stride: 1,
            countdown: 1,
        }
    }

    fn is_due(&mut self) -> bool {
        self.countdown -= 1;
        self.countdown == 0 && self.read_clock(Instant::now())
    }

    fn read_clock(&mut self, now: Instant) -> bool {
        let short = now - self.read < Self::TURN / 8;
        self.stride = if short {
            (self.stride * 2).min(Self::LONGEST_STRIDE)
        } else {
            1
        };
        self.countdown = self.stride;
        self.read = now;
        if now - self.turn < Self::TURN {
            return false;
        }
        self.turn = now;
        true
    }
}

crate::core::sync::thread_local! {
    /// The pool whose worker this thread is, by address; 0 on other threads.
    #[allow(clippy::missing_const_for_thread_local, reason = "a checker's macro takes no const block")]
    static CURRENT: Cell<usize> = Cell::new(0);
}

/// Runs `body` on a thread that is known as a worker of `pool` meanwhile.
pub(super) fn as_worker_of<H: Host, R>(pool: &Arc<Pool<H>>, body: impl FnOnce() -> R) -> R {
    let address = std::ptr::from_ref::<Pool<H>>(pool).addr();
    let before = CURRENT.with(|current| current.replace(address));
    let result = body();
    CURRENT.with(|current| current.set(before));
    result
}

/// Whether this thread is a worker of `pool`.
pub(super) fn is_worker_of<H: Host>(pool: &Pool<H>) -> bool {
    CURRENT.with(Cell::get) == std::ptr::from_ref(pool).addr()
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn a_busy_worker_lets_go_once_a_turn() {
        let mut pace = Pace::new();
        let start = pace.turn;
        // Tasks of 10 microseconds for 50 milliseconds.
        let mut turns = 0;
        for task in 1..=5_000_u32 {
            pace.countdown -= 1;
            if pace.countdown == 0 && pace.read_clock(start + Duration::from_micros(10) * task) {
                turns += 1;
            }
        }
        assert!((9..=10).contains(&turns), "{turns} turns in 10 intervals");
    }

    #[test]
    fn after_a_long_task_the_clock_is_read_at_once() {
        let mut pace = Pace::new();
        let start = pace.turn;
        pace.stride = Pace::LONGEST_STRIDE;
        assert!(pace.read_clock(start + Pace::TURN));
        assert_eq!(pace.countdown, 1);
    }
}
