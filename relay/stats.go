package relay

import "time"

// Stats are the numbers of one Once.
type Stats struct {
	Queued int // streams whose notes were put into queues
	Sent   int // events that were sent, or that a target does not want
	Failed int // queues whose next event could not be sent
	Dead   int // events that became dead letters
	Lost   int // queues whose lease had expired before they were settled
	// Delay is the longest time from an event's At to when it was sent.
	Delay time.Duration
	// More says that there may be more to do at once.
	More bool
	Err  error // what Once returns
}

// add adds what became of one claim.
func (s *Stats) add(claim *Stats) {
	s.Sent, s.Failed, s.Dead = s.Sent+claim.Sent, s.Failed+claim.Failed, s.Dead+claim.Dead
	s.Delay = max(s.Delay, claim.Delay)
}

func (s *Stats) any() bool {
	return s.Queued+s.Sent+s.Failed+s.Dead+s.Lost > 0 || s.Err != nil
}
