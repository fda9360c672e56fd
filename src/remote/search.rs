//! Searches of documents by a vector: two requests as a rule, since a server pairs rows wrongly unless the join keys are asked
//! for as features (`wire::search`), and their names have to be learnt first. They are remembered.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use super::Remote;
use super::exchange::Exchange;
use super::origin::Origin;
use crate::columns::Response;
use crate::error::{Code, Error, Result};
use crate::observe::statistics::Stats;
use crate::policy::deadline::Deadline;
use crate::process::sync::{AtomicBool, Mutex, Ordering, lock};
use crate::timing::{Timing, microseconds};
use crate::wire::answer::frame::Layout;
use crate::wire::answer::join;
use crate::wire::endpoint::Endpoint;
use crate::wire::search::{Search, SearchAnswer};

/// What a store has learnt of its server from searches.
#[derive(Default)]
pub struct SearchMemory {
    /// It knows the endpoint by its older name only.
    older: AtomicBool,
    /// By feature view.
    join_keys: Mutex<HashMap<String, Vec<String>>>,
}

/// Views that are remembered at most.
const VIEWS: usize = 1000;

struct Found {
    body: Vec<u8>,
    /// Features that were asked for, join keys among them.
    asked: usize,
    timing: Timing,
    origin: Origin,
}

impl Remote {
    /// The documents nearest to a vector, nearest first: join keys, features, and `distance`.
    pub fn retrieve_online_documents(&self, search: &Search) -> Result<Response> {
        search.check()?;
        self.check_process()?;
        let store = &self.inner.store;
        let start = Instant::now();
        let deadline = Deadline::after(start, search.timeout.or(store.request_timeout));
        Stats::count(&store.stats.calls);
        let found = self.search(search, start, deadline);
        match &found {
            Ok(_) => store.stats.total.record(start.elapsed()),
            Err(_) => Stats::count(&store.stats.calls_failed),
        }
        found
    }

    fn search(&self, search: &Search, start: Instant, deadline: Deadline) -> Result<Response> {
        let known = lock(&self.searches.join_keys).get(search.view()).cloned();
        let mut join_keys = known.unwrap_or_default();
        // The names of the join keys may have changed once; a server that changes them each time is not asked for ever.
        for _ in 0..3 {
            let found = self.ask(search, &join_keys, deadline)?;
            let learnt = self.learn(search, &join_keys, &found);
            match learnt.map_err(|error| self.unreadable(&found, error))? {
                Some(keys) => join_keys = keys,
                None => return self.arrange(search, &found, start, deadline),
            }
        }
        Err(Error::decode(format!(
            "{}: the server names other join keys of `{}` in each answer",
            self.inner.store.server,
            search.view()
        )))
    }

    /// The join keys to ask with, if the answer names others than it was asked with.
    fn learn(&self, search: &Search, asked_with: &[String], found: &Found) -> Result<Option<Vec<String>>> {
        let answer = SearchAnswer::read(&found.body, found.asked)?;
        if answer.rows() == 0 {
            return Ok(None);
        }
        if answer.join_keys.is_empty() {
            let why =
                "the server's answer names no join keys, so that it does not say whose documents these are";
            return Err(Error::decode(why));
        }
        if answer.join_keys == asked_with {
            return Ok(None);
        }
        let mut known = lock(&self.searches.join_keys);
        if known.len() < VIEWS || known.contains_key(search.view()) {
            known.insert(search.view().to_owned(), answer.join_keys.clone());
        }
        Ok(Some(answer.join_keys))
    }

    /// The columns of an answer, in the order of rank.
    fn arrange(
        &self,
        search: &Search,
        found: &Found,
        start: Instant,
        deadline: Deadline,
    ) -> Result<Response> {
        let store = &self.inner.store;
        let unreadable = |error| self.unreadable(found, error);
        let answer = SearchAnswer::read(&found.body, found.asked).map_err(unreadable)?;
        if answer.rows() == 0 {
            let keys = lock(&self.searches.join_keys).get(search.view()).cloned().unwrap_or_default();
            let features = search.features().iter().filter(|name| !keys.contains(name));
            let names = keys.iter().chain(features).map(String::as_str).chain(["distance"]);
            let mut nothing = Response::empty(names, keys.len());
            nothing.set_server(found.origin.server.clone());
            nothing.set_timing(whole(&found.timing, start.elapsed()));
            return Ok(nothing);
        }
        let mut ranked = answer.rank(search).map_err(unreadable)?;
        let vectors = ranked.repeated(search.query());
        let own;
        if !vectors.is_empty() {
            let request = ranked.request_for(search.view(), &vectors)?;
            let mut body = store.buffer();
            request.encode(&mut body)?;
            own = self.attempt_until_answered(body, Exchange::new(Instant::now(), deadline))?;
            ranked.replace(&vectors, &own.0).map_err(unreadable)?;
        }
        let (request, body) = ranked.into_answer(search.view()).map_err(unreadable)?;
        let decode = |bodies: &[Vec<u8>], layout: &mut Layout| join::decode(bodies, &request, layout);
        let (mut response, took) = store.decode([body], &found.timing, &found.origin, &request, decode)?;
        response.set_server(found.origin.server.clone());
        response.set_timing(whole(&found.timing.decoded(took, start.elapsed()), start.elapsed()));
        Ok(response)
    }

    fn unreadable(&self, found: &Found, error: Error) -> Error {
        let store = &self.inner.store;
        store.of_an_answer(error, &found.timing, &found.origin, None, &[], |_| None)
    }

    fn ask(&self, search: &Search, join_keys: &[String], deadline: Deadline) -> Result<Found> {
        let asked =
            search.features().len() + join_keys.iter().filter(|key| !search.features().contains(key)).count();
        // An answer that one server of several gives is no proof of all.
        let mut endpoints = [Endpoint::Search, Endpoint::RetrieveOnlineDocuments];
        if self.searches.older.load(Ordering::Relaxed) {
            endpoints.reverse();
        }
        let mut unknown = None;
        for endpoint in endpoints {
            let mut body = self.inner.store.buffer();
            search.encode(join_keys, &mut body)?;
            let exchange = Exchange::new(Instant::now(), deadline).to(endpoint);
            match self.attempt_until_answered(body, exchange) {
                Ok((body, timing, origin)) => {
                    self.searches
                        .older
                        .store(endpoint == Endpoint::RetrieveOnlineDocuments, Ordering::Relaxed);
                    return Ok(Found { body, asked, timing, origin });
                }
                // No such endpoint, rather than no such view.
                Err(error) if error.code == Code::NotFound && error.feast_class.is_none() => {
                    unknown.get_or_insert(error);
                }
                Err(error) => return Err(error),
            }
        }
        Err(unknown.unwrap_or_else(|| Error::new(Code::Internal, "a search without an endpoint")))
    }
}

/// The time of a search: what its other requests took counts as retries.
fn whole(last: &Timing, total: Duration) -> Timing {
    let total_us = microseconds(total);
    let retries_us = last.retries_us + total_us.saturating_sub(last.phases());
    Timing { retries_us, total_us, ..*last }
}
