//! The climber on simulated loads: no threads and no clock, the same numbers each time.

use std::{cmp::Reverse, collections::BinaryHeap};

use super::{
    Adaptive,
    climber::Climber,
    window::{Sample, number},
};

/// Random numbers (splitmix64).
struct Dice(u64);

impl Dice {
    /// From 0 to 1.
    fn roll(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        number((z ^ (z >> 31)) >> 11) / number(1 << 53)
    }
}

/// How long a task runs that starts now, among so many: seconds.
trait Load {
    fn run_time(&mut self, now: f64, among: usize, dice: &mut Dice) -> f64;
}

impl<F: FnMut(f64, usize, &mut Dice) -> f64> Load for F {
    fn run_time(&mut self, now: f64, among: usize, dice: &mut Dice) -> f64 {
        self(now, among, dice)
    }
}

/// Some that serve one task after the other, first come, first served.
struct Servers {
    free: BinaryHeap<Reverse<u64>>,
}

impl Servers {
    fn new(count: usize) -> Self {
        let free = (0..count).map(|_| Reverse(0)).collect();
        Self { free }
    }

    /// When one that comes at `now`, and is to be served for `seconds`, is done.
    fn serve(&mut self, now: f64, seconds: f64) -> f64 {
        let Reverse(free) = self.free.pop().expect("there is a server");
        let end = now.max(f64::from_bits(free)) + seconds;
        self.free.push(Reverse(end.to_bits())); // as those of numbers that are not negative
        end
    }
}

fn pure_delay(delay: f64) -> impl Load {
    move |_: f64, _: usize, _: &mut Dice| delay
}

/// An answer after `delay`, and then `work` under one lock: the interpreter's.
fn answer_and_work(delay: f64, work: f64) -> impl Load {
    let mut lock = Servers::new(1);
    move |now: f64, _: usize, dice: &mut Dice| {
        let answered = now + delay * (1.0 + 0.05 * dice.roll());
        // Taken in the order of the starts, which is nearly that of the answers.
        lock.serve(answered, work) - now
    }
}

/// Slower by the square of what is too much.
fn overloaded(delay: f64, limit: f64) -> impl Load {
    move |_: f64, among: usize, dice: &mut Dice| {
        let excess = (number(among as u64) / limit).max(1.0);
        delay * excess * excess * (0.9 + 0.2 * dice.roll())
    }
}

/// Nothing but work, on so many processors, in turns: each among `n` gets a share.
fn processors(work: f64, count: f64) -> impl Load {
    move |_: f64, among: usize, dice: &mut Dice| {
        let share = (number(among as u64) / count).max(1.0);
        work * share * (0.7 + 0.6 * dice.roll())
    }
}

/// Run times spread as widely as their mean: on `count` servers.
fn random(mean: f64, count: usize) -> impl Load {
    let mut servers = Servers::new(count);
    move |now: f64, _: usize, dice: &mut Dice| {
        let seconds = -mean * (1.0 - dice.roll()).ln();
        servers.serve(now, seconds) - now
    }
}

/// Runs of each load.
const SEEDS: u64 = 10;

struct Run {
    /// When the capacity was set, and to what.
    capacities: Vec<(f64, usize)>,
    /// Tasks that ended in each tenth of a second.
    ended: Vec<u64>,
}

impl Run {
    fn capacity_at(&self, time: f64) -> usize {
        let before = self.capacities.iter().take_while(|(at, _)| *at <= time);
        before.last().expect("it has one from the start").1
    }

    /// Tasks a second between two times.
    fn throughput(&self, from: f64, to: f64) -> f64 {
        number(self.ended[slot(from)..slot(to)].iter().sum()) / (to - from)
    }

    /// How often it turned from growing to shrinking or back, between two times.
    fn turns(&self, from: f64, to: f64) -> usize {
        let within = |(at, _): &&(f64, usize)| (from..to).contains(at);
        let path: Vec<_> = self.capacities.iter().filter(within).collect();
        let ups: Vec<_> = path.windows(2).map(|two| two[1].1 > two[0].1).collect();
        ups.windows(2).filter(|two| two[0] != two[1]).count()
    }

    /// The share of a time in which the capacity was in this range.
    fn share(&self, from: f64, to: f64, low: usize, high: usize) -> f64 {
        let steps = 10_000_u32;
        let inside = (0..steps).filter(|step| {
            let time = from + (to - from) * f64::from(*step) / f64::from(steps);
            (low..=high).contains(&self.capacity_at(time))
        });
        number(inside.count() as u64) / f64::from(steps)
    }
}

#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "small"
)]
fn slot(time: f64) -> usize {
    (time * 10.0).round() as usize
}

/// As many tasks as the capacity allows, for so many seconds; `None`: a capacity that stays.
fn run(
    load: &mut dyn Load,
    capacity: usize,
    mut climber: Option<Climber>,
    seconds: f64,
    seed: u64,
) -> Run {
    let mut dice = Dice(seed);
    let mut capacity = climber.as_ref().map_or(capacity, Climber::capacity);
    let mut running: BinaryHeap<Reverse<(u64, u64)>> = BinaryHeap::new();
    let mut result = Run {
        capacities: vec![(0.0, capacity)],
        ended: vec![0; slot(seconds) + 1],
    };
    let (mut now, mut ended) = (0.0, 0);
    loop {
        while running.len() < capacity {
            let end = now + load.run_time(now, running.len() + 1, &mut dice);
            running.push(Reverse((end.to_bits(), f64::to_bits(now))));
        }
        let Reverse((end, start)) = running.pop().expect("the capacity is at least 1");
        now = f64::from_bits(end);
        if now >= seconds {
            return result;
        }
        let sample = Sample {
            now,
            run_time: now - f64::from_bits(start),
            ended,
            full: true,
        };
        ended += 1;
        result.ended[(slot(now)).min(slot(seconds))] += 1;
        if let Some(tuned) = climber.as_mut().and_then(|it| it.observe(&sample)) {
            capacity = tuned;
            result.capacities.push((now, tuned));
        }
    }
}

fn adaptive(load: &mut dyn Load, minimum: usize, seconds: f64, seed: u64) -> Run {
    let maximum = 2_000;
    let bounds = Adaptive { minimum, maximum };
    run(load, 0, Some(Climber::new(bounds, minimum)), seconds, seed)
}

/// The best throughput of capacities that stay, from 1 to 2,048.
fn best<L: Load>(load: impl Fn() -> L) -> f64 {
    let fixed = (0..=11).map(|power| run(&mut load(), 1 << power, None, 10.0, 1));
    fixed
        .map(|run| run.throughput(5.0, 10.0))
        .fold(0.0, f64::max)
}

/// Has each of some runs judged; where run times are random, one in ten may be unlucky.
fn judge(judged: impl Fn(u64) -> Result<(), String>) {
    let wrong: Vec<_> = (1..=SEEDS)
        .filter_map(|seed| judged(seed).err().map(|why| format!("seed {seed}: {why}")))
        .collect();
    assert!(wrong.len() as u64 <= SEEDS / 10, "{}", wrong.join("\n"));
}

fn ensure(so: bool, what: &str, number: f64, run: &Run) -> Result<(), String> {
    so.then_some(())
        .ok_or_else(|| format!("{what} {number}: {:?}", run.capacities))
}

/// What it must come to: 90 percent of the best capacity within 5 seconds, and little to and fro after that.
fn check<L: Load>(load: impl Fn() -> L, minimum: usize, low: usize, high: usize) {
    let enough = 0.9 * best(&load);
    judge(|seed| {
        let run = adaptive(&mut load(), minimum, 60.0, seed);
        let (early, late) = (run.throughput(5.0, 10.0), run.throughput(10.0, 60.0));
        ensure(early >= enough, "from 5 s", early, &run)?;
        ensure(late >= enough, "from 10 s", late, &run)?;
        let share = run.share(10.0, 60.0, low, high);
        ensure(share > 0.9, "of the time inside", share, &run)?;
        let turns = run.turns(10.0, 60.0);
        ensure(turns <= 20, "turns", number(turns as u64), &run)
    });
}

#[test]
fn a_server_that_is_only_slow_gets_all_it_may() {
    check(|| pure_delay(0.1), 2, 1_400, 2_000);
}

#[test]
fn a_client_that_has_work_with_each_answer_gets_as_many_as_that_takes() {
    check(|| answer_and_work(0.1, 0.000_1), 2, 800, 1_500);
}

#[test]
fn a_server_that_gets_slower_with_too_many_is_not_overloaded() {
    check(|| overloaded(0.05, 64.0), 2, 50, 75);
}

#[test]
fn work_under_one_lock_gets_one_worker() {
    check(|| processors(0.001, 1.0), 1, 1, 2);
    check(|| processors(0.02, 1.0), 1, 1, 2);
    check(|| processors(0.001, 1.0), 2, 2, 3);
}

#[test]
fn work_on_some_processors_gets_as_many_workers() {
    check(|| processors(0.005, 8.0), 1, 7, 10);
}

#[test]
fn run_times_may_be_spread_widely() {
    check(|| random(0.02, 40), 2, 33, 100);
}

/// From one load to the other, in the midst of a hold.
fn changing<A: Load, B: Load>(mut first: A, mut second: B) -> impl Load {
    move |now: f64, among: usize, dice: &mut Dice| {
        if now < 15.0 {
            first.run_time(now, among, dice)
        } else {
            second.run_time(now, among, dice)
        }
    }
}

/// `patience`: how long it may take until the new load has its capacity.
fn check_change<A: Load, B: Load>(first: impl Fn() -> A, second: impl Fn() -> B, patience: f64) {
    let (before, after) = (0.9 * best(&first), 0.9 * best(&second));
    judge(|seed| {
        let run = adaptive(&mut changing(first(), second()), 2, 60.0, seed);
        let reached = run.throughput(5.0, 15.0);
        ensure(reached >= before, "before", reached, &run)?;
        let reached = run.throughput(15.0 + patience, 60.0);
        ensure(reached >= after, "after", reached, &run)
    });
}

fn answer(delay: f64) -> impl Load {
    answer_and_work(delay, 0.000_5)
}

#[test]
fn a_server_that_can_bear_less_is_noticed() {
    check_change(|| overloaded(0.05, 256.0), || overloaded(0.05, 64.0), 5.0);
}

#[test]
fn a_server_that_can_bear_more_is_noticed_by_the_next_trial() {
    check_change(|| overloaded(0.05, 16.0), || overloaded(0.05, 256.0), 20.0);
}

#[test]
fn a_server_that_answers_later_is_noticed() {
    check_change(|| answer(0.02), || answer(0.2), 5.0);
}

#[test]
fn a_server_that_answers_sooner_is_noticed() {
    check_change(|| answer(0.2), || answer(0.02), 5.0);
}

#[test]
fn waits_that_become_work_are_noticed() {
    check_change(|| pure_delay(0.05), || processors(0.005, 1.0), 5.0);
}
