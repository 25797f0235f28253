package schema

import (
	"errors"
	"net/url"
	"reflect"
	"strings"
	"testing"
	"time"
)

// Records with methods, which local types cannot have.

type badKeyMethod struct{ Name string }

func (badKeyMethod) PrimaryKey() (string, error) { return "", nil }

type badKeyArgument struct{ Name string }

func (badKeyArgument) PrimaryKey(int) string { return "" }

type badValidate struct {
	Auto[badValidate]
}

func (*badValidate) Validate() bool { return true }

type keyOther struct {
	Name string `kivis:"key"`
}

func (keyOther) PrimaryKey() int { return 0 }

type keyOthers struct {
	Tenant string `kivis:"key"`
	Number int    `kivis:"key"`
}

func (keyOthers) PrimaryKey() string { return "" }

type keySlice struct{ Name string }

func (keySlice) PrimaryKey() []string { return nil }

type keyBytes struct{ Name string }

func (keyBytes) PrimaryKey() []byte { return nil }

type Checked struct{ A int }

func (Checked) Validate() error    { return nil }
func (Checked) PrimaryKey() string { return "" }

type Tested struct{ B int }

func (Tested) Validate() error    { return nil }
func (Tested) PrimaryKey() string { return "" }

type hiddenMethods struct {
	Checked
	Tested
	C int `kivis:"key"`
}

type Box[T any] struct {
	Item T `kivis:"key"`
}

type User struct {
	Auto[User]
	Email string
}

type Post struct {
	Auto[User]
	Title string
}

type Wrapped struct{ Auto[User] }

type Reply struct {
	Wrapped
	Text string
}

type Tenant struct {
	Name string `kivis:"key"`
}

type Customer struct {
	Tenant string `kivis:"key"`
	Number uint64 `kivis:"key,auto"`
}

type AutoComposite struct {
	Tenant string `kivis:"key"`
	Auto[AutoComposite]
}

type Address struct {
	Street string
	City   string `kivis:"name=town"`
	Zip    *string
}

type Base struct{ Made time.Time }

type Other struct{ Made time.Time }

// types returns the types of values.
func types(values ...any) []reflect.Type {
	list := make([]reflect.Type, len(values))
	for i, v := range values {
		list[i] = reflect.TypeOf(v)
	}
	return list
}

// bad holds one line for each mistake in a struct, with what Compile says.
var bad = []struct {
	name  string
	types func() []reflect.Type
	want  []string
}{
	// Options that are unknown, malformed, miscased, repeated.
	{"unknown option", func() []reflect.Type {
		type R struct {
			ID ID[R] `kivis:"kye"`
		}
		return types(R{})
	}, lines(
		`schema: schema.R.ID: unknown option "kye"; did you mean "key"? (tag "kye")`,
	)},
	{"unknown option on a field", func() []reflect.Type {
		type R struct {
			ID    ID[R]
			Email string `kivis:"uniqe"`
		}
		return types(R{})
	}, lines(
		`schema: schema.R.Email: unknown option "uniqe"; did you mean "unique"? (tag "uniqe")`,
	)},
	{"unlike any option", func() []reflect.Type {
		type R struct {
			ID    ID[R]
			Email string `kivis:"required"`
		}
		return types(R{})
	}, lines(
		`schema: schema.R.Email: unknown option "required" (tag "required")`,
	)},
	{"miscased option", func() []reflect.Type {
		type R struct {
			ID    ID[R]
			Email string `kivis:"Index"`
		}
		return types(R{})
	}, lines(
		`schema: schema.R.Email: unknown option "Index"; did you mean "index"? (tag "Index")`,
	)},
	{"miscased struct tag", func() []reflect.Type {
		type R struct {
			ID    ID[R]
			Email string `Kivis:"index"`
		}
		return types(R{})
	}, lines(
		`schema: schema.R.Email: struct tag Kivis:"index": did you mean kivis:"index"?`,
	)},
	{"malformed struct tag", func() []reflect.Type {
		return []reflect.Type{reflect.StructOf([]reflect.StructField{{Name: "Email", Type: reflect.TypeFor[string](), Tag: `kivis:index`}})}
	}, lines(
		`schema: struct{...}.Email: malformed struct tag "kivis:index": want kivis:"..."`,
		"schema: struct{...}: a struct type without a name needs one for its table: _ struct{} `kivis:\"table=NAME\"`",
	)},
	{"repeated option", func() []reflect.Type {
		type R struct {
			ID    ID[R]
			Email string `kivis:"index,index"`
		}
		return types(R{})
	}, lines(
		`schema: schema.R.Email: repeated option "index" at 6 (tag "index,index")`,
	)},
	{"empty option", func() []reflect.Type {
		type R struct {
			ID    ID[R]
			Email string `kivis:"index,"`
		}
		return types(R{})
	}, lines(
		`schema: schema.R.Email: empty option at 6 (tag "index,")`,
	)},
	{"no value", func() []reflect.Type {
		type R struct {
			ID    ID[R]
			Email string `kivis:"name"`
			Nick  string `kivis:"was="`
		}
		return types(R{})
	}, lines(
		`schema: schema.R.Email: name needs a value: name=NAME (tag "name")`,
		`schema: schema.R.Nick: no value after was= at 0 (tag "was=")`,
	)},
	{"value where none is", func() []reflect.Type {
		type R struct {
			Email string `kivis:"key=email"`
		}
		return types(R{})
	}, lines(
		`schema: schema.R.Email: key takes no value, so drop =email (tag "key=email")`,
	)},
	{"not a name", func() []reflect.Type {
		type R struct {
			ID    ID[R]
			Email string `kivis:"index=by-email"`
			Nick  string `kivis:"name=2nd"`
			Team  string `kivis:"ref=te am"`
		}
		return types(R{})
	}, lines(
		`schema: schema.R.Email: "by-email" is not a name: a name is a letter or _, then letters, digits or _ (tag "index=by-email")`,
		`schema: schema.R.Nick: "2nd" is not a name: a name is a letter or _, then letters, digits or _ (tag "name=2nd")`,
		`schema: schema.R.Team: "te am" is not a name: a name is a letter or _, then letters, digits or _ (tag "ref=te am")`,
	)},
	{"unbalanced", func() []reflect.Type {
		type R struct {
			_  struct{} `kivis:"index=a(ID"`
			ID ID[R]
		}
		return types(R{})
	}, lines(
		`schema: schema.R._: unmatched ( at 7 (tag "index=a(ID")`,
	)},

	// Options that contradict each other or stand alone.
	{"index beside unique", func() []reflect.Type {
		type R struct {
			ID    ID[R]
			Email string `kivis:"index,unique"`
			Nick  string `kivis:"index=a,unique=b"`
		}
		return types(R{})
	}, lines(
		`schema: schema.R.Email: index and unique exclude each other: a unique index is an index, so keep unique (tag "index,unique")`,
		`schema: schema.R.Nick: index and unique exclude each other: a unique index is an index, so keep unique (tag "index=a,unique=b")`,
	)},
	{"skipped and more", func() []reflect.Type {
		type R struct {
			ID    ID[R]
			Email string `kivis:"-,index"`
		}
		return types(R{})
	}, lines(
		`schema: schema.R.Email: "-" skips the field, so no other option may stand beside it (tag "-,index")`,
	)},
	{"alone", func() []reflect.Type {
		type R struct {
			ID ID[R]
			A  int    `kivis:"auto"`
			B  string `kivis:"fold"`
			C  []int  `kivis:"each"`
			D  int    `kivis:"desc"`
			E  int    `kivis:"optional"`
			F  int    `kivis:"ondelete=cascade"`
			G  int    `kivis:"content"`
			H  int    `kivis:"deferred"`
		}
		return types(R{})
	}, lines(
		`schema: schema.R.A: auto needs key, as in "key,auto" (tag "auto")`,
		`schema: schema.R.B: fold needs index or unique, as in "index,fold" (tag "fold")`,
		`schema: schema.R.C: each needs index or unique, as in "index,each" (tag "each")`,
		`schema: schema.R.D: desc needs key, index or unique, as in "key,desc" (tag "desc")`,
		`schema: schema.R.E: optional needs ref, as in "ref,optional" (tag "optional")`,
		`schema: schema.R.F: ondelete needs ref, as in "ref,ondelete=cascade" (tag "ondelete=cascade")`,
		`schema: schema.R.G: content needs key, as in "key,content" (tag "content")`,
		`schema: schema.R.H: deferred needs ref, as in "ref,deferred" (tag "deferred")`,
	)},
	{"two generators", func() []reflect.Type {
		type R struct {
			Sum [32]byte `kivis:"key,auto,content"`
		}
		return types(R{})
	}, lines(
		`schema: schema.R.Sum: auto and content exclude each other: a key is generated in one way (tag "key,auto,content")`,
	)},
	{"generated reference", func() []reflect.Type {
		type R struct {
			ID ID[User] `kivis:"key,auto"`
		}
		return types(R{}, User{})
	}, lines(
		`schema: schema.R.ID: auto and ref exclude each other: a generated key refers to nothing (tag "key,auto")`,
	)},
	{"reference to itself named ID", func() []reflect.Type {
		type R struct {
			ID ID[R] `kivis:"ref"`
		}
		return types(R{})
	}, lines(
		`schema: schema.R.ID: auto and ref exclude each other: a generated key refers to nothing (tag "ref")`,
	)},

	// Fields.
	{"unexported", func() []reflect.Type {
		type R struct {
			ID    ID[R]
			email string `kivis:"index"`
		}
		return types(R{email: ""})
	}, lines(
		`schema: schema.R.email: an unexported field is not stored: export it, or drop its tag (tag "index")`,
	)},
	{"embedded pointer", func() []reflect.Type {
		type R struct {
			ID ID[R]
			*Base
		}
		return types(R{})
	}, lines(
		`schema: schema.R.Base: embedded pointer *schema.Base: embed schema.Base by value, give the field a name, or skip it with the tag "-"`,
	)},
	{"shadowed and ambiguous", func() []reflect.Type {
		type R struct {
			ID ID[R]
			Base
			Other
			Made int
		}
		return types(R{})
	}, lines(
		`schema: schema.R.Other.Made: Made is ambiguous: Base.Made or Other.Made; rename one, or skip one with the tag "-"`,
		`schema: schema.R.Base.Made: Made hides Base.Made: rename one, or skip one with the tag "-"`,
	)},
	{"duplicate stored names", func() []reflect.Type {
		type R struct {
			ID   ID[R]
			Name string
			Nick string `kivis:"name=Name"`
		}
		return types(R{})
	}, lines(
		`schema: schema.R.Nick: Name has the stored name "Name" too: give one another with name=NAME (tag "name=Name")`,
	)},
	{"was a living field", func() []reflect.Type {
		type R struct {
			ID   ID[R]
			Name string
			Nick string `kivis:"was=Name"`
			Same string `kivis:"was=Same"`
		}
		return types(R{})
	}, lines(
		`schema: schema.R.Nick: was=Name names the field Name, which is still there (tag "was=Name")`,
		`schema: schema.R.Same: was=Same names the field Same, which is still there (tag "was=Same")`,
	)},
	{"two were one", func() []reflect.Type {
		type R struct {
			ID   ID[R]
			A, B string `kivis:"was=Name"`
		}
		return types(R{})
	}, lines(
		`schema: schema.R.B: A was Name too: one field can have become one other (tag "was=Name")`,
	)},
	{"unstorable", func() []reflect.Type {
		type R struct {
			ID ID[R]
			F  func() `kivis:"index"`
			C  []chan int
			M  map[string]complex128
			E  error
			N  struct{ P ***int }
		}
		return types(R{})
	}, lines(
		`schema: schema.R.F: func() cannot be stored, so skip the field with the tag "-"`,
		`schema: schema.R.C: chan int cannot be stored, so skip the field with the tag "-"`,
		`schema: schema.R.M: complex128 cannot be stored, so skip the field with the tag "-"`,
		`schema: schema.R.E: error cannot be stored: of interfaces only any can, so skip the field with the tag "-"`,
		`schema: schema.R.N.P: **int could not be told from a nil pointer when it points to nil`,
		`schema: schema.R.N.P: ***int could not be told from a nil pointer when it points to nil`,
	)},
	{"embedded struct with options", func() []reflect.Type {
		type R struct {
			ID   ID[R]
			Base `kivis:"index,name=base"`
		}
		return types(R{})
	}, lines(
		`schema: schema.R.Base: index and name on an embedded struct: tag its fields instead, or make it a field with a name (tag "index,name=base")`,
	)},

	// Keys.
	{"no key", func() []reflect.Type {
		type R struct{ Name string }
		return types(R{})
	}, lines(
		"schema: schema.R: no primary key: embed kivis.Auto[schema.R], tag a field `kivis:\"key\"`, or give it a method PrimaryKey() K",
	)},
	{"unencodable key", func() []reflect.Type {
		type R struct {
			Tags []string       `kivis:"key"`
			Addr url.URL        `kivis:"key"`
			Any  any            `kivis:"key"`
			Map  map[string]int `kivis:"key"`
			Blob []byte         `kivis:"key"`
		}
		return types(R{})
	}, lines(
		`schema: schema.R.Tags: []string cannot be part of a key: slices, arrays and maps have no order, bytes apart (tag "key")`,
		`schema: schema.R.Addr: url.URL cannot be part of a key: the order of a type that marshals itself is not known, unless it has the methods AppendKey and ParseKey (tag "key")`,
		`schema: schema.R.Any: any cannot be part of a key: an interface has no type to order by (tag "key")`,
		`schema: schema.R.Map: map[string]int cannot be part of a key: slices, arrays and maps have no order, bytes apart (tag "key")`,
		`schema: schema.R.Blob: []byte cannot be a key, as Go does not compare it with ==: use a string or an array (tag "key")`,
	)},
	{"auto on what cannot be", func() []reflect.Type {
		type R struct {
			Name string        `kivis:"key,auto"`
			Wait time.Duration `kivis:"key,auto"`
			Hash [20]byte      `kivis:"key,auto"`
		}
		return types(R{})
	}, lines(
		`schema: schema.R.Name: auto on string: it is for integers, and for arrays of 16 bytes such as uuid.UUID (tag "key,auto")`,
		`schema: schema.R.Wait: auto on time.Duration: it is for integers, and for arrays of 16 bytes such as uuid.UUID (tag "key,auto")`,
		`schema: schema.R.Hash: auto on [20]byte: it is for integers, and for arrays of 16 bytes such as uuid.UUID (tag "key,auto")`,
		`schema: schema.R.Name: a generated part is the last of a key: move it behind Hash (tag "key,auto")`,
		`schema: schema.R.Wait: a generated part is the last of a key: move it behind Hash (tag "key,auto")`,
	)},
	{"content on what cannot be", func() []reflect.Type {
		type R struct {
			Sum [16]byte `kivis:"key,content"`
		}
		return types(R{})
	}, lines(
		`schema: schema.R.Sum: content on [16]byte: it is for [32]byte (tag "key,content")`,
	)},
	{"content with another key", func() []reflect.Type {
		type R struct {
			Name string   `kivis:"key"`
			Sum  [32]byte `kivis:"key,content"`
		}
		return types(R{})
	}, lines(
		`schema: schema.R.Sum: a content address is the whole key: tag no other field key (tag "key,content")`,
	)},
	{"generated first", func() []reflect.Type {
		type R struct {
			Number int    `kivis:"key,auto"`
			Tenant string `kivis:"key"`
		}
		return types(R{})
	}, lines(
		`schema: schema.R.Number: a generated part is the last of a key: move it behind Tenant (tag "key,auto")`,
	)},
	{"two generated", func() []reflect.Type {
		type R struct {
			A int `kivis:"key,auto"`
			B int `kivis:"key,auto"`
		}
		return types(R{})
	}, lines(
		`schema: schema.R.B: one key has one generated part (tag "key,auto")`,
		`schema: schema.R.A: a generated part is the last of a key: move it behind B (tag "key,auto")`,
	)},
	{"key in a key", func() []reflect.Type {
		type K struct {
			A int `kivis:"key"`
			B int
		}
		type R struct {
			K `kivis:"key"`
		}
		return types(R{})
	}, lines(
		`schema: schema.R.K.A: repeated key: all fields of K are in the key already (tag "key")`,
	)},
	{"types that hold nothing but themselves", func() []reflect.Type {
		type list []list
		type tree map[string]tree
		type loop *loop
		type R struct {
			ID ID[R]
			L  list
			T  tree
			P  []loop
		}
		return types(R{})
	}, lines(
		`schema: schema.R.L: schema.list contains itself with no struct between`,
		`schema: schema.R.T: schema.tree contains itself with no struct between`,
		`schema: schema.R.P: schema.loop contains itself with no struct between`,
	)},
	{"PrimaryKey of another signature", func() []reflect.Type { return types(badKeyMethod{}, badKeyArgument{}) }, lines(
		`schema: schema.badKeyMethod.PrimaryKey: the method is func() (string, error): want func() K, where K is the key's type`,
		`schema: schema.badKeyArgument.PrimaryKey: the method is func(int) string: want func() K, where K is the key's type`,
	)},
	{"Validate of another signature", func() []reflect.Type { return types(badValidate{}) }, lines(
		`schema: schema.badValidate.Validate: the method is func() bool: want func() error`,
	)},
	{"hidden methods", func() []reflect.Type { return types(hiddenMethods{}) }, lines(
		`schema: schema.hiddenMethods.PrimaryKey: PrimaryKey of Checked and Tested is hidden: Go promotes none of several, nor one that a field hides; give schema.hiddenMethods a method PrimaryKey() K of its own`,
		`schema: schema.hiddenMethods.Validate: Validate of Checked and Tested is hidden: Go promotes none of several, nor one that a field hides; give schema.hiddenMethods a method Validate() error of its own`,
	)},
	{"key field and method disagree", func() []reflect.Type { return types(keyOther{}, keyOthers{}) }, lines(
		`schema: schema.keyOther.PrimaryKey: the method returns int, but the key is Name, of type string: make them agree, or drop one`,
		`schema: schema.keyOthers.PrimaryKey: the method returns string, but the key fields are Tenant, Number: return struct{ Tenant string; Number int }, or drop one`,
	)},
	{"method returns no key", func() []reflect.Type { return types(keySlice{}, keyBytes{}) }, lines(
		`schema: schema.keySlice.PrimaryKey: the method returns what cannot be a key: []string cannot be part of a key: slices, arrays and maps have no order, bytes apart`,
		`schema: schema.keyBytes.PrimaryKey: []byte cannot be a key, as Go does not compare it with ==: use a string or an array`,
	)},
	{"Auto of another record", func() []reflect.Type { return types(Post{}, Reply{}, User{}) }, lines(
		`schema: schema.Post.Auto: schema.Auto[schema.User] is the key of another record: embed schema.Auto[schema.Post]`,
		`schema: schema.Reply.Wrapped.Auto: schema.Auto[schema.User] is the key of another record: embed schema.Auto[schema.Reply]`,
	)},
	{"Auto in a composite key", func() []reflect.Type { return types(AutoComposite{}) }, lines(
		`schema: schema.AutoComposite.PrimaryKey: kivis.Auto is a whole key, but the key fields are Tenant, ID: replace it by a field ID of type schema.ID[schema.AutoComposite]`,
	)},

	// Indexes.
	{"composite in the style of GORM", func() []reflect.Type {
		type R struct {
			ID   ID[R]
			City string    `kivis:"index=place"`
			Made time.Time `kivis:"index=place,desc"`
			Tags []string  `kivis:"index=place,each"`
		}
		return types(R{})
	}, lines(
		"schema: schema.R.Made: City and Made and Tags are tagged with the one index place; an index of several fields goes on a blank field: _ struct{} `kivis:\"index=place(City,-Made,Tags:each)\"` (tag \"index=place,desc\")",
	)},
	{"two indexes of a name", func() []reflect.Type {
		type R struct {
			_    struct{} `kivis:"index=City(Zip),unique=zip(Zip),unique=zip(City)"`
			ID   ID[R]
			City string `kivis:"index"`
			Zip  string `kivis:"index=City2"`
			Made int    `kivis:"index=City2"`
			Last int    `kivis:"index=City"`
		}
		return types(R{})
	}, lines(
		`schema: schema.R.Last: two indexes are named City: the other is on City (tag "index=City")`,
		"schema: schema.R.Made: Zip and Made are tagged with the one index City2; an index of several fields goes on a blank field: _ struct{} `kivis:\"index=City2(Zip,Made)\"` (tag \"index=City2\")",
		`schema: schema.R._: two indexes are named City: the other is on City (tag "index=City(Zip),unique=zip(Zip),unique=zip(City)")`,
		`schema: schema.R._: two indexes are named zip: the other is on a blank field (tag "index=City(Zip),unique=zip(Zip),unique=zip(City)")`,
	)},
	{"a part twice", func() []reflect.Type {
		type R struct {
			_    struct{} `kivis:"index=a(City,-City),unique=b(Address.City,Address.town)"`
			ID   ID[R]
			City string
			Address
		}
		return types(R{})
	}, lines(
		`schema: schema.R.Address.City: City hides Address.City: rename one, or skip one with the tag "-"`,
		`schema: schema.R._: index a has City twice (tag "index=a(City,-City),unique=b(Address.City,Address.town)")`,
		`schema: schema.R._: unique b: unknown field "town" (tag "index=a(City,-City),unique=b(Address.City,Address.town)")`,
	)},
	{"a nested part twice", func() []reflect.Type {
		type R struct {
			_    struct{} `kivis:"unique=b(Home.City,Home.town)"`
			ID   ID[R]
			Home Address
		}
		return types(R{})
	}, lines(
		`schema: schema.R._: unique b has Home.town twice (tag "unique=b(Home.City,Home.town)")`,
	)},
	{"each twice", func() []reflect.Type {
		type R struct {
			_  struct{} `kivis:"index=x(A:each,B:each)"`
			ID ID[R]
			A  []int
			B  map[string]int
		}
		return types(R{})
	}, lines(
		`schema: schema.R._: index x has each twice: an index goes through one list (tag "index=x(A:each,B:each)")`,
	)},
	{"each on what has no elements", func() []reflect.Type {
		type R struct {
			ID ID[R]
			A  int     `kivis:"index,each"`
			B  []byte  `kivis:"unique,each"`
			C  [3]int  `kivis:"index,each"`
			D  *[]int  `kivis:"index,each"`
			E  Address `kivis:"index,each"`
		}
		return types(R{})
	}, lines(
		`schema: schema.R.A: each on int: it is for slices, and for the keys of maps (tag "index,each")`,
		`schema: schema.R.B: each on []byte: it is for slices, and for the keys of maps (tag "unique,each")`,
		`schema: schema.R.C: each on [3]int: it is for slices, and for the keys of maps (tag "index,each")`,
		`schema: schema.R.D: each on *[]int: it is for slices, and for the keys of maps (tag "index,each")`,
		`schema: schema.R.E: each on schema.Address: it is for slices, and for the keys of maps (tag "index,each")`,
	)},
	{"elements without order", func() []reflect.Type {
		type R struct {
			ID ID[R]
			A  [][]string        `kivis:"index,each"`
			B  []any             `kivis:"index,each"`
			C  []string          `kivis:"index"`
			D  map[int]bool      `kivis:"index"`
			E  [3]int            `kivis:"index"`
			F  **int             `kivis:"index"`
			G  []url.URL         `kivis:"index,each"`
			H  struct{ L []int } `kivis:"index"`
		}
		return types(R{})
	}, lines(
		`schema: schema.R.F: **int could not be told from a nil pointer when it points to nil`,
		`schema: schema.R.A: []string cannot be part of a key: slices, arrays and maps have no order, bytes apart (tag "index,each")`,
		`schema: schema.R.B: any cannot be part of a key: an interface has no type to order by (tag "index,each")`,
		`schema: schema.R.C: []string has no order: index its elements with each (tag "index")`,
		`schema: schema.R.D: map[int]bool has no order: index its elements with each (tag "index")`,
		`schema: schema.R.E: [3]int cannot be part of a key: slices, arrays and maps have no order, bytes apart (tag "index")`,
		`schema: schema.R.G: url.URL cannot be part of a key: the order of a type that marshals itself is not known, unless it has the methods AppendKey and ParseKey (tag "index,each")`,
		`schema: schema.R.H: L: []int cannot be part of a key: slices, arrays and maps have no order, bytes apart (tag "index")`,
	)},
	{"fold on what is no string", func() []reflect.Type {
		type R struct {
			ID ID[R]
			A  int    `kivis:"index,fold"`
			B  []byte `kivis:"unique,fold"`
			C  []int  `kivis:"index,each,fold"`
		}
		return types(R{})
	}, lines(
		`schema: schema.R.A: fold on int: it is for strings (tag "index,fold")`,
		`schema: schema.R.B: fold on []byte: it is for strings (tag "unique,fold")`,
		`schema: schema.R.C: fold on int: it is for strings (tag "index,each,fold")`,
	)},
	{"lists on fields", func() []reflect.Type {
		type R struct {
			ID ID[R]
			A  int `kivis:"index=a(A,B),table=rs"`
			B  int `kivis:"ref=users(A,B)"`
		}
		return types(R{})
	}, lines(
		"schema: schema.R.A: index=a(A,B) of several fields goes on a blank field: _ struct{} `kivis:\"index=a(A,B)\"` (tag \"index=a(A,B),table=rs\")",
		"schema: schema.R.A: table belongs on a blank field: _ struct{} `kivis:\"table=rs\"` (tag \"index=a(A,B),table=rs\")",
		"schema: schema.R.B: ref=users(A,B) of several fields goes on a blank field: _ struct{} `kivis:\"ref=users(A,B)\"` (tag \"ref=users(A,B)\")",
	)},
	{"blank fields", func() []reflect.Type {
		type R struct {
			_  struct{} `kivis:"table,index,unique=x,ref=users,index=a()"`
			_  struct{} `kivis:"key,fold,was=x,tabel=x,optional,ondelete=cascade"`
			_  struct{} `kivis:"index=a(A:each:each,B:folds,C:desc,,2,D.,A B),index=b(A):fold,index=(A)"`
			_  struct{} `kivis:"ref=users(A):optinal:optional:optional:ondelete=casade,ref=users(-A,B:fold)x"`
			ID ID[R]
			A  int
		}
		return types(R{})
	}, lines(
		`schema: schema.R._: repeated option "index" at 31 (tag "table,index,unique=x,ref=users,index=a()")`,
		`schema: schema.R._: key belongs on a field with a name (tag "key,fold,was=x,tabel=x,optional,ondelete=cascade")`,
		`schema: schema.R._: fold belongs on a field with a name (tag "key,fold,was=x,tabel=x,optional,ondelete=cascade")`,
		`schema: schema.R._: unknown option "tabel"; did you mean "table"? (tag "key,fold,was=x,tabel=x,optional,ondelete=cascade")`,
		`schema: schema.R._: optional of a reference goes behind its fields: ref=TABLE(F,G):optional (tag "key,fold,was=x,tabel=x,optional,ondelete=cascade")`,
		`schema: schema.R._: ondelete of a reference goes behind its fields: ref=TABLE(F,G):ondelete=cascade (tag "key,fold,was=x,tabel=x,optional,ondelete=cascade")`,
		`schema: schema.R._: A: repeated modifier "each" (tag "index=a(A:each:each,B:folds,C:desc,,2,D.,A B),index=b(A):fold,index=(A)")`,
		`schema: schema.R._: B: unknown modifier "folds"; did you mean "fold"? (tag "index=a(A:each:each,B:folds,C:desc,,2,D.,A B),index=b(A):fold,index=(A)")`,
		`schema: schema.R._: a descending part is written -C (tag "index=a(A:each:each,B:folds,C:desc,,2,D.,A B),index=b(A):fold,index=(A)")`,
		`schema: schema.R._: "" is not a field, nor a path of fields as in Address.City (tag "index=a(A:each:each,B:folds,C:desc,,2,D.,A B),index=b(A):fold,index=(A)")`,
		`schema: schema.R._: "2" is not a field, nor a path of fields as in Address.City (tag "index=a(A:each:each,B:folds,C:desc,,2,D.,A B),index=b(A):fold,index=(A)")`,
		`schema: schema.R._: "D." is not a field, nor a path of fields as in Address.City (tag "index=a(A:each:each,B:folds,C:desc,,2,D.,A B),index=b(A):fold,index=(A)")`,
		`schema: schema.R._: "A B" is not a field, nor a path of fields as in Address.City (tag "index=a(A:each:each,B:folds,C:desc,,2,D.,A B),index=b(A):fold,index=(A)")`,
		`schema: schema.R._: unexpected ":fold" behind the fields of b (tag "index=a(A:each:each,B:folds,C:desc,,2,D.,A B),index=b(A):fold,index=(A)")`,
		`schema: schema.R._: a name is empty (tag "index=a(A:each:each,B:folds,C:desc,,2,D.,A B),index=b(A):fold,index=(A)")`,
		`schema: schema.R._: unknown modifier "optinal"; did you mean "optional"? (tag "ref=users(A):optinal:optional:optional:ondelete=casade,ref=users(-A,B:fold)x")`,
		`schema: schema.R._: repeated modifier "optional" (tag "ref=users(A):optinal:optional:optional:ondelete=casade,ref=users(-A,B:fold)x")`,
		`schema: schema.R._: unknown action "casade"; did you mean "cascade"? (tag "ref=users(A):optinal:optional:optional:ondelete=casade,ref=users(-A,B:fold)x")`,
		`schema: schema.R._: -A: the fields of a reference take no modifiers; they follow the order of the target's key (tag "ref=users(A):optinal:optional:optional:ondelete=casade,ref=users(-A,B:fold)x")`,
		`schema: schema.R._: B:fold: the fields of a reference take no modifiers; they follow the order of the target's key (tag "ref=users(A):optinal:optional:optional:ondelete=casade,ref=users(-A,B:fold)x")`,
		`schema: schema.R._: unexpected "x" behind the fields of users (tag "ref=users(A):optinal:optional:optional:ondelete=casade,ref=users(-A,B:fold)x")`,
	)},
	{"paths to nothing", func() []reflect.Type {
		type R struct {
			_  struct{} `kivis:"index=a(Orgin),index=b(Home.Cty),index=c(Gone),index=d(hidden),index=e(Base),index=f(Base.Mode)"`
			_  struct{} `kivis:"index=g(Origin.Code),index=h(Made.Year),index=i(Homes.City),index=j(X)"`
			ID ID[R]
			Base
			Origin string
			Home   Address
			Homes  []Address
			Gone   int `kivis:"-"`
			hidden int
			X      int `kivis:"name=Y"`
			Y      int `kivis:"name=X"`
		}
		return types(R{hidden: 0})
	}, lines(
		`schema: schema.R._: index a: unknown field "Orgin"; did you mean "Origin"? (tag "index=a(Orgin),index=b(Home.Cty),index=c(Gone),index=d(hidden),index=e(Base),index=f(Base.Mode)")`,
		`schema: schema.R._: index b: Home: unknown field "Cty"; did you mean "City"? (tag "index=a(Orgin),index=b(Home.Cty),index=c(Gone),index=d(hidden),index=e(Base),index=f(Base.Mode)")`,
		`schema: schema.R._: index c: Gone is not stored (tag "index=a(Orgin),index=b(Home.Cty),index=c(Gone),index=d(hidden),index=e(Base),index=f(Base.Mode)")`,
		`schema: schema.R._: index d: hidden is not exported, so it is not stored (tag "index=a(Orgin),index=b(Home.Cty),index=c(Gone),index=d(hidden),index=e(Base),index=f(Base.Mode)")`,
		`schema: schema.R._: index e: Base is an embedded struct: name its fields (tag "index=a(Orgin),index=b(Home.Cty),index=c(Gone),index=d(hidden),index=e(Base),index=f(Base.Mode)")`,
		`schema: schema.R._: index f: unknown field "Mode"; did you mean "Made"? (tag "index=a(Orgin),index=b(Home.Cty),index=c(Gone),index=d(hidden),index=e(Base),index=f(Base.Mode)")`,
		`schema: schema.R._: index g: Origin is of type string, which has no fields of its own (tag "index=g(Origin.Code),index=h(Made.Year),index=i(Homes.City),index=j(X)")`,
		`schema: schema.R._: index h: Base.Made is of type time.Time, which has no fields of its own (tag "index=g(Origin.Code),index=h(Made.Year),index=i(Homes.City),index=j(X)")`,
		`schema: schema.R._: index i: Homes is of type []schema.Address: a path does not reach into elements without each: write Homes.City:each (tag "index=g(Origin.Code),index=h(Made.Year),index=i(Homes.City),index=j(X)")`,
		`schema: schema.R._: index j: X is ambiguous: the field, or that with the stored name "X" (tag "index=g(Origin.Code),index=h(Made.Year),index=i(Homes.City),index=j(X)")`,
	)},
	{"paths into elements", func() []reflect.Type {
		type Part struct{ Code string }
		type Line struct {
			SKU   string
			Tags  []string
			Parts []Part
			User  ID[User]
		}
		type R struct {
			_     struct{} `kivis:"index=a(Lines.Tags:each),index=b(Lines.Parts.Code:each),index=c(Pair.SKU:each)"`
			_     struct{} `kivis:"index=d(Lines.SKU:each,Lines.User:each),index=e(Lines.Sku:each),ref=users(Lines.User)"`
			_     struct{} `kivis:"index=f(Lines.SKU:nilequal:each),unique=g(Lines.SKU:each:nilequal),index=h(Lines.User:each:fold)"`
			ID    ID[R]
			Lines []Line
			Pair  [2]Line
		}
		return types(R{}, User{})
	}, lines(
		`schema: schema.R._: index a: Lines is of type []schema.Line, and Lines.Tags of type []string: an index goes through one list (tag "index=a(Lines.Tags:each),index=b(Lines.Parts.Code:each),index=c(Pair.SKU:each)")`,
		`schema: schema.R._: index b: Lines is of type []schema.Line, and Lines.Parts of type []schema.Part: an index goes through one list (tag "index=a(Lines.Tags:each),index=b(Lines.Parts.Code:each),index=c(Pair.SKU:each)")`,
		`schema: schema.R._: index c: Pair is of type [2]schema.Line: a path reaches into the elements of slices, and into the values of maps (tag "index=a(Lines.Tags:each),index=b(Lines.Parts.Code:each),index=c(Pair.SKU:each)")`,
		`schema: schema.R._: index d has each twice: an index goes through one list (tag "index=d(Lines.SKU:each,Lines.User:each),index=e(Lines.Sku:each),ref=users(Lines.User)")`,
		`schema: schema.R._: index e: Lines: unknown field "Sku"; did you mean "SKU"? (tag "index=d(Lines.SKU:each,Lines.User:each),index=e(Lines.Sku:each),ref=users(Lines.User)")`,
		`schema: schema.R._: index f: nilequal on Lines.SKU: only in a unique index does nil differ from other values, so drop it (tag "index=f(Lines.SKU:nilequal:each),unique=g(Lines.SKU:each:nilequal),index=h(Lines.User:each:fold)")`,
		`schema: schema.R._: unique g: nilequal on Lines.SKU: a string is never nil in an index, so drop it (tag "index=f(Lines.SKU:nilequal:each),unique=g(Lines.SKU:each:nilequal),index=h(Lines.User:each:fold)")`,
		`schema: schema.R._: index h: fold on schema.ID[schema.User]: it is for strings (tag "index=f(Lines.SKU:nilequal:each),unique=g(Lines.SKU:each:nilequal),index=h(Lines.User:each:fold)")`,
		`schema: schema.R._: Lines is of type []schema.Line, and a reference is one key: give each a record of its own (tag "index=d(Lines.SKU:each,Lines.User:each),index=e(Lines.Sku:each),ref=users(Lines.User)")`,
	)},
	{"tags in elements", func() []reflect.Type {
		type Part struct {
			Code string `kivis:"index=codes"`
		}
		type Line struct {
			SKU   string   `kivis:"unique=skus,fold"`
			Tags  []string `kivis:"index,each"`
			Parts []Part
			User  ID[User] `kivis:"optional"`
		}
		type Pair struct {
			Left string `kivis:"index"`
		}
		type R struct {
			ID    ID[R]
			Lines map[string]*Line
			Pairs [2]Pair
		}
		return types(R{}, User{})
	}, lines(
		"schema: schema.R.Lines.SKU: unique and fold on a field of a nested struct: in schema.R write _ struct{} `kivis:\"unique=skus(Lines.SKU:each:fold)\"` (tag \"unique=skus,fold\")",
		`schema: schema.R.Lines.Tags: index and each on a field of a nested struct: an index goes through one list, so drop it (tag "index,each")`,
		`schema: schema.R.Lines.User: optional on a field of a nested struct: an index reaches no fields of such elements, so drop it (tag "optional")`,
		`schema: schema.R.Lines.Parts.Code: index on a field of a nested struct: an index reaches no fields of such elements, so drop it (tag "index=codes")`,
		`schema: schema.R.Pairs.Left: index on a field of a nested struct: an index reaches no fields of such elements, so drop it (tag "index")`,
	)},
	{"tags in a nested struct", func() []reflect.Type {
		type Inner struct {
			_    struct{} `kivis:"table=x"`
			City string   `kivis:"index,fold"`
			Zip  string   `kivis:"unique=zip"`
			Code IATA     `kivis:"ref=airports"`
			Any  IATA     `kivis:"ref"`
			Wait int      `kivis:"optional"`
			Fix  int      `kivis:"naem=x"`
			dark int      `kivis:"name=x"`
		}
		type Line struct {
			SKU string `kivis:"index"`
		}
		type R struct {
			ID    ID[R]
			Home  *Inner
			Lines []Line
		}
		return types(R{Home: &Inner{dark: 0}})
	}, lines(
		`schema: schema.R.Home.Fix: unknown option "naem"; did you mean "name"? (tag "naem=x")`,
		`schema: schema.R.Home.dark: an unexported field is not stored: export it, or drop its tag (tag "name=x")`,
		"schema: schema.R.Home.City: index and fold on a field of a nested struct: in schema.R write _ struct{} `kivis:\"index=NAME(Home.City:fold)\"` (tag \"index,fold\")",
		"schema: schema.R.Home.Zip: unique on a field of a nested struct: in schema.R write _ struct{} `kivis:\"unique=zip(Home.Zip)\"` (tag \"unique=zip\")",
		"schema: schema.R.Home.Code: ref on a field of a nested struct: in schema.R write _ struct{} `kivis:\"ref=airports(Home.Code)\"` (tag \"ref=airports\")",
		"schema: schema.R.Home.Any: ref on a field of a nested struct: in schema.R write _ struct{} `kivis:\"ref=TABLE(Home.Any)\"` (tag \"ref\")",
		`schema: schema.R.Home.Wait: optional on a field of a nested struct: put it on a field of schema.R (tag "optional")`,
		`schema: schema.R.Home._: a blank field speaks of the record that has it, not of a nested struct (tag "table=x")`,
		"schema: schema.R.Lines.SKU: index on a field of a nested struct: in schema.R write _ struct{} `kivis:\"index=NAME(Lines.SKU:each)\"` (tag \"index\")",
	)},

	// Tables.
	{"two tables of a name", func() []reflect.Type {
		type airports struct {
			Code string `kivis:"key"`
		}
		return types(Airport{}, airports{})
	}, lines(
		"schema: schema.airports: the table airports is that of schema.Airport: name one of the two otherwise, as in _ struct{} `kivis:\"table=NAME\"`",
	)},
	{"not structs", func() []reflect.Type { return types(nil, 1, "x", new(*User), time.Time{}, []User{}) }, lines(
		`schema: nil: nil is not a record: pass a pointer to a struct, such as &User{}`,
		`schema: int: not a record: pass a struct, or a pointer to one`,
		`schema: string: not a record: pass a struct, or a pointer to one`,
		`schema: *schema.User: not a record: pass a struct, or a pointer to one`,
		`schema: time.Time: not a record: pass a struct, or a pointer to one`,
		`schema: []schema.User: not a record: pass a struct, or a pointer to one`,
	)},
	{"no name", func() []reflect.Type {
		return types(struct {
			Name string `kivis:"key"`
		}{})
	}, lines(
		"schema: struct{...}: a struct type without a name needs one for its table: _ struct{} `kivis:\"table=NAME\"`",
	)},
	{"two names", func() []reflect.Type {
		type R struct {
			_  struct{} `kivis:"table=a"`
			_  struct{} `kivis:"table=b"`
			ID ID[R]
		}
		return types(R{})
	}, lines(
		`schema: schema.R._: the table is named a already (tag "table=b")`,
	)},

	// References.
	{"to nothing", func() []reflect.Type {
		type R struct {
			ID ID[R]
			A  IATA  `kivis:"ref"`
			B  *IATA `kivis:"ref"`
			C  ID[int]
			D  []ID[User] `kivis:"ref"`
			E  func()     `kivis:"ref"`
		}
		return types(R{})
	}, lines(
		`schema: schema.R.E: func() cannot be stored, so skip the field with the tag "-"`,
		`schema: schema.R.D: D is of type []schema.ID[schema.User], and a reference is one key: give each a record of its own (tag "ref")`,
		`schema: schema.R.A: refers to nothing: no registered record has a key of type schema.IATA; register it with this one, or name its table: ref=TABLE (tag "ref")`,
		`schema: schema.R.B: refers to nothing: no registered record has a key of type schema.IATA; register it with this one, or name its table: ref=TABLE (tag "ref")`,
		`schema: schema.R.C: refers to int, which is not a record`,
	)},
	{"ambiguous", func() []reflect.Type {
		type Other struct {
			Code IATA `kivis:"key"`
		}
		type R struct {
			ID ID[R]
			A  IATA `kivis:"ref"`
		}
		return types(R{}, Other{}, Airport{})
	}, lines(
		`schema: schema.R.A: is ambiguous: 2 tables have a key of type schema.IATA; name one: ref=Other or ref=airports (tag "ref")`,
	)},
	{"of another type", func() []reflect.Type {
		type R struct {
			ID ID[R]
			A  string   `kivis:"ref=airports"`
			B  uint64   `kivis:"ref=User"`
			C  ID[User] `kivis:"ref=airports"`
			D  uint64   `kivis:"ref=Customer"`
			E  ID[Tenant]
		}
		return types(R{}, Airport{}, User{}, Customer{}, Tenant{})
	}, lines(
		`schema: schema.R.A: is of type string, but airports has a key of type schema.IATA: make the field one (tag "ref=airports")`,
		`schema: schema.R.B: is of type uint64, but User has a key of type schema.ID[schema.User]: make the field one (tag "ref=User")`,
		`schema: schema.R.C: is of type schema.ID[schema.User], but airports has a key of type schema.IATA: make the field one (tag "ref=airports")`,
		"schema: schema.R.D: has uint64, but the key of Customer is (string, uint64): list fields of these types, as in _ struct{} `kivis:\"ref=Customer(Tenant,Number)\"` (tag \"ref=Customer\")",
		`schema: schema.R.E: is of type schema.ID[schema.Tenant], but Tenant has a key of type string: make the field one`,
	)},
	{"of several fields", func() []reflect.Type {
		type R struct {
			_      struct{} `kivis:"ref=Customer(Tenant,Buyer),ref=Customer(Tenant),ref=Customer(Tenant,Tenant),ref=Customer(Tenat,Buyer)"`
			ID     ID[R]
			Tenant string
			Buyer  int
		}
		return types(R{}, Customer{})
	}, lines(
		`schema: schema.R._: ref=Customer has Tenant twice (tag "ref=Customer(Tenant,Buyer),ref=Customer(Tenant),ref=Customer(Tenant,Tenant),ref=Customer(Tenat,Buyer)")`,
		`schema: schema.R._: unknown field "Tenat"; did you mean "Tenant"? (tag "ref=Customer(Tenant,Buyer),ref=Customer(Tenant),ref=Customer(Tenant,Tenant),ref=Customer(Tenat,Buyer)")`,
		"schema: schema.R._: has (string, int), but the key of Customer is (string, uint64): list fields of these types, as in _ struct{} `kivis:\"ref=Customer(Tenant,Number)\"` (tag \"ref=Customer(Tenant,Buyer),ref=Customer(Tenant),ref=Customer(Tenant,Tenant),ref=Customer(Tenat,Buyer)\")",
		"schema: schema.R._: has string, but the key of Customer is (string, uint64): list fields of these types, as in _ struct{} `kivis:\"ref=Customer(Tenant,Number)\"` (tag \"ref=Customer(Tenant,Buyer),ref=Customer(Tenant),ref=Customer(Tenant,Tenant),ref=Customer(Tenat,Buyer)\")",
	)},
	{"nilequal where nil is no value", func() []reflect.Type {
		type R struct {
			_  struct{} `kivis:"index=a(A:nilequal),unique=b(B:nilequal),unique=c(A:nilequal:nilequal)"`
			ID ID[R]
			A  *string
			B  string
			C  []byte  `kivis:"unique,nilequal"`
			D  *string `kivis:"index,nilequal"`
			E  *string `kivis:"nilequal"`
		}
		return types(R{})
	}, lines(
		`schema: schema.R._: A: repeated modifier "nilequal" (tag "index=a(A:nilequal),unique=b(B:nilequal),unique=c(A:nilequal:nilequal)")`,
		`schema: schema.R.D: nilequal needs unique, as in "unique,nilequal" (tag "index,nilequal")`,
		`schema: schema.R.E: nilequal needs unique, as in "unique,nilequal" (tag "nilequal")`,
		`schema: schema.R.C: nilequal on C: a []byte is never nil in an index, so drop it (tag "unique,nilequal")`,
		`schema: schema.R.D: nilequal on D: only in a unique index does nil differ from other values, so drop it (tag "index,nilequal")`,
		`schema: schema.R._: index a: nilequal on A: only in a unique index does nil differ from other values, so drop it (tag "index=a(A:nilequal),unique=b(B:nilequal),unique=c(A:nilequal:nilequal)")`,
		`schema: schema.R._: unique b: nilequal on B: a string is never nil in an index, so drop it (tag "index=a(A:nilequal),unique=b(B:nilequal),unique=c(A:nilequal:nilequal)")`,
	)},
	{"fields that were, are new, or are gone", func() []reflect.Type {
		type In struct{ X int }
		type R struct {
			_   struct{} `kivis:"removed"`
			_   struct{} `kivis:"removed=Gone|A|In.X|Ins.X|In.Y"`
			_   struct{} `kivis:"removed=A B|.|2,new"`
			ID  ID[R]
			A   int `kivis:"was=O|P,new"`
			B   int `kivis:"was=Q|A|O"`
			C   int `kivis:"was=S|S"`
			D   int `kivis:"was=S|"`
			In  In
			Ins map[string][]In
		}
		return types(R{})
	}, lines(
		`schema: schema.R.C: the name S is there twice (tag "was=S|S")`,
		`schema: schema.R.D: a name is empty (tag "was=S|")`,
		`schema: schema.R._: removed needs a value: removed=NAME (tag "removed")`,
		`schema: schema.R._: "A B" is not a name: a name is a letter or _, then letters, digits or _ (tag "removed=A B|.|2,new")`,
		`schema: schema.R._: new belongs on a field with a name (tag "removed=A B|.|2,new")`,
		`schema: schema.R.B: was=A names the field A, which is still there (tag "was=Q|A|O")`,
		`schema: schema.R.B: A was O too: one field can have become one other (tag "was=Q|A|O")`,
		`schema: schema.R.A: was and new exclude each other: a field is one that was, or a new one (tag "was=O|P,new")`,
		`schema: schema.R._: removed=A names a field that is still there: drop one of the two (tag "removed=Gone|A|In.X|Ins.X|In.Y")`,
		`schema: schema.R._: removed=In.X names a field that is still there: drop one of the two (tag "removed=Gone|A|In.X|Ins.X|In.Y")`,
		`schema: schema.R._: removed=Ins.X names a field that is still there: drop one of the two (tag "removed=Gone|A|In.X|Ins.X|In.Y")`,
	)},
	{"setnull under a content key", func() []reflect.Type {
		type R struct {
			Sum [32]byte `kivis:"key,content"`
			A   *IATA    `kivis:"ref=airports,ondelete=setnull"`
		}
		return types(R{}, Airport{})
	}, lines(
		`schema: schema.R.A: ondelete=setnull would change the record's primary key, which is the digest of all other fields: use restrict, cascade or noaction (tag "ref=airports,ondelete=setnull")`,
	)},
	{"setnull", func() []reflect.Type {
		type R struct {
			_    struct{} `kivis:"ref=airports(Home.Code):optional:ondelete=setnull"`
			A    IATA     `kivis:"ref,ondelete=setnull"`
			B    IATA     `kivis:"key,ref,optional,ondelete=setnull"`
			C    IATA     `kivis:"ref,ondelete=casacde"`
			D    IATA     `kivis:"ref,ondelete=never"`
			Home struct{ Code IATA }
		}
		return types(R{}, Airport{})
	}, lines(
		`schema: schema.R.C: unknown action "casacde"; did you mean "cascade"? (tag "ref,ondelete=casacde")`,
		`schema: schema.R.D: unknown action "never": want restrict, cascade, setnull or noaction (tag "ref,ondelete=never")`,
		`schema: schema.R.A: ondelete=setnull needs a reference that can be nothing: add optional, or make the field a pointer (tag "ref,ondelete=setnull")`,
		`schema: schema.R.B: ondelete=setnull would change the record's primary key (tag "key,ref,optional,ondelete=setnull")`,
		`schema: schema.R._: ondelete=setnull is for fields of the record itself, not of nested structs (tag "ref=airports(Home.Code):optional:ondelete=setnull")`,
		`schema: schema.R.A: is ambiguous: 2 tables have a key of type schema.IATA; name one: ref=R or ref=airports (tag "ref,ondelete=setnull")`,
		`schema: schema.R.B: is ambiguous: 2 tables have a key of type schema.IATA; name one: ref=R or ref=airports (tag "key,ref,optional,ondelete=setnull")`,
		`schema: schema.R.C: is ambiguous: 2 tables have a key of type schema.IATA; name one: ref=R or ref=airports (tag "ref,ondelete=casacde")`,
		`schema: schema.R.D: is ambiguous: 2 tables have a key of type schema.IATA; name one: ref=R or ref=airports (tag "ref,ondelete=never")`,
	)},
	{"twice", func() []reflect.Type {
		type R struct {
			_  struct{} `kivis:"ref=airports(A)"`
			ID ID[R]
			A  IATA `kivis:"ref"`
		}
		return types(R{}, Airport{})
	}, lines(
		`schema: schema.R._: A is a reference already (tag "ref=airports(A)")`,
	)},
}

// lines returns the lines of an error.
func lines(list ...string) []string { return list }

func TestBadStructs(t *testing.T) {
	for _, test := range bad {
		t.Run(test.name, func(t *testing.T) {
			models, err := Compile(test.types()...)
			if err == nil {
				t.Fatalf("Compile = %v, and no error", models)
			}
			if got, want := err.Error(), strings.Join(test.want, "\n"); got != want {
				t.Errorf("Compile:\n%s\nwant:\n%s", got, want)
			}
			for _, err := range split(err) {
				if e := (*Error)(nil); !errors.As(err, &e) {
					t.Errorf("%v is not an *Error", err)
				}
			}
		})
	}
}
