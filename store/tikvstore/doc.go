// Package tikvstore keeps a store in a TiKV cluster, for any number of processes at a
// time:
//
//	s, err := tikvstore.Open(ctx, "tikv://pd1:2379,pd2:2379/shop", nil)
//
// The URL has the addresses of PD, which knows the cluster, and the store's name, of
// which there may be several in one cluster: each has a prefix of its own, kivis/NAME/,
// beside which TiDB, or programs of other kinds, may keep what is theirs. With TLS the
// files go behind it: ?ca=FILE&cert=FILE&key=FILE. [OpenClient] takes a client
// that is set up otherwise.
//
// # When to take it
//
// Where the data is more than a machine should hold, or must outlive one: TiKV spreads
// entries and reads over its nodes, keeps several copies, and goes on without some of
// them. It is not for many commits a second. All commits of a store follow each other
// through one key, its head, as they do in a PostgreSQL server through one row; each takes
// two requests to PD and two to TiKV, one after the other, and those of one process that
// come together are one.
//
// # Versions
//
// A version is a number; it is read at a time of the cluster's at which it was the
// newest, so that TiKV's own versions are its snapshots, and nothing is held at the
// cluster meanwhile but a service safe point at PD: each process that has the store
// open holds garbage collection back by [Options].Keep, and by ten minutes more should
// it end without Close. A transaction that lasts longer than Keep gets
// [store.ErrSnapshotTooOld].
//
// TiKV drops old versions only as somebody moves the cluster's safe point. TiDB does so by
// itself, and heeds service safe points. In a cluster without TiDB set [Options].GC in one
// program that is always there, or nothing is ever dropped. Whoever moves the safe
// point without heeding the services' takes versions away that are in use, which is
// noticed within a minute or so, not at once.
//
// # Limits
//
// A key has at most 6 KiB, a value 6 MiB: [store.ErrKeyTooLarge], [store.ErrTxTooLarge].
// What a cluster has set as storage.max-key-size and raftstore.raft-entry-max-size
// must not be below TiKV's own defaults, 8 KiB and 8 MiB.
//
// The client logs through github.com/pingcap/log; log.SetLevel quiets it.
package tikvstore
