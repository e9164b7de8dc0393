-- A second clinic opens; one patient and her offer turn out to be its own, and it uses names the first one uses.
INSERT INTO clinics (id, name, subdomain) VALUES ('c2000000-0000-7000-8000-000000000001', 'Deniz Diş', 'deniz');
UPDATE patients SET clinic_id = 'c2000000-0000-7000-8000-000000000001' WHERE id = '0c000000-0000-7000-8000-000000000004';
UPDATE offers SET clinic_id = 'c2000000-0000-7000-8000-000000000001' WHERE id = '0e000000-0000-7000-8000-000000000004';
INSERT INTO referral_sources (id, clinic_id, name) VALUES
    ('0b000000-0000-7000-8000-000000000003', 'c2000000-0000-7000-8000-000000000001', 'Google');
INSERT INTO settings (id, clinic_id, key, value) VALUES
    ('1d000000-0000-7000-8000-000000000002', 'c2000000-0000-7000-8000-000000000001', 'farewell', 'Güle güle');
INSERT INTO support_tickets (id, clinic_id, ticket_number, subject, description, status) VALUES
    ('1f000000-0000-7000-8000-000000000003', 'c2000000-0000-7000-8000-000000000001', 'D-1', 'Yazıcı', 'Basmıyor', 'new');
