package studio

import (
	"context"
	"net/url"
	"reflect"
	"regexp"
	"strings"

	"github.com/kivisdb/kivis"
	"github.com/kivisdb/kivis/codec"
	"github.com/kivisdb/kivis/query"
	"github.com/kivisdb/kivis/schema"
)

// plain is a text that may stand in a path as a key without quotes.
var plain = regexp.MustCompile(`^[A-Za-z0-9_-]+$`)

// keyText returns a key as it stands in the path of the record's page.
func keyText(key kivis.Key) string {
	if parts := key.Values(); len(parts) == 1 {
		if s, ok := parts[0].(string); ok && plain.MatchString(s) && s != "nil" {
			return s
		}
	}
	return key.String()
}

// recordURL returns where the page of a record is.
func (v *view) recordURL(table, key string) string {
	return v.tableURL(table) + "/" + url.PathEscape(key)
}

// tableURL returns where the page of a table is.
func (v *view) tableURL(table string) string { return v.Base + "/t/" + url.PathEscape(table) }

// targetOf returns the key of the record that rec refers to, or the zero Key
// where it refers to nothing.
func (s *server) targetOf(ref *schema.Ref, rec kivis.Record) kivis.Key {
	parts := make([]any, len(ref.Parts))
	for i := range ref.Parts {
		v, err := rec.Get(ref.Parts[i].Name)
		if err != nil || v == nil || ref.Optional && reflect.ValueOf(v).IsZero() {
			return kivis.Key{}
		}
		parts[i] = v
	}
	if whole, ok := parts[0].(codec.Members); ok && isWhole(ref) {
		parts = make([]any, len(whole))
		for i := range whole {
			parts[i] = whole[i].Value
		}
	}
	key, err := kivis.TableNamed(s.db, ref.Target.Name).KeyOf(parts...)
	if err != nil {
		return kivis.Key{}
	}
	return key
}

// link sets the links of a record's cells to what they refer to.
func (s *server) link(v *view, rec kivis.Record, cells []cell) {
	for _, ref := range rec.Table().Refs {
		if len(ref.Parts) != 1 || len(ref.Parts[0].Path) > 0 {
			continue // the record's page has it
		}
		if key := s.targetOf(ref, rec); !key.IsZero() {
			cells[ref.Parts[0].Column].Link = v.recordURL(ref.Target.Name, keyText(key))
		}
	}
}

// reference is a reference of a record to another one.
type reference struct {
	Field string `json:"field"`
	Table string `json:"table"`
	Key   string `json:"key"`
	URL   string `json:"url"`
}

// references returns what a record refers to.
func (s *server) references(v *view, rec kivis.Record) []reference {
	list := []reference{}
	for _, ref := range rec.Table().Refs {
		if key := s.targetOf(ref, rec); !key.IsZero() {
			list = append(list, reference{ref.Name, ref.Target.Name, key.String(), v.recordURL(ref.Target.Name, keyText(key))})
		}
	}
	return list
}

// referrers are the records of one table that refer to one.
type referrers struct {
	Table   string `json:"table"`
	Field   string `json:"field"`
	Where   string `json:"where"`
	URL     string `json:"url"`
	Records count  `json:"records"`
}

// referrers returns what refers to a record, counted: the records themselves are
// not read.
func (s *server) referrers(ctx context.Context, v *view, rec kivis.Record) []referrers {
	incoming := rec.Table().Incoming
	list := make([]referrers, len(incoming))
	counts := make([]panel[int], len(incoming))
	for i, ref := range incoming {
		where := whereRefers(ref, rec.Key())
		list[i] = referrers{Table: ref.Table.Name, Field: ref.Name, Where: where, URL: v.tableURL(ref.Table.Name) + "?" + url.Values{"where": {where}}.Encode()}
		counts[i] = s.startCount(ctx, kivis.TableNamed(s.db, ref.Table.Name).Where(where))
	}
	for i := range list {
		list[i].Records = counted(counts[i])
	}
	return list
}

// isWhole reports whether one field has the whole of a key of several parts.
func isWhole(ref *schema.Ref) bool { return len(ref.Parts) == 1 && len(ref.Target.Key.Parts) > 1 }

// whereRefers returns the predicate of the records that refer to a key.
func whereRefers(ref *schema.Ref, key kivis.Key) string {
	if isWhole(ref) {
		return query.Operand{Field: &query.Field{Name: ref.Parts[0].Name}}.String() + " = " + key.String()
	}
	terms := make([]string, len(ref.Parts))
	for i, v := range key.Values() {
		p := &ref.Parts[i]
		typ := p.Key.Base()
		typ.Ptr = typ.Ptr && v == nil
		literal := query.Literal{Type: &typ}
		literal.Exact, literal.Err = typ.AppendValue(nil, nil, nil, v)
		terms[i] = query.Cmp{Op: query.Eq, Field: query.Operand{Field: &query.Field{Name: p.Name}}, Value: literal}.String()
	}
	return strings.Join(terms, " and ")
}
