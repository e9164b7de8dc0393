"""A clinic with many patients, offers and assigned offers, and what there is to do in it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping

import psycopg

from benchmarks.scene import Scene, one
from benchmarks.traffic import Work
from config import ROOT
from portal.core.roles import OWNER_ROLE

CLINIC = "buyuk"
COUNTS = "SELECT (SELECT count(*) FROM patients), (SELECT count(*) FROM patient_offers)"
# Offers as the demo makes them, ten times over, each assigned to fifteen patients of the clinic's first half.
GROW = """
INSERT INTO offers SELECT made.* FROM offers o, generate_series(1, {copies}) AS k,
  LATERAL jsonb_populate_record(o, jsonb_build_object(
    'id', gen_random_uuid(), 'offer_no', o.offer_no || '-' || k, 'form_key', NULL)) AS made;
WITH p AS (SELECT clinic_id, id, row_number() OVER (PARTITION BY clinic_id ORDER BY id) - 1 AS n FROM patients),
     half AS (SELECT clinic_id, count(*) / 2 AS size FROM patients GROUP BY clinic_id),
     o AS (SELECT clinic_id, id, row_number() OVER (PARTITION BY clinic_id ORDER BY id) AS n FROM offers),
     pair AS (SELECT o.clinic_id, o.id AS offer_id, (o.n * 7 + k) % half.size AS n
                FROM o JOIN half USING (clinic_id) CROSS JOIN generate_series(0, {each} - 1) AS k)
INSERT INTO patient_offers (clinic_id, id, patient_id, offer_id, assigned, visible)
SELECT pair.clinic_id, gen_random_uuid(), p.id, pair.offer_id, true, true FROM pair JOIN p USING (clinic_id, n)
ON CONFLICT DO NOTHING;
"""
CLINIC_ID = "SELECT id FROM clinics WHERE subdomain = %s"
OFFERS = "SELECT id::text FROM offers WHERE clinic_id = %s ORDER BY id LIMIT 2000"
MOVABLE = """
SELECT o.id::text FROM offers o JOIN offer_statuses s ON s.id = o.status_id AND s.clinic_id = o.clinic_id
 WHERE o.clinic_id = %s AND s.kind = 'sent' AND o.valid_until > current_date + 2
   AND EXISTS (SELECT FROM treatments t WHERE t.clinic_id = o.clinic_id AND t.offer_id = o.id) LIMIT 40
"""
STATUSES = """
SELECT id::text FROM offer_statuses
 WHERE clinic_id = %s AND kind IN ('negotiating', 'sent') AND is_default ORDER BY kind
"""
NUMBERS = "SELECT patient_no FROM patients WHERE clinic_id = %s AND archived_at IS NULL ORDER BY id"


def prepare(stage: Scene, environ: Mapping[str, str], patients: int, copies: int, each: int) -> int:
    """Make the database "ours" with a large clinic; return how many assigned offers there are."""
    env = {**environ, **stage.environment(stage.make("ours"))}
    flask(env, "upgrade")
    flask(env, "seed", "--demo", "--patients", str(patients), "--clinic", CLINIC)
    with stage.connect("ours", OWNER_ROLE) as connection:
        connection.execute(GROW.format(copies=copies, each=each).encode())
        connection.execute("VACUUM ANALYZE")
        return int(one(connection, COUNTS)[1])


def flask(environ: Mapping[str, str], *words: str) -> None:
    """Run `flask db ...`; leaves with its output where it fails."""
    done = subprocess.run(
        [sys.executable, "-m", "flask", "db", *words],
        cwd=ROOT,
        env=environ,
        text=True,
        capture_output=True,
        check=False,
    )
    if done.returncode != 0:
        sys.exit(f"flask db {words[0]} ended with {done.returncode}:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")


def work_of(connection: psycopg.Connection) -> Work:
    """Return what there is to do in the large clinic."""
    (clinic,) = one(connection, CLINIC_ID, CLINIC)
    lists = [
        [value for (value,) in connection.execute(query.encode(), [clinic]).fetchall()]
        for query in (OFFERS, MOVABLE, STATUSES, NUMBERS)
    ]
    assert all(lists), "The clinic lacks something to work with."
    return Work(*lists)
