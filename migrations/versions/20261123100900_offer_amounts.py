"""Offers with numbers and amounts.

What it does: offers are numbered by year within their clinic and get their sums; lines get scope, discount, VAT
and their amounts; creates the teeth of lines and the words that find offers.
Warnings: an offer in a currency the portal does not know stops the upgrade, as does a line of no quantity or a
negative price. An old total stays the total: where it is below its lines' sum the difference is a discount,
where it is above, the total is the sum; no VAT is invented.
Phases: columns; batches; constraints and indexes online.
Downgrade: columns and tables are kept.

Revision ID: 20261123100900
Revises: 20261123100800
Create Date: 2026-11-23 10:09:00+00:00
"""

from __future__ import annotations

from portal.ops import evolve
from portal.ops.evolve import legacy_text

revision = "20261123100900"
down_revision = "20261123100800"
branch_labels = None
depends_on = None

MONEY = "numeric(14, 2) NOT NULL DEFAULT 0"
COLUMNS = {
    "offers": {
        "offer_no": "varchar(20)",
        "prices_include_vat": "boolean",
        "internal_note": "text",
        "subtotal": MONEY,
        "discount_total": MONEY,
        "net_total": MONEY,
        "vat_total": MONEY,
        "sent_at": "timestamptz",
        "decided_at": "timestamptz",
        "form_key": "uuid",
        "version": "integer NOT NULL DEFAULT 1",
    },
    "treatments": {
        "catalog_id": "uuid",
        "code": "varchar(40)",
        "scope": "varchar(10) NOT NULL DEFAULT 'mouth'",
        "arch": "varchar(5)",
        "discount_kind": "varchar(10)",
        "discount_value": "numeric(14, 2)",
        "vat_rate": "numeric(5, 2) NOT NULL DEFAULT 0",
        "line_base": MONEY,
        "line_discount": MONEY,
        "line_net": MONEY,
        "line_vat": MONEY,
        "line_gross": MONEY,
    },
}
BASIS = {"offers": ("grand_total",), "treatments": ("quantity", "unit_price")}
COMPUTED = frozenset(
    {"prices_include_vat", "subtotal", "discount_total", "net_total", "vat_total", "discount_kind", "discount_value"}
    | {"vat_rate", "line_base", "line_discount", "line_net", "line_vat", "line_gross"}
)
CHECKS = {
    "scope": "scope IN ('tooth', 'multi', 'quadrant', 'arch', 'mouth')",
    "arch": "arch IN ('upper', 'lower', 'both')",
    "discount_kind": "discount_kind IN ('percent', 'amount')",
    "quantity": "quantity > 0",
    "unit_price": "unit_price >= 0",
    "vat_rate": "vat_rate >= 0 AND vat_rate <= 100",
    "discount": "(discount_kind IS NULL) = (discount_value IS NULL)",
}
TENANT = "clinic_id uuid NOT NULL CONSTRAINT fk_{table}_clinic_id REFERENCES clinics (id),"
TABLES = {
    "treatment_teeth": """
        id uuid NOT NULL,
        treatment_id uuid NOT NULL,
        tooth smallint NOT NULL CONSTRAINT ck_treatment_teeth_tooth CHECK (
            (tooth / 10 BETWEEN 1 AND 4 AND tooth % 10 BETWEEN 1 AND 8)
            OR (tooth / 10 BETWEEN 5 AND 8 AND tooth % 10 BETWEEN 1 AND 5)),
        position smallint NOT NULL DEFAULT 0,
        CONSTRAINT pk_treatment_teeth PRIMARY KEY (clinic_id, id),
        CONSTRAINT uq_treatment_teeth_clinic_id_treatment_id_tooth UNIQUE (clinic_id, treatment_id, tooth),
        CONSTRAINT fk_treatment_teeth_clinic_id_treatment_id
            FOREIGN KEY (clinic_id, treatment_id) REFERENCES treatments (clinic_id, id) ON DELETE CASCADE
    """,
    "offer_terms": """
        term text COLLATE "C" NOT NULL,
        offer_id uuid NOT NULL,
        CONSTRAINT pk_offer_terms PRIMARY KEY (clinic_id, term, offer_id),
        CONSTRAINT fk_offer_terms_clinic_id_offer_id
            FOREIGN KEY (clinic_id, offer_id) REFERENCES offers (clinic_id, id) ON DELETE CASCADE
    """,
}
INDEXES = {
    "offers": (
        "clinic_id, status_id, id", "clinic_id, primary_patient_id, id", "clinic_id, valid_until",
        "clinic_id, created_by_id",
    ),
    "treatments": ("clinic_id, offer_id, position", "clinic_id, catalog_id"),
    "patient_offers": ("clinic_id, offer_id",),
    "offer_terms": ("clinic_id, offer_id",),
}  # fmt: skip
DEFAULTS = {"offers": ("currency", "'TRY'"), "treatments": ("unit_price", "0")}
NUMBERS = evolve.keep_name(revision, "numbers")
NUMBER = f"""
    CREATE TABLE IF NOT EXISTS {NUMBERS} AS
    SELECT id, year || '-' || lpad(number, greatest(5, length(number)), '0') AS offer_no FROM (
        SELECT o.id, y.year, (coalesce(n.last_no, 0) + row_number() OVER (
                   PARTITION BY o.clinic_id, y.year ORDER BY o.created_at, o.id))::text AS number
          FROM offers o JOIN clinics c ON c.id = o.clinic_id
         CROSS JOIN LATERAL (SELECT date_part('year', o.created_at AT TIME ZONE c.timezone)::integer AS year) AS y
          LEFT JOIN counters n ON n.clinic_id = o.clinic_id AND n.kind = 'offer' AND n.year = y.year
         WHERE o.offer_no IS NULL) AS numbered
"""
COUNT = """
    INSERT INTO counters (clinic_id, kind, year, last_no)
    SELECT clinic_id, 'offer', split_part(offer_no, '-', 1)::smallint, max(split_part(offer_no, '-', 2)::integer)
      FROM offers WHERE offer_no ~ '^[0-9]{4}-[0-9]{1,9}$' GROUP BY clinic_id, split_part(offer_no, '-', 1)
    ON CONFLICT (clinic_id, kind, year) DO UPDATE SET last_no = greatest(counters.last_no, excluded.last_no)
"""
AMOUNT = "round(t.quantity * t.unit_price, 2)"
LINE = f"line_base = {AMOUNT}, line_net = {AMOUNT}, line_gross = {AMOUNT}"
TOTALS = """
    prices_include_vat = c.prices_include_vat, net_total = t.grand_total, vat_total = 0,
    subtotal = greatest(t.grand_total, l.total), discount_total = greatest(t.grand_total, l.total) - t.grand_total
"""
LINES = """clinics AS c, LATERAL (
    SELECT coalesce(sum(x.line_base), 0) AS total FROM treatments x
     WHERE x.clinic_id = c.id AND x.offer_id = batch.id) AS l"""
UNFOUND = "NOT EXISTS (SELECT FROM offer_terms x WHERE x.clinic_id = t.clinic_id AND x.offer_id = t.id)"


def upgrade() -> None:
    _refuse_odd_rows()
    for table, columns in COLUMNS.items():
        evolve.add_columns(table, *(f"{name} {kind}" for name, kind in columns.items()))
        evolve.restore_columns(revision, table, _restored(table))
    for table, definition in TABLES.items():
        evolve.run(f"CREATE TABLE IF NOT EXISTS {table} ({TENANT.format(table=table)} {definition})")
        evolve.restore_table(revision, table)
    with evolve.online():
        _index()  # first: the sums and the search for offers without words go by it
        _compute()
        _find()
        _constrain()


def _restored(table: str) -> dict[str, str]:
    """Return how kept values come back: amounts only where what they were computed from is still the same."""
    same = " AND ".join(f"k.{name} = t.{name}" for name in BASIS[table])
    return {
        name: f"CASE WHEN {same} THEN k.{name} ELSE t.{name} END" if name in COMPUTED else f"k.{name}"
        for name in COLUMNS[table]
    }


def _refuse_odd_rows() -> None:
    evolve.refuse_rows(
        "SELECT id, clinic_id, currency FROM offers WHERE currency NOT IN ('TRY', 'EUR', 'USD', 'GBP') ORDER BY id",
        "These offers are in a currency the portal does not know:",
    )
    evolve.refuse_rows(
        "SELECT id, clinic_id, quantity, unit_price FROM treatments WHERE quantity <= 0 OR unit_price < 0 ORDER BY id",
        "These lines have no quantity or a negative price:",
    )


def _compute() -> None:
    evolve.backfill("treatments", LINE, where="line_base = 0 AND quantity * unit_price >= 0.005")
    source = evolve.Source(LINES, "c.id = t.clinic_id")
    evolve.backfill("offers", TOTALS, where="prices_include_vat IS NULL", source=source)
    _number()


def _number() -> None:
    """Number in rounds: an interrupted round's numbers are kept, rows that came since get theirs in the next."""
    source = evolve.Source(f"{NUMBERS} AS n", "n.id = t.id")
    while True:
        evolve.run(NUMBER)
        evolve.run(f"CREATE INDEX IF NOT EXISTS ix_{NUMBERS} ON {NUMBERS} (id)")
        evolve.run(f"ANALYZE {NUMBERS}")
        evolve.backfill("offers", "offer_no = n.offer_no", where="offer_no IS NULL", source=source)
        evolve.run(COUNT)
        evolve.run(f"DROP TABLE {NUMBERS}")
        if not evolve.query("SELECT EXISTS (SELECT FROM offers WHERE offer_no IS NULL)").scalar_one():
            return


def _find() -> None:
    for batch in evolve.batches("offers", "t.clinic_id, t.id, t.offer_no, t.title", where=UNFOUND):
        evolve.insert_rows(
            "offer_terms",
            [
                {"clinic_id": row["clinic_id"], "term": term, "offer_id": row["id"]}
                for row in batch
                for term in sorted(legacy_text.offer_terms(row["offer_no"], row["title"]))
            ],
        )


def _constrain() -> None:
    for table, (column, _default) in DEFAULTS.items():
        evolve.run(f"ALTER TABLE {table} ALTER COLUMN {column} DROP DEFAULT")
    for column in ("offer_no", "prices_include_vat"):
        evolve.add_not_null("offers", column)
    evolve.add_unique("offers", ["clinic_id", "offer_no"])
    evolve.add_unique("offers", ["clinic_id", "form_key"])
    evolve.add_check("offers", "ck_offers_currency", "currency IN ('TRY', 'EUR', 'USD', 'GBP')")
    for name, condition in CHECKS.items():
        evolve.add_check("treatments", f"ck_treatments_{name}", condition)
    evolve.add_foreign_key("treatments", ["clinic_id", "catalog_id"], "treatment_catalog", ["clinic_id", "id"])


def _index() -> None:
    for table, indexes in INDEXES.items():
        for columns in indexes:
            evolve.create_index(f"ix_{table}_{columns.replace(', ', '_')}", table, columns)


def downgrade() -> None:
    for table in reversed(TABLES):
        evolve.keep_table(revision, table)
    evolve.drop_constraint("offers", "ck_offers_currency")
    for name in CHECKS:
        evolve.drop_constraint("treatments", f"ck_treatments_{name}")
    for table, (column, default) in DEFAULTS.items():
        evolve.run(f"ALTER TABLE {table} ALTER COLUMN {column} SET DEFAULT {default}")
    for table in ("offers", "treatments", "patient_offers"):
        for columns in INDEXES[table]:
            evolve.run(f"DROP INDEX ix_{table}_{columns.replace(', ', '_')}")
    for table, columns in COLUMNS.items():
        evolve.keep_rows(revision, table, f"SELECT clinic_id, id, {', '.join((*BASIS[table], *columns))} FROM {table}")
        evolve.run(f"ALTER TABLE {table} " + ", ".join(f"DROP COLUMN {column}" for column in columns))
