"""What people do, well meant and not, and how often each."""

from collections.abc import Mapping, Sequence

from tests.crowd import false_sign_ins, false_tickets, guests, servers, trespasses, visits
from tests.crowd.visits import Act

VISITS: Mapping[Act, int] = {
    visits.sign_in: 30,
    visits.mini_program: 8,
    visits.name_another: 3,
    visits.sign_out: 4,
    visits.look: 2,
    guests.come_again: 25,
    guests.arrive: 3,
    guests.come_again_late: 2,
    guests.carry_over: 4,
    servers.serve_user: 18,
    servers.exchange_alone: 4,
    servers.forget_user: 3,
}
"""The numbers are relative to each other."""

INTRUSIONS: Sequence[Act] = (
    false_tickets.forged,
    false_tickets.spliced,
    false_tickets.respelled,
    false_tickets.expired,
    false_tickets.of_another_stack,
    false_tickets.of_other_keys,
    false_tickets.two_at_once,
    false_tickets.carried_over,
    false_tickets.of_another_user,
    false_sign_ins.signed_by_oneself,
    false_sign_ins.not_signed,
    false_sign_ins.signed_with_the_public_key,
    false_sign_ins.edited,
    false_sign_ins.expired,
    false_sign_ins.for_another_site,
    false_sign_ins.of_another_issuer,
    false_sign_ins.at_the_wrong_entrance,
    false_sign_ins.in_a_reserved_name,
    false_sign_ins.in_the_name_of_several,
    false_sign_ins.with_a_ticket,
    trespasses.visitor_names_a_session,
    trespasses.from_abroad,
    trespasses.from_nowhere,
    trespasses.stranger_at_the_back,
    trespasses.changed_behind_the_signature,
    trespasses.signed_with_another_key,
    trespasses.server_names_a_guest,
    trespasses.code_again,
    trespasses.code_invented,
)

HOSTILE = 0.15
"""This share of what people do is meant ill."""


def usual() -> Mapping[Act, float]:
    """Both kinds, weighted."""
    well, ill = sum(VISITS.values()), len(INTRUSIONS)
    return {act: (1 - HOSTILE) * weight / well for act, weight in VISITS.items()} | dict.fromkeys(
        INTRUSIONS, HOSTILE / ill
    )
