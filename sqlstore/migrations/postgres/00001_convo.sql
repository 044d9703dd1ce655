-- +goose Up

-- Times are UTC in microseconds since 1970; NULL, or the year 1: not yet. Identifiers compare byte for byte.

-- What each version of the schema asks of a build: the lowest version that one must know to read, and to
-- write. Open goes by the highest row. Every migration adds its own last.
CREATE TABLE convo_versions (
    version    bigint NOT NULL PRIMARY KEY,
    min_reader bigint NOT NULL,
    min_writer bigint NOT NULL
);

CREATE TABLE convo_contacts (
    workspace   text COLLATE "C" NOT NULL,
    id          text COLLATE "C" NOT NULL,
    version     bigint NOT NULL,
    created_at  bigint NOT NULL,
    updated_at  bigint,
    seen_at     bigint NOT NULL,
    blocked     boolean NOT NULL,
    merged_into text COLLATE "C",
    parent      text COLLATE "C",
    blocked_by  text COLLATE "C",
    name        text COLLATE "C",
    attributes  text COLLATE "C",
    erased_at   bigint,
    PRIMARY KEY (workspace, id)
) WITH (fillfactor = 80);

CREATE INDEX convo_contacts_merged ON convo_contacts (workspace, merged_into) WHERE merged_into IS NOT NULL;
CREATE INDEX convo_contacts_blocked ON convo_contacts (workspace, id) WHERE blocked = TRUE;
CREATE INDEX convo_contacts_seen ON convo_contacts (workspace, seen_at, id) WHERE merged_into IS NULL AND seen_at <> -62135596800000000;

-- identity is the e-mail address or phone number that the value is, written in one way; NULL: it is none.
CREATE TABLE convo_addresses (
    workspace text COLLATE "C" NOT NULL,
    channel   text COLLATE "C" NOT NULL,
    value     text COLLATE "C" NOT NULL,
    contact   text COLLATE "C" NOT NULL,
    identity  text COLLATE "C",
    PRIMARY KEY (workspace, channel, value)
);

CREATE INDEX convo_addresses_contact ON convo_addresses (workspace, contact);
CREATE INDEX convo_addresses_identity ON convo_addresses (workspace, identity, channel, value) WHERE identity IS NOT NULL;

-- From number on, the columns are those of the running cycle, or of the last one.
-- What changes with every message is in no index, so that an update stays in its page.
CREATE TABLE convo_conversations (
    workspace            text COLLATE "C" NOT NULL,
    id                   uuid NOT NULL,
    origin               text COLLATE "C" NOT NULL,
    channel              text COLLATE "C" NOT NULL,
    lane                 text COLLATE "C" NOT NULL,
    created_at           bigint NOT NULL,
    contact              text COLLATE "C" NOT NULL,
    new_contact          boolean NOT NULL,
    status               text COLLATE "C" NOT NULL,
    status_since         bigint NOT NULL,
    version              bigint NOT NULL,
    updated_at           bigint NOT NULL,
    last_activity_at     bigint NOT NULL,
    last_incoming_at     bigint,
    first_closed_at      bigint,
    assignee             text COLLATE "C" NOT NULL,
    team                 text COLLATE "C" NOT NULL,
    assigned_at          bigint,
    labels               text COLLATE "C",
    priority             integer NOT NULL,
    subject              text COLLATE "C",
    attributes           text COLLATE "C",
    pending_until        bigint,
    on_receive           text COLLATE "C",
    awaiting_contact_since        bigint,
    address_channel               text COLLATE "C" NOT NULL,
    address                       text COLLATE "C" NOT NULL,
    marks                text COLLATE "C",
    deadline_at          bigint,
    due_at               bigint,
    applied              text COLLATE "C",
    unrated              integer,
    active               boolean NOT NULL,
    number               integer NOT NULL,
    opened_at            bigint NOT NULL,
    opened_by_type       text COLLATE "C" NOT NULL,
    opened_by_id         text COLLATE "C" NOT NULL,
    opened_source        text COLLATE "C" NOT NULL,
    first_assigned_at    bigint,
    first_assignee       text COLLATE "C" NOT NULL,
    last_assignee        text COLLATE "C" NOT NULL,
    last_team            text COLLATE "C" NOT NULL,
    first_response_at    bigint,
    first_response_sent_at bigint,
    first_responder_type text COLLATE "C" NOT NULL,
    first_responder_id   text COLLATE "C" NOT NULL,
    first_waiting_since  bigint,
    waiting_since        bigint,
    turn_since           bigint NOT NULL,
    handed_over_at       bigint,
    no_wait_before       bigint,
    responses            integer NOT NULL,
    response_micros      bigint NOT NULL,
    pending_micros       bigint NOT NULL,
    incoming             integer NOT NULL,
    outgoing_user        integer NOT NULL,
    outgoing_automation  integer NOT NULL,
    rated_at             bigint,
    score                integer NOT NULL,
    rating_comment       text COLLATE "C",
    closed_at            bigint,
    closed_by_type       text COLLATE "C" NOT NULL,
    closed_by_id         text COLLATE "C" NOT NULL,
    closed_source        text COLLATE "C" NOT NULL,
    category             text COLLATE "C" NOT NULL,
    summary              text COLLATE "C" NOT NULL,
    PRIMARY KEY (workspace, id)
) WITH (fillfactor = 80);

CREATE INDEX convo_conversations_latest ON convo_conversations (workspace, contact, lane, opened_at, id);
-- Nothing that a closing changes is in an index, either: lists leave out the active ones that they meet.
CREATE INDEX convo_conversations_listed ON convo_conversations (workspace, created_at, id);
CREATE INDEX convo_conversations_contact ON convo_conversations (workspace, contact, created_at, id);

-- A row for each active conversation, with what it is filtered in lists and counted by. No message
-- changes it, unless it is due earlier by it.
CREATE TABLE convo_active (
    workspace  text COLLATE "C" NOT NULL,
    id         uuid NOT NULL,
    status     text COLLATE "C" NOT NULL,
    channel    text COLLATE "C" NOT NULL,
    lane       text COLLATE "C" NOT NULL,
    created_at bigint NOT NULL,
    assignee   text COLLATE "C" NOT NULL,
    team       text COLLATE "C" NOT NULL,
    priority   integer NOT NULL,
    contact    text COLLATE "C" NOT NULL,
    due_at     bigint,
    PRIMARY KEY (workspace, id)
) WITH (fillfactor = 80);

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
    workspace  text COLLATE "C" NOT NULL,
    what       integer NOT NULL,
    value      text COLLATE "C" NOT NULL,
    created_at bigint NOT NULL,
    id         uuid NOT NULL,
    PRIMARY KEY (workspace, what, value, created_at, id)
);

-- Where active conversations stand in the lists that are not by their opening. list 1: at is the five
-- minutes of the last activity; 2: since when the contact waits; 3: when its next deadline is; 10 and a
-- priority: the opening. Each list is a range of its own: what moves in one touches no other one.
-- A negative list has closed conversations of a contact, by a hash of it, that span more than an hour: for histories.
CREATE TABLE convo_places (
    workspace text COLLATE "C" NOT NULL,
    list      integer NOT NULL,
    at        bigint NOT NULL,
    id        uuid NOT NULL,
    PRIMARY KEY (workspace, list, at, id)
) WITH (fillfactor = 80);

-- The labels of all conversations, in the order of their opening.
CREATE TABLE convo_labels (
    workspace    text COLLATE "C" NOT NULL,
    label        text COLLATE "C" NOT NULL,
    created_at   bigint NOT NULL,
    conversation uuid NOT NULL,
    PRIMARY KEY (workspace, label, created_at, conversation)
);

-- Whom the log of a conversation names beside its contact, or, where an owner is, the own log of that
-- contact, which has zeros for a conversation. Erasures find there what they replace.
CREATE TABLE convo_mentions (
    workspace    text COLLATE "C" NOT NULL,
    contact      text COLLATE "C" NOT NULL,
    conversation uuid NOT NULL,
    owner        text COLLATE "C" NOT NULL,
    PRIMARY KEY (workspace, contact, conversation, owner)
);

-- A row per closed cycle; the running one is in its conversation.
CREATE TABLE convo_cycles (
    workspace            text COLLATE "C" NOT NULL,
    conversation         uuid NOT NULL,
    channel              text COLLATE "C" NOT NULL,
    lane                 text COLLATE "C" NOT NULL,
    number               integer NOT NULL,
    opened_at            bigint NOT NULL,
    opened_by_type       text COLLATE "C" NOT NULL,
    opened_by_id         text COLLATE "C" NOT NULL,
    opened_source        text COLLATE "C" NOT NULL,
    first_assigned_at    bigint,
    first_assignee       text COLLATE "C" NOT NULL,
    last_assignee        text COLLATE "C" NOT NULL,
    last_team            text COLLATE "C" NOT NULL,
    first_response_at    bigint,
    first_response_sent_at bigint,
    first_responder_type text COLLATE "C" NOT NULL,
    first_responder_id   text COLLATE "C" NOT NULL,
    first_waiting_since  bigint,
    waiting_since        bigint,
    turn_since           bigint NOT NULL,
    handed_over_at       bigint,
    no_wait_before       bigint,
    responses            integer NOT NULL,
    response_micros      bigint NOT NULL,
    pending_micros       bigint NOT NULL,
    incoming             integer NOT NULL,
    outgoing_user        integer NOT NULL,
    outgoing_automation  integer NOT NULL,
    rated_at             bigint,
    score                integer NOT NULL,
    rating_comment       text COLLATE "C",
    closed_at            bigint NOT NULL,
    closed_by_type       text COLLATE "C" NOT NULL,
    closed_by_id         text COLLATE "C" NOT NULL,
    closed_source        text COLLATE "C" NOT NULL,
    category             text COLLATE "C" NOT NULL,
    summary              text COLLATE "C" NOT NULL,
    PRIMARY KEY (workspace, conversation, number)
);

-- The log of conversations. NULL: the kind of event does not have it.
CREATE TABLE convo_events (
    workspace    text COLLATE "C" NOT NULL,
    conversation uuid NOT NULL,
    seq          bigint NOT NULL,
    id           uuid NOT NULL,
    contact      text COLLATE "C" NOT NULL,
    contact_seq  bigint,
    kind         text COLLATE "C" NOT NULL,
    at           bigint NOT NULL,
    by_type      text COLLATE "C" NOT NULL,
    by_id        text COLLATE "C",
    source       text COLLATE "C",
    channel      text COLLATE "C",
    lane         text COLLATE "C",
    address      text COLLATE "C",
    external_id  text COLLATE "C",
    sent_at      bigint,
    body         text COLLATE "C",
    attachments  text COLLATE "C",
    category     text COLLATE "C",
    summary      text COLLATE "C",
    until_at     bigint,
    on_receive   text COLLATE "C",
    marks        text COLLATE "C",
    cycle        integer,
    score        integer,
    replaces     boolean,
    assignee     text COLLATE "C",
    team         text COLLATE "C",
    response     boolean,
    quiet        boolean,
    new_contact  boolean,
    restart_flow boolean,
    message      uuid,
    redacted     boolean,
    duplicate    uuid,
    notice       text COLLATE "C",
    audience     text COLLATE "C",
    status_before   text COLLATE "C",
    assignee_before text COLLATE "C",
    team_before     text COLLATE "C",
    lane_before     text COLLATE "C",
    channel_before  text COLLATE "C",
    opened_source   text COLLATE "C",
    status_since    bigint,
    assigned_at     bigint,
    was_assigned    boolean,
    opened_at       bigint,
    turn            text COLLATE "C",
    turn_since      bigint,
    waiting_since   bigint,
    handed_over_at  bigint,
    replies         integer,
    pending_micros  bigint,
    closed_by_type  text COLLATE "C",
    closed_by_id    text COLLATE "C",
    moved_from      text COLLATE "C",
    from_seq        bigint,
    labels          text COLLATE "C",
    labels_before   text COLLATE "C",
    priority        integer,
    priority_before integer,
    subject         text COLLATE "C",
    attributes      text COLLATE "C",
    PRIMARY KEY (workspace, conversation, seq)
);

-- The log of contacts themselves: addresses, blocking, merges.
CREATE TABLE convo_contact_events (
    workspace    text COLLATE "C" NOT NULL,
    contact      text COLLATE "C" NOT NULL,
    seq          bigint NOT NULL,
    id           uuid NOT NULL,
    contact_seq  bigint,
    kind         text COLLATE "C" NOT NULL,
    at           bigint NOT NULL,
    by_type      text COLLATE "C" NOT NULL,
    by_id        text COLLATE "C",
    source       text COLLATE "C",
    channel      text COLLATE "C",
    address      text COLLATE "C",
    external_id  text COLLATE "C",
    sent_at      bigint,
    body         text COLLATE "C",
    attachments  text COLLATE "C",
    quiet        boolean,
    message      uuid,
    redacted     boolean,
    duplicate    uuid,
    merged_into text COLLATE "C",
    blocked      boolean,
    blocked_by   text COLLATE "C",
    unmerged_from  text COLLATE "C",
    own_blocked  boolean,
    own_blocked_by text COLLATE "C",
    name         text COLLATE "C",
    attributes   text COLLATE "C",
    PRIMARY KEY (workspace, contact, seq)
);

-- External ids of messages by channel, and, without a channel, idempotency keys of the host.
CREATE TABLE convo_keys (
    workspace    text COLLATE "C" NOT NULL,
    channel      text COLLATE "C" NOT NULL,
    id           text COLLATE "C" NOT NULL,
    address      text COLLATE "C" NOT NULL,
    contact      text COLLATE "C" NOT NULL,
    hash         bigint NOT NULL,
    conversation uuid,
    first_seq    bigint NOT NULL,
    last_seq     bigint NOT NULL,
    PRIMARY KEY (workspace, channel, id, address, contact)
);

-- Receipts of sent messages. status: 1 sent, 2 failed, 3 delivered, 4 read; it never goes down.
-- unknown_since is when the receipt came, until a key with its external id is found.
CREATE TABLE convo_deliveries (
    workspace     text COLLATE "C" NOT NULL,
    channel       text COLLATE "C" NOT NULL,
    id            text COLLATE "C" NOT NULL,
    address       text COLLATE "C" NOT NULL,
    status        integer NOT NULL,
    at            bigint NOT NULL,
    reason        text COLLATE "C",
    unknown_since bigint,
    PRIMARY KEY (workspace, channel, id, address)
) WITH (fillfactor = 80);

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
