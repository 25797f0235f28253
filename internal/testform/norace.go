//go:build !race

package testform

const raceEnabled = false
