package dialect

import "strings"

// Unguarded is another text for each statement that keeps races from doing harm, as one would write
// it first: no version is compared, no slot looked at, and of two rows in one place the last one
// wins. What is left is the unique slot, which is the schema's. It is for tests of the tests, and
// panics when a guard is no longer where it was.
func Unguarded(d *Dialect) map[string]string {
	other := map[string]string{}
	for _, statement := range []string{UpdateContact, UpdateByMessages, UpdateConversation} {
		other[statement] = mustReplace(statement, "AND version = ?", "AND version <> 0 - ?")
	}
	other[InsertContact+d.InsertOnce] = InsertContact +
		overwrite(d, "workspace, id", Contacts.All)
	other[InsertEvent+d.InsertOnce] = InsertEvent +
		overwrite(d, "workspace, conversation, seq", Events.All)
	other[ActiveTwice] = mustReplace(ActiveTwice, "count(*) > 1", "count(*) > 2")
	return other
}

func mustReplace(text, guard, with string) string {
	if !strings.Contains(text, guard) {
		panic("the guard is no longer where it was: " + guard)
	}
	return strings.Replace(text, guard, with, 1)
}

// overwrite has an INSERT take the place of the row with the same key.
func overwrite[R any](d *Dialect, key string, columns Columns[R]) string {
	clause, value := " ON CONFLICT ("+key+") DO UPDATE SET ", "excluded.?"
	if d.InsertOnce == "" {
		clause, value = " ON DUPLICATE KEY UPDATE ", "VALUES(?)"
	}
	return clause + columns.each(", ", func(c *Column[R]) string {
		return c.name + " = " + strings.Replace(value, "?", c.name, 1)
	})
}
