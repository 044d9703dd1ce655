BEGIN;
-- isolation level: Read Committed

-- is it to be removed?
SELECT version FROM convo_rollups WHERE workspace = ? AND dimension = '' AND subject = -1
    AND slot_micros = 0 AND slot_number = 0 AND dimension_value = '' FOR UPDATE;
-- parameters: 1 workspace

SELECT workspace, id, origin, channel, lane, created_at, contact, new_contact, status,
    status_since, version, updated_at, last_activity_at, last_incoming_at, first_closed_at,
    assignee, team, assigned_at, labels, priority, subject, attributes, pending_until, on_receive,
    awaiting_contact_since, address_channel, address, marks, deadline_at, due_at, applied, unrated,
    number, opened_at, opened_by_type, opened_by_id, opened_source, first_assigned_at,
    first_assignee, last_assignee, last_team, first_response_at, first_response_sent_at,
    first_responder_type, first_responder_id, first_waiting_since, waiting_since, turn_since,
    handed_over_at, no_wait_before, responses, response_micros, pending_micros, incoming,
    outgoing_user, outgoing_automation, rated_at, score, rating_comment, closed_at, closed_by_type,
    closed_by_id, closed_source, category, summary
    FROM convo_conversations
    WHERE workspace = ? AND id = ? FOR UPDATE SKIP LOCKED;
-- parameters: 1 workspace, 2 id

-- the removal
SELECT workspace, channel, id, address, contact, hash, conversation, first_seq,
    last_seq FROM convo_keys
    WHERE workspace = ? AND channel = ? AND id IN (?)
        AND conversation = ?;
-- parameters: 1 workspace, 2 channel, 3 id, 4 conversation

DELETE gone FROM convo_deliveries gone FORCE INDEX (PRIMARY) WHERE ((workspace = ? AND channel = ?
    AND id = ? AND address = ?));
-- parameters: 1 workspace, 2 channel, 3 id, 4 address

DELETE gone FROM convo_mentions gone FORCE INDEX (PRIMARY) WHERE ((workspace = ? AND contact = ?
    AND conversation = ? AND owner = ''));
-- parameters: 1 workspace, 2 contact, 3 conversation

DELETE gone FROM convo_closed gone FORCE INDEX (PRIMARY) WHERE ((workspace = ? AND what = ? AND
    value = ? AND created_at = ? AND id = ?) OR (workspace = ? AND what = ? AND value = ? AND
    created_at = ? AND id = ?) OR (workspace = ? AND what = ? AND value = ? AND created_at = ? AND
    id = ?) OR (workspace = ? AND what = ? AND value = ? AND created_at = ? AND id = ?) OR
    (workspace = ? AND what = ? AND value = ? AND created_at = ? AND id = ?) OR (workspace = ? AND
    what = ? AND value = ? AND created_at = ? AND id = ?) OR (workspace = ? AND what = ? AND value
    = ? AND created_at = ? AND id = ?));
-- parameters: 1 workspace, 2 what, 3 value, 4 created_at, 5 id, 6 workspace, 7 what, 8 value,
-- 9 created_at, 10 id, 11 workspace, 12 what, 13 value, 14 created_at, 15 id, 16 workspace,
-- 17 what, 18 value, 19 created_at, 20 id, 21 workspace, 22 what, 23 value, 24 created_at, 25 id,
-- 26 workspace, 27 what, 28 value, 29 created_at, 30 id, 31 workspace, 32 what, 33 value,
-- 34 created_at, 35 id

DELETE gone FROM convo_cycles gone FORCE INDEX (PRIMARY) WHERE ((workspace = ? AND conversation = ?
    AND number = ?));
-- parameters: 1 workspace, 2 conversation, 3 number

DELETE gone FROM convo_events gone FORCE INDEX (PRIMARY) WHERE ((workspace = ? AND conversation = ?
    AND seq = ?) OR (workspace = ? AND conversation = ? AND seq = ?) OR (workspace = ? AND
    conversation = ? AND seq = ?));
-- parameters: 1 workspace, 2 conversation, 3 seq, 4 workspace, 5 conversation, 6 seq, 7 workspace,
-- 8 conversation, 9 seq

DELETE gone FROM convo_conversations gone FORCE INDEX (PRIMARY) WHERE ((workspace = ? AND id = ?));
-- parameters: 1 workspace, 2 id

UPDATE convo_rollups SET removed_to = ? WHERE workspace = ? AND dimension = '' AND subject = -1
    AND slot_micros = 0 AND slot_number = 0 AND dimension_value = '' AND (removed_to IS NULL OR
        removed_to < ?);
-- parameters: 1 removed_to, 2 workspace, 3 removed_to

COMMIT;
