//! The interpreter's switch interval, longer while many workers may want the interpreter.
//!
//! A thread that waits for the interpreter wakes once in each switch interval, 5 ms, to ask for it:
//!
//! 1. Ten thousand workers sleep in their tasks, and most of them have slept enough at about the same time.
//! 2. All but one wait for the interpreter. Each of them wakes after 5 ms, and takes the interpreter's mutex to see
//!    whether it has to ask: two million times a second, where the machine can do a tenth of that.
//! 3. The one that has the interpreter needs that mutex and a processor, too, to hand it over. The queue of those who
//!    wait gets no shorter.
//!
//! So the interval grows with the number of workers, such that the wake-ups of all do not exceed what the machine
//! does besides. It costs those who wait while somebody computes in Python and does not let go: they wait for the
//! interval. What was measured is in `docs/switch-interval.md`.
//!
//! An idle worker does not count until it is woken. The interval goes in steps, and is left alone if the program has
//! set it itself: if it is neither the interpreter's own, nor one of these steps. (A program that keeps the value it
//! finds, sets another one and puts the first one back may put back a step that is over: it counts as ours.)

use std::{
    sync::atomic::{AtomicBool, AtomicIsize, AtomicUsize, Ordering},
    time::Duration,
};

use pyo3::{exceptions::PyValueError, prelude::*};

use super::{errors, futex_hash};

/// Workers that are not idle, over all pools. `Relaxed`: whoever changes it looks at the sum afterwards, and the last
/// to look has seen all changes, for those who look are attached one after the other. In a forked child it begins
/// at 0, so it may be one short there: a worker that forked was not counted in.
static WORKERS: AtomicIsize = AtomicIsize::new(0);

/// The step that is set; 0 is the interpreter's own. Written attached only, with an interpreter lock: `Relaxed`.
static STEP: AtomicUsize = AtomicUsize::new(0);

/// Whether the interval is never changed. Written when the module is imported, before there is a worker: `Relaxed`.
static KEPT: AtomicBool = AtomicBool::new(cfg!(Py_GIL_DISABLED));

/// The environment variable that says so.
const VARIABLE: &str = "ANTSPY_SWITCH_INTERVAL";

/// The interpreter's own interval, in microseconds.
const DEFAULT: u64 = 5_000;

/// Microseconds for each worker of a step.
const EACH: u64 = 100;

/// The steps: powers of two, as numbers of workers. With fewer than the first the interpreter's own interval does as
/// well, or better.
const FIRST: usize = 1_024;
const LAST: usize = 8_192;

/// Reads the environment.
///
/// # Errors
/// `ValueError`: the variable says something else.
pub(super) fn configure() -> PyResult<()> {
    match std::env::var_os(VARIABLE) {
        None => Ok(()),
        Some(value) if value.is_empty() => Ok(()),
        Some(value) if value == "keep" => {
            KEPT.store(true, Ordering::Relaxed);
            Ok(())
        }
        Some(value) => {
            let value = value.display();
            let message = format!("{VARIABLE} must be \"keep\" or not set, not \"{value}\"");
            Err(PyValueError::new_err(message))
        }
    }
}

/// A worker is about to want the interpreter: it is new, or has been woken.
pub(super) fn come() {
    WORKERS.fetch_add(1, Ordering::Relaxed);
}

/// A worker has the interpreter now, and will not want it again for a while.
pub(super) fn go(py: Python<'_>) {
    WORKERS.fetch_sub(1, Ordering::Relaxed);
    adapt(py);
}

/// In a forked child: none of the workers is there.
pub(super) fn forget_all(py: Python<'_>) {
    WORKERS.store(0, Ordering::Relaxed);
    adapt(py);
}

/// Sets the interval for the workers of now.
#[inline]
pub(super) fn adapt(py: Python<'_>) {
    let workers = usize::try_from(WORKERS.load(Ordering::Relaxed)).unwrap_or(0);
    let step = STEP.load(Ordering::Relaxed);
    let next = next_step(step, workers);
    if next != step && !KEPT.load(Ordering::Relaxed) {
        STEP.store(next, Ordering::Relaxed);
        futex_hash::widen();
        errors::report(py, set(py, step, next));
    }
}

/// The step for so many workers: up when there are enough for a higher one, down when there are fewer than half.
#[inline]
fn next_step(step: usize, workers: usize) -> usize {
    let up = match step {
        0 => FIRST,
        LAST => usize::MAX,
        _ => 2 * step,
    };
    if (step / 2..up).contains(&workers) {
        step
    } else if workers < FIRST {
        0
    } else {
        (1 << workers.ilog2()).min(LAST)
    }
}

/// The interval of a step, in microseconds.
fn interval(step: usize) -> u64 {
    match step {
        0 => DEFAULT,
        _ => step as u64 * EACH,
    }
}

/// Whether it is the interval of a step that is not 0, or was: a program that puts back what it has found puts back
/// a microsecond less.
fn was_step(microseconds: u64) -> bool {
    is_step(microseconds) || is_step(microseconds + 1)
}

fn is_step(microseconds: u64) -> bool {
    let workers = usize::try_from(microseconds / EACH).unwrap_or(usize::MAX);
    microseconds.is_multiple_of(EACH)
        && workers.is_power_of_two()
        && (FIRST..=LAST).contains(&workers)
}

/// Half a microsecond: seconds are made whole microseconds by rounding down, here and in `sys`.
const HALF: f64 = 0.5e-6;

#[cold]
fn set(py: Python<'_>, step: usize, next: usize) -> PyResult<()> {
    let sys = py.import("sys")?;
    let seconds: f64 = sys.call_method0("getswitchinterval")?.extract()?;
    let found = Duration::from_secs_f64(seconds + HALF).as_micros();
    let found = u64::try_from(found).unwrap_or(u64::MAX);
    let is_ours = was_step(found) || (found == interval(0) && step == 0);
    if is_ours && found != interval(next) {
        let seconds = Duration::from_micros(interval(next)).as_secs_f64();
        sys.call_method1("setswitchinterval", (seconds + HALF,))?;
    }
    Ok(())
}
