package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"
	"text/template"

	"github.com/Masterminds/sprig"
	"github.com/ghodss/yaml"
)

// What every cluster of a supported version has.
var usualAPIs = apiVersions{
	"v1", "apps/v1", "batch/v1", "policy/v1", "autoscaling/v2", "networking.k8s.io/v1", "rbac.authorization.k8s.io/v1",
	"admissionregistration.k8s.io/v1",
}

// apiVersions is what templates see as .Capabilities.APIVersions.
type apiVersions []string

func (versions apiVersions) Has(wanted string) bool {
	for _, version := range versions {
		if version == wanted {
			return true
		}
	}
	return false
}

// render writes the objects, or the notes, each below the name of its template; nothing where any of them fails.
func render(loaded chart, values object, options request, out io.Writer) error {
	// Templates include each other by the chart's name and their path.
	prefix := fmt.Sprint(loaded.metadata["Name"]) + "/"
	root := template.New(prefix).Option("missingkey=zero")
	root.Funcs(functions(root))
	for _, name := range loaded.templates {
		if _, err := root.New(prefix + name).Parse(loaded.files[name]); err != nil {
			return fmt.Errorf("parse error at (%s): %w", prefix+name, err)
		}
	}
	data := templateData(loaded, values, options)
	var all strings.Builder
	for _, name := range loaded.templates {
		if !isSelected(name, options) {
			continue
		}
		data["Template"] = object{"Name": prefix + name, "BasePath": prefix + "templates"}
		text, err := execute(root, prefix+name, data)
		if err != nil {
			return fmt.Errorf("execution error at (%s): %w", prefix+name, err)
		}
		if text = strings.TrimSpace(text); text == "" {
			continue
		}
		if !options.notes {
			text = fmt.Sprintf("---\n# Source: %s\n%s", prefix+name, text)
		}
		fmt.Fprintln(&all, text)
	}
	_, err := io.WriteString(out, all.String())
	return err
}

func isSelected(name string, options request) bool {
	base := path.Base(name)
	if options.notes {
		return base == "NOTES.txt"
	}
	isObject := !strings.HasPrefix(base, "_") && (path.Ext(base) == ".yaml" || path.Ext(base) == ".yml")
	return isObject && (len(options.showOnly) == 0 || apiVersions(options.showOnly).Has(name))
}

func templateData(loaded chart, values object, options request) object {
	version := strings.TrimPrefix(options.kubeVersion, "v")
	major, rest, _ := strings.Cut(version, ".")
	minor, _, _ := strings.Cut(rest, ".")
	if minor == "" {
		minor = "0"
	}
	return object{
		"Values": values,
		"Chart":  loaded.metadata,
		"Files":  loaded.files,
		"Release": object{
			"Name": options.release, "Namespace": options.namespace, "Service": "Helm", "Revision": 1,
			"IsInstall": !options.isUpgrade, "IsUpgrade": options.isUpgrade,
		},
		"Capabilities": object{
			"KubeVersion": object{"Version": "v" + version, "GitVersion": "v" + version, "Major": major, "Minor": minor},
			"APIVersions": append(apiVersions(options.apiVersions), usualAPIs...),
			"HelmVersion": object{"Version": "v3.19.0"},
		},
	}
}

// execute runs a template. What has no value is empty, where the engine alone would say so.
func execute(root *template.Template, name string, data interface{}) (string, error) {
	var out strings.Builder
	err := root.ExecuteTemplate(&out, name, data)
	return strings.ReplaceAll(out.String(), "<no value>", ""), err
}

// functions are sprig's, without those that would read the environment, and those that helm adds.
func functions(root *template.Template) template.FuncMap {
	all := sprig.TxtFuncMap()
	delete(all, "env")
	delete(all, "expandenv")
	all["toYaml"] = func(value interface{}) string {
		text, _ := yaml.Marshal(value)
		return strings.TrimSuffix(string(text), "\n")
	}
	all["toJson"] = func(value interface{}) string {
		text, _ := json.Marshal(value)
		return string(text)
	}
	all["fromYaml"] = func(text string) object {
		out := object{}
		if err := yaml.Unmarshal([]byte(text), &out); err != nil {
			out["Error"] = err.Error()
		}
		return out
	}
	// JSON is YAML.
	all["fromJson"] = all["fromYaml"]
	all["fromYamlArray"] = func(text string) []interface{} {
		var out []interface{}
		if err := yaml.Unmarshal([]byte(text), &out); err != nil {
			return []interface{}{err.Error()}
		}
		return out
	}
	all["required"] = func(message string, value interface{}) (interface{}, error) {
		if value == nil || value == "" {
			return nil, errors.New(message)
		}
		return value, nil
	}
	all["fail"] = func(message string) (string, error) { return "", errors.New(message) }
	// As helm does without a cluster.
	all["lookup"] = func(_, _, _, _ string) object { return object{} }
	all["include"] = func(name string, data interface{}) (string, error) { return execute(root, name, data) }
	all["tpl"] = func(text string, data interface{}) (string, error) {
		clone, err := root.Clone()
		if err != nil {
			return "", err
		}
		if _, err := clone.New("tpl").Parse(text); err != nil {
			return "", err
		}
		return execute(clone, "tpl", data)
	}
	return all
}
