package feast.remote;

import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.lang.ref.Cleaner;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * An object of the library's that any number of threads use until it is closed. It is freed when it is closed and the last of
 * them is done, or when nobody can reach it any more.
 */
final class NativeObject {
    private static final Cleaner CLEANER = Cleaner.create();

    private static final java.util.concurrent.atomic.LongAdder FREED = new java.util.concurrent.atomic.LongAdder();

    private final State state;
    private final Cleaner.Cleanable cleanable;

    NativeObject(MemorySegment address, MethodHandle free) {
        state = new State(address, free);
        cleanable = CLEANER.register(this, state);
    }

    /** Its address, which stays good until {@link #release}. */
    MemorySegment acquire() {
        if (!state.enter()) {
            throw new IllegalStateException("it was closed");
        }
        return state.address;
    }

    void release() {
        if (state.leave()) {
            cleanable.clean();
        }
    }

    /** Returns false the second time. */
    boolean close() {
        if (!state.close()) {
            return false;
        }
        if (state.leave()) {
            cleanable.clean();
        }
        return true;
    }

    /** How many were freed. */
    static long freed() {
        return FREED.sum();
    }

    boolean isClosed() {
        return (state.users.get() & State.CLOSED) != 0;
    }

    /** Who is inside, its opening counted as one; and a bit that closes the door. */
    private static final class State implements Runnable {
        private static final int CLOSED = 1 << 31;

        private final MemorySegment address;
        private final MethodHandle free;
        private final AtomicInteger users = new AtomicInteger(1);

        State(MemorySegment address, MethodHandle free) {
            this.address = address;
            this.free = free;
        }

        boolean enter() {
            for (;;) {
                int now = users.get();
                if (now < 0) {
                    return false;
                }
                if (users.compareAndSet(now, now + 1)) {
                    return true;
                }
            }
        }

        boolean close() {
            for (;;) {
                int now = users.get();
                if (now < 0) {
                    return false;
                }
                if (users.compareAndSet(now, now | CLOSED)) {
                    return true;
                }
            }
        }

        /** Whether nobody is left. */
        boolean leave() {
            return users.decrementAndGet() == CLOSED;
        }

        /** The cleaner runs it once. */
        @Override
        public void run() {
            Native.run(() -> free.invoke(address));
            FREED.increment();
        }
    }
}
