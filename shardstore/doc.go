// Package shardstore is one store over many databases, by workspace: a [convo.Store], with all that
// package relay and package report need, in front of several stores. No transaction, key or order
// goes over workspaces, so each can be on any of them.
//
//	directory := shardstore.Rendezvous("db1", "db2", "db3")
//	store, err := shardstore.NewLocking(directory, map[string]*sqlstore.Store{
//		"db1": first, "db2": second, "db3": third,
//	})
//	engine, err := convo.New(store)
//
// A [Directory] says which shard a workspace is on. [Rendezvous] computes it from the names of the
// shards; a host may keep a directory of its own. With a [Registry], [Store.Move] brings a
// workspace to another shard while it is in use.
package shardstore
