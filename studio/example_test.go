package studio_test

import (
	"net/http"

	"github.com/kivisdb/kivis"
	"github.com/kivisdb/kivis/studio"
)

// The studio beside the pages of a program: the log says the token that the first
// URL needs.
func ExampleHandler() {
	serve := func(db *kivis.DB) error {
		mux := http.NewServeMux()
		mux.Handle("/debug/studio/", http.StripPrefix("/debug/studio", studio.Handler(db, &studio.Options{Write: true})))
		return http.ListenAndServe("127.0.0.1:8080", mux)
	}
	_ = serve
}
