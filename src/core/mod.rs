//! The pool, without Python. `README.md` in this folder tells states, counters and locks.

mod config;
mod error;
mod expiry;
mod host;
mod idle;
mod lifecycle;
mod patience;
mod pool;
mod state;
mod stats;
pub mod sync;
mod wait_group;
mod waiter;
mod worker;

pub use config::{Config, Invalid, Overflow, UNLIMITED};
pub use error::{Ending, Fault, Refusal, Refused, Unfinished};
pub use host::{Host, Ran, Scope, Task};
pub use pool::Pool;
pub use stats::Stats;
pub use wait_group::{Listener, OutOfRange, WaitGroup};
pub use waiter::{Cut, Park, Parked, Verdict, Waiter};

use state::{Phase, Search, State, Summons, Until};
