package dialect

// MySQL is the dialect of MySQL 8 and of servers that speak as it does. It is MariaDB's, but for
// what only MariaDB's own servers know: a commit is a transaction of single statements.
var MySQL = withoutBlocks(MariaDB)

func withoutBlocks(d Dialect) Dialect {
	d.Name = "MySQL"
	d.Savepoint = savepoint
	d.NoReturning = true
	d.Compose, d.ComposeArgs, d.SharedPart, d.Share = nil, nil, nil, nil
	return d
}
