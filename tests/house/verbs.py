"""The first words of functions, and the names that the terms of the trade have replaced."""

from __future__ import annotations

PENDING = (
    "bronze/",
    "cli/commands/selftest.py",
    "cli/demo/",
    "clock.py",
    "codegen/",
    "declared.py",
    "errors.py",
    "extract/",
    "lake/",
    "ledger/",
    "model/",
    "names.py",
    "publish/",
    "run/selftest/",
    "sandbox/",
    "storage/",
    "temporal/",
    "testing/",
    "warehouse/",
    "windows.py",
    "wire/",
)
"""Where names are not reviewed yet. Take a line out with the change that renames the functions there."""

VERBS = frozenset(
    """
    abandon accept acquire add adopt advance agree align allow alter analyze annotate answer append apply approve
    assert assign attach await backfill begin bind borrow bound buffer build bump call can casefold cast catch chain
    change charge check choose claim clean clear clip close collapse collect combine commit compact compare compile
    complete compress configure confirm conform connect consume continue convert copy correct count create cut
    decide decline decode decompress decorate dedupe define delay delete deliver derive describe detach detect diff
    digest discard discover download draft drain draw drive drop dump edit emit encode encrypt end ensure enter
    erase escape estimate evaluate exclude execute exit expand explain export extract fail fetch fill filter find
    finish fit fix flag flatten flush fold follow forget format freeze gather generate get group hash hide hire hold
    import include index infer inherit init inject insert inspect install invoke issue iterate join keep kill land
    link list listen load locate lock log lower make map mark match materialize measure merge migrate mix move name
    negotiate normalize note notify number observe offer omit open order own pack page pair parse partition pause
    pay perform pivot place plan post prepare preview print project propose prove prune publish put qualify queue
    quote raise rank reach read rebase rebuild recheck recompute reconcile record recover redact reduce reflect
    refresh refund refuse register rekey relabel release reload remake remember remove rename render renew reopen
    reorder repair repeat replace replay report require reserve reset reshape resolve respond restart restore
    restrict resume retire retrieve retry return reuse revoke rewrite roll rotate round run sample save scale scan
    schedule score search seed select sell send separate serve set settle shift shorten show shrink sign simulate
    skip sleep slice snapshot sort spend spill split spoil stage stamp start stop store strip subscribe substitute
    subtract sum swap sweep switch sync take tear terminate test toggle total touch trace transform translate
    transpose trim truncate try unbind undo unlink unlock unpack unstage unwrap update upgrade upload upsert use
    validate verify view visit wait walk warn watch weigh widen win wind withdraw wrap write yield
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
