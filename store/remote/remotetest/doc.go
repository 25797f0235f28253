// Package remotetest has an engine in memory for tests of what is built on
// [remote.Backend]: it loses, delays and repeats requests on command. Several
// stores over one of it are what several processes are over a server.
package remotetest
