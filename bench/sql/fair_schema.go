package main

// The fair floor is what one would write by hand for what convo's lists and reports need, without
// convo's tricks: contacts, by their address; one table of conversations, with a plain index for
// each list (by assignee, team, status, channel, last update, and of a contact); an event of each
// change, with an index by time for reports; a row of a cycle at its closing; a key of each
// external id. It knows no lanes, merges, timers, labels, priorities, policies or receipts, and
// rolls nothing up. It is filled with what the store's tables have.

const fairSchema = `
CREATE TABLE fair_contacts (
	workspace  {text} NOT NULL,
	address    {text} NOT NULL,
	contact    {text} NOT NULL,
	created_at BIGINT NOT NULL,
	blocked    BOOLEAN NOT NULL,
	PRIMARY KEY (workspace, address)
){table};
CREATE TABLE fair_conversations (
	id                {id} PRIMARY KEY,
	workspace         {text} NOT NULL,
	contact           {text} NOT NULL,
	slot              {text},
	channel           {text} NOT NULL,
	status            {text} NOT NULL,
	version           BIGINT NOT NULL,
	opened_at         BIGINT NOT NULL,
	updated_at        BIGINT NOT NULL,
	last_incoming_at  BIGINT,
	waiting_since     BIGINT,
	first_response_at BIGINT,
	assignee          {text} NOT NULL,
	team              {text} NOT NULL,
	incoming          BIGINT NOT NULL,
	outgoing          BIGINT NOT NULL,
	responses         BIGINT NOT NULL,
	response_micros   BIGINT NOT NULL,
	closed_at         BIGINT,
	closed_by         {text},
	category          {text},
	summary           {body}
){table};
CREATE UNIQUE INDEX fair_slot ON fair_conversations (workspace, slot){held};
CREATE INDEX fair_assignee ON fair_conversations (workspace, assignee, opened_at, id);
CREATE INDEX fair_team ON fair_conversations (workspace, team, opened_at, id);
CREATE INDEX fair_status ON fair_conversations (workspace, status, opened_at, id);
CREATE INDEX fair_channel ON fair_conversations (workspace, channel, opened_at, id);
CREATE INDEX fair_updated ON fair_conversations (workspace, updated_at, id);
CREATE INDEX fair_contact ON fair_conversations (workspace, contact, opened_at, id);
CREATE TABLE fair_events (
	conversation {id} NOT NULL,
	seq          BIGINT NOT NULL,
	id           {id} NOT NULL,
	workspace    {text} NOT NULL,
	contact      {text} NOT NULL,
	kind         {text} NOT NULL,
	at           BIGINT NOT NULL,
	by_type      {text} NOT NULL,
	by_id        {text},
	channel      {text},
	external_id  {text},
	body         {body},
	PRIMARY KEY (conversation, seq)
){events};
CREATE INDEX fair_events_at ON fair_events (workspace, at);
CREATE TABLE fair_cycles (
	conversation      {id} NOT NULL,
	number            BIGINT NOT NULL,
	workspace         {text} NOT NULL,
	contact           {text} NOT NULL,
	channel           {text} NOT NULL,
	opened_at         BIGINT NOT NULL,
	closed_at         BIGINT NOT NULL,
	closed_by         {text},
	assignee          {text} NOT NULL,
	team              {text} NOT NULL,
	category          {text},
	summary           {body},
	first_response_at BIGINT,
	incoming          BIGINT NOT NULL,
	outgoing          BIGINT NOT NULL,
	responses         BIGINT NOT NULL,
	response_micros   BIGINT NOT NULL,
	PRIMARY KEY (conversation, number)
){events};
CREATE INDEX fair_cycles_closed ON fair_cycles (workspace, closed_at);
CREATE TABLE fair_keys (
	workspace    {text} NOT NULL,
	channel      {text} NOT NULL,
	id           {text} NOT NULL,
	conversation {id} NOT NULL,
	seq          BIGINT NOT NULL,
	PRIMARY KEY (workspace, channel, id)
){events};
INSERT INTO fair_contacts (workspace, address, contact, created_at, blocked)
SELECT workspace, id, id, created_at, blocked FROM convo_contacts;
INSERT INTO fair_conversations (id, workspace, contact, slot, channel, status, version, opened_at,
	updated_at, last_incoming_at, waiting_since, first_response_at, assignee, team, incoming,
	outgoing, responses, response_micros, closed_at, closed_by, category, summary)
SELECT id, workspace, contact, CASE WHEN active THEN contact END, channel, status, version,
	created_at, updated_at, last_incoming_at, waiting_since, first_response_at, assignee, team,
	incoming, outgoing_user, responses, response_micros, closed_at, closed_by_id, category, summary
FROM convo_conversations;
INSERT INTO fair_events (conversation, seq, id, workspace, contact, kind, at, by_type, by_id,
	channel, body)
SELECT conversation, seq, id, workspace, contact, kind, at, by_type, by_id, channel, body
FROM convo_events;
INSERT INTO fair_cycles (conversation, number, workspace, contact, channel, opened_at, closed_at,
	closed_by, assignee, team, category, summary, first_response_at, incoming, outgoing, responses,
	response_micros)
SELECT y.conversation, y.number, y.workspace, c.contact, y.channel, y.opened_at, y.closed_at,
	y.closed_by_id, y.last_assignee, y.last_team, y.category, y.summary, y.first_response_at,
	y.incoming, y.outgoing_user, y.responses, y.response_micros
FROM convo_cycles y JOIN convo_conversations c
ON c.workspace = y.workspace AND c.id = y.conversation;
INSERT INTO fair_keys (workspace, channel, id, conversation, seq)
SELECT workspace, channel, id, conversation, first_seq FROM convo_keys`
