"""The site's budget of exchanges for a day, and the kill switch that the stack's outputs name."""

import json
import shlex
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from threading import Barrier
from typing import Any

import pytest
from coze_sts.allowance import Allowance
from coze_sts.budget import STOPPED_SECONDS, Budget
from coze_sts.cache.counters import SITE, Counter, Counters
from coze_sts.cache.row import day_of
from coze_sts.errors import BudgetSpent, SlowDown, StoreUnavailable, StsError, UpstreamUnavailable
from mypy_boto3_dynamodb import DynamoDBClient

from tests.engines import Engine, client_of, create_table, lacking, shared
from tests.factories import NOW, Clock
from tests.local import template

DAY = 86_400
MIDNIGHT = NOW - NOW % DAY + DAY
ENGINES: tuple[Engine, ...] = ("moto", "dynamodb-local")


@dataclass(frozen=True, kw_only=True)
class Site:
    """A table, and the processes that share it."""

    client: DynamoDBClient
    table: str
    clock: Clock

    def process(
        self,
        *,
        per_day: int = 2,
        guests_per_day: int | None = None,
        table: str | None = None,
        client: Any = None,
        used: list[float] | None = None,
    ) -> Budget:
        return Budget(
            counters=Counters(client=client or self.client, table=table or self.table),
            per_day=per_day,
            guests_per_day=guests_per_day,
            allowance=Allowance(clock=self.clock),
            on_used=[].append if used is None else used.append,
            clock=self.clock,
        )

    @property
    def spent(self) -> int:
        """Of the day that it is."""
        key = {"pk": {"S": SITE}}
        item = self.client.get_item(TableName=self.table, Key=key).get("Item", {})
        return int(item.get(day_of(self.clock.now), {"N": "0"})["N"])

    def run(self, output: str) -> None:
        """The command of one of the stack's outputs, as a shell and the CLI read it."""
        words = shlex.split(template.outputs()[output])
        assert words[:3] == ["aws", "dynamodb", "update-item"]
        given = dict(zip(words[3::2], words[4::2], strict=True))
        assert given.pop("--region")
        assert given.pop("--table-name") == "${TokenTable}"
        values = given.pop("--expression-attribute-values", None)
        self.client.update_item(
            TableName=self.table,
            Key=json.loads(given.pop("--key")),
            UpdateExpression=given.pop("--update-expression"),
            **({"ExpressionAttributeValues": json.loads(values)} if values else {}),
        )
        assert not given


@pytest.fixture(scope="module", params=ENGINES)
def client(request: pytest.FixtureRequest) -> Iterator[DynamoDBClient]:
    if lack := lacking(request.param):
        pytest.skip(lack)
    client = client_of(shared(request.param))
    yield client
    client.close()


@pytest.fixture
def site(client: DynamoDBClient, clock: Clock) -> Site:
    return Site(client=client, table=create_table(client), clock=clock)


def spend(budget: Budget, error: StsError | None = None) -> None:
    with budget.one():
        if error is not None:
            raise error


def refusal(budget: Budget) -> BudgetSpent:
    with pytest.raises(BudgetSpent) as refused, budget.one():
        pytest.fail("was let through")
    return refused.value


def test_an_exchange_beyond_the_days_budget_is_refused(site: Site) -> None:
    """All processes count together."""
    for _ in range(2):
        spend(site.process())
    assert (refusal(site.process()).status, site.spent) == (429, 2)


def test_how_much_of_the_day_is_used_is_told_with_each_exchange(site: Site) -> None:
    used: list[float] = []
    budget = site.process(per_day=2, used=used)
    spend(budget)
    spend(budget)
    assert refusal(budget)
    assert used == [0.5, 1, 1]
    site.run("StopCommand")
    assert refusal(budget)
    assert len(used) == 3, "who stops the site says nothing of its use"


def test_the_wait_is_until_midnight_in_utc_and_the_new_day_begins_at_nothing(site: Site) -> None:
    budget = site.process(per_day=1)
    site.clock.now = MIDNIGHT - 10.5
    spend(budget)
    assert refusal(budget).retry_after == 11
    site.clock.now = MIDNIGHT
    spend(budget)
    assert (refusal(budget).retry_after, site.spent) == (DAY, 1)


def test_an_exchange_that_failed_is_given_back(site: Site) -> None:
    budget = site.process(per_day=1)
    for _ in range(3):
        with pytest.raises(UpstreamUnavailable):
            spend(budget, UpstreamUnavailable("Coze is down."))
    assert site.spent == 0
    spend(budget)
    assert site.spent == 1


def test_an_exchange_that_fails_after_midnight_is_given_back_to_its_own_day(site: Site) -> None:
    site.clock.now = MIDNIGHT - 1

    def fail_later() -> None:
        with site.process().one():
            site.clock.now = MIDNIGHT + 1
            raise UpstreamUnavailable("Coze is down.")

    with pytest.raises(UpstreamUnavailable):
        fail_later()
    site.clock.now = MIDNIGHT - 1
    assert site.spent == 0


def test_a_refusal_gives_nothing_back(site: Site) -> None:
    spend(site.process(per_day=1))
    for _ in range(3):
        refusal(site.process(per_day=1))
    assert site.spent == 1


def test_the_refusal_tells_the_operator_both_reasons_and_a_stranger_neither(site: Site) -> None:
    spend(site.process(per_day=1))
    error = refusal(site.process(per_day=1))
    assert "EXCHANGES_PER_DAY" in (error.operator or "")
    assert "ResumeCommand" in (error.operator or "")
    assert "DAY" not in error.description


# Guests, and sessions with rows of their own for other pages

OTHER_PAGES = Counter(pk="n1#session", per_day=2)


def spend_for(budget: Budget, error: StsError | None = None, **whom: Any) -> None:
    with budget.one(**whom):
        if error is not None:
            raise error


def test_guests_have_their_share_and_who_signed_in_has_the_rest(site: Site) -> None:
    budget = site.process(per_day=3, guests_per_day=1)
    spend_for(budget, guest=True)
    with pytest.raises(SlowDown) as refused:
        spend_for(site.process(per_day=3, guests_per_day=1), guest=True)
    assert type(refused.value) is SlowDown, "BudgetSpent would hold everybody up"
    assert refused.value.retry_after == MIDNIGHT - site.clock.now
    for _ in range(2):
        spend(budget)
    for guest in (False, True):
        with pytest.raises(BudgetSpent):
            spend_for(budget, guest=guest)
    assert site.spent == 3


def test_a_guest_is_told_of_the_kill_switch_as_everybody(site: Site) -> None:
    budget = site.process(guests_per_day=1)
    spend_for(budget, guest=True)
    site.run("StopCommand")
    with pytest.raises(BudgetSpent) as refused:
        spend_for(budget, guest=True)
    assert refused.value.retry_after == STOPPED_SECONDS


def test_a_guests_exchange_that_failed_is_given_back_to_the_share_too(site: Site) -> None:
    budget = site.process(guests_per_day=1)
    for _ in range(3):
        with pytest.raises(UpstreamUnavailable):
            spend_for(budget, UpstreamUnavailable("Coze is down."), guest=True)
    spend_for(budget, guest=True)
    assert site.spent == 1


def test_a_session_that_had_its_tokens_on_other_pages_waits_and_nobody_else(site: Site) -> None:
    budget = site.process(per_day=9)
    for _ in range(2):
        spend_for(budget, session=OTHER_PAGES)
    with pytest.raises(SlowDown) as refused:
        spend_for(budget, session=OTHER_PAGES)
    assert type(refused.value) is SlowDown
    assert refused.value.retry_after == MIDNIGHT - site.clock.now
    assert site.spent == 2
    spend_for(budget, session=replace(OTHER_PAGES, pk="n1#another"))
    spend(budget)


def test_what_the_site_refuses_or_coze_fails_is_not_counted_for_the_session(site: Site) -> None:
    with pytest.raises(UpstreamUnavailable):
        spend_for(site.process(), UpstreamUnavailable("Coze is down."), session=OTHER_PAGES)
    spend(site.process(per_day=1))
    for _ in range(3):
        with pytest.raises(BudgetSpent):
            spend_for(site.process(per_day=1), session=OTHER_PAGES)
    for _ in range(2):
        spend_for(site.process(per_day=9), session=OTHER_PAGES)


# The kill switch


@pytest.mark.parametrize("spent", [0, 1])
def test_after_stop_command_nothing_is_exchanged_until_resume_command(
    site: Site, spent: int
) -> None:
    for _ in range(spent):
        spend(site.process())
    site.run("StopCommand")
    for now in (NOW, MIDNIGHT, MIDNIGHT + 30 * DAY):
        site.clock.now = now
        assert refusal(site.process()).retry_after == STOPPED_SECONDS == 300
    site.clock.now = NOW
    assert site.spent == spent
    site.run("ResumeCommand")
    spend(site.process())
    assert site.spent == spent + 1


def test_either_command_may_be_given_twice_or_in_vain(site: Site) -> None:
    site.run("ResumeCommand")
    spend(site.process())
    for _ in range(2):
        site.run("StopCommand")
    refusal(site.process())
    for _ in range(2):
        site.run("ResumeCommand")
    spend(site.process())


def test_a_site_that_is_stopped_gives_back_what_was_under_way(site: Site) -> None:
    def stop_meanwhile() -> None:
        with site.process().one():
            site.run("StopCommand")
            raise UpstreamUnavailable("Coze is down.")

    with pytest.raises(UpstreamUnavailable):
        stop_meanwhile()
    assert site.spent == 0
    refusal(site.process())


# The table fails


def test_without_the_table_a_process_has_its_own_small_allowance_and_no_more(site: Site) -> None:
    budget = site.process(table="gone")
    for _ in range(3):
        spend(budget)
    with pytest.raises(StoreUnavailable):
        spend(budget)
    site.clock.now += 5
    spend(budget)
    with pytest.raises(StoreUnavailable):
        spend(budget)


class LosesReplies:
    """A client whose table comes and goes."""

    def __init__(self, client: DynamoDBClient, *, gone: set[int]) -> None:
        self._client, self._gone, self._calls = client, gone, 0

    def update_item(self, **asked: Any) -> Any:
        self._calls += 1
        if self._calls in self._gone:
            raise StoreUnavailable("The table did not answer.")
        return self._client.update_item(**asked)


def test_what_could_not_be_counted_is_not_given_back(site: Site) -> None:
    spend(site.process())
    budget = site.process(client=LosesReplies(site.client, gone={1}))
    with pytest.raises(UpstreamUnavailable):
        spend(budget, UpstreamUnavailable("Coze is down."))
    assert site.spent == 1


def test_a_table_that_fails_when_one_is_given_back_hides_no_other_error(site: Site) -> None:
    budget = site.process(client=LosesReplies(site.client, gone={2}))
    with pytest.raises(UpstreamUnavailable):
        spend(budget, UpstreamUnavailable("Coze is down."))
    assert site.spent == 1, "too much is counted, never too little"


# Races, on Amazon's engine


@pytest.mark.parametrize("client", ["dynamodb-local"], indirect=True)
def test_at_the_limit_a_race_never_goes_above_it(site: Site) -> None:
    """Every third exchange fails and is given back, for another to be made in its place."""
    people, limit = 24, 6
    together = Barrier(people)

    def ask(number: int) -> bool:
        client = client_of(shared("dynamodb-local"))
        error = UpstreamUnavailable("Coze is down.") if number % 3 == 0 else None
        together.wait()
        try:
            spend(replace(site, client=client).process(per_day=limit), error)
        except (BudgetSpent, UpstreamUnavailable):
            return False
        finally:
            client.close()
        return error is None

    with ThreadPoolExecutor(people) as pool:
        made = sum(pool.map(ask, range(people)))
    assert made == site.spent <= limit
