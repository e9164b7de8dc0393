"""Shapes of reading: each is to return the last names of all patients of the pinned clinic, or how many there are."""

# ruff: noqa: ARG005 - every shape takes the same arguments, whether it needs them or not

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy import orm
from sqlalchemy.dialects.postgresql import distinct_on

from portal.core.database import PortalSession
from portal.offers.models import Offer
from portal.patients.models import Patient
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
