//! The rate: at most so many tasks are started a second, evenly spaced, without busy waiting.
//!
//! Starts are due one interval apart. One that comes late does not move those after it, if it is late by
//! less than [`CATCH_UP`]: a thread that sleeps wakes some 50 microseconds after the time that it asked
//! for, and at 10,000 a second half of them would be lost. So within any second there are at most
//! `rate`, one, and what is due in `CATCH_UP`. This is the generic cell rate algorithm (ITU-T I.371) with that
//! tolerance.

use std::time::{Duration, Instant};

/// Lateness that is made up for.
const CATCH_UP: Duration = Duration::from_millis(1);

/// How many tasks are started a second, at most.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rate(pub f64);

impl Rate {
    /// From one start to the next; a century stands for longer than that.
    fn interval(self) -> Duration {
        let longest = Duration::from_secs(u64::from(u32::MAX));
        Duration::try_from_secs_f64(1.0 / self.0).map_or(longest, |interval| interval.min(longest))
    }
}

/// Says when the next task may start.
pub(super) struct Schedule {
    interval: Duration,
    /// When the next is due; `None`: at once, nothing has been started.
    due: Option<Instant>,
}

impl Schedule {
    pub(super) fn new(rate: Rate) -> Self {
        Self {
            interval: rate.interval(),
            due: None,
        }
    }

    /// Until when to wait; `None`: the next may start now.
    pub(super) fn not_before(&self, now: Instant) -> Option<Instant> {
        self.due.filter(|due| *due > now)
    }

    /// Takes the next start, and says when it is: now, or once it is due.
    pub(super) fn take(&mut self, now: Instant) -> Instant {
        let lateness = CATCH_UP.min(self.interval);
        let earliest = now.checked_sub(lateness).unwrap_or(now);
        let start = self.due.map_or(now, |due| due.max(earliest));
        self.due = Some(start + self.interval);
        start.max(now)
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    const MILLI: Duration = Duration::from_millis(1);

    #[test]
    fn starts_are_one_interval_apart() {
        let (mut schedule, now) = (Schedule::new(Rate(100.0)), Instant::now());
        assert_eq!(schedule.not_before(now), None);
        assert_eq!(schedule.take(now), now);
        assert_eq!(schedule.not_before(now), Some(now + 10 * MILLI));
        assert_eq!(schedule.take(now), now + 10 * MILLI);
        assert_eq!(schedule.not_before(now + 20 * MILLI), None);
    }

    #[test]
    fn a_little_lateness_is_made_up_for_and_a_pause_is_not() {
        let (mut schedule, now) = (Schedule::new(Rate(100.0)), Instant::now());
        schedule.take(now);
        schedule.take(now + 10 * MILLI + MILLI / 2);
        assert_eq!(schedule.not_before(now), Some(now + 20 * MILLI));
        // A second later: two may start at once at most, the one that was due and none of the missed.
        let later = now + 1_000 * MILLI;
        assert_eq!(schedule.take(later), later);
        assert_eq!(schedule.not_before(later), Some(later + 9 * MILLI));
    }

    #[test]
    fn any_rate_has_an_interval() {
        for rate in [1e-300, 1e-9, 1.0, 1e9, 1e300] {
            let mut schedule = Schedule::new(Rate(rate));
            let now = Instant::now();
            assert_eq!(schedule.take(now), now);
        }
    }
}
