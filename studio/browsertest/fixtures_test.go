package browsertest_test

import (
	"compress/gzip"
	"context"
	"encoding/csv"
	"io"
	"net/http/httptest"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/kivisdb/kivis"
	"github.com/kivisdb/kivis/store/memstore"
	"github.com/kivisdb/kivis/studio"
	"github.com/kivisdb/kivis/studio/browsertest"
)

var bg = context.Background()

const token = "0123456789abcdef0123456789abcdef"

// IATA is an airport code.
type IATA string

type Airport struct {
	_         struct{} `kivis:"table=airports"`
	Code      IATA     `kivis:"key"`
	Name      string
	City      string `kivis:"index"`
	State     string `kivis:"index"`
	Latitude  float64
	Longitude float64
}

type Flight struct {
	_ struct{} `kivis:"table=flights,index=route(Origin,Destination,-Departs)"`
	kivis.Auto[Flight]
	Departs     time.Time `kivis:"index"`
	Delay       int       `kivis:"index"`
	Distance    int
	Origin      IATA `kivis:"ref"`
	Destination IATA `kivis:"ref"`
	Note        *string
}

// Claim is a passenger's, for a late flight.
type Claim struct {
	_ struct{} `kivis:"table=claims"`
	kivis.Auto[Claim]
	Flight kivis.ID[Flight] `kivis:"ondelete=cascade"`
	By     string           `kivis:"index"`
	Cents  int64
	Paid   bool
}

func TestMain(m *testing.M) { os.Exit(browsertest.Main(m)) }

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// lines returns the lines of a file of the examples, without the first.
func lines(t testing.TB, name string) [][]string {
	t.Helper()
	f, err := os.Open("../../examples/flights/data/" + name)
	check(t, err)
	defer f.Close()
	var r io.Reader = f
	if name == "flights.csv.gz" {
		r, err = gzip.NewReader(f)
		check(t, err)
	}
	list, err := csv.NewReader(r).ReadAll()
	check(t, err)
	return list[1:]
}

// flights returns a database with the airports and the first flights.
func flights(t testing.TB, n int) *kivis.DB {
	t.Helper()
	db, err := kivis.Open(memstore.New(), nil)
	check(t, err)
	t.Cleanup(func() { _ = db.Close() })
	check(t, db.Register(&Airport{}, &Flight{}, &Claim{}))
	check(t, db.Bulk(bg, nil, func(ctx context.Context, b *kivis.Bulk) error {
		airports, flights, claims := kivis.TableBy[Airport, IATA](b), kivis.TableOf[Flight](b), kivis.TableOf[Claim](b)
		for _, f := range lines(t, "airports.csv") {
			latitude, _ := strconv.ParseFloat(f[5], 64)
			longitude, _ := strconv.ParseFloat(f[6], 64)
			if _, err := airports.Insert(ctx, &Airport{Code: IATA(f[0]), Name: f[1], City: f[2], State: f[3], Latitude: latitude, Longitude: longitude}); err != nil {
				return err
			}
		}
		for _, f := range lines(t, "flights.csv.gz")[:n] {
			departs, err := time.Parse("2006/01/02 15:04", f[0])
			check(t, err)
			delay, _ := strconv.Atoi(f[1])
			distance, _ := strconv.Atoi(f[2])
			id, err := flights.Insert(ctx, &Flight{Departs: departs, Delay: delay, Distance: distance, Origin: IATA(f[3]), Destination: IATA(f[4])})
			if err == nil && delay > 120 {
				_, err = claims.Insert(ctx, &Claim{Flight: id, By: "passenger " + strconv.Itoa(delay), Cents: int64(delay) * 100})
			}
			if err != nil {
				return err
			}
		}
		return nil
	}))
	return db
}

// open returns a browser that has been let into a studio of db, and where that is.
func open(t testing.TB, db *kivis.DB, opts studio.Options) (*browsertest.Tab, string) {
	t.Helper()
	tab := browsertest.Open(t)
	opts.Token = token
	opts.Deadline = 10 * time.Second // of counts, on a machine that does much else
	server := httptest.NewServer(studio.Handler(db, &opts))
	t.Cleanup(server.Close)
	tab.Go(server.URL + "/?token=" + token)
	t.Cleanup(func() {
		list := tab.Complaints()
		server.CloseClientConnections() // watches, of which it may complain
		if len(list) > 0 && !t.Failed() {
			t.Errorf("the browser complains: %q", list)
		}
	})
	return tab, server.URL
}
