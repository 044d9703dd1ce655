package dialect

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chatlifecycle/convo"
)

// types are what a column of each kind is in the migrations.
var types = map[*Dialect]map[kind]string{
	&SQLite: {
		text: "TEXT", keyText: "TEXT", freeText: "TEXT", plainText: "TEXT",
		jsonText: "TEXT", eventKind: "TEXT", bigInt: "INTEGER",
		count: "INTEGER", flag: "INTEGER", micros: "INTEGER", id: "BLOB",
	},
	&PostgreSQL: {
		text: `text COLLATE "C"`, keyText: `text COLLATE "C"`, freeText: `text COLLATE "C"`,
		plainText: `text COLLATE "C"`, jsonText: `text COLLATE "C"`,
		eventKind: `text COLLATE "C"`, bigInt: "bigint", count: "integer", flag: "boolean",
		micros: "bigint", id: "uuid",
	},
	&MariaDB: {
		text: "VARBINARY(255)", keyText: "VARBINARY(998)", freeText: "LONGTEXT", plainText: "LONGTEXT",
		jsonText:  "LONGTEXT",
		eventKind: "VARBINARY(255)", bigInt: "BIGINT", count: "INT", flag: "BOOLEAN",
		micros: "BIGINT", id: "BINARY(16)",
	},
}

func TestTheColumnsAreThoseOfTheMigrations(t *testing.T) {
	for d := range types {
		t.Run(d.Name, func(t *testing.T) {
			found := migrated(t, d)
			compare(t, d, found, "contacts", Contacts)
			compare(t, d, found, "addresses", Addresses)
			compare(t, d, found, "conversations", Conversations)
			compare(t, d, found, "active", Actives)
			compare(t, d, found, "closed", Closed)
			compare(t, d, found, "places", Places)
			compare(t, d, found, "labels", Labels)
			compare(t, d, found, "mentions", Mentions)
			compare(t, d, found, "cycles", Cycles)
			compare(t, d, found, "events", Events)
			compare(t, d, found, "contact_events", ContactEvents)
			compare(t, d, found, "keys", Keys)
			compare(t, d, found, "deliveries", Deliveries)
			delete(found, "versions") // which no statement of a command names
			assert.Empty(t, found, "tables without columns in schema.go")
		})
	}
}

func compare[R any](t *testing.T, d *Dialect, found map[string][]string, name string, is Table[R]) {
	t.Helper()
	var want []string
	for _, c := range is.All {
		definition := c.name + " " + types[d][c.kind]
		// A closed cycle has what a running one has not yet.
		if !c.optional || name == "cycles" && c.name == "closed_at" {
			definition += " NOT NULL"
		}
		want = append(want, definition)
	}
	assert.Equal(t, want, found[name], name)
	delete(found, name)
}

var (
	tables  = regexp.MustCompile(`(?s)CREATE TABLE convo_(\w+) \(\n(.*?)\n\)`)
	columns = regexp.MustCompile(`(?m)^\s+([a-z]\w*) +(.+?),?$`)
)

// migrated are the columns of each table as the first migration of an engine makes them. The later
// ones are for reports.
func migrated(t *testing.T, d *Dialect) map[string][]string {
	t.Helper()
	files, err := filepath.Glob("../../migrations/" + d.Folder + "/00001_*.sql")
	require.NoError(t, err)
	require.Len(t, files, 1)
	all, err := os.ReadFile(files[0])
	require.NoError(t, err)
	found := map[string][]string{}
	for _, table := range tables.FindAllStringSubmatch(string(all), -1) {
		for _, c := range columns.FindAllStringSubmatch(table[2], -1) {
			found[table[1]] = append(found[table[1]], c[1]+" "+c[2])
		}
	}
	require.NotEmpty(t, found)
	return found
}

// A text that holds several columns can be taken apart again only when none but the last one may
// hold what stands between them.
func TestOnlyTheLastColumnOfASnapshotIsFreeText(t *testing.T) {
	free := func(k kind) bool { return k == freeText || k == jsonText }
	for _, c := range Contacts.Read {
		assert.False(t, free(c.kind), c.name)
	}
	for _, c := range slices.Concat(ReportedEvents, ReportedContactEvents) {
		assert.False(t, free(c.kind), c.name)
	}
	last := len(Conversations.Read) - 1
	for _, c := range Conversations.Read[:last] {
		assert.False(t, free(c.kind), c.name)
	}
	assert.Equal(t, len(Conversations.Read)+len(Contacts.Read)+2, 1+strings.Count(
		strings.SplitAfter(SQLite.snapshotAsText(), "', ")[0], unitSeparator))
}

// The columns that messages change are in no index, so that PostgreSQL can leave an updated row in
// its page.
func TestWhatMessagesChangeIsInNoIndex(t *testing.T) {
	indexes := regexp.MustCompile(`(?m)^CREATE (UNIQUE )?INDEX \w+ ON convo_conversations .*$`)
	for d := range types {
		files, err := filepath.Glob("../../migrations/" + d.Folder + "/*.sql")
		require.NoError(t, err)
		for _, file := range files {
			all, err := os.ReadFile(file)
			require.NoError(t, err)
			for _, index := range indexes.FindAllString(string(all), -1) {
				for _, c := range Conversations.ByMessages {
					assert.NotRegexp(t, `\b`+c.name+`\b`, index)
				}
			}
		}
	}
}

func TestTextsAreQuotedForLists(t *testing.T) {
	for text, want := range map[string]string{
		"": `""`, "Grüße 👋": `"Grüße 👋"`, "a\"b": `"a\"b"`, `a\b`: `"a\\b"`,
		"a\nb\x01": `"a\nb\u0001"`, "<a>": `"<a>"`, "\xff": `"\ufffd"`,
	} {
		assert.Equal(t, want, string(appendQuoted(nil, text)))
	}
}

// TestMessagesHaveOnlyTheirColumns holds that an event which is written by MessageEvents loses
// nothing.
func TestMessagesHaveOnlyTheirColumns(t *testing.T) {
	full := convo.EventRow{
		ID: uuid.New(), Workspace: "acme", Contact: "k", Conversation: uuid.New(), Seq: 2,
		ContactSeq: 3, At: time.Unix(1, 0), By: convo.ByUser("ana"), Source: "s", Channel: "sms",
		ExternalID: "1", SentAt: time.Unix(1, 0), Body: "b", Attachments: []byte("[]"),
		Category: "c", Summary: "s", Until: time.Unix(1, 0), Assignee: "a", Team: "t",
		Response: true, Quiet: true, NewContact: true, RestartFlow: true, Notice: "n",
		Audience: "both", Address: "+49",
	}
	for _, k := range convo.EventKinds() {
		full.Kind = k
		e := full.Event()
		e.Source = "" // which no message has
		if !IsMessage(&e) {
			continue
		}
		row := e.Row()
		for _, c := range Events.All {
			inAll := Columns[convo.EventRow]{c}.Args(&SQLite, nil, &row)
			sent := slices.ContainsFunc(MessageEvents,
				func(m Column[convo.EventRow]) bool { return m.name == c.name })
			assert.True(t, sent || inAll[0] == nil, "%s of %s is not sent: %v", c.name, k, inAll)
		}
	}
}
