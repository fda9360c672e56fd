//! The objects behind the interface's pointers. Each stands behind a mark of its kind, which goes when it is freed, so that
//! a pointer that was freed, or was never one of that kind, is mostly told from one that may be used. Mostly: the memory
//! may have been given to another object since.

use std::sync::atomic::{AtomicU64, Ordering};

use super::{
    feast_call_t, feast_config_t, feast_error_t, feast_event_t, feast_frame_t, feast_queue_t, feast_remote_t,
    feast_request_t, feast_response_t, feast_search_t, feast_write_options_t, feast_write_t,
};

#[repr(C)]
struct Object<T> {
    /// malloc() keeps its lists of free blocks here, and would overwrite the mark.
    _overwritten: [usize; 2],
    mark: AtomicU64,
    value: T,
}

/// A type that pointers of the interface point to.
pub trait Kind {
    /// No number that is likely to stand in memory.
    const MARK: u64;
}

macro_rules! kinds {
    ($($kind:ty = $mark:literal),+ $(,)?) => { $(impl Kind for $kind { const MARK: u64 = $mark; })+ };
}
kinds! {
    feast_config_t = 0xfea5_7c09_f160_51d3,
    feast_remote_t = 0xfea5_72e3_07e8_946b,
    feast_request_t = 0xfea5_72e9_0e57_bd12,
    feast_response_t = 0xfea5_72e5_9035_e7a8,
    feast_error_t = 0xfea5_7e22_0238_c4f1,
    feast_queue_t = 0xfea5_79c3_0e5a_2d97,
    feast_event_t = 0xfea5_7e7e_4701_66bc,
    feast_call_t = 0xfea5_7ca1_1860_f325,
    feast_frame_t = 0xfea5_7f2a_3e61_0d84,
    feast_write_t = 0xfea5_7821_7e5a_91c6,
    feast_write_options_t = 0xfea5_7809_10a5_c23b,
    feast_search_t = 0xfea5_75ea_2c48_e79d,
}

/// Hands an object to C.
pub fn give<T: Kind>(value: T) -> *mut T {
    let object = Object { _overwritten: [0; 2], mark: AtomicU64::new(T::MARK), value };
    Box::into_raw(Box::new(object)).cast()
}

/// # Safety
/// `pointer` is NULL or points to an object of ours. A caller who breaks this rule of the header's has given up all promises;
/// the look at the mark then tells what it can.
unsafe fn marked<T: Kind>(pointer: *const T) -> Option<*mut Object<T>> {
    let object = pointer.cast::<Object<T>>().cast_mut();
    if object.is_null() || !object.is_aligned() {
        return None;
    }
    // SAFETY: an object, as promised by the caller.
    let mark = unsafe { &(*object).mark };
    (mark.load(Ordering::Relaxed) == T::MARK).then_some(object)
}

/// An object for the length of a call; `None` for NULL, and where the mark is missing.
///
/// # Safety
/// `pointer` is NULL or came from [`give`], and no other thread frees or changes it meanwhile.
pub unsafe fn borrow<'a, T: Kind>(pointer: *const T) -> Option<&'a T> {
    // SAFETY: promised by the caller.
    unsafe { marked(pointer).map(|object| &(*object).value) }
}

/// An object to be changed.
///
/// # Safety
/// As for [`borrow`], and no other thread uses it meanwhile.
pub unsafe fn borrow_mut<'a, T: Kind>(pointer: *mut T) -> Option<&'a mut T> {
    // SAFETY: promised by the caller.
    unsafe { marked(pointer).map(|object| &mut (*object).value) }
}

/// Takes an object back from C; `None` for NULL, and for one that was taken before.
///
/// # Safety
/// `pointer` is NULL or came from [`give`], and no other thread uses it any more.
pub unsafe fn take<T: Kind>(pointer: *mut T) -> Option<T> {
    // SAFETY: promised by the caller. Whoever takes the mark away owns the object.
    unsafe {
        let object = marked(pointer)?;
        let taken = (*object).mark.compare_exchange(T::MARK, 0, Ordering::AcqRel, Ordering::Relaxed);
        taken.ok().map(|_| Box::from_raw(object).value)
    }
}
