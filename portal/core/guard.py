"""The second wall: what every ORM statement must pass before it reaches the database.

Recipe and traps: reference/isolation.md. A statement is limited to the pinned clinic, or refused
where the ORM cannot limit it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any
from uuid import UUID
from weakref import WeakSet

import sqlalchemy as sa
from sqlalchemy import event, orm
from sqlalchemy.sql.selectable import AliasedReturnsRows, HasHints, HasPrefixes, HasSuffixes

from portal.core.database import ClinicOwned, PortalSession, require_scope
from portal.core.scope import ClinicScope, PlatformScope, Scope, ScopeError

_LITERAL = re.compile(r"[0-9]{1,9}|\*")  # a limit that is planned once, and count(*)
_ADDITIONS = ("_prefixes", "_suffixes", "_hints", "_statement_hints")
_WITH_ADDITIONS = (HasPrefixes, HasSuffixes, HasHints)
_passed: WeakSet[Any] = WeakSet()  # statements built once at import are walked once


def install_guard() -> None:
    """Register the guard on every portal session. Calling it again does nothing."""
    for name, listener in _LISTENERS.items():
        if not event.contains(PortalSession, name, listener):
            event.listen(PortalSession, name, listener)


def _limit_statement(state: orm.ORMExecuteState) -> None:
    scope = require_scope(state.session)
    _refuse_what_cannot_be_scoped(state, scope)
    if isinstance(scope, ClinicScope) and not state.is_column_load and not state.is_insert:
        criteria = state.session.info.get("scope_criteria")
        if criteria is None:
            criteria = state.session.info["scope_criteria"] = _criteria(scope.clinic_id)
        state.statement = state.statement.options(criteria)


def _criteria(clinic_id: UUID) -> Any:
    """Return what limits every mapped tenant class to the clinic; made once a session, which is pinned for life.

    ``clinic_id`` is a closure variable: a default argument would be baked in at first use.
    """
    return orm.with_loader_criteria(ClinicOwned, lambda cls: cls.clinic_id == clinic_id, include_aliases=True)


def _refuse_what_cannot_be_scoped(state: orm.ORMExecuteState, scope: Scope) -> None:
    statement = state.statement
    if state.execution_options.get("scope_checked"):
        return
    if state.is_column_load or state.is_relationship_load:
        return  # made by the ORM itself from mapped columns
    if statement not in _passed:
        _walk(statement, frozenset())
        _passed.add(statement)
    if state.is_insert and _touches_tenant(statement):
        raise ScopeError("INSERT on a tenant table outside the unit of work: use bulk_insert().")
    if state.is_update:
        _refuse_moving_rows(state, scope)


def _walk(element: Any, entities: frozenset[Any]) -> None:
    """Refuse what ``element`` holds that no criteria would reach; ``entities``: the mapped tables of its own select."""
    if isinstance(element, sa.BindParameter):
        return
    if not isinstance(element, sa.Column):
        _refuse_words(element)
    if isinstance(element, sa.Select):
        mappers = (column._annotations.get("parententity") for column in element._raw_columns)
        entities = frozenset(mapper.local_table for mapper in mappers if isinstance(mapper, orm.Mapper))
    for table in _plain_tables(element, entities):
        raise ScopeError(f"A Core statement on {table.name} cannot be limited to the pinned clinic.")
    for child in element.get_children():
        if isinstance(child, sa.UpdateBase):
            raise ScopeError("A write inside another statement cannot be limited to the pinned clinic.")
        _walk(child, entities)


def _refuse_words(element: Any) -> None:
    """Refuse SQL written out: text, DDL, tables and columns named in words, prefixes, suffixes and hints."""
    if isinstance(element, sa.TextClause | sa.schema.ExecutableDDLElement):
        raise ScopeError("text() cannot be limited to the pinned clinic.")
    if isinstance(element, sa.TableClause) and not isinstance(element, sa.Table):
        raise ScopeError(f"The table {element.name} is named past the ORM.")
    if isinstance(element, sa.ColumnClause) and element.is_literal and not _LITERAL.fullmatch(element.name):
        raise ScopeError("A literal column may be a number or a star, nothing else.")
    if isinstance(element, _WITH_ADDITIONS) and any(getattr(element, name, None) for name in _ADDITIONS):
        raise ScopeError("Prefixes, suffixes and hints cannot be limited to the pinned clinic.")


def _plain_tables(element: Any, entities: frozenset[Any]) -> Iterator[sa.Table]:
    """Yield the tenant tables that an element names past the ORM, where no criteria would reach them.

    A select also yields the bare tables of its mapped columns when walked, so tables are looked
    for where they are named, not where they are met. ``session.get`` writes bare columns beside
    their own entity, which carries the criteria.
    """
    named: list[Any] = []
    if isinstance(element, sa.Column):
        named = [] if "parententity" in element._annotations or element.table in entities else [element.table]
    elif isinstance(element, sa.Select):
        named = [*element._raw_columns, *element._from_obj, *(join[0] for join in element._setup_joins)]
    elif isinstance(element, sa.Join):
        named = [element.left, element.right]
    elif isinstance(element, sa.UpdateBase):
        named = [element.table]
    for source in named:
        table = source
        while isinstance(table, AliasedReturnsRows):
            table = table.element
        if isinstance(table, sa.Table) and _is_tenant(table) and "parententity" not in source._annotations:
            yield table


def _refuse_moving_rows(state: orm.ORMExecuteState, scope: Scope) -> None:
    """Refuse an UPDATE that sets ``clinic_id``, or whose parameters name another clinic as key or as value."""
    statement: Any = state.statement
    names = {getattr(column, "key", column) for column in (statement._values or {})}
    names |= {getattr(pair[0], "key", pair[0]) for pair in (getattr(statement, "_ordered_values", None) or ())}
    given: Any = state.parameters or {}
    rows = [given] if isinstance(given, Mapping) else given
    own = scope.clinic_id if isinstance(scope, ClinicScope) else None
    foreign = any(row.get("clinic_id", own) != own for row in rows)
    if "clinic_id" in names or (foreign and own is not None):
        raise ScopeError("An UPDATE may not move rows to another clinic.")


def _is_tenant(table: sa.FromClause) -> bool:
    return "clinic_id" in table.c


def _touches_tenant(statement: Any) -> bool:
    return _is_tenant(statement.table)


def _check_objects(session: orm.Session, _context: Any, _instances: Any) -> None:
    changed: Iterable[object] = [*session.new, *session.dirty, *session.deleted]
    scope: Scope | None = None
    for instance in changed:
        if isinstance(instance, ClinicOwned):
            scope = scope or require_scope(session)
            _check_instance(instance, scope)


def _check_instance(instance: ClinicOwned, scope: Scope) -> None:
    if isinstance(scope, PlatformScope):
        if instance.__dict__.get("clinic_id") is None:
            raise ScopeError(f"{type(instance).__name__} has no clinic; name it in a system scope.")
        return
    if instance.__dict__.get("clinic_id") is None:
        instance.clinic_id = scope.clinic_id
    history = sa.inspect(instance).attrs.clinic_id.history
    if instance.clinic_id != scope.clinic_id or (history.deleted and any(history.deleted)):
        raise ScopeError(f"{type(instance).__name__} belongs to another clinic.")


def _check_attached(session: orm.Session, instance: object) -> None:
    scope = getattr(session, "scope", None)
    if isinstance(instance, ClinicOwned) and isinstance(scope, ClinicScope):
        owner = instance.__dict__.get("clinic_id")
        if owner is not None and owner != scope.clinic_id:
            raise ScopeError(f"{type(instance).__name__} belongs to another clinic.")


def _tell_database(session: orm.Session, _transaction: Any, connection: sa.Connection) -> None:
    """Set the clinic for row-level security; the setting ends with the transaction."""
    scope = require_scope(session)
    clinic = str(scope.clinic_id) if isinstance(scope, ClinicScope) else ""
    connection.execute(_SET_CLINIC, {"clinic": clinic})


_SET_CLINIC = sa.text("SELECT set_config('app.clinic_id', :clinic, true)")
_LISTENERS: dict[str, Callable[..., Any]] = {
    "do_orm_execute": _limit_statement,
    "before_flush": _check_objects,
    "before_attach": _check_attached,
    "after_begin": _tell_database,
}
