//! Everything about a pool that changes, under one lock, and the moves that keep its invariant.
//!
//! Nothing here blocks, calls out or drops a task: a move returns what is to be done once the lock is
//! released (wake this worker, tell that submitter).

use std::time::Instant;

use super::{
    Config, Fault, Host, Staff, Tally, UNLIMITED, Waiter, adaptive,
    climber::Climber,
    idle::Idle,
    lanes::Lanes,
    line::{Submitter, Told},
    patience::Patience,
    queue::Queue,
    quota::Quota,
    rate::Schedule,
    stats::Sampler,
    sync::{Arc, Weak, thread::JoinHandle},
    worker::{Duty, Worker},
};

/// Whether the pool takes tasks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    Open,
    /// Open, and no worker takes a task for now.
    Paused,
    /// Released or shut down: what was accepted still runs.
    Closed,
    /// An initializer failed: nothing runs any more.
    Broken(Fault),
}

impl Phase {
    /// Whether tasks are accepted.
    #[inline]
    pub(super) fn accepts(&self) -> bool {
        matches!(self, Self::Open | Self::Paused)
    }

    /// Whether workers take tasks from the queue.
    #[inline]
    pub(super) fn runs(&self) -> bool {
        matches!(self, Self::Open | Self::Closed)
    }
}

/// Whether a worker is on its way to the queue. One at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Search {
    None,
    /// An idle one, which needs only the host.
    Woken,
    /// One that sleeps until the rate lets the next task start.
    Paced,
    /// A new thread, which may take long.
    Started,
}

/// Who has to be told that there is work.
pub(super) enum Summons<H: Host> {
    Nobody,
    Wake(Arc<Worker<H>>),
    /// Start the worker of this number.
    Start(u64),
}

/// What a joiner waits for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Until {
    /// Every accepted task is done and delivered.
    Quiet,
    /// Every thread has ended.
    Gone,
    /// Every thread has ended, or the pool is open: somebody else has opened it again.
    Reopened,
    /// As many workers have come as the queue asks for: nobody is on the way to it.
    Settled,
}

pub(super) struct Joiner<H: Host> {
    pub(super) until: Until,
    pub(super) waiter: Arc<Waiter<H::Parker>>,
}

pub(super) struct State<H: Host> {
    pub(super) phase: Phase,
    /// How many tasks may run at once.
    pub(super) capacity: usize,
    /// What tunes the pool, if it tunes itself.
    pub(super) climber: Option<Box<Climber>>,
    queue_size: usize,
    /// Whether there are workers at all.
    staff: Staff,
    /// Accepted, and no worker has taken it yet.
    pub(super) queue: Queue<H::Task>,
    /// Places taken: accepted and unfinished tasks, and places granted to submitters about to use them.
    pub(super) in_flight: usize,
    /// Tasks that have given their place back and whose result is being delivered.
    pub(super) delivering: usize,
    /// Workers that count against the capacity: all but those told to leave.
    pub(super) live: usize,
    /// Threads that have not ended, those told to leave included.
    pub(super) threads: usize,
    /// Whether a worker is on its way to the queue and has not looked at it yet.
    pub(super) search: Search,
    /// Workers that run their initializers. Each comes to the queue after that: one task is left for it.
    pub(super) preparing: usize,
    /// How long a searcher waits before it enters the host; see `patience.rs`.
    pub(super) patience: Patience,
    pub(super) idle: Idle<H>,
    /// A worker that was woken for the queue while others ran through it, and stays outside of the host: it looks
    /// at the queue from time to time, and comes if they leave something in it for too long. While it is there and
    /// somebody is busy, nobody else is woken; see `patience.rs`.
    pub(super) standby: Option<Arc<Worker<H>>>,
    /// The line of those who wait for a place, by the priority of their tasks.
    pub(super) submitters: Lanes<Submitter<H>>,
    /// When the next task may start, if there is a rate.
    pub(super) schedule: Option<Schedule>,
    /// The worker that sleeps until then: [`Search::Paced`].
    pub(super) pacer: Option<Arc<Worker<H>>>,
    /// Who looks after deadlines: see `deadline.rs`.
    pub(super) watcher: Option<Arc<Worker<H>>>,
    /// Tasks with a deadline that are about to be queued, or stand in line: the watcher stays for them.
    pub(super) expected: usize,
    /// The sub-pools' places.
    pub(super) quotas: Vec<Weak<Quota<H>>>,
    pub(super) joiners: Vec<Joiner<H>>,
    /// Those whose wait is over, from when that is decided until the lock is released.
    pub(super) told: Option<Told<H>>,
    /// The thread that ended last; it has joined all before it.
    pub(super) last_exit: Option<JoinHandle<()>>,
    /// Workers started so far: their numbers.
    pub(super) started: u64,
    /// Which tasks are timed.
    pub(super) sampler: Sampler,
    pub(super) tally: Tally,
}

impl<H: Host> State<H> {
    pub(super) fn new(config: &Config, birth: Instant) -> Self {
        Self {
            phase: Phase::Open,
            capacity: config.adaptive.map_or(config.capacity, |it| it.minimum),
            climber: adaptive::climber(config),
            queue_size: config.queue_size,
            staff: config.staff,
            queue: Queue::new(),
            in_flight: 0,
            delivering: 0,
            live: 0,
            threads: 0,
            search: Search::None,
            preparing: 0,
            patience: Patience::new(),
            idle: Idle::new(),
            standby: None,
            submitters: Lanes::new(),
            schedule: config.rate.map(Schedule::new),
            pacer: None,
            watcher: None,
            expected: 0,
            quotas: Vec::new(),
            joiners: Vec::new(),
            told: None,
            last_exit: None,
            started: 0,
            sampler: Sampler::new(birth),
            tally: Tally::default(),
        }
    }

    /// How many tasks may be in flight. Unlimited capacity is unlimited queueing.
    pub(super) fn places(&self) -> usize {
        self.capacity.saturating_add(self.queue_size)
    }

    pub(super) fn has_place(&self) -> bool {
        self.in_flight < self.places()
    }

    /// Whether one more task goes in at once. A newcomer does not overtake those who wait for a place.
    #[inline]
    pub(super) fn admits(&self) -> bool {
        self.phase.accepts() && self.has_place() && self.submitters.is_empty()
    }

    /// Whether somebody may have to be told of a change, or summoned: mostly not.
    #[inline]
    pub(super) fn concerns_somebody(&self) -> bool {
        let is_waited_for = !self.submitters.is_empty() || !self.joiners.is_empty();
        is_waited_for
            || (self.watcher.is_some() && !self.phase.accepts())
            || self.told.is_some()
            || match self.search {
                Search::None => !self.queue.is_empty() && !self.is_looked_after(),
                Search::Paced => true,
                Search::Woken | Search::Started => false,
            }
    }

    /// Decides on everyone whose wait a change of the books has ended: they are to be woken.
    #[inline]
    pub(super) fn tell(&mut self, host: &H) {
        if !self.submitters.is_empty() {
            self.grant(host);
        }
        if self.joiners.is_empty() {
            return;
        }
        // Mostly not: a task has ended while somebody waits for all of them.
        if self.joiners.iter().any(|joiner| self.holds(joiner.until)) {
            self.join();
        }
    }

    /// The invariant: while the queue is not empty and one is idle, or fewer than `capacity` workers live
    /// and it holds more than one task for each that prepares, somebody is searching, unless the pool is
    /// paused. One at a time: whoever is summoned summons the next before it runs its task, or its
    /// initializer. What stands in the queue of a broken pool is ended by the worker that broke it.
    pub(super) fn summon(&mut self) -> Summons<H> {
        if self.search != Search::None {
            return self.hurry();
        }
        if self.queue.is_empty() {
            return self.relieve();
        }
        if !self.phase.runs() || self.is_looked_after() {
            return Summons::Nobody;
        }
        if let Some(worker) = self.idle.pop_newest() {
            self.begin_search(Search::Woken, 0);
            worker.set_duty(Duty::Searching);
            return Summons::Wake(worker);
        }
        if let Some(worker) = self.search_instead() {
            return Summons::Wake(worker);
        }
        if self.may_start() {
            self.begin_search(Search::Started, 0);
            return Summons::Start(self.count_start());
        }
        Summons::Nobody
    }

    /// Somebody is on its way to the queue, in which there will be `more` tasks at once.
    pub(super) fn begin_search(&mut self, search: Search, more: u64) {
        self.search = search;
        self.patience.summoned(self.tally.submitted + more);
    }

    /// Whether another worker would be started for the queue, if none is idle.
    fn may_start(&self) -> bool {
        let provided = || self.preparing > 0 && self.queue.count() <= self.preparing;
        self.live < self.capacity && self.staff == Staff::Workers && !provided()
    }

    /// A worker that waits to start a task that is not there any more need not wait.
    fn hurry(&mut self) -> Summons<H> {
        if self.search == Search::Paced && self.queue.is_spent() {
            return self.pacer.take().map_or(Summons::Nobody, Summons::Wake);
        }
        Summons::Nobody
    }

    /// On a closed pool that has nothing queued any more the watcher need not wait for the deadlines of what
    /// was.
    #[inline]
    fn relieve(&self) -> Summons<H> {
        if self.phase.accepts() || self.queue.first_deadline().is_some() {
            return Summons::Nobody;
        }
        self.watcher.clone().map_or(Summons::Nobody, Summons::Wake)
    }

    /// Counts a worker that is about to be started, and numbers it.
    pub(super) fn count_start(&mut self) -> u64 {
        self.live += 1;
        self.threads += 1;
        self.started += 1;
        self.started - 1
    }

    /// Whether what `until` names is so.
    pub(super) fn holds(&self, until: Until) -> bool {
        match until {
            Until::Quiet => self.in_flight == 0 && self.delivering == 0,
            Until::Gone => self.threads == 0,
            Until::Reopened => self.threads == 0 || self.phase.accepts(),
            Until::Settled => self.is_settled(),
        }
    }

    /// Whether nobody is on the way to the queue, nor would be summoned now.
    #[cold]
    fn is_settled(&self) -> bool {
        match self.search {
            Search::Woken | Search::Started => false,
            Search::Paced => true,
            Search::None => {
                self.queue.is_empty()
                    || !self.phase.runs()
                    || (self.idle.len() == 0 && self.standby.is_none() && !self.may_start())
            }
        }
    }

    /// Tells the joiners whose wait is over.
    #[cold]
    fn join(&mut self) {
        for joiner in std::mem::take(&mut self.joiners) {
            if self.holds(joiner.until) {
                self.tell_one(joiner.waiter);
            } else {
                self.joiners.push(joiner);
            }
        }
    }

    /// Tells `worker` to leave. It no longer counts as live; wake it if it sleeps.
    pub(super) fn dismiss(&mut self, worker: &Worker<H>) {
        worker.set_duty(Duty::Leaving);
        self.live -= 1;
    }

    /// Until when an idle worker may sleep: for ever if it may stay.
    pub(super) fn deadline(&self, config: &Config, since: Instant) -> Option<Instant> {
        let expiry = config.expiry?;
        if self.live <= config.min_workers {
            return None;
        }
        since.checked_add(expiry)
    }

    /// `None` if there is no limit.
    pub(super) fn limit(&self) -> Option<usize> {
        (self.capacity != UNLIMITED).then_some(self.capacity)
    }
}
