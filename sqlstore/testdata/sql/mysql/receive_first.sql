-- load by contact: see load.sql

BEGIN;
-- isolation level: Read Committed

INSERT INTO convo_contacts (workspace, id, version, created_at, updated_at, seen_at, blocked,
    merged_into, parent, blocked_by, name, attributes, erased_at)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?);
-- parameters: 1 workspace, 2 id, 3 version, 4 created_at, 5 updated_at, 6 seen_at, 7 blocked,
-- 8 merged_into, 9 parent, 10 blocked_by, 11 name, 12 attributes, 13 erased_at

INSERT INTO convo_conversations (workspace, id, origin, channel, lane, created_at, contact,
    new_contact, status, status_since, version, updated_at, last_activity_at, last_incoming_at,
    first_closed_at, assignee, team, assigned_at, labels, priority, subject, attributes,
    pending_until, on_receive, awaiting_contact_since, address_channel, address, marks,
    deadline_at, due_at, applied, unrated, active, number, opened_at, opened_by_type, opened_by_id,
    opened_source, first_assigned_at, first_assignee, last_assignee, last_team, first_response_at,
    first_response_sent_at, first_responder_type, first_responder_id, first_waiting_since,
    waiting_since, turn_since, handed_over_at, no_wait_before, responses, response_micros,
    pending_micros, incoming, outgoing_user, outgoing_automation, rated_at, score, rating_comment,
    closed_at, closed_by_type, closed_by_id, closed_source, category, summary)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?,
        ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?,
        ?, ?, ?, ?, ?, ?, ?);
-- parameters: 1 workspace, 2 id, 3 origin, 4 channel, 5 lane, 6 created_at, 7 contact,
-- 8 new_contact, 9 status, 10 status_since, 11 version, 12 updated_at, 13 last_activity_at,
-- 14 last_incoming_at, 15 first_closed_at, 16 assignee, 17 team, 18 assigned_at, 19 labels,
-- 20 priority, 21 subject, 22 attributes, 23 pending_until, 24 on_receive,
-- 25 awaiting_contact_since, 26 address_channel, 27 address, 28 marks, 29 deadline_at, 30 due_at,
-- 31 applied, 32 unrated, 33 active, 34 number, 35 opened_at, 36 opened_by_type, 37 opened_by_id,
-- 38 opened_source, 39 first_assigned_at, 40 first_assignee, 41 last_assignee, 42 last_team,
-- 43 first_response_at, 44 first_response_sent_at, 45 first_responder_type, 46 first_responder_id,
-- 47 first_waiting_since, 48 waiting_since, 49 turn_since, 50 handed_over_at, 51 no_wait_before,
-- 52 responses, 53 response_micros, 54 pending_micros, 55 incoming, 56 outgoing_user,
-- 57 outgoing_automation, 58 rated_at, 59 score, 60 rating_comment, 61 closed_at,
-- 62 closed_by_type, 63 closed_by_id, 64 closed_source, 65 category, 66 summary

INSERT INTO convo_active (workspace, id, status, channel, lane, created_at, assignee, team,
    priority, contact, due_at)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?);
-- parameters: 1 workspace, 2 id, 3 status, 4 channel, 5 lane, 6 created_at, 7 assignee, 8 team,
-- 9 priority, 10 contact, 11 due_at

INSERT INTO convo_places (workspace, list, at, id)
    VALUES (?, ?, ?, ?);
-- parameters: 1 workspace, 2 list, 3 at, 4 id

INSERT INTO convo_places (workspace, list, at, id)
    VALUES (?, ?, ?, ?);
-- parameters: 1 workspace, 2 list, 3 at, 4 id

INSERT INTO convo_events (workspace, conversation, seq, id, contact, contact_seq, kind, at,
    by_type, by_id, source, channel, lane, address, external_id, sent_at, body, attachments,
    category, summary, until_at, on_receive, marks, cycle, score, replaces, assignee, team,
    response, quiet, new_contact, restart_flow, message, redacted, duplicate, notice, audience,
    status_before, assignee_before, team_before, lane_before, channel_before, opened_source,
    status_since, assigned_at, was_assigned, opened_at, turn, turn_since, waiting_since,
    handed_over_at, replies, pending_micros, closed_by_type, closed_by_id, moved_from, from_seq,
    labels, labels_before, priority, priority_before, subject, attributes)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?,
        ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?,
        ?, ?, ?, ?);
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

INSERT INTO convo_events (workspace, conversation, seq, id, contact, kind, at, by_type, by_id,
    channel, address, external_id, sent_at, body, attachments, cycle, response, quiet,
    status_before, assignee_before, team_before, lane_before, channel_before, opened_source, turn,
    turn_since, waiting_since, handed_over_at, replies, labels_before, priority_before)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?,
        ?, ?);
-- parameters: 1 workspace, 2 conversation, 3 seq, 4 id, 5 contact, 6 kind, 7 at, 8 by_type,
-- 9 by_id, 10 channel, 11 address, 12 external_id, 13 sent_at, 14 body, 15 attachments, 16 cycle,
-- 17 response, 18 quiet, 19 status_before, 20 assignee_before, 21 team_before, 22 lane_before,
-- 23 channel_before, 24 opened_source, 25 turn, 26 turn_since, 27 waiting_since, 28 handed_over_at,
-- 29 replies, 30 labels_before, 31 priority_before

INSERT INTO convo_rollup_queue (workspace, conversation, from_seq)
    VALUES (?, ?, ?) ON DUPLICATE KEY UPDATE from_seq = from_seq;
-- parameters: 1 workspace, 2 conversation, 3 from_seq

COMMIT;
