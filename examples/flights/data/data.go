// Package data has real data for examples; README.md says where it comes from.
package data

import _ "embed"

// Airports are lines of code, name, city, state, country, latitude and longitude,
// Flights compressed lines of date, delay, distance, origin and destination; the
// first line of each names them.
var (
	//go:embed airports.csv
	Airports []byte
	//go:embed flights.csv.gz
	Flights []byte
)
