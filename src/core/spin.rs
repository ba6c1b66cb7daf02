//! Spinning: a thread that is about to sleep looks a little longer, for the switch to it costs more than that.
//!
//! To wake a sleeping thread takes about 50 microseconds, and a task that is waited for may be over in one. So a
//! worker that runs out of tasks, and a thread that waits for something, look for their wake-up for a moment
//! before they sleep. What they look for is the wake-up itself ([`Park::is_woken`]), which is kept for the sleep
//! that follows: to spin is to sleep later, and no protocol depends on it.
//!
//! It must not make things worse:
//!
//! - *Whoever is woken must be able to go on.* A thread that is told while the teller holds the host would only
//!   ask for it, and sleep in the host's own queue. So it looks for the wake-up *and* for a host that has been let
//!   go of ([`Host::is_free`]).
//! - *One at a time*: one worker and one waiter. The newest takes over, for it is the newest idle worker that is
//!   woken next; the one before it sleeps.
//! - *A budget that follows success*: in vain, and it shrinks until only now and then somebody tries. So it turns
//!   itself off where tasks are long and where there is but one processor.
//! - *Not against others*: who finds that it has lost the processor while it span halves the budget. On a loaded machine it
//!   takes the time of the very thread that it waits for.

use std::{
    hint,
    sync::atomic::{AtomicU8, AtomicU32, Ordering},
    thread,
    time::{Duration, Instant},
};

use super::{Host, Park, sync::MODEL};

/// The spinning of all workers, or of all waiters: of one process, whose processors they share.
pub(super) struct Spin {
    budget: &'static Budget,
    /// Counts those that began to spin: whoever is not the last stops. `Relaxed`, as the others here: a hint, under
    /// which nothing is handed over. Std's atomics also under loom: their order is no part of any protocol.
    turn: AtomicU32,
}

/// How long to spin. One for both sides, for either succeeds only while the other spins, too: who must first be
/// woken is late.
struct Budget {
    /// So many times [`Budget::STEP`]. Races lose a step, which does no harm.
    luck: AtomicU32,
    /// Those that did not spin for want of luck.
    passed: AtomicU32,
}

static BUDGET: Budget = Budget::new();
/// Idle workers, which wait for a task.
pub(super) static WORKERS: Spin = Spin::new(&BUDGET);
/// Threads that wait for a result, a place, or the end of all tasks.
pub(super) static WAITERS: Spin = Spin::new(&BUDGET);

/// How spinning ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Spun {
    /// The wake-up has come.
    Woken,
    /// It has not.
    InVain,
    /// It was not tried.
    Not,
}

impl Budget {
    /// At most eight of these: 100 microseconds, the price of two switches.
    const STEP: Duration = Duration::from_nanos(12_500);
    const MOST: u32 = 8;
    /// Without luck it is tried again after so many sleeps.
    const PAUSE: u32 = 128;

    const fn new() -> Self {
        Self {
            luck: AtomicU32::new(Self::MOST),
            passed: AtomicU32::new(0),
        }
    }

    /// The luck to spin with; `None`: rather not.
    fn luck(&self) -> Option<u32> {
        let luck = self.luck.load(Ordering::Relaxed);
        if luck > 0 {
            return Some(luck);
        }
        let passed = self.passed.fetch_add(1, Ordering::Relaxed);
        (passed % Self::PAUSE == Self::PAUSE - 1).then_some(Self::MOST)
    }

    fn set(&self, luck: u32) {
        self.luck.store(luck.min(Self::MOST), Ordering::Relaxed);
    }
}

impl Spin {
    /// Looks from one reading of the clock to the next.
    const LOOKS: u32 = 16;

    const fn new(budget: &'static Budget) -> Self {
        Self {
            budget,
            turn: AtomicU32::new(0),
        }
    }

    /// Looks for the wake-up of `parker`, before a sleep. Call it outside of the host.
    pub(super) fn spin<H: Host>(&self, parker: &H::Parker) -> Spun {
        if MODEL {
            // Once: every order of this look and the wake-up.
            return if parker.is_woken() {
                Spun::Woken
            } else {
                Spun::Not
            };
        }
        if is_lone() {
            return Spun::Not;
        }
        self.until(|| parker.is_woken() && H::is_free())
    }

    fn until(&self, is_due: impl Fn() -> bool) -> Spun {
        let Some(luck) = self.budget.luck() else {
            return Spun::Not;
        };
        let turn = self.turn.fetch_add(1, Ordering::Relaxed).wrapping_add(1);
        let start = Instant::now();
        let mut last = start;
        loop {
            for _ in 0..Self::LOOKS {
                if is_due() {
                    self.budget.set(luck + 1);
                    return Spun::Woken;
                }
                hint::spin_loop();
            }
            if self.turn.load(Ordering::Relaxed) != turn {
                return Spun::InVain;
            }
            let now = Instant::now();
            if now - last >= Budget::STEP {
                // The processor was lost: a round of looks takes a tenth of that.
                self.budget.set(luck / 2);
                return Spun::InVain;
            }
            if now - start >= Budget::STEP * luck {
                // It must succeed twice as often as not to go on: a try in vain costs up to all that one saves.
                self.budget.set(luck.saturating_sub(2));
                return Spun::InVain;
            }
            last = now;
        }
    }
}

/// Whether there is but one processor for all threads: whoever spins keeps the others from their work.
///
/// No `LazyLock`: a fork while a thread computes it would leave a child that waits for that thread for ever. Two that
/// compute it find the same.
fn is_lone() -> bool {
    const UNKNOWN: u8 = 0;
    const SHARED: u8 = 1;
    const LONE: u8 = 2;
    static PROCESSORS: AtomicU8 = AtomicU8::new(UNKNOWN);

    match PROCESSORS.load(Ordering::Relaxed) {
        UNKNOWN => {
            let lone = thread::available_parallelism().is_ok_and(|count| count.get() == 1);
            PROCESSORS.store(if lone { LONE } else { SHARED }, Ordering::Relaxed);
            lone
        }
        known => known == LONE,
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    fn spin() -> Spin {
        Spin::new(Box::leak(Box::new(Budget::new())))
    }

    fn luck(spin: &Spin) -> u32 {
        spin.budget.luck.load(Ordering::Relaxed)
    }

    #[test]
    fn what_is_there_already_is_seen_at_once() {
        let spin = spin();
        for _ in 0..20 {
            assert_eq!(spin.until(|| true), Spun::Woken);
        }
        assert_eq!(luck(&spin), Budget::MOST);
    }

    #[test]
    fn without_luck_it_is_tried_now_and_then() {
        let spin = spin();
        while spin.until(|| false) != Spun::Not {}
        assert_eq!(luck(&spin), 0);
        let passed = (1..=2 * Budget::PAUSE).find(|_| spin.until(|| true) == Spun::Woken);
        assert_eq!(passed, Some(Budget::PAUSE - 1));
        assert!(luck(&spin) > 0, "and again");
    }

    #[test]
    fn the_next_one_takes_over() {
        let spin = spin();
        let before = luck(&spin);
        let taken_over = || {
            spin.turn.fetch_add(1, Ordering::Relaxed);
            false
        };
        assert_eq!(spin.until(taken_over), Spun::InVain);
        assert_eq!(luck(&spin), before, "no fault of the budget");
    }
}
