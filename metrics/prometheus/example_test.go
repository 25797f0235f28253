package prometheus_test

import (
	"fmt"

	client "github.com/prometheus/client_golang/prometheus"

	"github.com/kivisdb/kivis"
	"github.com/kivisdb/kivis/metrics/prometheus"
	"github.com/kivisdb/kivis/store"
	"github.com/kivisdb/kivis/store/memstore"
)

// measured opens a database whose metrics are registered.
func measured(st store.Store, registry client.Registerer) (*kivis.DB, error) {
	m := prometheus.New(nil)
	if err := registry.Register(m); err != nil {
		return nil, err
	}
	db, err := kivis.Open(st, &kivis.Options{Tracer: m.Tracer("shop")})
	if err == nil {
		m.Observe("shop", db)
	}
	return db, err
}

func Example() {
	registry := client.NewRegistry()
	db, err := measured(memstore.New(), registry)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer db.Close()
	families, err := registry.Gather()
	fmt.Println(families[0].GetName(), err)
	// Output: kivis_commits_total <nil>
}
