package kivis_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/kivisdb/kivis"
)

// TreeNode is a node of a tree, with a rank that no other has.
type TreeNode struct {
	ID     int  `kivis:"key"`
	Parent *int `kivis:"ref=TreeNode"`
	Rank   int  `kivis:"unique"`
}

var (
	nodeID   = kivis.FieldOf(func(n *TreeNode) *int { return &n.ID })
	nodeRank = kivis.FieldOf(func(n *TreeNode) *int { return &n.Rank })
)

func treeNodesOf(db kivis.Conn) kivis.Table[TreeNode, int] { return kivis.TableBy[TreeNode, int](db) }

// chain returns n nodes, each the parent of the one before it.
func chain(n int) []TreeNode {
	nodes := make([]TreeNode, n)
	for i := range nodes {
		nodes[i] = TreeNode{ID: i, Rank: i}
		if i < n-1 {
			nodes[i].Parent = new(i + 1)
		}
	}
	return nodes
}

// TestCallsOnSeveralRecords: rules are checked at the end of a call, on what it
// leaves behind.
func TestCallsOnSeveralRecords(t *testing.T) {
	swap := func(n *TreeNode) error { n.Rank = 3 - n.Rank; return nil }
	for _, c := range []struct {
		name string
		call func(db *kivis.DB) error
		want error
		left int
	}{
		{"delete a chain, children last", func(db *kivis.DB) error {
			_, err := treeNodesOf(db).Query().OrderBy(nodeID.Desc()).Delete(bg)
			return err
		}, nil, 0},
		{"delete all but the first child", func(db *kivis.DB) error {
			_, err := treeNodesOf(db).Where(nodeID.Ge(1)).OrderBy(nodeID.Desc()).Delete(bg)
			return err
		}, kivis.ErrReference, 4},
		{"swap two ranks", func(db *kivis.DB) error {
			_, err := treeNodesOf(db).Where(nodeRank.In(1, 2)).Modify(bg, swap)
			return err
		}, nil, 4},
		{"rotate all ranks", func(db *kivis.DB) error {
			_, err := treeNodesOf(db).Query().Modify(bg, func(n *TreeNode) error { n.Rank = (n.Rank + 1) % 4; return nil })
			return err
		}, nil, 4},
		{"rotate the other way", func(db *kivis.DB) error {
			_, err := treeNodesOf(db).Query().Modify(bg, func(n *TreeNode) error { n.Rank = (n.Rank + 3) % 4; return nil })
			return err
		}, nil, 4},
		{"take one rank and leave it taken", func(db *kivis.DB) error {
			_, err := treeNodesOf(db).Where(nodeRank.Eq(1)).Modify(bg, func(n *TreeNode) error { n.Rank = 2; return nil })
			return err
		}, kivis.ErrExists, 4},
		{"two take one free rank", func(db *kivis.DB) error {
			_, err := treeNodesOf(db).Where(nodeRank.In(1, 2)).Modify(bg, func(n *TreeNode) error { n.Rank = 9; return nil })
			return err
		}, kivis.ErrExists, 4},
		{"insert a child before its parent", func(db *kivis.DB) error {
			_, err := treeNodesOf(db).InsertMany(bg, []TreeNode{{ID: 10, Rank: 10, Parent: new(11)}, {ID: 11, Rank: 11}})
			return err
		}, nil, 6},
		{"insert a child without its parent", func(db *kivis.DB) error {
			_, err := treeNodesOf(db).InsertMany(bg, []TreeNode{{ID: 10, Rank: 10}, {ID: 11, Rank: 11, Parent: new(12)}})
			if err != nil && !strings.Contains(err.Error(), "record 2 of 2") {
				return fmt.Errorf("%v does not name the record", err)
			}
			return err
		}, kivis.ErrReference, 4},
		{"insert one rank twice", func(db *kivis.DB) error {
			_, err := treeNodesOf(db).InsertMany(bg, []TreeNode{{ID: 10, Rank: 10}, {ID: 11, Rank: 10}})
			return err
		}, kivis.ErrExists, 4},
		{"delete a chain through a Bulk", func(db *kivis.DB) error {
			return db.Bulk(bg, &kivis.BulkOptions{ChunkSize: 10}, func(ctx context.Context, b *kivis.Bulk) error {
				_, err := treeNodesOf(b).Query().OrderBy(nodeID.Desc()).Delete(ctx)
				return err
			})
		}, nil, 0},
		{"swap in a transaction", func(db *kivis.DB) error {
			return db.Update(bg, func(ctx context.Context, tx *kivis.Tx) error {
				_, err := treeNodesOf(tx).Where(nodeRank.In(1, 2)).Modify(ctx, swap)
				return err
			})
		}, nil, 4},
	} {
		t.Run(c.name, func(t *testing.T) {
			onStores(t, []any{&TreeNode{}}, func(t *testing.T, db *kivis.DB) {
				must(treeNodesOf(db).InsertMany(bg, chain(4)))(t)
				if err := c.call(db); !errors.Is(err, c.want) {
					t.Errorf("error = %v, want %v", err, c.want)
				}
				if n := must(treeNodesOf(db).Count(bg))(t); n != c.left {
					t.Errorf("%d records are left, want %d", n, c.left)
				}
			})
		})
	}
}

// TestRandomSwaps has queries deal ranks anew at random and compares with a
// map: a call succeeds exactly where the ranks it leaves are all different.
func TestRandomSwaps(t *testing.T) {
	rounds := 400
	if testing.Short() {
		rounds = 60
	}
	seed := rand.Uint64()
	onStores(t, []any{&TreeNode{}}, func(t *testing.T, db *kivis.DB) {
		rng := rand.New(rand.NewPCG(seed, 0))
		nodes := chain(12)
		must(treeNodesOf(db).InsertMany(bg, nodes))(t)
		ranks := map[int]int{}
		for _, n := range nodes {
			ranks[n.ID] = n.Rank
		}
		for round := range rounds {
			from, to := rng.IntN(12), rng.IntN(13)
			dealt := rng.Perm(12)
			next := map[int]int{}
			taken := map[int]bool{}
			good := true
			for id, r := range ranks {
				if id >= from && id < to {
					if r = dealt[id]; rng.IntN(8) == 0 {
						r = ranks[rng.IntN(12)]
					}
				}
				next[id] = r
				good = good && !taken[r]
				taken[r] = true
			}
			_, err := treeNodesOf(db).Where(nodeID.Range(from, to)).Modify(bg, func(n *TreeNode) error {
				n.Rank = next[n.ID]
				return nil
			})
			if (err == nil) != good || err != nil && !errors.Is(err, kivis.ErrExists) {
				t.Fatalf("seed %d, round %d: error %v; all ranks differ: %t", seed, round, err, good)
			}
			if good {
				ranks = next
			}
		}
		for n, err := range treeNodesOf(db).All(bg) {
			check(t, err)
			if n.Rank != ranks[n.ID] {
				t.Errorf("seed %d: rank of %d is %d, want %d", seed, n.ID, n.Rank, ranks[n.ID])
			}
			found := must(treeNodesOf(db).Where(nodeRank.Eq(n.Rank)).One(bg))(t)
			if found.ID != n.ID {
				t.Errorf("seed %d: rank %d leads to %d, want %d", seed, n.Rank, found.ID, n.ID)
			}
		}
	})
}
