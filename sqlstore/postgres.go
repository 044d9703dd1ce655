package sqlstore

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
)

var postgres = dialect{
	name:       "PostgreSQL",
	folder:     "postgres",
	goose:      "postgres",
	numbered:   true,
	id:         idText,
	insertOnce: " ON CONFLICT DO NOTHING",
	upsertCycle: ` ON CONFLICT (workspace, conversation, number) DO UPDATE
	SET category = excluded.category, summary = excluded.summary`,
	// serialization_failure, deadlock_detected, lock_not_available, unique_violation
	conflicts: []string{"40001", "40P01", "55P03", "23505"},
	taken:     "23505",
	// What ends a connection may come after the commit: connection_exception and its kin, admin_shutdown, crash_shutdown,
	// cannot_connect_now, database_dropped, idle_session_timeout.
	unsettled: []string{"08000", "08003", "08006", "08007", "57P01", "57P02", "57P03", "57P04", "57P05"},
	lock:      " FOR UPDATE OF k, c",
	lockJoin:  strings.Replace(latestOf, "LEFT JOIN", "JOIN", 1),
	level:     sql.LevelReadCommitted,
	check:     checkPostgres,
}

func checkPostgres(ctx context.Context, s *Store) error {
	var server, client string
	if err := s.db.QueryRowContext(ctx, "SELECT current_setting('server_encoding'), current_setting('client_encoding')").
		Scan(&server, &client); err != nil {
		return err
	}
	if server != "UTF8" || client != "UTF8" {
		return fmt.Errorf("server_encoding is %s and client_encoding %s: both must be UTF8 (CREATE DATABASE … ENCODING 'UTF8')",
			server, client)
	}
	return nil
}
