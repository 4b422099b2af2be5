"""The rows of a list: whom an owner contacts today, why, and what to do; every text finished."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from churnwatch.spec import Language


@dataclass(frozen=True)
class Further:
    """What a further model (``also`` in deployment.yaml) says of a listed customer, beside the listing model.

    ``risk`` is its calibrated probability 0-1 and ``change`` that minus the one of 28 days before, by the same model,
    ``None`` where the customer was not observed then. ``expected_score`` is 0 (worst) to 1 (best), ``None`` where the
    model expects none, ``expected_change`` as ``change``. ``title`` is the model's, in the owner's language;
    ``answers`` says that it foretells a bad answer to a survey, so that whom it lists is growing unhappy.
    """

    model: str
    title: str
    answers: bool
    risk: float
    band: str
    change: float | None
    expected_score: float | None
    expected_change: float | None


@dataclass(frozen=True)
class ListRow:
    """One listed customer, finished: every text is in the owner's language.

    ``risk`` is a calibrated probability 0-1, ``None`` where a baseline ranks, which knows none; ``change`` is
    risk minus that of the previous list, ``None`` where the customer was not on it; ``rising_since`` ``None``
    where no onset is known; ``value_at_risk`` is money per month in the deployment's currency, ``None`` where
    the value is unknown; ``reasons`` holds none to three sentences; ``baseline`` names the ranking that
    listed the row where no model had passed, ``None`` where the model did; ``rule_score`` is 0-100, higher is worse,
    ``None`` but where it ranks or stands beside a young model's risk. ``further`` is what a further model says,
    ``None`` where none is in use or it does not observe the customer. ``listed_for`` names the model that listed the
    row; reasons, action and ``model_version`` are of that one; risk, band, change and value at risk are the listing
    model's in every row. ``answers`` says that the risk is that of a bad answer to a survey, not of leaving;
    ``expected_score`` is then that answer's as the listing model expects it, as in ``Further``.

    ``owner`` is whose list the row stands on. ``account_owner`` looks after the customer; where it is somebody else,
    ``handed`` says why: ``away`` (the owner is) or ``overflow`` (their day is full). ``proactive`` names the rule of
    outreach.yaml that lists a customer who is not at risk, ``proactive_title`` is what people call it; both empty of
    the others. ``back_early`` says, in words, why a customer is listed again before the cooldown is over;
    ``listed_before`` is the day of the last list that named them. ``curve`` are the risks of the last 90 days by
    today's model, the oldest first, today's last; empty where none is told. ``counterfactual`` says what one actionable
    sign less would make of the risk. ``action_name`` is the playbook's key, ``action_why`` the sentence that says why
    this action, ``action_minutes`` what it takes. ``signs`` are the names of what raised the risk, told or not (no
    text for people). ``worth`` is what the list is ordered by: risk times value.
    """

    rank: int
    customer_id: str
    customer_name: str
    owner: str
    owner_name: str
    language: Language
    risk: float | None
    band: str
    change: float | None
    rising_since: date | None
    value_at_risk: float | None
    reasons: tuple[str, ...]
    last_contact: date | None
    last_survey: str | None
    action: str
    action_steps: str
    due: date
    model_version: str
    baseline: str | None
    rule_score: int | None = None
    listed_for: str = ""
    further: Further | None = None
    answers: bool = False
    expected_score: float | None = None
    proactive: str = ""
    proactive_title: str = ""
    account_owner: str = ""
    account_owner_name: str = ""
    handed: str = ""
    back_early: str | None = None
    listed_before: date | None = None
    curve: tuple[float, ...] = ()
    counterfactual: str | None = None
    action_name: str = ""
    action_why: str | None = None
    action_tone: str = ""
    action_channel: str = ""
    action_minutes: int | None = None
    signs: tuple[str, ...] = ()
    worth: float | None = None

    @property
    def by_further(self) -> bool:
        """Whether a further model listed the row, and not the listing model (or a baseline in its place)."""
        return self.further is not None and self.further.model == self.listed_for

    @property
    def expected(self) -> tuple[float | None, float | None]:
        """The expected score and its change: the listing model's where it foretells answers, else the further one's."""
        if self.answers or self.further is None:
            return self.expected_score, None
        return self.further.expected_score, self.further.expected_change


@dataclass(frozen=True)
class Leaver:
    """A customer who has announced that they leave: no longer foretold, so on a list of their own.

    ``announced_on`` is the day on which we learnt it, ``ends_on`` the last day where one is known. ``value`` is money
    per month in the deployment's currency, ``None`` where unknown; ``said`` what they gave as their reason, as it was
    written down, ``None`` where nobody wrote it.
    """

    customer_id: str
    customer_name: str
    owner: str
    owner_name: str
    language: Language
    announced_on: date
    ends_on: date | None = None
    value: float | None = None
    said: str | None = None
