"""Comparisons as a document: JSON with a schema, Markdown, and one self-contained page."""

from diptych.report.document import SCHEMA_VERSION, document_of
from diptych.report.markdown import markdown_of
from diptych.report.page import page_of

__all__ = ["SCHEMA_VERSION", "document_of", "markdown_of", "page_of"]
