package dialect

// Dqlite is the dialect of dqlite, whose servers carry out SQLite's statements, and answer over a
// network.
var Dqlite = overNetwork(SQLite)

func overNetwork(d Dialect) Dialect {
	d.Name = "dqlite"
	d.MaxArgs = 255
	// A server of dqlite 1.11 answers with parts of about 4 KiB. Where the names of the columns
	// take as much, it sends parts without a row, for ever.
	d.ShortNames = true
	// SQLITE_ERROR, and constraints: of a row's, of a foreign key, NOT NULL, primary key, unique.
	// Not those of input and output, of an abort or of leadership lost (10, 4, 10506): what they
	// are about may be on its way to the other servers.
	d.NotCarriedOut = append([]string{"1", "19", "275", "787", "1299"}, d.Conflicts...)
	d.TakeWriteLock = "UPDATE convo_versions SET version = version WHERE 1 = 0"
	return d
}

// AtOnce is how many rows, of so many arguments each, a statement has that takes up to most, and so
// many other arguments.
func (d *Dialect) AtOnce(most, each, others int) int {
	if d.MaxArgs == 0 {
		return most
	}
	return min(most, (d.MaxArgs-others)/each)
}
