//! Signals: a test raises one on a thread, and the thread's sleep ends.

use std::sync::{Arc, Mutex};

use super::{Interrupt, sleep::Bed};

/// What the handler of a signal does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Handler {
    /// It returns, and the wait goes on.
    Returns,
    /// It raises, and the wait is broken off.
    Raises,
}

/// The signals of one thread.
#[derive(Default)]
pub(crate) struct Signals(Mutex<Inbox>);

#[derive(Default)]
struct Inbox {
    pending: Option<Handler>,
    /// Where the thread sleeps.
    bed: Option<Arc<Bed>>,
    handled: usize,
}

thread_local! {
    static HERE: Arc<Signals> = Arc::default();
}

impl Signals {
    pub(crate) fn of_this_thread() -> Arc<Self> {
        HERE.with(Arc::clone)
    }

    /// Raises a signal. It stays pending until the thread has run its handler.
    pub(crate) fn raise(&self, handler: Handler) {
        let bed = {
            let mut inbox = self.0.lock().unwrap();
            inbox.pending = Some(handler);
            inbox.bed.clone()
        };
        if let Some(bed) = bed {
            bed.ring();
        }
    }

    /// How many handlers have run.
    pub(crate) fn handled(&self) -> usize {
        self.0.lock().unwrap().handled
    }

    pub(super) fn pending(&self) -> bool {
        self.0.lock().unwrap().pending.is_some()
    }

    /// To be called before the sleeper looks for signals for the last time.
    pub(super) fn ring_for(&self, bed: Option<Arc<Bed>>) {
        self.0.lock().unwrap().bed = bed;
    }

    pub(super) fn run_handlers(&self) -> Result<(), Interrupt> {
        let mut inbox = self.0.lock().unwrap();
        let pending = inbox.pending.take();
        inbox.handled += usize::from(pending.is_some());
        match pending {
            Some(Handler::Raises) => Err(Interrupt),
            Some(Handler::Returns) | None => Ok(()),
        }
    }
}
