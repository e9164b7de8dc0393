"""New revisions in the house's shape: what `flask db migrate` and `flask db revision` write.

Alembic finds the difference between models and database; here each of its operations becomes steps of
``portal.ops.evolve``, in an expand and, where the release before could not live with it, a contract phase.
"""

from portal.ops.evolve.generate.files import RevisionFile
from portal.ops.evolve.generate.hook import file_of, write_revisions

__all__ = ["RevisionFile", "file_of", "write_revisions"]
