-- What the support system and the logs hold before they get a clinic.
INSERT INTO support_categories (id, key, label_tr, label_en) VALUES
    ('2a000000-0000-7000-8000-000000000001', 'login', 'Giriş', 'Login');
UPDATE support_tickets SET category_id = '2a000000-0000-7000-8000-000000000001',
       assigned_to = '0a000000-0000-7000-8000-000000000002' WHERE ticket_number = 'T-1';
INSERT INTO support_messages (id, ticket_id, user_id, body, is_internal) VALUES
    ('2b000000-0000-7000-8000-000000000001', '1f000000-0000-7000-8000-000000000001', '0a000000-0000-7000-8000-000000000001', 'Merhaba', false),
    ('2b000000-0000-7000-8000-000000000002', '1f000000-0000-7000-8000-000000000003', NULL, 'İç not', true);
INSERT INTO activity_logs (id, actor_id, action, object_type, object_id) VALUES
    ('2c000000-0000-7000-8000-000000000001', '0a000000-0000-7000-8000-000000000001', 'offer.sent', 'offers', '0e000000-0000-7000-8000-000000000001'),
    ('2c000000-0000-7000-8000-000000000002', NULL, 'import', 'patients', NULL);
INSERT INTO system_logs (id, level, logger, message, stack_trace) VALUES
    ('2d000000-0000-7000-8000-000000000001', 'ERROR', 'web', 'boom', 'Traceback');
INSERT INTO analytics_events (id, name, actor_hash, props) VALUES
    ('2e000000-0000-7000-8000-000000000001', 'offer_opened', 'ab12', '{"device": "phone"}');
