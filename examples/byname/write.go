package main

import (
	"context"
	"errors"

	"github.com/kivisdb/kivis"
	"github.com/kivisdb/kivis/store/badgerstore"
)

// What follows stands for another program, which has the types. Nothing else
// here knows them.

type airport struct {
	_    struct{} `kivis:"table=airports"`
	Code string   `kivis:"key"`
	City string
}

type flight struct {
	_           struct{}         `kivis:"table=flights"`
	ID          kivis.ID[flight] `kivis:"key,auto"`
	Origin      string           `kivis:"ref=airports,ondelete=cascade"`
	Destination string           `kivis:"ref=airports,ondelete=cascade"`
	Delay       int              `kivis:"index"` // minutes
}

// write makes the database.
func write(ctx context.Context, dir string) (err error) {
	st, err := badgerstore.Open(dir, nil)
	if err != nil {
		return err
	}
	db, err := kivis.Open(st, nil)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	if err := db.Register(&airport{}, &flight{}); err != nil {
		return err
	}
	_, err = kivis.TableBy[airport, string](db).InsertMany(ctx, []airport{
		{Code: "ORD", City: "Chicago"}, {Code: "SFO", City: "San Francisco"}, {Code: "PDX", City: "Portland"}, {Code: "IAH", City: "Houston"},
	})
	if err != nil {
		return err
	}
	_, err = kivis.TableByID[flight](db).InsertMany(ctx, []flight{
		{Origin: "ORD", Destination: "SFO", Delay: 153},
		{Origin: "PDX", Destination: "SFO", Delay: 12},
		{Origin: "ORD", Destination: "PDX", Delay: 259},
		{Origin: "IAH", Destination: "ORD", Delay: -4},
		{Origin: "ORD", Destination: "IAH", Delay: 31},
		{Origin: "SFO", Destination: "IAH", Delay: 0},
	})
	return err
}
