"""The cache's twenty invariants, and the tests that hold each of them."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
TABLE = """
1. A token for a session was issued upstream for it, with that host, app and scope.
  - test_crowd: test_whatever_fails_every_token_is_its_owners_and_nobody_gets_anothers
  - test_broker: test_two_callers_never_share_a_token
  - test_broker: test_what_makes_a_token_differ_makes_the_row_differ
  - test_broker: test_a_row_that_was_copied_to_another_session_opens_for_nobody
  - test_session: test_two_requests_share_a_row_exactly_when_they_ask_for_the_same
  - test_keys: test_another_apps_key_never_stands_in
  - test_simulation: test_no_rule_is_broken_whatever_fails_and_whenever
  - test_processes: test_whoever_survives_the_holder_is_answered_in_time_by_their_own_token

2. No token is returned expired, nor with less than min_left unless something failed in that
   request, and never with less than 5 s.
  - test_lease: test_what_is_served_is_never_rejected_expired_or_short_without_a_failure
  - test_flight: test_whatever_the_table_and_coze_do_a_flight_keeps_its_promises
  - test_flight: test_a_token_is_judged_anew_after_a_table_that_took_seconds_to_fail
  - test_flight: test_a_token_that_wore_out_while_the_process_was_stopped_is_not_served
  - test_memory: test_memory_serves_nothing_of_which_more_should_be_left
  - test_broker: test_memory_serves_no_token_in_its_last_seconds
  - test_broker: test_no_token_is_served_in_its_last_seconds
  - test_simulation: test_no_rule_is_broken_whatever_fails_and_whenever

3. Each lease accepts at most one answer; every attempt has a new jti.
  - test_store: test_who_lost_the_lease_changes_nothing
  - test_store: test_a_complete_sent_again_leaves_the_next_lease_alone
  - test_grant: test_every_exchange_signs_an_assertion_of_its_own
  - test_broker: test_every_try_signs_an_assertion_of_its_own
  - test_simulation: test_no_rule_is_broken_whatever_fails_and_whenever

4. With the table up, leased exchanges for one row never overlap, unless the earlier holder died
   or was frozen past its lease.
  - test_lease: test_nobody_asks_coze_for_a_fresh_row_or_against_a_lease_that_may_live
  - test_store: test_a_lease_that_stands_refuses_whoever_saw_none
  - test_store: test_of_two_who_saw_the_same_dead_lease_only_one_takes_over
  - test_flight: test_an_exchange_leaves_time_to_write_what_it_brings
  - test_flight: test_who_wakes_up_at_the_end_of_the_lease_does_not_ask_coze
  - test_web: test_an_answer_that_drips_is_given_up_by_the_clock_of_the_whole_call
  - test_simulation: test_no_rule_is_broken_whatever_fails_and_whenever

5. Accepted exchanges for one row over T are at most T/(0.6·L) + 1, and one for each crash and
   for each made while the table was down.
  - test_broker: test_a_fresh_token_is_exchanged_once_for_all_processes
  - test_broker: test_a_rejected_token_is_replaced_once_and_again_only_after_a_minute
  - test_broker: test_a_page_cannot_storm_coze_while_the_table_is_down
  - test_allowance: test_no_stretch_of_time_grants_more_whatever_the_clock_does
  - test_simulation: test_no_rule_is_broken_whatever_fails_and_whenever

6. No write by a lease changes a row after another lease was granted on it.
  - test_store: test_who_lost_the_lease_changes_nothing
  - test_performer: test_a_late_holder_is_fenced
  - test_broker: test_a_late_holder_serves_its_own_token_and_leaves_the_row_to_the_next
  - test_differential: test_whatever_is_done_both_tables_hold_the_same_and_refuse_the_same
  - test_simulation: test_no_rule_is_broken_whatever_fails_and_whenever

7. expires_at never decreases, except on a forced renewal.
  - test_store: test_no_lease_is_granted_before_the_token_is_due
  - test_broker: test_a_stale_token_is_renewed
  - test_simulation: test_no_rule_is_broken_whatever_fails_and_whenever

8. No exchange is granted while the row is FRESH.
  - test_lease: test_nobody_asks_coze_for_a_fresh_row_or_against_a_lease_that_may_live
  - test_store: test_no_lease_is_granted_before_the_token_is_due
  - test_store: test_a_dead_lease_is_not_taken_over_before_the_token_is_due
  - test_simulation: test_no_rule_is_broken_whatever_fails_and_whenever

9. No request waits on a lease that it holds.
  - test_flight: test_a_lease_that_the_sdk_asked_for_twice_is_held_and_not_waited_for
  - test_store: test_an_acquire_that_the_sdk_sends_again_shows_the_lease_as_ours
  - test_store_failures: test_a_write_that_the_sdk_sends_again_is_carried_out_once_and_known_as_ours
  - test_simulation: test_no_rule_is_broken_whatever_fails_and_whenever

10. After faults stop, a request succeeds within lease + 2 s + one exchange.
  - test_lease: test_no_row_whatever_stands_in_a_sessions_way_for_long
  - test_lease: test_a_lease_blocks_for_no_longer_than_itself_and_the_clocks_differ
  - test_store: test_a_back_off_from_further_ahead_than_anybody_writes_blocks_nobody
  - test_flight: test_a_waiter_takes_over_from_a_holder_that_died
  - test_broker: test_a_lease_whose_reply_was_lost_blocks_nobody_past_its_end
  - test_performer: test_an_item_of_another_shape_is_cleared_away
  - test_simulation: test_no_rule_is_broken_whatever_fails_and_whenever
  - test_processes: test_whoever_survives_the_holder_is_answered_in_time_by_their_own_token

11. Every request ends before remaining − 0.5 s.
  - test_flight: test_whatever_the_table_and_coze_do_a_flight_keeps_its_promises
  - test_flight: test_no_wait_outlasts_the_request
  - test_broker: test_a_request_ends_in_its_own_time
  - test_web: test_an_answer_that_drips_is_given_up_by_the_clock_of_the_whole_call
  - test_store_failures: test_a_visitor_waits_two_seconds_for_a_call_to_the_table_at_most
  - test_simulation: test_no_rule_is_broken_whatever_fails_and_whenever

12. A failed renewal of a STALE token never changes what the caller would have got.
  - test_lease: test_a_stale_token_is_served_or_renewed_whatever_else_the_row_says
  - test_flight: test_a_renewal_is_tried_once_for_a_moment_and_costs_nobody_the_token
  - test_broker: test_a_stale_token_is_served_where_coze_does_not_help
  - test_simulation: test_no_rule_is_broken_whatever_fails_and_whenever

13. A valid token in hand is never thrown away because a write failed.
  - test_flight: test_a_token_in_hand_is_served_whatever_becomes_of_its_row
  - test_broker: test_a_table_that_fails_at_any_step_costs_nobody_a_token
  - test_simulation: test_no_rule_is_broken_whatever_fails_and_whenever

14. Altering any attribute but lease and back-off yields a miss, never another token.
  - test_seal: test_a_row_with_any_attribute_altered_is_a_miss
  - test_seal: test_every_attribute_of_a_row_is_authenticated
  - test_seal: test_a_single_bit_changed_is_a_miss
  - test_broker: test_a_row_that_was_altered_is_a_miss
  - test_simulation: test_no_rule_is_broken_whatever_fails_and_whenever

15. jti and nonce‖salt never repeat, also across restored snapshots.
  - test_broker: test_a_snapshot_that_is_restored_twice_repeats_nothing_random
  - test_seal: test_each_write_has_a_salt_and_a_nonce_of_its_own_and_so_a_key
  - test_assertion: test_a_jti_is_random_and_longer_than_32_bytes

16. Accepted identity → session_name is injective and stable; guests, users and backends cannot
    collide unless configured to.
  - test_session: test_two_names_are_two_sessions
  - test_session: test_a_name_is_never_changed
  - test_session: test_a_guest_cannot_meet_a_user_or_a_backend
  - test_session: test_no_one_can_be_named_like_a_guest_in_any_case
  - test_session: test_a_pseudonym_is_a_keyed_digest_and_stays_when_keys_are_added
  - test_guest: test_two_ids_are_two_names_also_when_case_is_folded

17. A bad key causes at most one upstream probe a minute fleet-wide and one secret fetch a
    minute per process.
  - test_broker: test_a_key_that_coze_does_not_know_is_tried_once_a_minute_by_all
  - test_flight: test_after_the_minute_one_takes_the_fleets_try_and_lifts_the_hold
  - test_flight: test_who_does_not_get_the_fleets_try_does_not_ask_coze
  - test_store: test_one_probe_is_granted_for_each_time_that_was_seen
  - test_keys: test_a_bad_key_causes_one_fetch_a_minute_and_one_try_a_call
  - test_stored_secret: test_asking_anew_however_often_costs_one_fetch_a_minute
  - test_simulation: test_no_rule_is_broken_whatever_fails_and_whenever

18. During a rotation no request fails that would succeed with either key.
  - test_keys: test_no_request_fails_during_a_rotation_that_either_key_could_serve
  - test_broker: test_the_previous_key_serves_until_coze_has_learnt_the_new_one
  - test_broker: test_a_hold_for_an_unknown_key_does_not_hold_those_who_have_the_new_one

19. No secret, token, assertion or ticket appears in any log, metric, trace, exception or table
    key.
  - test_secrets_nowhere: test_no_secret_is_anywhere_but_in_its_own_answer
  - functions/test_token_function: test_no_secret_and_no_name_is_logged
  - functions/test_assertion_function: test_the_assertion_is_never_logged
  - test_broker: test_nothing_that_is_counted_or_noted_tells_a_token_or_a_name
  - test_answer: test_a_name_that_coze_repeats_in_any_way_is_not_told
  - test_answer: test_whatever_coze_repeats_of_a_secret_is_cut_out
  - test_app_key: test_a_key_that_cannot_sign_rs256_is_refused_and_not_shown
  - test_store_failures: test_a_table_that_refuses_is_unavailable_and_not_quoted
  - test_store: test_the_table_holds_no_token_in_clear_and_costs_one_unit_a_kilobyte
  - test_session: test_the_key_of_a_row_is_a_keyed_digest_and_tells_no_name

20. Each rotation step, run twice or resumed after a crash, ends in the same stages.
  - test_key_rotation: test_each_step_twice_ends_the_same
"""
"""`- file: test`, the file below tests/; what the simulator checks is in its own rules too."""

INVARIANTS = {
    int(number): re.findall(r"^ +- (\S+): (\w+)$", text, re.MULTILINE)
    for number, text in re.findall(r"^(\d+)\. (.+?)(?=^\d|\Z)", TABLE, re.MULTILINE | re.DOTALL)
}


@cache
def names_in(file: str) -> frozenset[str]:
    """Of the test functions of a file, and of the state machines that it turns into tests."""
    body = ast.parse((TESTS / f"{file}.py").read_text()).body
    functions = {node.name for node in body if isinstance(node, ast.FunctionDef)}
    assigned = [node.targets[0] for node in body if isinstance(node, ast.Assign)]
    machines = {name.id for name in assigned if isinstance(name, ast.Name)}
    return frozenset(name for name in functions | machines if re.match("test_|Test", name))


def test_each_of_the_twenty_is_held() -> None:
    assert list(INVARIANTS) == list(range(1, 21))
    assert all(INVARIANTS.values())
    assert sum(map(len, INVARIANTS.values())) == TABLE.count("- "), "each line names a test"


@pytest.mark.parametrize("number", INVARIANTS)
def test_every_test_that_is_named_is_there(number: int) -> None:
    gone = [f"{file}: {name}" for file, name in INVARIANTS[number] if name not in names_in(file)]
    assert not gone
