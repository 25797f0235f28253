// Command quickstart defines a record, stores some, and finds them again.
package main

import (
	"context"
	"fmt"
	"io"
	"log"
	"os"

	"github.com/kivisdb/kivis"
	"github.com/kivisdb/kivis/store/memstore"
)

// Book is a record: its embedded Auto is the primary key.
type Book struct {
	kivis.Auto[Book]
	Title  string `kivis:"unique"`
	Author string `kivis:"index"`
	Year   int    `kivis:"index"`
}

var (
	author = kivis.FieldOf(func(b *Book) *string { return &b.Author })
	year   = kivis.FieldOf(func(b *Book) *int { return &b.Year })
)

func main() {
	if err := run(context.Background(), os.Stdout); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, w io.Writer) error {
	db, err := kivis.Open(memstore.New(), nil) // or badgerstore.Open("books.db", nil)
	if err != nil {
		return err
	}
	defer db.Close()
	if err := db.Register(&Book{}); err != nil {
		return err
	}
	books := kivis.TableOf[Book](db)
	if _, err := books.InsertMany(ctx, []Book{
		{Title: "Emma", Author: "Austen", Year: 1815},
		{Title: "Persuasion", Author: "Austen", Year: 1817},
		{Title: "Middlemarch", Author: "Eliot", Year: 1872},
	}); err != nil {
		return err
	}
	found, err := books.Where(author.Eq("Austen"), year.Ge(1816)).OrderBy(year.Asc()).Collect(ctx)
	for _, b := range found {
		fmt.Fprintln(w, b.ID, b.Title, b.Year)
	}
	return err
}
