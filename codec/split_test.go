package codec

import (
	"encoding/hex"
	"errors"
	"fmt"
	"reflect"
	"testing"
)

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestSplit(t *testing.T) {
	body := unhex(t, "01a161920102c0")
	buf := make([]uint32, 3, 8)
	if got, err := Split(body, 4, buf); !reflect.DeepEqual(got, []uint32{0, 1, 3, 6, 7}) || &got[0] != &buf[0] || err != nil {
		t.Errorf("Split = %v, %v", got, err)
	}
	if got, err := SplitFirst(body, 2, buf); !reflect.DeepEqual(got, []uint32{0, 1, 3}) || err != nil {
		t.Errorf("SplitFirst = %v, %v", got, err)
	}
	if got, err := Split(nil, 0, nil); !reflect.DeepEqual(got, []uint32{0}) || err != nil {
		t.Errorf("Split of nothing = %v, %v", got, err)
	}
	for _, tt := range []struct {
		body string
		n    int
	}{{"0101", 1}, {"01", 2}, {"", 1}, {"01", 0}, {"92", 1}, {"c1", 1}} {
		if got, err := Split(unhex(t, tt.body), tt.n, buf); !errors.Is(err, ErrCorrupt) || len(got) > 0 {
			t.Errorf("Split(%s, %d) = %v, %v, want ErrCorrupt", tt.body, tt.n, got, err)
		}
	}
}

func TestSelect(t *testing.T) {
	for _, tt := range []struct {
		value string
		path  []int
		want  string // "" for an error
	}{
		{"0102", nil, "01"},
		{"930192a162c302c4", []int{1, 0}, "a162"},
		{"930192a162c302", []int{1}, "92a162c3"},
		{"9301c002", []int{1, 0, 5}, "c0"},
		{"c0", []int{0}, "c0"},
		{"9101", []int{1}, ""},
		{"01", []int{0}, ""},
		{"92c101", []int{1}, ""},
		{"", nil, ""},
		{"a2", nil, ""},
	} {
		got, err := Select(unhex(t, tt.value), tt.path)
		if tt.want == "" {
			if !errors.Is(err, ErrCorrupt) {
				t.Errorf("Select(%s, %v) = %x, %v, want ErrCorrupt", tt.value, tt.path, got, err)
			}
		} else if hex.EncodeToString(got) != tt.want || err != nil || IsNil(got) != (tt.want == "c0") {
			t.Errorf("Select(%s, %v) = %x, %v, want %s", tt.value, tt.path, got, err, tt.want)
		}
	}
}

func TestElements(t *testing.T) {
	for _, tt := range []struct{ value, want string }{
		{"c0", "[]"}, {"90", "[]"}, {"80", "[]"},
		{"93019102c0", "[01 9102 c0]"},
		{"82a16101029103", "[a161 02]"},
		{"01", "[] corrupt"}, {"9201", "[] corrupt"}, {"9201c1", "[01] corrupt"}, {"8101c1", "[01] corrupt"}, {"", "[] corrupt"},
	} {
		var list []string
		err := Elements(unhex(t, tt.value), func(elem []byte) error {
			list = append(list, hex.EncodeToString(elem))
			return nil
		})
		got := fmt.Sprint(list)
		if errors.Is(err, ErrCorrupt) {
			got += " corrupt"
		} else if err != nil {
			t.Errorf("Elements(%s) = %v", tt.value, err)
		}
		if got != tt.want {
			t.Errorf("Elements(%s) gives %s, want %s", tt.value, got, tt.want)
		}
	}
	stop := errors.New("stop")
	if err := Elements([]byte{0x91, 1}, func([]byte) error { return stop }); err != stop {
		t.Errorf("Elements = %v, want the error of the function", err)
	}
}
