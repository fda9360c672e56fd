package feast.remote;

import static java.lang.foreign.ValueLayout.ADDRESS;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.ReentrantReadWriteLock;

/** A queue of asynchronous calls, and the thread that takes their events out of it and completes their futures. */
final class AsyncCalls {
    private static final int BATCH = 64;

    private final MemorySegment queue;
    private final Thread poller;
    private final ConcurrentHashMap<Long, Call<?>> pending = new ConcurrentHashMap<>();
    private final AtomicLong lastTag = new AtomicLong();
    /** Held shared while a call is handed to the queue, so that no other thread frees that meanwhile. */
    private final ReentrantReadWriteLock open = new ReentrantReadWriteLock();
    private volatile boolean closed;

    AsyncCalls() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment place = arena.allocate(ADDRESS);
            Native.check(arena, error -> (int) Native.QUEUE_OPEN.invokeExact(place, error));
            queue = place.get(ADDRESS, 0);
        }
        poller = Thread.ofPlatform().daemon().name("feast-remote").start(this::poll);
    }

    /** Hands a call to the library. */
    interface Start {
        int call(MemorySegment queue, MemorySegment tag, MemorySegment call, MemorySegment error) throws Throwable;
    }

    /** What there is in an event of a call that succeeded. */
    interface Result<T> {
        T take(MemorySegment event) throws Throwable;
    }

    /** Begins a call. What is refused fails the future, so that there is one way to learn of it. */
    <T> Call<T> start(FeastRemote store, Start start, Result<T> result) {
        Call<T> future = new Call<>(store, result);
        long tag = lastTag.incrementAndGet();
        open.readLock().lock();
        try (Arena arena = Arena.ofConfined()) {
            if (closed) {
                throw FeastException.closed();
            }
            MemorySegment call = arena.allocate(ADDRESS);
            pending.put(tag, future);
            try {
                Native.check(arena, error -> start.call(queue, MemorySegment.ofAddress(tag), call, error));
            } catch (RuntimeException | Error refused) {
                pending.remove(tag);
                throw refused;
            }
            future.started(call.get(ADDRESS, 0));
        } catch (FeastException refused) {
            future.fail(refused);
        } finally {
            open.readLock().unlock();
        }
        return future;
    }

    /** From now on nothing is begun. The store is closed next, and then {@link #end} called. */
    void refuse() {
        open.writeLock().lock();
        closed = true;
        open.writeLock().unlock();
    }

    /** Waits until each call that was accepted has had its event, unless this is called by what is chained to a future. */
    void end() {
        Native.run(() -> { Native.QUEUE_WAKE.invokeExact(queue); });
        boolean interrupted = false;
        while (Thread.currentThread() != poller) {
            try {
                poller.join();
                break;
            } catch (InterruptedException later) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    private void poll() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment events = arena.allocate(ADDRESS, BATCH);
            // Closed, there is one event for each call that is still pending.
            while (!closed || !pending.isEmpty()) {
                long count = (long) Native.POLL_BATCH.invokeExact(queue, -1L, events, (long) BATCH);
                for (long i = 0; i < count; i++) {
                    finish(events.getAtIndex(ADDRESS, i));
                }
            }
            Native.QUEUE_FREE.invokeExact(queue);
        } catch (Throwable thrown) {
            pending.values().forEach(call -> call.completeExceptionally(thrown));
            throw new AssertionError(thrown);
        }
    }

    private void finish(MemorySegment event) throws Throwable {
        MemorySegment tag = (MemorySegment) Native.EVENT_TAG.invokeExact(event);
        pending.remove(tag.address()).finish(event);
        Native.EVENT_FREE.invokeExact(event);
    }

    /** The future of a call. Whatever ends it before the call is done cancels that. */
    static final class Call<T> extends CompletableFuture<T> {
        /** Keeps the store open as long as the call is under way. */
        @SuppressWarnings("unused")
        private FeastRemote store;
        private final Result<T> result;
        private MemorySegment call;
        private boolean over;

        Call(FeastRemote store, Result<T> result) {
            this.store = store;
            this.result = result;
            whenComplete((_, _) -> cancelCall());
        }

        /** A wait that was too long ends the call, too: nobody will take its answer. */
        @Override
        public T get(long timeout, TimeUnit unit) throws InterruptedException, ExecutionException, TimeoutException {
            try {
                return super.get(timeout, unit);
            } catch (TimeoutException late) {
                cancel(true);
                throw late;
            }
        }

        /** Waits for the answer without holding a carrier thread; an interrupt cancels the call. */
        T await() throws InterruptedException {
            try {
                return get();
            } catch (InterruptedException interrupt) {
                if (!cancel(true) && !isCompletedExceptionally() && join() instanceof AutoCloseable answer) {
                    Native.run(answer::close); // it was there first, and nobody will read it
                }
                throw interrupt;
            } catch (ExecutionException failure) {
                if (failure.getCause() instanceof RuntimeException cause) {
                    throw cause;
                }
                throw new AssertionError(failure.getCause());
            }
        }

        private void fail(FeastException failure) {
            ended();
            completeExceptionally(failure);
        }

        private void finish(MemorySegment event) throws Throwable {
            ended();
            MemorySegment error = (MemorySegment) Native.EVENT_ERROR.invokeExact(event);
            if (!error.equals(MemorySegment.NULL)) {
                completeExceptionally(FeastException.of(error));
                return;
            }
            T value = result.take(event);
            if (!complete(value) && value instanceof AutoCloseable answer) {
                answer.close(); // the future was ended otherwise, so nobody will
            }
        }

        /** The event may have come before the handle. */
        private synchronized void started(MemorySegment handle) {
            if (over) {
                Native.run(() -> { Native.CALL_FREE.invokeExact(handle); });
                return;
            }
            call = handle;
            if (isDone()) {
                cancelCall();
            }
        }

        private synchronized void cancelCall() {
            if (call != null) {
                MemorySegment handle = call;
                Native.run(() -> { Native.CALL_CANCEL.invokeExact(handle); });
            }
        }

        private synchronized void ended() {
            over = true;
            store = null;
            if (call != null) {
                MemorySegment handle = call;
                call = null;
                Native.run(() -> { Native.CALL_FREE.invokeExact(handle); });
            }
        }
    }
}
