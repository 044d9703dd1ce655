package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
)

var mariadb = dialect{
	name:   "MariaDB",
	folder: "mariadb",
	goose:  "mysql",
	id:     idBytes,
	upsertCycle: ` ON DUPLICATE KEY UPDATE
	category = VALUES(category), summary = VALUES(summary)`,
	// ER_LOCK_DEADLOCK, ER_LOCK_WAIT_TIMEOUT, ER_CHECKREAD, ER_DUP_ENTRY
	conflicts: []string{"1213", "1205", "1020", "1062"},
	taken:     "1062",
	// ER_SERVER_SHUTDOWN, ER_CONNECTION_KILLED, ER_QUERY_INTERRUPTED
	unsettled: []string{"1053", "1927", "1317"},
	lock:      " FOR UPDATE",
	level:     sql.LevelReadCommitted,
	check:     checkMariaDB,
}

func checkMariaDB(ctx context.Context, s *Store) error {
	var version, client string
	var autocommit bool
	var mode string
	if err := s.db.QueryRowContext(ctx, "SELECT VERSION(), @@character_set_client, @@autocommit, @@sql_mode").
		Scan(&version, &client, &autocommit, &mode); err != nil {
		return err
	}
	switch {
	case !strings.Contains(version, "MariaDB"):
		return fmt.Errorf("the server is version %s, not MariaDB: its statements are not those of MySQL", version)
	case client != "utf8mb4":
		return fmt.Errorf("character_set_client is %s: set charset=utf8mb4 in the DSN", client)
	case !autocommit:
		return errors.New("autocommit is off: leave it on")
	case !strings.Contains(mode, "STRICT_"):
		return fmt.Errorf("sql_mode is %q: add STRICT_TRANS_TABLES, so that nothing is cut off in silence", mode)
	}
	return nil
}
