package sqlstore

import (
	"context"
	"database/sql"
	"fmt"
	"strconv"
	"strings"

	"github.com/chatlifecycle/convo/sqlstore/internal/dialect"
)

// leastMySQL is the first version that skips rows which somebody else holds, and has recursive
// queries. MariaDB's servers, whose numbers are higher, know these words, too.
const leastMySQL = 8

func checkMySQL(ctx context.Context, s *Store) error {
	err := checkServer(ctx, s, func(version string) error {
		if strings.Contains(version, "TiDB") {
			return fmt.Errorf("the server is version %s: TiDB takes SELECT … FOR UPDATE SKIP "+
				"LOCKED and holds no rows, so rollups and relays would not be right on it", version)
		}
		number, _, _ := strings.Cut(version, ".")
		if major, err := strconv.Atoi(number); err != nil || major < leastMySQL {
			return fmt.Errorf("the server is version %s: MySQL %d.0 or later is needed", version,
				leastMySQL)
		}
		return nil
	})
	if err != nil {
		return err
	}
	return checkBinlog(ctx, s)
}

// inTransactionOfMySQL sets a savepoint, which is forgotten at once, without a word, where no
// transaction is.
func inTransactionOfMySQL(ctx context.Context, tx *sql.Tx) bool {
	for _, statement := range []string{dialect.MySQL.Savepoint, "RELEASE SAVEPOINT convo"} {
		if _, err := tx.ExecContext(ctx, statement); err != nil {
			return false
		}
	}
	return true
}
