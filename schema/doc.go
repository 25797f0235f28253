// Package schema compiles Go structs into tables, keeps the catalog of what a
// database stores, and finds the differences between the two.
//
// [Compile] makes a [Model] of each record struct, or reports all that is
// wrong with all of them. [Plan] compares models with the stored [Catalog] and
// returns what is to change; it refuses what would lose data. [Bind] puts a
// catalog and models together as a [Set] of [Table] values, which is what
// records are read and written by. All three are pure: they do no input or
// output, and change nothing that they are given.
//
// # Tags
//
// A record is a struct. What Kivis stores of it are its exported fields, those
// of embedded structs among them, as Go promotes them. Fields are described by
// a struct tag with options between commas, as in:
//
//	type Article struct {
//		_        struct{}      `kivis:"table=articles,index=bytag(Tags:each,-Posted)"`
//		ID       kivis.ID[Article]
//		Slug     string          `kivis:"unique,fold"`
//		Author   kivis.ID[User]  `kivis:"ondelete=cascade"`
//		Reviewer *kivis.ID[User] `kivis:"ondelete=setnull"`
//		Airport  IATA            `kivis:"ref,optional"`
//		Title    string          `kivis:"name=headline,was=Heading"`
//		Posted   time.Time       `kivis:"index,desc"`
//		Tags     []string
//		Address  Address
//		draft    string
//		Cache    *bytes.Buffer   `kivis:"-"`
//	}
//
// Spaces around options do not count. A NAME is a letter or _, then letters,
// digits or _. Whatever is unknown, misspelt, repeated, contradictory or not
// applicable is an error, which names the type, the field, the tag and, where
// it can, what was meant.
//
// The options of a field:
//
//   - "key": the field is the primary key, or one of several fields that are,
//     in their order. On an embedded struct all of its fields are. A key must
//     have an order and be comparable with ==. Without a key field the record
//     needs a method PrimaryKey() K that computes the key; with both they must
//     agree.
//   - "auto", beside key: the field is generated where it is zero. An integer
//     is drawn from the table's sequence; 16 bytes are a UUID of version 7.
//     It is the last part of the key.
//   - "content", beside key: the field, 32 bytes, is the SHA-256 of the other
//     stored fields.
//   - "index", "index=NAME": the field has an index, named after it or NAME.
//     An index of several fields goes on a blank field.
//   - "unique", "unique=NAME": the same, and no two records may have one value;
//     nil apart.
//   - "each", beside index or unique: on a slice one entry for each element, on
//     a map one for each key.
//   - "desc", beside key, index or unique: the part descends.
//   - "fold", beside index or unique: strings are compared without regard to
//     case, as [strings.EqualFold] does.
//   - "nilequal", beside unique: nil is a value like others, which one record
//     may have. The field can be nil.
//   - "ref", "ref=TABLE": the field is the primary key of a record in TABLE, or
//     in the one table whose key has the type of the field, or the type that
//     the field points to. A kivis.ID of another record is a reference without
//     the tag; so is one of the record itself, unless the field is named ID.
//     A reference has an index of its own, unless its field has one.
//   - "optional", beside ref: a zero value refers to nothing. A nil pointer
//     does so anyway.
//   - "deferred", beside ref: the reference is checked when the outermost
//     transaction commits, and not at the end of each call.
//   - "ondelete=ACTION", beside ref: what becomes of this record when the one
//     that it refers to goes. "restrict", the default, forbids that; "cascade"
//     deletes this one too; "setnull" sets the field to nil or zero, and needs
//     a pointer or optional; "noaction" leaves it as it is.
//   - "name=NAME": the field is stored by this name, and not its own.
//   - "was=NAME", "was=NAME|NAME": the field was stored by this name, or these,
//     before. It may stay for good.
//   - "new": the field is a new one, though one of its type is gone. It may
//     stay for good.
//   - "-": the field is not stored.
//
// The options of a blank field, _ struct{}, speak of the whole record. There
// may be several such fields, and they may be in embedded structs:
//
//   - "table=NAME": the name of the table, and not that of the type. The table
//     of Box[Item] is Box_Item without it, of Box[[]Item] Box_slice_Item and of
//     Box[*Item] Box_ptr_Item; one that an earlier release has named otherwise
//     keeps its name.
//   - "was=NAME", "was=NAME|NAME": the table was named so before. It may stay for
//     good.
//   - "index=NAME(F,G,...)", "unique=NAME(F,G,...)": an index of several
//     fields, or of nested ones. -F descends, F:each, F:fold and F:nilequal are
//     as the options above. Fields are Go names or stored ones, and paths of them such
//     as Address.City, which may lead through a pointer. Lines.SKU:each is a field of
//     the elements of a slice, or of the values of a map.
//   - "removed=NAME", "removed=NAME|A.B": the field is gone on purpose, where
//     the struct would else be taken for that of an older program. It may stay
//     for good.
//   - "ref=TABLE(F,G,...)": a reference of several fields, in the order of the
//     key of TABLE. ":optional", ":deferred" and ":ondelete=ACTION" may come
//     behind it. With setnull the pointers among the fields become nil, or else
//     the last field that is not in the primary key becomes zero.
//
// A field ID of type kivis.ID of its own record, such as kivis.Auto embeds, is
// "key,auto" without a tag.
//
// The fields of a struct in a field with a name may have the options name=,
// was=, new and "-" alone.
//
// # Ids and versions
//
// Tables, fields and indexes have ids in the catalog, which are never given
// again and depend neither on Go names nor on the order in which types are
// registered. Each change of a table's fields is a new version of it; records
// are stored with the number of theirs, and read by [Table.Converter].
package schema
