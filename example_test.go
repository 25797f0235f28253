package kivis_test

import (
	"context"
	"errors"
	"fmt"
	"log"

	"github.com/kivisdb/kivis"
	"github.com/kivisdb/kivis/store/memstore"
)

// Book is a record with an auto-increment key, a unique index and a
// reference.
type Book struct {
	kivis.Auto[Book]
	ISBN   string           `kivis:"unique"`
	Title  string           `kivis:"index"`
	Year   int              `kivis:"index"`
	Author kivis.ID[Writer] // a reference: the type says to what
}

// Writer is what a Book refers to.
type Writer struct {
	kivis.Auto[Writer]
	Name string
}

// library opens a database in memory with two records in it.
func library() *kivis.DB {
	db, err := kivis.Open(memstore.New(), nil)
	if err != nil {
		log.Fatal(err)
	}
	if err := db.Register(&Book{}, &Writer{}); err != nil {
		log.Fatal(err)
	}
	ctx := context.Background()
	id, err := kivis.TableOf[Writer](db).Insert(ctx, &Writer{Name: "Le Guin"})
	if err != nil {
		log.Fatal(err)
	}
	_, err = kivis.TableOf[Book](db).InsertMany(ctx, []Book{
		{ISBN: "978-0060512750", Title: "The Dispossessed", Year: 1974, Author: id},
		{ISBN: "978-0441478125", Title: "The Left Hand of Darkness", Year: 1969, Author: id},
	})
	if err != nil {
		log.Fatal(err)
	}
	return db
}

func Example() {
	db := library()
	defer db.Close()
	ctx := context.Background()
	books := kivis.TableOf[Book](db)

	year := kivis.FieldOf(func(b *Book) *int { return &b.Year })
	found, err := books.Where(year.Lt(1980)).OrderBy(year.Asc()).Collect(ctx)
	if err != nil {
		log.Fatal(err)
	}
	for _, b := range found {
		fmt.Println(b.Year, b.Title)
	}
	// Output:
	// 1969 The Left Hand of Darkness
	// 1974 The Dispossessed
}

func ExampleTable_Modify() {
	db := library()
	defer db.Close()
	book, err := kivis.TableOf[Book](db).Modify(context.Background(), 1, func(b *Book) error {
		b.Title += ": An Ambiguous Utopia"
		return nil
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(book.Title)
	// Output: The Dispossessed: An Ambiguous Utopia
}

func ExampleUniqueError() {
	db := library()
	defer db.Close()
	_, err := kivis.TableOf[Book](db).Insert(context.Background(), &Book{ISBN: "978-0060512750", Author: 1})
	var taken *kivis.UniqueError
	if errors.As(err, &taken) {
		fmt.Println(taken.Index, "is taken by", taken.Key)
	}
	// Output: ISBN is taken by 1
}

func ExampleReferenceError() {
	db := library()
	defer db.Close()
	err := kivis.TableOf[Writer](db).Delete(context.Background(), 1)
	fmt.Println(err)
	fmt.Println(errors.Is(err, kivis.ErrReference))
	// Output:
	// kivis: delete Writer 1: Writer 1 is still referred to by Book.Author
	// true
}

func ExampleDB_Update() {
	db := library()
	defer db.Close()
	books := kivis.TableOf[Book](db)
	err := db.Update(context.Background(), func(ctx context.Context, tx *kivis.Tx) error {
		if err := books.With(tx).Delete(ctx, 2); err != nil {
			return err
		}
		return errors.New("changed my mind")
	})
	fmt.Println(err)
	n, _ := books.Count(context.Background())
	fmt.Println(n, "books")
	// Output:
	// changed my mind
	// 2 books
}

func ExampleDB_Bulk() {
	db := library()
	defer db.Close()
	books := kivis.TableOf[Book](db)
	opts := &kivis.BulkOptions{Progress: func(done int) { fmt.Println(done, "records are in") }}
	err := db.Bulk(context.Background(), opts, func(ctx context.Context, b *kivis.Bulk) error {
		books := books.With(b)
		for i := range 1500 {
			if _, err := books.Insert(ctx, &Book{ISBN: fmt.Sprint(i), Author: 1}); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		log.Fatal(err)
	}
	// Output:
	// 1000 records are in
	// 1500 records are in
}
