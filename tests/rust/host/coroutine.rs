//! A coroutine, as the pool sees one: its task stands in line, and it looks at its waiter when it likes.

use std::sync::Arc;

use antspy::core::{Candidate, Cut, Refusal, Terms, Turn, Verdict};

use super::{Attached, Interrupt, Job, Rig, TestHost, TestPool};

/// Whose task stands in line, or has left it.
pub(crate) struct Coroutine {
    pool: Arc<TestPool>,
    candidate: Arc<Candidate<TestHost>>,
}

impl Coroutine {
    pub(crate) fn verdict(&self) -> Verdict {
        self.candidate.waiter().verdict()
    }

    /// Waits until it is told.
    pub(crate) fn wait(&self) -> Verdict {
        let waiter = self.candidate.waiter();
        let told = waiter.wait::<TestHost>(&Attached::new(), None);
        told.expect("no deadline, no signal")
    }

    /// It goes on: it has been told, or its time is up. A job that is refused is marked so.
    pub(crate) fn proceed(&self) -> Result<(), Refusal<Interrupt>> {
        self.end(Cut::TimedOut)
    }

    /// It is cancelled. A job that is refused is marked so.
    pub(crate) fn cancel(&self) -> Result<(), Refusal<Interrupt>> {
        self.end(Cut::Interrupted(Interrupt))
    }

    fn end(&self, cut: Cut<Interrupt>) -> Result<(), Refusal<Interrupt>> {
        let ended = self.pool.end_submit(&self.candidate, cut);
        ended.map_err(|refused| {
            refused.task.refuse();
            refused.why
        })
    }
}

/// Submits for a coroutine on this thread. A job that is refused is marked so.
pub(crate) fn begin_on(
    pool: &Arc<TestPool>,
    job: Job,
    terms: Terms,
) -> Result<Turn<(), Coroutine>, Refusal<Interrupt>> {
    match pool.begin_submit(job, &terms, Arc::default, &Attached::new()) {
        Ok(Turn::Decided(())) => Ok(Turn::Decided(())),
        Ok(Turn::InLine(candidate)) => {
            let pool = pool.clone();
            Ok(Turn::InLine(Coroutine { pool, candidate }))
        }
        Err(refused) => {
            refused.task.refuse();
            Err(refused.why)
        }
    }
}

impl Rig {
    /// Submits for a coroutine on this thread. A job that is refused is marked so.
    pub(crate) fn begin(&self, job: Job) -> Result<Turn<(), Coroutine>, Refusal<Interrupt>> {
        begin_on(self, job, Terms::default())
    }

    /// The same, where there is no place: the job stands in line.
    pub(crate) fn line_up(&self, job: Job) -> Coroutine {
        self.line_up_on(Terms::default(), job)
    }

    /// The same, on these terms.
    pub(crate) fn line_up_on(&self, terms: Terms, job: Job) -> Coroutine {
        match begin_on(self, job, terms) {
            Ok(Turn::InLine(coroutine)) => coroutine,
            Ok(Turn::Decided(())) => panic!("there was a place"),
            Err(why) => panic!("{why:?}"),
        }
    }
}
