//! The climber: finds the capacity of an adaptive pool. It has no clock and no thread: what it sees comes in, and
//! a capacity comes out.
//!
//! It climbs the hill of throughput over capacity, as the thread pool of .NET does (Hellerstein, Morrison,
//! Eilebrecht, *Optimizing concurrency levels in the .NET `ThreadPool`*, 2009). What it climbs is
//! `throughput / capacity^PRICE`: a capacity that is `x` percent larger must bring a seventh of that in throughput.
//! That is what TCP Vegas (Brakmo, O'Malley, Peterson, 1994) and Netflix's concurrency-limits ask of a
//! window: where tasks only wait for each other, the throughput stays what it was while the run time rises, for
//! capacity = throughput * run time (Little). They compare the run time with the best one ever seen, which is out of
//! date once the load has changed; two throughputs in a row are of the same minute.
//!
//! 1. *Search*: it doubles the capacity for as long as that is worth it, then tries smaller steps up and down.
//! 2. *Hold*: it stays, and looks for a throughput that is another one: the load has changed, and it searches anew.
//!    From time to time it tries one small step up and one down: rarely, if that is in vain.

use super::{
    Adaptive,
    window::{Measure, Need, Sample, Window},
};

/// How much of its growth a capacity must bring.
const PRICE: f64 = 0.15;
/// And this much more for each doubling, beside what is in doubt, or a larger one is not taken for better. What a
/// large step does not show, the smaller ones that follow may.
const MARGIN: f64 = 0.1;
/// The throughput has changed, if it is so much higher or lower (as a logarithm).
const CHANGE: f64 = 0.25;
/// The steps: double, and the root and the fourth root of that.
const LARGEST: f64 = 1.0;
const SMALLEST: f64 = 0.25;
/// Seconds until the first small step in the midst of a hold, and between two at most.
const SOON: f64 = 2.0;
const SELDOM: f64 = 16.0;

/// A capacity, and what it was measured to bring.
#[derive(Clone, Copy, Debug)]
struct Point {
    capacity: usize,
    throughput: f64,
    run_time: f64,
    /// The relative standard error of the throughput.
    doubt: f64,
}

/// A search around the best point.
#[derive(Clone, Copy, Debug)]
struct Search {
    /// The logarithm of the next step, to the base of 2.
    step: f64,
    up: bool,
    /// Whether the other direction is known to be worse.
    turned: bool,
    /// Whether the best lies between two points that have been tried: steps only become smaller then.
    bracketed: bool,
    /// Capacities that were not worth it.
    too_small: usize,
    too_large: usize,
}

impl Search {
    fn new(step: f64, up: bool) -> Self {
        Self {
            step,
            up,
            turned: false,
            bracketed: false,
            too_small: 0,
            too_large: usize::MAX,
        }
    }
}

#[derive(Clone, Copy, Debug)]
enum Mode {
    /// There is nothing to compare with yet. Then it searches, in this direction first.
    First {
        up: bool,
    },
    Search(Search),
    Hold {
        since: f64,
        /// The last window brought another throughput: one more, and the load has changed.
        doubt: bool,
    },
}

pub(super) struct Climber {
    bounds: Adaptive,
    /// What is measured now.
    capacity: usize,
    best: Point,
    mode: Mode,
    /// How long to hold before the next small step.
    patience: f64,
    /// How much the throughput differs from window to window (as a logarithm, squared).
    noise: f64,
    /// `None`: the next task begins one.
    window: Option<Window>,
}

impl Climber {
    pub(super) fn new(bounds: Adaptive, capacity: usize) -> Self {
        let capacity = capacity.clamp(bounds.minimum, bounds.maximum);
        Self {
            bounds,
            capacity,
            best: Point {
                capacity,
                throughput: 0.0,
                run_time: 0.0,
                doubt: 0.0,
            },
            mode: Mode::First { up: true },
            patience: SOON,
            noise: 0.0,
            window: None,
        }
    }

    pub(super) fn bounds(&self) -> Adaptive {
        self.bounds
    }

    pub(super) fn capacity(&self) -> usize {
        self.capacity
    }

    /// A timed task has ended: the capacity to be set now, if that changes.
    pub(super) fn observe(&mut self, sample: &Sample) -> Option<usize> {
        let need = self.need();
        let started = sample.now - sample.run_time;
        let run_time = self.best.run_time;
        let window = self
            .window
            .get_or_insert_with(|| Window::new(started, run_time, sample.ended));
        let measured = window.add(sample, need);
        let before = self.capacity;
        if let Some(measure) = measured {
            self.decide(&measure, sample.now);
        } else if !self.give_up(sample) {
            return None;
        }
        // An overload shows in its last tasks.
        let known = measured.map_or(run_time.max(sample.run_time), |measure| measure.run_time);
        self.window = Some(Window::new(sample.now, known, sample.ended));
        (self.capacity != before).then_some(self.capacity)
    }

    /// The finer the step, the more must be seen: the doubt about a throughput is one part in the root of so many
    /// tasks.
    fn need(&self) -> Need {
        // Short tasks are mostly work, whose throughput other programs disturb.
        let shortest = if self.best.run_time < 0.05 { 0.2 } else { 0.1 };
        let (seconds, tasks) = match &self.mode {
            Mode::First { .. } => (shortest, 100.0),
            Mode::Search(search) if search.step >= LARGEST => (shortest, 100.0),
            Mode::Search(search) if search.step > SMALLEST => (0.2, 200.0),
            Mode::Search(_) | Mode::Hold { .. } => (0.4, 400.0),
        };
        Need { seconds, tasks }
    }

    /// Whether it is so bad that the end of the window, a few of its long run times, need not be waited for: an
    /// overload by the capacity under trial, or one of a new kind.
    fn give_up(&mut self, sample: &Sample) -> bool {
        let Some(window) = &self.window else {
            return false;
        };
        let (seconds, measure) = window.so_far(sample);
        if seconds < 0.1 + 6.0 * self.best.run_time
            || measure.throughput > 0.5 * self.best.throughput
            || !measure.full
        {
            return false;
        }
        match self.mode {
            Mode::Search(_) if self.capacity > self.best.capacity => self.reject(sample.now),
            Mode::Hold { .. } => self.shrink(&measure),
            Mode::First { .. } | Mode::Search(_) => return false,
        }
        true
    }

    fn point(&self, measure: &Measure) -> Point {
        Point {
            capacity: self.capacity,
            throughput: measure.throughput,
            run_time: measure.run_time,
            doubt: measure.doubt,
        }
    }

    fn decide(&mut self, measure: &Measure, now: f64) {
        let point = self.point(measure);
        match self.mode {
            // It was not the capacity that bounded the throughput: that tells nothing, and nothing has to change.
            Mode::First { .. } if !measure.full => {}
            Mode::Search(_) if !measure.full => self.hold(now),
            Mode::Hold { since, .. } if !measure.full => {
                self.mode = Mode::Hold {
                    since,
                    doubt: false,
                };
            }
            Mode::First { up } => self.search(point, Search::new(LARGEST, up), now),
            Mode::Search(search) if self.is_better(&point) => {
                if search.step > SMALLEST {
                    self.patience = SOON; // one small step may be chance
                }
                let step = if search.bracketed {
                    search.step / 2.0
                } else {
                    (search.step * 2.0).min(LARGEST)
                };
                let known = self.best.capacity;
                let next = Search {
                    step,
                    turned: true,
                    too_small: if search.up { known } else { search.too_small },
                    too_large: if search.up { search.too_large } else { known },
                    ..search
                };
                self.search(point, next, now);
            }
            Mode::Search(_) => self.reject(now),
            Mode::Hold { since, doubt } => self.watch(measure, since, doubt, now),
        }
    }

    /// Whether it brings more, at the price of its capacity. What is larger must show it beyond doubt: what is smaller
    /// and no worse is welcome, or chance would lead the capacity up and never down.
    fn is_better(&self, point: &Point) -> bool {
        let gain = (point.throughput / self.best.throughput).ln();
        let growth = (float(point.capacity) / float(self.best.capacity)).ln();
        let margin = if growth > 0.0 {
            let doubt = point.doubt.max(self.noise.sqrt());
            MARGIN * growth / 2_f64.ln() + doubt.hypot(self.best.doubt)
        } else {
            0.0
        };
        gain - PRICE * growth > margin
    }

    /// One more window at the best capacity.
    fn watch(&mut self, measure: &Measure, since: f64, doubt: bool, now: f64) {
        let point = self.point(measure);
        let change = (point.throughput / self.best.throughput).ln();
        if change.abs() > CHANGE.max(4.0 * self.noise.sqrt()) {
            if doubt && change < 0.0 {
                self.shrink(measure);
            } else if doubt {
                self.patience = SOON;
                self.search(point, Search::new(LARGEST, true), now);
            } else {
                self.mode = Mode::Hold { since, doubt: true };
            }
            return;
        }
        self.noise += (change * change - self.noise) / 8.0;
        // The mean of some windows is in less doubt than one.
        self.best.doubt = point.doubt.max(self.noise.sqrt()) / 2.0;
        self.best.throughput += (point.throughput - self.best.throughput) / 4.0;
        self.best.run_time = point.run_time;
        if now - since > self.patience.max(20.0 * point.run_time) {
            self.patience = (self.patience * 2.0).min(SELDOM);
            self.search(self.best, Search::new(SMALLEST, true), now);
        } else {
            self.mode = Mode::Hold {
                since,
                doubt: false,
            };
        }
    }

    /// The load has changed, and it has become slower: half as many, as TCP does, and from there fewer first. What is
    /// measured in the midst of a collapse is nothing to compare with, and more would make an overload worse.
    fn shrink(&mut self, measure: &Measure) {
        self.capacity = (self.capacity / 2).max(self.bounds.minimum);
        self.best = self.point(measure);
        self.patience = SOON;
        self.mode = Mode::First { up: false };
    }

    /// The capacity under trial is not worth it.
    fn reject(&mut self, now: f64) {
        let Mode::Search(mut search) = self.mode else {
            return;
        };
        if search.up {
            search.too_large = search.too_large.min(self.capacity);
        } else {
            search.too_small = search.too_small.max(self.capacity);
        }
        turn(&mut search);
        self.search(self.best, search, now);
    }

    /// Tries the next capacity around `best`, if there is one that has not been tried.
    fn search(&mut self, best: Point, mut search: Search, now: f64) {
        self.best = best;
        while search.step >= SMALLEST {
            if let Some(capacity) = self.next(&search) {
                self.capacity = capacity;
                self.mode = Mode::Search(search);
                return;
            }
            turn(&mut search);
        }
        self.hold(now);
    }

    fn hold(&mut self, now: f64) {
        self.capacity = self.best.capacity;
        self.mode = Mode::Hold {
            since: now,
            doubt: false,
        };
    }

    /// The capacity one step away, if it is inside of the bounds and may be worth it.
    fn next(&self, search: &Search) -> Option<usize> {
        let best = self.best.capacity;
        let factor = if search.up { search.step } else { -search.step }.exp2();
        #[allow(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "positive, and brought inside of the bounds"
        )]
        let there = (float(best) * factor).round() as usize;
        let there = if search.up {
            there.max(best + 1)
        } else {
            there.min(best - 1)
        };
        let there = there.clamp(self.bounds.minimum, self.bounds.maximum);
        let is_new = there != best && there > search.too_small && there < search.too_large;
        is_new.then_some(there)
    }
}

/// The other direction, or smaller steps.
fn turn(search: &mut Search) {
    search.up = !search.up;
    if search.turned {
        search.step /= 2.0;
        search.bracketed = true;
    }
    search.turned = !search.turned;
}

#[allow(clippy::cast_precision_loss, reason = "far below 2^52")]
fn float(capacity: usize) -> f64 {
    capacity as f64
}
