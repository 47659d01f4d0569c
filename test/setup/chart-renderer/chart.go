package main

import (
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"sort"
	"strings"

	"github.com/ghodss/yaml"
)

// chart is a chart's folder, read.
type chart struct {
	// metadata is Chart.yaml, with the keys that templates know: .Chart.Name, .Chart.AppVersion.
	metadata object
	values   object
	// templates are the names of files below templates/, in order.
	templates []string
	files     files
}

func loadChart(folder string) (chart, error) {
	loaded := chart{metadata: object{}, files: files{}}
	declared, err := readObject(filepath.Join(folder, "Chart.yaml"))
	if err != nil {
		return loaded, err
	}
	for key, value := range declared {
		loaded.metadata[strings.ToUpper(key[:1])+key[1:]] = value
	}
	if loaded.values, err = readObject(filepath.Join(folder, "values.yaml")); err != nil {
		return loaded, err
	}
	root := os.DirFS(folder)
	err = fs.WalkDir(root, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := fs.ReadFile(root, name)
		if err != nil {
			return err
		}
		loaded.files[name] = string(content)
		if strings.HasPrefix(name, "templates/") {
			loaded.templates = append(loaded.templates, name)
		}
		return nil
	})
	sort.Strings(loaded.templates)
	return loaded, err
}

// files is what templates see as .Files.
type files map[string]string

func (f files) Get(name string) string { return f[name] }

func (f files) Glob(pattern string) files {
	matching := files{}
	for name, content := range f {
		if matches, _ := path.Match(pattern, name); matches {
			matching[name] = content
		}
	}
	return matching
}

func (f files) AsConfig() string {
	entries := map[string]string{}
	for name, content := range f {
		entries[path.Base(name)] = content
	}
	text, _ := yaml.Marshal(entries)
	return strings.TrimSuffix(string(text), "\n")
}
