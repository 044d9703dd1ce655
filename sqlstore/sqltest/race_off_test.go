//go:build !race

package sqlstore_test

const raceDetector = false

// contacts is how many race in each field of the matrix, and unguarded is the same without the
// guards.
const contacts, unguarded = 100, 10
