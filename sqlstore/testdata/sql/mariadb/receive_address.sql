-- load by address: see load.sql

-- commit
BEGIN NOT ATOMIC
    DECLARE step INT DEFAULT 1;
    DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK; RESIGNAL; END;
    DECLARE EXIT HANDLER FOR 1062 BEGIN ROLLBACK; SELECT step; END;
    START TRANSACTION;
    work: BEGIN
        INSERT INTO convo_contacts (workspace, id, version, created_at, updated_at, blocked,
            merged_into, name, attributes)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?);
        SET step = 2;
        INSERT INTO convo_conversations (workspace, id, origin, channel, lane, created_at, contact,
            new_contact, status, version, updated_at, last_activity_at, first_closed_at, assignee,
            team, labels, priority, subject, attributes, pending_since, pending_until,
            awaiting_contact_since, address_channel, address, due_at, active, active_slot, number,
            opened_at, opened_by_type, opened_by_id, opened_source, first_assigned_at,
            first_assignee, last_assignee, last_team, first_response_at, first_response_sent_at,
            first_responder_type, first_responder_id, first_waiting_since, waiting_since,
            no_wait_before, responses, response_micros, pending_micros, incoming, outgoing_user,
            outgoing_automation, closed_at, closed_by_type, closed_by_id, closed_source, category,
            summary)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?,
                ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?,
                ?);
        SET step = 1;
        INSERT INTO convo_addresses (workspace, channel, value, contact, identity)
            VALUES (?, ?, ?, ?, ?);
        INSERT INTO convo_events (workspace, conversation, seq, id, contact, contact_seq, kind, at,
            by_type, by_id, source, channel, lane, address, external_id, sent_at, body,
            attachments, category, summary, until_at, assignee, team, response, quiet, new_contact,
            restart_flow, message, redacted, duplicate, notice, audience, status_before,
            assignee_before, team_before, lane_before, channel_before, labels, labels_before,
            priority, priority_before, subject, attributes)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?,
                ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?);
        INSERT INTO convo_events (workspace, conversation, seq, id, contact, contact_seq, kind, at,
            by_type, by_id, source, channel, lane, address, external_id, sent_at, body,
            attachments, category, summary, until_at, assignee, team, response, quiet, new_contact,
            restart_flow, message, redacted, duplicate, notice, audience, status_before,
            assignee_before, team_before, lane_before, channel_before, labels, labels_before,
            priority, priority_before, subject, attributes)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?,
                ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?);
        INSERT INTO convo_contact_events (workspace, contact, seq, id, contact_seq, kind, at,
            by_type, by_id, source, channel, address, external_id, sent_at, body, attachments,
            quiet, message, redacted, duplicate, merged_into, blocked, name, attributes)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?);
        SET step = 0;
        COMMIT;
    END work;
    IF step <> 0 THEN ROLLBACK; END IF;
    SELECT step;
END;
-- parameters: 1 workspace, 2 id, 3 version, 4 created_at, 5 updated_at, 6 blocked, 7 merged_into,
-- 8 name, 9 attributes, 10 workspace, 11 id, 12 origin, 13 channel, 14 lane, 15 created_at,
-- 16 contact, 17 new_contact, 18 status, 19 version, 20 updated_at, 21 last_activity_at,
-- 22 first_closed_at, 23 assignee, 24 team, 25 labels, 26 priority, 27 subject, 28 attributes,
-- 29 pending_since, 30 pending_until, 31 awaiting_contact_since, 32 address_channel, 33 address,
-- 34 due_at, 35 active, 36 active_slot, 37 number, 38 opened_at, 39 opened_by_type,
-- 40 opened_by_id, 41 opened_source, 42 first_assigned_at, 43 first_assignee, 44 last_assignee,
-- 45 last_team, 46 first_response_at, 47 first_response_sent_at, 48 first_responder_type,
-- 49 first_responder_id, 50 first_waiting_since, 51 waiting_since, 52 no_wait_before, 53 responses,
-- 54 response_micros, 55 pending_micros, 56 incoming, 57 outgoing_user, 58 outgoing_automation,
-- 59 closed_at, 60 closed_by_type, 61 closed_by_id, 62 closed_source, 63 category, 64 summary,
-- 65 workspace, 66 channel, 67 value, 68 contact, 69 identity, 70 workspace, 71 conversation,
-- 72 seq, 73 id, 74 contact, 75 contact_seq, 76 kind, 77 at, 78 by_type, 79 by_id, 80 source,
-- 81 channel, 82 lane, 83 address, 84 external_id, 85 sent_at, 86 body, 87 attachments,
-- 88 category, 89 summary, 90 until_at, 91 assignee, 92 team, 93 response, 94 quiet,
-- 95 new_contact, 96 restart_flow, 97 message, 98 redacted, 99 duplicate, 100 notice, 101 audience,
-- 102 status_before, 103 assignee_before, 104 team_before, 105 lane_before, 106 channel_before,
-- 107 labels, 108 labels_before, 109 priority, 110 priority_before, 111 subject, 112 attributes,
-- 113 workspace, 114 conversation, 115 seq, 116 id, 117 contact, 118 contact_seq, 119 kind, 120 at,
-- 121 by_type, 122 by_id, 123 source, 124 channel, 125 lane, 126 address, 127 external_id,
-- 128 sent_at, 129 body, 130 attachments, 131 category, 132 summary, 133 until_at, 134 assignee,
-- 135 team, 136 response, 137 quiet, 138 new_contact, 139 restart_flow, 140 message, 141 redacted,
-- 142 duplicate, 143 notice, 144 audience, 145 status_before, 146 assignee_before, 147 team_before,
-- 148 lane_before, 149 channel_before, 150 labels, 151 labels_before, 152 priority,
-- 153 priority_before, 154 subject, 155 attributes, 156 workspace, 157 contact, 158 seq, 159 id,
-- 160 contact_seq, 161 kind, 162 at, 163 by_type, 164 by_id, 165 source, 166 channel, 167 address,
-- 168 external_id, 169 sent_at, 170 body, 171 attachments, 172 quiet, 173 message, 174 redacted,
-- 175 duplicate, 176 merged_into, 177 blocked, 178 name, 179 attributes
