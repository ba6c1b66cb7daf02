//! A task that is a closure, and the book in which is written how it ended.

use std::sync::{Arc, Mutex};

use antspy::core::{
    Ending, Outcome, Ran, Task,
    sync::atomic::{AtomicU8, Ordering},
};

use super::{Attached, TestHost};

/// How a job ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// It ran; it may have panicked.
    Ran,
    /// Somebody cancelled it before it ran.
    Cancelled,
    /// The pool had accepted it and ended it.
    Discarded(Why),
    /// The pool handed it back.
    Refused,
    /// It was dropped and nobody was told: what must never happen.
    Lost,
}

/// [`Ending`], to be compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Why {
    Cancelled,
    Late,
    Broken,
    NoThread,
}

/// What becomes of one job.
pub(crate) struct Fate {
    /// Whoever moves it away from `WAITING` decides how the job ends.
    state: AtomicU8,
    ends: Mutex<Vec<End>>,
}

const WAITING: u8 = 0;
const TAKEN: u8 = 1;
const CANCELLED: u8 = 2;

impl Fate {
    fn new() -> Arc<Self> {
        Arc::new(Self {
            state: AtomicU8::new(WAITING),
            ends: Mutex::default(),
        })
    }

    fn leave_waiting(&self, to: u8) -> bool {
        self.state
            .compare_exchange(WAITING, to, Ordering::AcqRel, Ordering::Acquire)
            .is_ok()
    }

    /// Cancels the job if it still waits. Whoever gets `true` tells the pool.
    pub(crate) fn cancel(&self) -> bool {
        let cancelled = self.leave_waiting(CANCELLED);
        if cancelled {
            self.write(End::Cancelled);
        }
        cancelled
    }

    fn write(&self, end: End) {
        self.ends.lock().unwrap().push(end);
    }

    /// How it ended, if it has, whether once or (what must not be) more often.
    pub(crate) fn ends(&self) -> Vec<End> {
        self.ends.lock().unwrap().clone()
    }

    pub(crate) fn ran(&self) -> bool {
        self.ends() == [End::Ran]
    }
}

type Work = Box<dyn FnOnce(&Attached) -> Ran<Note> + Send>;
type Tell = Box<dyn FnOnce(&Attached, &mut dyn FnMut()) + Send>;

/// What a job leaves to be told.
pub(crate) struct Note {
    tell: Tell,
    prompt: bool,
}

pub(crate) struct Job {
    /// Empty once it has been taken out to run, or dropped by who cancelled the job.
    work: Arc<Mutex<Option<Work>>>,
    fate: Arc<Fate>,
    /// To tell jobs apart in a queue.
    tag: usize,
}

/// What its submitter keeps of a job.
pub(crate) struct Future {
    work: Arc<Mutex<Option<Work>>>,
    fate: Arc<Fate>,
}

impl Future {
    /// Another handle to the job: for [`Pool::run_waited`](antspy::core::Pool::run_waited).
    pub(crate) fn job(&self) -> Job {
        Job {
            work: self.work.clone(),
            fate: self.fate.clone(),
            tag: 0,
        }
    }

    /// Cancels it, and drops what it holds. Whoever gets `true` tells the pool.
    pub(crate) fn cancel(&self) -> bool {
        let cancelled = self.fate.cancel();
        if cancelled {
            let work = self.work.lock().unwrap().take();
            drop(work);
        }
        cancelled
    }
}

impl Job {
    fn with(work: Work) -> Self {
        Self {
            work: Arc::new(Mutex::new(Some(work))),
            fate: Fate::new(),
            tag: 0,
        }
    }

    pub(crate) fn tagged(mut self, tag: usize) -> Self {
        self.tag = tag;
        self
    }

    pub(crate) fn tag(&self) -> usize {
        self.tag
    }

    pub(crate) fn future(&self) -> Future {
        Future {
            work: self.work.clone(),
            fate: self.fate.clone(),
        }
    }

    /// Nobody waits for its result.
    pub(crate) fn new(body: impl FnOnce() + Send + 'static) -> Self {
        Self::with(Box::new(|_| {
            body();
            Ran::Silent(Outcome::Completed)
        }))
    }

    /// A job whose body is told its thread's scope.
    pub(crate) fn scoped(body: impl FnOnce(&Attached) + Send + 'static) -> Self {
        Self::with(Box::new(|scope| {
            body(scope);
            Ran::Silent(Outcome::Completed)
        }))
    }

    /// Does nothing, and then tells: see [`working_and_telling`](Self::working_and_telling).
    pub(crate) fn telling(
        prompt: bool,
        tell: impl FnOnce(&Attached, &mut dyn FnMut()) + Send + 'static,
    ) -> Self {
        Self::working_and_telling(|| (), prompt, tell)
    }

    /// `prompt` is what the pool is told about the telling, which may call what it is given to say that it
    /// is not prompt after all.
    pub(crate) fn working_and_telling(
        body: impl FnOnce() + Send + 'static,
        prompt: bool,
        tell: impl FnOnce(&Attached, &mut dyn FnMut()) + Send + 'static,
    ) -> Self {
        Self::with(Box::new(move |_| {
            body();
            Ran::Deliver(
                Note {
                    tell: Box::new(tell),
                    prompt,
                },
                Outcome::Completed,
            )
        }))
    }

    pub(crate) fn fate(&self) -> Arc<Fate> {
        self.fate.clone()
    }

    pub(crate) fn refuse(self) {
        if self.fate.leave_waiting(TAKEN) {
            self.fate.write(End::Refused);
        }
    }
}

impl Drop for Job {
    fn drop(&mut self) {
        if self.fate.leave_waiting(TAKEN) {
            self.fate.write(End::Lost);
        }
    }
}

impl Task for Job {
    type Host = TestHost;
    type Delivery = Note;

    fn run(self, _host: &TestHost, scope: &Attached) -> Ran<Note> {
        scope.check();
        if !self.fate.leave_waiting(TAKEN) {
            return Ran::Cancelled;
        }
        self.fate.write(End::Ran);
        let work = self.work.lock().unwrap().take();
        work.expect("a job runs once")(scope)
    }

    fn is_prompt(delivery: &Note, _scope: &Attached) -> bool {
        delivery.prompt
    }

    fn deliver(delivery: Note, scope: &Attached, busy: impl FnOnce()) {
        scope.check();
        let mut busy = Some(busy);
        (delivery.tell)(scope, &mut || {
            if let Some(busy) = busy.take() {
                busy();
            }
        });
    }

    fn discard(self, _host: &TestHost, scope: &Attached, why: &Ending) -> bool {
        scope.check();
        let mine = self.fate.leave_waiting(TAKEN);
        if mine {
            self.fate.write(End::Discarded(match why {
                Ending::Cancelled => Why::Cancelled,
                Ending::Late => Why::Late,
                Ending::Broken(_) => Why::Broken,
                Ending::NoThread(_) => Why::NoThread,
            }));
        }
        mine
    }

    fn is_cancelled(&self) -> bool {
        self.fate.state.load(Ordering::Acquire) != WAITING
    }
}

/// How many jobs ended in which way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) ran: usize,
    pub(crate) cancelled: usize,
    pub(crate) discarded: usize,
    pub(crate) refused: usize,
}

/// All jobs of a test.
#[derive(Default)]
pub(crate) struct Ledger(Mutex<Vec<Arc<Fate>>>);

impl Ledger {
    /// Enters a job.
    pub(crate) fn note(&self, job: Job) -> Job {
        self.0.lock().unwrap().push(job.fate());
        job
    }

    /// How many have been entered.
    pub(crate) fn len(&self) -> usize {
        self.0.lock().unwrap().len()
    }

    /// A job that does this, entered.
    pub(crate) fn job(&self, body: impl FnOnce() + Send + 'static) -> Job {
        self.note(Job::new(body))
    }

    /// Checks that every job has ended exactly once, and counts.
    pub(crate) fn settle(&self) -> Counts {
        let mut counts = Counts::default();
        for (number, fate) in self.0.lock().unwrap().iter().enumerate() {
            let ends = fate.ends();
            let [end] = ends[..] else {
                panic!("job {number} ended {} times: {ends:?}", ends.len());
            };
            match end {
                End::Ran => counts.ran += 1,
                End::Cancelled => counts.cancelled += 1,
                End::Discarded(_) => counts.discarded += 1,
                End::Refused => counts.refused += 1,
                End::Lost => panic!("job {number} was lost"),
            }
        }
        counts
    }
}
