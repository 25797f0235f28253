package occ

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/kivisdb/kivis/store"
)

// TestOverlay compares random writes with a map, and cursors with a copy of it
// from when they were opened, below and above the size at which an overlay
// becomes a tree.
func TestOverlay(t *testing.T) {
	for _, keys := range []int{3, 20, smallOverlay + 5, 1000} {
		t.Run(fmt.Sprint(keys), func(t *testing.T) { testOverlay(t, keys) })
	}
}

func testOverlay(t *testing.T, keys int) {
	rnd := rand.New(rand.NewPCG(1, uint64(keys)))
	var o Overlay
	model := map[string]string{}
	type opened struct {
		c    *chunks
		want []string
	}
	var cursors []opened
	for i := range 4 * keys {
		key := fmt.Sprintf("%04d", rnd.IntN(keys))
		model[key] = fmt.Sprint("=", i)
		if rnd.IntN(4) == 0 {
			model[key] = " deleted"
			o.Delete([]byte(key))
		} else {
			o.Set([]byte(key), fmt.Append(nil, i))
		}
		if rnd.IntN(10) == 0 {
			r := store.Range{Lo: []byte("0002"), Reverse: rnd.IntN(2) == 0}
			c := new(chunks)
			o.cursor(c, r)
			cursors = append(cursors, opened{c, listed(model, r)})
		}
	}
	all := slices.Collect(func(yield func(string) bool) {
		for e := range o.All() {
			yield(text(e))
		}
	})
	if want := listed(model, store.Range{}); !slices.Equal(all, want) || o.Len() != len(want) {
		t.Errorf("All shows %d of %d writes: %.5q, want %.5q", len(all), o.Len(), all, want)
	}
	size := 0
	for e := range o.All() {
		size += e.Size()
	}
	if o.Size() != size {
		t.Errorf("Size() = %d, want %d", o.Size(), size)
	}
	for i, c := range cursors {
		var got []string
		for c.c.Next() {
			e, _ := c.c.current()
			got = append(got, text(e))
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("cursor %d shows %.5q, want %.5q as of its opening", i, got, c.want)
		}
	}
}

func text(e Entry) string {
	if e.Deleted() {
		return string(e.Key()) + " deleted"
	}
	return string(e.Key()) + "=" + string(e.Value())
}

// listed returns what is in r of a model, in its direction.
func listed(model map[string]string, r store.Range) []string {
	var out []string
	for _, key := range slices.Sorted(maps.Keys(model)) {
		if key >= string(r.Lo) {
			out = append(out, key+model[key])
		}
	}
	if r.Reverse {
		slices.Reverse(out)
	}
	return out
}

func TestOverlayAbsorb(t *testing.T) {
	var a, b Overlay
	a.Set([]byte("x"), []byte("a"))
	a.Set([]byte("y"), []byte("a"))
	b.Set([]byte("y"), []byte("b"))
	b.Delete([]byte("z"))
	a.Absorb(&b)
	got := ""
	for e := range a.All() {
		got += text(e) + " "
	}
	if want := "x=a y=b z deleted "; got != want {
		t.Errorf("the merged writes are %q, want %q", got, want)
	}
}

// TestOverlayRollback checks that what was undone takes no room, small and as a
// tree.
func TestOverlayRollback(t *testing.T) {
	var o Overlay
	o.Set([]byte("kept"), []byte("1"))
	mark := o.Savepoint()
	for _, n := range []int{3, 3 * smallOverlay} {
		for i := range n {
			o.Set(fmt.Append(nil, i), []byte("undone"))
		}
		o.Delete([]byte("kept"))
		if err := o.Rollback(mark); err != nil {
			t.Fatal(err)
		}
		if e, ok := o.Get([]byte("kept")); o.Len() != 1 || o.Size() != 5 || !ok || text(e) != "kept=1" {
			t.Errorf("after %d writes were undone: %d keys of %d bytes, %q; want kept=1 alone", n, o.Len(), o.Size(), text(e))
		}
	}
}

// TestOverlayReset checks that recycled memory is not what a cursor reads.
func TestOverlayReset(t *testing.T) {
	var o Overlay
	var c chunks
	o.Set([]byte("a"), []byte("1"))
	o.cursor(&c, store.Range{})
	o.reset()
	o.Set([]byte("b"), []byte("2"))
	if !c.Next() || string(c.Key()) != "a" || c.Next() {
		t.Error("a cursor shows writes of the next transaction")
	}
}

func TestEntryIsOneAllocation(t *testing.T) {
	key, value := []byte("key"), make([]byte, 100)
	var e Entry
	if n := testing.AllocsPerRun(100, func() { e = NewEntry(key, value) }); n != 1 {
		t.Errorf("%v allocations for an entry, want 1", n)
	}
	if cap(e.data) != len(key)+len(value)+1 {
		t.Errorf("%d bytes for an entry of %d", cap(e.data), len(key)+len(value))
	}
	if got := append(e.Key(), 'x'); string(e.Value()[0:1]) == "x" {
		t.Errorf("appending to a key reaches the value: %q", got)
	}
}
