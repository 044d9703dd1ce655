-- keys
SELECT workspace, channel, id, address, contact, hash, conversation, first_seq, last_seq
    FROM convo_keys
    WHERE workspace = ? AND channel = '' AND id IN (?, ?, ?, ?);
-- parameters: 1 workspace, 2 id, 3 id, 4 id, 5 id

-- snapshots
SELECT ct.id, ct.workspace, ct.id, ct.version, ct.created_at, ct.updated_at, ct.seen_at,
    ct.blocked, ct.merged_into, ct.parent, ct.blocked_by, ct.name, ct.attributes, ct.erased_at,
    CASE WHEN cv.active THEN NULL ELSE (
        SELECT other.id FROM convo_active other FORCE INDEX (convo_active_slot)
        WHERE other.workspace = ct.workspace AND other.contact = ct.id
            AND other.lane = cv.lane) END,
    CASE WHEN cv.id IS NULL THEN EXISTS (
        SELECT 1 FROM convo_conversations any_lane FORCE INDEX (convo_conversations_contact)
        WHERE any_lane.workspace = ct.workspace AND any_lane.contact = ct.id)
        ELSE 1 = 1 END,
    cv.workspace, cv.id, cv.origin, cv.channel, cv.lane, cv.created_at, cv.contact, cv.new_contact,
        cv.status, cv.status_since, cv.version, cv.updated_at, cv.last_activity_at,
        cv.last_incoming_at, cv.first_closed_at, cv.assignee, cv.team, cv.assigned_at, cv.labels,
        cv.priority, cv.subject, cv.attributes, cv.pending_until, cv.on_receive,
        cv.awaiting_contact_since, cv.address_channel, cv.address, cv.marks, cv.deadline_at,
        cv.due_at, cv.applied, cv.unrated, cv.number, cv.opened_at, cv.opened_by_type,
        cv.opened_by_id, cv.opened_source, cv.first_assigned_at, cv.first_assignee,
        cv.last_assignee, cv.last_team, cv.first_response_at, cv.first_response_sent_at,
        cv.first_responder_type, cv.first_responder_id, cv.first_waiting_since, cv.waiting_since,
        cv.turn_since, cv.handed_over_at, cv.no_wait_before, cv.responses, cv.response_micros,
        cv.pending_micros, cv.incoming, cv.outgoing_user, cv.outgoing_automation, cv.rated_at,
        cv.score, cv.rating_comment, cv.closed_at, cv.closed_by_type, cv.closed_by_id,
        cv.closed_source, cv.category, cv.summary
    FROM convo_contacts ct FORCE INDEX (PRIMARY)
    LEFT JOIN convo_conversations cv FORCE INDEX (PRIMARY)
        ON cv.workspace = ct.workspace AND cv.id = COALESCE((
            SELECT running.id FROM convo_active running FORCE INDEX (convo_active_slot)
            WHERE running.workspace = ct.workspace AND running.contact = ct.id
                AND running.lane = ?), (
            SELECT latest.id FROM convo_conversations latest FORCE INDEX
                (convo_conversations_latest)
            WHERE latest.workspace = ct.workspace AND latest.contact = ct.id AND latest.lane = ?
            ORDER BY latest.opened_at DESC, latest.id DESC LIMIT 1))
    WHERE ct.workspace = ? AND ct.id IN (?, ?);
-- parameters: 1 lane, 2 lane, 3 workspace, 4 id, 5 id

BEGIN;
-- isolation level: Read Committed

INSERT INTO convo_contacts (workspace, id, version, created_at, updated_at, seen_at, blocked,
    merged_into, parent, blocked_by, name, attributes, erased_at)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?);
-- parameters: 1 workspace, 2 id, 3 version, 4 created_at, 5 updated_at, 6 seen_at, 7 blocked,
-- 8 merged_into, 9 parent, 10 blocked_by, 11 name, 12 attributes, 13 erased_at

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

SELECT 1 FROM convo_keys ky
    LEFT JOIN convo_contacts kc ON kc.workspace = ky.workspace AND kc.id = ky.contact
    WHERE ky.workspace = ? AND ky.channel = ?
        AND ky.id IN (?, ?)
        AND (ky.channel = '' OR ky.id < ' ' OR ky.address <> '' AND ky.address = ?
        OR (ky.address = '' OR ? = '')
            AND (SELECT COALESCE(asked.merged_into, asked.id) FROM convo_contacts asked
                WHERE asked.workspace = ky.workspace AND asked.id = ?)
            IN (COALESCE(kc.merged_into, kc.id), (
                SELECT holds.contact FROM convo_conversations holds
                WHERE holds.workspace = ky.workspace AND holds.id = ky.conversation))) LIMIT 1;
-- parameters: 1 workspace, 2 channel, 3 id, 4 id, 5 address, 6 ?, 7 id

INSERT INTO convo_keys (workspace, channel, id, address, contact, hash, conversation, first_seq,
    last_seq)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?);
-- parameters: 1 workspace, 2 channel, 3 id, 4 address, 5 contact, 6 hash, 7 conversation,
-- 8 first_seq, 9 last_seq

SELECT 1 FROM convo_keys ky
    LEFT JOIN convo_contacts kc ON kc.workspace = ky.workspace AND kc.id = ky.contact
    WHERE ky.workspace = ? AND ky.channel = ?
        AND ky.id IN (?, ?)
        AND (ky.channel = '' OR ky.id < ' ' OR ky.address <> '' AND ky.address = ?
        OR (ky.address = '' OR ? = '')
            AND (SELECT COALESCE(asked.merged_into, asked.id) FROM convo_contacts asked
                WHERE asked.workspace = ky.workspace AND asked.id = ?)
            IN (COALESCE(kc.merged_into, kc.id), (
                SELECT holds.contact FROM convo_conversations holds
                WHERE holds.workspace = ky.workspace AND holds.id = ky.conversation))) LIMIT 1;
-- parameters: 1 workspace, 2 channel, 3 id, 4 id, 5 address, 6 ?, 7 id

INSERT INTO convo_keys (workspace, channel, id, address, contact, hash, conversation, first_seq,
    last_seq)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?);
-- parameters: 1 workspace, 2 channel, 3 id, 4 address, 5 contact, 6 hash, 7 conversation,
-- 8 first_seq, 9 last_seq

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

INSERT INTO convo_rollup_queue (workspace, conversation, from_seq)
    VALUES (?, ?, ?) ON DUPLICATE KEY UPDATE from_seq = from_seq;
-- parameters: 1 workspace, 2 conversation, 3 from_seq

INSERT INTO convo_rollup_queue (workspace, conversation, from_seq)
    VALUES (?, ?, ?) ON DUPLICATE KEY UPDATE from_seq = from_seq;
-- parameters: 1 workspace, 2 conversation, 3 from_seq

INSERT INTO convo_cycles (workspace, conversation, channel, lane, number, opened_at,
    opened_by_type, opened_by_id, opened_source, first_assigned_at, first_assignee, last_assignee,
    last_team, first_response_at, first_response_sent_at, first_responder_type, first_responder_id,
    first_waiting_since, waiting_since, turn_since, handed_over_at, no_wait_before, responses,
    response_micros, pending_micros, incoming, outgoing_user, outgoing_automation, rated_at, score,
    rating_comment, closed_at, closed_by_type, closed_by_id, closed_source, category, summary)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?,
        ?, ?, ?, ?, ?, ?, ?, ?) ON DUPLICATE KEY UPDATE
    category = VALUES(category), summary = VALUES(summary), rated_at = VALUES(rated_at),
    score = VALUES(score), rating_comment = VALUES(rating_comment),
    outgoing_user = VALUES(outgoing_user), outgoing_automation = VALUES(outgoing_automation);
-- parameters: 1 workspace, 2 conversation, 3 channel, 4 lane, 5 number, 6 opened_at,
-- 7 opened_by_type, 8 opened_by_id, 9 opened_source, 10 first_assigned_at, 11 first_assignee,
-- 12 last_assignee, 13 last_team, 14 first_response_at, 15 first_response_sent_at,
-- 16 first_responder_type, 17 first_responder_id, 18 first_waiting_since, 19 waiting_since,
-- 20 turn_since, 21 handed_over_at, 22 no_wait_before, 23 responses, 24 response_micros,
-- 25 pending_micros, 26 incoming, 27 outgoing_user, 28 outgoing_automation, 29 rated_at, 30 score,
-- 31 rating_comment, 32 closed_at, 33 closed_by_type, 34 closed_by_id, 35 closed_source,
-- 36 category, 37 summary

INSERT INTO convo_cycles (workspace, conversation, channel, lane, number, opened_at,
    opened_by_type, opened_by_id, opened_source, first_assigned_at, first_assignee, last_assignee,
    last_team, first_response_at, first_response_sent_at, first_responder_type, first_responder_id,
    first_waiting_since, waiting_since, turn_since, handed_over_at, no_wait_before, responses,
    response_micros, pending_micros, incoming, outgoing_user, outgoing_automation, rated_at, score,
    rating_comment, closed_at, closed_by_type, closed_by_id, closed_source, category, summary)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?,
        ?, ?, ?, ?, ?, ?, ?, ?) ON DUPLICATE KEY UPDATE
    category = VALUES(category), summary = VALUES(summary), rated_at = VALUES(rated_at),
    score = VALUES(score), rating_comment = VALUES(rating_comment),
    outgoing_user = VALUES(outgoing_user), outgoing_automation = VALUES(outgoing_automation);
-- parameters: 1 workspace, 2 conversation, 3 channel, 4 lane, 5 number, 6 opened_at,
-- 7 opened_by_type, 8 opened_by_id, 9 opened_source, 10 first_assigned_at, 11 first_assignee,
-- 12 last_assignee, 13 last_team, 14 first_response_at, 15 first_response_sent_at,
-- 16 first_responder_type, 17 first_responder_id, 18 first_waiting_since, 19 waiting_since,
-- 20 turn_since, 21 handed_over_at, 22 no_wait_before, 23 responses, 24 response_micros,
-- 25 pending_micros, 26 incoming, 27 outgoing_user, 28 outgoing_automation, 29 rated_at, 30 score,
-- 31 rating_comment, 32 closed_at, 33 closed_by_type, 34 closed_by_id, 35 closed_source,
-- 36 category, 37 summary

COMMIT;
