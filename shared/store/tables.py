"""Every table, as SQLAlchemy sees it. The migrations make them; a test holds the two against each other.

Times are `timestamptz` (UTC). Places are points on the deployment's grid in metres (`GRID`), with WGS 84 as received
beside them.
"""

from typing import Any

from geoalchemy2 import Geometry
from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Computed,
    Date,
    DateTime,
    Double,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    SmallInteger,
    String,
    Table,
    Text,
    UniqueConstraint,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, UUID

from shared.settings import settings

GRID = settings().grid_epsg
"""The EPSG code of every geometry column."""

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)

Time = DateTime(timezone=True)


def _point(name: str = "geom", *, nullable: bool = False) -> Column[object]:
    return Column(name, Geometry("POINT", srid=GRID, spatial_index=False), nullable=nullable)


def _id() -> Column[int]:
    return Column("id", BigInteger, Identity(always=True), primary_key=True)


def _to(target: str, name: str, *, nullable: bool = False) -> Column[int]:
    return Column(name, BigInteger, ForeignKey(f"{target}.id"), nullable=nullable)


def _json(name: str, default: str = "'{}'") -> Column[object]:
    return Column(name, JSONB, nullable=False, server_default=text(default))


def _words(name: str) -> Column[list[str]]:
    """A list of short texts, empty by default."""
    return Column(name, ARRAY(Text), nullable=False, server_default=text("'{}'"))


def _found_by_reference(table: str) -> tuple[Index, Index]:
    """By the beginning of a reference, and by its second half."""
    return (
        Index(f"ix_{table}_reference", text("reference text_pattern_ops")),
        Index(f"ix_{table}_half", text('"right"(reference, 4)')),
    )


REPORT_WORDS = "to_tsvector('english'::regconfig, (description || ' '::text) || COALESCE(address, ''::text))"
"""What a search for words looks through. Who reported is not in it (docs/decisions/0041)."""

# --- the deployment and its policy -----------------------------------------------------------------------------------

deployment = Table(
    "deployment",
    metadata,
    Column("singleton", Boolean, primary_key=True, server_default=text("true")),
    Column("grid_epsg", Integer, nullable=False),
    Column("made_at", Time, nullable=False, server_default=func.now()),
    CheckConstraint("singleton", name="one_row"),
)

policy_version = Table(
    "policy_version",
    metadata,
    _id(),
    Column("name", Text, nullable=False),
    Column("sha256", String(64), nullable=False, unique=True),
    Column("text", Text, nullable=False),
    Column("approver", Text, nullable=False),
    Column("effective_from", Time, nullable=False),
    Column("adopted_at", Time, nullable=False),
    # When every due time had followed its holidays. None: they are still looked for.
    Column("holidays_moved_at", Time),
)

# --- place -----------------------------------------------------------------------------------------------------------

area = Table(
    "area",
    metadata,
    _id(),
    Column("code", Text, nullable=False, unique=True),
    Column("name", Text, nullable=False),
    # kind: authority (whose roads), district, division, ward …
    Column("kind", Text, nullable=False),
    # For kind = authority: True where this deployment is the highway authority.
    Column("served", Boolean, nullable=False, server_default=text("false")),
    Column("contact", Text),
    Column("parent_code", Text),
    Column("geom", Geometry("MULTIPOLYGON", srid=GRID, spatial_index=False), nullable=False),
)

# Areas cut into small pieces (ST_Subdivide), so that "which area is this point in?" reads one or two short polygons.
area_piece = Table(
    "area_piece",
    metadata,
    Column("area_id", BigInteger, ForeignKey("area.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("geom", Geometry("POLYGON", srid=GRID, spatial_index=False), nullable=False),
    Index("ix_area_piece_geom", "geom", postgresql_using="gist"),
)

street = Table(
    "street",
    metadata,
    _id(),
    Column("network_id", Text, nullable=False, unique=True),
    # By which two sightings are said to be on one street: the USRN, else the normalised name, else network_id.
    Column("street_key", Text, nullable=False, index=True),
    Column("usrn", BigInteger),
    Column("name", Text, nullable=False, server_default=text("''")),
    Column("class", Text, nullable=False, server_default=text("''")),
    # Maintenance hierarchy: 2, 3a, 3b, 4a, 4b for carriageways.
    Column("hierarchy", Text, nullable=False, server_default=text("'4b'")),
    # Who set it by hand, if anybody did: then a file that is loaded later does not.
    Column("hierarchy_by", Text),
    Column("hierarchy_at", Time),
    # council, trunk, private, other
    Column("maintainer", Text, nullable=False, server_default=text("'council'")),
    Column("level", SmallInteger, nullable=False, server_default=text("0")),
    Column("rural", Boolean, nullable=False, server_default=text("false")),
    Column("geom", Geometry("MULTILINESTRING", srid=GRID, spatial_index=False), nullable=False),
    Index("ix_street_geom", "geom", postgresql_using="gist"),
    Index("ix_street_name", text("lower(name) text_pattern_ops")),
    Index("ix_street_name_like", text("lower(name) gin_trgm_ops"), postgresql_using="gin"),
)

# Each name once, in lower case: "did you mean" looks through some thousands of names, not through all streets.
street_name = Table(
    "street_name",
    metadata,
    Column("name", Text, primary_key=True),
    Index("ix_street_name_alike", text("name gin_trgm_ops"), postgresql_using="gin"),
)

# Streets and areas as the map draws them, made from them when a file is loaded (docs/decisions/0051).
map_shape = Table(
    "map_shape",
    metadata,
    # land, edges, streets, names
    Column("layer", Text, nullable=False),
    # 0 to 3: from afar to near.
    Column("level", SmallInteger, nullable=False),
    # A street's hierarchy, an area's kind.
    Column("kind", Text, nullable=False),
    Column("name", Text),
    # Whose a street is, where it is not the council's.
    Column("whose", Text),
    # Metres of the web's map, whatever the deployment's grid.
    Column("geom", Geometry("GEOMETRY", srid=3857, spatial_index=False), nullable=False),
    *(
        Index(f"ix_map_shape_{level}", "geom", postgresql_using="gist", postgresql_where=text(f"level = {level}"))
        for level in range(4)
    ),
)

map_drawing = Table(
    "map_drawing",
    metadata,
    Column("singleton", Boolean, primary_key=True, server_default=text("true")),
    # Another one for each drawing: what was made of an older one is out of date.
    Column("version", Text, nullable=False),
    CheckConstraint("singleton", name="one_row"),
)

postcode = Table(
    "postcode",
    metadata,
    # Without spaces, upper case.
    Column("postcode", Text, primary_key=True),
    Column("quality", SmallInteger, nullable=False, server_default=text("10")),
    _point(),
    Index("ix_postcode_begins", text("postcode text_pattern_ops")),
)

# --- who -------------------------------------------------------------------------------------------------------------

contractor = Table(
    "contractor",
    metadata,
    _id(),
    Column("code", Text, nullable=False, unique=True),
    Column("name", Text, nullable=False),
    Column("since", Date, nullable=False),
)

person = Table(
    "person",
    metadata,
    _id(),
    Column("email", Text, nullable=False, unique=True),
    Column("name", Text, nullable=False),
    Column("role", Text, nullable=False),
    _to("contractor", "contractor_id", nullable=True),
    # None: signs in by another way (OpenID Connect, later).
    Column("password_hash", Text),
    Column("made_at", Time, nullable=False),
    Column("disabled_at", Time),
    CheckConstraint("(role = 'contractor') = (contractor_id IS NOT NULL)", name="contractor_has_one"),
)

session = Table(
    "session",
    metadata,
    # SHA-256 of the secret in the cookie.
    Column("id", LargeBinary, primary_key=True),
    _to("person", "person_id"),
    Column("made_at", Time, nullable=False),
    Column("ends_at", Time, nullable=False),
    Column("revoked_at", Time),
    Index("ix_session_person_id", "person_id"),
)

source = Table(
    "source",
    metadata,
    _id(),
    # A vendor's survey fleet: (source, external_id) names a detection.
    Column("code", Text, nullable=False, unique=True),
    Column("name", Text, nullable=False),
)

api_key = Table(
    "api_key",
    metadata,
    _id(),
    # Shown in lists; the first characters of the key.
    Column("prefix", Text, nullable=False, unique=True),
    Column("secret_hash", LargeBinary, nullable=False, unique=True),
    Column("name", Text, nullable=False),
    Column("role", Text, nullable=False),
    _words("scopes"),
    _to("source", "source_id", nullable=True),
    _to("contractor", "contractor_id", nullable=True),
    Column("made_at", Time, nullable=False),
    Column("revoked_at", Time),
)

idempotency_key = Table(
    "idempotency_key",
    metadata,
    # What the key is for: the route and the asker.
    Column("scope", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("body_sha256", LargeBinary, nullable=False),
    Column("answer", JSONB, nullable=False),
    Column("at", Time, nullable=False),
    PrimaryKeyConstraint("scope", "key"),
    Index("ix_idempotency_key_at", "at"),
)

# --- reports ---------------------------------------------------------------------------------------------------------


def _where(street: Column[Any]) -> tuple[Column[Any], ...]:
    """How a sighting stands on the network; None is "not known"."""
    return (
        Column("lat", Double, nullable=False),
        Column("lon", Double, nullable=False),
        Column("accuracy_m", Double, nullable=False),
        _point(),
        street,
        Column("street_key", Text),
        Column("street_side", Text),
        Column("level", SmallInteger, nullable=False, server_default=text("0")),
        # From the address as typed or published, where there is one: matching without a network uses it.
        Column("house_number", Integer),
    )


report = Table(
    "report",
    metadata,
    _id(),
    Column("reference", Text, nullable=False, unique=True),
    # SHA-256 of the reporter's secret.
    Column("tracking_hash", LargeBinary, nullable=False, unique=True),
    Column("channel", Text, nullable=False),
    Column("class_code", Text, nullable=False),
    *_where(_to("street", "street_id", nullable=True)),
    Column("address", Text),
    Column("description", Text, nullable=False, server_default=text("''")),
    Column("danger", Boolean, nullable=False, server_default=text("false")),
    Column("state", Text, nullable=False),
    # For a person who has to act: what is asked, or why it was referred or refused. Public words.
    Column("outcome", Text),
    Column("observed_at", Time, nullable=False),
    Column("received_at", Time, nullable=False),
    Column("triage_due_at", Time, nullable=False),
    Column("updated_at", Time, nullable=False),
    # For historic loads: (source, id there) arrives once.
    Column("external_id", Text, unique=True),
    # The words are public as they stand: a person released what the screening would hide.
    Column("words_released", Boolean, nullable=False, server_default=text("false")),
    # Nothing of the words is public: a person said so, or the reporter is forgotten.
    Column("words_withheld", Boolean, nullable=False, server_default=text("false")),
    # A danger sounds in the hub until somebody takes it.
    Column("taken_at", Time),
    Column("taken_by", Text),
    # The reporter asked to be forgotten, and the words stay until the report has ended and is no evidence.
    Column("erase_asked_at", Time),
    Index(
        "ix_report_state",
        "state",
        "triage_due_at",
        postgresql_where=text("state IN ('received', 'triage', 'needs_info', 'challenged')"),
    ),
    Index("ix_report_received_at", "received_at", "id"),
    Index("ix_report_state_id", "state", "id"),
    Index("ix_report_street_key", "street_key", "id"),
    Index("ix_report_class_code", "class_code", "id"),
    Index("ix_report_danger", "id", postgresql_where=text("danger")),
    Index(
        "ix_report_danger_untaken",
        "received_at",
        postgresql_where=text("danger AND taken_at IS NULL AND external_id IS NULL"),
    ),
    Index("ix_report_erase_asked", "id", postgresql_where=text("erase_asked_at IS NOT NULL")),
    *_found_by_reference("report"),
    Index("ix_report_words", text(REPORT_WORDS), postgresql_using="gin", postgresql_with={"fastupdate": "off"}),
)

contact = Table(
    "contact",
    metadata,
    Column("report_id", BigInteger, ForeignKey("report.id", ondelete="CASCADE"), primary_key=True),
    Column("name", Text),
    Column("email", Text),
    Column("phone", Text),
    # Wants to hear nothing more of it.
    Column("unfollowed_at", Time),
    Index("ix_contact_email", text("lower(email)"), postgresql_where=text("email IS NOT NULL")),
)

# A report that somebody is still writing, page by page. The cookie holds the secret.
draft = Table(
    "draft",
    metadata,
    Column("secret_hash", LargeBinary, primary_key=True),
    _json("answers"),
    Column("made_at", Time, nullable=False),
    Column("updated_at", Time, nullable=False),
    # What became of it: a report, or "it is this one" of a defect.
    _to("report", "report_id", nullable=True),
    _to("sighting", "sighting_id", nullable=True),
    Index("ix_draft_updated_at", "updated_at"),
)

# What was asked of a reporter and what the reporter said later: an answer, why it is not settled. As it came.
report_note = Table(
    "report_note",
    metadata,
    _id(),
    Column("report_id", BigInteger, ForeignKey("report.id", ondelete="CASCADE"), nullable=False),
    # question, answer, challenge
    Column("kind", Text, nullable=False),
    Column("words", Text, nullable=False),
    Column("actor", Text, nullable=False),
    Column("at", Time, nullable=False),
    Index("ix_report_note_report_id", "report_id"),
)

photo = Table(
    "photo",
    metadata,
    _id(),
    # Public name of the file, not guessable.
    Column("reference", Text, nullable=False, unique=True),
    _to("report", "report_id", nullable=True),
    # A visit may be told after its photos: the phone's own visit id ties them together.
    Column("visit_client_id", UUID),
    _to("contractor", "contractor_id", nullable=True),
    # Of a draft until it is sent; of a passer-by who said "it is this one" of a defect.
    Column("draft_hash", LargeBinary, ForeignKey("draft.secret_hash")),
    _to("sighting", "sighting_id", nullable=True),
    # report, before, after
    Column("role", Text, nullable=False),
    Column("sha256", LargeBinary, nullable=False),
    # 64-bit perceptual hash as 16 hex digits.
    Column("phash", String(16), nullable=False),
    # Pairs of its parts: two hashes that differ in four bits at most share one, which an index finds.
    Column("phash_parts", ARRAY(Text), Computed("phash_parts(phash)", persisted=True)),
    Column("media_type", Text, nullable=False),
    Column("width_px", Integer, nullable=False),
    Column("height_px", Integer, nullable=False),
    Column("size_bytes", Integer, nullable=False),
    Column("taken_at", Time),
    Column("taken_lat", Double),
    Column("taken_lon", Double),
    Column("received_at", Time, nullable=False),
    # Since when everybody may see it, and who said so. Without a time, who said that it stays as it is.
    Column("released_at", Time),
    Column("released_by", Text),
    # The same bytes from the same sender are one photo, however often they come.
    Index("uq_photo_draft", "draft_hash", "sha256", unique=True, postgresql_where=text("draft_hash IS NOT NULL")),
    Index("uq_photo_sighting", "sighting_id", "sha256", unique=True, postgresql_where=text("sighting_id IS NOT NULL")),
    Index("uq_photo_report", "report_id", "sha256", unique=True, postgresql_where=text("report_id IS NOT NULL")),
    Index(
        "uq_photo_visit",
        "visit_client_id",
        "contractor_id",
        "role",
        "sha256",
        unique=True,
        postgresql_where=text("visit_client_id IS NOT NULL"),
    ),
    # Of a report, and nobody has said yet whether everybody may see it.
    Index(
        "ix_photo_waiting",
        "id",
        postgresql_where=text("report_id IS NOT NULL AND released_at IS NULL AND released_by IS NULL"),
    ),
    Index("ix_photo_phash", "phash"),
    # Without fastupdate: every look-up would read through what was lately added (42 s for 500 visits, measured).
    Index("ix_photo_phash_parts", "phash_parts", postgresql_using="gin", postgresql_with={"fastupdate": "off"}),
)

# --- detections ------------------------------------------------------------------------------------------------------

detection_batch = Table(
    "detection_batch",
    metadata,
    _id(),
    Column("reference", Text, nullable=False, unique=True),
    _to("source", "source_id"),
    Column("received_at", Time, nullable=False),
    Column("accepted", Integer, nullable=False),
    Column("repeated", Integer, nullable=False),
    Column("refused", Integer, nullable=False),
    Column("matched_at", Time),
    # Detections are matched in the order of their ids, some thousands in a transaction: so far it is.
    Column("matched_upto", BigInteger, nullable=False, server_default=text("0")),
    # What became of the accepted ones, by verdict.
    _json("outcome"),
    # Since when those that no defect has are deleted.
    Column("raw_gone_at", Time),
    Index("ix_detection_batch_raw", "received_at", postgresql_where=text("raw_gone_at IS NULL")),
)

detection_refusal = Table(
    "detection_refusal",
    metadata,
    _to("detection_batch", "batch_id"),
    # Position in the request, from 0.
    Column("position", Integer, nullable=False),
    Column("field", Text, nullable=False),
    Column("reason", Text, nullable=False),
    PrimaryKeyConstraint("batch_id", "position", "field"),
)

# (source, external_id) across all months; a partitioned table cannot hold such a key itself.
detection_key = Table(
    "detection_key",
    metadata,
    Column("source_id", BigInteger, nullable=False),
    Column("external_id", Text, nullable=False),
    Column("detection_id", BigInteger, nullable=False),
    PrimaryKeyConstraint("source_id", "external_id"),
)

# Partitioned by month of received_at.
detection = Table(
    "detection",
    metadata,
    Column("id", BigInteger, nullable=False, server_default=text("nextval('detection_id_seq')")),
    Column("received_at", Time, nullable=False),
    Column("batch_id", BigInteger, nullable=False),
    Column("source_id", BigInteger, nullable=False),
    Column("external_id", Text, nullable=False),
    Column("survey_pass_id", Text),
    Column("captured_at", Time, nullable=False),
    Column("class_code", Text, nullable=False),
    Column("confidence", Double, nullable=False),
    *(
        Column(name, kind, nullable=nullable)
        for name, kind, nullable in (
            ("lat", Double, False),
            ("lon", Double, False),
            ("accuracy_m", Double, False),
        )
    ),
    _point(),
    # Where it lies, as the network said at intake; None and 0: no street within reach.
    Column("street_id", BigInteger),
    Column("street_key", Text),
    Column("street_side", Text),
    Column("level", SmallInteger, nullable=False, server_default=text("0")),
    Column("heading_deg", Double),
    Column("depth_mm", Double),
    Column("width_mm", Double),
    Column("depth_method", Text),
    # recalled, stale, kept (below the policy's level, or condition only), waiting (for another pass to see it too);
    # founded, when it had waited; else received: then its batch is not matched yet, or its sighting says the rest.
    Column("verdict", Text, nullable=False, server_default=text("'received'")),
    # Nothing writes it, and the release before this one still reads it. It goes with the next.
    Column("defect_id", BigInteger),
    # Everything else of the canonical fields as it came.
    _json("more"),
    PrimaryKeyConstraint("id", "received_at"),
    Index("ix_detection_batch", "batch_id", "id"),
    Index("ix_detection_waiting", "geom", postgresql_using="gist", postgresql_where=text("verdict = 'waiting'")),
    postgresql_partition_by="RANGE (received_at)",
)

# --- defects ---------------------------------------------------------------------------------------------------------

OPEN_STATES = (
    "candidate",
    "confirmed",
    "monitor",
    "third_party",
    "made_safe",
    "ordered",
    "repaired_temporary",
    "repair_claimed",
    "repair_rejected",
    "recalled",
    "deferred_to_scheme",
)
"""States which a new sighting may join. Partial indexes use the same list."""
SQUARE_ZOOM = 13
SQUARE = (
    f"(floor((1 - asinh(tan(radians(lat))) / pi()) / 2 * {1 << SQUARE_ZOOM})::integer * {1 << SQUARE_ZOOM}"
    f" + floor((lon + 180) / 360 * {1 << SQUARE_ZOOM})::integer)"
)
"""The square of the web's map at SQUARE_ZOOM in which a place lies: y * 2^zoom + x. Its index uses the same words."""
_OPEN = "state IN (" + ", ".join(f"'{state}'" for state in OPEN_STATES) + ")"

defect = Table(
    "defect",
    metadata,
    _id(),
    Column("reference", Text, nullable=False, unique=True),
    Column("class_code", Text, nullable=False),
    Column("state", Text, nullable=False),
    *_where(_to("street", "street_id", nullable=True)),
    # The district or division by which lots are drawn.
    Column("area_code", Text),
    Column("hierarchy", Text),
    Column("band", Text),
    _words("band_why"),
    Column("likelihood", SmallInteger),
    Column("impact", SmallInteger),
    Column("depth_mm", Double),
    Column("width_mm", Double),
    # Free facts of an assessment: crossing, cycle_lane, wheel_path, zone, missing_cover …
    _json("facts"),
    Column("danger", Boolean, nullable=False, server_default=text("false")),
    # Who measured or confirmed last: person or machine; and when a person or a rule last looked.
    Column("assessed_by", Text),
    Column("assessed_at", Time),
    Column("reports", Integer, nullable=False, server_default=text("0")),
    Column("detections", Integer, nullable=False, server_default=text("0")),
    Column("survey_passes", Integer, nullable=False, server_default=text("0")),
    # The exact mean of all that saw it, where machines have moved it by less than a metre from geom. None: it is geom.
    Column("mean_x", Double),
    Column("mean_y", Double),
    # First knowledge across all that saw it; never later than before.
    Column("known_at", Time, nullable=False),
    # Knowledge on which the clocks run: known_at, or the later one that raised the band.
    Column("clock_from", Time, nullable=False),
    Column("opened_at", Time, nullable=False),
    Column("last_seen_at", Time, nullable=False),
    Column("make_safe_due_at", Time),
    Column("permanent_due_at", Time),
    # When a person must look next: a candidate, a new report on a monitored one, a recheck, a chase of its owner.
    Column("inspect_due_at", Time),
    _words("due_why"),
    Column("made_safe_at", Time),
    # Physical completion of the last permanent repair.
    Column("repaired_at", Time),
    Column("ended_at", Time),
    Column("overdue", Boolean, nullable=False, server_default=text("false")),
    _to("defect", "merged_into", nullable=True),
    _to("defect", "recurrence_of", nullable=True),
    _to("policy_version", "policy_id", nullable=True),
    Column("updated_at", Time, nullable=False),
    Index("ix_defect_open_geom", "geom", postgresql_using="gist", postgresql_where=text(_OPEN)),
    Index("ix_defect_geom", "geom", postgresql_using="gist"),
    Index("ix_defect_updated_at", "updated_at", "id"),
    Index("ix_defect_due", "permanent_due_at", postgresql_where=text(_OPEN)),
    Index("ix_defect_inspect_due", "inspect_due_at", postgresql_where=text(_OPEN + " AND inspect_due_at IS NOT NULL")),
    Index("ix_defect_make_safe_due", "make_safe_due_at", postgresql_where=text(_OPEN + " AND made_safe_at IS NULL")),
    Index("ix_defect_open_updated_at", "updated_at", "id", postgresql_where=text(_OPEN)),
    # All that a tile from afar counts of the open ones, square by square.
    Index(
        "ix_defect_open_square",
        text(SQUARE),
        postgresql_include=["id", "state", "class_code", "band", "area_code", "overdue", "danger", "lon", "lat"],
        postgresql_where=text(_OPEN),
    ),
    Index("ix_defect_street", "street_key", "updated_at", "id"),
    *_found_by_reference("defect"),
    Index("ix_defect_late", "updated_at", "id", postgresql_where=text("overdue")),
    Index(
        "ix_defect_wanting",
        "permanent_due_at",
        "id",
        postgresql_where=text("state IN ('confirmed', 'made_safe', 'recalled', 'repaired_temporary', 'third_party')"),
    ),
    Index("ix_defect_merged_into", "merged_into", postgresql_where=text("merged_into IS NOT NULL")),
    Index("ix_defect_recurrence_of", "recurrence_of", postgresql_where=text("recurrence_of IS NOT NULL")),
)

# What saw a defect: one row a report or a detection. N:M for reports. Unlinking marks the row; nothing is deleted.
sighting = Table(
    "sighting",
    metadata,
    _id(),
    _to("defect", "defect_id"),
    _to("report", "report_id", nullable=True),
    Column("detection_id", BigInteger),
    Column("survey_pass", Text),
    Column("class_code", Text, nullable=False),
    # Copies of what was checked before, as the policy is: a key's look-up for each cost more than the row.
    *_where(Column("street_id", BigInteger)),
    Column("seen_at", Time, nullable=False),
    Column("known_at", Time, nullable=False),
    Column("danger", Boolean, nullable=False, server_default=text("false")),
    # same, new, recall, person
    Column("verdict", Text, nullable=False),
    Column("why", Text, nullable=False),
    Column("policy_id", BigInteger),
    Column("linked_at", Time, nullable=False),
    Column("unlinked_at", Time),
    # The merge that brought it here, so that the merge can be undone: the defect it was with before.
    Column("merged_from", BigInteger),
    # Neither: a passer-by, who said "it is this one" of a defect.
    CheckConstraint("num_nonnulls(report_id, detection_id) <= 1", name="one_seer"),
    Index("ix_sighting_defect_id", "defect_id"),
    # Where people saw defects: what matching asks. Machines' sightings count by the defect's own position.
    Index(
        "ix_sighting_places",
        "geom",
        postgresql_using="gist",
        postgresql_where=text("unlinked_at IS NULL AND report_id IS NOT NULL"),
    ),
    Index(
        "uq_sighting_report",
        "report_id",
        "defect_id",
        unique=True,
        postgresql_where=text("unlinked_at IS NULL AND report_id IS NOT NULL"),
    ),
    Index(
        "uq_sighting_detection",
        "detection_id",
        unique=True,
        postgresql_where=text("unlinked_at IS NULL AND detection_id IS NOT NULL"),
    ),
)

# Pairs that a person split: no machine joins them again.
apart = Table(
    "apart",
    metadata,
    Column("defect_id", BigInteger, ForeignKey("defect.id"), nullable=False),
    Column("other_id", BigInteger, ForeignKey("defect.id"), nullable=False),
    Column("at", Time, nullable=False),
    Column("undone_at", Time),
    PrimaryKeyConstraint("defect_id", "other_id"),
)

# Merges, so that each can be undone exactly: what the absorbed defect and the one that took it were before.
merge = Table(
    "merge",
    metadata,
    _id(),
    _to("defect", "defect_id"),
    _to("defect", "into_id"),
    Column("at", Time, nullable=False),
    Column("actor", Text, nullable=False),
    _json("before"),
    Column("undone_at", Time),
    Index("ix_merge_defect_id", "defect_id"),
    Index("ix_merge_into_id", "into_id"),
)

# A question to an operator: is it one of these?
question = Table(
    "question",
    metadata,
    _id(),
    _to("report", "report_id"),
    # [{defect_id, why, distance_m}], nearest first
    _json("candidates", "'[]'"),
    _to("policy_version", "policy_id", nullable=True),
    Column("asked_at", Time, nullable=False),
    Column("settled_at", Time),
    Column("settled_by", Text),
    Column("answer", Text),
    Index("uq_question_open", "report_id", unique=True, postgresql_where=text("settled_at IS NULL")),
)

# What people said of two sightings, beside what the machine had made of them: how often the two agree is counted here.
label = Table(
    "label",
    metadata,
    _id(),
    # Which question it answered; None: a merge, a split, or a link by hand.
    _to("question", "question_id", nullable=True),
    _to("report", "report_id", nullable=True),
    Column("detection_id", BigInteger),
    _to("defect", "defect_id"),
    # same, different, cannot_tell; taken_back: what was answered before counts no longer. Of a pair the newest counts.
    Column("answer", Text, nullable=False),
    # same, different, unsure
    Column("machine", Text, nullable=False),
    Column("machine_why", Text, nullable=False, server_default=text("''")),
    Column("distance_m", Double),
    # Of whom the sighting is: a report's channel, a vendor's fleet.
    Column("source", Text, nullable=False),
    # Which model made the detection, where the vendor says so.
    Column("model", Text),
    _to("policy_version", "policy_id", nullable=True),
    Column("actor", Text, nullable=False),
    Column("at", Time, nullable=False),
    Index("ix_label_at", "at"),
    Index("ix_label_defect_id", "defect_id"),
)

# --- the hub ---------------------------------------------------------------------------------------------------------

# A filter of the queue that a person keeps under a name.
saved_view = Table(
    "saved_view",
    metadata,
    _id(),
    _to("person", "person_id"),
    Column("name", Text, nullable=False),
    # As it stands in the queue's address, after the question mark.
    Column("query", Text, nullable=False),
    Column("made_at", Time, nullable=False),
    UniqueConstraint("person_id", "name", name="uq_saved_view_person_id"),
)

# What an operator does to many defects at once waits until `due_at`, and can be undone until then.
bulk_act = Table(
    "bulk_act",
    metadata,
    _id(),
    # assign, grade, refer, message
    Column("kind", Text, nullable=False),
    Column("actor", Text, nullable=False),
    Column("supervises", Boolean, nullable=False, server_default=text("false")),
    # By their references.
    Column("defects", ARRAY(Text), nullable=False),
    _json("body"),
    Column("made_at", Time, nullable=False),
    Column("due_at", Time, nullable=False),
    Column("undone_at", Time),
    Column("done_at", Time),
    # [{reference, problem, detail}], one each, as it came out
    _json("results", "'[]'"),
    Index("ix_bulk_act_waiting", "due_at", postgresql_where=text("done_at IS NULL AND undone_at IS NULL")),
)

# --- being told ------------------------------------------------------------------------------------------------------

# Somebody without a report wants to hear of a defect, a street, an area, or what lies in a shape.
follow = Table(
    "follow",
    metadata,
    _id(),
    # SHA-256 of the secret of its link, by which it is confirmed, changed and ended.
    Column("secret_hash", LargeBinary, nullable=False, unique=True),
    # defect, street, area, circle, shape
    Column("kind", Text, nullable=False),
    _to("defect", "defect_id", nullable=True),
    Column("street_key", Text),
    Column("area_id", BigInteger, ForeignKey("area.id", ondelete="CASCADE")),
    Column("geom", Geometry("POLYGON", srid=GRID, spatial_index=False)),
    # In words: "PR1 8XJ and 1 km around it".
    Column("name", Text, nullable=False),
    Column("email", Text),
    Column("phone", Text),
    # instant, daily, weekly
    Column("rhythm", Text, nullable=False, server_default=text("'instant'")),
    Column("made_at", Time, nullable=False),
    # Nobody is told anything before.
    Column("confirmed_at", Time),
    Column("ended_at", Time),
    # For digests: what was recorded up to here was told.
    Column("told_at", Time),
    CheckConstraint("(email IS NULL) <> (phone IS NULL) OR ended_at IS NOT NULL", name="one_address"),
    CheckConstraint("num_nonnulls(defect_id, street_key, area_id, geom) = 1", name="one_subject"),
    Index("ix_follow_defect_id", "defect_id", postgresql_where=text("defect_id IS NOT NULL AND ended_at IS NULL")),
    Index("ix_follow_street_key", "street_key", postgresql_where=text("street_key IS NOT NULL AND ended_at IS NULL")),
    Index("ix_follow_area_id", "area_id", postgresql_where=text("area_id IS NOT NULL AND ended_at IS NULL")),
    Index(
        "ix_follow_geom",
        "geom",
        postgresql_using="gist",
        postgresql_where=text("geom IS NOT NULL AND ended_at IS NULL"),
    ),
    Index("ix_follow_email", text("lower(email)"), postgresql_where=text("email IS NOT NULL")),
    Index("ix_follow_phone", "phone", postgresql_where=text("phone IS NOT NULL")),
    Index(
        "ix_follow_rhythm",
        "rhythm",
        "told_at",
        postgresql_where=text("rhythm <> 'instant' AND ended_at IS NULL"),
    ),
)

# What leaves the building: a row first, sent outside the transaction, then marked. Its reader's address is looked up
# when it is sent, so a message holds nothing personal.
message = Table(
    "message",
    metadata,
    _id(),
    # Of the event and the reader: the same fact is told once, however often it is heard.
    Column("key", Text, nullable=False, unique=True),
    # Who reads it: the reporter, or who follows.
    _to("report", "report_id", nullable=True),
    _to("follow", "follow_id", nullable=True),
    # Made of the address and the deployment's key: one person, however many reports and follows.
    Column("reader", Text),
    # "defect 7": of several steps of it that a reader has not been sent yet, one message. None: always by itself.
    Column("about", Text),
    # email, sms
    Column("channel", Text, nullable=False),
    Column("template", Text, nullable=False),
    _json("values"),
    Column("made_at", Time, nullable=False),
    Column("due_at", Time, nullable=False),
    # The worker that took it has it for itself until then.
    Column("leased_until", Time),
    Column("tries", SmallInteger, nullable=False, server_default=text("0")),
    Column("sent_at", Time),
    # The provider's own name for it.
    Column("sent_as", Text),
    Column("error", Text),
    Column("parked_at", Time),
    # Its reader does not want it any more, or is forgotten.
    Column("dropped_at", Time),
    CheckConstraint("num_nonnulls(report_id, follow_id) = 1 OR dropped_at IS NOT NULL", name="one_reader"),
    Index(
        "ix_message_due_at",
        "due_at",
        "id",
        postgresql_where=text("sent_at IS NULL AND parked_at IS NULL AND dropped_at IS NULL"),
    ),
    Index(
        "uq_message_waiting",
        "reader",
        "about",
        unique=True,
        postgresql_where=text(
            "about IS NOT NULL AND tries = 0 AND sent_at IS NULL AND parked_at IS NULL AND dropped_at IS NULL"
        ),
    ),
    Index("ix_message_kept", "made_at", postgresql_where=text("\"values\" <> '{}'")),
    Index("ix_message_report_id", "report_id", postgresql_where=text("report_id IS NOT NULL")),
    Index("ix_message_follow_id", "follow_id", postgresql_where=text("follow_id IS NOT NULL")),
)

# --- works -----------------------------------------------------------------------------------------------------------

works_order = Table(
    "works_order",
    metadata,
    _id(),
    Column("reference", Text, nullable=False, unique=True),
    _to("contractor", "contractor_id"),
    Column("lot", Text, nullable=False),
    Column("state", Text, nullable=False),
    # repair, permanent (after a temporary one), remedial (under warranty)
    Column("kind", Text, nullable=False),
    Column("charge_to", Text, nullable=False, server_default=text("'council'")),
    Column("band", Text, nullable=False),
    Column("street_key", Text),
    Column("area_code", Text),
    Column("issued_at", Time, nullable=False),
    Column("accepted_at", Time),
    Column("scheduled_for", Time),
    Column("make_safe_due_at", Time),
    Column("permanent_due_at", Time),
    Column("completed_at", Time),
    # The completion that is being judged.
    Column("visit_id", BigInteger),
    # None: not drawn yet; False: the rules alone verify; True: a person must look.
    Column("sampled", Boolean),
    Column("verify_due_at", Time),
    Column("verified_at", Time),
    Column("verifier", Text),
    _words("missing"),
    Column("ended_at", Time),
    _to("works_order", "follows", nullable=True),
    Column("declined_by", ARRAY(BigInteger), nullable=False, server_default=text("'{}'")),
    Column("updated_at", Time, nullable=False),
    Index("ix_works_order_contractor", "contractor_id", "updated_at", "id"),
    Index("ix_works_order_updated_at", "updated_at", "id"),
    Index(
        "ix_works_order_open",
        "contractor_id",
        "updated_at",
        "reference",
        postgresql_where=text("ended_at IS NULL"),
    ),
    Index("ix_works_order_open_updated_at", "updated_at", "reference", postgresql_where=text("ended_at IS NULL")),
    Index("ix_works_order_state", "state", "updated_at", "reference"),
    Index("ix_works_order_street_key", "street_key", "updated_at", "reference"),
    *_found_by_reference("works_order"),
    Index("ix_works_order_group", "contractor_id", "street_key", "band", postgresql_where=text("state = 'issued'")),
)

works_order_defect = Table(
    "works_order_defect",
    metadata,
    _to("works_order", "works_order_id"),
    _to("defect", "defect_id"),
    # Set when the order no longer covers the defect: cancelled, replaced, done.
    Column("ended_at", Time),
    PrimaryKeyConstraint("works_order_id", "defect_id"),
    Index("ix_works_order_defect_defect_id", "defect_id"),
    Index("uq_works_order_defect_open", "defect_id", unique=True, postgresql_where=text("ended_at IS NULL")),
)

visit = Table(
    "visit",
    metadata,
    _id(),
    # Made by the phone: the same visit sent twice is one visit.
    Column("client_id", UUID, nullable=False),
    # Of what was told, without the time of sending: the same visit with other words is refused.
    Column("body_sha256", LargeBinary, nullable=False),
    _to("works_order", "works_order_id"),
    # The defects that it was about; those of the order that it left out got an order of their own.
    Column("defect_ids", ARRAY(BigInteger), nullable=False, server_default=text("'{}'")),
    _to("contractor", "contractor_id"),
    Column("person", Text, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("reason", Text),
    Column("note", Text, nullable=False, server_default=text("''")),
    Column("repair_type", Text),
    Column("started_at", Time, nullable=False),
    Column("ended_at", Time, nullable=False),
    Column("received_at", Time, nullable=False),
    # The phone's clock when it sent, to see its skew.
    Column("sent_at", Time),
    Column("lat", Double),
    Column("lon", Double),
    Column("accuracy_m", Double),
    _point(nullable=True),
    # Metres of the patch, along and across the road.
    Column("length_m", Double),
    Column("width_m", Double),
    # What the rules made of it: {verdict, why[], missing[]}
    Column("evidence", JSONB),
    Column("judged_at", Time),
    # Applied to the order's state; a late or out-of-order visit may be kept as record only.
    Column("applied", Boolean, nullable=False, server_default=text("false")),
    UniqueConstraint("contractor_id", "client_id"),
    Index("ix_visit_works_order_id", "works_order_id"),
)

# --- warranty --------------------------------------------------------------------------------------------------------

warranty = Table(
    "warranty",
    metadata,
    _id(),
    _to("defect", "defect_id"),
    _to("works_order", "works_order_id"),
    _to("visit", "visit_id"),
    _to("contractor", "contractor_id"),
    Column("state", Text, nullable=False),
    Column("class_code", Text, nullable=False),
    Column("repair_type", Text, nullable=False),
    Column("repaired_at", Time, nullable=False),
    Column("starts_on", Date, nullable=False),
    # Inclusive.
    Column("ends_on", Date, nullable=False),
    Column("footprint", Geometry("POLYGON", srid=GRID, spatial_index=False), nullable=False),
    Column("street_key", Text),
    Column("street_side", Text),
    Column("level", SmallInteger, nullable=False, server_default=text("0")),
    Column("void_reason", Text),
    # The warranty of the first repair, when this one follows a recall.
    _to("warranty", "follows", nullable=True),
    Column("made_at", Time, nullable=False),
    Column("updated_at", Time, nullable=False),
    Index("ix_warranty_footprint", "footprint", postgresql_using="gist"),
    Index("uq_warranty_repair", "defect_id", "works_order_id", unique=True),
    Index("ix_warranty_updated_at", "updated_at"),
    Index("ix_warranty_ends_on", "ends_on", postgresql_where=text("state = 'active'")),
)

recall = Table(
    "recall",
    metadata,
    _id(),
    Column("reference", Text, nullable=False, unique=True),
    _to("warranty", "warranty_id"),
    _to("defect", "defect_id"),
    # proposed, attributable, not_attributable, disputed
    Column("state", Text, nullable=False),
    Column("why", Text, nullable=False),
    Column("proposed_at", Time, nullable=False),
    Column("decided_at", Time),
    Column("decided_by", Text),
    Column("decision_why", Text),
    Column("disputed_at", Time),
    Column("ruled_at", Time),
    Column("ruled_by", Text),
    _to("works_order", "works_order_id", nullable=True),
    # The new defect, when the failure was not the contractor's.
    Column("new_defect_id", BigInteger, ForeignKey("defect.id")),
    Index("uq_recall_open", "warranty_id", unique=True, postgresql_where=text("state IN ('proposed', 'disputed')")),
    Index("ix_recall_defect_id", "defect_id"),
    Index("ix_recall_state", "state", "proposed_at"),
)

# What was seen in a live footprint, waiting with the recall until it is decided.
recall_sighting = Table(
    "recall_sighting",
    metadata,
    _id(),
    _to("recall", "recall_id"),
    _to("report", "report_id", nullable=True),
    Column("detection_id", BigInteger),
    Column("why", Text, nullable=False),
    Column("at", Time, nullable=False),
    Index(
        "uq_recall_sighting_report",
        "recall_id",
        "report_id",
        unique=True,
        postgresql_where=text("report_id IS NOT NULL"),
    ),
    Index(
        "uq_recall_sighting_detection",
        "recall_id",
        "detection_id",
        unique=True,
        postgresql_where=text("detection_id IS NOT NULL"),
    ),
    Index("ix_recall_sighting_report_id", "report_id"),
)

# --- the record ------------------------------------------------------------------------------------------------------

# Append-only and partitioned by month of `at`: a trigger refuses UPDATE, DELETE and TRUNCATE.
event = Table(
    "event",
    metadata,
    Column("id", BigInteger, nullable=False, server_default=text("nextval('event_id_seq')")),
    # When it was recorded. What it speaks of may be earlier: occurred_at.
    Column("at", Time, nullable=False),
    Column("occurred_at", Time, nullable=False),
    Column("kind", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("subject_id", BigInteger, nullable=False),
    Column("before", Text),
    Column("after", Text),
    Column("actor", Text, nullable=False),
    Column("cause", BigInteger),
    Column("correlation", Text, nullable=False, server_default=text("''")),
    _json("data"),
    PrimaryKeyConstraint("id", "at"),
    Index("ix_event_subject", "subject", "subject_id", "id"),
    Index("ix_event_kind_at", "kind", "at"),
    postgresql_partition_by="RANGE (at)",
)

delivery = Table(
    "delivery",
    metadata,
    Column("consumer", Text, nullable=False),
    Column("event_id", BigInteger, nullable=False),
    Column("event_at", Time, nullable=False),
    Column("kind", Text, nullable=False),
    Column("subject_id", BigInteger, nullable=False),
    Column("due_at", Time, nullable=False),
    Column("tries", SmallInteger, nullable=False, server_default=text("0")),
    Column("error", Text),
    Column("parked_at", Time),
    PrimaryKeyConstraint("consumer", "event_id"),
    Index("ix_delivery_due", "consumer", "event_id", postgresql_where=text("parked_at IS NULL")),
)

feed_line = Table(
    "feed_line",
    metadata,
    # 1..N in commit order, without a gap.
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("event_id", BigInteger, nullable=False, unique=True),
    Column("at", Time, nullable=False),
    Column("kind", Text, nullable=False),
    # The event as the staff see it; the public and each contractor get less (shared/domain/audience.py).
    Column("body", JSONB, nullable=False),
    # Filters: what the line is about.
    Column("area_code", Text),
    Column("class_code", Text),
    Column("state", Text),
    Column("contractor_id", BigInteger),
    # Whether anything of it is for the public.
    Column("public", Boolean, nullable=False),
    # SHA-256 over the hash before and this line.
    Column("hash", LargeBinary, nullable=False),
    # Which lines a day has.
    Index("ix_feed_line_at", "at", postgresql_using="brin"),
)

# Every clock that ran out, told once: a clock set anew to another time may be missed anew.
missed_deadline = Table(
    "missed_deadline",
    metadata,
    # defect, works_order or report
    Column("subject", Text, nullable=False),
    Column("subject_id", BigInteger, nullable=False),
    # make_safe, permanent, verify or triage
    Column("clock", Text, nullable=False),
    Column("due_at", Time, nullable=False),
    Column("noticed_at", Time, nullable=False),
    PrimaryKeyConstraint("subject", "subject_id", "clock", "due_at"),
)

kpi_snapshot = Table(
    "kpi_snapshot",
    metadata,
    _id(),
    # 2026Q4
    Column("quarter", Text, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("frozen_at", Time, nullable=False),
    Column("figures", JSONB, nullable=False),
    # What late facts changed against the revision before.
    Column("why", Text, nullable=False, server_default=text("''")),
    UniqueConstraint("quarter", "revision"),
)

# What has been taken from a file, so that a load can go on where it stopped.
load_progress = Table(
    "load_progress",
    metadata,
    Column("kind", Text, nullable=False),
    Column("file_sha256", String(64), nullable=False),
    Column("rows_done", BigInteger, nullable=False),
    Column("rows_bad", BigInteger, nullable=False),
    Column("finished_at", Time),
    PrimaryKeyConstraint("kind", "file_sha256"),
)
