package cookbook

import (
	"fmt"
	"slices"
	"testing"

	"github.com/kivisdb/kivis"
	"github.com/kivisdb/kivis/kivistest"
)

// State is stored as its number, in one byte; text queries, tools and JSON call it by
// its name. So a name may change, and a number may not.
type State uint8

// The states of an order.
const (
	Open State = iota
	Paid
	Shipped
)

var stateNames = []string{"open", "paid", "shipped"}

// MarshalText gives the name.
func (s State) MarshalText() ([]byte, error) {
	if int(s) >= len(stateNames) {
		return nil, fmt.Errorf("there is no state %d", s)
	}
	return []byte(stateNames[s]), nil
}

// UnmarshalText takes it.
func (s *State) UnmarshalText(text []byte) error {
	i := slices.Index(stateNames, string(text))
	if i < 0 {
		return fmt.Errorf("there is no state %q", text)
	}
	*s = State(i)
	return nil
}

type Parcel struct {
	kivis.Auto[Parcel]
	State State `kivis:"index"`
}

// Validate refuses what has no name.
func (p *Parcel) Validate() error {
	_, err := p.State.MarshalText()
	return err
}

var parcelState = kivis.FieldOf(func(p *Parcel) *State { return &p.State })

func TestEnum(t *testing.T) {
	ctx := t.Context()
	db := kivistest.New(t, &Parcel{})
	parcels := kivis.TableOf[Parcel](db)
	for _, s := range []State{Open, Paid, Shipped, Paid} {
		if _, err := parcels.Insert(ctx, &Parcel{State: s}); err != nil {
			t.Fatal(err)
		}
	}
	if n, err := parcels.Where(parcelState.Eq(Paid)).Count(ctx); n != 2 || err != nil {
		t.Errorf("%d are paid, %v", n, err)
	}
	if n, err := parcels.WhereText("State in ('open', 'shipped')").Count(ctx); n != 2 || err != nil {
		t.Errorf("%d are open or shipped, %v", n, err)
	}
	if _, err := parcels.Insert(ctx, &Parcel{State: 7}); err == nil {
		t.Error("a state without a name is stored")
	}
}
