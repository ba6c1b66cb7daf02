//! What a forked child knows of a pool that it inherited, and how its own becomes like that.
//!
//! The child has one thread, and whoever held the pool's lock is not there: so this can be read without.

use super::{
    Adaptive, Host, Invalid, Phase, Pool, Scope, State, UNLIMITED,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

/// What a forked child may know of the pool that it inherited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outline {
    /// How many tasks may run at once; [`UNLIMITED`].
    pub capacity: usize,
    /// What it does with tasks.
    pub standing: Standing,
    /// Between which capacities it tunes itself, if it does.
    pub adaptive: Option<Adaptive>,
}

/// What a pool does with tasks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It accepts and runs them.
    Open,
    /// It accepts them.
    Paused,
    /// It refuses them: it is closed, or broken.
    Closed,
}

impl Standing {
    const BITS: u32 = 2;

    fn of(phase: &Phase) -> Self {
        match phase {
            Phase::Open => Self::Open,
            Phase::Paused => Self::Paused,
            Phase::Closed | Phase::Broken(_) => Self::Closed,
        }
    }

    fn from_word(word: u64) -> Self {
        match word & ((1 << Self::BITS) - 1) {
            0 => Self::Open,
            1 => Self::Paused,
            _ => Self::Closed,
        }
    }
}

/// An outline in two words. Written under the pool's lock; `Relaxed`, for the child reads it on its only thread.
#[derive(Debug, Default)]
pub(super) struct Sketch {
    /// The capacity, and the standing in its lowest bits.
    word: AtomicU64,
    /// The bounds in which the pool tunes itself.
    bounds: AtomicU64,
}

impl<H: Host> Pool<H> {
    /// What can be read without the lock.
    pub fn outline(&self) -> Outline {
        let word = self.sketch.word.load(Ordering::Relaxed);
        let capacity = usize::try_from(word >> Standing::BITS).unwrap_or(UNLIMITED);
        Outline {
            capacity: if capacity >= UNLIMITED >> Standing::BITS {
                UNLIMITED
            } else {
                capacity
            },
            standing: Standing::from_word(word),
            adaptive: Adaptive::from_word(self.sketch.bounds.load(Ordering::Relaxed)),
        }
    }

    /// To be called with every change of the capacity or the phase.
    pub(super) fn draw_outline(&self, state: &State<H>) {
        let capacity = u64::try_from(state.capacity).unwrap_or(u64::MAX);
        let word = (capacity << Standing::BITS) | Standing::of(&state.phase) as u64;
        self.sketch.word.store(word, Ordering::Relaxed);
        let bounds = state.climber.as_ref().map(|climber| climber.bounds());
        let bounds = Adaptive::to_word(bounds);
        self.sketch.bounds.store(bounds, Ordering::Relaxed);
    }

    /// A forked child's pool becomes as the one that it inherited was: tuned, paused, closed.
    ///
    /// # Errors
    /// [`Invalid`].
    pub fn become_like(
        self: &Arc<Self>,
        other: Outline,
        scope: Scope<'_, H>,
    ) -> Result<(), Invalid> {
        self.tune(other.capacity, scope)?;
        if let Some(bounds) = other.adaptive {
            self.adapt(bounds, scope)?;
        }
        match other.standing {
            Standing::Open => {}
            Standing::Paused => self.pause(),
            Standing::Closed => self.close(scope),
        }
        Ok(())
    }
}
