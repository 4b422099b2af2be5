"""Damage to a file that was written: to any bytes, to lines of text, to the parts of Parquet and XLSX."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from collections.abc import Callable
from random import Random

import pyarrow as pa

from tests.fuzz.company import Draft

Damage = Callable[[bytes, Random], bytes]


def flipped(data: bytes, rng: Random, *, first: int = 0, last: int | None = None) -> bytes:
    """One to twenty bits of ``data[first:last]`` flipped."""
    held, last = bytearray(data), len(data) if last is None else last
    for _ in range(rng.choice((1, 1, 2, 5, 20))):
        if last > first:
            held[rng.randrange(first, last)] ^= 1 << rng.randrange(8)
    return bytes(held)


def cut(data: bytes, rng: Random) -> bytes:
    return data[: rng.randrange(len(data) + 1)]


def hole(data: bytes, rng: Random) -> bytes:
    """A piece is gone, or zero."""
    first = rng.randrange(len(data) + 1)
    length = rng.choice((1, 8, 100, 4096))
    gone = b"" if rng.random() < 0.5 else bytes(min(length, len(data) - first))
    return data[:first] + gone + data[first + length :]


def stuffed(data: bytes, rng: Random) -> bytes:
    """Bytes that do not belong there."""
    first = rng.randrange(len(data) + 1)
    length = rng.choice((1, 3, 64))
    return data[:first] + rng.choice((rng.randbytes(length), b"\x00" * length, b'"', b"\xff\xfe")) + data[first:]


def doubled(data: bytes, rng: Random) -> bytes:
    return data + data


def pieces_swapped(data: bytes, rng: Random) -> bytes:
    first, second, third = sorted(rng.randrange(len(data) + 1) for _ in range(3))
    return data[:first] + data[second:third] + data[first:second] + data[third:]


def nothing(data: bytes, rng: Random) -> bytes:
    return rng.choice((b"", b"\n", b"\x00", b" ", b"\xef\xbb\xbf", b"PK\x03\x04", b"PAR1", b"PAR1PAR1", b"\x1f\x8b"))


def another(data: bytes, rng: Random) -> bytes:
    """A file of another kind under this name."""
    page = b"<!DOCTYPE html><html><body><h1>502 Bad Gateway</h1></body></html>\n"
    return rng.choice((page, b'{"error": "unauthorized"}\n', b"%PDF-1.7\n\xe2\xe3", rng.randbytes(3000), b"id\n"))


BYTES: tuple[Damage, ...] = (flipped, flipped, cut, hole, stuffed, doubled, pieces_swapped, nothing, another)


def text_damage(data: bytes, rng: Random) -> bytes:
    """One thing that happens to lines of text."""
    lines = data.split(b"\n")
    place = rng.randrange(len(lines))
    match rng.randrange(20):
        case 0:
            lines[place] += b'"'
        case 1:
            cells = lines[place].split(b",")
            cells[rng.randrange(len(cells))] = b'"' + rng.choice(cells)
            lines[place] = b",".join(cells)
        case 2:
            lines[place] = lines[place].replace(b",", b'","', rng.randint(1, 3))
        case 3:
            lines[place] += b"," + rng.choice((b"", b"x", b",,,"))
        case 4:
            lines[place] = lines[place].rpartition(b",")[0]
        case 5:
            lines.insert(place, rng.choice((b"", b"\r", b" ", b"# exported", b"sep=,", b"Total,120", b"\x1a", b"---")))
        case 6:
            del lines[place]
        case 7:
            del lines[0]
        case 8:
            lines.insert(place, lines[0])
        case 9:
            lines.insert(0, rng.choice((b"", b"sep=;", b"Report of 2024-06-01", b",,,,")))
        case 10:
            other = rng.randrange(len(lines))
            lines[place], lines[other] = lines[other], lines[place]
        case 11:
            return data.replace(b",", rng.choice((b";", b"\t", b"|", b", ", b",,", b"\x01")))
        case 12:
            return data.replace(b"\n", rng.choice((b"\r\n", b"\r", b"\n\n", b"\n\r", b"\r\r\n")))
        case 13:
            for index in rng.sample(range(len(lines)), min(5, len(lines))):
                lines[index] += b"\r"
        case 14:
            return b"\xef\xbb\xbf" * rng.randint(1, 2) + data
        case 15:
            return data.decode("utf-8", "replace").encode(rng.choice(("utf-16", "utf-16-le", "utf-16-be", "utf-32")))
        case 16:
            return data.decode("utf-8", "replace").encode(rng.choice(("latin-1", "cp1252", "cp1254")), "replace")
        case 17:
            return data.rstrip(b"\n") + rng.choice((b"", b"\n\n\n", b"\n\x00\x00", b"\n\x1a", b"\r"))
        case 18:
            return data.replace(b"\n", b"\\n", 1)
        case 19:
            lines[place] = rng.choice((lines[place] * 200, b"x" * 3_000_000, b"," * 100_000, b'"' * 1001))
    return b"\n".join(lines)


def json_damage(data: bytes, rng: Random) -> bytes:
    """One thing that happens to lines of JSON."""
    lines = data.split(b"\n")
    place = rng.randrange(len(lines))
    match rng.randrange(16):
        case 0:
            lines[place] = rng.choice((b"[1, 2]", b"null", b"17", b'"text"', b"{}", b"[]", b"{", b"}", b"{]", b"true"))
        case 1:
            lines[place] = lines[place].replace(b": ", b": " + rng.choice((b"{}", b"[1]", b"nul", b"'x'", b"")), 1)
        case 2:
            lines[place] = lines[place].replace(b"}", b",}")
        case 3:
            value = rng.choice(
                (b"NaN", b"Infinity", b"1e999", b"0123", b"-", b"9" * 500, b'{"a": [1, {"b": 2}]}', b"[]")
            )
            head, _, tail = lines[place].partition(b": ")
            lines[place] = head + b": " + value + b", " + tail.partition(b", ")[2]
        case 4:
            lines[place] = lines[place].replace(b'": "', rb'": "\ud800', 1)
        case 5:
            lines[place] = lines[place].replace(b'": "', rb'": "\u0000\q', 1)
        case 6:
            lines[place] = b"[" * rng.choice((10, 2000, 100_000)) + lines[place]
        case 7:
            lines[place] = b'{"a":' * rng.choice((10, 2000, 50_000)) + b"1" + b"}" * 10
        case 8:
            return b"[" + b",".join(line for line in lines if line) + b"]"
        case 9:
            return data.replace(b"{", b"{\n  ").replace(b", ", b",\n  ")
        case 10:
            return data.replace(b"\n", b"")
        case 11:
            lines[place] = lines[place].replace(b"{", b'{"id": "e1", "Id": 5, ', 1)
        case 12:
            lines[place] = lines[place] + lines[place]
        case 13:
            lines[place] = lines[place].replace(b"}", b', "baru": ' + rng.choice((b"1", b"{}", b"[[]]", b'"x"')) + b"}")
        case 14:
            return data.replace(b'"', b"'")
        case _:
            return text_damage(data, rng)
    return b"\n".join(lines)


def parquet_damage(data: bytes, rng: Random) -> bytes:
    """Damage to a chosen part of a Parquet file: its footer, its pages, its length, its magic."""
    length = struct.unpack("<I", data[-8:-4])[0] if len(data) > 12 else 0
    footer = max(4, len(data) - 8 - length)
    match rng.randrange(6):
        case 0 | 1:
            return flipped(data, rng, first=footer, last=len(data) - 8)
        case 2 | 3:
            return flipped(data, rng, first=4, last=footer)
        case 4:
            wrong = rng.choice((0, 1, length + 1, max(length - 1, 0), 2**31, 2**32 - 1))
            return data[:-8] + struct.pack("<I", wrong) + data[-4:]
        case _:
            return rng.choice((data[:-4] + b"PARE", b"PARE" + data[4:], data[:footer] + data[-8:], data[4:]))


def odd_array(values: list[object], rng: Random) -> pa.Array | None:
    """A Parquet column of a type nobody expects there; None where Arrow has no such values."""
    count = len(values)
    texts = [None if value is None else str(value) for value in values]
    numbers = list(range(count))
    made: tuple[Callable[[], pa.Array], ...] = (
        lambda: pa.array(numbers, rng.choice((pa.int8(), pa.uint8(), pa.int16(), pa.uint32(), pa.uint64()))),
        lambda: pa.array([number + 2.0**60 for number in numbers], pa.float64()),
        lambda: pa.array([float("nan") if n % 3 else float("inf") for n in numbers], pa.float32()),
        lambda: pa.array([n % 2 == 0 for n in numbers]),
        lambda: pa.array(numbers, pa.date32()),
        lambda: pa.array([n * 86_400_000 for n in numbers], pa.date64()),
        lambda: pa.array(numbers, pa.time32("s")),
        lambda: pa.array(numbers, pa.time64("us")),
        lambda: pa.array([1_717_236_000 + n for n in numbers], pa.timestamp("s")),
        lambda: pa.array([1_717_236_000_000 + n for n in numbers], pa.timestamp("ms", tz="Asia/Jakarta")),
        lambda: pa.array([1_717_236_000_000_000_000 + n for n in numbers], pa.timestamp("ns")),
        lambda: pa.array([rng.choice((-(2**63) + 1, 2**63 - 1, 0, 2**62)) for _ in numbers], pa.timestamp("us")),
        lambda: pa.array([rng.choice((-(2**63) + 1, 2**63 - 1)) for _ in numbers], pa.timestamp("us", tz="UTC")),
        lambda: pa.array(numbers, pa.duration("us")),
        lambda: pa.array([str(n) for n in numbers]).cast(pa.decimal128(38, 10)),
        lambda: pa.array([str(n) for n in numbers]).cast(pa.decimal256(60, 0)),
        lambda: pa.array([None if text is None else text.encode() for text in texts], pa.binary()),
        lambda: pa.array([b"\xff\xfe\x00" for _ in numbers], pa.binary(3)),
        lambda: pa.array([[text] for text in texts], pa.list_(pa.string())),
        lambda: pa.array([{"a": text, "b": 1} for text in texts]),
        lambda: pa.array([[(text or "", 1)] for text in texts], pa.map_(pa.string(), pa.int64())),
        lambda: pa.array(texts, pa.string()).dictionary_encode(),
        lambda: pa.nulls(count),
        lambda: pa.array(texts, pa.large_string()),
        lambda: pa.array([1.5 * n for n in numbers], pa.float16()),
        lambda: _not_utf8(count),
    )
    try:
        return rng.choice(made)()
    except (pa.ArrowException, OverflowError):
        return None


def _not_utf8(count: int) -> pa.Array:
    """Texts whose bytes are no UTF-8, as a careless writer leaves them in a column of texts."""
    offsets = pa.py_buffer(b"".join(struct.pack("<i", 3 * n) for n in range(count + 1)))
    return pa.Array.from_buffers(pa.string(), count, [None, offsets, pa.py_buffer(b"\xe9\xff\x41" * count)])


def odd_columns(draft: Draft, rng: Random) -> dict[int, pa.Array]:
    """One or two columns of ``draft``, by position, in types nobody expects."""
    odd = {}
    for place in rng.sample(range(len(draft.columns)), min(len(draft.columns), rng.choice((1, 1, 2)))):
        array = odd_array([row[place] if place < len(row) else None for row in draft.rows], rng)
        if array is not None:
            odd[place] = array
    return odd


def sheet_damage(data: bytes, rng: Random) -> bytes:
    """Damage to a member of an XLSX file, the rest of it whole."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = {name: archive.read(name) for name in archive.namelist()}
    except (zipfile.BadZipFile, zlib.error, struct.error, EOFError, RuntimeError, OSError, ValueError):
        return flipped(data, rng)  # damaged already
    name = rng.choice(sorted(members))
    sheet = next((one for one in members if one.startswith("xl/worksheets/")), name)
    match rng.randrange(12):
        case 0:
            members[name] = rng.choice(BYTES)(members[name], rng)
        case 1:
            members[sheet] = rng.choice(BYTES)(members[sheet], rng)
        case 2:
            del members[name]
        case 3:
            members[name] = b""
        case 4:
            members[sheet] = members[sheet].replace(b"<sheetData>", b'<dimension ref="A1:XFD1048576"/><sheetData>')
        case 5:
            members[sheet] = members[sheet].replace(b' r="5"', b' r="1048577"').replace(b'"A5"', b'"ZZZZ99999999"')
        case 6:
            members[sheet] = members[sheet].replace(
                b"<v>", b"<v>" + rng.choice((b"99999999", b"1e999", b"x", b"-1", b""))
            )
        case 7:
            members[sheet] = members[sheet].replace(b' t="', b' t="' + rng.choice((b"b", b"e", b"d", b"zz", b"s")))
        case 8:
            bomb = b'<!DOCTYPE x [<!ENTITY a "kenari">' + b"".join(
                b'<!ENTITY %c "%s">' % (98 + n, b"&%c;" % (97 + n) * 10) for n in range(9)
            )
            members[name] = bomb + b"]>" + members[name].replace(b"<v>", b"<v>&j;")
        case 9:
            members[sheet] = members[sheet].replace(b"</row>", b'<c r="B2"><f>1/0</f><v></v></c></row>', 3)
        case 10:
            members["../../escaped.txt"] = b"x"
        case 11:
            members[sheet] = members[sheet].replace(b"<v>", b"<v><x/>", 5).replace(b' r="A3"', b' r=""')
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for one, content in members.items():
            archive.writestr(zipfile.ZipInfo(one), content)
    return out.getvalue()
