#!/usr/bin/env bash
# Java's package, as a Maven repository in PACKAGES/maven: a jar with the natives, its sources, its pom. Made by the JDK that
# JAVA_HOME names if it is 22 or newer, else by the run-time environment that `env.sh java` has, and Eclipse's compiler.
#   java.sh [MAVEN_ARGUMENT...]: for one's own goals, such as `test -Dfeast.url=http://localhost:6566`
source "$(dirname "$0")/../common.sh"
natives=$(realpath -m "${NATIVES:-$target/natives}") packages=$(realpath -m "${PACKAGES:-$target/packages}")
outputs=$(realpath -m "${JAVA_OUTPUTS:-$target/bindings-java}")

# What the jar has of them: no archives, and a list of sums that is compared when one is unpacked.
rm -rf "$outputs/natives"
for library in "$natives"/*/libfeast_remote.so; do
  install -D -m 644 "$library" "$outputs/natives/$(basename "$(dirname "$library")")/libfeast_remote.so"
done
(cd "$outputs/natives" && sha256sum -- */libfeast_remote.so >SHA256SUMS)

arguments=(--quiet --batch-mode -Drevision="$version" -Doutputs="$outputs")
if ! grep -q '^JAVA_VERSION="\(2[2-9]\|[3-9].\)' "${JAVA_HOME:-/nowhere}/release" 2>/dev/null; then
  scripts/env.sh java
  export JAVA=$(realpath "$target/java")
  export JAVA_HOME=$JAVA/home
  arguments+=(-Dmaven.compiler.fork=true -Dmaven.compiler.executable="$PWD/scripts/java/ecj")
  # The certificates that this machine trusts, and no complaint of Maven's own libraries.
  export MAVEN_OPTS="${MAVEN_OPTS:-} --sun-misc-unsafe-memory-access=allow --enable-native-access=ALL-UNNAMED"
  trusted=/etc/ssl/certs/java/cacerts
  [[ ! -e $trusted ]] || MAVEN_OPTS+=" -Djavax.net.ssl.trustStore=$trusted"
fi
if (($#)); then
  exec mvn --file bindings/java/pom.xml "${arguments[@]}" "$@"
fi
# From a copy whose modes do not depend on who has cloned the repository, and all anew.
rm -rf "$outputs"/{classes,sources}
cp -r --no-preserve=mode bindings/java "$outputs/sources"
mvn --file "$outputs/sources/pom.xml" "${arguments[@]}" deploy -DskipTests -DaltDeploymentRepository="packages::file://$packages/maven"
# The one time that Maven notes: when it was put there.
metadata=$packages/maven/feast/remote/feast-remote/maven-metadata.xml
sed -i "s|<lastUpdated>.*<|<lastUpdated>$(date -u -d "@${SOURCE_DATE_EPOCH:-0}" +%Y%m%d%H%M%S)<|" "$metadata"
for sum in md5 sha1; do "${sum}sum" <"$metadata" | head -c -4 >"$metadata.$sum"; done
