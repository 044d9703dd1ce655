-- by contact
SELECT ct.workspace, ct.id, ct.version, ct.created_at, ct.updated_at, ct.seen_at, ct.blocked,
    ct.merged_into, ct.parent, ct.blocked_by, ct.name, ct.attributes, ct.erased_at,
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
    WHERE ct.workspace = ? AND ct.id = ?;
-- parameters: 1 lane, 2 lane, 3 workspace, 4 id

-- by address
SELECT ct.workspace, ct.id, ct.version, ct.created_at, ct.updated_at, ct.seen_at, ct.blocked,
    ct.merged_into, ct.parent, ct.blocked_by, ct.name, ct.attributes, ct.erased_at,
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
    FROM convo_addresses ad FORCE INDEX (PRIMARY)
    JOIN convo_contacts linked FORCE INDEX (PRIMARY) ON linked.workspace = ad.workspace AND
        linked.id = ad.contact
    JOIN convo_contacts ct FORCE INDEX (PRIMARY) ON ct.workspace = linked.workspace
        AND ct.id = COALESCE(linked.merged_into, linked.id)
    LEFT JOIN convo_conversations cv FORCE INDEX (PRIMARY)
        ON cv.workspace = ct.workspace AND cv.id = COALESCE((
            SELECT running.id FROM convo_active running FORCE INDEX (convo_active_slot)
            WHERE running.workspace = ct.workspace AND running.contact = ct.id
                AND running.lane = ?), (
            SELECT latest.id FROM convo_conversations latest FORCE INDEX
                (convo_conversations_latest)
            WHERE latest.workspace = ct.workspace AND latest.contact = ct.id AND latest.lane = ?
            ORDER BY latest.opened_at DESC, latest.id DESC LIMIT 1))
    WHERE ad.workspace = ? AND ad.channel = ? AND ad.value = ?;
-- parameters: 1 lane, 2 lane, 3 workspace, 4 channel, 5 value

-- by contact and address
SELECT (SELECT COALESCE(linked.merged_into, linked.id) FROM convo_addresses ad FORCE INDEX
    (PRIMARY)
    JOIN convo_contacts linked FORCE INDEX (PRIMARY) ON linked.workspace = ad.workspace AND
        linked.id = ad.contact
    WHERE ad.workspace = ? AND ad.channel = ? AND ad.value = ?),
    ct.workspace, ct.id, ct.version, ct.created_at, ct.updated_at, ct.seen_at, ct.blocked,
        ct.merged_into, ct.parent, ct.blocked_by, ct.name, ct.attributes, ct.erased_at,
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
    FROM (SELECT 1 AS one) one
    LEFT JOIN convo_contacts ct FORCE INDEX (PRIMARY) ON ct.workspace = ? AND ct.id = ?
    LEFT JOIN convo_conversations cv FORCE INDEX (PRIMARY)
        ON cv.workspace = ct.workspace AND cv.id = COALESCE((
            SELECT running.id FROM convo_active running FORCE INDEX (convo_active_slot)
            WHERE running.workspace = ct.workspace AND running.contact = ct.id
                AND running.lane = ?), (
            SELECT latest.id FROM convo_conversations latest FORCE INDEX
                (convo_conversations_latest)
            WHERE latest.workspace = ct.workspace AND latest.contact = ct.id AND latest.lane = ?
            ORDER BY latest.opened_at DESC, latest.id DESC LIMIT 1));
-- parameters: 1 workspace, 2 channel, 3 value, 4 workspace, 5 id, 6 lane, 7 lane

-- by conversation
SELECT ct.workspace, ct.id, ct.version, ct.created_at, ct.updated_at, ct.seen_at, ct.blocked,
    ct.merged_into, ct.parent, ct.blocked_by, ct.name, ct.attributes, ct.erased_at,
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
    FROM convo_conversations cv FORCE INDEX (PRIMARY)
    JOIN convo_contacts ct FORCE INDEX (PRIMARY) ON ct.workspace = cv.workspace AND ct.id =
        cv.contact
    WHERE cv.workspace = ? AND cv.id = ?;
-- parameters: 1 workspace, 2 id
