"""The simulated company: repeatable, consistent with its truth, and with the rough edges of a real one."""

from __future__ import annotations

import hashlib
import re
from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from ruamel.yaml import YAML

from churnwatch.errors import UsageError
from churnwatch.project import load_project
from churnwatch.sources import load
from churnwatch.spec import Deployment, Outreach, Playbook, Sources, Tracking
from churnwatch.synthetic import Summary, messages, simulate
from churnwatch.synthetic.contracts import month_later
from churnwatch.synthetic.persuasion import ACTIONS
from churnwatch.synthetic.surveys import Nonresponse, _scores, nps_chances
from churnwatch.synthetic.tastes import CATEGORIES, FEATURES, pick

ROOT = Path(__file__).parents[1]
START, END = pd.Timestamp("2025-01-01"), pd.Timestamp("2026-07-01")
FILES = {
    "customers.csv",
    "agents.csv",
    "tickets.csv",
    "visits.csv",
    "purchases.csv",
    "usage.parquet",
    "payments.csv",
    "cancellations.csv",
    "surveys.csv",
    "contracts.csv",
}
STEPS = ["first_response", "handed_over", "escalated", "resolved", "reopened", "resolved_again"]
# What 200 customers of seed 3 were before contracts, messages, features and categories came to them: the columns there
# were then, and a digest of each.
BEFORE = {
    "data/customers.csv": (11, "c2f83d0b32ed2235"),
    "data/agents.csv": (8, "427dbe26f2ba533f"),
    "data/tickets.csv": (13, "55bc914e1bcc8802"),
    "data/visits.csv": (5, "602586d63d0ec3cb"),
    "data/purchases.csv": (6, "c74e31ba31155509"),
    "data/usage.parquet": (4, "a4c800d0d1458e17"),
    "data/payments.csv": (5, "1699b7b71d07afef"),
    "data/cancellations.csv": (6, "0ae8e8a41f2e3acb"),
    "data/surveys.csv": (7, "404b474d903154e8"),
    "truth/customers.parquet": (9, "4624475686e70591"),
    "truth/effects.parquet": (4, "bcfac3272fffaedc"),
    "truth/satisfaction.parquet": (4, "b3415ba027a77dfa"),
}


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Summary]:
    directory = tmp_path_factory.mktemp("company")
    return directory, simulate(directory, customers=2000, seed=7)


@pytest.fixture(scope="module")
def data(company: tuple[Path, Summary]) -> dict[str, pd.DataFrame]:
    """Raw tables by name, test accounts and the rows that are wrong on purpose left out, times parsed."""
    folder = company[0] / "data"
    tables = {path.stem: pd.read_csv(path) for path in folder.glob("*.csv")}
    tables["usage"] = pd.read_parquet(folder / "usage.parquet")
    tables = {
        name: table[~table["customer_no"].str.startswith("TEST")] if "customer_no" in table else table
        for name, table in tables.items()
    }
    tables["tickets"] = tables["tickets"][~tables["tickets"]["ticket_no"].str.startswith("KX")]
    tables["surveys"] = tables["surveys"][~tables["surveys"]["survey_no"].str.startswith("SX")]
    tables["contracts"] = tables["contracts"][~tables["contracts"]["contract_no"].str.startswith("NX")]
    local = tables["usage"]["started"].dt.tz_convert("Asia/Jakarta").dt.tz_localize(None)
    tables["usage"] = tables["usage"].assign(started=local)
    times = {
        "customers": ["signed_up", "contract_end"],
        "tickets": ["opened", *STEPS],
        "visits": ["visited"],
        "purchases": ["ordered", "cancelled"],
        "payments": ["failed"],
        "cancellations": ["received", "service_ends"],
        "surveys": ["sent", "answered"],
        "contracts": ["signed", "entered", "begins", "ends"],
    }
    for name, columns in times.items():
        tables[name] = tables[name].assign(**{column: pd.to_datetime(tables[name][column]) for column in columns})
    return tables


@pytest.fixture(scope="module")
def truth(company: tuple[Path, Summary]) -> dict[str, pd.DataFrame]:
    return {path.stem: pd.read_parquet(path) for path in (company[0] / "truth").glob("*.parquet")}


def _events(data: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """Every dated event of a customer as (customer_no, at), whatever it is."""
    dated = [("visits", ["visited"]), ("purchases", ["ordered", "cancelled"]), ("usage", ["started"])]
    dated += [("payments", ["failed"]), ("cancellations", ["received"]), ("surveys", ["sent", "answered"])]
    dated += [("tickets", ["opened", *STEPS])]
    parts = [
        data[name][["customer_no", column]].rename(columns={column: "at"}).dropna()
        for name, columns in dated
        for column in columns
    ]
    return pd.concat(parts)


def _bytes_of(directory: Path) -> dict[str, str]:
    files = sorted(path for path in directory.rglob("*") if path.is_file())
    return {str(path.relative_to(directory)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def test_the_same_seed_writes_the_same_bytes_and_another_seed_others(tmp_path: Path) -> None:
    for name, seed in (("one", 3), ("two", 3), ("other", 4)):
        simulate(tmp_path / name, customers=50, seed=seed)
    one, two, other = (_bytes_of(tmp_path / name) for name in ("one", "two", "other"))
    assert one == two
    assert [] == [name for name in one if one[name] == other[name]]


def test_what_came_later_changed_nothing_that_was_there(tmp_path: Path) -> None:
    """Contracts, messages, features and categories draw from generators of their own."""
    simulate(tmp_path, customers=200, seed=3)

    def digest(path: Path, columns: int) -> str:
        if path.suffix == ".csv":
            table = pd.read_csv(path, dtype=str, keep_default_na=False)
        else:
            table = pd.read_parquet(path)
            # The last bits of a number hang on the machine.
            table = table.assign(**{name: table[name].round(3) for name in table.select_dtypes("number")})
        if "action" in table:
            table = table[~table["action"].isin(["explain_price", "renew"])]  # they came to the playbook later
        return hashlib.sha256(table.iloc[:, :columns].to_csv(index=False).encode()).hexdigest()[:16]

    assert {name: before for name, (_, before) in BEFORE.items()} == {
        name: digest(tmp_path / name, columns) for name, (columns, _) in BEFORE.items()
    }


def test_fifty_customers_are_enough_for_every_file(tmp_path: Path) -> None:
    summary = simulate(tmp_path, customers=50, seed=1)
    assert FILES == set(summary.rows) == {path.name for path in (tmp_path / "data").iterdir()}
    assert [] == [name for name, rows in summary.rows.items() if rows == 0]
    known = {path.name for path in (tmp_path / "truth").iterdir()}
    assert {"customers.parquet", "satisfaction.parquet", "effects.parquet", "surveys.parquet", "nps.parquet"} == known


def test_the_period_follows_start_and_months(tmp_path: Path) -> None:
    summary = simulate(tmp_path, customers=60, seed=1, start=date(2024, 11, 15), months=3)
    assert (date(2024, 11, 15), date(2025, 2, 15)) == (summary.start, summary.end)
    opened = pd.to_datetime(pd.read_csv(tmp_path / "data" / "visits.csv")["visited"])
    assert pd.Timestamp("2024-11-15") <= opened.min() < pd.Timestamp("2024-11-22")
    assert pd.Timestamp("2025-02-08") <= opened.max() < pd.Timestamp("2025-02-15")


@pytest.mark.parametrize(("arguments", "where"), [({"customers": 49}, "customers"), ({"months": 0}, "months")])
def test_too_small_a_company_is_refused_before_anything_is_written(
    tmp_path: Path, arguments: dict[str, int], where: str
) -> None:
    with pytest.raises(UsageError, match=f"^{where}: ") as refused:
        simulate(tmp_path / "demo", **arguments)  # type: ignore[arg-type]
    assert refused.value.allowed
    assert not (tmp_path / "demo").exists()


def test_progress_is_told_to_the_end(tmp_path: Path) -> None:
    told: list[tuple[str, int, int]] = []
    simulate(tmp_path, customers=50, seed=1, report=lambda step, done, total: told.append((step, done, total)))
    assert [("simulate weeks", 78, 78), ("write files", 15, 15)] == [one for one in told if one[1] == one[2]]


def test_cancellations_and_truth_name_the_same_customers_at_the_same_time(
    data: dict[str, pd.DataFrame], truth: dict[str, pd.DataFrame], company: tuple[Path, Summary]
) -> None:
    said = data["cancellations"].set_index("customer_no")["received"]
    true = truth["customers"].set_index("customer_id")
    left = true["cancelled_at"].dropna()
    assert said.index.is_unique
    assert said.sort_index().to_dict() == left.sort_index().to_dict()
    assert set(left.index) == set(true.index[true["leaves"]])
    assert company[1].cancellations == len(said)


def test_a_contract_ends_with_a_month_after_the_cancellation_and_is_told_only_then(
    data: dict[str, pd.DataFrame], truth: dict[str, pd.DataFrame]
) -> None:
    true = truth["customers"].dropna(subset="cancelled_at").set_index("customer_id")
    notice = true["ended_at"] - true["cancelled_at"]
    assert pd.Timedelta(0) < notice.min()
    assert notice.max() < pd.Timedelta(days=40)
    assert (true["ended_at"] == true["ended_at"].dt.to_period("M").dt.start_time).all()
    told = data["customers"].set_index("customer_no")["contract_end"].dropna()
    ended = true["ended_at"][true["ended_at"] < END]
    assert ended.sort_index().to_dict() == told.sort_index().to_dict()


def test_nothing_happens_before_the_start_after_the_end_or_outside_the_data(
    data: dict[str, pd.DataFrame], truth: dict[str, pd.DataFrame]
) -> None:
    events = _events(data)
    started = data["customers"].set_index("customer_no")["signed_up"]
    ended = truth["customers"].set_index("customer_id")["ended_at"].fillna(END).clip(upper=END)
    assert set(events["customer_no"]) <= set(started.index)
    at = events["at"].to_numpy()
    assert (at >= started[events["customer_no"]].to_numpy()).all()
    assert (at < ended[events["customer_no"]].to_numpy()).all()
    assert START <= events["at"].min()
    assert events["at"].max() < END


def test_behaviour_fades_after_the_cancellation_and_does_not_stop_at_once(
    data: dict[str, pd.DataFrame],
) -> None:
    usage = data["usage"].merge(data["cancellations"], on="customer_no")
    days = (usage["started"] - usage["received"]) / pd.Timedelta(days=1)
    before = days.between(-7, 0).sum()
    assert 0 < days.between(0, 7).sum() < before


def test_the_steps_of_a_ticket_come_in_order(data: dict[str, pd.DataFrame]) -> None:
    tickets = data["tickets"]
    answered = tickets["first_response"].notna()
    assert (tickets["first_response"] > tickets["opened"])[answered].all()
    for earlier, later in (
        ("opened", "resolved"),
        ("first_response", "resolved"),
        ("first_response", "handed_over"),
        ("resolved", "reopened"),
        ("reopened", "resolved_again"),
    ):
        both = tickets.dropna(subset=[earlier, later])
        assert len(both) > 50
        assert (both[later] >= both[earlier]).all(), (earlier, later)
    assert 0 == (tickets["reopened"].notna() & tickets["resolved"].isna()).sum()
    assert {"phone", "email", "chat", "social"} == set(tickets["channel"])


def test_a_case_is_passed_up_while_it_is_open_and_rather_where_service_is_slow(data: dict[str, pd.DataFrame]) -> None:
    tickets = data["tickets"]
    up = tickets["escalated"].notna()
    assert (tickets["escalated"] >= tickets["opened"])[up].all()
    assert (tickets["escalated"] <= tickets["resolved"].fillna(END))[up].all()
    complaint, handed = tickets["type"] == "complaint", tickets["handed_over"].notna()
    hours = (tickets["resolved"].fillna(END) - tickets["opened"]) / pd.Timedelta(hours=1)
    assert 0.08 < up[complaint].mean() < 0.20
    assert up[complaint].mean() > 4 * up[~complaint].mean() > 0
    assert up[complaint & handed].mean() > 1.3 * up[complaint & ~handed].mean()
    assert up[complaint & (hours > 48)].mean() > 3 * up[complaint & (hours < 12)].mean()


def test_messages_are_short_and_in_the_customers_language(data: dict[str, pd.DataFrame]) -> None:
    tickets = data["tickets"]
    language = tickets["customer_no"].map(data["customers"].set_index("customer_no")["language"])
    patterns = {spoken: _sentences(spoken) for spoken in ("en", "id")}
    for spoken, known in patterns.items():
        assert len(known) >= 60
        said = tickets["message"][language == spoken].drop_duplicates().map(lambda one: re.split(r"(?<=[.!?]) ", one))
        assert {1, 2, 3} == set(said.map(len))
        assert known >= {re.sub(r"\b[2-9]\b", "{n}", sentence) for one in said for sentence in one}
    assert not patterns["en"] & patterns["id"]
    assert tickets["message"].str.len().max() < 200


def test_words_follow_how_the_customer_stands_and_prove_nothing(
    data: dict[str, pd.DataFrame], truth: dict[str, pd.DataFrame]
) -> None:
    true = truth["customers"].rename(columns={"type": "type_of_customer"})
    tickets = data["tickets"].merge(true, left_on="customer_no", right_on="customer_id")

    def says(texts: dict[str, tuple[str, ...]]) -> pd.Series:
        return tickets["message"].str.contains("|".join(re.escape(one) for some in texts.values() for one in some))

    leaving, rivals, anger, denies = map(says, (messages.LEAVING, messages.RIVALS, messages.ANGER, messages.DENIALS))
    complaint = tickets["type"] == "complaint"
    before = (tickets["cancelled_at"] - tickets["opened"]) / pd.Timedelta(days=1)
    last_weeks = (tickets["type_of_customer"] == "complains_and_leaves") & before.between(0, 42)
    stays = ~tickets["leaves"]
    # Of ten messages of those about to leave two or three say so, of those who stay one in thirty or fewer.
    assert 0.12 < leaving[last_weeks].mean() < 0.40
    assert 0.004 < leaving[stays].mean() < 0.035
    assert rivals[last_weeks].mean() > 2 * rivals[stays].mean() > 0
    assert anger[complaint].mean() > 8 * anger[~complaint].mean() > 0
    assert leaving[stays].sum() > 0.2 * leaving.sum()  # threats and second thoughts
    assert 0.01 < denies.mean() < 0.06


def test_a_survey_after_a_ticket_names_it(data: dict[str, pd.DataFrame]) -> None:
    surveys = data["surveys"].merge(data["tickets"], on="ticket_no", how="left", suffixes=("", "_of_ticket"))
    after = surveys["survey"].isin(["CSAT", "CES"])
    assert (surveys["ticket_no"].notna() == after).all()
    asked = surveys[after]
    assert (asked["customer_no"] == asked["customer_no_of_ticket"]).all()
    assert (asked["sent"] - asked["resolved"] == pd.Timedelta(hours=1)).all()
    assert asked["ticket_no"].is_unique


def test_some_tickets_wait_for_a_first_response_on_the_last_day(data: dict[str, pd.DataFrame]) -> None:
    waiting = data["tickets"]["first_response"].isna() & data["tickets"]["resolved"].isna()
    assert 5 <= waiting.sum() < 0.02 * len(waiting)


def test_everyone_has_favourites_and_silent_leavers_keep_to_them(
    data: dict[str, pd.DataFrame], truth: dict[str, pd.DataFrame]
) -> None:
    usage, true = data["usage"], truth["customers"].dropna(subset="cancelled_at")
    assert set(FEATURES) == set(usage["feature"])
    assert set(CATEGORIES) == set(data["purchases"]["category"].dropna())
    assert 0 < data["purchases"]["category"].isna().mean() < 0.02
    usage = usage.merge(true, left_on="customer_no", right_on="customer_id").query("type == 'silent_leaver'")
    weeks = (usage["cancelled_at"] - usage["started"]) / pd.Timedelta(days=7)
    usual = usage[weeks > 26].groupby("customer_no")["feature"].agg(lambda one: one.mode()[0])
    favourite = usage["feature"] == usage["customer_no"].map(usual)
    known = usage["customer_no"].isin(usual.index)
    assert favourite[known & weeks.between(0, 6)].mean() > favourite[known & weeks.between(14, 26)].mean() + 0.05


def test_the_next_favourite_is_chosen_as_often_as_the_factor_says() -> None:
    """Nearly no breadth: the factor is at its least, 0.05; of two options the second gets 0.05 / 1.05 = 4.76 %."""
    one = np.zeros(100_000, dtype=np.int64)
    chosen = pick(np.random.default_rng(1), 2, one, 1, np.zeros(one.size))
    assert abs(0.0476 - np.bincount(chosen).min() / one.size) < 0.0025  # nearly four standard errors


def test_a_year_later_is_the_same_day_or_the_months_last() -> None:
    days = np.array(["2025-01-31", "2024-02-29", "2025-11-30", "2025-07-14"], dtype="datetime64[D]")
    later = month_later(days, np.array([1, 12, 3, 12]))
    assert ["2025-02-28", "2025-02-28", "2026-02-28", "2026-07-14"] == [str(day) for day in later]


def test_terms_last_a_year_or_a_month_whoever_leaves(
    data: dict[str, pd.DataFrame], truth: dict[str, pd.DataFrame]
) -> None:
    """The end of a term is written down when it is signed, and says nothing of a cancellation within it."""
    terms = _signed(data)
    assert (terms["begins"] < terms["ends"]).all()
    assert (terms["ends"] - terms["begins"]).max() < pd.Timedelta(days=366 + 92)
    first = terms[terms["change"] == "new"]
    days = (first["ends"] - first["begins"]).dt.days
    assert {28, 29, 30, 31, 365, 366} >= set(days)
    leaves = first["customer_no"].map(truth["customers"].set_index("customer_id")["leaves"])
    yearly = days > 31
    # 0.52 × 0.93 + 0.34 × 0.97 + 0.14 × 0.99 = 95.2 % of all begin with a year; monthly ones from before 2025 have
    # had a renewal, so that a few more of the first terms in the file are yearly.
    assert 0.935 < yearly.mean() < 0.99
    assert abs(yearly[leaves].mean() - yearly[~leaves].mean()) < 0.03


def test_nobody_signs_before_the_start_or_after_the_cancellation(
    data: dict[str, pd.DataFrame], truth: dict[str, pd.DataFrame]
) -> None:
    terms = _signed(data).merge(truth["customers"], left_on="customer_no", right_on="customer_id")
    started = data["customers"].set_index("customer_no")["signed_up"]
    missing = started.drop(terms["customer_no"].unique())
    assert (missing > END - pd.Timedelta(days=6)).all()  # the paper is still to be typed in
    assert (terms["signed"] >= terms["customer_no"].map(started)).all()
    assert (terms["signed"] < terms["cancelled_at"].fillna(END)).all()
    offers = data["contracts"][data["contracts"]["signed"].isna()]
    assert 0 < len(offers) < 0.02 * len(terms)
    assert not set(offers["customer_no"]) & set(data["cancellations"]["customer_no"])


def test_terms_are_known_when_typed_in_and_none_before_the_system_began(data: dict[str, pd.DataFrame]) -> None:
    terms = _signed(data)
    old = terms["signed"] < START
    assert (terms["entered"][old] == START).all()
    late = (terms["entered"] - terms["signed"])[~old]
    assert pd.Timedelta(0) == late.min()
    assert late.max() < pd.Timedelta(days=6)
    assert terms["entered"].max() < END
    yearly = (terms["ends"] - terms["begins"] > pd.Timedelta(days=31))[~old]
    assert 0.12 < (late[yearly] > pd.Timedelta(0)).mean() < 0.18  # 15 of a hundred, about 1,900 of them
    assert 0 == (late[~yearly] > pd.Timedelta(0)).sum()
    assert terms.sort_values(["signed", "contract_no"]).groupby("customer_no")["entered"].diff().min() >= pd.Timedelta(
        0
    )


def test_the_last_term_has_the_plan_and_fee_of_the_customers_record(data: dict[str, pd.DataFrame]) -> None:
    terms = _signed(data)
    last = terms[terms["begins"] < END].groupby("customer_no").tail(1).set_index("customer_no")
    record = data["customers"].set_index("customer_no").reindex(last.index)
    # But for a paper still to be typed in, and a term that began after the service had ended.
    assert (last["plan"] == record["plan"]).mean() > 0.995
    assert (last["monthly_fee_idr"] == record["monthly_fee_idr"]).mean() > 0.99


def test_a_change_of_plan_is_one_size_once_and_has_its_price(data: dict[str, pd.DataFrame]) -> None:
    terms = _signed(data)
    size = terms["plan"].map({"starter": 0, "team": 1, "business": 2})
    step = size.groupby(terms["customer_no"]).diff().fillna(0)
    assert {"upgrade": 1, "downgrade": -1, "new": 0, "renewal": 0} == {
        change: int(step[terms["change"] == change].iloc[0]) for change in terms["change"].unique()
    }
    assert 4 == len(set(zip(terms["change"], step, strict=True)))
    changes = terms[step != 0]
    assert changes["customer_no"].is_unique
    assert 0.02 < (step > 0).sum() / 2000 < 0.08
    assert 0.02 < (step < 0).sum() / 2000 < 0.08
    before = terms.groupby("customer_no")["monthly_fee_idr"].shift()
    assert (terms["monthly_fee_idr"] > before)[step > 0].all()
    assert (terms["monthly_fee_idr"] < before)[step < 0].all()


def test_prices_rise_at_some_yearly_renewals(data: dict[str, pd.DataFrame]) -> None:
    """Expected of all customers: 0.10 + 0.85 × the mean of 1 − exp(−pain / 0.35).

    Pain is exponential with mean 0.325, 0.25, 0.125 by plan: 1 − 1 / (1 + mean / 0.35) = 0.481, 0.417, 0.263, by the
    plans' shares 0.52, 0.34, 0.14 together 0.429: 46 of a hundred. Whom the price hurts renews a little less often.
    """
    terms = _signed(data)
    before = terms.groupby("customer_no")[["plan", "monthly_fee_idr"]].shift()
    yearly = (terms["ends"] - terms["begins"] > pd.Timedelta(days=31)) & (terms["change"] == "renewal")
    change = (terms["monthly_fee_idr"] / before["monthly_fee_idr"] - 1)[yearly & (terms["plan"] == before["plan"])]
    assert len(change) > 1000
    assert 0.38 < (change > 0).mean() < 0.52
    assert -0.06 < change.min() < 0
    assert 0.20 < change.max() < 0.26  # a quarter at most; fees are whole thousands
    assert 0.06 < change[change > 0].mean() < 0.13


def test_who_has_turned_puts_the_signature_off(data: dict[str, pd.DataFrame], truth: dict[str, pd.DataFrame]) -> None:
    """Some let the term run out; of those more leave. Nobody can be told by it alone: most leave within a term."""
    terms = _signed(data).merge(truth["customers"], left_on="customer_no", right_on="customer_id")
    last = terms.groupby("customer_no").tail(1)
    gone = last["cancelled_at"].notna()
    ran_out = last["ends"] < last["cancelled_at"].fillna(END)
    assert ran_out[gone].mean() > 2 * ran_out[~gone].mean() > 0
    assert ran_out[gone].mean() < 0.3


def _signed(data: dict[str, pd.DataFrame]) -> pd.DataFrame:
    return data["contracts"].dropna(subset="signed")


def _sentences(language: str) -> set[str]:
    topical = [one for told in (messages.QUESTIONS, messages.COMPLAINTS) for some in told[language] for one in some]
    others = (messages.LEAVING, messages.RIVALS, messages.ANGER, messages.DENIALS, messages.CLOSINGS)
    return {*topical, *(one for told in others for one in told[language])}


def test_some_surveys_are_answered_and_the_quiet_answer_less(data: dict[str, pd.DataFrame]) -> None:
    surveys = data["surveys"].assign(answered_it=data["surveys"]["answered"].notna())
    rates = surveys.groupby("survey")["answered_it"].mean()
    assert {"NPS", "CSAT", "CES"} == set(rates.index)
    assert rates.between(0.20, 0.35).all()
    sessions = data["usage"]["customer_no"].value_counts()
    busy = surveys["customer_no"].map(sessions).fillna(0) > sessions.median()
    assert surveys["answered_it"][busy].mean() > surveys["answered_it"][~busy].mean() + 0.05
    assert (surveys["score"].notna() == surveys["answered_it"]).all()
    assert (surveys["answered"] > surveys["sent"])[surveys["answered_it"]].all()
    scales = surveys.groupby("survey")["score"].agg(["min", "max"])
    assert {"NPS": 10, "CSAT": 5, "CES": 7} == scales["max"].astype(int).to_dict()
    assert {"NPS": 0, "CSAT": 1, "CES": 1} == {k: min(v, int(k != "NPS")) for k, v in scales["min"].items()}


def test_the_truth_of_surveys_is_what_answers_said_and_what_the_silent_would_have(
    data: dict[str, pd.DataFrame], truth: dict[str, pd.DataFrame]
) -> None:
    surveys, true = data["surveys"].set_index("survey_no"), truth["surveys"].set_index("survey_id")
    assert list(surveys.index) == list(true.index)
    assert (surveys["survey"].str.lower() == true["instrument"]).all()
    assert (surveys["customer_no"] == true["customer_id"]).all()
    assert (surveys["sent"] == true["sent_at"]).all()
    assert (surveys["answered"].notna() == true["answered"]).all()
    answered = true["answered"]
    assert (surveys["score"][answered] == true["score"][answered]).all()
    assert true["score"].notna().all()
    lowest, highest = (true.groupby("instrument")["score"].agg(how).to_dict() for how in ("min", "max"))
    assert ({"nps": 10, "csat": 5, "ces": 7}, {"csat": 1, "ces": 1}) == (
        highest,
        {k: lowest[k] for k in ("csat", "ces")},
    )


def test_the_truth_of_nps_is_what_those_asked_last_would_have_said(truth: dict[str, pd.DataFrame]) -> None:
    """Of everybody still there, and no score beside the chances: those asked in the last weeks agree on average."""
    nps, surveys = truth["nps"].set_index("customer_id"), truth["surveys"]
    assert set(truth["customers"]["customer_id"][~truth["customers"]["leaves"]]) == set(nps.index)
    last = surveys[(surveys["instrument"] == "nps") & (surveys["sent_at"] >= END - pd.Timedelta(days=28))]
    asked = nps.reindex(last["customer_id"])
    there = asked["score"].notna().to_numpy()
    told, said = asked[there], last["score"][there]
    # 4 standard errors of about 150 scores.
    assert said.mean() == pytest.approx(told["score"].mean(), abs=0.7)
    assert (said >= 9).mean() == pytest.approx(told["promoter"].mean(), abs=0.15)
    assert (said <= 6).mean() == pytest.approx(told["detractor"].mean(), abs=0.15)


def test_the_chances_of_a_score_are_those_of_the_scores_given() -> None:
    """By hand, at the usual satisfaction: 7.6 + 1.5 z rounds to 9 or more where z >= 0.6, to 6 or less below -0.733."""
    [chances] = nps_chances(np.array([0.0]))
    assert 1.0 == pytest.approx(chances.sum())
    assert 0.2743 == pytest.approx(chances[9:].sum(), abs=1e-4)
    assert 0.2317 == pytest.approx(chances[:7].sum(), abs=1e-4)
    for feeling in (-2.0, 0.7):
        drawn = _scores(np.random.default_rng(1), np.full(40_000, "NPS"), np.full(40_000, feeling), np.zeros(1))
        shares = np.bincount(drawn, minlength=11) / 40_000
        assert shares == pytest.approx(nps_chances(np.array([feeling]))[0], abs=0.01)


@pytest.mark.parametrize(("nonresponse", "least", "most"), [("observed", 0.09, 0.16), ("latent", 0.13, 0.25)])
def test_another_silence_changes_who_answers_and_nothing_else(
    nonresponse: Nonresponse,
    least: float,
    most: float,
    tmp_path: Path,
    company: tuple[Path, Summary],
    truth: dict[str, pd.DataFrame],
) -> None:
    """The same surveys and scores, about as many answers, but happier ones than the mild silence leaves."""
    simulate(tmp_path, customers=2000, seed=7, nonresponse=nonresponse)
    mild, other = _bytes_of(company[0]), _bytes_of(tmp_path)
    assert {"data/surveys.csv", "truth/surveys.parquet"} == {name for name in mild if mild[name] != other[name]}
    before, after = truth["surveys"], pd.read_parquet(tmp_path / "truth" / "surveys.parquet")
    assert before.drop(columns="answered").equals(after.drop(columns="answered"))
    assert before["answered"].mean() == pytest.approx(after["answered"].mean(), abs=0.04)

    def too_happy(surveys: pd.DataFrame) -> float:
        csat = surveys[surveys["instrument"] == "csat"]
        return float(csat["score"][csat["answered"]].mean() - csat["score"].mean())

    assert 0.08 > abs(too_happy(before))
    assert least < too_happy(after) < most


def test_after_a_complaint_few_answer_where_silence_is_observed(tmp_path: Path) -> None:
    """Whoever complained in the three months before a survey answers it half as often as the others."""
    simulate(tmp_path, customers=1000, seed=7, nonresponse="observed")
    surveys = pd.read_parquet(tmp_path / "truth" / "surveys.parquet")
    tickets = pd.read_csv(tmp_path / "data" / "tickets.csv")
    complaints = tickets[(tickets["type"] == "complaint") & tickets["ticket_no"].str.startswith("K0")]
    both = surveys.merge(complaints, left_on="customer_id", right_on="customer_no")
    since = both["sent_at"] - pd.to_datetime(both["opened"])
    lately = both["survey_id"][(since > pd.Timedelta(0)) & (since <= pd.Timedelta(days=90))]
    answered = surveys["answered"].groupby(surveys["survey_id"].isin(lately)).mean()
    assert answered[True] < 0.55 * answered[False]


def test_every_kind_of_leaver_and_stayer_occurs(data: dict[str, pd.DataFrame], truth: dict[str, pd.DataFrame]) -> None:
    true = truth["customers"]
    shares = true["type"].value_counts(normalize=True)
    assert {
        "complains_and_leaves",
        "silent_leaver",
        "leaves_without_a_sign",
        "complains_and_stays",
        "steady",
    } == set(shares.index)
    assert shares.min() > 0.01
    complained = set(data["tickets"].query("type == 'complaint'")["customer_no"])
    by_type = true.groupby("type")["customer_id"].agg(set)
    assert by_type["complains_and_leaves"] <= complained
    assert by_type["complains_and_stays"] <= complained
    assert not by_type["steady"] & complained
    assert set(true["customer_id"][true["silent_leaver"]]) == by_type["silent_leaver"]
    assert (true["leaves"] == true["type"].isin(list(shares.index[shares.index.str.contains("lea")]))).all()


def test_silent_leavers_use_less_weeks_before_they_cancel(
    data: dict[str, pd.DataFrame], truth: dict[str, pd.DataFrame]
) -> None:
    true = truth["customers"].dropna(subset="cancelled_at")
    usage = data["usage"].merge(true, left_on="customer_no", right_on="customer_id")
    weeks = (usage["cancelled_at"] - usage["started"]) / pd.Timedelta(days=7)
    late, early = usage[weeks.between(0, 6)], usage[weeks.between(20, 26)]
    left = late["type"].value_counts() / early["type"].value_counts()
    assert left["silent_leaver"] < 0.35
    assert left["leaves_without_a_sign"] > 0.7


def test_risk_rises_before_a_cancellation_and_not_after(truth: dict[str, pd.DataFrame]) -> None:
    left = truth["customers"].query("leaves")
    assert left["risk_rose_at"].notna().all()
    assert (left["risk_rose_at"] < left["cancelled_at"]).all()
    assert left["risk_settled_at"].isna().all()


def test_churn_is_a_few_customers_in_a_hundred_every_month(
    data: dict[str, pd.DataFrame], truth: dict[str, pd.DataFrame]
) -> None:
    started = data["customers"]["signed_up"]
    cancelled = truth["customers"]["cancelled_at"]
    months = pd.date_range(START, END, freq="MS")
    there = [int((started < month).sum() - (cancelled < month).sum()) for month in months[:-1]]
    left = cancelled.groupby(cancelled.dt.to_period("M")).size()
    assert 18 == len(left)
    assert 0.015 <= (left.to_numpy() / there).mean() <= 0.025
    assert (started >= START).mean() > 0.2  # new customers keep arriving


def test_satisfaction_before_leaving_is_lower_than_usual(truth: dict[str, pd.DataFrame]) -> None:
    weeks = truth["satisfaction"].merge(truth["customers"], on="customer_id")
    last = weeks.groupby("customer_id").tail(1)
    assert last.groupby("type")["satisfaction"].mean()["complains_and_leaves"] < -0.2
    assert abs(weeks.query("type == 'steady'")["satisfaction"].mean()) < 0.4
    assert weeks.groupby("customer_id").size().max() == 78


def test_contacts_help_some_do_nothing_for_others_and_harm_a_few(truth: dict[str, pd.DataFrame]) -> None:
    effects = truth["effects"]
    there = set(truth["customers"].query("not leaves")["customer_id"])
    assert there == set(effects["customer_id"])
    assert set(ACTIONS) == set(effects["action"])
    assert len(there) * len(ACTIONS) == len(effects)
    assert effects["leaving"].between(0, 1).all()
    assert (effects["leaving"] + effects["effect"]).between(0, 1).all()
    assert 0.02 < effects.drop_duplicates("customer_id")["leaving"].mean() < 0.08
    assert (effects["effect"] < -0.05).any()
    assert (effects["effect"] == 0).any()
    assert (effects["effect"] > 0.01).any()


def test_weekends_lebaran_and_the_turn_of_the_year_are_quiet(data: dict[str, pd.DataFrame]) -> None:
    opened = data["tickets"]["opened"]
    by_weekday = opened.dt.day_of_week.value_counts()
    assert by_weekday[0] > 1.2 * by_weekday[4] > 5 * by_weekday[6]
    for quiet in ("2025-03-30", "2026-03-19", "2025-12-25"):
        first = pd.Timestamp(quiet)
        week = opened.between(first, first + pd.Timedelta(days=7)).sum()
        usual = opened.between(first - pd.Timedelta(days=35), first - pd.Timedelta(days=7)).sum() / 4
        assert week < 0.7 * usual, quiet
    assert opened.dt.hour.between(8, 17).mean() > 0.7


def test_customers_have_names_owners_and_ways_to_reach_them(data: dict[str, pd.DataFrame]) -> None:
    customers, agents = data["customers"], data["agents"].set_index("agent_no")
    assert 2000 == len(customers)
    assert customers["full_name"].str.match(r"^[A-Z][\w'-]+ [A-Z][\w'-]+$").all()
    assert customers["email"].dropna().str.match(r"^[a-z0-9.]+@([a-z]+\.example|example\.com)$").all()
    assert 0.9 < customers["email"].notna().mean() < 1
    assert 0.9 < customers["phone"].notna().mean() < 1
    assert 0.01 < (customers["may_contact"] == "no").mean() < 0.03
    assert {"starter", "team", "business"} == set(customers["plan"])
    assert 0.3 < (customers["language"] == "en").mean() < 0.5
    assert (customers["account_manager"].map(agents["language"]) == customers["language"]).all()
    assert 16 == len(agents)
    assert 2 == agents["team_lead"].isna().sum()
    assert agents["daily_capacity"].between(3, 8).all()
    assert set(agents["team_lead"].dropna()) <= set(agents.index)
    assert {"en", "id"} == set(agents["language"])


def test_interactions_are_few_enough_to_be_quick(data: dict[str, pd.DataFrame]) -> None:
    surveys = data["surveys"]
    events = len(_events(data)) - len(surveys) - surveys["answered"].notna().sum()
    assert 70 <= events / 2000 <= 120


def test_the_exports_have_rough_edges(company: tuple[Path, Summary]) -> None:
    folder = company[0] / "data"
    customers = pd.read_csv(folder / "customers.csv")
    assert 3 == customers["customer_no"].str.startswith("TEST-").sum()
    surveys = pd.read_csv(folder / "surveys.csv")
    purchases = pd.read_csv(folder / "purchases.csv", na_filter=False)
    tickets = pd.read_csv(folder / "tickets.csv")
    contracts = pd.read_csv(folder / "contracts.csv")
    assert 2 == contracts["customer_no"].str.startswith("TEST-").sum()
    for wrong, rows in (
        ((surveys["survey"] == "NPS") & (surveys["score"] > 10), len(surveys)),
        (purchases["amount_idr"] == "n/a", len(purchases)),
        (tickets["opened"].str.startswith("yesterday"), len(tickets)),
        (contracts["ends"] == "2026-02-30", len(contracts)),
    ):
        assert 1 <= wrong.sum() < 0.005 * rows
    assert "timestamp[us, tz=UTC]" == str(pq.read_schema(folder / "usage.parquet").field("started").type)


def test_the_demo_deployment_maps_every_file(company: tuple[Path, Summary]) -> None:
    yaml = YAML(typ="safe", pure=True)

    def read(name: str) -> object:
        return yaml.load((ROOT / "configs" / name).read_text(encoding="utf-8"))

    sources = Sources.model_validate(read("demo/sources.yaml"))
    assert FILES == {source.from_ for source in sources.sources.values()}
    for source in sources.sources.values():
        path = company[0] / "data" / source.from_
        if path.suffix == ".csv":
            assert set(source.types) <= set(pd.read_csv(path, nrows=1).columns), source.from_
    assert "Asia/Jakarta" == Deployment.model_validate(read("demo/deployment.yaml")).zone
    assert "check_in" == Outreach.model_validate(read("demo/outreach.yaml")).default_action
    assert Tracking() == Tracking.model_validate(read("demo/tracking.yaml"))
    # A company without parcels has no order to find.
    assert set(Playbook.model_validate(read("playbook.yaml")).actions) - {"find_order"} == set(ACTIONS)


def test_the_demo_deployment_loads_and_accounts_for_every_row(company: tuple[Path, Summary]) -> None:
    now = datetime(2026, 7, 1, tzinfo=UTC)
    tables = load(load_project(ROOT, "demo"), data=company[0] / "data", now=now)
    accounts = {Path(one.file).name: one for one in tables.accounting}
    assert company[1].rows == {name: one.read for name, one in accounts.items()}
    assert {"test account": 3} == accounts["customers.csv"].excluded
    assert 2000 == accounts["customers.csv"].accepted
    assert [] == [
        name
        for name, one in accounts.items()
        if one.read != one.accepted + sum(one.excluded.values()) + sum(one.quarantined.values())
    ]
    broken = {name for name, one in accounts.items() if one.quarantined}
    assert {"tickets.csv", "purchases.csv", "surveys.csv", "contracts.csv"} == broken
    midnight = datetime(2026, 6, 30, 17, tzinfo=UTC)  # opens 1 July in Jakarta
    ends = {one.data_end for name, one in accounts.items() if name not in ("customers.csv", "agents.csv")}
    assert {midnight} == ends
    kinds = tables.con.execute("select distinct kind from interactions").fetchall()
    assert {
        "contact",
        "complaint",
        "first_response",
        "resolved",
        "reopened",
        "handoff",
        "self_service",
        "visit",
        "purchase",
        "order_cancelled",
        "usage",
        "payment_failed",
        "cancellation",
        "escalated",
        "contract",
        "plan_changed",
        "price_changed",
    } == {kind for (kind,) in kinds}
    assert {
        "response_minutes",
        "resolution_hours",
        "amount",
        "minutes",
        "first_contact",
        "contract_end",
        "plan_change",
        "price_change",
    } == set(tables.measures)


def test_the_demo_deployment_reads_contracts_and_first_contact_as_they_are(
    company: tuple[Path, Summary], data: dict[str, pd.DataFrame]
) -> None:
    now = datetime(2026, 7, 1, tzinfo=UTC)
    tables = load(load_project(ROOT, "demo"), data=company[0] / "data", now=now)
    rows = tables.con.execute("SELECT * FROM interactions ORDER BY interaction_id").to_arrow_table().to_pandas()
    rows = rows.set_index("interaction_id")
    terms = _signed(data).set_index("contract_no")
    found = rows[rows["kind"] == "contract"]
    assert set(terms.index) == set(found.index)
    # Midnight in Jakarta is 17:00 UTC the day before.
    days = (terms["ends"] - pd.Timestamp("1970-01-01")).dt.days - 7 / 24
    assert (days - found["contract_end"].reindex(days.index)).abs().max() < 1e-9
    at = terms["signed"].clip(lower=START) - pd.Timedelta(hours=7)
    assert (at == found["at"].reindex(at.index)).all()
    assert (terms["entered"] - pd.Timedelta(hours=7) == found["known_at"].reindex(at.index)).all()

    before = terms.groupby("customer_no")[["plan", "monthly_fee_idr"]].shift()
    change = (terms["monthly_fee_idr"] / before["monthly_fee_idr"] - 1).where(terms["plan"] == before["plan"])
    told = found["price_change"].reindex(change.index)
    assert change.isna().equals(told.isna())
    assert (change - told).abs().max() < 1e-12
    priced = rows[rows["kind"] == "price_changed"]["price_change"]
    assert {f"{number}:price" for number in change.index[change.fillna(0) != 0]} == set(priced.index)
    assert {"dearer", "cheaper"} == set(rows["topic"][priced.index])
    planned = rows[rows["kind"] == "plan_changed"]
    sizes = {"upgrade": 1, "downgrade": -1}
    assert {f"{number}:plan" for number in terms.index[terms["change"].isin(sizes)]} == set(planned.index)
    assert (planned["topic"].map(sizes) == planned["plan_change"]).all()

    tickets = data["tickets"].dropna(subset="resolved").set_index("ticket_no")
    once = tickets["first_response"].notna() & tickets["handed_over"].isna() & tickets["escalated"].isna()
    first = rows["first_contact"].reindex(tickets.index + ":resolved")
    assert once.astype(float).tolist() == first.tolist()
    assert {0.0} == set(rows["first_contact"][rows.index.str.endswith(":resolved_again")])
    assert 0.5 < first.mean() < 0.9
    said = tickets["subject"] + ". " + tickets["message"]
    assert said.tolist() == rows["text"].reindex(tickets.index + ":opened").tolist()
