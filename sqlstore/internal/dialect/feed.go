package dialect

import "github.com/chatlifecycle/convo/relay"

// Feed are the columns of convo_feed.
var Feed = table(
	required("workspace", immutable, func(r *relay.FeedRow) Field { return (*Text)(&r.Workspace) }),
	required("position", immutable, func(r *relay.FeedRow) Field { return (*Int)(&r.Position) }),
	required("conversation", immutable,
		func(r *relay.FeedRow) Field { return (*ID)(&r.Conversation) }),
	required("contact", immutable, func(r *relay.FeedRow) Field { return (*Text)(&r.Contact) }),
	required("from_seq", immutable, func(r *relay.FeedRow) Field { return (*Int)(&r.From) }),
	required("to_seq", immutable, func(r *relay.FeedRow) Field { return (*Int)(&r.To) }),
	required("at", immutable, func(r *relay.FeedRow) Field { return (*Micros)(&r.At) }),
)

// InsertFeedRow adds a row to the feed of a workspace.
var InsertFeedRow = `INSERT INTO convo_feed (` + Feed.All.Names() + `)
	VALUES (` + Feed.All.placeholders() + `)`

// moveFeedHead takes so many positions of a workspace, and returns the last of them. Its row is
// held until the commit, so that they become visible in their order.
const moveFeedHead = `INSERT INTO convo_feed_heads (workspace, position) VALUES (?, ?)`

// What comes behind moveFeedHead.
const (
	standardUpsertHead = ` ON CONFLICT (workspace)
	DO UPDATE SET position = convo_feed_heads.position + excluded.position`
	mariadbUpsertHead = ` ON DUPLICATE KEY UPDATE position = position + VALUES(position)`
)

// MoveFeedHead is moveFeedHead in the words of the engine. With NoReturning, FeedHead is the last
// position.
func (d *Dialect) MoveFeedHead() string {
	if d.NoReturning {
		return moveFeedHead + d.upsertHead
	}
	return moveFeedHead + d.upsertHead + " RETURNING position"
}

// FeedHead is the newest position of a workspace.
const FeedHead = `SELECT position FROM convo_feed_heads WHERE workspace = ?`

// FeedRows are the first rows of a workspace from a position on.
var FeedRows = `SELECT ` + Feed.Read.Names() + ` FROM convo_feed
	WHERE workspace = ? AND position >= ? ORDER BY position LIMIT ?`

// OldInFeeds are the last positions of those rows that were added before a time, up to a limit.
const OldInFeeds = `SELECT workspace, max(position) FROM (
	SELECT workspace, position FROM convo_feed WHERE at < ? ORDER BY at LIMIT ?
	) old GROUP BY workspace ORDER BY workspace`

// PruneFeed deletes the rows of a workspace up to a position.
func (d *Dialect) PruneFeed() string {
	return d.deleteByKey("convo_feed") + "workspace = ? AND position <= ?"
}
