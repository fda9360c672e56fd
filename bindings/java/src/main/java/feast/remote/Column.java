package feast.remote;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.MemorySegment;
import java.time.Instant;
import java.util.List;
import java.util.Objects;

/** A column of an answer as it came: its type, nulls, statuses and event timestamps. Values are asked of the answer by name. */
public final class Column {
    private final Response response;
    private final int index;

    Column(Response response, int index) {
        this.response = response;
        this.index = index;
    }

    /**
     * Its name.
     *
     * @return the join key, the feature, or with full feature names view__feature
     */
    public String name() {
        return response.nameOf(index);
    }

    /**
     * Its number.
     *
     * @return from 0
     */
    public int index() {
        return index;
    }

    /**
     * Its type, which depends on the values that came unless it was declared.
     *
     * @return the type
     */
    public ColumnType type() {
        return response.typeOf(index);
    }

    /**
     * Whether a row has no value.
     *
     * @param row from 0
     * @return true for a null
     */
    public boolean isNull(long row) {
        Objects.checkIndex(row, response.numRows());
        long bits = response.itemOfColumn(Native.COLUMN_VALIDITY, index, JAVA_BYTE, row / 8, 0xff);
        return (bits >> (row % 8) & 1) == 0;
    }

    /** Whether an item among those of all lists is null. */
    boolean isNullItem(long item) {
        long bits = response.itemOfColumn(Native.COLUMN_LIST_VALIDITY, index, JAVA_BYTE, item / 8, 0xff);
        return (bits >> (item % 8) & 1) == 0;
    }

    /**
     * What the server says of a row.
     *
     * @param row from 0
     * @return its status
     */
    public FieldStatus status(long row) {
        Objects.checkIndex(row, response.numRows());
        return FieldStatus.of((byte) response.itemOfColumn(Native.COLUMN_STATUSES, index, JAVA_BYTE, row, 0));
    }

    /**
     * The event timestamp of a row.
     *
     * @param row from 0
     * @return null for entities, for a row that was not found, and if the server sent none
     */
    public Instant eventTimestamp(long row) {
        Objects.checkIndex(row, response.numRows());
        long nanoseconds = response.itemOfColumn(Native.COLUMN_TIMESTAMPS, index, JAVA_LONG, row, 0);
        return nanoseconds == 0 ? null : Instant.EPOCH.plusNanos(nanoseconds);
    }

    /**
     * The statuses in place.
     *
     * @return bytes, each the ordinal of a {@link FieldStatus}
     */
    public MemorySegment statuses() {
        return response.ofColumn(Native.COLUMN_STATUSES, index, response.numRows());
    }

    /**
     * The event timestamps in place.
     *
     * @return longs, nanoseconds since 1970-01-01 UTC, 0 where there is none; null if the server sent none
     */
    public MemorySegment eventTimestamps() {
        return response.ofColumn(Native.COLUMN_TIMESTAMPS, index, response.numRows() * 8);
    }

    /**
     * Which rows have a value, as Arrow's validity bitmap.
     *
     * @return a bit a row, from the lowest of each byte; null if there are no nulls
     */
    public MemorySegment validity() {
        return response.ofColumn(Native.COLUMN_VALIDITY, index, (response.numRows() + 7) / 8);
    }

    /**
     * A value as an object, for programs that show whatever there is.
     *
     * @param row from 0
     * @return a Boolean, Integer, Long, Float, Double, String, byte[] or Instant, or a list or an array of such; null where there
     *         is no value
     */
    public Object value(long row) {
        if (isNull(row)) {
            return null;
        }
        String name = name();
        int i = (int) row;
        return switch (type()) {
            case NULL -> null;
            case BOOL -> response.booleans(name)[i];
            case INT32 -> response.ints(name)[i];
            case INT64 -> response.longs(name)[i];
            case FLOAT -> response.floats(name)[i];
            case DOUBLE -> response.doubles(name)[i];
            case STRING, JSON -> response.strings(name).get(i);
            case BYTES -> response.bytes(name).get(i);
            case UNIX_TIMESTAMP -> response.instants(name).get(i);
            case NULL_LIST -> List.of();
            case BOOL_LIST -> response.booleanLists(name).get(i);
            case INT32_LIST -> response.intLists(name).get(i);
            case INT64_LIST, UNIX_TIMESTAMP_LIST -> response.longLists(name).get(i);
            case FLOAT_LIST -> response.floatLists(name).get(i);
            case DOUBLE_LIST -> response.doubleLists(name).get(i);
            case STRING_LIST -> response.stringLists(name).get(i);
            case BYTES_LIST -> response.bytesLists(name).get(i);
        };
    }
}
