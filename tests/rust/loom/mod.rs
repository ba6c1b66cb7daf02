//! The models of the core's races: for loom, and for shuttle. Each is a scene and, where it is told, what must not be lost.

/// Tasks with a deadline, and the thread that watches them.
mod deadlines;
/// How a pool ends: by being closed, by expiry, by breaking down, for want of threads.
mod ends;
/// Workers that run an initializer before they come to the queue.
mod initializer;
/// The tasks of coroutines in line.
mod line;
/// Tasks that are run by who waits for them.
mod nested;
/// What becomes of tasks when there is no thread for them.
mod no_thread;
/// When tasks start: pauses and the rate.
mod starts;
/// The places of sub-pools.
mod sub_pools;
/// Who waits for a place, for tasks, for threads, for a group.
mod waits;
/// How a task finds its worker.
mod work;

use crate::{
    host, model,
    scene::{Gate, Scene, expiring, queueing, staying},
};
