package feast.remote;

/** What a column holds. Without a declaration that depends on the values that came; a column without any is {@link #NULL}. */
public enum ColumnType {
    /** Every value is null. */
    NULL(0),
    /** Booleans. */
    BOOL(1),
    /** Integers of 32 bits; only where declared. */
    INT32(2),
    /** Integers of 64 bits. */
    INT64(3),
    /** Numbers of 32 bits; only where declared. */
    FLOAT(4),
    /** Numbers of 64 bits. */
    DOUBLE(5),
    /** Text; also UUIDs and decimals, as the server writes them. */
    STRING(6),
    /** Bytes; only where declared. */
    BYTES(7),
    /** Seconds since 1970-01-01 UTC; only where declared. */
    UNIX_TIMESTAMP(8),
    /** JSON text, as the server wrote it. */
    JSON(9),
    /** Lists that have no items but nulls. */
    NULL_LIST(16),
    /** Lists of booleans. */
    BOOL_LIST(17),
    /** Lists of integers of 32 bits; only where declared. */
    INT32_LIST(18),
    /** Lists of integers of 64 bits. */
    INT64_LIST(19),
    /** Lists of numbers of 32 bits; only where declared. */
    FLOAT_LIST(20),
    /** Lists of numbers of 64 bits. */
    DOUBLE_LIST(21),
    /** Lists of text. */
    STRING_LIST(22),
    /** Lists of bytes; only where declared. */
    BYTES_LIST(23),
    /** Lists of seconds since 1970-01-01 UTC; only where declared. */
    UNIX_TIMESTAMP_LIST(24);

    /** The feast_type_t. */
    final int code;

    ColumnType(int code) {
        this.code = code;
    }

    static ColumnType of(int code) {
        for (ColumnType type : values()) {
            if (type.code == code) {
                return type;
            }
        }
        throw new IllegalStateException("a type that this package does not know: " + code);
    }
}
