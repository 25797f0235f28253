// Package data is airports of the United States and flights between them, as the
// examples use them. README.md says where they come from.
package data

import _ "embed"

// Airports is lines of code, name, city, state, country, latitude and longitude,
// as CSV with a heading.
//
//go:embed airports.csv
var Airports []byte

// Flights is lines of date, delay, distance, origin and destination, as
// compressed CSV with a heading.
//
//go:embed flights.csv.gz
var Flights []byte
