package feast.remote;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_BOOLEAN;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.invoke.MethodHandle;

/** The functions of feast_remote.h. The library is what the system property feast.remote.library names, or the installed one. */
final class Native {
    private static final Linker LINKER = Linker.nativeLinker();
    private static final SymbolLookup LIBRARY = SymbolLookup.libraryLookup(
            System.getProperty("feast.remote.library", "libfeast_remote.so.0"), Arena.global());

    static final MethodHandle CONFIG_NEW = returning(ADDRESS, "feast_config_new");
    static final MethodHandle CONFIG_SET = returning(JAVA_INT, "feast_config_set", ADDRESS, ADDRESS, ADDRESS, ADDRESS);
    static final MethodHandle CONFIG_LOAD_YAML =
            returning(JAVA_INT, "feast_config_load_yaml", ADDRESS, ADDRESS, ADDRESS);
    static final MethodHandle CONFIG_FREE = nothing("feast_config_free", ADDRESS);
    static final MethodHandle OPEN = returning(JAVA_INT, "feast_remote_open", ADDRESS, ADDRESS, ADDRESS);
    static final MethodHandle CLOSE = nothing("feast_close", ADDRESS);
    static final MethodHandle SET_TOKEN = returning(JAVA_INT, "feast_remote_set_token", ADDRESS, ADDRESS, ADDRESS);
    static final MethodHandle STATS_JSON = returning(JAVA_INT, "feast_stats_json", ADDRESS, ADDRESS, ADDRESS, ADDRESS);
    static final MethodHandle STATS_PROMETHEUS = returning(
            JAVA_INT, "feast_stats_prometheus", ADDRESS, ADDRESS, JAVA_LONG, ADDRESS, ADDRESS, ADDRESS);
    static final MethodHandle STRING_FREE = nothing("feast_string_free", ADDRESS);

    static final MethodHandle REQUEST_NEW = returning(ADDRESS, "feast_request_new");
    static final MethodHandle REQUEST_FREE = nothing("feast_request_free", ADDRESS);
    static final MethodHandle ADD_FEATURE = returning(JAVA_INT, "feast_request_add_feature", ADDRESS, ADDRESS, ADDRESS);
    static final MethodHandle ADD_TYPED_FEATURE =
            returning(JAVA_INT, "feast_request_add_typed_feature", ADDRESS, ADDRESS, JAVA_INT, ADDRESS);
    static final MethodHandle SET_FEATURE_SERVICE =
            returning(JAVA_INT, "feast_request_set_feature_service", ADDRESS, ADDRESS, ADDRESS);
    static final MethodHandle SET_TIMEOUT =
            returning(JAVA_INT, "feast_request_set_timeout_ns", ADDRESS, JAVA_LONG, ADDRESS);
    static final MethodHandle SET_MERGE = returning(JAVA_INT, "feast_request_set_merge", ADDRESS, JAVA_BOOLEAN, ADDRESS);
    static final MethodHandle SET_INT64 =
            returning(JAVA_INT, "feast_request_set_entity_int64", ADDRESS, ADDRESS, ADDRESS, JAVA_LONG, ADDRESS);
    static final MethodHandle SET_STRING = returning(
            JAVA_INT, "feast_request_set_entity_string", ADDRESS, ADDRESS, ADDRESS, ADDRESS, JAVA_LONG, ADDRESS);
    static final MethodHandle SET_JSON =
            returning(JAVA_INT, "feast_request_set_entity_json", ADDRESS, ADDRESS, ADDRESS, ADDRESS);

    static final MethodHandle GET = returning(JAVA_INT, "feast_get_online_features", ADDRESS, ADDRESS, ADDRESS, ADDRESS);
    static final MethodHandle GET_ASYNC = returning(
            JAVA_INT, "feast_get_online_features_async", ADDRESS, ADDRESS, ADDRESS, ADDRESS, ADDRESS, ADDRESS);
    static final MethodHandle QUEUE_OPEN = returning(JAVA_INT, "feast_queue_open", ADDRESS, ADDRESS);
    static final MethodHandle QUEUE_FREE = nothing("feast_queue_free", ADDRESS);
    static final MethodHandle QUEUE_WAKE = nothing("feast_queue_wake", ADDRESS);
    static final MethodHandle POLL_BATCH =
            returning(JAVA_LONG, "feast_queue_poll_batch", ADDRESS, JAVA_LONG, ADDRESS, JAVA_LONG);
    static final MethodHandle EVENT_TAG = returning(ADDRESS, "feast_event_tag", ADDRESS);
    static final MethodHandle EVENT_RESPONSE = returning(ADDRESS, "feast_event_take_response", ADDRESS);
    static final MethodHandle EVENT_ERROR = returning(ADDRESS, "feast_event_error", ADDRESS);
    static final MethodHandle EVENT_FREE = nothing("feast_event_free", ADDRESS);
    static final MethodHandle CALL_CANCEL = nothing("feast_call_cancel", ADDRESS);
    static final MethodHandle CALL_FREE = nothing("feast_call_free", ADDRESS);

    static final MethodHandle FRAME_NEW = returning(ADDRESS, "feast_frame_new");
    static final MethodHandle FRAME_FREE = nothing("feast_frame_free", ADDRESS);
    static final MethodHandle FRAME_INT64 = frameSetter("feast_frame_set_int64");
    static final MethodHandle FRAME_DOUBLE = frameSetter("feast_frame_set_double");
    static final MethodHandle FRAME_TIMESTAMP = frameSetter("feast_frame_set_timestamp_ns");
    static final MethodHandle FRAME_STRING =
            returning(JAVA_INT, "feast_frame_set_string", ADDRESS, ADDRESS, ADDRESS, ADDRESS, JAVA_LONG, ADDRESS);
    static final MethodHandle FRAME_JSON =
            returning(JAVA_INT, "feast_frame_set_json", ADDRESS, ADDRESS, ADDRESS, ADDRESS);
    static final MethodHandle OPTIONS_NEW = returning(ADDRESS, "feast_write_options_new");
    static final MethodHandle OPTIONS_FREE = nothing("feast_write_options_free", ADDRESS);
    static final MethodHandle OPTIONS_TIMESTAMP_FIELD =
            returning(JAVA_INT, "feast_write_options_set_timestamp_field", ADDRESS, ADDRESS, ADDRESS);
    static final MethodHandle PUSH = returning(
            JAVA_INT, "feast_push", ADDRESS, ADDRESS, ADDRESS, JAVA_INT, ADDRESS, ADDRESS, ADDRESS);
    static final MethodHandle WRITE_TO_ONLINE_STORE = returning(
            JAVA_INT, "feast_write_to_online_store", ADDRESS, ADDRESS, ADDRESS, ADDRESS, ADDRESS, ADDRESS);
    static final MethodHandle ROWS_WRITTEN = returning(JAVA_LONG, "feast_write_rows_written", ADDRESS);
    static final MethodHandle WRITE_FREE = nothing("feast_write_free", ADDRESS);
    static final MethodHandle CHECK_HEALTH = returning(JAVA_INT, "feast_check_health", ADDRESS, ADDRESS);
    static final MethodHandle SEARCH_NEW = returning(ADDRESS, "feast_search_new");
    static final MethodHandle SEARCH_FREE = nothing("feast_search_free", ADDRESS);
    static final MethodHandle SEARCH_ADD_FEATURE =
            returning(JAVA_INT, "feast_search_add_feature", ADDRESS, ADDRESS, ADDRESS);
    static final MethodHandle SEARCH_SET_QUERY =
            returning(JAVA_INT, "feast_search_set_query", ADDRESS, ADDRESS, JAVA_LONG, ADDRESS);
    static final MethodHandle SEARCH_SET_TOP_K =
            returning(JAVA_INT, "feast_search_set_top_k", ADDRESS, JAVA_LONG, ADDRESS);
    static final MethodHandle SEARCH_SET_FILTERS =
            returning(JAVA_INT, "feast_search_set_filters", ADDRESS, ADDRESS, ADDRESS);
    static final MethodHandle RETRIEVE_ONLINE_DOCUMENTS =
            returning(JAVA_INT, "feast_retrieve_online_documents", ADDRESS, ADDRESS, ADDRESS, ADDRESS);

    static final MethodHandle RESPONSE_FREE = nothing("feast_response_free", ADDRESS);
    static final MethodHandle RESPONSE_SERVER = returning(ADDRESS, "feast_response_server", ADDRESS);
    static final MethodHandle CALLS_IN_REQUEST = returning(JAVA_LONG, "feast_response_calls_in_request", ADDRESS);
    static final MethodHandle NUM_ROWS = returning(JAVA_LONG, "feast_response_num_rows", ADDRESS);
    static final MethodHandle NUM_COLUMNS = returning(JAVA_LONG, "feast_response_num_columns", ADDRESS);
    static final MethodHandle NUM_ENTITIES = returning(JAVA_LONG, "feast_response_num_entities", ADDRESS);
    static final MethodHandle FIND_COLUMN = returning(JAVA_LONG, "feast_response_find_column", ADDRESS, ADDRESS);
    static final MethodHandle COLUMN_NAME = column("feast_response_column_name");
    static final MethodHandle COLUMN_TYPE = returning(JAVA_INT, "feast_response_column_type", ADDRESS, JAVA_LONG);
    static final MethodHandle COLUMN_INT64 = column("feast_response_column_int64");
    static final MethodHandle COLUMN_INT32 = column("feast_response_column_int32");
    static final MethodHandle COLUMN_DOUBLE = column("feast_response_column_double");
    static final MethodHandle COLUMN_FLOAT = column("feast_response_column_float");
    static final MethodHandle GET_INT64 = named("feast_response_get_int64");
    static final MethodHandle GET_INT32 = named("feast_response_get_int32");
    static final MethodHandle GET_DOUBLE = named("feast_response_get_double");
    static final MethodHandle GET_FLOAT = named("feast_response_get_float");
    static final MethodHandle GET_BOOL = named("feast_response_get_bool");
    static final MethodHandle GET_STRING = returning(
            JAVA_INT, "feast_response_get_string", ADDRESS, ADDRESS, ADDRESS, ADDRESS, ADDRESS, ADDRESS);
    static final MethodHandle COLUMN_BOOL = column("feast_response_column_bool");
    static final MethodHandle COLUMN_VALIDITY = column("feast_response_column_validity");
    static final MethodHandle COLUMN_STATUSES = column("feast_response_column_statuses");
    static final MethodHandle COLUMN_TIMESTAMPS = column("feast_response_column_event_timestamps_ns");
    static final MethodHandle COLUMN_STRING =
            returning(JAVA_INT, "feast_response_column_string", ADDRESS, JAVA_LONG, ADDRESS, ADDRESS, ADDRESS);
    static final MethodHandle COLUMN_LIST =
            returning(JAVA_INT, "feast_response_column_list", ADDRESS, JAVA_LONG, ADDRESS, ADDRESS, ADDRESS);
    /** Computes and never waits, so it may write straight into an array of Java's. */
    static final MethodHandle COPY_F32 = LINKER.downcallHandle(
            symbol("feast_response_copy_f32"),
            FunctionDescriptor.of(
                    JAVA_INT, ADDRESS, ADDRESS, JAVA_LONG, ADDRESS, JAVA_LONG, JAVA_FLOAT, ADDRESS, ADDRESS),
            Linker.Option.critical(true));

    static final MethodHandle ERROR_CODE = returning(JAVA_INT, "feast_error_code", ADDRESS);
    static final MethodHandle ERROR_MESSAGE = returning(ADDRESS, "feast_error_message", ADDRESS);
    static final MethodHandle ERROR_HTTP_STATUS = returning(JAVA_INT, "feast_error_http_status", ADDRESS);
    static final MethodHandle ERROR_FEAST_CLASS = returning(ADDRESS, "feast_error_feast_class", ADDRESS);
    static final MethodHandle ERROR_SERVER = returning(ADDRESS, "feast_error_server", ADDRESS);
    static final MethodHandle ERROR_ATTEMPTS = returning(JAVA_INT, "feast_error_attempts", ADDRESS);
    static final MethodHandle ERROR_IS_RETRIABLE = returning(JAVA_BOOLEAN, "feast_error_is_retriable", ADDRESS);
    static final MethodHandle ERROR_ROWS_WRITTEN = returning(JAVA_LONG, "feast_error_rows_written", ADDRESS);
    static final MethodHandle ERROR_UNWRITTEN_ROWS =
            returning(ADDRESS, "feast_error_unwritten_rows", ADDRESS, ADDRESS);
    static final MethodHandle ERROR_FREE = nothing("feast_error_free", ADDRESS);
    static final MethodHandle STATUS_NAME = returning(ADDRESS, "feast_status_name", JAVA_INT);

    private Native() {}

    private static MemorySegment symbol(String name) {
        return LIBRARY.find(name).orElseThrow(() -> new UnsatisfiedLinkError(name));
    }

    private static MethodHandle returning(MemoryLayout result, String name, MemoryLayout... parameters) {
        return LINKER.downcallHandle(symbol(name), FunctionDescriptor.of(result, parameters));
    }

    private static MethodHandle nothing(String name, MemoryLayout... parameters) {
        return LINKER.downcallHandle(symbol(name), FunctionDescriptor.ofVoid(parameters));
    }

    private static MethodHandle frameSetter(String name) {
        return returning(JAVA_INT, name, ADDRESS, ADDRESS, ADDRESS, ADDRESS, JAVA_LONG, ADDRESS);
    }

    private static MethodHandle named(String name) {
        return returning(JAVA_INT, name, ADDRESS, ADDRESS, ADDRESS, ADDRESS, ADDRESS);
    }

    private static MethodHandle column(String name) {
        return returning(ADDRESS, name, ADDRESS, JAVA_LONG);
    }

    /** A NUL-terminated string of the library's; null for NULL. */
    static String text(MemorySegment address) {
        return address.equals(MemorySegment.NULL) ? null : address.reinterpret(Long.MAX_VALUE).getString(0);
    }

    /** No function throws; what invokeExact declares cannot happen. */
    static AssertionError impossible(Throwable thrown) {
        return new AssertionError(thrown);
    }

    /** A function that may fail, with the place for its error. */
    interface Fallible {
        int call(MemorySegment error) throws Throwable;
    }

    /** Throws the error that a function left, and frees it. */
    static void check(Arena arena, Fallible function) {
        MemorySegment place = arena.allocate(ADDRESS);
        try {
            if (function.call(place) == 0) {
                return;
            }
            MemorySegment error = place.get(ADDRESS, 0);
            try {
                throw FeastException.of(error);
            } finally {
                ERROR_FREE.invokeExact(error);
            }
        } catch (RuntimeException | Error expected) {
            throw expected;
        } catch (Throwable thrown) {
            throw impossible(thrown);
        }
    }
}
