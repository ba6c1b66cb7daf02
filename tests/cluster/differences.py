"""Where a pool on a cluster is not as one in this process, or cannot be tried so: each test that is left out,
with its reason. All others of the chosen files hold; those that need many tasks run fewer of them there."""

MANY = "a certain number of hundreds of calls, one at a time: each takes some 10 ms to go there and back"
MORE_AT_ONCE = "more calls at once than this cluster has threads"
NESTED = "a task on a cluster is in another process, and no worker of the pool: it does not have the pool"
FAST = "it is of tasks that take microseconds"
THREAD = "the task runs in no thread of this process"

ALIKE = "a few of these are enough here, where each takes a second: they differ in luck, or in the lane"

_REASONS: dict[str, list[str]] = {
    MANY: [
        "test_priority::test_with_all_lanes_full_each_gives_one_of_18",
        "test_places::test_a_queue_without_a_limit_never_blocks",
    ],
    ALIKE: [
        "test_priority::test_a_lane_passed_over_16_times_gives_the_next[high-normal]",
        "test_priority::test_a_lane_passed_over_16_times_gives_the_next[normal-low]",
        *(
            f"test_places::test_tasks_that_wait_for_each_other_find_workers_up_to_capacity[{round_}]"
            for round_ in range(2, 20)
        ),
        *(
            f"test_lifecycle::test_a_release_in_the_midst_of_submits_loses_no_accepted_task[{round_}]"
            for round_ in range(3, 10)
        ),
    ],
    FAST: [
        "test_places::test_million_no_ops_start_fewer_than_20_workers",
        "test_places::test_a_burst_of_futures_starts_few_workers",
        "test_stats::test_a_burst_is_sampled_and_the_samples_stand_for_all",
    ],
    NESTED: [
        "test_stats::test_nested_tasks_are_timed_too",
        "test_lifecycle::test_a_task_that_would_wait_for_itself_is_told_so",
    ],
    THREAD: [
        "test_lifecycle::test_reboot_opens_a_released_pool_with_the_same_settings",
        "test_places::test_caller_runs_gives_the_task_to_its_submitter",
    ],
    MORE_AT_ONCE: [
        "test_places::test_a_pool_without_a_limit_runs_all_at_once",
        "test_places::test_thousand_tasks_at_one_barrier_all_run_at_once",
    ],
}
DIFFERENCES = {test: reason for reason, tests in _REASONS.items() for test in tests}
