"""A file's bytes and the places that `ast` names in them."""

from __future__ import annotations

import codecs
import io
import re
import tokenize
from dataclasses import dataclass

from codemods.core.span import Span

_NEWLINE = re.compile(rb"\r\n|\r|\n")  # what ends a line for `ast`; a form feed or U+2028 does not


class CannotEdit(Exception):
    """The file cannot be edited safely; the message says why."""


@dataclass(frozen=True, slots=True)
class Source:
    """A decoded file. Offsets count bytes of `utf8`, unless a name says `raw`."""

    raw: bytes
    coding: str
    bom: int  # bytes of the byte order mark
    utf8: bytes  # the text without the mark
    starts: tuple[int, ...]  # where each line begins

    def offset(self, line: int, column: int) -> int:
        """Raises CannotEdit for a place that the file does not have."""
        if not 1 <= line <= len(self.starts):
            raise CannotEdit(f"the file has no line {line}")
        end = self.starts[line] if line < len(self.starts) else len(self.utf8)
        offset = self.starts[line - 1] + column
        if offset > end:
            raise CannotEdit(f"line {line} has no column {column}")
        return offset

    def stretch(self, span: Span) -> tuple[int, int]:
        start, end = self.offset(span.line, span.column), self.offset(span.end_line, span.end_column)
        if end < start:
            raise CannotEdit(f"line {span.line}: the place ends before it begins")
        return start, end

    def raw_offset(self, offset: int) -> int:
        """The place in the file's own bytes."""
        if self.coding == "utf-8":
            return self.bom + offset
        before = self.encode(self.utf8[:offset].decode())
        if not self.raw.startswith(before, self.bom):  # a coding with shift states, in the middle of one
            raise CannotEdit(f"text in the coding {self.coding} cannot be cut here")
        return self.bom + len(before)

    def raw_stretch(self, span: Span) -> tuple[int, int]:
        start, end = self.stretch(span)
        return self.raw_offset(start), self.raw_offset(end)

    def encode(self, text: str) -> bytes:
        """Raises CannotEdit for a character that the file's coding does not have."""
        try:
            return text.encode(self.coding)
        except UnicodeError:
            raise CannotEdit(f"the new text cannot be written in the file's coding, {self.coding}") from None

    def line(self, number: int) -> str:
        """The text of a line without its end; "" where there is none."""
        if not 1 <= number <= len(self.starts):
            return ""
        end = self.starts[number] if number < len(self.starts) else len(self.utf8)
        return self.utf8[self.starts[number - 1] : end].decode().rstrip("\r\n")


def decode(raw: bytes) -> Source:
    """Raises CannotEdit when the bytes are not text in the coding that the file declares."""
    bom = len(codecs.BOM_UTF8) if raw.startswith(codecs.BOM_UTF8) else 0
    try:
        coding = _coding(raw)
        text = raw[bom:].decode(coding)
        same = text.encode(coding) == raw[bom:]
        utf8 = text.encode()
    except (SyntaxError, UnicodeError, LookupError) as error:
        raise CannotEdit(f"cannot be decoded: {error}") from None
    if not same:
        raise CannotEdit(f"decoding and encoding with {coding} does not give the same bytes back")
    starts = (0, *(match.end() for match in _NEWLINE.finditer(utf8)))
    return Source(raw, coding, bom, utf8, starts)


def _coding(raw: bytes) -> str:
    head = _NEWLINE.sub(b"\n", raw[:4096])  # the parser takes a lone \r for the end of a line, `tokenize` does not
    found = tokenize.detect_encoding(io.BytesIO(head).readline)[0]
    return "utf-8" if found == "utf-8-sig" else codecs.lookup(found).name
