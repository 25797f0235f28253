// Package occ has what every optimistic store needs, so that a new one takes
// an afternoon: the transaction over a snapshot with its overlay of writes and
// its cursors, the footprint of what was read, the check of it against recent
// commits, the registry of live snapshots, and an orderly end.
//
// # Writing a store
//
// A store supplies an [Engine]: a [Reader] of the newest version, and a commit.
// It embeds or holds a [Core], calls [Core.Init] when it opens, and forwards:
//
//	func (s *Store) Begin(ctx context.Context, write bool) (store.Tx, error) {
//		tx, err := s.core.Begin(ctx, write)
//		if err != nil {
//			return nil, err // not a typed nil
//		}
//		return tx, nil
//	}
//
//	func (s *Store) Close() error {
//		if !s.core.Close() { // refuses, waits, discards
//			return nil // closed before
//		}
//		return s.engine.Close()
//	}
//
// # Committing
//
// A commit runs in one committer at a time: under a mutex, or in the leader of
// a group, which [Queue] makes of those who come at the same time. The committer
// admits one or more transactions, writes what they changed, and publishes the
// new version:
//
//	for _, tx := range group {
//		if err := s.core.Admit(tx); err != nil { ... } // ErrConflict
//	}
//	version := s.core.Version() + 1
//	if err := s.engine.Write(version, s.core.Writes()); err != nil {
//		s.core.Abort() // nothing is in the engine; or Fail, if that is unknown
//	}
//	s.core.Hooks.Run(version, changes)
//	s.core.Publish(version, nil)
//
// What a store commits can be watched and followed: it forwards the methods of
// [store.Watcher] and [store.Feeder] to its core. One that outlives its process
// keeps what is followed in a log, as a [LogEngine]: it writes LogWrites in the
// same batch, and forwards [store.FeedKeeper], too.
//
// Admit checks a transaction against everything committed since its snapshot
// and against the members admitted before it, so a group may become one
// version. It takes transactions in the order in which their writes are to win.
package occ
