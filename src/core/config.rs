//! What a pool is told when it is made, and which of it makes no sense.

use std::{fmt, time::Duration};

use super::{Adaptive, Rate};

/// "No limit", where a limit is asked for.
pub const UNLIMITED: usize = usize::MAX;

/// What a full pool does with one more task.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Overflow {
    /// The submitter waits for a place.
    #[default]
    Block,
    /// The submitter gets [`Refusal::Overload`](super::Refusal::Overload).
    Raise,
    /// The submitter runs the task itself.
    CallerRuns,
    /// The task is discarded, and its future told so.
    Discard,
}

/// Who runs the tasks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Staff {
    /// Workers, which are threads of the pool's own.
    #[default]
    Workers,
    /// Whoever submits one, at once: for tests. There are no threads.
    Submitters,
    /// Whoever waits, as its host says: for tests. There are no threads.
    Waiters,
}

/// The settings of a pool. They stay for its life, but for the capacity ([`Pool::tune`](super::Pool::tune)).
#[derive(Clone, Debug)]
pub struct Config {
    /// How many tasks run at the same time at most; [`UNLIMITED`].
    pub capacity: usize,
    /// Between which capacities the pool tunes itself, from the lower one on; `None`: it does not.
    pub adaptive: Option<Adaptive>,
    /// How many more are accepted than run; [`UNLIMITED`].
    pub queue_size: usize,
    /// What a full pool does.
    pub overflow: Overflow,
    /// How many submitters may wait for a place; [`UNLIMITED`].
    pub max_blocking: usize,
    /// How many tasks are started a second at most; `None`: no limit.
    pub rate: Option<Rate>,
    /// After how long an idle worker leaves; `None`: never.
    pub expiry: Option<Duration>,
    /// How many workers never expire.
    pub min_workers: usize,
    /// Whether all workers are started when the pool is made.
    pub prealloc: bool,
    /// Whether the end of the program does not wait for its tasks.
    pub daemon: bool,
    /// Workers are called `{prefix}_0`, `{prefix}_1`, ...
    pub thread_name_prefix: String,
    /// Bytes of stack for a worker; `None`: the platform's default.
    pub stack_size: Option<usize>,
    /// Who runs the tasks.
    pub staff: Staff,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            capacity: UNLIMITED,
            adaptive: None,
            queue_size: 0,
            overflow: Overflow::Block,
            max_blocking: UNLIMITED,
            rate: None,
            expiry: Some(Duration::from_secs(10)),
            min_workers: 0,
            prealloc: false,
            daemon: false,
            thread_name_prefix: String::from("antspy"),
            stack_size: None,
            staff: Staff::Workers,
        }
    }
}

/// An argument that makes no sense.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invalid {
    /// Its name.
    pub argument: &'static str,
    /// What it must be, and what it is.
    pub problem: String,
}

impl fmt::Display for Invalid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.argument, self.problem)
    }
}

impl Config {
    /// # Errors
    /// [`Invalid`], for the first argument that makes no sense.
    pub fn check(&self) -> Result<(), Invalid> {
        check_capacity(self.capacity)?;
        if let Some(adaptive) = self.adaptive {
            adaptive.check()?;
        }
        if self.expiry == Some(Duration::ZERO) {
            return Err(Invalid {
                argument: "expiry",
                problem: "must be greater than 0, not 0".into(),
            });
        }
        let most = self.adaptive.map_or(self.capacity, |it| it.maximum);
        if self.min_workers > most {
            let problem = format!(
                "must be at most the capacity, {most}, not {}",
                self.min_workers
            );
            return Err(Invalid {
                argument: "min_workers",
                problem,
            });
        }
        if let Some(Rate(rate)) = self.rate
            && !(rate > 0.0 && rate.is_finite())
        {
            return Err(Invalid {
                argument: "rate",
                problem: format!(
                    "must be a number of tasks a second greater than 0, or None for no limit, not {rate}"
                ),
            });
        }
        if self.prealloc && self.adaptive.is_some() {
            return Err(Invalid {
                argument: "prealloc",
                problem: "needs a capacity that stays, not an Adaptive".into(),
            });
        }
        if self.prealloc && self.capacity == UNLIMITED {
            return Err(Invalid {
                argument: "prealloc",
                problem: "needs a capacity, not an unlimited pool (capacity=None)".into(),
            });
        }
        Ok(())
    }
}

/// # Errors
/// [`Invalid`]: a pool without a place can run nothing.
pub(super) fn check_capacity(capacity: usize) -> Result<(), Invalid> {
    if capacity == 0 {
        return Err(Invalid {
            argument: "capacity",
            problem: "must be at least 1, or None for no limit, not 0".into(),
        });
    }
    Ok(())
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    fn problem(config: &Config) -> &'static str {
        config.check().expect_err("must be refused").argument
    }

    #[test]
    fn what_makes_no_sense_is_named() {
        let good = Config {
            capacity: 4,
            ..Config::default()
        };
        assert_eq!(good.check(), Ok(()));
        let with = |change: &dyn Fn(&mut Config)| {
            let mut config = good.clone();
            change(&mut config);
            problem(&config)
        };
        assert_eq!(with(&|c| c.capacity = 0), "capacity");
        assert_eq!(with(&|c| c.expiry = Some(Duration::ZERO)), "expiry");
        assert_eq!(with(&|c| c.min_workers = 5), "min_workers");
        for rate in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            assert_eq!(with(&|c| c.rate = Some(Rate(rate))), "rate");
        }
        assert_eq!(
            with(&|c| {
                c.prealloc = true;
                c.capacity = UNLIMITED;
            }),
            "prealloc"
        );
    }
}
