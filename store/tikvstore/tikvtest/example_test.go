package tikvtest_test

import (
	"context"
	"fmt"
	"log"

	"github.com/kivisdb/kivis"
	"github.com/kivisdb/kivis/store/tikvstore"
	"github.com/kivisdb/kivis/store/tikvstore/tikvtest"
)

// Order is a record.
type Order struct {
	kivis.Auto[Order]
	Customer string `kivis:"index"`
	Total    int64
}

// Two processes have a database in one cluster: what one has written the other reads. In
// production each of them calls tikvstore.Open with the addresses of PD.
func Example() {
	ctx := context.Background()
	cluster, err := tikvtest.NewLocal()
	if err != nil {
		log.Fatal(err)
	}
	defer cluster.Close()
	for range 2 {
		st, err := tikvstore.OpenClient(ctx, cluster.Client(), "shop", nil)
		if err != nil {
			log.Fatal(err)
		}
		db, err := kivis.Open(st, nil)
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
