"""Replaces the patterns that sqlglot would leave unchanged or render inexactly by the SQL of the engine's own dialect.

DuckDB defines the meaning on every engine: division is of doubles and gives infinity by zero, rounding is half away from
zero, differences of dates count the boundaries that are crossed, and case folding covers letters beyond ASCII. Each
engine's folder has the SQL of its dialect.
"""

from __future__ import annotations

from collections.abc import Callable

import sqlglot
from sqlglot import exp

from headwater.warehouse.dialect.dialect import Dialect
from headwater.warehouse.dialect.patterns import find_patterns


def translate(tree: exp.Expr, dialect: Dialect) -> exp.Expr:
    """Return `tree` (portable SQL with annotated columns) with the patterns of another dialect."""
    return tree.transform(_build_translator(dialect)) if dialect.functions else tree


def _build_translator(dialect: Dialect) -> Callable[[exp.Expr], exp.Expr]:
    def translate_node(node: exp.Expr) -> exp.Expr:
        for pattern, inner, words in find_patterns(node, dialect):
            template = dialect.functions.get(pattern)
            if template is not None:
                texts = [part.transform(translate_node).sql(dialect=dialect.name) for part in inner]
                if isinstance(template, str):
                    text = template.format(*texts, all=", ".join(texts), **words)
                else:
                    text = template(texts, words)
                return exp.Var(this=f"({text})") if dialect.verbatim else sqlglot.parse_one(text, read=dialect.name)
        return node

    return translate_node
