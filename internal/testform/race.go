//go:build race

package testform

const raceEnabled = true
