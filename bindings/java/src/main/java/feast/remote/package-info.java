/**
 * Online features from a remote Feast feature server: {@link feast.remote.FeastRemote} is an open store,
 * {@link feast.remote.OnlineFeaturesRequest} a question and {@link feast.remote.Response} its answer.
 */
package feast.remote;
