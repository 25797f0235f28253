package codec

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/kivisdb/kivis/internal/msgpack"
	"github.com/kivisdb/kivis/reflectx"
)

// A benchUser is the record that the codec is measured with.
type benchUser struct {
	ID      uint64
	Email   string
	Name    string
	Age     int
	City    string
	TeamID  uint64
	Bio     string
	Created time.Time
	Tags    []string
}

func newBenchUser() *benchUser {
	return &benchUser{
		ID:      123456,
		Email:   "user123456@example.com",
		Name:    "Alexandra Quattlebaum",
		Age:     42,
		City:    "Philadelphia",
		TeamID:  1234,
		Bio:     strings.Repeat("0123456789", 20),
		Created: time.Date(2026, 3, 4, 5, 6, 7, 891011, time.UTC),
		Tags:    []string{"storage", "golang", "databases"},
	}
}

// appendByHand is what one would write for a benchUser by hand.
func appendByHand(b []byte, u *benchUser) ([]byte, error) {
	b = msgpack.AppendUint(b, u.ID)
	b = msgpack.AppendString(b, u.Email)
	b = msgpack.AppendString(b, u.Name)
	b = msgpack.AppendInt(b, int64(u.Age))
	b = msgpack.AppendString(b, u.City)
	b = msgpack.AppendUint(b, u.TeamID)
	b = msgpack.AppendString(b, u.Bio)
	if s := u.Created.Unix(); s < msgpack.MinSecond || s > msgpack.MaxSecond {
		return b, fmt.Errorf("the time %v cannot be stored", u.Created)
	}
	b = msgpack.AppendTime(b, u.Created)
	if u.Tags == nil {
		return msgpack.AppendNil(b), nil
	}
	b = msgpack.AppendArrayLen(b, len(u.Tags))
	for _, tag := range u.Tags {
		b = msgpack.AppendString(b, tag)
	}
	return b, nil
}

// consumeByHand is the reverse of appendByHand.
func consumeByHand(b []byte, u *benchUser) (err error) {
	if u.ID, b, err = msgpack.ConsumeUint(b); err != nil {
		return err
	}
	if u.Email, b, err = consumeText(b); err != nil {
		return err
	}
	if u.Name, b, err = consumeText(b); err != nil {
		return err
	}
	age, b, err := msgpack.ConsumeInt(b)
	if err != nil {
		return err
	}
	u.Age = int(age)
	if u.City, b, err = consumeText(b); err != nil {
		return err
	}
	if u.TeamID, b, err = msgpack.ConsumeUint(b); err != nil {
		return err
	}
	if u.Bio, b, err = consumeText(b); err != nil {
		return err
	}
	if u.Created, b, err = msgpack.ConsumeTime(b); err != nil {
		return err
	}
	n, b, err := msgpack.ConsumeArrayLen(b)
	if err != nil {
		return err
	}
	u.Tags = make([]string, n)
	for i := range u.Tags {
		if u.Tags[i], b, err = consumeText(b); err != nil {
			return err
		}
	}
	if len(b) > 0 {
		return msgpack.ErrCorrupt
	}
	return nil
}

func consumeText(b []byte) (string, []byte, error) {
	s, rest, err := msgpack.ConsumeString(b)
	return reflectx.String(s), rest, err
}

func BenchmarkEncode(b *testing.B) {
	u := newBenchUser()
	buf, offs := make([]byte, 0, 1024), make([]uint32, 0, 16)
	b.Run("hand", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := appendByHand(buf, u); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("plan", func(b *testing.B) {
		e, _ := mustCodec(b, reflect.TypeFor[benchUser]())
		b.ReportAllocs()
		for b.Loop() {
			if _, _, err := e.Encode(buf, reflectx.To(u), offs); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkDecode(b *testing.B) {
	body, err := appendByHand(nil, newBenchUser())
	if err != nil {
		b.Fatal(err)
	}
	u := new(benchUser)
	b.Run("hand", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if err := consumeByHand(body, u); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("plan", func(b *testing.B) {
		_, d := mustCodec(b, reflect.TypeFor[benchUser]())
		b.ReportAllocs()
		for b.Loop() {
			if err := d.Decode(body, reflectx.To(u)); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkSplit(b *testing.B) {
	body, err := appendByHand(nil, newBenchUser())
	if err != nil {
		b.Fatal(err)
	}
	offs := make([]uint32, 0, 16)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Split(body, 9, offs); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkOpen(b *testing.B) {
	value, err := appendByHand(AppendHeader(nil, 1), newBenchUser())
	if err != nil {
		b.Fatal(err)
	}
	key := AppendUint(nil, 123456)
	value = Seal(value, 0, 7, key)
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := Open(value, 7, key); err != nil {
			b.Fatal(err)
		}
	}
}

func mustCodec(t testing.TB, typ reflect.Type) (*Encoder, *Decoder) {
	t.Helper()
	l, err := Describe(typ, storedFields)
	if err != nil {
		t.Fatal(err)
	}
	e, err := CompileEncoder(typ, l, storedFields)
	if err != nil {
		t.Fatal(err)
	}
	d, err := CompileDecoder(typ, l, l, storedFields)
	if err != nil {
		t.Fatal(err)
	}
	return e, d
}

// BenchmarkAgainstHand measures the plans in turns with code by hand, and takes
// the best of many short runs of each, so that other work on the machine does
// not count. It reports how many times as long the plan takes.
func BenchmarkAgainstHand(b *testing.B) {
	e, d := mustCodec(b, reflect.TypeFor[benchUser]())
	u, v := newBenchUser(), new(benchUser)
	buf, offs := make([]byte, 0, 1024), make([]uint32, 0, 16)
	body, err := appendByHand(nil, u)
	if err != nil {
		b.Fatal(err)
	}
	for _, bb := range []struct {
		name       string
		hand, plan func()
	}{
		{"encode", func() { _, _ = appendByHand(buf, u) }, func() { _, _, _ = e.Encode(buf, reflectx.To(u), offs) }},
		{"decode", func() { _ = consumeByHand(body, v) }, func() { _ = d.Decode(body, reflectx.To(v)) }},
	} {
		b.Run(bb.name, func(b *testing.B) {
			hand, plan := time.Hour, time.Hour
			for b.Loop() {
				hand, plan = min(hand, timed(bb.hand)), min(plan, timed(bb.plan))
			}
			b.ReportMetric(float64(hand.Nanoseconds())/timedRuns, "ns/hand")
			b.ReportMetric(float64(plan.Nanoseconds())/timedRuns, "ns/plan")
			b.ReportMetric(float64(plan)/float64(hand), "x-hand")
		})
	}
}

const timedRuns = 200

func timed(f func()) time.Duration {
	start := time.Now()
	for range timedRuns {
		f()
	}
	return time.Since(start)
}
