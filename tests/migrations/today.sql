-- What people did since: rows only the newest schema can hold.
INSERT INTO platform_users (id, email, name, role) VALUES
    ('3a000000-0000-7000-8000-000000000001', 'ada@platform.example', 'Ada', 'agent');
INSERT INTO platform_sessions (id, user_id, token_hash, expires_at) VALUES
    ('3b000000-0000-7000-8000-000000000001', '3a000000-0000-7000-8000-000000000001', '\x01', '2027-01-01');
INSERT INTO platform_activity_logs (id, actor_kind, actor_name, action, object_type) VALUES
    ('3c000000-0000-7000-8000-000000000001', 'platform', 'Ada', 'clinic.created', 'clinics');
INSERT INTO login_buckets (key, tokens) VALUES ('\x02', 4.5);
INSERT INTO login_sessions (clinic_id, id, user_id, token_hash, expires_at) VALUES
    ('c2000000-0000-7000-8000-000000000001', '3d000000-0000-7000-8000-000000000001', '0a000000-0000-7000-8000-000000000004', '\x03', '2027-01-01');
UPDATE clinics SET domain = 'dis.example', status = 'trial', offer_validity_days = 14 WHERE subdomain = 'deniz';
UPDATE support_tickets SET assigned_to = '3a000000-0000-7000-8000-000000000001' WHERE ticket_number = 'D-1';
UPDATE users SET role = 'owner', email = 'yeni@gulus.example' WHERE name = 'Deniz';
UPDATE patients SET first_name = 'Işıl', last_name = 'Ayşe Demir', phone_raw = '0533', city = 'İzmir', gender = 'female', version = 3
 WHERE id = '0c000000-0000-7000-8000-000000000001';
UPDATE offer_statuses SET label_en = 'Sent!', is_default = true WHERE key = 'sent';
UPDATE reminders SET assigned_to_id = '0a000000-0000-7000-8000-000000000001';
UPDATE notes SET is_pinned = true;
INSERT INTO treatment_categories (clinic_id, id, key, name_tr, name_en, position) VALUES
    ('c2000000-0000-7000-8000-000000000001', '3e000000-0000-7000-8000-000000000001', 'protez', 'Protez', 'Prosthodontics', 1);
INSERT INTO treatment_catalog (clinic_id, id, category_id, code, name_tr, name_en, scope, pricing, vat_class, dentition, allowed_teeth) VALUES
    ('c2000000-0000-7000-8000-000000000001', '3e000000-0000-7000-8000-000000000002', '3e000000-0000-7000-8000-000000000001', 'emax', 'E-max', 'E.max', 'tooth', 'per_tooth', 'treatment', 'permanent', '{11,21}');
INSERT INTO price_lists (clinic_id, id, name, currency, audience, valid_from) VALUES
    ('c2000000-0000-7000-8000-000000000001', '3e000000-0000-7000-8000-000000000003', '2026', 'EUR', 'domestic', '2026-01-01');
INSERT INTO price_list_items (clinic_id, id, price_list_id, catalog_id, unit_price) VALUES
    ('c2000000-0000-7000-8000-000000000001', '3e000000-0000-7000-8000-000000000004', '3e000000-0000-7000-8000-000000000003', '3e000000-0000-7000-8000-000000000002', 210);
INSERT INTO vat_rules (clinic_id, id, vat_class, rate, valid_from) VALUES
    ('c2000000-0000-7000-8000-000000000001', '3e000000-0000-7000-8000-000000000005', 'treatment', 10, '2023-07-10');
UPDATE treatments SET catalog_id = '3e000000-0000-7000-8000-000000000002', discount_kind = 'percent', discount_value = 10, vat_rate = 10,
       line_base = 150.50, line_discount = 15.05, line_net = 123.14, line_vat = 12.31, line_gross = 135.45, scope = 'tooth'
 WHERE id = '0f000000-0000-7000-8000-000000000003';
INSERT INTO treatment_teeth (clinic_id, id, treatment_id, tooth) VALUES
    ('c2000000-0000-7000-8000-000000000001', '3e000000-0000-7000-8000-000000000006', '0f000000-0000-7000-8000-000000000003', 11);
