"""The four lifecycles as tables of lawful steps, each with the guard that must hold (DOMAIN 10.2).

A step that is not in a table does not exist. A guard names the facts that the caller passes to `check`; a machine
passes `person=None`. What the public is told of a state stands in `public.py`.
"""

from shared.domain.public import PublicStatus, public_status
from shared.domain.steps import Guard, GuardNotMet, Lifecycle, UnlawfulStep, either, needs, one_of, table, within
from shared.domain.terms import OPEN_DEFECT, OPEN_REPORT, DefectState, OrderState, ReportState, WarrantyState

__all__ = [
    "DEFECT",
    "ORDER",
    "REPORT",
    "VOID_REASONS",
    "WARRANTY",
    "GuardNotMet",
    "Lifecycle",
    "PublicStatus",
    "UnlawfulStep",
    "public_status",
]

ALWAYS = Guard("Nothing more is needed.", (), lambda _: True)

# --- report: what a person said --------------------------------------------------------------------------------------

SPAM = frozenset({"spam", "abuse"})
_R = ReportState
_REFER = needs("Say who it is referred to and why: both are told to the reporter.", "target", "reason")
_LINK = needs("Name the defect; its first knowledge is the earlier of the two.", "defect_id")
_ASK = Guard(
    "Say what is asked. A reporter is asked once.",
    ("question",),
    lambda given: bool(given.get("question")) and not given.get("asked_before"),
)
_CHALLENGE = within(
    "The reporter may challenge within the policy's days.", "challenged_at", "challenge_until", "by_reporter"
)
_WITHDRAW = needs("Only the reporter withdraws a report; the defect stays.", "by_reporter")

REPORT = table(
    "report",
    _R.RECEIVED,
    ReportState,
    {
        (_R.RECEIVED, _R.TRIAGE): ALWAYS,
        (_R.RECEIVED, _R.REJECTED): one_of("Unread reports are rejected only as spam or abuse.", "reason", SPAM),
        # A machine's triage takes no time, so a report it settles is never seen to wait in triage.
        (_R.RECEIVED, _R.LINKED): _LINK,
        (_R.RECEIVED, _R.REFERRED): _REFER,
        (_R.RECEIVED, _R.NEEDS_INFO): _ASK,
        (_R.TRIAGE, _R.NEEDS_INFO): _ASK,
        (_R.NEEDS_INFO, _R.TRIAGE): either(
            "The reporter answered, or the time to answer is over.", "answered", "timed_out"
        ),
        (_R.TRIAGE, _R.LINKED): _LINK,
        (_R.TRIAGE, _R.REFERRED): _REFER,
        (_R.TRIAGE, _R.NO_DEFECT_FOUND): needs(
            "Give a reason, the evidence and the reviewer.", "reason", "evidence", "person"
        ),
        (_R.TRIAGE, _R.REJECTED): needs("Give a reason and the reviewer.", "reason", "person"),
        (_R.REJECTED, _R.TRIAGE): needs("A person takes the rejection back, with a reason.", "person", "reason"),
        # One report, several holes; and one of several unlinked.
        (_R.LINKED, _R.LINKED): _LINK,
        (_R.LINKED, _R.TRIAGE): needs("A person unlinked its last defect.", "person", "reason"),
        (_R.LINKED, _R.RESOLVED): needs("Every linked defect must have ended.", "all_ended"),
        # A merge undone, or a recall, opens what had been answered.
        (_R.RESOLVED, _R.LINKED): needs("A defect that it is linked to is open again.", "defect_open"),
        (_R.RESOLVED, _R.CHALLENGED): _CHALLENGE,
        (_R.REFERRED, _R.CHALLENGED): _CHALLENGE,
        (_R.NO_DEFECT_FOUND, _R.CHALLENGED): _CHALLENGE,
        (_R.CHALLENGED, _R.TRIAGE): ALWAYS,
        **{(state, _R.WITHDRAWN): _WITHDRAW for state in sorted(OPEN_REPORT)},
    },
)

# --- defect: the thing on the ground ---------------------------------------------------------------------------------

_D = DefectState
_PERSON = needs("A person decides this, with a reason.", "person", "reason")
_ORDER = needs("A works order covers it; a defect has one open order at most.", "order_id")
_VISIT = needs("A visit shows it.", "visit_id")
_DUPLICATE = needs("Name the original; it is not itself a duplicate.", "original_id")
_DEFER = Guard(
    "It is made safe or the risk is signed for, and the scheme has a date.",
    ("scheme_on", "made_safe"),
    lambda given: bool(given.get("scheme_on")) and bool(given.get("made_safe") or given.get("risk_signed_by")),
)
_VERIFY = Guard(
    "The evidence passes or a site check does, and the verifier is not the completer.",
    ("verifier", "evidence_ok"),
    lambda given: (
        bool(given.get("evidence_ok") or given.get("site_check"))
        and bool(given.get("verifier"))
        and given.get("verifier") != given.get("completer")
    ),
)
_OWNER_FIXED = needs("A person saw that its owner, or the scheme, mended it.", "person", "reason")
_CHARGED_BACK = Guard(
    "The remedial order is at the contractor's cost.",
    ("order_id", "charge_to"),
    lambda given: bool(given.get("order_id")) and given.get("charge_to") == "contractor",
)


def _restored(state: DefectState) -> Guard:
    return Guard(
        "An undone merge restores the state from before it.",
        ("state_before",),
        lambda given: given.get("state_before") == state,
    )


DEFECT = table(
    "defect",
    _D.CANDIDATE,
    DefectState,
    {
        (_D.CANDIDATE, _D.CONFIRMED): _PERSON,
        (_D.CANDIDATE, _D.MONITOR): either(
            "A person decides, or a rule of the policy that it names.", "person", "rule"
        ),
        (_D.CANDIDATE, _D.THIRD_PARTY): _PERSON,
        (_D.CANDIDATE, _D.NO_DEFECT): _PERSON,
        (_D.NO_DEFECT, _D.CANDIDATE): _PERSON,
        (_D.CONFIRMED, _D.NO_DEFECT): _PERSON,
        (_D.CONFIRMED, _D.THIRD_PARTY): _PERSON,
        (_D.CONFIRMED, _D.MONITOR): needs("To watch instead of mend, a second person agrees.", "person", "seconded_by"),
        (_D.CONFIRMED, _D.MADE_SAFE): _VISIT,
        (_D.CONFIRMED, _D.ORDERED): _ORDER,
        (_D.CONFIRMED, _D.DEFERRED_TO_SCHEME): _DEFER,
        # A works order is how a crew gets there, so most make-safe visits find the defect ordered.
        (_D.ORDERED, _D.MADE_SAFE): _VISIT,
        (_D.MADE_SAFE, _D.ORDERED): _ORDER,
        (_D.MADE_SAFE, _D.REPAIRED_TEMPORARY): _VISIT,
        (_D.MADE_SAFE, _D.REPAIR_CLAIMED): _VISIT,
        (_D.MADE_SAFE, _D.DEFERRED_TO_SCHEME): _DEFER,
        (_D.ORDERED, _D.CONFIRMED): needs("Its works order was cancelled.", "order_cancelled"),
        (_D.ORDERED, _D.REPAIRED_TEMPORARY): _VISIT,
        (_D.REPAIRED_TEMPORARY, _D.ORDERED): _ORDER,
        (_D.ORDERED, _D.REPAIR_CLAIMED): _VISIT,
        (_D.REPAIR_CLAIMED, _D.VERIFIED): _VERIFY,
        (_D.REPAIR_CLAIMED, _D.REPAIR_REJECTED): needs("Say what is wrong with the repair.", "reason"),
        (_D.REPAIR_REJECTED, _D.ORDERED): _ORDER,
        (_D.VERIFIED, _D.IN_WARRANTY): needs("A permanent repair of ours starts a warranty.", "warranty_id"),
        (_D.VERIFIED, _D.CLOSED): needs("Say why nothing is warranted: mended by others, or no term.", "no_warranty"),
        (_D.IN_WARRANTY, _D.CLOSED): either("The warranty has expired or is void.", "expired", "void"),
        (_D.IN_WARRANTY, _D.RECALLED): needs("The failure is attributable to the repair.", "attributable"),
        (_D.RECALLED, _D.ORDERED): _CHARGED_BACK,
        (_D.RECALLED, _D.IN_WARRANTY): needs("A supervisor ruled that the failure is not the repair's.", "ruled_by"),
        (_D.MONITOR, _D.CONFIRMED): either(
            "It was measured anew, reported anew, or a person decides.", "measured", "report_id", "person"
        ),
        (_D.MONITOR, _D.CLOSED_NO_ACTION): Guard(
            "Two clear rechecks, or a person with a reason.",
            ("clear_rechecks",),
            lambda given: (
                int(given.get("clear_rechecks") or 0) >= 2 or bool(given.get("person") and given.get("reason"))
            ),
        ),
        (_D.DEFERRED_TO_SCHEME, _D.CONFIRMED): needs(
            "Say why: the scheme slipped, or it can wait no longer.", "reason"
        ),
        (_D.DEFERRED_TO_SCHEME, _D.VERIFIED): _OWNER_FIXED,
        (_D.THIRD_PARTY, _D.MADE_SAFE): _VISIT,
        (_D.MADE_SAFE, _D.THIRD_PARTY): needs("Its owner mends it; the council has made it safe.", "owner"),
        (_D.THIRD_PARTY, _D.ORDERED): needs(
            "The council acts in default; the notices are logged.", "order_id", "notices"
        ),
        (_D.THIRD_PARTY, _D.CONFIRMED): _PERSON,
        (_D.THIRD_PARTY, _D.VERIFIED): _OWNER_FIXED,
        **{(state, _D.DUPLICATE): _DUPLICATE for state in sorted(OPEN_DEFECT)},
        **{(_D.DUPLICATE, state): _restored(state) for state in sorted(OPEN_DEFECT)},
    },
)

# --- works order -----------------------------------------------------------------------------------------------------

_O = OrderState
_ON_SITE = needs("A visit says when the crew came.", "visit_id")
_CANCEL = needs("Say why it is cancelled.", "reason")
_FAIL = needs("Say who failed it and why.", "reason", "verifier")
_COMPLETIONS = (_O.MADE_SAFE, _O.COMPLETED_TEMPORARY, _O.COMPLETED_PERMANENT)
_JUDGED = needs("The evidence rules pass.", "evidence_ok")
_LACKING = needs("Name what is missing.", "missing")

ORDER = table(
    "works order",
    _O.DRAFT,
    OrderState,
    {
        (_O.DRAFT, _O.ISSUED): needs("It has a contractor and at least one defect.", "contractor_id", "defect_ids"),
        (_O.ISSUED, _O.ACCEPTED): ALWAYS,
        (_O.ISSUED, _O.DECLINED): needs("Say why it is declined.", "reason"),
        (_O.DECLINED, _O.ISSUED): needs("Another contractor takes it.", "contractor_id"),
        (_O.ACCEPTED, _O.SCHEDULED): needs("Say for when.", "scheduled_for"),
        (_O.SCHEDULED, _O.SCHEDULED): needs("Say for when.", "scheduled_for"),
        # An emergency is attended, not scheduled; an offline phone tells of the visit before of the acceptance.
        (_O.ACCEPTED, _O.ON_SITE): _ON_SITE,
        (_O.SCHEDULED, _O.ON_SITE): _ON_SITE,
        (_O.ON_SITE, _O.MADE_SAFE): _VISIT,
        (_O.ON_SITE, _O.COMPLETED_TEMPORARY): _VISIT,
        (_O.ON_SITE, _O.COMPLETED_PERMANENT): _VISIT,
        (_O.ON_SITE, _O.ABORTED): needs("Say why the visit was aborted; the visit is kept.", "visit_id", "reason"),
        (_O.ABORTED, _O.ISSUED): ALWAYS,
        # Made safe is not done: the same order goes on to the permanent repair.
        (_O.MADE_SAFE, _O.SCHEDULED): needs("Say for when.", "scheduled_for"),
        (_O.MADE_SAFE, _O.ON_SITE): _ON_SITE,
        **{(state, _O.EVIDENCE_OK): _JUDGED for state in _COMPLETIONS},
        **{(state, _O.EVIDENCE_FAILED): _LACKING for state in _COMPLETIONS},
        (_O.EVIDENCE_FAILED, _O.EVIDENCE_OK): _JUDGED,
        (_O.EVIDENCE_FAILED, _O.EVIDENCE_FAILED): _LACKING,
        (_O.EVIDENCE_FAILED, _O.ISSUED): ALWAYS,
        (_O.EVIDENCE_FAILED, _O.ON_SITE): _ON_SITE,
        (_O.EVIDENCE_FAILED, _O.VERIFIED): Guard(
            "Without evidence, only a site check by another than the completer verifies.",
            ("site_check", "verifier"),
            lambda given: bool(given.get("site_check")) and _VERIFY.holds(given),
        ),
        (_O.EVIDENCE_FAILED, _O.FAILED): _FAIL,
        (_O.EVIDENCE_OK, _O.VERIFIED): _VERIFY,
        (_O.EVIDENCE_OK, _O.FAILED): _FAIL,
        (_O.FAILED, _O.REMEDIAL): needs("The same contractor does it again, at its own cost.", "contractor_id"),
        (_O.REMEDIAL, _O.ACCEPTED): ALWAYS,
        (_O.REMEDIAL, _O.SCHEDULED): needs("Say for when.", "scheduled_for"),
        (_O.REMEDIAL, _O.ON_SITE): _ON_SITE,
        # An order at the contractor's own cost ends verified.
        (_O.VERIFIED, _O.PAYABLE): one_of("The council pays for it.", "charge_to", frozenset({"council"})),
        (_O.PAYABLE, _O.PAID): needs("A person says that it is paid.", "person"),
        **{(state, _O.CANCELLED): _CANCEL for state in (_O.DRAFT, _O.ISSUED, _O.ACCEPTED, _O.DECLINED, _O.SCHEDULED)},
    },
)

# --- warranty --------------------------------------------------------------------------------------------------------

_W = WarrantyState
VOID_REASONS = frozenset({"excavated", "resurfaced", "superseded", "never_verified"})
_VOID = Guard(
    "Name the reason (" + ", ".join(sorted(VOID_REASONS)) + ") and the evidence.",
    ("void_reason", "evidence"),
    lambda given: given.get("void_reason") in VOID_REASONS and bool(given.get("evidence")),
)
_RULING = needs("A supervisor rules on a dispute, with a reason.", "supervisor", "reason")
_ATTRIBUTION = needs("A person decides, with a reason.", "person", "reason")
_DISPUTE = needs("The contractor says why.", "contractor_id", "reason")
_OVER = Guard(
    "Its last day is over.",
    ("today", "ends_on"),
    lambda given: (
        given.get("today") is not None and given.get("ends_on") is not None and given["today"] > given["ends_on"]
    ),
)

WARRANTY = table(
    "warranty",
    _W.PENDING,
    WarrantyState,
    {
        (_W.PENDING, _W.ACTIVE): needs(
            "The repair is verified; the term runs from its completion.", "verified", "starts_on"
        ),
        (_W.PENDING, _W.VOID): _VOID,
        (_W.ACTIVE, _W.CLAIM_OPEN): within("The failure was seen within the term.", "seen_on", "ends_on"),
        (_W.ACTIVE, _W.EXPIRED): _OVER,
        (_W.ACTIVE, _W.VOID): _VOID,
        # Seen on the last day, told after it.
        (_W.EXPIRED, _W.CLAIM_OPEN): within("The failure was seen within the term.", "seen_on", "ends_on"),
        (_W.CLAIM_OPEN, _W.ATTRIBUTABLE): _ATTRIBUTION,
        (_W.CLAIM_OPEN, _W.NOT_ATTRIBUTABLE): _ATTRIBUTION,
        (_W.CLAIM_OPEN, _W.DISPUTED): _DISPUTE,
        (_W.ATTRIBUTABLE, _W.DISPUTED): _DISPUTE,
        (_W.DISPUTED, _W.ATTRIBUTABLE): _RULING,
        (_W.DISPUTED, _W.NOT_ATTRIBUTABLE): _RULING,
        (_W.NOT_ATTRIBUTABLE, _W.ACTIVE): within("The term is not over.", "today", "ends_on"),
        (_W.NOT_ATTRIBUTABLE, _W.EXPIRED): _OVER,
        (_W.NOT_ATTRIBUTABLE, _W.VOID): _VOID,
        (_W.ATTRIBUTABLE, _W.REMEDIED): needs("The remedial repair is verified.", "verified"),
        (_W.REMEDIED, _W.ACTIVE): needs(
            "The remaining term goes on, in the same footprint.", "same_footprint", "ends_on"
        ),
        (_W.REMEDIED, _W.VOID): _VOID,
    },
)
