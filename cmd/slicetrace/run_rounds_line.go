package main

import (
	"fmt"
	"slices"
	"strings"
)

// commandShell runs the command lines that need a shell.
const commandShell = "/bin/sh"

// shellWords are the names that only a shell knows, if they are a line's first word.
var shellWords = strings.Fields(`! . : alias bg break case cd command continue do done elif else esac eval exec
	exit export fg fi for function getopts hash if jobs local read readonly return select set shift source then
	time times trap type ulimit umask unalias unset until wait while {`)

// argvOf returns what is executed for a command line. As in make, a line without anything that is special to a
// shell is split into words and executed directly: then nothing but the program's own tasks is traced. Any other
// line is left to /bin/sh.
func argvOf(line string) ([]string, error) {
	words, simple, err := splitLine(line)
	switch {
	case err != nil:
		return nil, err
	case len(words) == 0:
		return nil, fmt.Errorf("%q is no command", line)
	case !simple, words[0] == "", strings.Contains(words[0], "="), slices.Contains(shellWords, words[0]):
		return []string{commandShell, "-c", line}, nil
	}
	return words, nil
}

// The characters that mean something to a shell, outside of quotes and within double quotes.
const (
	meant         = "|&;<>()$`*?[]#~{}!\n"
	meantInQuotes = "$`!"
)

// splitLine splits a line into words at its blanks, as a shell does. simple is false if a shell would do more
// than that. The error says that a quote has no end.
func splitLine(line string) (words []string, simple bool, err error) {
	simple = true
	var word strings.Builder
	begun, quote := false, rune(0)
	runes := []rune(line)
	for i := 0; i < len(runes); i++ {
		c := runes[i]
		switch {
		case quote != 0 && c == quote:
			quote = 0
		case quote == '\'':
			word.WriteRune(c)
		case c == '\\' && i+1 < len(runes):
			i++
			if quote == '"' && !strings.ContainsRune("\\\"$`\n", runes[i]) {
				word.WriteRune(c)
			}
			word.WriteRune(runes[i])
			begun = true
			simple = simple && runes[i] != '\n'
		case quote == '"':
			simple = simple && !strings.ContainsRune(meantInQuotes, c)
			word.WriteRune(c)
		case c == '\'' || c == '"':
			quote, begun = c, true
		case c == ' ' || c == '\t':
			if begun {
				words = append(words, word.String())
			}
			word.Reset()
			begun = false
		default:
			simple = simple && !strings.ContainsRune(meant, c)
			word.WriteRune(c)
			begun = true
		}
	}
	if quote != 0 {
		return nil, false, fmt.Errorf("the quote %c has no end", quote)
	}
	if begun {
		words = append(words, word.String())
	}
	return words, simple, nil
}
