-- +goose Up

-- Times are UTC in microseconds since 1970; NULL, or the year 1: not yet. Identifiers compare byte for byte.

-- What each version of the schema asks of a build: the lowest version that one must know to read, and to
-- write. Open goes by the highest row. Every migration adds its own last.
CREATE TABLE convo_versions (
    version    BIGINT NOT NULL PRIMARY KEY,
    min_reader BIGINT NOT NULL,
    min_writer BIGINT NOT NULL
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin ROW_FORMAT=DYNAMIC;

CREATE TABLE convo_contacts (
    workspace   VARBINARY(255) NOT NULL,
    id          VARBINARY(255) NOT NULL,
    version     BIGINT NOT NULL,
    created_at  BIGINT NOT NULL,
    updated_at  BIGINT,
    seen_at     BIGINT NOT NULL,
    blocked     BOOLEAN NOT NULL,
    merged_into VARBINARY(255),
    parent      VARBINARY(255),
    blocked_by  LONGTEXT,
    name        VARBINARY(255),
    attributes  LONGTEXT,
    erased_at   BIGINT,
    PRIMARY KEY (workspace, id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin ROW_FORMAT=DYNAMIC;

CREATE INDEX convo_contacts_merged ON convo_contacts (workspace, merged_into);
CREATE INDEX convo_contacts_blocked ON convo_contacts (workspace, blocked, id);
CREATE INDEX convo_contacts_seen ON convo_contacts (workspace, seen_at, id);

-- identity is the e-mail address or phone number that the value is, written in one way; NULL: it is none.
CREATE TABLE convo_addresses (
    workspace VARBINARY(255) NOT NULL,
    channel   VARBINARY(255) NOT NULL,
    value     VARBINARY(255) NOT NULL,
    contact   VARBINARY(255) NOT NULL,
    identity  VARBINARY(255),
    PRIMARY KEY (workspace, channel, value)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin ROW_FORMAT=DYNAMIC;

CREATE INDEX convo_addresses_contact ON convo_addresses (workspace, contact);
CREATE INDEX convo_addresses_identity ON convo_addresses (workspace, identity, channel, value);

-- From number on, the columns are those of the running cycle, or of the last one.
-- What changes with every message is in no index.
CREATE TABLE convo_conversations (
    workspace            VARBINARY(255) NOT NULL,
    id                   BINARY(16) NOT NULL,
    origin               VARBINARY(255) NOT NULL,
    channel              VARBINARY(255) NOT NULL,
    lane                 VARBINARY(255) NOT NULL,
    created_at           BIGINT NOT NULL,
    contact              VARBINARY(255) NOT NULL,
    new_contact          BOOLEAN NOT NULL,
    status               VARBINARY(255) NOT NULL,
    status_since         BIGINT NOT NULL,
    version              BIGINT NOT NULL,
    updated_at           BIGINT NOT NULL,
    last_activity_at     BIGINT NOT NULL,
    last_incoming_at     BIGINT,
    first_closed_at      BIGINT,
    assignee             VARBINARY(255) NOT NULL,
    team                 VARBINARY(255) NOT NULL,
    assigned_at          BIGINT,
    labels               LONGTEXT,
    priority             INT NOT NULL,
    subject              VARBINARY(998),
    attributes           LONGTEXT,
    pending_until        BIGINT,
    on_receive           VARBINARY(255),
    awaiting_contact_since        BIGINT,
    address_channel               VARBINARY(255) NOT NULL,
    address                       VARBINARY(255) NOT NULL,
    marks                LONGTEXT,
    deadline_at          BIGINT,
    due_at               BIGINT,
    applied              LONGTEXT,
    unrated              INT,
    active               BOOLEAN NOT NULL,
    number               INT NOT NULL,
    opened_at            BIGINT NOT NULL,
    opened_by_type       VARBINARY(255) NOT NULL,
    opened_by_id         VARBINARY(255) NOT NULL,
    opened_source        VARBINARY(255) NOT NULL,
    first_assigned_at    BIGINT,
    first_assignee       VARBINARY(255) NOT NULL,
    last_assignee        VARBINARY(255) NOT NULL,
    last_team            VARBINARY(255) NOT NULL,
    first_response_at    BIGINT,
    first_response_sent_at BIGINT,
    first_responder_type VARBINARY(255) NOT NULL,
    first_responder_id   VARBINARY(255) NOT NULL,
    first_waiting_since  BIGINT,
    waiting_since        BIGINT,
    turn_since           BIGINT NOT NULL,
    handed_over_at       BIGINT,
    no_wait_before       BIGINT,
    responses            INT NOT NULL,
    response_micros      BIGINT NOT NULL,
    pending_micros       BIGINT NOT NULL,
    incoming             INT NOT NULL,
    outgoing_user        INT NOT NULL,
    outgoing_automation  INT NOT NULL,
    rated_at             BIGINT,
    score                INT NOT NULL,
    rating_comment       LONGTEXT,
    closed_at            BIGINT,
    closed_by_type       VARBINARY(255) NOT NULL,
    closed_by_id         VARBINARY(255) NOT NULL,
    closed_source        VARBINARY(255) NOT NULL,
    category             VARBINARY(255) NOT NULL,
    summary              LONGTEXT NOT NULL,
    PRIMARY KEY (workspace, id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin ROW_FORMAT=DYNAMIC;

CREATE INDEX convo_conversations_latest ON convo_conversations (workspace, contact, lane, opened_at, id);
-- Nothing that a closing changes is in an index, either: lists leave out the active ones that they meet.
CREATE INDEX convo_conversations_listed ON convo_conversations (workspace, created_at, id);
CREATE INDEX convo_conversations_contact ON convo_conversations (workspace, contact, created_at, id);

-- A row for each active conversation, with what it is filtered in lists and counted by. No message
-- changes it, unless it is due earlier by it.
CREATE TABLE convo_active (
    workspace  VARBINARY(255) NOT NULL,
    id         BINARY(16) NOT NULL,
    status     VARBINARY(255) NOT NULL,
    channel    VARBINARY(255) NOT NULL,
    lane       VARBINARY(255) NOT NULL,
    created_at BIGINT NOT NULL,
    assignee   VARBINARY(255) NOT NULL,
    team       VARBINARY(255) NOT NULL,
    priority   INT NOT NULL,
    contact    VARBINARY(255) NOT NULL,
    due_at     BIGINT,
    PRIMARY KEY (workspace, id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin ROW_FORMAT=DYNAMIC;

-- What keeps the active conversation of a contact in a lane single.
CREATE UNIQUE INDEX convo_active_slot ON convo_active (workspace, contact, lane);
CREATE INDEX convo_active_listed ON convo_active (workspace, created_at, id);
CREATE INDEX convo_active_assignee ON convo_active (workspace, assignee, created_at, id);
-- Timers are looked for in all workspaces at once.
CREATE INDEX convo_active_due ON convo_active (due_at, workspace, id);

-- Closed conversations by what is asked for rarely, in the order of their opening. what 1: the assignee;
-- 2: the team; 3: the channel; 4: the lane; 5: the category. Rollup fills it, and takes nothing out of
-- it: a row may be of what a conversation had once. One that is in the queue of rollups may be missing.
CREATE TABLE convo_closed (
    workspace  VARBINARY(255) NOT NULL,
    what       INT NOT NULL,
    value      VARBINARY(255) NOT NULL,
    created_at BIGINT NOT NULL,
    id         BINARY(16) NOT NULL,
    PRIMARY KEY (workspace, what, value, created_at, id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin ROW_FORMAT=DYNAMIC;

-- Where active conversations stand in the lists that are not by their opening. list 1: at is the five
-- minutes of the last activity; 2: since when the contact waits; 3: when its next deadline is; 10 and a
-- priority: the opening. Each list is a range of its own: what moves in one touches no other one.
-- A negative list has closed conversations of a contact, by a hash of it, that span more than an hour: for histories.
CREATE TABLE convo_places (
    workspace VARBINARY(255) NOT NULL,
    list      INT NOT NULL,
    at        BIGINT NOT NULL,
    id        BINARY(16) NOT NULL,
    PRIMARY KEY (workspace, list, at, id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin ROW_FORMAT=DYNAMIC;

-- The labels of all conversations, in the order of their opening.
CREATE TABLE convo_labels (
    workspace    VARBINARY(255) NOT NULL,
    label        VARBINARY(255) NOT NULL,
    created_at   BIGINT NOT NULL,
    conversation BINARY(16) NOT NULL,
    PRIMARY KEY (workspace, label, created_at, conversation)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin ROW_FORMAT=DYNAMIC;

-- Whom the log of a conversation names beside its contact, or, where an owner is, the own log of that
-- contact, which has zeros for a conversation. Erasures find there what they replace.
CREATE TABLE convo_mentions (
    workspace    VARBINARY(255) NOT NULL,
    contact      VARBINARY(255) NOT NULL,
    conversation BINARY(16) NOT NULL,
    owner        VARBINARY(255) NOT NULL,
    PRIMARY KEY (workspace, contact, conversation, owner)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin ROW_FORMAT=DYNAMIC;

-- A row per closed cycle; the running one is in its conversation.
CREATE TABLE convo_cycles (
    workspace            VARBINARY(255) NOT NULL,
    conversation         BINARY(16) NOT NULL,
    channel              VARBINARY(255) NOT NULL,
    lane                 VARBINARY(255) NOT NULL,
    number               INT NOT NULL,
    opened_at            BIGINT NOT NULL,
    opened_by_type       VARBINARY(255) NOT NULL,
    opened_by_id         VARBINARY(255) NOT NULL,
    opened_source        VARBINARY(255) NOT NULL,
    first_assigned_at    BIGINT,
    first_assignee       VARBINARY(255) NOT NULL,
    last_assignee        VARBINARY(255) NOT NULL,
    last_team            VARBINARY(255) NOT NULL,
    first_response_at    BIGINT,
    first_response_sent_at BIGINT,
    first_responder_type VARBINARY(255) NOT NULL,
    first_responder_id   VARBINARY(255) NOT NULL,
    first_waiting_since  BIGINT,
    waiting_since        BIGINT,
    turn_since           BIGINT NOT NULL,
    handed_over_at       BIGINT,
    no_wait_before       BIGINT,
    responses            INT NOT NULL,
    response_micros      BIGINT NOT NULL,
    pending_micros       BIGINT NOT NULL,
    incoming             INT NOT NULL,
    outgoing_user        INT NOT NULL,
    outgoing_automation  INT NOT NULL,
    rated_at             BIGINT,
    score                INT NOT NULL,
    rating_comment       LONGTEXT,
    closed_at            BIGINT NOT NULL,
    closed_by_type       VARBINARY(255) NOT NULL,
    closed_by_id         VARBINARY(255) NOT NULL,
    closed_source        VARBINARY(255) NOT NULL,
    category             VARBINARY(255) NOT NULL,
    summary              LONGTEXT NOT NULL,
    PRIMARY KEY (workspace, conversation, number)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin ROW_FORMAT=DYNAMIC;

-- The log of conversations. NULL: the kind of event does not have it.
CREATE TABLE convo_events (
    workspace    VARBINARY(255) NOT NULL,
    conversation BINARY(16) NOT NULL,
    seq          BIGINT NOT NULL,
    id           BINARY(16) NOT NULL,
    contact      VARBINARY(255) NOT NULL,
    contact_seq  BIGINT,
    kind         VARBINARY(255) NOT NULL,
    at           BIGINT NOT NULL,
    by_type      VARBINARY(255) NOT NULL,
    by_id        VARBINARY(255),
    source       VARBINARY(255),
    channel      VARBINARY(255),
    lane         VARBINARY(255),
    address      VARBINARY(255),
    external_id  VARBINARY(998),
    sent_at      BIGINT,
    body         LONGTEXT,
    attachments  LONGTEXT,
    category     VARBINARY(255),
    summary      LONGTEXT,
    until_at     BIGINT,
    on_receive   VARBINARY(255),
    marks        LONGTEXT,
    cycle        INT,
    score        INT,
    replaces     BOOLEAN,
    assignee     VARBINARY(255),
    team         VARBINARY(255),
    response     BOOLEAN,
    quiet        BOOLEAN,
    new_contact  BOOLEAN,
    restart_flow BOOLEAN,
    message      BINARY(16),
    redacted     BOOLEAN,
    duplicate    BINARY(16),
    notice       VARBINARY(255),
    audience     VARBINARY(255),
    status_before   VARBINARY(255),
    assignee_before VARBINARY(255),
    team_before     VARBINARY(255),
    lane_before     VARBINARY(255),
    channel_before  VARBINARY(255),
    opened_source   VARBINARY(255),
    status_since    BIGINT,
    assigned_at     BIGINT,
    was_assigned    BOOLEAN,
    opened_at       BIGINT,
    turn            VARBINARY(255),
    turn_since      BIGINT,
    waiting_since   BIGINT,
    handed_over_at  BIGINT,
    replies         INT,
    pending_micros  BIGINT,
    closed_by_type  VARBINARY(255),
    closed_by_id    VARBINARY(255),
    moved_from      VARBINARY(255),
    from_seq        BIGINT,
    labels          LONGTEXT,
    labels_before   LONGTEXT,
    priority        INT,
    priority_before INT,
    subject         VARBINARY(998),
    attributes      LONGTEXT,
    PRIMARY KEY (workspace, conversation, seq)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin ROW_FORMAT=DYNAMIC;

-- The log of contacts themselves: addresses, blocking, merges.
CREATE TABLE convo_contact_events (
    workspace    VARBINARY(255) NOT NULL,
    contact      VARBINARY(255) NOT NULL,
    seq          BIGINT NOT NULL,
    id           BINARY(16) NOT NULL,
    contact_seq  BIGINT,
    kind         VARBINARY(255) NOT NULL,
    at           BIGINT NOT NULL,
    by_type      VARBINARY(255) NOT NULL,
    by_id        VARBINARY(255),
    source       VARBINARY(255),
    channel      VARBINARY(255),
    address      VARBINARY(255),
    external_id  VARBINARY(998),
    sent_at      BIGINT,
    body         LONGTEXT,
    attachments  LONGTEXT,
    quiet        BOOLEAN,
    message      BINARY(16),
    redacted     BOOLEAN,
    duplicate    BINARY(16),
    merged_into VARBINARY(255),
    blocked      BOOLEAN,
    blocked_by   LONGTEXT,
    unmerged_from  VARBINARY(255),
    own_blocked  BOOLEAN,
    own_blocked_by LONGTEXT,
    name         VARBINARY(255),
    attributes   LONGTEXT,
    PRIMARY KEY (workspace, contact, seq)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin ROW_FORMAT=DYNAMIC;

-- External ids of messages by channel, and, without a channel, idempotency keys of the host.
CREATE TABLE convo_keys (
    workspace    VARBINARY(255) NOT NULL,
    channel      VARBINARY(255) NOT NULL,
    id           VARBINARY(998) NOT NULL,
    address      VARBINARY(255) NOT NULL,
    contact      VARBINARY(255) NOT NULL,
    hash         BIGINT NOT NULL,
    conversation BINARY(16),
    first_seq    BIGINT NOT NULL,
    last_seq     BIGINT NOT NULL,
    PRIMARY KEY (workspace, channel, id, address, contact)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin ROW_FORMAT=DYNAMIC;

-- Receipts of sent messages. status: 1 sent, 2 failed, 3 delivered, 4 read; it never goes down.
-- unknown_since is when the receipt came, until a key with its external id is found.
CREATE TABLE convo_deliveries (
    workspace     VARBINARY(255) NOT NULL,
    channel       VARBINARY(255) NOT NULL,
    id            VARBINARY(998) NOT NULL,
    address       VARBINARY(255) NOT NULL,
    status        INT NOT NULL,
    at            BIGINT NOT NULL,
    reason        LONGTEXT,
    unknown_since BIGINT,
    PRIMARY KEY (workspace, channel, id, address)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin ROW_FORMAT=DYNAMIC;

CREATE INDEX convo_deliveries_unknown ON convo_deliveries (unknown_since);

INSERT INTO convo_versions (version, min_reader, min_writer) VALUES (1, 1, 1);

-- +goose Down
DROP TABLE IF EXISTS convo_deliveries;
DROP TABLE IF EXISTS convo_keys;
DROP TABLE IF EXISTS convo_contact_events;
DROP TABLE IF EXISTS convo_events;
DROP TABLE IF EXISTS convo_cycles;
DROP TABLE IF EXISTS convo_mentions;
DROP TABLE IF EXISTS convo_labels;
DROP TABLE IF EXISTS convo_places;
DROP TABLE IF EXISTS convo_closed;
DROP TABLE IF EXISTS convo_active;
DROP TABLE IF EXISTS convo_conversations;
DROP TABLE IF EXISTS convo_addresses;
DROP TABLE IF EXISTS convo_contacts;
DROP TABLE IF EXISTS convo_versions;
