package occ

import (
	"context"
	"sync"

	"github.com/kivisdb/kivis/store"
)

// Engine is what a store supplies.
type Engine interface {
	// Snapshot returns a reader of the newest published version, which is
	// version. It is called under the core's lock: it must be quick, and must
	// not call the core. Until Close of the reader the version counts as live.
	Snapshot(version uint64) (Reader, error)

	// Commit makes the writes of tx durable and publishes them, and returns
	// their version; see the package comment. There is at least one write.
	// The reader of tx is closed already. Several Commits may be called at a
	// time. The context of tx no longer matters. Nothing of tx may be kept,
	// except entries, whose memory never changes.
	Commit(tx *Tx) (uint64, error)
}

// Reader reads one version. One goroutine at a time calls it and its cursors.
// Keys are good during a call only, values are as in the contract of
// [store.Tx.Get]. A Reader that is also a [Source], its entries without
// tombstones, is scanned through Fill instead of Scan, which is quicker: the
// entries never change, so a cursor takes a lock only to fetch more. One that is
// also a [store.Counter] counts for a transaction that has written nothing.
type Reader interface {
	// Get returns the value of key, or store.ErrNotFound.
	Get(key []byte) ([]byte, error)

	// GetMany sets values[i] to the value of keys[i], nil where it is absent.
	// The slices have one length.
	GetMany(keys, values [][]byte) error

	// Scan returns a cursor. The bounds of r never change, so it need not
	// copy them, and Seek is only called with keys in r that lie ahead of the
	// cursor. A cursor's Close may come while the user still looks at bytes
	// of Key and Value, so these must stay readable and unchanged until the
	// cursor moves: an engine that reuses or unmaps its buffers copies them.
	Scan(r store.Range) (store.Cursor, error)

	// Close ends the reader, whose cursors are closed already.
	Close()
}

// Options are what stores differ in. The zero value sets no limits.
type Options struct {
	// ReadOnly refuses write transactions.
	ReadOnly bool

	// MaxKey, if not 0, is the length of the longest key: Set and Delete of a
	// longer one fail and change nothing.
	MaxKey int

	// Limit, if set, is called after each write with the number of keys the
	// transaction has written and the bytes in them and their values. Its
	// error, which should match store.ErrTxTooLarge and name the limit, makes
	// the transaction one that can only be discarded.
	Limit func(keys, bytes int) error
}

// Core holds the transactions of a store: it begins and ends them, knows the
// published version and which ones are live, and checks transactions against
// recent commits. Call Init before anything else. Admit, Writes,
// Abort and Publish belong to the committer, of which there is one at a time; the other
// methods are safe for concurrent use.
type Core struct {
	// Hooks are the store's commit hooks, for its OnCommit.
	Hooks Hooks

	engine  Engine
	options Options

	mu      sync.Mutex
	idle    sync.Cond // no transaction is live; signalled once refuse is set
	version uint64    // the newest published one
	refuse  error     // why Begin is refused; nil while open
	closed  bool
	readers list // the live transactions, oldest first
	writers list
	live    versions // what those of them see that still read
	feed    feed

	// The committer's own.
	tracker  Tracker
	batch    []*Tx
	merged   Overlay // the writes of the batch, if it has several members
	recorded int     // how many of the batch are in the tracker
	seen     []uint64
	log      feedLog
}

// Init makes c the core of a store whose newest version is version.
func (c *Core) Init(engine Engine, version uint64, options Options) {
	c.engine, c.options, c.version = engine, options, version
	c.idle.L = &c.mu
	c.feed.recent.init(version)
}

// Limits is [store.Limiter.Limits].
func (c *Core) Limits() (maxKey int, tooLarge func(keys, bytes int) error) {
	return c.options.MaxKey, c.options.Limit
}

// Begin starts a transaction, as [store.Store.Begin] does.
func (c *Core) Begin(ctx context.Context, write bool) (*Tx, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	tx := &Tx{core: c, write: write, notes: write}
	if ctx.Done() != nil {
		tx.ctx = ctx
	}
	if err := c.enter(tx); err != nil {
		return nil, err
	}
	return tx, nil
}

// enter gives tx its snapshot and makes it live.
func (c *Core) enter(tx *Tx) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.refuse != nil:
		return c.refuse
	case tx.write && c.options.ReadOnly:
		return store.ErrReadOnly
	}
	r, err := c.engine.Snapshot(c.version)
	if err != nil {
		return err
	}
	if r, ok := r.(ContextReader); ok && tx.ctx != nil {
		r.SetContext(tx.ctx)
	}
	if r, ok := r.(WriterReader); ok && tx.write {
		r.SetWriter()
	}
	tx.reader, tx.version = r, c.version
	c.listOf(tx).push(tx)
	c.live.add(tx.version)
	return nil
}

// leave makes tx no longer live.
func (c *Core) leave(tx *Tx) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.listOf(tx).remove(tx)
	c.blind(tx)
	if c.refuse != nil && c.readers.n+c.writers.n == 0 {
		c.idle.Broadcast()
	}
}

// ceaseReading notes that tx, which is about to be committed, reads no more.
func (c *Core) ceaseReading(tx *Tx) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.blind(tx)
}

func (c *Core) blind(tx *Tx) {
	if !tx.blind {
		tx.blind = true
		c.live.remove(tx.version)
	}
}

func (c *Core) listOf(tx *Tx) *list {
	if tx.write {
		return &c.writers
	}
	return &c.readers
}

// Version returns the newest published version.
func (c *Core) Version() uint64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.version
}

// Oldest returns the oldest version that a live transaction sees, or the
// newest version: what an engine has to keep. A transaction whose context has
// ended does not count if it is the oldest.
func (c *Core) Oldest() uint64 {
	c.sweep(&c.readers)
	c.sweep(&c.writers)
	c.mu.Lock()
	defer c.mu.Unlock()
	return min(c.readers.oldest(c.version), c.writers.oldest(c.version))
}

// Live returns how many transactions are live.
func (c *Core) Live() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.readers.n + c.writers.n
}

// sweep discards the oldest transactions of l as long as their contexts have
// ended: only a scan asks to be told, other transactions notice at their next
// call, which may never come.
func (c *Core) sweep(l *list) {
	for {
		c.mu.Lock()
		tx := l.head
		c.mu.Unlock()
		if tx == nil || !tx.expire() {
			return
		}
	}
}

// Close refuses new transactions, discards the live ones once their calls in
// progress have finished, and waits for those that are being committed. It
// returns false if it was called before. The caller then closes its engine.
func (c *Core) Close() bool {
	c.mu.Lock()
	if c.closed {
		c.mu.Unlock()
		return false
	}
	c.closed, c.refuse = true, store.ErrClosed
	c.mu.Unlock()
	c.feed.end()
	c.endAll(store.ErrClosed)
	c.mu.Lock()
	defer c.mu.Unlock()
	for c.readers.n+c.writers.n > 0 {
		c.idle.Wait()
	}
	return true
}

// Fail makes every later call return err, except those of transactions that
// are being committed: it is for store.ErrCommitUnknown. Close is still due.
func (c *Core) Fail(err error) {
	c.mu.Lock()
	if c.refuse == nil {
		c.refuse = err
	}
	c.mu.Unlock()
	c.feed.end()
	c.endAll(err)
}

// endAll discards every live transaction that is not being committed.
func (c *Core) endAll(reason error) {
	c.mu.Lock()
	live := c.writers.append(c.readers.append(nil))
	c.mu.Unlock()
	for _, tx := range live {
		tx.finish(reason)
	}
}

// EndWriters discards every live write transaction that is not being committed:
// it is for a store that finds what they have read void. Their calls return reason.
func (c *Core) EndWriters(reason error) {
	c.mu.Lock()
	live := c.writers.append(nil)
	c.mu.Unlock()
	for _, tx := range live {
		tx.finish(reason)
	}
}

// Admit checks tx against what was committed since its snapshot and against
// what was admitted before it, and takes it into the batch or returns
// store.ErrConflict.
func (c *Core) Admit(tx *Tx) error {
	// Only the committer, which runs this, ever writes c.version.
	next := c.version + 1
	for ; c.recorded < len(c.batch); c.recorded++ {
		c.tracker.Record(next, c.batch[c.recorded].Overlay())
	}
	if c.tracker.Conflicts(&tx.own().footprint, tx.version) {
		return store.ErrConflict
	}
	c.batch = append(c.batch, tx)
	return nil
}

// Writes returns the writes of the batch, of each key the last. It is good
// until Publish or Abort.
func (c *Core) Writes() *Overlay {
	if len(c.batch) == 1 {
		return c.batch[0].Overlay()
	}
	c.merged = Overlay{}
	for _, tx := range c.batch {
		c.merged.Absorb(tx.Overlay())
	}
	return &c.merged
}

// Abort drops the batch, of which nothing is in the engine.
func (c *Core) Abort() {
	if c.recorded > 0 {
		// The records of the batch have taken the place of older ones.
		c.tracker.Reset(c.version)
	}
	c.log.aborted()
	c.endBatch()
}

// Publish says that the batch is in the engine as version, which later Begins
// see, and ends the batch. If swap is not nil, it is called at the very moment,
// under the core's lock: no Begin falls between it and the new version. It gets
// the versions that somebody still reads, ascending and each once, which it must
// not keep. Transactions that are being committed read no more.
func (c *Core) Publish(version uint64, swap func(seen []uint64)) {
	c.publish(version, c.log.published(), len(c.batch), swap)
}

// publish is Publish of a batch that was committed at a time, in nanoseconds of Unix
// time, and of which so many members are live here.
func (c *Core) publish(version uint64, at int64, members int, swap func(seen []uint64)) {
	c.feed.note(version, at, c.batch)
	c.mu.Lock()
	others := c.writers.n - members
	oldest := c.writers.oldest(version)
	c.version = version
	if swap != nil {
		c.seen = c.live.list(c.seen[:0])
		swap(c.seen)
	}
	c.mu.Unlock()
	c.feed.tell(version, c.batch)
	c.remember(version, others > 0, oldest)
	c.endBatch()
	c.sweep(&c.writers)
}

// Seen appends to dst the versions that somebody still reads, ascending and each
// once.
func (c *Core) Seen(dst []uint64) []uint64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.live.list(dst)
}

// remember records the batch in the tracker, unless no transaction is live that
// could conflict with it: later ones see the batch.
func (c *Core) remember(version uint64, others bool, oldest uint64) {
	if !others {
		c.tracker.Skip(version)
		return
	}
	for ; c.recorded < len(c.batch); c.recorded++ {
		c.tracker.Record(version, c.batch[c.recorded].Overlay())
	}
	c.tracker.Forget(oldest)
}

func (c *Core) endBatch() {
	clear(c.batch)
	c.batch, c.recorded, c.merged = c.batch[:0], 0, Overlay{}
}
