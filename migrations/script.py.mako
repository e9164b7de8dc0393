<%!
    from portal.ops.evolve.generate import file_of
%><% file = file_of(config, up_revision, message) %>"""${file.title}.

${file.header}

Revision ID: ${up_revision}
Revises: ${down_revision | comma,n}
Create Date: ${file.created}
"""

from __future__ import annotations

from portal.ops import evolve

revision = ${repr(up_revision).replace("'", '"')}
down_revision = ${repr(down_revision).replace("'", '"')}
branch_labels = ${repr(branch_labels).replace("'", '"')}
depends_on = ${repr(depends_on).replace("'", '"')}

phase = "${file.phase}"
${file.constants}

def upgrade() -> None:
${file.upgrade}


def downgrade() -> None:
${file.downgrade}
