//! A window: what a pool does at one capacity, from when that capacity shows until there is enough to tell.
//!
//! Tasks that take the same time end in bursts, and each decision starts the next burst. So a window begins half
//! a run time after a burst and lasts a whole number of run times: it cuts none in two.

/// A timed task has ended. All times are seconds, on one clock.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sample {
    /// When.
    pub(super) now: f64,
    /// How long it ran.
    pub(super) run_time: f64,
    /// How many tasks of the pool have ended before it.
    pub(super) ended: u64,
    /// Whether the capacity was reached: as many tasks as it allows were inside, or somebody waited.
    pub(super) full: bool,
}

/// What a window has measured.
#[derive(Clone, Copy, Debug)]
pub(super) struct Measure {
    /// Tasks a second.
    pub(super) throughput: f64,
    /// The mean.
    pub(super) run_time: f64,
    /// Whether the capacity was ever reached.
    pub(super) full: bool,
    /// How far the throughput may be from the true one (the relative standard error), as spread as run times are.
    pub(super) doubt: f64,
}

/// How much must be seen.
#[derive(Clone, Copy, Debug)]
pub(super) struct Need {
    pub(super) seconds: f64,
    /// Of tasks whose run times are spread as widely as their mean; fewer are needed of steadier ones.
    pub(super) tasks: f64,
}

pub(super) struct Window {
    /// When the capacity was set.
    changed: f64,
    /// The mean run time before: those tasks are still there.
    before: f64,
    /// When the last task ended.
    last: f64,
    ended_at_change: u64,
    /// When it was measured from, and how many tasks had ended by then.
    start: Option<(f64, u64)>,
    /// Run times until the least length is over, then one more until enough tasks have ended.
    rounds: f64,
    full: bool,
    run_times: Spread,
}

impl Window {
    /// Fewer tell nothing of how steady they are.
    const FEWEST: f64 = 4.0;
    /// Enough of any.
    const MOST: f64 = 2_000.0;
    /// A pool that has had nothing to do for so long, and for a run time, begins anew.
    const PAUSE: f64 = 0.05;

    pub(super) fn new(now: f64, before: f64, ended: u64) -> Self {
        Self {
            changed: now,
            before,
            last: now,
            ended_at_change: ended,
            start: None,
            rounds: 1.0,
            full: false,
            run_times: Spread::default(),
        }
    }

    /// What it comes to before it is over.
    pub(super) fn so_far(&self, sample: &Sample) -> (f64, Measure) {
        let seconds = sample.now - self.changed;
        let measure = Measure {
            throughput: number(sample.ended - self.ended_at_change) / seconds,
            run_time: sample.run_time,
            full: self.full,
            doubt: 0.0,
        };
        (seconds, measure)
    }

    /// One more task; what has been measured, once that is enough.
    pub(super) fn add(&mut self, sample: &Sample, need: Need) -> Option<Measure> {
        let started = sample.now - sample.run_time;
        let idle = started - self.last;
        if idle > Self::PAUSE && idle > self.run_times.mean {
            *self = Self::new(started, self.before, sample.ended);
        }
        self.last = sample.now;
        self.full |= sample.full;
        let Some((start, ended)) = self.start else {
            self.settle(started, sample);
            return None;
        };
        let run_time = self.run_times.mean;
        let least = (need.seconds / run_time).ceil().max(self.rounds);
        if sample.now < start + least * run_time {
            self.run_times.add(sample.run_time);
            return None;
        }
        // This task is the first after the window's end.
        let count = number(sample.ended - ended);
        let variance = self.run_times.relative_variance();
        let enough = need.tasks * variance;
        if count < enough.clamp(Self::FEWEST, Self::MOST) {
            self.run_times.add(sample.run_time);
            self.rounds = least + 1.0;
            return None;
        }
        Some(Measure {
            throughput: count / (least * run_time),
            run_time,
            full: self.full,
            doubt: (variance / count).sqrt(),
        })
    }

    /// Lets a run time and a half pass: until the tasks from before are gone, and then away from the burst.
    fn settle(&mut self, started: f64, sample: &Sample) {
        if started < self.changed {
            return;
        }
        self.run_times.add(sample.run_time);
        let start = self.changed + 1.5 * self.run_times.mean.max(self.before);
        if sample.now >= start {
            self.start = Some((start, sample.ended));
            self.full = sample.full;
            self.run_times = Spread::default();
            self.run_times.add(sample.run_time);
        }
    }
}

/// Mean and variance of numbers, as they come (Welford).
#[derive(Default)]
struct Spread {
    count: f64,
    mean: f64,
    squares: f64,
}

impl Spread {
    fn add(&mut self, number: f64) {
        self.count += 1.0;
        let apart = number - self.mean;
        self.mean += apart / self.count;
        self.squares += apart * (number - self.mean);
    }

    /// The variance divided by the square of the mean.
    fn relative_variance(&self) -> f64 {
        if self.mean <= 0.0 {
            return 0.0;
        }
        self.squares / self.count / (self.mean * self.mean)
    }
}

#[allow(clippy::cast_precision_loss, reason = "far below 2^52")]
pub(super) fn number(count: u64) -> f64 {
    count as f64
}
