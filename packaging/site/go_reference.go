// The reference of the Go package in a folder as Markdown: go run go_reference.go FOLDER
package main

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/doc"
	"go/format"
	"go/parser"
	"go/token"
	"log"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

var files = token.NewFileSet()

func main() {
	paths, _ := filepath.Glob(filepath.Join(os.Args[1], "*.go"))
	var sources []*ast.File
	for _, path := range paths {
		source, err := parser.ParseFile(files, path, nil, parser.ParseComments)
		if err != nil {
			log.Fatal(err)
		}
		sources = append(sources, source)
	}
	found, err := doc.NewFromFiles(files, sources, "./")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("# Package %s\n\n%s", found.Name, markdown(found, found.Doc))
	group(found, "Constants", found.Consts)
	group(found, "Variables", found.Vars)
	functions(found, "##", found.Funcs)
	for _, kind := range found.Types {
		fmt.Printf("\n## type `%s`\n\n%s\n%s", kind.Name, code(kind.Decl), markdown(found, kind.Doc))
		for _, values := range append(kind.Consts, kind.Vars...) {
			fmt.Printf("\n%s\n%s", code(values.Decl), markdown(found, values.Doc))
		}
		functions(found, "###", append(kind.Funcs, kind.Methods...))
	}
	for _, example := range found.Examples {
		fmt.Printf("\n## An example\n\n%s\n", code(example.Code))
	}
}

func group(found *doc.Package, title string, values []*doc.Value) {
	for number, value := range values {
		if number == 0 {
			fmt.Printf("\n## %s\n", title)
		}
		fmt.Printf("\n%s\n%s", code(value.Decl), markdown(found, value.Doc))
	}
}

func functions(found *doc.Package, level string, functions []*doc.Func) {
	for _, function := range functions {
		name := function.Name
		if function.Recv != "" {
			name = strings.TrimPrefix(function.Recv, "*") + "." + name
		}
		fmt.Printf("\n%s `%s`\n\n%s\n%s", level, name, code(function.Decl), markdown(found, function.Doc))
		for _, example := range function.Examples {
			fmt.Printf("\n%s\n", code(example.Code))
		}
	}
}

// code is a declaration without the body and the comment that stands below it.
func code(node ast.Node) string {
	switch node := node.(type) {
	case *ast.FuncDecl:
		node.Body, node.Doc = nil, nil
	case *ast.GenDecl:
		node.Doc = nil
	}
	var text bytes.Buffer
	if err := format.Node(&text, files, node); err != nil {
		log.Fatal(err)
	}
	return "```go\n" + text.String() + "\n```\n"
}

// markdown is a comment with its headings below ours. Names that it links are not pages of their own here.
func markdown(found *doc.Package, text string) string {
	printer := found.Printer()
	printer.HeadingLevel = 4
	written := string(printer.Markdown(found.Parser().Parse(text)))
	written = regexp.MustCompile(`\[([^\]]*)\]\([#/][^)]*\)`).ReplaceAllString(written, "`$1`")
	return regexp.MustCompile(` \{#hdr-[^}]*\}`).ReplaceAllString(written, "")
}
