package feast.remote;

/**
 * What came of a write.
 *
 * @param rows the rows that were written
 * @param requests the requests that they went out in
 * @param queued whether the server has only taken some of the rows, and writes them to the offline store later
 */
public record Written(long rows, long requests, boolean queued) {
}
