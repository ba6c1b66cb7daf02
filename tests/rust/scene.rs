//! What the models have in common: a pool with its jobs, a gate, and the kinds of pool.

use std::{sync::Arc, time::Duration};

use antspy::core::{
    Config, UNLIMITED,
    sync::{checker, thread},
};

use super::host::{self, Counts, Ledger, Rig, sized};

/// A pool that all threads of a model share, and its jobs.
pub(crate) struct Scene {
    pub(crate) rig: Rig,
    pub(crate) ledger: Ledger,
}

impl Scene {
    pub(crate) fn new(config: Config) -> Arc<Self> {
        Self::with_host(host::TestHost::new(), config)
    }

    pub(crate) fn with_host(host: host::TestHost, config: Config) -> Arc<Self> {
        Arc::new(Self {
            rig: Rig::with_host(host, config),
            ledger: Ledger::default(),
        })
    }

    /// Submits a job that does nothing; whether it was accepted.
    pub(crate) fn offer(&self) -> bool {
        self.rig.submit(self.ledger.job(|| ())).is_ok()
    }

    /// The same for a thread of its own.
    pub(crate) fn spawn(
        self: &Arc<Self>,
        body: impl FnOnce(&Self) + Send + 'static,
    ) -> thread::JoinHandle<()> {
        let scene = self.clone();
        thread::spawn(move || body(&scene))
    }

    /// Closes the pool and sees its threads off. Then the books must be even.
    pub(crate) fn end(&self) -> Counts {
        self.rig.finish();
        let stats = self.rig.stats();
        assert_eq!(
            (stats.in_flight, stats.queued, stats.waiting),
            (0, 0, 0),
            "{stats:?}"
        );
        assert_eq!((stats.running, stats.idle), (0, 0), "{stats:?}");
        let tally = self.rig.stats_and_tally().1;
        let ended = tally.completed + tally.failed + tally.cancelled;
        assert_eq!(tally.submitted, ended, "{tally:?}");
        self.ledger.settle()
    }
}

/// Something in a model that happens once.
#[derive(Clone, Default)]
pub(crate) struct Gate(Arc<(checker::sync::Mutex<bool>, checker::sync::Condvar)>);

impl Gate {
    pub(crate) fn open(&self) {
        *self.0.0.lock().unwrap() = true;
        self.0.1.notify_all();
    }

    pub(crate) fn pass(&self) {
        let mut open = self.0.0.lock().unwrap();
        while !*open {
            open = self.0.1.wait(open).unwrap();
        }
    }
}

/// A pool whose workers stay.
pub(crate) fn staying(capacity: usize) -> Config {
    Config {
        expiry: None,
        ..sized(capacity)
    }
}

/// A pool whose workers stay, and with a queue.
pub(crate) fn queueing(capacity: usize) -> Config {
    Config {
        queue_size: UNLIMITED,
        ..staying(capacity)
    }
}

/// A pool whose workers expire whenever the model likes.
pub(crate) fn expiring(capacity: usize) -> Config {
    Config {
        expiry: Some(Duration::from_secs(3600)),
        ..sized(capacity)
    }
}
