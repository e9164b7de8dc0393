"""What the platform's operators ask of the system."""

from __future__ import annotations

import sqlalchemy as sa

from portal.core.database import PLATFORM_BIND, db


def database_answers() -> bool:
    """Tell whether the database answers the application's and the platform's role."""
    try:
        for bind in (None, PLATFORM_BIND):
            with db.engines[bind].connect() as connection:
                connection.execute(sa.text("SELECT 1"))
    except sa.exc.SQLAlchemyError:
        return False
    return True
