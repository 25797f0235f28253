package kivis_test

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/kivisdb/kivis"
)

type (
	given8 struct {
		_  struct{} `kivis:"table=given8"`
		ID int8     `kivis:"key,auto"`
	}
	given64 struct {
		_  struct{} `kivis:"table=given64"`
		ID uint64   `kivis:"key,auto"`
	}
)

// TestGivenIds inserts records with drawn ids and with given ones, of every
// range, deletes, rolls back and reopens, against a set of the ids in use: a
// given id is taken exactly if it is in use, a drawn one is none in use and was
// never drawn before, and no given id uses the sequence up.
func TestGivenIds(t *testing.T) {
	for _, s := range stores {
		t.Run(s.name, func(t *testing.T) {
			seed := rand.Uint64()
			rng := rand.New(rand.NewPCG(seed, 8))
			defer func() {
				if t.Failed() {
					t.Log("seed", seed)
				}
			}()
			for range 3 {
				givenIds(t, rng, kept{s.open(t)}, 45, func(db *kivis.DB) kivis.Table[given8, int8] {
					return kivis.TableBy[given8, int8](db)
				}, func(id int8) *given8 { return &given8{ID: id} }, func(drawn int8) int8 {
					return []int8{math.MinInt8, -1, 64, 65, math.MaxInt8, drawn + 1, drawn + 2, int8(1 + rng.IntN(60))}[rng.IntN(8)]
				}, 127)
				givenIds(t, rng, kept{s.open(t)}, 300, func(db *kivis.DB) kivis.Table[given64, uint64] {
					return kivis.TableBy[given64, uint64](db)
				}, func(id uint64) *given64 { return &given64{ID: id} }, func(drawn uint64) uint64 {
					return []uint64{math.MaxUint64, math.MaxUint64 - 1, 1 << 63, drawn + 1, drawn + 2, drawn + 40, 1 + rng.Uint64N(drawn+1)}[rng.IntN(7)]
				}, 1<<20)
			}
		})
	}
}

// givenIds makes steps steps on a table. Ids that are drawn are at most limit.
func givenIds[R any, K int8 | uint64](t *testing.T, rng *rand.Rand, st kept, steps int,
	bind func(*kivis.DB) kivis.Table[R, K], record func(K) *R, pick func(last K) K, limit K) {
	live, drawn, last := map[K]bool{}, map[K]bool{}, K(0)
	db := openAs(t, st, nil, new(R))
	for range steps {
		switch n := rng.IntN(20); {
		case n == 0:
			check(t, db.Close())
			db = openAs(t, st, nil, new(R))
		case n < 3:
			err := db.Update(bg, func(ctx context.Context, tx *kivis.Tx) error {
				rec := record(pick(last))
				if _, err := bind(db).With(tx).Insert(ctx, rec); err != nil && !errors.Is(err, kivis.ErrExists) {
					t.Error(err)
				}
				id := must(bind(db).With(tx).Insert(ctx, new(R)))(t)
				wantFresh(t, id, live, drawn, limit)
				last = id
				return errInvalid
			})
			wantErr(t, err, errInvalid)
		case n < 5:
			for id := range live {
				check(t, bind(db).Delete(bg, id))
				delete(live, id)
				break
			}
		case n < 12:
			id := pick(last)
			if id == 0 {
				continue
			}
			_, err := bind(db).Insert(bg, record(id))
			if live[id] {
				wantErr(t, err, kivis.ErrExists)
				continue
			}
			check(t, err)
			live[id] = true
		default:
			id := must(bind(db).Insert(bg, new(R)))(t)
			wantFresh(t, id, live, drawn, limit)
			live[id], last = true, id
		}
		if t.Failed() {
			break
		}
	}
	if n := must(bind(db).Count(bg))(t); n != len(live) {
		t.Errorf("%d records, want %d", n, len(live))
	}
	check(t, db.Close())
}

func wantFresh[K int8 | uint64](t *testing.T, id K, live, drawn map[K]bool, limit K) {
	t.Helper()
	if live[id] || drawn[id] || id < 1 || id > limit {
		t.Errorf("drew %d: in use %t, drawn before %t", id, live[id], drawn[id])
	}
	drawn[id] = true
}
