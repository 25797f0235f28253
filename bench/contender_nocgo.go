//go:build !cgo

package main

// cgoEntries are the contenders that need a C compiler: none in this build.
var cgoEntries []Entry
