package main

import (
	"time"

	"github.com/kivisdb/kivis"
)

// IATA is an airport code. A type of its own, so only an airport code can
// refer to an airport.
type IATA string

// Airport is an airport of the United States.
type Airport struct {
	_         struct{} `kivis:"table=airports"`
	Code      IATA     `kivis:"key"`
	Name      string
	City      string `kivis:"index"`
	State     string `kivis:"index"`
	Country   string
	Latitude  float64
	Longitude float64
}

// Flight is a flight in the first quarter of 2001.
type Flight struct {
	_                  struct{}  `kivis:"table=flights,index=route(Origin,Destination,-Departs)"`
	kivis.Auto[Flight]           // ID, drawn on insert
	Departs            time.Time `kivis:"index"`
	Delay              int       `kivis:"index"` // minutes; negative is early
	Distance           int       // miles
	Origin             IATA      `kivis:"ref"`
	Destination        IATA      `kivis:"ref"`
}

// The tables. They are bound to a database or a transaction by With.
var (
	airports = kivis.TableBy[Airport, IATA](nil)
	flights  = kivis.TableOf[Flight](nil)
)

// The fields that questions are asked about.
var (
	city  = kivis.FieldOf(func(a *Airport) *string { return &a.City })
	state = kivis.FieldOf(func(a *Airport) *string { return &a.State })

	departs     = kivis.FieldOf(func(f *Flight) *time.Time { return &f.Departs })
	delay       = kivis.FieldOf(func(f *Flight) *int { return &f.Delay })
	distance    = kivis.FieldOf(func(f *Flight) *int { return &f.Distance })
	origin      = kivis.FieldOf(func(f *Flight) *IATA { return &f.Origin })
	destination = kivis.FieldOf(func(f *Flight) *IATA { return &f.Destination })
)
