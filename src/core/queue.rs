//! What has been accepted and not been taken: three lanes, and a calendar of the tasks with a deadline.
//!
//! A task with a deadline stands in the calendar, by its deadline, and leaves a ticket in its lane. So whoever
//! looks after deadlines finds the next one at once, however long the queue is, and whoever takes from the
//! queue finds it in its turn; who comes first takes it out, and the ticket of one that is gone is skipped.

use std::{num::NonZeroU64, time::Instant};

use super::{
    Priority, Task,
    calendar::{Calendar, Ticket},
    lanes::Lanes,
    stats::Stamp,
};

/// No more than a task and a word: it is moved in and out again.
struct Entry<T> {
    /// `None`: it is in the calendar.
    task: Option<T>,
    /// The task's stamp, or its ticket.
    word: Option<NonZeroU64>,
}

/// A task taken out of the queue.
pub(super) struct Taken<T> {
    pub(super) task: T,
    /// When it was accepted, if it is one that is timed.
    pub(super) stamp: Option<Stamp>,
}

pub(super) struct Queue<T> {
    lanes: Lanes<Entry<T>>,
    calendar: Calendar<T>,
    /// What stands in the lanes and is no task any more: cancelled, run out of turn, or too late. For a moment
    /// negative: a worker may drop one before it has been counted here.
    remains: isize,
}

impl<T: Task> Queue<T> {
    pub(super) fn new() -> Self {
        Self {
            lanes: Lanes::new(),
            calendar: Calendar::new(),
            remains: 0,
        }
    }

    /// Whether there is nothing to come for, not even remains.
    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.lanes.is_empty()
    }

    /// How many tasks wait.
    pub(super) fn count(&self) -> usize {
        let remains = self.remains.max(0).unsigned_abs();
        self.lanes.len().saturating_sub(remains)
    }

    #[allow(clippy::inline_always, reason = "the path of every task")]
    #[inline(always)]
    pub(super) fn push(
        &mut self,
        task: T,
        priority: Priority,
        deadline: Option<Instant>,
        stamp: Option<Stamp>,
    ) {
        if let Some(deadline) = deadline {
            return self.push_timed(task, priority, deadline, stamp);
        }
        let (task, word) = (Some(task), stamp.map(Stamp::word));
        self.lanes.push(priority, Entry { task, word });
    }

    #[cold]
    fn push_timed(&mut self, task: T, priority: Priority, deadline: Instant, stamp: Option<Stamp>) {
        let ticket = self.calendar.enter(task, deadline, stamp);
        let (task, word) = (None, Some(ticket));
        self.lanes.push(priority, Entry { task, word });
    }

    /// The next task; one whose deadline has passed is left in the calendar.
    #[allow(clippy::inline_always, reason = "the path of every task")]
    #[inline(always)]
    pub(super) fn pop(&mut self, now: impl Fn() -> Instant) -> Option<Taken<T>> {
        let entry = self.lanes.pop()?;
        if let Some(task) = entry.task {
            let stamp = entry.word.map(Stamp::from_word);
            return Some(Taken { task, stamp });
        }
        self.pop_timed(entry.word, now)
    }

    /// A ticket has come first.
    #[cold]
    fn pop_timed(
        &mut self,
        mut ticket: Option<Ticket>,
        now: impl Fn() -> Instant,
    ) -> Option<Taken<T>> {
        loop {
            let found = ticket.and_then(|ticket| self.calendar.take_in_time(ticket, now()));
            if let Some((task, stamp)) = found {
                return Some(Taken { task, stamp });
            }
            self.remains -= 1;
            let entry = self.lanes.pop()?;
            if let Some(task) = entry.task {
                let stamp = entry.word.map(Stamp::from_word);
                return Some(Taken { task, stamp });
            }
            ticket = entry.word;
        }
    }

    /// Takes out the first task that is `wanted`.
    pub(super) fn take_first(&mut self, wanted: impl Fn(&T) -> bool) -> Option<Taken<T>> {
        let calendar = &self.calendar;
        let is_wanted = |entry: &Entry<T>| entry.task(calendar).is_some_and(&wanted);
        let entry = self.lanes.take_first(is_wanted)?;
        self.resolve(entry)
    }

    /// Takes out all tasks.
    pub(super) fn take_all(&mut self) -> Vec<T> {
        let entries = self.lanes.take_all();
        let tasks = entries.into_iter().filter_map(|entry| self.resolve(entry));
        tasks.map(|taken| taken.task).collect()
    }

    fn resolve(&mut self, entry: Entry<T>) -> Option<Taken<T>> {
        if let Some(task) = entry.task {
            let stamp = entry.word.map(Stamp::from_word);
            return Some(Taken { task, stamp });
        }
        let found = entry.word.and_then(|ticket| self.calendar.take(ticket));
        self.remains -= isize::from(found.is_none());
        found.map(|(task, stamp)| Taken { task, stamp })
    }

    /// The task of one entry is none any more.
    pub(super) fn count_remains(&mut self) {
        self.remains += 1;
    }

    /// One such entry has been taken out.
    #[inline]
    pub(super) fn drop_remains(&mut self) {
        self.remains -= 1;
    }

    /// Whether nothing but remains is left.
    pub(super) fn is_spent(&self) -> bool {
        self.count() == 0
    }

    /// Takes out what is cancelled, if that is most of the queue: without this a program that submits and
    /// cancels while all workers are busy would fill its memory with it. The caller drops it once the lock
    /// is released.
    pub(super) fn sweep(&mut self) -> Vec<T> {
        const FEW: isize = 64;
        let most = self.lanes.len() / 2;
        if self.remains < FEW || self.remains.unsigned_abs() < most {
            return Vec::new();
        }
        self.take_remains()
    }

    /// Takes out what is cancelled, before workers are summoned for what may be nothing else. The caller drops
    /// it once the lock is released.
    pub(super) fn take_remains(&mut self) -> Vec<T> {
        if self.remains <= 0 {
            return Vec::new();
        }
        let calendar = &self.calendar;
        let swept = self
            .lanes
            .take_each(|entry| entry.task(calendar).is_none_or(Task::is_cancelled));
        self.remains -= swept.len().cast_signed();
        let calendar = &mut self.calendar;
        let tasks = swept.into_iter().filter_map(|entry| match entry.task {
            Some(task) => Some(task),
            None => calendar.take(entry.word?).map(|(task, _)| task),
        });
        tasks.collect()
    }

    /// Takes out all tasks that are `unwanted`.
    pub(super) fn take_each(&mut self, unwanted: impl Fn(&T) -> bool) -> Vec<T> {
        let calendar = &self.calendar;
        let is_unwanted = |entry: &Entry<T>| entry.task(calendar).is_some_and(&unwanted);
        let entries = self.lanes.take_each(is_unwanted);
        let tasks = entries.into_iter().filter_map(|entry| self.resolve(entry));
        tasks.map(|taken| taken.task).collect()
    }

    /// The first deadline there is.
    pub(super) fn first_deadline(&self) -> Option<Instant> {
        self.calendar.first()
    }

    /// Takes out the tasks whose deadline has passed; their tickets stay behind.
    pub(super) fn take_late(&mut self, now: Instant) -> Vec<T> {
        self.calendar.take_late(now)
    }

    /// After a burst the empty queue gives its memory back.
    pub(super) fn shed_memory(&mut self) {
        self.lanes.shed_memory();
        self.calendar.shed_memory();
    }
}

impl<T> Entry<T> {
    fn task<'a>(&'a self, calendar: &'a Calendar<T>) -> Option<&'a T> {
        let ticket: Option<Ticket> = self.word;
        self.task.as_ref().or_else(|| calendar.get(ticket?))
    }
}
