//go:build race

package convo_test

// lostByPools is how many allocations more a call may take: the race detector has pools lose some
// of what they keep.
const lostByPools = 1
