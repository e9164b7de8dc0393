"""Every table of the portal: importing this module makes the metadata complete."""

from __future__ import annotations

import sqlalchemy as sa

from portal.auth import models as auth
from portal.catalog import models as catalog
from portal.core import audit, clinics, numbers
from portal.core.database import Base
from portal.notes import models as notes
from portal.offers import models as offers
from portal.patients import models as patients
from portal.platform import models as platform
from portal.referrals import models as referrals
from portal.reminders import models as reminders
from portal.settings import models as settings
from portal.support import models as support

MODULES = (
    audit, auth, catalog, clinics, notes, numbers, offers, patients, platform, referrals, reminders, settings, support,
)  # fmt: skip

metadata: sa.MetaData = Base.metadata
