package live

import (
	"errors"
	"math"
	"testing"

	"github.com/kivisdb/kivis/schema"
)

func TestPositions(t *testing.T) {
	life := schema.NewIncarnation()
	ascending := []Position{
		{},
		{After: 1},
		{After: 1, In: 2, Key: []byte("a")},
		{After: 1, In: 2, Key: []byte("b\x00")},
		{After: 2},
		{After: math.MaxUint64, In: math.MaxUint64, Key: make([]byte, 2048)},
	}
	for i, p := range ascending {
		text := p.Text(life)
		q, of, err := ParsePosition(text)
		if err != nil || of != life || p.Compare(q) != 0 {
			t.Errorf("%v as text: %v, %v, %v", p, q, of, err)
		}
		if i > 0 && ascending[i-1].Compare(p) != -1 {
			t.Errorf("%v is not before %v", ascending[i-1], p)
		}
		for k := range min(len(text), 60) {
			damaged := text[:k] + string(text[k]^1) + text[k+1:]
			if _, _, err := ParsePosition(damaged); !errors.Is(err, ErrBadPosition) {
				t.Errorf("%q, damaged at %d: %v", damaged, k, err)
			}
		}
	}
}

func FuzzParsePosition(f *testing.F) {
	f.Add("")
	f.Add(Position{After: 3, In: 4, Key: []byte("key")}.Text(schema.Incarnation{1}))
	f.Fuzz(func(t *testing.T, text string) {
		p, life, err := ParsePosition(text)
		if err != nil {
			return
		}
		if q, again, err := ParsePosition(p.Text(life)); err != nil || again != life || p.Compare(q) != 0 {
			t.Errorf("%q is %v, which is %v", text, p, q)
		}
	})
}
