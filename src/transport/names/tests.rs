use std::net::Ipv4Addr;
use std::sync::Condvar as StdCondvar;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;

const FIRST: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1));
const SECOND: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 2));

/// Answers that are let out one by one.
#[derive(Default)]
struct Service {
    answers: Mutex<VecDeque<Vec<IpAddr>>>,
    given: StdCondvar,
    asked: AtomicUsize,
    at_once: AtomicUsize,
    most_at_once: AtomicUsize,
}

impl Service {
    fn answer(&self, addresses: &[IpAddr]) {
        lock(&self.answers).push_back(addresses.to_vec());
        self.given.notify_all();
    }

    fn look_up(&self) -> io::Result<Vec<IpAddr>> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        self.most_at_once.fetch_max(self.at_once.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
        let mut answers = lock(&self.answers);
        let found = loop {
            match answers.pop_front() {
                Some(found) => break found,
                None => answers = self.given.wait(answers).unwrap(),
            }
        };
        self.at_once.fetch_sub(1, Ordering::SeqCst);
        Ok(found)
    }
}

fn names() -> (Arc<Service>, Names) {
    let service = Arc::new(Service::default());
    let asked = Arc::clone(&service);
    let lookup = Arc::new(move |_: &str, _: u16| asked.look_up());
    (service, Names::new(lookup, Arc::new(Stats::default())))
}

fn waited(names: &Names, host: &str, known: Known) -> Result<Vec<IpAddr>, String> {
    match known {
        Known::Addresses(addresses) => Ok(addresses),
        Known::Sought(number) => names.wait(host, number, Deadline::NEVER).unwrap(),
    }
}

fn after(time: Duration) -> Instant {
    Instant::now() + time
}

#[test]
fn an_old_answer_is_used_while_a_new_one_is_sought() {
    let (service, names) = names();
    let now = Instant::now();
    service.answer(&[FIRST]);
    assert_eq!(waited(&names, "a", names.ask("a", 1, now, None)).unwrap(), [FIRST]);
    assert_eq!(names.ask("a", 1, after(FRESH_FOR / 2), None), Known::Addresses(vec![FIRST]));
    assert_eq!(service.asked.load(Ordering::SeqCst), 1);
    let old = after(FRESH_FOR);
    for _ in 0..3 {
        assert_eq!(names.ask("a", 1, old, None), Known::Addresses(vec![FIRST]));
    }
    service.answer(&[SECOND]);
    assert_eq!(names.wait("a", 2, Deadline::NEVER).unwrap().unwrap(), [SECOND]);
    assert_eq!(names.ask("a", 1, Instant::now(), None), Known::Addresses(vec![SECOND]));
    assert_eq!(service.asked.load(Ordering::SeqCst), 2);
}

#[test]
fn what_was_known_stays_known_when_a_look_up_fails() {
    let (service, names) = names();
    service.answer(&[FIRST]);
    waited(&names, "a", names.ask("a", 1, Instant::now(), None)).unwrap();
    names.ask("a", 1, after(FRESH_FOR), None);
    service.answer(&[]);
    assert_eq!(names.wait("a", 2, Deadline::NEVER).unwrap().unwrap(), [FIRST]);
    // It is not sought anew for each connection.
    names.ask("a", 1, after(FRESH_FOR / 2), None);
    assert_eq!(service.asked.load(Ordering::SeqCst), 2);
}

#[test]
fn a_failed_connection_has_the_name_looked_up_if_the_answer_is_not_new() {
    let (service, names) = names();
    service.answer(&[FIRST]);
    waited(&names, "a", names.ask("a", 1, Instant::now(), None)).unwrap();
    names.doubt("a", 1, Instant::now());
    assert_eq!(service.asked.load(Ordering::SeqCst), 1);
    (0..3).for_each(|_| names.doubt("a", 1, after(TRUSTED_FOR)));
    service.answer(&[SECOND]);
    assert_eq!(names.wait("a", 2, Deadline::NEVER).unwrap().unwrap(), [SECOND]);
    assert_eq!(service.asked.load(Ordering::SeqCst), 2);
}

#[test]
fn an_address_that_did_not_answer_is_left_out_for_a_while_unless_none_did() {
    let (service, names) = names();
    service.answer(&[FIRST, SECOND]);
    let now = Instant::now();
    waited(&names, "a", names.ask("a", 1, now, None)).unwrap();
    names.note(FIRST, false, now);
    names.note(SECOND, true, now);
    assert_eq!(names.ask("a", 1, now, None), Known::Addresses(vec![SECOND]));
    names.note(SECOND, false, now);
    assert_eq!(names.ask("a", 1, now, None), Known::Addresses(vec![FIRST, SECOND]));
    names.note(SECOND, true, now);
    assert_eq!(names.ask("a", 1, now + SILENT_FOR, None), Known::Addresses(vec![FIRST, SECOND]));
    names.note(FIRST, true, now);
    assert_eq!(names.ask("a", 1, now, None), Known::Addresses(vec![FIRST, SECOND]));
    service.answer(&[FIRST]); // it was old, at last
}

#[test]
fn so_many_names_are_looked_up_at_a_time_and_the_others_after_them() {
    let (service, names) = names();
    let hosts = ["a", "b", "c", "d", "e"];
    let known = hosts.map(|host| names.ask(host, 1, Instant::now(), None));
    while service.asked.load(Ordering::SeqCst) < 2 {
        std::thread::yield_now();
    }
    hosts.iter().for_each(|_| service.answer(&[FIRST]));
    for (host, known) in hosts.into_iter().zip(known) {
        assert_eq!(waited(&names, host, known).unwrap(), [FIRST]);
    }
    assert_eq!(service.asked.load(Ordering::SeqCst), 5);
    assert_eq!(service.most_at_once.load(Ordering::SeqCst), 2);
}

#[test]
fn a_listener_is_told_once_and_who_waits_when_all_is_over_too() {
    struct Told(AtomicUsize);
    impl NameListener for Told {
        fn looked_up(&self) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }
    let (service, names) = names();
    let told = Arc::new(Told(AtomicUsize::new(0)));
    let listener = Arc::clone(&told) as Arc<dyn NameListener>;
    names.ask("a", 1, Instant::now(), Some(&listener));
    let known = names.ask("a", 1, Instant::now(), Some(&listener));
    service.answer(&[FIRST]);
    waited(&names, "a", known).unwrap();
    names.close();
    drop(names); // the thread has ended
    assert_eq!(told.0.load(Ordering::SeqCst), 1);
    assert_eq!(Arc::strong_count(&told), 2);
    let (service, names) = self::names();
    let Known::Sought(number) = names.ask("a", 1, Instant::now(), None) else { panic!() };
    names.close();
    assert_eq!(names.wait("a", number, Deadline::NEVER), None);
    service.answer(&[FIRST]);
}

#[test]
fn names_whose_look_ups_are_stuck_keep_no_other_from_its_own() {
    let stuck = Arc::new(Service::default());
    let asked = Arc::clone(&stuck);
    let lookup =
        Arc::new(move |host: &str, _: u16| if host == "well" { Ok(vec![FIRST]) } else { asked.look_up() });
    let names = Names::new(lookup, Arc::new(Stats::default()));
    let now = Instant::now();
    for host in ["a", "b"] {
        names.ask(host, 1, now, None);
    }
    let Known::Sought(number) = names.ask("well", 1, now, None) else { panic!() };
    assert_eq!(names.answer("well", number, now), None);
    while stuck.asked.load(Ordering::SeqCst) < 2 {
        std::thread::yield_now();
    }
    assert_eq!(names.answer("well", number, after(STUCK_AFTER)), None, "its look-up has begun");
    assert_eq!(names.wait("well", number, Deadline::NEVER).unwrap().unwrap(), [FIRST]);
    (0..2).for_each(|_| stuck.answer(&[FIRST]));
}
