"""Describes in our own words why pydantic refused a value, as a hint that says what to write instead."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from headwater.names import did_you_mean

_PAIRS = "use `name: value` pairs"
_LIST = "use a list, e.g. [a, b]"
_WHOLE = "use a whole number"
_NUMBER = "use a number"
_BOOLEAN = "use true or false"
_DATE = "use a date such as 2026-03-01"

_REASONS = {
    "string_type": "use a text, in quotes if it looks like a number",
    "int_type": _WHOLE, "int_parsing": _WHOLE, "int_from_float": _WHOLE, "int_parsing_size": _WHOLE,
    "float_type": _NUMBER, "float_parsing": _NUMBER, "finite_number": _NUMBER,
    "bool_type": _BOOLEAN, "bool_parsing": _BOOLEAN,
    "dict_type": _PAIRS, "model_type": _PAIRS, "model_attributes_type": _PAIRS, "mapping_type": _PAIRS,
    "tuple_type": _LIST, "list_type": _LIST, "set_type": _LIST, "frozen_set_type": _LIST,
    "date_type": _DATE, "date_parsing": _DATE, "date_from_datetime_parsing": _DATE,
    "greater_than": "use more than {gt}", "greater_than_equal": "use {ge} or more",
    "less_than": "use less than {lt}", "less_than_equal": "use {le} or less",
    "too_short": "use at least {min_length}", "too_long": "use at most {max_length}",
    "string_too_short": "use at least {min_length} characters", "string_too_long": "use at most {max_length} characters",
    "literal_error": "use {expected}",
}  # fmt: skip
"""Type of error of pydantic -> hint. The braces are filled with the details of the error."""


def describe_reason(error: Mapping[str, Any]) -> str:
    """The hint for one error of pydantic."""
    details = error.get("ctx", {})
    match error["type"]:
        case "union_tag_invalid":
            kinds = _list_tags(details["expected_tags"])
            hint = did_you_mean(str(details["tag"]), kinds)
            return hint if hint.startswith("one of") else f"{hint} One of: {', '.join(kinds)}"
        case "union_tag_not_found":
            return f"add {details['discriminator'].replace(chr(39), '`')}"
    reason = _REASONS.get(error["type"])
    if reason is not None:
        try:
            return reason.format_map(details)
        except KeyError:
            # An auth kind of another package may raise an error of this type without details.
            pass
    return str(error["msg"]).removeprefix("Value error, ")


def _list_tags(text: str) -> list[str]:
    return [tag.strip().strip("'") for tag in text.split(",")]
