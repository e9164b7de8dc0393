-- The second clinic makes statuses and staff of its own, under keys and an address the first one uses too.
INSERT INTO offer_statuses (id, clinic_id, key, label_tr, position) VALUES
    ('0d000000-0000-7000-8000-000000000004', 'c2000000-0000-7000-8000-000000000001', 'draft-2', 'Taslak', 1);
INSERT INTO users (id, clinic_id, email, name, role) VALUES
    ('0a000000-0000-7000-8000-000000000004', 'c2000000-0000-7000-8000-000000000001', 'deniz@deniz.example', 'Deniz Su', 'doctor');
INSERT INTO treatments (id, offer_id, name, quantity, unit_price) VALUES
    ('0f000000-0000-7000-8000-000000000004', '0e000000-0000-7000-8000-000000000004', 'Anestezi', 1, 0);
INSERT INTO system_logs (id, clinic_id, level, logger, message) VALUES
    ('2d000000-0000-7000-8000-000000000002', 'c2000000-0000-7000-8000-000000000001', 'INFO', 'web', 'ok');
