"""Where Alembic asks what a new revision shall hold."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from alembic.config import Config
from alembic.operations import MigrationScript, ops
from alembic.runtime.migration import MigrationContext

from portal.ops.evolve import naming
from portal.ops.evolve.generate.checks import change_check, changed_checks
from portal.ops.evolve.generate.difference import Difference, flat
from portal.ops.evolve.generate.files import RevisionFile, name_fills
from portal.ops.evolve.generate.steps import Change, Phase
from portal.ops.evolve.generate.translate import translate

_FORMAT = "%Y%m%d%H%M%S"
_FILES = "revision_files"  # in the configuration's attributes, for migrations/script.py.mako


def write_revisions(config: Config, context: MigrationContext, directives: list[MigrationScript]) -> None:
    """Let ``directives`` be one file, or an expand and a contract one, of the house's shape; none for no difference.

    Raises EvolveError for a name that says nothing, an id that is no timestamp, or what only a person can write.
    """
    script = directives[0]
    asked = context.opts["revision_context"].command_args
    if script.message is None and asked["autogenerate"] and not getattr(config.cmd_opts, "autogenerate", False):
        return  # `alembic check` only compares
    naming.refuse_vague(script.message)
    operations = flat(script.upgrade_ops.ops) if script.upgrade_ops else []
    changes = _changes(operations, context) if asked["autogenerate"] else []
    if asked["autogenerate"] and not changes:
        directives[:] = []
        config.print_stdout("Models and database do not differ: nothing to write.")
        return
    files = plan_files(str(script.message), _new_id(asked["rev_id"], context), changes)
    for file in files:
        naming.refuse_vague(file.name)
    config.attributes[_FILES] = {file.id: file for file in files}
    directives[:] = _scripts(script, files)
    _say_what_is_left(config, files)


def file_of(config: Config, revision: str, message: str | None) -> RevisionFile:
    """Return what the template writes for ``revision``: an empty file for one that nobody generated, as a merge.

    Raises EvolveError for a name that says nothing, or an id that is no timestamp.
    """
    files: dict[str, RevisionFile] = config.attributes.get(_FILES, {})
    if revision in files:
        return files[revision]
    naming.refuse_vague(message)
    naming.refuse_odd_id(revision)
    return RevisionFile(str(message), revision)


def plan_files(name: str, revision: str, changes: Sequence[Change]) -> list[RevisionFile]:
    """Return the files of the ``changes``: one where they are of one phase, else the contract phase in a second."""
    expand = [change for change in changes if change.phase is Phase.EXPAND]
    contract = [change for change in changes if change.phase is Phase.CONTRACT]
    if not contract or not expand:
        phase = Phase.CONTRACT if contract else Phase.EXPAND
        return [RevisionFile(name, revision, phase, changes, fills=name_fills(changes))]
    first = RevisionFile(name, revision, Phase.EXPAND, expand, fills=name_fills(expand))
    second = RevisionFile(
        f"{name}_contract", _later(revision), Phase.CONTRACT, contract, expand=first, fills=name_fills(contract)
    )
    return [first, second]


def _scripts(script: MigrationScript, files: Sequence[RevisionFile]) -> list[MigrationScript]:
    """Return Alembic's own directives for the files, empty: the template takes the code from the files."""
    made, head = [], script.head
    for file in files:
        first = file is files[0]
        made.append(
            MigrationScript(
                file.id,
                ops.UpgradeOps([]),
                ops.DowngradeOps([]),
                message=file.name,
                head=head,
                splice=script.splice and first,
                branch_label=script.branch_label if first else None,
                version_path=script.version_path,
                depends_on=script.depends_on if first else None,
            )
        )
        head = file.id
    return made


def _new_id(given: str | None, context: MigrationContext) -> str:
    """Return the id given by hand, else now, in any case later than every revision there is."""
    if given is not None:
        naming.refuse_odd_id(given)
        return given
    now = datetime.now(UTC).strftime(_FORMAT)
    known = [one.revision for one in context.script.walk_revisions()] if context.script else []
    last = max((one for one in known if naming.is_timestamp(one)), default="")
    return now if now > last else _later(last)


def _later(revision: str) -> str:
    moment = datetime.strptime(revision, _FORMAT) + timedelta(seconds=1)
    return moment.strftime(_FORMAT)


def _changes(operations: list[Any], context: MigrationContext) -> list[Change]:
    """Return what becomes of Alembic's operations, and of the checks that changed under their names."""
    assert context.connection is not None
    found = Difference(operations, context.opts["target_metadata"], context.connection)
    checks = [change_check(check, found) for check in changed_checks(found.metadata, context.connection)]
    return [*translate(found), *checks]


def _say_what_is_left(config: Config, files: Sequence[RevisionFile]) -> None:
    for file in files:
        names = sorted(set(file.fills.values()))
        if names:
            config.print_stdout(f"{file.id}_{file.name}: write {', '.join(names)} in it before it can run.")
    config.print_stdout("Read the header and complete it; then: flask db lint, flask db plan, flask db rehearse.")
