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
    WHERE workspace = +? AND conversation = +? AND seq > +? ORDER BY seq LIMIT +?;
-- parameters: 1 workspace, 2 conversation, 3 seq, 4 limit

-- history of a contact
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
    JOIN convo_events ev ON ev.workspace = cv.workspace AND ev.conversation = cv.id
    WHERE cv.workspace = +? AND cv.contact = +? AND cv.updated_at >= +?
        AND (ev.at, ev.conversation, ev.seq) > (+?, +?, +?)
    ORDER BY ev.at, ev.conversation, ev.seq LIMIT +?;
-- parameters: 1 workspace, 2 contact, 3 updated_at, 4 at, 5 conversation, 6 seq, 7 limit

SELECT ce.workspace, ce.contact, ce.seq, ce.id, ce.contact_seq, ce.kind, ce.at, ce.by_type,
    ce.by_id, ce.source, ce.channel, ce.address, ce.external_id, ce.sent_at, ce.body,
    ce.attachments, ce.quiet, ce.message, ce.redacted, ce.duplicate, ce.merged_into, ce.blocked,
    ce.blocked_by, ce.unmerged_from, ce.own_blocked, ce.own_blocked_by, ce.name, ce.attributes
    FROM (SELECT id FROM convo_contacts WHERE workspace = +? AND id = +?
    UNION ALL SELECT id FROM convo_contacts WHERE workspace = +? AND merged_into = +?) merged
    JOIN convo_contact_events ce ON ce.workspace = +? AND ce.contact = merged.id
    WHERE (ce.at, ce.seq, ce.id) > (+?, +?, +?) ORDER BY ce.at, ce.seq, ce.id LIMIT +?;
-- parameters: 1 workspace, 2 id, 3 workspace, 4 merged_into, 5 workspace, 6 at, 7 seq, 8 id,
-- 9 limit
