"""The first words of functions, and the names that the terms of the trade have replaced."""

from __future__ import annotations

VERBS = frozenset(
    """
    abandon accept acquire add adopt advance agree align allow alter analyze annotate answer append apply approve
    assert assign attach await backfill beat begin bind borrow bound break buffer build bump call can cancel casefold cast
    catch chain change charge check choose claim clean clear clip close collapse collect combine commit compact
    compare compile complete compress compute configure confirm conform connect consume continue convert copy correct
    corrupt count create cut decide decline decode decompress decorate dedupe define delay delete deliver derive
    decrypt describe detach detect diff digest disable discard discover download draft drain draw drive drop dump edit emit
    encode encrypt end ensure enter erase escape estimate evaluate exchange exclude execute exit expand expect expire explain
    export extract fail fetch fill filter find finish fit fix flag flatten flush fold follow forget format freeze
    gather generate get grant group hash hide hire hold import include indent index infer inherit init inject insert inspect
    install invoke issue iterate join keep kill land link list listen load locate lock log lower make map mark match
    materialize measure merge migrate mix move name negotiate normalize note notify number observe offer omit open
    order overwrite own pack page pair parse partition pause pay peek perform pivot place plan play post prepare preview print
    project prompt propose prove prune publish put qualify queue quote raise rank reach read readmit rebase rebuild receive
    recheck recompute reconcile record recover redact reduce reflect refresh refund refuse register reject rekey relabel
    release reload relocate remake remember remove rename render renew reopen reorder repair repeat replace replay report
    require reserve reset reshape resolve respond restart restore restrict resume retire retrieve retry return reuse
    revoke rewrite roll rotate round run sample save scale scan schedule score scrub search seed select sell send separate
    serve set settle shift shorten show shrink shuffle sign simulate skip sleep slice snapshot sort spend spill split
    spoil stage stamp start stop store strip submit subscribe substitute subtract sum swap sweep switch sync take tear
    terminate test toggle total touch trace transform translate transpose trim truncate try unbind undo unify
    unlink unlock unregister unpack unstage unwrap update upgrade upload upsert use validate verify view visit wait walk warn
    watch weigh widen win wind withdraw wrap write yield
    """.split()  # noqa: SIM905 - a list of words, to be read
)
"""Verbs that begin the name of a function. Add a verb that the code needs, but no participle, adjective or noun."""

PARTICIPLES = frozenset(
    """
    aged allowed answered arriving asked asking begun bought bound brought built caught changed checked choosing
    chosen classified committed conformed copied correlated counted denied died disagreeing done drawn dropped dying
    emptied emptying ended ending expected extracted failed filled folded found given gone got guarded hashed held
    installed kept killed known landed linked listed lived loaded logged lost made matching mended met missing mounted
    moved noted observed offered opened opening overlapped overlapping owned paid profiled published pulling quoted
    reached reading refused released reopened replaced reserved restated reviewed said seen sent served serving
    settled shared shown shuffled spelled spent staged stamped starred stopped stored telling thrown told tracked
    truncated typed unasked untyped used waiting wanted worked wrapped written
    """.split()  # noqa: SIM905 - a list of words, to be read
)
"""Words that do not begin the name of a helper function of a test."""

QUESTIONS = frozenset({"can", "exists", "has", "includes", "is"})
"""What begins the name of a function that returns a bool."""

PREPOSITIONS = frozenset({"as", "from", "on", "to", "with"})
"""What begins the name of a conversion, of a changed copy, or of a function that an event or a signal calls."""

PROTOCOL_NAMES = frozenset(
    """
    arrow connection_made df did_you_mean fetchall flow history main monotonic never_stop now pl query ref repr_html
    result_processor rows schema_of staging status tables transaction
    """.split()  # noqa: SIM905 - a list of words, to be read
)
"""Names that a protocol or a custom fixes: a callback of asyncio, a hint, the cursor of DB-API, the flow of an auth kind, an
entry point, a clock, a stop that nobody requests, a column type of SQLAlchemy, the methods of `Warehouse` that engines
implement, and in the Python API the commands of the command line and the methods that DuckDB's relations and notebooks have.
"""

FORMER_NAMES = frozenset(
    """
    accident affected alone anew announce answered answers_request anything arrival arrivals arrive asked
    auth_kind_names bag besides bring brisk by_row captions carry choosing column_list contract_fields delete_meeting
    delta_settings demanding drawn driver_process effective_contract end_is_certain everyone explain_plan explained
    face find_complaints find_stray forget_pages forsake found give_back given glance going_on gone ground
    have_row_ids held held_to holds_secret inquiry is_dead judge judged kept_sql keys_only kind_of kind_of_type know
    known_list life listening living load_plug location_of matters meet met met_before missing_windows moved
    newest_version notes_of opened outlive overlaid place_to_try placed plan_dict plug plugs publication_url reaches
    reading_of readings readings_of ready ready_meta redeclared referred relaxed renewed requested_window run_alone
    said saw settle shelves sight spared spread standing standing_of stopping stored_as story strangers stray suggest
    surveyor tally tell telling tellings tellings_of tenant_url tenants_with_runs tidy told trail trim unfit
    unknown_name_error unsettled widening_error widest_kind windows_by_parent working Access Again Agreed Arrival
    Arriving As Asked Book Budget Carry Chapter Counting Decided DefectError Depth Desk Doubt Drawing Drawn Effort
    Ended Errand Face Found Going Ground GuardError Inquiry Judge Kept LandingTerms Lazy Listen Loose MachineError
    Merged Narrator Noted OfFeed OfTenant Opened Past Patience Place Plug Pointer Published Question Reach Reading
    Ready Redeclared Refused Said Seen SelfTested Shelf Sight Small Staging Standing StopRequested Story Survey
    Surveyor Tally Telling Tested Told Trail Trial Typist Undo Unfit UnsettledJson Uses Verdict Whereabouts Whole Work
    Written
    """.split()  # noqa: SIM905 - a list of words, to be read
)
"""Names that no function, class, parameter or field has any more. Use the terms of docs/concepts/glossary.md."""
