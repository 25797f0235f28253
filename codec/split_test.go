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
		{"920193a162c302", []int{1, Element, 4}, "93a162c302"},
		{"920103", []int{1, Element, 4}, "03"},
		{"92c001", []int{0, 1, Element, 4}, "c0"},
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

func TestElementsAt(t *testing.T) {
	for _, tt := range []struct {
		value string
		path  []int
		want  string
	}{
		{"939201a1619202a1629203a163", []int{7, Element, 1}, "[a161 a162 a163]"},
		{"939201a161c0929202", []int{Element, 0}, "[01 c0] corrupt"},
		{"92920191059202c0", []int{Element, 1, 0}, "[05 c0]"},
		{"8201920304029205c0", []int{Element, 1}, "[04 c0]"},
		{"820192030402c0", []int{Element, 1}, "[04 c0]"},
		{"820192030402c0", []int{1}, "[01 02]"},
		{"920102", []int{3, Element}, "[01 02]"},
		{"c0", []int{Element, 1}, "[]"}, {"90", []int{Element, 1}, "[]"},
		{"01", []int{Element, 1}, "[] corrupt"}, {"9101", []int{Element, 1}, "[] corrupt"}, {"929201029101", []int{Element, 1}, "[02] corrupt"},
		{"8101", []int{Element, 0}, "[] corrupt"}, {"81c1", []int{Element, 0}, "[] corrupt"}, {"929102", []int{Element, 0}, "[02] corrupt"},
	} {
		var list []string
		err := ElementsAt(unhex(t, tt.value), tt.path, func(elem []byte) error {
			list = append(list, hex.EncodeToString(elem))
			return nil
		})
		got := fmt.Sprint(list)
		if errors.Is(err, ErrCorrupt) {
			got += " corrupt"
		} else if err != nil {
			t.Errorf("ElementsAt(%s, %v) = %v", tt.value, tt.path, err)
		}
		if got != tt.want {
			t.Errorf("ElementsAt(%s, %v) gives %s, want %s", tt.value, tt.path, got, tt.want)
		}
	}
}
