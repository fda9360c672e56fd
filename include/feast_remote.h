/*
 * libfeast_remote 0.2: online features from a remote Feast feature server.
 *
 * WHAT IT IS
 *
 * A client for Feast's feature server (`feast serve`), for programs that cannot or will not run Python: it fetches online
 * features, writes rows and searches documents. It keeps a pool of warm connections, holds every call to one deadline, retries what is worth it, and
 * returns typed columns. Build with `cc program.c -lfeast_remote`; CONFIGURATION.md lists the configuration keys.
 *
 * A PROGRAM
 *
 *     #include <feast_remote.h>
 *     #include <stdio.h>
 *
 *     int main(void) {
 *       const int64_t drivers[] = {1001, 1002};
 *       feast_config_t *config = feast_config_new();
 *       feast_request_t *req = feast_request_new();
 *       feast_remote_t *remote = NULL;
 *       feast_response_t *resp = NULL;
 *       feast_error_t *err = NULL;
 *       if (feast_config_set(config, "path", "http://localhost:6566", &err) == FEAST_OK &&
 *           feast_remote_open(config, &remote, &err) == FEAST_OK &&
 *           feast_request_add_feature(req, "driver_hourly_stats:avg_daily_trips", &err) == FEAST_OK &&
 *           feast_request_set_entity_int64(req, "driver_id", drivers, 2, &err) == FEAST_OK &&
 *           feast_get_online_features(remote, req, &resp, &err) == FEAST_OK) {
 *         const int64_t *trips = NULL;
 *         if (feast_response_get_int64(resp, "avg_daily_trips", &trips, NULL, &err) == FEAST_OK)
 *           printf("%lld %lld\n", (long long)trips[0], (long long)trips[1]);
 *       }
 *       if (err != NULL) {
 *         fprintf(stderr, "%s\n", feast_error_message(err));
 *       }
 *       feast_error_free(err);
 *       feast_response_free(resp);
 *       feast_close(remote);
 *       feast_request_free(req);
 *       feast_config_free(config);
 *       return 0;
 *     }
 *
 * THREADS
 *
 * A feast_remote_t may be used by any number of threads at once; open one for each feature server, or for all servers of the
 * same features, not one for each thread. A blocking call runs on the caller's thread. Configurations and requests may be changed by one thread
 * at a time, and used by many while nobody changes them. Responses and errors never change. Of its own the library has
 * one thread a store, which closes idle connections, one more a store that has asynchronous, merged or hedged calls, one while
 * such a store fetches a token, one once a server of several was set aside, one or two while names are looked up; all of them
 * block all signals. Nothing of the caller's runs on them but the log callback.
 *
 * A thread that calls needs 64 KiB of stack. pthread_cancel() of a thread that is in a call takes effect when the call has
 * returned; feast_close(), feast_call_cancel() and feast_queue_wake() end what it waits for.
 *
 * CALLS THAT DO NOT WAIT
 *
 * feast_get_online_features_async() returns at once; later one event for the call comes to a queue:
 *
 *     feast_queue_t *queue = NULL;
 *     feast_queue_open(&queue, &err);
 *     feast_get_online_features_async(remote, req, queue, job, NULL, &err);
 *     ... wait until feast_queue_fd(queue) is readable, with epoll or poll(), beside everything else ...
 *     feast_event_t *event;
 *     while ((event = feast_queue_poll(queue, 0)) != NULL) {
 *       feast_response_t *resp = feast_event_take_response(event);
 *       if (resp != NULL) use(feast_event_tag(event), resp);
 *       else complain(feast_event_tag(event), feast_error_message(feast_event_error(event)));
 *       feast_response_free(resp);
 *       feast_event_free(event);
 *     }
 *
 * One queue serves any number of stores and calls. Each call that was accepted has exactly one event, whatever happens:
 * an answer, a failure, feast_call_cancel(), feast_close(). They come in the order in which the calls end. Answers are
 * decoded by the thread that takes them out.
 *
 * MERGED CALLS
 *
 * With the key `merge_max_rows` concurrent calls that ask for the same features go out in one request, and each gets its own
 * rows: a server pays far more for a request than for a row. Nothing waits for a timer; a call that is alone goes out at
 * once. Questions whose answers depend on the other rows are found out and left alone. docs/merging.md says when it pays,
 * feast_request_set_merge() keeps a call alone, feast_response_calls_in_request() tells.
 *
 * SEVERAL SERVERS
 *
 * The key `path` takes several URLs, and with `resolve` each address of a name is a server of its own. A call goes to the less
 * busy one or to the first in order (`balance`), its retries to others; servers that fail are set aside until they say that
 * they are well; late answers are asked for twice (`hedge_percent`). docs/several-servers.md has the rules,
 * feast_response_server() and feast_error_server() tell which one it was.
 *
 * COLUMNS
 *
 * The type of a column that nobody declared depends on the values that came. So ask for a column by its name and the type that
 * the program needs, feast_response_get_int64() and its like: numbers are converted exactly, a column without any value has
 * every type, and anything else is an error that says what there is. Or declare types with the request
 * (feast_request_add_typed_feature(), feast_request_add_list_feature(), feast_request_declare_column()).
 *
 * WRITING AND SEARCHING
 *
 * Rows are columns of a feast_frame_t; feast_push() and feast_write_to_online_store() write them, blocking or with an event,
 * and an error tells which rows were not written. feast_retrieve_online_documents() finds documents by a vector.
 * docs/writing.md tells what Feast's server does to data, and what is done about it.
 *
 * OWNERSHIP
 *
 * Each pointer is one of: borrowed for the call; borrowed until the object it came from is freed; copied;
 * transferred. What a function returns as the caller's own is freed by the _free function of its type, or
 * feast_close(). Freeing NULL does nothing. Out parameters are set to NULL first and written only on success.
 * (NULL, 0) is an empty array. Strings are UTF-8 and end with a NUL; entity strings may come with lengths.
 * NULL where an object is needed is an error, not a crash. So is, mostly, a pointer that was freed or is of another type
 * (FEAST_INVALID_ARGUMENT, or nothing happens): objects are marked. Do not rely on it, memory is used again.
 *
 * ERRORS
 *
 * Functions that can fail return a feast_status_t and take a feast_error_t ** as their last parameter. It may be
 * NULL; on failure it is set to an error that the caller frees; on success it is not touched, so begin with
 * NULL. The hundreds of a status say who has to act: 1xx the caller, 2xx this process, 3xx the network, 400 to
 * 500 the server's answer (numbered like HTTP), 501 and up the data, 9xx this library. An answer too large for
 * memory is an error; a small allocation that fails ends the process, as in most programs.
 *
 * FORK, DLCLOSE, SIGNALS
 *
 * Nothing runs when the library is loaded. After fork() a store works in the child as in the parent, on connections of
 * the child's own, opened anew by its first call with the configuration and the environment of feast_remote_open(); so a
 * server may open its stores before it forks its workers. The parent's connections are left alone, whatever the child
 * does. Queues stay with the process that opened them: calls for them return FEAST_INVALID_ARGUMENT in the child, and
 * there are no events.
 *
 * dlclose() is allowed and does not unload the library. No signal, handler, mask, locale, environment
 * variable or file descriptor of the program is changed, and nothing is printed.
 *
 * VERSIONS
 *
 * Compare FEAST_VERSION_NUMBER with feast_version_number() to learn whether the library is older than the
 * header. Status and type numbers are never reused; new ones may appear. Until 1.0 a minor version may change
 * signatures, and then the shared library's name changes with it.
 */


#ifndef FEAST_REMOTE_H
#define FEAST_REMOTE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The structs of the Arrow C data interface, as its specification gives them for copying, under its own guard:
 * https://arrow.apache.org/docs/format/CDataInterface.html */
#ifndef ARROW_C_DATA_INTERFACE
#define ARROW_C_DATA_INTERFACE

#define ARROW_FLAG_DICTIONARY_ORDERED 1
#define ARROW_FLAG_NULLABLE 2
#define ARROW_FLAG_MAP_KEYS_SORTED 4

#ifdef __cplusplus
extern "C" {
#endif

struct ArrowSchema {
  const char *format;
  const char *name;
  const char *metadata;
  int64_t flags;
  int64_t n_children;
  struct ArrowSchema **children;
  struct ArrowSchema *dictionary;
  void (*release)(struct ArrowSchema *);
  void *private_data;
};

struct ArrowArray {
  int64_t length;
  int64_t null_count;
  int64_t offset;
  int64_t n_buffers;
  int64_t n_children;
  const void **buffers;
  struct ArrowArray **children;
  struct ArrowArray *dictionary;
  void (*release)(struct ArrowArray *);
  void *private_data;
};

#ifdef __cplusplus
}
#endif

#endif /* ARROW_C_DATA_INTERFACE */

/* Defined in dlpack.h, which programs that look into a tensor include. */
struct DLManagedTensorVersioned;


/**
 * Something works otherwise than probably wanted, such as a key in a file that nothing reads.
 */
#define FEAST_LOG_WARNING 1

/**
 * Something happened that is part of normal life.
 */
#define FEAST_LOG_INFO 2

/**
 * A field status that this library does not know, or that the server calls INVALID.
 */
#define FEAST_FIELD_STATUS_INVALID 0

/**
 * The value is there (Feast says so of a null that was written, too).
 */
#define FEAST_FIELD_STATUS_PRESENT 1

/**
 * The value is null.
 */
#define FEAST_FIELD_STATUS_NULL_VALUE 2

/**
 * The online store has no row for the entity.
 */
#define FEAST_FIELD_STATUS_NOT_FOUND 3

/**
 * The row is older than the feature view's ttl.
 */
#define FEAST_FIELD_STATUS_OUTSIDE_MAX_AGE 4

/**
 * The same as FEAST_FIELD_STATUS_INVALID, by its older name.
 */
#define FEAST_STATUS_INVALID 0

/**
 * The same as FEAST_FIELD_STATUS_PRESENT, by its older name.
 */
#define FEAST_STATUS_PRESENT 1

/**
 * The same as FEAST_FIELD_STATUS_NULL_VALUE, by its older name.
 */
#define FEAST_STATUS_NULL_VALUE 2

/**
 * The same as FEAST_FIELD_STATUS_NOT_FOUND, by its older name.
 */
#define FEAST_STATUS_NOT_FOUND 3

/**
 * The same as FEAST_FIELD_STATUS_OUTSIDE_MAX_AGE, by its older name.
 */
#define FEAST_STATUS_OUTSIDE_MAX_AGE 4

/**
 * The last attempt was carried by a connection kept from before.
 */
#define FEAST_TIMING_REUSED 1

/**
 * It made a connection.
 */
#define FEAST_TIMING_NEW_CONNECTION 2

/**
 * The request asked for other calls, too (merge_max_rows).
 */
#define FEAST_TIMING_MERGED 4

/**
 * The request went out twice at a time (hedge_percent).
 */
#define FEAST_TIMING_HEDGED 8

/**
 * Major version of the header. A change means that programs must be changed.
 */
#define FEAST_VERSION_MAJOR 0

/**
 * Minor version of the header. A change means that something was added.
 */
#define FEAST_VERSION_MINOR 2

/**
 * Patch level of the header.
 */
#define FEAST_VERSION_PATCH 0

/**
 * The header's version in one number: major * 1000000 + minor * 1000 + patch.
 */
#define FEAST_VERSION_NUMBER 2000

/**
 * An asynchronous call under way, for cancelling it. Opaque; free with feast_call_free(), at any time.
 */
typedef struct feast_call_t feast_call_t;

/**
 * The settings of a store to be opened. Opaque; free with feast_config_free(). One thread at a time.
 */
typedef struct feast_config_t feast_config_t;

/**
 * A failed call's error. Opaque; free with feast_error_free(). Immutable, so any thread may read it.
 */
typedef struct feast_error_t feast_error_t;

/**
 * The end of one asynchronous call. Opaque; free with feast_event_free(). For one thread at a time.
 */
typedef struct feast_event_t feast_event_t;

/**
 * Rows to be written to a feature server: columns of equal length, each with a name: the join keys, the features, and the
 * event timestamps. Opaque; free with feast_frame_free(). May be used for any number of writes, by several threads at once
 * while nobody changes it.
 */
typedef struct feast_frame_t feast_frame_t;

/**
 * A queue of finished asynchronous calls, of any number of stores. Opaque; free with feast_queue_free(). Any number
 * of threads may use it at once.
 */
typedef struct feast_queue_t feast_queue_t;

/**
 * An open store: connections to one feature server, or to several. Opaque; close with feast_close(). Any number
 * of threads may use it at once, and any process forked from the one that opened it.
 */
typedef struct feast_remote_t feast_remote_t;

/**
 * A question: which features, for which rows of entities. Opaque; free with feast_request_free(). May be used
 * for any number of calls, by several threads at once while nobody changes it.
 */
typedef struct feast_request_t feast_request_t;

/**
 * An answer. Opaque; free with feast_response_free(). It stands on its own: the request may be changed and the
 * store closed. Immutable, so any thread may read it.
 *
 * Columns: first the entities that the server repeats, in the order of the request (request data for on-demand
 * feature views is not repeated); then the features in the order in which they were added, or for a feature
 * service in the server's order.
 *
 * Types: a feature that was added with feast_request_add_typed_feature() has the type declared. Others get the
 * narrowest that holds every value, whatever the order of the rows: integers INT64; numbers DOUBLE, if each
 * integer among them is exactly a double; booleans BOOL; strings STRING; lists of these the type of lists (an empty
 * one fits all). Among numbers the strings "NaN", "Infinity", "Inf", each of the last two
 * with a sign or without, are doubles, as
 * servers write them. Anything else is JSON: maps, lists of lists, mixed values, numbers beyond a double. A column
 * without any value is NULL.
 */
typedef struct feast_response_t feast_response_t;

/**
 * A search: for which features of one feature view, of the documents nearest to a vector. Opaque; free with
 * feast_search_free(). May be used for any number of searches, by several threads at once while nobody changes it.
 */
typedef struct feast_search_t feast_search_t;

/**
 * How rows are written, where it is not as usual. Opaque; free with feast_write_options_free(). May be used for any number of
 * writes, by several threads at once while nobody changes it.
 */
typedef struct feast_write_options_t feast_write_options_t;

/**
 * A write that is done. Opaque; free with feast_write_free(). Immutable, so any thread may read it.
 */
typedef struct feast_write_t feast_write_t;

/**
 * The result of a call: FEAST_OK or one of the numbers below. Numbers are never reused.
 */
typedef int32_t feast_status_t;

/**
 * Gets a message: its FEAST_LOG_ level, NUL-terminated UTF-8 that is borrowed for the call, and the pointer given to
 * feast_set_log_callback().
 */
typedef void (*feast_log_callback_t)(int32_t level, const char *message, void *user_data);

/**
 * The type of a column: one of the FEAST_TYPE_ numbers. A type of lists is FEAST_TYPE_NULL_LIST plus the type of
 * the items. More may be added.
 */
typedef int32_t feast_type_t;

/**
 * Where the time of one call went, in microseconds. The phases from merge_wait_us to decode_us make total_us. Fields are only
 * ever added, behind the others: a program sets `size` to sizeof(feast_timing_t) as it knows it, and gets so many of them.
 */
typedef struct {
  /**
   * In: sizeof(feast_timing_t). Out: the bytes that were filled in; what the program knows beyond them is 0.
   */
  size_t size;
  /**
   * When the call began, in nanoseconds since 1970-01-01 UTC.
   */
  int64_t start_unix_ns;
  /**
   * Waiting to be merged with other calls.
   */
  uint64_t merge_wait_us;
  /**
   * Attempts before the last one, and the pauses after them.
   */
  uint64_t retries_us;
  /**
   * Waiting for a token and a free connection, before the last attempt; of an asynchronous call also for the driver.
   */
  uint64_t queue_us;
  /**
   * Name lookup and TCP connection, if the last attempt made a connection. Likewise below.
   */
  uint64_t connect_us;
  /**
   * TLS handshake.
   */
  uint64_t tls_us;
  /**
   * From then to the first byte of the answer.
   */
  uint64_t first_byte_us;
  /**
   * From then to its last byte.
   */
  uint64_t transfer_us;
  /**
   * From bytes to columns.
   */
  uint64_t decode_us;
  /**
   * The whole call; of an asynchronous one without the time that its event waited in the queue.
   */
  uint64_t total_us;
  /**
   * Of the request's body.
   */
  uint64_t bytes_sent;
  /**
   * Of the answer's body, of all its parts.
   */
  uint64_t bytes_received;
  /**
   * Of the answer.
   */
  uint64_t rows;
  /**
   * Calls that the request asked for.
   */
  uint64_t calls_in_request;
  /**
   * HTTP attempts.
   */
  uint32_t attempts;
  /**
   * Of the last answer; 0 if there was none.
   */
  int32_t http_status;
  /**
   * FEAST_TIMING_ numbers, joined by |.
   */
  uint32_t flags;
  /**
   * The server that answered, as feast_response_server() and feast_error_server() have it; NULL: none was asked. Borrowed as
   * long as the response or error lives.
   */
  const char *server;
} feast_timing_t;

/**
 * The stores that a push writes to: FEAST_PUSH_ONLINE, FEAST_PUSH_OFFLINE or both, joined by |.
 */
typedef uint32_t feast_push_to_t;

/**
 * Success.
 */
#define FEAST_OK 0

/**
 * The caller passed something that cannot be used; the message says what.
 */
#define FEAST_INVALID_ARGUMENT 101

/**
 * A configuration key or value cannot be used.
 */
#define FEAST_CONFIG 102

/**
 * The store was closed before or during the call.
 */
#define FEAST_CLOSED 103

/**
 * The call was cancelled.
 */
#define FEAST_CANCELLED 104

/**
 * No connection of the pool came free before the deadline, or while there was time enough for such a call.
 */
#define FEAST_OVERLOADED 202

/**
 * The deadline passed.
 */
#define FEAST_TIMEOUT 301

/**
 * No connection could be made.
 */
#define FEAST_CONNECT 302

/**
 * TLS failed: a certificate that does not verify, or a broken handshake.
 */
#define FEAST_TLS 303

/**
 * The connection broke before the whole answer was there.
 */
#define FEAST_IO 304

/**
 * HTTP 401.
 */
#define FEAST_UNAUTHENTICATED 401

/**
 * HTTP 403.
 */
#define FEAST_PERMISSION_DENIED 403

/**
 * HTTP 404: no such feature view or feature service, or no feature server at this URL.
 */
#define FEAST_NOT_FOUND 404

/**
 * HTTP 422 and every other 4xx without a number of its own here.
 */
#define FEAST_INVALID_REQUEST 422

/**
 * HTTP 429.
 */
#define FEAST_THROTTLED 429

/**
 * HTTP 5xx and everything else that is not a 200. Feast's Python server answers most mistakes of the caller
 * with 500; feast_error_message() has its words.
 */
#define FEAST_SERVER 500

/**
 * The answer cannot be read, or does not fit the request.
 */
#define FEAST_DECODE 501

/**
 * A value does not fit the type that it was asked for in.
 */
#define FEAST_TYPE 502

/**
 * This library or libcurl failed in a way that should not happen.
 */
#define FEAST_INTERNAL 901

/**
 * A bug in this library, contained.
 */
#define FEAST_PANIC 902

/**
 * There is no such column.
 */
#define FEAST_TYPE_INVALID -1

/**
 * Every value is null.
 */
#define FEAST_TYPE_NULL 0

/**
 * Booleans.
 */
#define FEAST_TYPE_BOOL 1

/**
 * Integers of 32 bits. Only where declared.
 */
#define FEAST_TYPE_INT32 2

/**
 * Integers of 64 bits.
 */
#define FEAST_TYPE_INT64 3

/**
 * Numbers of 32 bits, rounded as numpy.float32 rounds them. Only where declared.
 */
#define FEAST_TYPE_FLOAT 4

/**
 * Numbers of 64 bits.
 */
#define FEAST_TYPE_DOUBLE 5

/**
 * UTF-8 text. Also for UUIDs and decimals, as the server writes them.
 */
#define FEAST_TYPE_STRING 6

/**
 * Bytes. Only where declared: the server sends them as base64 text, which is undone.
 */
#define FEAST_TYPE_BYTES 7

/**
 * Seconds since 1970-01-01 UTC. Only where declared: the servers send integers, or RFC 3339 text, which is read.
 */
#define FEAST_TYPE_UNIX_TIMESTAMP 8

/**
 * JSON text, as the server wrote it: it may hold Python's bare NaN and Infinity, and of a feature of Feast's type Json, which
 * servers send as a string, it is that string in quotes. Declared as STRING such a feature gives the document.
 */
#define FEAST_TYPE_JSON 9

/**
 * Lists that have no items but nulls.
 */
#define FEAST_TYPE_NULL_LIST 16

/**
 * Lists of booleans.
 */
#define FEAST_TYPE_BOOL_LIST 17

/**
 * Lists of integers of 32 bits. Only where declared.
 */
#define FEAST_TYPE_INT32_LIST 18

/**
 * Lists of integers of 64 bits.
 */
#define FEAST_TYPE_INT64_LIST 19

/**
 * Lists of numbers of 32 bits. Only where declared.
 */
#define FEAST_TYPE_FLOAT_LIST 20

/**
 * Lists of numbers of 64 bits.
 */
#define FEAST_TYPE_DOUBLE_LIST 21

/**
 * Lists of UTF-8 text.
 */
#define FEAST_TYPE_STRING_LIST 22

/**
 * Lists of bytes. Only where declared.
 */
#define FEAST_TYPE_BYTES_LIST 23

/**
 * Lists of seconds since 1970-01-01 UTC. Only where declared.
 */
#define FEAST_TYPE_UNIX_TIMESTAMP_LIST 24

/**
 * The status FEAST_TYPE by a name that does not look like a type's.
 */
#define FEAST_WRONG_TYPE 502

/**
 * The online store.
 */
#define FEAST_PUSH_ONLINE 1

/**
 * The offline store.
 */
#define FEAST_PUSH_OFFLINE 2

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

/**
 * The status code of an error, the same that the failed call returned.
 *
 * @param err  in, may be NULL; borrowed for the call.
 * @return the code; FEAST_OK for NULL.
 * Thread safety: any thread.
 * Since: 0.1
 */
feast_status_t feast_error_code(const feast_error_t *err);

/**
 * What went wrong, for people: which server, what it said, how often and how long it was tried, what to do.
 * Never holds a credential.
 *
 * @param err  in, may be NULL; borrowed for the call.
 * @return UTF-8, borrowed until err is freed; "" for NULL, never NULL.
 * Thread safety: any thread.
 * Since: 0.1
 */
const char *feast_error_message(const feast_error_t *err);

/**
 * The status of the last HTTP answer.
 *
 * @param err  in, may be NULL; borrowed for the call.
 * @return an HTTP status; 0 if no attempt of the call was answered, and for NULL.
 * Thread safety: any thread.
 * Since: 0.1
 */
int32_t feast_error_http_status(const feast_error_t *err);

/**
 * The class of Feast's exception, such as FeatureViewNotFoundException.
 *
 * @param err  in, may be NULL; borrowed for the call.
 * @return UTF-8, borrowed until err is freed; NULL if the server named none, and for NULL.
 * Thread safety: any thread.
 * Since: 0.1
 */
const char *feast_error_feast_class(const feast_error_t *err);

/**
 * HTTP attempts that were begun for the call; of a call in parts, for the part that failed.
 *
 * @param err  in, may be NULL; borrowed for the call.
 * @return a count; 0 if the call failed before the first attempt, and for NULL.
 * Thread safety: any thread.
 * Since: 0.1
 */
uint32_t feast_error_attempts(const feast_error_t *err);

/**
 * The server of the call's last attempt: its URL without credentials, and in brackets its address if each address is a server
 * of its own (the configuration key `resolve`). feast_error_message() names all that were tried.
 *
 * @param err  in, may be NULL; borrowed for the call.
 * @return UTF-8, borrowed until err is freed; NULL if the call failed before its first attempt, and for NULL.
 * Thread safety: any thread.
 * Since: 0.2
 */
const char *feast_error_server(const feast_error_t *err);

/**
 * Whether the same call may succeed later although nobody changes it: the fault lay with the network, the
 * load, or a server in trouble.
 *
 * @param err  in, may be NULL; borrowed for the call.
 * @return true if trying again later makes sense; false for NULL.
 * Thread safety: any thread.
 * Since: 0.1
 */
bool feast_error_is_retriable(const feast_error_t *err);

/**
 * Of a write that failed: the rows that the server has said are written.
 *
 * @param err  in, may be NULL; borrowed for the call.
 * @return rows; 0 for NULL and for an error of something else.
 * Thread safety: any thread.
 * Since: 0.2
 */
uint64_t feast_error_rows_written(const feast_error_t *err);

/**
 * Of a write that failed: the rows that were not written, as far as the server has said.
 *
 * @param err    in, may be NULL; borrowed for the call.
 * @param count  out, may be NULL, borrowed for the call: how many there are.
 * @return their numbers in the frame, from 0, in ascending order, borrowed until err is freed; NULL for NULL and for an error
 *         of something else.
 * Thread safety: any thread.
 * Since: 0.2
 */
const uint64_t *feast_error_unwritten_rows(const feast_error_t *err,
                                           size_t *count);

/**
 * Of a write that failed: those of the rows not written that may be written all the same, since they were sent and the server's
 * word is missing: the connection broke, the time was up, or a proxy answered 502, 503 or 504.
 *
 * @param err    in, may be NULL; borrowed for the call.
 * @param count  out, may be NULL, borrowed for the call: how many there are.
 * @return as feast_error_unwritten_rows().
 * Thread safety: any thread.
 * Since: 0.2
 */
const uint64_t *feast_error_doubtful_rows(const feast_error_t *err,
                                          size_t *count);

/**
 * Frees an error.
 *
 * @param err  in, may be NULL; transferred: it must not be used afterwards.
 * Thread safety: any thread, once for each error.
 * Since: 0.1
 */
void feast_error_free(feast_error_t *err);

/**
 * The name of a status code, such as "TIMEOUT" for FEAST_TIMEOUT, for logs and bindings.
 *
 * @param code  in, any number.
 * @return a static string, "UNKNOWN" for a number that is no code; never NULL.
 * Thread safety: any thread.
 * Since: 0.1
 */
const char *feast_status_name(feast_status_t code);

/**
 * Makes a configuration with every key at its default (CONFIGURATION.md lists them; the server's URL is
 * http://localhost:6566, as for Feast itself).
 *
 * @return a configuration to free with feast_config_free().
 * Thread safety: any thread.
 * Since: 0.1
 */
feast_config_t *feast_config_new(void);

/**
 * Frees a configuration. Stores opened with it are not touched.
 *
 * @param config  in, may be NULL; transferred: it must not be used afterwards.
 * Thread safety: any thread, once for each configuration.
 * Since: 0.1
 */
void feast_config_free(feast_config_t *config);

/**
 * Sets one key, such as "path", "connection_pool_size" or "auth.token". Keys are named as under online_store of a
 * feature_store.yaml, those of its auth section with "auth." before them; "header.NAME" adds an HTTP header.
 *
 * @param config  in; changed. A refused value leaves the old one.
 * @param key     in, NUL-terminated UTF-8; borrowed for the call.
 * @param value   in, NUL-terminated UTF-8, numbers in decimal; copied.
 * @param err     out, may be NULL; untouched on success, else free with feast_error_free().
 * @return FEAST_OK; FEAST_CONFIG for an unknown key (the message names the nearest) or a value out of range
 *         (it names the range); FEAST_INVALID_ARGUMENT for NULL or text that is not UTF-8.
 * Thread safety: one thread at a time on one configuration.
 * Since: 0.1
 */
feast_status_t feast_config_set(feast_config_t *config,
                                const char *key,
                                const char *value,
                                feast_error_t **err);

/**
 * Takes over the online_store and auth sections of a Feast feature_store.yaml, as Feast reads it: $NAME and ${NAME}
 * are replaced by environment variables, numbers and booleans are those of YAML 1.1. online_store.type must be
 * "remote"; any key of CONFIGURATION.md may stand there. Keys that are not there keep their values; a key of these
 * two sections that is not known goes to the log callback as a warning; other sections are passed over. Later
 * feast_config_set() calls have the last word. Should be called while no other thread changes the environment.
 *
 * @param config  in; changed. A refused file changes nothing.
 * @param path    in, the file's path, NUL-terminated UTF-8; borrowed for the call.
 * @param err     out, may be NULL; untouched on success, else free with feast_error_free().
 * @return FEAST_OK; FEAST_CONFIG with file, line and key if the file cannot be read or used; FEAST_INVALID_ARGUMENT
 *         for NULL or a path that is not UTF-8.
 * Thread safety: one thread at a time on one configuration.
 * Since: 0.1
 */
feast_status_t feast_config_load_yaml(feast_config_t *config,
                                      const char *path,
                                      feast_error_t **err);

/**
 * Sets the process's log callback; without one nothing is logged. Messages hold no secret. They come on the thread
 * whose call gives rise to them, or on a thread of the library's for asynchronous calls, which all of the store's then
 * wait for; several at the same time from several threads. When this function returns, the
 * callback set before is not running and not called again.
 *
 * @param callback   in, may be NULL: no more messages. It must not call this library, longjmp or throw.
 * @param user_data  in, may be NULL; borrowed until another callback is set, and passed on.
 * @param level      in, FEAST_LOG_WARNING, or FEAST_LOG_INFO for both.
 * Thread safety: any thread, but not from within the callback.
 * Since: 0.1
 */
void feast_set_log_callback(feast_log_callback_t callback,
                            void *user_data,
                            int32_t level);

/**
 * Opens a store. Nothing goes over the network before the first call, tokens included. Environment variables (for
 * tokens and proxies, see CONFIGURATION.md) are looked up now: call it while no other thread changes the environment.
 *
 * @param config  in; copied, so it may be freed or changed afterwards.
 * @param remote  out, set to NULL first, the store on success; close it with feast_close().
 * @param err     out, may be NULL; untouched on success, else free with feast_error_free().
 * @return FEAST_OK; FEAST_CONFIG if the configuration cannot be used; FEAST_INVALID_ARGUMENT for NULL.
 * Thread safety: any thread, if no other one changes config meanwhile.
 * Since: 0.1
 */
feast_status_t feast_remote_open(const feast_config_t *config,
                                 feast_remote_t **remote,
                                 feast_error_t **err);

/**
 * Fetches the online features that a request asks for and waits for them, at most until the request's timeout
 * or else the store's request_timeout_ms. Waiting for a free connection, connecting and retries all count.
 *
 * Features come in the order asked, with as many rows as were asked for, in the order of the server's answer, which is that
 * of the request: Feast promises it, and it is not compared.
 *
 * @param remote    in; borrowed for the call.
 * @param request   in; borrowed for the call, not changed.
 * @param response  out, set to NULL first, the answer on success; free with feast_response_free().
 * @param err       out, may be NULL; untouched on success, else free with feast_error_free().
 * @return FEAST_OK, or the code of the last attempt: FEAST_INVALID_ARGUMENT if the request cannot be sent,
 *         FEAST_OVERLOADED, FEAST_TIMEOUT, FEAST_CONNECT, FEAST_TLS, FEAST_IO, a 4xx or FEAST_SERVER for the
 *         server's refusal (FEAST_UNAUTHENTICATED also for an identity provider's), FEAST_DECODE, FEAST_WRONG_TYPE for a
 *         value that does not fit its declared type, FEAST_CLOSED.
 * Thread safety: any thread, concurrently, on the same store and the same request, if nobody changes the
 *         request meanwhile.
 * Since: 0.1
 */
feast_status_t feast_get_online_features(feast_remote_t *remote,
                                         const feast_request_t *request,
                                         feast_response_t **response,
                                         feast_error_t **err);

/**
 * Sets the bearer token of a store, at any time and as often as one likes: the next attempt of each call uses it, also that
 * of a call that is under way, and it goes before what keys such as auth.token say. With the key auth set to host calls wait
 * for it: a call made before the first one, and one that was answered with a 401 until a newer one is set, both until
 * their deadlines. Otherwise a 401 is final, unless a newer one has been set meanwhile. A process forked from this one
 * sets its own.
 *
 * @param remote  in; borrowed for the call.
 * @param token   in, NUL-terminated, what stands behind the word Bearer in the header Authorization; copied. The same text
 *                again is not a newer token.
 * @param err     out, may be NULL; untouched on success, else free with feast_error_free().
 * @return FEAST_OK; FEAST_INVALID_ARGUMENT for NULL, an empty token or one with a character that a header cannot have,
 *         or if header.Authorization is configured; FEAST_CLOSED.
 * Thread safety: any thread, also while others are in calls on the store.
 * Since: 0.2
 */
feast_status_t feast_remote_set_token(feast_remote_t *remote,
                                      const char *token,
                                      feast_error_t **err);

/**
 * Closes a store: calls in flight on it return FEAST_CLOSED, are waited for, and every connection is closed.
 * Another store in the process is not touched. The second of two threads that close the same store returns at
 * once. Later calls on the store return FEAST_CLOSED; for that a closed store keeps about 100 bytes until the
 * process ends. In a process forked from the one that opened the store, the parent's connections are left alone.
 *
 * @param remote  in, may be NULL; transferred: only calls that fail with FEAST_CLOSED are possible afterwards.
 * Thread safety: any thread, also while others are in calls on the store.
 * Since: 0.1
 */
void feast_close(feast_remote_t *remote);

/**
 * Sends a JSON body of the caller's own to the server's /get-online-features and returns the server's JSON as
 * it came, with the same connections, deadline, retries and errors as feast_get_online_features().
 *
 * @param remote      in; borrowed for the call.
 * @param body        in, len bytes of UTF-8; borrowed for the call. Not looked into.
 * @param len         in, bytes of body.
 * @param timeout_ms  in, milliseconds for the whole call; 0: the store's request_timeout_ms.
 * @param json        out, set to NULL first, the answer on success, with a NUL behind it; free with
 *                    feast_string_free().
 * @param json_len    out, may be NULL, set to 0 first; bytes of the answer without the NUL.
 * @param err         out, may be NULL; untouched on success, else free with feast_error_free().
 * @return as feast_get_online_features(); FEAST_DECODE if the answer is not one whole JSON text of at most
 *         128 levels, whatever that says.
 * Thread safety: any thread, concurrently, on the same store.
 * Since: 0.1
 */
feast_status_t feast_get_online_features_json(feast_remote_t *remote,
                                              const char *body,
                                              size_t len,
                                              int64_t timeout_ms,
                                              char **json,
                                              size_t *json_len,
                                              feast_error_t **err);

/**
 * The store's figures so far, as one JSON object: calls, attempts, retries by cause, connections, latencies.
 * STATISTICS.md lists the fields with their units; more may be added.
 *
 * @param remote    in; borrowed for the call.
 * @param json      out, set to NULL first, on success NUL-terminated UTF-8; free with feast_string_free().
 * @param json_len  out, may be NULL, set to 0 first; bytes of the text without the NUL.
 * @param err       out, may be NULL; untouched on success, else free with feast_error_free().
 * @return FEAST_OK; FEAST_CLOSED; FEAST_INVALID_ARGUMENT for NULL.
 * Thread safety: any thread, concurrently, on the same store.
 * Since: 0.1
 */
feast_status_t feast_stats_json(feast_remote_t *remote, char **json, size_t *json_len, feast_error_t **err);

/**
 * The figures of several stores in Prometheus' text format, as a host serves it under /metrics: counters, gauges and histograms
 * whose names begin with feast_remote_, in seconds where they are times, with the label store. docs/observability.md lists
 * them. All stores in one text, since Prometheus wants each family once.
 *
 * @param stores    in, n open stores; borrowed for the call.
 * @param names     in, n values of the label store, NUL-terminated UTF-8, each different; NULL, or a NULL among them, for the
 *                  server's URL; borrowed for the call.
 * @param n         in, at least 1.
 * @param text      out, set to NULL first, on success NUL-terminated UTF-8; free with feast_string_free().
 * @param text_len  out, may be NULL, set to 0 first; bytes of the text without the NUL.
 * @param err       out, may be NULL; untouched on success, else free with feast_error_free().
 * @return FEAST_OK; FEAST_CLOSED; FEAST_INVALID_ARGUMENT for NULL, no stores, or two of the same name.
 * Thread safety: any thread, concurrently, on the same stores.
 * Since: 0.2
 */
feast_status_t feast_stats_prometheus(const feast_remote_t *const *stores,
                                      const char *const *names,
                                      size_t n,
                                      char **text,
                                      size_t *text_len,
                                      feast_error_t **err);

/**
 * Frees a string that this library returned as the caller's own.
 *
 * @param string  in, may be NULL; transferred: it must not be used afterwards.
 * Thread safety: any thread, once for each string.
 * Since: 0.1
 */
void feast_string_free(char *string);

/**
 * Makes an empty request.
 *
 * @return a request to free with feast_request_free().
 * Thread safety: any thread.
 * Since: 0.1
 */
feast_request_t *feast_request_new(void);

/**
 * Copies a request: one template, a copy for each thread.
 *
 * @param request  in, may be NULL; borrowed for the call.
 * @return a request of its own to free with feast_request_free(); NULL for NULL.
 * Thread safety: any thread, if no other one changes request meanwhile.
 * Since: 0.1
 */
feast_request_t *feast_request_clone(const feast_request_t *request);

/**
 * Frees a request.
 *
 * @param request  in, may be NULL; transferred: it must not be used afterwards.
 * Thread safety: any thread, once for each request.
 * Since: 0.1
 */
void feast_request_free(feast_request_t *request);

/**
 * Asks for a feature. The answer's columns come in the order in which the features were added.
 *
 * @param request  in; changed.
 * @param feature  in, "view:feature" or "view@v2:feature", NUL-terminated UTF-8; copied.
 * @param err      out, may be NULL; untouched on success, else free with feast_error_free().
 * @return FEAST_OK; FEAST_INVALID_ARGUMENT for NULL, text that is not UTF-8 or not of this form, or a feature
 *         that was added before.
 * Thread safety: one thread at a time on one request.
 * Since: 0.1
 */
feast_status_t feast_request_add_feature(feast_request_t *request, const char *feature, feast_error_t **err);

/**
 * Asks for all features of a feature service, instead of single features. A request takes one or the other.
 *
 * @param request  in; changed.
 * @param name     in, NUL-terminated UTF-8; copied.
 * @param err      out, may be NULL; untouched on success, else free with feast_error_free().
 * @return FEAST_OK; FEAST_INVALID_ARGUMENT for NULL, text that is not UTF-8, or an empty name.
 * Thread safety: one thread at a time on one request.
 * Since: 0.1
 */
feast_status_t feast_request_set_feature_service(feast_request_t *request,
                                                 const char *name,
                                                 feast_error_t **err);

/**
 * Asks for column names like view__feature, so that features of the same name in two views can be told apart.
 *
 * @param request  in; changed.
 * @param full     in, true for full names; false is the default.
 * @param err      out, may be NULL; untouched on success, else free with feast_error_free().
 * @return FEAST_OK; FEAST_INVALID_ARGUMENT for NULL.
 * Thread safety: one thread at a time on one request.
 * Since: 0.1
 */
feast_status_t feast_request_set_full_feature_names(feast_request_t *request, bool full, feast_error_t **err);

/**
 * Whether the answer is to say which version of each feature view its values are of
 * (include_feature_view_version_metadata, Feast 0.67 and newer): feast_response_num_feature_views().
 *
 * @param request  in; changed.
 * @param include  in, true: it is; false is the default.
 * @param err      out, may be NULL; untouched on success, else free with feast_error_free().
 * @return FEAST_OK; FEAST_INVALID_ARGUMENT for NULL.
 * Thread safety: one thread at a time on one request.
 * Since: 0.2
 */
feast_status_t feast_request_set_include_feature_view_version_metadata(feast_request_t *request,
                                                                       bool include,
                                                                       feast_error_t **err);

/**
 * Sets how long a call with this request may take in all.
 *
 * @param request     in; changed.
 * @param timeout_ms  in, milliseconds; 0: the store's request_timeout_ms, so not what is left of a caller's time, see
 *                    feast_request_set_deadline_ns().
 * @param err         out, may be NULL; untouched on success, else free with feast_error_free().
 * @return FEAST_OK; FEAST_INVALID_ARGUMENT for NULL or a negative number.
 * Thread safety: one thread at a time on one request.
 * Since: 0.1
 */
feast_status_t feast_request_set_timeout_ms(feast_request_t *request,
                                            int64_t timeout_ms,
                                            feast_error_t **err);

/**
 * Sets how long a call with this request may take in all, to what is left of a caller's time: 0 or less is over, and
 * the call ends at once with FEAST_TIMEOUT, nothing sent. The last of this and feast_request_set_timeout_ms() counts.
 *
 * @param request     in; changed.
 * @param timeout_ns  in, nanoseconds.
 * @param err         out, may be NULL; untouched on success, else free with feast_error_free().
 * @return FEAST_OK; FEAST_INVALID_ARGUMENT for NULL.
 * Thread safety: one thread at a time on one request.
 * Since: 0.2
 */
feast_status_t feast_request_set_timeout_ns(feast_request_t *request,
                                            int64_t timeout_ns,
                                            feast_error_t **err);

/**
 * Sets the moment by which calls with this request end, beside the timeout, if one is set for the request: the earlier of
 * both counts, and the store's request_timeout_ms does not. A call made when it has passed ends at once with
 * FEAST_TIMEOUT (an asynchronous one by its event), and nothing is sent.
 *
 * @param request       in; changed.
 * @param monotonic_ns  in, nanoseconds of CLOCK_MONOTONIC, which C++'s steady_clock, Python's time.monotonic_ns() and
 *                      Java's System.nanoTime() read too; INT64_MAX: none, as in a new request.
 * @param err           out, may be NULL; untouched on success, else free with feast_error_free().
 * @return FEAST_OK; FEAST_INVALID_ARGUMENT for NULL.
 * Thread safety: one thread at a time on one request.
 * Since: 0.2
 */
feast_status_t feast_request_set_deadline_ns(feast_request_t *request,
                                             int64_t monotonic_ns,
                                             feast_error_t **err);

/**
 * Whether calls with this request may go out in one request to the server with other calls that ask for the same features,
 * where the store merges calls (merge_max_rows). They may unless told otherwise.
 *
 * @param request  in; changed.
 * @param merge    in, false: each call goes out by itself.
 * @param err      out, may be NULL; untouched on success, else free with feast_error_free().
 * @return FEAST_OK; FEAST_INVALID_ARGUMENT for NULL.
 * Thread safety: one thread at a time on one request.
 * Since: 0.2
 */
feast_status_t feast_request_set_merge(feast_request_t *request,
                                       bool merge,
                                       feast_error_t **err);

/**
 * Sets an entity column to integers. A column of the same name is replaced. All columns of a request must have the same number
 * of values, at least one. Feast's Python server takes the entity's name for its join key; its answer then has the join key.
 * Request data for on demand feature views is set by feast_request_set_request_data_int64() and its like; that
 * server, and no other, also takes it as an entity.
 *
 * @param request  in; changed.
 * @param name     in, the join key, NUL-terminated UTF-8; copied.
 * @param values   in, n values, one a row; copied. May be NULL if n is 0.
 * @param n        in, number of rows.
 * @param err      out, may be NULL; untouched on success, else free with feast_error_free().
 * @return FEAST_OK; FEAST_INVALID_ARGUMENT for NULL or a bad name.
 * Thread safety: one thread at a time on one request.
 * Since: 0.1
 */
feast_status_t feast_request_set_entity_int64(feast_request_t *request,
                                              const char *name,
                                              const int64_t *values,
                                              size_t n,
                                              feast_error_t **err);

/**
 * Sets an entity column to doubles. As feast_request_set_entity_int64().
 *
 * @param request  in; changed.
 * @param name     in, the join key, NUL-terminated UTF-8; copied.
 * @param values   in, n finite values, one a row; copied. May be NULL if n is 0.
 * @param n        in, number of rows.
 * @param err      out, may be NULL; untouched on success, else free with feast_error_free().
 * @return FEAST_OK; FEAST_INVALID_ARGUMENT for NULL, a bad name, or a value that is not finite (JSON has none).
 * Thread safety: one thread at a time on one request.
 * Since: 0.1
 */
feast_status_t feast_request_set_entity_double(feast_request_t *request,
                                               const char *name,
                                               const double *values,
                                               size_t n,
                                               feast_error_t **err);

/**
 * Sets an entity column to booleans. As feast_request_set_entity_int64().
 *
 * @param request  in; changed.
 * @param name     in, the join key, NUL-terminated UTF-8; copied.
 * @param values   in, n values, one a row; copied. May be NULL if n is 0.
 * @param n        in, number of rows.
 * @param err      out, may be NULL; untouched on success, else free with feast_error_free().
 * @return FEAST_OK; FEAST_INVALID_ARGUMENT for NULL or a bad name.
 * Thread safety: one thread at a time on one request.
 * Since: 0.1
 */
feast_status_t feast_request_set_entity_bool(feast_request_t *request,
                                             const char *name,
                                             const bool *values,
                                             size_t n,
                                             feast_error_t **err);

/**
 * Sets an entity column to strings. As feast_request_set_entity_int64().
 *
 * @param request  in; changed.
 * @param name     in, the join key, NUL-terminated UTF-8; copied.
 * @param values   in, n strings of UTF-8, one a row; copied. May be NULL if n is 0.
 * @param lengths  in, n lengths in bytes, or NULL if the strings are NUL-terminated; borrowed for the call.
 * @param n        in, number of rows.
 * @param err      out, may be NULL; untouched on success, else free with feast_error_free().
 * @return FEAST_OK; FEAST_INVALID_ARGUMENT for NULL (also a NULL string), a bad name, a string that is not
 *         UTF-8 or has a NUL within its length.
 * Thread safety: one thread at a time on one request.
 * Since: 0.1
 */
feast_status_t feast_request_set_entity_string(feast_request_t *request,
                                               const char *name,
                                               const char *const *values,
                                               const size_t *lengths,
                                               size_t n,
                                               feast_error_t **err);

/**
 * Sets an entity column to the elements of a JSON array: nulls, lists, mixed types, whatever
 * the server understands. As feast_request_set_entity_int64().
 *
 * @param request     in; changed.
 * @param name        in, the join key, NUL-terminated UTF-8; copied.
 * @param json_array  in, NUL-terminated UTF-8, such as "[1001, null]"; copied.
 * @param err         out, may be NULL; untouched on success, else free with feast_error_free().
 * @return FEAST_OK; FEAST_INVALID_ARGUMENT for NULL, a bad name, text that is no JSON array, or a NUL in a
 *         string of it.
 * Thread safety: one thread at a time on one request.
 * Since: 0.1
 */
feast_status_t feast_request_set_entity_json(feast_request_t *request,
                                             const char *name,
                                             const char *json_array,
                                             feast_error_t **err);

/**
 * Sets request data for on demand feature views to integers, one value a row, as many as the entities have. A column of the same
 * name is replaced. It is sent among the entities to Feast's Python server, and as request_context to the Go server; which of
 * them answers is learnt from its answers, or configured by the key `server`. Answers do not repeat it.
 *
 * @param request  in; changed.
 * @param name     in, its name in the on demand feature view, NUL-terminated UTF-8; copied.
 * @param values   in, n values, one a row; copied. May be NULL if n is 0.
 * @param n        in, number of rows.
 * @param err      out, may be NULL; untouched on success, else free with feast_error_free().
 * @return FEAST_OK; FEAST_INVALID_ARGUMENT for NULL or a bad name.
 * Thread safety: one thread at a time on one request.
 * Since: 0.2
 */
feast_status_t feast_request_set_request_data_int64(feast_request_t *request,
                                                    const char *name,
                                                    const int64_t *values,
                                                    size_t n,
                                                    feast_error_t **err);

/**
 * Sets request data to doubles. As feast_request_set_request_data_int64().
 *
 * @param request  in; changed.
 * @param name     in, its name in the on demand feature view, NUL-terminated UTF-8; copied.
 * @param values   in, n finite values, one a row; copied. May be NULL if n is 0.
 * @param n        in, number of rows.
 * @param err      out, may be NULL; untouched on success, else free with feast_error_free().
 * @return FEAST_OK; FEAST_INVALID_ARGUMENT for NULL, a bad name, or a value that is not finite (JSON has none).
 * Thread safety: one thread at a time on one request.
 * Since: 0.2
 */
feast_status_t feast_request_set_request_data_double(feast_request_t *request,
                                                     const char *name,
                                                     const double *values,
                                                     size_t n,
                                                     feast_error_t **err);

/**
 * Sets request data to booleans. As feast_request_set_request_data_int64().
 *
 * @param request  in; changed.
 * @param name     in, its name in the on demand feature view, NUL-terminated UTF-8; copied.
 * @param values   in, n values, one a row; copied. May be NULL if n is 0.
 * @param n        in, number of rows.
 * @param err      out, may be NULL; untouched on success, else free with feast_error_free().
 * @return FEAST_OK; FEAST_INVALID_ARGUMENT for NULL or a bad name.
 * Thread safety: one thread at a time on one request.
 * Since: 0.2
 */
feast_status_t feast_request_set_request_data_bool(feast_request_t *request,
                                                   const char *name,
                                                   const bool *values,
                                                   size_t n,
                                                   feast_error_t **err);

/**
 * Sets request data to strings. As feast_request_set_request_data_int64().
 *
 * @param request  in; changed.
 * @param name     in, its name in the on demand feature view, NUL-terminated UTF-8; copied.
 * @param values   in, n strings of UTF-8, one a row; copied.
 * @param lengths  in, n lengths in bytes, or NULL if the strings are NUL-terminated; borrowed for the call.
 * @param n        in, number of rows.
 * @param err      out, may be NULL; untouched on success, else free with feast_error_free().
 * @return FEAST_OK; FEAST_INVALID_ARGUMENT for NULL (also a NULL string), a bad name, a string that is not
 *         UTF-8 or has a NUL within its length.
 * Thread safety: one thread at a time on one request.
 * Since: 0.2
 */
feast_status_t feast_request_set_request_data_string(feast_request_t *request,
                                                     const char *name,
                                                     const char *const *values,
                                                     const size_t *lengths,
                                                     size_t n,
                                                     feast_error_t **err);

/**
 * Sets request data to the elements of a JSON array: nulls, lists, mixed types, whatever the server understands. As
 * feast_request_set_request_data_int64().
 *
 * @param request  in; changed.
 * @param name     in, its name in the on demand feature view, NUL-terminated UTF-8; copied.
 * @param json_array  in, NUL-terminated UTF-8, such as "[0.5, null]"; copied.
 * @param err      out, may be NULL; untouched on success, else free with feast_error_free().
 * @return FEAST_OK; FEAST_INVALID_ARGUMENT for NULL, a bad name, text that is no JSON array, or a NUL in a
 *         string of it.
 * Thread safety: one thread at a time on one request.
 * Since: 0.2
 */
feast_status_t feast_request_set_request_data_json(feast_request_t *request,
                                                   const char *name,
                                                   const char *json_array,
                                                   feast_error_t **err);

/**
 * Asks for a feature whose column shall have this type, as feast_request_add_feature(). Values are converted
 * exactly or not at all: one that does not fit makes the call fail with FEAST_WRONG_TYPE and the feature, row and value.
 * BYTES undoes the base64 of the servers; UNIX_TIMESTAMP reads integers of seconds and RFC 3339 text without a
 * fraction of a second; FLOAT rounds reals as numpy.float32 does, and refuses integers that it would round; integer
 * types take reals without a fraction; JSON takes anything. A column without any value has the type nevertheless.
 *
 * @param request  in; changed.
 * @param feature  in, "view:feature" or "view@v2:feature", NUL-terminated UTF-8; copied.
 * @param type     in, a FEAST_TYPE_ number other than NULL and NULL_LIST.
 * @param err      out, may be NULL; untouched on success, else free with feast_error_free().
 * @return FEAST_OK; FEAST_INVALID_ARGUMENT as feast_request_add_feature(), or if there is no such type.
 * Thread safety: one thread at a time on one request.
 * Since: 0.1
 */
feast_status_t feast_request_add_typed_feature(feast_request_t *request,
                                               const char *feature,
                                               feast_type_t type,
                                               feast_error_t **err);

/**
 * Asks for a feature of lists of a fixed length, such as an embedding. A list of another length fails the call with
 * FEAST_WRONG_TYPE and the row, and matrices have that many columns for it, also where every row is null.
 *
 * @param request      in; changed.
 * @param feature      in, "view:feature" or "view@v2:feature", NUL-terminated UTF-8; copied.
 * @param type         in, a FEAST_TYPE_ number of lists other than NULL_LIST.
 * @param list_length  in, items of each list, from 1 to 1048576.
 * @param err          out, may be NULL; untouched on success, else free with feast_error_free().
 * @return FEAST_OK; FEAST_INVALID_ARGUMENT as feast_request_add_typed_feature(), or for another type or length.
 * Thread safety: one thread at a time on one request.
 * Since: 0.2
 */
feast_status_t feast_request_add_list_feature(feast_request_t *request,
                                              const char *feature,
                                              feast_type_t type,
                                              size_t list_length,
                                              feast_error_t **err);

/**
 * Says of what type a column of the answer shall be, by its name there: a feature of a feature service, request data, an
 * entity. As feast_request_add_typed_feature(), whose type goes before this one. A name that the answer does not have is not
 * missed.
 *
 * @param request      in; changed.
 * @param name         in, the column's name in the answer, NUL-terminated UTF-8; copied.
 * @param type         in, a FEAST_TYPE_ number other than NULL and NULL_LIST.
 * @param list_length  in, for a type of lists the items of each list, as feast_request_add_list_feature(); 0 if that is open,
 *                     and for other types.
 * @param err          out, may be NULL; untouched on success, else free with feast_error_free().
 * @return FEAST_OK; FEAST_INVALID_ARGUMENT for NULL, a bad name, or if there is no such type.
 * Thread safety: one thread at a time on one request.
 * Since: 0.2
 */
feast_status_t feast_request_declare_column(feast_request_t *request,
                                            const char *name,
                                            feast_type_t type,
                                            size_t list_length,
                                            feast_error_t **err);

/**
 * Says what stands for a missing value of one feature in matrices, in place of the `missing` of the call: -1 here, a mean there.
 *
 * @param request  in; changed.
 * @param feature  in, a feature that was added, "view:feature", or the name of a column in the answer of a feature service,
 *                 NUL-terminated UTF-8; copied.
 * @param missing  in, any number, NaN too; one that the matrix's type cannot hold fails the filling.
 * @param err      out, may be NULL; untouched on success, else free with feast_error_free().
 * @return FEAST_OK; FEAST_INVALID_ARGUMENT for NULL, a bad name, or a feature that was not added.
 * Thread safety: one thread at a time on one request.
 * Since: 0.2
 */
feast_status_t feast_request_set_missing_value(feast_request_t *request,
                                               const char *feature,
                                               double missing,
                                               feast_error_t **err);

/**
 * How many columns a matrix of a request's features takes: one for each, and for a declared list its length. So many must
 * row_stride be at the least.
 *
 * @param request  in, may be NULL; borrowed for the call.
 * @return columns; 0 if that cannot be known: a feature service, or a type of lists whose length is not declared.
 * Thread safety: any thread, if no other one changes request meanwhile.
 * Since: 0.2
 */
size_t feast_request_matrix_width(const feast_request_t *request);

/**
 * Sets the trace context (W3C Trace Context) that calls with this request carry to the server, on every attempt. It replaces
 * one that was set before. Of calls that are merged (merge_max_rows) the first sampled one's goes out.
 *
 * @param request      in; changed.
 * @param traceparent  in, 55 characters, such as "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
 *                     NUL-terminated; copied.
 * @param tracestate   in, may be NULL or empty for none, up to 512 characters, NUL-terminated; copied.
 * @param err          out, may be NULL; untouched on success, else free with feast_error_free().
 * @return FEAST_OK; FEAST_INVALID_ARGUMENT for NULL, or what is not of W3C's form: ids that are zero, digits in upper case.
 * Thread safety: one thread at a time on one request.
 * Since: 0.2
 */
feast_status_t feast_request_set_trace_context(feast_request_t *request,
                                               const char *traceparent,
                                               const char *tracestate,
                                               feast_error_t **err);

/**
 * Sets an HTTP header of calls with this request, such as X-Request-Id, which Feast 0.67 writes into its audit log. It goes
 * before one of the same name that the store sets for all requests (the configuration keys header.NAME). Calls whose headers
 * differ are not merged (merge_max_rows), whatever else they ask.
 *
 * @param request  in; changed.
 * @param name     in, the header's name, NUL-terminated; copied. Not one that HTTP or this library sets itself
 *                 (Content-Type, Host, Connection, User-Agent and the like), nor Authorization (keys auth.*), nor traceparent and
 *                 tracestate (feast_request_set_trace_context()).
 * @param value    in, without control characters, NUL-terminated UTF-8; copied. Empty: takes the header out of the
 *                 request again. Never shown in errors and logs.
 * @param err      out, may be NULL; untouched on success, else free with feast_error_free().
 * @return FEAST_OK; FEAST_INVALID_ARGUMENT for NULL, or a name or value that cannot be used.
 * Thread safety: one thread at a time on one request.
 * Since: 0.2
 */
feast_status_t feast_request_set_header(feast_request_t *request,
                                        const char *name,
                                        const char *value,
                                        feast_error_t **err);

/**
 * Says how old values may be, by the event timestamps that the server sends: older ones get FEAST_FIELD_STATUS_OUTSIDE_MAX_AGE,
 * and lose their value if that is wanted; matrices have the missing value there in any case. What has no event timestamp,
 * entities and rows that were not found, is not judged. Feast's servers do not apply a feature view's ttl online, so that
 * stale values look PRESENT. By the clock of this machine, when the answer is decoded.
 *
 * @param request      in; changed.
 * @param max_age_ms   in, milliseconds, not negative.
 * @param drop_values  in, true: older values become nulls.
 * @param err          out, may be NULL; untouched on success, else free with feast_error_free().
 * @return FEAST_OK; FEAST_INVALID_ARGUMENT for NULL or a negative age.
 * Thread safety: one thread at a time on one request.
 * Since: 0.2
 */
feast_status_t feast_request_set_max_age_ms(feast_request_t *request,
                                            int64_t max_age_ms,
                                            bool drop_values,
                                            feast_error_t **err);

/**
 * The same for the features of one feature view, which goes before that of the request. Of a feature service the views are
 * known only with full feature names.
 *
 * @param request      in; changed.
 * @param view         in, its name without a version, NUL-terminated UTF-8; copied.
 * @param max_age_ms   in, milliseconds, not negative.
 * @param drop_values  in, true: older values become nulls.
 * @param err          out, may be NULL; untouched on success, else free with feast_error_free().
 * @return FEAST_OK; FEAST_INVALID_ARGUMENT for NULL, an empty name or a negative age.
 * Thread safety: one thread at a time on one request.
 * Since: 0.2
 */
feast_status_t feast_request_set_view_max_age_ms(feast_request_t *request,
                                                 const char *view,
                                                 int64_t max_age_ms,
                                                 bool drop_values,
                                                 feast_error_t **err);

/**
 * Frees an answer and every pointer that was got from it.
 *
 * @param response  in, may be NULL; transferred: it must not be used afterwards.
 * Thread safety: any thread, once for each response.
 * Since: 0.1
 */
void feast_response_free(feast_response_t *response);

/**
 * The number of rows, the same in every column.
 *
 * @param response  in, may be NULL; borrowed for the call.
 * @return rows; 0 for NULL.
 * Thread safety: any thread.
 * Since: 0.1
 */
size_t feast_response_num_rows(const feast_response_t *response);

/**
 * The number of calls that the request to the server asked for which brought this answer: more than 1 where it was merged
 * with others (merge_max_rows).
 *
 * @param response  in, may be NULL; borrowed for the call.
 * @return calls, at least 1; 0 for NULL.
 * Thread safety: any thread.
 * Since: 0.2
 */
size_t feast_response_calls_in_request(const feast_response_t *response);

/**
 * The server that gave this answer: its URL without credentials, and in brackets its address if each address is a server of
 * its own (the configuration key `resolve`). Of a call that went out in parts (max_rows_per_request) all that gave some, with
 * ", " between them.
 *
 * @param response  in, may be NULL; borrowed for the call.
 * @return UTF-8, borrowed until the response is freed; NULL for NULL.
 * Thread safety: any thread.
 * Since: 0.2
 */
const char *feast_response_server(const feast_response_t *response);

/**
 * The number of columns, entities included.
 *
 * @param response  in, may be NULL; borrowed for the call.
 * @return columns; 0 for NULL.
 * Thread safety: any thread.
 * Since: 0.1
 */
size_t feast_response_num_columns(const feast_response_t *response);

/**
 * The number of entity columns; they come first.
 *
 * @param response  in, may be NULL; borrowed for the call.
 * @return entity columns; 0 for NULL.
 * Thread safety: any thread.
 * Since: 0.1
 */
size_t feast_response_num_entities(const feast_response_t *response);

/**
 * A column's name: the join key, the feature, or with full feature names view__feature.
 *
 * @param response  in, may be NULL; borrowed for the call.
 * @param column    in, from 0.
 * @return NUL-terminated UTF-8, borrowed until response is freed; NULL if there is no such column.
 * Thread safety: any thread.
 * Since: 0.1
 */
const char *feast_response_column_name(const feast_response_t *response, size_t column);

/**
 * Finds a column by its name.
 *
 * @param response  in, may be NULL; borrowed for the call.
 * @param name      in, may be NULL, NUL-terminated UTF-8; borrowed for the call.
 * @return the first such column, from 0; SIZE_MAX if there is none.
 * Thread safety: any thread.
 * Since: 0.1
 */
size_t feast_response_find_column(const feast_response_t *response, const char *name);

/**
 * A column's type.
 *
 * @param response  in, may be NULL; borrowed for the call.
 * @param column    in, from 0.
 * @return a FEAST_TYPE_ number; FEAST_TYPE_INVALID if there is no such column.
 * Thread safety: any thread.
 * Since: 0.1
 */
feast_type_t feast_response_column_type(const feast_response_t *response, size_t column);

/**
 * The values of an INT64 or UNIX_TIMESTAMP column.
 *
 * @param response  in, may be NULL; borrowed for the call.
 * @param column    in, from 0.
 * @return one value a row, 0 where null, borrowed until response is freed; NULL for a column of another type, unless it has no
 *         value at all.
 * Thread safety: any thread.
 * Since: 0.1
 */
const int64_t *feast_response_column_int64(const feast_response_t *response,
                                           size_t column);

/**
 * The values of an INT32 column.
 *
 * @param response  in, may be NULL; borrowed for the call.
 * @param column    in, from 0.
 * @return one value a row, 0 where null, borrowed until response is freed; NULL for a column of another type, unless it has no
 *         value at all.
 * Thread safety: any thread.
 * Since: 0.1
 */
const int32_t *feast_response_column_int32(const feast_response_t *response,
                                           size_t column);

/**
 * The values of a DOUBLE column, or of an INT64 column if each is exactly a double: a server may write 1 for 1.0.
 *
 * @param response  in, may be NULL; borrowed for the call.
 * @param column    in, from 0.
 * @return one value a row, 0 where null, borrowed until response is freed; NULL for a column of another type, unless it has no
 *         value at all.
 * Thread safety: any thread.
 * Since: 0.1
 */
const double *feast_response_column_double(const feast_response_t *response,
                                           size_t column);

/**
 * The values of a FLOAT column.
 *
 * @param response  in, may be NULL; borrowed for the call.
 * @param column    in, from 0.
 * @return one value a row, 0 where null, borrowed until response is freed; NULL for a column of another type, unless it has no
 *         value at all.
 * Thread safety: any thread.
 * Since: 0.1
 */
const float *feast_response_column_float(const feast_response_t *response,
                                         size_t column);

/**
 * The values of a BOOL column, each one byte, 1 for true and 0 for false.
 *
 * @param response  in, may be NULL; borrowed for the call.
 * @param column    in, from 0.
 * @return one value a row, 0 where null, borrowed until response is freed; NULL for a column of another type, unless it has no
 *         value at all.
 * Thread safety: any thread.
 * Since: 0.1
 */
const uint8_t *feast_response_column_bool(const feast_response_t *response,
                                          size_t column);

/**
 * The text of a STRING or JSON column, or the bytes of a BYTES column. Row i is data[offsets[i]] up to
 * data[offsets[i + 1]], without a NUL behind it; a null has no bytes.
 *
 * @param response  in; borrowed for the call.
 * @param column    in, from 0.
 * @param offsets   out, set to NULL first, rows + 1 offsets into data; borrowed until response is freed.
 * @param data      out, set to NULL first, UTF-8 (or any bytes for BYTES); borrowed until response is freed.
 * @param err       out, may be NULL; untouched on success, else free with feast_error_free().
 * @return FEAST_OK; FEAST_INVALID_ARGUMENT for NULL or if there is no such column; FEAST_WRONG_TYPE for a column of
 *         another type.
 * Thread safety: any thread.
 * Since: 0.1
 */
feast_status_t feast_response_column_string(const feast_response_t *response,
                                            size_t column,
                                            const int64_t **offsets,
                                            const char **data,
                                            feast_error_t **err);

/**
 * Which rows of a column have a value, as Arrow's validity bitmap: bit i % 8 (from the lowest) of byte i / 8 is
 * 1 for a value and 0 for a null.
 *
 * @param response  in, may be NULL; borrowed for the call.
 * @param column    in, from 0.
 * @return (rows + 7) / 8 bytes, borrowed until response is freed; NULL if there are no nulls, or no such column.
 * Thread safety: any thread.
 * Since: 0.1
 */
const uint8_t *feast_response_column_validity(const feast_response_t *response,
                                              size_t column);

/**
 * Feast's field status of each row. A server that sends none yields FEAST_FIELD_STATUS_PRESENT for values
 * and FEAST_FIELD_STATUS_NULL_VALUE for nulls.
 *
 * @param response  in, may be NULL; borrowed for the call.
 * @param column    in, from 0.
 * @return a FEAST_FIELD_STATUS_ number a row, borrowed until response is freed; NULL if there is no such column.
 * Thread safety: any thread.
 * Since: 0.1
 */
const uint8_t *feast_response_column_statuses(const feast_response_t *response,
                                              size_t column);

/**
 * The event timestamp of each row, in nanoseconds since 1970-01-01 UTC; 0 for entities and for rows that were
 * not found. A year that these cannot reach (before 1677, after 2262) is INT64_MIN or INT64_MAX.
 *
 * @param response  in, may be NULL; borrowed for the call.
 * @param column    in, from 0.
 * @return one timestamp a row, borrowed until response is freed; NULL if the server sent none, or there is no
 *         such column.
 * Thread safety: any thread.
 * Since: 0.1
 */
const int64_t *feast_response_column_event_timestamps_ns(const feast_response_t *response, size_t column);

/**
 * The number of feature views that the answer names, with their versions: those that it has values of, if the request asked for
 * them (feast_request_set_include_feature_view_version_metadata()) and the server knows them.
 *
 * @param response  in, may be NULL; borrowed for the call.
 * @return feature views; 0 for NULL.
 * Thread safety: any thread.
 * Since: 0.2
 */
size_t feast_response_num_feature_views(const feast_response_t *response);

/**
 * The name of one of these feature views.
 *
 * @param response  in, may be NULL; borrowed for the call.
 * @param index     in, from 0.
 * @return UTF-8, borrowed until the response is freed; NULL for NULL, or if there are not so many.
 * Thread safety: any thread.
 * Since: 0.2
 */
const char *feast_response_feature_view_name(const feast_response_t *response, size_t index);

/**
 * The version of one of these feature views.
 *
 * @param response  in, may be NULL; borrowed for the call.
 * @param index     in, from 0.
 * @return the version, as Feast counts them; 0 for one without versions, for NULL, or if there are not so many.
 * Thread safety: any thread.
 * Since: 0.2
 */
int64_t feast_response_feature_view_version(const feast_response_t *response,
                                            size_t index);

/**
 * The items of a column of lists. Row i is the list of the items offsets[i] up to offsets[i + 1]; a null row has no
 * items. What items points to is by the column's type: uint8_t for BOOL_LIST, int32_t for INT32_LIST, float for
 * FLOAT_LIST, double for DOUBLE_LIST, int64_t for INT64_LIST and UNIX_TIMESTAMP_LIST; NULL for NULL_LIST. For lists
 * of text or bytes items are int64_t offsets into the data of feast_response_column_list_data(): item k is
 * data[items[k]] up to data[items[k + 1]].
 *
 * @param response  in; borrowed for the call.
 * @param column    in, from 0.
 * @param offsets   out, set to NULL first, rows + 1 offsets, the first 0; borrowed until response is freed.
 * @param items     out, set to NULL first, offsets[rows] items (offsets into data: one more), 0 where null;
 *                  borrowed until response is freed.
 * @param err       out, may be NULL; untouched on success, else free with feast_error_free().
 * @return FEAST_OK; FEAST_INVALID_ARGUMENT for NULL or if there is no such column; FEAST_WRONG_TYPE if it is not one of
 *         lists.
 * Thread safety: any thread.
 * Since: 0.1
 */
feast_status_t feast_response_column_list(const feast_response_t *response,
                                          size_t column,
                                          const int64_t **offsets,
                                          const void **items,
                                          feast_error_t **err);

/**
 * The text or bytes of a column of lists of them; see feast_response_column_list().
 *
 * @param response  in, may be NULL; borrowed for the call.
 * @param column    in, from 0.
 * @return UTF-8 (or any bytes for BYTES_LIST), borrowed until response is freed; NULL for a column of another type.
 * Thread safety: any thread.
 * Since: 0.1
 */
const char *feast_response_column_list_data(const feast_response_t *response,
                                            size_t column);

/**
 * Which items of a column of lists have a value, as Arrow's validity bitmap over all the items: bit k % 8 (from the
 * lowest) of byte k / 8 is 1 for a value and 0 for a null.
 *
 * @param response  in, may be NULL; borrowed for the call.
 * @param column    in, from 0.
 * @return (items + 7) / 8 bytes, borrowed until response is freed; NULL if there are no nulls among the items, or
 *         no such column of lists.
 * Thread safety: any thread.
 * Since: 0.1
 */
const uint8_t *feast_response_column_list_validity(const feast_response_t *response,
                                                   size_t column);

/**
 * The whole answer as one JSON object, for languages whose JSON parser is their quickest way to values of their own: each column's
 * name, in the order of the columns, with an array of a value for each row.
 *
 * A value is null where there is none, and else by the column's type: BOOL true or false; INT32 and INT64 an integer; FLOAT and
 * DOUBLE a number with a point or an exponent which reads back to the same, or NaN, Infinity or -Infinity, which Python's parser
 * takes and strict ones refuse; STRING a string; BYTES a string of base64; UNIX_TIMESTAMP seconds since 1970; JSON what it is, not
 * in quotes; a list an array of these. Where two columns have one name, the object has it twice.
 *
 * @param response  in; borrowed for the call.
 * @param json      out, set to NULL first, on success UTF-8 with a NUL behind it; free with feast_string_free().
 * @param json_len  out, may be NULL, set to 0 first; bytes of the text without the NUL.
 * @param err       out, may be NULL; untouched on success, else free with feast_error_free().
 * @return FEAST_OK; FEAST_INVALID_ARGUMENT for NULL; FEAST_INTERNAL without memory.
 * Thread safety: any thread.
 * Since: 0.2
 */
feast_status_t feast_response_to_json(const feast_response_t *response,
                                      char **json,
                                      size_t *json_len,
                                      feast_error_t **err);

/**
 * The values of the column with this name, as booleans, each one byte, 1 for true and 0 for false.
 * A column without any value is all zeros.
 *
 * @param response  in; borrowed for the call.
 * @param name      in, the column's name, NUL-terminated UTF-8; borrowed for the call.
 * @param values    out, set to NULL first, one value a row, 0 where null; borrowed until response is freed.
 * @param validity  out, may be NULL, set to NULL first: which rows have a value, as feast_response_column_validity();
 *                  NULL if all do; borrowed until response is freed.
 * @param err       out, may be NULL; untouched on success, else free with feast_error_free().
 * @return FEAST_OK; FEAST_INVALID_ARGUMENT for NULL, or if there is no such column: the message names those that there
 *         are; FEAST_WRONG_TYPE for a column of another type, or a value that cannot be converted: the message names both.
 * Thread safety: any thread.
 * Since: 0.2
 */
feast_status_t feast_response_get_bool(const feast_response_t *response,
                                       const char *name,
                                       const uint8_t **values,
                                       const uint8_t **validity,
                                       feast_error_t **err);

/**
 * The values of the column with this name, as integers of 32 bits.
 * A column without any value is all zeros. Numbers of other types are converted if each is exactly an integer
 * of 32 bits.
 *
 * @param response  in; borrowed for the call.
 * @param name      in, the column's name, NUL-terminated UTF-8; borrowed for the call.
 * @param values    out, set to NULL first, one value a row, 0 where null; borrowed until response is freed.
 * @param validity  out, may be NULL, set to NULL first: which rows have a value, as feast_response_column_validity();
 *                  NULL if all do; borrowed until response is freed.
 * @param err       out, may be NULL; untouched on success, else free with feast_error_free().
 * @return FEAST_OK; FEAST_INVALID_ARGUMENT for NULL, or if there is no such column: the message names those that there
 *         are; FEAST_WRONG_TYPE for a column of another type, or a value that cannot be converted: the message names both.
 * Thread safety: any thread.
 * Since: 0.2
 */
feast_status_t feast_response_get_int32(const feast_response_t *response,
                                        const char *name,
                                        const int32_t **values,
                                        const uint8_t **validity,
                                        feast_error_t **err);

/**
 * The values of the column with this name, as integers of 64 bits, or seconds since 1970-01-01 UTC of a UNIX_TIMESTAMP column.
 * A column without any value is all zeros. Numbers of other types are converted if each is exactly an integer of 64 bits.
 *
 * @param response  in; borrowed for the call.
 * @param name      in, the column's name, NUL-terminated UTF-8; borrowed for the call.
 * @param values    out, set to NULL first, one value a row, 0 where null; borrowed until response is freed.
 * @param validity  out, may be NULL, set to NULL first: which rows have a value, as feast_response_column_validity();
 *                  NULL if all do; borrowed until response is freed.
 * @param err       out, may be NULL; untouched on success, else free with feast_error_free().
 * @return FEAST_OK; FEAST_INVALID_ARGUMENT for NULL, or if there is no such column: the message names those that there
 *         are; FEAST_WRONG_TYPE for a column of another type, or a value that cannot be converted: the message names both.
 * Thread safety: any thread.
 * Since: 0.2
 */
feast_status_t feast_response_get_int64(const feast_response_t *response,
                                        const char *name,
                                        const int64_t **values,
                                        const uint8_t **validity,
                                        feast_error_t **err);

/**
 * The values of the column with this name, as numbers of 32 bits.
 * A column without any value is all zeros. Reals are rounded as numpy.float32 does; integers are converted if each is
 * exactly such a number.
 *
 * @param response  in; borrowed for the call.
 * @param name      in, the column's name, NUL-terminated UTF-8; borrowed for the call.
 * @param values    out, set to NULL first, one value a row, 0 where null; borrowed until response is freed.
 * @param validity  out, may be NULL, set to NULL first: which rows have a value, as feast_response_column_validity();
 *                  NULL if all do; borrowed until response is freed.
 * @param err       out, may be NULL; untouched on success, else free with feast_error_free().
 * @return FEAST_OK; FEAST_INVALID_ARGUMENT for NULL, or if there is no such column: the message names those that there
 *         are; FEAST_WRONG_TYPE for a column of another type, or a value that cannot be converted: the message names both.
 * Thread safety: any thread.
 * Since: 0.2
 */
feast_status_t feast_response_get_float(const feast_response_t *response,
                                        const char *name,
                                        const float **values,
                                        const uint8_t **validity,
                                        feast_error_t **err);

/**
 * The values of the column with this name, as numbers of 64 bits.
 * A column without any value is all zeros. Integers are converted if each is exactly such a number; a server may
 * write 1 for 1.0.
 *
 * @param response  in; borrowed for the call.
 * @param name      in, the column's name, NUL-terminated UTF-8; borrowed for the call.
 * @param values    out, set to NULL first, one value a row, 0 where null; borrowed until response is freed.
 * @param validity  out, may be NULL, set to NULL first: which rows have a value, as feast_response_column_validity();
 *                  NULL if all do; borrowed until response is freed.
 * @param err       out, may be NULL; untouched on success, else free with feast_error_free().
 * @return FEAST_OK; FEAST_INVALID_ARGUMENT for NULL, or if there is no such column: the message names those that there
 *         are; FEAST_WRONG_TYPE for a column of another type, or a value that cannot be converted: the message names both.
 * Thread safety: any thread.
 * Since: 0.2
 */
feast_status_t feast_response_get_double(const feast_response_t *response,
                                         const char *name,
                                         const double **values,
                                         const uint8_t **validity,
                                         feast_error_t **err);

/**
 * The text of the column with this name, or the bytes of a BYTES column, as feast_response_column_string(). A column without
 * any value is all empty texts.
 *
 * @param response  in; borrowed for the call.
 * @param name      in, the column's name, NUL-terminated UTF-8; borrowed for the call.
 * @param offsets   out, set to NULL first, rows + 1 offsets into data; borrowed until response is freed.
 * @param data      out, set to NULL first, UTF-8 (or any bytes for BYTES); borrowed until response is freed.
 * @param validity  out, may be NULL, set to NULL first: which rows have a value, as feast_response_column_validity();
 *                  NULL if all do; borrowed until response is freed.
 * @param err       out, may be NULL; untouched on success, else free with feast_error_free().
 * @return FEAST_OK; FEAST_INVALID_ARGUMENT for NULL, or if there is no such column: the message names those that there
 *         are; FEAST_WRONG_TYPE for a column that is not STRING, BYTES or JSON.
 * Thread safety: any thread.
 * Since: 0.2
 */
feast_status_t feast_response_get_string(const feast_response_t *response,
                                         const char *name,
                                         const int64_t **offsets,
                                         const char **data,
                                         const uint8_t **validity,
                                         feast_error_t **err);

/**
 * The lists of the column with this name, of booleans,
 * converted as by feast_response_get_bool(). Row i is the list of the
 * items offsets[i] up to offsets[i + 1]; a null row has none. Nulls among the items are 0, and told by
 * feast_response_column_list_validity(). A column without any value is all empty lists.
 *
 * @param response  in; borrowed for the call.
 * @param name      in, the column's name, NUL-terminated UTF-8; borrowed for the call.
 * @param offsets   out, set to NULL first, rows + 1 offsets into items; borrowed until response is freed.
 * @param items     out, set to NULL first, offsets[rows] items; borrowed until response is freed.
 * @param validity  out, may be NULL, set to NULL first: which rows have a list, as feast_response_column_validity();
 *                  NULL if all do; borrowed until response is freed.
 * @param err       out, may be NULL; untouched on success, else free with feast_error_free().
 * @return as feast_response_get_bool().
 * Thread safety: any thread.
 * Since: 0.2
 */
feast_status_t feast_response_get_bool_list(const feast_response_t *response,
                                            const char *name,
                                            const int64_t **offsets,
                                            const uint8_t **items,
                                            const uint8_t **validity,
                                            feast_error_t **err);

/**
 * The lists of the column with this name, of integers of 32 bits,
 * converted as by feast_response_get_int32(). Row i is the list of the
 * items offsets[i] up to offsets[i + 1]; a null row has none. Nulls among the items are 0, and told by
 * feast_response_column_list_validity(). A column without any value is all empty lists.
 *
 * @param response  in; borrowed for the call.
 * @param name      in, the column's name, NUL-terminated UTF-8; borrowed for the call.
 * @param offsets   out, set to NULL first, rows + 1 offsets into items; borrowed until response is freed.
 * @param items     out, set to NULL first, offsets[rows] items; borrowed until response is freed.
 * @param validity  out, may be NULL, set to NULL first: which rows have a list, as feast_response_column_validity();
 *                  NULL if all do; borrowed until response is freed.
 * @param err       out, may be NULL; untouched on success, else free with feast_error_free().
 * @return as feast_response_get_int32().
 * Thread safety: any thread.
 * Since: 0.2
 */
feast_status_t feast_response_get_int32_list(const feast_response_t *response,
                                             const char *name,
                                             const int64_t **offsets,
                                             const int32_t **items,
                                             const uint8_t **validity,
                                             feast_error_t **err);

/**
 * The lists of the column with this name, of integers of 64 bits,
 * converted as by feast_response_get_int64(). Row i is the list of the
 * items offsets[i] up to offsets[i + 1]; a null row has none. Nulls among the items are 0, and told by
 * feast_response_column_list_validity(). A column without any value is all empty lists.
 *
 * @param response  in; borrowed for the call.
 * @param name      in, the column's name, NUL-terminated UTF-8; borrowed for the call.
 * @param offsets   out, set to NULL first, rows + 1 offsets into items; borrowed until response is freed.
 * @param items     out, set to NULL first, offsets[rows] items; borrowed until response is freed.
 * @param validity  out, may be NULL, set to NULL first: which rows have a list, as feast_response_column_validity();
 *                  NULL if all do; borrowed until response is freed.
 * @param err       out, may be NULL; untouched on success, else free with feast_error_free().
 * @return as feast_response_get_int64().
 * Thread safety: any thread.
 * Since: 0.2
 */
feast_status_t feast_response_get_int64_list(const feast_response_t *response,
                                             const char *name,
                                             const int64_t **offsets,
                                             const int64_t **items,
                                             const uint8_t **validity,
                                             feast_error_t **err);

/**
 * The lists of the column with this name, of numbers of 32 bits,
 * converted as by feast_response_get_float(). Row i is the list of the
 * items offsets[i] up to offsets[i + 1]; a null row has none. Nulls among the items are 0, and told by
 * feast_response_column_list_validity(). A column without any value is all empty lists.
 *
 * @param response  in; borrowed for the call.
 * @param name      in, the column's name, NUL-terminated UTF-8; borrowed for the call.
 * @param offsets   out, set to NULL first, rows + 1 offsets into items; borrowed until response is freed.
 * @param items     out, set to NULL first, offsets[rows] items; borrowed until response is freed.
 * @param validity  out, may be NULL, set to NULL first: which rows have a list, as feast_response_column_validity();
 *                  NULL if all do; borrowed until response is freed.
 * @param err       out, may be NULL; untouched on success, else free with feast_error_free().
 * @return as feast_response_get_float().
 * Thread safety: any thread.
 * Since: 0.2
 */
feast_status_t feast_response_get_float_list(const feast_response_t *response,
                                             const char *name,
                                             const int64_t **offsets,
                                             const float **items,
                                             const uint8_t **validity,
                                             feast_error_t **err);

/**
 * The lists of the column with this name, of numbers of 64 bits,
 * converted as by feast_response_get_double(). Row i is the list of the
 * items offsets[i] up to offsets[i + 1]; a null row has none. Nulls among the items are 0, and told by
 * feast_response_column_list_validity(). A column without any value is all empty lists.
 *
 * @param response  in; borrowed for the call.
 * @param name      in, the column's name, NUL-terminated UTF-8; borrowed for the call.
 * @param offsets   out, set to NULL first, rows + 1 offsets into items; borrowed until response is freed.
 * @param items     out, set to NULL first, offsets[rows] items; borrowed until response is freed.
 * @param validity  out, may be NULL, set to NULL first: which rows have a list, as feast_response_column_validity();
 *                  NULL if all do; borrowed until response is freed.
 * @param err       out, may be NULL; untouched on success, else free with feast_error_free().
 * @return as feast_response_get_double().
 * Thread safety: any thread.
 * Since: 0.2
 */
feast_status_t feast_response_get_double_list(const feast_response_t *response,
                                              const char *name,
                                              const int64_t **offsets,
                                              const double **items,
                                              const uint8_t **validity,
                                              feast_error_t **err);

/**
 * The lists of text or bytes of the column with this name. Row i is the list of the texts offsets[i] up to offsets[i + 1], and
 * text k is data[ends[k]] up to data[ends[k + 1]]. A column without any value is all empty lists.
 *
 * @param response  in; borrowed for the call.
 * @param name      in, the column's name, NUL-terminated UTF-8; borrowed for the call.
 * @param offsets   out, set to NULL first, rows + 1 offsets; borrowed until response is freed.
 * @param ends      out, set to NULL first, offsets[rows] + 1 offsets into data; borrowed until response is freed.
 * @param data      out, set to NULL first, UTF-8 (or any bytes for BYTES_LIST); borrowed until response is freed.
 * @param validity  out, may be NULL, set to NULL first: which rows have a list, as feast_response_column_validity();
 *                  NULL if all do; borrowed until response is freed.
 * @param err       out, may be NULL; untouched on success, else free with feast_error_free().
 * @return as feast_response_get_string().
 * Thread safety: any thread.
 * Since: 0.2
 */
feast_status_t feast_response_get_string_list(const feast_response_t *response,
                                              const char *name,
                                              const int64_t **offsets,
                                              const int64_t **ends,
                                              const char **data,
                                              const uint8_t **validity,
                                              feast_error_t **err);

/**
 * Tells where the time of the call went that this response answers.
 *
 * @param response  in, may be NULL; borrowed for the call.
 * @param timing    in and out, may be NULL; its size is set by the caller; changed.
 * @return whether it was filled in; false for NULL, and for a size that cannot be.
 * Thread safety: any thread.
 * Since: 0.2
 */
bool feast_response_timing(const feast_response_t *response, feast_timing_t *timing);

/**
 * Tells where the time of the call went that failed with this error.
 *
 * @param err     in, may be NULL; borrowed for the call.
 * @param timing  in and out, may be NULL; its size is set by the caller; changed.
 * @return whether it was filled in; false for NULL, for a size that cannot be, and for an error that came before the call
 *         began: of an argument, of the configuration.
 * Thread safety: any thread.
 * Since: 0.2
 */
bool feast_error_timing(const feast_error_t *err,
                        feast_timing_t *timing);

/**
 * How many columns a matrix of an answer's columns takes: one for each, and for lists as many as they have items.
 *
 * @param response  in, may be NULL; borrowed for the call.
 * @param names     in, n names of columns, or NULL for all features; borrowed for the call.
 * @param n         in, number of names.
 * @return columns; 0 if they make no matrix, as feast_response_copy_f32() would say.
 * Thread safety: any thread.
 * Since: 0.2
 */
size_t feast_response_matrix_width(const feast_response_t *response,
                                   const char *const *names,
                                   size_t n);

/**
 * Copies numbers into a row-major matrix of floats: row i of column j is out[i * row_stride + j]. The columns stand
 * in the order of names; one of lists takes as many as its lists have items, which must be the same number in
 * every row (a null takes missing for each). Booleans become 0 and 1; every number is rounded to the nearest float,
 * as numpy's astype(float32) does: for other integers than small ones use feast_response_copy_i64().
 *
 * @param response    in; borrowed for the call.
 * @param names       in, n column names, NUL-terminated UTF-8; NULL: all features; borrowed for the call.
 * @param n           in, number of names; not used if names is NULL.
 * @param out         out, borrowed for the call; room for (rows - 1) * row_stride + columns floats; the gaps
 *                    between rows are not touched.
 * @param row_stride  in, floats from one row to the next, at least the number of columns.
 * @param missing     in, what stands where there is no value, such as NAN or 0.
 * @param statuses    out, may be NULL, borrowed for the call; a FEAST_FIELD_STATUS_ number for each float, at the
 *                    same places as in out. Feast says PRESENT of a null that was written, too: whether a value is
 *                    there, out tells (missing), and why not, this.
 * @param err         out, may be NULL; untouched on success, else free with feast_error_free().
 * @return FEAST_OK; FEAST_INVALID_ARGUMENT for NULL, an unknown name or too small a stride; FEAST_WRONG_TYPE for a column
 *         that holds no numbers, or lists of several lengths. Then what out holds is not specified.
 * Thread safety: any thread.
 * Since: 0.1
 */
feast_status_t feast_response_copy_f32(const feast_response_t *response,
                                       const char *const *names,
                                       size_t n,
                                       float *out,
                                       size_t row_stride,
                                       float missing,
                                       uint8_t *statuses,
                                       feast_error_t **err);

/**
 * As feast_response_copy_f32(), with doubles. An INT64 that is not exactly a double is refused.
 *
 * @param response    in; borrowed for the call.
 * @param names       in, n column names, NUL-terminated UTF-8; NULL: all features; borrowed for the call.
 * @param n           in, number of names; not used if names is NULL.
 * @param out         out, borrowed for the call; room for (rows - 1) * row_stride + columns doubles.
 * @param row_stride  in, doubles from one row to the next, at least the number of columns.
 * @param missing     in, what stands where there is no value.
 * @param statuses    out, may be NULL, borrowed for the call; a FEAST_FIELD_STATUS_ number for each double, at the
 *                    same places as in out. Feast says PRESENT of a null that was written, too: whether a value is
 *                    there, out tells (missing), and why not, this.
 * @param err         out, may be NULL; untouched on success, else free with feast_error_free().
 * @return as feast_response_copy_f32(); FEAST_WRONG_TYPE also for an integer that a double cannot hold.
 * Thread safety: any thread.
 * Since: 0.1
 */
feast_status_t feast_response_copy_f64(const feast_response_t *response,
                                       const char *const *names,
                                       size_t n,
                                       double *out,
                                       size_t row_stride,
                                       double missing,
                                       uint8_t *statuses,
                                       feast_error_t **err);

/**
 * As feast_response_copy_f32(), with integers of 64 bits. A real number with a fraction, or beyond them, is refused.
 *
 * @param response    in; borrowed for the call.
 * @param names       in, n column names, NUL-terminated UTF-8; NULL: all features; borrowed for the call.
 * @param n           in, number of names; not used if names is NULL.
 * @param out         out, borrowed for the call; room for (rows - 1) * row_stride + columns integers.
 * @param row_stride  in, integers from one row to the next, at least the number of columns.
 * @param missing     in, what stands where there is no value.
 * @param statuses    out, may be NULL, borrowed for the call; a FEAST_FIELD_STATUS_ number for each integer, at the
 *                    same places as in out. Feast says PRESENT of a null that was written, too: whether a value is
 *                    there, out tells (missing), and why not, this.
 * @param err         out, may be NULL; untouched on success, else free with feast_error_free().
 * @return as feast_response_copy_f32(); FEAST_WRONG_TYPE also for a number that is no integer of 64 bits.
 * Thread safety: any thread.
 * Since: 0.1
 */
feast_status_t feast_response_copy_i64(const feast_response_t *response,
                                       const char *const *names,
                                       size_t n,
                                       int64_t *out,
                                       size_t row_stride,
                                       int64_t missing,
                                       uint8_t *statuses,
                                       feast_error_t **err);

/**
 * Fetches online features straight into a row-major matrix of floats: feast_get_online_features() and
 * feast_response_copy_f32() of all features in one, without a response in between. The features stand in the order
 * in which they were added (for a feature service, in the server's order). Unlike there, a feature whose values are
 * both booleans and numbers is accepted, or numbers and integers that are not exactly doubles, or nothing but the
 * words for NaN and infinity.
 *
 * A list takes as many columns as it has items, and the server says how many that are: declare features that are lists
 * (FEAST_TYPE_FLOAT_LIST), so that a column of nulls is an error and not one column.
 *
 * @param remote      in; borrowed for the call.
 * @param request     in; borrowed for the call, not changed.
 * @param out         out, borrowed for the call; room for rows * row_stride floats, where rows is the length of the
 *                    request's entity columns. Only as many columns as the features take are written.
 * @param row_stride  in, floats from one row to the next, at least the number of columns.
 * @param missing     in, what stands where there is no value, such as NAN or 0.
 * @param statuses    out, may be NULL, borrowed for the call; a FEAST_FIELD_STATUS_ number for each float, at the
 *                    same places as in out. Feast says PRESENT of a null that was written, too: whether a value is
 *                    there, out tells (missing), and why not, this.
 * @param err         out, may be NULL; untouched on success, else free with feast_error_free().
 * @return as feast_get_online_features() and feast_response_copy_f32(). On an error what out holds is not specified.
 * Thread safety: any thread, as feast_get_online_features(); out and statuses are the caller's alone.
 * Since: 0.1
 */
feast_status_t feast_get_online_features_into_f32(feast_remote_t *remote,
                                                  const feast_request_t *request,
                                                  float *out,
                                                  size_t row_stride,
                                                  float missing,
                                                  uint8_t *statuses,
                                                  feast_error_t **err);

/**
 * Hands over all columns through the Arrow C data interface: a struct array with a child for each column, in the
 * order of the response. Values are not copied (booleans are, to Arrow's bits); what is handed over lives until it
 * is released, also after feast_response_free(). Types: null, bool, int32, int64, float, double, large_utf8 for
 * STRING and JSON, large_binary, timestamp[s, UTC], and large_list of these. Children may be moved out and released
 * one by one, in any order and on any thread.
 *
 * @param response  in; borrowed for the call.
 * @param array     out, zeroed first; transferred: the caller calls array->release(array).
 * @param schema    out, zeroed first; transferred: the caller calls schema->release(schema).
 * @param err       out, may be NULL; untouched on success, else free with feast_error_free().
 * @return FEAST_OK; FEAST_INVALID_ARGUMENT for NULL.
 * Thread safety: any thread.
 * Since: 0.1
 */
feast_status_t feast_response_export_arrow(const feast_response_t *response,
                                           struct ArrowArray *array,
                                           struct ArrowSchema *schema,
                                           feast_error_t **err);

/**
 * As feast_response_export_arrow(), with two more columns behind each feature: NAME__status, its FEAST_STATUS_
 * numbers as uint8, and NAME__ts, its event timestamps as timestamp[ns, UTC], if the server sent some.
 *
 * @param response  in; borrowed for the call.
 * @param array     out, zeroed first; transferred: the caller calls array->release(array).
 * @param schema    out, zeroed first; transferred: the caller calls schema->release(schema).
 * @param err       out, may be NULL; untouched on success, else free with feast_error_free().
 * @return FEAST_OK; FEAST_INVALID_ARGUMENT for NULL.
 * Thread safety: any thread.
 * Since: 0.1
 */
feast_status_t feast_response_export_arrow_full(const feast_response_t *response,
                                                struct ArrowArray *array,
                                                struct ArrowSchema *schema,
                                                feast_error_t **err);

/**
 * Makes a DLPack tensor of floats, rows by columns, on the CPU, as feast_response_copy_f32() would fill it. It is a
 * copy, aligned to 64 bytes, and stands on its own.
 *
 * @param response  in; borrowed for the call.
 * @param names     in, n column names, NUL-terminated UTF-8; NULL: all features; borrowed for the call.
 * @param n         in, number of names; not used if names is NULL.
 * @param missing   in, what stands where there is no value, such as NAN or 0.
 * @param tensor    out, set to NULL first, the tensor on success; transferred: whoever gets it in the end calls
 *                  tensor->deleter(tensor). Its struct is that of dlpack.h, version 1.0.
 * @param err       out, may be NULL; untouched on success, else free with feast_error_free().
 * @return as feast_response_copy_f32().
 * Thread safety: any thread.
 * Since: 0.1
 */
feast_status_t feast_response_to_dlpack(const feast_response_t *response,
                                        const char *const *names,
                                        size_t n,
                                        float missing,
                                        struct DLManagedTensorVersioned **tensor,
                                        feast_error_t **err);

/**
 * Makes an empty frame.
 *
 * @return a frame to free with feast_frame_free().
 * Thread safety: any thread.
 * Since: 0.2
 */
feast_frame_t *feast_frame_new(void);

/**
 * Frees a frame. Writes under way are not touched.
 *
 * @param frame  in, may be NULL; transferred: it must not be used afterwards.
 * Thread safety: any thread, once for each frame.
 * Since: 0.2
 */
void feast_frame_free(feast_frame_t *frame);

/**
 * The number of rows: those of the first column.
 *
 * @param frame  in, may be NULL; borrowed for the call.
 * @return rows; 0 for NULL.
 * Thread safety: any thread, if no other one changes frame meanwhile.
 * Since: 0.2
 */
size_t feast_frame_num_rows(const feast_frame_t *frame);

/**
 * Adds a column of integers of 32 bits.
 *
 * @param frame     in; changed.
 * @param name      in, NUL-terminated UTF-8; copied.
 * @param values    in, n values, one a row; copied. May be NULL if n is 0.
 * @param validity  in, may be NULL if every row has a value; (n + 7) / 8 bytes: bit i % 8 (from the lowest) of byte i / 8 is 1
 *                  for a value and 0 for a null; borrowed for the call.
 * @param n         in, number of rows.
 * @param err       out, may be NULL; untouched on success, else free with feast_error_free().
 * @return FEAST_OK; FEAST_INVALID_ARGUMENT for NULL, a bad name, or one that the frame has already.
 * Thread safety: one thread at a time on one frame.
 * Since: 0.2
 */
feast_status_t feast_frame_set_int32(feast_frame_t *frame,
                                     const char *name,
                                     const int32_t *values,
                                     const uint8_t *validity,
                                     size_t n,
                                     feast_error_t **err);

/**
 * Adds a column of integers of 64 bits.
 *
 * @param frame     in; changed.
 * @param name      in, NUL-terminated UTF-8; copied.
 * @param values    in, n values, one a row; copied. May be NULL if n is 0.
 * @param validity  in, may be NULL if every row has a value; (n + 7) / 8 bytes: bit i % 8 (from the lowest) of byte i / 8 is 1
 *                  for a value and 0 for a null; borrowed for the call.
 * @param n         in, number of rows.
 * @param err       out, may be NULL; untouched on success, else free with feast_error_free().
 * @return FEAST_OK; FEAST_INVALID_ARGUMENT for NULL, a bad name, or one that the frame has already.
 * Thread safety: one thread at a time on one frame.
 * Since: 0.2
 */
feast_status_t feast_frame_set_int64(feast_frame_t *frame,
                                     const char *name,
                                     const int64_t *values,
                                     const uint8_t *validity,
                                     size_t n,
                                     feast_error_t **err);

/**
 * Adds a column of numbers of 32 bits. NaN and infinities, which JSON cannot
 * write, are refused; a missing value is a null.
 *
 * @param frame     in; changed.
 * @param name      in, NUL-terminated UTF-8; copied.
 * @param values    in, n values, one a row; copied. May be NULL if n is 0.
 * @param validity  in, may be NULL if every row has a value; (n + 7) / 8 bytes: bit i % 8 (from the lowest) of byte i / 8 is 1
 *                  for a value and 0 for a null; borrowed for the call.
 * @param n         in, number of rows.
 * @param err       out, may be NULL; untouched on success, else free with feast_error_free().
 * @return FEAST_OK; FEAST_INVALID_ARGUMENT for NULL, a bad name, or one that the frame has already.
 * Thread safety: one thread at a time on one frame.
 * Since: 0.2
 */
feast_status_t feast_frame_set_float(feast_frame_t *frame,
                                     const char *name,
                                     const float *values,
                                     const uint8_t *validity,
                                     size_t n,
                                     feast_error_t **err);

/**
 * Adds a column of numbers of 64 bits. NaN and infinities, which JSON cannot
 * write, are refused; a missing value is a null.
 *
 * @param frame     in; changed.
 * @param name      in, NUL-terminated UTF-8; copied.
 * @param values    in, n values, one a row; copied. May be NULL if n is 0.
 * @param validity  in, may be NULL if every row has a value; (n + 7) / 8 bytes: bit i % 8 (from the lowest) of byte i / 8 is 1
 *                  for a value and 0 for a null; borrowed for the call.
 * @param n         in, number of rows.
 * @param err       out, may be NULL; untouched on success, else free with feast_error_free().
 * @return FEAST_OK; FEAST_INVALID_ARGUMENT for NULL, a bad name, or one that the frame has already.
 * Thread safety: one thread at a time on one frame.
 * Since: 0.2
 */
feast_status_t feast_frame_set_double(feast_frame_t *frame,
                                      const char *name,
                                      const double *values,
                                      const uint8_t *validity,
                                      size_t n,
                                      feast_error_t **err);

/**
 * Adds a column of booleans.
 *
 * @param frame     in; changed.
 * @param name      in, NUL-terminated UTF-8; copied.
 * @param values    in, n values, one a row; copied. May be NULL if n is 0.
 * @param validity  in, may be NULL if every row has a value; (n + 7) / 8 bytes: bit i % 8 (from the lowest) of byte i / 8 is 1
 *                  for a value and 0 for a null; borrowed for the call.
 * @param n         in, number of rows.
 * @param err       out, may be NULL; untouched on success, else free with feast_error_free().
 * @return FEAST_OK; FEAST_INVALID_ARGUMENT for NULL, a bad name, or one that the frame has already.
 * Thread safety: one thread at a time on one frame.
 * Since: 0.2
 */
feast_status_t feast_frame_set_bool(feast_frame_t *frame,
                                    const char *name,
                                    const bool *values,
                                    const uint8_t *validity,
                                    size_t n,
                                    feast_error_t **err);

/**
 * Adds a column of moments in nanoseconds since 1970-01-01 UTC.
 * Event timestamps go out as RFC 3339 text, to the microsecond; values of features as whole seconds, since Feast's timestamps
 * have no more: a write refuses what has a fraction beyond that.
 *
 * @param frame     in; changed.
 * @param name      in, NUL-terminated UTF-8; copied.
 * @param values    in, n values, one a row; copied. May be NULL if n is 0.
 * @param validity  in, may be NULL if every row has a value; (n + 7) / 8 bytes: bit i % 8 (from the lowest) of byte i / 8 is 1
 *                  for a value and 0 for a null; borrowed for the call.
 * @param n         in, number of rows.
 * @param err       out, may be NULL; untouched on success, else free with feast_error_free().
 * @return FEAST_OK; FEAST_INVALID_ARGUMENT for NULL, a bad name, or one that the frame has already.
 * Thread safety: one thread at a time on one frame.
 * Since: 0.2
 */
feast_status_t feast_frame_set_timestamp_ns(feast_frame_t *frame,
                                            const char *name,
                                            const int64_t *values,
                                            const uint8_t *validity,
                                            size_t n,
                                            feast_error_t **err);

/**
 * Adds a column of strings.
 *
 * @param frame    in; changed.
 * @param name     in, NUL-terminated UTF-8; copied.
 * @param values   in, n strings of UTF-8, one a row, NULL for a null; copied. May be NULL if n is 0.
 * @param lengths  in, n lengths in bytes, or NULL if the strings are NUL-terminated; borrowed for the call.
 * @param n        in, number of rows.
 * @param err      out, may be NULL; untouched on success, else free with feast_error_free().
 * @return FEAST_OK; FEAST_INVALID_ARGUMENT for NULL, a bad name, one that the frame has already, or a string that is not
 *         UTF-8.
 * Thread safety: one thread at a time on one frame.
 * Since: 0.2
 */
feast_status_t feast_frame_set_string(feast_frame_t *frame,
                                      const char *name,
                                      const char *const *values,
                                      const size_t *lengths,
                                      size_t n,
                                      feast_error_t **err);

/**
 * Adds a column by a JSON array of anything, one element a row: maps, lists of lists, nulls.
 *
 * @param frame       in; changed.
 * @param name        in, NUL-terminated UTF-8; copied.
 * @param json_array  in, NUL-terminated UTF-8; copied. Python's NaN and Infinity are no JSON.
 * @param err         out, may be NULL; untouched on success, else free with feast_error_free().
 * @return FEAST_OK; FEAST_INVALID_ARGUMENT for NULL, a bad name, one that the frame has already, or what is no JSON array.
 * Thread safety: one thread at a time on one frame.
 * Since: 0.2
 */
feast_status_t feast_frame_set_json(feast_frame_t *frame,
                                    const char *name,
                                    const char *json_array,
                                    feast_error_t **err);

/**
 * Adds a column of lists of integers of 64 bits.
 *
 * @param frame     in; changed.
 * @param name      in, NUL-terminated UTF-8; copied.
 * @param offsets   in, n + 1 offsets, ascending from 0: row i is the list of values[offsets[i]] up to values[offsets[i + 1]];
 *                  borrowed for the call.
 * @param values    in, offsets[n] items; copied. May be NULL if there are none.
 * @param validity  in, may be NULL if every row has a list; (n + 7) / 8 bytes as in feast_frame_set_int64(); borrowed for the call.
 * @param n         in, number of rows.
 * @param err       out, may be NULL; untouched on success, else free with feast_error_free().
 * @return FEAST_OK; FEAST_INVALID_ARGUMENT for NULL, a bad name, one that the frame has already, or offsets that descend.
 * Thread safety: one thread at a time on one frame.
 * Since: 0.2
 */
feast_status_t feast_frame_set_int64_list(feast_frame_t *frame,
                                          const char *name,
                                          const int64_t *offsets,
                                          const int64_t *values,
                                          const uint8_t *validity,
                                          size_t n,
                                          feast_error_t **err);

/**
 * Adds a column of lists of numbers of 32 bits; NaN and infinities are refused.
 *
 * @param frame     in; changed.
 * @param name      in, NUL-terminated UTF-8; copied.
 * @param offsets   in, n + 1 offsets, ascending from 0: row i is the list of values[offsets[i]] up to values[offsets[i + 1]];
 *                  borrowed for the call.
 * @param values    in, offsets[n] items; copied. May be NULL if there are none.
 * @param validity  in, may be NULL if every row has a list; (n + 7) / 8 bytes as in feast_frame_set_int64(); borrowed for the call.
 * @param n         in, number of rows.
 * @param err       out, may be NULL; untouched on success, else free with feast_error_free().
 * @return FEAST_OK; FEAST_INVALID_ARGUMENT for NULL, a bad name, one that the frame has already, or offsets that descend.
 * Thread safety: one thread at a time on one frame.
 * Since: 0.2
 */
feast_status_t feast_frame_set_float_list(feast_frame_t *frame,
                                          const char *name,
                                          const int64_t *offsets,
                                          const float *values,
                                          const uint8_t *validity,
                                          size_t n,
                                          feast_error_t **err);

/**
 * Adds a column of lists of numbers of 64 bits; NaN and infinities are refused.
 *
 * @param frame     in; changed.
 * @param name      in, NUL-terminated UTF-8; copied.
 * @param offsets   in, n + 1 offsets, ascending from 0: row i is the list of values[offsets[i]] up to values[offsets[i + 1]];
 *                  borrowed for the call.
 * @param values    in, offsets[n] items; copied. May be NULL if there are none.
 * @param validity  in, may be NULL if every row has a list; (n + 7) / 8 bytes as in feast_frame_set_int64(); borrowed for the call.
 * @param n         in, number of rows.
 * @param err       out, may be NULL; untouched on success, else free with feast_error_free().
 * @return FEAST_OK; FEAST_INVALID_ARGUMENT for NULL, a bad name, one that the frame has already, or offsets that descend.
 * Thread safety: one thread at a time on one frame.
 * Since: 0.2
 */
feast_status_t feast_frame_set_double_list(feast_frame_t *frame,
                                           const char *name,
                                           const int64_t *offsets,
                                           const double *values,
                                           const uint8_t *validity,
                                           size_t n,
                                           feast_error_t **err);

/**
 * Adds a column of lists of strings, each NUL-terminated UTF-8.
 *
 * @param frame     in; changed.
 * @param name      in, NUL-terminated UTF-8; copied.
 * @param offsets   in, n + 1 offsets, ascending from 0: row i is the list of values[offsets[i]] up to values[offsets[i + 1]];
 *                  borrowed for the call.
 * @param values    in, offsets[n] items; copied. May be NULL if there are none.
 * @param validity  in, may be NULL if every row has a list; (n + 7) / 8 bytes as in feast_frame_set_int64(); borrowed for the call.
 * @param n         in, number of rows.
 * @param err       out, may be NULL; untouched on success, else free with feast_error_free().
 * @return FEAST_OK; FEAST_INVALID_ARGUMENT for NULL, a bad name, one that the frame has already, or offsets that descend.
 * Thread safety: one thread at a time on one frame.
 * Since: 0.2
 */
feast_status_t feast_frame_set_string_list(feast_frame_t *frame,
                                           const char *name,
                                           const int64_t *offsets,
                                           const char *const *values,
                                           const uint8_t *validity,
                                           size_t n,
                                           feast_error_t **err);

/**
 * Makes a frame of a record batch that came through the Arrow C data interface: integers of each size, floats, booleans, UTF-8,
 * timestamps, lists of these, and nulls. A timestamp without a zone is taken as one of UTC. Other types are refused:
 * dictionaries (decode them first), bytes (Feast takes none over HTTP), dates, decimals, structs and maps
 * (feast_frame_set_json() takes those).
 *
 * @param array   in and out, a struct array without nulls of its own, as pyarrow's RecordBatch exports it; on success it is
 *                copied and released, else not touched.
 * @param schema  in and out, its schema; on success released, else not touched; borrowed for the call.
 * @param frame   out, set to NULL first; free with feast_frame_free().
 * @param err     out, may be NULL; untouched on success, else free with feast_error_free().
 * @return FEAST_OK; FEAST_INVALID_ARGUMENT for NULL, what was released before, a type that cannot be written, or a value of
 *         it: the message names column and row.
 * Thread safety: any thread, if no other one uses array or schema.
 * Since: 0.2
 */
feast_status_t feast_frame_import_arrow(struct ArrowArray *array,
                                        struct ArrowSchema *schema,
                                        feast_frame_t **frame,
                                        feast_error_t **err);

/**
 * Makes options that say what is usual.
 *
 * @return options to free with feast_write_options_free().
 * Thread safety: any thread.
 * Since: 0.2
 */
feast_write_options_t *feast_write_options_new(void);

/**
 * Frees options.
 *
 * @param options  in, may be NULL; transferred: they must not be used afterwards.
 * Thread safety: any thread, once for each of them.
 * Since: 0.2
 */
void feast_write_options_free(feast_write_options_t *options);

/**
 * Names the column of event timestamps, as the data source of the feature view names it. It goes out as RFC 3339 text with Z,
 * never as numbers, which a server would take for nanoseconds, and must have no nulls. "": the frame has none.
 *
 * @param options  in; changed.
 * @param name     in, NUL-terminated UTF-8; copied. "event_timestamp" is the default.
 * @param err      out, may be NULL; untouched on success, else free with feast_error_free().
 * @return FEAST_OK; FEAST_INVALID_ARGUMENT for NULL or text that is not UTF-8.
 * Thread safety: one thread at a time on the same options.
 * Since: 0.2
 */
feast_status_t feast_write_options_set_timestamp_field(feast_write_options_t *options,
                                                       const char *name,
                                                       feast_error_t **err);

/**
 * Names the column that says when rows were made, if the frame has one; it goes out like event timestamps. "": none.
 *
 * @param options  in; changed.
 * @param name     in, NUL-terminated UTF-8; copied. "created" is the default.
 * @param err      out, may be NULL; untouched on success, else free with feast_error_free().
 * @return FEAST_OK; FEAST_INVALID_ARGUMENT for NULL or text that is not UTF-8.
 * Thread safety: one thread at a time on the same options.
 * Since: 0.2
 */
feast_status_t feast_write_options_set_created_timestamp_column(feast_write_options_t *options,
                                                                const char *name,
                                                                feast_error_t **err);

/**
 * Whether the server may look feature views up in its cache of the registry.
 *
 * @param options  in; changed.
 * @param value    in; true is the default.
 * @param err      out, may be NULL; untouched on success, else free with feast_error_free().
 * @return FEAST_OK; FEAST_INVALID_ARGUMENT for NULL.
 * Thread safety: one thread at a time on the same options.
 * Since: 0.2
 */
feast_status_t feast_write_options_set_allow_registry_cache(feast_write_options_t *options,
                                                            bool value,
                                                            feast_error_t **err);

/**
 * Whether the server applies transformations when it writes.
 *
 * @param options  in; changed.
 * @param value    in; true is the default.
 * @param err      out, may be NULL; untouched on success, else free with feast_error_free().
 * @return FEAST_OK; FEAST_INVALID_ARGUMENT for NULL.
 * Thread safety: one thread at a time on the same options.
 * Since: 0.2
 */
feast_status_t feast_write_options_set_transform_on_write(feast_write_options_t *options,
                                                          bool value,
                                                          feast_error_t **err);

/**
 * Whether a push to an offline store may be sent again although it may have been done: rows are then there twice. An online
 * store has one row an entity, so that a write to it is always sent again.
 *
 * @param options  in; changed.
 * @param value    in; false is the default.
 * @param err      out, may be NULL; untouched on success, else free with feast_error_free().
 * @return FEAST_OK; FEAST_INVALID_ARGUMENT for NULL.
 * Thread safety: one thread at a time on the same options.
 * Since: 0.2
 */
feast_status_t feast_write_options_set_repeat_offline(feast_write_options_t *options,
                                                      bool value,
                                                      feast_error_t **err);

/**
 * Limits the time of a whole write. Without it each of its requests has the store's request_timeout_ms.
 *
 * @param options     in; changed.
 * @param timeout_ms  in, milliseconds, not negative; with 0 nothing is sent.
 * @param err         out, may be NULL; untouched on success, else free with feast_error_free().
 * @return FEAST_OK; FEAST_INVALID_ARGUMENT for NULL or a negative time.
 * Thread safety: one thread at a time on the same options.
 * Since: 0.2
 */
feast_status_t feast_write_options_set_timeout_ms(feast_write_options_t *options,
                                                  int64_t timeout_ms,
                                                  feast_error_t **err);

/**
 * Pushes rows to a push source: to the feature views that it feeds, online, offline or both; and waits for it.
 *
 * Rows go out in requests of at most max_rows_per_write rows, one after the other, and apart where nulls would change values on
 * the server: docs/writing.md tells how. What cannot be written exactly is refused before anything is sent. The first request
 * that fails ends the write: the error's feast_error_rows_written() and feast_error_unwritten_rows() tell what was written. An
 * online store keeps the row that was written last, also if its event timestamp is older. A request to an offline
 * store, which appends, is not sent again once it may have been done, unless the options allow it.
 *
 * @param remote       in; borrowed for the call.
 * @param push_source  in, its name, NUL-terminated UTF-8; borrowed for the call.
 * @param frame        in; borrowed for the call, not changed.
 * @param to           in, FEAST_PUSH_ONLINE, FEAST_PUSH_OFFLINE or both.
 * @param options      in, NULL for what is usual; borrowed for the call.
 * @param written      out, may be NULL, set to NULL first; free with feast_write_free().
 * @param err          out, may be NULL; untouched on success, else free with feast_error_free().
 * @return FEAST_OK; FEAST_INVALID_ARGUMENT for NULL, an empty frame, columns of unequal length, or what cannot be written, which
 *         the message names with column and row; else as feast_get_online_features(), FEAST_DECODE excepted.
 * Thread safety: any thread, concurrently, on the same store and the same frame, if nobody changes the frame meanwhile.
 * Since: 0.2
 */
feast_status_t feast_push(feast_remote_t *remote,
                          const char *push_source,
                          const feast_frame_t *frame,
                          feast_push_to_t to,
                          const feast_write_options_t *options,
                          feast_write_t **written,
                          feast_error_t **err);

/**
 * Writes rows to the online store of a feature view, and waits for it.
 *
 * Rows go out in requests of at most max_rows_per_write rows, one after the other, and apart where nulls would change values on
 * the server: docs/writing.md tells how. What cannot be written exactly is refused before anything is sent. The first request
 * that fails ends the write: the error's feast_error_rows_written() and feast_error_unwritten_rows() tell what was written. An
 * online store keeps the row that was written last, also if its event timestamp is older.
 *
 * @param remote        in; borrowed for the call.
 * @param feature_view  in, its name, NUL-terminated UTF-8; borrowed for the call.
 * @param frame         in; borrowed for the call, not changed.
 * @param options       in, NULL for what is usual; borrowed for the call.
 * @param written       out, may be NULL, set to NULL first; free with feast_write_free().
 * @param err           out, may be NULL; untouched on success, else free with feast_error_free().
 * @return FEAST_OK; FEAST_INVALID_ARGUMENT for NULL, an empty frame, columns of unequal length, or what cannot be written, which
 *         the message names with column and row; else as feast_get_online_features(), FEAST_DECODE excepted.
 * Thread safety: any thread, concurrently, on the same store and the same frame, if nobody changes the frame meanwhile.
 * Since: 0.2
 */
feast_status_t feast_write_to_online_store(feast_remote_t *remote,
                                           const char *feature_view,
                                           const feast_frame_t *frame,
                                           const feast_write_options_t *options,
                                           feast_write_t **written,
                                           feast_error_t **err);

/**
 * Pushes rows as feast_push(), without waiting for it: an event with the tag comes to the queue, whatever happens, from which
 * feast_event_take_write() takes what came of it. The frame is kept as it is now.
 *
 * @param remote       in; borrowed for the call.
 * @param push_source  in, its name, NUL-terminated UTF-8; borrowed for the call.
 * @param frame        in; borrowed for the call, not changed.
 * @param to           in, FEAST_PUSH_ONLINE, FEAST_PUSH_OFFLINE or both.
 * @param options      in, NULL for what is usual; borrowed for the call.
 * @param queue        in; borrowed for the call.
 * @param tag          in, anything; copied: the event's feast_event_tag().
 * @param call         out, may be NULL, set to NULL first: for feast_call_cancel(); free with feast_call_free().
 * @param err          out, may be NULL; untouched on success, else free with feast_error_free().
 * @return FEAST_OK if there will be an event; else as feast_push() for what is found before anything is sent, and
 *         FEAST_OVERLOADED if max_async_requests are under way.
 * Thread safety: any thread, concurrently, on the same store, queue and frame, if nobody changes the frame meanwhile.
 * Since: 0.2
 */
feast_status_t feast_push_async(feast_remote_t *remote,
                                const char *push_source,
                                const feast_frame_t *frame,
                                feast_push_to_t to,
                                const feast_write_options_t *options,
                                feast_queue_t *queue,
                                void *tag,
                                feast_call_t **call,
                                feast_error_t **err);

/**
 * Writes rows as feast_write_to_online_store(), without waiting for it, as feast_push_async().
 *
 * @param remote        in; borrowed for the call.
 * @param feature_view  in, its name, NUL-terminated UTF-8; borrowed for the call.
 * @param frame         in; borrowed for the call, not changed.
 * @param options       in, NULL for what is usual; borrowed for the call.
 * @param queue         in; borrowed for the call.
 * @param tag           in, anything; copied: the event's feast_event_tag().
 * @param call          out, may be NULL, set to NULL first: for feast_call_cancel(); free with feast_call_free().
 * @param err           out, may be NULL; untouched on success, else free with feast_error_free().
 * @return as feast_push_async().
 * Thread safety: any thread, concurrently, on the same store, queue and frame, if nobody changes the frame meanwhile.
 * Since: 0.2
 */
feast_status_t feast_write_to_online_store_async(feast_remote_t *remote,
                                                 const char *feature_view,
                                                 const feast_frame_t *frame,
                                                 const feast_write_options_t *options,
                                                 feast_queue_t *queue,
                                                 void *tag,
                                                 feast_call_t **call,
                                                 feast_error_t **err);

/**
 * The rows that were written.
 *
 * @param written  in, may be NULL; borrowed for the call.
 * @return rows; 0 for NULL.
 * Thread safety: any thread.
 * Since: 0.2
 */
uint64_t feast_write_rows_written(const feast_write_t *written);

/**
 * The requests that they went out in.
 *
 * @param written  in, may be NULL; borrowed for the call.
 * @return requests; 0 for NULL.
 * Thread safety: any thread.
 * Since: 0.2
 */
uint64_t feast_write_requests(const feast_write_t *written);

/**
 * Whether the server has only taken some of the rows (HTTP 202), and writes them later: those for an offline store.
 *
 * @param written  in, may be NULL; borrowed for the call.
 * @return whether; false for NULL.
 * Thread safety: any thread.
 * Since: 0.2
 */
bool feast_write_is_queued(const feast_write_t *written);

/**
 * Frees what a write came to.
 *
 * @param written  in, may be NULL; transferred: it must not be used afterwards.
 * Thread safety: any thread, once for each of them.
 * Since: 0.2
 */
void feast_write_free(feast_write_t *written);

/**
 * Makes an empty search.
 *
 * @return a search to free with feast_search_free().
 * Thread safety: any thread.
 * Since: 0.2
 */
feast_search_t *feast_search_new(void);

/**
 * Frees a search.
 *
 * @param search  in, may be NULL; transferred: it must not be used afterwards.
 * Thread safety: any thread, once for each search.
 * Since: 0.2
 */
void feast_search_free(feast_search_t *search);

/**
 * Asks for a feature. The answer's columns are the join keys, the features in the order in which they were added, and
 * "distance".
 *
 * @param search   in; changed.
 * @param feature  in, "view:feature", NUL-terminated UTF-8; copied. All of one view.
 * @param err      out, may be NULL; untouched on success, else free with feast_error_free().
 * @return FEAST_OK; FEAST_INVALID_ARGUMENT for NULL, what is not of this form, a feature that was added before, or one of
 *         another view.
 * Thread safety: one thread at a time on one search.
 * Since: 0.2
 */
feast_status_t feast_search_add_feature(feast_search_t *search,
                                        const char *feature,
                                        feast_error_t **err);

/**
 * Sets the vector that documents shall be near to.
 *
 * @param search  in; changed.
 * @param vector  in, n numbers; copied. As many as the view's vectors have: a server may, or may not, refuse another number.
 * @param n       in, at least 1.
 * @param err     out, may be NULL; untouched on success, else free with feast_error_free().
 * @return FEAST_OK; FEAST_INVALID_ARGUMENT for NULL, no numbers, NaN or an infinity.
 * Thread safety: one thread at a time on one search.
 * Since: 0.2
 */
feast_status_t feast_search_set_query(feast_search_t *search,
                                      const float *vector,
                                      size_t n,
                                      feast_error_t **err);

/**
 * Sets how many documents are wanted at most.
 *
 * @param search  in; changed.
 * @param top_k   in, from 1 to 1000000.
 * @param err     out, may be NULL; untouched on success, else free with feast_error_free().
 * @return FEAST_OK; FEAST_INVALID_ARGUMENT for NULL or another number.
 * Thread safety: one thread at a time on one search.
 * Since: 0.2
 */
feast_status_t feast_search_set_top_k(feast_search_t *search, size_t top_k, feast_error_t **err);

/**
 * Sets how distance is measured. The view's own vector_search_metric, if it has one, goes before it; without either the server
 * decides.
 *
 * @param search  in; changed.
 * @param metric  in, such as "L2", "COSINE" or "IP", NUL-terminated UTF-8; copied.
 * @param err     out, may be NULL; untouched on success, else free with feast_error_free().
 * @return FEAST_OK; FEAST_INVALID_ARGUMENT for NULL or a metric that no store of Feast's knows: a server would answer it.
 * Thread safety: one thread at a time on one search.
 * Since: 0.2
 */
feast_status_t feast_search_set_distance_metric(feast_search_t *search,
                                                const char *metric,
                                                feast_error_t **err);

/**
 * Sets which documents are looked at.
 *
 * @param search  in; changed.
 * @param json    in, an object such as {"type": "eq", "key": "lang", "value": "de"} or {"type": "and", "filters": [...]}, as
 *                Feast's server takes it, NUL-terminated UTF-8; copied.
 * @param err     out, may be NULL; untouched on success, else free with feast_error_free().
 * @return FEAST_OK; FEAST_INVALID_ARGUMENT for NULL or what is no JSON object.
 * Thread safety: one thread at a time on one search.
 * Since: 0.2
 */
feast_status_t feast_search_set_filters(feast_search_t *search,
                                        const char *json,
                                        feast_error_t **err);

/**
 * Limits the time of a search, in place of the store's request_timeout_ms.
 *
 * @param search      in; changed.
 * @param timeout_ms  in, milliseconds, not negative.
 * @param err         out, may be NULL; untouched on success, else free with feast_error_free().
 * @return FEAST_OK; FEAST_INVALID_ARGUMENT for NULL or a negative time.
 * Thread safety: one thread at a time on one search.
 * Since: 0.2
 */
feast_status_t feast_search_set_timeout_ms(feast_search_t *search, int64_t timeout_ms, feast_error_t **err);

/**
 * Searches the documents nearest to a vector, and waits for them. Rows come nearest first, keys, features and distances of a
 * row belong together, and a vector that is asked for is the document's own: Feast 0.67's server confuses all three, so that a
 * search takes two requests, three the first time and where a vector is asked for. The row count is top_k or less; without any
 * document the answer has no rows, and no join keys.
 *
 * @param remote    in; borrowed for the call.
 * @param search    in; borrowed for the call, not changed.
 * @param response  out, set to NULL first; free with feast_response_free().
 * @param err       out, may be NULL; untouched on success, else free with feast_error_free().
 * @return as feast_get_online_features(); FEAST_NOT_FOUND also if the server has no search.
 * Thread safety: any thread, concurrently, on the same store and the same search, if nobody changes the search meanwhile.
 * Since: 0.2
 */
feast_status_t feast_retrieve_online_documents(feast_remote_t *remote,
                                               const feast_search_t *search,
                                               feast_response_t **response,
                                               feast_error_t **err);

/**
 * Asks the server's /health, or that of one of several, for which it wants no token, and waits for the answer: within the store's request_timeout_ms, with
 * its retries.
 *
 * @param remote  in; borrowed for the call.
 * @param err     out, may be NULL; untouched on success, else free with feast_error_free().
 * @return FEAST_OK if it answered 200; else as feast_get_online_features().
 * Thread safety: any thread, concurrently, on the same store.
 * Since: 0.2
 */
feast_status_t feast_check_health(feast_remote_t *remote,
                                  feast_error_t **err);

/**
 * Makes connections before the first call needs them, for a host's readiness probe: each is made, its TLS handshake done, and
 * the server asked on it whether it is well (/health); then they are kept for calls, as after these. Of several servers each is
 * asked, and the connections are spread over those that are well; it fails only if none is.
 *
 * @param remote       in; borrowed for the call.
 * @param connections  in, how many there shall be, from 1 to connection_pool_size. Calls that are under way hold theirs.
 * @param timeout_ms   in, milliseconds for all of it, not negative; with 0 nothing is sent.
 * @param err          out, may be NULL; untouched on success, else free with feast_error_free().
 * @return FEAST_OK; FEAST_INVALID_ARGUMENT for NULL, another number or a negative time; else as feast_get_online_features(): some
 *         connections may have been made.
 * Thread safety: any thread, concurrently, on the same store.
 * Since: 0.2
 */
feast_status_t feast_remote_warm_up(feast_remote_t *remote,
                                    size_t connections,
                                    int64_t timeout_ms,
                                    feast_error_t **err);

/**
 * Opens a queue for feast_get_online_features_async(). One is enough for a thread with an event loop, whatever the
 * number of its stores.
 *
 * @param queue  out, set to NULL first, the queue on success; free with feast_queue_free().
 * @param err    out, may be NULL; untouched on success, else free with feast_error_free().
 * @return FEAST_OK; FEAST_INTERNAL if the process has no file descriptor left; FEAST_INVALID_ARGUMENT for NULL.
 * Thread safety: any thread.
 * Since: 0.1
 */
feast_status_t feast_queue_open(feast_queue_t **queue,
                                feast_error_t **err);

/**
 * Takes out the next event, in the order in which calls finished, and decodes its answer on this thread. Waits for
 * one if there is none.
 *
 * @param queue       in, may be NULL; borrowed for the call.
 * @param timeout_ms  in, milliseconds to wait at most; 0: do not wait; negative: no limit.
 * @return an event to free with feast_event_free(); NULL if none came in time, after feast_queue_wake(), while another
 *         thread frees the queue, in a process forked from the queue's, and for NULL.
 * Thread safety: any thread, concurrently; each event goes to one of them.
 * Since: 0.1
 */
feast_event_t *feast_queue_poll(feast_queue_t *queue,
                                int64_t timeout_ms);

/**
 * Takes out several events at once, for languages in which each call into C costs something: waits for the first one
 * as feast_queue_poll() does, and takes what is there with it.
 *
 * @param queue       in, may be NULL; borrowed for the call.
 * @param timeout_ms  in, milliseconds to wait at most; 0: do not wait; negative: no limit.
 * @param events      out, room for capacity events; each to free with feast_event_free().
 * @param capacity    in, the number of events taken at most.
 * @return the number of events written; 0 where feast_queue_poll() returns NULL, and if events is NULL.
 * Thread safety: any thread, concurrently; each event goes to one of them.
 * Since: 0.1
 */
size_t feast_queue_poll_batch(feast_queue_t *queue,
                              int64_t timeout_ms,
                              feast_event_t **events,
                              size_t capacity);

/**
 * A file descriptor (an eventfd) that is readable while there are events to take out, for poll(), epoll or an event
 * loop. After it has become readable, take events out until feast_queue_poll() with a timeout of 0 returns NULL. Do
 * not read from it, write to it or close it.
 *
 * @param queue  in, may be NULL; borrowed for the call.
 * @return the descriptor, borrowed until the queue is freed; -1 in a process forked from the queue's, and for NULL.
 * Thread safety: any thread.
 * Since: 0.1
 */
int32_t feast_queue_fd(feast_queue_t *queue);

/**
 * Makes one feast_queue_poll() that waits now, or else the next one that finds no event, return NULL; until then the
 * descriptor is readable. For ending a thread that waits, or telling it something.
 *
 * @param queue  in, may be NULL; borrowed for the call.
 * Thread safety: any thread. Not for signal handlers.
 * Since: 0.1
 */
void feast_queue_wake(feast_queue_t *queue);

/**
 * Frees a queue: calls whose events have not come are cancelled, events that nobody has taken out are dropped, and
 * threads in feast_queue_poll() return NULL and are waited for. Stores are not touched. A thread that polls again and
 * again must have stopped before: set a flag of your own, feast_queue_wake() it, and join it.
 *
 * @param queue  in, may be NULL; transferred: no call on it may begin any more.
 * Thread safety: any thread, once for each queue.
 * Since: 0.1
 */
void feast_queue_free(feast_queue_t *queue);

/**
 * Fetches the online features that a request asks for without waiting for them: returns at once, and one event with
 * this tag comes to the queue in the end, whatever happens. Deadline, retries, tokens and the pool of connections are
 * those of the blocking call, whose threads wait in the same order for the same places.
 *
 * @param remote   in; borrowed for the call. It may be closed meanwhile: the event then says FEAST_CLOSED.
 * @param request  in; copied, so it may be freed or changed afterwards.
 * @param queue    in; borrowed for the call. It may be freed meanwhile: that cancels the call.
 * @param tag      in, borrowed, any pointer, NULL too; comes back with feast_event_tag() and is not looked at.
 * @param call     out, may be NULL; set to NULL first, on success a handle to free with feast_call_free(), for
 *                 feast_call_cancel().
 * @param err      out, may be NULL; untouched on success, else free with feast_error_free().
 * @return FEAST_OK if there will be an event. Else there will be none: FEAST_OVERLOADED if max_async_requests are under
 *         way; FEAST_CLOSED; FEAST_INVALID_ARGUMENT if the request cannot be sent; FEAST_INTERNAL.
 * Thread safety: any thread, concurrently, on the same store, request and queue, if nobody changes the request
 *         meanwhile. Not for signal handlers.
 * Since: 0.1
 */
feast_status_t feast_get_online_features_async(feast_remote_t *remote,
                                               const feast_request_t *request,
                                               feast_queue_t *queue,
                                               void *tag,
                                               feast_call_t **call,
                                               feast_error_t **err);

/**
 * Ends a call soon, wherever it is: its event comes with FEAST_CANCELLED, or as it was if it was finished already.
 *
 * @param call  in, may be NULL; borrowed for the call.
 * Thread safety: any thread, concurrently, as often as wanted, also after the event, the queue's end and the store's.
 *         Not for signal handlers.
 * Since: 0.1
 */
void feast_call_cancel(feast_call_t *call);

/**
 * Frees the handle of a call; the call goes on.
 *
 * @param call  in, may be NULL; transferred: it must not be used afterwards.
 * Thread safety: any thread, once for each handle.
 * Since: 0.1
 */
void feast_call_free(feast_call_t *call);

/**
 * The tag that was given to feast_get_online_features_async(): which call it was.
 *
 * @param event  in, may be NULL; borrowed for the call.
 * @return the caller's own pointer; NULL for NULL.
 * Thread safety: any thread, one at a time.
 * Since: 0.1
 */
void *feast_event_tag(const feast_event_t *event);

/**
 * How the call ended, as feast_get_online_features() would have returned it; FEAST_CANCELLED after
 * feast_call_cancel().
 *
 * @param event  in, may be NULL; borrowed for the call.
 * @return the status; FEAST_INVALID_ARGUMENT for NULL.
 * Thread safety: any thread, one at a time.
 * Since: 0.1
 */
feast_status_t feast_event_status(const feast_event_t *event);

/**
 * Takes the answer out of an event.
 *
 * @param event  in, may be NULL; borrowed for the call, and changed.
 * @return the answer of a call that ended with FEAST_OK, to free with feast_response_free(); NULL the second time, for
 *         any other status, and for NULL.
 * Thread safety: any thread, one at a time.
 * Since: 0.1
 */
feast_response_t *feast_event_take_response(feast_event_t *event);

/**
 * Takes out what a write came to; the event does not free it then.
 *
 * @param event  in, may be NULL; changed.
 * @return free with feast_write_free(); NULL for NULL, for a write that failed, for a call that is no write, and the second time.
 * Thread safety: one thread at a time on one event.
 * Since: 0.2
 */
feast_write_t *feast_event_take_write(feast_event_t *event);

/**
 * Why the call failed.
 *
 * @param event  in, may be NULL; borrowed for the call.
 * @return an error, borrowed until the event is freed; NULL if the status is FEAST_OK, and for NULL.
 * Thread safety: any thread, one at a time.
 * Since: 0.1
 */
const feast_error_t *feast_event_error(const feast_event_t *event);

/**
 * Frees an event, its error, and its answer if that was not taken.
 *
 * @param event  in, may be NULL; transferred: it must not be used afterwards.
 * Thread safety: any thread, once for each event.
 * Since: 0.1
 */
void feast_event_free(feast_event_t *event);

/**
 * The version of the library that is loaded, to compare with FEAST_VERSION_NUMBER of the header.
 *
 * @return major * 1000000 + minor * 1000 + patch.
 * Thread safety: any thread.
 * Since: 0.1
 */
uint32_t feast_version_number(void);

/**
 * The version of the library that is loaded, with those of libcurl and the TLS library inside it, such as
 * "0.2.0 (libcurl/8.22.0 OpenSSL/3.6.3 zlib/1.3.2)".
 *
 * @return a static string, never NULL.
 * Thread safety: any thread.
 * Since: 0.1
 */
const char *feast_version_string(void);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* FEAST_REMOTE_H */
