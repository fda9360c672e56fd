package feast.remote;

/** Feast's word on a field of an answer. */
public enum FieldStatus {
    /** A status that this library does not know, or that the server calls INVALID. */
    INVALID,
    /** The value is there (Feast says so of a null that was written, too). */
    PRESENT,
    /** The value is null. */
    NULL_VALUE,
    /** The online store has no row for the entity. */
    NOT_FOUND,
    /** The row is older than the maximum age. */
    OUTSIDE_MAX_AGE;

    private static final FieldStatus[] BY_CODE = values();

    static FieldStatus of(byte code) {
        return code > 0 && code < BY_CODE.length ? BY_CODE[code] : INVALID;
    }
}
