package guide

import (
	"context"
	"fmt"
	"log"
	"strings"

	"github.com/kivisdb/kivis"
	"github.com/kivisdb/kivis/store"
	"github.com/kivisdb/kivis/store/memstore"
)

// What Register says about faulty tags: all of them at once.
func Example_badTags() {
	type Member struct {
		kivis.Auto[Member]
		Email string `kivis:"uniqe"`
		Team  string `kivis:"ref=teams"`
	}
	db, err := kivis.Open(memstore.New(), nil)
	if err != nil {
		log.Fatal(err)
	}
	defer db.Close()
	fmt.Println(db.Register(&Member{}))
	// Output:
	// kivis: register: schema: guide.Member.Email: unknown option "uniqe"; did you mean "unique"? (tag "uniqe")
	// schema: guide.Member.Team: refers to nothing: unknown table "teams"; register the record that it refers to with this one, or before it (tag "ref=teams")
}

// What Explain says.
func Example_explain() {
	db, err := kivis.Open(memstore.New(), nil)
	if err != nil {
		log.Fatal(err)
	}
	defer db.Close()
	if err := db.Register(&Customer{}, &Order{}); err != nil {
		log.Fatal(err)
	}
	if err := explain(db); err != nil {
		log.Fatal(err)
	}
	// Output:
	// index range on orders.recent(Customer, -Placed)
	//   where   Customer = 1
	//   fetch   records
	//   filter  Cents >= 2000
}

// Two conditions with an index each: which of them finds fewer records is found out
// when the query runs.
func Example_sieve() {
	type Ticket struct {
		_ struct{} `kivis:"table=tickets"`
		kivis.Auto[Ticket]
		Queue string `kivis:"index"`
		Hours int    `kivis:"index"`
	}
	db, err := kivis.Open(memstore.New(), nil)
	if err != nil {
		log.Fatal(err)
	}
	defer db.Close()
	if err := db.Register(&Ticket{}); err != nil {
		log.Fatal(err)
	}
	ctx := context.Background()
	tickets := kivis.TableOf[Ticket](db)
	err = db.Update(ctx, func(ctx context.Context, tx *kivis.Tx) error {
		for i := range 3000 {
			t := &Ticket{Queue: []string{"mail", "phone", "web"}[i%3], Hours: i * 7 % 200}
			if _, err := tickets.With(tx).Insert(ctx, t); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		log.Fatal(err)
	}
	plan, err := tickets.WhereText("Queue = 'web' and Hours >= 150").Analyze(ctx)
	if err != nil {
		log.Fatal(err)
	}
	text, _, _ := strings.Cut(plan.String(), " in ") // the time that it took
	fmt.Println(text)
	// Output:
	// index range on tickets.Queue
	//   where   Queue = "web"
	//   sieve   index range on tickets.Hours where Hours >= 150, if a look says so
	//   fetch   records
	//   filter  Hours >= 150
	//   looked  at 936 entries of tickets.Queue, 750 of tickets.Hours: what tickets.Queue and tickets.Hours have
	//   read    1686 entries, 250 records; 250 rows
}

// Two records and their index entries, as the store has them.
func Example_format() {
	type Airport struct {
		Code string `kivis:"key"`
		City string `kivis:"index"`
	}
	type Flight struct {
		kivis.Auto[Flight]
		Delay  int    `kivis:"index"`
		Origin string `kivis:"ref=Airport"`
	}
	st := memstore.New()
	db, err := kivis.Open(st, nil)
	if err != nil {
		log.Fatal(err)
	}
	defer db.Close()
	if err := db.Register(&Airport{}, &Flight{}); err != nil {
		log.Fatal(err)
	}
	ctx := context.Background()
	if _, err := kivis.TableBy[Airport, string](db).Insert(ctx, &Airport{Code: "JFK", City: "New York"}); err != nil {
		log.Fatal(err)
	}
	if _, err := kivis.TableOf[Flight](db).Insert(ctx, &Flight{Delay: -5, Origin: "JFK"}); err != nil {
		log.Fatal(err)
	}
	dump(st)
	// Output:
	// 81 80 4a 46 4b 00 01 -> 01 01 a3 4a 46 4b a8 4e 65 77 20 59 6f 72 6b 58 57 5b 53
	// 81 81 4e 65 77 20 59 6f 72 6b 00 01 4a 46 4b 00 01 ->
	// 82 80 81 -> 01 01 01 fb a3 4a 46 4b ea b9 84 34
	// 82 81 7b 81 ->
	// 82 82 4a 46 4b 00 01 81 ->
}

// dump prints every key and value of a store but those of the catalog, whose
// keys begin with 80.
func dump(st store.Store) {
	tx, err := st.Begin(context.Background(), false)
	if err != nil {
		log.Fatal(err)
	}
	defer tx.Discard()
	c, err := tx.Scan(store.Range{Lo: []byte{0x81}})
	if err != nil {
		log.Fatal(err)
	}
	defer c.Close()
	for c.Next() {
		fmt.Println(strings.TrimSpace(fmt.Sprintf("% x -> % x", c.Key(), c.Value())))
	}
	if err := c.Err(); err != nil {
		log.Fatal(err)
	}
}
