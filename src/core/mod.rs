//! The pool, without Python. `README.md` in this folder tells states, counters and locks.

#![forbid(unsafe_code)]

mod adaptive;
mod alone;
mod calendar;
mod climber;
mod config;
mod deadline;
mod error;
mod expiry;
mod host;
mod idle;
mod lanes;
mod lifecycle;
mod line;
mod nested;
mod outline;
mod patience;
mod pool;
mod queue;
mod quota;
mod rate;
#[cfg(all(test, not(loom)))]
mod simulator;
mod spin;
mod state;
mod stats;
mod submit;
pub mod sync;
mod system_name;
mod wait_group;
mod waiter;
mod window;
mod worker;

pub use adaptive::Adaptive;
pub use config::{Config, Invalid, Overflow, Staff, UNLIMITED};
pub use error::{Ending, Fault, Refusal, Refused, Submitted, Unfinished};
pub use host::{Host, Outcome, Ran, Scope, Task};
pub use lanes::Priority;
pub use line::Candidate;
pub use outline::{Outline, Standing};
pub use pool::Pool;
pub use quota::{Entrance, Guard, Quota};
pub use rate::Rate;
pub use stats::{Histogram, Stats, Tally};
pub use submit::{Terms, Turn};
pub use system_name::system_name;
pub use wait_group::{OutOfRange, WaitGroup};
pub use waiter::{Cut, Park, Parked, Verdict, Waiter, Waiting};

use state::{Phase, Search, State, Summons, Until};
