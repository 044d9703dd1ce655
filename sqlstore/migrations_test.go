package sqlstore

import (
	"fmt"
	"io/fs"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// firstRelease is the version of the schema that the first release has. Migrations up to it meet no
// data of a release, and are edited until then. Each later one must keep to the rules below, which
// docs/upgrades.md gives reasons for.
const firstRelease = 3

// small matches the tables that do not grow with the conversations that are there.
const small = `convo_(active|outbox|outbox_queue|feed_heads|rollup_queue|versions)`

// online are the statements of an engine that hold no table while they read its rows. A new form is
// added here once it is known to be one.
var online = map[string][]string{
	"postgres": {
		`ALTER TABLE (\w+) ADD COLUMN (IF NOT EXISTS )?\w+ [^,]+`,
		`ALTER TABLE (\w+) DROP COLUMN (IF EXISTS )?\w+`,
		`CREATE (UNIQUE )?INDEX CONCURRENTLY \w+ ON .+`,
		`DROP INDEX CONCURRENTLY IF EXISTS \w+`,
		`SET lock_timeout = 0`,
		`INSERT INTO convo_versions .+`,
	},
	"mariadb": {
		`ALTER TABLE (\w+) (ADD|DROP) .+, ALGORITHM=(INSTANT|NOCOPY), LOCK=NONE`,
		`INSERT IGNORE INTO convo_versions .+`,
	},
	"sqlite": {
		// of a table that stays small: of a STRICT one, all rows are checked or written
		`ALTER TABLE ` + small + ` ADD COLUMN \w+ [^,]+`,
		`ALTER TABLE ` + small + ` DROP COLUMN \w+`,
		`INSERT INTO convo_versions .+`,
	},
	"": { // all of them
		`CREATE TABLE (IF NOT EXISTS )?\w+ \(.+`,
		`DROP TABLE (IF EXISTS )?\w+`,
		`DELETE FROM convo_versions WHERE version = \d+`,
	},
}

var (
	creates    = regexp.MustCompile(`^CREATE TABLE (?:IF NOT EXISTS )?(\w+)`)
	indexes    = regexp.MustCompile(`^CREATE (?:UNIQUE )?INDEX \w+ ON (\w+) `)
	alters     = regexp.MustCompile(`^ALTER TABLE (\w+) `)
	adds       = regexp.MustCompile(`^ALTER TABLE \w+ ADD COLUMN (?:IF NOT EXISTS )?\w+ (.*)`)
	constant   = regexp.MustCompile(` DEFAULT (TRUE|FALSE|-?\d+|'[^']*')(,|$)`)
	repeatable = regexp.MustCompile(`IF (NOT )?EXISTS|CONCURRENTLY|ON CONFLICT DO NOTHING|` +
		`^(INSERT IGNORE|DELETE|SET) `)
	asking = regexp.MustCompile(
		`^INSERT (?:IGNORE )?INTO convo_versions .*VALUES \((\d+), (\d+), (\d+)\)`)
)

// linesOf are those of a half of a migration, each in a line.
func linesOf(half string) (all []string) {
	comments := regexp.MustCompile(`(?m)--.*$`)
	for s := range strings.SplitSeq(comments.ReplaceAllString(half, ""), ";") {
		if s = strings.Join(strings.Fields(s), " "); s != "" {
			all = append(all, s)
		}
	}
	return all
}

// brokenRules are what keeps a migration from running while builds of the version before work.
func brokenRules(folder string, version int, text string) (broken []string) {
	breaks := func(rule, statement string) { broken = append(broken, rule+": "+statement) }
	head, rest, _ := strings.Cut(text, "-- +goose Up\n")
	up, down, ok := strings.Cut(rest, "-- +goose Down\n")
	if !ok {
		return []string{"has no way up and down"}
	}
	alone := strings.Contains(head, "-- +goose NO TRANSACTION")
	if !alone && folder == "mariadb" {
		breaks("no statement can be undone there, so say NO TRANSACTION", folder)
	}
	first, last := linesOf(down), linesOf(up)
	if forget := fmt.Sprint("DELETE FROM convo_versions WHERE version = ", version); len(first) == 0 ||
		first[0] != forget {
		breaks("the way down begins otherwise than by", forget)
	}
	asks := asking.FindStringSubmatch(last[len(last)-1])
	if asks == nil || asks[1] != strconv.Itoa(version) {
		breaks("the last statement does not say what the version asks", last[len(last)-1])
	} else if writer, _ := strconv.Atoi(asks[3]); writer >= version {
		breaks("the build before may not write", last[len(last)-1])
	}
	for _, half := range [][]string{last, first} {
		made, altered, unbounded := map[string]bool{}, map[string]bool{}, false
		for i, s := range half {
			if m := creates.FindStringSubmatch(s); m != nil {
				made[m[1]] = true
			}
			m := indexes.FindStringSubmatch(s)
			if !isOnline(folder, s) && (m == nil || !made[m[1]]) {
				breaks("is not known to hold no table for long", s)
			}
			if m := adds.FindStringSubmatch(s); m != nil && !constant.MatchString(m[1]) &&
				strings.Contains(m[1], "NOT NULL") {
				breaks("has no constant default, and older builds do not write it", s)
			} else if m != nil && strings.Contains(m[1], "DEFAULT") && !constant.MatchString(m[1]) {
				breaks("has a default that is computed for each row", s)
			}
			if alone && !repeatable.MatchString(s) {
				breaks("cannot be repeated after it was cut off", s)
			}
			if strings.HasPrefix(s, "CREATE") && strings.Contains(s, "CONCURRENTLY") &&
				(i == 0 || !strings.HasPrefix(half[i-1], "DROP INDEX CONCURRENTLY")) {
				breaks("an index that was cut off is there, but invalid: drop it first", s)
			}
			if m := alters.FindStringSubmatch(s); m != nil {
				altered[m[1]] = true
				if unbounded {
					breaks("waits for a table without a bound", s)
				}
			}
			unbounded = unbounded || s == "SET lock_timeout = 0"
		}
		if len(altered) > 1 && !alone {
			breaks("holds one table while it waits for another one", fmt.Sprint(altered))
		}
	}
	return broken
}

func isOnline(folder, statement string) bool {
	for _, form := range append(online[""], online[folder]...) {
		if regexp.MustCompile("^(" + form + ")$").MatchString(statement) {
			return true
		}
	}
	return false
}

// next is the migration that is made up for the tests of upgrades.
func next(t *testing.T, folder string) string {
	t.Helper()
	text, err := os.ReadFile("sqltest/testdata/next/" + folder + "/00004_next.sql")
	require.NoError(t, err)
	return string(text)
}

// Deploying and migrating come in either order, so a build works on the schema before its own, too.
func TestABuildWorksOnTheSchemaBefore(t *testing.T) {
	assert.EqualValues(t, max(firstRelease, SchemaVersion-1), thisBuild.oldest)
}

func TestMigrationsHoldNobodyUp(t *testing.T) {
	for _, folder := range []string{"sqlite", "postgres", "mariadb"} {
		assert.Empty(t, brokenRules(folder, SchemaVersion+1, next(t, folder)), folder)
		files, err := fs.ReadDir(migrations, "migrations/"+folder)
		require.NoError(t, err)
		require.Len(t, files, SchemaVersion, "one file for each version")
		for i, f := range files {
			version := i + 1
			require.True(t, strings.HasPrefix(f.Name(), fmt.Sprintf("%05d_", version)), f.Name())
			text, err := migrations.ReadFile("migrations/" + folder + "/" + f.Name())
			require.NoError(t, err)
			if version > firstRelease {
				assert.Empty(t, brokenRules(folder, version, string(text)), folder+"/"+f.Name())
				continue
			}
			up, _, _ := strings.Cut(string(text), "-- +goose Down")
			all := linesOf(up)
			assert.Regexp(t, fmt.Sprintf(`^INSERT .*VALUES \(%d, %[1]d, %[1]d\)$`, version),
				all[len(all)-1], "what the version asks comes last")
		}
	}
}

// Each of these would hold callers up, or lose what older builds write.
func TestAMigrationThatHoldsSomebodyUpIsFound(t *testing.T) {
	for folder, bad := range map[string][]string{
		"postgres": {
			"CREATE INDEX IF NOT EXISTS convo_x ON convo_events (workspace, by_id)",
			"ALTER TABLE convo_events ADD COLUMN IF NOT EXISTS x bigint NOT NULL",
			"ALTER TABLE convo_events ADD COLUMN IF NOT EXISTS x bigint DEFAULT random()",
			"ALTER TABLE convo_events ADD COLUMN x bigint",
			"ALTER TABLE convo_events ALTER COLUMN seq TYPE numeric",
			"ALTER TABLE convo_events ALTER COLUMN body SET NOT NULL",
			"CREATE INDEX CONCURRENTLY convo_x ON convo_events (workspace, by_id)",
			"UPDATE convo_cycles SET graded = TRUE",
			"LOCK TABLE convo_events",
			"SET lock_timeout = 0; ALTER TABLE convo_events DROP COLUMN IF EXISTS body",
		},
		"mariadb": {
			"ALTER TABLE convo_events ADD INDEX IF NOT EXISTS convo_x (workspace, by_id)",
			"ALTER TABLE convo_events ADD INDEX convo_x (by_id), ALGORITHM=NOCOPY, LOCK=NONE",
			"ALTER TABLE convo_events ADD COLUMN IF NOT EXISTS x INT, ALGORITHM=COPY, LOCK=SHARED",
			"ALTER TABLE convo_events ADD COLUMN IF NOT EXISTS x INT NOT NULL, " +
				"ALGORITHM=INSTANT, LOCK=NONE",
			"CREATE INDEX IF NOT EXISTS convo_x ON convo_events (workspace, by_id)",
			"UPDATE convo_cycles SET graded = TRUE",
		},
		"sqlite": {
			"CREATE INDEX convo_x ON convo_events (workspace, by_id)",
			"ALTER TABLE convo_events ADD COLUMN x INTEGER",
			"ALTER TABLE convo_active ADD COLUMN x INTEGER NOT NULL",
			"UPDATE convo_cycles SET graded = TRUE",
			"ALTER TABLE convo_outbox ADD COLUMN x INTEGER",
		},
	} {
		good := next(t, folder)
		for _, statement := range bad {
			text := strings.Replace(good, "-- +goose Up\n", "-- +goose Up\n"+statement+";\n", 1)
			assert.NotEmpty(t, brokenRules(folder, SchemaVersion+1, text), statement)
		}
		for from, to := range map[string]string{
			"(4, 3, 3)": "(4, 4, 4)", "VALUES (4": "VALUES (5", "version = 4": "version = 3",
			"-- +goose Down\n": "",
		} {
			text := strings.Replace(good, from, to, 1)
			require.NotEqual(t, good, text, from)
			assert.NotEmpty(t, brokenRules(folder, SchemaVersion+1, text), to)
		}
	}
}
