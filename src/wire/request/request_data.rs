//! Where the data for on demand feature views goes: Feast's Python server takes it among the entities, and passes over a
//! `request_context`; the Go server takes it there alone, and refuses it among the entities.

use crate::config::ServerKind;

/// What the Go server's request has between entities and request data.
const CONTEXT: &[u8] = b"},\"request_context\":{";

/// Where request data stands in a body: behind the entities, and so that it can be moved for another server.
#[derive(Clone, Copy, Debug)]
pub struct RequestData {
    /// What separates it from the entities, or begins them where there are none.
    at: usize,
    is_alone: bool,
    is_for: ServerKind,
}

impl RequestData {
    pub(super) fn at(at: usize, is_alone: bool) -> RequestData {
        RequestData { at, is_alone, is_for: ServerKind::Python }
    }

    /// The server that the body is for.
    pub fn is_for(&self) -> ServerKind {
        self.is_for
    }

    /// Makes the body one for this server.
    pub fn put(&mut self, body: &mut Vec<u8>, server: ServerKind) {
        if self.is_for == server {
            return;
        }
        self.is_for = server;
        // `{` stays where there are no entities; a comma gives way.
        let at = self.at + usize::from(self.is_alone);
        let separator: &[u8] = if self.is_alone { b"" } else { b"," };
        match server {
            ServerKind::Go => body.splice(at..at + separator.len(), CONTEXT.iter().copied()),
            ServerKind::Python => body.splice(at..at + CONTEXT.len(), separator.iter().copied()),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Request, Role};
    use super::*;

    fn bodies(request: &Request) -> [String; 3] {
        let mut body = Vec::new();
        let mut data = request.encode(&mut body).unwrap().unwrap();
        let servers = [ServerKind::Python, ServerKind::Go, ServerKind::Python];
        servers.map(|server| {
            data.put(&mut body, server);
            String::from_utf8(body.clone()).unwrap()
        })
    }

    #[test]
    fn request_data_stands_where_the_server_takes_it() {
        let mut request = Request::default();
        request.add_feature("v:a").unwrap();
        request.set_double(Role::RequestData, "x", &[0.5]).unwrap();
        request.set_entity_int64("id", &[7]).unwrap();
        request.set_string(Role::RequestData, "y", [Ok("z")].into_iter()).unwrap();
        let python =
            r#"{"features":["v:a"],"entities":{"id":[7],"x":[0.5],"y":["z"]},"full_feature_names":false}"#;
        let go = r#"{"features":["v:a"],"entities":{"id":[7]},"request_context":{"x":[0.5],"y":["z"]},"full_feature_names":false}"#;
        assert_eq!(bodies(&request), [python, go, python]);

        let mut alone = Request::default();
        alone.add_feature("v:a").unwrap();
        alone.set_int64(Role::RequestData, "x", &[1]).unwrap();
        let python = r#"{"features":["v:a"],"entities":{"x":[1]},"full_feature_names":false}"#;
        let go =
            r#"{"features":["v:a"],"entities":{},"request_context":{"x":[1]},"full_feature_names":false}"#;
        assert_eq!(bodies(&alone), [python, go, python]);

        let mut none = Request::default();
        none.add_feature("v:a").unwrap();
        none.set_entity_int64("x", &[1]).unwrap();
        assert!(none.encode(&mut Vec::new()).unwrap().is_none());
    }

    #[test]
    fn each_part_and_a_merged_request_have_their_request_data_too() {
        let with = |ids: &[i64]| {
            let mut request = Request::default();
            request.add_feature("v:a").unwrap();
            request.set_entity_int64("id", ids).unwrap();
            request.set_int64(Role::RequestData, "x", ids).unwrap();
            request
        };
        let go = |(mut body, data): (Vec<u8>, Option<RequestData>)| {
            data.unwrap().put(&mut body, ServerKind::Go);
            String::from_utf8(body).unwrap()
        };
        let parts: Vec<String> =
            with(&[1, 2, 3]).encode_parts(2, Vec::new).unwrap().into_iter().map(go).collect();
        assert!(parts[0].contains(r#""entities":{"id":[1]},"request_context":{"x":[1]},"#), "{}", parts[0]);
        assert!(
            parts[1].contains(r#""entities":{"id":[2,3]},"request_context":{"x":[2,3]},"#),
            "{}",
            parts[1]
        );
        let mut body = Vec::new();
        let data = Request::encode_merged([&with(&[1]), &with(&[2])].into_iter(), &mut body).unwrap();
        let merged = go((body, data));
        assert!(merged.contains(r#""entities":{"id":[1,2]},"request_context":{"x":[1,2]},"#), "{merged}");
    }
}
