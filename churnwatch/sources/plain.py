"""Files of text as UTF-8 that is not compressed: what is neither is turned into it, beside the data."""

from __future__ import annotations

import codecs
import gzip
import shutil
import tempfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from churnwatch.errors import DataRefused
from churnwatch.spec import Source

NOT_UTF8 = "not UTF-8 text"
"""The rule that a row breaks whose bytes are no UTF-8."""
ENCODINGS = "say what it is: `encoding: cp1252` (Windows, Western Europe), `latin-1` or `utf-16`; or export UTF-8"
_GZIP = b"\x1f\x8b"
_CHUNK = 1 << 20


@contextmanager
def plain_text(path: Path, source: Source) -> Iterator[Path]:
    """The file at ``path`` as plain UTF-8: itself, or a copy in a temporary directory that is gone afterwards.

    A file is gzip by its first two bytes; one that calls itself ``.gz`` must be. Lines stay where they are.
    Raises ``DataRefused`` where it is empty, cut off or damaged, or holds what its encoding does not know.
    """
    with path.open("rb") as file:
        head = file.read(2)
    zipped = head == _GZIP
    if path.suffix == ".gz" and not zipped:
        found = "the file is no gzip file" if head else "the file is empty"
        raise DataRefused(found, where=source.from_, allowed="what `gzip` writes", hint="fetch or export it again")
    encoding = source.encoding or "utf-8"
    if not zipped and encoding == "utf-8":
        _refuse_utf16(path, source)
        yield path
        return
    with tempfile.TemporaryDirectory(prefix="churnwatch-") as directory:
        copy = Path(directory) / "text"
        with (gzip.open if zipped else open)(path, "rb") as file, copy.open("wb") as out:
            try:
                if encoding == "utf-8":
                    shutil.copyfileobj(file, out, _CHUNK)
                else:
                    _recode(file, out, encoding, source.from_)
            except (EOFError, gzip.BadGzipFile, zlib.error) as error:
                found = "the gzip file is cut off" if isinstance(error, EOFError) else "the gzip file is damaged"
                hint = "fetch or export it again"
                raise DataRefused(found, where=source.from_, allowed="a gzip file that is whole", hint=hint) from None
        if encoding == "utf-8":
            _refuse_utf16(copy, source)
        yield copy


def has_mark(path: Path) -> bool:
    """Whether a file of text, gzip or not, begins with UTF-8's byte order mark, which is no part of its first column.

    Programs of Windows write it, and readers that do not know it call that column by another name.
    """
    with path.open("rb") as file:
        zipped = file.read(2) == _GZIP
    with (gzip.open if zipped else open)(path, "rb") as text:
        return text.read(3) == codecs.BOM_UTF8


def _refuse_utf16(path: Path, source: Source) -> None:
    with path.open("rb") as file:
        head = file.read(2)
    if head in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
        where = f"{source.from_}:1"
        raise DataRefused("the file is UTF-16 text", where=where, allowed="UTF-8", hint="add `encoding: utf-16`")


def _recode(file: gzip.GzipFile | IO[bytes], out: IO[bytes], encoding: str, name: str) -> None:
    """``file`` in ``encoding`` to ``out`` in UTF-8."""
    decoder, utf8 = codecs.getincrementaldecoder(encoding)(), codecs.getincrementaldecoder("utf-8")()
    lines, ascii_only, is_utf8 = 1, True, encoding != "utf-16"
    while True:
        chunk = file.read(_CHUNK)
        try:
            text = decoder.decode(chunk, final=not chunk)
        except UnicodeDecodeError as error:
            line = lines + error.object[: error.start].decode(encoding, "ignore").count("\n")
            raise DataRefused(
                f"the file is not {encoding} text", where=f"{name}:{line}", allowed=encoding, hint=ENCODINGS
            ) from None
        except UnicodeError:  # what UTF-16 without its first two bytes raises
            found = f"the file does not begin with the byte order mark of {encoding}"
            raise DataRefused(found, where=f"{name}:1", allowed=encoding, hint=ENCODINGS) from None
        lines += text.count("\n")
        ascii_only = ascii_only and chunk.isascii()
        if is_utf8:
            try:
                utf8.decode(chunk, final=not chunk)
            except UnicodeDecodeError:
                is_utf8 = False
        out.write(text.encode("utf-8", "replace"))
        if not chunk:
            break
    if is_utf8 and not ascii_only:
        # Bytes beyond ASCII that are UTF-8 throughout are no accident; read otherwise, é becomes Ã©.
        found = f"the file is UTF-8 text, and sources.yaml says {encoding}"
        raise DataRefused(found, where=name, allowed="the encoding the file has", hint="leave `encoding` out")
