"""The cause of each flaky test of the zoo, as it may be named; a test that is not here is sound."""

CAUSES = {
    "test_asyncio.py::test_answers_come_in_the_order_asked": {"asyncio"},
    "test_clock.py::test_same_day_next_year": {"clock"},
    "test_clock.py::test_certificate_is_valid": {"clock"},
    "test_clock.py::test_asks_twice_around_midnight": {"clock"},
    "test_cores.py::test_leaves_one_core_to_others": {"cores"},
    "test_crash.py::test_aborts_under_some_hash_seeds": {"hashseed"},
    "test_environ.py::test_help_stands_on_one_line": {"environ"},
    "test_environ.py::test_a_socket_has_room_among_temporary_files": {"environ"},
    "test_environ.py::test_a_page_can_be_read_by_the_server": {"environ"},
    "test_environ.py::test_a_temporary_folder_is_where_it_says": {"environ"},
    "test_fds.py::test_an_answer_is_there": {"fds"},
    "test_fds.py::test_writes_to_all_at_once": {"fds"},
    "test_gc.py::test_cycle_stays_alive": {"gc"},
    "test_hashseed.py::test_first_of_a_set": {"hashseed"},
    "test_heap.py::test_who_comes_first_sits_first": {"heap"},
    "test_import.py::test_port_is_low": {"import"},
    "test_latency.py::test_answer_within_sixty_milliseconds": {"latency"},
    "test_listdir.py::test_the_last_comes_first": {"listdir"},
    "test_load.py::test_has_the_processor_for_itself": {"load"},
    "test_locale.py::test_a_price_has_a_point": {"locale"},
    "test_network.py::test_knows_its_own_address": {"network"},
    "test_now_and_then.py::test_half_the_time_on_one_core": {"cores"},
    "test_now_and_then.py::test_nobody_controls_this": set(),
    "test_now_and_then.py::test_one_draw_in_fifty": {"random"},
    "test_now_and_then.py::test_one_draw_in_two": {"random"},
    "test_now_and_then.py::test_one_time_in_fifty_on_one_core": {"cores"},
    "test_order.py::test_brittle": {"order"},
    "test_order.py::test_victim": {"order"},
    "test_pair.py::test_stock_is_empty": {"order"},
    "test_pair.py::test_two_seats_are_free": {"order"},
    "test_parallel.py::test_has_the_file_for_itself": {"parallel"},
    "test_pieces.py::test_a_terminal_shows_a_line_at_once": {"pieces"},
    "test_pieces.py::test_an_answer_comes_in_one_piece": {"pieces"},
    "test_ports.py::test_a_free_port_stays_free": {"ports"},
    "test_random.py::test_one_draw_in_three": {"random"},
    "test_random.py::test_one_uuid_in_four": {"random"},
    "test_repeat.py::test_registers_once": {"repeat"},
    "test_reported.py::test_a_cached_tree_is_still_there": {"gc"},
    "test_reported.py::test_a_label_has_the_second_in_which_it_is_read": {"clock"},
    "test_reported.py::test_a_reader_starts_no_thread": {"order"},
    "test_reported.py::test_midnight_is_the_standard_offset_away": {"timezone"},
    "test_reported.py::test_shares_of_a_set_add_up_to_one": {"hashseed"},
    "test_reported.py::test_the_first_look_up_is_quick": {"load"},
    "test_resolution.py::test_two_orders_are_placed_at_two_times": {"resolution"},
    "test_resolution.py::test_what_is_written_later_is_newer": {"resolution"},
    "test_rows.py::test_who_came_first_is_first": {"rows"},
    "test_slow.py::test_a_file_is_written_soon": {"latency"},
    "test_slow.py::test_a_program_starts_soon": {"latency"},
    "test_threads.py::test_a_nap_is_enough": {"threads"},
    "test_threads.py::test_every_visitor_is_counted": {"threads"},
    "test_timezone.py::test_no_zone_is_farther_than_thirteen_hours": {"timezone"},
    "test_together.py::test_leap_day_far_east": {"clock", "timezone"},
}
"""By test: the perturbations that its one mode needs together; empty where nobody controls it."""
OTHERS = {
    "test_latency.py::test_answer_within_sixty_milliseconds": [{"threads"}, {"load"}],
    "test_reported.py::test_a_label_has_the_second_in_which_it_is_read": [{"load"}, {"latency"}],
    "test_reported.py::test_a_reader_starts_no_thread": [{"threads"}, {"load"}, {"latency"}, {"order", "latency"}],
    "test_reported.py::test_the_first_look_up_is_quick": [{"cores"}, {"latency"}],
    "test_resolution.py::test_two_orders_are_placed_at_two_times": [{"clock"}],
    "test_slow.py::test_a_file_is_written_soon": [{"threads"}],
}
"""By test: what else alone brings its mode out just as truly, such as an answering thread that is held back."""
MODES = {
    ("test_together.py::test_fails_in_two_ways", "ValueError"): {"clock"},
    ("test_together.py::test_fails_in_two_ways", "AssertionError"): {"cores"},
}
"""By test and exception, where a test has two."""
EARLIER = {
    "test_order.py::test_victim": {"test_order.py::test_polluter"},
    "test_order.py::test_brittle": {"test_order.py::test_state_setter"},
    "test_pair.py::test_two_seats_are_free": {"test_pair.py::test_takes_a_seat", "test_pair.py::test_takes_another_seat"},
    "test_pair.py::test_stock_is_empty": {"test_pair.py::test_fills_the_stock"},
}
"""For victims their polluters, for brittle tests their state-setters."""
LEAVES_A_THREAD = {"test_reported.py::test_a_poller_calls_back", "test_calm.py::test_asyncio_reads_exactly"}
"""Each leaves a thread that ends by itself: the latter's is asyncio's, which waits for a program (14 of 40 plain runs of pytest fail after it)."""
BY_TIME = {"test_reported.py::test_a_reader_starts_no_thread": LEAVES_A_THREAD}
"""Victims of what is still going on, and of whom: whether it ends just then is up to what comes between, and under latency to that as well."""
CLEANERS = {"test_pair.py::test_stock_is_empty": {"test_pair.py::test_clears_the_stock"}}


def cause(nodeid, exception):
    """Give what may be named for one mode; None where the test is sound."""
    return MODES.get((nodeid, exception), CAUSES.get(nodeid))


def others(nodeid, earlier, cleaners):
    """Tell whether the earlier tests that are named, and those that clean up, are the right ones."""
    if nodeid in BY_TIME:
        return not earlier or bool(earlier & BY_TIME[nodeid])
    return earlier == EARLIER.get(nodeid, set()) and cleaners <= CLEANERS.get(nodeid, set())
