"""As much of a Markdown file as the tests compare: headings, tables, code blocks, lists, links."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

ROOT = Path(__file__).parents[2]
NONE = "–"

_BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_TABLE = re.compile(r"(?:^\|.*\n)+", re.MULTILINE)
_LINK = re.compile(r"\]\(([^)\s]+)\)")


@dataclass(frozen=True)
class Document:
    """A file of the repository, by its name."""

    name: str

    def __str__(self) -> str:
        return self.name

    @cached_property
    def text(self) -> str:
        return (ROOT / self.name).read_text(encoding="utf-8")

    @cached_property
    def prose(self) -> str:
        """The text without its code blocks."""
        return _BLOCK.sub("", self.text)

    @property
    def blocks(self) -> list[tuple[str, str]]:
        """Language and content of each code block."""
        return _BLOCK.findall(self.text)

    @property
    def tables(self) -> list[list[list[str]]]:
        """The cells of each table, without its head."""
        tables = [table.splitlines() for table in _TABLE.findall(self.prose)]
        return [[_cells(line) for line in lines[2:]] for lines in tables]

    @property
    def links(self) -> list[str]:
        return _LINK.findall(self.prose)

    @property
    def spans(self) -> set[str]:
        """What stands in backticks outside code blocks."""
        return set(re.findall(r"`([^`\n]+)`", self.prose))

    @property
    def code(self) -> list[tuple[str, str]]:
        """The code blocks; a diagram counts only as being there, since its words are translated."""
        return [(name, "" if name == "mermaid" else text) for name, text in self.blocks]

    @property
    def subjects(self) -> list[list[str]]:
        """The first cells of each table."""
        return [[row[0] for row in table] for table in self.tables]

    @property
    def outline(self) -> list[str]:
        """Each line's kind, in order: heading, list item or table row, without the words."""
        kinds = re.findall(r"^(#+ |- |\d+\. |\||\*\*\d+\.)", self.prose, re.MULTILINE)
        return [kind.strip() for kind in kinds]

    def block(self, language: str, containing: str = "") -> str:
        """The one code block of this language with this text in it."""
        (content,) = [text for name, text in self.blocks if name == language and containing in text]
        return content

    def table(self, first: str) -> dict[str, list[str]]:
        """The table whose first cell is `first`: the other cells of each row, by the first cell."""
        (found,) = [table for table in self.tables if table[0][0] == first]
        rows = {row[0]: row[1:] for row in found}
        assert len(rows) == len(found), "a row stands twice"
        return rows


def _cells(line: str) -> list[str]:
    """Cells without the backticks around a whole one."""
    cells = [cell.strip() for cell in line.strip().strip("|").split(" | ")]
    return [re.sub(r"^`([^`]*)`$", r"\1", cell) for cell in cells]


README = Document("README.md")
CHINESE = Document("README.zh-CN.md")


def in_english(link: str) -> str:
    """What the Chinese twin of a document links to where the English one links to this."""
    return link.replace(".zh-CN.md", ".md")
