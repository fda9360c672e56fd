package feast.remote;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.io.Serializable;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;

/**
 * A failed call, by its kind: {@link Timeout}, {@link NotFound} and so on, {@link Network} and {@link Server} for groups of
 * them. The message says what was tried, against which server, and what it said; it never holds a credential.
 */
public abstract sealed class FeastException extends RuntimeException {
    private static final long serialVersionUID = 1;

    /** What the methods tell. */
    private final Details details;

    private FeastException(Details details) {
        super(details.message);
        this.details = details;
    }

    /**
     * What all kinds have.
     *
     * @param message as the method getMessage tells
     * @param code as the method tells
     * @param status as the method tells
     * @param httpStatus as the method tells
     * @param feastClass as the method tells
     * @param attempts as the method tells
     * @param server as the method tells
     * @param retriable as the method isRetriable tells
     * @param timing as the method tells
     * @param rowsWritten as the method tells
     * @param unwrittenRows as the method tells
     * @param doubtfulRows as the method tells
     */
    private record Details(String message, int code, String status, int httpStatus, String feastClass, int attempts,
            String server, boolean retriable, Timing timing, long rowsWritten, long[] unwrittenRows, long[] doubtfulRows)
            implements Serializable {
    }

    /** Copies an error, which stays its owner's. */
    static FeastException of(MemorySegment error) {
        return Native.call(() -> {
            int code = (int) Native.ERROR_CODE.invokeExact(error);
            return of(new Details(
                    Native.text((MemorySegment) Native.ERROR_MESSAGE.invokeExact(error)),
                    code,
                    Native.text((MemorySegment) Native.STATUS_NAME.invokeExact(code)),
                    (int) Native.ERROR_HTTP_STATUS.invokeExact(error),
                    Native.text((MemorySegment) Native.ERROR_FEAST_CLASS.invokeExact(error)),
                    (int) Native.ERROR_ATTEMPTS.invokeExact(error),
                    Native.text((MemorySegment) Native.ERROR_SERVER.invokeExact(error)),
                    (boolean) Native.ERROR_IS_RETRIABLE.invokeExact(error),
                    Timing.of(Native.ERROR_TIMING, error),
                    (long) Native.ERROR_ROWS_WRITTEN.invokeExact(error),
                    rows(Native.ERROR_UNWRITTEN_ROWS, error),
                    rows(Native.ERROR_DOUBTFUL_ROWS, error)));
        });
    }

    private static long[] rows(MethodHandle function, MemorySegment error) throws Throwable {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment count = arena.allocate(JAVA_LONG);
            MemorySegment rows = (MemorySegment) function.invoke(error, count);
            return rows.reinterpret(count.get(JAVA_LONG, 0) * 8).toArray(JAVA_LONG);
        }
    }

    /** The store was closed, so the library cannot be asked. */
    static FeastException closed() {
        return own("the store was closed", 103, "CLOSED");
    }

    /** The thread that waited for a call was interrupted. */
    static FeastException interrupted() {
        return own("the thread was interrupted: the call was cancelled", 104, "CANCELLED");
    }

    private static FeastException own(String message, int code, String status) {
        return of(new Details(message, code, status, 0, null, 0, null, false, null, 0, new long[0], new long[0]));
    }

    private static FeastException of(Details details) {
        return switch (details.code) {
            case 101 -> new InvalidArgument(details);
            case 102 -> new Config(details);
            case 103 -> new Closed(details);
            case 104 -> new Cancelled(details);
            case 202 -> new Overloaded(details);
            case 301 -> new Timeout(details);
            case 302 -> new Connect(details);
            case 303 -> new Tls(details);
            case 304 -> new Io(details);
            case 401 -> new Unauthenticated(details);
            case 403 -> new PermissionDenied(details);
            case 404 -> new NotFound(details);
            case 422 -> new InvalidRequest(details);
            case 429 -> new Throttled(details);
            case 500 -> new Server(details);
            case 501 -> new Decode(details);
            case 502 -> new WrongType(details);
            default -> new Internal(details);
        };
    }

    /**
     * The number of the status.
     *
     * @return a feast_status_t
     */
    public int code() {
        return details.code;
    }

    /**
     * The status.
     *
     * @return its name, such as TIMEOUT or NOT_FOUND
     */
    public String status() {
        return details.status;
    }

    /**
     * The status of the last HTTP answer.
     *
     * @return 0 if there was none
     */
    public int httpStatus() {
        return details.httpStatus;
    }

    /**
     * The class of Feast's exception, such as FeatureViewNotFoundException.
     *
     * @return null if the server named none
     */
    public String feastClass() {
        return details.feastClass;
    }

    /**
     * How often the server was asked.
     *
     * @return HTTP attempts
     */
    public int attempts() {
        return details.attempts;
    }

    /**
     * The server of the last attempt.
     *
     * @return its URL without credentials; null if there was no attempt
     */
    public String server() {
        return details.server;
    }

    /**
     * Whether the same call may succeed later although nobody changes it.
     *
     * @return whether trying again makes sense
     */
    public boolean isRetriable() {
        return details.retriable;
    }

    /**
     * Where the time of the call went.
     *
     * @return null for an error that came before the call began
     */
    public Timing timing() {
        return details.timing;
    }

    /**
     * Of a write that failed: the rows that the server said are written.
     *
     * @return rows
     */
    public long rowsWritten() {
        return details.rowsWritten;
    }

    /**
     * Of a write that failed: the numbers of the other rows.
     *
     * @return a copy, ascending
     */
    public long[] unwrittenRows() {
        return details.unwrittenRows.clone();
    }

    /**
     * Of a write that failed: those of the other rows that may be written all the same, since the server's word is missing.
     *
     * @return a copy, ascending
     */
    public long[] doubtfulRows() {
        return details.doubtfulRows.clone();
    }

    /** The caller passed something that cannot be used; the message says what. */
    public static final class InvalidArgument extends FeastException {
        private static final long serialVersionUID = 1;

        private InvalidArgument(Details details) {
            super(details);
        }
    }

    /** A configuration key or value cannot be used. */
    public static final class Config extends FeastException {
        private static final long serialVersionUID = 1;

        private Config(Details details) {
            super(details);
        }
    }

    /** The store was closed before or during the call. */
    public static final class Closed extends FeastException {
        private static final long serialVersionUID = 1;

        private Closed(Details details) {
            super(details);
        }
    }

    /** The call was cancelled, or the thread that waited for it was interrupted. */
    public static final class Cancelled extends FeastException {
        private static final long serialVersionUID = 1;

        private Cancelled(Details details) {
            super(details);
        }
    }

    /** No connection of the pool came free in time, or too many asynchronous calls are under way. */
    public static final class Overloaded extends FeastException {
        private static final long serialVersionUID = 1;

        private Overloaded(Details details) {
            super(details);
        }
    }

    /** The network, or the way to the server. */
    public static sealed class Network extends FeastException {
        private static final long serialVersionUID = 1;

        private Network(Details details) {
            super(details);
        }
    }

    /** The deadline passed. */
    public static final class Timeout extends Network {
        private static final long serialVersionUID = 1;

        private Timeout(Details details) {
            super(details);
        }
    }

    /** No connection could be made. */
    public static final class Connect extends Network {
        private static final long serialVersionUID = 1;

        private Connect(Details details) {
            super(details);
        }
    }

    /** TLS failed: a certificate that does not verify, or a broken handshake. */
    public static final class Tls extends Network {
        private static final long serialVersionUID = 1;

        private Tls(Details details) {
            super(details);
        }
    }

    /** The connection broke before the whole answer was there. */
    public static final class Io extends Network {
        private static final long serialVersionUID = 1;

        private Io(Details details) {
            super(details);
        }
    }

    /** The server refused: HTTP 5xx, and each kind of refusal below. */
    public static sealed class Server extends FeastException {
        private static final long serialVersionUID = 1;

        private Server(Details details) {
            super(details);
        }
    }

    /** HTTP 401. */
    public static final class Unauthenticated extends Server {
        private static final long serialVersionUID = 1;

        private Unauthenticated(Details details) {
            super(details);
        }
    }

    /** HTTP 403. */
    public static final class PermissionDenied extends Server {
        private static final long serialVersionUID = 1;

        private PermissionDenied(Details details) {
            super(details);
        }
    }

    /** HTTP 404: no such feature view or feature service, or no feature server at this URL. */
    public static final class NotFound extends Server {
        private static final long serialVersionUID = 1;

        private NotFound(Details details) {
            super(details);
        }
    }

    /** HTTP 422 and every other 4xx without a kind of its own. */
    public static final class InvalidRequest extends Server {
        private static final long serialVersionUID = 1;

        private InvalidRequest(Details details) {
            super(details);
        }
    }

    /** HTTP 429. */
    public static final class Throttled extends Server {
        private static final long serialVersionUID = 1;

        private Throttled(Details details) {
            super(details);
        }
    }

    /** The answer cannot be read, or does not fit the request. */
    public static final class Decode extends FeastException {
        private static final long serialVersionUID = 1;

        private Decode(Details details) {
            super(details);
        }
    }

    /** A value does not fit the type that it was asked for in. */
    public static final class WrongType extends FeastException {
        private static final long serialVersionUID = 1;

        private WrongType(Details details) {
            super(details);
        }
    }

    /** The library failed in a way that should not happen. */
    public static final class Internal extends FeastException {
        private static final long serialVersionUID = 1;

        private Internal(Details details) {
            super(details);
        }
    }
}
