"""Bad raw data and bad mappings: where, what, what is allowed, what to try, and nothing written."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from raw_files import CUSTOMERS, EVENTS, SURVEY_HEADER, changed, loaded, with_surveys
from ruamel.yaml import YAML

from churnwatch.errors import ChurnwatchError, DataRefused, ProjectError

TOLD = "configs/here/sources.yaml"


def refusal(
    kind: type[ChurnwatchError], data: Path, sources: dict[str, Any] | None = None, **files: str | bytes
) -> str:
    """The message of the refusal; its exit code is right and only the raw files lie in the directory."""
    with pytest.raises(kind) as caught:
        loaded(data, sources, **files)
    assert {DataRefused: 4, ProjectError: 3}[kind] == caught.value.exit_code
    written = {"customers.csv", "events.csv"} | {f"{name}.csv" for name in files}
    assert written == {path.name for path in data.iterdir()}
    return caught.value.message


def mapping(**columns: str) -> dict[str, Any]:
    """SOURCES with columns of the interactions replaced or added."""
    sources = changed()
    sources["tables"]["interactions"][0]["columns"] |= columns
    return sources


def strict(**source: Any) -> dict[str, Any]:
    """SOURCES in which the events have the usual allowance of one row in a hundred."""
    return changed(shop={"allowance": 0.01, **source})


@pytest.mark.parametrize(
    ("sources", "where", "reason"),
    [
        (mapping(customer_id="custmer"), "custmer", "interactions[0] from shop.customer_id"),
        (mapping(text="shop.custmer"), "custmer", "interactions[0] from shop.text"),
        (changed(shop={"types": {"custmer": "text"}}), "custmer", "sources.shop.types"),
        (
            changed(shop={"exclude": [{"rule": "staff", "when": "custmer = 'x'"}]}),
            "custmer",
            "sources.shop.exclude 'staff'",
        ),
        (
            changed(mapping={"source": "shop", "select": "SELECT custmer AS customer_id FROM shop"}),
            "custmer",
            "interactions[0] from shop",
        ),
    ],
)
def test_a_missing_or_misspelt_column_is_told_with_those_that_exist(
    tmp_path: Path, sources: dict[str, Any], where: str, reason: str
) -> None:
    assert (
        f"events.csv: {where}: there is no column custmer, and {TOLD}: {reason} names it\n"
        "  allowed: the columns of the file: id, customer, when, amount\n"
        "  try: did you mean customer?"
    ) == refusal(DataRefused, tmp_path, sources)


def test_a_missing_file_names_the_deployment_that_asks_and_those_that_are_there(tmp_path: Path) -> None:
    message = refusal(DataRefused, tmp_path, changed(shop={"from": "event.csv"}))
    assert f"event.csv: no such file, and the deployment here asks for it ({TOLD}: sources.shop)\n" in message
    assert "there: customers.csv, events.csv" in message
    assert "did you mean events.csv?" in message


@pytest.mark.parametrize(
    ("row", "rule", "found"),
    [
        # a broken number or time is shown, its words crossed out; an id or a whole row is not
        ('e3,8,2026-02-01,"1.234,5 Rp"', "amount is not a number", ": 1.234,5 Rp"),
        ("e3,8,2026-02-01,a lot", "amount is not a number", ": a xxx"),
        ("e3,8,2026-02-01,siti1@example.org", "amount is not a number", ": xxxx1@xxxxxxx.xxx"),
        ("e1,8,2026-02-01,1", "interactions.interaction_id repeats", ""),
        ("e3,8,2026-09-01,1", "interactions.known_at in the future", ": known_at 2026-08-31 17:00:00"),
        ("e3,9,2026-02-01,1", "interactions.customer_id is no customer", ""),
        ("e3,8", "too few columns", ""),
        ("e3,8,2026-02-01,1,2", "too many columns", ""),
        ('e3,"8"8,2026-02-01,1', "a quote is not closed", ""),
    ],
)
def test_a_source_over_its_allowance_is_refused_whole_with_line_and_rule(
    tmp_path: Path, row: str, rule: str, found: str
) -> None:
    message = refusal(DataRefused, tmp_path, strict(), events=EVENTS + row + "\n")
    assert [
        "events.csv: 1 of 3 rows break a rule, more than the allowance of 0.01",
        f"    1 × {rule}",
        f"    events.csv:4: {rule}{found}",
        "  try: correct the file, exclude such rows by a declared rule, or raise `allowance`",
    ] == message.splitlines()


DATES = "strptime(\\\"when\\\", '%d/%m/%Y %H:%M')"


@pytest.mark.parametrize(
    ("types", "leave"), [({"amount": "number"}, ""), ({"when": "time"}, "leave `when` out of `types` and ")]
)
def test_times_that_are_not_iso_are_refused_with_the_way_out_and_it_works(
    tmp_path: Path, types: dict[str, str], leave: str
) -> None:
    events = "id,customer,when,amount\ne1,007,14/02/2026 10:00,5\ne2,8,03/02/2026 09:30,7\n"
    message = refusal(DataRefused, tmp_path, strict(types=types), events=events)
    written = f'at: "{DATES}"'
    hint = message.splitlines()[-1]
    assert hint.startswith(f"  try: for times that are not ISO 8601 (year first) {leave}write `{written}`")
    assert "allowance" not in hint
    # what the hint says, as YAML and all
    said = YAML(typ="safe", pure=True).load(written)
    known = {"at": said["at"], "known_at": said["at"]}
    tables = loaded(tmp_path, mapping(**known), events=events)
    # 14 February 10:00 in Jakarta is 03:00 UTC
    assert [(datetime(2026, 2, 3, 2, 30),), (datetime(2026, 2, 14, 3),)] == tables.con.execute(
        'SELECT "at" FROM interactions ORDER BY 1'
    ).fetchall()


def test_other_broken_rules_beside_times_keep_the_usual_advice(tmp_path: Path) -> None:
    events = EVENTS + "e3,8,01-02-2026,1\ne4,8,2026-02-01,x\n"
    hint = refusal(DataRefused, tmp_path, strict(), events=events).splitlines()[-1]
    assert "strptime" in hint
    assert hint.endswith(
        "; for the other rules correct the file, exclude such rows by a declared rule, or raise `allowance`"
    )


SECRETS = ("C91", "Siti", "Aminah", "siti1", "example.org", "812555", "leaving soon")
PERSON = "C91,Siti Aminah,siti1@example.org,+62812555999,I am leaving soon"


def personal(**columns: str) -> dict[str, Any]:
    """A deployment whose customers have names and contacts and whose events hold text, with no allowance."""
    sources = changed(crm={"allowance": 0}, shop={"allowance": 0, "types": {"amount": "number", "phone": "integer"}})
    sources["tables"]["customers"][0]["columns"] = {
        "customer_id": "id",
        "name": "name",
        "email": "email",
        "started_at": "since",
        "value": "fee",
        "language": "lang",
    }
    sources["tables"]["interactions"][0]["columns"] |= {"text": "text || phone", **columns}
    return sources


CRM = "id,name,email,since,fee,lang\n8,A,a@b.c,2026-01-01,1,en\n"
LOG = "id,customer,when,amount,phone,text\ne1,8,2026-02-01,1,1,x\n"


@pytest.mark.parametrize(
    ("crm", "log"),
    [
        ("C91,Siti Aminah,siti1@example.org,2026-01-01,1,en,I am leaving soon\n", ""),  # too many columns
        ("C91,Siti Aminah,siti1@example.org\n", ""),  # too few
        ('C91,"Siti" Aminah,siti1@example.org,2026-01-01,1,en\n', ""),  # a quote
        ("C91,Siti, Aminah,siti1@example.org,+62812555999,Siti\n", ""),  # all shifted by one column
        ("C91,Siti Aminah,,2026-01-01,siti1@example.org,en\n", ""),
        ("C91,Siti Aminah,,2026-01-01,1,Siti Aminah\n", ""),
        ("C91,Siti,,2026-01-01,1,en\nC91,Siti,,2026-01-01,1,en\n", ""),  # an id twice
        ("", "C91,8,I am leaving soon,1,1,x\n"),
        ("", "C91,8,2026-02-01,siti1@example.org,1,x\n"),
        ("", "C91,8,2026-02-01,1,+62-812555-Siti,x\n"),  # a number that feeds a text
        ("", "C91,C91,2026-02-01,1,1,Siti Aminah\n"),  # no customer
        ("", "C91,8,2026-02-01,1,1,Siti Aminah\nC91,8,2026-02-01,1,1,x\n"),
        ("", "C91,8,2027-02-01,1,1,Siti Aminah\n"),
    ],
)
def test_no_message_holds_a_customers_id_name_contact_or_words(tmp_path: Path, crm: str, log: str) -> None:
    files = {"customers": CRM + crm, "events": LOG + log}
    message = refusal(DataRefused, tmp_path, personal(), **files)
    assert f"{'customers' if crm else 'events'}.csv:" in message
    assert [] == [secret for secret in SECRETS if secret in message]


@pytest.mark.parametrize(
    "sql",
    ["strptime(text, '%d')", "cast(text as timestamp)", "cast(text as date)", "error(text)"],
)
@pytest.mark.parametrize("target", ["at", "text", "kind"])
def test_sql_that_stops_at_a_value_does_not_tell_it(tmp_path: Path, target: str, sql: str) -> None:
    sources = personal(**{target: sql, "known_at": '"when"'})
    log = LOG.replace(",x\n", ",Siti Aminah\n")
    message = refusal(ProjectError, tmp_path, sources, customers=CRM, events=log)
    assert [] == [secret for secret in SECRETS if secret in message]


@pytest.mark.parametrize(
    ("row", "told"),
    [
        (PERSON, "the first line of the file looks like a row"),
        ("C91,Siti Aminah,2026-01-01", "the first line of the file looks like a row"),
        ("C91,Siti,Siti,2026-01-01", "customers.csv:1: a value stands twice in the header"),
    ],
)
def test_a_file_without_a_header_does_not_tell_its_first_row(tmp_path: Path, row: str, told: str) -> None:
    message = refusal(DataRefused, tmp_path, personal(), customers=row + "\n", events=LOG)
    assert told in message
    assert [] == [secret for secret in SECRETS if secret in message]


def test_the_ends_of_customers_events_are_asked_for_without_telling_others(tmp_path: Path) -> None:
    tables = loaded(tmp_path)
    with pytest.raises(DataRefused) as caught:
        tables.data_end("interactions", {"customer_id": "C91"})
    assert "interactions.customer_id: no row matches the condition on customer_id" == caught.value.message


def test_an_empty_file_among_others_is_told_where_its_kind_is_missing(tmp_path: Path) -> None:
    sources = changed(desk={"from": "calls.csv"})
    columns = {
        "interaction_id": "id",
        "customer_id": "customer",
        "at": '"when"',
        "known_at": '"when"',
        "kind": "'call'",
    }
    sources["tables"]["interactions"].append({"source": "desk", "columns": columns})
    tables = loaded(tmp_path, sources, calls="id,customer,when\n")
    assert ("calls.csv has a header and no rows",) == tables.warnings
    with pytest.raises(DataRefused) as caught:
        tables.data_end("interactions", {"kind": "call"})
    assert "calls.csv has a header and no rows; no row matches {kind: call}" == caught.value.found


@pytest.mark.parametrize(
    ("sign", "written"), [(";", '`delimiter: ";"`'), ("\t", '`delimiter: "\\t"`'), ("|", '`delimiter: "|"`')]
)
@pytest.mark.parametrize("quote", [False, True])
def test_another_delimiter_is_guessed_from_the_header(tmp_path: Path, sign: str, written: str, quote: bool) -> None:
    events = EVENTS.replace(",", sign)
    if quote:
        events = events.replace("id", '"id"', 1).replace("customer", '"customer"', 1)
    message = refusal(DataRefused, tmp_path, events=events)
    assert message.splitlines()[-1] == f"  try: {written}"


@pytest.mark.parametrize(("column", "word"), [("kind", "purchase"), ("direction", "in"), ("channel", "phone")])
def test_a_fixed_word_without_quotes_is_told_how_to_write_it(tmp_path: Path, column: str, word: str) -> None:
    kind = ProjectError if word == "in" else DataRefused  # `in` is a word of SQL
    message = refusal(kind, tmp_path, mapping(**{column: word}))
    assert message.splitlines()[-1] == f"""  try: a fixed word is SQL in quotes: `{column}: "'{word}'"`"""


def test_a_score_outside_its_scale_is_refused_over_the_allowance(tmp_path: Path) -> None:
    surveys = SURVEY_HEADER + "s1,8,2026-02-01,2026-02-02,11,0,10\n"
    message = refusal(DataRefused, tmp_path, with_surveys(allowance=0), surveys=surveys)
    rule = "surveys.raw_score outside its scale: raw_score 11.0, scale_min 0.0, scale_max 10.0"
    assert f"surveys.csv:2: {rule}" in message


def test_a_source_within_its_allowance_is_taken(tmp_path: Path) -> None:
    more = "".join(f"m{number},8,2026-02-01,1\n" for number in range(97))
    tables = loaded(tmp_path, strict(), events=EVENTS + more + "bad,8,2026-02-01,x\n")
    assert {"amount is not a number": 1} == tables.accounting[1].quarantined
    message = refusal(
        DataRefused, tmp_path, strict(), events=EVENTS + more[len("m0,8,2026-02-01,1\n") :] + "bad,8,2026-02-01,x\n"
    )
    assert "1 of 99 rows break a rule" in message


@pytest.mark.parametrize(
    ("files", "told"),
    [
        ({"events": "id,customer,when,amount\n"}, "quarantined); events.csv has a header and no rows\n"),
        ({"customers": "id,since\n"}, "quarantined); customers.csv has a header and no rows\n"),
        ({"events": ""}, "events.csv:1: the file is empty"),
        ({"events": "\n" + EVENTS}, "events.csv:1: the first line is empty"),
    ],
)
def test_an_empty_table_is_refused(tmp_path: Path, files: dict[str, str], told: str) -> None:
    assert told in refusal(DataRefused, tmp_path, **files)


def test_rows_that_are_all_excluded_leave_an_empty_table(tmp_path: Path) -> None:
    sources = changed(shop={"exclude": [{"rule": "all", "when": "true"}]})
    message = refusal(DataRefused, tmp_path, sources)
    assert "interactions: the table is empty (events.csv: 2 rows read, 2 excluded, 0 quarantined)" in message
    assert f"the mapping of interactions in {TOLD}" in message


@pytest.mark.parametrize(
    ("events", "told"),
    [
        # A quote that is never closed would swallow the rows after it without a word.
        (EVENTS.replace("e1,007", 'e1,"007'), "events.csv:2: a quote opened here is not closed"),
        (EVENTS + 'e3,"8,2026-02-01,1\ne4,"8",2026-02-01,1\n', "events.csv:4: a quote opened here"),
        (EVENTS.replace("customer", "id"), "events.csv:1: the column id stands twice"),
        (EVENTS.replace("customer", "ID"), "events.csv:1: the column ID stands twice"),
        ("\r".join(EVENTS.split("\n")), "the lines end with carriage returns alone"),
        (EVENTS.replace("\n", "\r\n", 1), "the line ends are mixed"),
        (EVENTS.encode("utf-16"), "events.csv:1: the file is UTF-16 text"),
        ('"id,customer\n', "events.csv:1: the header is broken"),
    ],
)
def test_a_file_whose_rows_cannot_be_told_is_refused(tmp_path: Path, events: str | bytes, told: str) -> None:
    assert told in refusal(DataRefused, tmp_path, events=events)


def test_a_long_quote_is_refused_wherever_the_file_is_cut(tmp_path: Path) -> None:
    many = "".join(f"m{number},8,2026-02-01,{number}\n" for number in range(20_000))
    message = refusal(DataRefused, tmp_path, events=EVENTS + 'x,"8,2026-02-01,1\n' + many)
    assert "events.csv:4: a quote opened here is not closed" in message


def test_a_file_that_is_no_parquet_is_refused(tmp_path: Path) -> None:
    message = refusal(DataRefused, tmp_path, changed(shop={"format": "parquet"}))
    assert "events.csv: " in message
    assert "allowed: a readable Parquet file" in message


@pytest.mark.parametrize(
    ("sources", "told"),
    [
        (
            mapping(knwon_at="id"),
            ["interactions[0] from shop: interactions has no column knwon_at", "did you mean known_at?"],
        ),
        (mapping(amount="amount"), ["interactions has no column amount", "a number goes under `measures`"]),
        (mapping(at="strptime(\"when\", '%d-%m-%Y')"), ["from shop.at: ", "Could not parse", "try_strptime"]),
        (mapping(at="nosuch(id)"), ["from shop.at: ", "Scalar Function with name nosuch does not exist"]),
        (mapping(at="id +"), ["from shop.at: ", "Parser Error"]),
        (changed(shop={"exclude": [{"rule": "odd", "when": "id ="}]}), ["sources.shop.exclude 'odd'"]),
        (changed(shop={"format": None, "from": "customers.dat"}), []),
        (changed(mapping={"source": "shop", "columns": {"interaction_id": "id"}}), ["customer_id is not mapped"]),
        (changed(mapping={"source": "shop", "select": "SELECT id AS interaction_id FROM shop"}), ["not mapped"]),
        (
            changed(mapping={"source": "shop", "select": "SELECT id AS interacton_id FROM shop"}),
            ["interactions has no column interacton_id", "did you mean interaction_id?"],
        ),
        (changed(mapping={"source": "shop", "select": "SELECT 1; SELECT 2"}), ["Parser Error"]),
    ],
)
def test_a_wrong_mapping_is_told_with_its_place(tmp_path: Path, sources: dict[str, Any], told: list[str]) -> None:
    if not told:
        (tmp_path / "customers.dat").write_text(CUSTOMERS)
        with pytest.raises(ProjectError, match=r"the format of customers\.dat is not clear"):
            loaded(tmp_path, sources)
        return
    message = refusal(ProjectError, tmp_path, sources)
    assert message.startswith(TOLD)
    for words in told:
        assert words in message


def test_measures_belong_to_interactions_and_customers(tmp_path: Path) -> None:
    sources = changed()
    sources["tables"]["agents"] = [{"source": "crm", "columns": {"owner": "id"}, "measures": {"weight": "id"}}]
    message = refusal(ProjectError, tmp_path, sources)
    assert "agents has measures: weight" in message
    assert "measures stand with interactions and customers only" in message


@pytest.mark.parametrize("name", ["segment", "kind", "source", "mentions_cancel"])
def test_a_measure_of_customers_has_a_name_of_its_own(tmp_path: Path, name: str) -> None:
    """`kind` is no column of customers, but of the event rows that are made of them."""
    sources = changed()
    sources["tables"]["customers"][0]["measures"] = {name: "1"}
    assert f"the measure {name} has the name of a column" in refusal(ProjectError, tmp_path, sources)


@pytest.mark.parametrize(
    "sql", ["(SELECT min(content) FROM read_text('secret.txt'))", "(SELECT count(*) FROM read_csv('customers.csv'))"]
)
def test_the_projects_sql_reads_no_other_file(tmp_path: Path, sql: str) -> None:
    message = refusal(ProjectError, tmp_path, mapping(text=sql))
    assert f"{TOLD}: interactions[0] from shop.text: " in message
    assert "allowed: SQL over the declared sources, no other file" in message


GROUPED = """SELECT id AS interaction_id, customer AS customer_id, "when" AS "at", "when" AS known_at, 'buy' AS kind
             FROM shop"""


@pytest.mark.parametrize(
    ("events", "told"),
    [
        ("e3,8,never,1\n", "interactions.at is not a time: 1 rows, such as xxxxx"),
        ("e3,8,2026-09-01,1\n", "interactions.known_at in the future: 1 rows, such as known_at 2026-08-31 17:00:00\n"),
        ("e1,8,2026-02-01,1\n", "1 values of interaction_id repeat\n"),
        ("e3,,2026-02-01,1\n", "interactions.customer_id is missing: 1 rows\n"),
    ],
)
def test_grouped_rows_that_break_a_rule_are_refused(tmp_path: Path, events: str, told: str) -> None:
    sources = changed(mapping={"source": "shop", "select": GROUPED})
    message = refusal(DataRefused, tmp_path, sources, events=EVENTS + events)
    assert message.startswith(f"{TOLD}: interactions[0] from shop: ")
    assert told in message


def test_too_many_grouped_rows_of_unknown_customers_are_refused(tmp_path: Path) -> None:
    sources = changed(shop={"allowance": 0.5}, mapping={"source": "shop", "select": GROUPED})
    events = EVENTS.replace("007", "9").replace(",8,", ",10,")
    message = refusal(DataRefused, tmp_path, sources, events=events)
    assert "2 of 2 grouped rows are of no customer in customers\n" in message


def test_asking_for_an_end_of_rows_that_do_not_exist_names_those_that_do(tmp_path: Path) -> None:
    tables = loaded(tmp_path)
    with pytest.raises(DataRefused) as caught:
        tables.data_end("interactions", {"kind": "purchse"})
    assert (
        "interactions.kind: no row matches {kind: purchse}\n"
        "  allowed: what the data hold: purchase\n"
        "  try: did you mean purchase?"
    ) == caught.value.message
    with pytest.raises(ProjectError, match="did you mean channel"):
        tables.data_end("interactions", {"chanel": "phone"})
