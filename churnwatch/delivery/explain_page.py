"""One customer's whole story as ``explain.html``: the risk and its curve, the reasons, what happened, our lists."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from churnwatch.delivery import words
from churnwatch.delivery.card_words import number, ranking_words
from churnwatch.delivery.explain_words import WORDS, came_words
from churnwatch.delivery.over_time import dates_shown, nice_top
from churnwatch.delivery.risk_curve import across, area, line
from churnwatch.delivery.row_words import instrument_words
from churnwatch.delivery.template import template
from churnwatch.delivery.text import clean
from churnwatch.reasons import money

WIDE, HIGH, LANE = 720.0, 220.0, 22.0
"""The curve's picture, and each lane of marks below it; stretched to the room it has."""
APART = 0.075
"""Two labels of the axis stand at least this share of the height apart: nearer they would lie on each other."""
MOST = 10
"""Signals shown, the strongest first."""


def explain_html(told: Mapping[str, Any], *, title: str, deployment: str, currency: str, language: str = "en") -> bytes:
    """One self-contained page about one customer; ``told`` as ``explain --json`` gives it.

    ``currency`` is an ISO 4217 code. A customer without a risk has neither curve nor reasons, and the page says why.
    It asks no other machine for anything and runs no script; all text from data is escaped; equal stories give
    equal bytes.
    """
    page = _Page(language, currency)
    customer = told["customer"]
    name = clean(customer["name"] or "")
    day = date.fromisoformat(told["as_of"])
    html: str = template("explain.html").render(
        language=page.language,
        say=page.say,
        word=page.word,
        title=clean(title),
        deployment=clean(deployment),
        name=name or clean(customer["customer_id"]),
        id=clean(customer["customer_id"]) if name else "",
        as_of=words.long_day(day, language=language),
        facts=page.facts(customer),
        standing=page.standing(told),
        label=page.label(told),
        risk=page.risk(told),
        figure=page.figure(told, day),
        reasons=[clean(reason["sentence"]) for reason in told["reasons"]],
        no_reason=page.no_reason(told),
        what_if=clean(told["counterfactual"] or ""),
        signals=page.signals(told["signals"]),
        by=page.say("by", model=clean(told["model"]), version=clean(told["model_version"])),
        also=[page.further(one, answers_too=told["answers"]) for one in told["also"]],
        lists=[page.listed(row) for row in told["lists"]],
        interactions=[page.interaction(row) for row in told["interactions"]],
        surveys=[page.survey(row) for row in told["surveys"]],
    )
    return html.encode()


class _Page:
    """What the page says in one language."""

    def __init__(self, language: str, currency: str) -> None:
        self.language = words.known(language)
        self.currency = currency

    def say(self, key: str, **values: str) -> str:
        return words.say_of(WORDS, key, language=self.language, **values)

    def word(self, key: str, **values: str) -> str:
        return words.say(key, language=self.language, **values)

    def percent(self, share: float) -> str:
        return words.percent(share, language=self.language)

    def day(self, iso: str) -> str:
        return words.day(date.fromisoformat(iso), language=self.language)

    def time(self, local: str) -> str:
        """``2026-05-02 14:05`` as ``2 May 2026, 14:05``."""
        return f"{self.day(local[:10])}, {local[11:]}"

    def facts(self, customer: Mapping[str, Any]) -> list[tuple[str, str]]:
        """What is known of who it is; what is not known is left out."""
        value = customer["value"]
        known = {
            "owner": clean(customer["owner_name"] or customer["owner"] or ""),
            "segment": clean(customer["segment"] or ""),
            "value": "" if value is None else money(value, currency=self.currency, language=self.language),
            "since": self.day(customer["since"]) if customer["since"] else "",
        }
        return [(self.say(key), text) for key, text in known.items() if text]

    def standing(self, told: Mapping[str, Any]) -> list[str]:
        """Why no risk is told, and whether the customer may be contacted at all."""
        said = []
        if told["standing"] != "observed":
            on = self.day(told["standing_since"]) if told["standing_since"] else ""
            said.append(self.say(told["standing"], day=on, model=clean(told["model"])))
        if told["customer"]["do_not_contact"]:
            said.append(f"{self.say('no_contact')}.")
        return said

    def label(self, told: Mapping[str, Any]) -> str:
        return self.word("bad_answer" if told["answers"] else "risk")

    def risk(self, told: Mapping[str, Any]) -> dict[str, Any] | None:
        """The number with its band, and what stands beside it."""
        if told["risk"] is None:
            return None
        beside = [self.say("average", risk=self.percent(told["base_rate"]))]
        beside += [
            self.say(f"within_{length[-1]}", n=length[:-1], risk=self.percent(risk))
            for length, risk in told["horizons"].items()
        ]
        if told["expected_score"] is not None:
            beside.append(self.word("expected_score", n=str(round(100 * told["expected_score"]))))
        return {
            "told": self.percent(told["risk"]),
            "band": told["band"],
            "beside": " · ".join(beside),
            "rising": self.word("rising_since", day=self.day(told["rising_since"])) if told["rising_since"] else "",
        }

    def no_reason(self, told: Mapping[str, Any]) -> str:
        lowered = sum(one["contribution"] for one in told["signals"]) <= 0
        return self.say("against" if lowered else "nothing")

    def signals(self, weighed: Sequence[Mapping[str, Any]]) -> list[tuple[str, str, str]]:
        """Column, value and contribution of those that weigh most."""
        return [
            (
                clean(one["column"]),
                "–" if one["value"] is None else number(one["value"], self.language, digits=2),
                number(one["contribution"], self.language, digits=3, signed=True),
            )
            for one in weighed[:MOST]
        ]

    def further(self, one: Mapping[str, Any], *, answers_too: bool) -> dict[str, Any]:
        """What a further model says."""
        beside = [self.say("average", risk=self.percent(one["base_rate"]))]
        if one["expected_score"] is not None:
            beside.append(self.word("expected_score", n=str(round(100 * one["expected_score"]))))
        return {
            # Of two models of answers the further one goes by its title.
            "label": self.word("bad_answer") if one["answers"] and not answers_too else clean(one["title"]),
            "told": self.percent(one["risk"]),
            "band": one["band"],
            "beside": " · ".join(beside),
            "reasons": [clean(reason["sentence"]) for reason in one["reasons"]],
            "no_reason": self.no_reason(one),
            "by": self.say("by", model=clean(one["model"]), version=clean(one["model_version"])),
        }

    def listed(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """A row of a past list, or a contact of none, and what came of it."""
        if row["risk"] is not None:
            risk = f"{self.percent(row['risk'])}, {self.word(row['band'])}"
        elif row["baseline"]:
            risk = self.say("by_baseline", baseline=clean(ranking_words(row["baseline"], self.language)))
        else:
            risk = "–"
        return {
            "day": self.day(row["day"]),
            "listed": row["listed"],
            "revised": row["revised"],
            "risk": risk,
            "reasons": [words.days_in(clean(reason), language=self.language) for reason in row["reasons"]],
            "action": clean(row["action"] or ""),
            "came": came_words(row["came"], self.language) if row["came"] else "",
            "why": clean(row["came"]["why"] or "") if row["came"] else "",
        }

    def interaction(self, row: Mapping[str, Any]) -> dict[str, Any]:
        measures = [
            f"{_spaced(name)} {words.decimal(value, language=self.language)}"
            for name, value in row.items()
            if isinstance(value, float)
        ]
        # A channel that is called like what happened in it says nothing more.
        channel = _spaced(row["channel"]) if row["channel"] != row["kind"] else ""
        agent = _spaced(row["agent_name"] or row["agent"])
        ours = self.say("ours") if row["direction"] == "out" else ""
        return {
            "at": self.time(row["at"]),
            "kind": _spaced(row["kind"]),
            "about": " · ".join(filter(None, (channel, _spaced(row["topic"]), ours, agent))),
            "measures": " · ".join(measures),
        }

    def survey(self, row: Mapping[str, Any]) -> dict[str, Any]:
        answered = row["answered_at"]
        return {
            "sent_at": self.time(row["sent_at"]),
            "instrument": clean(instrument_words(str(row["instrument"]))),
            "answered_at": self.time(answered) if answered else self.say("not_answered"),
            "score": "–" if row["raw_score"] is None else f"{row['raw_score']:g}",
        }

    def figure(self, told: Mapping[str, Any], day: date) -> dict[str, Any] | None:
        """The curve of the last days over its bands, and below it a lane for everything that happened in them."""
        if told["curve"] is None:
            return None
        risks, days = told["curve"]["risks"], told["curve"]["days"]
        known = [risk for risk in risks if risk is not None]
        n = len(days)
        edges = [("healthy", 0.0), *told["bands"].items()]
        top = nice_top(max(*known, told["bands"]["watch"] * 1.1))
        points = [None if risk is None else (across(i, n, wide=WIDE), _up(risk, top)) for i, risk in enumerate(risks)]
        place = {iso: across(i, n, wide=WIDE) for i, iso in enumerate(days)}
        lanes = self.lanes(told, place)
        whole = HIGH + LANE * len(lanes)
        return {
            "wide": f"{WIDE:.0f}",
            "high": f"{HIGH:.0f}",
            "whole": f"{whole:.0f}",
            "line": line(points),
            "area": area(points, floor=HIGH),
            "dot": "".join(f"M{x:.1f} {y:.1f}h.01" for x, y in [point for point in points if point][-1:]),
            "bands": [
                {"band": band, "y": f"{_up(above, top):.1f}", "high": f"{_up(low, top) - _up(above, top):.1f}"}
                for (band, low), above in zip(edges, [*(low for _, low in edges[1:]), top], strict=True)
                if low < top
            ],
            "rise": f"{place[told['rising_since']]:.1f}" if told["rising_since"] in place else None,
            "rise_told": self.say("curve_rise", day=self.day(told["rising_since"])) if told["rising_since"] else "",
            "ticks": self.ticks(edges, top, whole),
            "lanes": lanes,
            "dates": [
                {
                    "at": f"{100 * i / (n - 1):.1f}",
                    "told": words.day(day - timedelta(days=n - 1 - i), language=self.language),
                }
                for i in dates_shown(n)
            ],
            "told": self.word(
                "curve_told",
                days=words.whole(n, language=self.language),
                first=self.percent(known[0]),
                least=self.percent(min(known)),
                most=self.percent(max(known)),
                last=self.percent(known[-1]),
            ),
            "title": self.say("curve", n=words.whole(n, language=self.language)),
        }

    def ticks(self, edges: Sequence[tuple[str, float]], top: float, whole: float) -> list[dict[str, str]]:
        """The least risk of each band, and the top; one too near to that below it is left out."""
        found: list[tuple[float, str]] = []
        for band, low in edges:
            if low < top and (not found or (low - found[-1][0]) / top >= APART):
                found.append((low, f"{self.word(band)} {self.percent(low)}" if low else self.word(band)))
        return [{"at": f"{100 * _up(low, top) / whole:.2f}", "told": said} for low, said in found]

    def lanes(self, told: Mapping[str, Any], place: Mapping[str, float]) -> list[dict[str, Any]]:
        """One lane for each kind of thing that happened within the curve's days; none for what did not."""
        happened = told["curve"]["happened"]
        marks: dict[str, list[tuple[str, str]]] = {
            "theirs": [(iso, "") for iso in happened["theirs"]],
            "ours": [(iso, "") for iso in happened["ours"]],
            "answers": [(iso, "") for iso in happened["answers"]],
            "lists": [(row["day"], "") for row in told["lists"] if row["listed"]],
            "outcomes": [
                (row["came"]["day"], came_words(row["came"], self.language)) for row in told["lists"] if row["came"]
            ],
        }
        found: list[dict[str, Any]] = []
        for name, days in marks.items():
            inside = [(iso, said or self.day(iso)) for iso, said in days if iso in place]
            if inside:
                y = HIGH + LANE * (len(found) + 0.5)
                found.append(
                    {
                        "name": name,
                        "label": self.say(f"lane_{name}"),
                        "n": words.whole(len(inside), language=self.language),
                        "y": f"{y:.1f}",
                        "marks": [{"d": f"M{place[iso]:.1f} {y:.1f}h.01", "told": said} for iso, said in inside],
                    }
                )
        whole = HIGH + LANE * len(found)
        for lane in found:
            lane["at"] = f"{100 * float(lane['y']) / whole:.2f}"
        return found


def _up(risk: float, top: float) -> float:
    return HIGH * (1 - min(risk / top, 1.0))


def _spaced(value: object) -> str:
    """A code of the data in words: first_response reads first response."""
    return "" if value is None else clean(str(value).replace("_", " "))
