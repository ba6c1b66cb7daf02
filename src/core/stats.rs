//! The pool seen at one moment, and what it has counted and timed so far.

use std::{num::NonZeroU64, time::Instant};

use super::{Host, Outcome, Phase, Pool, Scope, State, sync::Arc};

/// Numbers that belong together: all read under one lock.
#[derive(Clone, Debug)]
pub struct Stats {
    /// How many tasks may run at once; `None`: no limit.
    pub capacity: Option<usize>,
    /// Live workers, busy and idle.
    pub running: usize,
    /// Live workers with nothing to do.
    pub idle: usize,
    /// Submitters in line for a place now.
    pub waiting: usize,
    /// Accepted tasks that no worker has taken.
    pub queued: usize,
    /// Places taken.
    pub in_flight: usize,
    /// Workers started so far.
    pub started: u64,
    /// Whether new tasks are refused.
    pub closed: bool,
    /// Whether no task is started for now.
    pub paused: bool,
}

impl Stats {
    fn of<H: Host>(state: &State<H>) -> Self {
        Self {
            capacity: state.limit(),
            running: state.live,
            idle: state.idle.len() + usize::from(state.standby.is_some()),
            waiting: state.submitters.len(),
            queued: state.queue.count(),
            in_flight: state.in_flight,
            started: state.started,
            closed: !state.phase.accepts(),
            paused: state.phase == Phase::Paused,
        }
    }

    /// How many more workers there may be, never below 0; `None`: no limit.
    #[must_use]
    pub fn free(&self) -> Option<usize> {
        Some(self.capacity?.saturating_sub(self.running))
    }
}

/// What has become of all tasks so far.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    /// Accepted, or run by their submitters.
    pub submitted: u64,
    /// Taken by a worker, or run by their submitters.
    pub started: u64,
    /// Returned.
    pub completed: u64,
    /// Raised, or could not be run at all.
    pub failed: u64,
    /// Cancelled before they started, those included that were too late.
    pub cancelled: u64,
    /// Dropped by a full pool; not among the submitted.
    pub discarded: u64,
    /// Refused; not among the submitted.
    pub rejected: u64,
    /// Workers that left because they were idle for too long.
    pub expired: u64,
    /// From acceptance to start.
    pub queue_time: Histogram,
    /// From start to end.
    pub run_time: Histogram,
}

impl Tally {
    #[inline]
    pub(super) fn ended(&mut self, outcome: Outcome) {
        match outcome {
            Outcome::Completed => self.completed += 1,
            Outcome::Failed => self.failed += 1,
        }
    }
}

/// How often a duration was between one power of two of nanoseconds and the next.
#[derive(Clone, Debug)]
pub struct Histogram {
    /// `counts[i]`: from 2^i to 2^(i+1) nanoseconds; the first begins at 0.
    pub counts: [u64; Self::BUCKETS],
    /// The sum of all, in nanoseconds.
    pub total: u64,
}

impl Histogram {
    /// The last one takes all from 2^47 nanoseconds on, which is a day and a half.
    pub const BUCKETS: usize = 48;

    fn add(&mut self, nanos: u64, weight: u32) {
        let power = (nanos | 1).ilog2() as usize;
        self.counts[power.min(Self::BUCKETS - 1)] += u64::from(weight);
        self.total = self
            .total
            .saturating_add(nanos.saturating_mul(weight.into()));
    }
}

impl Default for Histogram {
    fn default() -> Self {
        Self {
            counts: [0; Self::BUCKETS],
            total: 0,
        }
    }
}

/// When a task was accepted or started, and whether it stands for one task or for [`Sampler::STRIDE`]. One word,
/// for every task in the queue has room for one.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stamp(NonZeroU64);

impl Stamp {
    fn new(nanos: u64, weight: u32) -> Self {
        let word = (nanos << 2) | (u64::from(weight == Sampler::STRIDE) << 1) | 1;
        Self(NonZeroU64::new(word).unwrap_or(NonZeroU64::MIN))
    }

    pub(super) fn word(self) -> NonZeroU64 {
        self.0
    }

    pub(super) fn from_word(word: NonZeroU64) -> Self {
        Self(word)
    }

    pub(super) fn nanos(self) -> u64 {
        self.0.get() >> 2
    }

    fn weight(self) -> u32 {
        if self.0.get() & 2 == 0 {
            1
        } else {
            Sampler::STRIDE
        }
    }
}

/// Says which tasks are timed.
///
/// Reading the clock three times takes a third of what dispatching a task does. So there is a budget: every task
/// is timed while there are fewer than [`PER_SECOND`](Self::PER_SECOND) a second, after a pause up to
/// [`BURST`](Self::BURST) at any speed. Beyond that one in [`STRIDE`](Self::STRIDE) is timed, and stands for those
/// since the one before it.
pub(super) struct Sampler {
    birth: Instant,
    /// When the clock was last read for a stamp.
    last: u64,
    stride: u32,
    countdown: u32,
    /// In nanoseconds, of which a timed task takes [`COST`](Self::COST).
    budget: u64,
}

impl Sampler {
    const PER_SECOND: u64 = 10_000;
    const BURST: u64 = 1024;
    const STRIDE: u32 = 32;
    const COST: u64 = 1_000_000_000 / Self::PER_SECOND;

    pub(super) fn new(birth: Instant) -> Self {
        Self {
            birth,
            last: 0,
            stride: 1,
            countdown: 1,
            budget: Self::BURST * Self::COST,
        }
    }

    fn nanos(&self, now: Instant) -> u64 {
        let age = now.saturating_duration_since(self.birth).as_nanos();
        u64::try_from(age).unwrap_or(u64::MAX)
    }

    /// The stamp of a task just accepted, if it is to be timed.
    #[inline]
    pub(super) fn stamp(&mut self, now: impl FnOnce() -> Instant) -> Option<Stamp> {
        self.countdown -= 1;
        (self.countdown == 0).then(|| self.read(now()))
    }

    #[cold]
    fn read(&mut self, now: Instant) -> Stamp {
        let nanos = self.nanos(now);
        let weight = self.stride;
        let earned = nanos.saturating_sub(self.last);
        self.last = nanos;
        self.budget = (self.budget + earned).min(Self::BURST * Self::COST);
        self.stride = if self.budget >= Self::COST {
            self.budget -= Self::COST;
            1
        } else {
            Self::STRIDE
        };
        self.countdown = self.stride;
        Stamp::new(nanos, weight)
    }

    /// The stamp of a task that is timed in any case.
    pub(super) fn mark(&self, now: Instant) -> Stamp {
        Stamp::new(self.nanos(now), 1)
    }

    /// A stamped task starts now: adds its time in the queue, and returns the stamp of its start.
    pub(super) fn start(&self, stamp: Stamp, now: Instant, queue_time: &mut Histogram) -> Stamp {
        let nanos = self.nanos(now);
        queue_time.add(nanos.saturating_sub(stamp.nanos()), stamp.weight());
        Stamp::new(nanos, stamp.weight())
    }

    /// It has ended now: in nanoseconds, as those of stamps.
    pub(super) fn end(&self, start: Stamp, now: Instant, run_time: &mut Histogram) -> u64 {
        let nanos = self.nanos(now);
        run_time.add(nanos.saturating_sub(start.nanos()), start.weight());
        nanos
    }
}

impl<H: Host> Pool<H> {
    /// Whether no task is in flight, as far as can be told without waiting for the lock.
    pub fn is_quiet(&self) -> bool {
        let state = self.state.try_lock();
        state.is_some_and(|state| state.holds(super::Until::Quiet))
    }

    /// A timed task has ended. It takes the lock once more, which a task that is timed can bear.
    /// And a pool that tunes itself looks at it.
    pub(super) fn time(self: &Arc<Self>, start: Stamp, scope: Scope<'_, H>) {
        let now = self.host().now();
        let mut guarded = self.state.lock();
        let state = &mut *guarded;
        let nanos = state.sampler.end(start, now, &mut state.tally.run_time);
        if state.climber.is_some() {
            self.observe(guarded, start, nanos, scope);
        }
    }

    /// The pool now.
    pub fn stats(&self) -> Stats {
        Stats::of(&self.state.lock())
    }

    /// The pool now, and what it has counted so far: at one moment.
    pub fn stats_and_tally(&self) -> (Stats, Tally) {
        let state = self.state.lock();
        (Stats::of(&state), state.tally.clone())
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use std::time::Duration;

    use super::*;

    /// How many of `tasks`, submitted this far apart, are timed, and for how many they stand.
    fn timed(tasks: u32, apart: Duration) -> (u32, u32) {
        let birth = Instant::now();
        let mut sampler = Sampler::new(birth);
        let stamps = (1..=tasks).filter_map(|task| sampler.stamp(|| birth + apart * task));
        stamps.fold((0, 0), |(count, sum), stamp| {
            (count + 1, sum + stamp.weight())
        })
    }

    #[test]
    fn every_task_is_timed_while_they_are_few() {
        assert_eq!(timed(5_000, Duration::from_micros(101)), (5_000, 5_000));
        assert_eq!(timed(1_000, Duration::from_nanos(100)), (1_000, 1_000));
    }

    #[test]
    fn a_long_burst_is_sampled_and_each_sample_stands_for_those_before_it() {
        let (count, sum) = timed(1_000_000, Duration::from_nanos(200));
        assert!((32_000..40_000).contains(&count), "{count} timed");
        assert!((999_968..=1_000_000).contains(&sum), "they stand for {sum}");
    }

    #[test]
    fn a_histogram_has_a_bucket_for_any_time() {
        let mut histogram = Histogram::default();
        for nanos in [0, 1, 2, 3, 1 << 40, u64::MAX] {
            histogram.add(nanos, 2);
        }
        assert_eq!(histogram.counts[..3], [4, 4, 0]);
        assert_eq!(histogram.counts[40], 2);
        assert_eq!(histogram.counts[Histogram::BUCKETS - 1], 2);
        assert_eq!(histogram.total, u64::MAX);
    }
}
