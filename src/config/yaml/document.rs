//! A YAML file as a tree, its scalars as they are written: what each means depends on the key that it is for.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::rc::Rc;

use granit_parser::{Event, Parser, ScalarStyle, Tag};

/// Merge keys may name each other's mappings; beyond this a file is meant to take memory.
const MAX_MERGED: usize = 10_000;
/// By aliases a tree may be deeper than the parser lets collections nest, and it is freed from the top.
const MAX_DEPTH: usize = 1_000;

/// Aliases share what their anchor names.
pub(super) type Node<'a> = Rc<Value<'a>>;

#[derive(Debug)]
pub(super) enum Value<'a> {
    Scalar(Scalar<'a>),
    Sequence(Vec<Node<'a>>),
    Mapping(Mapping<'a>),
}

#[derive(Debug)]
pub(super) struct Scalar<'a> {
    pub(super) text: Cow<'a, str>,
    style: ScalarStyle,
    tag: Option<Cow<'a, Tag>>,
}

/// Entries in the order of the file; those of a merge key (`<<`) come last, where none of the mapping's own has their name.
#[derive(Debug, Default)]
pub(super) struct Mapping<'a> {
    entries: Vec<Entry<'a>>,
}

#[derive(Debug, Clone)]
pub(super) struct Entry<'a> {
    key: Node<'a>,
    pub(super) value: Node<'a>,
    /// Where the key stands, from 1.
    pub(super) line: usize,
}

impl Scalar<'_> {
    pub(super) fn is_null(&self) -> bool {
        let plain = self.tag.is_none() && self.style == ScalarStyle::Plain;
        let text = matches!(&*self.text, "" | "~" | "null" | "Null" | "NULL");
        self.has_tag("null") || plain && text
    }

    /// Whether it is in quotes, or a tag says that it is text.
    pub(super) fn is_text(&self) -> bool {
        self.style != ScalarStyle::Plain && self.tag.is_none() || self.has_tag("str")
    }

    /// Whether a tag says that it is something else than its text (`!!int`, `!mine`).
    pub(super) fn is_tagged(&self) -> bool {
        self.tag.is_some() && !self.has_tag("str")
    }

    fn has_tag(&self, name: &str) -> bool {
        self.tag.as_ref().is_some_and(|tag| tag.is_yaml_core_schema_tag(name))
    }
}

impl<'a> Entry<'a> {
    /// Its key, unless that is no scalar.
    pub(super) fn name(&self) -> Option<&str> {
        match &*self.key {
            Value::Scalar(scalar) => Some(&scalar.text),
            _ => None,
        }
    }

    fn is_merge(&self) -> bool {
        matches!(&*self.key, Value::Scalar(key) if key.text == "<<" && key.style == ScalarStyle::Plain && key.tag.is_none())
    }
}

impl<'a> Mapping<'a> {
    pub(super) fn entries(&self) -> &[Entry<'a>] {
        &self.entries
    }

    pub(super) fn get(&self, name: &str) -> Option<&Value<'a>> {
        let entry = self.entries.iter().find(|entry| entry.name() == Some(name))?;
        Some(&entry.value)
    }

    /// The first key that stands there twice, and the line of the second.
    pub(super) fn duplicate(&self) -> Option<(&str, usize)> {
        let mut seen = HashSet::new();
        self.entries.iter().find_map(|entry| {
            let name = entry.name()?;
            (!seen.insert(name)).then_some((name, entry.line))
        })
    }
}

/// The one document of a file; `None` if it is empty. The error never quotes the file.
pub(super) fn parse(text: &str) -> Result<Option<Node<'_>>, String> {
    let mut tree = Tree::default();
    for event in Parser::new_from_str(text) {
        let (event, span) = event.map_err(|error| at(error.marker().line(), error.kind()))?;
        let line = span.start.line();
        tree.add(event, line).map_err(|why| at(line, why))?;
    }
    Ok(tree.root)
}

fn at(line: usize, why: impl std::fmt::Display) -> String {
    format!("line {line}: {why}")
}

#[derive(Default)]
struct Tree<'a> {
    /// Collections that have begun, the innermost last.
    open: Vec<Open<'a>>,
    /// With their depths.
    anchors: HashMap<usize, (Node<'a>, usize)>,
    root: Option<Node<'a>>,
    merged: usize,
}

struct Open<'a> {
    anchor: usize,
    /// Of the deepest that it holds so far.
    depth: usize,
    collection: Collection<'a>,
}

enum Collection<'a> {
    Sequence(Vec<Node<'a>>),
    /// And the key whose value comes next.
    Mapping(Mapping<'a>, Option<(Node<'a>, usize)>),
}

impl<'a> Tree<'a> {
    fn add(&mut self, event: Event<'a>, line: usize) -> Result<(), &'static str> {
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                self.ended(anchor, Value::Scalar(Scalar { text, style, tag }), 0, line)
            }
            Event::SequenceStart(_, anchor, _) => self.begin(anchor, Collection::Sequence(Vec::new())),
            Event::MappingStart(_, anchor, _) => {
                self.begin(anchor, Collection::Mapping(Mapping::default(), None))
            }
            Event::SequenceEnd | Event::MappingEnd => self.end(line),
            Event::Alias(anchor) => match self.anchors.get(&anchor) {
                Some((node, depth)) => self.place(Rc::clone(node), *depth, line),
                None => Err("an alias of what it stands in"),
            },
            Event::DocumentStart(..) if self.root.is_some() => Err("a second document"),
            _ => Ok(()),
        }
    }

    fn begin(&mut self, anchor: usize, collection: Collection<'a>) -> Result<(), &'static str> {
        self.open.push(Open { anchor, depth: 0, collection });
        Ok(())
    }

    fn end(&mut self, line: usize) -> Result<(), &'static str> {
        // The parser ends nothing that did not begin.
        let Some(Open { anchor, depth, collection }) = self.open.pop() else { return Ok(()) };
        let value = match collection {
            Collection::Sequence(items) => Value::Sequence(items),
            Collection::Mapping(mapping, _) => Value::Mapping(self.merge(mapping)?),
        };
        self.ended(anchor, value, depth + 1, line)
    }

    fn ended(
        &mut self,
        anchor: usize,
        value: Value<'a>,
        depth: usize,
        line: usize,
    ) -> Result<(), &'static str> {
        let node = Rc::new(value);
        if anchor != 0 {
            self.anchors.insert(anchor, (Rc::clone(&node), depth));
        }
        self.place(node, depth, line)
    }

    /// Puts a node where it belongs: the next item, key or value of the innermost collection.
    fn place(&mut self, node: Node<'a>, depth: usize, line: usize) -> Result<(), &'static str> {
        if depth > MAX_DEPTH {
            return Err("nested too deeply");
        }
        if let Some(open) = self.open.last_mut() {
            open.depth = open.depth.max(depth);
        }
        match self.open.last_mut().map(|open| &mut open.collection) {
            None => self.root = Some(node),
            Some(Collection::Sequence(items)) => items.push(node),
            Some(Collection::Mapping(mapping, key)) => match key.take() {
                None => *key = Some((node, line)),
                Some((key, line)) => mapping.entries.push(Entry { key, value: node, line }),
            },
        }
        Ok(())
    }

    /// With what its merge key names, a mapping or several of them, in place of that.
    fn merge(&mut self, mapping: Mapping<'a>) -> Result<Mapping<'a>, &'static str> {
        let (merges, mut entries): (Vec<_>, Vec<_>) = mapping.entries.into_iter().partition(Entry::is_merge);
        let merge = match &merges[..] {
            [] => return Ok(Mapping { entries }),
            [merge] => Rc::clone(&merge.value),
            _ => return Err("a second merge key"),
        };
        let one = [Rc::clone(&merge)];
        let named = if let Value::Sequence(items) = &*merge { items } else { &one[..] };
        let mut names: HashSet<String> = entries.iter().filter_map(Entry::name).map(str::to_owned).collect();
        for node in named {
            let Value::Mapping(other) = &**node else { return Err("a merge key without a mapping") };
            self.merged += 1 + other.entries.len();
            if self.merged > MAX_MERGED {
                return Err("too many keys by merge keys");
            }
            let new = |entry: &&Entry<'a>| entry.name().is_some_and(|name| names.insert(name.to_owned()));
            entries.extend(other.entries.iter().filter(new).cloned());
        }
        Ok(Mapping { entries })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(text: &str) -> Vec<(String, Option<String>)> {
        let document = parse(text).unwrap().unwrap();
        let Value::Mapping(mapping) = &*document else { panic!("no mapping") };
        let shown = |value: &Value<'_>| match value {
            Value::Scalar(scalar) if !scalar.is_null() => Some(scalar.text.to_string()),
            _ => None,
        };
        mapping
            .entries()
            .iter()
            .map(|entry| (entry.name().unwrap().to_owned(), shown(&entry.value)))
            .collect()
    }

    fn fault(text: &str) -> String {
        parse(text).unwrap_err()
    }

    #[test]
    fn scalars_are_as_they_are_written() {
        let is = |value: &str| Some(value.to_owned());
        assert_eq!(
            texts(
                "a: 0010\nb: '0010'\nc: \"x\\ty\"\nd: |\n  two\n  lines\ne:\nf: ~\ng: '~'\nh: !!null x\ni: nullx\n"
            ),
            [
                ("a", is("0010")),
                ("b", is("0010")),
                ("c", is("x\ty")),
                ("d", is("two\nlines\n")),
                ("e", None),
                ("f", None),
                ("g", is("~")),
                ("h", None),
                ("i", is("nullx")),
            ]
            .map(|(name, value)| (name.to_owned(), value))
        );
    }

    #[test]
    fn own_keys_come_before_merged_ones_and_earlier_before_later() {
        let text = "one: &one {a: 1, b: 2}\ntwo: &two {b: 3, c: 4}\nboth: {<<: [*one, *two], a: 5}\n";
        let document = parse(text).unwrap().unwrap();
        let Value::Mapping(mapping) = &*document else { panic!("no mapping") };
        let Some(Value::Mapping(both)) = mapping.get("both") else { panic!("no mapping") };
        for (name, expected) in [("a", "5"), ("b", "2"), ("c", "4")] {
            let Some(Value::Scalar(scalar)) = both.get(name) else { panic!("no {name}") };
            assert_eq!(scalar.text, expected, "{name}");
        }
        assert!(both.get("<<").is_none() && both.duplicate().is_none());
    }

    #[test]
    fn a_fault_is_told_with_its_line() {
        assert!(fault("a: 1\nb: [\n").starts_with("line "), "{}", fault("a: 1\nb: [\n"));
        assert_eq!(fault("a: 1\n---\nb: 2\n"), "line 2: a second document");
        assert_eq!(fault("a: 1\nb: &b [*b]\n"), "line 2: an alias of what it stands in");
        assert_eq!(fault("a: {<<: 1}"), "line 1: a merge key without a mapping");
        assert_eq!(fault("a: &a {}\nb: {<<: *a, <<: *a}"), "line 2: a second merge key");
    }

    #[test]
    fn what_would_take_memory_without_end_is_refused() {
        let keys: String = (0..100).map(|number| format!("k{number}: 1, ")).collect();
        let mut text = format!("a0: &a0 {{{keys}}}\n");
        for number in 1..60 {
            let before = number - 1;
            text += &format!("a{number}: &a{number} {{<<: [*a{before}, *a{before}]}}\n");
        }
        assert!(fault(&text).contains("too many keys"), "{}", fault(&text));
        assert!(fault(&"[".repeat(100_000)).starts_with("line 1: "));
        let mut deeper = "x:\n- &a0 1\n".to_owned();
        for number in 1..1000 {
            deeper += &format!("- &a{number} {}*a{}{}\n", "[".repeat(60), number - 1, " ]".repeat(60));
        }
        assert_eq!(fault(&deeper), "line 19: nested too deeply");
        let keys: String = (0..50_000).map(|number| format!("{number}, ")).collect();
        let merges = "*e, ".repeat(9_000);
        parse(&format!("e: &e {{}}\nx: {{{keys}<<: [{merges}]}}\n")).unwrap();
    }

    #[test]
    fn nothing_is_no_document() {
        assert!(parse("").unwrap().is_none());
        assert!(parse("# only a comment\n").unwrap().is_none());
    }
}
