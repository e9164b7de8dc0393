-- The predecessor's rows, from its single-clinic days. Ids read as <kind><number>.
INSERT INTO users (id, email, name, role, password_hash, created_at) VALUES
    ('0a000000-0000-7000-8000-000000000001', 'Ayse@Gulus.example', 'Ayşe Yılmaz', 'ADMIN', '$2b$12$abc', '2025-01-02 08:00+00'),
    ('0a000000-0000-7000-8000-000000000002', 'mert@gulus.example', 'Mert Işık', 'sales', '$2b$12$def', '2025-01-03 08:00+00'),
    ('0a000000-0000-7000-8000-000000000003', 'stajyer@gulus.example', 'Deniz', 'intern', NULL, '2025-01-04 08:00+00');
INSERT INTO referral_sources (id, name, position) VALUES
    ('0b000000-0000-7000-8000-000000000001', 'Instagram', 1),
    ('0b000000-0000-7000-8000-000000000002', 'Walk-in', 2);
INSERT INTO patients (id, name, phone, email, birth_date, address, notes, referral_source_id, is_active, created_at) VALUES
    ('0c000000-0000-7000-8000-000000000001', 'Işıl Ayşe  Çağlar', '0532 123 45 67', 'isil@example.com', '1990-05-01', 'Moda', 'Korkuyor', '0b000000-0000-7000-8000-000000000001', true, '2025-03-02 08:00+00'),
    ('0c000000-0000-7000-8000-000000000002', 'Madonna', '+44 20 7946 0958 ext', NULL, NULL, NULL, NULL, NULL, true, '2025-03-01 08:00+00'),
    ('0c000000-0000-7000-8000-000000000003', 'İbrahim O''Brien', 'eşinin telefonu', NULL, NULL, NULL, NULL, '0b000000-0000-7000-8000-000000000002', false, '2025-03-03 08:00+00'),
    ('0c000000-0000-7000-8000-000000000004', 'John Smith', NULL, 'john@example.co.uk', NULL, NULL, NULL, NULL, true, '2025-03-04 08:00+00');
INSERT INTO offer_statuses (id, key, label_tr, colour, position) VALUES
    ('0d000000-0000-7000-8000-000000000001', 'draft', 'Taslak', '#888888', 1),
    ('0d000000-0000-7000-8000-000000000002', 'sent', 'Gönderildi', '#0000ff', 2),
    ('0d000000-0000-7000-8000-000000000003', 'accepted', 'Kabul', '#00ff00', 3);
INSERT INTO offers (id, title, status, primary_patient_id, created_by_id, currency, grand_total, valid_until, patient_note, created_at) VALUES
    ('0e000000-0000-7000-8000-000000000001', 'İmplant', 'SENT', '0c000000-0000-7000-8000-000000000001', '0a000000-0000-7000-8000-000000000001', 'EUR', 900.00, '2025-06-30', 'Not', '2025-04-01 08:00+00'),
    ('0e000000-0000-7000-8000-000000000002', 'Zirkonyum', 'draft', '0c000000-0000-7000-8000-000000000002', NULL, 'TRY', 2000.00, NULL, NULL, '2025-04-02 08:00+00'),
    ('0e000000-0000-7000-8000-000000000003', 'Temizlik', 'Beklemede ', '0c000000-0000-7000-8000-000000000003', NULL, 'TRY', 0, NULL, NULL, '2024-12-31 22:30+00'),
    ('0e000000-0000-7000-8000-000000000004', 'Dolgu', 'accepted', '0c000000-0000-7000-8000-000000000004', NULL, 'GBP', 150.50, NULL, NULL, '2025-04-03 08:00+00');
INSERT INTO treatments (id, offer_id, name, quantity, unit_price, position) VALUES
    ('0f000000-0000-7000-8000-000000000001', '0e000000-0000-7000-8000-000000000001', 'İmplant', 2, 500.00, 1),
    ('0f000000-0000-7000-8000-000000000002', '0e000000-0000-7000-8000-000000000002', 'Zirkonyum kron', 4, 450.00, 1),
    ('0f000000-0000-7000-8000-000000000003', '0e000000-0000-7000-8000-000000000004', 'Dolgu', 1.5, 100.33, 1);
-- The last two point to an offer, and to a patient, that are gone.
INSERT INTO patient_offers (id, patient_id, offer_id, assigned, visible, created_at) VALUES
    ('1a000000-0000-7000-8000-000000000001', '0c000000-0000-7000-8000-000000000001', '0e000000-0000-7000-8000-000000000001', true, true, '2025-04-01 09:00+00'),
    ('1a000000-0000-7000-8000-000000000002', '0c000000-0000-7000-8000-000000000002', '0e000000-0000-7000-8000-000000000001', true, false, '2025-04-01 09:01+00'),
    ('1a000000-0000-7000-8000-000000000003', '0c000000-0000-7000-8000-000000000004', '0e000000-0000-7000-8000-000000000004', false, true, '2025-04-01 09:02+00'),
    ('1a000000-0000-7000-8000-000000000004', '0c000000-0000-7000-8000-000000000001', '0e000000-0000-7000-8000-0000000000ff', true, true, '2025-04-01 09:03+00'),
    ('1a000000-0000-7000-8000-000000000005', '0c000000-0000-7000-8000-0000000000ff', '0e000000-0000-7000-8000-000000000001', true, true, '2025-04-01 09:04+00');
INSERT INTO notes (id, author_id, patient_id, body) VALUES
    ('1b000000-0000-7000-8000-000000000001', '0a000000-0000-7000-8000-000000000001', '0c000000-0000-7000-8000-000000000001', 'Arayalım');
INSERT INTO reminders (id, title, due_at, offer_id, created_by_id) VALUES
    ('1c000000-0000-7000-8000-000000000001', 'Ara', '2025-05-01 07:00+00', '0e000000-0000-7000-8000-000000000001', '0a000000-0000-7000-8000-000000000002');
INSERT INTO settings (id, key, value) VALUES ('1d000000-0000-7000-8000-000000000001', 'greeting', 'Merhaba');
INSERT INTO pdf_templates (id, name, body, is_default) VALUES ('1e000000-0000-7000-8000-000000000001', 'Teklif', '…', true);
INSERT INTO support_tickets (id, ticket_number, subject, description, status, is_urgent, created_by) VALUES
    ('1f000000-0000-7000-8000-000000000001', 'T-1', 'Giriş', 'Giremiyorum', 'new', true, '0a000000-0000-7000-8000-000000000001'),
    ('1f000000-0000-7000-8000-000000000002', 'T-2', 'Fatura', 'Nerede?', 'Kapalı', false, NULL);
