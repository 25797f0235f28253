// Package kivis is an embedded, transactional record database: it turns
// annotated Go structs into tables over any ordered key-value store.
//
// Annotate a struct, open a store, register the struct, and use its table:
//
//	type User struct {
//		kivis.Auto[User]        // ID: auto-increment primary key
//		Email string `kivis:"unique"`
//		Age   int    `kivis:"index"`
//	}
//
//	st, err := badgerstore.Open("users.db", nil) // or memstore.New()
//	db, err := kivis.Open(st, nil)
//	defer db.Close()
//	err = db.Register(&User{})
//
//	users := kivis.TableOf[User](db)
//	id, err := users.Insert(ctx, &User{Email: "ada@example.com", Age: 36})
//
//	age := kivis.FieldOf(func(u *User) *int { return &u.Age })
//	adults, err := users.Where(age.Ge(18)).OrderBy(age.Desc()).Limit(20).Collect(ctx)
//
// [DB.Register] compiles the struct's tags, described in package schema, once,
// and compares the result with the catalog that the database keeps, so that a
// struct that no longer fits its data is noticed. Unique indexes and
// references hold at all times. Transactions are serializable: [DB.Update]
// retries conflicts.
//
// The error of a call names the call, the table and the key; test it with
// [errors.Is] against the sentinels below, or with [errors.As] for
// [UniqueError], [ReferenceError] and the others. Nothing in this package
// panics on what a user gives it.
package kivis
