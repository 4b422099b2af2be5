"""`signals list`, `describe` and `report`, as a user runs them."""

from __future__ import annotations

import math
import re
from collections import Counter
from datetime import UTC, datetime

import numpy as np
import pytest
from command_line import call, ok, refused

from churnwatch.outcomes import grid, span
from churnwatch.runs.observations import labelled
from churnwatch.runs.workspace import load_tables, open_workspace

ALL = ("signals", "list"), ("signals", "describe", "usage_days_28d"), ("signals", "report")


@pytest.fixture(scope="module")
def told(company, tmp_path_factory):
    """What `report --json` says of the company, and the page."""
    page = tmp_path_factory.mktemp("signals") / "page.html"
    return ok(call("signals", "report", "--project", company.root, "--out", page, "--json")).json, page


@pytest.fixture(scope="module")
def rows(company):
    """The labelled observations of the listing model's complete grid, made by the functions that training uses."""
    workspace = open_workspace(company.root, deployment="demo", data=None, now=datetime.now(UTC))
    model = workspace.model("churn")
    tables = load_tables(workspace)
    within = span(tables, model)
    as_ofs = grid(model, zone=workspace.spec.deployment.zone, span=within, complete_by=within.end)
    columns = [one for one in workspace.spec.columns if one.name in ("usage_days_28d", "last_score", "complaints_84d")]
    return labelled(tables, model, columns, as_ofs, known_before=workspace.now)


def column(told, name):
    return next(one for signal in told["signals"] for one in signal["columns"] if one["column"] == name)


def test_the_numbers_are_those_of_the_model_s_complete_grid(told, rows):
    """Too-late leavers left out; coverage and rates counted again, row by row."""
    found, _ = told
    kept = rows.in_time()
    assert len(rows.outcome) - len(kept.outcome) == found["too_late"] > 0
    assert (len(kept.outcome), int(kept.outcome.sum())) == (found["observations"], found["outcomes"])
    assert kept.matrix.observations["customer_id"].nunique() == found["customers"]
    assert Counter(kept.as_of.tolist()).total() == sum(one["observations"] for one in found["as_ofs"])
    for name in ("usage_days_28d", "last_score", "complaints_84d"):
        one = column(found, name)
        values = kept.matrix.column(name)
        known = ~np.isnan(values)
        assert known.mean() == pytest.approx(one["coverage"])
        if name == "last_score":
            assert one["nonzero"] is None
        else:
            assert (known & (values != 0)).mean() == pytest.approx(one["nonzero"])
        parts = [*one["bins"], *([one["missing"]] if one["missing"] else [])]
        assert len(values) == sum(part["n"] for part in parts)
        for part in one["bins"]:
            inside = (values >= part["low"]) & (values <= part["high"])
            assert (int(inside.sum()), int(kept.outcome[inside].sum())) == (part["n"], part["outcomes"])
            assert part["floor"] <= part["rate"] <= part["ceiling"]


def test_every_signal_is_told_or_said_why_not(told, company):
    """The report has the whole catalogue, as the files write it."""
    found, _ = told
    spec = open_workspace(company.root, deployment="demo", data=None, now=datetime.now(UTC)).spec
    names = [signal.name for family in spec.families for signal in family.signals]
    assert names == [one["signal"] for one in found["signals"]]
    for one in found["signals"]:
        assert (one["skipped"] is None) == bool(one["columns"])
    assert "interactions has no measure items" == next(s for s in found["signals"] if s["signal"] == "items")["skipped"]


def test_the_simulated_company_s_leavers_use_less_and_complain_more(told):
    found, _ = told
    for name in ("usage_days_28d", "complaints_84d", "quiet_days"):
        assert "agrees" == column(found, name)["agreement"]
    together = [set(cluster["columns"]) for cluster in found["clusters"]]
    assert any({"usage_days_28d", "usage_minutes_28d"} <= cluster for cluster in together)
    for one in found["signals"]:
        for part in one["columns"]:
            if part["drift"]:
                assert len(found["as_ofs"]) == len(part["drift"]["index"])


def test_the_page_has_a_card_for_every_usable_signal_and_opens_fast(told, browser):
    found, page = told
    assert page.stat().st_size < 1_500_000
    usable = [one["signal"] for one in found["signals"] if one["columns"]]
    tab = browser.new_page(viewport={"width": 390, "height": 844})
    tab.goto(page.as_uri())
    assert [f"signal-{name}" for name in usable] == [card.get_attribute("id") for card in tab.locator(".card").all()]
    assert 390 == tab.evaluate("document.documentElement.scrollWidth")
    tab.close()


def test_no_customer_stands_on_the_page_or_in_what_is_said(told, rows):
    _, page = told
    text = page.read_text()
    ids = set(rows.matrix.observations["customer_id"])
    assert not ids & set(re.findall(r"[\w-]+", text))


def test_the_list_shows_the_catalogue_family_by_family(company):
    said = ok(call("signals", "list", "--project", company.root))
    lines = said.out.splitlines()
    assert max(len(line) for line in lines) <= 120
    assert "contact: " in said.out
    row = next(line for line in lines if line.startswith("open_cases "))
    assert re.search(r"higher +yes +100 % +\d+ %", row)
    assert "not here: interactions has no measure items" in said.out
    one = ok(call("signals", "list", "--family", "surveys", "--project", company.root, "--json")).json
    assert {"surveys"} == {signal["family"] for signal in one["signals"]}
    assert ["last_score"] == [c["column"] for s in one["signals"] if s["signal"] == "last_score" for c in s["columns"]]


def test_a_signal_is_described_in_words_numbers_and_a_picture(project):
    said = ok(call("signals", "describe", "complaints", "--project", project))
    for words in (
        "interactions with kind complaint",
        "also the change against the window before",
        "a higher value",
        "Complaints in the last ",
        "Keluhan dalam ",
        "95 % interval",
        "out/demo/signals/complaints.png",
    ):
        assert words in said.out
    picture = project / "out" / "demo" / "signals" / "complaints.png"
    first = picture.read_bytes()
    assert first.startswith(b"\x89PNG")
    ok(call("signals", "describe", "complaints", "--project", project))
    assert first == picture.read_bytes()


def test_a_column_is_described_alone(project):
    said = ok(call("signals", "describe", "last_score", "--project", project, "--out", project / "one.svg", "--json"))
    found = said.json
    assert ["last_score"] == [one["column"] for one in found["columns"]]
    assert {"kind": "answered"} == found["definition"]["where"]
    assert str(project / "one.svg") == found["picture"]
    assert (project / "one.svg").read_text().startswith("<?xml")
    assert found["columns"][0]["missing"]["n"] > 0
    assert math.isclose(1.0, found["columns"][0]["quantiles"]["1.0"])


def test_a_skipped_signal_is_described_without_numbers(project):
    said = ok(call("signals", "describe", "items", "--project", project))
    assert "Cannot be computed here: interactions has no measure items." in said.out
    assert not (project / "out" / "demo" / "signals" / "items.png").exists()


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("describe", "complaint"), 2, ("no signal and no column is called complaint", "did you mean complaints?")),
        (("describe", "usage_days_27d"), 2, ("did you mean usage_days_28d?",)),
        (("describe", "xyzzy"), 2, ("churnwatch signals list",)),
        (("list", "--family", "contacts"), 2, ("there is no family contacts", "did you mean contact?")),
        (("report", "--model", "churm"), 3, ("there is no model churm", "did you mean churn?")),
    ],
)
def test_an_unknown_name_is_answered_with_the_nearest(company, arguments, code, words):
    refused(call("signals", *arguments, "--project", company.root), code, *words)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [(("describe", "complaints", "--out", "x.pdf"), ".png or .svg"), (("report", "--out", "x.txt"), ".html")],
)
def test_a_file_of_another_kind_is_refused(company, arguments, words):
    said = call("signals", *arguments, "--project", company.root)
    assert 2 == said.code
    assert words in said.err


@pytest.mark.parametrize("command", ALL, ids=lambda words: words[1])
def test_without_a_complete_observation_there_is_nothing_to_measure(project, command):
    """The grid wants more history than there is."""
    path = project / "configs" / "demo" / "models" / "churn.yaml"
    path.write_text(re.sub(r"history: \d+d", "history: 4000d", path.read_text()))
    refused(call(*command, "--project", project), 5, "no observation of the model churn is complete")


@pytest.mark.parametrize("command", ALL[1:], ids=lambda words: words[1])
def test_outcomes_of_one_kind_are_refused(project, command):
    """The outcome is one cancellation alone, and that before the first as-of."""
    tables = load_tables(open_workspace(project, deployment="demo", data=None, now=datetime.now(UTC)))
    first = "select interaction_id from interactions where kind = 'cancellation' order by \"at\" limit 1"
    path = project / "configs" / "demo" / "models" / "churn.yaml"
    one = f"{{event: {{kind: cancellation, interaction_id: '{tables.con.execute(first).fetchone()[0]}'}}}}"
    path.write_text(path.read_text().replace("{event: {kind: cancellation}}", one))
    refused(call(*command, "--project", project), 4, "have the same outcome (0 bad)")


def test_a_signal_that_reads_the_outcome_s_own_rows_is_named(project):
    """The same that `check` names, in the list, in the report and on the page."""
    (project / "features" / "goodbye.yaml").write_text(
        """family: goodbye
description: Cancellations.
table: interactions
signals:
  - name: goodbyes
    description: Cancellations.
    where: {kind: cancellation}
    aggregate: count
    direction: up
    reason: {en: "{value}", id: "{value}"}
examples:
  - {as_of: 2026-03-01, rows: [], expect: {goodbyes: 0}}
"""
    )
    model = project / "configs" / "demo" / "models" / "churn.yaml"
    model.write_text(model.read_text().replace("families: [", "families: [goodbye, "))
    told = ok(call("signals", "report", "--project", project, "--json")).json
    assert {"goodbyes"} == set(told["suspects"])
    assert "its rows are the outcome's own rows" in told["suspects"]["goodbyes"]
    page = (project / "out" / "demo" / "signals" / "signals.html").read_text()
    assert 'suspect" id="signal-goodbyes"' in page
    said = ok(call("signals", "list", "--family", "goodbye", "--project", project)).out
    assert "goodbyes: its rows are the outcome's own rows" in " ".join(said.split())


def test_the_page_of_another_model_and_language(project):
    said = ok(call("signals", "report", "--project", project, "--model", "inactivity", "--lang", "id"))
    page = (project / "out" / "demo" / "signals" / "signals.html").read_text()
    assert "Tidak membeli dalam 90 hari ke depan" in page
    assert "signals.html" in said.out
