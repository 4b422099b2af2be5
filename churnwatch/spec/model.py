"""What is predicted: one file of ``models/`` per model."""

from __future__ import annotations

from typing import Any, Literal, Self

from pydantic import Field, PrivateAttr, field_validator, model_validator

from churnwatch.spec.node import Duration, Name, Node, Words
from churnwatch.spec.search import Searched
from churnwatch.spec.where import Where


class Bad(Node):
    """Which raw scores of an instrument are bad: those ``at_most``, or those ``at_least``, so high."""

    at_most: float | None = None
    at_least: float | None = None

    @model_validator(mode="after")
    def _one_end(self) -> Self:
        if self.at_most is None and self.at_least is None:
            raise ValueError(
                "it does not say which scores are bad: give one end, such as {at_most: 6} or {at_least: 5}"
            )
        if self.at_most is not None and self.at_least is not None:
            raise ValueError(
                f"there are both at_most ({self.at_most:g}) and at_least ({self.at_least:g}): bad is one end of the "
                "scale, leave the other out"
            )
        return self


class Answer(Node):
    """An instrument whose answers count: its ``scale``, which of its raw scores are ``bad``, and whom it is ``about``:
    the ``customer`` (their view of us as a whole), or one ``case`` (a ticket, an order).
    """

    scale: tuple[float, float]
    bad: Bad
    about: Literal["customer", "case"] = "customer"

    @field_validator("scale", mode="before")
    @classmethod
    def _as_tuple(cls, value: Any) -> Any:
        return tuple(value) if isinstance(value, list) else value

    @model_validator(mode="after")
    def _both_kinds(self) -> Self:
        low, high = self.scale
        if not low < high:
            raise ValueError("a scale rises from its lowest score to its highest: [0, 10]")
        most, least = self.bad.at_most, self.bad.at_least
        on_scale = f"on the scale {low:g} to {high:g} allowed is"
        if most is not None and not low <= most < high:
            raise ValueError(f"`bad: at_most` is {most:g}; {on_scale} {low:g} to less than {high:g}")
        if least is not None and not low < least <= high:
            raise ValueError(f"`bad: at_least` is {least:g}; {on_scale} more than {low:g} to {high:g}")
        return self

    @property
    def higher_is_better(self) -> bool:
        """Whether the low scores are the bad ones."""
        return self.bad.at_most is not None


class Answering(Node):
    """Who answers a survey at all, which decides for whom the answers stand."""

    within: Duration = Duration("14d")
    """A survey that has had no answer for so long counts as unanswered."""
    least: float = Field(default=0.05, gt=0, le=1)
    """No answer weighs more than one over this, however unlikely it was."""

    @field_validator("within")
    @classmethod
    def _some_time(cls, within: Duration) -> Duration:
        if within.seconds == 0:
            raise ValueError("nobody answers within 0d: it is longer")
        return within


class Outcome(Node):
    """The bad outcome: an end ``event``, no ``inactive`` event ``for`` a time, a bad ``answer``, or ``given`` (DESIGN
    §4).

    ``answer`` names the instruments whose next answer is foretold; where none comes there is no outcome. ``given``
    names a measure of customers that is 1 where it came, 0 where not: one flat snapshot.
    """

    event: Where | None = None
    inactive: Where | None = None
    for_: Duration | None = Field(default=None, alias="for")
    given: Name | None = None
    answer: dict[Name, Answer] | None = Field(default=None, min_length=1)

    @model_validator(mode="after")
    def _one_kind(self) -> Self:
        if [self.event, self.inactive, self.given, self.answer].count(None) != 3:
            raise ValueError(
                "an outcome is either `event: {…}`, `inactive: {…}` with `for: 90d`, `answer: {…}`, or `given: column`"
            )
        if (self.inactive is None) != (self.for_ is None):
            raise ValueError("`for` goes with `inactive`: how long without such an event counts as gone")
        if self.given is None and self.answer is None and self.where == {}:
            raise ValueError("the outcome matches every row: name at least a kind")
        return self

    @property
    def where(self) -> Where:
        """The interactions the outcome looks at; none where it is an ``answer`` or ``given``."""
        return self.event if self.event is not None else (self.inactive or {})


class Population(Node):
    """Who is observed: customers with such a row ``within`` the time before as-of, at least ``tenure`` old, and
    ``without`` any such row before as-of.
    """

    active: Where | None = None
    within: Duration | None = None
    tenure: Duration = Duration("0d")
    without: Where | None = None

    @model_validator(mode="after")
    def _together(self) -> Self:
        if (self.active is None) != (self.within is None):
            raise ValueError("`active` and `within` go together: who did what, within which time")
        if self.within is not None and self.within.seconds == 0:
            raise ValueError("`within: 0d` observes nobody: it is longer than 0d")
        if self.without == {}:
            raise ValueError("`without: {}` leaves nobody: name at least a kind")
        return self


class Grid(Node):
    """When past customers are observed: every so often, stepping back from the last complete label; or ``at`` each
    event of theirs, and ``every`` is how long a slice of such observations is.
    """

    every: Duration
    at: Literal["survey sent"] | None = None
    history: Duration = Duration("90d")
    """Data wanted before the first as-of, so that the signals have something to see."""

    @field_validator("every")
    @classmethod
    def _whole_days(cls, every: Duration) -> Duration:
        if every.seconds == 0 or every.seconds % 86_400:
            raise ValueError("the grid steps from midnight to midnight: `every` is whole days, at least 1d")
        return every


_NOT_FREE = {
    "learner.rounds": "num_iterations num_iteration n_iter num_tree num_trees num_round num_rounds nrounds "
    "num_boost_round n_estimators max_iter early_stopping_round early_stopping_rounds early_stopping n_iter_no_change",
    "learner.seed": "seed random_seed random_state",
    "each signal's direction": "monotone_constraints mc monotone_constraint monotonic_cst",
    "the engine": "objective objective_type app application loss metric metrics metric_types verbosity verbose "
    "deterministic force_col_wise force_row_wise feature_pre_filter num_class",
    "what can be explained": "linear_tree linear_trees",
}
"""LightGBM parameters (with their aliases) that ``learner.parameters`` may not hold, by what decides them instead."""

_BINNED = (
    "max_bin max_bins max_bin_by_feature min_data_in_bin bin_construct_sample_cnt subsample_for_bin data_random_seed "
    "data_seed enable_bundle is_enable_bundle bundle use_missing zero_as_missing forcedbins_filename"
)
"""Those that decide how the data are binned, once for all trials of a search."""


class LearnerSettings(Node):
    """LightGBM parameters, and how rounds and calibration are found."""

    parameters: dict[str, int | float | str | bool] = Field(default_factory=dict)
    rounds: int = Field(default=200, ge=1)
    """Used as they are with fewer than three complete as-ofs; otherwise the upper end of the search."""
    folds: int = Field(default=3, ge=1)
    calibration: Literal["auto", "isotonic", "platt", "none"] = "auto"
    seed: int = 1
    minimum_outcomes: int = Field(default=100, ge=1)
    """Fewer outcomes (or fewer others) than this in training: too little to train on."""
    search: dict[str, Searched] = Field(default_factory=dict)
    """Where ``tune`` searches; empty: its own documented ranges."""

    @field_validator("parameters")
    @classmethod
    def _free(cls, parameters: dict[str, int | float | str | bool]) -> dict[str, int | float | str | bool]:
        for decided_by, names in _NOT_FREE.items():
            for name in sorted(set(names.split()) & set(parameters)):
                raise ValueError(f"`{name}` is no parameter to set here: it is decided by {decided_by}")
        return parameters

    @field_validator("search")
    @classmethod
    def _searchable(cls, search: dict[str, Searched]) -> dict[str, Searched]:
        for decided_by, names in {**_NOT_FREE, "the binning, which all trials share": _BINNED}.items():
            for name in sorted(set(names.split()) & set(search)):
                raise ValueError(f"`{name}` is no parameter to search: it is decided by {decided_by}")
        return search


class Bands(Node):
    """Lower ends of the bands as multiples of the training base rate; below ``watch`` is healthy."""

    watch: float = Field(default=1.0, gt=0)
    at_risk: float = Field(default=2.0, gt=0)
    critical: float = Field(default=4.0, gt=0)

    @model_validator(mode="after")
    def _rising(self) -> Self:
        if not self.watch < self.at_risk < self.critical:
            raise ValueError("bands rise: watch < at_risk < critical")
        return self


class Gates(Node):
    """What a candidate must show before it may be promoted (DESIGN §7)."""

    logistic_margin: float = Field(default=0.01, ge=0)
    """How much AUC the model may lie below the logistic regression."""
    champion_margin: float = Field(default=0.01, ge=0)


class Baselines(Node):
    """The signals that rank customers without a model; ``null`` where a deployment has none.

    Each is read in the signal's own direction. Missing values rank with the median.
    """

    recency: str | None
    last_score: str | None
    tenure: str


class Model(Node):
    """One prediction: who, what, when, from which families, and how good it must be."""

    model: Name
    title: Words
    outcome: Outcome
    population: Population = Population()
    grid: Grid | None = None
    gap: Duration = Duration("0d")
    horizon: Duration | None = None
    horizons: tuple[Duration, ...] = ()
    """Further lengths of the label window that a risk is told for, rising; of an outcome ``event`` only."""
    answering: Answering | None = None
    """Of an outcome ``answer`` only."""
    families: tuple[Name, ...] = Field(min_length=1)
    learner: LearnerSettings = LearnerSettings()
    baselines: Baselines
    bands: Bands = Bands()
    gates: Gates = Gates()
    test_slices: int = Field(default=3, ge=1)
    treated: Literal["weight", "exclude", "keep"] = "weight"
    """Observations whose customer we contacted before the label was complete: left out, those held out weighing for
    them; left out; or learned from like any other."""
    acknowledge: tuple[str, ...] = ()
    """Columns that alone tell the outcome, and are known to be known before it."""
    _file: str = PrivateAttr("")

    def of_file(self, file: str) -> Self:
        """The same model, and that it stands in ``file`` of the project, for messages."""
        self._file = file
        return self

    @property
    def file(self) -> str:
        """Where it is written down, in messages: the deployment's own file, or the project's."""
        return self._file or f"models/{self.model}.yaml"

    @field_validator("families", "acknowledge", "horizons", mode="before")
    @classmethod
    def _as_tuple(cls, value: Any) -> Any:
        return tuple(value) if isinstance(value, list) else value

    @model_validator(mode="after")
    def _one_horizon(self) -> Self:
        if self.outcome.given is not None:
            timeless = (self.grid, self.horizon, self.horizons, self.gap.seconds, self.population, self.answering)
            if timeless != (None, None, (), 0, Population(), None):
                raise ValueError(
                    "a `given` outcome has no time: leave grid, gap, horizon(s), population and answering out"
                )
            return self
        if self.grid is None:
            raise ValueError("there is no `grid`: how often customers of the past are observed, {every: 30d}")
        self._check_answer(self.grid)
        if self.outcome.event is not None and self.horizon is None:
            raise ValueError("an outcome `event` needs a `horizon`, such as 60d")
        if self.outcome.inactive is not None and self.horizon is not None:
            raise ValueError("with `inactive` the horizon is its `for`; leave `horizon` out")
        if self.outcome.inactive is not None and self.population.active is None:
            raise ValueError("with `inactive` the population is `active: {…}` and `within: 180d`")
        if self.label_length.seconds == 0:
            raise ValueError("the horizon is empty: it is longer than 0d")
        if self.horizons and self.outcome.event is None:
            raise ValueError("several `horizons` exist for an outcome `event` only: silence has one length, its `for`")
        lengths = [horizon.seconds for horizon in self.horizons]
        if lengths != sorted(set(lengths)) or 0 in lengths:
            raise ValueError("`horizons` rise, each once, and none is empty: [30d, 60d, 90d]")
        return self

    def _check_answer(self, grid: Grid) -> None:
        if self.outcome.answer is None:
            if grid.at is not None or self.answering is not None:
                raise ValueError(f"`grid: {{at: {grid.at or '…'}}}` and `answering` go with an outcome `answer` only")
            return
        if grid.at is None and self.horizon is None:
            raise ValueError(
                "an outcome `answer` needs a `horizon` in which it comes, such as 90d; or `grid: {at: survey sent, …}`"
            )
        if grid.at is not None and (self.horizon is not None or self.gap.seconds):
            raise ValueError("`at: survey sent` waits for that survey's answer: leave horizon and gap out")

    @property
    def label_length(self) -> Duration:
        """The length of the outcome window; 0d where the outcome is given, of one survey's answer what it may take."""
        if self.outcome.given is not None:
            return Duration("0d")
        if self.at_events:
            return self.patience.within
        length = self.horizon if self.horizon is not None else self.outcome.for_
        assert length is not None
        return length

    @property
    def history(self) -> Duration:
        """Data wanted before the first as-of."""
        return self.grid.history if self.grid is not None else Duration("0d")

    @property
    def at_events(self) -> bool:
        """Whether customers are observed at events of theirs, not on days of a calendar."""
        return self.grid is not None and self.grid.at is not None

    @property
    def patience(self) -> Answering:
        """The file's ``answering``, or its defaults."""
        return self.answering or Answering()

    @property
    def slice_length(self) -> int:
        """Seconds that one date of the grid holds observations of: 0 on a calendar, where all are made at once."""
        return self.grid.every.seconds if self.grid is not None and self.at_events else 0

    @property
    def reach(self) -> int:
        """Seconds from a date of the grid until its labels are complete: gap + horizon, after the slice's end."""
        return self.slice_length + self.gap.seconds + self.label_length.seconds
