//! The network path to one server: when its connections are looked at, and which of them are suspect because another one
//! was found dead. The rule is [`policy::path_death`](crate::policy::path_death).

use std::ffi::c_int;
use std::os::fd::RawFd;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crate::policy::path_death::{self, PROBE_INTERVAL, TcpState, Verdict};

/// From linux/tcp_states.h.
const TCP_ESTABLISHED: u8 = 1;
const TCP_CLOSE_WAIT: u8 = 8;

/// Of one server; used by any number of slots.
pub struct Path {
    /// dead_connection_timeout_ms; `None`: connections are not looked at.
    timeout: Option<Duration>,
    epoch: Instant,
    /// Since when a connection that was found dead had been silent, in nanoseconds after the epoch.
    silent_since: AtomicU64,
}

impl Path {
    /// Nothing is known of it.
    pub fn new(timeout: Option<Duration>) -> Path {
        Path { timeout, epoch: Instant::now(), silent_since: AtomicU64::new(0) }
    }

    /// When to look at the connection of an attempt that begins now.
    pub fn first_look(&self, now: Instant) -> Option<Instant> {
        self.timeout.and_then(|timeout| now.checked_add(timeout))
    }

    /// A connection has died that had been silent since then: those not heard of since may have died with it.
    pub fn died(&self, silent_since: Instant) {
        self.silent_since.fetch_max(self.nanoseconds(silent_since), Ordering::Relaxed);
    }

    /// Whether a connection that was last heard of then may be dead.
    pub fn is_suspect(&self, heard: Instant) -> bool {
        let silent_since = self.silent_since.load(Ordering::Relaxed);
        silent_since > 0 && self.nanoseconds(heard) <= silent_since
    }

    fn nanoseconds(&self, at: Instant) -> u64 {
        u64::try_from(at.saturating_duration_since(self.epoch).as_nanos()).unwrap_or(u64::MAX).max(1)
    }
}

/// The look at one slot's connection.
pub struct Watch {
    begun: Instant,
    next: Option<Instant>,
    /// The socket that is probed, and how it was before.
    probed: Option<(RawFd, [c_int; 2])>,
}

impl Watch {
    /// Of no attempt.
    pub fn new() -> Watch {
        Watch { begun: Instant::now(), next: None, probed: None }
    }

    /// An attempt begins.
    pub fn begin(&mut self, path: &Path, now: Instant) {
        self.begun = now;
        self.next = path.first_look(now);
    }

    /// When to look.
    pub fn next(&self) -> Option<Instant> {
        self.next
    }

    /// Looks at the attempt's sockets, if it is time; how long nothing has been acknowledged, if the path has died.
    pub fn look(&mut self, path: &Path, sockets: &[RawFd], now: Instant) -> Option<Duration> {
        let timeout = path.timeout.filter(|_| self.next.is_some_and(|next| next <= now))?;
        // There is more than one only while a connection is made. That has a timeout of its own.
        let Some((fd, tcp)) = sockets.iter().find_map(|&fd| Some((fd, tcp_state(fd)?))) else {
            self.next = now.checked_add(timeout);
            return None;
        };
        let wait = match path_death::judge(timeout, now.duration_since(self.begun), tcp) {
            Verdict::Dead(silent) => {
                path.died(now.checked_sub(silent).unwrap_or(self.begun));
                return Some(silent);
            }
            Verdict::Undecided(wait) => wait,
            Verdict::Silent(wait) => {
                self.probe(fd, timeout);
                wait
            }
        };
        self.next = now.checked_add(wait);
        None
    }

    /// Whether an attempt whose time is up has sent something again and got nothing back; then the path is suspect.
    pub fn is_unanswered(&self, path: &Path, sockets: &[RawFd], now: Instant) -> bool {
        path.timeout.is_some()
            && sockets.iter().filter_map(|&fd| tcp_state(fd)).any(|tcp| {
                let unanswered = path_death::is_unanswered(tcp);
                if unanswered {
                    let silent = tcp.silent.min(now.duration_since(self.begun));
                    path.died(now.checked_sub(silent).unwrap_or(self.begun));
                }
                unanswered
            })
    }

    /// The attempt has ended; these sockets are still open.
    pub fn end(&mut self, sockets: &[RawFd]) {
        self.next = None;
        // Who waits for nothing need not be probed.
        if let Some((fd, before)) = self.probed.take()
            && sockets.contains(&fd)
        {
            set_probes(fd, before);
        }
    }

    /// Has the kernel ask the other side whether it is there.
    fn probe(&mut self, fd: RawFd, timeout: Duration) {
        if self.probed.is_some_and(|(probed, _)| probed == fd) {
            return;
        }
        let [Some(idle), Some(interval)] = PROBES.map(|option| tcp_option(fd, option)) else { return };
        self.probed = Some((fd, [idle, interval]));
        let idle = c_int::try_from(timeout.as_secs()).unwrap_or(idle).clamp(1, idle.max(1));
        set_probes(fd, [idle, PROBE_INTERVAL.as_secs() as c_int]);
    }
}

/// In seconds: the silence before the first probe, and between two of them.
const PROBES: [c_int; 2] = [libc::TCP_KEEPIDLE, libc::TCP_KEEPINTVL];

fn set_probes(fd: RawFd, seconds: [c_int; 2]) {
    // The interval first: the other one sets the kernel's timer.
    for (option, value) in PROBES.into_iter().zip(seconds).rev() {
        // SAFETY: an int, as said; a descriptor that is no TCP socket makes the call fail, and there are no probes.
        unsafe {
            libc::setsockopt(
                fd,
                libc::IPPROTO_TCP,
                option,
                (&raw const value).cast(),
                size_of_val(&value) as libc::socklen_t,
            )
        };
    }
}

fn tcp_option(fd: RawFd, option: c_int) -> Option<c_int> {
    let mut value: c_int = 0;
    let mut length = size_of_val(&value) as libc::socklen_t;
    // SAFETY: the kernel writes an int, and no more than there is room for.
    let code =
        unsafe { libc::getsockopt(fd, libc::IPPROTO_TCP, option, (&raw mut value).cast(), &mut length) };
    (code == 0).then_some(value)
}

/// What the kernel knows of a connection; `None` if it is none, or not made yet.
fn tcp_state(fd: RawFd) -> Option<TcpState> {
    // SAFETY: plain numbers, for which zeros will do.
    let mut info: libc::tcp_info = unsafe { std::mem::zeroed() };
    let mut length = size_of_val(&info) as libc::socklen_t;
    // SAFETY: the kernel writes as much of the struct as there is room for.
    let code = unsafe {
        libc::getsockopt(fd, libc::IPPROTO_TCP, libc::TCP_INFO, (&raw mut info).cast(), &mut length)
    };
    if code != 0 || !matches!(info.tcpi_state, TCP_ESTABLISHED | TCP_CLOSE_WAIT) {
        return None;
    }
    let silent = info.tcpi_last_ack_recv.min(info.tcpi_last_data_recv);
    // Older kernels write less of the struct.
    let min_rtt = info.tcpi_min_rtt;
    let round_trip = if (1..u32::MAX).contains(&min_rtt) { min_rtt } else { info.tcpi_rtt };
    let open = info.tcpi_snd_wnd > info.tcpi_snd_mss;
    Some(TcpState {
        unacknowledged: info.tcpi_unacked,
        retransmissions: info.tcpi_retransmits.into(),
        unsendable: info.tcpi_notsent_bytes > 0 && info.tcpi_unacked == 0 && open,
        probes: info.tcpi_probes.into(),
        silent: Duration::from_millis(silent.into()),
        round_trip: Duration::from_micros(round_trip.into()),
    })
}

#[cfg(test)]
mod tests {
    use std::net::{TcpListener, TcpStream};
    use std::os::fd::AsRawFd;

    use super::*;

    #[test]
    fn what_was_heard_of_after_the_silence_began_is_not_suspect() {
        let path = Path::new(None);
        let at = |milliseconds| path.epoch + Duration::from_millis(milliseconds);
        assert!(!path.is_suspect(at(0)), "nothing has died");
        path.died(at(100));
        assert!(path.is_suspect(at(100)));
        assert!(!path.is_suspect(at(101)));
        path.died(at(50));
        assert!(path.is_suspect(at(100)), "the last one counts");
    }

    #[test]
    fn a_connection_is_probed_while_an_answer_is_waited_for_and_as_before_afterwards() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let connection = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let fd = connection.as_raw_fd();
        let path = Path::new(Some(Duration::from_secs(3)));
        let mut watch = Watch::new();
        let before = PROBES.map(|option| tcp_option(fd, option).unwrap());
        let begun = Instant::now();
        watch.begin(&path, begun);
        assert_eq!(watch.look(&path, &[fd], begun), None);
        assert_eq!(PROBES.map(|option| tcp_option(fd, option).unwrap()), before, "too early to look");
        watch.probe(fd, Duration::from_secs(3));
        assert_eq!(PROBES.map(|option| tcp_option(fd, option).unwrap()), [3, 1]);
        watch.end(&[fd]);
        assert_eq!(PROBES.map(|option| tcp_option(fd, option).unwrap()), before);
        assert_eq!(watch.next(), None);
    }
}
