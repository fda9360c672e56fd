package feast.remote;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_BOOLEAN;
import static java.lang.foreign.ValueLayout.JAVA_DOUBLE;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.time.Duration;
import java.util.concurrent.TimeUnit;

/** The functions of feast_remote.h. Whoever comes first calls {@link NativeLibrary#require}. */
final class Native {
    private static final Linker LINKER = Linker.nativeLinker();

    static final MethodHandle CONFIG_NEW = returning(ADDRESS, "feast_config_new");
    static final MethodHandle CONFIG_SET = failing("feast_config_set", ADDRESS, ADDRESS, ADDRESS);
    static final MethodHandle CONFIG_LOAD_YAML = failing("feast_config_load_yaml", ADDRESS, ADDRESS);
    static final MethodHandle CONFIG_FREE = nothing("feast_config_free", ADDRESS);
    static final MethodHandle OPEN = failing("feast_remote_open", ADDRESS, ADDRESS);
    static final MethodHandle CLOSE = nothing("feast_close", ADDRESS);
    static final MethodHandle SET_TOKEN = failing("feast_remote_set_token", ADDRESS, ADDRESS);
    static final MethodHandle CHECK_HEALTH = failing("feast_check_health", ADDRESS);
    static final MethodHandle WARM_UP = failing("feast_remote_warm_up", ADDRESS, JAVA_LONG, JAVA_LONG);
    static final MethodHandle STATS_JSON = failing("feast_stats_json", ADDRESS, ADDRESS, ADDRESS);
    static final MethodHandle STATS_PROMETHEUS =
            failing("feast_stats_prometheus", ADDRESS, ADDRESS, JAVA_LONG, ADDRESS, ADDRESS);
    static final MethodHandle STRING_FREE = nothing("feast_string_free", ADDRESS);
    static final MethodHandle SET_LOG_CALLBACK = nothing("feast_set_log_callback", ADDRESS, ADDRESS, JAVA_INT);
    static final MethodHandle VERSION_STRING = returning(ADDRESS, "feast_version_string");

    static final MethodHandle REQUEST_NEW = returning(ADDRESS, "feast_request_new");
    static final MethodHandle REQUEST_CLONE = returning(ADDRESS, "feast_request_clone", ADDRESS);
    static final MethodHandle REQUEST_FREE = nothing("feast_request_free", ADDRESS);
    static final MethodHandle ADD_FEATURE = failing("feast_request_add_feature", ADDRESS, ADDRESS);
    static final MethodHandle ADD_TYPED_FEATURE = failing("feast_request_add_typed_feature", ADDRESS, ADDRESS, JAVA_INT);
    static final MethodHandle ADD_LIST_FEATURE =
            failing("feast_request_add_list_feature", ADDRESS, ADDRESS, JAVA_INT, JAVA_LONG);
    static final MethodHandle DECLARE_COLUMN =
            failing("feast_request_declare_column", ADDRESS, ADDRESS, JAVA_INT, JAVA_LONG);
    static final MethodHandle SET_MISSING_VALUE = failing("feast_request_set_missing_value", ADDRESS, ADDRESS, JAVA_DOUBLE);
    static final MethodHandle REQUEST_MATRIX_WIDTH = returning(JAVA_LONG, "feast_request_matrix_width", ADDRESS);
    static final MethodHandle SET_FEATURE_SERVICE = failing("feast_request_set_feature_service", ADDRESS, ADDRESS);
    static final MethodHandle SET_FULL_NAMES = failing("feast_request_set_full_feature_names", ADDRESS, JAVA_BOOLEAN);
    static final MethodHandle SET_TIMEOUT = failing("feast_request_set_timeout_ns", ADDRESS, JAVA_LONG);
    static final MethodHandle SET_DEADLINE = failing("feast_request_set_deadline_ns", ADDRESS, JAVA_LONG);
    static final MethodHandle SET_MERGE = failing("feast_request_set_merge", ADDRESS, JAVA_BOOLEAN);
    static final MethodHandle SET_TRACE_CONTEXT = failing("feast_request_set_trace_context", ADDRESS, ADDRESS, ADDRESS);
    static final MethodHandle SET_HEADER = failing("feast_request_set_header", ADDRESS, ADDRESS, ADDRESS);
    static final MethodHandle SET_MAX_AGE = failing("feast_request_set_max_age_ms", ADDRESS, JAVA_LONG, JAVA_BOOLEAN);
    static final MethodHandle SET_VIEW_MAX_AGE =
            failing("feast_request_set_view_max_age_ms", ADDRESS, ADDRESS, JAVA_LONG, JAVA_BOOLEAN);
    static final MethodHandle SET_INCLUDE_VERSIONS =
            failing("feast_request_set_include_feature_view_version_metadata", ADDRESS, JAVA_BOOLEAN);
    static final ColumnSetters ENTITY = ColumnSetters.of("feast_request_set_entity");
    static final ColumnSetters REQUEST_DATA = ColumnSetters.of("feast_request_set_request_data");

    static final MethodHandle GET = failing("feast_get_online_features", ADDRESS, ADDRESS, ADDRESS);
    static final MethodHandle GET_JSON = failing(
            "feast_get_online_features_json", ADDRESS, ADDRESS, JAVA_LONG, JAVA_LONG, ADDRESS, ADDRESS);
    static final MethodHandle GET_INTO_F32 = failing("feast_get_online_features_into_f32",
            ADDRESS, ADDRESS, ADDRESS, JAVA_LONG, JAVA_FLOAT, ADDRESS);
    static final MethodHandle GET_ASYNC =
            failing("feast_get_online_features_async", ADDRESS, ADDRESS, ADDRESS, ADDRESS, ADDRESS);
    static final MethodHandle QUEUE_OPEN = failing("feast_queue_open", ADDRESS);
    static final MethodHandle QUEUE_FREE = nothing("feast_queue_free", ADDRESS);
    static final MethodHandle QUEUE_WAKE = nothing("feast_queue_wake", ADDRESS);
    static final MethodHandle POLL_BATCH =
            returning(JAVA_LONG, "feast_queue_poll_batch", ADDRESS, JAVA_LONG, ADDRESS, JAVA_LONG);
    static final MethodHandle EVENT_TAG = returning(ADDRESS, "feast_event_tag", ADDRESS);
    static final MethodHandle EVENT_RESPONSE = returning(ADDRESS, "feast_event_take_response", ADDRESS);
    static final MethodHandle EVENT_WRITE = returning(ADDRESS, "feast_event_take_write", ADDRESS);
    static final MethodHandle EVENT_ERROR = returning(ADDRESS, "feast_event_error", ADDRESS);
    static final MethodHandle EVENT_FREE = nothing("feast_event_free", ADDRESS);
    static final MethodHandle CALL_CANCEL = nothing("feast_call_cancel", ADDRESS);
    static final MethodHandle CALL_FREE = nothing("feast_call_free", ADDRESS);

    static final MethodHandle FRAME_NEW = returning(ADDRESS, "feast_frame_new");
    static final MethodHandle FRAME_FREE = nothing("feast_frame_free", ADDRESS);
    static final MethodHandle FRAME_NUM_ROWS = returning(JAVA_LONG, "feast_frame_num_rows", ADDRESS);
    static final MethodHandle FRAME_INT32 = frameSetter("feast_frame_set_int32");
    static final MethodHandle FRAME_INT64 = frameSetter("feast_frame_set_int64");
    static final MethodHandle FRAME_FLOAT = frameSetter("feast_frame_set_float");
    static final MethodHandle FRAME_DOUBLE = frameSetter("feast_frame_set_double");
    static final MethodHandle FRAME_BOOL = frameSetter("feast_frame_set_bool");
    static final MethodHandle FRAME_TIMESTAMP = frameSetter("feast_frame_set_timestamp_ns");
    static final MethodHandle FRAME_STRING =
            failing("feast_frame_set_string", ADDRESS, ADDRESS, ADDRESS, ADDRESS, JAVA_LONG);
    static final MethodHandle FRAME_JSON = failing("feast_frame_set_json", ADDRESS, ADDRESS, ADDRESS);
    static final MethodHandle FRAME_INT64_LIST = frameListSetter("feast_frame_set_int64_list");
    static final MethodHandle FRAME_FLOAT_LIST = frameListSetter("feast_frame_set_float_list");
    static final MethodHandle FRAME_DOUBLE_LIST = frameListSetter("feast_frame_set_double_list");
    static final MethodHandle FRAME_STRING_LIST = frameListSetter("feast_frame_set_string_list");
    static final MethodHandle FRAME_IMPORT_ARROW = failing("feast_frame_import_arrow", ADDRESS, ADDRESS, ADDRESS);
    static final MethodHandle OPTIONS_NEW = returning(ADDRESS, "feast_write_options_new");
    static final MethodHandle OPTIONS_FREE = nothing("feast_write_options_free", ADDRESS);
    static final MethodHandle OPTIONS_TIMESTAMP_FIELD =
            failing("feast_write_options_set_timestamp_field", ADDRESS, ADDRESS);
    static final MethodHandle OPTIONS_CREATED_COLUMN =
            failing("feast_write_options_set_created_timestamp_column", ADDRESS, ADDRESS);
    static final MethodHandle OPTIONS_REGISTRY_CACHE =
            failing("feast_write_options_set_allow_registry_cache", ADDRESS, JAVA_BOOLEAN);
    static final MethodHandle OPTIONS_TRANSFORM =
            failing("feast_write_options_set_transform_on_write", ADDRESS, JAVA_BOOLEAN);
    static final MethodHandle OPTIONS_REPEAT_OFFLINE =
            failing("feast_write_options_set_repeat_offline", ADDRESS, JAVA_BOOLEAN);
    static final MethodHandle OPTIONS_TIMEOUT = failing("feast_write_options_set_timeout_ms", ADDRESS, JAVA_LONG);
    static final MethodHandle PUSH_ASYNC = failing("feast_push_async",
            ADDRESS, ADDRESS, ADDRESS, JAVA_INT, ADDRESS, ADDRESS, ADDRESS, ADDRESS);
    static final MethodHandle WRITE_ASYNC = failing("feast_write_to_online_store_async",
            ADDRESS, ADDRESS, ADDRESS, ADDRESS, ADDRESS, ADDRESS, ADDRESS);
    static final MethodHandle ROWS_WRITTEN = returning(JAVA_LONG, "feast_write_rows_written", ADDRESS);
    static final MethodHandle WRITE_REQUESTS = returning(JAVA_LONG, "feast_write_requests", ADDRESS);
    static final MethodHandle WRITE_IS_QUEUED = returning(JAVA_BOOLEAN, "feast_write_is_queued", ADDRESS);
    static final MethodHandle WRITE_FREE = nothing("feast_write_free", ADDRESS);
    static final MethodHandle SEARCH_NEW = returning(ADDRESS, "feast_search_new");
    static final MethodHandle SEARCH_FREE = nothing("feast_search_free", ADDRESS);
    static final MethodHandle SEARCH_ADD_FEATURE = failing("feast_search_add_feature", ADDRESS, ADDRESS);
    static final MethodHandle SEARCH_SET_QUERY = failing("feast_search_set_query", ADDRESS, ADDRESS, JAVA_LONG);
    static final MethodHandle SEARCH_SET_TOP_K = failing("feast_search_set_top_k", ADDRESS, JAVA_LONG);
    static final MethodHandle SEARCH_SET_METRIC = failing("feast_search_set_distance_metric", ADDRESS, ADDRESS);
    static final MethodHandle SEARCH_SET_FILTERS = failing("feast_search_set_filters", ADDRESS, ADDRESS);
    static final MethodHandle SEARCH_SET_TIMEOUT = failing("feast_search_set_timeout_ms", ADDRESS, JAVA_LONG);
    static final MethodHandle RETRIEVE_ONLINE_DOCUMENTS =
            failing("feast_retrieve_online_documents", ADDRESS, ADDRESS, ADDRESS);

    static final MethodHandle RESPONSE_FREE = nothing("feast_response_free", ADDRESS);
    static final MethodHandle RESPONSE_TO_JSON = failing("feast_response_to_json", ADDRESS, ADDRESS, ADDRESS);
    static final MethodHandle RESPONSE_SERVER = returning(ADDRESS, "feast_response_server", ADDRESS);
    static final MethodHandle RESPONSE_TIMING = returning(JAVA_BOOLEAN, "feast_response_timing", ADDRESS, ADDRESS);
    static final MethodHandle NUM_FEATURE_VIEWS = returning(JAVA_LONG, "feast_response_num_feature_views", ADDRESS);
    static final MethodHandle FEATURE_VIEW_NAME = column("feast_response_feature_view_name");
    static final MethodHandle FEATURE_VIEW_VERSION =
            returning(JAVA_LONG, "feast_response_feature_view_version", ADDRESS, JAVA_LONG);
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
    static final MethodHandle COLUMN_BOOL = column("feast_response_column_bool");
    static final MethodHandle COLUMN_VALIDITY = column("feast_response_column_validity");
    static final MethodHandle COLUMN_STATUSES = column("feast_response_column_statuses");
    static final MethodHandle COLUMN_TIMESTAMPS = column("feast_response_column_event_timestamps_ns");
    static final MethodHandle COLUMN_STRING =
            failing("feast_response_column_string", ADDRESS, JAVA_LONG, ADDRESS, ADDRESS);
    static final MethodHandle COLUMN_LIST = failing("feast_response_column_list", ADDRESS, JAVA_LONG, ADDRESS, ADDRESS);
    static final MethodHandle COLUMN_LIST_DATA = column("feast_response_column_list_data");
    static final MethodHandle COLUMN_LIST_VALIDITY = column("feast_response_column_list_validity");
    static final MethodHandle GET_INT64 = named("feast_response_get_int64");
    static final MethodHandle GET_INT32 = named("feast_response_get_int32");
    static final MethodHandle GET_DOUBLE = named("feast_response_get_double");
    static final MethodHandle GET_FLOAT = named("feast_response_get_float");
    static final MethodHandle GET_BOOL = named("feast_response_get_bool");
    static final MethodHandle GET_STRING = namedList("feast_response_get_string");
    static final MethodHandle GET_INT64_LIST = namedList("feast_response_get_int64_list");
    static final MethodHandle GET_INT32_LIST = namedList("feast_response_get_int32_list");
    static final MethodHandle GET_DOUBLE_LIST = namedList("feast_response_get_double_list");
    static final MethodHandle GET_FLOAT_LIST = namedList("feast_response_get_float_list");
    static final MethodHandle GET_BOOL_LIST = namedList("feast_response_get_bool_list");
    static final MethodHandle GET_STRING_LIST = failing(
            "feast_response_get_string_list", ADDRESS, ADDRESS, ADDRESS, ADDRESS, ADDRESS, ADDRESS);
    static final MethodHandle MATRIX_WIDTH =
            returning(JAVA_LONG, "feast_response_matrix_width", ADDRESS, ADDRESS, JAVA_LONG);
    static final MethodHandle COPY_F32 = copying("feast_response_copy_f32", JAVA_FLOAT);
    static final MethodHandle COPY_F64 = copying("feast_response_copy_f64", JAVA_DOUBLE);
    static final MethodHandle COPY_I64 = copying("feast_response_copy_i64", JAVA_LONG);
    static final MethodHandle EXPORT_ARROW = failing("feast_response_export_arrow", ADDRESS, ADDRESS, ADDRESS);
    static final MethodHandle EXPORT_ARROW_FULL = failing("feast_response_export_arrow_full", ADDRESS, ADDRESS, ADDRESS);

    static final MethodHandle ERROR_CODE = returning(JAVA_INT, "feast_error_code", ADDRESS);
    static final MethodHandle ERROR_MESSAGE = returning(ADDRESS, "feast_error_message", ADDRESS);
    static final MethodHandle ERROR_HTTP_STATUS = returning(JAVA_INT, "feast_error_http_status", ADDRESS);
    static final MethodHandle ERROR_FEAST_CLASS = returning(ADDRESS, "feast_error_feast_class", ADDRESS);
    static final MethodHandle ERROR_SERVER = returning(ADDRESS, "feast_error_server", ADDRESS);
    static final MethodHandle ERROR_ATTEMPTS = returning(JAVA_INT, "feast_error_attempts", ADDRESS);
    static final MethodHandle ERROR_IS_RETRIABLE = returning(JAVA_BOOLEAN, "feast_error_is_retriable", ADDRESS);
    static final MethodHandle ERROR_TIMING = returning(JAVA_BOOLEAN, "feast_error_timing", ADDRESS, ADDRESS);
    static final MethodHandle ERROR_ROWS_WRITTEN = returning(JAVA_LONG, "feast_error_rows_written", ADDRESS);
    static final MethodHandle ERROR_UNWRITTEN_ROWS = returning(ADDRESS, "feast_error_unwritten_rows", ADDRESS, ADDRESS);
    static final MethodHandle ERROR_DOUBTFUL_ROWS = returning(ADDRESS, "feast_error_doubtful_rows", ADDRESS, ADDRESS);
    static final MethodHandle ERROR_FREE = nothing("feast_error_free", ADDRESS);
    static final MethodHandle STATUS_NAME = returning(ADDRESS, "feast_status_name", JAVA_INT);

    private Native() {}

    private static MethodHandle returning(MemoryLayout result, String name, MemoryLayout... parameters) {
        return LINKER.downcallHandle(NativeLibrary.symbol(name), FunctionDescriptor.of(result, parameters));
    }

    private static MethodHandle nothing(String name, MemoryLayout... parameters) {
        return LINKER.downcallHandle(NativeLibrary.symbol(name), FunctionDescriptor.ofVoid(parameters));
    }

    /** A function that returns a status, and whose last parameter is the place for its error. */
    private static MethodHandle failing(String name, MemoryLayout... parameters) {
        return LINKER.downcallHandle(
                NativeLibrary.symbol(name), FunctionDescriptor.of(JAVA_INT, parameters).appendArgumentLayouts(ADDRESS));
    }

    /** Computes and never waits, so it may write straight into an array of Java's. */
    private static MethodHandle copying(String name, MemoryLayout item) {
        return LINKER.downcallHandle(
                NativeLibrary.symbol(name),
                FunctionDescriptor.of(JAVA_INT, ADDRESS, ADDRESS, JAVA_LONG, ADDRESS, JAVA_LONG, item, ADDRESS, ADDRESS),
                Linker.Option.critical(true));
    }

    /** The functions that set a column of a request: request, name, values, how many, error. */
    record ColumnSetters(
            MethodHandle int64, MethodHandle float64, MethodHandle bool, MethodHandle string, MethodHandle json) {
        private static ColumnSetters of(String prefix) {
            return new ColumnSetters(
                    failing(prefix + "_int64", ADDRESS, ADDRESS, ADDRESS, JAVA_LONG),
                    failing(prefix + "_double", ADDRESS, ADDRESS, ADDRESS, JAVA_LONG),
                    failing(prefix + "_bool", ADDRESS, ADDRESS, ADDRESS, JAVA_LONG),
                    failing(prefix + "_string", ADDRESS, ADDRESS, ADDRESS, ADDRESS, JAVA_LONG),
                    failing(prefix + "_json", ADDRESS, ADDRESS, ADDRESS));
        }
    }

    private static MethodHandle frameSetter(String name) {
        return failing(name, ADDRESS, ADDRESS, ADDRESS, ADDRESS, JAVA_LONG);
    }

    private static MethodHandle frameListSetter(String name) {
        return failing(name, ADDRESS, ADDRESS, ADDRESS, ADDRESS, ADDRESS, JAVA_LONG);
    }

    private static MethodHandle named(String name) {
        return failing(name, ADDRESS, ADDRESS, ADDRESS, ADDRESS);
    }

    private static MethodHandle namedList(String name) {
        return failing(name, ADDRESS, ADDRESS, ADDRESS, ADDRESS, ADDRESS);
    }

    private static MethodHandle column(String name) {
        return returning(ADDRESS, name, ADDRESS, JAVA_LONG);
    }

    /** A NUL-terminated string of the library's; null for NULL. */
    static String text(MemorySegment address) {
        return address.equals(MemorySegment.NULL) ? null : address.reinterpret(Long.MAX_VALUE).getString(0);
    }

    /** A string for the library, which would take a NUL within it for its end. */
    static MemorySegment string(Arena arena, String text) {
        if (text.indexOf('\0') >= 0) {
            throw new IllegalArgumentException("a NUL within the text");
        }
        return arena.allocateFrom(text);
    }

    /** The addresses of names; NULL for none, which stands for all features. */
    static MemorySegment strings(Arena arena, String... texts) {
        if (texts.length == 0) {
            return MemorySegment.NULL;
        }
        MemorySegment pointers = arena.allocate(ADDRESS, texts.length);
        for (int i = 0; i < texts.length; i++) {
            pointers.setAtIndex(ADDRESS, i, string(arena, texts[i]));
        }
        return pointers;
    }

    /** Runs what only invokes functions of the library, none of which throws. */
    static <T> T call(Returning<T> function) {
        try {
            return function.call();
        } catch (RuntimeException | Error expected) {
            throw expected;
        } catch (Throwable thrown) {
            throw new AssertionError(thrown);
        }
    }

    /** The same without a result. In braces: as the value of a lambda, a call of invokeExact would be one that returns an Object. */
    static void run(Running function) {
        try {
            function.run();
        } catch (RuntimeException | Error expected) {
            throw expected;
        } catch (Throwable thrown) {
            throw new AssertionError(thrown);
        }
    }

    interface Returning<T> {
        T call() throws Throwable;
    }

    interface Running {
        void run() throws Throwable;
    }

    /** A function that may fail, with the place for its error. */
    interface Fallible {
        int call(MemorySegment error) throws Throwable;
    }

    /** Whole milliseconds, rounded away from zero: C takes 0 for the store's time or for none, which a short time is not. */
    static long milliseconds(Duration time) {
        long nanoseconds = TimeUnit.NANOSECONDS.convert(time); // at most what a long holds
        return nanoseconds < 0 ? Math.floorDiv(nanoseconds, 1_000_000L) : Math.ceilDiv(nanoseconds, 1_000_000L);
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
            throw new AssertionError(thrown);
        }
    }
}
