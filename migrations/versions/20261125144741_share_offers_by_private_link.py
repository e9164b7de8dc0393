"""Share offers by private link.

What it does: offers get revisions, options, visits, a discount of their own, the doctor's sign-off and the hash of
what was sent; lines get brands, VAT exemptions and the patient's decision, teeth get roles and surfaces; an
assignment gets its private link with a second factor; creates the events, documents, questions and signatures of
offers, the clinics' pictures and the outbox of mails.
Warnings: none; the release before this one does not look at any of it, and every new column may be empty or has a
constant default. Each ALTER waits at most 100 ms for its lock and is tried again; no table is written anew.
Phases: expand: new tables; columns; checks and foreign keys NOT VALID, then validated; indexes CONCURRENTLY.
Downgrade: the new tables, and the new columns of offers, patient_offers, pdf_templates, treatment_teeth and
treatments, are kept in keep_20261125144741_<table>.

Revision ID: 20261125144741
Revises: 20261125144341
Create Date: 2026-11-25 14:47:41+00:00
"""

from __future__ import annotations

from portal.ops import evolve

revision = "20261125144741"
down_revision = "20261125144341"
branch_labels = None
depends_on = None

phase = "expand"

TABLE_CLINIC_IMAGES = """
    CREATE TABLE IF NOT EXISTS clinic_images (
        clinic_id uuid NOT NULL,
        id uuid NOT NULL,
        mime varchar(20) NOT NULL,
        content bytea NOT NULL,
        sha256 varchar(64) NOT NULL,
        width integer NOT NULL,
        height integer NOT NULL,
        created_at timestamptz NOT NULL DEFAULT now(),
        updated_at timestamptz NOT NULL DEFAULT now(),
        CONSTRAINT pk_clinic_images PRIMARY KEY (clinic_id, id),
        CONSTRAINT fk_clinic_images_clinic_id FOREIGN KEY (clinic_id) REFERENCES clinics (id)
    )
"""
TABLE_OUTBOX_MAILS = """
    CREATE TABLE IF NOT EXISTS outbox_mails (
        clinic_id uuid NOT NULL,
        id uuid NOT NULL,
        kind varchar(40) NOT NULL,
        dedupe_key varchar(120),
        to_address varchar(254) NOT NULL,
        subject varchar(200) NOT NULL,
        body text NOT NULL,
        status varchar(6) NOT NULL DEFAULT 'queued',
        attempts smallint NOT NULL DEFAULT '0',
        due_at timestamptz NOT NULL DEFAULT now(),
        created_at timestamptz NOT NULL DEFAULT now(),
        sent_at timestamptz,
        last_error varchar(200),
        about_id uuid,
        CONSTRAINT pk_outbox_mails PRIMARY KEY (clinic_id, id),
        CONSTRAINT uq_outbox_mails_clinic_id_dedupe_key UNIQUE (clinic_id, dedupe_key),
        CONSTRAINT ck_outbox_mails_status CHECK (status IN ('queued', 'sent', 'failed')),
        CONSTRAINT fk_outbox_mails_clinic_id FOREIGN KEY (clinic_id) REFERENCES clinics (id)
    )
"""
TABLE_OFFER_OPTIONS = """
    CREATE TABLE IF NOT EXISTS offer_options (
        clinic_id uuid NOT NULL,
        id uuid NOT NULL,
        offer_id uuid NOT NULL,
        label varchar(2) NOT NULL,
        title varchar(120),
        position smallint NOT NULL DEFAULT '0',
        is_recommended boolean NOT NULL DEFAULT false,
        CONSTRAINT pk_offer_options PRIMARY KEY (clinic_id, id),
        CONSTRAINT uq_offer_options_clinic_id_offer_id_label UNIQUE (clinic_id, offer_id, label),
        CONSTRAINT fk_offer_options_clinic_id FOREIGN KEY (clinic_id) REFERENCES clinics (id),
        CONSTRAINT fk_offer_options_clinic_id_offer_id FOREIGN KEY (clinic_id, offer_id)
            REFERENCES offers (clinic_id, id) ON DELETE CASCADE
    )
"""
TABLE_OFFER_VISITS = """
    CREATE TABLE IF NOT EXISTS offer_visits (
        clinic_id uuid NOT NULL,
        id uuid NOT NULL,
        offer_id uuid NOT NULL,
        visit_no smallint NOT NULL,
        days smallint NOT NULL DEFAULT '1',
        gap_days_before smallint NOT NULL DEFAULT '0',
        starts_on date,
        note varchar(200),
        CONSTRAINT pk_offer_visits PRIMARY KEY (clinic_id, id),
        CONSTRAINT uq_offer_visits_clinic_id_offer_id_visit_no UNIQUE (clinic_id, offer_id, visit_no),
        CONSTRAINT ck_offer_visits_days CHECK (days >= 1),
        CONSTRAINT fk_offer_visits_clinic_id FOREIGN KEY (clinic_id) REFERENCES clinics (id),
        CONSTRAINT fk_offer_visits_clinic_id_offer_id FOREIGN KEY (clinic_id, offer_id)
            REFERENCES offers (clinic_id, id) ON DELETE CASCADE
    )
"""
TABLE_PDF_DOCUMENTS = """
    CREATE TABLE IF NOT EXISTS pdf_documents (
        clinic_id uuid NOT NULL,
        id uuid NOT NULL,
        offer_id uuid NOT NULL,
        locale varchar(8) NOT NULL,
        content_sha256 varchar(64) NOT NULL,
        sha256 varchar(64) NOT NULL,
        content bytea NOT NULL,
        made_at timestamptz NOT NULL DEFAULT now(),
        CONSTRAINT pk_pdf_documents PRIMARY KEY (clinic_id, id),
        CONSTRAINT uq_pdf_documents_clinic_id_offer_id_locale_content_sha256 UNIQUE (clinic_id, offer_id, locale,
            content_sha256),
        CONSTRAINT fk_pdf_documents_clinic_id FOREIGN KEY (clinic_id) REFERENCES clinics (id),
        CONSTRAINT fk_pdf_documents_clinic_id_offer_id FOREIGN KEY (clinic_id, offer_id)
            REFERENCES offers (clinic_id, id) ON DELETE CASCADE
    )
"""
TABLE_OFFER_EVENTS = """
    CREATE TABLE IF NOT EXISTS offer_events (
        clinic_id uuid NOT NULL,
        id uuid NOT NULL,
        offer_id uuid NOT NULL,
        patient_offer_id uuid,
        kind varchar(15) NOT NULL,
        at timestamptz NOT NULL DEFAULT now(),
        actor_kind varchar(10) NOT NULL DEFAULT 'system',
        actor_id uuid,
        meta jsonb NOT NULL DEFAULT '{}',
        CONSTRAINT pk_offer_events PRIMARY KEY (clinic_id, id),
        CONSTRAINT ck_offer_events_kind CHECK (kind IN ('created', 'sent', 'opened', 'verified', 'verify_failed',
            'section_read', 'pdf', 'question', 'answered', 'accepted', 'declined', 'expired', 'reissued', 'revoked',
            'revised')),
        CONSTRAINT fk_offer_events_clinic_id FOREIGN KEY (clinic_id) REFERENCES clinics (id),
        CONSTRAINT fk_offer_events_clinic_id_offer_id FOREIGN KEY (clinic_id, offer_id)
            REFERENCES offers (clinic_id, id) ON DELETE CASCADE,
        CONSTRAINT fk_offer_events_clinic_id_patient_offer_id FOREIGN KEY (clinic_id, patient_offer_id)
            REFERENCES patient_offers (clinic_id, id)
    )
"""
TABLE_OFFER_QUESTIONS = """
    CREATE TABLE IF NOT EXISTS offer_questions (
        clinic_id uuid NOT NULL,
        id uuid NOT NULL,
        offer_id uuid NOT NULL,
        patient_offer_id uuid NOT NULL,
        body text NOT NULL,
        asked_at timestamptz NOT NULL DEFAULT now(),
        answer text,
        answered_at timestamptz,
        answered_by_id uuid,
        form_key uuid,
        CONSTRAINT pk_offer_questions PRIMARY KEY (clinic_id, id),
        CONSTRAINT uq_offer_questions_clinic_id_form_key UNIQUE (clinic_id, form_key),
        CONSTRAINT fk_offer_questions_clinic_id FOREIGN KEY (clinic_id) REFERENCES clinics (id),
        CONSTRAINT fk_offer_questions_clinic_id_answered_by_id FOREIGN KEY (clinic_id, answered_by_id)
            REFERENCES users (clinic_id, id),
        CONSTRAINT fk_offer_questions_clinic_id_offer_id FOREIGN KEY (clinic_id, offer_id)
            REFERENCES offers (clinic_id, id) ON DELETE CASCADE,
        CONSTRAINT fk_offer_questions_clinic_id_patient_offer_id FOREIGN KEY (clinic_id, patient_offer_id)
            REFERENCES patient_offers (clinic_id, id)
    )
"""
TABLE_OFFER_SIGNATURES = """
    CREATE TABLE IF NOT EXISTS offer_signatures (
        clinic_id uuid NOT NULL,
        id uuid NOT NULL,
        offer_id uuid NOT NULL,
        patient_offer_id uuid NOT NULL,
        option_id uuid,
        accepted_lines jsonb NOT NULL,
        signer_name varchar(200) NOT NULL,
        method varchar(5) NOT NULL,
        drawing jsonb,
        content_sha256 varchar(64) NOT NULL,
        locale varchar(8) NOT NULL,
        ip varchar(45),
        user_agent varchar(300),
        signed_at timestamptz NOT NULL DEFAULT now(),
        CONSTRAINT pk_offer_signatures PRIMARY KEY (clinic_id, id),
        CONSTRAINT uq_offer_signatures_clinic_id_offer_id UNIQUE (clinic_id, offer_id),
        CONSTRAINT ck_offer_signatures_method CHECK (method IN ('typed', 'drawn')),
        CONSTRAINT fk_offer_signatures_clinic_id FOREIGN KEY (clinic_id) REFERENCES clinics (id),
        CONSTRAINT fk_offer_signatures_clinic_id_offer_id FOREIGN KEY (clinic_id, offer_id)
            REFERENCES offers (clinic_id, id),
        CONSTRAINT fk_offer_signatures_clinic_id_option_id FOREIGN KEY (clinic_id, option_id)
            REFERENCES offer_options (clinic_id, id),
        CONSTRAINT fk_offer_signatures_clinic_id_patient_offer_id FOREIGN KEY (clinic_id, patient_offer_id)
            REFERENCES patient_offers (clinic_id, id)
    )
"""


def upgrade() -> None:
    evolve.run(TABLE_CLINIC_IMAGES)
    evolve.restore_table(revision, "clinic_images")
    evolve.protect_table("clinic_images", "SELECT, INSERT, UPDATE, DELETE")
    evolve.run(TABLE_OUTBOX_MAILS)
    evolve.restore_table(revision, "outbox_mails")
    evolve.protect_table("outbox_mails", "SELECT, INSERT, UPDATE, DELETE")
    evolve.run(TABLE_OFFER_OPTIONS)
    evolve.restore_table(revision, "offer_options")
    evolve.protect_table("offer_options", "SELECT, INSERT, UPDATE, DELETE")
    evolve.run(TABLE_OFFER_VISITS)
    evolve.restore_table(revision, "offer_visits")
    evolve.protect_table("offer_visits", "SELECT, INSERT, UPDATE, DELETE")
    evolve.run(TABLE_PDF_DOCUMENTS)
    evolve.restore_table(revision, "pdf_documents")
    evolve.protect_table("pdf_documents", "SELECT, INSERT")
    evolve.run(TABLE_OFFER_EVENTS)
    evolve.restore_table(revision, "offer_events")
    evolve.protect_table("offer_events", "SELECT, INSERT")
    evolve.run(TABLE_OFFER_QUESTIONS)
    evolve.restore_table(revision, "offer_questions")
    evolve.protect_table("offer_questions", "SELECT, INSERT, UPDATE, DELETE")
    evolve.run(TABLE_OFFER_SIGNATURES)
    evolve.restore_table(revision, "offer_signatures")
    evolve.protect_table("offer_signatures", "SELECT, INSERT")
    with evolve.online():
        evolve.add_columns(
            "offers",
            "root_offer_id uuid",
            "revision_no smallint NOT NULL DEFAULT '1'",
            "superseded_at timestamptz",
            "locale varchar(8)",
            "price_list_id uuid",
            "discount_kind varchar(10)",
            "discount_value numeric(14, 2)",
            "residency varchar(12) NOT NULL DEFAULT 'resident'",
            "bulletin_id uuid",
            "doctor_id uuid",
            "coordinator_id uuid",
            "basis varchar(10)",
            "is_provisional boolean NOT NULL DEFAULT true",
            "first_viewed_at timestamptz",
            "decline_reason varchar(20)",
            "decline_note text",
            "content_sha256 varchar(64)",
            "signoff_asked_at timestamptz",
            "signed_off_at timestamptz",
            "signed_off_by_id uuid",
            "chosen_option_id uuid",
        )
        evolve.add_columns(
            "patient_offers",
            "token_hash bytea",
            "token_hint varchar(8)",
            "locale varchar(8)",
            "verify_method varchar(12)",
            "verify_hash varchar(255)",
            "failed_count smallint NOT NULL DEFAULT '0'",
            "locked_at timestamptz",
            "expires_at timestamptz",
            "revoked_at timestamptz",
            "channel varchar(10)",
            "sent_at timestamptz",
            "first_viewed_at timestamptz",
            "last_viewed_at timestamptz",
            "view_count integer NOT NULL DEFAULT '0'",
            "read_seconds integer NOT NULL DEFAULT '0'",
        )
        evolve.add_columns(
            "pdf_templates",
            "locale varchar(8)",
            "blocks jsonb NOT NULL DEFAULT '{}'",
            "accent varchar(7)",
            "logo_id uuid",
        )
        evolve.add_columns("treatment_teeth", "role varchar(7) NOT NULL DEFAULT 'unit'", "surfaces varchar(5)")
        evolve.add_columns(
            "treatments",
            "option_id uuid",
            "is_included boolean NOT NULL DEFAULT false",
            "brand varchar(80)",
            "material varchar(80)",
            "abutment varchar(80)",
            "vat_class varchar(20)",
            "vat_exemption_code varchar(20)",
            "offer_discount numeric(14, 2) NOT NULL DEFAULT '0'",
            "visit_no smallint",
            "healing_days smallint",
            "warranty_months smallint",
            "decision varchar(10)",
        )
    evolve.restore_columns(
        revision,
        "offers",
        {
            "root_offer_id": "CASE WHEN EXISTS (SELECT FROM offers AS p WHERE p.clinic_id = t.clinic_id AND p.id"
            " = k.root_offer_id) THEN k.root_offer_id END",
            "revision_no": "k.revision_no",
            "superseded_at": "k.superseded_at",
            "locale": "k.locale",
            "price_list_id": "CASE WHEN EXISTS (SELECT FROM price_lists AS p WHERE p.clinic_id = t.clinic_id AND"
            " p.id = k.price_list_id) THEN k.price_list_id END",
            "discount_kind": "k.discount_kind",
            "discount_value": "k.discount_value",
            "residency": "k.residency",
            "bulletin_id": "CASE WHEN EXISTS (SELECT FROM exchange_bulletins AS p WHERE p.id = k.bulletin_id)"
            " THEN k.bulletin_id END",
            "doctor_id": "CASE WHEN EXISTS (SELECT FROM users AS p WHERE p.clinic_id = t.clinic_id AND p.id ="
            " k.doctor_id) THEN k.doctor_id END",
            "coordinator_id": "CASE WHEN EXISTS (SELECT FROM users AS p WHERE p.clinic_id = t.clinic_id AND p.id"
            " = k.coordinator_id) THEN k.coordinator_id END",
            "basis": "k.basis",
            "is_provisional": "k.is_provisional",
            "first_viewed_at": "k.first_viewed_at",
            "decline_reason": "k.decline_reason",
            "decline_note": "k.decline_note",
            "content_sha256": "k.content_sha256",
            "signoff_asked_at": "k.signoff_asked_at",
            "signed_off_at": "k.signed_off_at",
            "signed_off_by_id": "CASE WHEN EXISTS (SELECT FROM users AS p WHERE p.clinic_id = t.clinic_id AND"
            " p.id = k.signed_off_by_id) THEN k.signed_off_by_id END",
            "chosen_option_id": "k.chosen_option_id",
        },
    )
    evolve.restore_columns(
        revision,
        "patient_offers",
        [
            "token_hash",
            "token_hint",
            "locale",
            "verify_method",
            "verify_hash",
            "failed_count",
            "locked_at",
            "expires_at",
            "revoked_at",
            "channel",
            "sent_at",
            "first_viewed_at",
            "last_viewed_at",
            "view_count",
            "read_seconds",
        ],
    )
    evolve.restore_columns(
        revision,
        "pdf_templates",
        {
            "locale": "k.locale",
            "blocks": "k.blocks",
            "accent": "k.accent",
            "logo_id": "CASE WHEN EXISTS (SELECT FROM clinic_images AS p WHERE p.clinic_id = t.clinic_id AND p.id"
            " = k.logo_id) THEN k.logo_id END",
        },
    )
    evolve.restore_columns(revision, "treatment_teeth", ["role", "surfaces"])
    evolve.restore_columns(
        revision,
        "treatments",
        {
            "option_id": "CASE WHEN EXISTS (SELECT FROM offer_options AS p WHERE p.clinic_id = t.clinic_id AND"
            " p.id = k.option_id) THEN k.option_id END",
            "is_included": "k.is_included",
            "brand": "k.brand",
            "material": "k.material",
            "abutment": "k.abutment",
            "vat_class": "k.vat_class",
            "vat_exemption_code": "k.vat_exemption_code",
            "offer_discount": "k.offer_discount",
            "visit_no": "k.visit_no",
            "healing_days": "k.healing_days",
            "warranty_months": "k.warranty_months",
            "decision": "k.decision",
        },
    )
    with evolve.online():
        evolve.add_check("offers", "ck_offers_basis", "basis IN ('exam', 'opg', 'cbct', 'photos')")
        evolve.add_check(
            "offers",
            "ck_offers_decline_reason",
            "decline_reason IN ('price', 'timing', 'travel', 'other_clinic', 'unsure', 'other')",
        )
        evolve.add_check("offers", "ck_offers_discount_kind", "discount_kind IN ('percent', 'amount')")
        evolve.add_check("offers", "ck_offers_residency", "residency IN ('resident', 'non_resident')")
        evolve.add_check(
            "patient_offers", "ck_patient_offers_channel", "channel IN ('whatsapp', 'email', 'qr', 'copy')"
        )
        evolve.add_check(
            "patient_offers",
            "ck_patient_offers_verify_method",
            "verify_method IN ('phone_last4', 'birth_date', 'code', 'none')",
        )
        evolve.add_check("treatment_teeth", "ck_treatment_teeth_role", "role IN ('unit', 'pillar', 'pontic')")
        evolve.add_check("treatment_teeth", "ck_treatment_teeth_surfaces", "surfaces ~ '^[MODVL]{1,5}$'")
        evolve.add_check("treatments", "ck_treatments_decision", "decision IN ('accepted', 'declined')")
        evolve.add_foreign_key("offers", ["clinic_id", "root_offer_id"], "offers", ["clinic_id", "id"])
        evolve.add_foreign_key("offers", ["clinic_id", "signed_off_by_id"], "users", ["clinic_id", "id"])
        evolve.add_foreign_key("offers", ["clinic_id", "price_list_id"], "price_lists", ["clinic_id", "id"])
        evolve.add_foreign_key("offers", ["bulletin_id"], "exchange_bulletins")
        evolve.add_foreign_key("offers", ["clinic_id", "coordinator_id"], "users", ["clinic_id", "id"])
        evolve.add_foreign_key("offers", ["clinic_id", "doctor_id"], "users", ["clinic_id", "id"])
        evolve.add_foreign_key("pdf_templates", ["clinic_id", "logo_id"], "clinic_images", ["clinic_id", "id"])
        evolve.add_foreign_key("treatments", ["clinic_id", "option_id"], "offer_options", ["clinic_id", "id"])
        evolve.create_index("ix_outbox_mails_clinic_id_status_due_at", "outbox_mails", "clinic_id, status, due_at")
        evolve.create_index("ix_offer_events_clinic_id_offer_id_id", "offer_events", "clinic_id, offer_id, id")
        evolve.create_index("ix_offer_events_clinic_id_patient_offer_id", "offer_events", "clinic_id, patient_offer_id")
        evolve.create_index(
            "ix_offer_questions_clinic_id_answered_by_id", "offer_questions", "clinic_id, answered_by_id"
        )
        evolve.create_index("ix_offer_questions_clinic_id_offer_id_id", "offer_questions", "clinic_id, offer_id, id")
        evolve.create_index(
            "ix_offer_questions_clinic_id_patient_offer_id", "offer_questions", "clinic_id, patient_offer_id"
        )
        evolve.create_index("ix_offer_signatures_clinic_id_option_id", "offer_signatures", "clinic_id, option_id")
        evolve.create_index(
            "ix_offer_signatures_clinic_id_patient_offer_id", "offer_signatures", "clinic_id, patient_offer_id"
        )
        evolve.create_index("ix_offers_clinic_id_coordinator_id", "offers", "clinic_id, coordinator_id")
        evolve.create_index("ix_offers_clinic_id_doctor_id", "offers", "clinic_id, doctor_id")
        evolve.create_index("ix_offers_clinic_id_price_list_id", "offers", "clinic_id, price_list_id")
        evolve.create_index("ix_offers_clinic_id_root_offer_id", "offers", "clinic_id, root_offer_id")
        evolve.create_index("uq_patient_offers_token_hash", "patient_offers", "clinic_id, token_hash", unique=True)
        evolve.create_index("ix_pdf_templates_clinic_id_logo_id", "pdf_templates", "clinic_id, logo_id")
        evolve.create_index("ix_treatments_clinic_id_option_id", "treatments", "clinic_id, option_id")


def downgrade() -> None:
    with evolve.online():
        evolve.drop_constraint("treatments", "ck_treatments_decision")
        evolve.drop_constraint("treatments", "fk_treatments_clinic_id_option_id")
        evolve.drop_index("ix_treatments_clinic_id_option_id")
        evolve.drop_constraint("treatment_teeth", "ck_treatment_teeth_surfaces")
        evolve.drop_constraint("treatment_teeth", "ck_treatment_teeth_role")
        evolve.drop_constraint("pdf_templates", "fk_pdf_templates_clinic_id_logo_id")
        evolve.drop_index("ix_pdf_templates_clinic_id_logo_id")
        evolve.drop_constraint("patient_offers", "ck_patient_offers_verify_method")
        evolve.drop_constraint("patient_offers", "ck_patient_offers_channel")
        evolve.drop_index("uq_patient_offers_token_hash")
        evolve.drop_constraint("offers", "ck_offers_residency")
        evolve.drop_constraint("offers", "ck_offers_discount_kind")
        evolve.drop_constraint("offers", "ck_offers_decline_reason")
        evolve.drop_constraint("offers", "ck_offers_basis")
        evolve.drop_constraint("offers", "fk_offers_clinic_id_doctor_id")
        evolve.drop_constraint("offers", "fk_offers_clinic_id_coordinator_id")
        evolve.drop_constraint("offers", "fk_offers_bulletin_id")
        evolve.drop_constraint("offers", "fk_offers_clinic_id_price_list_id")
        evolve.drop_constraint("offers", "fk_offers_clinic_id_signed_off_by_id")
        evolve.drop_constraint("offers", "fk_offers_clinic_id_root_offer_id")
        evolve.drop_index("ix_offers_clinic_id_root_offer_id")
        evolve.drop_index("ix_offers_clinic_id_price_list_id")
        evolve.drop_index("ix_offers_clinic_id_doctor_id")
        evolve.drop_index("ix_offers_clinic_id_coordinator_id")
        evolve.drop_index("ix_offer_signatures_clinic_id_patient_offer_id")
        evolve.drop_index("ix_offer_signatures_clinic_id_option_id")
        evolve.drop_index("ix_offer_questions_clinic_id_patient_offer_id")
        evolve.drop_index("ix_offer_questions_clinic_id_offer_id_id")
        evolve.drop_index("ix_offer_questions_clinic_id_answered_by_id")
        evolve.drop_index("ix_offer_events_clinic_id_patient_offer_id")
        evolve.drop_index("ix_offer_events_clinic_id_offer_id_id")
        evolve.drop_index("ix_outbox_mails_clinic_id_status_due_at")
    evolve.keep_rows(
        revision,
        "treatments",
        "SELECT clinic_id, id, decision, warranty_months, healing_days, visit_no, offer_discount,"
        " vat_exemption_code, vat_class, abutment, material, brand, is_included, option_id FROM treatments",
    )
    evolve.keep_rows(revision, "treatment_teeth", "SELECT clinic_id, id, surfaces, role FROM treatment_teeth")
    evolve.keep_rows(
        revision, "pdf_templates", "SELECT clinic_id, id, logo_id, accent, blocks, locale FROM pdf_templates"
    )
    evolve.keep_rows(
        revision,
        "patient_offers",
        "SELECT clinic_id, id, read_seconds, view_count, last_viewed_at, first_viewed_at, sent_at, channel,"
        " revoked_at, expires_at, locked_at, failed_count, verify_hash, verify_method, locale, token_hint,"
        " token_hash FROM patient_offers",
    )
    evolve.keep_rows(
        revision,
        "offers",
        "SELECT clinic_id, id, chosen_option_id, signed_off_by_id, signed_off_at, signoff_asked_at,"
        " content_sha256, decline_note, decline_reason, first_viewed_at, is_provisional, basis, coordinator_id,"
        " doctor_id, bulletin_id, residency, discount_value, discount_kind, price_list_id, locale, superseded_at,"
        " revision_no, root_offer_id FROM offers",
    )
    evolve.keep_rows(revision, "offer_signatures", "TABLE offer_signatures")
    evolve.keep_rows(revision, "offer_questions", "TABLE offer_questions")
    evolve.keep_rows(revision, "offer_events", "TABLE offer_events")
    evolve.keep_rows(revision, "pdf_documents", "TABLE pdf_documents")
    evolve.keep_rows(revision, "offer_visits", "TABLE offer_visits")
    evolve.keep_rows(revision, "offer_options", "TABLE offer_options")
    evolve.keep_rows(revision, "outbox_mails", "TABLE outbox_mails")
    evolve.keep_rows(revision, "clinic_images", "TABLE clinic_images")
    evolve.run(
        "ALTER TABLE treatments DROP COLUMN decision, DROP COLUMN warranty_months, DROP COLUMN healing_days, DROP"
        " COLUMN visit_no, DROP COLUMN offer_discount, DROP COLUMN vat_exemption_code, DROP COLUMN vat_class,"
        " DROP COLUMN abutment, DROP COLUMN material, DROP COLUMN brand, DROP COLUMN is_included, DROP COLUMN"
        " option_id",
    )
    evolve.run("ALTER TABLE treatment_teeth DROP COLUMN surfaces, DROP COLUMN role")
    evolve.run(
        "ALTER TABLE pdf_templates DROP COLUMN logo_id, DROP COLUMN accent, DROP COLUMN blocks, DROP COLUMN locale",
    )
    evolve.run(
        "ALTER TABLE patient_offers DROP COLUMN read_seconds, DROP COLUMN view_count, DROP COLUMN last_viewed_at,"
        " DROP COLUMN first_viewed_at, DROP COLUMN sent_at, DROP COLUMN channel, DROP COLUMN revoked_at, DROP"
        " COLUMN expires_at, DROP COLUMN locked_at, DROP COLUMN failed_count, DROP COLUMN verify_hash, DROP"
        " COLUMN verify_method, DROP COLUMN locale, DROP COLUMN token_hint, DROP COLUMN token_hash",
    )
    evolve.run(
        "ALTER TABLE offers DROP COLUMN chosen_option_id, DROP COLUMN signed_off_by_id, DROP COLUMN"
        " signed_off_at, DROP COLUMN signoff_asked_at, DROP COLUMN content_sha256, DROP COLUMN decline_note, DROP"
        " COLUMN decline_reason, DROP COLUMN first_viewed_at, DROP COLUMN is_provisional, DROP COLUMN basis, DROP"
        " COLUMN coordinator_id, DROP COLUMN doctor_id, DROP COLUMN bulletin_id, DROP COLUMN residency, DROP"
        " COLUMN discount_value, DROP COLUMN discount_kind, DROP COLUMN price_list_id, DROP COLUMN locale, DROP"
        " COLUMN superseded_at, DROP COLUMN revision_no, DROP COLUMN root_offer_id",
    )
    evolve.run("DROP TABLE offer_signatures")
    evolve.run("DROP TABLE offer_questions")
    evolve.run("DROP TABLE offer_events")
    evolve.run("DROP TABLE pdf_documents")
    evolve.run("DROP TABLE offer_visits")
    evolve.run("DROP TABLE offer_options")
    evolve.run("DROP TABLE outbox_mails")
    evolve.run("DROP TABLE clinic_images")
