package feast.remote;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_DOUBLE;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import java.util.function.LongFunction;

/**
 * An answer: the entities first, then the features in the order asked. Any number of threads may read it, and any may close it;
 * afterwards everything throws IllegalStateException. What nobody closes the garbage collector frees, late: it does not see how
 * much memory an answer takes.
 *
 * <p>{@link #longs}, {@link #strings} and the like copy a column, {@link #int64}, {@link #utf8} and the like give the library's
 * own memory as segments, which lead on with {@code segment.asByteBuffer()}. Both convert numbers exactly, take a column
 * without any value for any type, and else throw {@link FeastException.WrongType} that says what there is, or
 * {@link FeastException.InvalidArgument} if there is no such column. Segments cost something: an answer that gave one away takes
 * some microseconds to close, more with many threads, since the JVM looks whether one of them is reading.
 */
public final class Response implements AutoCloseable {
    private final NativeObject object;
    private final long rows;
    /** Of segments that were given away; made by the first. */
    private Arena arena;

    Response(MemorySegment address) {
        object = new NativeObject(address, Native.RESPONSE_FREE);
        rows = Native.call(() -> (long) Native.NUM_ROWS.invokeExact(address));
    }

    /** Reads something while nobody can free the answer. */
    private <T> T reading(Function<MemorySegment, T> read) {
        MemorySegment address = object.acquire();
        try {
            return read.apply(address);
        } finally {
            object.release();
        }
    }

    /** Frees the answer; more than once is fine. Segments of it throw IllegalStateException from now on. */
    @Override
    public void close() {
        synchronized (this) {
            if (arena != null && arena.scope().isAlive()) {
                arena.close();
            }
            object.close();
        }
    }

    /**
     * The number of rows, one for each entity row asked for.
     *
     * @return rows
     */
    public long numRows() {
        return rows;
    }

    /**
     * The number of columns, entities included.
     *
     * @return columns
     */
    public int numColumns() {
        return reading(address -> Native.call(() -> (int) (long) Native.NUM_COLUMNS.invokeExact(address)));
    }

    /**
     * The number of columns before the first feature.
     *
     * @return entity columns
     */
    public int numEntities() {
        return reading(address -> Native.call(() -> (int) (long) Native.NUM_ENTITIES.invokeExact(address)));
    }

    /**
     * The server that gave this answer.
     *
     * @return its URL without credentials; of a call in parts several, with ", " between them
     */
    public String server() {
        return reading(address -> Native.text(Native.call(() -> (MemorySegment) Native.RESPONSE_SERVER.invokeExact(address))));
    }

    /**
     * The calls that the request asked for, this one among them (merge_max_rows).
     *
     * @return calls, at least 1
     */
    public long callsInRequest() {
        return reading(address -> Native.call(() -> (long) Native.CALLS_IN_REQUEST.invokeExact(address)));
    }

    /**
     * The whole answer as a JSON object: by the name of each column an array with a value for each row, or null. Bytes are base64,
     * UNIX timestamps seconds; NaN and infinities stand there as such, which strict parsers refuse.
     *
     * @return JSON
     */
    public String toJson() {
        return reading(address -> FeastRemote.text((arena, json, length) ->
                Native.check(arena, error -> (int) Native.RESPONSE_TO_JSON.invokeExact(address, json, length, error))));
    }

    /**
     * The feature views that the answer has values of, if the request asked for them
     * ({@link OnlineFeaturesRequest#includeFeatureViewVersionMetadata}) and the server knows them.
     *
     * @return their names and versions
     */
    public List<FeatureViewVersion> featureViews() {
        return reading(address -> Native.call(() -> {
            List<FeatureViewVersion> views = new ArrayList<>();
            for (long view = 0; view < (long) Native.NUM_FEATURE_VIEWS.invokeExact(address); view++) {
                String name = Native.text((MemorySegment) Native.FEATURE_VIEW_NAME.invokeExact(address, view));
                views.add(new FeatureViewVersion(name, (long) Native.FEATURE_VIEW_VERSION.invokeExact(address, view)));
            }
            return List.copyOf(views);
        }));
    }

    /**
     * Where the time of the call went.
     *
     * @return its phases
     */
    public Timing timing() {
        return reading(address -> Timing.of(Native.RESPONSE_TIMING, address));
    }

    /**
     * A column by its number, as it came.
     *
     * @param index from 0
     * @return the column
     * @throws IndexOutOfBoundsException if there is none
     */
    public Column column(int index) {
        return new Column(this, java.util.Objects.checkIndex(index, numColumns()));
    }

    /**
     * A column by its name, as it came.
     *
     * @param name its name
     * @return the first such column; null if there is none
     */
    public Column column(String name) {
        long found = reading(address -> {
            try (Arena local = Arena.ofConfined()) {
                MemorySegment text = Native.string(local, name);
                return Native.call(() -> (long) Native.FIND_COLUMN.invokeExact(address, text));
            }
        });
        return found < 0 ? null : new Column(this, (int) found);
    }

    /**
     * Entities and features.
     *
     * @return all columns in their order
     */
    public List<Column> columns() {
        List<Column> columns = new ArrayList<>();
        for (int index = 0; index < numColumns(); index++) {
            columns.add(new Column(this, index));
        }
        return List.copyOf(columns);
    }

    /**
     * Copies a column of integers.
     *
     * @param name its name
     * @return one a row, 0 where there is no value
     */
    public long[] longs(String name) {
        return copied(Native.GET_INT64, name, 8, segment -> segment.toArray(JAVA_LONG));
    }

    /**
     * Copies a column of integers of 32 bits.
     *
     * @param name its name
     * @return one a row, 0 where there is no value
     */
    public int[] ints(String name) {
        return copied(Native.GET_INT32, name, 4, segment -> segment.toArray(JAVA_INT));
    }

    /**
     * Copies a column of numbers.
     *
     * @param name its name
     * @return one a row, 0 where there is no value
     */
    public double[] doubles(String name) {
        return copied(Native.GET_DOUBLE, name, 8, segment -> segment.toArray(JAVA_DOUBLE));
    }

    /**
     * Copies a column of numbers, rounded to 32 bits.
     *
     * @param name its name
     * @return one a row, 0 where there is no value
     */
    public float[] floats(String name) {
        return copied(Native.GET_FLOAT, name, 4, segment -> segment.toArray(JAVA_FLOAT));
    }

    /**
     * Copies a column of booleans.
     *
     * @param name its name
     * @return one a row, false where there is no value
     */
    public boolean[] booleans(String name) {
        return copied(Native.GET_BOOL, name, 1, Response::toBooleans);
    }

    /**
     * Copies a column of text, or of JSON.
     *
     * @param name its name
     * @return one a row, null where there is no value
     */
    public List<String> strings(String name) {
        return texts(name, slices -> slices::string);
    }

    /**
     * Copies a column of bytes, which must be declared; of text it is the UTF-8.
     *
     * @param name its name
     * @return one a row, null where there is no value
     */
    public List<byte[]> bytes(String name) {
        return texts(name, slices -> slices::bytes);
    }

    /**
     * Copies a column of moments, which the server sends as seconds.
     *
     * @param name its name
     * @return one a row, null where there is no value
     */
    public List<Instant> instants(String name) {
        return reading(_ -> {
            long[] seconds = longs(name);
            Column column = column(name);
            return rows(row -> column.isNull(row) ? null : Instant.ofEpochSecond(seconds[(int) row]));
        });
    }

    /**
     * Copies a column of lists of integers.
     *
     * @param name its name
     * @return one a row, null where there is none; null items are 0
     */
    public List<long[]> longLists(String name) {
        return lists(Native.GET_INT64_LIST, name, 8, segment -> segment.toArray(JAVA_LONG));
    }

    /**
     * Copies a column of lists of integers of 32 bits.
     *
     * @param name its name
     * @return one a row, null where there is none; null items are 0
     */
    public List<int[]> intLists(String name) {
        return lists(Native.GET_INT32_LIST, name, 4, segment -> segment.toArray(JAVA_INT));
    }

    /**
     * Copies a column of lists of numbers.
     *
     * @param name its name
     * @return one a row, null where there is none; null items are 0
     */
    public List<double[]> doubleLists(String name) {
        return lists(Native.GET_DOUBLE_LIST, name, 8, segment -> segment.toArray(JAVA_DOUBLE));
    }

    /**
     * Copies a column of lists of numbers, rounded to 32 bits: embeddings.
     *
     * @param name its name
     * @return one a row, null where there is none; null items are 0
     */
    public List<float[]> floatLists(String name) {
        return lists(Native.GET_FLOAT_LIST, name, 4, segment -> segment.toArray(JAVA_FLOAT));
    }

    /**
     * Copies a column of lists of booleans.
     *
     * @param name its name
     * @return one a row, null where there is none; null items are false
     */
    public List<boolean[]> booleanLists(String name) {
        return lists(Native.GET_BOOL_LIST, name, 1, Response::toBooleans);
    }

    /**
     * Copies a column of lists of text.
     *
     * @param name its name
     * @return one a row, null where there is none; null items are null
     */
    public List<List<String>> stringLists(String name) {
        return textLists(name, slices -> slices::string);
    }

    /**
     * Copies a column of lists of bytes, which must be declared.
     *
     * @param name its name
     * @return one a row, null where there is none; null items are null
     */
    public List<List<byte[]>> bytesLists(String name) {
        return textLists(name, slices -> slices::bytes);
    }

    /**
     * A column of integers in place.
     *
     * @param name its name
     * @return longs, 0 where there is no value
     */
    public MemorySegment int64(String name) {
        return inPlace(Native.GET_INT64, name, 8);
    }

    /**
     * A column of integers of 32 bits in place.
     *
     * @param name its name
     * @return ints, 0 where there is no value
     */
    public MemorySegment int32(String name) {
        return inPlace(Native.GET_INT32, name, 4);
    }

    /**
     * A column of numbers in place.
     *
     * @param name its name
     * @return doubles, 0 where there is no value
     */
    public MemorySegment float64(String name) {
        return inPlace(Native.GET_DOUBLE, name, 8);
    }

    /**
     * A column of numbers in place, rounded to 32 bits.
     *
     * @param name its name
     * @return floats, 0 where there is no value
     */
    public MemorySegment float32(String name) {
        return inPlace(Native.GET_FLOAT, name, 4);
    }

    /**
     * A column of booleans in place.
     *
     * @param name its name
     * @return bytes, 0 or 1
     */
    public MemorySegment bool(String name) {
        return inPlace(Native.GET_BOOL, name, 1);
    }

    /**
     * A column of text or bytes in place.
     *
     * @param name its name
     * @return offsets and bytes
     */
    public Slices utf8(String name) {
        return reading(address -> shared(slices(address, Native.GET_STRING, name, 1)));
    }

    /**
     * A column of lists of numbers in place, as its type has them; other conversions are the copies'.
     *
     * @param name its name
     * @return offsets and longs, of a column of doubles doubles
     */
    public Slices lists(String name) {
        Column column = column(name);
        MethodHandle function = switch (column == null ? ColumnType.NULL : column.type()) {
            case INT32_LIST -> Native.GET_INT32_LIST;
            case FLOAT_LIST -> Native.GET_FLOAT_LIST;
            case DOUBLE_LIST -> Native.GET_DOUBLE_LIST;
            case BOOL_LIST -> Native.GET_BOOL_LIST;
            default -> Native.GET_INT64_LIST;
        };
        long width = function == Native.GET_BOOL_LIST ? 1
                : function == Native.GET_INT32_LIST || function == Native.GET_FLOAT_LIST ? 4 : 8;
        return reading(address -> shared(slices(address, function, name, width)));
    }

    /**
     * How many columns a matrix of these columns takes: one for each, and for lists as many as they have items.
     *
     * @param names columns; none for all features
     * @return columns; 0 if they make no matrix
     */
    public long matrixWidth(String... names) {
        return reading(address -> {
            try (Arena local = Arena.ofConfined()) {
                MemorySegment pointers = Native.strings(local, names);
                long count = names.length;
                return Native.call(() -> (long) Native.MATRIX_WIDTH.invokeExact(address, pointers, count));
            }
        });
    }

    /**
     * Copies columns of numbers into a row-major matrix; a list takes as many columns as it has items.
     *
     * @param out room for the rows
     * @param rowStride floats from one row to the next, at least {@link #matrixWidth}
     * @param missing what stands where there is no value, unless the request has a value for the feature
     * @param names columns; none for all features
     */
    public void copyInto(float[] out, long rowStride, float missing, String... names) {
        copyInto(out, rowStride, missing, null, names);
    }

    /**
     * The same with statuses.
     *
     * @param out room for the rows
     * @param rowStride floats from one row to the next
     * @param missing what stands where there is no value
     * @param statuses as many bytes as out has floats, each the ordinal of a {@link FieldStatus}; null for none
     * @param names columns; none for all features
     */
    public void copyInto(float[] out, long rowStride, float missing, byte[] statuses, String... names) {
        fits(out.length, rowStride, statuses);
        copy(names, statuses, (address, pointers, count, bytes, error) -> (int) Native.COPY_F32.invokeExact(
                address, pointers, count, MemorySegment.ofArray(out), rowStride, missing, bytes, error));
    }

    /**
     * The same with doubles; an integer that a double cannot hold is a {@link FeastException.WrongType}.
     *
     * @param out room for the rows
     * @param rowStride doubles from one row to the next
     * @param missing what stands where there is no value
     * @param statuses as many bytes as out has doubles, each the ordinal of a {@link FieldStatus}; null for none
     * @param names columns; none for all features
     */
    public void copyInto(double[] out, long rowStride, double missing, byte[] statuses, String... names) {
        fits(out.length, rowStride, statuses);
        copy(names, statuses, (address, pointers, count, bytes, error) -> (int) Native.COPY_F64.invokeExact(
                address, pointers, count, MemorySegment.ofArray(out), rowStride, missing, bytes, error));
    }

    /**
     * The same with longs; a number with a fraction is a {@link FeastException.WrongType}.
     *
     * @param out room for the rows
     * @param rowStride longs from one row to the next
     * @param missing what stands where there is no value
     * @param statuses as many bytes as out has longs, each the ordinal of a {@link FieldStatus}; null for none
     * @param names columns; none for all features
     */
    public void copyInto(long[] out, long rowStride, long missing, byte[] statuses, String... names) {
        fits(out.length, rowStride, statuses);
        copy(names, statuses, (address, pointers, count, bytes, error) -> (int) Native.COPY_I64.invokeExact(
                address, pointers, count, MemorySegment.ofArray(out), rowStride, missing, bytes, error));
    }

    /**
     * Hands all columns over through the Arrow C data interface, without copying values: to arrow-java's
     * {@code Data.importVectorSchemaRoot}, with the memoryAddress() of an ArrowArray and an ArrowSchema that it has allocated.
     * What is handed over outlives this answer.
     *
     * @param arrayAddress of a struct ArrowArray
     * @param schemaAddress of a struct ArrowSchema
     */
    public void exportArrow(long arrayAddress, long schemaAddress) {
        export(Native.EXPORT_ARROW, arrayAddress, schemaAddress);
    }

    /**
     * The same, with two more columns behind each feature: NAME__status and, if the server sent event timestamps, NAME__ts.
     *
     * @param arrayAddress of a struct ArrowArray
     * @param schemaAddress of a struct ArrowSchema
     */
    public void exportArrowFull(long arrayAddress, long schemaAddress) {
        export(Native.EXPORT_ARROW_FULL, arrayAddress, schemaAddress);
    }

    private void export(MethodHandle function, long array, long schema) {
        reading(address -> {
            try (Arena local = Arena.ofConfined()) {
                Native.check(local, error -> (int) function.invoke(
                        address, MemorySegment.ofAddress(array), MemorySegment.ofAddress(schema), error));
                return null;
            }
        });
    }

    private interface Copy {
        int call(MemorySegment address, MemorySegment names, long count, MemorySegment statuses, MemorySegment error)
                throws Throwable;
    }

    private void copy(String[] names, byte[] statuses, Copy copy) {
        reading(address -> {
            try (Arena local = Arena.ofConfined()) {
                MemorySegment pointers = Native.strings(local, names);
                MemorySegment bytes = statuses == null ? MemorySegment.NULL : MemorySegment.ofArray(statuses);
                Native.check(local, error -> copy.call(address, pointers, names.length, bytes, error));
                return null;
            }
        });
    }

    private void fits(int length, long rowStride, byte[] statuses) {
        if (rowStride < 0 || Math.multiplyExact(rows, rowStride) > length) {
            throw new IllegalArgumentException(rows + " rows times " + rowStride + " are more than out has: " + length);
        }
        if (statuses != null && statuses.length < length) {
            throw new IllegalArgumentException("statuses has " + statuses.length + " places, fewer than out: " + length);
        }
    }

    private <T> T copied(MethodHandle function, String name, long width, Function<MemorySegment, T> copy) {
        return reading(address -> copy.apply(values(address, function, name, width)));
    }

    private MemorySegment inPlace(MethodHandle function, String name, long width) {
        return reading(address -> shared(values(address, function, name, width)));
    }

    private MemorySegment values(MemorySegment address, MethodHandle function, String name, long width) {
        try (Arena local = Arena.ofConfined()) {
            MemorySegment values = local.allocate(ADDRESS);
            MemorySegment text = Native.string(local, name);
            Native.check(local, error -> (int) function.invoke(address, text, values, MemorySegment.NULL, error));
            return values.get(ADDRESS, 0).reinterpret(rows * width);
        }
    }

    private Slices slices(MemorySegment address, MethodHandle function, String name, long width) {
        try (Arena local = Arena.ofConfined()) {
            MemorySegment offsets = local.allocate(ADDRESS);
            MemorySegment items = local.allocate(ADDRESS);
            MemorySegment text = Native.string(local, name);
            Native.check(local, error -> (int) function.invoke(address, text, offsets, items, MemorySegment.NULL, error));
            MemorySegment ends = offsets.get(ADDRESS, 0).reinterpret((rows + 1) * 8);
            return new Slices(ends, items.get(ADDRESS, 0).reinterpret(ends.getAtIndex(JAVA_LONG, rows) * width));
        }
    }

    private <T> List<T> texts(String name, Function<Slices, LongFunction<T>> reader) {
        return reading(address -> {
            LongFunction<T> row = reader.apply(slices(address, Native.GET_STRING, name, 1));
            Column column = column(name);
            return rows(i -> column.isNull(i) ? null : row.apply(i));
        });
    }

    private <T> List<T> lists(MethodHandle function, String name, long width, Function<MemorySegment, T> copy) {
        return reading(address -> {
            Slices slices = slices(address, function, name, width);
            Column column = column(name);
            return rows(row -> {
                long from = slices.offsets().getAtIndex(JAVA_LONG, row) * width;
                long to = slices.offsets().getAtIndex(JAVA_LONG, row + 1) * width;
                return column.isNull(row) ? null : copy.apply(slices.items().asSlice(from, to - from));
            });
        });
    }

    private <T> List<List<T>> textLists(String name, Function<Slices, LongFunction<T>> reader) {
        return reading(address -> {
            try (Arena local = Arena.ofConfined()) {
                MemorySegment offsets = local.allocate(ADDRESS);
                MemorySegment ends = local.allocate(ADDRESS);
                MemorySegment data = local.allocate(ADDRESS);
                MemorySegment text = Native.string(local, name);
                Native.check(local, error -> (int) Native.GET_STRING_LIST.invokeExact(
                        address, text, offsets, ends, data, MemorySegment.NULL, error));
                MemorySegment lists = offsets.get(ADDRESS, 0).reinterpret((rows + 1) * 8);
                long items = lists.getAtIndex(JAVA_LONG, rows);
                MemorySegment of = ends.get(ADDRESS, 0).reinterpret((items + 1) * 8);
                LongFunction<T> item =
                        reader.apply(new Slices(of, data.get(ADDRESS, 0).reinterpret(of.getAtIndex(JAVA_LONG, items))));
                Column column = column(name);
                return rows(row -> {
                    if (column.isNull(row)) {
                        return null;
                    }
                    List<T> list = new ArrayList<>();
                    for (long i = lists.getAtIndex(JAVA_LONG, row); i < lists.getAtIndex(JAVA_LONG, row + 1); i++) {
                        list.add(column.isNullItem(i) ? null : item.apply(i));
                    }
                    return list;
                });
            }
        });
    }

    /** A list that is made at once, since the memory may go. */
    private <T> List<T> rows(LongFunction<T> row) {
        List<T> list = new ArrayList<>((int) rows);
        for (long i = 0; i < rows; i++) {
            list.add(row.apply(i));
        }
        return list;
    }

    private static boolean[] toBooleans(MemorySegment bytes) {
        boolean[] values = new boolean[(int) bytes.byteSize()];
        for (int i = 0; i < values.length; i++) {
            values[i] = bytes.get(JAVA_BYTE, i) != 0;
        }
        return values;
    }

    private Slices shared(Slices slices) {
        return new Slices(shared(slices.offsets()), shared(slices.items()));
    }

    /** Memory that is gone when this answer is closed, and that keeps it from the garbage collector. */
    private synchronized MemorySegment shared(MemorySegment memory) {
        if (object.isClosed()) {
            throw new IllegalStateException("it was closed");
        }
        if (arena == null) {
            arena = Arena.ofShared();
        }
        NativeObject kept = object;
        return memory.reinterpret(arena, _ -> kept.close()).asReadOnly();
    }

    /** What a column has by its number; null for NULL. */
    MemorySegment ofColumn(MethodHandle function, int column, long bytes) {
        return reading(address -> {
            long index = column;
            MemorySegment found = Native.call(() -> (MemorySegment) function.invoke(address, index));
            return found.equals(MemorySegment.NULL) ? null : shared(found.reinterpret(bytes));
        });
    }

    /** One item of what a column has by its number. */
    long itemOfColumn(MethodHandle function, int column, ValueLayout layout, long item, long absent) {
        return reading(address -> {
            long index = column;
            MemorySegment found = Native.call(() -> (MemorySegment) function.invoke(address, index));
            if (found.equals(MemorySegment.NULL)) {
                return absent;
            }
            MemorySegment all = found.reinterpret(Long.MAX_VALUE);
            return layout == JAVA_LONG ? all.getAtIndex(JAVA_LONG, item) : (long) all.get(JAVA_BYTE, item);
        });
    }

    /** A column's name. */
    String nameOf(int column) {
        return reading(address -> {
            long index = column;
            return Native.text(Native.call(() -> (MemorySegment) Native.COLUMN_NAME.invokeExact(address, index)));
        });
    }

    /** A column's type. */
    ColumnType typeOf(int column) {
        return reading(address -> {
            long index = column;
            return ColumnType.of(Native.call(() -> (int) Native.COLUMN_TYPE.invokeExact(address, index)));
        });
    }
}
