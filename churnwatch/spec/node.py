"""What all project objects share: frozen, strict, no unknown keys, texts in both languages, durations."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, ConfigDict, GetCoreSchemaHandler, StringConstraints
from pydantic_core import PydanticCustomError, core_schema

Language = Literal["en", "id"]
Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$")]


def _zone_exists(value: str) -> str:
    try:
        ZoneInfo(value)
    except (KeyError, ValueError, OSError):
        raise ValueError(f"no such time zone: {value}; write one like Asia/Jakarta") from None
    return value


Zone = Annotated[str, AfterValidator(_zone_exists)]


class Node(BaseModel):
    """A frozen object of a project file; an unknown key or a value of another type is refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Words(Node):
    """One text in the two languages the product speaks."""

    en: str
    id: str

    def in_language(self, language: str) -> str:
        """The text in ``language``; English where the language is not ``id``."""
        return self.id if language == "id" else self.en


class Duration(str):
    """A length of time such as ``28d`` or ``36h``: a day is 86,400 s, whatever the zone does (DESIGN §4)."""

    __slots__ = ()
    LONGEST = 20_000
    """Days; our choice: longer than any company remembers, and two of them still fit the clocks and SQL's intervals."""
    _pattern = re.compile(r"(0|[1-9][0-9]*)(d|h)")

    @property
    def seconds(self) -> int:
        """Whole seconds."""
        return int(self[:-1]) * (86_400 if self[-1] == "d" else 3_600)

    @property
    def days(self) -> float:
        """Days, fractional for hours."""
        return self.seconds / 86_400

    @classmethod
    def _parse(cls, text: Any) -> Duration:
        if not isinstance(text, str):
            # YAML reads a bare 14 as a number, and "a text" would not tell its writer what is missing.
            raise PydanticCustomError("duration_type", "a whole number of days or hours, such as 28d or 36h")
        if not cls._pattern.fullmatch(text):
            raise ValueError("a length of time is a whole number of days or hours, such as 28d or 36h")
        made = cls(text)
        if made.days > cls.LONGEST:
            raise ValueError(f"a length of time is at most {cls.LONGEST}d")
        return made

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        return core_schema.no_info_plain_validator_function(cls._parse)
