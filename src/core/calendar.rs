//! The tasks with a deadline: by deadline for whoever ends those that are late, by number for the queue.

use std::{
    collections::{BTreeMap, HashMap},
    num::NonZeroU64,
    time::Instant,
};

use super::stats::Stamp;

/// Stands in the queue for a task in the calendar.
pub(super) type Ticket = NonZeroU64;

pub(super) struct Calendar<T> {
    tasks: BTreeMap<(Instant, Ticket), (T, Option<Stamp>)>,
    deadlines: HashMap<Ticket, Instant>,
    last: Ticket,
}

impl<T> Calendar<T> {
    pub(super) fn new() -> Self {
        Self {
            tasks: BTreeMap::new(),
            deadlines: HashMap::new(),
            last: Ticket::MIN,
        }
    }

    pub(super) fn enter(&mut self, task: T, deadline: Instant, stamp: Option<Stamp>) -> Ticket {
        self.last = self.last.saturating_add(1);
        self.deadlines.insert(self.last, deadline);
        self.tasks.insert((deadline, self.last), (task, stamp));
        self.last
    }

    pub(super) fn get(&self, ticket: Ticket) -> Option<&T> {
        let deadline = self.deadlines.get(&ticket)?;
        self.tasks.get(&(*deadline, ticket)).map(|(task, _)| task)
    }

    pub(super) fn take(&mut self, ticket: Ticket) -> Option<(T, Option<Stamp>)> {
        let deadline = self.deadlines.remove(&ticket)?;
        self.tasks.remove(&(deadline, ticket))
    }

    /// The same, unless the deadline has passed.
    pub(super) fn take_in_time(
        &mut self,
        ticket: Ticket,
        now: Instant,
    ) -> Option<(T, Option<Stamp>)> {
        let deadline = self.deadlines.get(&ticket)?;
        (*deadline > now).then(|| self.take(ticket)).flatten()
    }

    /// After a burst the empty calendar gives its memory back.
    pub(super) fn shed_memory(&mut self) {
        const KEPT: usize = 1024;
        if self.deadlines.is_empty() && self.deadlines.capacity() > KEPT {
            self.deadlines = HashMap::new();
        }
    }

    /// The first deadline there is.
    pub(super) fn first(&self) -> Option<Instant> {
        self.tasks
            .first_key_value()
            .map(|((deadline, _), _)| *deadline)
    }

    /// Takes out all whose deadline has passed.
    pub(super) fn take_late(&mut self, now: Instant) -> Vec<T> {
        let in_time = self.tasks.split_off(&(now, Ticket::MAX));
        let late = std::mem::replace(&mut self.tasks, in_time);
        let late = late.into_iter().map(|((_, ticket), (task, _))| {
            self.deadlines.remove(&ticket);
            task
        });
        late.collect()
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn the_late_come_out_by_deadline_and_leave_their_tickets_void() {
        let (mut calendar, now) = (Calendar::new(), Instant::now());
        let at = |seconds| now + Duration::from_secs(seconds);
        let tickets = [3, 1, 2, 1].map(|seconds| calendar.enter(seconds, at(seconds), None));
        assert_eq!(calendar.first(), Some(at(1)));
        assert_eq!(calendar.take_late(at(2)), [1, 1, 2]);
        assert_eq!(calendar.first(), Some(at(3)));
        assert!(calendar.take(tickets[1]).is_none());
        assert_eq!(calendar.get(tickets[0]), Some(&3));
        assert!(calendar.take_in_time(tickets[0], at(3)).is_none());
        assert!(calendar.take_in_time(tickets[0], at(2)).is_some());
        assert!(calendar.take(tickets[0]).is_none() && calendar.first().is_none());
    }
}
