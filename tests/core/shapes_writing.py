"""Shapes that must not run, objects not to be saved, bulk writes that are limited, and what goes past the ORM."""

# ruff: noqa: ARG005 - every shape takes the same arguments, whether it needs them or not

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy import orm
from sqlalchemy.dialects.postgresql import insert as upsert

from portal.auth.models import User
from portal.core.database import PortalSession, bulk_insert
from portal.offers.models import Offer, PatientOffer, Treatment
from portal.patients.models import Patient, PatientTerm
from tests.core.shapes_reading import OWN, THEIRS, Ids, O, P, Shape, T, names, select

# What the ORM cannot limit, so that it must not run at all.
REFUSED: dict[str, Shape] = {
    "text": lambda s, t: s.execute(sa.text("SELECT last_name FROM patients")).all(),
    "textual columns": lambda s, t: s.scalars(sa.text("SELECT last_name FROM patients").columns(P.last_name)).all(),
    "from_statement of text": lambda s, t: s.scalars(select(P).from_statement(sa.text("SELECT * FROM patients"))).all(),
    "text in where": lambda s, t: s.scalars(select(P).where(sa.text("true OR true"))).all(),
    "text in order by": lambda s, t: s.scalars(select(P).order_by(sa.text("(SELECT 1)"))).all(),
    "text in columns": lambda s, t: s.scalars(select(sa.text("last_name")).select_from(P)).all(),
    "text in having": lambda s, t: s.scalars(select(P.last_name).group_by(P.last_name).having(sa.text("true"))).all(),
    "text in a join": lambda s, t: s.scalars(select(P.last_name).select_from(O).join(P, sa.text("true"))).all(),
    "text in a subquery": lambda s, t: s.scalars(select(P).where(P.id.in_(select(O.id).where(sa.text("true"))))).all(),
    "literal column of a query": lambda s, t: s.scalars(
        select(sa.literal_column("(SELECT string_agg(last_name, ' ') FROM patients)"))
    ).all(),
    "literal column in where": lambda s, t: s.scalars(
        select(P).where(P.is_active == sa.literal_column("true OR true"))
    ).all(),
    "literal column as a limit": lambda s, t: s.scalars(
        select(P.last_name).limit(sa.literal_column("1) UNION (SELECT last_name FROM patients"))
    ).all(),
    "core table": lambda s, t: s.execute(select(T)).all(),
    "core table's own select": lambda s, t: s.execute(T.select()).all(),
    "core column": lambda s, t: s.scalars(select(T.c.last_name)).all(),
    "core column beside an entity": lambda s, t: s.execute(select(O.title, T.c.last_name)).all(),
    "core column in where": lambda s, t: s.execute(select(O.title).where(T.c.last_name != "")).all(),
    "core column beside an alias": lambda s, t: s.scalars(select(orm.aliased(P)).where(T.c.last_name != "")).all(),
    "core column in an uncorrelated exists": lambda s, t: s.scalars(
        select(P.last_name).where(select(T.c.id).where(T.c.id == t.patient).correlate(None).exists())
    ).all(),
    "core column in an aggregate": lambda s, t: s.scalar(select(sa.func.array_agg(T.c.last_name))),
    "core alias": lambda s, t: s.scalars(select(T.alias().c.last_name)).all(),
    "core alias of an alias": lambda s, t: s.scalars(select(T.alias().alias().c.last_name)).all(),
    "core table sample": lambda s, t: s.scalars(select(T.tablesample(100).c.last_name)).all(),
    "core lateral": lambda s, t: s.scalars(select(select(T.c.last_name).lateral().c.last_name)).all(),
    "core subquery": lambda s, t: s.scalars(select(select(T.c.last_name).subquery().c.last_name)).all(),
    "entity over a core subquery": lambda s, t: s.scalars(select(orm.aliased(P, select(T).subquery()))).all(),
    "core cte": lambda s, t: s.scalars(select(select(T.c.last_name).cte().c.last_name)).all(),
    "core union": lambda s, t: s.scalars(sa.union(select(P.last_name), select(T.c.last_name))).all(),
    "core join": lambda s, t: s.execute(select(O.title).join(T, sa.true())).all(),
    "core join of an alias": lambda s, t: s.execute(select(O.title).join(T.alias(), sa.true())).all(),
    "core from": lambda s, t: s.scalar(select(sa.func.count()).select_from(T)),
    "core from of a join": lambda s, t: s.scalar(select(sa.func.count()).select_from(O.__table__.join(T, sa.true()))),
    "core exists": lambda s, t: s.scalar(select(sa.exists(select(T.c.id).where(T.c.id == t.patient)))),
    "core scalar subquery": lambda s, t: s.scalar(select(select(sa.func.count(T.c.id)).scalar_subquery())),
    "core column beside its entity in a cte": lambda s, t: s.scalars(
        select(P.last_name).where(P.id.in_(select(select(T.c.id).cte().c.id)))
    ).all(),
    "table named in words": lambda s, t: s.scalars(
        select(sa.table("patients", sa.column("last_name")).c.last_name)
    ).all(),
    "table named in words, as source": lambda s, t: s.scalars(
        select(sa.column("last_name")).select_from(sa.table("patients"))
    ).all(),
    "prefix": lambda s, t: s.scalars(select(P.last_name).prefix_with("(SELECT 1),")).all(),
    "suffix": lambda s, t: s.scalars(select(P.last_name).suffix_with("UNION SELECT last_name FROM patients")).all(),
    "statement hint": lambda s, t: s.scalars(
        select(P.last_name).with_statement_hint("UNION SELECT last_name FROM patients")
    ).all(),
    "table hint": lambda s, t: s.scalars(select(P.last_name).with_hint(P, "CROSS JOIN patients AS p2")).all(),
    "ddl": lambda s, t: s.execute(sa.DDL("UPDATE patients SET city = 'x'")),
    "query with text": lambda s, t: s.query(P).filter(sa.text("true OR true")).all(),
    "query of a core table": lambda s, t: s.query(T).all(),
    "core update": lambda s, t: s.execute(sa.update(T).values(city="x")),
    "core delete": lambda s, t: s.execute(sa.delete(PatientTerm.__table__)),
    "core insert": lambda s, t: s.execute(sa.insert(T).values(clinic_id=t.clinic)),
    "insert of an entity": lambda s, t: s.execute(
        sa.insert(P).values(clinic_id=t.clinic, first_name="x", last_name="y")
    ),
    "insert of many": lambda s, t: s.execute(
        sa.insert(P), [{"clinic_id": t.clinic, "first_name": "x", "last_name": "y"}]
    ),
    "insert returning": lambda s, t: s.execute(sa.insert(P).returning(P.last_name), [{"clinic_id": t.clinic}]),
    "insert from a select": lambda s, t: s.execute(
        sa.insert(PatientTerm).from_select(["clinic_id", "term", "patient_id"], select(P.clinic_id, P.last_name, P.id))
    ),
    "upsert": lambda s, t: s.execute(
        upsert(P)
        .values(clinic_id=t.clinic, id=t.patient)
        .on_conflict_do_update(index_elements=["clinic_id", "id"], set_={"city": "x"})
    ),
    "insert in a cte": lambda s, t: s.execute(
        select(
            sa.insert(PatientTerm)
            .values(clinic_id=t.clinic, term="x", patient_id=t.patient)
            .returning(PatientTerm.term)
            .cte()
        )
    ),
    "delete in a cte": lambda s, t: s.execute(select(sa.delete(PatientTerm).returning(PatientTerm.term).cte())).all(),
    "update in a cte": lambda s, t: s.execute(select(sa.update(P).values(city="x").returning(P.last_name).cte())).all(),
    "update in from_statement": lambda s, t: s.scalars(
        select(P).from_statement(sa.update(P).values(city="x").returning(P))
    ).all(),
    "insert in from_statement": lambda s, t: s.scalars(
        select(PatientTerm).from_statement(
            sa.insert(PatientTerm).values(clinic_id=t.clinic, term="x", patient_id=t.patient).returning(PatientTerm)
        )
    ).all(),
    "delete in from_statement": lambda s, t: s.scalars(
        select(PatientOffer).from_statement(sa.delete(PatientOffer).returning(PatientOffer))
    ).all(),
    "update that moves": lambda s, t: s.execute(sa.update(P).values(clinic_id=t.clinic)),
    "update that moves, by column": lambda s, t: s.execute(sa.update(P).values({P.clinic_id: t.clinic})),
    "update that moves, ordered": lambda s, t: s.execute(sa.update(P).ordered_values((P.clinic_id, t.clinic))),
    "update that moves, by parameter": lambda s, t: s.execute(
        sa.update(P).where(P.id != t.patient), {"clinic_id": t.clinic}
    ),
    "update by key of the other clinic": lambda s, t: s.execute(
        sa.update(P), [{"clinic_id": t.clinic, "id": t.patient, "city": "x", "version": 1}]
    ),
    "query update that moves": lambda s, t: s.query(P).update({"clinic_id": t.clinic}),
    "update reading a core table": lambda s, t: s.execute(
        sa.update(P).values(city=select(T.alias().c.last_name).limit(1).scalar_subquery())
    ),
    "delete reading a core table": lambda s, t: s.execute(
        sa.delete(PatientTerm).where(PatientTerm.patient_id.in_(select(T.c.id)))
    ),
    "update returning a core column": lambda s, t: s.execute(
        sa.update(O).values(title="x").where(O.id != T.c.id).returning(T.c.last_name)
    ),
    "legacy bulk save": lambda s, t: s.bulk_save_objects([P(clinic_id=t.clinic)]),
    "legacy bulk insert": lambda s, t: s.bulk_insert_mappings(P, [{"clinic_id": t.clinic}]),
    "legacy bulk update": lambda s, t: s.bulk_update_mappings(P, [{"clinic_id": t.clinic, "id": t.patient}]),
    "bulk_insert of the other clinic's row": lambda s, t: bulk_insert(
        PatientTerm, [{"clinic_id": t.clinic, "term": "x", "patient_id": t.patient}]
    ),
}


def added(row: Any) -> Shape:
    def write(s: PortalSession, theirs: Ids) -> None:
        s.add(row(theirs))
        s.flush()

    return write


def own_patient(s: PortalSession) -> Patient:
    return s.scalars(select(P).order_by(P.id)).first()  # type: ignore[return-value]


def own_offer(s: PortalSession) -> Offer:
    return s.scalars(select(O).options(orm.selectinload(O.lines)).order_by(O.id)).first()  # type: ignore[return-value]


def moved(s: PortalSession, theirs: Ids) -> None:
    own_patient(s).clinic_id = theirs.clinic
    s.flush()


def moved_and_back(s: PortalSession, theirs: Ids) -> None:
    patient = own_patient(s)
    own = patient.clinic_id
    patient.clinic_id = theirs.clinic
    s.add(PatientTerm(clinic_id=theirs.clinic, patient_id=theirs.patient, term="x"))
    patient.clinic_id = own
    s.flush()


def merged(s: PortalSession, theirs: Ids) -> None:
    s.merge(P(clinic_id=theirs.clinic, id=theirs.patient, first_name="x", last_name="y"))
    s.flush()


def attached(s: PortalSession, theirs: Ids) -> None:
    stranger = P(clinic_id=theirs.clinic, id=theirs.patient, city="x")
    orm.make_transient_to_detached(stranger)
    s.add(stranger)
    stranger.city = "y"
    s.flush()


def attached_and_deleted(s: PortalSession, theirs: Ids) -> None:
    stranger = P(clinic_id=theirs.clinic, id=theirs.patient)
    orm.make_transient_to_detached(stranger)
    s.delete(stranger)
    s.flush()


def cascaded(s: PortalSession, theirs: Ids) -> None:
    offer = own_offer(s)
    offer.lines.append(Treatment(clinic_id=theirs.clinic, name="x", unit_price=1))
    s.flush()


def cascaded_stranger(s: PortalSession, theirs: Ids) -> None:
    stranger = Treatment(clinic_id=theirs.clinic, id=theirs.treatment)
    orm.make_transient_to_detached(stranger)
    offer = own_offer(s)
    offer.lines.append(stranger)
    s.flush()


def adopted(s: PortalSession, theirs: Ids) -> None:
    stranger = P(clinic_id=theirs.clinic, id=theirs.patient)
    orm.make_transient_to_detached(stranger)
    offer = own_offer(s)
    offer.primary_patient = stranger
    s.flush()


OBJECTS: dict[str, Shape] = {
    "adding a row of the other clinic": added(
        lambda t: P(clinic_id=t.clinic, patient_no="1", first_name="x", last_name="y", name_key="y")
    ),
    "adding a person of the other clinic": added(
        lambda t: User(clinic_id=t.clinic, email="x@y.z", name="x", role="owner")
    ),
    "moving a row": moved,
    "moving a row and back beside a foreign one": moved_and_back,
    "merging the other clinic's row": merged,
    "attaching the other clinic's row": attached,
    "deleting the other clinic's row": attached_and_deleted,
    "a new row of the other clinic by cascade": cascaded,
    "an old row of the other clinic by cascade": cascaded_stranger,
    "the other clinic's row in a relationship": adopted,
}

# Bulk writes the ORM can limit: they reach all of the pinned clinic's rows and none else.
WRITES: dict[str, Shape] = {
    "update": lambda s, t: s.execute(sa.update(P).values(city="x")).rowcount,
    "update of an id": lambda s, t: (
        s.execute(
            sa.update(P).where(P.id.in_(select(P.id).union(select(sa.literal(t.patient))))).values(city="x")
        ).rowcount
    ),
    "update with or true": lambda s, t: (
        s.execute(sa.update(P).where(sa.or_(P.clinic_id == t.clinic, sa.true())).values(city="x")).rowcount
    ),
    "update from another entity": lambda s, t: (
        s.execute(sa.update(P).where(P.id == O.primary_patient_id).values(city=O.title)).rowcount
    ),
    "update from everything": lambda s, t: s.execute(sa.update(P).where(P.id != O.id).values(city="x")).rowcount,
    "update returning": lambda s, t: len(s.execute(sa.update(P).values(city="x").returning(P.last_name)).all()),
    "update fetching": lambda s, t: (
        s.execute(sa.update(P).values(city="x"), execution_options={"synchronize_session": "fetch"}).rowcount
    ),
    "update by parameter": lambda s, t: s.execute(sa.update(P).where(P.id != t.patient), {"city": "x"}).rowcount,
    "query update": lambda s, t: s.query(P).update({"city": "x"}),
    "delete": lambda s, t: s.execute(sa.delete(PatientOffer)).rowcount,
    "delete using another entity": lambda s, t: (
        s.execute(sa.delete(PatientOffer).where(PatientOffer.offer_id == O.id)).rowcount
    ),
    "delete of an id": lambda s, t: (
        3 + s.execute(sa.delete(PatientOffer).where(PatientOffer.offer_id == t.offer)).rowcount
    ),
    "delete returning": lambda s, t: len(s.execute(sa.delete(PatientOffer).returning(PatientOffer.id)).all()),
    "query delete": lambda s, t: s.query(PatientOffer).delete(),
}

# Past the ORM altogether: row-level security alone must hold.
RAW: dict[str, Shape] = {
    "raw select": lambda s, t: names(s.connection().execute(sa.text("SELECT last_name FROM patients"))),
    "raw core select": lambda s, t: names(s.connection().execute(select(T.c.last_name))),
    "raw select of the other clinic": lambda s, t: (
        OWN
        | names(s.connection().execute(sa.text("SELECT last_name FROM patients WHERE clinic_id = :c"), {"c": t.clinic}))
    ),
    "checked by hand": lambda s, t: names(
        s.execute(sa.text("SELECT last_name FROM patients"), execution_options={"scope_checked": True})
    ),
    "a query in a function's argument": lambda s, t: {
        name
        for name in OWN | THEIRS
        if name
        in s.scalars(
            select(
                sa.func.ts_stat("SELECT array_to_tsvector(ARRAY[last_name]) FROM patients").table_valued("word").c.word
            )
        ).all()
    },
    "the driver's own cursor": lambda s, t: {
        row[0] for row in s.connection().connection.cursor().execute("SELECT last_name FROM patients").fetchall()
    },
    "raw update": lambda s, t: s.connection().execute(sa.text("UPDATE patients SET city = 'x'")).rowcount,
    "raw update of the other clinic": lambda s, t: (
        3 + s.connection().execute(sa.text("UPDATE patients SET city = 'x' WHERE id = :p"), {"p": t.patient}).rowcount
    ),
    "raw delete": lambda s, t: s.connection().execute(sa.text("DELETE FROM patient_offers")).rowcount,
}

RAW_DENIED: dict[str, Shape] = {
    "raw insert": lambda s, t: s.connection().execute(
        sa.text("INSERT INTO settings (clinic_id, id, key, value) VALUES (:c, gen_random_uuid(), 'k', 'v')"),
        {"c": t.clinic},
    ),
    "raw move": lambda s, t: s.connection().execute(
        sa.text("UPDATE patient_terms SET clinic_id = :c"), {"c": t.clinic}
    ),
    "raw log rewrite": lambda s, t: s.connection().execute(sa.text("UPDATE activity_logs SET actor_name = ''")),
    "raw log delete": lambda s, t: s.connection().execute(sa.text("DELETE FROM activity_logs")),
    "raw clinic rename of its address": lambda s, t: s.connection().execute(
        sa.text("UPDATE clinics SET subdomain = 'x'")
    ),
    "raw platform people": lambda s, t: s.connection().execute(sa.text("SELECT * FROM platform_users")),
    "raw disabling": lambda s, t: s.connection().execute(sa.text("ALTER TABLE patients DISABLE ROW LEVEL SECURITY")),
    "raw role change": lambda s, t: s.connection().execute(sa.text("SET ROLE clinikoop_owner")),
    "raw truncate": lambda s, t: s.connection().execute(sa.text("TRUNCATE patient_terms")),
}
