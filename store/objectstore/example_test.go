package objectstore_test

import (
	"context"
	"fmt"
	"log"
	"net/http/httptest"

	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"

	"github.com/kivisdb/kivis"
	"github.com/kivisdb/kivis/store/objectstore"
)

// Order is a record.
type Order struct {
	kivis.Auto[Order]
	Customer string `kivis:"index"`
	Total    int64
}

// shop opens the database in a bucket, as each process of the shop does.
func shop(ctx context.Context, url string) (*kivis.DB, error) {
	st, err := objectstore.Open(ctx, url, &objectstore.Options{AccessKey: "key", SecretKey: "secret"})
	if err != nil {
		return nil, err
	}
	return kivis.Open(st, nil)
}

// Two processes have a database in one bucket: what one has written the other reads.
func Example() {
	ctx := context.Background()
	url, stop := startServer()
	defer stop()
	for range 2 {
		db, err := shop(ctx, url)
		if err != nil {
			log.Fatal(err)
		}
		defer db.Close()
		if err := db.Register(&Order{}); err != nil {
			log.Fatal(err)
		}
		orders := kivis.TableByID[Order](db)
		if _, err := orders.Insert(ctx, &Order{Customer: "Ann", Total: 12}); err != nil {
			log.Fatal(err)
		}
		n, err := orders.Where().Count(ctx)
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(n, "orders")
	}
	// Output:
	// 1 orders
	// 2 orders
}

// startServer starts a server with a bucket, and returns the URL of a store in it.
func startServer() (url string, stop func()) {
	backend := s3mem.New()
	if err := backend.CreateBucket("bucket"); err != nil {
		log.Fatal(err)
	}
	server := httptest.NewServer(gofakes3.New(backend).Server())
	return "s3://bucket/shop?endpoint=" + server.URL, server.Close
}
