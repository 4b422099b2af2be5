"""The simulated company: repeatable, consistent with its truth, and with the rough edges of a real one."""

from __future__ import annotations

import hashlib
from datetime import UTC, date, datetime
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest
from ruamel.yaml import YAML

from churnwatch.errors import UsageError
from churnwatch.project import load_project
from churnwatch.sources import load
from churnwatch.spec import Deployment, Outreach, Playbook, Sources, Tracking
from churnwatch.synthetic import Summary, simulate
from churnwatch.synthetic.persuasion import ACTIONS

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
}
STEPS = ["first_response", "handed_over", "resolved", "reopened", "resolved_again"]


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


def test_fifty_customers_are_enough_for_every_file(tmp_path: Path) -> None:
    summary = simulate(tmp_path, customers=50, seed=1)
    assert FILES == set(summary.rows) == {path.name for path in (tmp_path / "data").iterdir()}
    assert [] == [name for name, rows in summary.rows.items() if rows == 0]
    assert {"customers.parquet", "satisfaction.parquet", "effects.parquet"} == {
        path.name for path in (tmp_path / "truth").iterdir()
    }


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
    assert [("simulate weeks", 78, 78), ("write files", 12, 12)] == [one for one in told if one[1] == one[2]]


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
    for wrong, rows in (
        ((surveys["survey"] == "NPS") & (surveys["score"] > 10), len(surveys)),
        (purchases["amount_idr"] == "n/a", len(purchases)),
        (tickets["opened"].str.startswith("yesterday"), len(tickets)),
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
    assert set(Playbook.model_validate(read("playbook.yaml")).actions) == set(ACTIONS)


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
    assert {"tickets.csv", "purchases.csv", "surveys.csv"} == broken
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
    } == {kind for (kind,) in kinds}
    assert {"response_minutes", "resolution_hours", "amount", "minutes"} == set(tables.measures)
