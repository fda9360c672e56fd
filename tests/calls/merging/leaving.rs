//! Calls that end before the request that they are merged into, wherever it is, and what is left of them: nothing.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use super::{Gathering, requests};
use crate::support::events::{code, next, nothing_comes, outcome, queue, submit};
use crate::support::server::{Seen, Step, answer, features_of, reply, say};
use crate::support::store::{ask, call, figures};
use crate::support::wait::wait_until;
use feast_remote::error::Code;
use feast_remote::remote::EventQueue;

/// What calls wait for.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Phase {
    Line,
    Permit,
    Answer,
    Retry,
}

/// How one of them ends.
#[derive(Clone, Copy, Debug, PartialEq)]
enum End {
    Deadline,
    Cancel,
    FreedQueue,
    Close,
}

/// Three calls in this phase of being merged, one of which ends in this way.
fn end_one_of_three(phase: Phase, end: End, which: i64) {
    let keys: &[_] = match phase {
        Phase::Permit => &[("connection_pool_size", "1"), ("merge_in_flight", "2")],
        _ => &[],
    };
    let (go, met) = (Arc::new(AtomicBool::new(false)), AtomicUsize::new(0));
    let goes = Arc::clone(&go);
    let gathering = Gathering::new(keys, move |seen: &Seen| {
        let first = met.fetch_add(1, Ordering::SeqCst) == 0;
        match phase {
            Phase::Answer => {
                [vec![Step::Until(Arc::clone(&goes))], say(200, features_of(&seen.body))].concat()
            }
            Phase::Retry if first => vec![Step::Send(reply(503, &[("Retry-After", "1")], "\"busy\""))],
            _ => answer(seen),
        }
    });
    gathering.begin();
    let mut freed = Some(queue());
    let mut ending = ask(which);
    if end == End::Deadline {
        ending.set_timeout(Duration::from_millis(300));
    }
    let events: Arc<EventQueue> = match (&freed, end) {
        (Some(freed), End::FreedQueue) => Arc::clone(freed),
        _ => Arc::clone(&gathering.queue),
    };
    let mut handle = None;
    for id in 2..5 {
        if id == which {
            handle = Some(gathering.remote.submit(&ending, &events, id as usize).unwrap());
        } else {
            drop(gathering.submit(id));
        }
    }
    drop(events);
    let waiting = |count: usize| figures(&gathering.remote)["async_requests"] == count;
    match phase {
        Phase::Line => wait_until("they wait in line", || waiting(4)),
        Phase::Permit => wait_until("they wait for a permit", || gathering.remote.waiting() == 1),
        Phase::Answer | Phase::Retry => {
            gathering.release();
            assert_eq!(outcome(next(&gathering.queue)), (1, Ok(())));
            wait_until("they are on the wire", || gathering.server.requests() == 3);
        }
    }
    if phase == Phase::Retry {
        wait_until("they wait for the next attempt", || {
            figures(&gathering.remote)["connections_in_use"] == 0
        });
    }
    let others: Vec<i64> = (2..5).filter(|&id| id != which).collect();
    match end {
        End::Deadline => {
            let (id, result) = outcome(next(&gathering.queue));
            let error = result.unwrap_err();
            let late = [Code::Timeout, Code::Overloaded].contains(&error.code);
            assert!(late && id as i64 == which, "{phase:?}: {id}: {error}");
        }
        End::Cancel => {
            handle.unwrap().cancel();
            let (id, result) = outcome(next(&gathering.queue));
            assert_eq!((id as i64, result.unwrap_err().code), (which, Code::Cancelled), "{phase:?}");
        }
        End::FreedQueue => {
            let under_way = figures(&gathering.remote)["async_requests"].as_u64().unwrap();
            freed.take().unwrap().close();
            wait_until("its call is gone", || waiting(under_way as usize - 1));
        }
        End::Close => {
            gathering.remote.close();
            let ended = if matches!(phase, Phase::Line | Phase::Permit) { 4 } else { 3 };
            (0..ended).for_each(|_| assert_eq!(code(next(&gathering.queue)), Code::Closed, "{phase:?}"));
            gathering.release();
            go.store(true, Ordering::SeqCst);
            return gathering.rests();
        }
    }
    gathering.release();
    go.store(true, Ordering::SeqCst);
    if matches!(phase, Phase::Line | Phase::Permit) {
        assert_eq!(outcome(next(&gathering.queue)), (1, Ok(())), "{phase:?}, {end:?}");
    }
    let mut answered: Vec<i64> = others.iter().map(|_| outcome(next(&gathering.queue)).0 as i64).collect();
    answered.sort_unstable();
    assert_eq!(answered, others, "{phase:?}, {end:?}");
    let last = requests(&gathering.server).pop().unwrap();
    let left_out = matches!(phase, Phase::Line | Phase::Permit);
    assert_eq!(last.len(), if left_out { 2 } else { 3 }, "{phase:?}, {end:?}: {last:?}");
    gathering.rests();
}

/// The first one, for which the request may seem to have been made, and one in the middle.
fn end_in_every_way(phase: Phase) {
    for end in [End::Deadline, End::Cancel, End::FreedQueue, End::Close] {
        [2, 3].iter().for_each(|&which| end_one_of_three(phase, end, which));
    }
}

#[test]
fn a_call_that_ends_in_line_harms_no_other() {
    end_in_every_way(Phase::Line);
}

#[test]
fn a_call_that_ends_while_its_request_waits_for_a_permit_harms_no_other() {
    end_in_every_way(Phase::Permit);
}

#[test]
fn a_call_that_ends_while_its_request_is_on_the_wire_harms_no_other() {
    end_in_every_way(Phase::Answer);
}

#[test]
fn a_call_that_ends_before_a_retry_harms_no_other() {
    end_in_every_way(Phase::Retry);
}

#[test]
fn the_call_that_the_others_wait_for_may_be_cancelled() {
    let gathering = Gathering::new(&[], answer);
    let first = gathering.submit(1);
    wait_until("the first request is under way", || gathering.server.requests() == 2);
    [2, 3].iter().for_each(|&id| drop(gathering.submit(id)));
    first.cancel();
    let mut ended: Vec<_> = (0..3).map(|_| outcome(next(&gathering.queue))).collect();
    ended.sort_by_key(|(id, _)| *id);
    assert_eq!(ended[0].1.as_ref().unwrap_err().code, Code::Cancelled);
    assert!(ended[1].1.is_ok() && ended[2].1.is_ok());
    assert_eq!(requests(&gathering.server), [vec![1], vec![2, 3]]);
    gathering.rests();
}

#[test]
fn a_call_that_is_refused_at_once_shifts_nobodys_answer() {
    let gathering = Gathering::new(&[("max_async_requests", "4")], answer);
    gathering.begin();
    [2, 3, 4].iter().for_each(|&id| drop(gathering.submit(id)));
    let error = gathering.remote.submit(&ask(5), &gathering.queue, 5).err().unwrap();
    assert_eq!(error.code, Code::Overloaded, "{error}");
    let freed = queue();
    freed.close();
    assert!(gathering.remote.submit(&ask(6), &freed, 6).is_err());
    gathering.release();
    // Each event's answer belongs to its tag.
    (0..4).for_each(|_| outcome(next(&gathering.queue)).1.unwrap());
    assert_eq!(requests(&gathering.server), [vec![1], vec![2, 3, 4]]);
    gathering.rests();
}

#[test]
fn who_comes_when_a_merged_request_has_been_sent_goes_with_the_next() {
    let go = Arc::new(AtomicBool::new(false));
    let goes = Arc::clone(&go);
    let gathering = Gathering::new(&[], move |seen: &Seen| {
        [vec![Step::Until(Arc::clone(&goes))], say(200, features_of(&seen.body))].concat()
    });
    gathering.begin();
    [2, 3].iter().for_each(|&id| drop(gathering.submit(id)));
    gathering.release();
    wait_until("they are on the wire", || gathering.server.requests() == 3);
    [4, 5].iter().for_each(|&id| drop(gathering.submit(id)));
    go.store(true, Ordering::SeqCst);
    (0..5).for_each(|_| outcome(next(&gathering.queue)).1.unwrap());
    assert_eq!(requests(&gathering.server), [vec![1], vec![2, 3], vec![4, 5]]);
}

#[test]
fn calls_that_time_out_leave_no_count_behind_that_ends_merging() {
    let gathering = Gathering::new(&[], answer);
    gathering.begin();
    for round in 0..10 {
        for id in 0..20 {
            let mut hasty = ask(1000 + 20 * round + id);
            hasty.set_timeout(Duration::from_millis(1 + id as u64 % 3));
            gathering.remote.submit(&hasty, &gathering.queue, 1000).unwrap();
        }
        (0..20).for_each(|_| assert_eq!(code(next(&gathering.queue)), Code::Timeout));
    }
    [2, 3, 4].iter().for_each(|&id| drop(gathering.submit(id)));
    gathering.release();
    (0..4).for_each(|_| outcome(next(&gathering.queue)).1.unwrap());
    assert_eq!(requests(&gathering.server), [vec![1], vec![2, 3, 4]], "they gather as before");
    gathering.rests();
    // The first one may still meet the end of the merged request.
    let waited = || figures(&gathering.remote)["merge_wait_latency"]["count"].clone();
    wait_until("a caller alone waits for nobody", || {
        let before = waited();
        call(&gathering.remote, 5).unwrap();
        waited() == before
    });
}

#[test]
fn an_event_comes_once_for_each_of_many_calls_that_end_at_random() {
    let gathering = Gathering::new(&[], answer);
    gathering.release();
    let mut ended = vec![0; 2000];
    for chunk in 0..20 {
        for id in 100 * chunk..100 * (chunk + 1) {
            let handle = submit(&gathering.remote, &gathering.queue, id);
            if id % 3 == 0 {
                handle.cancel();
            }
        }
        for _ in 0..100 {
            let (id, result) = outcome(next(&gathering.queue));
            ended[id] += 1;
            assert!(result.is_ok() || result.unwrap_err().code == Code::Cancelled);
        }
    }
    assert!(ended.iter().all(|&events| events == 1) && nothing_comes(&gathering.queue));
    wait_until("nothing is under way", || figures(&gathering.remote)["connections_in_use"] == 0);
    gathering.rests();
}
