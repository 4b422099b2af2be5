"""The list: who is on it, against a plain oracle, and what is suggested."""

from __future__ import annotations

from fractions import Fraction
from typing import Any, NamedTuple

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from churnwatch.outreach import Counts, choose, kept_places, suggest
from churnwatch.spec import Action

NAMES = ("customer_id", "score", "worthy", "do_not_contact", "owner")


def frame(rows: list[tuple[Any, ...]]) -> pd.DataFrame:
    """Scored customers; an owner of None is nobody."""
    return pd.DataFrame({name: pd.Series([row[i] for row in rows], dtype=object) for i, name in enumerate(NAMES)})


def listed(rows: list[tuple[Any, ...]], capacity: dict[str, int] | None, total: float = 0.05) -> list[str]:
    """The ids on the list, best first."""
    return list(choose(frame(rows), capacity=capacity, total=total)[0]["customer_id"])


def oracle(rows: list[tuple[Any, ...]], capacity: dict[str, int] | None, total: float) -> tuple[list[str], Counts]:
    """One customer after the other, the highest score first, as long as there is room."""
    chosen: list[str] = []
    full = dict(capacity) if capacity is not None else {}
    places = max(1, int(total * len(rows) + 0.5))
    below = refused = spilled = 0
    for customer, _, worthy, do_not_contact, owner in sorted(rows, key=lambda row: (-row[1], row[0])):
        if do_not_contact:
            refused += 1
        elif not worthy:
            below += 1
        elif (len(chosen) < places) if capacity is None else (full.get(owner, 0) > 0):
            chosen.append(customer)
            if capacity is not None:
                full[owner] -= 1
        else:
            spilled += 1
    return chosen, Counts(len(rows), len(chosen), below, refused, spilled)


ROWS = st.lists(
    st.tuples(
        st.text("abc01", min_size=1, max_size=3),
        st.integers(0, 5).map(float),
        st.booleans(),
        st.booleans(),
        st.sampled_from(["rina", "budi", "stranger", None]),
    ),
    max_size=25,
    unique_by=lambda row: row[0],
)
CAPACITY = st.none() | st.fixed_dictionaries({"rina": st.integers(0, 4), "budi": st.integers(0, 4)})


@settings(max_examples=300, deadline=None)
@given(rows=ROWS, capacity=CAPACITY, total=st.floats(0.01, 1))
def test_the_list_is_that_of_a_plain_walk_and_everybody_is_counted_once(
    rows: list[tuple[Any, ...]], capacity: dict[str, int] | None, total: float
) -> None:
    """Any customers, ties, owners and capacities: the same rows, ranks 1 to n, and counts that add up."""
    found, counts, _ = choose(frame(rows), capacity=capacity, total=total)
    assert oracle(rows, capacity, total) == (list(found["customer_id"]), counts)
    assert list(range(1, len(found) + 1)) == list(found["rank"])
    assert counts.observed == counts.listed + counts.below + counts.refused + counts.spilled
    if capacity is not None:
        assert all(n <= capacity[owner] for owner, n in found["owner"].value_counts().items())


@settings(deadline=None)
@given(rows=ROWS, capacity=CAPACITY, order=st.randoms())
def test_the_order_of_the_customers_changes_nothing(
    rows: list[tuple[Any, ...]], capacity: dict[str, int] | None, order: Any
) -> None:
    """Ties go to the smaller id, wherever it stood."""
    shuffled = order.sample(rows, len(rows))
    first, second = (choose(frame(some), capacity=capacity, total=0.3)[0] for some in (rows, shuffled))
    assert first.to_dict("records") == second.to_dict("records")


def test_each_owner_gets_their_own_best_and_the_list_is_in_one_order() -> None:
    """Rina's third is left out though it scores above all of Budi's."""
    rows = [
        ("r1", 0.9, True, False, "rina"),
        ("r2", 0.8, True, False, "rina"),
        ("r3", 0.7, True, False, "rina"),
        ("b1", 0.6, True, False, "budi"),
        ("b2", 0.85, True, False, "budi"),
    ]
    assert ["r1", "b2", "r2", "b1"] == listed(rows, {"rina": 2, "budi": 5})
    assert ["b2", "b1"] == listed(rows, {"rina": 0, "budi": 5})


def test_ties_go_to_the_smaller_id() -> None:
    """As text: C10 before C2."""
    rows = [(name, 0.5, True, False, "rina") for name in ("C2", "C3", "C10")]
    assert ["C10", "C2"] == listed(rows, {"rina": 2})


def test_who_may_not_be_contacted_takes_nobodys_place() -> None:
    """The next one moves up; being refused counts before being below."""
    rows = [
        ("a", 0.9, True, True, "rina"),
        ("b", 0.8, True, False, "rina"),
        ("c", 0.1, False, True, "rina"),
        ("d", 0.1, False, False, "rina"),
    ]
    found, counts, _ = choose(frame(rows), capacity={"rina": 1}, total=1)
    assert ["b"] == list(found["customer_id"])
    assert Counts(observed=4, listed=1, below=1, refused=2, spilled=0) == counts


def test_whom_nobody_owns_is_spilled_not_lost() -> None:
    """With owners, a customer without one has nobody to call them, nor has one whose owner is unknown."""
    rows = [("a", 0.9, True, False, None), ("b", 0.8, True, False, "stranger"), ("c", 0.7, True, False, "rina")]
    found, counts, _ = choose(frame(rows), capacity={"rina": 5}, total=1)
    assert (["c"], 2) == (list(found["customer_id"]), counts.spilled)


@pytest.mark.parametrize(("customers", "total", "expected"), [(100, 0.05, 5), (3, 0.05, 1), (130, 0.05, 7), (4, 1, 4)])
def test_without_owners_the_top_share_of_the_observed_is_listed(customers: int, total: float, expected: int) -> None:
    """At least one; the share is of everybody observed."""
    rows = [(f"c{i:03}", float(i), True, False, None) for i in range(customers)]
    ids = [f"c{i:03}" for i in reversed(range(customers - expected, customers))]
    assert ids == listed(rows, None, total)


@pytest.mark.parametrize("capacity", [None, {}, {"rina": 3}])
def test_nobody_observed_is_an_empty_list(capacity: dict[str, int] | None) -> None:
    """With the columns the next step reads."""
    found, counts, _ = choose(frame([]), capacity=capacity, total=0.5)
    assert Counts(0, 0, 0, 0, 0) == counts
    assert ["rank", *NAMES, "for_further", "for_proactive", "recipient", "handed"] == list(found.columns)
    assert [] == found.to_dict("records")


def test_other_columns_stay_with_their_customer() -> None:
    """Whatever the caller put beside."""
    scored = frame([("a", 0.1, True, False, "rina"), ("b", 0.9, True, False, "rina")]).assign(position=[0, 1])
    found, _, _ = choose(scored, capacity={"rina": 2}, total=1)
    assert [1, 0] == list(found["position"])
    assert ["customer_id", "score"] == list(scored.columns[:2]), "the caller's frame is left alone"


# --- further models list too

Row = tuple[Any, ...]


def both(rows: list[Row]) -> pd.DataFrame:
    """Scored customers with two columns more: which further model wants them (None: none) and its score."""
    found = frame([row[:5] for row in rows])
    return found.assign(
        further_place=pd.Series([row[5] for row in rows], dtype="float64"),
        further_score=pd.Series([row[6] for row in rows], dtype="float64"),
    )


def leaving(name: str, score: float, owner: str | None = "rina", takes: int = 10) -> Row:
    """Somebody the listing model lists."""
    return (name, score, True, False, owner, None, 0.0, takes)


def growing(name: str, score: float, owner: str | None = "rina", place: int = 0, takes: int = 10) -> Row:
    """Somebody only the further model at this place lists."""
    return (name, 0.0, False, False, owner, place, score, takes)


def limit(rows: list[Row], budget: int | None) -> dict[str, Any]:
    """How ``choose`` is told what each row takes, and what an owner has; nothing without a budget."""
    return {} if budget is None else {"minutes": lambda i: rows[i][7], "budget": budget}


def parted(
    rows: list[Row], capacity: dict[str, int] | None, share: float = 0.25, budget: int | None = None
) -> tuple[list[str], list[str]]:
    """The ids the listing model lists, and those a further model does, in their order."""
    found, _, _ = choose(both(rows), capacity=capacity, total=0.5, also_share=share, **limit(rows, budget))
    ids = [list(found.loc[found["for_further"] == which, "customer_id"]) for which in (False, True)]
    assert ids[0] + ids[1] == list(found["customer_id"])
    return ids[0], ids[1]


Placed = tuple[str, str | None, str]


class Room(NamedTuple):
    """What there is to place rows in."""

    capacity: dict[str, int] | None
    total: float
    share: Fraction
    budget: int | None
    away: dict[str, str | None]
    leads: dict[str, str]


def plain_walk(rows: list[Row], room: Room) -> tuple[list[Placed], list[Placed], Counts]:
    """Who gets a place, on whose list and how it came there: the listing model's rows, the further models', the counts.

    Further models take their share of places and minutes, the listing model what it can, they the rest, then both what
    the leads have. The last of a row is what it takes; without a budget nobody asks.
    """
    capacity, total, share, budget, away, leads = room
    open_to = [row for row in rows if not row[3]]
    full = dict(capacity) if capacity is not None else {"all": max(1, int(total * len(rows) + 0.5)) if rows else 0}
    kept = {}
    for owner, places in full.items():
        exact = places * share
        kept[owner] = exact.numerator // exact.denominator + (1 if exact % 1 > Fraction(1, 2) else 0)
    wanted = sorted((row for row in open_to if row[5] is not None), key=lambda row: (row[5], -row[6], row[0]))
    taken: dict[str, tuple[str, Placed]] = {}
    spent = dict.fromkeys(full, 0)

    def asked(owner: str | None, *, lead: bool) -> list[str | None]:
        """Who there is to work a row of the owner's; of the leads, first the owner's own."""
        works = away.get(owner, owner) if owner else None
        if not lead:
            return [works]
        return [away.get(leads[one], leads[one]) for one in (owner, works) if one in leads]

    def walk(
        those: list[Row], places: dict[str, int], by: str, of: Fraction = Fraction(1), *, lead: bool = False
    ) -> None:
        for row in those:
            owner = row[4] if capacity is not None else "all"
            for who in asked(owner, lead=lead):
                fits = budget is None or spent.get(who, 0) + row[7] <= of * budget
                if row[0] not in taken and fits and places.get(who, 0) > 0 and full.get(who, 0) > 0:
                    how = "away" if owner in away else "overflow" if lead else ""
                    taken[row[0]] = by, (row[0], who if capacity is not None else None, how)
                    spent[who] += row[7]
                    full[who] -= 1
                    if places is not full:
                        places[who] -= 1

    by_score = sorted((row for row in open_to if row[2]), key=lambda row: (-row[1], row[0]))
    walk(wanted, kept, "further", share)
    walk(by_score, full, "listing")
    walk(wanted, full, "further")
    walk(by_score, full, "listing", lead=True)
    walk(wanted, full, "further", lead=True)
    first, last = (
        [taken[row[0]][1] for row in those if row[0] in taken and taken[row[0]][0] == by]
        for those, by in ((by_score, "listing"), (wanted, "further"))
    )
    worthy = {row[0] for row in open_to if row[2] or row[5] is not None}
    counts = Counts(
        observed=len(rows),
        listed=len(taken),
        below=len(open_to) - len(worthy),
        refused=len(rows) - len(open_to),
        spilled=len(worthy) - len(taken),
    )
    return first, last, counts


BOTH = st.lists(
    st.tuples(
        st.text("abc01", min_size=1, max_size=3),
        st.integers(0, 5).map(float),
        st.booleans(),
        st.booleans(),
        st.sampled_from(["rina", "budi", "sari", "stranger", None]),
        st.sampled_from([None, 0, 1]),
        st.integers(0, 3).map(float),
        st.sampled_from([1, 3, 4, 10]),
    ),
    max_size=25,
    unique_by=lambda row: row[0],
)
BUDGETS = st.none() | st.integers(1, 40)
MORE = st.none() | st.fixed_dictionaries({name: st.integers(0, 9) for name in ("rina", "budi", "sari", "lead")})
AWAY = st.sampled_from(
    [
        {},
        {"budi": "rina"},
        {"budi": "sari"},
        {"budi": None},
        {"budi": "rina", "sari": "lead"},
        {"budi": "sari", "lead": "rina"},
    ]
)
LEADS = st.sampled_from(
    [{}, {"rina": "sari", "budi": "lead"}, {"rina": "lead", "budi": "sari", "sari": "lead"}, {"rina": "lead"}]
)
SHARES = st.sampled_from([Fraction(0), Fraction(1, 10), Fraction(1, 4), Fraction(1, 3), Fraction(1, 2), Fraction(1)])


@settings(max_examples=250, deadline=None)
@given(
    rows=BOTH,
    room=st.builds(
        Room,
        capacity=MORE,
        total=st.sampled_from([0.05, 0.3, 1.0]),
        share=SHARES,
        budget=BUDGETS,
        away=AWAY,
        leads=LEADS,
    ),
)
def test_two_kinds_of_rows_are_those_of_plain_walks(rows: list[Row], room: Room) -> None:
    """Any customers, also such as both models want: the same rows in the same order on the same lists, all counted."""
    found, counts, _ = choose(
        both(rows),
        capacity=room.capacity,
        total=room.total,
        also_share=float(room.share),
        stands_in=room.away,
        leads=room.leads,
        **limit(rows, room.budget),
    )
    first, last, expected = plain_walk(rows, room)
    placed = found[["customer_id", "recipient", "handed"]].itertuples(index=False, name=None)
    assert [*first, *last] == list(placed)
    assert [False] * len(first) + [True] * len(last) == list(found["for_further"])
    assert list(range(1, len(found) + 1)) == list(found["rank"])
    assert expected == counts
    assert counts.observed == counts.listed + counts.below + counts.refused + counts.spilled
    if room.capacity is not None:
        assert all(n <= room.capacity[who] for who, n in found["recipient"].value_counts().items())


@settings(max_examples=50, deadline=None)
@given(rows=BOTH, capacity=MORE, order=st.randoms(), budget=BUDGETS)
def test_the_order_of_the_customers_changes_neither_kind(
    rows: list[Row], capacity: dict[str, int] | None, order: Any, budget: int | None
) -> None:
    shuffled = order.sample(rows, len(rows))
    first, second = (
        choose(both(some), capacity=capacity, total=0.3, also_share=0.5, **limit(some, budget))[0]
        for some in (rows, shuffled)
    )
    pd.testing.assert_frame_equal(first, second)


@pytest.mark.parametrize(
    ("places", "share", "kept"),
    [(5, 0.25, 1), (2, 0.25, 0), (3, 0.25, 1), (6, 0.25, 1), (7, 0.25, 2), (8, 0.25, 2), (10, 0.05, 0), (11, 0.05, 1),
     (30, 0.05, 1), (4, 1.0, 4), (4, 0.0, 0), (0, 0.25, 0)],
)  # fmt: skip
def test_the_places_kept_are_the_nearest_whole_number_and_a_half_stays_with_the_leaving(
    places: int, share: float, kept: int
) -> None:
    """Half a place: 2 times 0.25, 6 times 0.25 (one and a half), 10 times 0.05, 30 times 0.05."""
    assert kept == kept_places(places, share)


def test_of_a_full_day_a_quarter_goes_to_those_who_are_growing_unhappy() -> None:
    """Of five places one, though the sixth who is leaving waits."""
    rows = [leaving(f"l{i}", 1 - i / 10) for i in range(6)] + [growing("g1", 0.3), growing("g2", 0.4)]
    assert (["l0", "l1", "l2", "l3"], ["g2"]) == parted(rows, {"rina": 5})


def test_of_a_day_of_few_minutes_the_share_is_kept_too_and_no_more() -> None:
    """A quarter of 20 minutes is 5: a row of 20 waits for what the leaving leave, one of 5 has its place."""
    rows = [leaving(f"l{i}", 1 - i / 10) for i in range(6)]
    assert (["l0", "l1"], []) == parted([*rows, growing("g", 0.4, takes=20)], {"rina": 5}, budget=20)
    assert (["l0"], ["s"]) == parted(
        [*rows, growing("g", 0.4, takes=20), growing("s", 0.3, takes=5)], {"rina": 5}, budget=20
    )
    assert (["l0"], ["g"]) == parted([rows[0], growing("g", 0.4, takes=20)], {"rina": 5}, budget=30)


def test_rows_of_a_rule_have_a_share_of_the_minutes_of_their_own() -> None:
    """Forty minutes: ten for the growing, ten for the rule (one of its two rows), and twenty for the leaving."""
    kinds = [leaving(f"l{i}", 1 - i / 10) for i in range(6)] + [growing("g", 0.4)]
    named = [("p", 0.0, False, False, "rina", None, 0.0, 10), ("q", 0.0, False, False, "rina", None, 0.0, 10)]
    rows = [*kinds, *named]
    scored = both(rows).assign(proactive_place=[None] * 7 + [0, 0], proactive_score=[0.0] * 7 + [2.0, 1.0])
    found = choose(
        scored, capacity={"rina": 8}, total=1, also_share=0.25, proactive_share=0.25, **limit(rows, 40)
    ).listed
    assert ["l0", "l1", "g", "p"] == list(found["customer_id"])


def test_places_kept_for_nobody_go_back_to_the_leaving() -> None:
    """Nobody of Budi's is growing unhappy, so all five of his are leaving; Rina's place stays hers."""
    rows = [leaving(f"b{i}", 1 - i / 10, "budi") for i in range(6)]
    rows += [leaving(f"r{i}", 0.9 - i / 10) for i in range(6)] + [growing("g", 0.1)]
    first, last = parted(rows, {"rina": 5, "budi": 5})
    assert (["b0", "b1", "b2", "b3", "b4"], ["g"]) == ([one for one in first if one[0] == "b"], last)
    assert ["r0", "r1", "r2", "r3"] == [one for one in first if one[0] == "r"]


def test_places_the_leaving_do_not_fill_are_open_to_the_growing() -> None:
    """One is leaving, five places: four of the growing, though one place was kept for them; also where none was."""
    rows = [leaving("l", 0.9)] + [growing(f"g{i}", i / 10) for i in range(6)]
    for share in (0.25, 0.0):
        assert (["l"], ["g5", "g4", "g3", "g2"]) == parted(rows, {"rina": 5}, share)


def test_without_owners_the_share_is_of_the_whole_list() -> None:
    """Sixteen customers, half of them listed: eight places, two of them kept."""
    rows = [leaving(f"l{i:02}", 1 - i / 100, None) for i in range(12)]
    rows += [growing(f"g{i}", i / 10, None) for i in range(4)]
    assert ([f"l{i:02}" for i in range(6)], ["g3", "g2"]) == parted(rows, None)


def test_the_first_of_several_further_models_comes_first() -> None:
    """Scores of two models cannot be compared: the deployment's order decides, then the score, then the id."""
    rows = [growing("a", 0.9, place=1), growing("c", 0.2), growing("b", 0.2), growing("d", 0.3)]
    assert ([], ["d", "b", "c"]) == parted(rows, {"rina": 3})


def test_whom_a_further_model_wants_is_not_below_the_band() -> None:
    """Four observed: one listed for it, one over capacity, one below everything, one not to be contacted."""
    rows = [growing("a", 0.9), growing("b", 0.8), ("c", 0.0, False, False, "rina", None, 0.0)]
    rows += [("d", 0.0, False, True, "rina", 0, 0.95)]
    found, counts, _ = choose(both(rows), capacity={"rina": 1}, total=1, also_share=0.25)
    assert ["a"] == list(found["customer_id"])
    assert Counts(observed=4, listed=1, below=1, refused=1, spilled=1) == counts


def test_a_ranking_that_finds_everybody_worthy_leaves_the_kept_places_to_further_models() -> None:
    """By a baseline everybody is worthy: "b" is the further model's row, and the baseline's next moves up."""
    rows = [(name, score, True, False, "rina", place, 0.5) for name, score, place in
            (("a", 0.9, None), ("b", 0.8, 0), ("c", 0.7, None), ("d", 0.6, None), ("e", 0.5, 0))]  # fmt: skip
    assert (["a", "c", "d"], ["b"]) == parted(rows, {"rina": 4})


def test_whom_the_stand_in_has_no_place_for_goes_to_the_owners_lead_then_to_the_stand_ins() -> None:
    """Of who is away: one place of the stand-in, one of the owner's lead, one of the stand-in's; all say who is away.

    Of the stand-in's own customers, none at the owner's lead; a lead who is away has somebody else there.
    """
    rows = [leaving(name, 1 - i / 10, "away") for i, name in enumerate("abcd")] + [leaving("e", 0.1, "stand_in")]
    places = {"away": 9, "stand_in": 1, "lead": 1, "other": 1}
    leads = {"away": "lead", "stand_in": "other"}

    def placed(rows: list[Row], **more: Any) -> list[tuple[str, str, str]]:
        given = {"capacity": places, "total": 1, "stands_in": {"away": "stand_in"}, "leads": leads, **more}
        found = choose(both(rows), **given).listed
        return list(found[["customer_id", "recipient", "handed"]].itertuples(index=False, name=None))

    three = [("a", "stand_in", "away"), ("b", "lead", "away"), ("c", "other", "away")]
    assert three == placed(rows)
    assert three[:2] == placed(rows, leads={"away": "lead"})
    assert [three[0], ("b", "other", "away")] == placed(rows, leads={"stand_in": "other"})
    gone = {"away": "stand_in", "lead": "deputy"}
    assert ("b", "deputy", "away") == placed(rows, stands_in=gone, capacity={**places, "deputy": 1})[1]
    there = [("e", "other", "overflow")]
    assert there == placed(rows[4:], capacity={**places, "stand_in": 0})


ACTIONS = {
    name: Action.model_validate(
        {
            "title": {"en": name, "id": f"{name}-id"},
            "steps": {"en": "Do.", "id": "Lakukan."},
            "minutes": 5,
            # Of one action nothing is said of the way.
            **({"tone": {"en": "Calm.", "id": "Tenang."}, "channel": "phone"} if name != "write" else {}),
        }
    )
    for name in ("call_back", "check_in", "write")
}


@pytest.mark.parametrize(
    ("wanted", "name", "sign"),
    [
        (["call_back", "write"], "call_back", "Sign 1"),
        (["given_up", "write"], "write", "Sign 2"),
        ([None, "write"], "write", "Sign 2"),
        ([None], "check_in", None),
        (["given_up"], "check_in", None),
        ([], "check_in", None),
    ],
)
def test_the_strongest_reason_with_an_action_decides(wanted: list[str | None], name: str, sign: str | None) -> None:
    """And is told as why; without any it is the deployment's default, which says so."""
    signs = [(f"Sign {i}", action) for i, action in enumerate(wanted, start=1)]
    english = suggest(signs, default="check_in", actions=ACTIONS, language="en")
    assert (name, name, "Do.") == (english.name, english.title, english.steps)
    nothing = "No sign points to one action, so this is where to start."
    assert (f"Because of this: {sign}" if sign else nothing) == english.why
    indonesian = suggest(signs, default="check_in", actions=ACTIONS, language="id")
    assert (name, f"{name}-id", "Lakukan.") == (indonesian.name, indonesian.title, indonesian.steps)
    nothing = "Tidak ada tanda yang mengarah ke satu tindakan, jadi mulailah dari sini."
    assert (f"Karena ini: {sign}" if sign else nothing) == indonesian.why


def test_a_suggestion_says_how_and_how_long() -> None:
    """Tone and channel in the agent's language; where the playbook says nothing of them, neither does the row."""
    english, indonesian, plain = (
        suggest([("", name)], default="check_in", actions=ACTIONS, language=language)
        for name, language in (("call_back", "en"), ("call_back", "id"), ("write", "en"))
    )
    assert ("Calm.", "phone", 5) == (english.tone, english.channel, english.minutes)
    assert ("Tenang.", "telepon", 5) == (indonesian.tone, indonesian.channel, indonesian.minutes)
    assert ("", "", 5) == (plain.tone, plain.channel, plain.minutes)


def test_a_sentence_with_braces_stands_as_it_is() -> None:
    """What a customer's data put into a reason is no place to fill."""
    found = suggest([("Said {sign} {0}", "write")], default="check_in", actions=ACTIONS, language="en")
    assert "Because of this: Said {sign} {0}" == found.why
