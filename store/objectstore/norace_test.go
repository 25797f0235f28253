//go:build !race

package objectstore_test

const raceEnabled = false
