//go:build !race

package sqlstore_test

const raceDetector = false

// contacts is how many race in each field of the matrix.
const contacts = 100
