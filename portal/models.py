"""Every table of the portal: importing this module makes the metadata complete."""

from __future__ import annotations

import sqlalchemy as sa

from portal.auth import models as auth
from portal.catalog import models as catalog
from portal.core import analytics, audit, clinics, notifications, numbers, outbox
from portal.core.database import Base
from portal.notes import models as notes
from portal.offers import documents
from portal.offers import models as offers
from portal.patients import models as patients
from portal.platform import models as platform
from portal.privacy import models as privacy
from portal.records import models as records
from portal.referrals import models as referrals
from portal.reminders import models as reminders
from portal.settings import models as settings
from portal.sharing import models as sharing
from portal.support import models as support

MODULES = (
    analytics, audit, auth, catalog, clinics, documents, notes, notifications, numbers, offers, outbox, patients,
    platform, privacy, records, referrals, reminders, settings, sharing, support,
)  # fmt: skip

metadata: sa.MetaData = Base.metadata
