"""Every file of features/ is a case; and what check_signals, check_examples and available say."""

from __future__ import annotations

import re
import shutil
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from oracle import Event
from small_tables import tables_of

from churnwatch.aggregates import AGGREGATES
from churnwatch.errors import ProjectError
from churnwatch.project import load_project
from churnwatch.reasons import word
from churnwatch.signals import (
    available,
    check_examples,
    check_signals,
    compute_example,
    model_columns,
    without_remedy,
)
from churnwatch.spec import PLACEHOLDER, Family, Language, Signal

ROOT = Path(__file__).parents[1]
FILES = sorted((ROOT / "features").glob("*.yaml"))
SPEC = load_project(ROOT, "demo")
FAMILIES = {family.family: family for family in SPEC.families}
SIGNALS = [(family, signal) for family in SPEC.families for signal in family.signals]
LANGUAGES: tuple[Language, ...] = ("en", "id")


def _levels(where: Mapping[str, Any]) -> list[object]:
    """What a condition names: columns and levels."""
    return [*where, *(one for wanted in where.values() for one in (wanted if isinstance(wanted, list) else [wanted]))]


signals = pytest.mark.parametrize(("family", "signal"), [pytest.param(f, s, id=s.name) for f, s in SIGNALS])


def test_catalogue_is_of_a_size_to_work_with() -> None:
    """At least six families and thirty signals, and each file holds the family it is named after."""
    assert len(FILES) >= 6
    assert len(SIGNALS) >= 30
    assert [path.stem for path in FILES] == sorted(FAMILIES)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_file_holds_together(path: Path) -> None:
    """Its signals pass the check, and each number of its examples comes true in the engine."""
    family = FAMILIES[path.stem]
    check_signals([family])
    assert sum(len(example.expect) for example in family.examples) == check_examples([family])


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_examples_touch_most_of_the_file(path: Path) -> None:
    """Each kind of aggregate a family uses stands in one of its examples."""
    family = FAMILIES[path.stem]
    shown = {name for example in family.examples for name in example.expect}
    unseen = {column.signal.aggregate for column in family.columns} - {
        column.signal.aggregate for column in family.columns if column.name in shown
    }
    assert set() == unseen


@signals
def test_signal_is_described(family: Family, signal: Signal) -> None:
    """A description, a direction, and sentences in both languages that are no copies of each other."""
    assert signal.description.endswith(".")
    assert signal.direction in ("up", "down", "any")
    for words in filter(None, (signal.reason, signal.change_reason)):
        assert words.en.strip()
        assert words.id.strip()
        assert words.en != words.id


@signals
def test_every_reason_tells_a_number(family: Family, signal: Signal) -> None:
    """A reason without a number of the customer's own would be a slogan."""
    for words in filter(None, (signal.reason, signal.change_reason)):
        for language in LANGUAGES:
            assert {"value"} <= set(PLACEHOLDER.findall(words.in_language(language)))


NUMBERS = (0.0, 0.04, 0.5, 1.0, 1.4, 2.0, 9.96, 41.3, 123_456.0)
KEYS = {
    *(column.name for column in SPEC.columns),
    *(word for _, signal in SIGNALS for word in (signal.name, signal.says, signal.action, signal.measure, signal.by)),
    *(level for _, signal in SIGNALS for one in (signal.where, signal.of or {}) for level in _levels(one)),
    *AGGREGATES,
    *Signal.model_fields,
    *Family.model_fields,
    *FAMILIES,
}
"""Every name of the files; those that are plain words of a language (`complaints`) may stand in a sentence."""
NAMES = {str(key) for key in KEYS if re.search(r"_|\d", str(key))}


@signals
@pytest.mark.parametrize("language", LANGUAGES)
def test_no_name_of_the_files_stands_in_a_sentence(family: Family, signal: Signal, language: Language) -> None:
    """Whatever the numbers: no column, signal, level or key, no place left to fill, no bracket."""
    for sentence in _sentences(family, signal, language):
        assert [] == sorted(set(re.findall(r"[A-Za-z]\w*", sentence)) & NAMES)
        assert [] == sorted(set("{}[]_") & set(sentence))
        assert "nan" not in sentence.lower().split()


@signals
def test_plurals_are_right_for_one(family: Family, signal: Signal) -> None:
    """Neither "1 days" nor "1 times", nor "1 day" of two."""
    for sentence in _sentences(family, signal, "en"):
        assert re.search(r"(?<![\d.,])1 (minutes|hours|days|weeks|months|times)\b", sentence) is None
        assert re.search(r"(?<![\d.,])(0|[02-9]|\d\d+|\d[.,]\d+) (minute|hour|day)\b", sentence) is None


def _sentences(family: Family, signal: Signal, language: Language) -> list[str]:
    """Of all columns of a signal, with all numbers of its family alike, at several."""
    units = {column.name: column.signal for column in family.columns}
    found = [
        word(column, dict.fromkeys(units, number), units, language=language, currency="IDR")
        for column in family.columns
        if column.signal is signal
        for number in NUMBERS
    ]
    return [sentence for sentence in found if sentence]


@signals
def test_what_can_be_acted_on_has_a_remedy(family: Family, signal: Signal) -> None:
    """A condition in both languages, to be finished with two risks; what nobody can act on has none."""
    assert signal.actionable == (signal.remedy is not None)
    if signal.remedy is None:
        return
    for text, begins in ((signal.remedy.en, "if "), (signal.remedy.id, "jika ")):
        assert text.startswith(begins)
        assert not text.endswith(".")
        assert not any(letter.isdigit() or letter in "{}:" for letter in text)


@signals
def test_every_reason_can_be_worded(family: Family, signal: Signal) -> None:
    """With all numbers known, every column becomes a sentence with nothing left to fill, in both languages."""
    known = {column.name: 0.5 for column in family.columns}
    units = {column.name: column.signal for column in family.columns}
    for column in family.columns:
        if column.signal == signal:
            for language in LANGUAGES:
                sentence = word(column, known, units, language=language, currency="IDR")
                assert sentence
                assert not set("{}") & set(sentence)
                assert any(letter.isdigit() for letter in sentence)


@pytest.mark.parametrize("name", SPEC.playbook.actions)
def test_every_action_says_how(name: str) -> None:
    """Tone and channel, in both languages and not the same."""
    action = SPEC.playbook.actions[name]
    assert action.tone is not None
    assert action.tone.en.strip() != action.tone.id.strip()
    assert action.channel_in("en")
    assert action.channel_in("id")


@signals
def test_action_stands_in_the_playbook(family: Family, signal: Signal) -> None:
    """What a signal asks for is something the playbook tells how to do."""
    assert signal.action is None or signal.action in SPEC.playbook.actions


def test_every_aggregate_is_in_use_or_is_shown_by_none() -> None:
    """The catalogue uses only aggregates that exist, and nearly all that do."""
    used = {signal.aggregate for _, signal in SIGNALS}
    assert used <= set(AGGREGATES)
    assert len(used) >= 15


def test_model_reads_the_columns_of_its_families_in_order() -> None:
    """The columns of a model are those of the families it names, in the order of the catalogue."""
    model = SPEC.models["churn"].model_copy(update={"families": ("tenure", "contact")})
    expected = [column.name for name in ("contact", "tenure") for column in FAMILIES[name].columns]
    assert expected == [column.name for column in model_columns(SPEC, model)]


def family_of(
    *signals: dict[str, Any], table: str = "interactions", examples: list[dict[str, Any]] | None = None
) -> Family:
    """The family `probe` of these signals; what a test does not care for is filled in."""
    words = {"en": "Now {value}", "id": "Kini {value}"}
    filled = [
        {"name": f"s{i}", "description": "A number.", "aggregate": "count", "direction": "up", "reason": words, **one}
        for i, one in enumerate(signals)
    ]
    name = "_".join([filled[0]["name"], *filled[0].get("windows", [])[:1]])
    some = examples or [{"as_of": date(2026, 3, 1), "rows": [], "expect": {name: 0}}]
    return Family.model_validate(
        {"family": "probe", "description": "Probe.", "table": table, "signals": filled, "examples": some}
    )


WORDS = {"en": "Now {value}", "id": "Kini {value}"}
MISUSES = {
    "unknown aggregate": ({"aggregate": "coutn"}, "no aggregate is called coutn", "did you mean count?"),
    "measure wanted": ({"aggregate": "sum"}, "sum needs `measure`", "add `measure:`"),
    "measure not wanted": ({"measure": "amount"}, "count takes no `measure`", "take `measure:` out"),
    "by wanted": ({"aggregate": "distinct"}, "distinct needs `by`", "add `by:`"),
    "by not wanted": ({"by": "topic"}, "count takes no `by`", "take `by:` out"),
    "of wanted": ({"aggregate": "share"}, "share needs `of`", "add `of:`"),
    "of not wanted": ({"of": {"kind": "x"}}, "count takes no `of`", "take `of:` out"),
    "within wanted": ({"aggregate": "repeats", "by": "topic"}, "repeats needs `within`", "add `within:`"),
    "within unwanted": ({"within": "3d"}, "count takes no `within`", "take `within:` out"),
    "within wanted twice": (
        {"aggregate": "repeats", "by": "topic", "within": "3d", "after": {"kind": "complaint"}},
        "`after` and repeats would both read `within`",
        "take `after:` out",
    ),
    "no change against the past": (
        {"windows": ["28d"], "compare": "past", "change_reason": WORDS},
        "count has no change against all history before the window",
        "`aggregate: pace` tells the same",
    ),
    "too long a season": (
        {"aggregate": "season", "windows": ["28d", "400d"]},
        "the window 400d of season is too long",
        "364d",
    ),
    "unknown column in after": (
        {"after": {"instrument": "nps"}, "within": "3d"},
        "`instrument` is no column that interactions can be told apart by",
        "kind, channel",
    ),
    "windows wanted": ({"aggregate": "count_trend"}, "count_trend needs `windows`", "add `windows:`"),
    "nothing to compare": (
        {"aggregate": "days_since", "windows": ["28d"], "compare": "previous", "change_reason": WORDS},
        "days_since has no change against the window before",
        "count, count_trend, distinct",
    ),
    "unknown column in where": (
        {"where": {"chanel": "phone"}},
        "`chanel` is no column that interactions can be told apart by",
        "did you mean channel?",
    ),
    "words of another family": (
        {"where": {"mentions_cancel": True}},
        "`mentions_cancel` is no column",
        "a file may ask for the words of its own lists only",
    ),
    "measure in where": ({"where": {"amount": 5}}, "`amount` is no column", "kind, channel, direction, topic, agent"),
    "unknown column in of": ({"aggregate": "open", "of": {"text": "x"}}, "`text` is no column", "kind, channel"),
    "unknown column in by": ({"aggregate": "distinct", "by": "customer_id"}, "`customer_id` is no column", "kind"),
    "other numbers in the other language": (
        {"reason": {"en": "Now {value}", "id": "Kini banyak"}},
        "the reason names other numbers in en than in id",
        "the same {…} in both languages",
    ),
}


@pytest.mark.parametrize(("signal", "found", "told"), MISUSES.values(), ids=MISUSES)
def test_misuse_is_one_message_with_its_place(signal: dict[str, Any], found: str, told: str) -> None:
    """Which signal of which file, what is wrong with it, and what to try."""
    with pytest.raises(ProjectError) as refused:
        check_signals([family_of(signal)])
    assert refused.value.message.startswith(f"features/probe.yaml: s0: {found}")
    assert told in refused.value.message


@pytest.mark.parametrize(
    ("table", "measure", "told"),
    [
        ("surveys", "scor", "did you mean score?"),
        ("customers", "segment", "value, any other that a deployment declares"),
        ("customers", "started_at", "value, any other that a deployment declares"),
        ("interactions", "kind", "any other that a deployment declares"),
        ("interactions", "mentions_cancel", "any other that a deployment declares"),
    ],
)
def test_measure_no_deployment_can_have_is_refused(table: str, measure: str, told: str) -> None:
    """Surveys have the same measures everywhere, and no column of texts or times is one: a mistake, not a lack."""
    with pytest.raises(ProjectError, match=f"{table} has no measure {measure}") as refused:
        check_signals([family_of({"aggregate": "sum", "measure": measure}, table=table)])
    assert told in refused.value.message


def test_actionable_signals_without_a_remedy_are_told_by_family() -> None:
    """A warning, as files of a project made earlier have none; a signal nobody can act on wants none."""
    remedy = {"en": "if so", "id": "jika begitu"}
    family = family_of({"actionable": True}, {"actionable": True, "remedy": remedy}, {}, {"actionable": True})
    check_signals([family])
    told = "features/probe.yaml: s0, s3: actionable, but nothing says what would put it right; "
    assert (told + "add `remedy: {en: if …, id: jika …}`, or take `actionable: true` out.",) == without_remedy([family])
    assert () == without_remedy(SPEC.families)


def test_wrong_example_is_reported_with_expected_and_found() -> None:
    """Every wrong number is listed: the file, the example, what was expected and what came out."""
    rows = [{"at": date(2026, 2, 20), "kind": "contact"}]
    right = {"as_of": date(2026, 3, 1), "rows": rows, "expect": {"s0_28d": 1, "s1": 9}}
    wrong = {"as_of": date(2026, 3, 2), "rows": rows, "expect": {"s0_28d": 2, "s1": None}}
    empty = {"as_of": date(2026, 3, 2), "rows": [], "expect": {"s1": 0}}
    signals = ({"windows": ["28d"]}, {"aggregate": "days_since"})
    assert 2 == check_examples([family_of(*signals, examples=[right])])
    with pytest.raises(ProjectError) as refused:
        check_examples([family_of(*signals, examples=[right, wrong, empty])])
    assert [
        "features/probe.yaml: example 2: s0_28d is expected to be 2, the engine gives 1",
        "features/probe.yaml: example 2: s1 is expected to be missing, the engine gives 10",
        "features/probe.yaml: example 3: s1 is expected to be 0, the engine gives missing",
        "  try: mend the example or the signal, whichever is wrong",
        "       count gives how many rows",
        "       days_since gives days from the last row to as-of, fractional; missing over no rows",
    ] == refused.value.message.splitlines()


def test_the_number_a_wrong_example_is_told_can_be_copied_into_it() -> None:
    """2 of 19 in six digits would be refused again: 0.105263 expected, 0.105263 found."""
    share = {"where": {"kind": "complaint"}, "aggregate": "share", "of": {"kind": ["contact", "complaint"]}}
    rows = [{"at": date(2026, 2, 20), "kind": kind} for kind in ["complaint"] * 2 + ["contact"] * 17]
    example = {"as_of": date(2026, 3, 1), "rows": rows, "expect": {"s0": 0.5}}
    with pytest.raises(ProjectError, match="the engine gives") as refused:
        check_examples([family_of(share, examples=[example])])
    told = float(refused.value.message.splitlines()[0].rpartition(" ")[2])
    assert 1 == check_examples([family_of(share, examples=[example | {"expect": {"s0": told}}])])


def test_example_in_a_file_is_reported_too(tmp_path: Path) -> None:
    """A number changed in a copy of the project's own file is found."""
    for folder in ("features", "models", "configs"):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    path = tmp_path / "features" / "contact.yaml"
    path.write_text(path.read_text().replace("contacts_28d: 2", "contacts_28d: 3"))
    with pytest.raises(ProjectError, match="contacts_28d is expected to be 3, the engine gives 2"):
        check_examples(load_project(tmp_path, "demo").families)


BAD_ROWS = {
    "unknown column": (
        "interactions",
        {"at": date(2026, 2, 1), "knid": "contact"},
        "there is no column `knid`",
        "did you mean kind?",
    ),
    "no time": ("interactions", {"kind": "contact"}, "there is no `at`", "add `at:`"),
    "no kind": ("interactions", {"at": date(2026, 2, 1)}, "there is no `kind`", "add `kind:`"),
    "time in words": ("interactions", {"at": "yesterday", "kind": "x"}, "`at` is 'yesterday'", "a day such as"),
    "text is a number": ("interactions", {"at": date(2026, 2, 1), "kind": 1}, "`kind` is 1", "a text"),
    "number is a text": (
        "surveys",
        {"sent_at": date(2026, 2, 1), "instrument": "nps", "raw_score": "nine"},
        "`raw_score` is 'nine'",
        "a number",
    ),
    "boolean is a number": (
        "surveys",
        {"sent_at": date(2026, 2, 1), "instrument": "nps", "higher_is_better": 1},
        "`higher_is_better` is 1",
        "true or false",
    ),
    "number is a boolean": (
        "surveys",
        {"sent_at": date(2026, 2, 1), "instrument": "nps", "raw_score": True},
        "`raw_score` is True",
        "a number",
    ),
    "no start": ("customers", {"segment": "gold"}, "there is no `started_at`", "add `started_at:`"),
}


@pytest.mark.parametrize(("table", "row", "found", "told"), BAD_ROWS.values(), ids=BAD_ROWS)
def test_bad_row_of_an_example_is_one_message(table: str, row: dict[str, Any], found: str, told: str) -> None:
    """The file, the example and the row, what stands there and what may."""
    example = {"as_of": date(2026, 3, 1), "rows": [row], "expect": {"s0": 0}}
    with pytest.raises(ProjectError) as refused:
        check_examples([family_of({}, table=table, examples=[example])])
    assert refused.value.message.startswith(f"features/probe.yaml: example 1, row 1: {found}")
    assert told in refused.value.message


def test_example_of_another_table_may_give_interactions_beside() -> None:
    """An answer counts that came up to 14 days after a complaint was known, to the microsecond on the far end."""
    new_year, fortnight = datetime(2026, 1, 1), datetime(2026, 1, 15)
    answer = {"instrument": "csat", "scale_min": 0, "scale_max": 10, "higher_is_better": True}
    example = {
        "as_of": date(2026, 3, 1),
        "rows": [
            {"sent_at": day, "answered_at": day, "raw_score": score, **answer}
            for day, score in ((new_year, 1), (fortnight, 3), (fortnight + timedelta(microseconds=1), 5))
        ],
        "interactions": [
            {
                "at": date(2025, 12, 30),
                "known_at": date(2026, 1, 1),
                "kind": "complaint",
            },  # as the first is answered
            {"at": date(2026, 1, 14), "known_at": date(2026, 2, 1), "kind": "complaint"},  # known too late for any
            {"at": date(2026, 1, 14), "kind": "contact"},
        ],
        "expect": {"s0": 0.3, "s1": 2},  # it was sent and answered: two rows
    }
    score = {"aggregate": "mean", "measure": "score", "after": {"kind": "complaint"}, "within": "14d"}
    family = family_of(score, score | {"aggregate": "count", "measure": None}, table="surveys", examples=[example])
    assert 2 == check_examples([family])


def test_bad_interaction_of_an_example_is_one_message() -> None:
    """It is told from the rows of the family's own table."""
    example = {"as_of": date(2026, 3, 1), "rows": [], "interactions": [{"kind": "complaint"}], "expect": {"s0": 0}}
    family = family_of({}, table="surveys", examples=[example])
    with pytest.raises(ProjectError) as refused:
        check_examples([family])
    assert refused.value.message.startswith("features/probe.yaml: example 1, interaction 1: there is no `at`")


def test_example_rows_may_be_of_other_customers_and_carry_a_zone() -> None:
    """Another customer's row counts for the prior only; an instant with a zone is that instant."""
    rows = [
        {"at": datetime.fromisoformat("2026-03-01T06:30:00+07:00"), "kind": "contact"},  # 23:30 UTC the day before
        {"at": date(2026, 2, 10), "kind": "contact", "customer_id": "another"},
        {"at": date(2026, 2, 12), "kind": "contact", "customer_id": "another"},
    ]
    example = {"as_of": date(2026, 3, 1), "rows": rows, "expect": {"s0": 1}}
    family = family_of({}, {"aggregate": "days_since"}, {"aggregate": "silence"}, examples=[example])
    found = compute_example(family, family.examples[0])
    quiet = 0.5 / 24
    assert {"s0": 1, "s1": pytest.approx(quiet), "s2": pytest.approx(quiet / (2 + quiet))} == found


AT = datetime(2026, 2, 1)
THERE = [
    Event("1", "a", AT, AT, {"kind": "contact", "topic": "billing"}, {"amount": 5.0}),
    Event("2", "a", AT, AT, {"kind": "purchase"}),
]
LACKS = {
    "no measure": (
        {"aggregate": "sum", "measure": "minutes", "where": {"kind": "contact"}},
        "interactions has no measure minutes",
    ),
    "no row": ({"where": {"kind": ["visit", "usage"]}}, "interactions has no row with kind visit or usage"),
    "no row with both": (
        {"where": {"kind": "purchase", "topic": "billing"}},
        "interactions has no row with kind purchase and topic billing",
    ),
    "no row with the measure": (
        {"aggregate": "sum", "measure": "amount", "where": {"kind": "purchase"}},
        "interactions has no row with kind purchase that gives amount",
    ),
    "no row with by": (
        {"aggregate": "distinct", "by": "topic", "where": {"kind": "purchase"}},
        "interactions has no row with kind purchase that gives topic",
    ),
    "no row at all has by": ({"aggregate": "distinct", "by": "agent"}, "interactions has no row that gives agent"),
    "nothing closes": (
        {"aggregate": "open", "where": {"kind": "contact"}, "of": {"kind": "resolved"}},
        "interactions has no row with kind resolved",
    ),
}


@pytest.mark.parametrize(("signal", "told"), LACKS.values(), ids=LACKS)
def test_signal_without_inputs_is_skipped_and_says_why(signal: dict[str, Any], told: str) -> None:
    """The signal is left out with all its windows, the reason tells what the deployment lacks; others stay."""
    family = family_of({**signal, "windows": ["28d", "84d"]}, {"where": {"kind": "contact"}})
    usable, skipped = available(tables_of(THERE, measures=("amount",)), family.columns)
    assert ["s1"] == [column.name for column in usable]
    assert {"s0": told} == skipped


def test_signal_with_inputs_is_kept() -> None:
    """Every signal that could be computed from the two rows is."""
    family = family_of(
        {"aggregate": "mean", "measure": "amount"},
        {"aggregate": "distinct", "by": "topic"},
        {"aggregate": "share", "where": {"kind": "contact"}, "of": {"kind": ["contact", "purchase"]}},
        {"aggregate": "share", "where": {"kind": "contact"}, "of": {}},
        {"where": {"kind": ["visit", "purchase"]}},
        {},
    )
    usable, skipped = available(tables_of(THERE, measures=("amount",)), family.columns)
    assert (family.columns, {}) == (usable, skipped)


def test_empty_table_skips_what_reads_it() -> None:
    """A deployment without surveys has no survey signals, and every one says so."""
    columns = FAMILIES["surveys"].columns
    usable, skipped = available(tables_of(THERE, measures=("amount",)), columns)
    assert () == usable
    assert {column.signal.name for column in columns} == set(skipped)
    assert all(told.startswith("surveys has no row with kind") for told in skipped.values())


def test_code_that_looks_like_a_number_is_compared_as_text() -> None:
    """`topic: 1` asks for the text 1, also where other topics are no numbers; a quote in a level is only a letter."""
    events = [
        Event(str(i), "a", AT, AT, {"kind": "contact", "topic": topic})
        for i, topic in enumerate(["1", "it's", "x", "1"])
    ]
    rows = [{"at": AT, "kind": "contact", "topic": event.levels["topic"]} for event in events]
    example = {"as_of": date(2026, 3, 1), "rows": rows, "expect": {"s0": 2, "s1": 3, "s2": 1}}
    signals = ({"where": {"topic": 1}}, {"where": {"topic": [1, "it's"]}}, {"where": {"topic": "it's"}})
    assert 3 == check_examples([family_of(*signals, examples=[example])])
    assert {} == available(tables_of(events), family_of(*signals).columns)[1]
