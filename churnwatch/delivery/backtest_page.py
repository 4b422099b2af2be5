"""A backtest as one page that says in words, then in pictures, what the lists of the past would have been worth."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from churnwatch.delivery import words
from churnwatch.delivery.backtest_charts import curve, reliability_marks, stacks
from churnwatch.delivery.backtest_words import worded
from churnwatch.delivery.over_time import HIGH, WIDE, across, dates_shown, line, nice_top, reaches, ticks
from churnwatch.delivery.template import template
from churnwatch.delivery.text import clean
from churnwatch.evaluation import SHARES, Interval, ListFigures, Rate, Replay
from churnwatch.spec import Language, Model

RULES = ("recency", "last_score", "tenure", "health", "logistic")
"""The baselines that are drawn; random is drawn as what it finds on average."""


def backtest_html(
    replay: Replay,
    *,
    slices: Sequence[Mapping[str, Any]],
    title: str,
    deployment: str,
    model: Model,
    quiet: bool = True,
    language: str = "en",
) -> bytes:
    """The page in ``language``, self-contained.

    It asks no other machine for anything, runs no script and names no customer; all text from files is escaped; equal
    replays give equal bytes. ``slices`` are those of ``backtest --json``, one per list. ``quiet`` says that the
    baseline ``recency`` is the time since the customer last did something; else it is called by its column's name.
    """
    page = _Page(replay, slices, model, quiet, "id" if language == "id" else "en")
    told: str = template("backtest.html").render(page.told(title=title, deployment=deployment))
    return told.encode()


class _Page:
    """What the template shows, every value a finished text."""

    def __init__(
        self, replay: Replay, slices: Sequence[Mapping[str, Any]], model: Model, quiet: bool, language: Language
    ) -> None:
        self.replay = replay
        self.slices = slices
        self.model = model
        self.language: Language = language
        kind = "left_event" if model.outcome.event is not None else "left_inactive"
        self.answers = model.outcome.answer is not None
        if self.answers:
            kind = "left_answer"
        self.worded = worded(model)
        self.left = self.worded(kind, language=language)
        self.bad = sum(one.base_rate.hits for one in replay.lists)
        self.judged = sum(one.base_rate.n for one in replay.lists)
        self.observed = sum(self.watched(one) for one in replay.lists)
        self.quiet = quiet
        self.reach = words.decimal(model.reach / 86_400, language=language)
        self.days = [words.day(one.day, language=language) for one in replay.lists]
        # A baseline whose signal this deployment lacks ranks nobody: its gain is the diagonal.
        flat = {
            name
            for name, gains in replay.gain.items()
            if all(abs(a - b) < 1e-9 for a, b in zip(gains, SHARES, strict=True))
        }
        self.rules = [name for name in RULES if name in replay.gain and name not in flat]

    def say(self, key: str, **values: str) -> str:
        if key == "recency" and not self.quiet:
            return self.worded("one_sign", language=self.language, column=clean(self.model.baselines.recency or "–"))
        return self.worded(key, language=self.language, **{"left": self.left, **values})

    def watched(self, one: ListFigures) -> int:
        """Everybody observed at a date, also who did not answer."""
        return one.counts["observed"] + one.counts.get("unanswered", 0)

    def percent(self, share: float) -> str:
        return words.percent(share, language=self.language)

    def whole(self, n: float) -> str:
        return words.whole(round(n), language=self.language)

    def told(self, *, title: str, deployment: str) -> dict[str, Any]:
        replay = self.replay
        about = replay.coverage
        days = self.days
        tiles = [
            (self.whole(replay.rows), self.say("tile_rows")),
            (self.whole(about.customers), self.say("tile_customers", n=self.whole(about.observed))),
        ]
        if self.answers:
            tiles.append((self.whole(self.bad), self.say("tile_bad", n=self.whole(self.judged))))
        else:
            tiles.append((self.whole(about.leavers), self.say("tile_leavers")))
        if self.judged < self.observed and self.answers:
            share = self.percent(self.judged / self.observed)
            tiles.append((share, self.say("tile_answered", n=self.whole(self.observed))))
        if about.leavers:
            tiles.append((self.percent(about.in_time / about.leavers), self.say("tile_in_time")))
        if about.all_owners:
            tiles.append((self.whole(about.owners), self.say("tile_owners", n=self.whole(about.all_owners))))
        replayed = "replayed" if len(days) > 1 else "replayed_one"
        return {
            "say": self.say,
            "language": self.language,
            "title": clean(title),
            "foresees": clean(self.model.title.in_language(self.language)),
            "headline": self.headline(),
            "replayed": self.say(replayed, n=self.whole(len(days)), first=days[0], last=self.last()),
            "tiles": tiles,
            "verdict": self.verdict(),
            "verdict_head": self.say("verdict_head", n=self.whole(self.per())),
            "figures": [
                one
                for one in (
                    self.precision(),
                    self.lead(),
                    self.gain(),
                    self.reliability(),
                    self.drift(),
                    self.repeat(),
                )
                if one
            ],
            "dates": [self.row(one, slice_) for one, slice_ in zip(replay.lists, self.slices, strict=True)],
            "heads": self.heads(),
            "honest": self.honest(),
            "footer": self.say("footer", deployment=clean(deployment)),
            "wide": f"{WIDE:.0f}",
            "high": f"{HIGH:.0f}",
            "labels": [
                {"at": f"{100 * across(i, len(days)) / WIDE:.1f}", "told": days[i]} for i in dates_shown(len(days))
            ],
        }

    def last(self) -> str:
        """The last date, or the last day of its slice."""
        last = self.replay.lists[-1]
        return words.day(last.last_day or last.day, language=self.language)

    def per(self) -> int:
        """Ten customers, or a hundred or a thousand where of ten not even one would be found."""
        rate = self.replay.precision.share if self.replay.precision else 0.0
        return 10 if rate >= 0.1 else 100 if rate >= 0.01 else 1_000

    def of_every(self, share: float) -> str:
        found = share * self.per()
        return words.decimal(found if found >= 0.05 or found == 0 else 0.1, language=self.language)

    def aligned(self, share: float) -> str:
        """As ``of_every``, with its decimal always: beside others, 3 and 2.6 must not look like 3 and 26."""
        found = share * self.per()
        return words.fixed(found if found >= 0.05 or found == 0 else 0.1, 1, language=self.language)

    def headline(self) -> list[str]:
        replay = self.replay
        if replay.precision is None:
            return [self.say("empty")]
        told = [
            self.say(
                "of_every",
                n=self.whole(self.per()),
                hits=self.of_every(replay.precision.share),
                days=self.reach,
                chance=self.of_every(replay.chance),
            )
        ]
        if self.answers:
            return [*told, self.say("of_bad", share=self.percent(replay.precision.hits / self.bad))]
        if replay.lead.leavers == 0:
            return [*told, self.say("nobody_left")]
        if replay.lead.median_days is None:
            return [*told, self.say("warned_none")]
        share = self.percent(replay.lead.warned / replay.lead.leavers)
        return [*told, self.say("warned", share=share, days=self.whole(int(replay.lead.median_days)))]

    def verdict(self) -> list[dict[str, str]]:
        """Each rule beside the list: how many it would have found in the same places, and whether that is sure."""
        if self.replay.precision is None:
            return []
        own = self.replay.precision.share
        found = [{"key": "list", "name": self.say("the_list"), "found": self.aligned(own), "told": "", "kind": ""}]
        for name in self.rules:
            one = self.replay.against[name]
            kind = "better" if one.low > 0 else "worse" if one.high < 0 else "unsure"
            told = "unsure" if kind == "unsure" else f"surely_{kind}"
            found.append(
                {
                    "key": name,
                    "name": self.say(name),
                    "found": self.aligned(max(own - one.difference, 0.0)),
                    "told": f"{self.say(told)} ({self.points(one)})",
                    "kind": kind,
                }
            )
        precise, chance = self.replay.precision, self.replay.chance
        kind = "better" if precise.low > chance else "worse" if precise.high < chance else "unsure"
        told = self.say("unsure" if kind == "unsure" else f"surely_{kind}")
        of_chance = {"name": self.say("chance"), "found": self.aligned(chance), "told": told, "kind": kind}
        return [*found, {"key": "chance", **of_chance}]

    def points(self, one: Interval) -> str:
        def signed(value: float) -> str:
            return (
                f"{'+' if value > 0 else '−' if value < 0 else ''}{words.fixed(abs(value), 1, language=self.language)}"
            )

        low, high = (signed(round(100 * value, 1)) for value in (one.low, one.high))
        return self.say("from_to", low=low, high=high)

    def figure(self, key: str, says: str, **parts: Any) -> dict[str, Any]:
        return {
            "key": key,
            "head": parts.pop("head", self.say(key)),
            "says": says,
            "not": self.say(parts.pop("says_not", f"{key}_not")),
            **parts,
        }

    def over_time(self, top: float) -> dict[str, Any]:
        return {"kind": "time", "ticks": ticks(top, self.percent)}

    def precision(self) -> dict[str, Any] | None:
        replay = self.replay
        if replay.precision is None:
            return None
        rates = [one.precision for one in replay.lists]
        known = [(one.day, one.precision.share) for one in replay.lists if one.precision]
        best, worst = max(known, key=lambda pair: pair[1]), min(known, key=lambda pair: pair[1])
        rules = {name: [one.baselines.get(name) for one in replay.lists] for name in self.rules}
        highest = [rate.high for rate in rates if rate] + [v for values in rules.values() for v in values if v]
        top = nice_top(max(highest))
        lines: list[tuple[str, list[float | None]]] = [("chance", [one.chance for one in replay.lists]), *rules.items()]
        return self.figure(
            "precision",
            self.say(
                "precision_says" if len(known) > 1 else "precision_one",
                **self.interval(replay.precision),
                best_day=words.day(best[0], language=self.language),
                best=self.percent(best[1]),
                worst_day=words.day(worst[0], language=self.language),
                worst=self.percent(worst[1]),
            ),
            **self.over_time(top),
            reaches=reaches(rates, top),
            lines=[{"class": name, **line(values, top)} for name, values in lines]
            + [{"class": "list", **line([rate.share if rate else None for rate in rates], top)}],
            legend=[
                (name, self.say("the_list" if name == "list" else name)) for name in ("list", *self.rules, "chance")
            ],
            aria=self.by_date(rates),
        )

    def interval(self, rate: Rate) -> dict[str, str]:
        return {"share": self.percent(rate.share), "low": self.percent(rate.low), "high": self.percent(rate.high)}

    def ranged(self, rate: Rate | None) -> str:
        if rate is None:
            return "–"
        return f"{self.percent(rate.share)} ({self.percent(rate.low)} – {self.percent(rate.high)})"

    def by_date(self, rates: Sequence[Rate | None]) -> str:
        return "; ".join(f"{day}: {self.ranged(rate)}" for day, rate in zip(self.days, rates, strict=True))

    def lead(self) -> dict[str, Any] | None:
        lead = self.replay.lead
        rows = [
            {
                "name": self.say("lead_row", days=self.whole(one.days)),
                "days": self.whole(one.days),
                "share": self.percent(one.recall),
                "width": f"{100 * one.recall:.1f}",
                "mark": f"{100 * (chance or 0.0):.1f}",
                "of": self.say("lead_of", warned=self.whole(one.warned), leavers=self.whole(one.leavers)),
            }
            for one, chance in zip(lead.recall, self.replay.lead_by_chance, strict=True)
            if one.recall is not None
        ]
        if not rows:
            return None
        chance = self.replay.lead_by_chance[0]
        return self.figure(
            "lead",
            self.say("lead_says", chance=self.percent(chance or 0.0), days=rows[0]["days"]),
            kind="bars",
            bars=rows,
        )

    def gain(self) -> dict[str, Any] | None:
        gains = self.replay.gain
        if not gains:
            return None
        at = {share: gains["model"][SHARES.index(share)] for share in (0.1, 0.2)}
        observed = sum(one.counts["observed"] for one in self.replay.lists)
        listed = self.replay.rows / observed
        names = ("model", *self.rules)
        return self.figure(
            "gain",
            self.say(
                "gain_says", at_10=self.percent(at[0.1]), at_20=self.percent(at[0.2]), listed=self.percent(listed)
            ),
            kind="square",
            ticks=ticks(1.0, self.percent),
            x_told=self.say("gain_x"),
            x_ticks=[{"at": f"{100 * x:.0f}", "told": self.percent(x)} for x in (0.0, 0.25, 0.5, 0.75, 1.0)],
            diagonal=True,
            upright=f"{WIDE * listed:.1f}",
            paths=[
                {"class": "list" if name == "model" else name, "d": curve(SHARES, gains[name])} for name in names[::-1]
            ],
            legend=[
                *(("list" if n == "model" else n, self.say("the_list" if n == "model" else n)) for n in names),
                ("chance", self.say("chance")),
            ],
            aria="; ".join(
                f"{self.percent(x)}: {self.percent(y)}" for x, y in list(zip(SHARES, gains["model"], strict=True))[::5]
            ),
        )

    def reliability(self) -> dict[str, Any] | None:
        bins = self.replay.reliability
        highest = bins[-1]
        top = nice_top(max(max(one.mean_risk, one.rate.high) for one in bins))
        return self.figure(
            "reliability",
            self.say(
                "reliability_says",
                foretold=self.percent(highest.mean_risk),
                came=self.percent(highest.rate.share),
                low=self.percent(highest.rate.low),
                high=self.percent(highest.rate.high),
            ),
            kind="square",
            ticks=ticks(top, self.percent),
            x_told=self.say("reliability_x"),
            x_ticks=[{"at": f"{100 * x:.0f}", "told": self.percent(x * top)} for x in (0.0, 0.5, 1.0)],
            diagonal=True,
            upright=None,
            paths=[],
            marks=reliability_marks(bins, top),
            legend=[],
            aria="; ".join(f"{self.percent(one.mean_risk)}: {self.ranged(one.rate)}" for one in bins),
        )

    def drift(self) -> dict[str, Any]:
        lists = self.replay.lists
        rates = [one.base_rate for one in lists]
        shares = [rate.share for rate in rates]
        top = nice_top(max(*(rate.high for rate in rates), *(one.foretold for one in lists)))
        head = "drift" if self.model.outcome.event is not None else "drift_inactive"
        least, most = self.percent(min(shares)), self.percent(max(shares))
        if len(lists) > 1:
            told = self.say(
                "drift_says",
                spread=self.say("about" if least == most else "between", least=least, most=most),
                usual=self.percent(self.bad / self.judged),
                n=self.whole(len(self.replay.moved)),
                dates=self.whole(len(lists)),
            )
        else:
            told = self.say("drift_one", **self.interval(rates[0]), foretold=self.percent(lists[0].foretold))
        return self.figure(
            "drift",
            told,
            head=self.say("drift_answers" if self.answers else head),
            says_not="drift_not" if len(lists) > 1 else "drift_one_not",
            **self.over_time(top),
            reaches=reaches(rates, top),
            lines=[
                {"class": "logistic", **line([one.foretold for one in lists], top)},
                {"class": "list", **line(shares, top)},
            ],
            legend=[("list", self.say("happened")), ("logistic", self.say("foretold"))],
            aria=self.by_date(rates),
        )

    def repeat(self) -> dict[str, Any] | None:
        lists = self.replay.lists
        rows = sum(one.rows for one in lists[1:])
        if rows == 0:
            return None
        again = sum(one.kept + one.returned for one in lists[1:]) / rows
        parts = [
            (one.kept / one.rows, one.returned / one.rows, 1 - (one.kept + one.returned) / one.rows) if one.rows else ()
            for one in lists
        ]
        names = ("kept", "returned", "new")
        return self.figure(
            "repeat",
            self.say("repeat_says", repeat=self.percent(again)),
            **self.over_time(1.0),
            columns=[
                [{"class": name, **mark} for name, mark in zip(names, column, strict=False)] for column in stacks(parts)
            ],
            reaches=[],
            lines=[],
            legend=[(name, self.say(name)) for name in names],
            aria="; ".join(
                f"{day}: {'–' if one.repeat_rate is None else self.percent(one.repeat_rate)}"
                for day, one in zip(self.days, lists, strict=True)
            ),
        )

    def heads(self) -> list[str]:
        first = ("date", "observed", "listed", "hits", "too_late", "precision_head", "chance")
        if self.answers:
            first = ("date", "observed", "answered", "listed", "hits", "precision_head", "chance")
        return [self.say(key) for key in (*first, *self.rules, "again", "base_rate", "foretold", "auc")]

    def row(self, one: ListFigures, slice_: Mapping[str, Any]) -> list[str]:
        """A line of the table of dates."""
        counts = [self.watched(one), one.rows, one.hits, one.too_late]
        if self.answers:
            counts = [self.watched(one), one.counts["observed"], one.rows, one.hits]
        return [
            words.day(one.day, language=self.language),
            *map(self.whole, counts),
            self.ranged(one.precision),
            self.percent(one.chance),
            *(self.percent(one.baselines[name]) if name in one.baselines else "–" for name in self.rules),
            "–" if one.repeat_rate is None else self.percent(one.repeat_rate),
            self.ranged(one.base_rate),
            self.percent(one.foretold),
            words.fixed(slice_["auc"], 3, language=self.language),
        ]

    def honest(self) -> list[str]:
        gap = self.model.gap.days
        late = self.whole(sum(one.too_late for one in self.replay.lists))
        window = (
            self.say("honest_window", gap=words.decimal(gap, language=self.language), days=self.reach, late=late)
            if gap
            else self.say("honest_window_none", days=self.reach)
        )
        more = []
        if self.answers:
            counts = {"answered": self.whole(self.judged), "observed": self.whole(self.observed)}
            whom = ("honest_answered", "honest_stands") if self.judged < self.observed else ("honest_all",)
            more = [self.say(key, **counts) for key in whom]
        elif self.model.outcome.event is None:
            more = [self.say("honest_silent", days=self.reach)]
        overlap = ("honest_overlap",) if len(self.days) > 1 or self.model.at_events else ()
        keys = ("honest_today", "honest_settings", "honest_care", *overlap)
        return [self.say("honest_train"), window, *more, *(self.say(key) for key in keys)]
