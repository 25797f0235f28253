// Package sharedtest tests stores that several processes have open at a time. Each
// process is a store of its own over one origin, in this process, so that one clock
// says who came first.
package sharedtest
