//! Three lanes of priority, each first come, first served.
//!
//! The rule: the first of the highest lane that is not empty is next; but a lane that has been passed over
//! [`PATIENCE`] times in a row gives the next one itself, the lowest such lane first. So of any
//! `PATIENCE + 2` taken while all lanes are full, at least one comes from each: no lane starves.

use std::collections::VecDeque;

/// How urgent a task is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Priority {
    /// Before all others.
    High,
    /// Unless told otherwise.
    #[default]
    Normal,
    /// When there is nothing else, or after having been passed over often enough.
    Low,
}

/// How often a lane is passed over in a row.
const PATIENCE: u8 = 16;

struct Lane<T> {
    items: VecDeque<T>,
    /// How often in a row another was preferred while this lane was not empty.
    passed: u8,
}

/// Items in three lanes; see the rule above.
pub(super) struct Lanes<T> {
    /// By [`Priority`].
    lanes: [Lane<T>; 3],
    /// Of all lanes.
    len: usize,
}

impl<T> Lanes<T> {
    pub(super) fn new() -> Self {
        let lane = || Lane {
            items: VecDeque::new(),
            passed: 0,
        };
        Self {
            lanes: [lane(), lane(), lane()],
            len: 0,
        }
    }

    #[inline]
    pub(super) fn len(&self) -> usize {
        self.len
    }

    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.len == 0
    }

    #[inline]
    pub(super) fn push(&mut self, priority: Priority, item: T) {
        self.lanes[priority as usize].items.push_back(item);
        self.len += 1;
    }

    /// The next one, by the rule.
    #[allow(clippy::inline_always, reason = "the path of every task")]
    #[inline(always)]
    pub(super) fn pop(&mut self) -> Option<T> {
        let normal = &mut self.lanes[Priority::Normal as usize];
        let item = if normal.items.len() == self.len {
            normal.passed = 0;
            normal.items.pop_front()? // the usual case: nothing in the other lanes
        } else {
            self.pop_by_rule()?
        };
        self.len -= 1;
        Some(item)
    }

    /// The next one, if it is `wanted`.
    pub(super) fn pop_if(&mut self, wanted: impl FnOnce(&T) -> bool) -> Option<T> {
        let next = self.lanes[self.next_lane()?].items.front();
        if next.is_some_and(wanted) {
            self.pop()
        } else {
            None
        }
    }

    /// Which lane gives the next one, by the rule.
    fn next_lane(&self) -> Option<usize> {
        let ready = |lane: &Lane<T>| !lane.items.is_empty();
        let starving = |lane: &Lane<T>| ready(lane) && lane.passed >= PATIENCE;
        let starved = self.lanes.iter().rposition(starving);
        starved.or_else(|| self.lanes.iter().position(ready))
    }

    #[cold]
    fn pop_by_rule(&mut self) -> Option<T> {
        let from = self.next_lane()?;
        for lane in &mut self.lanes {
            if lane.items.is_empty() {
                continue;
            }
            lane.passed = lane.passed.saturating_add(1);
        }
        self.lanes[from].passed = 0;
        self.lanes[from].items.pop_front()
    }

    /// All of them, by lane.
    pub(super) fn take_all(&mut self) -> Vec<T> {
        self.len = 0;
        let lanes = self.lanes.iter_mut();
        lanes
            .flat_map(|lane| std::mem::take(&mut lane.items))
            .collect()
    }

    /// Takes out the first that is `wanted`.
    pub(super) fn take_first(&mut self, mut wanted: impl FnMut(&T) -> bool) -> Option<T> {
        for lane in &mut self.lanes {
            if let Some(at) = lane.items.iter().position(&mut wanted) {
                self.len -= 1;
                return lane.items.remove(at);
            }
        }
        None
    }

    /// Takes out the only one that `is_it`. Looks for it from both ends at once: those who give up a long line do so in
    /// its order, or in the reverse.
    pub(super) fn take_only(&mut self, is_it: impl Fn(&T) -> bool) -> Option<T> {
        for lane in &mut self.lanes {
            let len = lane.items.len();
            let mut ends = (0..len.div_ceil(2)).flat_map(|at| [at, len - 1 - at]);
            if let Some(at) = ends.find(|at| is_it(&lane.items[*at])) {
                self.len -= 1;
                return lane.items.remove(at);
            }
        }
        None
    }

    /// Takes out all that are `unwanted`.
    pub(super) fn take_each(&mut self, mut unwanted: impl FnMut(&T) -> bool) -> Vec<T> {
        let mut taken = Vec::new();
        for lane in &mut self.lanes {
            let items = std::mem::take(&mut lane.items).into_iter();
            let (out, kept) = items.partition::<Vec<_>, _>(&mut unwanted);
            lane.items = kept.into();
            taken.extend(out);
        }
        self.len -= taken.len();
        taken
    }

    /// After a burst empty lanes give their memory back.
    pub(super) fn shed_memory(&mut self) {
        const KEPT: usize = 1024;
        for lane in &mut self.lanes {
            if lane.items.is_empty() && lane.items.capacity() > KEPT {
                lane.items = VecDeque::new();
            }
        }
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use Priority::{High, Low, Normal};

    fn full(each: usize) -> Lanes<(Priority, usize)> {
        let mut lanes = Lanes::new();
        for priority in [Low, Normal, High] {
            for number in 0..each {
                lanes.push(priority, (priority, number));
            }
        }
        lanes
    }

    #[test]
    fn the_higher_lane_goes_first_and_each_lane_in_order() {
        let mut lanes = full(3);
        let order: Vec<_> = std::iter::from_fn(|| lanes.pop()).collect();
        let expected = [High, Normal, Low].map(|lane| [(lane, 0), (lane, 1), (lane, 2)]);
        assert_eq!(order, expected.concat());
        assert!(lanes.is_empty());
    }

    #[test]
    fn no_lane_starves_and_order_within_it_holds() {
        let mut lanes = full(1_000);
        let mut next = [0; 3];
        let taken: Vec<_> = (0..900).filter_map(|_| lanes.pop()).collect();
        for (priority, number) in &taken {
            assert_eq!(*number, next[*priority as usize], "{priority:?}");
            next[*priority as usize] += 1;
        }
        for window in taken.windows(usize::from(PATIENCE) + 2) {
            for lane in [High, Normal, Low] {
                assert!(window.iter().any(|(priority, _)| *priority == lane));
            }
        }
    }

    #[test]
    fn a_lane_that_had_its_turn_alone_has_not_been_passed_over() {
        let mut lanes = full(0);
        for _ in 0..PATIENCE {
            lanes.push(High, (High, 0));
        }
        lanes.push(Normal, (Normal, 0));
        lanes.push(Normal, (Normal, 1));
        let taken: Vec<_> = (0..=PATIENCE).filter_map(|_| lanes.pop()).collect();
        assert_eq!(taken.last(), Some(&(Normal, 0)));
        lanes.push(High, (High, 1));
        assert_eq!(lanes.pop(), Some((High, 1)));
    }

    #[test]
    fn what_is_taken_out_of_turn_is_counted() {
        let mut lanes = full(4);
        assert_eq!(lanes.take_first(|it| it.1 == 2), Some((High, 2)));
        assert_eq!(lanes.take_first(|it| it.1 == 9), None);
        assert_eq!(lanes.take_each(|it| it.1 == 0).len(), 3);
        assert_eq!(lanes.len(), 8);
        assert_eq!(lanes.take_all().len(), 8);
        assert!(lanes.pop().is_none() && lanes.is_empty());
    }

    #[test]
    fn the_only_one_is_found_wherever_it_stands() {
        for each in 1..6 {
            for number in 0..each {
                for lane in [High, Normal, Low] {
                    let mut lanes = full(each);
                    assert_eq!(
                        lanes.take_only(|it| *it == (lane, number)),
                        Some((lane, number))
                    );
                    assert_eq!(lanes.take_only(|it| *it == (lane, number)), None);
                    assert_eq!(lanes.len(), 3 * each - 1);
                }
            }
        }
    }

    #[test]
    fn a_line_that_is_given_up_from_its_end_is_not_searched() {
        let looks = std::cell::Cell::new(0);
        let mut lanes = full(1_000);
        for lane in [High, Normal, Low] {
            for number in (0..1_000).rev() {
                let is_it = |it: &(Priority, usize)| {
                    looks.set(looks.get() + 1);
                    *it == (lane, number)
                };
                assert!(lanes.take_only(is_it).is_some());
            }
        }
        assert!(looks.get() <= 3 * 2_000, "{}", looks.get());
    }
}
