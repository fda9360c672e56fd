package feast.remote;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_DOUBLE;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.TimeUnit;

/**
 * Which features are wanted, and of which entities. Any number of threads may use it, for any number of calls, while none changes
 * it. The garbage collector frees it. What cannot be used throws {@link FeastException.InvalidArgument}.
 */
public final class OnlineFeaturesRequest {
    final MemorySegment handle;
    /** The rows of the columns set last; -1 if only the library knows. */
    long rows = -1;

    /**
     * Asks for features.
     *
     * @param features each as "feature_view:feature" or "feature_view@v2:feature"
     */
    public OnlineFeaturesRequest(String... features) {
        NativeLibrary.require();
        handle = owned(Native.call(() -> (MemorySegment) Native.REQUEST_NEW.invokeExact()));
        for (String feature : features) {
            feature(feature);
        }
    }

    private OnlineFeaturesRequest(OnlineFeaturesRequest template) {
        handle = owned(Native.call(() -> (MemorySegment) Native.REQUEST_CLONE.invokeExact(template.handle)));
        rows = template.rows;
    }

    private static MemorySegment owned(MemorySegment address) {
        return address.reinterpret(Arena.ofAuto(), owned -> Native.run(() -> { Native.REQUEST_FREE.invokeExact(owned); }));
    }

    /**
     * Copies this request: one template, a copy for each thread.
     *
     * @return a request of its own
     */
    public OnlineFeaturesRequest copy() {
        return new OnlineFeaturesRequest(this);
    }

    /**
     * Asks for a feature more.
     *
     * @param feature as "feature_view:feature"
     * @return this
     */
    public OnlineFeaturesRequest feature(String feature) {
        return with(feature, (text, error) -> (int) Native.ADD_FEATURE.invokeExact(handle, text, error));
    }

    /**
     * Asks for a feature whose column is to have this type, exactly, or the call fails with {@link FeastException.WrongType}.
     *
     * @param feature as "feature_view:feature"
     * @param type other than NULL and NULL_LIST
     * @return this
     */
    public OnlineFeaturesRequest feature(String feature, ColumnType type) {
        int code = type.code;
        return with(feature, (text, error) -> (int) Native.ADD_TYPED_FEATURE.invokeExact(handle, text, code, error));
    }

    /**
     * Asks for a feature of lists of a fixed length, such as an embedding.
     *
     * @param feature as "feature_view:feature"
     * @param type of lists
     * @param listLength items of each list, which takes as many columns of a matrix
     * @return this
     */
    public OnlineFeaturesRequest feature(String feature, ColumnType type, long listLength) {
        int code = type.code;
        return with(feature, (text, error) ->
                (int) Native.ADD_LIST_FEATURE.invokeExact(handle, text, code, listLength, error));
    }

    /**
     * Asks for the features of a feature service, in place of single ones.
     *
     * @param name its name
     * @return this
     */
    public OnlineFeaturesRequest featureService(String name) {
        return with(name, (text, error) -> (int) Native.SET_FEATURE_SERVICE.invokeExact(handle, text, error));
    }

    /**
     * Says of what type a column of the answer shall be: a feature of a feature service, request data, an entity.
     *
     * @param name the column's name
     * @param type other than NULL and NULL_LIST
     * @return this
     */
    public OnlineFeaturesRequest column(String name, ColumnType type) {
        return column(name, type, 0);
    }

    /**
     * The same for lists of a fixed length.
     *
     * @param name the column's name
     * @param type of lists
     * @param listLength items of each list; 0 if that is open
     * @return this
     */
    public OnlineFeaturesRequest column(String name, ColumnType type, long listLength) {
        int code = type.code;
        return with(name, (text, error) -> (int) Native.DECLARE_COLUMN.invokeExact(handle, text, code, listLength, error));
    }

    /**
     * Says what stands for a missing value of one feature in matrices.
     *
     * @param feature one that was added, or a column of a feature service
     * @param missing any number
     * @return this
     */
    public OnlineFeaturesRequest missingValue(String feature, double missing) {
        return with(feature, (text, error) -> (int) Native.SET_MISSING_VALUE.invokeExact(handle, text, missing, error));
    }

    /**
     * How many columns a matrix of the features takes.
     *
     * @return columns; 0 if that cannot be known: a feature service, or lists whose length is not declared
     */
    public long matrixWidth() {
        return Native.call(() -> (long) Native.REQUEST_MATRIX_WIDTH.invokeExact(handle));
    }

    /**
     * Asks for column names like view__feature.
     *
     * @param full false unless this is called
     * @return this
     */
    public OnlineFeaturesRequest fullFeatureNames(boolean full) {
        return with("", (_, error) -> (int) Native.SET_FULL_NAMES.invokeExact(handle, full, error));
    }

    /**
     * Asks for the versions of the feature views that the values are of: {@link Response#featureViews}.
     *
     * @param include false unless this is called
     * @return this
     */
    public OnlineFeaturesRequest includeFeatureViewVersionMetadata(boolean include) {
        return with("", (_, error) -> (int) Native.SET_INCLUDE_VERSIONS.invokeExact(handle, include, error));
    }

    /**
     * How long a call may take, in place of request_timeout_ms. After zero or less a call ends at once with
     * {@link FeastException.Timeout}, and nothing is sent.
     *
     * @param timeout for the whole call
     * @return this
     */
    public OnlineFeaturesRequest timeout(Duration timeout) {
        long nanoseconds = TimeUnit.NANOSECONDS.convert(timeout); // at most what a long holds
        return with("", (_, error) -> (int) Native.SET_TIMEOUT.invokeExact(handle, nanoseconds, error));
    }

    /**
     * The moment by which calls end, beside the timeout.
     *
     * @param nanoTime by {@link System#nanoTime}; Long.MAX_VALUE for none
     * @return this
     */
    public OnlineFeaturesRequest deadline(long nanoTime) {
        return with("", (_, error) -> (int) Native.SET_DEADLINE.invokeExact(handle, nanoTime, error));
    }

    /**
     * Whether the call may share a request with others (merge_max_rows).
     *
     * @param merge true unless this is called
     * @return this
     */
    public OnlineFeaturesRequest merge(boolean merge) {
        return with("", (_, error) -> (int) Native.SET_MERGE.invokeExact(handle, merge, error));
    }

    /**
     * The trace context (W3C) that calls carry to the server.
     *
     * @param traceparent 55 characters
     * @param tracestate may be null
     * @return this
     */
    public OnlineFeaturesRequest traceContext(String traceparent, String tracestate) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment state = tracestate == null ? MemorySegment.NULL : Native.string(arena, tracestate);
            return with(traceparent, (text, error) ->
                    (int) Native.SET_TRACE_CONTEXT.invokeExact(handle, text, state, error));
        }
    }

    /**
     * An HTTP header of calls, such as X-Request-Id.
     *
     * @param name not one that HTTP or the library sets itself
     * @param value empty takes the header out again
     * @return this
     */
    public OnlineFeaturesRequest header(String name, String value) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment content = Native.string(arena, value);
            return with(name, (text, error) -> (int) Native.SET_HEADER.invokeExact(handle, text, content, error));
        }
    }

    /**
     * How old values may be by their event timestamps; older ones get {@link FieldStatus#OUTSIDE_MAX_AGE}.
     *
     * @param age not negative
     * @param dropValues whether older values become nulls
     * @return this
     */
    public OnlineFeaturesRequest maxAge(Duration age, boolean dropValues) {
        long milliseconds = Native.milliseconds(age);
        return with("", (_, error) -> (int) Native.SET_MAX_AGE.invokeExact(handle, milliseconds, dropValues, error));
    }

    /**
     * The same for the features of one feature view.
     *
     * @param view its name without a version
     * @param age not negative
     * @param dropValues whether older values become nulls
     * @return this
     */
    public OnlineFeaturesRequest maxAge(String view, Duration age, boolean dropValues) {
        long milliseconds = Native.milliseconds(age);
        return with(view, (text, error) ->
                (int) Native.SET_VIEW_MAX_AGE.invokeExact(handle, text, milliseconds, dropValues, error));
    }

    /**
     * The values of an entity's join key; copied. All columns have the same number of values, at least one; one of the same
     * name is replaced.
     *
     * @param name the join key
     * @param values a row each
     * @return this
     */
    public OnlineFeaturesRequest entity(String name, long... values) {
        return set(Native.ENTITY, name, values);
    }

    /**
     * The same for numbers.
     *
     * @param name the join key
     * @param values finite, a row each
     * @return this
     */
    public OnlineFeaturesRequest entity(String name, double... values) {
        return set(Native.ENTITY, name, values);
    }

    /**
     * The same for booleans.
     *
     * @param name the join key
     * @param values a row each
     * @return this
     */
    public OnlineFeaturesRequest entity(String name, boolean... values) {
        return set(Native.ENTITY, name, values);
    }

    /**
     * The same for strings.
     *
     * @param name the join key
     * @param values a row each
     * @return this
     */
    public OnlineFeaturesRequest entity(String name, String... values) {
        return set(Native.ENTITY, name, values);
    }

    /**
     * The same for values as they are at hand: numbers, strings, booleans, UUIDs, Instants, lists, maps, nulls.
     *
     * @param name the join key
     * @param values a row each
     * @return this
     */
    public OnlineFeaturesRequest entity(String name, List<?> values) {
        return setJson(Native.ENTITY, name, Json.of(values)).ofRows(values.size());
    }

    /**
     * The same for a JSON array of whatever the server understands.
     *
     * @param name the join key
     * @param array such as "[1001, null]"
     * @return this
     */
    public OnlineFeaturesRequest entityJson(String name, String array) {
        return setJson(Native.ENTITY, name, array);
    }

    /**
     * Request data for on-demand feature views, as many values as the entities have; copied. One of the same name is replaced.
     * Answers do not repeat it.
     *
     * @param name its name in the on-demand feature view
     * @param values a row each
     * @return this
     */
    public OnlineFeaturesRequest requestData(String name, long... values) {
        return set(Native.REQUEST_DATA, name, values);
    }

    /**
     * The same for numbers.
     *
     * @param name its name in the on-demand feature view
     * @param values finite, a row each
     * @return this
     */
    public OnlineFeaturesRequest requestData(String name, double... values) {
        return set(Native.REQUEST_DATA, name, values);
    }

    /**
     * The same for booleans.
     *
     * @param name its name in the on-demand feature view
     * @param values a row each
     * @return this
     */
    public OnlineFeaturesRequest requestData(String name, boolean... values) {
        return set(Native.REQUEST_DATA, name, values);
    }

    /**
     * The same for strings.
     *
     * @param name its name in the on-demand feature view
     * @param values a row each
     * @return this
     */
    public OnlineFeaturesRequest requestData(String name, String... values) {
        return set(Native.REQUEST_DATA, name, values);
    }

    /**
     * The same for values as they are at hand: numbers, strings, booleans, UUIDs, Instants, lists, maps, nulls.
     *
     * @param name its name in the on-demand feature view
     * @param values a row each
     * @return this
     */
    public OnlineFeaturesRequest requestData(String name, List<?> values) {
        return setJson(Native.REQUEST_DATA, name, Json.of(values)).ofRows(values.size());
    }

    /**
     * The same for a JSON array of whatever the server understands.
     *
     * @param name its name in the on-demand feature view
     * @param array such as "[0.5, null]"
     * @return this
     */
    public OnlineFeaturesRequest requestDataJson(String name, String array) {
        return setJson(Native.REQUEST_DATA, name, array);
    }

    private OnlineFeaturesRequest set(Native.ColumnSetters column, String name, long[] values) {
        try (Arena arena = Arena.ofConfined()) {
            return set(column.int64(), name, arena.allocateFrom(JAVA_LONG, values), values.length);
        }
    }

    private OnlineFeaturesRequest set(Native.ColumnSetters column, String name, double[] values) {
        try (Arena arena = Arena.ofConfined()) {
            return set(column.float64(), name, arena.allocateFrom(JAVA_DOUBLE, values), values.length);
        }
    }

    private OnlineFeaturesRequest set(Native.ColumnSetters column, String name, boolean[] values) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment array = arena.allocate(values.length + 1L);
            for (int row = 0; row < values.length; row++) {
                array.set(JAVA_BYTE, row, (byte) (values[row] ? 1 : 0));
            }
            return set(column.bool(), name, array, values.length);
        }
    }

    private OnlineFeaturesRequest set(MethodHandle function, String name, MemorySegment array, long count) {
        return with(name, (text, error) -> (int) function.invokeExact(handle, text, array, count, error)).ofRows(count);
    }

    private OnlineFeaturesRequest set(Native.ColumnSetters column, String name, String[] values) {
        MethodHandle function = column.string();
        try (Arena arena = Arena.ofConfined()) {
            long count = values.length;
            MemorySegment pointers = arena.allocate(ADDRESS, count);
            MemorySegment lengths = arena.allocate(JAVA_LONG, count);
            for (int i = 0; i < count; i++) {
                byte[] bytes = values[i].getBytes(StandardCharsets.UTF_8);
                pointers.setAtIndex(ADDRESS, i, arena.allocateFrom(JAVA_BYTE, bytes));
                lengths.setAtIndex(JAVA_LONG, i, bytes.length);
            }
            with(name, (text, error) -> (int) function.invokeExact(handle, text, pointers, lengths, count, error));
            return ofRows(count);
        }
    }

    private OnlineFeaturesRequest setJson(Native.ColumnSetters column, String name, String array) {
        MethodHandle function = column.json();
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment json = Native.string(arena, array);
            return with(name, (text, error) -> (int) function.invokeExact(handle, text, json, error));
        }
    }

    private OnlineFeaturesRequest ofRows(long count) {
        rows = count;
        return this;
    }

    private interface Setter {
        int call(MemorySegment text, MemorySegment error) throws Throwable;
    }

    private OnlineFeaturesRequest with(String text, Setter setter) {
        Objects.requireNonNull(text);
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment copied = Native.string(arena, text);
            Native.check(arena, error -> setter.call(copied, error));
            return this;
        }
    }
}
