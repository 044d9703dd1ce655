package hook

import "strings"

// Unguarded is the store without what keeps races from doing harm, as one would write it first:
// no version is compared, no slot looked at, and of two rows in one place the last one wins. What
// is left is the unique slot, which is the schema's. It panics when a guard is no longer where it
// was.
func Unguarded(store any) any {
	once := InsertOnce(store)
	otherActive := "NOT EXISTS (" + Statements["otherActive"] + ")"
	other := map[string]string{}
	for _, name := range []string{"updateContact", "updateByMessages", "updateConversation"} {
		text := replace(Statements[name], "AND version = ?", "AND version <> 0 - ?")
		if name == "updateConversation" {
			text = replace(text, otherActive, "(version > 0 OR "+otherActive+")")
		}
		other[Statements[name]] = text
	}
	for name, table := range map[string]struct{ key, columns string }{
		"insertContact": {"workspace, id", Statements["contactColumns"]},
		"insertEvent":   {"workspace, conversation, seq", Statements["eventColumns"]},
	} {
		insert := Statements[name]
		other[insert+once] = insert + overwrite(once, table.key, table.columns)
	}
	other[Statements["actives"]] = Statements["actives"] + " LIMIT 1"
	return Reworded(store, other)
}

func replace(text, guard, with string) string {
	if !strings.Contains(text, guard) {
		panic("the guard is no longer where it was: " + guard)
	}
	return strings.Replace(text, guard, with, 1)
}

// overwrite has an INSERT take the place of the row with the same key.
func overwrite(once, key, columns string) string {
	clause, value := " ON CONFLICT ("+key+") DO UPDATE SET ", "excluded.?"
	if once == "" {
		clause, value = " ON DUPLICATE KEY UPDATE ", "VALUES(?)"
	}
	var sets []string
	for c := range strings.SplitSeq(strings.Join(strings.Fields(columns), " "), ", ") {
		sets = append(sets, c+" = "+strings.Replace(value, "?", c, 1))
	}
	return clause + strings.Join(sets, ", ")
}
