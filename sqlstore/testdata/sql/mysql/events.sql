-- transcript of a conversation
SELECT workspace, conversation, seq, id, contact, contact_seq, kind, at, by_type, by_id, source,
    channel, lane, address, external_id, sent_at, body, attachments, category, summary, until_at,
    on_receive, marks, cycle, score, replaces, assignee, team, response, quiet, new_contact,
    restart_flow, message, redacted, duplicate, notice, audience, status_before, assignee_before,
    team_before, lane_before, channel_before, opened_source, status_since, assigned_at,
    was_assigned, opened_at, turn, turn_since, waiting_since, handed_over_at, replies,
    pending_micros, closed_by_type, closed_by_id, moved_from, from_seq, labels, labels_before,
    priority, priority_before, subject, attributes
    FROM convo_events
    WHERE workspace = ? AND conversation = ? AND seq > ? ORDER BY seq LIMIT ?;
-- parameters: 1 workspace, 2 conversation, 3 seq, 4 limit

-- history of a contact
WITH RECURSIVE found (id, version, seq, step) AS (
    SELECT id, version, version - version, CASE WHEN version < 64 THEN 32 WHEN version < 4096 THEN
        2048 ELSE 1073741824 END
    FROM (SELECT id, version FROM convo_contacts WHERE workspace = ? AND id = ?
        UNION ALL SELECT id, version FROM convo_contacts WHERE workspace = ? AND merged_into = ?
    ) merged
    UNION ALL
    SELECT id, version, seq + CASE WHEN seq + step <= version AND (
        SELECT CASE WHEN ce.at < ? OR ce.at = ? AND (ce.seq < ? OR ce.seq = ? AND ce.id <= ?)
            THEN 1 ELSE 0 END FROM convo_contact_events ce
        WHERE ce.workspace = ? AND ce.contact = found.id AND ce.seq >= found.seq + found.step
        ORDER BY ce.seq LIMIT 1) = 1 THEN step ELSE 0 END, step >> 1
    FROM found WHERE step > 0)
    SELECT id, seq, EXISTS (SELECT 1 FROM convo_contact_events ce
        WHERE ce.workspace = ? AND ce.contact = found.id AND ce.seq > found.seq) AS more
    FROM found WHERE step = 0;
-- parameters: 1 workspace, 2 id, 3 workspace, 4 merged_into, 5 at, 6 at, 7 seq, 8 seq, 9 id,
-- 10 workspace, 11 workspace

SELECT id, created_at, updated_at, version, version - version AS seq
    FROM convo_conversations
    WHERE workspace = ? AND contact = ? AND created_at > ? ORDER BY created_at, id LIMIT ?;
-- parameters: 1 workspace, 2 contact, 3 created_at, 4 limit
