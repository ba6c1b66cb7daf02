//! A capacity that finds itself: the pool tunes itself, inside of two bounds, by what it measures.
//!
//! It looks whenever a task that is timed ends (`stats.rs`), under the lock that is held then anyway: no thread, no
//! clock reading and no step on the way of a task of its own. What it sees goes to the climber (`climber.rs`), and
//! what comes of that is set as `tune` sets it.

use super::{
    Config, Host, Invalid, Pool, Scope, State,
    climber::Climber,
    stats::Stamp,
    sync::{Arc, MutexGuard},
    window::Sample,
};

/// Between which capacities a pool tunes itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Adaptive {
    /// At least 1: where it begins.
    pub minimum: usize,
    /// At least the minimum, at most [`LIMIT`](Self::LIMIT).
    pub maximum: usize,
}

impl Adaptive {
    /// What fits half a word, so that a forked child can read both bounds at once.
    pub const LIMIT: usize = 0xFFFF_FFFF;

    /// # Errors
    /// [`Invalid`].
    pub(super) fn check(self) -> Result<(), Invalid> {
        let invalid = |argument, problem| Err(Invalid { argument, problem });
        if self.minimum == 0 {
            return invalid("minimum", "must be at least 1, not 0".into());
        }
        if self.maximum < self.minimum || self.maximum > Self::LIMIT {
            let problem = format!(
                "must be from the minimum, {}, to {}, not {}",
                self.minimum,
                Self::LIMIT,
                self.maximum
            );
            return invalid("maximum", problem);
        }
        Ok(())
    }

    /// Both bounds in one word; 0: none.
    pub(super) fn to_word(this: Option<Self>) -> u64 {
        this.map_or(0, |it| (it.minimum as u64) << 32 | it.maximum as u64)
    }

    pub(super) fn from_word(word: u64) -> Option<Self> {
        let half = |word: u64| usize::try_from(word & 0xFFFF_FFFF).unwrap_or(Self::LIMIT);
        (word != 0).then(|| Self {
            minimum: half(word >> 32),
            maximum: half(word),
        })
    }
}

/// The climber of a new pool, if it is to have one.
pub(super) fn climber(config: &Config) -> Option<Box<Climber>> {
    let bounds = config.adaptive?;
    Some(Box::new(Climber::new(bounds, bounds.minimum)))
}

impl<H: Host> State<H> {
    /// What a timed task that ends `now` tells the climber.
    fn sample(&self, start: Stamp, now: u64) -> Sample {
        Sample {
            now: seconds(now),
            run_time: seconds(now.saturating_sub(start.nanos())),
            ended: self.tally.completed + self.tally.failed,
            full: !self.submitters.is_empty() || self.in_flight >= self.capacity,
        }
    }
}

impl<H: Host> Pool<H> {
    /// From now on the pool tunes itself, beginning with its capacity, or the bound that is nearest to it;
    /// [`tune`](Self::tune) ends that.
    ///
    /// # Errors
    /// [`Invalid`].
    pub fn adapt(self: &Arc<Self>, bounds: Adaptive, scope: Scope<'_, H>) -> Result<(), Invalid> {
        bounds.check()?;
        let mut state = self.state.lock();
        let climber = Climber::new(bounds, state.capacity);
        let capacity = climber.capacity();
        state.climber = Some(Box::new(climber));
        self.set_capacity(state, capacity, scope);
        Ok(())
    }

    /// A timed task has ended in a pool that tunes itself.
    #[cold]
    pub(super) fn observe(
        self: &Arc<Self>,
        mut state: MutexGuard<'_, State<H>>,
        start: Stamp,
        now: u64,
        scope: Scope<'_, H>,
    ) {
        let sample = state.sample(start, now);
        let climber = state.climber.as_mut();
        if let Some(capacity) = climber.and_then(|climber| climber.observe(&sample)) {
            self.set_capacity(state, capacity, scope);
        }
    }
}

#[allow(clippy::cast_precision_loss, reason = "exact for a hundred days")]
fn seconds(nanos: u64) -> f64 {
    nanos as f64 / 1e9
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn bounds_that_make_no_sense_are_named() {
        let problem = |minimum, maximum| {
            let bounds = Adaptive { minimum, maximum };
            bounds.check().map_err(|why| why.argument)
        };
        assert_eq!(problem(1, 1), Ok(()));
        assert_eq!(problem(2, Adaptive::LIMIT), Ok(()));
        assert_eq!(problem(0, 1), Err("minimum"));
        assert_eq!(problem(2, 1), Err("maximum"));
        assert_eq!(problem(2, Adaptive::LIMIT + 1), Err("maximum"));
    }

    #[test]
    fn both_bounds_go_through_one_word() {
        let all = Adaptive {
            minimum: 3,
            maximum: Adaptive::LIMIT,
        };
        for bounds in [None, Some(all)] {
            assert_eq!(Adaptive::from_word(Adaptive::to_word(bounds)), bounds);
        }
    }
}
