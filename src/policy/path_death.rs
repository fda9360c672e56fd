//! Whether the network path of a connection has died, judged by what the kernel knows of it: a server that takes long to
//! answer acknowledges what it was sent, a path that is gone does not. Pure: the times are arguments.
//!
//! TCP_USER_TIMEOUT asks for nearly the same, but also ends a connection whose other side lives, acknowledges and is not
//! ready to read (RFC 5482, section 3.1; tcp_probe_timer in Linux).

use std::time::Duration;

/// What the kernel tells of a connection (TCP_INFO).
#[derive(Clone, Copy, Debug)]
pub struct TcpState {
    /// Segments that were sent and not acknowledged.
    pub unacknowledged: u32,
    /// Times in a row that the oldest of them was sent again because nothing came back.
    pub retransmissions: u32,
    /// Something cannot be sent although the other side would take it: there is no route, or the machine is stuck.
    pub unsendable: bool,
    /// Probes in a row that were not answered: of a silent connection, or of one whose other side is not ready to read.
    pub probes: u32,
    /// Since when nothing has come from the other side, not even an acknowledgement.
    pub silent: Duration,
    /// The least round-trip time of late. Not the smoothed one, which after a slow first one stays long for long.
    pub round_trip: Duration,
}

/// What follows from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing has been acknowledged for so long.
    Dead(Duration),
    /// Look again after this time.
    Undecided(Duration),
    /// All has been acknowledged: have the connection probed, and look again after this time.
    Silent(Duration),
}

/// On a path that answers, one probe may be under way; the next one is sent when that one is late.
const PROBES: u32 = 2;
/// A path whose round trips take so much of the timeout is given more time.
const ROUND_TRIPS: u32 = 3;
/// Probes are sent every so often, which is as often as the kernel can.
pub const PROBE_INTERVAL: Duration = Duration::from_secs(1);

/// Judges a connection that carries an attempt which began `waited` ago. `timeout`: dead_connection_timeout_ms.
pub fn judge(timeout: Duration, waited: Duration, tcp: TcpState) -> Verdict {
    // It may have been idle before.
    let silent = tcp.silent.min(waited);
    let patience = timeout.max(tcp.round_trip * ROUND_TRIPS);
    if tcp.unacknowledged > 0 || tcp.unsendable || tcp.probes >= PROBES {
        return match patience.checked_sub(silent) {
            None | Some(Duration::ZERO) => Verdict::Dead(silent),
            Some(left) => Verdict::Undecided(left),
        };
    }
    match timeout.checked_sub(silent) {
        // A little more, so that a probe which is due then has been sent.
        None | Some(Duration::ZERO) => Verdict::Silent(timeout.max(PROBE_INTERVAL) * 9 / 8),
        Some(left) => Verdict::Undecided(left),
    }
}

/// Whether an attempt whose time is up before the timeout has sent something in vain.
pub fn is_unanswered(tcp: TcpState) -> bool {
    (tcp.unacknowledged > 0 && tcp.retransmissions > 0) || tcp.unsendable || tcp.probes >= PROBES
}

#[cfg(test)]
mod tests {
    use super::*;

    const TIMEOUT: Duration = Duration::from_millis(1000);

    fn ms(milliseconds: u64) -> Duration {
        Duration::from_millis(milliseconds)
    }

    fn tcp(unacknowledged: u32, retransmissions: u32, probes: u32, silent: u64) -> TcpState {
        let (silent, round_trip) = (ms(silent), ms(1));
        TcpState { unacknowledged, retransmissions, unsendable: false, probes, silent, round_trip }
    }

    #[test]
    fn what_was_not_acknowledged_in_time_died() {
        assert_eq!(judge(TIMEOUT, ms(1000), tcp(1, 2, 0, 5000)), Verdict::Dead(ms(1000)));
        assert_eq!(judge(TIMEOUT, ms(5000), tcp(1, 2, 0, 1200)), Verdict::Dead(ms(1200)));
        // The kernel took the path for a slow one and has not sent it again.
        assert_eq!(judge(TIMEOUT, ms(1000), tcp(1, 0, 0, 1000)), Verdict::Dead(ms(1000)));
        // The route is gone, so that nothing could be sent at all.
        let unsendable = TcpState { unsendable: true, ..tcp(0, 0, 0, 5000) };
        assert_eq!(judge(TIMEOUT, ms(1000), unsendable), Verdict::Dead(ms(1000)));
    }

    #[test]
    fn a_connection_that_was_idle_for_long_is_given_its_time() {
        assert_eq!(judge(TIMEOUT, ms(300), tcp(1, 1, 0, 60_000)), Verdict::Undecided(ms(700)));
        // An acknowledgement came meanwhile.
        assert_eq!(judge(TIMEOUT, ms(9000), tcp(3, 1, 0, 250)), Verdict::Undecided(ms(750)));
    }

    #[test]
    fn a_slow_answer_over_a_live_path_is_waited_for() {
        for waited in [1000, 4000, 60_000] {
            // All is acknowledged; then the answer to a probe is under way.
            let verdict = judge(TIMEOUT, ms(waited), tcp(0, 0, 0, waited));
            assert!(matches!(verdict, Verdict::Silent(_)), "{verdict:?}");
            let verdict = judge(TIMEOUT, ms(waited), tcp(0, 0, 1, 1000));
            assert!(matches!(verdict, Verdict::Silent(_)), "{verdict:?}");
        }
    }

    #[test]
    fn a_receiver_that_is_not_ready_to_read_is_waited_for_while_it_answers() {
        // It answers the probes of its window, the last one some time ago, since they come less and less often.
        let verdict = judge(TIMEOUT, ms(9000), tcp(0, 0, 1, 3000));
        assert!(matches!(verdict, Verdict::Silent(_)), "{verdict:?}");
        assert_eq!(judge(TIMEOUT, ms(9000), tcp(0, 0, 2, 3000)), Verdict::Dead(ms(3000)));
    }

    #[test]
    fn a_path_with_long_round_trips_is_not_dead() {
        let slow = |tcp| TcpState { round_trip: ms(700), ..tcp };
        assert_eq!(judge(TIMEOUT, ms(1100), slow(tcp(1, 1, 0, 1100))), Verdict::Undecided(ms(1000)));
        assert_eq!(judge(TIMEOUT, ms(2100), slow(tcp(1, 1, 0, 2100))), Verdict::Dead(ms(2100)));
    }
}
