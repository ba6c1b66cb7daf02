"""Where a pool on a cluster is not as one in this process, or cannot be tried so: each test that is left out,
with its reason. All others of the chosen files hold unchanged."""

MANY = "hundreds or thousands of calls, a few at a time: each takes some 10 ms to go there and back"
MORE_AT_ONCE = "more calls at once than this cluster has threads"
NESTED = "a task on a cluster is in another process, and no worker of the pool: it does not have the pool"
THREAD = "the task runs in no thread of this process"

_REASONS: dict[str, list[str]] = {
    MANY: [
        "test_pool::test_one_worker_runs_tasks_in_the_order_of_their_submits",
        "test_pool::test_what_several_threads_submit_all_runs_once",
        "test_pool::test_ping_pong_of_one_task_at_a_time_never_stalls",
        "test_pool::test_a_pool_may_be_used_by_tasks_of_another",
        "test_stats::test_the_numbers_of_one_moment_fit_each_other",
        "test_map::test_chunks_change_nothing_but_the_number_of_tasks[1]",
        "test_map::test_it_never_has_to_wait_for_a_place_of_its_own_pool",
        "test_map::test_two_maps_share_a_pool",
        "test_priority::test_with_all_lanes_full_each_gives_one_of_18",
        "test_subpool::test_never_more_than_n_run_however_many_submit",
        "test_subpool::test_two_sub_pools_share_the_parent",
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
