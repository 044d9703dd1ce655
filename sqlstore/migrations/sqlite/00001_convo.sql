-- +goose Up

-- Times are UTC in microseconds since 1970; NULL, or the year 1: not yet. Identifiers compare byte for byte.

-- What each version of the schema asks of a build: the lowest version that one must know to read, and to
-- write. Open goes by the highest row. Every migration adds its own last.
CREATE TABLE convo_versions (
    version    INTEGER NOT NULL PRIMARY KEY,
    min_reader INTEGER NOT NULL,
    min_writer INTEGER NOT NULL
) STRICT;

CREATE TABLE convo_contacts (
    workspace   TEXT NOT NULL,
    id          TEXT NOT NULL,
    version     INTEGER NOT NULL,
    created_at  INTEGER NOT NULL,
    updated_at  INTEGER,
    seen_at     INTEGER NOT NULL,
    blocked     INTEGER NOT NULL,
    merged_into TEXT,
    parent      TEXT,
    blocked_by  TEXT,
    name        TEXT,
    attributes  TEXT,
    erased_at   INTEGER,
    PRIMARY KEY (workspace, id)
) STRICT, WITHOUT ROWID;

CREATE INDEX convo_contacts_merged ON convo_contacts (workspace, merged_into) WHERE merged_into IS NOT NULL;
CREATE INDEX convo_contacts_blocked ON convo_contacts (workspace, id) WHERE blocked = 1;
CREATE INDEX convo_contacts_seen ON convo_contacts (workspace, seen_at, id) WHERE merged_into IS NULL AND seen_at <> -62135596800000000;

-- identity is the e-mail address or phone number that the value is, written in one way; NULL: it is none.
CREATE TABLE convo_addresses (
    workspace TEXT NOT NULL,
    channel   TEXT NOT NULL,
    value     TEXT NOT NULL,
    contact   TEXT NOT NULL,
    identity  TEXT,
    PRIMARY KEY (workspace, channel, value)
) STRICT, WITHOUT ROWID;

CREATE INDEX convo_addresses_contact ON convo_addresses (workspace, contact);
CREATE INDEX convo_addresses_identity ON convo_addresses (workspace, identity, channel, value) WHERE identity IS NOT NULL;

-- From number on, the columns are those of the running cycle, or of the last one.
-- What changes with every message is in no index.
CREATE TABLE convo_conversations (
    workspace            TEXT NOT NULL,
    id                   BLOB NOT NULL,
    origin               TEXT NOT NULL,
    channel              TEXT NOT NULL,
    lane                 TEXT NOT NULL,
    created_at           INTEGER NOT NULL,
    contact              TEXT NOT NULL,
    new_contact          INTEGER NOT NULL,
    status               TEXT NOT NULL,
    status_since         INTEGER NOT NULL,
    version              INTEGER NOT NULL,
    updated_at           INTEGER NOT NULL,
    last_activity_at     INTEGER NOT NULL,
    last_incoming_at     INTEGER,
    first_closed_at      INTEGER,
    assignee             TEXT NOT NULL,
    team                 TEXT NOT NULL,
    assigned_at          INTEGER,
    labels               TEXT,
    priority             INTEGER NOT NULL,
    subject              TEXT,
    attributes           TEXT,
    pending_until        INTEGER,
    on_receive           TEXT,
    awaiting_contact_since        INTEGER,
    address_channel               TEXT NOT NULL,
    address                       TEXT NOT NULL,
    marks                TEXT,
    deadline_at          INTEGER,
    due_at               INTEGER,
    applied              TEXT,
    unrated              INTEGER,
    active               INTEGER NOT NULL,
    number               INTEGER NOT NULL,
    opened_at            INTEGER NOT NULL,
    opened_by_type       TEXT NOT NULL,
    opened_by_id         TEXT NOT NULL,
    opened_source        TEXT NOT NULL,
    first_assigned_at    INTEGER,
    first_assignee       TEXT NOT NULL,
    last_assignee        TEXT NOT NULL,
    last_team            TEXT NOT NULL,
    first_response_at    INTEGER,
    first_response_sent_at INTEGER,
    first_responder_type TEXT NOT NULL,
    first_responder_id   TEXT NOT NULL,
    first_waiting_since  INTEGER,
    waiting_since        INTEGER,
    turn_since           INTEGER NOT NULL,
    handed_over_at       INTEGER,
    no_wait_before       INTEGER,
    responses            INTEGER NOT NULL,
    response_micros      INTEGER NOT NULL,
    pending_micros       INTEGER NOT NULL,
    incoming             INTEGER NOT NULL,
    outgoing_user        INTEGER NOT NULL,
    outgoing_automation  INTEGER NOT NULL,
    rated_at             INTEGER,
    score                INTEGER NOT NULL,
    rating_comment       TEXT,
    closed_at            INTEGER,
    closed_by_type       TEXT NOT NULL,
    closed_by_id         TEXT NOT NULL,
    closed_source        TEXT NOT NULL,
    category             TEXT NOT NULL,
    summary              TEXT NOT NULL,
    PRIMARY KEY (workspace, id)
) STRICT;

CREATE INDEX convo_conversations_latest ON convo_conversations (workspace, contact, lane, opened_at, id);
-- Nothing that a closing changes is in an index, either: lists leave out the active ones that they meet.
CREATE INDEX convo_conversations_listed ON convo_conversations (workspace, created_at, id);
CREATE INDEX convo_conversations_contact ON convo_conversations (workspace, contact, created_at, id);

-- A row for each active conversation, with what it is filtered in lists and counted by. No message
-- changes it, unless it is due earlier by it.
CREATE TABLE convo_active (
    workspace  TEXT NOT NULL,
    id         BLOB NOT NULL,
    status     TEXT NOT NULL,
    channel    TEXT NOT NULL,
    lane       TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    assignee   TEXT NOT NULL,
    team       TEXT NOT NULL,
    priority   INTEGER NOT NULL,
    contact    TEXT NOT NULL,
    due_at     INTEGER,
    PRIMARY KEY (workspace, id)
) STRICT, WITHOUT ROWID;

-- What keeps the active conversation of a contact in a lane single.
CREATE UNIQUE INDEX convo_active_slot ON convo_active (workspace, contact, lane);
CREATE INDEX convo_active_listed ON convo_active (workspace, created_at, id);
CREATE INDEX convo_active_assignee ON convo_active (workspace, assignee, created_at, id) WHERE assignee <> '';
-- Timers are looked for in all workspaces at once.
CREATE INDEX convo_active_due ON convo_active (due_at, workspace, id) WHERE due_at IS NOT NULL;

-- Closed conversations by what is asked for rarely, in the order of their opening. what 1: the assignee;
-- 2: the team; 3: the channel; 4: the lane; 5: the category. Rollup fills it, and takes nothing out of
-- it: a row may be of what a conversation had once. One that is in the queue of rollups may be missing.
CREATE TABLE convo_closed (
    workspace  TEXT NOT NULL,
    what       INTEGER NOT NULL,
    value      TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    id         BLOB NOT NULL,
    PRIMARY KEY (workspace, what, value, created_at, id)
) STRICT, WITHOUT ROWID;

-- Where active conversations stand in the lists that are not by their opening. list 1: at is the five
-- minutes of the last activity; 2: since when the contact waits; 3: when its next deadline is; 10 and a
-- priority: the opening. Each list is a range of its own: what moves in one touches no other one.
-- A negative list has closed conversations of a contact, by a hash of it, that span more than an hour: for histories.
CREATE TABLE convo_places (
    workspace TEXT NOT NULL,
    list      INTEGER NOT NULL,
    at        INTEGER NOT NULL,
    id        BLOB NOT NULL,
    PRIMARY KEY (workspace, list, at, id)
) STRICT, WITHOUT ROWID;

-- The labels of all conversations, in the order of their opening.
CREATE TABLE convo_labels (
    workspace    TEXT NOT NULL,
    label        TEXT NOT NULL,
    created_at   INTEGER NOT NULL,
    conversation BLOB NOT NULL,
    PRIMARY KEY (workspace, label, created_at, conversation)
) STRICT, WITHOUT ROWID;

-- Whom the log of a conversation names beside its contact, or, where an owner is, the own log of that
-- contact, which has zeros for a conversation. Erasures find there what they replace.
CREATE TABLE convo_mentions (
    workspace    TEXT NOT NULL,
    contact      TEXT NOT NULL,
    conversation BLOB NOT NULL,
    owner        TEXT NOT NULL,
    PRIMARY KEY (workspace, contact, conversation, owner)
) STRICT, WITHOUT ROWID;

-- A row per closed cycle; the running one is in its conversation.
CREATE TABLE convo_cycles (
    workspace            TEXT NOT NULL,
    conversation         BLOB NOT NULL,
    channel              TEXT NOT NULL,
    lane                 TEXT NOT NULL,
    number               INTEGER NOT NULL,
    opened_at            INTEGER NOT NULL,
    opened_by_type       TEXT NOT NULL,
    opened_by_id         TEXT NOT NULL,
    opened_source        TEXT NOT NULL,
    first_assigned_at    INTEGER,
    first_assignee       TEXT NOT NULL,
    last_assignee        TEXT NOT NULL,
    last_team            TEXT NOT NULL,
    first_response_at    INTEGER,
    first_response_sent_at INTEGER,
    first_responder_type TEXT NOT NULL,
    first_responder_id   TEXT NOT NULL,
    first_waiting_since  INTEGER,
    waiting_since        INTEGER,
    turn_since           INTEGER NOT NULL,
    handed_over_at       INTEGER,
    no_wait_before       INTEGER,
    responses            INTEGER NOT NULL,
    response_micros      INTEGER NOT NULL,
    pending_micros       INTEGER NOT NULL,
    incoming             INTEGER NOT NULL,
    outgoing_user        INTEGER NOT NULL,
    outgoing_automation  INTEGER NOT NULL,
    rated_at             INTEGER,
    score                INTEGER NOT NULL,
    rating_comment       TEXT,
    closed_at            INTEGER NOT NULL,
    closed_by_type       TEXT NOT NULL,
    closed_by_id         TEXT NOT NULL,
    closed_source        TEXT NOT NULL,
    category             TEXT NOT NULL,
    summary              TEXT NOT NULL,
    PRIMARY KEY (workspace, conversation, number)
) STRICT, WITHOUT ROWID;

-- The log of conversations. NULL: the kind of event does not have it.
CREATE TABLE convo_events (
    workspace    TEXT NOT NULL,
    conversation BLOB NOT NULL,
    seq          INTEGER NOT NULL,
    id           BLOB NOT NULL,
    contact      TEXT NOT NULL,
    contact_seq  INTEGER,
    kind         TEXT NOT NULL,
    at           INTEGER NOT NULL,
    by_type      TEXT NOT NULL,
    by_id        TEXT,
    source       TEXT,
    channel      TEXT,
    lane         TEXT,
    address      TEXT,
    external_id  TEXT,
    sent_at      INTEGER,
    body         TEXT,
    attachments  TEXT,
    category     TEXT,
    summary      TEXT,
    until_at     INTEGER,
    on_receive   TEXT,
    marks        TEXT,
    cycle        INTEGER,
    score        INTEGER,
    replaces     INTEGER,
    assignee     TEXT,
    team         TEXT,
    response     INTEGER,
    quiet        INTEGER,
    new_contact  INTEGER,
    restart_flow INTEGER,
    message      BLOB,
    redacted     INTEGER,
    duplicate    BLOB,
    notice       TEXT,
    audience     TEXT,
    status_before   TEXT,
    assignee_before TEXT,
    team_before     TEXT,
    lane_before     TEXT,
    channel_before  TEXT,
    opened_source   TEXT,
    status_since    INTEGER,
    assigned_at     INTEGER,
    was_assigned    INTEGER,
    opened_at       INTEGER,
    turn            TEXT,
    turn_since      INTEGER,
    waiting_since   INTEGER,
    handed_over_at  INTEGER,
    replies         INTEGER,
    pending_micros  INTEGER,
    closed_by_type  TEXT,
    closed_by_id    TEXT,
    moved_from      TEXT,
    from_seq        INTEGER,
    labels          TEXT,
    labels_before   TEXT,
    priority        INTEGER,
    priority_before INTEGER,
    subject         TEXT,
    attributes      TEXT,
    PRIMARY KEY (workspace, conversation, seq)
) STRICT, WITHOUT ROWID;

-- The log of contacts themselves: addresses, blocking, merges.
CREATE TABLE convo_contact_events (
    workspace    TEXT NOT NULL,
    contact      TEXT NOT NULL,
    seq          INTEGER NOT NULL,
    id           BLOB NOT NULL,
    contact_seq  INTEGER,
    kind         TEXT NOT NULL,
    at           INTEGER NOT NULL,
    by_type      TEXT NOT NULL,
    by_id        TEXT,
    source       TEXT,
    channel      TEXT,
    address      TEXT,
    external_id  TEXT,
    sent_at      INTEGER,
    body         TEXT,
    attachments  TEXT,
    quiet        INTEGER,
    message      BLOB,
    redacted     INTEGER,
    duplicate    BLOB,
    merged_into TEXT,
    blocked      INTEGER,
    blocked_by   TEXT,
    unmerged_from  TEXT,
    own_blocked  INTEGER,
    own_blocked_by TEXT,
    name         TEXT,
    attributes   TEXT,
    PRIMARY KEY (workspace, contact, seq)
) STRICT, WITHOUT ROWID;

-- External ids of messages by channel, and, without a channel, idempotency keys of the host.
CREATE TABLE convo_keys (
    workspace    TEXT NOT NULL,
    channel      TEXT NOT NULL,
    id           TEXT NOT NULL,
    address      TEXT NOT NULL,
    contact      TEXT NOT NULL,
    hash         INTEGER NOT NULL,
    conversation BLOB,
    first_seq    INTEGER NOT NULL,
    last_seq     INTEGER NOT NULL,
    PRIMARY KEY (workspace, channel, id, address, contact)
) STRICT, WITHOUT ROWID;

-- Receipts of sent messages. status: 1 sent, 2 failed, 3 delivered, 4 read; it never goes down.
-- unknown_since is when the receipt came, until a key with its external id is found.
CREATE TABLE convo_deliveries (
    workspace     TEXT NOT NULL,
    channel       TEXT NOT NULL,
    id            TEXT NOT NULL,
    address       TEXT NOT NULL,
    status        INTEGER NOT NULL,
    at            INTEGER NOT NULL,
    reason        TEXT,
    unknown_since INTEGER,
    PRIMARY KEY (workspace, channel, id, address)
) STRICT, WITHOUT ROWID;

CREATE INDEX convo_deliveries_unknown ON convo_deliveries (unknown_since) WHERE unknown_since IS NOT NULL;

INSERT INTO convo_versions (version, min_reader, min_writer) VALUES (1, 1, 1);

-- +goose Down
DROP TABLE convo_deliveries;
DROP TABLE convo_keys;
DROP TABLE convo_contact_events;
DROP TABLE convo_events;
DROP TABLE convo_cycles;
DROP TABLE convo_mentions;
DROP TABLE convo_labels;
DROP TABLE convo_places;
DROP TABLE convo_closed;
DROP TABLE convo_active;
DROP TABLE convo_conversations;
DROP TABLE convo_addresses;
DROP TABLE convo_contacts;
DROP TABLE convo_versions;
