package feast.remote;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/** A failed call. The message says what was tried, against which server, and what it said. */
public final class FeastException extends RuntimeException {
    private static final long serialVersionUID = 1;

    private final int code;
    private final String status;
    private final int httpStatus;
    private final String feastClass;
    private final int attempts;
    private final String server;
    private final boolean retriable;
    private final long rowsWritten;
    private final long[] unwrittenRows;

    private FeastException(String message, int code, String status, int httpStatus, String feastClass, int attempts,
            String server, boolean retriable, long rowsWritten, long[] unwrittenRows) {
        super(message);
        this.code = code;
        this.status = status;
        this.httpStatus = httpStatus;
        this.feastClass = feastClass;
        this.attempts = attempts;
        this.server = server;
        this.retriable = retriable;
        this.rowsWritten = rowsWritten;
        this.unwrittenRows = unwrittenRows;
    }

    /** Copies an error, which stays its owner's. */
    static FeastException of(MemorySegment error) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment count = arena.allocate(JAVA_LONG);
            MemorySegment rows = (MemorySegment) Native.ERROR_UNWRITTEN_ROWS.invokeExact(error, count);
            int code = (int) Native.ERROR_CODE.invokeExact(error);
            return new FeastException(
                    Native.text((MemorySegment) Native.ERROR_MESSAGE.invokeExact(error)),
                    code,
                    Native.text((MemorySegment) Native.STATUS_NAME.invokeExact(code)),
                    (int) Native.ERROR_HTTP_STATUS.invokeExact(error),
                    Native.text((MemorySegment) Native.ERROR_FEAST_CLASS.invokeExact(error)),
                    (int) Native.ERROR_ATTEMPTS.invokeExact(error),
                    Native.text((MemorySegment) Native.ERROR_SERVER.invokeExact(error)),
                    (boolean) Native.ERROR_IS_RETRIABLE.invokeExact(error),
                    (long) Native.ERROR_ROWS_WRITTEN.invokeExact(error),
                    rows.reinterpret(count.get(JAVA_LONG, 0) * 8).toArray(JAVA_LONG));
        } catch (Throwable thrown) {
            throw Native.impossible(thrown);
        }
    }

    /** The number of the feast_status_t. */
    public int code() {
        return code;
    }

    /** Its name, such as TIMEOUT or NOT_FOUND. */
    public String status() {
        return status;
    }

    /** The status of the last answer, 0 if there was none. */
    public int httpStatus() {
        return httpStatus;
    }

    /** The server's exception, such as FeatureViewNotFoundException; null if it named none. */
    public String feastClass() {
        return feastClass;
    }

    /** How often the server was asked. */
    public int attempts() {
        return attempts;
    }

    /** The server of the last attempt; null if there was none. */
    public String server() {
        return server;
    }

    /** Of a write that failed: the rows that the server said are written. */
    public long rowsWritten() {
        return rowsWritten;
    }

    /** Of a write that failed: the numbers of the other rows. */
    public long[] unwrittenRows() {
        return unwrittenRows.clone();
    }

    /** Whether the same call may succeed later. */
    public boolean isRetriable() {
        return retriable;
    }
}
