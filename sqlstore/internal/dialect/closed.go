package dialect

// NextWorkspace is the first workspace behind one that has anybody in it.
const NextWorkspace = `SELECT workspace FROM convo_contacts
	WHERE workspace > ? ORDER BY workspace LIMIT 1`

// ClosedBefore is a page of the closings of a workspace, in their order, each with 0, or 1 if its
// conversation is closed by it, or 2 if also its texts are not gone.
func (d *Dialect) ClosedBefore() string {
	return `SELECT ev.at, ev.conversation,
		CASE WHEN cv.closed_at <> ev.at OR cv.status <> 'closed' THEN 0
			WHEN recent.kind <> 'conversation_erased' OR recent.source IS NULL THEN 2 ELSE 1 END
	FROM convo_events ev` +
		d.LookUp("convo_conversations", "cv",
			"cv.workspace = ev.workspace AND cv.id = ev.conversation") +
		d.LookUp("convo_events", "recent", "recent.workspace = cv.workspace"+
			" AND recent.conversation = cv.id AND recent.seq = cv.version") + `
	WHERE ev.workspace = ? AND ev.kind = 'conversation_closed' AND ev.at >= ? AND ev.at < ?
		AND (ev.at > ? OR ev.conversation > ?)
	ORDER BY ev.at, ev.conversation LIMIT ?`
}
