// Package cache puts layers in front of a store whose data is far away: memory,
// over a persistent cache, over an archive, over the origin. The stack is a
// [store.Store].
//
//	s, err := cache.Stack(origin, cache.Memory(64<<20), cache.Archive(local))
//
// The law: a layer changes what a read costs, never what it answers.
//
// # What a layer knows
//
// A layer is a local store with entries of the origin, and a set of key intervals
// that it knows whole, as of the version that it has followed to. A key that the
// local store holds has that value. A key that it does not hold is absent if it
// lies in a known interval; else the next layer is asked. A point read makes known
// the key that it has found, or the interval of the one key that it has not; a
// scan makes known what it has passed over.
//
// # Invariants
//
// Let the history be what the store notes of the origin's commits: which key was
// written, in which version last. The newest version noted is N. The newest view
// has the version that transactions begin on.
//
// Entry: what a layer's local store holds under a key is what the key has had at
// each version from its last write on; unless a write of the key is noted that the
// layer has not taken in yet.
//
// Interval: at any time, of each key in a known interval, either the local store
// holds it, or it is absent; with the same exception.
//
// View: a transaction begins on version V only when each layer has taken in all
// that was written up to V. So of a write that a layer has not taken in yet, the
// version is above that of every transaction.
//
// Answer: a layer answers a transaction at V only if the history knows of no write
// above V of the key, or in the range, and has forgotten none. Then what holds now
// held at V, too. It is asked after the local store has been read. Since a version
// is noted before a layer changes for it, what was read is not too new. This holds for
// each step of a scan by itself.
//
// From these follow the orders in which things are done:
//
//   - Begin: the origin is asked for its newest version; if the newest view is
//     older, the layers follow; then a transaction begins on the newest view. One
//     request serves all who came before it was sent, never one who came later.
//   - Follow (apply): a transaction of the origin is begun, whose version is W; what
//     was written up to W is noted; each layer takes it in, or lets go of it; the
//     view of W is published.
//   - Change of a layer: what is no longer known leaves the known intervals; the
//     local store commits; what is known from now on enters them. What is forgotten
//     without having been written is counted: who has looked at the intervals,
//     then at the local store, looks at the count again.
//   - Fill: under the layer's lock, what was read at V enters only if nothing of it
//     was written above V, up to N, and the layer has taken in all up to N.
//   - Commit: a write transaction of the origin is begun, at W; what the transaction
//     has read must not have been written above its V, up to W; what it has read is
//     guarded, so that the origin refuses it if it is written above W; the origin
//     commits; the layers follow before Commit returns. If they cannot, or the
//     outcome is unknown, they forget what was written. A failed commit has
//     changed no layer.
//
// The origin's transactions of a view are begun before it is published, and shared
// by those who read on it. So what no layer knows is read as of the same version,
// however long ago that was the newest.
package cache
