"""Doings become raw tables: times within the week, tickets, orders, surveys, and an export's rough edges."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from churnwatch.synthetic import messages, words
from churnwatch.synthetic.behaviour import Doings
from churnwatch.synthetic.company import PLANS, Agents, Customers, Texts
from churnwatch.synthetic.contracts import CHANGES, sign
from churnwatch.synthetic.seasons import DAY, Floats, Ints, Seasons, Times
from churnwatch.synthetic.service import CHANNELS, escalate
from churnwatch.synthetic.surveys import Nonresponse, ask, survey_numbers
from churnwatch.synthetic.tastes import CATEGORIES, FEATURES, pick

WEST_INDONESIA = np.timedelta64(7 * 3_600, "s")  # Asia/Jakarta, all year round
NOT_YET = np.datetime64("NaT", "s")
TEST_ACCOUNTS = 3
REASON_SHARES = {
    1: (0.2, 0.45, 0.1, 0.15, 0.1),
    2: (0.25, 0.15, 0.25, 0.15, 0.2),
    3: (0.05, 0.0, 0.6, 0.2, 0.15),
}


@dataclass(frozen=True)
class Built:
    """All raw ``tables`` by file name; beside them when each customer ``cancelled`` and when the contract ``ended``,
    and the surveys as they were ``asked`` (see ``surveys.ask``), in the order of their table.
    """

    tables: dict[str, pa.Table]
    cancelled: Times
    ended: Times
    asked: dict[str, np.ndarray]


def build_tables(
    rng: np.random.Generator,
    seasons: Seasons,
    agents: Agents,
    customers: Customers,
    doings: Doings,
    nonresponse: Nonresponse = "mild",
) -> Built:
    """All raw tables and what they were made of.

    What came later draws from generators of its own, so that everything else stays as it was for a seed.
    """
    of_contracts, of_tickets, of_usage, of_purchases = rng.spawn(4)
    cancelled, ended = departures(rng, seasons, customers, doings)
    number = np.array([f"C{row:06d}" for row in range(1, customers.size + 1)], dtype=object)
    span = (customers.started, np.where(np.isnat(ended), seasons.end, ended))

    usage_at, usage_by = _stream(rng, seasons, "usage", doings.streams["usage"], span)
    tickets, ticket_closed = _tickets(rng, of_tickets, seasons, agents, customers, doings, number, span)
    used = (usage_at, usage_by)
    surveys = ask(rng, seasons, customers, doings, cancelled, span[1], used, ticket_closed, nonresponse)
    tables = {
        "customers.csv": _customers(customers, number, ended, seasons),
        "agents.csv": _agents(agents),
        "tickets.csv": tickets,
        "visits.csv": _visits(rng, seasons, doings, number, span),
        "purchases.csv": _purchases(rng, of_purchases, seasons, customers, doings, number, span),
        "usage.parquet": _usage(rng, of_usage, seasons, doings, usage_at, usage_by, number),
        "payments.csv": _payments(rng, seasons, customers, doings, number, span),
        "cancellations.csv": _cancellations(rng, customers, doings, number, cancelled, ended),
        "surveys.csv": _surveys(rng, customers, surveys, number, ticket_closed["ticket"]),
        "contracts.csv": _contracts(of_contracts, seasons, customers, doings, number, cancelled, span[1]),
    }
    return Built(tables, cancelled, ended, surveys)


def departures(rng: np.random.Generator, seasons: Seasons, customers: Customers, doings: Doings) -> tuple[Times, Times]:
    """When each customer cancelled and when the contract ended: with the month, a week's notice at least."""
    cancelled = np.full(customers.size, NOT_YET)
    rows = np.flatnonzero(doings.cancelled >= 0)
    cancelled[rows] = seasons.times(rng, "contact", doings.cancelled[rows])
    cancelled[cancelled >= seasons.end] = NOT_YET
    return cancelled, end_of_service(cancelled)


def end_of_service(cancelled: Times) -> Times:
    """With the month, a week's notice at least; NaT where nobody cancelled."""
    month = (cancelled + np.timedelta64(7 * DAY, "s")).astype("datetime64[M]") + np.timedelta64(1, "M")
    return month.astype("datetime64[s]")


def _stream(
    rng: np.random.Generator,
    seasons: Seasons,
    stream: str,
    events: tuple[Ints, Ints],
    span: tuple[Times, Times],
) -> tuple[Times, Ints]:
    """Times and customers of a stream's events, in order of time, within each customer's contract."""
    week, customer = events
    at = seasons.times(rng, stream, week)
    kept = (at >= span[0][customer]) & (at < np.minimum(span[1][customer], seasons.end))
    at, customer = at[kept], customer[kept]
    order = np.lexsort((customer, at))
    return at[order], customer[order]


def _customers(customers: Customers, number: Texts, ended: Times, seasons: Seasons) -> pa.Table:
    # Billing fills in the end when the contract has ended, not before.
    end = np.where(ended < seasons.end, ended, NOT_YET)
    tests = range(1, TEST_ACCOUNTS + 1)
    first_day = customers.started.min()
    return pa.table(
        {
            "customer_no": [*number, *(f"TEST-{test}" for test in tests)],
            "full_name": [*customers.name, *(f"Test account {test}" for test in tests)],
            "email": [*customers.email, *(f"test{test}@internal.example" for test in tests)],
            "phone": [*customers.phone, *(None for _ in tests)],
            "plan": [*(PLANS[plan] for plan in customers.plan), *("business" for _ in tests)],
            "monthly_fee_idr": pa.array(np.concatenate([customers.fee, np.zeros(len(tests))]).astype(np.int64)),
            "language": [*customers.language, *("en" for _ in tests)],
            "account_manager": [*(_agent(row) for row in customers.owner), *(_agent(0) for _ in tests)],
            "signed_up": pa.array(np.concatenate([customers.started, np.repeat(first_day, len(tests))])),
            "contract_end": pa.array(np.concatenate([end, np.repeat(NOT_YET, len(tests))])),
            "may_contact": [
                *("no" if stop else "yes" for stop in customers.do_not_contact),
                *("no" for _ in tests),
            ],
        }
    )


def _agents(agents: Agents) -> pa.Table:
    return pa.table(
        {
            "agent_no": [_agent(row) for row in range(agents.size)],
            "full_name": list(agents.name),
            "email": list(agents.email),
            "language": list(agents.language),
            "daily_capacity": pa.array(agents.capacity),
            "away_from": pa.array(agents.away_from),
            "away_to": pa.array(agents.away_to),
            "team_lead": [_agent(lead) if lead >= 0 else None for lead in agents.lead],
        }
    )


def _tickets(
    rng: np.random.Generator,
    own: np.random.Generator,
    seasons: Seasons,
    agents: Agents,
    customers: Customers,
    doings: Doings,
    number: Texts,
    span: tuple[Times, Times],
) -> tuple[pa.Table, dict[str, np.ndarray]]:
    """The ticket table, and for the surveys each resolved ticket's time, number, customer and quality, and each
    complaint's time and customer.
    """
    told = doings.tickets
    opened = seasons.times(rng, "contact", doings.ticket_weeks)
    until = np.minimum(span[1][told.customer], seasons.end)
    kept = (opened >= span[0][told.customer]) & (opened < until)
    order = np.flatnonzero(kept)[np.lexsort((told.customer[kept], opened[kept]))]
    feeling = doings.stood(seasons, opened, told.customer).feeling
    opened, until, customer = opened[order], until[order], told.customer[order]

    def after(hours: Floats) -> Times:
        seconds = np.maximum(np.nan_to_num(hours[order]) * 3_600, 30).astype("timedelta64[s]")
        at = np.where(np.isnan(hours[order]), NOT_YET, opened + seconds)
        return np.where(at < until, at, NOT_YET)

    answered = after(told.response_minutes / 60)
    resolved = after(told.resolution_hours)
    complaint = told.complaint[order]
    subject = np.array(
        [[words.SUBJECTS[language][kind] for kind in ("question", "complaint")] for language in ("en", "id")],
        dtype=object,
    )
    topic = told.topic[order]
    ticket = np.array([f"K{row:07d}" for row in range(1, order.size + 1)], dtype=object)
    stood = doings.stood(seasons, opened, customer)
    table = pa.table(
        {
            "ticket_no": ticket,
            "customer_no": number[customer],
            "opened": pa.array(opened),
            "channel": np.array(CHANNELS, dtype=object)[told.channel[order]],
            "type": np.where(complaint, "complaint", "question").astype(object),
            "category": np.array(words.TOPICS, dtype=object)[topic],
            "agent_no": np.array([_agent(row) for row in range(agents.size)], dtype=object)[told.agent[order]],
            "first_response": pa.array(answered),
            "handed_over": pa.array(after(told.handoff_hours)),
            "resolved": pa.array(resolved),
            "reopened": pa.array(after(told.reopened_hours)),
            "resolved_again": pa.array(after(told.resolved_again_hours)),
            "subject": subject[(customers.language[customer] == "id").astype(int), complaint.astype(int), topic],
            "escalated": pa.array(after(escalate(own, told, feeling, customers.vocal[told.customer]))),
            "message": messages.write(own, customers, customer, complaint, topic, stood),
        }
    )
    # Rough edges: tickets of the test accounts, and a time typed by hand.
    times = ("opened", "first_response", "handed_over", "resolved", "reopened", "resolved_again", "escalated")
    table = _as_text(table, times)
    table = _with_copies(table, rng, max(2, order.size // 1_500), {"customer_no": "TEST-1"}, "ticket_no", "KT")
    table = _with_copies(table, rng, _few(order.size), {"opened": "yesterday, about noon"}, "ticket_no", "KX")
    done = ~np.isnat(resolved)
    quality = told.quality[order] + np.where(complaint, -0.3, 0.0)
    return table, {
        "at": resolved[done],
        "ticket": ticket[done],
        "customer": customer[done],
        "quality": quality[done],
        "complained": opened[complaint],
        "complained_by": customer[complaint],
    }


def _visits(
    rng: np.random.Generator, seasons: Seasons, doings: Doings, number: Texts, span: tuple[Times, Times]
) -> pa.Table:
    at, customer = _stream(rng, seasons, "visit", doings.streams["visit"], span)
    online_at, online_by = _stream(rng, seasons, "self_service", doings.streams["self_service"], span)
    place = np.concatenate([np.full(at.size, "branch", object), np.full(online_at.size, "help_centre", object)])
    at, customer = np.concatenate([at, online_at]), np.concatenate([customer, online_by])
    topic = np.array(words.TOPICS, dtype=object)[rng.integers(0, len(words.TOPICS), at.size)]
    order = np.lexsort((customer, at))
    return pa.table(
        {
            "visit_no": [f"V{row:07d}" for row in range(1, at.size + 1)],
            "customer_no": number[customer[order]],
            "visited": pa.array(at[order]),
            "place": place[order],
            "category": topic[order],
        }
    )


def _purchases(
    rng: np.random.Generator,
    own: np.random.Generator,
    seasons: Seasons,
    customers: Customers,
    doings: Doings,
    number: Texts,
    span: tuple[Times, Times],
) -> pa.Table:
    at, customer = _stream(rng, seasons, "purchase", doings.streams["purchase"], span)
    amount = np.round(customers.fee[customer] ** 0.85 * np.exp(rng.normal(1.2, 0.7, at.size)), -3)
    draw = rng.random(at.size)
    state = np.where(draw < 0.05, "cancelled", np.where(draw < 0.09, "draft", "paid")).astype(object)
    dropped = at + rng.integers(1_800, 6 * DAY, at.size).astype("timedelta64[s]")
    late = dropped >= np.minimum(span[1][customer], seasons.end)
    state[late & (state == "cancelled")] = "paid"
    engagement = doings.stood(seasons, at, customer).engagement
    category = np.array(CATEGORIES, dtype=object)[pick(own, len(CATEGORIES), customer, customers.size, engagement)]
    category[own.random(at.size) < 0.01] = None  # the till asks for it, and lets one go on without
    table = pa.table(
        {
            "order_no": [f"P{row:07d}" for row in range(1, at.size + 1)],
            "customer_no": number[customer],
            "ordered": pa.array(at),
            "amount_idr": [str(int(one)) for one in amount],
            "state": state,
            "cancelled": pa.array(np.where(state == "cancelled", dropped, NOT_YET)),
            "category": category,
        }
    )
    return _with_copies(table, rng, _few(at.size), {"amount_idr": "n/a"}, "order_no", "PX")


def _usage(
    rng: np.random.Generator,
    own: np.random.Generator,
    seasons: Seasons,
    doings: Doings,
    at: Times,
    customer: Ints,
    number: Texts,
) -> pa.Table:
    feature = pick(own, len(FEATURES), customer, len(number), doings.stood(seasons, at, customer).engagement)
    # The product counts in UTC, unlike the office systems; the test accounts' sessions are in it too.
    tests = max(3, at.size // 3_000)
    at = np.concatenate([at, rng.choice(at, tests)])
    names = pa.array([*number, "TEST-2"])
    customer = np.concatenate([customer, np.full(tests, len(number))])
    feature = np.concatenate([feature, own.integers(0, len(FEATURES), tests)])
    order = np.lexsort((customer, at))
    minutes = np.round(np.exp(rng.normal(3.0, 0.7, at.size)), 1)
    return pa.table(
        {
            "session_id": pa.array(np.arange(1, at.size + 1)),
            "customer_no": names.take(pa.array(customer[order])),
            "started": pa.array((at[order] - WEST_INDONESIA).astype("datetime64[us]")).cast(
                pa.timestamp("us", tz="UTC")
            ),
            "minutes": pa.array(minutes),
            "feature": pa.array(FEATURES).take(pa.array(feature[order])),
        }
    )


def _payments(
    rng: np.random.Generator,
    seasons: Seasons,
    customers: Customers,
    doings: Doings,
    number: Texts,
    span: tuple[Times, Times],
) -> pa.Table:
    at, customer = _stream(rng, seasons, "self_service", doings.failures, span)
    reasons = np.array(["card expired", "insufficient funds", "declined by bank"], dtype=object)
    return pa.table(
        {
            "payment_no": [f"F{row:06d}" for row in range(1, at.size + 1)],
            "customer_no": number[customer],
            "failed": pa.array(at),
            "amount_idr": pa.array(customers.fee[customer].astype(np.int64)),
            "reason": reasons[rng.integers(0, 3, at.size)],
        }
    )


def _cancellations(
    rng: np.random.Generator,
    customers: Customers,
    doings: Doings,
    number: Texts,
    cancelled: Times,
    ended: Times,
) -> pa.Table:
    rows = np.flatnonzero(~np.isnat(cancelled))
    rows = rows[np.lexsort((rows, cancelled[rows]))]
    channel = np.array(["phone", "email", "self_service"], dtype=object)[rng.integers(0, 3, rows.size)]
    draw = rng.random(rows.size)
    said = np.zeros(rows.size, dtype=np.int64)
    for manner, shares in REASON_SHARES.items():
        mine = doings.manner[rows] == manner
        said[mine] = np.searchsorted(np.cumsum(shares)[:-1], draw[mine], side="right")
    return pa.table(
        {
            "cancellation_no": [f"X{row:05d}" for row in range(1, rows.size + 1)],
            "customer_no": number[rows],
            "received": pa.array(cancelled[rows]),
            "service_ends": pa.array(ended[rows].astype("datetime64[D]")),
            "channel": channel,
            "reason": [
                words.CANCELLATION_REASONS[language][reason]
                for language, reason in zip(customers.language[rows], said, strict=True)
            ],
        }
    )


def _surveys(
    rng: np.random.Generator, customers: Customers, asked: dict[str, np.ndarray], number: Texts, ticket: Texts
) -> pa.Table:
    customer, score, mood = asked["customer"], asked["score"], asked["mood"]
    answered = ~np.isnat(asked["answered"])
    say = rng.integers(0, 5, customer.size)
    comment = [
        words.COMMENTS[language][feeling][which] if there else None
        for language, feeling, which, there in zip(customers.language[customer], mood, say, answered, strict=True)
    ]
    table = pa.table(
        {
            "survey_no": survey_numbers(customer.size),
            "customer_no": number[customer],
            "survey": asked["survey"],
            "sent": pa.array(asked["sent"]),
            "answered": pa.array(asked["answered"]),
            "score": pa.array(score, mask=~answered),
            "comment": comment,
            "ticket_no": np.where(asked["ticket"] >= 0, ticket[asked["ticket"]], None),
        }
    )
    # A paper form typed in wrongly: 11 on a scale that ends at 10.
    sound = table.filter(pa.array(answered & (asked["survey"] == "NPS")))
    wrong = _copies(sound, rng, min(_few(customer.size), sound.num_rows), {"score": 11}, "survey_no", "SX")
    return pa.concat_tables([table, wrong])


def _contracts(
    rng: np.random.Generator,
    seasons: Seasons,
    customers: Customers,
    doings: Doings,
    number: Texts,
    cancelled: Times,
    until: Times,
) -> pa.Table:
    told = sign(rng, seasons, customers, doings, cancelled, np.minimum(until, seasons.end))
    table = pa.table(
        {
            "contract_no": [f"N{row:06d}" for row in range(1, told.customer.size + 1)],
            "customer_no": number[told.customer],
            "signed": pa.array(told.signed),
            "entered": pa.array(told.entered),
            "begins": pa.array(told.begins),
            "ends": pa.array(told.ends),
            "plan": np.array(PLANS, dtype=object)[told.plan],
            "monthly_fee_idr": pa.array(told.fee.astype(np.int64)),
            "change": np.array(CHANGES, dtype=object)[told.change],
        }
    )
    # Rough edges: offers nobody signed yet are rows as well; a test account's; a day that no month has.
    table = _as_text(table, ("begins", "ends"))
    signed = table.filter(pa.array(~np.isnat(told.signed)))
    tests = _copies(signed, rng, 2, {"customer_no": "TEST-3"}, "contract_no", "NT")
    wrong = _copies(signed, rng, _few(signed.num_rows), {"ends": "2026-02-30"}, "contract_no", "NX")
    return pa.concat_tables([table, tests, wrong])


def _agent(row: int) -> str:
    return f"A{row + 1:03d}"


def _few(rows: int) -> int:
    return max(1, min(4, rows // 4_000))


def _as_text(table: pa.Table, columns: tuple[str, ...]) -> pa.Table:
    for column in columns:
        table = table.set_column(table.column_names.index(column), column, table[column].cast(pa.string()))
    return table


def _with_copies(
    table: pa.Table, rng: np.random.Generator, count: int, changes: dict[str, object], key: str, prefix: str
) -> pa.Table:
    return pa.concat_tables([table, _copies(table, rng, min(count, table.num_rows), changes, key, prefix)])


def _copies(
    table: pa.Table, rng: np.random.Generator, count: int, changes: dict[str, object], key: str, prefix: str
) -> pa.Table:
    """A few rows again under ids of their own, with some columns changed."""
    chosen = table.take(pa.array(np.sort(rng.choice(table.num_rows, count, replace=False))))
    changes = {
        key: [f"{prefix}{row}" for row in range(1, count + 1)],
        **{k: [v] * count for k, v in changes.items()},
    }
    for column, values in changes.items():
        at = table.column_names.index(column)
        chosen = chosen.set_column(at, column, pa.array(values).cast(table.schema.field(column).type))
    return chosen
