"""SQL that turns a raw value into a canonical one, or into NULL where it does not fit.

Each function takes an SQL expression and its DuckDB type. Stricter than DuckDB's own casts, which read
``1_000`` as 1000, ``1.5`` as the integer 2, ``1e999`` as infinity and ``epoch`` as a time.
"""

from __future__ import annotations

from churnwatch.sources.tables import Kind
from churnwatch.spec import RawType

_TIMES = ("DATE", "TIMESTAMP")
_ZONED = "WITH TIME ZONE"
FLOATS = {"FLOAT", "DOUBLE"}
_NUMBERS = FLOATS | {
    *("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT"),
    *("UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT", "UHUGEINT"),
}
_NUMBER = r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?"
_MINUTE = r"^(\S+[T ]\d{1,2}:\d{2})"
_OFFSET = r"(Z|[+-]\d\d(?::?\d\d)?)$"
_TIME = r"\d{4}[-/]\d{1,2}[-/]\d{1,2}([T ].+)?"

COMPLAINTS: dict[Kind, str] = {
    "text": "is not a text",
    "number": "is not a number",
    "integer": "is not a whole number",
    "boolean": "is not true or false",
    "time": "is not a time",
}
RAW_KINDS: dict[RawType, Kind] = {
    "text": "text",
    "integer": "integer",
    "number": "number",
    "boolean": "boolean",
    "time": "time",
}


def present(sql: str, kind: str, target: Kind = "text") -> str:
    """The value, NULL where it says nothing: an empty or blank text, a float that is not a number.

    For the ``target`` number a float stays as it is: the canonical value of NaN is NULL anyway.
    """
    if kind == "VARCHAR":
        return f"CASE WHEN {_above_blank(sql)} OR trim({sql}) <> '' THEN {sql} END"
    if kind in FLOATS and target != "number":
        return f"CASE WHEN NOT isnan({sql}) THEN {sql} END"
    return sql


def absent(sql: str, kind: str) -> str:
    """A condition: the value of DuckDB's type ``kind`` says nothing."""
    if kind == "VARCHAR":
        return f"({sql} IS NULL OR NOT {_above_blank(sql)}) AND coalesce(trim({sql}), '') = ''"
    return f"{sql} IS NULL OR isnan({sql})" if kind in FLOATS else f"{sql} IS NULL"


def _above_blank(sql: str) -> str:
    """Whether a text begins with a sign from ! up to the no-break space, as no blank one does; trim takes longer."""
    return f"({sql} >= '!' AND {sql} < chr(160))"


def trimmed(sql: str) -> str:
    """A text without blanks around it: spaces, also those that do not break, tabs and line ends. One of nothing else
    stays, as whether it is missing is asked elsewhere.
    """
    return f"coalesce(nullif(trim({sql}, ' ' || chr(9) || chr(10) || chr(13) || chr(160)), ''), {sql})"


def text(sql: str, kind: str) -> str:
    """Text as it is; a float that is whole without ``.0``, for ids that passed through a float column."""
    if kind in FLOATS:
        whole, plain = f"{sql} = trunc({sql}) AND abs({sql}) < {2**53}", f"CAST({sql} AS VARCHAR)"
        return f"CASE WHEN {whole} THEN CAST(CAST({sql} AS BIGINT) AS VARCHAR) ELSE {plain} END"
    return f"CAST({sql} AS VARCHAR)"


def number(sql: str, kind: str) -> str:
    """A finite DOUBLE."""
    if kind in _NUMBERS or kind.startswith("DECIMAL"):
        value = f"CAST({sql} AS DOUBLE)"
    else:
        plain = f"trim(CAST({sql} AS VARCHAR))"
        value = f"CASE WHEN regexp_full_match({plain}, '{_NUMBER}') THEN TRY_CAST({plain} AS DOUBLE) END"
    return f"CASE WHEN isfinite({value}) THEN {value} END"


def integer(sql: str, kind: str, width: str) -> str:
    """A whole number of DuckDB's type ``width``."""
    value = number(sql, kind)
    return f"CASE WHEN {value} = trunc({value}) THEN TRY_CAST({value} AS {width}) END"


def boolean(sql: str, kind: str) -> str:
    """True for true, t, yes, y, 1; false for false, f, no, n, 0; capitals make no difference."""
    if kind == "BOOLEAN":
        return sql
    plain = f"lower(trim(CAST({sql} AS VARCHAR)))"
    return (
        f"CASE WHEN {plain} IN ('true', 't', 'yes', 'y', '1') THEN true "
        f"WHEN {plain} IN ('false', 'f', 'no', 'n', '0') THEN false END"
    )


def instant(sql: str, kind: str, zone: str) -> str:
    """A TIMESTAMPTZ; what carries no offset is civil time in ``zone``, a date its midnight.

    Text is ISO 8601, year first; for it the session's ``TimeZone`` must be ``zone``. Of a civil hour that occurs twice
    the second is meant; in one that is skipped, the time an hour later: DuckDB's rule.
    """
    if kind.endswith(_ZONED):
        return f"CASE WHEN isfinite({sql}) THEN CAST({sql} AS TIMESTAMPTZ) END"
    if kind.startswith(_TIMES):
        return f"CASE WHEN isfinite({sql}) THEN timezone('{zone}', CAST({sql} AS TIMESTAMP)) END"
    plain = f"trim(CAST({sql} AS VARCHAR))"
    # DuckDB wants seconds before an offset, no blank, and a capital Z; ISO 8601 and SQL Server are less strict.
    tight = f"regexp_replace(upper({plain}), ' ?{_OFFSET}', '\\1')"
    seconds = f"regexp_replace({tight}, '{_MINUTE}{_OFFSET}', '\\1:00\\2')"
    value = f"coalesce(TRY_CAST({plain} AS TIMESTAMPTZ), TRY_CAST({seconds} AS TIMESTAMPTZ))"
    return f"CASE WHEN regexp_full_match({plain}, '{_TIME}') THEN {value} END"


def utc_time(sql: str, kind: str, zone: str) -> str:
    """The instant as a naive UTC TIMESTAMP."""
    if zone == "UTC" and kind.startswith(_TIMES) and not kind.endswith(_ZONED):
        return f"CASE WHEN isfinite({sql}) THEN CAST({sql} AS TIMESTAMP) END"
    # By way of a number, which an infinite time does not have: AT TIME ZONE asks the calendar for each value and is
    # thirteen times as slow.
    return f"make_timestamp(epoch_us({sql if is_instant(kind) else instant(sql, kind, zone)}))"


def is_instant(kind: str) -> bool:
    """Whether DuckDB's type ``kind`` is a TIMESTAMPTZ."""
    return kind == f"TIMESTAMP {_ZONED}"


def canonical(sql: str, kind: str, target: Kind, zone: str) -> str:
    """``sql`` of DuckDB's type ``kind`` as a canonical value: times as naive UTC TIMESTAMP, see ``instant``."""
    match target:
        case "text":
            return text(sql, kind)
        case "number":
            return number(sql, kind)
        case "integer":
            return integer(sql, kind, "INTEGER")
        case "boolean":
            return boolean(sql, kind)
        case "time":
            return utc_time(sql, kind, zone)


def misfit(raw: str, value: str, kind: str, target: Kind) -> str:
    """A condition: ``raw``, of DuckDB's type ``kind``, says something, and ``value``, its canonical value, is NULL."""
    # The first two say the same as the last, for less: these conditions are asked of every row.
    if target == "number" and kind in FLOATS:
        return f"isinf({raw})"
    if target == "time" and kind.startswith(_TIMES):
        return f"NOT isfinite({raw})"
    return f"{raw} IS NOT NULL AND {value} IS NULL"


def typed(sql: str, kind: str, target: RawType, zone: str) -> str:
    """``sql`` as the declared type of a raw column: integers BIGINT, times TIMESTAMPTZ."""
    if target == "integer":
        # Not through a float: an id of 17 digits stays what it is.
        plain = f"trim(CAST({sql} AS VARCHAR))"
        if kind in FLOATS:
            return integer(sql, kind, "BIGINT")
        return f"CASE WHEN regexp_full_match({plain}, '[+-]?\\d+') THEN TRY_CAST({plain} AS BIGINT) END"
    if target == "time":
        return instant(sql, kind, zone)
    return canonical(sql, kind, RAW_KINDS[target], zone)
