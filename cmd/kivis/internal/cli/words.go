package cli

import (
	"errors"
	"strings"
)

// word is a word of a line given to the shell.
type word struct {
	text     string // without its quotation marks
	from, to int    // where it is in the line
	whole    bool   // all of it stood in one pair of quotation marks, or none of it
}

// splitWords splits a line into words, as shells do: between spaces, unless these
// stand in 'these' or "these" quotation marks. A backslash in the latter, or outside
// of both, makes the next character one of the word.
func splitWords(line string) ([]word, error) {
	var words []word
	for at := 0; ; {
		for at < len(line) && (line[at] == ' ' || line[at] == '\t') {
			at++
		}
		if at == len(line) {
			return words, nil
		}
		w, err := nextWord(line, at)
		if err != nil {
			return nil, err
		}
		words = append(words, w)
		at = w.to
	}
}

// nextWord returns the word that begins at a place of a line.
func nextWord(line string, at int) (word, error) {
	w := word{from: at}
	var b strings.Builder
	quotes, quote := 0, byte(0)
	for ; at < len(line); at++ {
		ch := line[at]
		switch {
		case ch == quote && quote != 0:
			quote = 0
		case quote == 0 && (ch == '\'' || ch == '"'):
			quote = ch
			quotes++
		case quote == 0 && (ch == ' ' || ch == '\t'):
			w.end(line, at, quotes, b.String())
			return w, nil
		case ch == '\\' && quote != '\'' && at+1 < len(line):
			at++
			b.WriteByte(line[at])
		default:
			b.WriteByte(ch)
		}
	}
	w.end(line, at, quotes, b.String())
	if quote != 0 {
		return w, errors.New("a quotation mark has no other: " + line[w.from:])
	}
	return w, nil
}

func (w *word) end(line string, to, quotes int, text string) {
	w.to, w.text = to, text
	raw := line[w.from:to]
	w.whole = quotes == 0 || quotes == 1 && len(raw) > 1 && raw[0] == raw[len(raw)-1]
}

// joined are the commands whose words behind the table, up to the first flag, are
// one argument, in quotation marks or not: a predicate, a key or a record.
var joined = map[string]bool{"query": true, "export": true, "watch": true, "get": true, "delete": true, "put": true}

// apart are the commands that are on files, and on no database of the shell.
var apart = map[string]bool{"struct": true, "verify": true, "restore": true}

// arguments returns what a line given to the shell is on the command line: its
// words with the database behind the first. A record behind put, which there comes
// from standard input, is apart.
func arguments(line, db string) (args []string, record string, err error) {
	words, err := splitWords(line)
	if err != nil || len(words) == 0 {
		return nil, "", err
	}
	command := words[0].text
	args = []string{command}
	if !apart[command] && !strings.HasPrefix(command, "-") {
		args = append(args, db)
	}
	words = words[1:]
	if !joined[command] || len(words) < 2 {
		return append(args, texts(words)...), "", nil
	}
	end := 1
	for end < len(words) && !strings.HasPrefix(words[end].text, "--") {
		end++
	}
	args = append(args, words[0].text)
	if run := words[1:end]; len(run) > 0 {
		text := run[0].text
		if len(run) > 1 || !run[0].whole || command == "put" {
			text = line[run[0].from:run[len(run)-1].to]
		}
		if command == "put" {
			record = text
		} else {
			args = append(args, text)
		}
	}
	return append(args, texts(words[end:])...), record, nil
}

func texts(words []word) []string {
	list := make([]string, len(words))
	for i, w := range words {
		list[i] = w.text
	}
	return list
}
