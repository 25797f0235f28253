package schema

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"

	"github.com/kivisdb/kivis/reflectx"
)

// An optionSet is a set of tag options.
type optionSet uint32

const (
	optKey optionSet = 1 << iota
	optAuto
	optContent
	optIndex
	optUnique
	optEach
	optDesc
	optFold
	optNilEqual
	optRef
	optOptional
	optOnDelete
	optName
	optWas
	optNew
	optSkip
	optDeferred
)

// A fieldTag is what the tag of one field says.
type fieldTag struct {
	text     string
	has      optionSet
	index    string // NAME of index=NAME and unique=NAME
	target   string // TABLE of ref=TABLE
	onDelete Action
	name     string
	was      []string
}

func (t *fieldTag) is(set optionSet) bool { return t.has&set != 0 }

// An option is one option of a field's tag: its name, whether it takes a
// value, which options must stand beside it, and what it does with its value.
type option struct {
	name  string
	bit   optionSet
	value valueRule
	shape string    // how it is written with a value
	needs optionSet // one of these must be there too
	set   func(t *fieldTag, value string) error
}

// A valueRule is whether an option takes a value.
type valueRule uint8

const (
	noValue valueRule = iota
	mayHaveValue
	mustHaveValue
)

// fieldOptions are the options of a field's tag. An option that needs others
// comes after them.
var fieldOptions = []option{
	{name: "key", bit: optKey},
	{name: "auto", bit: optAuto, needs: optKey},
	{name: "content", bit: optContent, needs: optKey},
	{name: "index", bit: optIndex, value: mayHaveValue, shape: "index=NAME", set: setIndexName},
	{name: "unique", bit: optUnique, value: mayHaveValue, shape: "unique=NAME", set: setIndexName},
	{name: "each", bit: optEach, needs: optIndex | optUnique},
	{name: "desc", bit: optDesc, needs: optIndex | optUnique | optKey},
	{name: "fold", bit: optFold, needs: optIndex | optUnique},
	{name: "nilequal", bit: optNilEqual, needs: optUnique},
	{name: "ref", bit: optRef, value: mayHaveValue, shape: "ref=TABLE", set: setName(func(t *fieldTag) *string { return &t.target })},
	{name: "optional", bit: optOptional, needs: optRef},
	{name: "deferred", bit: optDeferred, needs: optRef},
	{name: "ondelete", bit: optOnDelete, value: mustHaveValue, shape: "ondelete=cascade", needs: optRef, set: setAction},
	{name: "name", bit: optName, value: mustHaveValue, shape: "name=NAME", set: setName(func(t *fieldTag) *string { return &t.name })},
	{name: "was", bit: optWas, value: mustHaveValue, shape: "was=OLD", set: setWas},
	{name: "new", bit: optNew},
	{name: "-", bit: optSkip},
}

// exclusions are the sets of options of which a field may have one.
var exclusions = []struct {
	set optionSet
	why string
}{
	{optIndex | optUnique, "a unique index is an index, so keep unique"},
	{optWas | optNew, "a field is one that was, or a new one"},
	{optAuto | optContent, "a key is generated in one way"},
	{optAuto | optRef, "a generated key refers to nothing"},
	{optContent | optRef, "a generated key refers to nothing"},
}

// parseFieldTag returns what a field's tag says, and all that is wrong with
// it. What stands beside what is for checkTag, once the field's type has said
// what it implies.
func parseFieldTag(text string) (fieldTag, []error) {
	tag := fieldTag{text: text}
	opts, errs := parseOptions(text)
	for _, o := range opts {
		if err := tag.take(o); err != nil {
			errs = append(errs, err)
		}
	}
	if tag.is(optSkip) && tag.has != optSkip {
		errs = append(errs, errors.New(`"-" skips the field, so no other option may stand beside it`))
	}
	return tag, errs
}

// take adds one option to the tag.
func (t *fieldTag) take(o reflectx.Option) error {
	i := slices.IndexFunc(fieldOptions, func(f option) bool { return f.name == o.Key })
	if i < 0 {
		return unknownFieldOption(o)
	}
	f := fieldOptions[i]
	switch {
	case strings.Contains(o.Value, "("):
		return fmt.Errorf("%s=%s of several fields goes on a blank field: %s", o.Key, o.Value, onBlank(o.Key+"="+o.Value))
	case o.HasValue && f.value == noValue:
		return fmt.Errorf("%s takes no value, so drop =%s", o.Key, o.Value)
	case !o.HasValue && f.value == mustHaveValue:
		return fmt.Errorf("%s needs a value: %s", o.Key, f.shape)
	}
	t.has |= f.bit
	if !o.HasValue {
		return nil
	}
	return f.set(t, o.Value)
}

func unknownFieldOption(o reflectx.Option) error {
	if o.Key == "table" {
		return fmt.Errorf("table belongs on a blank field: %s", onBlank("table="+o.Value))
	}
	names := make([]string, len(fieldOptions))
	for i, f := range fieldOptions {
		names[i] = f.name
	}
	return unknown("option", o.Key, names)
}

// checkTag returns what is wrong with the options that stand beside each
// other in a tag. The implied ones come from the field's type, or from an
// embedded struct around it.
func checkTag(t *fieldTag, implied optionSet) (errs []error) {
	has := t.has | implied
	for _, f := range fieldOptions {
		if t.is(f.bit) && f.needs != 0 && has&f.needs == 0 {
			errs = append(errs, fmt.Errorf("%s needs %s, as in %q", f.name, orList(optionNames(f.needs)), example(f)))
		}
	}
	for _, x := range exclusions {
		if names := optionNames(has & x.set); len(names) > 1 && t.is(x.set) {
			errs = append(errs, fmt.Errorf("%s exclude each other: %s", strings.Join(names, " and "), x.why))
		}
	}
	return errs
}

// example shows an option beside the first that it needs.
func example(f option) string {
	text := f.name
	if f.value == mustHaveValue {
		text = f.shape
	}
	return optionNames(f.needs)[0] + "," + text
}

// optionNames returns the names of the options in a set.
func optionNames(set optionSet) (names []string) {
	for _, f := range fieldOptions {
		if set&f.bit != 0 {
			names = append(names, f.name)
		}
	}
	return names
}

func setIndexName(t *fieldTag, value string) error {
	if t.index != "" {
		return nil // index beside unique, which checkTag reports
	}
	t.index = value
	return checkName(value)
}

func setName(field func(*fieldTag) *string) func(*fieldTag, string) error {
	return func(t *fieldTag, value string) error {
		*field(t) = value
		return checkName(value)
	}
}

func setWas(t *fieldTag, value string) (err error) {
	t.was, err = splitList(value, func(name string) error {
		if isPath(name) {
			return checkPath(name)
		}
		return checkName(name)
	})
	return err
}

// splitNames returns the names in a list such as A|B.
func splitNames(value string) ([]string, error) { return splitList(value, checkName) }

func splitList(value string, check func(name string) error) ([]string, error) {
	names := strings.Split(value, "|")
	for i, name := range names {
		names[i] = strings.Trim(name, " ")
		if err := check(names[i]); err != nil {
			return nil, err
		}
		if slices.Contains(names[:i], names[i]) {
			return nil, fmt.Errorf("the name %s is there twice", names[i])
		}
	}
	return names, nil
}

func setAction(t *fieldTag, value string) (err error) {
	t.onDelete, err = parseAction(value)
	return err
}

func parseAction(value string) (Action, error) {
	if i := slices.Index(actionNames, value); i >= 0 {
		return Action(i), nil
	}
	if _, ok := reflectx.Nearest(value, actionNames); ok {
		return 0, unknown("action", value, actionNames)
	}
	return 0, fmt.Errorf("unknown action %q: want %s", value, orList(actionNames))
}

// checkName returns an error if s is not a NAME.
func checkName(s string) error {
	for i, r := range s {
		if r != '_' && !unicode.IsLetter(r) && (i == 0 || !unicode.IsDigit(r)) {
			return fmt.Errorf("%q is not a name: a name is a letter or _, then letters, digits or _", s)
		}
	}
	if s == "" {
		return errors.New("a name is empty")
	}
	return nil
}

// parseOptions splits a tag into its options, and returns what is wrong with
// its form.
func parseOptions(text string) ([]reflectx.Option, []error) {
	opts, err := reflectx.ParseTag(text)
	if err == nil {
		return opts, nil
	}
	var errs []error
	for _, err := range split(err) {
		if te := (*reflectx.TagError)(nil); errors.As(err, &te) {
			err = fmt.Errorf("%s at %d", te.Msg, te.Pos)
		}
		errs = append(errs, err)
	}
	return nil, errs
}

// split returns the errors that err joins, or err alone.
func split(err error) []error {
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		return joined.Unwrap()
	}
	return []error{err}
}

// unknown reports a word that is not among the candidates, with the one that
// was likely meant.
func unknown(what, word string, candidates []string) error {
	if near, ok := reflectx.Nearest(word, candidates); ok {
		return fmt.Errorf("unknown %s %q; did you mean %q?", what, word, near)
	}
	return fmt.Errorf("unknown %s %q", what, word)
}

// orList joins words as in "a, b or c".
func orList(words []string) string {
	if n := len(words); n > 1 {
		return strings.Join(words[:n-1], ", ") + " or " + words[n-1]
	}
	return strings.Join(words, "")
}

// onBlank returns a blank field with a tag, as it is to be written.
func onBlank(text string) string { return "_ struct{} `kivis:\"" + text + "\"`" }
