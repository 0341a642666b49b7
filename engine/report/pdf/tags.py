"""What is what in a document, for whoever has it read aloud: a tree of tags, in the order in which things are drawn.

fpdf2 has such a tree of pictures alone. This one has a place for all that is drawn, and its tables have rows and cells.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

from fpdf.output import PDFPage
from fpdf.structure_tree import StructElem, StructureTreeBuilder
from fpdf.syntax import PDFObject

Tag = Literal["H1", "H2", "H3", "P", "Figure", "Table", "TR", "TH", "TD"]


class Element(StructElem):
    """One element of a tree, on the page where it begins.

    Args:
        tag: what it is.
        parent: of which it is a part.
        page: on which what it holds is drawn.
        alt: what a picture shows, in words.
        attributes: a dictionary of PDF's, as ``<</O /Table /Scope /Row>>``.
    """

    def __init__(self, tag: Tag, parent: StructElem, page: PDFPage, alt: str, attributes: str) -> None:
        super().__init__(f"/{tag}", parent, [], page.index(), alt=alt or None)
        self.pg = page  # type: ignore[assignment]
        self.a = attributes or None


class Tree(StructureTreeBuilder):
    """The elements of one document."""

    def __init__(self) -> None:
        super().__init__()
        self._open: list[StructElem] = [self.doc_struct_elem]

    def __iter__(self) -> Iterator[PDFObject]:
        yield from (self.struct_tree_root, self.doc_struct_elem, self.struct_tree_root.parent_tree)
        yield from _below(self.doc_struct_elem)

    @contextmanager
    def within(self, page: PDFPage, tag: Tag, alt: str = "", attributes: str = "") -> Iterator[None]:
        """What is added meanwhile is of a new element, see ``Element``."""
        self._open.append(self._add(page, tag, alt, attributes))
        yield
        self._open.pop()

    def mark(self, page: PDFPage) -> tuple[str, int]:
        """Return tag and number on its page of what is drawn next: of the open element, else of a paragraph of its own."""
        element = self._open[-1] if len(self._open) > 1 else self._add(page, "P")
        page.struct_parents = self.spid_per_page_number.setdefault(page.index(), len(self.spid_per_page_number))
        owners = self.struct_tree_root.parent_tree.nums[page.struct_parents]
        element.k.append(len(owners))
        owners.append(element)
        return element.s, len(owners) - 1

    def _add(self, page: PDFPage, tag: Tag, alt: str = "", attributes: str = "") -> Element:
        element = Element(tag, self._open[-1], page, alt, attributes)
        self._open[-1].k.append(element)
        return element


def _below(element: StructElem) -> Iterator[StructElem]:
    for part in element.k:
        if isinstance(part, StructElem):
            yield part
            yield from _below(part)
