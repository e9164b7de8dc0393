"""Numbers that are given out: sequences, and the counters of patients and offers."""

from __future__ import annotations

from portal.ops.schema.checks.base import SCHEMAS, Check, Look, counted

_OWNED = """
SELECT s.oid::regclass::text, d.refobjid::regclass::text, quote_ident(a.attname)
  FROM pg_class s
  JOIN pg_depend d ON d.objid = s.oid AND d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_class'::regclass
   AND d.deptype IN ('a', 'i')
  JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
  JOIN pg_namespace n ON n.oid = s.relnamespace
 WHERE s.relkind = 'S' AND n.nspname = ANY (:schemas) ORDER BY 1
"""
# What revisions 20261123100600 and 20261123100900 count by; column -> the numbers given out with it.
_GIVEN = {
    ("patients", "patient_no"): """
        SELECT clinic_id, 'patient' AS kind, 0::smallint AS year, max(patient_no::integer) AS last_no FROM patients
         WHERE patient_no ~ '^[0-9]{1,9}$' GROUP BY clinic_id
    """,
    ("offers", "offer_no"): """
        SELECT clinic_id, 'offer' AS kind, split_part(offer_no, '-', 1)::smallint AS year,
               max(split_part(offer_no, '-', 2)::integer) AS last_no
          FROM offers WHERE offer_no ~ '^[0-9]{4}-[0-9]{1,9}$' GROUP BY clinic_id, split_part(offer_no, '-', 1)
    """,
}
_BEHIND = """
SELECT count(*) FROM ({given}) AS g LEFT JOIN counters AS c USING (clinic_id, kind, year)
 WHERE coalesce(c.last_no, 0) < g.last_no
"""
_COUNT_UP = (
    "INSERT INTO counters (clinic_id, kind, year, last_no) {given}"
    " ON CONFLICT (clinic_id, kind, year) DO UPDATE SET last_no = greatest(counters.last_no, excluded.last_no)"
)


def check_sequences(look: Look, check: Check) -> None:
    """Look for sequences that would give out a number that is taken."""
    owned = look.ask(_OWNED, schemas=list(SCHEMAS))
    for sequence, table, column in owned:
        if table in look.blind:
            continue
        highest, last, called = look.ask(
            f"SELECT (SELECT max({column}) FROM {table}), last_value, is_called FROM {sequence}"
        )[0]
        given = last if called else last - 1
        if highest is not None and given < highest:
            # greatest(): others may have taken numbers since.
            fix = (
                f"SELECT setval('{sequence}', greatest((SELECT max({column}) FROM {table}),"
                f" (SELECT last_value FROM {sequence})))"
            )
            check.find(f"{sequence} stands at {given}, but {table}.{column} goes up to {highest}.", None, fix)
    check.looked_at = len(owned)


def check_counters(look: Look, check: Check) -> None:
    """Look for clinics whose next patient or offer would get a number that is taken."""
    if "counters" not in look.columns:
        check.notes.append("There are no counters yet.")
        return
    for (table, column), given in _GIVEN.items():
        if column not in look.columns.get(table, {}) or {table, "counters"} & look.blind:
            continue
        check.looked_at += int(look.ask_one(f"SELECT count(*) FROM ({given}) AS g"))
        behind = int(look.ask_one(_BEHIND.format(given=given)))
        if behind:
            check.find(
                f"{counted(behind, 'counter')} of {table} behind the highest number given out.",
                behind,
                _COUNT_UP.format(given=" ".join(given.split())),
            )
