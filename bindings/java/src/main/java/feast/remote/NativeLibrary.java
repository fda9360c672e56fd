package feast.remote;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;

/**
 * Finds libfeast_remote.so once a process: the one that the system property feast.remote.library or the environment variable
 * FEAST_REMOTE_LIBRARY names, else the one in this package for this machine, else the installed one.
 */
final class NativeLibrary {
    private static final String HOW_TO_NAME_ONE = "; -Dfeast.remote.library=/path/to/libfeast_remote.so or the environment"
            + " variable FEAST_REMOTE_LIBRARY names another one";

    private static String origin;
    private static SymbolLookup library;
    private static String failure;

    static {
        try {
            library = find();
        } catch (IOException | UncheckedIOException | IllegalArgumentException | UnsatisfiedLinkError cause) {
            failure = origin + " cannot be loaded: " + cause.getMessage() + HOW_TO_NAME_ONE;
        }
        if (library != null && library.find("feast_write_to_online_store_async").isEmpty()) {
            failure = origin + " is no libfeast_remote, or one too old for this package" + HOW_TO_NAME_ONE;
        }
    }

    private NativeLibrary() {}

    /** Throws an UnsatisfiedLinkError that says what to do, each time, if there is no library. */
    static void require() {
        if (failure != null) {
            throw new UnsatisfiedLinkError(failure);
        }
    }

    static MemorySegment symbol(String name) {
        require();
        return library.find(name).orElseThrow(() -> new UnsatisfiedLinkError(
                origin + " has no " + name + ": it is too old for this package" + HOW_TO_NAME_ONE));
    }

    private static SymbolLookup find() throws IOException {
        String named = System.getProperty("feast.remote.library", System.getenv("FEAST_REMOTE_LIBRARY"));
        if (named != null && !named.isEmpty()) {
            origin = named;
            // A name without a folder is looked for as the dynamic loader does.
            return named.contains("/") ? load(Path.of(named)) : SymbolLookup.libraryLookup(named, Arena.global());
        }
        String platform = platform();
        try (InputStream bundled = NativeLibrary.class.getResourceAsStream("natives/" + platform + "/libfeast_remote.so")) {
            if (bundled == null) {
                origin = "libfeast_remote.so.0 (this package has none for " + platform + ")";
                return SymbolLookup.libraryLookup("libfeast_remote.so.0", Arena.global());
            }
            origin = "the package's library for " + platform;
            return unpacked(bundled.readAllBytes(), platform);
        }
    }

    private static SymbolLookup load(Path file) {
        if (!Files.exists(file)) {
            throw new IllegalArgumentException("there is no such file");
        }
        return SymbolLookup.libraryLookup(file, Arena.global());
    }

    /** In a folder that only this user can look into; once loaded it stays mapped, so that the file may go. */
    private static SymbolLookup unpacked(byte[] bytes, String platform) throws IOException {
        String expected = sums().lines()
                .filter(line -> line.endsWith("  " + platform + "/libfeast_remote.so"))
                .map(line -> line.substring(0, line.indexOf(' ')))
                .findFirst()
                .orElse("none");
        Path folder = Files.createTempDirectory("feast-remote-");
        Path file = folder.resolve("libfeast_remote.so");
        try {
            Files.write(file, bytes);
            String found = sha256(Files.readAllBytes(file));
            if (!found.equals(expected)) {
                throw new IOException("its SHA-256 is " + found + ", not " + expected + " as the package says");
            }
            return load(file);
        } catch (IllegalArgumentException cause) {
            throw new IOException(cause.getMessage() + " (unpacked into " + folder
                    + "; -Djava.io.tmpdir names another folder, where programs may be run)", cause);
        } finally {
            Files.deleteIfExists(file);
            Files.deleteIfExists(folder);
        }
    }

    private static String sums() throws IOException {
        try (InputStream sums = NativeLibrary.class.getResourceAsStream("natives/SHA256SUMS")) {
            return sums == null ? "" : new String(sums.readAllBytes(), StandardCharsets.UTF_8);
        }
    }

    private static String sha256(byte[] bytes) {
        try {
            return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
        } catch (NoSuchAlgorithmException impossible) {
            throw new AssertionError(impossible); // every Java has it
        }
    }

    /** As Rust names its targets. */
    private static String platform() {
        String machine = System.getProperty("os.arch").replace("amd64", "x86_64");
        if (!System.getProperty("os.name").equals("Linux")) {
            return machine + "-" + System.getProperty("os.name").toLowerCase(java.util.Locale.ROOT);
        }
        return machine + "-unknown-linux-" + (isMusl() ? "musl" : "gnu");
    }

    private static boolean isMusl() {
        try {
            return Files.readString(Path.of("/proc/self/maps"), StandardCharsets.ISO_8859_1).contains("/ld-musl-");
        } catch (IOException unknown) {
            return false;
        }
    }
}
