"""What sqlglot would pass on unchanged or render inexactly, exchanged for the words of the engine's own dialect.

DuckDB's meaning counts everywhere: a division is one of doubles and gives infinity by zero, rounding is half away from
zero, differences of dates count the boundaries that are crossed, letters fold beyond ASCII. Each engine's folder has the
words of its dialect.
"""

from __future__ import annotations

from collections.abc import Callable

import sqlglot
from sqlglot import exp

from headwater.warehouse.dialect.dialect import Dialect
from headwater.warehouse.dialect.patterns import find_patterns


def translate(tree: exp.Expr, dialect: Dialect) -> exp.Expr:
    """`tree` (of portable SQL), at whose columns is noted what kind of value they hold, with another dialect's phrases."""
    return tree.transform(_make_translator(dialect)) if dialect.functions else tree


def _make_translator(dialect: Dialect) -> Callable[[exp.Expr], exp.Expr]:
    def translate_node(node: exp.Expr) -> exp.Expr:
        for phrase, inner, words in find_patterns(node, dialect):
            template = dialect.functions.get(phrase)
            if template is not None:
                texts = [part.transform(translate_node).sql(dialect=dialect.name) for part in inner]
                if isinstance(template, str):
                    text = template.format(*texts, all=", ".join(texts), **words)
                else:
                    text = template(texts, words)
                return exp.Var(this=f"({text})") if dialect.verbatim else sqlglot.parse_one(text, read=dialect.name)
        return node

    return translate_node
