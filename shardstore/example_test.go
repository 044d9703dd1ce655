package shardstore_test

import (
	"context"
	"fmt"
	"log"

	"github.com/chatlifecycle/convo"
	"github.com/chatlifecycle/convo/memstore"
	"github.com/chatlifecycle/convo/shardstore"
)

// byCountry is a directory of a host's: a workspace's name says where its data may be.
type byCountry struct{}

func (byCountry) Place(_ context.Context, workspace string) (shardstore.Place, error) {
	switch workspace[:2] {
	case "de", "fr":
		return shardstore.Place{Shard: "frankfurt"}, nil
	case "us":
		return shardstore.Place{Shard: "virginia"}, nil
	}
	return shardstore.Place{}, shardstore.ErrNoShard
}

func Example() {
	ctx := context.Background()
	store, err := shardstore.New(byCountry{}, map[string]*memstore.Store{
		"frankfurt": memstore.New(), "virginia": memstore.New(),
	})
	if err != nil {
		log.Fatal(err)
	}
	engine, err := convo.New(store)
	if err != nil {
		log.Fatal(err)
	}
	for _, workspace := range []string{"de-acme", "us-globex", "jp-initech"} {
		_, err := engine.Do(ctx, convo.ToContact(workspace, "bob"), convo.Receive{Body: "Hello"})
		place, _ := store.Place(ctx, workspace)
		fmt.Println(workspace, "is at", place.Shard, err == nil)
	}
	// Output:
	// de-acme is at frankfurt true
	// us-globex is at virginia true
	// jp-initech is at  false
}
