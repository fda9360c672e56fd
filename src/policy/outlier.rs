//! When a server is set aside, and when it comes back. Pure: the clock and the randomness are arguments.
//!
//! In the manner of Envoy's outlier detection: what ends a server's service is a number of failures in a row, and each time
//! in a series lasts longer than the one before. Here it comes back only when it says itself that it is well.

use std::time::{Duration, Instant};

/// Failures in a row, or time-outs, after which a server is set aside.
const IN_A_ROW: u32 = 5;
/// How long it is set aside the first time; twice as long each time after.
const BASE: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_secs(60);
/// After so much good service the next time counts as the first one.
const GOOD_SERVICE: Duration = Duration::from_secs(10);
/// Between two questions of whether it is well.
const CHECK_INTERVAL: Duration = Duration::from_secs(1);
/// Share by which times are varied up or down.
const JITTER: f64 = 0.2;

/// What an attempt says about the server that it went to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It was answered.
    Success,
    /// No connection could be made, TLS included.
    Unreachable,
    /// A new connection broke, or a 502, 503 or 504 came.
    Failure,
    /// All the time that attempts get passed without an answer.
    Timeout,
    /// Nothing: whatever happened may be due to the call, its caller, or a connection kept too long.
    Nothing,
}

/// Whether a server is given requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// As any other.
    Available,
    /// Only where no server is available.
    SetAside,
    /// One at a time, until one has succeeded.
    Recovering,
}

/// The recent past of one server.
#[derive(Debug)]
pub struct Outlier {
    state: State,
    failures: u32,
    timeouts: u32,
    /// How often it was set aside in this series.
    series: u32,
    /// When it came back from being set aside.
    available_since: Option<Instant>,
    /// When its state changed last: attempts that began before say nothing about it now.
    changed: Option<Instant>,
    /// When to ask it whether it is well, while it is set aside.
    check_at: Option<Instant>,
}

impl Default for Outlier {
    /// Of a server of which nothing is known.
    fn default() -> Outlier {
        Outlier {
            state: State::Available,
            failures: 0,
            timeouts: 0,
            series: 0,
            available_since: None,
            changed: None,
            check_at: None,
        }
    }
}

impl Outlier {
    /// Whether it is given requests.
    pub fn state(&self) -> State {
        self.state
    }

    /// Nothing is remembered of it that a success would change.
    pub fn is_clean(&self) -> bool {
        self.state == State::Available && self.failures == 0 && self.timeouts == 0
    }

    /// It has failed so that it would be set aside were it not the last one.
    pub fn is_failing(&self) -> bool {
        self.failures >= IN_A_ROW || self.timeouts >= IN_A_ROW
    }

    /// Takes note of what came of an attempt that began at `begun`. `true` if the server is to be set aside, or is the last one and
    /// [kept](Outlier::keep): whoever knows the others does so.
    pub fn record(&mut self, outcome: Outcome, begun: Instant, now: Instant) -> bool {
        let is_old = self.state != State::Available && self.changed.is_some_and(|changed| begun < changed);
        if outcome == Outcome::Nothing || is_old {
            return false;
        }
        if outcome == Outcome::Success {
            (self.failures, self.timeouts) = (0, 0);
            self.check_at = None;
            if self.state != State::Available {
                self.state = State::Available;
                (self.available_since, self.changed) = (Some(now), Some(now));
            }
            return false;
        }
        match self.state {
            // It was tried for want of another one.
            State::SetAside => return false,
            State::Recovering => return true,
            State::Available => (),
        }
        match outcome {
            Outcome::Unreachable => self.failures = self.failures.max(IN_A_ROW - 1) + 1,
            Outcome::Timeout => self.timeouts = self.timeouts.saturating_add(1),
            _ => self.failures = self.failures.saturating_add(1),
        }
        self.is_failing()
    }

    /// It is the last one and stays available, but others are tried, too, until it was answered or says that it is well.
    pub fn keep(&mut self, now: Instant, random: f64) {
        if self.check_at.is_none() {
            self.check_at = now.checked_add(varied(CHECK_INTERVAL, random));
        }
    }

    /// Sets it aside; for how long. `random` is uniform in 0..1.
    pub fn set_aside(&mut self, now: Instant, random: f64) -> Duration {
        let good = |since: Instant| now.saturating_duration_since(since) >= GOOD_SERVICE;
        if self.state == State::Available && self.available_since.is_none_or(good) {
            self.series = 0;
        }
        let time = varied(BASE.saturating_mul(1 << self.series.min(6)).min(LONGEST), random);
        self.series = self.series.saturating_add(1);
        self.state = State::SetAside;
        self.changed = Some(now);
        (self.failures, self.timeouts) = (0, 0);
        self.check_at = now.checked_add(time);
        time
    }

    /// When to ask it whether it is well.
    pub fn check_at(&self) -> Option<Instant> {
        self.check_at
    }

    /// It was asked whether it is well.
    pub fn checked(&mut self, is_well: bool, now: Instant, random: f64) {
        if self.check_at.is_none() {
            return;
        }
        if !is_well {
            self.check_at = now.checked_add(varied(CHECK_INTERVAL, random));
            return;
        }
        self.check_at = None;
        (self.failures, self.timeouts) = (0, 0);
        if self.state == State::SetAside {
            self.state = State::Recovering;
            self.changed = Some(now);
        }
    }
}

fn varied(time: Duration, random: f64) -> Duration {
    time.mul_f64(1.0 + JITTER * (2.0 * random - 1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The middle: no variation.
    const EXACT: f64 = 0.5;

    struct Server(Outlier, Instant);

    impl Server {
        fn new() -> Server {
            Server(Outlier::default(), Instant::now())
        }

        fn sees(&mut self, outcome: Outcome) -> Option<Duration> {
            self.begun_at(outcome, self.1)
        }

        fn begun_at(&mut self, outcome: Outcome, begun: Instant) -> Option<Duration> {
            self.0.record(outcome, begun, self.1).then(|| self.0.set_aside(self.1, EXACT))
        }

        fn comes_back(&mut self) {
            self.1 = self.0.check_at().unwrap();
            self.0.checked(true, self.1, EXACT);
            assert_eq!(self.0.state(), State::Recovering);
        }
    }

    #[test]
    fn who_cannot_be_reached_is_set_aside_at_once() {
        let mut server = Server::new();
        assert_eq!(server.sees(Outcome::Unreachable), Some(Duration::from_secs(1)));
        assert_eq!(server.0.state(), State::SetAside);
    }

    #[test]
    fn five_failures_in_a_row_set_aside_and_a_success_between_forgives() {
        for kind in [Outcome::Failure, Outcome::Timeout] {
            let mut server = Server::new();
            for _ in 0..4 {
                assert_eq!(server.sees(kind), None);
            }
            assert_eq!(server.sees(Outcome::Success), None);
            assert!(server.0.is_clean());
            for _ in 0..4 {
                assert_eq!(server.sees(kind), None);
            }
            assert!(server.sees(kind).is_some(), "{kind:?}");
        }
    }

    #[test]
    fn what_says_nothing_about_the_server_changes_nothing() {
        let mut server = Server::new();
        (0..4).for_each(|_| assert_eq!(server.sees(Outcome::Failure), None));
        (0..100).for_each(|_| assert_eq!(server.sees(Outcome::Nothing), None));
        assert!(server.sees(Outcome::Failure).is_some());
    }

    #[test]
    fn each_time_in_a_series_lasts_twice_as_long_up_to_a_minute() {
        let mut server = Server::new();
        let mut times = Vec::new();
        for _ in 0..9 {
            times.push(server.sees(Outcome::Unreachable).unwrap().as_secs());
            server.comes_back();
        }
        assert_eq!(times, [1, 2, 4, 8, 16, 32, 60, 60, 60]);
    }

    #[test]
    fn the_series_is_forgotten_after_ten_seconds_of_good_service() {
        for (service, second) in [(9, 2), (10, 1)] {
            let mut server = Server::new();
            server.sees(Outcome::Unreachable);
            server.comes_back();
            server.sees(Outcome::Success);
            server.1 += Duration::from_secs(service);
            let time = server.sees(Outcome::Unreachable);
            assert_eq!(time, Some(Duration::from_secs(second)), "after {service} s");
        }
    }

    #[test]
    fn who_comes_back_and_fails_once_is_set_aside_again() {
        let mut server = Server::new();
        for _ in 0..5 {
            server.sees(Outcome::Failure);
        }
        server.comes_back();
        assert_eq!(server.sees(Outcome::Failure), Some(Duration::from_secs(2)));
    }

    #[test]
    fn who_is_not_well_is_asked_again_each_second_however_long_it_was_set_aside() {
        let mut server = Server::new();
        for _ in 0..5 {
            server.sees(Outcome::Unreachable);
            server.comes_back();
        }
        server.sees(Outcome::Unreachable);
        for _ in 0..100 {
            let asked = server.0.check_at().unwrap();
            server.0.checked(false, asked, EXACT);
            assert_eq!(server.0.check_at(), Some(asked + Duration::from_secs(1)));
            assert_eq!(server.0.state(), State::SetAside);
        }
    }

    #[test]
    fn what_was_under_way_when_it_was_set_aside_neither_keeps_it_out_nor_brings_it_back() {
        let mut server = Server::new();
        let before = server.1;
        server.1 += Duration::from_millis(1);
        server.sees(Outcome::Unreachable);
        for outcome in [Outcome::Unreachable, Outcome::Success, Outcome::Timeout] {
            assert_eq!(server.begun_at(outcome, before), None);
            assert_eq!(server.0.state(), State::SetAside, "{outcome:?}");
        }
        server.comes_back();
        assert_eq!(server.begun_at(Outcome::Failure, before), None);
        assert_eq!(server.0.state(), State::Recovering);
        assert!(!server.0.is_failing());
        assert_eq!(server.sees(Outcome::Success), None);
        assert!(server.0.is_clean());
    }

    #[test]
    fn the_last_one_is_asked_too_and_forgiven_when_it_says_that_it_is_well() {
        let mut server = Server::new();
        assert!(server.0.record(Outcome::Unreachable, server.1, server.1));
        server.0.keep(server.1, EXACT);
        assert!(server.0.is_failing() && server.0.state() == State::Available);
        server.0.checked(false, server.1, EXACT);
        assert!(server.0.is_failing() && server.0.check_at().is_some());
        server.0.checked(true, server.1, EXACT);
        assert!(server.0.is_clean());
        assert_eq!(server.0.check_at(), None);
    }

    #[test]
    fn a_success_brings_back_who_was_tried_for_want_of_another_one() {
        let mut server = Server::new();
        server.sees(Outcome::Unreachable);
        assert_eq!(server.sees(Outcome::Unreachable), None, "it is set aside already");
        server.sees(Outcome::Success);
        assert!(server.0.is_clean());
        assert_eq!(server.0.check_at(), None);
    }

    #[test]
    fn times_are_varied_by_a_fifth() {
        for (random, milliseconds) in [(0.0, 800), (1.0, 1200)] {
            let mut outlier = Outlier::default();
            let time = outlier.set_aside(Instant::now(), random);
            assert_eq!(time.as_millis(), milliseconds);
        }
    }
}
