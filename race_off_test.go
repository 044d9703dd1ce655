//go:build !race

package convo_test

const lostByPools = 0
