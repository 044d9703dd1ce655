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
    WHERE workspace = $1 AND conversation = $2 AND seq > $3 ORDER BY seq LIMIT $4;
-- parameters: 1 workspace, 2 conversation, 3 seq, 4 limit

-- history of a contact
WITH RECURSIVE found (id, version, seq, step) AS (
    SELECT id, version, version - version, CASE WHEN version < 64 THEN 32 WHEN version < 4096 THEN
        2048 ELSE 1073741824 END
    FROM (SELECT id, version FROM convo_contacts WHERE workspace = $1 AND id = $2
        UNION ALL SELECT id, version FROM convo_contacts WHERE workspace = $3 AND merged_into = $4
    ) merged
    UNION ALL
    SELECT id, version, seq + CASE WHEN seq + step <= version AND (
        SELECT CASE WHEN ce.at < $5 OR ce.at = $6 AND (ce.seq < $7 OR ce.seq = $8 AND ce.id <= $9)
            THEN 1 ELSE 0 END FROM convo_contact_events ce
        WHERE ce.workspace = $10 AND ce.contact = found.id AND ce.seq >= found.seq + found.step
        ORDER BY ce.seq LIMIT 1) = 1 THEN step ELSE 0 END, step >> 1
    FROM found WHERE step > 0)
    SELECT id, seq, EXISTS (SELECT 1 FROM convo_contact_events ce
        WHERE ce.workspace = $11 AND ce.contact = found.id AND ce.seq > found.seq) AS more
    FROM found WHERE step = 0;
-- parameters: 1 workspace, 2 id, 3 workspace, 4 merged_into, 5 at, 6 at, 7 seq, 8 seq, 9 id,
-- 10 workspace, 11 workspace

SELECT id, created_at, updated_at, version, version - version AS seq
    FROM convo_conversations
    WHERE workspace = $1 AND contact = $2 AND created_at > $3 ORDER BY created_at, id LIMIT $4;
-- parameters: 1 workspace, 2 contact, 3 created_at, 4 limit
