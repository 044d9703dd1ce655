-- all
SELECT cv.workspace, cv.id, cv.origin, cv.channel, cv.lane, cv.created_at, cv.contact,
    cv.new_contact, cv.status, cv.status_since, cv.version, cv.updated_at, cv.last_activity_at,
    cv.last_incoming_at, cv.first_closed_at, cv.assignee, cv.team, cv.assigned_at, cv.labels,
    cv.priority, cv.subject, cv.attributes, cv.pending_until, cv.on_receive,
    cv.awaiting_contact_since, cv.address_channel, cv.address, cv.marks, cv.deadline_at, cv.due_at,
    cv.applied, cv.unrated, cv.number, cv.opened_at, cv.opened_by_type, cv.opened_by_id,
    cv.opened_source, cv.first_assigned_at, cv.first_assignee, cv.last_assignee, cv.last_team,
    cv.first_response_at, cv.first_response_sent_at, cv.first_responder_type,
    cv.first_responder_id, cv.first_waiting_since, cv.waiting_since, cv.turn_since,
    cv.handed_over_at, cv.no_wait_before, cv.responses, cv.response_micros, cv.pending_micros,
    cv.incoming, cv.outgoing_user, cv.outgoing_automation, cv.rated_at, cv.score,
    cv.rating_comment, cv.closed_at, cv.closed_by_type, cv.closed_by_id, cv.closed_source,
    cv.category, cv.summary
    FROM convo_conversations cv FORCE INDEX (convo_conversations_listed)
    WHERE cv.workspace = ?
    ORDER BY cv.created_at DESC, cv.id DESC LIMIT ?;
-- parameters: 1 workspace, 2 limit

-- open
SELECT cv.workspace, cv.id, cv.origin, cv.channel, cv.lane, cv.created_at, cv.contact,
    cv.new_contact, cv.status, cv.status_since, cv.version, cv.updated_at, cv.last_activity_at,
    cv.last_incoming_at, cv.first_closed_at, cv.assignee, cv.team, cv.assigned_at, cv.labels,
    cv.priority, cv.subject, cv.attributes, cv.pending_until, cv.on_receive,
    cv.awaiting_contact_since, cv.address_channel, cv.address, cv.marks, cv.deadline_at, cv.due_at,
    cv.applied, cv.unrated, cv.number, cv.opened_at, cv.opened_by_type, cv.opened_by_id,
    cv.opened_source, cv.first_assigned_at, cv.first_assignee, cv.last_assignee, cv.last_team,
    cv.first_response_at, cv.first_response_sent_at, cv.first_responder_type,
    cv.first_responder_id, cv.first_waiting_since, cv.waiting_since, cv.turn_since,
    cv.handed_over_at, cv.no_wait_before, cv.responses, cv.response_micros, cv.pending_micros,
    cv.incoming, cv.outgoing_user, cv.outgoing_automation, cv.rated_at, cv.score,
    cv.rating_comment, cv.closed_at, cv.closed_by_type, cv.closed_by_id, cv.closed_source,
    cv.category, cv.summary
    FROM convo_active ac FORCE INDEX (convo_active_listed)
    STRAIGHT_JOIN convo_conversations cv ON cv.workspace = ac.workspace AND cv.id = ac.id
    WHERE ac.workspace = ? AND ac.status = ?
    ORDER BY ac.created_at DESC, ac.id DESC LIMIT ?;
-- parameters: 1 workspace, 2 status, 3 limit

-- closed
SELECT cv.workspace, cv.id, cv.origin, cv.channel, cv.lane, cv.created_at, cv.contact,
    cv.new_contact, cv.status, cv.status_since, cv.version, cv.updated_at, cv.last_activity_at,
    cv.last_incoming_at, cv.first_closed_at, cv.assignee, cv.team, cv.assigned_at, cv.labels,
    cv.priority, cv.subject, cv.attributes, cv.pending_until, cv.on_receive,
    cv.awaiting_contact_since, cv.address_channel, cv.address, cv.marks, cv.deadline_at, cv.due_at,
    cv.applied, cv.unrated, cv.number, cv.opened_at, cv.opened_by_type, cv.opened_by_id,
    cv.opened_source, cv.first_assigned_at, cv.first_assignee, cv.last_assignee, cv.last_team,
    cv.first_response_at, cv.first_response_sent_at, cv.first_responder_type,
    cv.first_responder_id, cv.first_waiting_since, cv.waiting_since, cv.turn_since,
    cv.handed_over_at, cv.no_wait_before, cv.responses, cv.response_micros, cv.pending_micros,
    cv.incoming, cv.outgoing_user, cv.outgoing_automation, cv.rated_at, cv.score,
    cv.rating_comment, cv.closed_at, cv.closed_by_type, cv.closed_by_id, cv.closed_source,
    cv.category, cv.summary
    FROM convo_conversations cv FORCE INDEX (convo_conversations_listed)
    WHERE cv.active = 0 AND cv.workspace = ?
    ORDER BY cv.created_at DESC, cv.id DESC LIMIT ?;
-- parameters: 1 workspace, 2 limit

-- open, of a user
SELECT cv.workspace, cv.id, cv.origin, cv.channel, cv.lane, cv.created_at, cv.contact,
    cv.new_contact, cv.status, cv.status_since, cv.version, cv.updated_at, cv.last_activity_at,
    cv.last_incoming_at, cv.first_closed_at, cv.assignee, cv.team, cv.assigned_at, cv.labels,
    cv.priority, cv.subject, cv.attributes, cv.pending_until, cv.on_receive,
    cv.awaiting_contact_since, cv.address_channel, cv.address, cv.marks, cv.deadline_at, cv.due_at,
    cv.applied, cv.unrated, cv.number, cv.opened_at, cv.opened_by_type, cv.opened_by_id,
    cv.opened_source, cv.first_assigned_at, cv.first_assignee, cv.last_assignee, cv.last_team,
    cv.first_response_at, cv.first_response_sent_at, cv.first_responder_type,
    cv.first_responder_id, cv.first_waiting_since, cv.waiting_since, cv.turn_since,
    cv.handed_over_at, cv.no_wait_before, cv.responses, cv.response_micros, cv.pending_micros,
    cv.incoming, cv.outgoing_user, cv.outgoing_automation, cv.rated_at, cv.score,
    cv.rating_comment, cv.closed_at, cv.closed_by_type, cv.closed_by_id, cv.closed_source,
    cv.category, cv.summary
    FROM convo_active ac FORCE INDEX (convo_active_assignee)
    STRAIGHT_JOIN convo_conversations cv ON cv.workspace = ac.workspace AND cv.id = ac.id
    WHERE ac.workspace = ? AND ac.assignee = ? AND ac.assignee <> '' AND ac.status = ?
    ORDER BY ac.created_at DESC, ac.id DESC LIMIT ?;
-- parameters: 1 workspace, 2 assignee, 3 status, 4 limit

-- active, of a user and a team, from a place on
SELECT cv.workspace, cv.id, cv.origin, cv.channel, cv.lane, cv.created_at, cv.contact,
    cv.new_contact, cv.status, cv.status_since, cv.version, cv.updated_at, cv.last_activity_at,
    cv.last_incoming_at, cv.first_closed_at, cv.assignee, cv.team, cv.assigned_at, cv.labels,
    cv.priority, cv.subject, cv.attributes, cv.pending_until, cv.on_receive,
    cv.awaiting_contact_since, cv.address_channel, cv.address, cv.marks, cv.deadline_at, cv.due_at,
    cv.applied, cv.unrated, cv.number, cv.opened_at, cv.opened_by_type, cv.opened_by_id,
    cv.opened_source, cv.first_assigned_at, cv.first_assignee, cv.last_assignee, cv.last_team,
    cv.first_response_at, cv.first_response_sent_at, cv.first_responder_type,
    cv.first_responder_id, cv.first_waiting_since, cv.waiting_since, cv.turn_since,
    cv.handed_over_at, cv.no_wait_before, cv.responses, cv.response_micros, cv.pending_micros,
    cv.incoming, cv.outgoing_user, cv.outgoing_automation, cv.rated_at, cv.score,
    cv.rating_comment, cv.closed_at, cv.closed_by_type, cv.closed_by_id, cv.closed_source,
    cv.category, cv.summary
    FROM convo_active ac FORCE INDEX (convo_active_assignee)
    STRAIGHT_JOIN convo_conversations cv ON cv.workspace = ac.workspace AND cv.id = ac.id
    WHERE ac.workspace = ? AND ac.assignee = ? AND ac.assignee <> '' AND ac.team = ? AND
        ac.created_at <= ? AND (ac.created_at < ? OR ac.id < ?)
    ORDER BY ac.created_at DESC, ac.id DESC LIMIT ?;
-- parameters: 1 workspace, 2 assignee, 3 team, 4 created_at, 5 created_at, 6 id, 7 limit

-- of a contact, in a period
SELECT cv.workspace, cv.id, cv.origin, cv.channel, cv.lane, cv.created_at, cv.contact,
    cv.new_contact, cv.status, cv.status_since, cv.version, cv.updated_at, cv.last_activity_at,
    cv.last_incoming_at, cv.first_closed_at, cv.assignee, cv.team, cv.assigned_at, cv.labels,
    cv.priority, cv.subject, cv.attributes, cv.pending_until, cv.on_receive,
    cv.awaiting_contact_since, cv.address_channel, cv.address, cv.marks, cv.deadline_at, cv.due_at,
    cv.applied, cv.unrated, cv.number, cv.opened_at, cv.opened_by_type, cv.opened_by_id,
    cv.opened_source, cv.first_assigned_at, cv.first_assignee, cv.last_assignee, cv.last_team,
    cv.first_response_at, cv.first_response_sent_at, cv.first_responder_type,
    cv.first_responder_id, cv.first_waiting_since, cv.waiting_since, cv.turn_since,
    cv.handed_over_at, cv.no_wait_before, cv.responses, cv.response_micros, cv.pending_micros,
    cv.incoming, cv.outgoing_user, cv.outgoing_automation, cv.rated_at, cv.score,
    cv.rating_comment, cv.closed_at, cv.closed_by_type, cv.closed_by_id, cv.closed_source,
    cv.category, cv.summary
    FROM convo_conversations cv FORCE INDEX (convo_conversations_contact)
    WHERE cv.workspace = ? AND cv.contact = ? AND cv.created_at >= ? AND cv.created_at < ?
    ORDER BY cv.created_at DESC, cv.id DESC LIMIT ?;
-- parameters: 1 workspace, 2 contact, 3 created_at, 4 created_at, 5 limit

-- by activity
SELECT cv.workspace, cv.id, cv.origin, cv.channel, cv.lane, cv.created_at, cv.contact,
    cv.new_contact, cv.status, cv.status_since, cv.version, cv.updated_at, cv.last_activity_at,
    cv.last_incoming_at, cv.first_closed_at, cv.assignee, cv.team, cv.assigned_at, cv.labels,
    cv.priority, cv.subject, cv.attributes, cv.pending_until, cv.on_receive,
    cv.awaiting_contact_since, cv.address_channel, cv.address, cv.marks, cv.deadline_at, cv.due_at,
    cv.applied, cv.unrated, cv.number, cv.opened_at, cv.opened_by_type, cv.opened_by_id,
    cv.opened_source, cv.first_assigned_at, cv.first_assignee, cv.last_assignee, cv.last_team,
    cv.first_response_at, cv.first_response_sent_at, cv.first_responder_type,
    cv.first_responder_id, cv.first_waiting_since, cv.waiting_since, cv.turn_since,
    cv.handed_over_at, cv.no_wait_before, cv.responses, cv.response_micros, cv.pending_micros,
    cv.incoming, cv.outgoing_user, cv.outgoing_automation, cv.rated_at, cv.score,
    cv.rating_comment, cv.closed_at, cv.closed_by_type, cv.closed_by_id, cv.closed_source,
    cv.category, cv.summary
FROM (SELECT cv.last_activity_at AS key0, pl.id AS key1
    FROM (SELECT DISTINCT at FROM (
    SELECT pl.at FROM convo_places pl FORCE INDEX (PRIMARY)
    WHERE pl.workspace = ? AND pl.list = 1
    ORDER BY pl.at DESC LIMIT ?) some_slots) slots
    STRAIGHT_JOIN convo_places pl FORCE INDEX (PRIMARY) ON pl.workspace = ? AND pl.list = 1 AND
        pl.at = slots.at
    STRAIGHT_JOIN convo_conversations cv ON cv.workspace = pl.workspace AND cv.id = pl.id
    WHERE pl.workspace = ? AND pl.list = 1
    ORDER BY cv.last_activity_at DESC, pl.id DESC LIMIT ?) page
JOIN convo_conversations cv ON cv.workspace = ? AND cv.id = page.key1
ORDER BY page.key0 DESC, page.key1 DESC;
-- parameters: 1 workspace, 2 limit, 3 workspace, 4 workspace, 5 limit, 6 workspace

-- by activity, from a place on
SELECT cv.workspace, cv.id, cv.origin, cv.channel, cv.lane, cv.created_at, cv.contact,
    cv.new_contact, cv.status, cv.status_since, cv.version, cv.updated_at, cv.last_activity_at,
    cv.last_incoming_at, cv.first_closed_at, cv.assignee, cv.team, cv.assigned_at, cv.labels,
    cv.priority, cv.subject, cv.attributes, cv.pending_until, cv.on_receive,
    cv.awaiting_contact_since, cv.address_channel, cv.address, cv.marks, cv.deadline_at, cv.due_at,
    cv.applied, cv.unrated, cv.number, cv.opened_at, cv.opened_by_type, cv.opened_by_id,
    cv.opened_source, cv.first_assigned_at, cv.first_assignee, cv.last_assignee, cv.last_team,
    cv.first_response_at, cv.first_response_sent_at, cv.first_responder_type,
    cv.first_responder_id, cv.first_waiting_since, cv.waiting_since, cv.turn_since,
    cv.handed_over_at, cv.no_wait_before, cv.responses, cv.response_micros, cv.pending_micros,
    cv.incoming, cv.outgoing_user, cv.outgoing_automation, cv.rated_at, cv.score,
    cv.rating_comment, cv.closed_at, cv.closed_by_type, cv.closed_by_id, cv.closed_source,
    cv.category, cv.summary
FROM (SELECT cv.last_activity_at AS key0, pl.id AS key1
    FROM (SELECT DISTINCT at FROM (
    SELECT pl.at FROM convo_places pl FORCE INDEX (PRIMARY)
    STRAIGHT_JOIN convo_conversations cv ON cv.workspace = pl.workspace AND cv.id = pl.id
    WHERE pl.workspace = ? AND pl.list = 1 AND pl.at <= ? AND cv.last_activity_at <= ? AND
        (cv.last_activity_at < ? OR pl.id < ?)
    ORDER BY pl.at DESC LIMIT ?) some_slots) slots
    STRAIGHT_JOIN convo_places pl FORCE INDEX (PRIMARY) ON pl.workspace = ? AND pl.list = 1 AND
        pl.at = slots.at
    STRAIGHT_JOIN convo_conversations cv ON cv.workspace = pl.workspace AND cv.id = pl.id
    WHERE pl.workspace = ? AND pl.list = 1 AND pl.at <= ? AND cv.last_activity_at <= ? AND
        (cv.last_activity_at < ? OR pl.id < ?)
    ORDER BY cv.last_activity_at DESC, pl.id DESC LIMIT ?) page
JOIN convo_conversations cv ON cv.workspace = ? AND cv.id = page.key1
ORDER BY page.key0 DESC, page.key1 DESC;
-- parameters: 1 workspace, 2 at, 3 last_activity_at, 4 last_activity_at, 5 id, 6 limit,
-- 7 workspace, 8 workspace, 9 at, 10 last_activity_at, 11 last_activity_at, 12 id, 13 limit,
-- 14 workspace

-- unassigned, by waiting, the longest first
SELECT cv.workspace, cv.id, cv.origin, cv.channel, cv.lane, cv.created_at, cv.contact,
    cv.new_contact, cv.status, cv.status_since, cv.version, cv.updated_at, cv.last_activity_at,
    cv.last_incoming_at, cv.first_closed_at, cv.assignee, cv.team, cv.assigned_at, cv.labels,
    cv.priority, cv.subject, cv.attributes, cv.pending_until, cv.on_receive,
    cv.awaiting_contact_since, cv.address_channel, cv.address, cv.marks, cv.deadline_at, cv.due_at,
    cv.applied, cv.unrated, cv.number, cv.opened_at, cv.opened_by_type, cv.opened_by_id,
    cv.opened_source, cv.first_assigned_at, cv.first_assignee, cv.last_assignee, cv.last_team,
    cv.first_response_at, cv.first_response_sent_at, cv.first_responder_type,
    cv.first_responder_id, cv.first_waiting_since, cv.waiting_since, cv.turn_since,
    cv.handed_over_at, cv.no_wait_before, cv.responses, cv.response_micros, cv.pending_micros,
    cv.incoming, cv.outgoing_user, cv.outgoing_automation, cv.rated_at, cv.score,
    cv.rating_comment, cv.closed_at, cv.closed_by_type, cv.closed_by_id, cv.closed_source,
    cv.category, cv.summary
FROM (SELECT pl.at AS key0, pl.id AS key1
    FROM convo_places pl FORCE INDEX (PRIMARY)
    STRAIGHT_JOIN convo_active ac ON ac.workspace = pl.workspace AND ac.id = pl.id
    WHERE pl.workspace = ? AND pl.list = 2 AND ac.workspace = ? AND ac.assignee = ''
    ORDER BY pl.at ASC, pl.id ASC LIMIT ?) page
JOIN convo_conversations cv ON cv.workspace = ? AND cv.id = page.key1
ORDER BY page.key0 ASC, page.key1 ASC;
-- parameters: 1 workspace, 2 workspace, 3 limit, 4 workspace

-- by priority, from a place on
SELECT cv.workspace, cv.id, cv.origin, cv.channel, cv.lane, cv.created_at, cv.contact,
    cv.new_contact, cv.status, cv.status_since, cv.version, cv.updated_at, cv.last_activity_at,
    cv.last_incoming_at, cv.first_closed_at, cv.assignee, cv.team, cv.assigned_at, cv.labels,
    cv.priority, cv.subject, cv.attributes, cv.pending_until, cv.on_receive,
    cv.awaiting_contact_since, cv.address_channel, cv.address, cv.marks, cv.deadline_at, cv.due_at,
    cv.applied, cv.unrated, cv.number, cv.opened_at, cv.opened_by_type, cv.opened_by_id,
    cv.opened_source, cv.first_assigned_at, cv.first_assignee, cv.last_assignee, cv.last_team,
    cv.first_response_at, cv.first_response_sent_at, cv.first_responder_type,
    cv.first_responder_id, cv.first_waiting_since, cv.waiting_since, cv.turn_since,
    cv.handed_over_at, cv.no_wait_before, cv.responses, cv.response_micros, cv.pending_micros,
    cv.incoming, cv.outgoing_user, cv.outgoing_automation, cv.rated_at, cv.score,
    cv.rating_comment, cv.closed_at, cv.closed_by_type, cv.closed_by_id, cv.closed_source,
    cv.category, cv.summary
FROM (SELECT pl.list AS key0, pl.at AS key1, pl.id AS key2
    FROM convo_places pl FORCE INDEX (PRIMARY)
    WHERE pl.workspace = ? AND pl.list > 10 AND (pl.list < ? OR pl.list = ? AND pl.at < ? OR
        pl.list = ? AND pl.at = ? AND pl.id < ?)
    ORDER BY pl.list DESC, pl.at DESC, pl.id DESC LIMIT ?) page
JOIN convo_conversations cv ON cv.workspace = ? AND cv.id = page.key2
ORDER BY page.key0 DESC, page.key1 DESC, page.key2 DESC;
-- parameters: 1 workspace, 2 list, 3 list, 4 at, 5 list, 6 at, 7 id, 8 limit, 9 workspace

-- of a user, by activity
SELECT cv.workspace, cv.id, cv.origin, cv.channel, cv.lane, cv.created_at, cv.contact,
    cv.new_contact, cv.status, cv.status_since, cv.version, cv.updated_at, cv.last_activity_at,
    cv.last_incoming_at, cv.first_closed_at, cv.assignee, cv.team, cv.assigned_at, cv.labels,
    cv.priority, cv.subject, cv.attributes, cv.pending_until, cv.on_receive,
    cv.awaiting_contact_since, cv.address_channel, cv.address, cv.marks, cv.deadline_at, cv.due_at,
    cv.applied, cv.unrated, cv.number, cv.opened_at, cv.opened_by_type, cv.opened_by_id,
    cv.opened_source, cv.first_assigned_at, cv.first_assignee, cv.last_assignee, cv.last_team,
    cv.first_response_at, cv.first_response_sent_at, cv.first_responder_type,
    cv.first_responder_id, cv.first_waiting_since, cv.waiting_since, cv.turn_since,
    cv.handed_over_at, cv.no_wait_before, cv.responses, cv.response_micros, cv.pending_micros,
    cv.incoming, cv.outgoing_user, cv.outgoing_automation, cv.rated_at, cv.score,
    cv.rating_comment, cv.closed_at, cv.closed_by_type, cv.closed_by_id, cv.closed_source,
    cv.category, cv.summary
FROM (SELECT cv.last_activity_at AS key0, cv.id AS key1
    FROM convo_active ac FORCE INDEX (convo_active_assignee)
    STRAIGHT_JOIN convo_conversations cv ON cv.workspace = ac.workspace AND cv.id = ac.id
    WHERE ac.workspace = ? AND ac.assignee = ? AND ac.assignee <> '' AND cv.last_activity_at IS NOT
        NULL
    ORDER BY cv.last_activity_at DESC, cv.id DESC LIMIT ?) page
JOIN convo_conversations cv ON cv.workspace = ? AND cv.id = page.key1
ORDER BY page.key0 DESC, page.key1 DESC;
-- parameters: 1 workspace, 2 assignee, 3 limit, 4 workspace

-- closed, with a label
SELECT cv.workspace, cv.id, cv.origin, cv.channel, cv.lane, cv.created_at, cv.contact,
    cv.new_contact, cv.status, cv.status_since, cv.version, cv.updated_at, cv.last_activity_at,
    cv.last_incoming_at, cv.first_closed_at, cv.assignee, cv.team, cv.assigned_at, cv.labels,
    cv.priority, cv.subject, cv.attributes, cv.pending_until, cv.on_receive,
    cv.awaiting_contact_since, cv.address_channel, cv.address, cv.marks, cv.deadline_at, cv.due_at,
    cv.applied, cv.unrated, cv.number, cv.opened_at, cv.opened_by_type, cv.opened_by_id,
    cv.opened_source, cv.first_assigned_at, cv.first_assignee, cv.last_assignee, cv.last_team,
    cv.first_response_at, cv.first_response_sent_at, cv.first_responder_type,
    cv.first_responder_id, cv.first_waiting_since, cv.waiting_since, cv.turn_since,
    cv.handed_over_at, cv.no_wait_before, cv.responses, cv.response_micros, cv.pending_micros,
    cv.incoming, cv.outgoing_user, cv.outgoing_automation, cv.rated_at, cv.score,
    cv.rating_comment, cv.closed_at, cv.closed_by_type, cv.closed_by_id, cv.closed_source,
    cv.category, cv.summary
    FROM convo_labels lb FORCE INDEX (PRIMARY)
    STRAIGHT_JOIN convo_conversations cv ON cv.workspace = lb.workspace AND cv.id = lb.conversation
    WHERE lb.workspace = ? AND lb.label = ? AND cv.active = 0 AND cv.workspace = ?
    ORDER BY lb.created_at DESC, lb.conversation DESC LIMIT ?;
-- parameters: 1 workspace, 2 label, 3 workspace, 4 limit

-- one
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
    WHERE workspace = ? AND id = ?;
-- parameters: 1 workspace, 2 id

-- counts
SELECT lane, team, assignee, SUM(n_open), SUM(n_pending), SUM(n_waiting)
    FROM (SELECT lane, team, assignee, SUM(CASE WHEN status = 'open' THEN 1 ELSE 0 END) AS n_open,
        SUM(CASE WHEN status = 'open' THEN 0 ELSE 1 END) AS n_pending, 0 AS n_waiting
        FROM convo_active
        WHERE workspace = ? GROUP BY lane, team, assignee
    UNION ALL SELECT ac.lane, ac.team, ac.assignee, 0, 0, COUNT(*)
        FROM convo_places pl
        JOIN convo_active ac ON ac.workspace = pl.workspace AND ac.id = pl.id
        WHERE pl.workspace = ? AND pl.list = 2
        GROUP BY ac.lane, ac.team, ac.assignee) counted
    GROUP BY lane, team, assignee;
-- parameters: 1 workspace, 2 workspace

-- last messages of two
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
        AND ev.seq >= (SELECT la.seq FROM convo_events la
            WHERE la.workspace = cv.workspace AND la.conversation = cv.id
                AND la.kind IN ('message_received', 'message_sent')
                AND NOT EXISTS (SELECT 1 FROM convo_events du WHERE du.workspace = la.workspace
                    AND du.conversation = la.conversation AND du.seq > la.seq
                    AND du.duplicate = la.id)
            ORDER BY la.seq DESC LIMIT 1)
    WHERE cv.workspace = ? AND cv.id IN (?, ?)
        AND (ev.kind IN ('message_received', 'message_sent') OR ev.message IS NOT NULL)
    ORDER BY ev.conversation, ev.seq;
-- parameters: 1 workspace, 2 id, 3 id
