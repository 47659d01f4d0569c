package main

import (
	"fmt"
	"os"
	"strconv"
	"strings"

	"github.com/ghodss/yaml"
)

// object is a mapping of YAML.
type object = map[string]interface{}

// assignment is KEY=VALUE of --set or, as a string, of --set-string.
type assignment struct {
	text     string
	isString bool
}

func readObject(path string) (object, error) {
	content, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	out := object{}
	if err := yaml.Unmarshal(content, &out); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return out, nil
}

// mergeValues lays files and then assignments over a chart's own values.
func mergeValues(values object, files []string, assignments []assignment) (object, error) {
	for _, file := range files {
		over, err := readObject(file)
		if err != nil {
			return nil, err
		}
		overlay(values, over)
	}
	for _, one := range assignments {
		if err := one.apply(values); err != nil {
			return nil, err
		}
	}
	return values, nil
}

// overlay changes values as helm does: mappings are merged, null removes a key, everything else replaces what was there.
func overlay(values, over object) {
	for key, value := range over {
		if value == nil {
			delete(values, key)
			continue
		}
		inner, isObject := value.(object)
		present, wasObject := values[key].(object)
		if isObject && wasObject {
			overlay(present, inner)
		} else {
			values[key] = value
		}
	}
}

// apply sets a.b.c=value; a backslash before a dot makes it part of a key. Indexes of lists are rejected.
func (a assignment) apply(values object) error {
	path, text, found := strings.Cut(a.text, "=")
	if !found || strings.Contains(path, "[") {
		return fmt.Errorf("--set %q: must be KEY=VALUE, without an index of a list", a.text)
	}
	const dot = "\x00"
	keys := strings.Split(strings.ReplaceAll(path, `\.`, dot), ".")
	for i, key := range keys {
		keys[i] = strings.ReplaceAll(key, dot, ".")
	}
	inner, last := values, keys[len(keys)-1]
	for _, key := range keys[:len(keys)-1] {
		next, isObject := inner[key].(object)
		if !isObject {
			next = object{}
			inner[key] = next
		}
		inner = next
	}
	if value := a.value(text); value != nil {
		inner[last] = value
	} else {
		delete(inner, last)
	}
	return nil
}

func (a assignment) value(text string) interface{} {
	if a.isString {
		return text
	}
	switch text {
	case "null":
		return nil
	case "true", "false":
		return text == "true"
	}
	if number, err := strconv.ParseInt(text, 10, 64); err == nil {
		return number
	}
	return text
}
