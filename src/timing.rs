//! Where the time of one call went.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// The phases of a call, in microseconds. Together they make its total.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Timing {
    /// When the call began, in nanoseconds since 1970.
    pub start_unix_ns: i64,
    /// Waiting to be merged with other calls.
    pub merge_wait_us: u64,
    /// Attempts before the last one, and the pauses after them.
    pub retries_us: u64,
    /// Waiting for a token and a free connection, before the last attempt.
    pub queue_us: u64,
    /// Name lookup and TCP connection, if the last attempt made one. Likewise below.
    pub connect_us: u64,
    /// TLS handshake.
    pub tls_us: u64,
    /// From then to the first byte of the answer.
    pub first_byte_us: u64,
    /// From then to the last byte.
    pub transfer_us: u64,
    /// From bytes to columns.
    pub decode_us: u64,
    /// Of the whole call; of an asynchronous one without the time that its event waited in the queue.
    pub total_us: u64,
    /// HTTP attempts.
    pub attempts: u32,
    /// Of the last answer, 0 if there was none.
    pub http_status: u16,
    /// Of the request's body.
    pub bytes_sent: u64,
    /// Of the answer's body.
    pub bytes_received: u64,
    /// That the request asked for.
    pub calls_in_request: u64,
    /// The last attempt was carried by a connection kept from before.
    pub reused: bool,
    /// It made one.
    pub new_connection: bool,
    /// An attempt went out beside another one.
    pub hedged: bool,
}

/// Microseconds of a duration.
pub fn microseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

/// An attempt that has ended.
pub struct AttemptTimes {
    /// From its beginning to its end.
    pub took: Duration,
    /// To the first byte of the answer, if one came.
    pub first_byte: Option<Duration>,
    /// Of a connection that it made: until TCP was connected, and TLS.
    pub connected: Option<(Duration, Option<Duration>)>,
    /// It made a connection.
    pub new_connection: bool,
    /// It was carried by one kept from before.
    pub reused: bool,
}

/// A [`Timing`] in the making.
#[derive(Debug)]
pub struct Stopwatch {
    timing: Timing,
    /// When what came before ended.
    mark: Instant,
    attempting: bool,
}

impl Stopwatch {
    /// Of what has begun just now.
    pub fn new(start: Instant) -> Stopwatch {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let start_unix_ns = i64::try_from(since.as_nanos()).unwrap_or(i64::MAX);
        Stopwatch { timing: Timing { start_unix_ns, ..Timing::default() }, mark: start, attempting: false }
    }

    /// An attempt begins.
    pub fn begin_attempt(&mut self, now: Instant) {
        self.timing.attempts += 1;
        self.timing.queue_us += microseconds(now.saturating_duration_since(self.mark));
        (self.mark, self.attempting) = (now, true);
    }

    /// Another one begins beside it.
    pub fn begin_hedge(&mut self) {
        self.timing.attempts += 1;
        self.timing.hedged = true;
    }

    /// What counts is the attempt that began beside it then.
    pub fn superseded_by(&mut self, begun: Instant) {
        self.timing.retries_us += microseconds(begun.saturating_duration_since(self.mark));
        self.mark = begun;
    }

    /// It has ended.
    pub fn end_attempt(&mut self, times: &AttemptTimes) {
        let (tcp, tls) = times.connected.map_or((Duration::ZERO, None), |(tcp, tls)| (tcp, tls));
        let connected = tcp + tls.unwrap_or_default();
        let waited = times.first_byte.unwrap_or(times.took).min(times.took);
        let timing = &mut self.timing;
        timing.connect_us = microseconds(tcp);
        timing.tls_us = microseconds(tls.unwrap_or_default());
        timing.first_byte_us = microseconds(waited.saturating_sub(connected));
        timing.transfer_us = microseconds(times.took - waited);
        (timing.reused, timing.new_connection) = (times.reused, times.new_connection);
        self.mark += times.took;
        self.attempting = false;
    }

    /// Another attempt comes after this pause.
    pub fn retry(&mut self, pause: Duration) {
        let timing = &mut self.timing;
        let attempt = timing.connect_us + timing.tls_us + timing.first_byte_us + timing.transfer_us;
        timing.retries_us += timing.queue_us + attempt + microseconds(pause);
        (timing.queue_us, timing.connect_us, timing.tls_us) = (0, 0, 0);
        (timing.first_byte_us, timing.transfer_us) = (0, 0);
        self.mark += pause;
    }

    /// What went over the wire, in bytes, and the HTTP status of the last answer, 0 for none.
    pub fn carried(&mut self, sent: usize, received: usize, http_status: u16) {
        (self.timing.bytes_sent, self.timing.bytes_received) = (sent as u64, received as u64);
        self.timing.http_status = http_status;
    }

    /// At the end of the last attempt, without a look at the clock.
    pub fn finished(&self) -> Timing {
        let mut timing = self.timing;
        timing.total_us = timing.phases();
        timing
    }

    /// So far; what is going on ends now.
    pub fn read(&self) -> Timing {
        let mut timing = self.timing;
        let now = Instant::now();
        let since = microseconds(now.saturating_duration_since(self.mark));
        // A pause that did not come to its end.
        timing.retries_us -= microseconds(self.mark.saturating_duration_since(now)).min(timing.retries_us);
        match self.attempting {
            true => timing.first_byte_us += since,
            false => timing.queue_us += since,
        }
        timing.total_us = timing.phases();
        timing
    }
}

impl Timing {
    /// The sum of its phases.
    pub fn phases(&self) -> u64 {
        self.merge_wait_us
            + self.retries_us
            + self.queue_us
            + self.connect_us
            + self.tls_us
            + self.first_byte_us
            + self.transfer_us
            + self.decode_us
    }

    /// Of one of several calls of a request, which took so long as a whole.
    pub fn of_call(mut self, took: Duration, calls: usize) -> Timing {
        let took = microseconds(took);
        if calls > 1 {
            self.merge_wait_us = took.saturating_sub(self.phases());
            self.start_unix_ns -= self.merge_wait_us as i64 * 1000;
        }
        (self.total_us, self.calls_in_request) = (took, calls as u64);
        self
    }

    /// The answer has been decoded, which took so long and ended the call after this time.
    pub fn decoded(mut self, decode: Duration, total: Duration) -> Timing {
        (self.decode_us, self.total_us) = (microseconds(decode), microseconds(total));
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_phases_of_a_call_that_is_retried_make_its_total() {
        let ms = Duration::from_millis;
        let start = Instant::now() - ms(1000);
        let mut watch = Stopwatch::new(start);
        watch.begin_attempt(start + ms(10));
        let connected = Some((ms(20), Some(ms(30))));
        let times =
            AttemptTimes { took: ms(100), first_byte: None, connected, new_connection: true, reused: false };
        watch.end_attempt(&times);
        watch.retry(ms(200));
        watch.begin_attempt(start + ms(315));
        let times = AttemptTimes {
            took: ms(50),
            first_byte: Some(ms(40)),
            connected: None,
            new_connection: false,
            reused: true,
        };
        watch.end_attempt(&times);
        let timing = watch.read();
        assert_eq!((timing.retries_us, timing.attempts), (310_000, 2));
        assert_eq!((timing.first_byte_us, timing.transfer_us), (40_000, 10_000));
        assert_eq!((timing.connect_us, timing.reused, timing.new_connection), (0, true, false));
        // 5 ms before the second attempt, and the rest of the second that this test pretends has passed.
        assert!(timing.queue_us >= 5_000 + 635_000, "{timing:?}");
        assert_eq!(timing.total_us, timing.phases());
        let merged = timing.of_call(ms(2000), 3);
        assert_eq!((merged.total_us, merged.phases(), merged.calls_in_request), (2_000_000, 2_000_000, 3));
    }
}
