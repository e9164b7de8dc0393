"""Treatment offers: statuses, offers, their lines and teeth, and whom they are assigned to."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.catalog.enums import Residency, Scope, ToothRole
from portal.core.audit import Audited
from portal.core.database import Base, ClinicOwned, TenantScoped, Timestamped, one_of, tenant_reference
from portal.core.money import Currency
from portal.offers.totals import DiscountKind
from portal.patients.models import Patient


class OfferKind(StrEnum):
    """What a status means, whatever a clinic calls it. Rules and reports go by kind, never by label."""

    DRAFT = "draft"
    SENT = "sent"
    VIEWED = "viewed"
    NEGOTIATING = "negotiating"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    EXPIRED = "expired"
    CANCELLED = "cancelled"


class Jaw(StrEnum):
    """The arch a line applies to."""

    UPPER = "upper"
    LOWER = "lower"
    BOTH = "both"


class Basis(StrEnum):
    """What an offer's plan rests on."""

    EXAM = "exam"
    OPG = "opg"
    CBCT = "cbct"
    PHOTOS = "photos"


class DeclineReason(StrEnum):
    """Why a patient says no."""

    PRICE = "price"
    TIMING = "timing"
    TRAVEL = "travel"
    OTHER_CLINIC = "other_clinic"
    UNSURE = "unsure"
    OTHER = "other"


class Decision(StrEnum):
    """What a patient said of one line."""

    ACCEPTED = "accepted"
    DECLINED = "declined"


class Verify(StrEnum):
    """The second factor that opens a patient's link."""

    PHONE = "phone_last4"
    BIRTH_DATE = "birth_date"
    CODE = "code"
    NONE = "none"


class Channel(StrEnum):
    """How a link reached its patient."""

    WHATSAPP = "whatsapp"
    EMAIL = "email"
    QR = "qr"
    COPY = "copy"


class OfferStatus(Audited, TenantScoped, Timestamped, Base):
    """A clinic's own name and colour for a kind; one default per kind."""

    __tablename__ = "offer_statuses"
    __table_args__ = (
        sa.UniqueConstraint("clinic_id", "key"),
        sa.Index("uq_offer_statuses_default", "clinic_id", "kind", unique=True, postgresql_where=sa.text("is_default")),
        one_of("kind", OfferKind),
    )

    kind: Mapped[str] = mapped_column(sa.String(12))
    key: Mapped[str] = mapped_column(sa.String(60))
    label_tr: Mapped[str] = mapped_column(sa.String(80))
    label_en: Mapped[str] = mapped_column(sa.String(80))
    colour: Mapped[str | None] = mapped_column(sa.String(7))
    position: Mapped[int] = mapped_column(sa.SmallInteger, server_default="0")
    is_default: Mapped[bool] = mapped_column(server_default=sa.false(), default=False)
    is_active: Mapped[bool] = mapped_column(server_default=sa.true(), default=True)


class Offer(Audited, TenantScoped, Timestamped, Base):
    """A treatment offer in one currency. Totals are stored as computed by portal.offers.totals."""

    __tablename__ = "offers"
    __table_args__ = (
        sa.UniqueConstraint("clinic_id", "offer_no"),
        sa.UniqueConstraint("clinic_id", "form_key"),
        tenant_reference("status_id", "offer_statuses"),
        tenant_reference("primary_patient_id", "patients"),
        tenant_reference("created_by_id", "users"),
        tenant_reference("root_offer_id", "offers"),
        tenant_reference("price_list_id", "price_lists"),
        tenant_reference("doctor_id", "users"),
        tenant_reference("coordinator_id", "users"),
        tenant_reference("signed_off_by_id", "users"),
        sa.Index(None, "clinic_id", "root_offer_id"),
        sa.Index(None, "clinic_id", "price_list_id"),
        sa.Index(None, "clinic_id", "doctor_id"),
        sa.Index(None, "clinic_id", "coordinator_id"),
        sa.Index(None, "clinic_id", "status_id", "id"),
        sa.Index(None, "clinic_id", "primary_patient_id", "id"),
        sa.Index(None, "clinic_id", "valid_until"),
        sa.Index(None, "clinic_id", "created_by_id"),
        one_of("currency", Currency),
        one_of("discount_kind", DiscountKind),
        one_of("residency", Residency),
        one_of("basis", Basis),
        one_of("decline_reason", DeclineReason),
    )
    audit_hidden = frozenset({"title", "patient_note", "internal_note", "decline_note"})  # a title names treatments

    offer_no: Mapped[str] = mapped_column(sa.String(20))
    title: Mapped[str] = mapped_column(sa.String(200))
    status_id: Mapped[UUID]
    primary_patient_id: Mapped[UUID | None]
    created_by_id: Mapped[UUID | None]
    currency: Mapped[str] = mapped_column(sa.String(3))
    prices_include_vat: Mapped[bool]
    valid_until: Mapped[date | None]
    patient_note: Mapped[str | None]
    internal_note: Mapped[str | None]
    subtotal: Mapped[Decimal] = mapped_column(server_default="0")
    discount_total: Mapped[Decimal] = mapped_column(server_default="0")
    net_total: Mapped[Decimal] = mapped_column(server_default="0")
    vat_total: Mapped[Decimal] = mapped_column(server_default="0")
    grand_total: Mapped[Decimal] = mapped_column(server_default="0")
    sent_at: Mapped[datetime | None]
    decided_at: Mapped[datetime | None]
    root_offer_id: Mapped[UUID | None]  # the first of its revisions; None for that one itself
    revision_no: Mapped[int] = mapped_column(sa.SmallInteger, server_default="1", default=1)
    superseded_at: Mapped[datetime | None]  # a later revision was sent
    locale: Mapped[str | None] = mapped_column(sa.String(8))  # of the document; None: as the patient reads
    price_list_id: Mapped[UUID | None]
    discount_kind: Mapped[str | None] = mapped_column(sa.String(10))
    discount_value: Mapped[Decimal | None]
    residency: Mapped[str] = mapped_column(sa.String(12), server_default="resident", default=Residency.RESIDENT)
    bulletin_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey("exchange_bulletins.id"))
    doctor_id: Mapped[UUID | None]
    coordinator_id: Mapped[UUID | None]
    basis: Mapped[str | None] = mapped_column(sa.String(10))
    is_provisional: Mapped[bool] = mapped_column(server_default=sa.true(), default=True)
    first_viewed_at: Mapped[datetime | None]
    decline_reason: Mapped[str | None] = mapped_column(sa.String(20))
    decline_note: Mapped[str | None]
    content_sha256: Mapped[str | None] = mapped_column(sa.String(64))  # of what was sent; it is locked from then on
    signoff_asked_at: Mapped[datetime | None]
    signed_off_at: Mapped[datetime | None]
    signed_off_by_id: Mapped[UUID | None]
    chosen_option_id: Mapped[UUID | None]
    form_key: Mapped[UUID | None]
    version: Mapped[int] = mapped_column(server_default="1")

    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012 - SQLAlchemy's own declarative setting

    status: Mapped[OfferStatus] = relationship(
        primaryjoin=lambda: sa.and_(
            Offer.clinic_id == OfferStatus.clinic_id, OfferStatus.id == sa.orm.foreign(Offer.status_id)
        ),
        lazy="raise_on_sql",
    )
    primary_patient: Mapped[Patient | None] = relationship(
        primaryjoin=lambda: sa.and_(
            Offer.clinic_id == Patient.clinic_id, Patient.id == sa.orm.foreign(Offer.primary_patient_id)
        ),
        lazy="raise_on_sql",
    )
    lines: Mapped[list[Treatment]] = relationship(
        primaryjoin=lambda: sa.and_(
            Offer.clinic_id == Treatment.clinic_id, Offer.id == sa.orm.foreign(Treatment.offer_id)
        ),
        order_by=lambda: Treatment.position,
        cascade="all, delete-orphan",
        lazy="raise_on_sql",
    )


class Treatment(Audited, TenantScoped, Timestamped, Base):
    """One line of an offer: a treatment on teeth, an arch or the mouth, with its price."""

    __tablename__ = "treatments"
    __table_args__ = (
        tenant_reference("offer_id", "offers", ondelete="CASCADE"),
        tenant_reference("catalog_id", "treatment_catalog"),
        tenant_reference("option_id", "offer_options"),
        sa.Index(None, "clinic_id", "option_id"),
        sa.Index(None, "clinic_id", "offer_id", "position"),
        sa.Index(None, "clinic_id", "catalog_id"),
        one_of("scope", Scope),
        one_of("arch", Jaw),
        one_of("discount_kind", DiscountKind),
        one_of("decision", Decision),
        sa.CheckConstraint("quantity > 0", name="quantity"),
        sa.CheckConstraint("unit_price >= 0", name="unit_price"),
        sa.CheckConstraint("vat_rate >= 0 AND vat_rate <= 100", name="vat_rate"),
        sa.CheckConstraint("(discount_kind IS NULL) = (discount_value IS NULL)", name="discount"),
    )

    offer_id: Mapped[UUID]
    catalog_id: Mapped[UUID | None]
    position: Mapped[int] = mapped_column(sa.SmallInteger, server_default="0")
    code: Mapped[str | None] = mapped_column(sa.String(40))
    name: Mapped[str] = mapped_column(sa.String(200))
    scope: Mapped[str] = mapped_column(sa.String(10), server_default="mouth")
    arch: Mapped[str | None] = mapped_column(sa.String(5))
    quantity: Mapped[Decimal] = mapped_column(sa.Numeric(8, 2), server_default="1")
    unit_price: Mapped[Decimal]
    discount_kind: Mapped[str | None] = mapped_column(sa.String(10))
    discount_value: Mapped[Decimal | None]
    vat_rate: Mapped[Decimal] = mapped_column(sa.Numeric(5, 2), server_default="0")
    line_base: Mapped[Decimal] = mapped_column(server_default="0")
    line_discount: Mapped[Decimal] = mapped_column(server_default="0")
    line_net: Mapped[Decimal] = mapped_column(server_default="0")
    line_vat: Mapped[Decimal] = mapped_column(server_default="0")
    line_gross: Mapped[Decimal] = mapped_column(server_default="0")
    option_id: Mapped[UUID | None]  # None: part of every option
    is_included: Mapped[bool] = mapped_column(
        server_default=sa.false(), default=False
    )  # part of a package, at no price
    brand: Mapped[str | None] = mapped_column(sa.String(80))
    material: Mapped[str | None] = mapped_column(sa.String(80))
    abutment: Mapped[str | None] = mapped_column(sa.String(80))
    vat_class: Mapped[str | None] = mapped_column(sa.String(20))
    vat_exemption_code: Mapped[str | None] = mapped_column(sa.String(20))
    offer_discount: Mapped[Decimal] = mapped_column(server_default="0")  # this line's share of the offer's discount
    visit_no: Mapped[int | None] = mapped_column(sa.SmallInteger)
    healing_days: Mapped[int | None] = mapped_column(sa.SmallInteger)
    warranty_months: Mapped[int | None] = mapped_column(sa.SmallInteger)
    decision: Mapped[str | None] = mapped_column(sa.String(10))

    teeth: Mapped[list[TreatmentTooth]] = relationship(
        primaryjoin=lambda: sa.and_(
            Treatment.clinic_id == TreatmentTooth.clinic_id,
            Treatment.id == sa.orm.foreign(TreatmentTooth.treatment_id),
        ),
        order_by=lambda: TreatmentTooth.position,
        cascade="all, delete-orphan",
        lazy="raise_on_sql",
    )


class TreatmentTooth(Audited, TenantScoped, Base):
    """A tooth of a line, by its FDI number (ISO 3950)."""

    __tablename__ = "treatment_teeth"
    __table_args__ = (
        sa.UniqueConstraint("clinic_id", "treatment_id", "tooth"),
        tenant_reference("treatment_id", "treatments", ondelete="CASCADE"),
        sa.CheckConstraint(
            "(tooth / 10 BETWEEN 1 AND 4 AND tooth % 10 BETWEEN 1 AND 8)"
            " OR (tooth / 10 BETWEEN 5 AND 8 AND tooth % 10 BETWEEN 1 AND 5)",
            name="tooth",
        ),
        one_of("role", ToothRole),
        sa.CheckConstraint("surfaces ~ '^[MODVL]{1,5}$'", name="surfaces"),
    )

    treatment_id: Mapped[UUID]
    tooth: Mapped[int] = mapped_column(sa.SmallInteger)
    role: Mapped[str] = mapped_column(sa.String(7), server_default="unit", default=ToothRole.UNIT)
    surfaces: Mapped[str | None] = mapped_column(sa.String(5))  # of M O D V L
    position: Mapped[int] = mapped_column(sa.SmallInteger, server_default="0")


class PatientOffer(Audited, TenantScoped, Timestamped, Base):
    """An offer assigned to a patient; an offer may be shown to several, a family for example."""

    __tablename__ = "patient_offers"
    __table_args__ = (
        sa.UniqueConstraint("clinic_id", "patient_id", "offer_id"),
        tenant_reference("patient_id", "patients"),
        tenant_reference("offer_id", "offers"),
        sa.Index(None, "clinic_id", "offer_id"),
        sa.Index("uq_patient_offers_token_hash", "clinic_id", "token_hash", unique=True),
        one_of("verify_method", Verify),
        one_of("channel", Channel),
    )
    audit_hidden = frozenset({"token_hash", "token_hint", "verify_hash"})
    audit_skipped = frozenset({"read_seconds", "last_viewed_at"})  # told every few seconds while she reads

    patient_id: Mapped[UUID]
    offer_id: Mapped[UUID]
    assigned: Mapped[bool] = mapped_column(server_default=sa.false(), default=False)
    visible: Mapped[bool] = mapped_column(server_default=sa.true(), default=True)
    token_hash: Mapped[bytes | None] = mapped_column(sa.LargeBinary)  # of the private link; None: none was made
    token_hint: Mapped[str | None] = mapped_column(sa.String(8))
    locale: Mapped[str | None] = mapped_column(sa.String(8))
    verify_method: Mapped[str | None] = mapped_column(sa.String(12))
    verify_hash: Mapped[str | None] = mapped_column(sa.String(255))  # of what must be typed
    failed_count: Mapped[int] = mapped_column(sa.SmallInteger, server_default="0", default=0)
    locked_at: Mapped[datetime | None]
    expires_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]
    channel: Mapped[str | None] = mapped_column(sa.String(10))
    sent_at: Mapped[datetime | None]
    first_viewed_at: Mapped[datetime | None]
    last_viewed_at: Mapped[datetime | None]
    view_count: Mapped[int] = mapped_column(server_default="0", default=0)
    read_seconds: Mapped[int] = mapped_column(server_default="0", default=0)


class OfferOption(Audited, TenantScoped, Base):
    """One of several ways to treat, A, B or C, among which the patient chooses."""

    __tablename__ = "offer_options"
    __table_args__ = (
        sa.UniqueConstraint("clinic_id", "offer_id", "label"),
        tenant_reference("offer_id", "offers", ondelete="CASCADE"),
    )

    offer_id: Mapped[UUID]
    label: Mapped[str] = mapped_column(sa.String(2))
    title: Mapped[str | None] = mapped_column(sa.String(120))
    position: Mapped[int] = mapped_column(sa.SmallInteger, server_default="0")
    is_recommended: Mapped[bool] = mapped_column(server_default=sa.false(), default=False)


class OfferVisit(Audited, TenantScoped, Base):
    """A stay at the clinic: how many days, and how long to heal before it."""

    __tablename__ = "offer_visits"
    __table_args__ = (
        sa.UniqueConstraint("clinic_id", "offer_id", "visit_no"),
        tenant_reference("offer_id", "offers", ondelete="CASCADE"),
        sa.CheckConstraint("days >= 1", name="days"),
    )

    offer_id: Mapped[UUID]
    visit_no: Mapped[int] = mapped_column(sa.SmallInteger)
    days: Mapped[int] = mapped_column(sa.SmallInteger, server_default="1", default=1)
    gap_days_before: Mapped[int] = mapped_column(sa.SmallInteger, server_default="0", default=0)
    starts_on: Mapped[date | None]  # proposed to the patient
    note: Mapped[str | None] = mapped_column(sa.String(200))


class OfferTerm(ClinicOwned, Base):
    """A folded word that finds an offer: of its number, its title and its patients."""

    __tablename__ = "offer_terms"
    __table_args__ = (
        tenant_reference("offer_id", "offers", ondelete="CASCADE"),
        sa.Index(None, "clinic_id", "offer_id"),
    )

    term: Mapped[str] = mapped_column(sa.Text(collation="C"), primary_key=True)
    offer_id: Mapped[UUID] = mapped_column(primary_key=True)
