package shardstore

import "time"

// SetPatience says how long a call waits for stopped writers, and returns what was said before.
func SetPatience(s *Store, d time.Duration) (before time.Duration) {
	before, s.places.patience = s.places.patience, d
	return before
}
