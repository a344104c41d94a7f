package explain

import (
	"fmt"
	"slices"
	"strings"
)

// Topic is a claim's lesson or a word: one of the two is nil.
type Topic struct {
	Lesson *Lesson
	Word   *Word
}

// All returns the topics of all claims, and then of all words.
func All() (topics []Topic) {
	lessons, words := Lessons(), Words()
	for i := range lessons {
		topics = append(topics, Topic{Lesson: &lessons[i]})
	}
	for i := range words {
		topics = append(topics, Topic{Word: &words[i]})
	}
	return topics
}

// names are those by which a topic can be asked for.
func (t Topic) names() []string {
	if t.Lesson != nil {
		return []string{t.Lesson.ID, t.Lesson.Title}
	}
	return t.Word.Names
}

// Find returns the topic of a claim, C1 to C17, of its title, or of a word. Case does not matter, nor a plural "s", and
// a part of a name is enough if no other topic has it.
func Find(name string) (Topic, error) {
	name = strings.ToLower(strings.TrimSpace(name))
	topics := All()
	for _, wanted := range []string{name, strings.TrimSuffix(name, "s")} {
		is := func(known string) bool { return strings.EqualFold(known, wanted) }
		if i := slices.IndexFunc(topics, func(t Topic) bool { return slices.ContainsFunc(t.names(), is) }); i >= 0 {
			return topics[i], nil
		}
	}
	var found []Topic
	var like []string
	for _, t := range topics {
		has := func(known string) bool { return name != "" && strings.Contains(strings.ToLower(known), name) }
		if i := slices.IndexFunc(t.names(), has); i >= 0 {
			found, like = append(found, t), append(like, fmt.Sprintf("%q", t.names()[i]))
		}
	}
	switch len(found) {
	case 0:
		return Topic{}, fmt.Errorf("no claim or word is called %q: slicetrace explain lists them all", name)
	case 1:
		return found[0], nil
	}
	return Topic{}, fmt.Errorf("%q can be %s: which one?", name, strings.Join(like, " or "))
}

// Name is what a topic is called first.
func (t Topic) Name() string { return t.names()[0] }
