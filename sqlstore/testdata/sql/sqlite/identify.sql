BEGIN;

-- load by contact: see load.sql

-- a message by its event
SELECT ev.workspace, ev.conversation, ev.seq, ev.id, ev.contact, ev.contact_seq, ev.kind, ev.at,
    ev.by_type, ev.by_id, ev.source, ev.channel, ev.lane, ev.address, ev.external_id, ev.sent_at,
    ev.body, ev.attachments, ev.category, ev.summary, ev.until_at, ev.on_receive, ev.marks,
    ev.cycle, ev.score, ev.replaces, ev.assignee, ev.team, ev.response, ev.quiet, ev.new_contact,
    ev.restart_flow, ev.message, ev.redacted, ev.duplicate, ev.notice, ev.audience,
    ev.status_before, ev.assignee_before, ev.team_before, ev.lane_before, ev.channel_before,
    ev.opened_source, ev.status_since, ev.assigned_at, ev.was_assigned, ev.opened_at, ev.turn,
    ev.turn_since, ev.waiting_since, ev.handed_over_at, ev.replies, ev.pending_micros,
    ev.closed_by_type, ev.closed_by_id, ev.moved_from, ev.from_seq, ev.labels, ev.labels_before,
    ev.priority, ev.priority_before, ev.subject, ev.attributes
    FROM convo_conversations cv
    CROSS JOIN convo_events ev
    ON ev.workspace = cv.workspace AND ev.conversation = cv.id
    WHERE cv.workspace = +? AND cv.contact = +? AND ev.id = +?;
-- parameters: 1 workspace, 2 contact, 3 id

SELECT ce.workspace, ce.contact, ce.seq, ce.id, ce.contact_seq, ce.kind, ce.at, ce.by_type,
    ce.by_id, ce.source, ce.channel, ce.address, ce.external_id, ce.sent_at, ce.body,
    ce.attachments, ce.quiet, ce.message, ce.redacted, ce.duplicate, ce.merged_into, ce.blocked,
    ce.blocked_by, ce.unmerged_from, ce.own_blocked, ce.own_blocked_by, ce.name, ce.attributes
    FROM (SELECT id FROM convo_contacts WHERE workspace = +? AND id = +?
    UNION ALL SELECT id FROM convo_contacts WHERE workspace = +? AND merged_into = +?) merged
    CROSS JOIN convo_contact_events ce
    ON ce.workspace = +? AND ce.contact = merged.id
    WHERE ce.id = +?;
-- parameters: 1 workspace, 2 id, 3 workspace, 4 merged_into, 5 workspace, 6 id

-- events
SELECT workspace, conversation, seq, id, contact, contact_seq, kind, at, by_type, by_id, source,
    channel, lane, address, external_id, sent_at, body, attachments, category, summary, until_at,
    on_receive, marks, cycle, score, replaces, assignee, team, response, quiet, new_contact,
    restart_flow, message, redacted, duplicate, notice, audience, status_before, assignee_before,
    team_before, lane_before, channel_before, opened_source, status_since, assigned_at,
    was_assigned, opened_at, turn, turn_since, waiting_since, handed_over_at, replies,
    pending_micros, closed_by_type, closed_by_id, moved_from, from_seq, labels, labels_before,
    priority, priority_before, subject, attributes
    FROM convo_events
    WHERE workspace = +? AND conversation = +? AND seq > +? ORDER BY seq LIMIT +?;
-- parameters: 1 workspace, 2 conversation, 3 seq, 4 limit

-- keys
SELECT ky.workspace, ky.channel, ky.id, ky.address, ky.contact, ky.hash, ky.conversation,
    ky.first_seq, ky.last_seq
    FROM convo_keys ky
    LEFT JOIN convo_contacts kc ON kc.workspace = ky.workspace AND kc.id = ky.contact
    WHERE ky.workspace = +? AND ky.channel = +?
        AND ky.id IN (+?, +?)
        AND (ky.channel = '' OR ky.id < ' ' OR ky.address <> '' AND ky.address = +?
        OR (ky.address = '' OR +? = '')
            AND (SELECT COALESCE(asked.merged_into, asked.id) FROM convo_contacts asked
                WHERE asked.workspace = ky.workspace AND asked.id = +?)
            IN (COALESCE(kc.merged_into, kc.id), (
                SELECT holds.contact FROM convo_conversations holds
                WHERE holds.workspace = ky.workspace AND holds.id = ky.conversation)));
-- parameters: 1 workspace, 2 channel, 3 id, 4 id, 5 address, 6 ?, 7 id

-- commit
UPDATE convo_conversations SET version = +?, updated_at = +?, last_activity_at = +?,
    last_incoming_at = +?, awaiting_contact_since = +?, address_channel = +?, address = +?,
    deadline_at = +?, first_response_at = +?, first_response_sent_at = +?,
    first_responder_type = +?, first_responder_id = +?, first_waiting_since = +?,
    waiting_since = +?, turn_since = +?, no_wait_before = +?, responses = +?, response_micros = +?,
    incoming = +?, outgoing_user = +?, outgoing_automation = +?
    WHERE workspace = +? AND id = +? AND version = +?
        AND COALESCE(deadline_at, -62135596800000000) = +?
        AND COALESCE(due_at, -62135596800000000) = +?
        AND COALESCE(applied, '') = +?
        AND contact = +?;
-- parameters: 1 version, 2 updated_at, 3 last_activity_at, 4 last_incoming_at,
-- 5 awaiting_contact_since, 6 address_channel, 7 address, 8 deadline_at, 9 first_response_at,
-- 10 first_response_sent_at, 11 first_responder_type, 12 first_responder_id,
-- 13 first_waiting_since, 14 waiting_since, 15 turn_since, 16 no_wait_before, 17 responses,
-- 18 response_micros, 19 incoming, 20 outgoing_user, 21 outgoing_automation, 22 workspace, 23 id,
-- 24 version, 25 ), 26 ), 27 ), 28 contact

INSERT INTO convo_keys (workspace, channel, id, address, contact, hash, conversation, first_seq,
    last_seq)
    SELECT +?, +?, +?, +?, +?, +?, +?, +?, +? WHERE NOT EXISTS (SELECT 1 FROM convo_keys ky
    LEFT JOIN convo_contacts kc ON kc.workspace = ky.workspace AND kc.id = ky.contact
    WHERE ky.workspace = +? AND ky.channel = +?
        AND ky.id IN (+?, +?)
        AND (ky.channel = '' OR ky.id < ' ' OR ky.address <> '' AND ky.address = +?
        OR (ky.address = '' OR +? = '')
            AND (SELECT COALESCE(asked.merged_into, asked.id) FROM convo_contacts asked
                WHERE asked.workspace = ky.workspace AND asked.id = +?)
            IN (COALESCE(kc.merged_into, kc.id), (
                SELECT holds.contact FROM convo_conversations holds
                WHERE holds.workspace = ky.workspace AND holds.id = ky.conversation))) LIMIT 1) ON
                    CONFLICT DO NOTHING;
-- parameters: 1 workspace, 2 channel, 3 id, 4 address, 5 contact, 6 hash, 7 conversation,
-- 8 first_seq, 9 last_seq, 10 workspace, 11 channel, 12 last_seq, 13 last_seq, 14 address,
-- 15 last_seq, 16 id

INSERT INTO convo_events (workspace, conversation, seq, id, contact, contact_seq, kind, at,
    by_type, by_id, source, channel, lane, address, external_id, sent_at, body, attachments,
    category, summary, until_at, on_receive, marks, cycle, score, replaces, assignee, team,
    response, quiet, new_contact, restart_flow, message, redacted, duplicate, notice, audience,
    status_before, assignee_before, team_before, lane_before, channel_before, opened_source,
    status_since, assigned_at, was_assigned, opened_at, turn, turn_since, waiting_since,
    handed_over_at, replies, pending_micros, closed_by_type, closed_by_id, moved_from, from_seq,
    labels, labels_before, priority, priority_before, subject, attributes)
    VALUES (+?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?,
        +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?,
        +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?,
        +?) ON CONFLICT DO NOTHING;
-- parameters: 1 workspace, 2 conversation, 3 seq, 4 id, 5 contact, 6 contact_seq, 7 kind, 8 at,
-- 9 by_type, 10 by_id, 11 source, 12 channel, 13 lane, 14 address, 15 external_id, 16 sent_at,
-- 17 body, 18 attachments, 19 category, 20 summary, 21 until_at, 22 on_receive, 23 marks, 24 cycle,
-- 25 score, 26 replaces, 27 assignee, 28 team, 29 response, 30 quiet, 31 new_contact,
-- 32 restart_flow, 33 message, 34 redacted, 35 duplicate, 36 notice, 37 audience, 38 status_before,
-- 39 assignee_before, 40 team_before, 41 lane_before, 42 channel_before, 43 opened_source,
-- 44 status_since, 45 assigned_at, 46 was_assigned, 47 opened_at, 48 turn, 49 turn_since,
-- 50 waiting_since, 51 handed_over_at, 52 replies, 53 pending_micros, 54 closed_by_type,
-- 55 closed_by_id, 56 moved_from, 57 from_seq, 58 labels, 59 labels_before, 60 priority,
-- 61 priority_before, 62 subject, 63 attributes

INSERT INTO convo_rollup_queue (workspace, conversation, from_seq)
    VALUES (+?, +?, +?) ON CONFLICT DO NOTHING;
-- parameters: 1 workspace, 2 conversation, 3 from_seq

COMMIT;
