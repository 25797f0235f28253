package pebblestore

// OpenIn is Open in a file system.
var OpenIn = openIn

// Unfinished returns the content of KIVIS while a store is being made.
func Unfinished() []byte { return new(guardState).encode() }
