package pgstore

import (
	"context"
	"encoding/binary"
	"fmt"
	"math"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/kivisdb/kivis/store"
)

// server is one that is read.
type server struct {
	pool  *pgxpool.Pool
	sql   *statements
	sized atomic.Int32 // how many more scans are to add up the sizes of values
}

// state is what a server knew when it read.
type state struct {
	kept    uint64     // older versions cannot be read
	version uint64     // its newest
	at      *time.Time // that of the version that was read, where it is remembered
}

// pgEpoch is from when PostgreSQL counts its microseconds.
var pgEpoch = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)

// parse takes in what a statement says.
func (s *state) parse(text []byte) error {
	if len(text) != 16 && len(text) != 24 {
		return fmt.Errorf("pgstore: a state of %d bytes: %w", len(text), store.ErrCorrupt)
	}
	s.kept, s.version = binary.BigEndian.Uint64(text), binary.BigEndian.Uint64(text[8:])
	if len(text) == 24 {
		at := pgEpoch.Add(time.Duration(binary.BigEndian.Uint64(text[16:])) * time.Microsecond)
		s.at = &at
	}
	return nil
}

// checkKept returns an error if a version is older than those that are kept.
func (s *state) checkKept(version uint64) error {
	if version < s.kept {
		return fmt.Errorf("pgstore: version %d is no longer kept, the oldest is %d: %w", version, s.kept, store.ErrSnapshotTooOld)
	}
	return nil
}

// read is remote.Backend's Read.
func (s *server) read(ctx context.Context, version uint64, keys [][]byte) (values [][]byte, st state, err error) {
	version = min(version, math.MaxInt64)
	var text []byte
	if len(keys) == 1 {
		values = make([][]byte, 1)
		err = s.pool.QueryRow(ctx, s.sql.read, version, present(keys[0])).Scan(&text, &values[0])
	} else {
		err = s.pool.QueryRow(ctx, s.sql.readMany, version, allPresent(keys)).Scan(&text, &values)
	}
	if err == nil {
		err = st.parse(text)
	}
	if err == nil {
		err = st.checkKept(version)
	}
	return values, st, err
}
