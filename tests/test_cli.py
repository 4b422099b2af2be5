"""The commands, their options, their exit codes, and what stands on which stream."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Annotated

import pytest
import typer
from command_line import END, ROOT, call, environment, ok, spawn

import churnwatch
import churnwatch.runs.check
from churnwatch.cli import app, show, show_figures
from churnwatch.cli.options import Common, with_common
from churnwatch.evaluation import Verdict

COMMON = {"--project", "--deployment", "--data", "--json", "--lang"}
OWN = {
    "init": {"--diff"},
    "demo": {"--dir", "--customers", "--seed", "--nonresponse"},
    "check": set(),
    "train": set(),
    "label": {"--out"},
    "tune": {"--trials", "--timeout", "--write"},
    "backtest": {"--as-of", "--until", "--from", "--to", "--every"},
    "promote": {"--why", "--despite-gate"},
    "rollback": {"--why"},
    "models": {"--on", "--card"},
    "verify-model": {"--version"},
    "score": {"--as-of", "--model"},
    "daily": {"--as-of", "--baseline", "--rerun"},
    "explain": {"--as-of", "--page"},
    "satisfaction": {"--as-of", "--model"},
    "surveys plan": {"--as-of", "--size", "--instrument", "--model"},
    "signals build": {"--as-of", "--spine", "--out", "--engine", "--master"},
    "signals list": {"--family", "--model"},
    "signals describe": {"--out", "--model"},
    "signals report": {"--out", "--model"},
    "simulate": {"--days", "--dir", "--customers", "--seed", "--seeds"},
    "outreach plan": {"--share", "--epochs", "--as-of"},
    "outreach veto": {"--reason", "--lift"},
    "outreach vetoes": set(),
    "outcomes import": {"--on", "--by", "--list", "--correct"},
    "outcomes list": {"--since", "--wrong"},
    "audit leakage": {"--as-ofs", "--seed"},
    "audit verify": {"--noted"},
    "ledger backup": set(),
    "ledger restore": {"--replace"},
}
RANKING = {
    "auc", "average_precision", "lift_at_10pct", "precision_at_capacity", "recall_at_capacity", "lift_at_capacity",
    "capacity_rows", "empc", "empc_share",
}  # fmt: skip
NUMBERS = RANKING | {
    "n", "base_rate", "brier", "log_loss", "ece", "ece_by_chance", "base_rate_shift", "shift_by_chance",
    "ece_after_shift", "trained_base_rate", "too_late",
}  # fmt: skip
SLICE = NUMBERS | {"as_of", "baselines", "intervals", "lead_time", "reliability", "gain", "groups", "warnings"}
BASELINES = ["random", "recency", "last_score", "tenure", "health", "logistic"]


def assert_slice(one, *, extras=frozenset()):
    # Further horizons are told as far as the slice reaches.
    assert SLICE | extras == set(one) - {"horizons"}
    assert BASELINES == list(one["baselines"])
    for figures in one["baselines"].values():
        assert RANKING | {"lead_time"} == set(figures)
    assert all(isinstance(one[name], (int, float)) for name in NUMBERS)
    assert all(low <= high for low, high in one["intervals"].values())


def leaves(group, prefix=""):
    """Every command by its words, those of a group too."""
    found = {}
    for name, command in group.commands.items():
        found |= leaves(command, f"{prefix}{name} ") if hasattr(command, "commands") else {f"{prefix}{name}": command}
    return found


def test_the_commands_and_their_options_are_the_contract():
    commands = leaves(typer.main.get_command(app))
    assert set(OWN) == set(commands)
    for name, options in OWN.items():
        found = {one for parameter in commands[name].params for one in parameter.opts if one.startswith("--")}
        assert COMMON | options == found - {"--help"}


def test_every_command_ends_with_the_common_options_in_one_order():
    """Whatever is its own comes first; names, order, help and defaults of the five are the same everywhere."""
    commands = leaves(typer.main.get_command(app))
    five = ("project", "deployment", "data", "json", "lang")
    for name, command in commands.items():
        own, common = command.params[:-5], command.params[-5:]
        assert five == tuple(one.name for one in common), name
        assert not set(five) & {one.name for one in own}, name
        assert [(one.help, one.default, one.required) for one in commands["check"].params] == [
            (one.help, one.default, one.required) for one in common
        ], name


def test_a_command_gets_the_common_options_as_one():
    """Before and after its own, given and left out."""
    shop, sold = typer.Typer(), []

    @shop.command()
    @with_common
    def sell(common: Common, thing: str, count: Annotated[int, typer.Option("--count")] = 2) -> None:
        """Sell things."""
        sold.append((common, thing, count))

    shop(["--lang", "id", "pen", "--json", "--count", "3", "--data", "raw"], standalone_mode=False)
    shop(["ink"], standalone_mode=False)
    told = Common(project=Path(), deployment="demo", data=Path("raw"), json=True, lang="id")
    assert [(told, "pen", 3), (Common(), "ink", 2)] == sold


def test_help_lists_every_command():
    said = spawn("--help")
    assert 0 == said.code
    for name in OWN:
        assert f"\n  {name.split()[0]} " in said.out


@pytest.mark.parametrize("name", OWN)
def test_help_of_a_command_lists_its_options(name):
    said = ok(call(*name.split(), "--help"))
    for option in COMMON | OWN[name]:
        assert option in said.out


def test_nothing_asked_shows_the_help():
    said = call()
    assert 2 == said.code
    assert "Commands:" in said.out + said.err


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("lists",), "No such command"),
        (("daily", "--as-off", END), "No such option"),
        (("check", "--lang", "fr"), "'fr' is not one of"),
        (("train",), "Missing argument"),
        (("backtest", "churn"), "at which days?"),
        (("init",), "where should the project go?"),
        (("daily", "--as-of", "1.7.2026"), "1.7.2026 is no day"),
        (("score", "--as-of", "20260701"), "20260701 is no day"),
        (("surveys", "plan"), "Missing option '--size'"),
        (("surveys", "plan", "--size", "0"), "Invalid value for '--size'"),
        (("backtest", "churn", "--as-of", "2026-01-01,"), "is no day"),
        (("backtest", "churn", "--as-of", "1899-12-31"), "--as-of: 1899-12-31 is too far away allowed: years 1900"),
        (("daily", "--as-of", "0001-01-01"), "0001-01-01 is too far away"),
        (("score", "--as-of", "2201-01-01"), "2201-01-01 is too far away allowed: years 1900 to 2200"),
        (("score", "--as-of", "9999-12-31"), "9999-12-31 is too far away"),
        (("demo", "--project", "mine"), "demo makes its own project; use --dir"),
        (("demo", "--deployment", "mine"), "demo makes its own project; use --dir"),
        (("demo", "--data", "mine"), "demo makes its own project; use --dir"),
    ],
)
def test_a_wrong_command_line_is_usage(arguments, told, company):
    """Exit code 2, and the message on standard error alone."""
    rest = ("--project", company.root) if arguments[0] in {"daily", "score"} and arguments[1] == "--as-of" else ()
    said = call(*arguments, *rest)
    assert 2 == said.code
    assert told in " ".join(said.err.split())
    assert "" == said.out


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("daily", "--nope"), "No such option: --nope"),
        (("dayly",), "No such command 'dayly'."),
        (("train",), "Missing argument"),
        (("demo", "--seed", "-1"), "Invalid value for '--seed'"),
        (("demo", "--data", "mine"), "demo makes its own project; use --dir"),
    ],
)
def test_a_wrong_command_line_is_one_object_too(arguments, told):
    said = call(*arguments, "--json")
    assert 2 == said.code
    assert {"error": {"kind": "UsageError", "exit_code": 2, "message": said.err.rstrip("\n")}} == said.json
    assert told in said.err


@pytest.mark.parametrize("day", ["1900-01-01", "2200-12-31"])
def test_the_first_and_the_last_year_are_days_without_data(day, project):
    """What lies inside the calendar is judged by the data: no overflow, a refusal."""
    said = call("daily", "--as-of", day, "--project", project)
    assert 4 == said.code, said.err


def test_the_version_is_told():
    assert f"churnwatch {churnwatch.__version__}\n" == ok(call("--version")).out


def test_the_demo_says_everything_in_one_object(company):
    """Run in a process of its own: not even a library's print may stand beside the object."""
    told = company.said.json
    keys = ["directory", "customers", "cancellations", "train", "also", "daily", "silent_leavers", "leavers"]
    assert keys == list(told)
    assert [] == told["also"]  # the company of the tests has one model
    assert 1200 == told["customers"]
    assert str(company.root) == told["directory"]
    assert_training(told["train"])
    assert "corrected" != told["daily"]["status"]
    assert_list(told["daily"])
    assert 0 <= told["silent_leavers"]["listed_in_time"] <= told["silent_leavers"]["in_test_windows"]
    assert told["silent_leavers"]["in_test_windows"] <= told["leavers"]["in_test_windows"]
    for one in (told["silent_leavers"], told["leavers"]):
        assert one["listed_in_time"] / one["in_test_windows"] == one["share"]
        assert one["interval"][0] <= one["share"] <= one["interval"][1]
        assert BASELINES == list(one["baselines"])
        assert max(one["baselines"].values()) <= one["in_test_windows"]


def test_progress_and_nothing_else_stands_on_standard_error(company):
    lines = company.said.err.splitlines()
    assert lines
    assert [] == [line for line in lines if not line.endswith(" …")]


def assert_training(told):
    keys = [
        "model", "slices", "version", "registered_version", "new", "promoted", "champion", "gate",
        "precision_at_capacity_minus", "choice", "observations", "skipped", "notes", "weighing",
        "treated",
    ]  # fmt: skip
    assert keys == list(told)
    assert ("churn", None, None) == (told["model"], told["weighing"], told["treated"])
    assert 2 == len(told["slices"])
    for one in told["slices"]:
        assert_slice(one)
    assert BASELINES == list(told["precision_at_capacity_minus"])
    for interval in told["precision_at_capacity_minus"].values():
        assert interval["low"] <= interval["difference"] <= interval["high"]


def assert_list(told):
    assert {
        "status", "deployment", "as_of", "model", "model_version", "baseline", "counts", "bands", "explained",
        "program", "made_at", "revision", "warnings", "files", "rows", "previously_by", "also", "answers",
        "proactive", "leavers", "handed_over", "back_early",
    } == set(told)  # fmt: skip
    files = ["leavers.csv", "outreach.csv", "outreach.html", "outreach.xlsx", "run.json", "scores.parquet"]
    assert files == sorted(told["files"])
    counts = dict(told["counts"])
    assert counts.pop("observed") == sum(counts.values())
    assert told["counts"]["listed"] == len(told["rows"]) == told["explained"]
    assert list(range(1, len(told["rows"]) + 1)) == [row["rank"] for row in told["rows"]]
    for row in told["rows"]:
        assert 0 < row["risk"] < 1
        assert all(row[name] is None or isinstance(row[name], float) for name in ("change", "value_at_risk"))


def test_check_says_what_the_sources_hold(project):
    told = ok(call("check", "--project", project, "--json")).json
    keys = {"examples", "sources", "quarantine", "quarantine_file", "warnings", "signals", "skipped", "models"}
    assert keys | {"barred", "facts", "unused", "suspects"} == set(told)
    assert {"owner", "do_not_contact", "segment", "value", "language"} == set(told["barred"])
    assert {} == told["facts"]
    assert told["signals"] >= 30
    for one in told["sources"]:
        lost = sum(one["excluded"].values()) + sum(one["quarantined"].values())
        assert one["read"] == one["accepted"] + lost
    [model] = told["models"]
    assert "churn" == model["model"]
    assert "configs/demo/models/churn.yaml" == model["file"]
    assert [] == told["unused"]  # the model of satisfaction reads it
    assert told["quarantine"]
    for row in told["quarantine"]:
        assert {"source", "file", "line", "rule"} == set(row)  # a customer's words stand in the file alone
    with Path(told["quarantine_file"]).open(encoding="utf-8") as file:
        assert "source,file,line,rule,found\n" == next(file)
    assert 0 < model["base_rate"] < 1


def test_backtest_has_a_slice_for_each_day(project):
    days = "2026-03-01,2026-04-01"
    told = ok(call("backtest", "churn", "--as-of", days, "--project", project, "--json")).json
    assert ["model", "deployment", "outcome", "slices", "replay"] == list(told)
    assert "leaving" == told["outcome"]
    assert ["2026-03-01", "2026-04-01"] == [one["as_of"] for one in told["slices"]]
    for one in told["slices"]:
        assert_slice(one, extras={"trained"})
        assert {"as_ofs", "n", "choice"} == set(one["trained"])


def test_score_says_where_everybodys_risk_stands(project):
    told = ok(call("score", "--as-of", END, "--project", project, "--json")).json
    assert ["model", "model_version", "as_of", "observed", "bands", "mean_risk", "warnings", "files"] == list(told)
    assert END == told["as_of"]
    assert told["observed"] == sum(told["bands"].values())
    assert 0 < told["mean_risk"] < 1


def test_daily_gives_the_rows_of_its_list(project):
    told = ok(call("daily", "--as-of", "2026-06-20", "--project", project, "--json")).json
    assert "issued" == told["status"]
    assert_list(told)


def test_explain_gives_one_customer(company):
    customer = company.said.json["daily"]["rows"][0]["customer"]
    told = ok(call("explain", customer, "--as-of", END, "--project", company.root, "--json")).json
    keys = [
        "customer", "as_of", "standing", "standing_since", "model", "model_version", "answers", "risk", "band",
        "expected_score", "base_rate", "bands", "horizons", "rising_since", "reasons", "counterfactual", "signals",
        "curve", "also", "notes", "interactions", "surveys", "lists", "files",
    ]  # fmt: skip
    assert keys == list(told)
    assert customer == told["customer"]["customer_id"]
    # The company is too young for the longest.
    assert ["30d", "60d"] == list(told["horizons"])
    assert sorted(told["horizons"].values()) == list(told["horizons"].values())
    assert told["risk"] == told["horizons"]["60d"]


def test_init_copies_the_reference_and_diff_shows_the_drift(tmp_path):
    told = ok(call("init", tmp_path / "mine", "--json")).json
    assert ["directory", "files"] == list(told)
    assert "features/silence.yaml" in told["files"]
    assert {"differences": []} == ok(call("init", "--diff", "--project", tmp_path / "mine", "--json")).json
    (tmp_path / "mine" / "features" / "silence.yaml").unlink()
    [one] = ok(call("init", "--diff", "--project", tmp_path / "mine", "--json")).json["differences"]
    assert ["path", "state", "diff"] == list(one)
    assert "features/silence.yaml" == one["path"]


def test_an_error_is_one_object_too(company):
    """With --json a refusal is the object on standard output, its message on standard error as ever."""
    said = call("check", "--deployment", "dmeo", "--project", company.root, "--json")
    assert 3 == said.code
    assert {"error": {"kind": "ProjectError", "exit_code": 3, "message": said.err.rstrip("\n")}} == said.json
    assert "did you mean demo?" in said.err


def test_tables_speak_indonesian_where_asked(company):
    said = ok(call("daily", "--as-of", END, "--project", company.root, "--lang", "id"))
    for word in ("Yang perlu dihubungi", "pelanggan", "risiko"):
        assert word in said.out
    customer = company.said.json["daily"]["rows"][0]["customer"]
    said = ok(call("explain", customer, "--as-of", END, "--project", company.root, "--lang", "id"))
    assert "Interaksi terakhir" in said.out


def test_the_printed_list_names_its_files_and_what_became_of_everybody(company):
    said = ok(call("daily", "--as-of", END, "--project", company.root))
    assert "Whom to contact" in said.out
    counts = company.said.json["daily"]["counts"]
    assert f"{counts['observed']} observed = {counts['listed']} listed" in said.out
    for path in company.said.json["daily"]["files"].values():
        assert f"  {path}\n" in said.out


def test_check_prints_tables_for_people(project):
    said = ok(call("check", "--project", project))
    assert "read = accepted + excluded + quarantined" in said.out
    assert re.search(r"crm: \d+ excluded: test account", said.out)
    assert re.search(r"churn: an event", said.out)
    assert "  · owner, do_not_contact: of today, used for today's list only\n" in said.out
    assert "  · segment, language, value: no history (no known_at), used for today's list only\n" in said.out
    assert "used by no model" not in said.out
    assert [] == [line for line in said.out.splitlines() if line != line.rstrip()]


def test_check_names_the_families_that_no_model_uses(project):
    text = (project / "features" / "tenure.yaml").read_text()
    assert "family: tenure" in text
    (project / "features" / "age.yaml").write_text(text.replace("tenure", "age"))
    said = ok(call("check", "--project", project)).out
    told = "is used by no model: name it under `families` in configs/demo/models/churn.yaml"
    assert f"  ! family age {told}\n" in said


def test_a_family_that_only_the_replaced_model_names_is_left_out_on_purpose(project):
    """The deployment has a satisfaction of its own, without `asked`: whoever wrote it knows."""
    text = (project / "models" / "satisfaction.yaml").read_text()
    assert ", asked," in text
    own = project / "configs" / "demo" / "models"
    own.mkdir(exist_ok=True)
    (own / "satisfaction.yaml").write_text(text.replace(", asked,", ","))
    tenure = (project / "features" / "tenure.yaml").read_text()
    (project / "features" / "age.yaml").write_text(tenure.replace("tenure", "age"))
    assert ["age"] == ok(call("check", "--project", project, "--json")).json["unused"]


def checked(**more):
    """What a check of a shop without a help desk may find."""
    model = {
        "model": "churn", "file": "models/churn.yaml", "outcome": "an event", "signals": 7, "as_ofs": ["2026-01-01"],
        "observations": 90, "outcomes": 9, "base_rate": 0.1, "too_late": 0, "slice_days": None,
    }  # fmt: skip
    found = {
        "examples": 5, "accounting": [], "quarantine": [], "warnings": [], "signals": 7, "skipped": {}, "barred": {},
        "facts": {}, "lateness": [], "unused": [], "suspects": [], "models": [model], "quarantine_file": None,
    }  # fmt: skip
    return churnwatch.runs.check.Checked(**found | more)


def test_skipped_signals_stand_behind_their_reason_once(capsys):
    no_visit, no_measure = "interactions has no row with kind visit", "interactions has no measure minutes"
    show.checked(checked(skipped={"visits": no_visit, "usage": no_measure, "visit_gap": no_visit}))
    out = capsys.readouterr().out
    assert "3 signals cannot:\n" in out
    assert f"  · {no_visit}: visits, visit_gap\n  · {no_measure}: usage\n" in out


def test_what_there_is_none_of_is_not_printed(capsys):
    show.checked(checked())
    out = capsys.readouterr().out
    for words in ("inside the gap", "no history", "cannot", "used by no model"):
        assert words not in out
    assert "\n\n\n" not in out
    show.checked(
        checked(barred={"owner": "of today"}, facts={"value": "known"}, models=[{**checked().models[0], "too_late": 2}])
    )
    out = capsys.readouterr().out
    assert "  · owner: of today\n  · value: known\n" in out
    assert "  · 2 more left inside the gap: too late to act\n" in out


def test_what_the_gate_does_not_decide_by_stands_behind_it(capsys):
    notes = ("The champion is of another outcome.", "At the owners' capacity logistic lists better.")
    trained = SimpleNamespace(
        judged=[], observations=90, choice="60 rounds", capacity_intervals={}, verdict=Verdict(True, ()), notes=notes,
        new=True, version="ab", model="churn", registered=1, champion="ab", weighing=None,
        treated={"handling": "weight", "dropped": 1204, "weighed": 31, "stand_for": 310.4},
    )  # fmt: skip
    show_figures.trained(trained)
    gate, _, rest = capsys.readouterr().out.partition("Gate: passed\n")
    assert rest.startswith(f"  ! {notes[0]}\n  ! {notes[1]}\n")
    assert "!" not in gate
    assert (
        "1,204 observations left out, as we spoke to the customer before the outcome; 31 held out stand for 310."
        in " ".join(gate.split())
    )


def test_a_source_that_fell_silent_is_told_with_the_scores(capsys):
    told = {
        "observed": 2, "as_of": END, "model_version": "ab", "model": "churn", "mean_risk": 0.1, "bands": {},
        "files": {}, "warnings": ["visits has brought nothing for 9 days."],
    }  # fmt: skip
    show.scored(told)
    assert "  ! visits has brought nothing for 9 days.\n" in capsys.readouterr().out


def test_a_bug_is_a_traceback_and_code_one(company, monkeypatch):
    """What is no user's mistake is not dressed up as one."""

    def broken(*_arguments, **_options):
        raise ZeroDivisionError

    monkeypatch.setattr(churnwatch.runs.check, "check", broken)
    with pytest.raises(ZeroDivisionError):
        call("check", "--project", company.root)


def test_an_interruption_ends_quietly(company, monkeypatch):
    def interrupted(*_arguments, **_options):
        raise KeyboardInterrupt

    monkeypatch.setattr(churnwatch.runs.check, "check", interrupted)
    said = call("check", "--project", company.root)
    assert 130 == said.code
    assert "" == said.out
    assert "interrupted; nothing half-written is left\n" == said.err


def test_a_broken_pipe_inside_a_run_is_a_bug(company, monkeypatch):
    """A database that hung up is not a reader of our output who has gone."""

    def hung_up(*_arguments, **_options):
        raise BrokenPipeError

    monkeypatch.setattr(churnwatch.runs.check, "check", hung_up)
    with pytest.raises(BrokenPipeError):
        call("check", "--project", company.root)


@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("check", "--deployment", "demo"), 0),
        pytest.param(("check", "--json"), 0, marks=pytest.mark.slow),
        (("check", "--deployment", "none", "--json"), 3),
        (("--help",), 0),
    ],
)
def test_a_reader_that_stops_reading_is_no_bug(arguments, code, unbuffered, company):
    """`churnwatch check | head -0`: the command's own exit code, and no word about a pipe."""
    rest = ["--project", str(company.root)] if arguments[0] == "check" else []
    with subprocess.Popen(
        [sys.executable, "-m", "churnwatch", *arguments, *rest],
        cwd=ROOT,
        env={**environment(), "PYTHONUNBUFFERED": unbuffered},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as run:
        run.stdout.close()
        err = run.stderr.read()
        assert code == run.wait()
    assert "Traceback" not in err
    assert "pipe" not in err


def test_progress_that_nobody_reads_ends_no_run(company):
    """`churnwatch check 2>&1 | head -0`."""
    with subprocess.Popen(
        [sys.executable, "-m", "churnwatch", "check", "--project", str(company.root)],
        cwd=ROOT,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    ) as run:
        run.stdout.close()
        assert 0 == run.wait()


def test_help_is_there_at_once():
    """The limit of the issue is 0.3 s; the best of three, for other tests run beside this one."""
    ask = "import time; t = time.perf_counter(); import churnwatch.cli; print(time.perf_counter() - t)"
    times = [
        float(
            subprocess.run(
                [sys.executable, "-c", ask], cwd=ROOT, env=environment(), capture_output=True, text=True, check=True
            ).stdout
        )
        for _ in range(3)
    ]
    assert min(times) < 0.3


def test_the_data_may_lie_elsewhere(project, tmp_path):
    shutil.move(project / "data", tmp_path / "elsewhere")
    assert 4 == call("check", "--project", project).code
    said = ok(call("check", "--project", project, "--data", tmp_path / "elsewhere", "--json"))
    assert 0 < json.loads(said.out)["models"][0]["observations"]
