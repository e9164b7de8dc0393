"""The second wall: every shape of statement returns the pinned clinic's rows or is refused.

Read shapes run twice: as the application's role, and as the tables' owner, whom no policy limits, so that
row-level security cannot hide a hole in the guard. Each shape is to return the last names of all patients.
"""

# ruff: noqa: ARG005 - every shape takes the same arguments, whether it needs them or not

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy import orm
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.dialects.postgresql import insert as upsert
from uuid_utils.compat import uuid7

from portal.auth.models import User
from portal.core.clinics import Clinic, ClinicInfo
from portal.core.database import OWNER_BIND, PortalSession, bulk_insert, current_session, db
from portal.core.scope import ClinicScope, PlatformScope, ScopeError
from portal.core.work import clinic_work, platform_work
from portal.offers.models import Offer, OfferTerm, PatientOffer, Treatment
from portal.patients.models import Patient, PatientTerm
from portal.referrals.models import ReferralSource
from tests.support.data import NAMES

OWN = {last for _first, last in NAMES["papatya"]}
THEIRS = {last for _first, last in NAMES["lale"]}
P, O = Patient, Offer  # noqa: E741 - as short as in the shapes below
T: Any = Patient.__table__
select = sa.select


@dataclass(frozen=True)
class Ids:
    """Ids of one clinic's rows."""

    clinic: UUID
    patient: UUID
    offer: UUID
    source: UUID
    user: UUID
    treatment: UUID


Shape = Callable[[PortalSession, Ids], Any]


def names(result: Any) -> set[str]:
    return {row if isinstance(row, str) else row.last_name for row in result}


def alias_of_subquery(s: PortalSession, _theirs: Ids) -> set[str]:
    return names(s.scalars(select(orm.aliased(P, select(P).subquery()))))


def recursive_cte(s: PortalSession, _theirs: Ids) -> set[str]:
    first = select(P.id, P.last_name, sa.literal(1).label("n")).cte("walk", recursive=True)
    again = select(P.id, P.last_name, first.c.n + 1).where(first.c.n < 3, P.id != first.c.id)
    walk = first.union_all(again)
    return names(s.scalars(select(walk.c.last_name)))


def lateral(s: PortalSession, _theirs: Ids) -> set[str]:
    patients = select(P.last_name).where(P.id == O.primary_patient_id).lateral()
    return names(s.scalars(select(patients.c.last_name).select_from(O).join(patients, sa.true())))


def lateral_of_everybody(s: PortalSession, _theirs: Ids) -> set[str]:
    patients = select(P.last_name).where(P.id != O.id).lateral()
    return names(s.scalars(select(patients.c.last_name).select_from(O).join(patients, sa.true())))


def lazy_load(s: PortalSession, _theirs: Ids) -> set[str]:
    offers = s.scalars(select(O).options(orm.lazyload(O.primary_patient))).all()
    return names(offer.primary_patient for offer in offers)


def deferred_column(s: PortalSession, _theirs: Ids) -> set[str]:
    return names(s.scalars(select(P).options(orm.load_only(P.id))))


def expired(s: PortalSession, _theirs: Ids) -> set[str]:
    patients = s.scalars(select(P)).all()
    s.expire_all()
    return names(patients)


def refreshed(s: PortalSession, _theirs: Ids) -> set[str]:
    patients = s.scalars(select(P)).all()
    for patient in patients:
        s.refresh(patient)
    return names(patients)


def got_one_by_one(s: PortalSession, theirs: Ids) -> set[str]:
    keys = s.execute(select(P.clinic_id, P.id)).all()
    s.expunge_all()
    found = [s.get(P, (clinic_id, key)) for clinic_id, key in keys]
    assert s.get(P, (theirs.clinic, theirs.patient)) is None
    assert s.get(P, (keys[0].clinic_id, theirs.patient)) is None
    return names(found)


def with_parent(s: PortalSession, _theirs: Ids) -> set[str]:
    found = set()
    for offer in s.scalars(select(O)).all():
        found |= names(s.scalars(select(P).where(orm.with_parent(offer, O.primary_patient))))
    return found


def in_batches(s: PortalSession, _theirs: Ids) -> set[str]:
    return {
        row.last_name
        for part in s.execute(select(P).execution_options(yield_per=1)).scalars().partitions()
        for row in part
    }


def titled(rows: Any) -> set[str]:
    """Offers of the template are named after their patient."""
    return {title.removesuffix(" için teklif") for title in rows}


READS: dict[str, Shape] = {
    "entity": lambda s, t: names(s.scalars(select(P))),
    "entity through execute": lambda s, t: names(s.execute(select(P)).scalars()),
    "column": lambda s, t: names(s.scalars(select(P.last_name))),
    "labelled column": lambda s, t: names(s.scalars(select(P.last_name.label("x")))),
    "bundle": lambda s, t: names(row.b.last_name for row in s.execute(select(orm.Bundle("b", P.last_name)))),
    "expression": lambda s, t: {text.removeprefix("> ") for text in s.scalars(select(sa.literal("> ") + P.last_name))},
    "aliased entity": lambda s, t: names(s.scalars(select(orm.aliased(P)))),
    "aliased column": lambda s, t: names(s.scalars(select(orm.aliased(P).last_name))),
    "alias of a table sample": lambda s, t: names(s.scalars(select(orm.aliased(P, T.tablesample(100))))),
    "alias of a table alias": lambda s, t: names(s.scalars(select(orm.aliased(P, T.alias())))),
    "alias of a core subquery": lambda s, t: names(s.scalars(select(orm.aliased(P, select(P).limit(9).subquery())))),
    "alias of a subquery": alias_of_subquery,
    "subquery": lambda s, t: names(s.scalars(select(select(P.last_name).subquery().c.last_name))),
    "subquery of a subquery": lambda s, t: names(
        s.scalars(select(select(select(P.last_name).subquery()).subquery().c.last_name))
    ),
    "subquery of an alias": lambda s, t: names(
        s.scalars(select(select(orm.aliased(P).last_name).subquery().c.last_name))
    ),
    "cte": lambda s, t: names(s.scalars(select(select(P.last_name).cte().c.last_name))),
    "nested cte": lambda s, t: names(s.scalars(select(select(P.last_name).cte(nesting=True).c.last_name))),
    "recursive cte": recursive_cte,
    "union": lambda s, t: names(s.scalars(sa.union(select(P.last_name), select(orm.aliased(P).last_name)))),
    "union all with a subquery": lambda s, t: names(
        s.scalars(sa.union_all(select(P.last_name), select(select(P.last_name).subquery().c.last_name)))
    ),
    "intersect": lambda s, t: names(s.scalars(sa.intersect(select(P.last_name), select(P.last_name)))),
    "except": lambda s, t: names(
        s.scalars(sa.except_(select(P.last_name), select(P.last_name).where(P.id == t.patient)))
    ),
    "union in a subquery": lambda s, t: names(
        s.scalars(select(sa.union(select(P.last_name), select(P.last_name)).subquery().c.last_name))
    ),
    "from_statement of a select": lambda s, t: names(s.scalars(select(P).from_statement(select(P)))),
    "from_statement of a union": lambda s, t: names(
        s.scalars(select(P).from_statement(sa.union_all(select(P), select(P))))
    ),
    "in a subquery": lambda s, t: names(s.scalars(select(P.last_name).where(P.id.in_(select(O.primary_patient_id))))),
    "any of a subquery": lambda s, t: names(
        s.scalars(select(P.last_name).where(P.id == sa.any_(select(O.primary_patient_id).scalar_subquery())))
    ),
    "exists": lambda s, t: names(s.scalars(select(P.last_name).where(sa.exists().where(O.primary_patient_id == P.id)))),
    "exists as a column": lambda s, t: (
        OWN if not s.scalar(select(sa.exists(select(P).where(P.id == t.patient)))) else THEIRS
    ),
    "exists of a bare column": lambda s, t: (
        OWN if not s.scalar(select(sa.exists().where(P.id == t.patient))) else THEIRS
    ),
    "relationship has": lambda s, t: titled(s.scalars(select(O.title).where(O.primary_patient.has()))),
    "relationship any": lambda s, t: titled(s.scalars(select(O.title).where(O.lines.any()))),
    "correlated scalar subquery": lambda s, t: names(
        s.scalars(select(select(P.last_name).where(P.id == O.primary_patient_id).scalar_subquery()).select_from(O))
    ),
    "aggregated scalar subquery": lambda s, t: set(
        s.scalar(select(select(sa.func.array_agg(P.last_name)).scalar_subquery()))
    ),
    "scalar subquery in order by": lambda s, t: names(
        s.scalars(select(P.last_name).order_by(select(sa.func.max(O.title)).scalar_subquery(), P.id))
    ),
    "join by relationship": lambda s, t: names(s.scalars(select(P.last_name).select_from(O).join(O.primary_patient))),
    "join by condition": lambda s, t: names(
        s.scalars(select(P.last_name).select_from(O).join(P, P.id == O.primary_patient_id))
    ),
    "join with everything": lambda s, t: names(s.scalars(select(P.last_name).select_from(O).join(P, sa.true()))),
    "two entities without a join": lambda s, t: names(
        s.scalars(select(P.last_name).select_from(O).where(P.id != O.id))
    ),
    "left join": lambda s, t: names(
        s.scalars(
            select(P.last_name)
            .select_from(O)
            .join(P, sa.or_(P.id == O.primary_patient_id, P.id == t.patient), isouter=True)
        )
    ),
    "right join by outer join": lambda s, t: names(
        s.scalars(select(P.last_name).select_from(O).outerjoin(P, P.id != O.id))
    ),
    "full join": lambda s, t: names(
        name
        for name in s.scalars(select(P.last_name).select_from(O).join(P, P.id == O.primary_patient_id, full=True))
        if name
    ),
    "join of an alias": lambda s, t: names(
        s.scalars(select((a := orm.aliased(P)).last_name).select_from(O).join(a, a.id == O.primary_patient_id))
    ),
    "join built by hand": lambda s, t: names(
        s.scalars(select(P.last_name).select_from(orm.join(O, P, P.id == O.primary_patient_id)))
    ),
    "join of a subquery": lambda s, t: names(
        s.scalars(select((q := select(P.id, P.last_name).subquery()).c.last_name).select_from(O).join(q, sa.true()))
    ),
    "lateral": lateral,
    "lateral without a link": lateral_of_everybody,
    "distinct": lambda s, t: names(s.scalars(select(P.last_name).distinct())),
    "distinct on": lambda s, t: names(s.scalars(select(P).ext(distinct_on(P.id)).order_by(P.id))),
    "window": lambda s, t: names(s.execute(select(P.last_name, sa.func.row_number().over(order_by=P.id)))),
    "group by": lambda s, t: names(
        s.execute(select(P.last_name, sa.func.count()).group_by(P.last_name).having(sa.func.count() > 0))
    ),
    "array_agg": lambda s, t: set(s.scalar(select(sa.func.array_agg(P.last_name)))),
    "case": lambda s, t: names(s.scalars(select(sa.case((P.id == t.patient, "Gizlioğlu"), else_=P.last_name)))),
    "count of an entity": lambda s, t: s.scalar(select(sa.func.count()).select_from(P)),
    "count of a column": lambda s, t: s.scalar(select(sa.func.count(P.id))),
    "count of a subquery": lambda s, t: s.scalar(select(sa.func.count()).select_from(select(P.id).subquery())),
    "rows locked": lambda s, t: names(s.scalars(select(P).with_for_update())),
    "limit and offset": lambda s, t: names(s.scalars(select(P).order_by(P.id).limit(100).offset(0))),
    "numeric literal limit": lambda s, t: names(s.scalars(select(P).order_by(P.id).limit(sa.literal_column("26")))),
    "star": lambda s, t: names(s.execute(select(sa.literal_column("*")).select_from(P))),
    "stream": lambda s, t: names(s.scalars(select(P), execution_options={"stream_results": True})),
    "batches": in_batches,
    "populate existing": lambda s, t: names(s.scalars(select(P), execution_options={"populate_existing": True})),
    "own loader criteria": lambda s, t: names(s.scalars(select(P).options(orm.with_loader_criteria(P, sa.true())))),
    "the other clinic asked for": lambda s, t: OWN | names(s.scalars(select(P).where(P.clinic_id == t.clinic))),
    "or true": lambda s, t: names(s.scalars(select(P).where(sa.or_(P.clinic_id == t.clinic, sa.true())))),
    "joined load": lambda s, t: names(
        o.primary_patient for o in s.scalars(select(O).options(orm.joinedload(O.primary_patient)))
    ),
    "select-in load": lambda s, t: names(
        o.primary_patient for o in s.scalars(select(O).options(orm.selectinload(O.primary_patient)))
    ),
    "subquery load": lambda s, t: titled(
        o.title
        for o in s.scalars(select(O).options(orm.subqueryload(O.lines)))
        if all(line.clinic_id == o.clinic_id for line in o.lines)
    ),
    "lazy load": lazy_load,
    "with parent": with_parent,
    "deferred column": deferred_column,
    "expired and loaded again": expired,
    "refreshed": refreshed,
    "get": got_one_by_one,
    "query of an entity": lambda s, t: names(s.query(P).all()),
    "query of a column": lambda s, t: names(s.query(P.last_name)),
    "query count": lambda s, t: s.query(P).count(),
    "query scalar": lambda s, t: s.query(sa.func.count(P.id)).scalar(),
    "query join": lambda s, t: names(s.query(P).join(O, O.primary_patient_id == P.id)),
    "query union": lambda s, t: names(s.query(P).union(s.query(P))),
    "query subquery": lambda s, t: names(s.query(s.query(P.last_name).subquery().c.last_name)),
    "query exists": lambda s, t: OWN if not s.query(s.query(P).filter(P.id == t.patient).exists()).scalar() else THEIRS,
}

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


@pytest.fixture
def theirs(portal: Flask, lale: ClinicInfo) -> Ids:
    with clinic_work(portal, lale.id) as s:
        patient, source, user, treatment, offer = (
            s.scalars(select(model.id).order_by(model.id)).first()  # type: ignore[attr-defined]
            for model in (P, ReferralSource, User, Treatment, O)
        )
    return Ids(lale.id, patient, offer, source, user, treatment)


@pytest.fixture
def pinned(portal: Flask, papatya: ClinicInfo) -> Iterator[PortalSession]:
    """A session in papatya's scope, as the application's role."""
    with portal.app_context():
        session = current_session()
        session.pin(ClinicScope(papatya.id))
        yield session
        session.rollback()


@pytest.fixture
def unwalled(portal: Flask, papatya: ClinicInfo) -> Iterator[PortalSession]:
    """A session in papatya's scope whose connection no policy limits: what the guard does not stop shows."""
    with portal.app_context():
        connection = db.engines[OWNER_BIND].connect()
        connection.begin()
        instead, portal.extensions["portal_connections"] = portal.extensions["portal_connections"], {None: connection}
        session = current_session()
        session.pin(ClinicScope(papatya.id))
        yield session
        session.rollback()
        portal.extensions["portal_connections"] = instead
        connection.close()


def test_the_session_without_policies_really_sees_both_clinics(unwalled: PortalSession) -> None:
    assert names(unwalled.connection().execute(sa.text("SELECT last_name FROM patients"))) == OWN | THEIRS


def test_there_are_enough_shapes() -> None:
    assert len(READS) + len(REFUSED) + len(OBJECTS) + len(WRITES) + len(RAW) + len(RAW_DENIED) > 150


@pytest.mark.parametrize("shape", READS)
def test_a_read_returns_the_pinned_clinics_rows(shape: str, unwalled: PortalSession, theirs: Ids) -> None:
    assert READS[shape](unwalled, theirs) in (OWN, len(OWN))


@pytest.mark.parametrize("shape", READS)
def test_a_read_works_under_the_policies_as_well(shape: str, pinned: PortalSession, theirs: Ids) -> None:
    assert READS[shape](pinned, theirs) in (OWN, len(OWN))


@pytest.mark.parametrize("shape", REFUSED)
def test_what_cannot_be_limited_is_refused(shape: str, unwalled: PortalSession, theirs: Ids) -> None:
    with pytest.raises(ScopeError):
        REFUSED[shape](unwalled, theirs)


@pytest.mark.parametrize("shape", OBJECTS)
def test_an_object_of_the_other_clinic_is_refused(shape: str, unwalled: PortalSession, theirs: Ids) -> None:
    with pytest.raises(ScopeError):
        OBJECTS[shape](unwalled, theirs)


@pytest.mark.parametrize("shape", WRITES)
def test_a_bulk_write_reaches_the_pinned_clinics_rows_only(shape: str, unwalled: PortalSession, theirs: Ids) -> None:
    before = rows_of(unwalled, theirs.clinic)
    assert WRITES[shape](unwalled, theirs) == 3
    assert rows_of(unwalled, theirs.clinic) == before


def rows_of(session: PortalSession, clinic_id: UUID) -> list[str]:
    statement = (
        "SELECT t::text FROM patients AS t WHERE clinic_id = :c UNION ALL "
        "SELECT t::text FROM patient_offers AS t WHERE clinic_id = :c ORDER BY 1"
    )
    return list(session.connection().scalars(sa.text(statement), {"c": clinic_id}))


@pytest.mark.parametrize("shape", RAW)
def test_past_the_orm_the_policies_hold(shape: str, pinned: PortalSession, theirs: Ids) -> None:
    assert RAW[shape](pinned, theirs) in (OWN, len(OWN))


@pytest.mark.parametrize("shape", RAW_DENIED)
def test_past_the_orm_the_database_forbids(shape: str, pinned: PortalSession, theirs: Ids) -> None:
    with pytest.raises(sa.exc.ProgrammingError) as caught:
        RAW_DENIED[shape](pinned, theirs)
    assert caught.value.orig.sqlstate == "42501"  # type: ignore[union-attr]


@pytest.mark.parametrize("shape", [*READS, *REFUSED, *OBJECTS, *WRITES, *RAW, *RAW_DENIED])
def test_outside_a_scope_everything_is_refused(shape: str, portal: Flask, theirs: Ids) -> None:
    run = {**READS, **REFUSED, **OBJECTS, **WRITES, **RAW, **RAW_DENIED}[shape]
    with portal.app_context(), pytest.raises(ScopeError):
        run(current_session(), theirs)


@pytest.mark.parametrize("shape", ["entity", "subquery", "union", "joined load", "query of an entity"])
def test_the_platforms_role_reads_no_patient_in_any_way(shape: str, portal: Flask, theirs: Ids) -> None:
    with pytest.raises(sa.exc.ProgrammingError, match="permission denied"), platform_work(portal, "test") as session:
        READS[shape](session, theirs)


def test_one_statement_built_once_serves_two_clinics_in_turn(
    portal: Flask, papatya: ClinicInfo, lale: ClinicInfo
) -> None:
    """The trap of a criteria lambda: a clinic baked in at its first use."""
    statement = select(P.last_name)
    for _round in range(3):
        for clinic, expected in ((papatya, OWN), (lale, THEIRS)):
            with clinic_work(portal, clinic.id) as session:
                assert names(session.scalars(statement)) == expected
                assert names(session.scalars(select(P))) == expected
                assert names(session.scalars(select(orm.aliased(P)))) == expected


def test_a_statement_passed_for_one_clinic_is_still_refused_after_it_grew(pinned: PortalSession) -> None:
    statement = select(P.last_name)
    assert names(pinned.scalars(statement)) == OWN
    with pytest.raises(ScopeError):
        pinned.scalars(statement.where(sa.text("true")))


def test_a_session_cannot_be_pinned_to_two_clinics(portal: Flask, papatya: ClinicInfo, lale: ClinicInfo) -> None:
    with portal.app_context():
        session = current_session()
        session.pin(ClinicScope(papatya.id))
        session.pin(ClinicScope(papatya.id))
        for other in (ClinicScope(lale.id), PlatformScope("x")):
            with pytest.raises(ScopeError, match="pinned"):
                session.pin(other)
        assert names(session.scalars(select(P))) == OWN


def test_the_pin_outlives_commits_rollbacks_and_savepoints(portal: Flask, papatya: ClinicInfo) -> None:
    with portal.app_context():
        session = current_session()
        session.pin(ClinicScope(papatya.id))
        for end in (session.commit, session.rollback, session.commit):
            assert names(session.connection().execute(sa.text("SELECT last_name FROM patients"))) == OWN
            with session.begin_nested() as savepoint:
                assert names(session.connection().execute(sa.text("SELECT last_name FROM patients"))) == OWN
                savepoint.rollback()
            end()


def test_a_new_row_gets_the_pinned_clinic(pinned: PortalSession, papatya: ClinicInfo) -> None:
    source = ReferralSource(name="Komşu")
    pinned.add(source)
    pinned.flush()
    assert source.clinic_id == papatya.id


def test_bulk_insert_fills_the_pinned_clinic(pinned: PortalSession, papatya: ClinicInfo) -> None:
    patient = own_patient(pinned)
    bulk_insert(PatientTerm, [{"term": "yeni", "patient_id": patient.id}])
    assert pinned.scalars(select(PatientTerm.clinic_id).where(PatientTerm.term == "yeni")).all() == [papatya.id]


def test_bulk_insert_needs_a_clinics_scope(portal: Flask) -> None:
    with pytest.raises(ScopeError), platform_work(portal, "test"):
        bulk_insert(PatientTerm, [{"term": "x", "patient_id": uuid7(), "clinic_id": uuid7()}])


def test_a_clinic_sees_itself_only(pinned: PortalSession, papatya: ClinicInfo) -> None:
    assert pinned.scalars(select(Clinic.subdomain)).all() == [papatya.subdomain]


def test_the_clinic_of_a_connection_ends_with_its_transaction(app: Flask, papatya: ClinicInfo) -> None:
    """The pool hands a connection on: the next user must not find the last one's clinic."""
    with clinic_work(app, papatya.id) as session:
        session.scalars(select(P)).all()
    with app.app_context():
        for _connection in range(5):
            with db.engine.connect() as connection, pytest.raises(sa.exc.ProgrammingError) as caught:
                connection.execute(sa.text("SELECT last_name FROM patients"))
            assert caught.value.orig.sqlstate == "42501"  # type: ignore[union-attr]


def test_terms_of_the_other_clinic_are_not_found(unwalled: PortalSession) -> None:
    assert unwalled.scalars(select(PatientTerm.term).where(PatientTerm.term.op("^@")("gizli"))).all() == []
    assert unwalled.scalars(select(OfferTerm.term).where(OfferTerm.term.op("^@")("gizli"))).all() == []
