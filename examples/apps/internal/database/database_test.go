package database

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestADatabaseIsItsOwnersOnly(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "a.sqlite")
	_, closeStore, err := Open(t.Context(), file)
	require.NoError(t, err)
	files, err := filepath.Glob(file + "*")
	require.NoError(t, err)
	require.Contains(t, files, file)
	for _, name := range files { // also those of the write-ahead log
		info, err := os.Stat(name)
		require.NoError(t, err)
		require.Equal(t, os.FileMode(0o600), info.Mode().Perm(), name)
	}
	require.NoError(t, closeStore())

	require.NoError(t, os.Chmod(file, 0o640)) // as its owner wants it
	_, closeStore, err = Open(t.Context(), file)
	require.NoError(t, err)
	require.NoError(t, closeStore())
	info, err := os.Stat(file)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o640), info.Mode().Perm())

	_, _, err = Open(t.Context(), filepath.Join(dir, "none", "a.sqlite"))
	require.ErrorContains(t, err, filepath.Join("none", "a.sqlite"), "an error names its file")
}
