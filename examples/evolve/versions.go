package main

import (
	"fmt"
	"time"

	"github.com/kivisdb/kivis"
)

// The first version of the program.
type (
	airport1 struct {
		_     struct{} `kivis:"table=airports"`
		Code  string   `kivis:"key"`
		Name  string
		City  string `kivis:"index"`
		State string
	}
	flight1 struct {
		_ struct{} `kivis:"table=flights"`
		kivis.Auto[flight1]
		Departs             time.Time
		Delay               int16
		Distance            int    `kivis:"index"`
		Origin, Destination string `kivis:"ref=airports"`
	}
)

// The second: the city is a town now, which the tag says; delays have got
// longer, and an index. Nothing is rewritten.
type (
	airport2 struct {
		_     struct{} `kivis:"table=airports"`
		Code  string   `kivis:"key"`
		Name  string
		Town  string `kivis:"was=City,index"`
		State string
	}
	flight2 struct {
		_ struct{} `kivis:"table=flights"`
		kivis.Auto[flight2]
		Departs             time.Time
		Delay               int    `kivis:"index"`
		Distance            int    `kivis:"index"`
		Origin, Destination string `kivis:"ref=airports"`
	}
)

// haul is how far a flight goes, as a word in the place of a number of miles.
type haul string

// The third: a number becomes a word, and one field two. A function makes the
// new records.
type flight3 struct {
	_ struct{} `kivis:"table=flights"`
	kivis.Auto[flight3]
	Day, Time           string
	Delay               int    `kivis:"index"`
	Distance            haul   `kivis:"index"`
	Origin, Destination string `kivis:"ref=airports"`
}

// toThird makes a flight of the third version.
func toThird(o flight2) (flight3, error) {
	f := flight3{Day: o.Departs.Format(time.DateOnly), Time: o.Departs.Format("15:04"), Delay: o.Delay, Origin: o.Origin, Destination: o.Destination}
	f.ID = kivis.ID[flight3](o.ID)
	switch {
	case o.Distance < 0:
		return f, fmt.Errorf("a distance of %d miles", o.Distance)
	case o.Distance < 500:
		f.Distance = "short"
	case o.Distance < 1500:
		f.Distance = "medium"
	default:
		f.Distance = "long"
	}
	return f, nil
}

// The fourth: the table has another name, a delay may be unknown, and an airport
// has a unique field, which no stored one has yet.
type (
	airport4 struct {
		_     struct{} `kivis:"table=places,was=airports"`
		Code  string   `kivis:"key"`
		Name  string
		Town  string `kivis:"index"`
		State string
		Slug  *string `kivis:"unique"`
	}
	flight4 struct {
		_ struct{} `kivis:"table=flights"`
		kivis.Auto[flight4]
		Day, Time           string
		Delay               *int   `kivis:"index"`
		Distance            haul   `kivis:"index"`
		Origin, Destination string `kivis:"ref=places"`
	}
)

// airport5 is the end of it: each airport has its unique field now, so that it
// need not be a pointer.
type airport5 struct {
	_     struct{} `kivis:"table=places"`
	Code  string   `kivis:"key"`
	Name  string
	Town  string `kivis:"index"`
	State string
	Slug  string `kivis:"unique"`
}

// The fifth: an airport gets a number as its key, and keeps its code as a unique
// field. The flights' references go along.
type (
	airport6 struct {
		_ struct{} `kivis:"table=places"`
		kivis.Auto[airport6]
		Code  string `kivis:"unique"`
		Name  string
		Town  string `kivis:"index"`
		State string
		Slug  string `kivis:"unique"`
	}
	flight5 struct {
		_ struct{} `kivis:"table=flights"`
		kivis.Auto[flight5]
		Day, Time           string
		Delay               *int               `kivis:"index"`
		Distance            haul               `kivis:"index"`
		Origin, Destination kivis.ID[airport6] `kivis:"ref=places"`
	}
)

// toNumbers leaves the new key zero, so that one is drawn.
func toNumbers(a airport5) (airport6, error) {
	return airport6{Code: a.Code, Name: a.Name, Town: a.Town, State: a.State, Slug: a.Slug}, nil
}
