//go:build race

package kivis_test

const raceEnabled = true
