//! antspy: a bounded worker pool for Python. This page is the map.
//!
//! # The path of one task
//!
//! | step | where |
//! |---|---|
//! | Python calls `pool.go(fn, *args)` or `pool.submit(fn, *args)` | `py/fastcall.rs` |
//! | function, arguments and a copy of the context become a `Call`, with a future around it for `submit` | `py/task.rs`, `py/context.rs`, `py/future.rs` |
//! | a view's terms go with it: timeout, deadline, priority, name, a place in a sub-pool | `py/order.rs`, `core/quota.rs` |
//! | the task is admitted, waits for a place, is refused, or is run by the worker that submits it | `core/submit.rs`, `core/nested.rs`; in a pool for tests `core/alone.rs` |
//! | who waits for a place stands in line: a thread, or the task of a coroutine, which goes in by itself | `core/line.rs`, `core/waiter.rs` |
//! | it is queued in its lane, and a worker is summoned: the newest idle one, or a new one | `core/queue.rs`, `core/lanes.rs`; `core/state.rs`: `summon` |
//! | nobody takes it in time: it is cancelled | `core/deadline.rs` |
//! | a new worker's thread, which the system knows by name, enters Python, and stays where it is if that ends | `core/system_name.rs`; `py/host.rs`: `enter`; `py/last_stop.rs` |
//! | with thousands of workers, the switch interval and the kernel's table of waiters are changed | `py/switch_interval.rs`, `py/futex_hash.rs` |
//! | the worker takes the task, when the rate allows, having summoned the next worker if there is more | `core/pool.rs`: `next`; `core/rate.rs` |
//! | the function is called, in a frame of the task's name if it has one, and may be interrupted | `core/worker.rs`: `run`; `py/task.rs`; `py/interpreter.rs`: `call`; `py/interrupt.rs` |
//! | in a pool on a cluster something else makes the call: it is sent, and waited for | `py/host.rs`: `call`; `python/antspy/dask/` |
//! | meanwhile, if somebody may watch, it stands on the worker's seat, for `antspy top` to read | `py/seat.rs`; `python/antspy/watch/` |
//! | if it was timed, its time is counted; a pool that tunes itself looks at it | `core/stats.rs`: `time`; `core/adaptive.rs`, `core/climber.rs` |
//! | its place is free, its worker idle | `core/pool.rs`: `finish` |
//! | the result is told | `py/future.rs`: `finish` |
//! | the worker looks for its next task, spins, sleeps, stands by, expires, or leaves | `core/pool.rs`: `choose`; `core/spin.rs`; `core/patience.rs`; `core/expiry.rs` |
//!
//! `pool.map(fn, *iterables)` makes no future: each of its items is a task (`py/item.rs`) whose result waits in a ring
//! (`py/ring.rs`) until whoever iterates (`py/map.rs`) comes for it.
//!
//! A coroutine's way (`await pool.asubmit(fn, *args)`, `arun`, `amap`) is the same, but for its waits:
//!
//! | step | where |
//! |---|---|
//! | the call is handed in without blocking: it is a future at once, or an admission that stands in line | `python/antspy/coroutine.py`; `py/fastcall.rs`; `py/admission.rs`: `begin` |
//! | in the line of a sub-pool, then in that of the pool | `core/quota.rs`: `begin_enter`; `core/submit.rs`: `begin_submit` |
//! | its turn comes: its bell is rung, and its future posted to the mailbox of its event loop | `core/line.rs`: `grant`; `py/parker.rs`, `py/mailbox.rs` |
//! | the loop comes once for all that has been posted; the coroutine goes on, or has been cancelled | `py/mailbox.rs`: `deliver`; `python/antspy/loop_future.py`; `core/submit.rs`: `end_submit` |
//! | it awaits the result in the same way | `py/future_methods.rs`: `_join` |
//!
//! # The two halves
//!
//! [`core`] is the pool. It knows no Python (without the feature `python` it is all there is, and loom checks
//! it so) but two traits: a [`Task`](core::Task) can be run, told and discarded; a [`Host`](core::Host) owns
//! the threads. `src/core/README.md` tells its states, counters and locks: read it first.
//!
//! `py` is Python as such a host, and the classes on which `python/antspy/` builds the public ones. It holds
//! no policy.

pub mod core;
#[cfg(feature = "python")]
#[allow(
    clippy::doc_lazy_continuation,
    clippy::doc_link_with_quotes,
    clippy::doc_markdown,
    reason = "docstrings of the stub, which are Python's"
)]
mod py;
