"""Where parameters are searched: a range or a choice for each."""

from __future__ import annotations

from typing import Any, Self

from pydantic import Field, field_validator, model_validator

from churnwatch.spec.node import Node

Value = int | float | str | bool


class Searched(Node):
    """What one parameter may become: a number in ``range`` (both ends too), or one of ``choices``.

    A range whose ends are whole numbers gives whole numbers. With ``log`` each doubling is as likely as the next.
    """

    range: tuple[int | float, int | float] | None = None
    log: bool = False
    choices: tuple[Value, ...] | None = Field(default=None, min_length=1)

    @model_validator(mode="before")
    @classmethod
    def _two_numbers_are_a_range(cls, value: Any) -> Any:
        return {"range": value} if isinstance(value, list) else value

    @field_validator("range", "choices", mode="before")
    @classmethod
    def _as_tuple(cls, value: Any) -> Any:
        return tuple(value) if isinstance(value, list) else value

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if (self.range is None) == (self.choices is None):
            raise ValueError("a parameter is `[low, high]`, `{range: [low, high], log: true}` or `{choices: […]}`")
        if self.range is None:
            if self.log:
                raise ValueError("`log` goes with `range`")
            return self
        low, high = self.range
        if not low < high:
            raise ValueError("a range rises: `[low, high]` with low below high")
        if self.log and low <= 0:
            raise ValueError("with `log` the range begins above 0")
        return self

    @property
    def whole(self) -> bool:
        """Whether the range is of whole numbers."""
        return self.range is not None and all(isinstance(end, int) for end in self.range)
