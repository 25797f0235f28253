package reflectx

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// tagKey is the key of Kivis in struct tags.
const tagKey = "kivis"

// lookupTag returns the value of the kivis key in a struct tag, and whether
// there is one. Unlike [reflect.StructTag.Lookup] it does not pass over a tag
// that is malformed, miscased or repeated, where it might be one for Kivis.
func lookupTag(tag string) (value string, ok bool, err error) {
	for rest := strings.TrimLeft(tag, " "); rest != ""; rest = strings.TrimLeft(rest, " ") {
		key, quoted, found := strings.Cut(rest, ":")
		quote, qerr := strconv.QuotedPrefix(quoted)
		if !found || qerr != nil || quote[0] != '"' || strings.ContainsAny(key, " \"") {
			return value, ok, malformed(rest)
		}
		rest = quoted[len(quote):]
		if !strings.EqualFold(key, tagKey) {
			continue
		}
		if key != tagKey {
			return "", false, fmt.Errorf("struct tag %s:%s: did you mean %s:%[2]s?", key, quote, tagKey)
		}
		if ok {
			return "", false, fmt.Errorf("two %s struct tags: join them with a comma", tagKey)
		}
		if value, err = strconv.Unquote(quote); err != nil {
			return "", false, malformed(tag)
		}
		ok = true
	}
	return value, ok, nil
}

// malformed returns an error for the end of a struct tag that does not have
// the usual form, or nil if it does not name Kivis.
func malformed(tag string) error {
	if !strings.Contains(strings.ToLower(tag), tagKey) {
		return nil
	}
	return fmt.Errorf("malformed struct tag %s: want %s:\"...\"", strconv.Quote(tag), tagKey)
}

// ignored reports whether a tag says that its field is not stored.
func ignored(tag string) bool { return strings.Trim(tag, " ") == "-" }

// An Option is one of the comma-separated parts of a tag.
type Option struct {
	Key      string
	Value    string // what stands after the first =
	HasValue bool   // there was a =
	Pos      int    // where it begins in the tag, in bytes
}

// A TagError is one fault of a tag.
type TagError struct {
	Tag string
	Pos int // where in the tag, in bytes
	Msg string
}

// Error says what is wrong, and where.
func (e *TagError) Error() string {
	return fmt.Sprintf("%s at %d (tag %s)", e.Msg, e.Pos, strconv.Quote(e.Tag))
}

// ParseTag splits a tag into its options, which stand between commas outside
// of parentheses. Spaces around options, and around the first = in each, do
// not count. A tag of spaces alone has no options.
//
// Unbalanced parentheses, empty options, keys and values, and repeated options
// are errors: all of them are reported, each a [*TagError], joined. A key may
// come again with a value in parentheses that differs:
// "index=a(X),index=b(Y)".
func ParseTag(tag string) ([]Option, error) {
	if strings.Trim(tag, " ") == "" {
		return nil, nil
	}
	var opts []Option
	var errs []error
	for pos := 0; pos <= len(tag); {
		end, msg := optionEnd(tag, pos)
		if msg != "" {
			errs = append(errs, &TagError{tag, end, msg})
			break
		}
		opt, msg := parseOption(tag[pos:end], pos)
		if msg == "" {
			msg = repeated(opts, opt)
		}
		if msg != "" {
			errs = append(errs, &TagError{tag, opt.Pos, msg})
		}
		opts = append(opts, opt)
		pos = end + 1
	}
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	return opts, nil
}

// optionEnd returns where the option that begins at pos ends, or a fault of
// its parentheses and where that is.
func optionEnd(tag string, pos int) (end int, msg string) {
	depth, open := 0, 0
	for i := pos; i < len(tag); i++ {
		switch tag[i] {
		case '(':
			if depth == 0 {
				open = i
			}
			depth++
		case ')':
			if depth == 0 {
				return i, "unmatched )"
			}
			depth--
		case ',':
			if depth == 0 {
				return i, ""
			}
		}
	}
	if depth > 0 {
		return open, "unmatched ("
	}
	return len(tag), ""
}

// parseOption returns the option in text, which begins at pos, or its fault.
func parseOption(text string, pos int) (opt Option, msg string) {
	trimmed := strings.TrimLeft(text, " ")
	opt.Pos = pos + len(text) - len(trimmed)
	key, value, has := strings.Cut(trimmed, "=")
	opt.Key, opt.Value, opt.HasValue = strings.Trim(key, " "), strings.Trim(value, " "), has
	switch {
	case opt.Key == "" && !has:
		return opt, "empty option"
	case opt.Key == "":
		return opt, "no option before ="
	case has && opt.Value == "":
		return opt, fmt.Sprintf("no value after %s=", opt.Key)
	}
	return opt, ""
}

// repeated returns a fault if opt may not come after opts.
func repeated(opts []Option, opt Option) string {
	for _, o := range opts {
		if o.Key != opt.Key {
			continue
		}
		lists := strings.Contains(o.Value, "(") && strings.Contains(opt.Value, "(")
		if !lists || o.Value == opt.Value {
			return fmt.Sprintf("repeated option %q", opt.Key)
		}
	}
	return ""
}
