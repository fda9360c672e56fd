package feast.remote;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.nio.charset.StandardCharsets;

/**
 * An answer: the entities first, then the features in the order asked. Columns are segments of the library's own memory, not
 * copies; {@code segment.asByteBuffer()} and {@code segment.toArray(JAVA_DOUBLE)} lead on from there. After {@link #close}
 * they throw IllegalStateException. One thread reads and closes an answer, the first that asks it something.
 */
public final class Response implements AutoCloseable {
    /** Feast's field statuses. */
    public static final byte PRESENT = 1, NULL_VALUE = 2, NOT_FOUND = 3, OUTSIDE_MAX_AGE = 4;

    /** The types of columns, and NULL_LIST plus one of them for lists of it. */
    public static final int NULL = 0, BOOL = 1, INT32 = 2, INT64 = 3, FLOAT = 4, DOUBLE = 5, STRING = 6, BYTES = 7,
            UNIX_TIMESTAMP = 8, JSON = 9, NULL_LIST = 16;

    private final MemorySegment owned;
    private MemorySegment handle;
    private Arena arena;
    private long rows;

    Response(MemorySegment owned) {
        this.owned = owned;
    }

    /** The answer, for the thread that comes first. */
    private MemorySegment handle() {
        if (arena == null) {
            arena = Arena.ofConfined();
            handle = owned.reinterpret(arena, Response::free);
            try {
                rows = (long) Native.NUM_ROWS.invokeExact(handle);
            } catch (Throwable thrown) {
                throw Native.impossible(thrown);
            }
        }
        return handle;
    }

    private static void free(MemorySegment handle) {
        try {
            Native.RESPONSE_FREE.invokeExact(handle);
        } catch (Throwable thrown) {
            throw Native.impossible(thrown);
        }
    }

    /** Frees the answer; more than once is fine. */
    @Override
    public void close() {
        handle();
        if (arena.scope().isAlive()) {
            arena.close();
        }
    }

    /** The number of rows, one for each entity row asked for. */
    public long numRows() {
        handle();
        return rows;
    }

    /** Entities and features. */
    public long numColumns() {
        try {
            return (long) Native.NUM_COLUMNS.invokeExact(handle());
        } catch (Throwable thrown) {
            throw failed(thrown);
        }
    }

    /** The columns before the first feature. */
    public long numEntities() {
        try {
            return (long) Native.NUM_ENTITIES.invokeExact(handle());
        } catch (Throwable thrown) {
            throw failed(thrown);
        }
    }

    /** The URL of the server that gave this answer. */
    public String server() {
        try {
            return Native.text((MemorySegment) Native.RESPONSE_SERVER.invokeExact(handle()));
        } catch (Throwable thrown) {
            throw failed(thrown);
        }
    }

    /** The calls that the request asked for, this one among them (merge_max_rows). */
    public long callsInRequest() {
        try {
            return (long) Native.CALLS_IN_REQUEST.invokeExact(handle());
        } catch (Throwable thrown) {
            throw failed(thrown);
        }
    }

    /** Finds a column by its name; -1 if there is none. */
    public long column(String name) {
        try (Arena local = Arena.ofConfined()) {
            return (long) Native.FIND_COLUMN.invokeExact(handle(), local.allocateFrom(name));
        } catch (Throwable thrown) {
            throw failed(thrown);
        }
    }

    /** A column's name; null if there is no such column. */
    public String name(long column) {
        return Native.text(pointer(Native.COLUMN_NAME, column));
    }

    /** A column's type. What it is depends on the values that came, unless it was declared: ask for columns by name. */
    public int type(long column) {
        try {
            return (int) Native.COLUMN_TYPE.invokeExact(handle(), column);
        } catch (Throwable thrown) {
            throw failed(thrown);
        }
    }

    /** The longs of a column of type INT64 or UNIX_TIMESTAMP (seconds), 0 where there is no value; null for another type. */
    public MemorySegment int64(long column) {
        return values(Native.COLUMN_INT64, column, 8);
    }

    /** The ints of a column of type INT32, which must be declared; null for another type. */
    public MemorySegment int32(long column) {
        return values(Native.COLUMN_INT32, column, 4);
    }

    /** The doubles of a column of type DOUBLE; null for another type. */
    public MemorySegment float64(long column) {
        return values(Native.COLUMN_DOUBLE, column, 8);
    }

    /** The floats of a column of type FLOAT, which must be declared; null for another type. */
    public MemorySegment float32(long column) {
        return values(Native.COLUMN_FLOAT, column, 4);
    }

    /** The bytes, 0 or 1, of a column of type BOOL; null for another type. */
    public MemorySegment bool(long column) {
        return values(Native.COLUMN_BOOL, column, 1);
    }

    /**
     * The column with this name as longs, 0 where there is no value. A column without any value has every type, and other numbers
     * are converted exactly; else a FeastException says what there is. Likewise below.
     */
    public MemorySegment int64(String name) {
        return named(Native.GET_INT64, name, 8);
    }

    /** The column with this name as ints. */
    public MemorySegment int32(String name) {
        return named(Native.GET_INT32, name, 4);
    }

    /** The column with this name as doubles. */
    public MemorySegment float64(String name) {
        return named(Native.GET_DOUBLE, name, 8);
    }

    /** The column with this name as floats, rounded. */
    public MemorySegment float32(String name) {
        return named(Native.GET_FLOAT, name, 4);
    }

    /** The column with this name as bytes, 0 or 1. */
    public MemorySegment bool(String name) {
        return named(Native.GET_BOOL, name, 1);
    }

    /** The column with this name as text, or the bytes of a BYTES column. */
    public Slices strings(String name) {
        MemorySegment answer = handle();
        try (Arena local = Arena.ofConfined()) {
            MemorySegment offsets = local.allocate(ADDRESS);
            MemorySegment data = local.allocate(ADDRESS);
            MemorySegment text = local.allocateFrom(name);
            Native.check(local, error -> (int) Native.GET_STRING.invokeExact(
                    answer, text, offsets, data, MemorySegment.NULL, error));
            MemorySegment ends = view(offsets.get(ADDRESS, 0), (rows + 1) * 8);
            return new Slices(ends, view(data.get(ADDRESS, 0), ends.getAtIndex(JAVA_LONG, rows)));
        }
    }

    private MemorySegment named(MethodHandle function, String name, long width) {
        MemorySegment answer = handle();
        try (Arena local = Arena.ofConfined()) {
            MemorySegment values = local.allocate(ADDRESS);
            MemorySegment text = local.allocateFrom(name);
            Native.check(local, error -> (int) function.invokeExact(answer, text, values, MemorySegment.NULL, error));
            return view(values.get(ADDRESS, 0), rows * width);
        }
    }

    /** What the server says of each row: bytes such as {@link #NOT_FOUND}. */
    public MemorySegment statuses(long column) {
        return values(Native.COLUMN_STATUSES, column, 1);
    }

    /** Longs: the time of each row in nanoseconds since 1970, 0 where there is none; null if the server sent none. */
    public MemorySegment eventTimestamps(long column) {
        return values(Native.COLUMN_TIMESTAMPS, column, 8);
    }

    /** Whether a row has no value. */
    public boolean isNull(long column, long row) {
        MemorySegment bits = pointer(Native.COLUMN_VALIDITY, column);
        if (bits.equals(MemorySegment.NULL)) {
            return false;
        }
        return (bits.reinterpret((rows + 7) / 8).get(JAVA_BYTE, row / 8) >> (row % 8) & 1) == 0;
    }

    /** Variable-length rows: row i is items offsets[i] up to offsets[i + 1]. */
    public record Slices(MemorySegment offsets, MemorySegment items) {
        /** One row as text, copied. */
        public String string(long row) {
            long from = offsets.getAtIndex(JAVA_LONG, row);
            long to = offsets.getAtIndex(JAVA_LONG, row + 1);
            return new String(items.asSlice(from, to - from).toArray(JAVA_BYTE), StandardCharsets.UTF_8);
        }
    }

    /** The bytes of a column of type STRING, BYTES or JSON. */
    public Slices strings(long column) {
        return slices(Native.COLUMN_STRING, column, 1);
    }

    /** The items of a column of lists of DOUBLE, INT64 or UNIX_TIMESTAMP (8 bytes each), FLOAT or INT32 (4), BOOL (1). */
    public Slices lists(long column) {
        long width = switch (type(column) - NULL_LIST) {
            case DOUBLE, INT64, UNIX_TIMESTAMP -> 8;
            case FLOAT, INT32 -> 4;
            case BOOL -> 1;
            default -> throw new IllegalArgumentException(name(column) + ": not a column of lists of numbers");
        };
        return slices(Native.COLUMN_LIST, column, width);
    }

    /**
     * Copies all features, which must be numbers, straight into an array: rows of rowStride floats, a list taking as many as
     * it has items; missing stands where there is no value.
     */
    public void copyInto(float[] out, long rowStride, float missing) {
        MemorySegment answer = handle();
        if (Math.multiplyExact(rows, rowStride) > out.length) {
            throw new IllegalArgumentException("out is shorter than the rows times rowStride");
        }
        try (Arena local = Arena.ofConfined()) {
            Native.check(local, error -> (int) Native.COPY_F32.invokeExact(
                    answer, MemorySegment.NULL, 0L, MemorySegment.ofArray(out), rowStride, missing, MemorySegment.NULL, error));
        }
    }

    private Slices slices(MethodHandle function, long column, long width) {
        MemorySegment answer = handle();
        try (Arena local = Arena.ofConfined()) {
            MemorySegment offsets = local.allocate(ADDRESS);
            MemorySegment items = local.allocate(ADDRESS);
            Native.check(local, error -> (int) function.invokeExact(answer, column, offsets, items, error));
            MemorySegment ends = view(offsets.get(ADDRESS, 0), (rows + 1) * 8);
            return new Slices(ends, view(items.get(ADDRESS, 0), ends.getAtIndex(JAVA_LONG, rows) * width));
        }
    }

    private MemorySegment values(MethodHandle function, long column, long width) {
        MemorySegment address = pointer(function, column);
        return address.equals(MemorySegment.NULL) ? null : view(address, rows * width);
    }

    /** Memory that is gone when this answer is closed. */
    private MemorySegment view(MemorySegment address, long bytes) {
        return address.reinterpret(bytes, arena, null).asReadOnly();
    }

    private MemorySegment pointer(MethodHandle function, long column) {
        try {
            return (MemorySegment) function.invokeExact(handle(), column);
        } catch (Throwable thrown) {
            throw failed(thrown);
        }
    }

    /** A closed answer or another thread's. */
    private static RuntimeException failed(Throwable thrown) {
        if (thrown instanceof RuntimeException expected) {
            return expected;
        }
        throw Native.impossible(thrown);
    }
}
