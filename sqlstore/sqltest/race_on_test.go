//go:build race

package sqlstore_test

// The race detector makes SQLite slower by an order of magnitude. With it the tests look at less:
// it is there for what goroutines share, and the rest is seen without it.
const raceDetector = true

// contacts is how many race in each field of the matrix, and unguarded is the same without the
// guards.
const contacts, unguarded = 6, 4
