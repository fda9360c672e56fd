package feast.remote;

/** The stores that a push writes to. */
public enum PushTo {
    /** The online store. */
    ONLINE(1),
    /** The offline store. */
    OFFLINE(2),
    /** Both. */
    ONLINE_AND_OFFLINE(3);

    final int code;

    PushTo(int code) {
        this.code = code;
    }
}
