"""Where a pool on a cluster is not as one in this process, or cannot be tried so: each test that is left out, with its
reason. All others of the chosen files hold unchanged."""

MANY = "thousands of calls, mostly one after the other: they take minutes, for each takes 10 ms to go there and back"
MORE_AT_ONCE = "more calls at once than this cluster has threads"
INITIALIZER = "there is none: workers of a cluster have Dask's plugins"
NESTED = "a task on a cluster is in another process, and no worker of the pool: it does not have the pool"
CONTEXT = "context variables do not travel"
THREAD = "the task runs in no thread of this process"
REFERENCE = "the client, and the way through it, keep references for a moment longer"
INTERRUPT = "the call on the cluster goes on when its task is interrupted here"

_REASONS: dict[str, list[str]] = {
    MANY: [
        "test_pool::test_one_worker_runs_tasks_in_the_order_of_their_submits",
        "test_pool::test_what_several_threads_submit_all_runs_once",
        "test_pool::test_ping_pong_of_one_task_at_a_time_never_stalls",
        "test_pool::test_numbers_agree_with_each_other_while_tasks_come_and_go",
        "test_places::test_in_flight_never_exceeds_capacity_and_queue_size",
        "test_places::test_a_queue_without_a_limit_never_blocks",
        "test_places::test_a_tasks_place_is_free_before_its_result_is_there",
        "test_places::test_tasks_that_wait_for_each_other_find_workers_up_to_capacity",
        "test_places::test_million_no_ops_start_fewer_than_20_workers",
        "test_places::test_a_burst_of_futures_starts_few_workers",
        "test_tune::test_tunes_in_the_midst_of_submits_lose_no_task",
        "test_stats::test_a_burst_is_sampled_and_the_samples_stand_for_all",
        "test_wait::test_wait_waits_for_all_tasks_and_leaves_the_pool_open",
    ],
    MORE_AT_ONCE: [
        "test_places::test_a_pool_without_a_limit_runs_all_at_once",
        "test_places::test_thousand_tasks_at_one_barrier_all_run_at_once",
    ],
}
DIFFERENCES = {test: reason for reason, tests in _REASONS.items() for test in tests}
