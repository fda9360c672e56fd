/** Online features from a remote Feast feature server. */
module feast.remote {
    exports feast.remote;
}
