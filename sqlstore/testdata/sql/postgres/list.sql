-- all
SELECT * FROM (
    SELECT workspace, id, origin, channel, lane, created_at, contact, new_contact, status, version,
        updated_at, last_activity_at, first_closed_at, assignee, team, labels, priority, subject,
        attributes, pending_since, pending_until, awaiting_contact_since, address_channel, address,
        due_at, number, opened_at, opened_by_type, opened_by_id, opened_source, first_assigned_at,
        first_assignee, last_assignee, last_team, first_response_at, first_response_sent_at,
        first_responder_type, first_responder_id, first_waiting_since, waiting_since,
        no_wait_before, responses, response_micros, pending_micros, incoming, outgoing_user,
        outgoing_automation, closed_at, closed_by_type, closed_by_id, closed_source, category,
        summary
    FROM convo_conversations
    WHERE workspace = $1 AND active = TRUE
    ORDER BY created_at DESC, id DESC LIMIT $2
) of_active UNION ALL SELECT * FROM (
    SELECT workspace, id, origin, channel, lane, created_at, contact, new_contact, status, version,
        updated_at, last_activity_at, first_closed_at, assignee, team, labels, priority, subject,
        attributes, pending_since, pending_until, awaiting_contact_since, address_channel, address,
        due_at, number, opened_at, opened_by_type, opened_by_id, opened_source, first_assigned_at,
        first_assignee, last_assignee, last_team, first_response_at, first_response_sent_at,
        first_responder_type, first_responder_id, first_waiting_since, waiting_since,
        no_wait_before, responses, response_micros, pending_micros, incoming, outgoing_user,
        outgoing_automation, closed_at, closed_by_type, closed_by_id, closed_source, category,
        summary
    FROM convo_conversations
    WHERE workspace = $3 AND active = FALSE
    ORDER BY created_at DESC, id DESC LIMIT $4
) of_closed ORDER BY created_at DESC, id DESC LIMIT $5;
-- parameters: 1 workspace, 2 limit, 3 workspace, 4 limit, 5 limit

-- open
SELECT workspace, id, origin, channel, lane, created_at, contact, new_contact, status, version,
    updated_at, last_activity_at, first_closed_at, assignee, team, labels, priority, subject,
    attributes, pending_since, pending_until, awaiting_contact_since, address_channel, address,
    due_at, number, opened_at, opened_by_type, opened_by_id, opened_source, first_assigned_at,
    first_assignee, last_assignee, last_team, first_response_at, first_response_sent_at,
    first_responder_type, first_responder_id, first_waiting_since, waiting_since, no_wait_before,
    responses, response_micros, pending_micros, incoming, outgoing_user, outgoing_automation,
    closed_at, closed_by_type, closed_by_id, closed_source, category, summary
    FROM convo_conversations
    WHERE workspace = $1 AND active = TRUE AND status <> 'pending'
    ORDER BY created_at DESC, id DESC LIMIT $2;
-- parameters: 1 workspace, 2 limit

-- closed
SELECT workspace, id, origin, channel, lane, created_at, contact, new_contact, status, version,
    updated_at, last_activity_at, first_closed_at, assignee, team, labels, priority, subject,
    attributes, pending_since, pending_until, awaiting_contact_since, address_channel, address,
    due_at, number, opened_at, opened_by_type, opened_by_id, opened_source, first_assigned_at,
    first_assignee, last_assignee, last_team, first_response_at, first_response_sent_at,
    first_responder_type, first_responder_id, first_waiting_since, waiting_since, no_wait_before,
    responses, response_micros, pending_micros, incoming, outgoing_user, outgoing_automation,
    closed_at, closed_by_type, closed_by_id, closed_source, category, summary
    FROM convo_conversations
    WHERE workspace = $1 AND active = FALSE
    ORDER BY created_at DESC, id DESC LIMIT $2;
-- parameters: 1 workspace, 2 limit

-- open, of a user
SELECT workspace, id, origin, channel, lane, created_at, contact, new_contact, status, version,
    updated_at, last_activity_at, first_closed_at, assignee, team, labels, priority, subject,
    attributes, pending_since, pending_until, awaiting_contact_since, address_channel, address,
    due_at, number, opened_at, opened_by_type, opened_by_id, opened_source, first_assigned_at,
    first_assignee, last_assignee, last_team, first_response_at, first_response_sent_at,
    first_responder_type, first_responder_id, first_waiting_since, waiting_since, no_wait_before,
    responses, response_micros, pending_micros, incoming, outgoing_user, outgoing_automation,
    closed_at, closed_by_type, closed_by_id, closed_source, category, summary
    FROM convo_conversations
    WHERE workspace = $1 AND assignee = $2 AND active = TRUE AND status <> 'pending'
    ORDER BY created_at DESC, id DESC LIMIT $3;
-- parameters: 1 workspace, 2 assignee, 3 limit

-- active, of a user and a team, from a place on
/* for these values */ SELECT workspace, id, origin, channel, lane, created_at, contact,
    new_contact, status, version, updated_at, last_activity_at, first_closed_at, assignee, team,
    labels, priority, subject, attributes, pending_since, pending_until, awaiting_contact_since,
    address_channel, address, due_at, number, opened_at, opened_by_type, opened_by_id,
    opened_source, first_assigned_at, first_assignee, last_assignee, last_team, first_response_at,
    first_response_sent_at, first_responder_type, first_responder_id, first_waiting_since,
    waiting_since, no_wait_before, responses, response_micros, pending_micros, incoming,
    outgoing_user, outgoing_automation, closed_at, closed_by_type, closed_by_id, closed_source,
    category, summary
    FROM convo_conversations
    WHERE workspace = $1 AND assignee = $2 AND team = $3 AND team <> '' AND created_at <= $4 AND
        (created_at < $5 OR id < $6) AND active = TRUE
    ORDER BY created_at DESC, id DESC LIMIT $7;
-- parameters: 1 workspace, 2 assignee, 3 team, 4 created_at, 5 created_at, 6 id, 7 limit

-- of a contact, in a period
SELECT * FROM (
    SELECT workspace, id, origin, channel, lane, created_at, contact, new_contact, status, version,
        updated_at, last_activity_at, first_closed_at, assignee, team, labels, priority, subject,
        attributes, pending_since, pending_until, awaiting_contact_since, address_channel, address,
        due_at, number, opened_at, opened_by_type, opened_by_id, opened_source, first_assigned_at,
        first_assignee, last_assignee, last_team, first_response_at, first_response_sent_at,
        first_responder_type, first_responder_id, first_waiting_since, waiting_since,
        no_wait_before, responses, response_micros, pending_micros, incoming, outgoing_user,
        outgoing_automation, closed_at, closed_by_type, closed_by_id, closed_source, category,
        summary
    FROM convo_conversations
    WHERE workspace = $1 AND contact = $2 AND created_at >= $3 AND created_at < $4 AND active =
        TRUE
    ORDER BY created_at DESC, id DESC LIMIT $5
) of_active UNION ALL SELECT * FROM (
    SELECT workspace, id, origin, channel, lane, created_at, contact, new_contact, status, version,
        updated_at, last_activity_at, first_closed_at, assignee, team, labels, priority, subject,
        attributes, pending_since, pending_until, awaiting_contact_since, address_channel, address,
        due_at, number, opened_at, opened_by_type, opened_by_id, opened_source, first_assigned_at,
        first_assignee, last_assignee, last_team, first_response_at, first_response_sent_at,
        first_responder_type, first_responder_id, first_waiting_since, waiting_since,
        no_wait_before, responses, response_micros, pending_micros, incoming, outgoing_user,
        outgoing_automation, closed_at, closed_by_type, closed_by_id, closed_source, category,
        summary
    FROM convo_conversations
    WHERE workspace = $6 AND contact = $7 AND created_at >= $8 AND created_at < $9 AND active =
        FALSE
    ORDER BY created_at DESC, id DESC LIMIT $10
) of_closed ORDER BY created_at DESC, id DESC LIMIT $11;
-- parameters: 1 workspace, 2 contact, 3 created_at, 4 created_at, 5 limit, 6 workspace, 7 contact,
-- 8 created_at, 9 created_at, 10 limit, 11 limit

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
    WHERE workspace = $1 AND id = $2;
-- parameters: 1 workspace, 2 id
