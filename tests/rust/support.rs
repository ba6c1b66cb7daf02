//! What tests with real threads need: time limits, gates, and a look at the machine.

use std::{
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    sync::{
        Arc, Condvar, Mutex,
        atomic::{AtomicUsize, Ordering},
        mpsc,
    },
    thread,
    time::{Duration, Instant},
};

use crate::host::{Job, Rig};

/// Longer than any test takes on a loaded machine.
const LIMIT: Duration = Duration::from_secs(30);

/// Runs a test, which fails if it hangs.
pub(crate) fn within_limit(body: impl FnOnce() + Send + 'static) {
    let (tell, told) = mpsc::channel();
    let name = thread::current().name().unwrap_or("test").to_owned();
    thread::Builder::new()
        .name(name)
        .spawn(move || {
            // Nobody listens any more if the limit has passed.
            let _ = tell.send(catch_unwind(AssertUnwindSafe(body)));
        })
        .expect("a thread for the test");
    match told.recv_timeout(LIMIT) {
        Ok(Ok(())) => {}
        Ok(Err(panic)) => resume_unwind(panic),
        Err(late) => panic!("hangs, not done after {LIMIT:?}: {late}"),
    }
}

/// Waits for something that nobody announces, such as a thread that has gone to sleep. The test's own
/// limit ends it if it never comes.
pub(crate) fn eventually(mut holds: impl FnMut() -> bool) {
    let mut pause = Duration::from_micros(20);
    while !holds() {
        thread::sleep(pause);
        pause = (pause * 2).min(Duration::from_millis(2));
    }
}

/// Something all can wait for that happens once.
#[derive(Clone, Default)]
pub(crate) struct Gate(Arc<(Mutex<bool>, Condvar)>);

impl Gate {
    pub(crate) fn open(&self) {
        *self.0.0.lock().unwrap() = true;
        self.0.1.notify_all();
    }

    pub(crate) fn pass(&self) {
        let open = self.0.0.lock().unwrap();
        drop(self.0.1.wait_while(open, |open| !*open).unwrap());
    }

    /// What waits here: the body of a job.
    pub(crate) fn waits(&self) -> impl FnOnce() + Send + 'static {
        let gate = self.clone();
        move || gate.pass()
    }
}

/// Keeps one worker busy until the gate opens. Returns once it is.
pub(crate) fn occupy(rig: &Rig) -> Gate {
    let (begun, gate) = (Gate::default(), Gate::default());
    let (opens, waits) = (begun.clone(), gate.waits());
    rig.submit(Job::new(move || {
        opens.open();
        waits();
    }))
    .expect("a free place");
    begun.pass();
    gate
}

/// What jobs have written down, in the order in which they did.
pub(crate) struct Log<T>(Arc<Mutex<Vec<T>>>);

impl<T> Clone for Log<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<T> Default for Log<T> {
    fn default() -> Self {
        Self(Arc::default())
    }
}

impl<T: Clone + Send + 'static> Log<T> {
    pub(crate) fn write(&self, line: T) {
        self.0.lock().unwrap().push(line);
    }

    /// The body of a job that writes this.
    pub(crate) fn writes(&self, line: T) -> impl FnOnce() + Send + 'static {
        let log = self.clone();
        move || log.write(line)
    }

    pub(crate) fn lines(&self) -> Vec<T> {
        self.0.lock().unwrap().clone()
    }

    pub(crate) fn len(&self) -> usize {
        self.0.lock().unwrap().len()
    }
}

/// Counts how many of its like there are.
pub(crate) struct Alive(Arc<AtomicUsize>);

impl Alive {
    pub(crate) fn new(count: &Arc<AtomicUsize>) -> Self {
        count.fetch_add(1, Ordering::SeqCst);
        Self(count.clone())
    }
}

impl Drop for Alive {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

/// A panic without the hook's report, which would only fill the test's output.
pub(crate) fn panic_quietly() -> ! {
    resume_unwind(Box::new("a task's own panic"))
}

/// How many threads of this process have a name that begins so, as the kernel knows it.
#[cfg(target_os = "linux")]
pub(crate) fn threads_named(prefix: &str) -> usize {
    assert!(prefix.len() < 12, "the kernel keeps 15 bytes of a name");
    let threads = std::fs::read_dir("/proc/self/task").expect("Linux has /proc");
    threads
        .flatten()
        .filter_map(|thread| std::fs::read_to_string(thread.path().join("comm")).ok())
        .filter(|name| name.starts_with(prefix))
        .count()
}

/// A moment from now, for deadlines that are to pass.
pub(crate) fn soon() -> Instant {
    Instant::now() + Duration::from_millis(5)
}
