package schema

import (
	"errors"
	"fmt"
	"strings"

	"github.com/kivisdb/kivis/reflectx"
)

// A blankTag is what the tag of one blank field says about its struct.
type blankTag struct {
	text    string
	table   string
	was     []string // names of the table before
	removed []string // paths of stored names
	lists   []listTag
}

// A listTag is an option of a blank field that lists fields: an index, a
// unique index or a reference.
type listTag struct {
	kind     optionSet // optIndex, optUnique or optRef
	name     string    // of the index, or the table referred to
	parts    []partTag
	has      optionSet // optOptional, optDeferred and optOnDelete, of a reference
	onDelete Action
}

// A partTag is one field in a list.
type partTag struct {
	path string
	has  optionSet // optDesc, optEach, optFold and optNilEqual
}

// lists are the options of a blank field that list fields, and their shapes.
var lists = map[string]struct {
	kind  optionSet
	shape string
}{
	"index":  {optIndex, "index=NAME(F,G)"},
	"unique": {optUnique, "unique=NAME(F,G)"},
	"ref":    {optRef, "ref=TABLE(F,G)"},
}

// parseBlankTag returns what a blank field's tag says, and all that is wrong
// with it.
func parseBlankTag(text string) (blankTag, []error) {
	tag := blankTag{text: text}
	opts, errs := parseOptions(text)
	for _, o := range opts {
		errs = append(errs, tag.take(o)...)
	}
	return tag, errs
}

// take adds one option to the tag.
func (t *blankTag) take(o reflectx.Option) []error {
	switch {
	case o.Key == "table" && !o.HasValue:
		return []error{errors.New("table needs a value: table=NAME")}
	case o.Key == "table":
		t.table = o.Value
		return oneError(checkName(o.Value))
	case o.Key == "was" && !o.HasValue:
		return []error{errors.New("was needs a value: table=NEW,was=OLD")}
	case o.Key == "was":
		var err error
		t.was, err = splitNames(o.Value)
		return oneError(err)
	case o.Key == "removed" && !o.HasValue:
		return []error{errors.New("removed needs a value: removed=NAME")}
	case o.Key == "removed":
		return t.takeRemoved(o.Value)
	case lists[o.Key].kind == 0:
		return []error{unknownBlankOption(o.Key)}
	}
	list, errs := parseList(o)
	if len(errs) == 0 {
		t.lists = append(t.lists, list)
	}
	return errs
}

// takeRemoved takes the fields that are gone on purpose: a name, or a path as
// in Address.City, or several with | between.
func (t *blankTag) takeRemoved(value string) (errs []error) {
	for path := range strings.SplitSeq(value, "|") {
		path = strings.Trim(path, " ")
		for name := range strings.SplitSeq(path, ".") {
			if err := checkName(name); err != nil && len(errs) == 0 {
				errs = append(errs, err)
			}
		}
		t.removed = append(t.removed, path)
	}
	return errs
}

func oneError(err error) []error {
	if err == nil {
		return nil
	}
	return []error{err}
}

func unknownBlankOption(key string) error {
	for _, f := range fieldOptions {
		switch {
		case f.name != key:
		case f.needs == optRef:
			return fmt.Errorf("%s of a reference goes behind its fields: ref=TABLE(F,G):%s", key, max(f.shape, f.name))
		default:
			return fmt.Errorf("%s belongs on a field with a name", key)
		}
	}
	return unknown("option", key, []string{"table", "was", "index", "unique", "ref", "removed"})
}

// parseList parses index=NAME(...), unique=NAME(...) and ref=TABLE(...).
func parseList(o reflectx.Option) (listTag, []error) {
	list := listTag{kind: lists[o.Key].kind}
	name, inner, ok := strings.Cut(o.Value, "(")
	end := strings.LastIndexByte(inner, ')')
	if !ok || end < 0 || strings.Trim(inner[:end], " ") == "" {
		return list, []error{fmt.Errorf("%s on a blank field lists its fields: %s", o.Key, lists[o.Key].shape)}
	}
	list.name = strings.Trim(name, " ")
	errs := oneError(checkName(list.name))
	for part := range strings.SplitSeq(inner[:end], ",") {
		errs = append(errs, list.takePart(strings.Trim(part, " "))...)
	}
	return list, append(errs, list.takeSuffix(strings.Trim(inner[end+1:], " "))...)
}

// takePart adds one of the listed fields.
func (l *listTag) takePart(text string) (errs []error) {
	var part partTag
	rest, desc := strings.CutPrefix(text, "-")
	if desc {
		part.has |= optDesc
	}
	path, mods, more := strings.Cut(rest, ":")
	names := strings.Split(path, ".")
	for i, name := range names {
		names[i] = strings.Trim(name, " ")
		if len(errs) == 0 && checkName(names[i]) != nil {
			errs = append(errs, fmt.Errorf("%q is not a field, nor a path of fields as in Address.City", text))
		}
	}
	part.path = strings.Join(names, ".")
	for more && len(errs) == 0 {
		var mod string
		mod, mods, more = strings.Cut(mods, ":")
		errs = append(errs, oneError(part.modify(strings.Trim(mod, " ")))...)
	}
	if l.kind == optRef && part.has != 0 {
		errs = append(errs, fmt.Errorf("%s: the fields of a reference take no modifiers; they follow the order of the target's key", text))
	}
	l.parts = append(l.parts, part)
	return errs
}

// modify adds a modifier of a listed field.
func (p *partTag) modify(mod string) error {
	var bit optionSet
	switch mod {
	case "each":
		bit = optEach
	case "fold":
		bit = optFold
	case "nilequal":
		bit = optNilEqual
	case "desc":
		return fmt.Errorf("a descending part is written -%s", p.path)
	default:
		return fmt.Errorf("%s: %w", p.path, unknown("modifier", mod, []string{"each", "fold", "nilequal"}))
	}
	if p.has&bit != 0 {
		return fmt.Errorf("%s: repeated modifier %q", p.path, mod)
	}
	p.has |= bit
	return nil
}

// takeSuffix takes what stands behind the listed fields.
func (l *listTag) takeSuffix(text string) (errs []error) {
	if text == "" {
		return nil
	}
	mods, ok := strings.CutPrefix(text, ":")
	if !ok || l.kind != optRef {
		return []error{fmt.Errorf("unexpected %q behind the fields of %s", text, l.name)}
	}
	for mod := range strings.SplitSeq(mods, ":") {
		errs = append(errs, oneError(l.modify(strings.Trim(mod, " ")))...)
	}
	return errs
}

// modify adds a modifier of a reference.
func (l *listTag) modify(mod string) (err error) {
	key, value, has := strings.Cut(mod, "=")
	key, value = strings.Trim(key, " "), strings.Trim(value, " ")
	var bit optionSet
	switch {
	case mod == "optional":
		bit = optOptional
	case mod == "deferred":
		bit = optDeferred
	case key == "ondelete" && has:
		bit = optOnDelete
		l.onDelete, err = parseAction(value)
	default:
		return unknown("modifier", key, []string{"optional", "deferred", "ondelete"})
	}
	if l.has&bit != 0 {
		return fmt.Errorf("repeated modifier %q", key)
	}
	l.has |= bit
	return err
}
