//! A clock that runs by itself, or only when a test says so.

use std::{
    sync::{Arc, Mutex, Weak},
    time::{Duration, Instant},
};

use super::sleep::Bed;

/// The time as a host sees it.
#[derive(Clone, Default)]
pub(crate) struct Clock(Option<Arc<Toy>>);

struct Toy {
    now: Mutex<Instant>,
    /// Who sleeps with a deadline on this clock, or once did.
    beds: Mutex<Vec<Weak<Bed>>>,
}

impl Clock {
    /// A clock that stands still until [`advance`](Self::advance).
    pub(crate) fn toy() -> Self {
        Self(Some(Arc::new(Toy {
            now: Mutex::new(Instant::now()),
            beds: Mutex::default(),
        })))
    }

    pub(crate) fn now(&self) -> Instant {
        match &self.0 {
            None => Instant::now(),
            Some(toy) => *toy.now.lock().unwrap(),
        }
    }

    /// Lets time pass, and rings for all whose deadline may have come.
    pub(crate) fn advance(&self, by: Duration) {
        let toy = self.0.as_ref().expect("only a toy can be set");
        *toy.now.lock().unwrap() += by;
        for bed in toy.beds.lock().unwrap().iter().filter_map(Weak::upgrade) {
            bed.ring();
        }
    }

    /// How long to sleep for real until `deadline`: without limit on a toy, which rings.
    pub(crate) fn left(&self, deadline: Instant) -> Option<Duration> {
        match self.0 {
            None => Some(deadline.saturating_duration_since(Instant::now())),
            Some(_) => None,
        }
    }

    /// To be called before the sleeper looks at the clock for the last time.
    pub(crate) fn ring_for(&self, bed: &Arc<Bed>) {
        if let Some(toy) = &self.0 {
            let mut beds = toy.beds.lock().unwrap();
            beds.retain(|other| {
                other
                    .upgrade()
                    .is_some_and(|other| !Arc::ptr_eq(&other, bed))
            });
            beds.push(Arc::downgrade(bed));
        }
    }
}
