"""The leak audit: an honest engine is clean on data with every trap in them, and each way to cheat is caught."""

from __future__ import annotations

import dataclasses
import random
import re
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pytest
from command_line import call, ok, refused
from hypothesis import given, settings
from hypothesis import strategies as st
from oracle import Event
from small_tables import aware, spine_of, tables_of
from test_outcomes import INACTIVE, LEAVING
from test_signals import EVERY, EVERY_OF_SURVEYS, family_of

from churnwatch.cli.audit import show_audited
from churnwatch.errors import DataRefused
from churnwatch.runs.audit import leakage as leaking
from churnwatch.runs.audit.attacks import ATTACKS, COPIES, Ground
from churnwatch.runs.audit.leakage import Audited, audit, choose
from churnwatch.runs.audit.trust import trusted
from churnwatch.signals import build, engine
from churnwatch.sources import Tables
from churnwatch.spec import Column, Family, Sources

US = timedelta(microseconds=1)
DAY = timedelta(days=1)
BEGIN = datetime(2026, 1, 1)
ZONE = "Asia/Jakarta"

CONTACTS = family_of(
    {"name": "contacts", "aggregate": "count", "windows": ["28d"], "compare": "previous"},
    {"name": "spent", "aggregate": "sum", "measure": "amount", "windows": ["84d"]},
    {"name": "complaint_share", "aggregate": "share", "of": {"kind": ["complaint", "purchase"]},
     "where": {"kind": "complaint"}, "windows": ["84d"]},
    {"name": "topics", "aggregate": "distinct", "by": "topic", "windows": ["84d"]},
    {"name": "quiet_days", "aggregate": "days_since"},
    {"name": "silence", "aggregate": "silence", "windows": ["84d"]},
)  # fmt: skip
SURVEYS = family_of(
    {"name": "last_score", "aggregate": "latest", "measure": "score", "where": {"kind": "answered"}},
    {"name": "unanswered", "aggregate": "open", "where": {"kind": "sent"}, "of": {"kind": "answered"}},
    table="surveys",
)
FACTS = family_of(
    {"name": "tenure_days", "aggregate": "days_since", "where": {"kind": "started"}},
    {"name": "monthly_value", "aggregate": "latest", "measure": "value", "where": {"kind": "profile"}},
    {"name": "contract_months", "aggregate": "latest", "measure": "contract_months", "where": {"kind": "profile"}},
    table="customers",
)
COLUMNS = (*CONTACTS.columns, *SURVEYS.columns, *FACTS.columns)
MODELS = (LEAVING, INACTIVE)


def company(customers: int = 24, *, events: int = 20) -> Tables:
    """120 days of a company: rows known late, answers after weeks, starts in the midst, ends dated back, owners."""
    dice = random.Random(7)

    def moment() -> datetime:
        return BEGIN + timedelta(minutes=dice.randrange(120 * 24 * 60))

    who, rows, surveys = [], [], []
    for number in range(customers):
        name = f"c{number:02}"
        started = BEGIN - 60 * DAY if number % 3 else moment()
        who.append(
            {
                "customer_id": name,
                "started_at": None if number == 5 else started,
                "ended_at": moment() if number % 4 == 0 else None,
                "owner": f"agent {number % 3}",
                "segment": "gold" if number % 2 else "tin",
                "value": float(number),
                "contract_months": 12.0 - number % 12,
                # Of a third of the customers nobody says since when the facts are so.
                "known_at": moment() if number % 3 else None,
            }
        )
        for place in range(events):
            at = moment()
            late = dice.choice([timedelta(), timedelta(), timedelta(minutes=dice.randrange(20_000))])
            kind = dice.choice(["complaint", "contact", "purchase", "purchase", "visit", "cancellation"])
            levels = {"kind": kind, "topic": dice.choice(["billing", "delivery", "quality"])}
            rows.append(Event(f"{name} {place}", name, at, at + late, levels, {"amount": dice.randrange(100) / 7}))
        for place in range(3):
            sent = moment()
            answered = sent + timedelta(minutes=dice.randrange(40_000)) if place else None
            score = {"raw_score": float(dice.randrange(11)), "comment": "fine"} if answered else {}
            surveys.append(
                {
                    "survey_id": f"{name} {place}",
                    "customer_id": name,
                    "sent_at": sent,
                    "answered_at": answered,
                    "instrument": "nps",
                    "scale_min": 0.0,
                    "scale_max": 10.0,
                    "higher_is_better": True,
                    **score,
                }
            )
    return tables_of(
        rows, customers=who, surveys=surveys, measures=["amount"], customer_measures=["contract_months"], zone=ZONE
    )


def tried(tables: Tables, count: int = 6, *, columns: tuple[Column, ...] = COLUMNS) -> Audited:
    return audit(tables, columns, MODELS, choose(tables, count, seed=1))


def told(found: Audited) -> dict[str, set[str]]:
    """What moved, by attack."""
    return {attack: {one.what for one in found.moved if one.attack == attack} for attack in ATTACKS}


def test_an_honest_engine_is_clean_and_everything_was_compared() -> None:
    """Six as-ofs, 24 customers at each, twelve columns, three attacks; three as-ofs exactly on an event."""
    tables = company()
    found = tried(tables)
    assert () == found.moved
    assert 6 == len(found.as_ofs)
    assert 3 == found.on_event
    assert 6 * 24 == found.observations
    assert ATTACKS == tuple(one.attack for one in found.struck)
    for one in found.struck:
        assert 6 * 24 * 12 == one.cells
        assert one.observed > 0
        assert one.events == sum(_known_from(tables, as_of) for as_of in found.as_ofs) > 0


@pytest.mark.parametrize("family", [EVERY, EVERY_OF_SURVEYS], ids=["interactions", "surveys"])
def test_every_aggregate_is_clean(family: Family) -> None:
    """Over every kind of window, with changes and conditions."""
    assert () == tried(company(), 4, columns=family.columns).moved


def _known_from(tables: Tables, as_of: datetime) -> int:
    counts = [
        "select count(*) from interactions where known_at >= $1",
        "select count(*) from surveys where sent_at >= $1",
        "select count(*) from surveys where answered_at >= $1",
        "select count(*) from customers where started_at >= $1",
        "select count(*) from customers where known_at >= $1",
    ]
    return sum(tables.con.execute(sql, [as_of.replace(tzinfo=None)]).fetchall()[0][0] for sql in counts)


def _events(change: Callable[[str, str], str]) -> Callable[[pytest.MonkeyPatch], None]:
    """The engine reads event rows by another SELECT."""

    def sabotage(patch: pytest.MonkeyPatch) -> None:
        honest = engine.events_sql
        patch.setattr(engine, "events_sql", lambda table, *asked: change(table, honest(table, *asked)))

    return sabotage


def _known_when_it_happened(table: str, sql: str) -> str:
    return f"select * replace (_at as _known) from ({sql})" if table == "interactions" else sql


def _answers_dated_when_sent(table: str, sql: str) -> str:
    if table != "surveys":
        return sql
    sent = "min(_at) over (partition by _id)"
    return f"select * replace ({sent} as _at, {sent} as _known) from ({sql})"


def _facts_known_from_the_start(table: str, sql: str) -> str:
    if table != "customers":
        return sql
    started = "min(_at) over (partition by _id)"
    return f"select * replace ({started} as _at, {started} as _known) from ({sql})"


def _only(condition: str) -> Callable[[str, str], str]:
    """Rows of those alone of whom something is true today."""

    def change(_table: str, sql: str) -> str:
        return f"select rows.* from ({sql}) as rows semi join (from customers where {condition}) using (customer_id)"

    return change


def _up_to_as_of(patch: pytest.MonkeyPatch) -> None:
    """`known_at <= as_of`: in whole microseconds that is `known_at < as_of + 1 µs`."""
    honest = engine.spine_of

    def later(frame: Any) -> Any:
        spine, order = honest(frame)
        return dataclasses.replace(spine, as_ofs=spine.as_ofs + 1), order

    patch.setattr(engine, "spine_of", later)


def _prior_of_everything(patch: pytest.MonkeyPatch) -> None:
    honest = engine.usual_gaps

    def latest(changes: Any) -> Any:
        usual = honest(changes)
        return np.repeat(usual[..., -1:], usual.shape[-1], axis=-1)

    patch.setattr(engine, "usual_gaps", latest)


def _segments_known_from_the_start(patch: pytest.MonkeyPatch) -> None:
    honest = engine.segments_of

    def early(con: Any) -> Any:
        segments = honest(con)
        return dataclasses.replace(segments, known=np.zeros_like(segments.known))

    patch.setattr(engine, "segments_of", early)


def _scaler_of_everything(patch: pytest.MonkeyPatch) -> None:
    def scaled(tables: Any, columns: Any, spine: Any, **options: Any) -> Any:
        matrix = build(tables, columns, spine, **options)
        spread = np.nanmax(np.abs(matrix.values), axis=0, initial=1.0)
        return dataclasses.replace(matrix, values=np.ascontiguousarray(matrix.values / spread))

    patch.setattr(leaking, "build", scaled)


def _cohort(condition: str) -> Callable[[pytest.MonkeyPatch], None]:
    """The cohort leaves out those for whom ``condition`` holds."""

    def sabotage(patch: pytest.MonkeyPatch) -> None:
        honest = leaking.observe

        def picky(tables: Any, model: Any, as_ofs: Any) -> Any:
            found = honest(tables, model, as_ofs)
            tables.con.register("found", found)
            kept = tables.con.sql(f"from found where not exists ({condition}) order by as_of, customer_id").df()
            tables.con.unregister("found")
            return kept

        patch.setattr(leaking, "observe", picky)

    return sabotage


ENDED = "select 1 from customers as c where c.customer_id = found.customer_id and c.ended_at < found.as_of"
QUIET_LATER = (
    "select 1 from interactions as e where e.customer_id = found.customer_id and e.kind = 'cancellation' "
    'and e."at" >= found.as_of and e."at" < found.as_of + interval 7 day'
)

SABOTAGES: dict[str, tuple[Callable[[pytest.MonkeyPatch], None], set[str]]] = {
    "cut on at": (_events(_known_when_it_happened), {"contacts_28d", "spent_84d", "quiet_days"}),
    "answers dated when sent": (_events(_answers_dated_when_sent), {"last_score"}),
    "facts known from the start": (_events(_facts_known_from_the_start), {"monthly_value", "contract_months"}),
    "up to as-of": (_up_to_as_of, {"quiet_days"}),
    "a prior over everything": (_prior_of_everything, {"silence_84d"}),
    "a segment known from the start": (_segments_known_from_the_start, {"silence_84d"}),
    "a scaler fitted on everything": (_scaler_of_everything, {"spent_84d"}),
    "a cohort that looks at ended_at": (_cohort(ENDED), {"cohort of probe"}),
    "a cohort that looks ahead": (_cohort(QUIET_LATER), {"cohort of probe"}),
    "today's owner": (_events(_only("owner = 'agent 1'")), {"contacts_28d", "tenure_days"}),
    "today's segment": (_events(_only("segment = 'gold'")), {"contacts_28d", "tenure_days"}),
    "today's value": (_events(_only("value > 10")), {"contacts_28d", "tenure_days"}),
    "who ended, today": (_events(_only("ended_at is null")), {"contacts_28d", "tenure_days"}),
}


@pytest.mark.parametrize(("sabotage", "seen"), SABOTAGES.values(), ids=SABOTAGES)
def test_each_way_to_cheat_is_caught(
    sabotage: Callable[[pytest.MonkeyPatch], None], seen: set[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a deletion and of garbling each; the test above shows that the same data are clean without it."""
    sabotage(monkeypatch)
    moved = told(tried(company(), 4))
    assert seen <= moved["deleted"]
    assert seen <= moved["garbled"]


def test_a_cut_off_by_one_is_seen_where_as_of_is_an_event(monkeypatch: pytest.MonkeyPatch) -> None:
    """`<=` for `<`: after a deletion at no other as-of; a third of the garbled rows become known at as-of itself."""
    tables = company()
    as_ofs = choose(tables, 8, seed=1)
    on_event = {as_of for as_of in as_ofs if _known_from(tables, as_of) > _known_from(tables, as_of + US)}
    assert 4 == len(on_event)
    _up_to_as_of(monkeypatch)
    found = audit(tables, COLUMNS, MODELS, as_ofs)
    assert on_event == {one.as_of for one in found.moved if one.attack == "deleted"}
    assert set(as_ofs) == {one.as_of for one in found.moved if one.attack == "garbled"}


def test_the_observations_that_moved_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two of three customers have a purchase that happened on the first and was known on the tenth; cut on `at`."""
    _events(_known_when_it_happened)(monkeypatch)
    late = BEGIN + 9 * DAY
    events = [Event(name, name, BEGIN, late, {"kind": "purchase"}) for name in "ab"]
    events += [Event(f"{name} again", name, BEGIN - DAY, BEGIN - DAY, {"kind": "purchase"}) for name in "abc"]
    tables = tables_of(events, measures=["amount"])
    [count] = [column for column in COLUMNS if column.name == "contacts_28d"]
    found = audit(tables, [count], [], [aware(BEGIN + 5 * DAY)])
    assert [("contacts_28d", "deleted", aware(BEGIN + 5 * DAY), 2)] == [
        dataclasses.astuple(one) for one in found.moved if one.attack == "deleted"
    ]


def test_half_of_the_as_ofs_are_events_and_a_quarter_are_midnights() -> None:
    """Rising, different, after the first event and up to the last; the seed decides."""
    tables = company()
    chosen = choose(tables, 40, seed=1)
    assert sorted(set(chosen)) == chosen
    assert 40 == len(chosen)
    assert chosen == choose(tables, 40, seed=1)
    assert chosen != choose(tables, 40, seed=2)
    on_event = [as_of for as_of in chosen if _known_from(tables, as_of) > _known_from(tables, as_of + US)]
    # Midnight in Jakarta is 17:00 UTC.
    midnights = [as_of for as_of in chosen if (as_of.hour, as_of.minute, as_of.second) == (17, 0, 0)]
    assert 20 == len(on_event)
    assert 10 == len(set(midnights) - set(on_event))
    assert _known_from(tables, chosen[-1]) > 0
    first = tables.con.execute("select least((select min(known_at) from interactions), min(sent_at)) from surveys")
    assert aware(first.fetchall()[0][0]) < chosen[0]


def test_few_moments_give_fewer_as_ofs_and_a_single_one_none() -> None:
    """Three moments on one day: two lie after the first; no midnight lies between."""
    moments = [BEGIN + timedelta(hours=hours) for hours in (1, 2, 3)]
    tables = tables_of([Event(str(at), "a", at, at) for at in moments])
    chosen = choose(tables, 8, seed=1)
    assert {aware(moments[1]), aware(moments[2])} <= set(chosen)
    assert 8 == len(chosen)
    with pytest.raises(DataRefused, match="at one moment"):
        choose(tables_of([Event("e", "a", BEGIN, BEGIN)]), 8, seed=1)


AS_OF = BEGIN + 60 * DAY


@pytest.fixture
def ground() -> Iterator[Ground]:
    made = Ground(company(), seed=3)
    yield made
    made.close()


def rows(tables: Tables, sql: str) -> list[Any]:
    return tables.con.execute(f"select * from ({sql}) order by all", {"as_of": AS_OF}).fetchall()


@pytest.mark.parametrize("attack", ATTACKS)
def test_an_attack_leaves_the_past_as_it_is(ground: Ground, attack: Any) -> None:
    """Rows known before as-of; surveys answered, sendings and starts before it; and all of the true tables."""
    tables = ground.tables
    before = {table: rows(tables, f"from {table} where $as_of is not null") for table in ("interactions", "surveys")}
    attacked = ground.attacked(attack, AS_OF)
    sent = "survey_id, customer_id, sent_at, instrument, scale_min, scale_max, higher_is_better, source"
    for past in (
        "from interactions where known_at < $as_of",
        "from surveys where answered_at < $as_of",
        f"select {sent} from surveys where sent_at < $as_of",
        "select customer_id, started_at from customers where started_at < $as_of or started_at is null",
        "select customer_id, known_at, segment, value, contract_months from customers where known_at < $as_of",
    ):
        assert rows(tables, past) == rows(attacked, past) != []
    for table, was in before.items():
        assert was == rows(tables, f"from {table} where $as_of is not null")


def test_nothing_of_the_future_is_left_where_it_is_deleted(ground: Ground) -> None:
    """No row, no answer, no start; but whoever has rows of before stays a customer; no fact of today."""
    gone = ground.attacked("deleted", AS_OF)
    assert [] == rows(gone, "from interactions where known_at >= $as_of")
    assert [] == rows(gone, "from surveys where sent_at >= $as_of or answered_at >= $as_of")
    pending = "from surveys where sent_at < $as_of and answered_at is null"
    assert rows(gone, pending)
    assert [] == rows(gone, f"{pending} and (raw_score is not null or comment is not null)")
    strangers = "select 1 from interactions anti join customers using (customer_id) where $as_of is not null"
    assert [] == rows(gone, strangers)
    today = "select distinct owner, ended_at, do_not_contact from customers where $as_of is not null"
    assert [(None, None, False)] == rows(gone, today)
    facts = "select distinct segment, value, contract_months, known_at from customers"
    assert [(None, None, None, None)] == rows(gone, f"{facts} where (known_at < $as_of) is not true")


def test_garbled_rows_stay_future_and_become_others(ground: Ground) -> None:
    """As many rows; `at` also before as-of; other kinds, amounts, customers; some known at as-of itself."""
    tables, garbled = ground.tables, ground.attacked("garbled", AS_OF)
    future = "from interactions where known_at >= $as_of"
    was, now = (
        rows(one, f'select interaction_id, customer_id, kind, topic, amount, "at", known_at {future}')
        for one in (tables, garbled)
    )
    assert [row[0] for row in was] == [row[0] for row in now]
    for place in range(1, 6):
        others = sum(one[place] != other[place] for one, other in zip(was, now, strict=True))
        assert 0.3 * len(was) < others
    ats = [row[5] for row in now]
    assert min(ats) < AS_OF - 84 * DAY < AS_OF < max(ats)
    assert 0.1 < sum(row[6] == AS_OF for row in now) / len(now) < 0.3
    for name in ("answered_at", "sent_at"):
        assert rows(garbled, f"from surveys where {name} >= $as_of")
    answers = "select survey_id, answered_at, raw_score from surveys where sent_at < $as_of and answered_at >= $as_of"
    assert rows(tables, answers) != rows(garbled, answers) != []


def test_multiplied_rows_are_there_once_more_and_again(ground: Ground) -> None:
    """Each row of the future with three further ids; nothing of the past."""
    tables, more = ground.tables, ground.attacked("multiplied", AS_OF)
    for table, future in {
        "interactions": "known_at >= $as_of",
        "surveys": "(sent_at >= $as_of or answered_at >= $as_of)",
        "customers": "(started_at >= $as_of or known_at >= $as_of)",
    }.items():
        count = f"select count(*), count(distinct {table[:-1]}_id) from {table} where {future}"
        [(was, _)], [(now, ids)] = rows(tables, count), rows(more, count)
        assert (COPIES + 1) * was == now == ids > 0


def test_with_too_many_customers_those_are_compared_who_have_news_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two of 24 customers at each as-of: one of them has the next event, so that `<=` is still caught."""
    monkeypatch.setattr(leaking, "MOST_OBSERVATIONS", 16)
    tables = company()
    as_ofs = choose(tables, 8, seed=1)
    assert 16 == audit(tables, COLUMNS, MODELS, as_ofs).observations
    _up_to_as_of(monkeypatch)
    found = audit(tables, COLUMNS, MODELS, as_ofs)
    assert 4 == len({one.as_of for one in found.moved if one.attack == "deleted"})


late_moments = st.builds(
    lambda days, beside: AS_OF + days * DAY + beside * US,
    st.sampled_from([-30, -1, 0, 1, 30]),
    st.sampled_from([-1, 0, 1]),
)


@settings(max_examples=30, deadline=None)
@given(late_moments, late_moments)
def test_a_row_delivered_late_changes_only_later_as_ofs(one: datetime, other: datetime) -> None:
    """What was computed before it was known stays as it was, to the byte; afterwards it is there."""
    at, known_at = min(one, other), max(one, other)
    as_ofs = sorted({AS_OF + days * DAY for days in (-30, -1, 0, 1, 30, 60)} | {known_at, known_at + US})
    spine = spine_of([("c01", as_of) for as_of in as_ofs])
    honest = Event("first", "c01", BEGIN, BEGIN, {"kind": "purchase"}, {"amount": 1.0})
    late = Event("late", "c01", at, known_at, {"kind": "complaint"}, {"amount": 2.0})
    columns = family_of({"name": "rows", "aggregate": "count"}).columns
    before, after = (
        build(tables_of(events, measures=["amount"]), (*CONTACTS.columns, *columns), spine)
        for events in ([honest], [honest, late])
    )
    for place, as_of in enumerate(as_ofs):
        if as_of <= known_at:
            assert before.values[place].tobytes() == after.values[place].tobytes()
        else:
            assert 1.0 == before.column("rows")[place]
            assert 2.0 == after.column("rows")[place]


def test_the_command_says_what_was_tried(project: Any) -> None:
    """One object: two as-ofs of the simulated company, every signal column of all observations, and nothing moved."""
    told = ok(call("audit", "leakage", "--as-ofs", 2, "--project", project, "--json")).json
    assert [] == told["moved"]
    assert 2 == len(told["as_ofs"])
    assert 1 == told["on_event"]
    assert ["churn"] == told["models"]
    assert list(ATTACKS) == [one["attack"] for one in told["attacks"]]
    for one in told["attacks"]:
        assert len(told["columns"]) * told["observations"] == one["cells"]


def test_the_command_fails_where_something_leaks(project: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Exit 5, what moved and when, what to try, and nobody's id."""
    _prior_of_everything(monkeypatch)
    said = call("audit", "leakage", "--as-ofs", 2, "--project", project)
    assert 5 == said.code
    assert "What moved" in said.out
    assert re.search(r"the past knows its future: .*\bsilence_364d\b.* changed with it", said.err)
    assert "  try: " in said.err
    assert not re.search(r"C\d{4}", said.out + said.err)


def test_no_as_ofs_is_a_wrong_command_line() -> None:
    refused(call("audit", "leakage", "--as-ofs", 0), 2, "--as-ofs")


def test_people_read_a_table(capsys: pytest.CaptureFixture[str]) -> None:
    """Clean: what was tried and compared. Else also what moved, the most observations first, at how many as-ofs."""
    as_ofs = [aware(BEGIN), aware(BEGIN + DAY)]
    struck = [leaking.Struck("deleted", 10, 2000, 300), leaking.Struck("garbled", 10, 2000, 300)]
    clean = Audited(as_ofs, 1, 5, 20, ["contacts_28d"] * 100, {}, ["churn"], struck, [])
    show_audited(clean)
    told = " ".join(capsys.readouterr().out.split())
    assert "2 as-ofs from 2026-01-01 to 2026-01-02, 1 of them exactly when something became known (seed 5)" in told
    assert "deleted 10 2,000 300 0" in told
    assert "Nothing moved" in told
    moved = [
        leaking.Moved("spent_84d", "garbled", as_ofs[0], 1),
        leaking.Moved("contacts_28d", "garbled", as_ofs[0], 2),
        leaking.Moved("contacts_28d", "garbled", as_ofs[1], 3),
    ]
    show_audited(dataclasses.replace(clean, moved=moved))
    told = " ".join(capsys.readouterr().out.split())
    assert "garbled 10 2,000 300 3" in told
    assert "contacts_28d garbled 2 2026-01-01 00:00:00 5 spent_84d garbled 1 2026-01-01 00:00:00 1" in told
    assert "Nothing moved" not in told
    assert "on trust" not in told
    show_audited(dataclasses.replace(clean, trusted=["shop: something"]))
    assert "Taken on trust" in (told := capsys.readouterr().out)
    assert "  · shop: something" in told


def test_what_a_mapping_could_have_seen_ahead_is_named() -> None:
    """Two times from one raw row: its topic and hours, not the literal kind. A SELECT may look anywhere."""
    opened = {"interaction_id": "no", "customer_id": "who", "at": "opened", "known_at": "opened", "kind": "'contact'"}
    closed = {**opened, "at": "closed", "known_at": "closed", "kind": "'resolved'"}
    sources = Sources.model_validate(
        {
            "sources": {"desk": {"from": "desk.csv"}, "shop": {"from": "shop.csv"}, "logins": {"from": "logins.csv"}},
            "tables": {
                "customers": [{"source": "desk", "select": "select 1"}],
                "interactions": [
                    {"source": "desk", "columns": {**opened, "topic": "category"}},
                    {"source": "desk", "columns": closed, "measures": {"hours": "closed - opened"}},
                    {"source": "logins", "columns": {**opened, "topic": "page"}},
                    {"source": "shop", "select": "select * from shop"},
                ],
            },
        }
    )
    assert (
        "desk: a raw row makes rows known at closed, opened; in each, hours, topic must have been so by then",
        "shop: a SELECT over all raw rows makes interactions; none may need what came after its own time",
    ) == trusted(sources)
