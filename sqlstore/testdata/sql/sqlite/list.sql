-- all
SELECT cv.workspace, cv.id, cv.origin, cv.channel, cv.lane, cv.created_at, cv.contact,
    cv.new_contact, cv.status, cv.version, cv.updated_at, cv.last_activity_at, cv.first_closed_at,
    cv.assignee, cv.team, cv.labels, cv.priority, cv.subject, cv.attributes, cv.pending_since,
    cv.pending_until, cv.awaiting_contact_since, cv.address_channel, cv.address, cv.due_at,
    cv.number, cv.opened_at, cv.opened_by_type, cv.opened_by_id, cv.opened_source,
    cv.first_assigned_at, cv.first_assignee, cv.last_assignee, cv.last_team, cv.first_response_at,
    cv.first_response_sent_at, cv.first_responder_type, cv.first_responder_id,
    cv.first_waiting_since, cv.waiting_since, cv.no_wait_before, cv.responses, cv.response_micros,
    cv.pending_micros, cv.incoming, cv.outgoing_user, cv.outgoing_automation, cv.closed_at,
    cv.closed_by_type, cv.closed_by_id, cv.closed_source, cv.category, cv.summary
FROM (SELECT * FROM (
    SELECT cv.id, cv.created_at
    FROM convo_conversations cv
    WHERE cv.workspace = +? AND cv.active = 1
    ORDER BY cv.created_at DESC, cv.id DESC LIMIT +?
) of_active UNION ALL SELECT * FROM (
    SELECT cv.id, cv.created_at
    FROM convo_conversations cv
    WHERE cv.workspace = +? AND cv.active = 0
    ORDER BY cv.created_at DESC, cv.id DESC LIMIT +?
) of_closed ORDER BY created_at DESC, id DESC LIMIT +?) page
JOIN convo_conversations cv ON cv.workspace = +? AND cv.id = page.id
ORDER BY page.created_at DESC, page.id DESC;
-- parameters: 1 workspace, 2 limit, 3 workspace, 4 limit, 5 limit, 6 workspace

-- open
SELECT cv.workspace, cv.id, cv.origin, cv.channel, cv.lane, cv.created_at, cv.contact,
    cv.new_contact, cv.status, cv.version, cv.updated_at, cv.last_activity_at, cv.first_closed_at,
    cv.assignee, cv.team, cv.labels, cv.priority, cv.subject, cv.attributes, cv.pending_since,
    cv.pending_until, cv.awaiting_contact_since, cv.address_channel, cv.address, cv.due_at,
    cv.number, cv.opened_at, cv.opened_by_type, cv.opened_by_id, cv.opened_source,
    cv.first_assigned_at, cv.first_assignee, cv.last_assignee, cv.last_team, cv.first_response_at,
    cv.first_response_sent_at, cv.first_responder_type, cv.first_responder_id,
    cv.first_waiting_since, cv.waiting_since, cv.no_wait_before, cv.responses, cv.response_micros,
    cv.pending_micros, cv.incoming, cv.outgoing_user, cv.outgoing_automation, cv.closed_at,
    cv.closed_by_type, cv.closed_by_id, cv.closed_source, cv.category, cv.summary
    FROM convo_conversations cv
    WHERE cv.workspace = +? AND cv.active = 1 AND cv.status <> 'pending'
    ORDER BY cv.created_at DESC, cv.id DESC LIMIT +?;
-- parameters: 1 workspace, 2 limit

-- closed
SELECT cv.workspace, cv.id, cv.origin, cv.channel, cv.lane, cv.created_at, cv.contact,
    cv.new_contact, cv.status, cv.version, cv.updated_at, cv.last_activity_at, cv.first_closed_at,
    cv.assignee, cv.team, cv.labels, cv.priority, cv.subject, cv.attributes, cv.pending_since,
    cv.pending_until, cv.awaiting_contact_since, cv.address_channel, cv.address, cv.due_at,
    cv.number, cv.opened_at, cv.opened_by_type, cv.opened_by_id, cv.opened_source,
    cv.first_assigned_at, cv.first_assignee, cv.last_assignee, cv.last_team, cv.first_response_at,
    cv.first_response_sent_at, cv.first_responder_type, cv.first_responder_id,
    cv.first_waiting_since, cv.waiting_since, cv.no_wait_before, cv.responses, cv.response_micros,
    cv.pending_micros, cv.incoming, cv.outgoing_user, cv.outgoing_automation, cv.closed_at,
    cv.closed_by_type, cv.closed_by_id, cv.closed_source, cv.category, cv.summary
    FROM convo_conversations cv
    WHERE cv.workspace = +? AND cv.active = 0
    ORDER BY cv.created_at DESC, cv.id DESC LIMIT +?;
-- parameters: 1 workspace, 2 limit

-- open, of a user
SELECT cv.workspace, cv.id, cv.origin, cv.channel, cv.lane, cv.created_at, cv.contact,
    cv.new_contact, cv.status, cv.version, cv.updated_at, cv.last_activity_at, cv.first_closed_at,
    cv.assignee, cv.team, cv.labels, cv.priority, cv.subject, cv.attributes, cv.pending_since,
    cv.pending_until, cv.awaiting_contact_since, cv.address_channel, cv.address, cv.due_at,
    cv.number, cv.opened_at, cv.opened_by_type, cv.opened_by_id, cv.opened_source,
    cv.first_assigned_at, cv.first_assignee, cv.last_assignee, cv.last_team, cv.first_response_at,
    cv.first_response_sent_at, cv.first_responder_type, cv.first_responder_id,
    cv.first_waiting_since, cv.waiting_since, cv.no_wait_before, cv.responses, cv.response_micros,
    cv.pending_micros, cv.incoming, cv.outgoing_user, cv.outgoing_automation, cv.closed_at,
    cv.closed_by_type, cv.closed_by_id, cv.closed_source, cv.category, cv.summary
    FROM convo_conversations cv
    WHERE cv.workspace = +? AND cv.assignee = +? AND cv.active = 1 AND cv.status <> 'pending'
    ORDER BY cv.created_at DESC, cv.id DESC LIMIT +?;
-- parameters: 1 workspace, 2 assignee, 3 limit

-- active, of a user and a team, from a place on
/* for these values */ SELECT cv.workspace, cv.id, cv.origin, cv.channel, cv.lane, cv.created_at,
    cv.contact, cv.new_contact, cv.status, cv.version, cv.updated_at, cv.last_activity_at,
    cv.first_closed_at, cv.assignee, cv.team, cv.labels, cv.priority, cv.subject, cv.attributes,
    cv.pending_since, cv.pending_until, cv.awaiting_contact_since, cv.address_channel, cv.address,
    cv.due_at, cv.number, cv.opened_at, cv.opened_by_type, cv.opened_by_id, cv.opened_source,
    cv.first_assigned_at, cv.first_assignee, cv.last_assignee, cv.last_team, cv.first_response_at,
    cv.first_response_sent_at, cv.first_responder_type, cv.first_responder_id,
    cv.first_waiting_since, cv.waiting_since, cv.no_wait_before, cv.responses, cv.response_micros,
    cv.pending_micros, cv.incoming, cv.outgoing_user, cv.outgoing_automation, cv.closed_at,
    cv.closed_by_type, cv.closed_by_id, cv.closed_source, cv.category, cv.summary
    FROM convo_conversations cv
    WHERE cv.workspace = ? AND cv.assignee = ? AND cv.team = ? AND cv.team <> '' AND cv.created_at
        <= ? AND (cv.created_at < ? OR cv.id < ?) AND cv.active = 1
    ORDER BY cv.created_at DESC, cv.id DESC LIMIT ?;
-- parameters: 1 workspace, 2 assignee, 3 team, 4 created_at, 5 created_at, 6 id, 7 limit

-- of a contact, in a period
SELECT cv.workspace, cv.id, cv.origin, cv.channel, cv.lane, cv.created_at, cv.contact,
    cv.new_contact, cv.status, cv.version, cv.updated_at, cv.last_activity_at, cv.first_closed_at,
    cv.assignee, cv.team, cv.labels, cv.priority, cv.subject, cv.attributes, cv.pending_since,
    cv.pending_until, cv.awaiting_contact_since, cv.address_channel, cv.address, cv.due_at,
    cv.number, cv.opened_at, cv.opened_by_type, cv.opened_by_id, cv.opened_source,
    cv.first_assigned_at, cv.first_assignee, cv.last_assignee, cv.last_team, cv.first_response_at,
    cv.first_response_sent_at, cv.first_responder_type, cv.first_responder_id,
    cv.first_waiting_since, cv.waiting_since, cv.no_wait_before, cv.responses, cv.response_micros,
    cv.pending_micros, cv.incoming, cv.outgoing_user, cv.outgoing_automation, cv.closed_at,
    cv.closed_by_type, cv.closed_by_id, cv.closed_source, cv.category, cv.summary
FROM (SELECT * FROM (
    SELECT cv.id, cv.created_at
    FROM convo_conversations cv
    WHERE cv.workspace = +? AND cv.contact = +? AND cv.created_at >= +? AND cv.created_at < +? AND
        cv.active = 1
    ORDER BY cv.created_at DESC, cv.id DESC LIMIT +?
) of_active UNION ALL SELECT * FROM (
    SELECT cv.id, cv.created_at
    FROM convo_conversations cv
    WHERE cv.workspace = +? AND cv.contact = +? AND cv.created_at >= +? AND cv.created_at < +? AND
        cv.active = 0
    ORDER BY cv.created_at DESC, cv.id DESC LIMIT +?
) of_closed ORDER BY created_at DESC, id DESC LIMIT +?) page
JOIN convo_conversations cv ON cv.workspace = +? AND cv.id = page.id
ORDER BY page.created_at DESC, page.id DESC;
-- parameters: 1 workspace, 2 contact, 3 created_at, 4 created_at, 5 limit, 6 workspace, 7 contact,
-- 8 created_at, 9 created_at, 10 limit, 11 limit, 12 workspace

-- one
SELECT workspace, id, origin, channel, lane, created_at, contact, new_contact, status, version,
    updated_at, last_activity_at, first_closed_at, assignee, team, labels, priority, subject,
    attributes, pending_since, pending_until, awaiting_contact_since, address_channel, address,
    due_at, number, opened_at, opened_by_type, opened_by_id, opened_source, first_assigned_at,
    first_assignee, last_assignee, last_team, first_response_at, first_response_sent_at,
    first_responder_type, first_responder_id, first_waiting_since, waiting_since, no_wait_before,
    responses, response_micros, pending_micros, incoming, outgoing_user, outgoing_automation,
    closed_at, closed_by_type, closed_by_id, closed_source, category, summary
    FROM convo_conversations
    WHERE workspace = +? AND id = +?;
-- parameters: 1 workspace, 2 id
