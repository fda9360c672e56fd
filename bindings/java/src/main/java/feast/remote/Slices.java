package feast.remote;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;

/**
 * Rows of variable length, in the library's memory: row i is the items offsets[i] up to offsets[i + 1].
 *
 * @param offsets longs, one more than there are rows
 * @param items bytes of text, or the items of lists
 */
public record Slices(MemorySegment offsets, MemorySegment items) {
    /**
     * One row as text, copied.
     *
     * @param row from 0
     * @return the text
     */
    public String string(long row) {
        return new String(bytes(row), StandardCharsets.UTF_8);
    }

    /**
     * One row as bytes, copied.
     *
     * @param row from 0
     * @return the bytes
     */
    public byte[] bytes(long row) {
        long from = offsets.getAtIndex(JAVA_LONG, row);
        long to = offsets.getAtIndex(JAVA_LONG, row + 1);
        return items.asSlice(from, to - from).toArray(JAVA_BYTE);
    }
}
