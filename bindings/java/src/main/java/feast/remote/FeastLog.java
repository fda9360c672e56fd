package feast.remote;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;

import java.lang.System.Logger.Level;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.util.function.BiConsumer;

/** The library's messages, of all stores of the process. Without a listener nothing is logged; no message holds a secret. */
public final class FeastLog {
    private static final int WARNING = 1;
    private static final int INFO = 2;

    private static volatile BiConsumer<Level, String> listener;
    private static MemorySegment callback;

    private FeastLog() {}

    /**
     * Sets who gets messages, on the thread whose call gives rise to them or on one of the library's, several at the same time.
     * What it throws is dropped. It must not call this package.
     *
     * @param to may be null: no more messages
     * @param level {@link Level#WARNING}, or {@link Level#INFO} for both
     */
    public static synchronized void setListener(BiConsumer<Level, String> to, Level level) {
        NativeLibrary.require();
        listener = to;
        if (callback == null) {
            callback = stub();
        }
        MemorySegment function = to == null ? MemorySegment.NULL : callback;
        int levels = level == Level.WARNING ? WARNING : INFO;
        Native.run(() -> { Native.SET_LOG_CALLBACK.invokeExact(function, MemorySegment.NULL, levels); });
    }

    private static MemorySegment stub() {
        return Native.call(() -> {
            MethodHandle log = MethodHandles.lookup().findStatic(FeastLog.class, "log",
                    MethodType.methodType(void.class, int.class, MemorySegment.class, MemorySegment.class));
            return Linker.nativeLinker().upcallStub(
                    log, FunctionDescriptor.ofVoid(JAVA_INT, ADDRESS, ADDRESS), Arena.global());
        });
    }

    /** Called by the library, through whose frames nothing may be thrown. */
    @SuppressWarnings("unused")
    private static void log(int level, MemorySegment message, MemorySegment userData) {
        BiConsumer<Level, String> to = listener;
        if (to != null) {
            try {
                to.accept(level == WARNING ? Level.WARNING : Level.INFO, Native.text(message));
            } catch (Throwable thrown) {
                // the listener's own business
            }
        }
    }
}
