"""Add records, privacy, staff and follow-up.

What it does: reminders get a kind, a priority, an outcome, snoozing and the rule that made them; notes get who may
read them, mentions and what they said before; referral sources get kinds, groups, costs and transfers; people get a
second factor, single permissions and links to choose a password by; patients get their people, an emergency contact,
merges, a legal hold; creates the medical record, files, privacy texts, consents, the log of reads, requests of data
subjects, proofs of erasure, message templates, follow-up rules, calendar feeds and notifications; lets the application
delete the printed documents and the signatures of offers, as anonymising a patient asks.
Warnings: none; the release before this one does not look at any of it, and every new column may be empty or has a
constant default. Each ALTER waits at most 100 ms for its lock and is tried again; no table is written anew. A second
factor set up after this upgrade is not asked for while the older release serves.
Phases: expand: new tables; columns; checks and foreign keys NOT VALID, then validated; indexes CONCURRENTLY.
Downgrade: the new tables, and the new columns of notes, patients, platform_users, referral_sources, reminders and
users, are kept in keep_20261125171741_<table>.

Revision ID: 20261125171741
Revises: 20261125144741
Create Date: 2026-11-25 17:17:41+00:00
"""

from __future__ import annotations

from portal.ops import evolve

revision = "20261125171741"
down_revision = "20261125144741"
branch_labels = None
depends_on = None

phase = "expand"

TABLE_MESSAGE_TEMPLATES = """
    CREATE TABLE IF NOT EXISTS message_templates (
        clinic_id uuid NOT NULL,
        id uuid NOT NULL,
        key varchar(40) NOT NULL,
        channel varchar(10) NOT NULL,
        locale varchar(8) NOT NULL,
        subject varchar(200),
        body text NOT NULL,
        version integer NOT NULL DEFAULT '1',
        created_at timestamptz NOT NULL DEFAULT now(),
        updated_at timestamptz NOT NULL DEFAULT now(),
        CONSTRAINT pk_message_templates PRIMARY KEY (clinic_id, id),
        CONSTRAINT uq_message_templates_clinic_id_key_channel_locale UNIQUE (clinic_id, key, channel, locale),
        CONSTRAINT fk_message_templates_clinic_id FOREIGN KEY (clinic_id) REFERENCES clinics (id)
    )
"""
TABLE_PRIVACY_TEXTS = """
    CREATE TABLE IF NOT EXISTS privacy_texts (
        clinic_id uuid NOT NULL,
        id uuid NOT NULL,
        kind varchar(16) NOT NULL,
        locale varchar(8) NOT NULL,
        version_no smallint NOT NULL,
        body text NOT NULL,
        sha256 varchar(64) NOT NULL,
        published_at timestamptz NOT NULL DEFAULT now(),
        created_at timestamptz NOT NULL DEFAULT now(),
        updated_at timestamptz NOT NULL DEFAULT now(),
        CONSTRAINT pk_privacy_texts PRIMARY KEY (clinic_id, id),
        CONSTRAINT uq_privacy_texts_clinic_id_kind_locale_version_no UNIQUE (clinic_id, kind, locale, version_no),
        CONSTRAINT ck_privacy_texts_kind CHECK (kind IN ('notice', 'treatment', 'photo_record', 'photo_publish',
            'marketing', 'whatsapp', 'abroad_transfer')),
        CONSTRAINT fk_privacy_texts_clinic_id FOREIGN KEY (clinic_id) REFERENCES clinics (id)
    )
"""
TABLE_REFERRAL_SOURCE_GROUPS = """
    CREATE TABLE IF NOT EXISTS referral_source_groups (
        clinic_id uuid NOT NULL,
        id uuid NOT NULL,
        name varchar(120) NOT NULL,
        position smallint NOT NULL DEFAULT '0',
        created_at timestamptz NOT NULL DEFAULT now(),
        updated_at timestamptz NOT NULL DEFAULT now(),
        CONSTRAINT pk_referral_source_groups PRIMARY KEY (clinic_id, id),
        CONSTRAINT uq_referral_source_groups_clinic_id_name UNIQUE (clinic_id, name),
        CONSTRAINT fk_referral_source_groups_clinic_id FOREIGN KEY (clinic_id) REFERENCES clinics (id)
    )
"""
TABLE_ACCOUNT_TOKENS = """
    CREATE TABLE IF NOT EXISTS account_tokens (
        clinic_id uuid NOT NULL,
        id uuid NOT NULL,
        user_id uuid NOT NULL,
        kind varchar(8) NOT NULL,
        token_hash bytea NOT NULL,
        expires_at timestamptz NOT NULL,
        used_at timestamptz,
        revoked_at timestamptz,
        created_at timestamptz NOT NULL DEFAULT now(),
        updated_at timestamptz NOT NULL DEFAULT now(),
        CONSTRAINT pk_account_tokens PRIMARY KEY (clinic_id, id),
        CONSTRAINT uq_account_tokens_clinic_id_token_hash UNIQUE (clinic_id, token_hash),
        CONSTRAINT ck_account_tokens_kind CHECK (kind IN ('invite', 'reset')),
        CONSTRAINT fk_account_tokens_clinic_id FOREIGN KEY (clinic_id) REFERENCES clinics (id),
        CONSTRAINT fk_account_tokens_clinic_id_user_id FOREIGN KEY (clinic_id, user_id)
            REFERENCES users (clinic_id, id) ON DELETE CASCADE
    )
"""
TABLE_CALENDAR_FEEDS = """
    CREATE TABLE IF NOT EXISTS calendar_feeds (
        clinic_id uuid NOT NULL,
        id uuid NOT NULL,
        user_id uuid NOT NULL,
        token_hash bytea NOT NULL,
        revoked_at timestamptz,
        created_at timestamptz NOT NULL DEFAULT now(),
        updated_at timestamptz NOT NULL DEFAULT now(),
        CONSTRAINT pk_calendar_feeds PRIMARY KEY (clinic_id, id),
        CONSTRAINT uq_calendar_feeds_clinic_id_token_hash UNIQUE (clinic_id, token_hash),
        CONSTRAINT fk_calendar_feeds_clinic_id FOREIGN KEY (clinic_id) REFERENCES clinics (id),
        CONSTRAINT fk_calendar_feeds_clinic_id_user_id FOREIGN KEY (clinic_id, user_id) REFERENCES users (clinic_id,
            id)
    )
"""
TABLE_FOLLOW_UP_RULES = """
    CREATE TABLE IF NOT EXISTS follow_up_rules (
        clinic_id uuid NOT NULL,
        id uuid NOT NULL,
        name varchar(120) NOT NULL,
        trigger varchar(12) NOT NULL,
        delay_hours integer NOT NULL,
        kind varchar(10) NOT NULL DEFAULT 'call',
        priority varchar(6) NOT NULL DEFAULT 'normal',
        title varchar(200) NOT NULL,
        assignee varchar(12) NOT NULL DEFAULT 'coordinator',
        assignee_id uuid,
        is_active boolean NOT NULL DEFAULT true,
        active_since timestamptz NOT NULL DEFAULT now(),
        position smallint NOT NULL DEFAULT '0',
        version integer NOT NULL DEFAULT '1',
        created_at timestamptz NOT NULL DEFAULT now(),
        updated_at timestamptz NOT NULL DEFAULT now(),
        CONSTRAINT pk_follow_up_rules PRIMARY KEY (clinic_id, id),
        CONSTRAINT ck_follow_up_rules_assignee CHECK (assignee IN ('coordinator', 'doctor', 'user')),
        CONSTRAINT ck_follow_up_rules_delay_hours CHECK (delay_hours >= 0),
        CONSTRAINT ck_follow_up_rules_kind CHECK (kind IN ('call', 'message', 'task', 'recall')),
        CONSTRAINT ck_follow_up_rules_priority CHECK (priority IN ('low', 'normal', 'high')),
        CONSTRAINT ck_follow_up_rules_trigger CHECK (trigger IN ('unopened', 'undecided', 'expiring', 'declined',
            'accepted', 'question')),
        CONSTRAINT fk_follow_up_rules_clinic_id FOREIGN KEY (clinic_id) REFERENCES clinics (id),
        CONSTRAINT fk_follow_up_rules_clinic_id_assignee_id FOREIGN KEY (clinic_id, assignee_id)
            REFERENCES users (clinic_id, id)
    )
"""
TABLE_NOTIFICATIONS = """
    CREATE TABLE IF NOT EXISTS notifications (
        clinic_id uuid NOT NULL,
        id uuid NOT NULL,
        user_id uuid NOT NULL,
        kind varchar(40) NOT NULL,
        object_type varchar(40) NOT NULL,
        object_id uuid NOT NULL,
        props jsonb NOT NULL DEFAULT '{}',
        dedupe_key varchar(120),
        created_at timestamptz NOT NULL DEFAULT now(),
        read_at timestamptz,
        CONSTRAINT pk_notifications PRIMARY KEY (clinic_id, id),
        CONSTRAINT uq_notifications_clinic_id_user_id_dedupe_key UNIQUE (clinic_id, user_id, dedupe_key),
        CONSTRAINT fk_notifications_clinic_id FOREIGN KEY (clinic_id) REFERENCES clinics (id),
        CONSTRAINT fk_notifications_clinic_id_user_id FOREIGN KEY (clinic_id, user_id)
            REFERENCES users (clinic_id, id) ON DELETE CASCADE
    )
"""
TABLE_USER_PERMISSIONS = """
    CREATE TABLE IF NOT EXISTS user_permissions (
        clinic_id uuid NOT NULL,
        id uuid NOT NULL,
        user_id uuid NOT NULL,
        permission varchar(40) NOT NULL,
        is_granted boolean NOT NULL,
        created_at timestamptz NOT NULL DEFAULT now(),
        updated_at timestamptz NOT NULL DEFAULT now(),
        CONSTRAINT pk_user_permissions PRIMARY KEY (clinic_id, id),
        CONSTRAINT uq_user_permissions_clinic_id_user_id_permission UNIQUE (clinic_id, user_id, permission),
        CONSTRAINT fk_user_permissions_clinic_id FOREIGN KEY (clinic_id) REFERENCES clinics (id),
        CONSTRAINT fk_user_permissions_clinic_id_user_id FOREIGN KEY (clinic_id, user_id)
            REFERENCES users (clinic_id, id) ON DELETE CASCADE
    )
"""
TABLE_REFERRAL_TRANSFERS = """
    CREATE TABLE IF NOT EXISTS referral_transfers (
        clinic_id uuid NOT NULL,
        id uuid NOT NULL,
        from_id uuid NOT NULL,
        to_id uuid NOT NULL,
        patient_ids jsonb NOT NULL,
        archived_source boolean NOT NULL DEFAULT false,
        actor_id uuid,
        moved_at timestamptz NOT NULL DEFAULT now(),
        undone_at timestamptz,
        CONSTRAINT pk_referral_transfers PRIMARY KEY (clinic_id, id),
        CONSTRAINT fk_referral_transfers_clinic_id FOREIGN KEY (clinic_id) REFERENCES clinics (id),
        CONSTRAINT fk_referral_transfers_clinic_id_actor_id FOREIGN KEY (clinic_id, actor_id)
            REFERENCES users (clinic_id, id),
        CONSTRAINT fk_referral_transfers_clinic_id_from_id FOREIGN KEY (clinic_id, from_id)
            REFERENCES referral_sources (clinic_id, id),
        CONSTRAINT fk_referral_transfers_clinic_id_to_id FOREIGN KEY (clinic_id, to_id)
            REFERENCES referral_sources (clinic_id, id)
    )
"""
TABLE_DATA_SUBJECT_REQUESTS = """
    CREATE TABLE IF NOT EXISTS data_subject_requests (
        clinic_id uuid NOT NULL,
        id uuid NOT NULL,
        patient_id uuid,
        kind varchar(8) NOT NULL,
        received_on date NOT NULL,
        due_on date NOT NULL,
        status varchar(8) NOT NULL DEFAULT 'open',
        detail text,
        outcome text,
        handled_by_id uuid,
        handled_at timestamptz,
        version integer NOT NULL DEFAULT '1',
        created_at timestamptz NOT NULL DEFAULT now(),
        updated_at timestamptz NOT NULL DEFAULT now(),
        CONSTRAINT pk_data_subject_requests PRIMARY KEY (clinic_id, id),
        CONSTRAINT ck_data_subject_requests_kind CHECK (kind IN ('access', 'export', 'rectify', 'erase', 'object')),
        CONSTRAINT ck_data_subject_requests_status CHECK (status IN ('open', 'done', 'refused')),
        CONSTRAINT fk_data_subject_requests_clinic_id FOREIGN KEY (clinic_id) REFERENCES clinics (id),
        CONSTRAINT fk_data_subject_requests_clinic_id_handled_by_id FOREIGN KEY (clinic_id, handled_by_id)
            REFERENCES users (clinic_id, id),
        CONSTRAINT fk_data_subject_requests_clinic_id_patient_id FOREIGN KEY (clinic_id, patient_id)
            REFERENCES patients (clinic_id, id)
    )
"""
TABLE_PATIENT_ACCESS_LOG = """
    CREATE TABLE IF NOT EXISTS patient_access_log (
        clinic_id uuid NOT NULL,
        id uuid NOT NULL,
        patient_id uuid NOT NULL,
        at timestamptz NOT NULL DEFAULT now(),
        actor_kind varchar(10) NOT NULL,
        actor_id uuid,
        actor_name varchar(200) NOT NULL,
        action varchar(8) NOT NULL,
        page varchar(80),
        ip varchar(45),
        request_id varchar(40),
        CONSTRAINT pk_patient_access_log PRIMARY KEY (clinic_id, id),
        CONSTRAINT ck_patient_access_log_action CHECK (action IN ('view', 'medical', 'file', 'export', 'print',
            'edit')),
        CONSTRAINT ck_patient_access_log_actor_kind CHECK (actor_kind IN ('user', 'platform', 'system')),
        CONSTRAINT fk_patient_access_log_clinic_id FOREIGN KEY (clinic_id) REFERENCES clinics (id),
        CONSTRAINT fk_patient_access_log_clinic_id_patient_id FOREIGN KEY (clinic_id, patient_id)
            REFERENCES patients (clinic_id, id)
    )
"""
TABLE_PATIENT_FILES = """
    CREATE TABLE IF NOT EXISTS patient_files (
        clinic_id uuid NOT NULL,
        id uuid NOT NULL,
        patient_id uuid NOT NULL,
        kind varchar(10) NOT NULL,
        storage_key varchar(120) NOT NULL,
        thumbnail_key varchar(120),
        filename varchar(200) NOT NULL,
        mime varchar(80) NOT NULL,
        size bigint NOT NULL,
        sha256 varchar(64) NOT NULL,
        taken_on date,
        note varchar(500),
        uploaded_by_id uuid,
        deleted_at timestamptz,
        form_key uuid,
        created_at timestamptz NOT NULL DEFAULT now(),
        updated_at timestamptz NOT NULL DEFAULT now(),
        CONSTRAINT pk_patient_files PRIMARY KEY (clinic_id, id),
        CONSTRAINT uq_patient_files_clinic_id_form_key UNIQUE (clinic_id, form_key),
        CONSTRAINT uq_patient_files_clinic_id_storage_key UNIQUE (clinic_id, storage_key),
        CONSTRAINT ck_patient_files_kind CHECK (kind IN ('xray', 'photo', 'scan', 'identity', 'consent', 'other')),
        CONSTRAINT fk_patient_files_clinic_id FOREIGN KEY (clinic_id) REFERENCES clinics (id),
        CONSTRAINT fk_patient_files_clinic_id_patient_id FOREIGN KEY (clinic_id, patient_id)
            REFERENCES patients (clinic_id, id),
        CONSTRAINT fk_patient_files_clinic_id_uploaded_by_id FOREIGN KEY (clinic_id, uploaded_by_id)
            REFERENCES users (clinic_id, id)
    )
"""
TABLE_PATIENT_MEDICAL = """
    CREATE TABLE IF NOT EXISTS patient_medical (
        clinic_id uuid NOT NULL,
        id uuid NOT NULL,
        patient_id uuid NOT NULL,
        sealed bytea NOT NULL,
        key_id varchar(20) NOT NULL,
        reviewed_by_id uuid,
        reviewed_at timestamptz,
        version integer NOT NULL DEFAULT '1',
        created_at timestamptz NOT NULL DEFAULT now(),
        updated_at timestamptz NOT NULL DEFAULT now(),
        CONSTRAINT pk_patient_medical PRIMARY KEY (clinic_id, id),
        CONSTRAINT uq_patient_medical_clinic_id_patient_id UNIQUE (clinic_id, patient_id),
        CONSTRAINT fk_patient_medical_clinic_id FOREIGN KEY (clinic_id) REFERENCES clinics (id),
        CONSTRAINT fk_patient_medical_clinic_id_patient_id FOREIGN KEY (clinic_id, patient_id)
            REFERENCES patients (clinic_id, id),
        CONSTRAINT fk_patient_medical_clinic_id_reviewed_by_id FOREIGN KEY (clinic_id, reviewed_by_id)
            REFERENCES users (clinic_id, id)
    )
"""
TABLE_PATIENT_MERGES = """
    CREATE TABLE IF NOT EXISTS patient_merges (
        clinic_id uuid NOT NULL,
        id uuid NOT NULL,
        kept_id uuid NOT NULL,
        merged_id uuid NOT NULL,
        moved jsonb NOT NULL,
        before jsonb NOT NULL,
        actor_id uuid,
        merged_at timestamptz NOT NULL DEFAULT now(),
        undone_at timestamptz,
        CONSTRAINT pk_patient_merges PRIMARY KEY (clinic_id, id),
        CONSTRAINT fk_patient_merges_clinic_id FOREIGN KEY (clinic_id) REFERENCES clinics (id),
        CONSTRAINT fk_patient_merges_clinic_id_actor_id FOREIGN KEY (clinic_id, actor_id)
            REFERENCES users (clinic_id, id),
        CONSTRAINT fk_patient_merges_clinic_id_kept_id FOREIGN KEY (clinic_id, kept_id)
            REFERENCES patients (clinic_id, id),
        CONSTRAINT fk_patient_merges_clinic_id_merged_id FOREIGN KEY (clinic_id, merged_id)
            REFERENCES patients (clinic_id, id)
    )
"""
TABLE_ERASURES = """
    CREATE TABLE IF NOT EXISTS erasures (
        clinic_id uuid NOT NULL,
        id uuid NOT NULL,
        patient_id uuid NOT NULL,
        actor_id uuid,
        request_id uuid,
        reason varchar(300) NOT NULL,
        emptied jsonb NOT NULL,
        sha256 varchar(64) NOT NULL,
        at timestamptz NOT NULL DEFAULT now(),
        CONSTRAINT pk_erasures PRIMARY KEY (clinic_id, id),
        CONSTRAINT fk_erasures_clinic_id FOREIGN KEY (clinic_id) REFERENCES clinics (id),
        CONSTRAINT fk_erasures_clinic_id_actor_id FOREIGN KEY (clinic_id, actor_id) REFERENCES users (clinic_id,
            id),
        CONSTRAINT fk_erasures_clinic_id_patient_id FOREIGN KEY (clinic_id, patient_id)
            REFERENCES patients (clinic_id, id),
        CONSTRAINT fk_erasures_clinic_id_request_id FOREIGN KEY (clinic_id, request_id)
            REFERENCES data_subject_requests (clinic_id, id)
    )
"""
TABLE_PATIENT_CONSENTS = """
    CREATE TABLE IF NOT EXISTS patient_consents (
        clinic_id uuid NOT NULL,
        id uuid NOT NULL,
        patient_id uuid NOT NULL,
        kind varchar(16) NOT NULL,
        text_id uuid NOT NULL,
        text_sha256 varchar(64) NOT NULL,
        channel varchar(10) NOT NULL,
        given_at timestamptz NOT NULL,
        withdrawn_at timestamptz,
        withdrawn_reason varchar(300),
        file_id uuid,
        evidence jsonb NOT NULL DEFAULT '{}',
        recorded_by_id uuid,
        form_key uuid,
        created_at timestamptz NOT NULL DEFAULT now(),
        updated_at timestamptz NOT NULL DEFAULT now(),
        CONSTRAINT pk_patient_consents PRIMARY KEY (clinic_id, id),
        CONSTRAINT uq_patient_consents_clinic_id_form_key UNIQUE (clinic_id, form_key),
        CONSTRAINT ck_patient_consents_channel CHECK (channel IN ('paper', 'on_screen', 'link', 'verbal')),
        CONSTRAINT ck_patient_consents_kind CHECK (kind IN ('notice', 'treatment', 'photo_record', 'photo_publish',
            'marketing', 'whatsapp', 'abroad_transfer')),
        CONSTRAINT fk_patient_consents_clinic_id FOREIGN KEY (clinic_id) REFERENCES clinics (id),
        CONSTRAINT fk_patient_consents_clinic_id_file_id FOREIGN KEY (clinic_id, file_id)
            REFERENCES patient_files (clinic_id, id),
        CONSTRAINT fk_patient_consents_clinic_id_patient_id FOREIGN KEY (clinic_id, patient_id)
            REFERENCES patients (clinic_id, id),
        CONSTRAINT fk_patient_consents_clinic_id_recorded_by_id FOREIGN KEY (clinic_id, recorded_by_id)
            REFERENCES users (clinic_id, id),
        CONSTRAINT fk_patient_consents_clinic_id_text_id FOREIGN KEY (clinic_id, text_id)
            REFERENCES privacy_texts (clinic_id, id)
    )
"""
TABLE_NOTE_REVISIONS = """
    CREATE TABLE IF NOT EXISTS note_revisions (
        clinic_id uuid NOT NULL,
        id uuid NOT NULL,
        note_id uuid NOT NULL,
        body text NOT NULL,
        edited_by_id uuid,
        edited_at timestamptz NOT NULL DEFAULT now(),
        CONSTRAINT pk_note_revisions PRIMARY KEY (clinic_id, id),
        CONSTRAINT fk_note_revisions_clinic_id FOREIGN KEY (clinic_id) REFERENCES clinics (id),
        CONSTRAINT fk_note_revisions_clinic_id_edited_by_id FOREIGN KEY (clinic_id, edited_by_id)
            REFERENCES users (clinic_id, id),
        CONSTRAINT fk_note_revisions_clinic_id_note_id FOREIGN KEY (clinic_id, note_id)
            REFERENCES notes (clinic_id, id) ON DELETE CASCADE
    )
"""


def upgrade() -> None:
    evolve.run(TABLE_MESSAGE_TEMPLATES)
    evolve.restore_table(revision, "message_templates")
    evolve.protect_table("message_templates", "SELECT, INSERT, UPDATE, DELETE")
    evolve.run(TABLE_PRIVACY_TEXTS)
    evolve.restore_table(revision, "privacy_texts")
    evolve.protect_table("privacy_texts", "SELECT, INSERT")
    evolve.run(TABLE_REFERRAL_SOURCE_GROUPS)
    evolve.restore_table(revision, "referral_source_groups")
    evolve.protect_table("referral_source_groups", "SELECT, INSERT, UPDATE, DELETE")
    evolve.run(TABLE_ACCOUNT_TOKENS)
    evolve.restore_table(revision, "account_tokens")
    evolve.protect_table("account_tokens", "SELECT, INSERT, UPDATE, DELETE")
    evolve.run(TABLE_CALENDAR_FEEDS)
    evolve.restore_table(revision, "calendar_feeds")
    evolve.protect_table("calendar_feeds", "SELECT, INSERT, UPDATE, DELETE")
    evolve.run(TABLE_FOLLOW_UP_RULES)
    evolve.restore_table(revision, "follow_up_rules")
    evolve.protect_table("follow_up_rules", "SELECT, INSERT, UPDATE, DELETE")
    evolve.run(TABLE_NOTIFICATIONS)
    evolve.restore_table(revision, "notifications")
    evolve.protect_table("notifications", "SELECT, INSERT, UPDATE, DELETE")
    evolve.run(TABLE_USER_PERMISSIONS)
    evolve.restore_table(revision, "user_permissions")
    evolve.protect_table("user_permissions", "SELECT, INSERT, UPDATE, DELETE")
    evolve.run(TABLE_REFERRAL_TRANSFERS)
    evolve.restore_table(revision, "referral_transfers")
    evolve.protect_table("referral_transfers", "SELECT, INSERT, UPDATE, DELETE")
    evolve.run(TABLE_DATA_SUBJECT_REQUESTS)
    evolve.restore_table(revision, "data_subject_requests")
    evolve.protect_table("data_subject_requests", "SELECT, INSERT, UPDATE, DELETE")
    evolve.run(TABLE_PATIENT_ACCESS_LOG)
    evolve.restore_table(revision, "patient_access_log")
    evolve.protect_table("patient_access_log", "SELECT, INSERT")
    evolve.run(TABLE_PATIENT_FILES)
    evolve.restore_table(revision, "patient_files")
    evolve.protect_table("patient_files", "SELECT, INSERT, UPDATE, DELETE")
    evolve.run(TABLE_PATIENT_MEDICAL)
    evolve.restore_table(revision, "patient_medical")
    evolve.protect_table("patient_medical", "SELECT, INSERT, UPDATE, DELETE")
    evolve.run(TABLE_PATIENT_MERGES)
    evolve.restore_table(revision, "patient_merges")
    evolve.protect_table("patient_merges", "SELECT, INSERT, UPDATE, DELETE")
    evolve.run(TABLE_ERASURES)
    evolve.restore_table(revision, "erasures")
    evolve.protect_table("erasures", "SELECT, INSERT")
    # Anonymising a patient deletes what cannot be emptied: her signed documents.
    evolve.run("GRANT DELETE ON pdf_documents, offer_signatures TO clinikoop_app")
    evolve.run(TABLE_PATIENT_CONSENTS)
    evolve.restore_table(revision, "patient_consents")
    evolve.protect_table("patient_consents", "SELECT, INSERT, UPDATE, DELETE")
    evolve.run(TABLE_NOTE_REVISIONS)
    evolve.restore_table(revision, "note_revisions")
    evolve.protect_table("note_revisions", "SELECT, INSERT, DELETE")
    with evolve.online():
        evolve.add_columns(
            "notes",
            "visibility varchar(8) NOT NULL DEFAULT 'clinic'",
            "mentions jsonb NOT NULL DEFAULT '[]'",
            "edited_at timestamptz",
            "deleted_at timestamptz",
            "form_key uuid",
            "version integer NOT NULL DEFAULT '1'",
        )
        evolve.add_columns(
            "patients",
            "coordinator_id uuid",
            "doctor_id uuid",
            "do_not_contact boolean NOT NULL DEFAULT false",
            "emergency_name varchar(200)",
            "emergency_relation varchar(60)",
            "emergency_phone varchar(40)",
            "insurer varchar(120)",
            "insurance_no varchar(60)",
            "merged_into_id uuid",
            "anonymised_at timestamptz",
            "hold_until date",
            "hold_reason varchar(300)",
        )
        evolve.add_columns(
            "platform_users",
            "phone_e164 varchar(16)",
            "totp_secret bytea",
            "totp_confirmed_at timestamptz",
            "totp_step bigint",
            "recovery_hashes jsonb NOT NULL DEFAULT '[]'",
            "must_change_password boolean NOT NULL DEFAULT false",
            "password_changed_at timestamptz",
        )
        evolve.add_columns(
            "referral_sources",
            "kind varchar(8) NOT NULL DEFAULT 'other'",
            "group_id uuid",
            "colour varchar(7)",
            "monthly_cost numeric(14, 2)",
            "cost_currency varchar(3)",
            "archived_at timestamptz",
            "version integer NOT NULL DEFAULT '1'",
        )
        evolve.add_columns(
            "reminders",
            "kind varchar(10) NOT NULL DEFAULT 'task'",
            "priority varchar(6) NOT NULL DEFAULT 'normal'",
            "is_all_day boolean NOT NULL DEFAULT false",
            "outcome varchar(12)",
            "outcome_note varchar(500)",
            "completed_by_id uuid",
            "snoozed_from timestamptz",
            "snooze_count smallint NOT NULL DEFAULT '0'",
            "rule_id uuid",
            "cause varchar(120)",
            "form_key uuid",
            "version integer NOT NULL DEFAULT '1'",
        )
        evolve.add_columns(
            "users",
            "title varchar(80)",
            "invited_by_id uuid",
            "deactivated_at timestamptz",
            "preferences jsonb NOT NULL DEFAULT '{}'",
            "version integer NOT NULL DEFAULT '1'",
            "phone_e164 varchar(16)",
            "totp_secret bytea",
            "totp_confirmed_at timestamptz",
            "totp_step bigint",
            "recovery_hashes jsonb NOT NULL DEFAULT '[]'",
            "must_change_password boolean NOT NULL DEFAULT false",
            "password_changed_at timestamptz",
        )
    evolve.restore_columns(
        revision, "notes", ["visibility", "mentions", "edited_at", "deleted_at", "form_key", "version"]
    )
    evolve.restore_columns(
        revision,
        "patients",
        {
            "coordinator_id": "CASE WHEN EXISTS (SELECT FROM users AS p WHERE p.clinic_id = t.clinic_id AND p.id"
            " = k.coordinator_id) THEN k.coordinator_id END",
            "doctor_id": "CASE WHEN EXISTS (SELECT FROM users AS p WHERE p.clinic_id = t.clinic_id AND p.id ="
            " k.doctor_id) THEN k.doctor_id END",
            "do_not_contact": "k.do_not_contact",
            "emergency_name": "k.emergency_name",
            "emergency_relation": "k.emergency_relation",
            "emergency_phone": "k.emergency_phone",
            "insurer": "k.insurer",
            "insurance_no": "k.insurance_no",
            "merged_into_id": "CASE WHEN EXISTS (SELECT FROM patients AS p WHERE p.clinic_id = t.clinic_id AND"
            " p.id = k.merged_into_id) THEN k.merged_into_id END",
            "anonymised_at": "k.anonymised_at",
            "hold_until": "k.hold_until",
            "hold_reason": "k.hold_reason",
        },
    )
    evolve.restore_columns(
        revision,
        "platform_users",
        [
            "phone_e164",
            "totp_secret",
            "totp_confirmed_at",
            "totp_step",
            "recovery_hashes",
            "must_change_password",
            "password_changed_at",
        ],
        key=["id"],
    )
    evolve.restore_columns(
        revision,
        "referral_sources",
        {
            "kind": "k.kind",
            "group_id": "CASE WHEN EXISTS (SELECT FROM referral_source_groups AS p WHERE p.clinic_id ="
            " t.clinic_id AND p.id = k.group_id) THEN k.group_id END",
            "colour": "k.colour",
            "monthly_cost": "k.monthly_cost",
            "cost_currency": "k.cost_currency",
            "archived_at": "k.archived_at",
            "version": "k.version",
        },
    )
    evolve.restore_columns(
        revision,
        "reminders",
        {
            "kind": "k.kind",
            "priority": "k.priority",
            "is_all_day": "k.is_all_day",
            "outcome": "k.outcome",
            "outcome_note": "k.outcome_note",
            "completed_by_id": "CASE WHEN EXISTS (SELECT FROM users AS p WHERE p.clinic_id = t.clinic_id AND p.id"
            " = k.completed_by_id) THEN k.completed_by_id END",
            "snoozed_from": "k.snoozed_from",
            "snooze_count": "k.snooze_count",
            "rule_id": "CASE WHEN EXISTS (SELECT FROM follow_up_rules AS p WHERE p.clinic_id = t.clinic_id AND"
            " p.id = k.rule_id) THEN k.rule_id END",
            "cause": "k.cause",
            "form_key": "k.form_key",
            "version": "k.version",
        },
    )
    evolve.restore_columns(
        revision,
        "users",
        {
            "title": "k.title",
            "invited_by_id": "CASE WHEN EXISTS (SELECT FROM users AS p WHERE p.clinic_id = t.clinic_id AND p.id ="
            " k.invited_by_id) THEN k.invited_by_id END",
            "deactivated_at": "k.deactivated_at",
            "preferences": "k.preferences",
            "version": "k.version",
            "phone_e164": "k.phone_e164",
            "totp_secret": "k.totp_secret",
            "totp_confirmed_at": "k.totp_confirmed_at",
            "totp_step": "k.totp_step",
            "recovery_hashes": "k.recovery_hashes",
            "must_change_password": "k.must_change_password",
            "password_changed_at": "k.password_changed_at",
        },
    )
    with evolve.online():
        evolve.add_check("notes", "ck_notes_visibility", "visibility IN ('private', 'clinic', 'doctors')")
        evolve.add_check(
            "referral_sources", "ck_referral_sources_cost_currency", "cost_currency IN ('TRY', 'EUR', 'USD', 'GBP')"
        )
        evolve.add_check(
            "referral_sources",
            "ck_referral_sources_kind",
            "kind IN ('online', 'patient', 'partner', 'walk_in', 'other')",
        )
        evolve.add_check("referral_sources", "ck_referral_sources_monthly_cost", "monthly_cost >= 0")
        evolve.add_check("reminders", "ck_reminders_kind", "kind IN ('call', 'message', 'task', 'recall')")
        evolve.add_check(
            "reminders",
            "ck_reminders_outcome",
            "outcome IN ('reached', 'no_answer', 'wrong_number', 'booked', 'declined')",
        )
        evolve.add_check("reminders", "ck_reminders_priority", "priority IN ('low', 'normal', 'high')")
        evolve.add_unique("notes", ["clinic_id", "form_key"])
        evolve.add_unique("reminders", ["clinic_id", "form_key"])
        evolve.add_unique("reminders", ["clinic_id", "rule_id", "cause"])
        evolve.add_foreign_key("patients", ["clinic_id", "doctor_id"], "users", ["clinic_id", "id"])
        evolve.add_foreign_key("patients", ["clinic_id", "coordinator_id"], "users", ["clinic_id", "id"])
        evolve.add_foreign_key("patients", ["clinic_id", "merged_into_id"], "patients", ["clinic_id", "id"])
        evolve.add_foreign_key(
            "referral_sources", ["clinic_id", "group_id"], "referral_source_groups", ["clinic_id", "id"]
        )
        evolve.add_foreign_key("reminders", ["clinic_id", "completed_by_id"], "users", ["clinic_id", "id"])
        evolve.add_foreign_key("reminders", ["clinic_id", "rule_id"], "follow_up_rules", ["clinic_id", "id"])
        evolve.add_foreign_key("users", ["clinic_id", "invited_by_id"], "users", ["clinic_id", "id"])
        evolve.create_index("ix_account_tokens_clinic_id_user_id", "account_tokens", "clinic_id, user_id")
        evolve.create_index("ix_calendar_feeds_clinic_id_user_id", "calendar_feeds", "clinic_id, user_id")
        evolve.create_index("ix_follow_up_rules_clinic_id_assignee_id", "follow_up_rules", "clinic_id, assignee_id")
        evolve.create_index(
            "ix_notifications_clinic_id_user_id_read_at_id", "notifications", "clinic_id, user_id, read_at, id"
        )
        evolve.create_index("ix_referral_transfers_clinic_id_actor_id", "referral_transfers", "clinic_id, actor_id")
        evolve.create_index("ix_referral_transfers_clinic_id_from_id", "referral_transfers", "clinic_id, from_id")
        evolve.create_index("ix_referral_transfers_clinic_id_to_id", "referral_transfers", "clinic_id, to_id")
        evolve.create_index(
            "ix_data_subject_requests_clinic_id_handled_by_id", "data_subject_requests", "clinic_id, handled_by_id"
        )
        evolve.create_index(
            "ix_data_subject_requests_clinic_id_patient_id", "data_subject_requests", "clinic_id, patient_id"
        )
        evolve.create_index(
            "ix_data_subject_requests_clinic_id_status_due_on", "data_subject_requests", "clinic_id, status, due_on"
        )
        evolve.create_index(
            "ix_patient_access_log_clinic_id_actor_id_id", "patient_access_log", "clinic_id, actor_id, id"
        )
        evolve.create_index(
            "ix_patient_access_log_clinic_id_patient_id_id", "patient_access_log", "clinic_id, patient_id, id"
        )
        evolve.create_index("ix_patient_files_clinic_id_patient_id_id", "patient_files", "clinic_id, patient_id, id")
        evolve.create_index("ix_patient_files_clinic_id_uploaded_by_id", "patient_files", "clinic_id, uploaded_by_id")
        evolve.create_index("ix_patient_medical_clinic_id_key_id", "patient_medical", "clinic_id, key_id")
        evolve.create_index(
            "ix_patient_medical_clinic_id_reviewed_by_id", "patient_medical", "clinic_id, reviewed_by_id"
        )
        evolve.create_index("ix_patient_merges_clinic_id_actor_id", "patient_merges", "clinic_id, actor_id")
        evolve.create_index("ix_patient_merges_clinic_id_kept_id", "patient_merges", "clinic_id, kept_id")
        evolve.create_index("ix_patient_merges_clinic_id_merged_id", "patient_merges", "clinic_id, merged_id")
        evolve.create_index("ix_erasures_clinic_id_actor_id", "erasures", "clinic_id, actor_id")
        evolve.create_index("ix_erasures_clinic_id_patient_id", "erasures", "clinic_id, patient_id")
        evolve.create_index("ix_erasures_clinic_id_request_id", "erasures", "clinic_id, request_id")
        evolve.create_index("ix_patient_consents_clinic_id_file_id", "patient_consents", "clinic_id, file_id")
        evolve.create_index(
            "ix_patient_consents_clinic_id_patient_id_id", "patient_consents", "clinic_id, patient_id, id"
        )
        evolve.create_index(
            "ix_patient_consents_clinic_id_recorded_by_id", "patient_consents", "clinic_id, recorded_by_id"
        )
        evolve.create_index("ix_patient_consents_clinic_id_text_id", "patient_consents", "clinic_id, text_id")
        evolve.create_index("ix_note_revisions_clinic_id_edited_by_id", "note_revisions", "clinic_id, edited_by_id")
        evolve.create_index("ix_note_revisions_clinic_id_note_id_id", "note_revisions", "clinic_id, note_id, id")
        evolve.create_index("ix_patients_clinic_id_coordinator_id", "patients", "clinic_id, coordinator_id")
        evolve.create_index("ix_patients_clinic_id_doctor_id", "patients", "clinic_id, doctor_id")
        evolve.create_index("ix_patients_clinic_id_merged_into_id", "patients", "clinic_id, merged_into_id")
        evolve.create_index("ix_referral_sources_clinic_id_group_id", "referral_sources", "clinic_id, group_id")
        evolve.create_index("ix_reminders_clinic_id_completed_by_id", "reminders", "clinic_id, completed_by_id")
        evolve.create_index("ix_reminders_clinic_id_status_due_at", "reminders", "clinic_id, status, due_at")
        evolve.create_index("ix_users_clinic_id_invited_by_id", "users", "clinic_id, invited_by_id")


def downgrade() -> None:
    evolve.run("REVOKE DELETE ON pdf_documents, offer_signatures FROM clinikoop_app")
    with evolve.online():
        evolve.drop_constraint("users", "fk_users_clinic_id_invited_by_id")
        evolve.drop_index("ix_users_clinic_id_invited_by_id")
        evolve.drop_constraint("reminders", "ck_reminders_priority")
        evolve.drop_constraint("reminders", "ck_reminders_outcome")
        evolve.drop_constraint("reminders", "ck_reminders_kind")
        evolve.drop_constraint("reminders", "fk_reminders_clinic_id_rule_id")
        evolve.drop_constraint("reminders", "fk_reminders_clinic_id_completed_by_id")
        evolve.drop_constraint("reminders", "uq_reminders_clinic_id_rule_id_cause")
        evolve.drop_constraint("reminders", "uq_reminders_clinic_id_form_key")
        evolve.drop_index("ix_reminders_clinic_id_status_due_at")
        evolve.drop_index("ix_reminders_clinic_id_completed_by_id")
        evolve.drop_constraint("referral_sources", "ck_referral_sources_monthly_cost")
        evolve.drop_constraint("referral_sources", "ck_referral_sources_kind")
        evolve.drop_constraint("referral_sources", "ck_referral_sources_cost_currency")
        evolve.drop_constraint("referral_sources", "fk_referral_sources_clinic_id_group_id")
        evolve.drop_index("ix_referral_sources_clinic_id_group_id")
        evolve.drop_constraint("patients", "fk_patients_clinic_id_merged_into_id")
        evolve.drop_constraint("patients", "fk_patients_clinic_id_coordinator_id")
        evolve.drop_constraint("patients", "fk_patients_clinic_id_doctor_id")
        evolve.drop_index("ix_patients_clinic_id_merged_into_id")
        evolve.drop_index("ix_patients_clinic_id_doctor_id")
        evolve.drop_index("ix_patients_clinic_id_coordinator_id")
        evolve.drop_constraint("notes", "ck_notes_visibility")
        evolve.drop_constraint("notes", "uq_notes_clinic_id_form_key")
        evolve.drop_index("ix_note_revisions_clinic_id_note_id_id")
        evolve.drop_index("ix_note_revisions_clinic_id_edited_by_id")
        evolve.drop_index("ix_patient_consents_clinic_id_text_id")
        evolve.drop_index("ix_patient_consents_clinic_id_recorded_by_id")
        evolve.drop_index("ix_patient_consents_clinic_id_patient_id_id")
        evolve.drop_index("ix_patient_consents_clinic_id_file_id")
        evolve.drop_index("ix_erasures_clinic_id_request_id")
        evolve.drop_index("ix_erasures_clinic_id_patient_id")
        evolve.drop_index("ix_erasures_clinic_id_actor_id")
        evolve.drop_index("ix_patient_merges_clinic_id_merged_id")
        evolve.drop_index("ix_patient_merges_clinic_id_kept_id")
        evolve.drop_index("ix_patient_merges_clinic_id_actor_id")
        evolve.drop_index("ix_patient_medical_clinic_id_reviewed_by_id")
        evolve.drop_index("ix_patient_medical_clinic_id_key_id")
        evolve.drop_index("ix_patient_files_clinic_id_uploaded_by_id")
        evolve.drop_index("ix_patient_files_clinic_id_patient_id_id")
        evolve.drop_index("ix_patient_access_log_clinic_id_patient_id_id")
        evolve.drop_index("ix_patient_access_log_clinic_id_actor_id_id")
        evolve.drop_index("ix_data_subject_requests_clinic_id_status_due_on")
        evolve.drop_index("ix_data_subject_requests_clinic_id_patient_id")
        evolve.drop_index("ix_data_subject_requests_clinic_id_handled_by_id")
        evolve.drop_index("ix_referral_transfers_clinic_id_to_id")
        evolve.drop_index("ix_referral_transfers_clinic_id_from_id")
        evolve.drop_index("ix_referral_transfers_clinic_id_actor_id")
        evolve.drop_index("ix_notifications_clinic_id_user_id_read_at_id")
        evolve.drop_index("ix_follow_up_rules_clinic_id_assignee_id")
        evolve.drop_index("ix_calendar_feeds_clinic_id_user_id")
        evolve.drop_index("ix_account_tokens_clinic_id_user_id")
    evolve.keep_rows(
        revision,
        "users",
        "SELECT clinic_id, id, password_changed_at, must_change_password, recovery_hashes, totp_step,"
        " totp_confirmed_at, totp_secret, phone_e164, version, preferences, deactivated_at, invited_by_id, title"
        " FROM users",
    )
    evolve.keep_rows(
        revision,
        "reminders",
        "SELECT clinic_id, id, version, form_key, cause, rule_id, snooze_count, snoozed_from, completed_by_id,"
        " outcome_note, outcome, is_all_day, priority, kind FROM reminders",
    )
    evolve.keep_rows(
        revision,
        "referral_sources",
        "SELECT clinic_id, id, version, archived_at, cost_currency, monthly_cost, colour, group_id, kind FROM"
        " referral_sources",
    )
    evolve.keep_rows(
        revision,
        "platform_users",
        "SELECT id, password_changed_at, must_change_password, recovery_hashes, totp_step, totp_confirmed_at,"
        " totp_secret, phone_e164 FROM platform_users",
    )
    evolve.keep_rows(
        revision,
        "patients",
        "SELECT clinic_id, id, hold_reason, hold_until, anonymised_at, merged_into_id, insurance_no, insurer,"
        " emergency_phone, emergency_relation, emergency_name, do_not_contact, doctor_id, coordinator_id FROM"
        " patients",
    )
    evolve.keep_rows(
        revision,
        "notes",
        "SELECT clinic_id, id, version, form_key, deleted_at, edited_at, mentions, visibility FROM notes",
    )
    evolve.keep_rows(revision, "note_revisions", "TABLE note_revisions")
    evolve.keep_rows(revision, "patient_consents", "TABLE patient_consents")
    evolve.keep_rows(revision, "erasures", "TABLE erasures")
    evolve.keep_rows(revision, "patient_merges", "TABLE patient_merges")
    evolve.keep_rows(revision, "patient_medical", "TABLE patient_medical")
    evolve.keep_rows(revision, "patient_files", "TABLE patient_files")
    evolve.keep_rows(revision, "patient_access_log", "TABLE patient_access_log")
    evolve.keep_rows(revision, "data_subject_requests", "TABLE data_subject_requests")
    evolve.keep_rows(revision, "referral_transfers", "TABLE referral_transfers")
    evolve.keep_rows(revision, "user_permissions", "TABLE user_permissions")
    evolve.keep_rows(revision, "notifications", "TABLE notifications")
    evolve.keep_rows(revision, "follow_up_rules", "TABLE follow_up_rules")
    evolve.keep_rows(revision, "calendar_feeds", "TABLE calendar_feeds")
    evolve.keep_rows(revision, "account_tokens", "TABLE account_tokens")
    evolve.keep_rows(revision, "referral_source_groups", "TABLE referral_source_groups")
    evolve.keep_rows(revision, "privacy_texts", "TABLE privacy_texts")
    evolve.keep_rows(revision, "message_templates", "TABLE message_templates")
    evolve.run(
        "ALTER TABLE users DROP COLUMN password_changed_at, DROP COLUMN must_change_password, DROP COLUMN"
        " recovery_hashes, DROP COLUMN totp_step, DROP COLUMN totp_confirmed_at, DROP COLUMN totp_secret, DROP"
        " COLUMN phone_e164, DROP COLUMN version, DROP COLUMN preferences, DROP COLUMN deactivated_at, DROP"
        " COLUMN invited_by_id, DROP COLUMN title",
    )
    evolve.run(
        "ALTER TABLE reminders DROP COLUMN version, DROP COLUMN form_key, DROP COLUMN cause, DROP COLUMN rule_id,"
        " DROP COLUMN snooze_count, DROP COLUMN snoozed_from, DROP COLUMN completed_by_id, DROP COLUMN"
        " outcome_note, DROP COLUMN outcome, DROP COLUMN is_all_day, DROP COLUMN priority, DROP COLUMN kind",
    )
    evolve.run(
        "ALTER TABLE referral_sources DROP COLUMN version, DROP COLUMN archived_at, DROP COLUMN cost_currency,"
        " DROP COLUMN monthly_cost, DROP COLUMN colour, DROP COLUMN group_id, DROP COLUMN kind",
    )
    evolve.run(
        "ALTER TABLE platform_users DROP COLUMN password_changed_at, DROP COLUMN must_change_password, DROP"
        " COLUMN recovery_hashes, DROP COLUMN totp_step, DROP COLUMN totp_confirmed_at, DROP COLUMN totp_secret,"
        " DROP COLUMN phone_e164",
    )
    evolve.run(
        "ALTER TABLE patients DROP COLUMN hold_reason, DROP COLUMN hold_until, DROP COLUMN anonymised_at, DROP"
        " COLUMN merged_into_id, DROP COLUMN insurance_no, DROP COLUMN insurer, DROP COLUMN emergency_phone, DROP"
        " COLUMN emergency_relation, DROP COLUMN emergency_name, DROP COLUMN do_not_contact, DROP COLUMN"
        " doctor_id, DROP COLUMN coordinator_id",
    )
    evolve.run(
        "ALTER TABLE notes DROP COLUMN version, DROP COLUMN form_key, DROP COLUMN deleted_at, DROP COLUMN"
        " edited_at, DROP COLUMN mentions, DROP COLUMN visibility",
    )
    evolve.run("DROP TABLE note_revisions")
    evolve.run("DROP TABLE patient_consents")
    evolve.run("DROP TABLE erasures")
    evolve.run("DROP TABLE patient_merges")
    evolve.run("DROP TABLE patient_medical")
    evolve.run("DROP TABLE patient_files")
    evolve.run("DROP TABLE patient_access_log")
    evolve.run("DROP TABLE data_subject_requests")
    evolve.run("DROP TABLE referral_transfers")
    evolve.run("DROP TABLE user_permissions")
    evolve.run("DROP TABLE notifications")
    evolve.run("DROP TABLE follow_up_rules")
    evolve.run("DROP TABLE calendar_feeds")
    evolve.run("DROP TABLE account_tokens")
    evolve.run("DROP TABLE referral_source_groups")
    evolve.run("DROP TABLE privacy_texts")
    evolve.run("DROP TABLE message_templates")
