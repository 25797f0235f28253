package kivis_test

import (
	"bytes"
	"container/list"
	"context"
	"database/sql"
	"encoding/json"
	"html/template"
	"image/color"
	"io"
	"io/fs"
	"log/slog"
	"math/big"
	"math/rand/v2"
	"net"
	"net/http"
	"net/mail"
	"net/netip"
	"net/url"
	"os"
	"reflect"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	texttemplate "text/template"
	"time"
	"unsafe"

	"github.com/google/uuid"

	"github.com/kivisdb/kivis"
)

// A holder is a record with a field of any type.
type holder[T any] struct {
	_  struct{} `kivis:"table=holders"`
	ID kivis.ID[holder[T]]
	V  T
}

// A typeCase is a type that people use, a value of it, and what becomes of both.
type typeCase struct {
	name string
	run  func(t *testing.T) (got, want any, err error)
	err  string // part of what Register says; none where the value comes back
}

// accepts is a type of which values come back as they were.
func accepts[T any](v T) typeCase {
	return typeCase{name: reflect.TypeFor[T]().String(), run: func(t *testing.T) (any, any, error) {
		got, err := throughHolder(t, v)
		return got, v, err
	}}
}

// refuses is a type that Register refuses with a text.
func refuses[T any](text string) typeCase {
	var zero T
	c := accepts(zero)
	c.err = text
	return c
}

// throughHolder stores v in a record, and returns what comes back.
func throughHolder[T any](t *testing.T, v T) (T, error) {
	t.Helper()
	db, err := kivis.Open(stores[0].open(t), nil)
	check(t, err)
	defer db.Close()
	if err := db.Register(&holder[T]{}); err != nil {
		return v, err
	}
	table := kivis.TableByID[holder[T]](db)
	id := must(table.Insert(bg, &holder[T]{V: v}))(t)
	return must(table.Get(bg, id))(t).V, nil
}

// An optional is as others write them: nothing of it is exported.
type optional[T any] struct {
	ok bool
	v  T
}

// A money marshals itself as JSON only, as many types do.
type money struct{ cents int64 }

func (m money) MarshalJSON() ([]byte, error)  { return json.Marshal(m.cents) }
func (m *money) UnmarshalJSON(b []byte) error { return json.Unmarshal(b, &m.cents) }

// A stamped would be stored as its time alone.
type stamped struct {
	time.Time
	By string
}

var _ = []any{optional[int]{}.ok, optional[int]{}.v}

const nothing = " has no exported field, so nothing of it would be stored: give it a pair of methods such as MarshalText and UnmarshalText, or skip the field with the tag \"-\""

func typeCases() []typeCase {
	noon := time.Date(2024, 2, 29, 12, 0, 0, 1, time.UTC)
	site := url.URL{Scheme: "https", Host: "example.com", Path: "/a b", RawQuery: "q=1"}
	_, network, _ := net.ParseCIDR("10.1.0.0/16")
	return []typeCase{
		accepts(noon),
		accepts(&noon),
		accepts(time.Minute),
		accepts(time.March),
		accepts(netip.MustParseAddr("fe80::1%eth0")),
		accepts(netip.MustParsePrefix("10.0.0.0/8")),
		accepts(netip.MustParseAddrPort("[::1]:80")),
		accepts(net.ParseIP("192.0.2.1")),
		accepts(*network),
		accepts(net.HardwareAddr{1, 2, 3, 4, 5, 6}),
		accepts(site),
		accepts(&site),
		accepts(url.Values{"a": {"1", "2"}}),
		accepts(http.Header{"Accept": {"text/html"}}),
		accepts(http.Cookie{Name: "a", Value: "b", Expires: noon}),
		accepts(mail.Address{Name: "Ann", Address: "ann@example.com"}),
		accepts([]*mail.Address{{Name: "Ann"}, nil}),
		accepts(*big.NewInt(-1 << 62)),
		accepts(big.NewInt(7)),
		accepts(*big.NewRat(-1, 3)),
		accepts(sql.NullString{String: "", Valid: true}),
		accepts(sql.NullTime{Time: noon, Valid: true}),
		accepts(sql.Null[int16]{V: 1, Valid: true}),
		accepts(uuid.MustParse("0190a1b2-c3d4-7001-8002-030405060708")),
		accepts(uuid.NullUUID{UUID: uuid.UUID{1}, Valid: true}),
		accepts(json.RawMessage(`{"a":1}`)),
		accepts(json.Number("1e3")),
		accepts(regexp.MustCompile(`^a+$`)),
		accepts(slog.LevelWarn),
		accepts(fs.FileMode(0o644)),
		accepts(color.RGBA{1, 2, 3, 4}),
		accepts(template.HTML("<p>")),
		accepts(*rand.NewPCG(1, 2)),
		accepts(struct{}{}),
		accepts(map[string]struct{}{"a": {}}),
		accepts([]struct{}{{}, {}}),
		accepts([4]byte{1}),
		accepts(any("text")),
		accepts(money{995}),
		accepts([]money{{1}, {2}}),
		accepts(map[string]*money{"a": {1}, "b": nil}),

		refuses[sync.Mutex]("sync.Mutex" + nothing),
		refuses[*sync.RWMutex]("sync.RWMutex" + nothing),
		refuses[sync.Map]("sync.Map" + nothing),
		refuses[atomic.Int64]("atomic.Int64" + nothing),
		refuses[list.List]("list.List" + nothing),
		refuses[bytes.Buffer]("bytes.Buffer" + nothing),
		refuses[strings.Builder]("strings.Builder" + nothing),
		refuses[*time.Location]("time.Location" + nothing),
		refuses[os.File]("os.File"),
		refuses[optional[string]]("kivis_test.optional[string]" + nothing),
		refuses[[]optional[int]]("kivis_test.optional[int]" + nothing),
		refuses[map[string]optional[money]]("kivis_test.optional[kivis_test.money]" + nothing),
		refuses[struct{ In struct{ O optional[int] } }]("V.In.O: kivis_test.optional[int]" + nothing),
		refuses[stamped]("has the method MarshalBinary of its embedded Time alone, so its field By would be lost"),
		refuses[texttemplate.Template]("embedded pointer *parse.Tree"),
		refuses[error]("error cannot be stored: of interfaces only any can"),
		refuses[io.Reader]("io.Reader cannot be stored: of interfaces only any can"),
		refuses[context.Context]("context.Context cannot be stored"),
		refuses[reflect.Type]("reflect.Type cannot be stored"),
		refuses[func()]("func() cannot be stored, so skip the field with the tag \"-\""),
		refuses[http.HandlerFunc]("http.HandlerFunc cannot be stored"),
		refuses[chan int]("chan int cannot be stored"),
		refuses[complex128]("complex128 cannot be stored"),
		refuses[unsafe.Pointer]("unsafe.Pointer cannot be stored"),
		refuses[**int]("**int could not be told from a nil pointer"),
	}
}

// TestTypes registers types of the standard library, and others that people use:
// each is refused with a remedy, or its values come back.
func TestTypes(t *testing.T) {
	for _, test := range typeCases() {
		t.Run(test.name, func(t *testing.T) {
			got, want, err := test.run(t)
			switch {
			case test.err == "" && err != nil:
				t.Fatalf("Register: %v", err)
			case test.err != "" && (err == nil || !strings.Contains(err.Error(), test.err)):
				t.Errorf("Register: %v, want %s", err, test.err)
			case test.err == "" && !reflect.DeepEqual(got, want):
				t.Errorf("%#v came back as %#v", want, got)
			}
		})
	}
}
