// Copyright (c) 2026, Smarthost Maintainers
// GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

// Reads one file as a Go application does and prints it as JSON: readers gitea|grafana|json|yaml FILE.
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"regexp"

	ini "gopkg.in/ini.v1"
	"gopkg.in/yaml.v3"
)

// Grafana replaces this in every value of its ini file (pkg/setting/expanders.go).
var expanded = regexp.MustCompile(`\$(|__\w+){([^}]+)}`)

func sections(options ini.LoadOptions, path string, change func(string) string) (interface{}, error) {
	file, err := ini.LoadSources(options, path)
	if err != nil {
		return nil, err
	}
	read := map[string]map[string]string{}
	for _, section := range file.Sections() {
		keys := map[string]string{}
		for _, key := range section.Keys() {
			keys[key.Name()] = change(key.String())
		}
		read[section.Name()] = keys
	}
	return read, nil
}

func read(kind, path string) (interface{}, error) {
	switch kind {
	case "gitea":
		options := ini.LoadOptions{KeyValueDelimiterOnWrite: " = ", IgnoreContinuation: true}
		return sections(options, path, func(value string) string { return value })
	case "grafana":
		return sections(ini.LoadOptions{}, path, func(value string) string { return expanded.ReplaceAllString(value, "EXPANDED") })
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	tree := map[string]interface{}{}
	if kind == "json" {
		err = json.Unmarshal(text, &tree)
	} else {
		err = yaml.Unmarshal(text, &tree)
	}
	return tree, err
}

func main() {
	tree, err := read(os.Args[1], os.Args[2])
	if err == nil {
		err = json.NewEncoder(os.Stdout).Encode(tree)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
