"""The first words of functions, and the names that the terms of the trade have replaced."""

from __future__ import annotations

VERB_ROOMS = ("cli/", "plan/", "run/")
"""Where each function is a verb phrase, and where no parameter, field or class has a former name."""

OTHER_CONVENTIONS = ("cli/demo/", "cli/commands/demo.py", "cli/commands/selftest.py", "run/selftest/")
"""Parts of these rooms whose names are not reviewed yet. Take a line out with the change that renames its functions."""

VERBS = frozenset(
    """
    abandon add agree allow apply backfill begin build call can casefold catch check choose claim clear compare
    compile complete confirm conform connect correct count create decide decode derive describe discard drop dump end
    ensure estimate execute expand explain extract fetch fill find finish flatten gather generate get group init keep
    land list load locate lock log make mark measure name open parse perform plan print prune publish qualify read
    rebuild record refuse remove render repeat report require resolve resume retry run save select set shorten show
    sleep sort split test trace translate try update verify write
    """.split()  # noqa: SIM905 - a list of words, to be read
)
"""Verbs that begin the name of a function. Add a verb that the code needs, but no participle, adjective or noun."""

QUESTIONS = frozenset({"can", "has", "includes", "is"})
"""What begins the name of a function that returns a bool."""

PREPOSITIONS = frozenset({"as", "from", "on", "to", "with"})
"""What begins the name of a conversion, of a changed copy, or of a function that an event or a signal calls."""

PROTOCOL_NAMES = frozenset({"main", "monotonic", "never_stop", "now"})
"""Names that a protocol or a custom fixes: an entry point, a clock, and a stop that nobody requests."""

FORMER_NAMES = frozenset(
    """
    alone anew answer answered anything arrival arrivals arrive asked besides bring carry drawn everyone face found
    given going_on gone held inquiry life listening meet met moved otherwise opened plug plugs reading_of readings
    readings_of redeclared referred said saw sight spared spread standing standing_of stopping strangers tally telling
    tellings told working Agreed Arrival Asked Carry Counting DefectError Depth Drawing Ended Face Going Inquiry Lazy
    MachineError OfFeed OfTenant Opened Part Past Patience Place Plug Sight Standing Tally Telling Told Uses Work
    """.split()  # noqa: SIM905 - a list of words, to be read
)
"""Names that no function, class, parameter or field has any more. Use the terms of docs/concepts/glossary.md."""
